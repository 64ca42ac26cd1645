//! Logs: one log on the whole screen, or those of all stages of a run.

pub(super) mod marks;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use crate::api::types::LogAddress;
use crate::tui::app::Model;
use crate::tui::commands::{Action, key_of};
use crate::tui::log_view::hits::HitTable;
use crate::tui::log_view::search::Search;
use crate::tui::widgets::text::{paragraph, put_at, sanitize};
use crate::tui::widgets::{log_lines, pane};
use crate::tui::{layout, quantity};

/// Draws the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect) {
    let log = &model.log;
    let Some(address) = &log.address else {
        let (heading, text) = without_log(model);
        let inner = pane::draw(model, frame.buffer_mut(), body, true, &heading, "");
        say(model, frame, inner, &text);
        return;
    };
    let inner = pane::draw(model, frame.buffer_mut(), body, true, &heading(model, address), &place(model));
    if let Some(error) = &log.error {
        say(model, frame, inner, &sanitize(error));
    } else if log.rows() > 0 {
        log_lines::draw(model, frame.buffer_mut(), inner, log_lines::Margin::NumberAndTime);
    } else if log.filter.as_ref().is_some_and(|table| !table.is_whole()) {
        say(model, frame, inner, "nothing so far; the rest of the log is being looked at");
    } else if log.filter.is_some() {
        say(model, frame, inner, "no line passes; Esc shows all of them");
    } else {
        say(model, frame, inner, "nothing was written yet");
    }
}

/// What stands where there is no log: of which stage, and why.
fn without_log(model: &Model) -> (String, String) {
    if let Some((run, stage)) = model.subject_run().zip(model.subject_stage()) {
        let dot = model.glyphs.dot;
        let heading = format!("Log {dot} {} {dot} run {}", sanitize(stage.as_str()), run.id);
        return (heading, log_lines::no_log(model));
    }
    let key = key_of(model, Action::RunAll);
    let text = format!("no log yet: it begins with the first stage that runs; press {key} on the Board to start a run");
    ("Log".to_owned(), text)
}

fn heading(model: &Model, address: &LogAddress) -> String {
    let dot = model.glyphs.dot;
    if address.is_whole_run() {
        return format!("Log {dot} all stages {dot} run {}", address.run);
    }
    let stage = sanitize(address.stage.as_str());
    let heading = format!("Log {dot} {stage} {dot} run {}", address.run);
    if address.attempt.0 > 1 { format!("{heading} {dot} attempt {}", address.attempt) } else { heading }
}

/// Where in the log the window stands, and how it shows it. What is cut off first stands first.
fn place(model: &Model) -> String {
    let log = &model.log;
    let mut parts = Vec::new();
    if log.wrap {
        parts.push("wrapped".to_owned());
    }
    if log.left > 0 {
        parts.push(format!("from column {}", log.left + 1));
    }
    if let Some(table) = &log.filter {
        let filter = &table.filter;
        parts.extend(filter.pattern.as_ref().map(|pattern| format!("&{}", sanitize(pattern))));
        parts.extend(filter.level.map(|level| format!("{} and worse", level.word())));
        if filter.context > 0 {
            parts.push(format!("with {} around", filter.context));
        }
    }
    if let Some(search) = &log.search {
        parts.push(searched(search));
    }
    let percent = log.search.as_ref().and_then(|search| search.percent(log.total));
    let percent = percent.or_else(|| log.filter.as_ref().and_then(HitTable::percent));
    if let Some(percent) = percent {
        parts.push(format!("searching {percent} %"));
    }
    let noun = if log.filter.is_some() { "row" } else { "line" };
    if log.follow {
        parts.push(format!("following {}", quantity::counted(log.rows(), noun)));
    } else {
        let shown = log.counted_row(layout::log_rows(model)) + 1;
        parts.push(format!("{noun} {} of {}", quantity::count(shown), quantity::count(log.rows())));
    }
    parts.join(&format!(" {} ", model.glyphs.dot))
}

/// The pattern, and which of how many was found.
fn searched(search: &Search) -> String {
    let what =
        if search.is_for_failure { "failed tests".to_owned() } else { format!("/{}", sanitize(&search.pattern)) };
    match search.place() {
        (Some(place), all) => format!("{what} {}/{}", quantity::count(place), quantity::count(all)),
        (None, 0) if !search.table.is_whole() => what,
        (None, all) => format!("{what} {}", quantity::count(all)),
    }
}

fn say(model: &Model, frame: &mut Frame, inner: Rect, text: &str) {
    let width = usize::from(inner.width).saturating_sub(2);
    for (row, text) in paragraph(text, width, 3, model.glyphs.cut).into_iter().enumerate() {
        put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(text, model.theme.dim)));
    }
}
