//! The Board: what happens now, what it says, and what serves.

mod first_steps;
mod release;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::pipeline::{Run, explain};
use crate::tui::app::{Model, Pane};
use crate::tui::commands::{Action, key_of};
use crate::tui::widgets::text::{paragraph, put, sanitize};
use crate::tui::widgets::{facts, log_lines, pane, stage_strip};
use crate::tui::{layout, quantity};

/// Draws the Board.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let panes = layout::board(model, body);
    if let Some(area) = panes.pipeline {
        pipeline(model, frame, area);
    }
    if let Some(area) = panes.log {
        log(model, frame, area);
    }
    if let Some(area) = panes.release {
        release::draw(model, frame, area);
    }
    if !model.is_zoomed {
        // Where there is room for one of the two, it says in a line what the other would.
        match (panes.log, panes.release) {
            (Some(area), None) => pane::foot(model, frame.buffer_mut(), area, &release::in_short(model)),
            (None, Some(area)) => {
                let key = key_of(model, Action::Cycle { backward: false });
                pane::foot(model, frame.buffer_mut(), area, &format!("{key} shows the log again"));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

fn pipeline(model: &Model, frame: &mut Frame, area: Rect) {
    let run = model.board_run().filter(|_| !first_steps::are_open(model));
    let (heading, right) = run.map_or_else(|| ("Pipeline".to_owned(), String::new()), |run| headings(model, run));
    let inner = pane::draw(model, frame.buffer_mut(), area, model.focus == Pane::Pipeline, &heading, &right);
    match run {
        Some(run) => stage_strip::draw(model, frame.buffer_mut(), inner, run, area.width),
        None => first_steps::draw(model, frame.buffer_mut(), inner),
    }
}

fn headings(model: &Model, run: &Run) -> (String, String) {
    let dot = model.glyphs.dot;
    let trigger = sanitize(&explain::cause(&model.state, run));
    let took = match (run.started, run.ended) {
        (Some(started), Some(ended)) => quantity::duration(ended.since(started)),
        (Some(started), None) => quantity::whole_duration(model.now.since(started)),
        (None, _) => String::new(),
    };
    let glyph = model.glyphs.run(run.result, run.started.is_some());
    let word = match (run.result, &run.stopping) {
        (Some(result), _) => explain::result(result).to_owned(),
        (None, Some(reason)) => format!("stopping, {}", sanitize(&explain::stop(reason))),
        (None, None) if run.started.is_some() => "running".to_owned(),
        (None, None) => "waiting".to_owned(),
    };
    let left = facts::run_estimate(model, run).map(|text| format!(" {dot} {text}")).unwrap_or_default();
    (format!("Pipeline {dot} run {} {dot} {trigger}", run.id), format!("{glyph} {word} {took}{left}"))
}

fn log(model: &Model, frame: &mut Frame, area: Rect) {
    let view = &model.log;
    let stage = view.address.as_ref().map(|address| &address.stage).or_else(|| model.subject_stage());
    let dot = model.glyphs.dot;
    let mut heading = stage.map_or_else(|| "Log".to_owned(), |stage| format!("Log {dot} {}", sanitize(stage.as_str())));
    // A stage that the run above skipped has the log of the run in which it worked.
    let other = view.address.as_ref().map(|address| address.run);
    if let Some(run) = other.filter(|run| model.board_run().is_none_or(|shown| shown.id != *run)) {
        heading.push_str(&format!(" {dot} of run {run}"));
    }
    let right = if view.address.is_none() {
        String::new()
    } else if view.follow {
        "following".to_owned()
    } else {
        let row = view.counted_row(layout::log_rows(model)) + 1;
        format!("line {} of {}", quantity::count(row), quantity::count(view.total))
    };
    let inner = pane::draw(model, frame.buffer_mut(), area, model.focus == Pane::Log, &heading, &right);
    let inner = pane::indented(inner);
    if view.address.is_some() && view.error.is_none() && view.total > 0 {
        log_lines::draw(model, frame.buffer_mut(), inner, log_lines::Margin::Time);
        return;
    }
    let (text, style) = match (&view.error, &view.address) {
        (Some(error), _) => (sanitize(error), model.theme.warn),
        (None, Some(_)) => ("nothing was written yet".to_owned(), model.theme.dim),
        (None, None) => (log_lines::no_log(model), model.theme.dim),
    };
    for (row, text) in paragraph(&text, usize::from(inner.width), 3, model.glyphs.cut).into_iter().enumerate() {
        put(frame.buffer_mut(), inner, row, &Line::from(Span::styled(text, style)));
    }
}
