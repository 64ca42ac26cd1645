//! The stages of a run: side by side with arrows where there is room, else one below the other.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::facts;
use super::hints::answers_text;
use super::text::{cells, cut, padded, paragraph, put_at, put_fitted, sanitize};
use crate::pipeline::{Run, StageRun, StageSpec, StageState};
use crate::tui::app::Model;
use crate::tui::layout::{LOWEST_SIDE_BY_SIDE, stages_stand_side_by_side};
use crate::tui::mouse::Target;
use crate::tui::{holds, quantity};

/// The arrow between two stages and the blanks around it.
const ARROW: usize = 6;

/// Rows of a stage beside others from which on there is room for more than the beginning of its reason.
const ROOMY: usize = 6;
/// Rows that a stage has at most where they stand one below the other.
const MOST_ROWS: usize = 4;
/// The column in which more of it is said.
const NOTE: usize = 4;

/// Draws the stages of `run` into `area`; `width` is that of the pane, by which the layout decided.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect, run: &Run, pane_width: u16) {
    let stages = model.state.graph.stages();
    if stages_stand_side_by_side(pane_width, stages.len()) && area.height + 2 >= LOWEST_SIDE_BY_SIDE {
        side_by_side(model, buffer, area, run, stages);
    } else {
        draw_list(model, buffer, area, run, stages);
    }
}

fn side_by_side(model: &Model, buffer: &mut Buffer, area: Rect, run: &Run, stages: &[StageSpec]) {
    let share = usize::from(area.width).saturating_sub(1) / stages.len().max(1);
    let width = share.saturating_sub(ARROW).min(44);
    for (index, spec) in stages.iter().enumerate() {
        let Some(entry) = run.stages.get(&spec.name) else { continue };
        let column = 1 + index * (width + ARROW);
        draw_cell(model, buffer, area, column, width, run, spec, entry);
        let cell = Rect { x: area.x + quantity::small(column), width: quantity::small(width), ..area };
        model.hits.add(cell.intersection(area), Target::Stage(spec.name.clone()));
        if let Some(next) = stages.get(index + 1) {
            let is_needed = next.needs.contains(&spec.name);
            let head = if is_needed { model.glyphs.arrow_head } else { model.glyphs.shaft };
            let style = if entry.state.is_satisfied() { model.theme.good } else { model.theme.border };
            let arrow = format!("{}{}{head}", model.glyphs.shaft, model.glyphs.shaft);
            put_at(buffer, area, column + width + 1, 0, &Line::from(Span::styled(arrow, style)));
        }
    }
}

#[expect(clippy::too_many_arguments, reason = "the place of one cell and what stands in it")]
fn draw_cell(
    model: &Model,
    buffer: &mut Buffer,
    area: Rect,
    column: usize,
    width: usize,
    run: &Run,
    spec: &StageSpec,
    entry: &StageRun,
) {
    let theme = &model.theme;
    let style = theme.stage(&entry.state);
    let duration = facts::duration(model, entry);
    let name = format!("{} {}", model.glyphs.stage(&entry.state), sanitize(spec.name.as_str()));
    let name = padded(&name, width.saturating_sub(cells(&duration) + 1), model.glyphs.cut);
    let mut head = Line::from(Span::styled(name, style));
    head.push_span(Span::styled(format!(" {duration}"), theme.dim));
    put_at(buffer, area, column, 0, &head);
    if model.subject_stage() == Some(&spec.name) {
        put_at(buffer, area, column - 1, 0, &Line::from(Span::styled(model.glyphs.pointer, theme.accent)));
    }
    put_at(buffer, area, column + 2, 1, &state_line(model, run, spec, entry, width.saturating_sub(2)));
    let mut row = 2;
    let room = usize::from(area.height);
    let results = facts::results(model, run, &spec.name, entry);
    let reason = facts::further_reason(model, run, &spec.name);
    let answers = answers(model, entry);
    let text_width = width.saturating_sub(2);
    // What has no room at the end is kept free before results take it.
    let most_of_reason = if room >= ROOMY { 2 } else { 1 };
    let reason_rows = paragraph(&reason, text_width, most_of_reason, model.glyphs.cut).len();
    let reason_rows = reason_rows + usize::from(answers.is_some());
    // What failed is worth more than one row.
    let most_rows = if matches!(entry.state, StageState::Failed { .. }) { 3 } else { 1 };
    let mut behind = results.len();
    for (text, style) in results {
        if row + reason_rows >= room {
            break;
        }
        behind -= 1;
        let limit = room.saturating_sub(row + reason_rows + behind).clamp(1, most_rows);
        let rows = if limit == 1 {
            vec![cut(&text, text_width, model.glyphs.cut)]
        } else {
            paragraph(&text, text_width, limit, model.glyphs.cut)
        };
        for text in rows {
            put_at(buffer, area, column + 2, row, &Line::from(Span::styled(text, style)));
            row += 1;
        }
    }
    let reason_room = room.saturating_sub(row + usize::from(answers.is_some())).min(3);
    let rows = paragraph(&reason, text_width, reason_room, model.glyphs.cut);
    for text in rows {
        put_at(buffer, area, column + 2, row, &Line::from(Span::styled(text, reason_style(model, run, spec))));
        row += 1;
    }
    if let Some(text) = answers {
        let text = cut(&text, width.saturating_sub(1), model.glyphs.cut);
        put_at(buffer, area, column + 1, row, &Line::from(Span::styled(text, theme.accent)));
    }
}

/// Which keys answer a stage that waits for a person; nothing for whoever only watches.
fn answers(model: &Model, entry: &StageRun) -> Option<String> {
    let waits = matches!(entry.state, StageState::AwaitingApproval { .. });
    (waits && !model.is_observer).then(|| answers_text(model))
}

/// A reason may be overlooked, unless people hold the stage back.
fn reason_style(model: &Model, run: &Run, spec: &StageSpec) -> Style {
    if holds::held(model, run, &spec.name).is_some() { model.theme.warn } else { model.theme.dim }
}

/// The word of the state, and while it runs how far it is.
fn state_line(model: &Model, run: &Run, spec: &StageSpec, entry: &StageRun, width: usize) -> Line<'static> {
    let theme = &model.theme;
    let word = entry.state.word();
    let attempt = if entry.attempt.0 > 1 { format!(" (attempt {})", entry.attempt) } else { String::new() };
    let mut line = Line::from(Span::styled(format!("{word}{attempt}"), theme.stage(&entry.state)));
    let share = model.progress(run.id, &spec.name).and_then(|progress| progress.share);
    if entry.state.is_running()
        && let Some(share) = share.filter(|share| share.is_finite())
    {
        let percent = quantity::percent(share);
        let room = width.saturating_sub(line.width() + percent.len() + 2).min(12);
        if room >= 3 {
            line.push_span(Span::raw(" "));
            for span in bar(model, share, room) {
                line.push_span(span);
            }
        }
        line.push_span(Span::styled(format!(" {percent}"), theme.text));
    }
    line
}

/// A progress bar of `width` cells.
pub(in crate::tui) fn bar(model: &Model, share: f64, width: usize) -> [Span<'static>; 2] {
    let full = quantity::cell(share * quantity::real(width), width);
    [
        Span::styled(model.glyphs.bar_full.repeat(full), model.theme.running),
        Span::styled(model.glyphs.bar_empty.repeat(width - full), model.theme.border),
    ]
}

/// A row a stage, and more where there is room; as many stages as fit, the subject among them.
fn draw_list(model: &Model, buffer: &mut Buffer, area: Rect, run: &Run, stages: &[StageSpec]) {
    let rows = usize::from(area.height);
    let subject = model.subject_stage();
    let position = stages.iter().position(|spec| Some(&spec.name) == subject).unwrap_or(0);
    let first = (position + 1).saturating_sub(rows).min(stages.len().saturating_sub(rows));
    let name_width = stages.iter().map(|spec| cells(spec.name.as_str())).max().unwrap_or(4).clamp(4, 18);
    // On a tall screen, and on one of its own, there is room to say more of each.
    let each = (rows / stages.len().max(1)).clamp(1, MOST_ROWS);
    for (index, spec) in stages.iter().skip(first).take(rows).enumerate() {
        let Some(entry) = run.stages.get(&spec.name) else { continue };
        let is_subject = Some(&spec.name) == subject;
        let notes = notes(model, run, spec, entry, (usize::from(area.width).saturating_sub(NOTE), each - 1));
        let mut line = list_line(model, run, spec, entry, name_width, is_subject);
        // What stands below it is not said twice.
        let mut rest = facts::results(model, run, &spec.name, entry);
        rest.extend(further_reason(model, run, spec).filter(|_| each == 1));
        rest.extend(answers(model, entry).map(|text| (text, model.theme.accent)));
        line.spans.extend(facts::joined(model, rest).spans);
        let row = index * each;
        put_fitted(buffer, area, (0, row), &line, model.glyphs.cut);
        let place = Rect { y: area.y + quantity::small(row), height: quantity::small(each), ..area };
        model.hits.add(place.intersection(area), Target::Stage(spec.name.clone()));
        for (below, (text, style)) in notes.into_iter().enumerate() {
            let text = Line::from(Span::styled(text, style));
            put_fitted(buffer, area, (NOTE, row + 1 + below), &text, model.glyphs.cut);
        }
    }
}

/// Why a stage is in its state, where its results do not say it.
fn further_reason(model: &Model, run: &Run, spec: &StageSpec) -> Option<(String, Style)> {
    let reason = facts::further_reason(model, run, &spec.name);
    (!reason.is_empty()).then(|| (reason, reason_style(model, run, spec)))
}

/// What else there is to say of a stage, in at most so many rows: its reason whole, and before it, where there is room for
/// both, all that it measured.
fn notes(
    model: &Model,
    run: &Run,
    spec: &StageSpec,
    entry: &StageRun,
    (width, most): (usize, usize),
) -> Vec<(String, Style)> {
    let broken = |text: &str, style: Style, limit: usize| -> Vec<(String, Style)> {
        let rows = if limit == 0 { Vec::new() } else { paragraph(text, width, limit, model.glyphs.cut) };
        rows.into_iter().map(|row| (row, style)).collect()
    };
    let reason = further_reason(model, run, spec).map(|(text, style)| broken(&text, style, most)).unwrap_or_default();
    let measured = entry.outputs.as_ref().filter(|outputs| outputs.metrics.len() > 1).map(facts::all_metrics);
    let measured = measured.map(|metrics| metrics.join(&format!(" {} ", model.glyphs.dot))).unwrap_or_default();
    let mut rows = broken(&measured, model.theme.dim, most.saturating_sub(reason.len()));
    rows.extend(reason);
    rows
}

/// The sign of a stage, its name, its state, how long it took, and while it runs how far it is.
fn list_line(
    model: &Model,
    run: &Run,
    spec: &StageSpec,
    entry: &StageRun,
    name_width: usize,
    is_subject: bool,
) -> Line<'static> {
    let theme = &model.theme;
    let style = theme.stage(&entry.state);
    let pointer = if is_subject { model.glyphs.pointer } else { " " };
    let cut_sign = model.glyphs.cut;
    let name = padded(&sanitize(spec.name.as_str()), name_width, cut_sign);
    let name_style: Style = if is_subject { theme.title } else { theme.text };
    let mut line = Line::from(vec![
        Span::styled(pointer, theme.accent),
        Span::styled(format!("{} ", model.glyphs.stage(&entry.state)), style),
        Span::styled(format!("{name} "), name_style),
        Span::styled(padded(entry.state.word(), facts::word_width(run), cut_sign), style),
        Span::styled(format!("{:>7}  ", facts::duration(model, entry)), theme.dim),
    ]);
    let share = model.progress(run.id, &spec.name).and_then(|progress| progress.share);
    if entry.state.is_running()
        && let Some(share) = share.filter(|share| share.is_finite())
    {
        for span in bar(model, share, 9) {
            line.push_span(span);
        }
        line.push_span(Span::styled(format!(" {}  ", quantity::percent(share)), theme.text));
    }
    line
}
