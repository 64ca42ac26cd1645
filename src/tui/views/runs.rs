//! Runs: the history, and beside it what each stage of the selected run did and why.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::pipeline::{Run, StageKind, explain};
use crate::tui::app::Model;
use crate::tui::holds::approval_text;
use crate::tui::mouse::Target;
use crate::tui::quantity::{self, small};
use crate::tui::widgets::text::{cut, padded, paragraph, put, put_at, sanitize};
use crate::tui::widgets::{facts, pane};

/// From this width on, the list and the detail stand side by side.
const SIDE_BY_SIDE: u16 = 130;

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    if body.width >= SIDE_BY_SIDE {
        let width = body.width / 2;
        list(model, frame, Rect { width, ..body });
        detail(model, frame, Rect { x: body.x + width, width: body.width - width, ..body });
    } else {
        let height = (body.height / 2).max(5);
        list(model, frame, Rect { height, ..body });
        detail(model, frame, Rect { y: body.y + height, height: body.height - height, ..body });
    }
}

fn list(model: &Model, frame: &mut Frame, area: Rect) {
    let count = model.state.runs.len();
    let right = quantity::counted(u64::try_from(count).unwrap_or(0), "run");
    let inner = pane::draw(model, frame.buffer_mut(), area, !model.is_in_detail, "Runs", &right);
    let chosen = model.chosen_run().map(|run| run.id);
    if count == 0 {
        let text = "no run yet: put a CSV file into the data folder, or press r on the Board";
        put_at(frame.buffer_mut(), inner, 1, 0, &Line::from(Span::styled(text, model.theme.dim)));
        return;
    }
    let width = usize::from(inner.width);
    let head = row_text(model, width, ["run", "state", "when", "took", "gave", "why it started"]);
    put(frame.buffer_mut(), inner, 0, &Line::from(Span::styled(head, model.theme.dim)));
    let rows = usize::from(inner.height).saturating_sub(1);
    let position = model.state.runs.values().rev().position(|run| Some(run.id) == chosen).unwrap_or(0);
    let first = (position + 1).saturating_sub(rows);
    for (row, run) in model.state.runs.values().rev().skip(first).take(rows).enumerate() {
        let row_area = Rect { y: inner.y + small(row + 1), height: 1, ..inner };
        let is_chosen = Some(run.id) == chosen;
        put(frame.buffer_mut(), row_area, 0, &run_line(model, run, width));
        model.hits.add(row_area, Target::Run(run.id));
        if is_chosen {
            frame.buffer_mut().set_style(row_area, model.theme.selection);
            put(frame.buffer_mut(), row_area, 0, &Line::from(Span::styled(model.glyphs.pointer, model.theme.accent)));
        }
    }
}

fn run_line(model: &Model, run: &Run, width: usize) -> Line<'static> {
    let glyph = model.glyphs.run(run.result, run.started.is_some());
    let word = match run.result {
        Some(result) => explain::result(result),
        None if run.started.is_some() => "running",
        None => "waiting",
    };
    let took = match (run.started, run.ended) {
        (Some(started), Some(ended)) => quantity::duration(ended.since(started)),
        (Some(started), None) => quantity::whole_duration(model.now.since(started)),
        (None, _) => String::new(),
    };
    let id = run.id.to_string();
    let state = format!("{glyph} {word}");
    let when = model.clock.when(run.created, model.now);
    let gave = gave(model, run);
    let trigger = sanitize(&explain::trigger(&run.trigger));
    let text = row_text(model, width, [&id, &state, &when, &took, &gave, &trigger]);
    // The state's own colour, the rest plain: its columns are known.
    let begin: String = text.chars().take(STATE_BEGIN).collect();
    let middle: String = text.chars().skip(STATE_BEGIN).take(STATE_WIDTH).collect();
    let end: String = text.chars().skip(STATE_BEGIN + STATE_WIDTH).collect();
    Line::from(vec![
        Span::styled(begin, model.theme.text),
        Span::styled(middle, model.theme.run(run.result, run.started.is_some())),
        Span::styled(end, model.theme.text),
    ])
}

const STATE_BEGIN: usize = 8;
const STATE_WIDTH: usize = 13;

/// Number, state, when, duration, model and release, trigger.
fn row_text(model: &Model, width: usize, [id, state, when, took, gave, trigger]: [&str; 6]) -> String {
    let cut_sign = model.glyphs.cut;
    let fixed = format!(
        "  {:>5} {} {} {:>8}  {} ",
        id,
        padded(state, STATE_WIDTH, cut_sign),
        padded(when, 10, cut_sign),
        took,
        padded(gave, 12, cut_sign),
    );
    let room = width.saturating_sub(fixed.chars().count() + 1);
    format!("{fixed}{}", cut(trigger, room, cut_sign))
}

/// The model and the release that a run made.
fn gave(model: &Model, run: &Run) -> String {
    let stages = || model.state.graph.stages().iter().filter_map(|spec| Some((spec, run.stages.get(&spec.name)?)));
    let version =
        stages().filter(|(_, entry)| entry.started.is_some()).find_map(|(_, entry)| entry.outputs.as_ref()?.model);
    let release = stages().filter(|(spec, _)| spec.kind == StageKind::Deploy).find_map(|(_, entry)| entry.release);
    match (version, release) {
        (Some(version), Some(release)) => format!("m{version} r{release}"),
        (Some(version), None) => format!("m{version}"),
        (None, Some(release)) => format!("r{release}"),
        (None, None) => String::new(),
    }
}

fn detail(model: &Model, frame: &mut Frame, area: Rect) {
    let Some(run) = model.chosen_run() else {
        pane::draw(model, frame.buffer_mut(), area, model.is_in_detail, "", "");
        return;
    };
    let heading = format!("Run {} {} {}", run.id, model.glyphs.dot, sanitize(&explain::trigger(&run.trigger)));
    let right = if model.is_in_detail { "Enter shows the log" } else { "" };
    let inner = pane::draw(model, frame.buffer_mut(), area, model.is_in_detail, &heading, right);
    let inputs = &run.inputs;
    let source = format!("source {}", sanitize(&inputs.source.label()));
    let data =
        format!("data {} {}", quantity::counted(inputs.data.count, "file"), quantity::counted(inputs.data.rows, "row"));
    let facts_line = facts::joined(model, vec![(source, model.theme.dim), (data, model.theme.dim)]);
    put_at(frame.buffer_mut(), inner, 2, 0, &facts_line);
    let mut row = 1;
    for spec in model.state.graph.stages() {
        let Some(entry) = run.stages.get(&spec.name) else { continue };
        let is_chosen = model.is_in_detail && model.subject_stage() == Some(&spec.name);
        let style = model.theme.stage(&entry.state);
        let mut line = Line::from(vec![
            Span::styled(if is_chosen { model.glyphs.pointer } else { " " }, model.theme.accent),
            Span::styled(format!("{} ", model.glyphs.stage(&entry.state)), style),
            Span::styled(padded(&sanitize(spec.name.as_str()), 14, model.glyphs.cut), model.theme.title),
            Span::styled(format!(" {}", padded(entry.state.word(), facts::word_width(run), model.glyphs.cut)), style),
            Span::styled(format!("{:>7}  ", facts::duration(model, entry)), model.theme.dim),
        ]);
        line.spans.extend(facts::joined(model, facts::results(model, run, &spec.name, entry)).spans);
        put_at(frame.buffer_mut(), inner, 0, row, &line);
        let place = Rect { y: inner.y.saturating_add(small(row)), height: 1, ..inner };
        model.hits.add(place.intersection(inner), Target::Stage(spec.name.clone()));
        if is_chosen {
            let row_area = Rect { y: inner.y.saturating_add(small(row)), height: 1, ..inner };
            frame.buffer_mut().set_style(row_area.intersection(inner), model.theme.selection);
        }
        row += 1;
        row = notes(model, frame, inner, row, run, spec);
    }
}

/// Below a stage: why, and what it measured, where there is room for it.
fn notes(
    model: &Model,
    frame: &mut Frame,
    inner: Rect,
    mut row: usize,
    run: &Run,
    spec: &crate::pipeline::StageSpec,
) -> usize {
    let stages = model.state.graph.stages().len();
    if usize::from(inner.height) < stages * 2 + 1 {
        return row;
    }
    let mut texts = Vec::new();
    let reason = facts::reason(model, run, &spec.name);
    if !reason.is_empty() {
        texts.push(reason);
    }
    let approval = run.stages.get(&spec.name).and_then(|entry| entry.approved.as_ref());
    texts.extend(approval.map(|approval| sanitize(&approval_text(approval))));
    let is_spacious = usize::from(inner.height) > stages * 4;
    let outputs = run.stages.get(&spec.name).and_then(|entry| entry.outputs.as_ref());
    if let Some(outputs) = outputs.filter(|outputs| is_spacious && outputs.metrics.len() > 1) {
        texts.push(facts::all_metrics(outputs).join(&format!(" {} ", model.glyphs.dot)));
    }
    let limit = if is_spacious { 2 } else { 1 };
    for text in texts {
        for text in paragraph(&text, usize::from(inner.width).saturating_sub(5), limit, model.glyphs.cut) {
            put_at(frame.buffer_mut(), inner, 4, row, &Line::from(Span::styled(text, model.theme.dim)));
            row += 1;
        }
    }
    row
}
