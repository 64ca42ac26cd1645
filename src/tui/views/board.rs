//! The Board: what happens now, what it says, and what serves.

mod first_steps;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::api::types::{Curve, PanelData, PanelKind};
use crate::pipeline::{Release, Run, StageKind, explain};
use crate::tui::app::{Model, Pane};
use crate::tui::commands::{Action, key_of};
use crate::tui::release_facts::ready;
use crate::tui::widgets::text::{cut, padded, paragraph, put, put_at, put_fitted, put_right, sanitize};
use crate::tui::widgets::{chart, facts, log_lines, pane, sparkline, stage_strip};
use crate::tui::{layout, quantity};

/// From this width of the screen on, the curves have their scale below them, where there is a row for it.
const SCALES: usize = 100;

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
        release(model, frame, area);
    }
    if !model.is_zoomed {
        // Where there is room for one of the two, it says in a line what the other would.
        match (panes.log, panes.release) {
            (Some(area), None) => pane::foot(model, frame.buffer_mut(), area, &release_in_short(model)),
            (None, Some(area)) => {
                let key = key_of(model, Action::Cycle { backward: false });
                pane::foot(model, frame.buffer_mut(), area, &format!("{key} shows the log again"));
            }
            (Some(_), Some(_)) | (None, None) => {}
        }
    }
}

/// Which release is live, and whether it answers.
fn release_in_short(model: &Model) -> String {
    let dot = model.glyphs.dot;
    match model.state.live_release() {
        Some(release) => format!("{} {dot} live {dot} {}", release_heading(model, release), health(model)),
        None => "no release is live".to_owned(),
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

fn release(model: &Model, frame: &mut Frame, area: Rect) {
    let live = model.state.live_release();
    let heading = live.map_or_else(|| "Release".to_owned(), |release| release_heading(model, release));
    let age = live.and_then(|release| release.live_since).map(|since| quantity::age(model.now.since(since)));
    let word = health(model);
    let right = match (live, age) {
        (Some(_), Some(age)) => format!("{word} {} {age}", model.glyphs.dot),
        _ => String::new(),
    };
    let is_focused = model.focus == Pane::Release;
    let inner = pane::indented(pane::draw(model, frame.buffer_mut(), area, is_focused, &heading, &right));
    let mut row = 0;
    if let Some(release) = live {
        put_fitted(frame.buffer_mut(), inner, (0, row), &release_line(model, release), model.glyphs.cut);
        row += 1;
    }
    let charts = &model.metrics.charts;
    if charts.panels.is_empty() {
        let text = match (&model.metrics.error, live) {
            (Some(error), _) => sanitize(error),
            (None, None) => nothing_deployed(model),
            (None, Some(_)) => "waiting for the first scrape of the app".to_owned(),
        };
        for text in paragraph(&text, usize::from(inner.width), 3, model.glyphs.cut) {
            put(frame.buffer_mut(), inner, row, &Line::from(Span::styled(text, model.theme.dim)));
            row += 1;
        }
        return;
    }
    panels(model, frame, inner, area.width, row);
}

fn nothing_deployed(model: &Model) -> String {
    let stages = model.state.graph.stages();
    if !stages.is_empty() && stages.iter().all(|spec| spec.kind != StageKind::Deploy) {
        return "nothing is deployed, for no stage deploys: add one with `uses = \"deploy\"` to trainyard.toml"
            .to_owned();
    }
    let key = key_of(model, Action::RunAll);
    format!("nothing is deployed yet; the first run that passes deploys, and {key} starts one")
}

fn panels(model: &Model, frame: &mut Frame, inner: Rect, pane_width: u16, mut row: usize) {
    let columns = layout::spark_columns(model, pane_width);
    let charts = &model.metrics.charts;
    let points =
        charts.panels.iter().flat_map(|panel| &panel.curves).map(|curve| curve.points.len()).max().unwrap_or(0);
    let marks = sparkline::mark_row(model, &charts.marks, points, columns.curve);
    // In the past the first line says when that ended.
    let range = if model.past.is_some() { model.metrics.range_name().to_owned() } else { model.metrics.range_text() };
    put(frame.buffer_mut(), inner, row, &Line::from(Span::styled(range, model.theme.dim)));
    put_at(frame.buffer_mut(), inner, columns.label + 1, row, &marks);
    row += 1;
    // On a tall screen the curves get air between them.
    let rows_left = usize::from(inner.height).saturating_sub(row);
    let step = if rows_left >= charts.panels.len() * 2 { 2 } else { 1 };
    // A heat map has no single curve.
    for (index, panel) in charts.panels.iter().filter(|panel| panel.kind != PanelKind::Heatmap).enumerate() {
        let label = padded(&sanitize(&panel.title), columns.label, model.glyphs.cut);
        put(frame.buffer_mut(), inner, row, &Line::from(Span::styled(label, model.theme.text)));
        let place = columns.label + 1;
        if let Some(error) = &panel.error {
            let error = cut(&sanitize(error), columns.curve + columns.value + 1, model.glyphs.cut);
            put_at(frame.buffer_mut(), inner, place, row, &Line::from(Span::styled(error, model.theme.warn)));
        } else if let Some(note) = &panel.note {
            let note = cut(&sanitize(note), columns.curve + columns.value + 1, model.glyphs.cut);
            put_at(frame.buffer_mut(), inner, place, row, &Line::from(Span::styled(note, model.theme.dim)));
        } else if let Some(curve) = chart::telling_curve(panel) {
            let line = sparkline::sparkline(model, &curve.points, columns.curve, index);
            put_at(frame.buffer_mut(), inner, place, row, &line);
            let text = chart::newest_text(panel, columns.value, model.glyphs.cut);
            let value = cut(&text, columns.value, model.glyphs.cut);
            put_right(frame.buffer_mut(), inner, row, &Line::from(Span::styled(value, model.theme.title)));
            let scale = scale(model, panel, curve).filter(|text| {
                step > 1 && usize::from(model.size.0) >= SCALES && place + text.width() <= usize::from(inner.width)
            });
            if let Some(text) = scale {
                let line = Line::from(Span::styled(text, model.theme.dim));
                put_at(frame.buffer_mut(), inner, place, row + 1, &line);
            }
        } else {
            put_at(frame.buffer_mut(), inner, place, row, &Line::from(Span::styled("no data yet", model.theme.dim)));
        }
        row += step;
    }
}

/// Between which values a curve lies, without which its height says nothing; `None` of one that has no value.
fn scale(model: &Model, panel: &PanelData, curve: &Curve) -> Option<String> {
    let (lowest, highest) = sparkline::extremes(&curve.points)?;
    let text = |value| chart::with_unit(value, panel.unit.as_deref());
    Some(format!("low {} {} high {}", text(lowest), model.glyphs.dot, text(highest)))
}

fn release_heading(model: &Model, release: &Release) -> String {
    let dot = model.glyphs.dot;
    match release.model {
        Some(version) => format!("Release {} {dot} model {version}", release.id),
        None => format!("Release {}", release.id),
    }
}

fn release_line(model: &Model, release: &Release) -> Line<'static> {
    let theme = &model.theme;
    let mut parts = target_facts(model);
    parts.push((sanitize(&release.commit), theme.text));
    if let Some(address) = &release.address {
        parts.push((sanitize(address), theme.accent));
    }
    if let Some(target) = model.state.rollback_target() {
        parts.push((format!("rollback to {} is possible", target.id), theme.dim));
    }
    facts::joined(model, parts)
}

/// What the target says, what is wrong first: it does not answer, instances are not ready, objects were changed by others.
fn target_facts(model: &Model) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let Some(report) = model.target() else { return Vec::new() };
    let mut facts = Vec::new();
    if let Some((since, _)) = &report.unreachable {
        let kind = report.place.as_ref().map_or_else(|| "the target".to_owned(), |place| sanitize(&place.kind));
        let age = quantity::age(model.now.since(*since));
        facts.push((format!("{kind} not reachable for {age}"), theme.bad));
    }
    if !report.drift.is_empty() {
        facts.push((format!("{} changed by others", report.drift.len()), theme.warn));
    }
    let (ready, all) = ready(report);
    // That the only one is ready is told by its health.
    if all > 1 || ready < all {
        let style = if ready == all { theme.good } else { theme.warn };
        facts.push((format!("{ready} of {all} ready"), style));
    }
    facts
}

/// Whether the app answers, by the last scrape, and if it does, whether one of its panels is beyond what is bad.
fn health(model: &Model) -> String {
    if model.target().is_some_and(|report| report.unreachable.is_some()) {
        return "not reachable".to_owned();
    }
    match &model.live.scraped {
        Some(Ok(_)) => chart::bad_panel(model).unwrap_or_else(|| "healthy".to_owned()),
        Some(Err(_)) => "does not answer".to_owned(),
        // What the scrapes said then is not kept, but the journal tells what was live.
        None if model.past.is_some() => "live".to_owned(),
        None => "not scraped yet".to_owned(),
    }
}
