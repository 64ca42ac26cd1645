//! The line of time, over the lowest rows of the view: what happened when, and where one would look.

use std::collections::BTreeSet;

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::api::types::{AlertSeen, DeploySeen, PastPlace, RunSeen, TimeLineColumn};
use crate::pipeline::ReleaseStatus;
use crate::tui::app::Model;
use crate::tui::past::strip::Strip;
use crate::tui::quantity;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cells, cut, padded, paragraph, put_at, put_fitted, put_sign, sanitize};

/// Cells for the name of a row.
const LABEL: usize = 10;
/// The most rows of what is under the cursor, and of the keys.
const TOLD_ROWS: usize = 2;
const KEY_ROWS: usize = 3;
/// From this width on both ends of the line are told with their day.
const WIDE: u16 = 72;
/// The keys in few words, in the order in which they are missed least where it is narrow.
const KEYS: [&str; 8] = [
    "Enter looks, Esc leaves, ? tells more",
    "Left/Right event",
    "Home/End",
    "g time",
    "Shift-Left/Right deploy",
    "PgUp/PgDn run",
    "Up/Down alert",
    "+ - 0 zoom",
];
/// The same keys, each with what it does.
const KEY_LIST: [(&str, &str); 9] = [
    ("Enter", "shows everything as it was there"),
    ("Esc", "leaves the line of time"),
    ("Left/Right, h l", "to the event before, the next one"),
    ("Shift-Left/Right, D d", "to where a release went live"),
    ("PgUp/PgDn, R r", "to where a run began or ended"),
    ("Up/Down, A a", "to where an alert fired or ended"),
    ("Home/End", "to the first event, to now"),
    ("+ - 0", "a shorter time, a longer one, all"),
    ("g", "takes a time or a run"),
];
/// Cells for the keys in that list.
const KEY_CELLS: usize = 23;

/// The sign of something that is seen, its colour, and its meaning in a word.
type Meant = (&'static str, Style, &'static str);
/// The sign and colour of a column in a row, if there is something; the most events of all columns are known.
type Sign = fn(&Model, &TimeLineColumn, u64) -> Option<(&'static str, Style)>;

/// The rows, from top to bottom.
const ROWS: [(&str, Sign); 5] =
    [("events", events), ("runs", runs), ("deploys", deploys), ("alerts", alerts), ("commands", commands)];

/// Columns of the line on a screen of this width.
pub(in crate::tui) fn columns(width: u16) -> usize {
    usize::from(width).saturating_sub(LABEL + 4)
}

/// Draws it over the lower end of the view.
pub(super) fn draw(model: &Model, frame: &mut Frame, body: Rect, strip: &Strip) {
    let width = usize::from(body.width).saturating_sub(4);
    // Without the frame, the rows of signs and the foot of the cursor.
    let room = usize::from(body.height).saturating_sub(ROWS.len() + 3);
    let keys = key_rows(model, width, room.saturating_sub(1).clamp(1, KEY_ROWS));
    let told_rows = room.saturating_sub(keys.len()).clamp(1, TOLD_ROWS);
    let rows = if strip.lists_keys { KEY_LIST.len() } else { ROWS.len() + 1 + told_rows + keys.len() };
    let height = quantity::small(rows + 2).min(body.height);
    let area = Rect { y: body.y + body.height - height, height, ..body };
    let inner = pane::draw_over(model, frame.buffer_mut(), area, "Time line", &stretch(model, strip, body.width));
    if let Some(line) = &strip.line {
        legend(model, frame, area, &line.columns);
    }
    if strip.lists_keys {
        list_keys(model, frame, inner);
        return;
    }
    if let Some(error) = strip.error.as_ref().filter(|_| strip.line.is_none()) {
        for (row, text) in paragraph(&sanitize(error), width, 3, model.glyphs.cut).into_iter().enumerate() {
            put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(text, model.theme.warn)));
        }
        return;
    }
    signs(model, frame, inner, strip);
    let row = ROWS.len() + 1;
    for (index, line) in told(model, strip, width, told_rows).iter().enumerate() {
        put_fitted(frame.buffer_mut(), inner, (1, row + index), line, model.glyphs.cut);
    }
    for (index, text) in keys.into_iter().enumerate() {
        let line = Line::from(Span::styled(text, model.theme.dim));
        put_at(frame.buffer_mut(), inner, 1, row + told_rows + index, &line);
    }
}

/// From when to when.
fn stretch(model: &Model, strip: &Strip, width: u16) -> String {
    let Some(line) = &strip.line else { return String::new() };
    let clock = &model.clock;
    if width < WIDE {
        let now = model.present_now();
        return format!("{} to {}", clock.when(line.from, now), clock.when(line.to, now));
    }
    format!("{} to {}", clock.date_and_time(line.from), clock.when(line.to, line.from))
}

/// The keys in rows that break between them; of what has no room the last row says that it is missing.
fn key_rows(model: &Model, width: usize, limit: usize) -> Vec<String> {
    let mut rows: Vec<String> = Vec::new();
    for key in KEYS {
        let is_last = rows.len() >= limit;
        match rows.last_mut() {
            Some(row) if is_last || cells(row.as_str()) + 3 + cells(key) <= width => {
                row.push_str(&format!(" {} {key}", model.glyphs.dot));
            }
            _ => rows.push(key.to_owned()),
        }
    }
    rows.iter().map(|row| cut(row, width, model.glyphs.cut)).collect()
}

/// Each key with what it does.
fn list_keys(model: &Model, frame: &mut Frame, inner: Rect) {
    for (row, (keys, meaning)) in KEY_LIST.iter().enumerate() {
        let keys = Span::styled(padded(keys, KEY_CELLS, model.glyphs.cut), model.theme.accent);
        let line = Line::from(vec![keys, Span::styled(*meaning, model.theme.text)]);
        put_fitted(frame.buffer_mut(), inner, (1, row), &line, model.glyphs.cut);
    }
}

/// What the signs mean that are in sight, in the lower edge of the frame.
fn legend(model: &Model, frame: &mut Frame, area: Rect, columns: &[TimeLineColumn]) {
    let deploys: BTreeSet<_> = columns.iter().filter_map(|column| column.deploy).collect();
    let runs: BTreeSet<_> = columns.iter().filter_map(|column| column.run).collect();
    let alerts: BTreeSet<_> = columns.iter().filter_map(|column| column.alert).collect();
    let rows: [(&str, Vec<_>); 3] = [
        ("deploys", deploys.into_iter().rev().map(|seen| deploy(model, seen)).collect()),
        ("runs", runs.into_iter().map(|seen| run(model, seen)).collect()),
        ("alerts", alerts.into_iter().rev().map(|seen| alert(model, seen)).collect()),
    ];
    let mut line = Line::default();
    for (name, signs) in rows.into_iter().filter(|(_, signs)| !signs.is_empty()) {
        let dot = if line.spans.is_empty() { String::new() } else { format!("{} ", model.glyphs.dot) };
        line.push_span(Span::styled(format!(" {dot}{name}:"), model.theme.dim));
        for (sign, style, word) in signs {
            line.push_span(Span::styled(format!(" {sign}"), style));
            line.push_span(Span::styled(format!(" {word}"), model.theme.dim));
        }
    }
    if !line.spans.is_empty() {
        line.push_span(Span::raw(" "));
    }
    let edge = Rect { x: area.x + area.width.min(2), width: area.width.saturating_sub(4), ..area };
    let row = usize::from(area.height).saturating_sub(1);
    put_fitted(frame.buffer_mut(), edge, (0, row), &line, model.glyphs.cut);
}

/// What happened in each column, with the cursor through all rows and its foot below them.
fn signs(model: &Model, frame: &mut Frame, inner: Rect, strip: &Strip) {
    let theme = &model.theme;
    for (row, (name, _)) in ROWS.iter().enumerate() {
        put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(*name, theme.dim)));
    }
    let Some(line) = &strip.line else {
        put_at(frame.buffer_mut(), inner, LABEL, 0, &Line::from(Span::styled("asking the daemon", theme.dim)));
        return;
    };
    let most = line.columns.iter().map(|column| column.events).max().unwrap_or(0);
    let cursor = strip.cursor_column();
    for (index, column) in line.columns.iter().enumerate() {
        for (row, (_, sign)) in ROWS.iter().enumerate() {
            let (sign, style) = sign(model, column, most).unwrap_or((" ", theme.text));
            let style = if cursor == Some(index) { style.patch(theme.selection) } else { style };
            put_sign(frame.buffer_mut(), inner, LABEL + 1 + index, row, sign, style);
        }
    }
    if let Some(cursor) = cursor {
        put_sign(frame.buffer_mut(), inner, LABEL + 1 + cursor, ROWS.len(), model.glyphs.run_mark, theme.accent);
    }
}

/// What is under the cursor, or what is typed.
fn told(model: &Model, strip: &Strip, width: usize, limit: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    if let Some(typed) = &strip.typed {
        return vec![Line::from(vec![
            Span::styled("look at: ", theme.accent),
            Span::styled(sanitize(typed), theme.title),
            Span::styled(" ", theme.selection),
            Span::styled("  14:03, yesterday 9:00, -2h, run 42", theme.dim),
        ])];
    }
    let Some(place) = &strip.cursor else { return Vec::new() };
    let head = head(model, strip, place);
    let rows = paragraph(&format!("{head} {}", sanitize(&place.told)), width, limit, model.glyphs.cut);
    let line = |row: String| match row.strip_prefix(head.as_str()) {
        Some(rest) => {
            Line::from(vec![Span::styled(head.clone(), theme.title), Span::styled(rest.to_owned(), theme.text)])
        }
        None => Line::from(Span::styled(row, theme.text)),
    };
    rows.into_iter().map(line).collect()
}

/// The moment of the cursor, and that of the event before it where they differ: nothing happened between them.
fn head(model: &Model, strip: &Strip, place: &PastPlace) -> String {
    let (clock, dot) = (&model.clock, model.glyphs.dot);
    let now = if strip.is_now { "now, " } else { "" };
    let at = format!("{now}{}", clock.date_and_time(place.at));
    let event = quantity::count(place.sequence);
    let before =
        place.event_at.map(|event_at| clock.when(event_at, place.at)).filter(|before| !at.ends_with(before.as_str()));
    match before {
        Some(before) => format!("{at} {dot} last event {event}, at {before}:"),
        None => format!("{at} {dot} event {event}:"),
    }
}

fn events(model: &Model, column: &TimeLineColumn, most: u64) -> Option<(&'static str, Style)> {
    let levels = model.glyphs.levels;
    let highest = u64::try_from(levels.len()).unwrap_or(1).saturating_sub(1);
    let level = column.events.saturating_sub(1).saturating_mul(highest).div_ceil(most.saturating_sub(1).max(1));
    let sign = levels.get(usize::try_from(level).unwrap_or(0)).or(levels.last())?;
    (column.events > 0).then_some((*sign, model.theme.dim))
}

fn runs(model: &Model, column: &TimeLineColumn, _: u64) -> Option<(&'static str, Style)> {
    column.run.map(|seen| without_word(run(model, seen)))
}

fn deploys(model: &Model, column: &TimeLineColumn, _: u64) -> Option<(&'static str, Style)> {
    column.deploy.map(|seen| without_word(deploy(model, seen)))
}

fn alerts(model: &Model, column: &TimeLineColumn, _: u64) -> Option<(&'static str, Style)> {
    column.alert.map(|seen| without_word(alert(model, seen)))
}

fn without_word((sign, style, _): Meant) -> (&'static str, Style) {
    (sign, style)
}

fn run(model: &Model, seen: RunSeen) -> Meant {
    let result = seen.result();
    let word = match seen {
        RunSeen::Began => "began",
        RunSeen::Stopped => "stopped",
        RunSeen::Passed => "passed",
        RunSeen::Held => "held",
        RunSeen::Failed => "failed",
    };
    (model.glyphs.run(result, true), model.theme.run(result, true), word)
}

fn deploy(model: &Model, seen: DeploySeen) -> Meant {
    let (status, word) = match seen {
        DeploySeen::Live => (ReleaseStatus::Live, "went live"),
        DeploySeen::Rejected => (ReleaseStatus::Rejected, "rejected"),
    };
    (model.glyphs.release(status), model.theme.release(status), word)
}

fn alert(model: &Model, seen: AlertSeen) -> Meant {
    match seen {
        AlertSeen::Fired => (model.glyphs.firing, model.theme.bad, "fired"),
        AlertSeen::Resolved => (model.glyphs.pending, model.theme.good, "ended"),
    }
}

fn commands(model: &Model, column: &TimeLineColumn, _: u64) -> Option<(&'static str, Style)> {
    (column.commands > 0).then_some((model.glyphs.marked, model.theme.accent))
}
