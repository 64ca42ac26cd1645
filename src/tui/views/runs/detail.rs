//! The selected run: what it worked on, and what each of its stages did and why.
//!
//! A stage has a row, and below it its reason where there is room for one of each. Rows that are left over go first to what
//! failed, then to the other stages in their order: what is too long for its row then stands below it whole, each test that
//! failed in a row of its own.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::bar;
use crate::pipeline::{Run, StageRun, StageSpec, StageState, TestReport, explain};
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::detail_text;
use crate::tui::holds::approval_text;
use crate::tui::mouse::Target;
use crate::tui::quantity::{self, small};
use crate::tui::widgets::facts::{self, Fact};
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cells as text_cells, padded, sanitize};

/// Rows of the terminal from which on rows may be left over.
const USUAL_ROWS: u16 = 24;
/// The column in which more is said of a stage than has room in its row.
const NOTE: usize = 4;
/// Rows that one reason may take.
const LONGEST: usize = 12;

/// A stage in the rows that it has.
struct Told<'a> {
    /// Its place in the graph.
    index: usize,
    spec: &'a StageSpec,
    entry: &'a StageRun,
    line: Line<'static>,
    below: Vec<Line<'static>>,
}

/// Draws the pane.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect) {
    let Some(run) = model.chosen_run() else {
        pane::draw(model, frame.buffer_mut(), area, model.is_in_detail, "", "");
        return;
    };
    let cause = sanitize(&explain::cause(&model.state, run));
    let heading = format!("Run {} {} {cause}", run.id, model.glyphs.dot);
    let right = match facts::run_estimate(model, run) {
        Some(left) => left,
        None if model.is_in_detail => "Enter shows the log".to_owned(),
        None => String::new(),
    };
    let inner = pane::draw(model, frame.buffer_mut(), area, model.is_in_detail, &heading, &right);
    let (width, height) = (usize::from(inner.width), usize::from(inner.height));
    let mut head = vec![facts::joined(model, inputs(model, run))];
    let mut stages = in_short(model, run, (width, height));
    let used = head.len() + stages.iter().map(|told| told.below.len() + 1).sum::<usize>();
    let mut spare = if model.size.1 >= USUAL_ROWS { height.saturating_sub(used) } else { 0 };
    let whole_cause = if pane::cuts_heading(area, &heading, &right) { cause.as_str() } else { "" };
    let whole_head = whole_head(model, run, whole_cause, width.saturating_sub(2));
    if whole_head.len() <= head.len() + spare {
        spare = head.len() + spare - whole_head.len();
        head = whole_head;
    }
    tell_more(model, run, &mut stages, width, spare);
    for (row, line) in head.iter().enumerate() {
        detail_text::put(model, frame.buffer_mut(), inner, (2, row), line);
    }
    let rows = put_stages(model, frame, inner, &stages, head.len());
    let hidden = rows.saturating_sub(height);
    if hidden > 0 {
        let way = if model.is_zoomed { String::new() } else { format!("; {} shows all", key_of(model, Action::Zoom)) };
        let more = quantity::counted(hidden, "more row");
        pane::foot(model, frame.buffer_mut(), area, &format!("{} {more}{way}", model.glyphs.descending));
    }
}

/// Writes the stages from row `row` on, and returns how many rows there are then.
fn put_stages(model: &Model, frame: &mut Frame, inner: Rect, stages: &[Told<'_>], mut row: usize) -> usize {
    for told in stages {
        detail_text::put(model, frame.buffer_mut(), inner, (0, row), &told.line);
        let place = Rect { y: inner.y.saturating_add(small(row)), height: 1, ..inner };
        model.hits.add(place.intersection(inner), Target::Stage(told.spec.name.clone()));
        if is_chosen(model, told.spec) {
            frame.buffer_mut().set_style(place.intersection(inner), model.theme.selection);
        }
        row += 1;
        for line in &told.below {
            detail_text::put(model, frame.buffer_mut(), inner, (NOTE, row), line);
            row += 1;
        }
    }
    row
}

fn is_chosen(model: &Model, spec: &StageSpec) -> bool {
    model.is_in_detail && model.subject_stage() == Some(&spec.name)
}

/// What the run worked on.
fn inputs(model: &Model, run: &Run) -> Vec<Fact> {
    let inputs = &run.inputs;
    let source = format!("source {}", sanitize(&inputs.source.label()));
    let data = format!(
        "data {}, {}",
        quantity::counted(inputs.data.count, "file"),
        quantity::counted(inputs.data.rows, "row")
    );
    vec![(source, model.theme.dim), (data, model.theme.dim)]
}

/// The same in as many rows as it needs, below why the run started, if that is given.
fn whole_head(model: &Model, run: &Run, cause: &str, width: usize) -> Vec<Line<'static>> {
    let texts = detail_text::paragraph(model, cause, width, LONGEST);
    let mut rows: Vec<_> = texts.into_iter().map(|text| Line::from(Span::styled(text, model.theme.text))).collect();
    rows.extend(facts::in_detail(model, inputs(model, run), width, usize::MAX));
    rows
}

/// The stages, each in the fewest rows.
fn in_short<'a>(model: &'a Model, run: &'a Run, (width, height): (usize, usize)) -> Vec<Told<'a>> {
    let specs = model.state.graph.stages();
    let has_notes = height > specs.len() * 2;
    let is_spacious = height > specs.len() * 4;
    let known = specs.iter().enumerate().filter_map(|(index, spec)| Some((index, spec, run.stages.get(&spec.name)?)));
    known
        .map(|(index, spec, entry)| {
            let mut line = head_of(model, run, index, spec, entry);
            let told = with_attempt(model, entry, facts::results(model, run, &spec.name, entry));
            line.spans.extend(facts::joined(model, told).spans);
            let limit = if is_spacious { 2 } else { 1 };
            let texts = if has_notes { notes(model, run, spec, entry, is_spacious) } else { Vec::new() };
            Told { index, spec, entry, line, below: note_rows(model, &texts, width, limit) }
        })
        .collect()
}

/// The sign of a stage, its name, its state and how long it took.
fn head_of(model: &Model, run: &Run, index: usize, spec: &StageSpec, entry: &StageRun) -> Line<'static> {
    let style = model.theme.stage(&entry.state);
    Line::from(vec![
        Span::styled(if is_chosen(model, spec) { model.glyphs.pointer } else { " " }, model.theme.accent),
        bar::sign(model, index),
        Span::styled(format!(" {} ", model.glyphs.stage(&entry.state)), style),
        Span::styled(padded(&sanitize(spec.name.as_str()), 14, model.glyphs.cut), model.theme.title),
        Span::styled(format!(" {}", padded(entry.state.word(), facts::word_width(run), model.glyphs.cut)), style),
        Span::styled(format!("{:>7}  ", facts::duration(model, entry)), model.theme.dim),
    ])
}

fn with_attempt(model: &Model, entry: &StageRun, mut told: Vec<Fact>) -> Vec<Fact> {
    if entry.attempt.0 > 1 {
        told.insert(0, (format!("attempt {}", entry.attempt), model.theme.warn));
    }
    told
}

/// Why, who let it go on, and, if wanted, what it measured.
fn notes(model: &Model, run: &Run, spec: &StageSpec, entry: &StageRun, has_metrics: bool) -> Vec<String> {
    let mut texts = Vec::new();
    let reason = facts::further_reason(model, run, &spec.name);
    if !reason.is_empty() {
        texts.push(reason);
    }
    texts.extend(entry.approved.as_ref().map(|approval| sanitize(&approval_text(approval))));
    if let Some(outputs) = entry.outputs.as_ref().filter(|outputs| has_metrics && outputs.metrics.len() > 1) {
        texts.push(facts::all_metrics(outputs).join(&format!(" {} ", model.glyphs.dot)));
    }
    texts
}

fn note_rows(model: &Model, texts: &[String], width: usize, limit: usize) -> Vec<Line<'static>> {
    let width = width.saturating_sub(NOTE + 1);
    let rows = texts.iter().flat_map(|text| detail_text::paragraph(model, text, width, limit));
    rows.map(|text| Line::from(Span::styled(text, model.theme.dim))).collect()
}

/// Gives `spare` rows to the stages, to those first that failed.
fn tell_more(model: &Model, run: &Run, stages: &mut [Told<'_>], width: usize, mut spare: usize) {
    let has_failed = |told: &Told<'_>| matches!(told.entry.state, StageState::Failed { .. });
    for is_failed in [true, false] {
        for told in stages.iter_mut().filter(|told| has_failed(told) == is_failed) {
            let room = told.below.len() + spare;
            let head = head_of(model, run, told.index, told.spec, told.entry);
            if let Some((line, below)) = whole(model, run, told, head, (width, room)) {
                spare = room - below.len();
                (told.line, told.below) = (line, below);
            }
        }
    }
}

/// A stage in its row and at most `room` rows below it, so that nothing of it is missing but names of tests beyond what has room;
/// `None` where that is not possible.
fn whole(
    model: &Model,
    run: &Run,
    told: &Told<'_>,
    mut line: Line<'static>,
    (width, room): (usize, usize),
) -> Option<(Line<'static>, Vec<Line<'static>>)> {
    let (spec, entry) = (told.spec, told.entry);
    let mut beside = with_attempt(model, entry, facts::counted_results(model, run, &spec.name, entry));
    let free = width.saturating_sub(line.width());
    let fits = |count: &usize| {
        let first = beside.iter().take(*count).cloned().collect();
        facts::joined(model, first).width() <= free
    };
    let fitting = (0..=beside.len()).rev().find(fits).unwrap_or(0);
    let rest = beside.split_off(fitting);
    line.spans.extend(facts::joined(model, beside).spans);
    let below_width = width.saturating_sub(NOTE + 1);
    let mut below = facts::in_detail(model, rest, below_width, usize::MAX);
    let notes = note_rows(model, &notes(model, run, spec, entry, true), width, LONGEST);
    let left = room.checked_sub(below.len() + notes.len())?;
    if let Some(report) = entry.outputs.as_ref().and_then(|outputs| outputs.tests.as_ref()) {
        below.extend(failing(model, report, below_width, left)?);
    }
    below.extend(notes);
    Some((line, below))
}

/// The tests that failed, each in a row of its own, else one behind the other, else as many as have room in `room` rows; `None`
/// where not even one has.
fn failing(model: &Model, report: &TestReport, width: usize, room: usize) -> Option<Vec<Line<'static>>> {
    let style = model.theme.bad;
    let names: Vec<String> = report.failing.iter().map(|test| sanitize(&test.name)).collect();
    if names.is_empty() {
        return Some(Vec::new());
    }
    let unnamed = |named: usize| report.failed.saturating_sub(u64::try_from(named).unwrap_or(u64::MAX));
    let more = |named: usize| {
        let text = format!("and {} more", quantity::count(unnamed(named)));
        (unnamed(named) > 0).then(|| Line::from(Span::styled(text, model.theme.dim)))
    };
    let each: Vec<_> = names.iter().map(|name| detail_text::wrapped(model, name, style, width, LONGEST)).collect();
    let all: Vec<_> = each.iter().flatten().cloned().chain(more(names.len())).collect();
    if all.len() <= room {
        return Some(all);
    }
    let longest_name = names.iter().map(|name| text_cells(name)).max().unwrap_or(0);
    let texts = detail_text::paragraph(model, &names.join(", "), width, usize::MAX);
    if texts.len() <= room && longest_name < width && unnamed(names.len()) == 0 {
        return Some(texts.into_iter().map(|text| Line::from(Span::styled(text, style))).collect());
    }
    let mut rows = Vec::new();
    let mut shown = 0;
    for name in each {
        if rows.len() + name.len() >= room {
            break;
        }
        rows.extend(name);
        shown += 1;
    }
    rows.extend(more(shown));
    (shown > 0).then_some(rows)
}
