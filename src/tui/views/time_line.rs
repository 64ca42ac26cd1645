//! The line of time, over the lowest rows of the view: what happened when, and where one would look.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};

use crate::api::types::{AlertSeen, DeploySeen, RunSeen, TimeLineColumn};
use crate::pipeline::ReleaseStatus;
use crate::tui::app::Model;
use crate::tui::past::strip::Strip;
use crate::tui::quantity;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cut, paragraph, put, put_at, put_sign, sanitize};

/// Rows, frame included.
const HEIGHT: u16 = 10;
/// Cells for the name of a row.
const LABEL: usize = 10;
/// The keys, in the order in which they are missed least where it is narrow.
const KEYS: &str = "Enter looks, Esc leaves; Left/Right event, PgUp/PgDn run, Shift-Left/Right deploy, Up/Down alert; \
                    g time, + - 0 zoom, Home/End";

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
    let height = HEIGHT.min(body.height);
    let area = Rect { y: body.y + body.height - height, height, ..body };
    let right = match &strip.line {
        Some(line) => {
            format!("{} to {}", model.clock.date_and_time(line.from), model.clock.date_and_time(line.to))
        }
        None => String::new(),
    };
    let inner = pane::draw_over(model, frame.buffer_mut(), area, "Time line", &right);
    let width = usize::from(inner.width).saturating_sub(2);
    if let Some(error) = strip.error.as_ref().filter(|_| strip.line.is_none()) {
        for (row, text) in paragraph(&sanitize(error), width, 3, model.glyphs.cut).into_iter().enumerate() {
            put_at(frame.buffer_mut(), inner, 1, row, &Line::from(Span::styled(text, model.theme.warn)));
        }
        return;
    }
    signs(model, frame, inner, strip);
    let row = ROWS.len() + 1;
    put(frame.buffer_mut(), inner, row, &told(model, strip, width));
    let keys = Line::from(Span::styled(format!(" {}", cut(KEYS, width, model.glyphs.cut)), model.theme.dim));
    put(frame.buffer_mut(), inner, row + 1, &keys);
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
    let cursor = strip.cursor.as_ref().and_then(|place| line.column(place.at));
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
fn told(model: &Model, strip: &Strip, width: usize) -> Line<'static> {
    let theme = &model.theme;
    if let Some(typed) = &strip.typed {
        return Line::from(vec![
            Span::styled(" look at: ", theme.accent),
            Span::styled(sanitize(typed), theme.title),
            Span::styled(" ", theme.selection),
            Span::styled("  14:03, yesterday 9:00, -2h, run 42", theme.dim),
        ]);
    }
    let Some(place) = &strip.cursor else { return Line::default() };
    let head = format!(" {}  event {}: ", model.clock.date_and_time(place.at), quantity::count(place.sequence));
    let room = width.saturating_sub(head.len());
    let text = cut(&sanitize(&place.told), room, model.glyphs.cut);
    Line::from(vec![Span::styled(head, theme.title), Span::styled(text, theme.text)])
}

fn events(model: &Model, column: &TimeLineColumn, most: u64) -> Option<(&'static str, Style)> {
    let levels = model.glyphs.levels;
    let highest = u64::try_from(levels.len()).unwrap_or(1).saturating_sub(1);
    let level = column.events.saturating_sub(1).saturating_mul(highest).div_ceil(most.saturating_sub(1).max(1));
    let sign = levels.get(usize::try_from(level).unwrap_or(0)).or(levels.last())?;
    (column.events > 0).then_some((*sign, model.theme.dim))
}

fn runs(model: &Model, column: &TimeLineColumn, _: u64) -> Option<(&'static str, Style)> {
    let result = column.run.map(RunSeen::result)?;
    Some((model.glyphs.run(result, true), model.theme.run(result, true)))
}

fn deploys(model: &Model, column: &TimeLineColumn, _: u64) -> Option<(&'static str, Style)> {
    let status = match column.deploy? {
        DeploySeen::Live => ReleaseStatus::Live,
        DeploySeen::Rejected => ReleaseStatus::Rejected,
    };
    Some((model.glyphs.release(status), model.theme.release(status)))
}

fn alerts(model: &Model, column: &TimeLineColumn, _: u64) -> Option<(&'static str, Style)> {
    Some(match column.alert? {
        AlertSeen::Fired => (model.glyphs.firing, model.theme.bad),
        AlertSeen::Resolved => (model.glyphs.pending, model.theme.good),
    })
}

fn commands(model: &Model, column: &TimeLineColumn, _: u64) -> Option<(&'static str, Style)> {
    (column.commands > 0).then_some((model.glyphs.marked, model.theme.accent))
}
