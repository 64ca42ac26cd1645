//! The first line: which project, which source, which data, and whether all this is watched and heard.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{put_at, put_right, sanitize};
use crate::api::types::{WatchHealth, WatchMode};
use crate::tui::app::{Connection, Model};
use crate::tui::commands::view_name;
use crate::tui::quantity;

/// A silent watcher is worth a word from this age on, in milliseconds; before, the age would only make the line restless.
const QUIET_WATCH: u64 = 90_000;

/// Draws the line.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect) {
    let mut left = Line::from(Span::styled(" trainyard ", model.theme.accent));
    if let Some(daemon) = &model.daemon {
        left.push_span(Span::styled(format!(" {}", sanitize(&daemon.project)), model.theme.title));
        let target = daemon.target.as_deref().map(sanitize);
        let place =
            target.map_or_else(|| sanitize(&daemon.host), |target| format!("{target}@{}", sanitize(&daemon.host)));
        left.push_span(Span::styled(format!(" {} {place}", model.glyphs.dot), model.theme.dim));
    }
    left.push_span(Span::styled(format!("  {}", view_name(model.view)), model.theme.dim));
    let width = usize::from(area.width);
    let mut facts = facts(model);
    // What matters least goes first when the line is full.
    while facts.len() > 1 && left.width() + 3 + joined(model, &facts).width() > width {
        facts.remove(0);
    }
    let right = joined(model, &facts);
    put_at(buffer, area, 0, 0, &left);
    let from = left.width().min(width);
    let room = Rect { x: area.x + quantity::small(from), width: area.width - quantity::small(from), ..area };
    put_right(buffer, room, 0, &right);
}

fn joined(model: &Model, facts: &[(String, Style)]) -> Line<'static> {
    let mut line = Line::default();
    for (index, (text, style)) in facts.iter().enumerate() {
        if index > 0 {
            line.push_span(Span::styled(format!(" {} ", model.glyphs.dot), model.theme.dim));
        }
        line.push_span(Span::styled(text.clone(), *style));
    }
    line.push_span(Span::raw(" "));
    line
}

/// The facts of the right side, the most important last.
fn facts(model: &Model) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let mut facts = Vec::new();
    if let Some(inputs) = &model.state.inputs {
        let data = &inputs.data;
        let text = format!("data {} {}", quantity::counted(data.count, "file"), quantity::counted(data.rows, "row"));
        facts.push((text, theme.text));
        let source = &inputs.source;
        let branch = source.branch.as_deref().map(|branch| format!("{} ", sanitize(branch))).unwrap_or_default();
        let commit = source.commit.as_deref().map(|commit| commit.get(..7).unwrap_or(commit));
        let (word, style) = if source.dirty { (" changed", theme.warn) } else { (" clean", theme.text) };
        match commit {
            Some(commit) => facts.push((format!("{branch}{}{word}", sanitize(commit)), style)),
            None => facts.push((format!("{branch}no commit"), theme.dim)),
        }
    }
    if let Some(watch) = &model.live.watch {
        facts.push(watch_fact(model, watch));
    }
    if let Some(Err(_)) = &model.live.scraped {
        facts.push(("app does not answer".to_owned(), theme.warn));
    }
    if model.is_frozen {
        facts.push((format!("{} frozen", model.glyphs.frozen), theme.mark));
    }
    match &model.connection {
        Connection::Connected => {}
        Connection::Connecting => facts.push(("connecting".to_owned(), theme.warn)),
        Connection::Lost { since, .. } => {
            facts.push((format!("reconnecting since {}", model.clock.time(*since)), theme.bad));
        }
    }
    facts
}

fn watch_fact(model: &Model, watch: &WatchHealth) -> (String, Style) {
    let theme = &model.theme;
    let pending = watch.pending.len();
    match &watch.mode {
        WatchMode::Blind { .. } => ("not watching".to_owned(), theme.bad),
        _ if pending > 0 => {
            (format!("{} arriving", quantity::counted(u64::try_from(pending).unwrap_or(0), "file")), theme.running)
        }
        mode => {
            let word = if matches!(mode, WatchMode::Polling { .. }) { "polling" } else { "watching" };
            let age = watch.last_seen.map(|seen| model.now.since(seen)).filter(|age| *age > QUIET_WATCH);
            match age {
                Some(age) => (format!("{word}, silent for {}", quantity::age(age)), theme.warn),
                None => (word.to_owned(), theme.good),
            }
        }
    }
}
