//! The palette: find a command, a run, a stage, a theme or a project by some letters of its name.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use crate::tui::app::Model;
use crate::tui::mouse::Target;
use crate::tui::palette::{Entry, entries};
use crate::tui::quantity::small;
use crate::tui::widgets::pane;
use crate::tui::widgets::text::{cut, paragraph, put, put_at, put_right, sanitize};

/// Rows of matches.
const ROWS: usize = 14;
/// Columns of the window, where there are so many.
const WIDTH: u16 = 84;
/// Rows below them for all that there is to say of the selected one.
const TOLD: u16 = 2;
/// Cells for a name.
const NAME: usize = 18;

/// Draws the window.
pub(super) fn draw(model: &Model, frame: &mut Frame, area: Rect, input: &str, selected: usize) {
    let theme = &model.theme;
    let found = entries(model, input);
    let width = area.width.saturating_sub(4).min(WIDTH);
    let rows = ROWS.min(usize::from(area.height.saturating_sub(6 + TOLD)));
    // Always of the same height, so that it does not jump while one types.
    let window = super::middle(area, width, small(rows) + 3 + TOLD);
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Command", "Enter does it, Esc leaves");
    let mut prompt = Line::from(Span::styled(" :", theme.accent));
    prompt.push_span(Span::styled(sanitize(input), theme.title));
    prompt.push_span(Span::styled(" ", theme.selection));
    put(frame.buffer_mut(), inner, 0, &prompt);
    if found.is_empty() {
        put(frame.buffer_mut(), inner, 1, &Line::from(Span::styled("  nothing has these letters", theme.dim)));
    }
    if let Some(entry) = found.get(selected) {
        told(model, frame, inner, entry);
    }
    let first = (selected + 1).saturating_sub(rows);
    for (row, entry) in found.iter().skip(first).take(rows).enumerate() {
        let place = Rect { y: inner.y + small(row) + 1, height: 1, ..inner };
        let keys = format!(" {} ", entry.keys);
        let room = usize::from(place.width).saturating_sub(keys.width());
        put(frame.buffer_mut(), place, 0, &line(model, entry, room));
        let style = if entry.why_not.is_some() { theme.dim } else { theme.accent };
        put_right(frame.buffer_mut(), place, 0, &Line::from(Span::styled(keys, style)));
        model.hits.add(place, Target::Row(first + row));
        if first + row == selected {
            frame.buffer_mut().set_style(place, theme.selection);
            put(frame.buffer_mut(), place, 0, &Line::from(Span::styled(model.glyphs.pointer, theme.accent)));
        }
    }
}

/// What the selected row does or why it cannot be done, whole: behind its name it may be cut.
fn told(model: &Model, frame: &mut Frame, inner: Rect, entry: &Entry) {
    let text = sanitize(entry.why_not.as_deref().unwrap_or(&entry.description));
    let width = usize::from(inner.width).saturating_sub(2);
    let begin = usize::from(inner.height.saturating_sub(TOLD));
    let rows = paragraph(&text, width, usize::from(TOLD), model.glyphs.cut);
    for (row, text) in rows.into_iter().enumerate() {
        put_at(frame.buffer_mut(), inner, 1, begin + row, &Line::from(Span::styled(text, model.theme.text)));
    }
}

/// The name with what was typed of it, and behind it what it does or why it cannot be done now.
fn line(model: &Model, entry: &Entry, room: usize) -> Line<'static> {
    let theme = &model.theme;
    let base = if entry.why_not.is_some() { theme.dim } else { theme.text };
    let mut line = Line::from("  ");
    line.spans.extend(name(entry, base, base.patch(theme.accent).add_modifier(Modifier::UNDERLINED)));
    let blanks = (NAME + 2).saturating_sub(line.width()).max(1);
    line.push_span(Span::raw(" ".repeat(blanks)));
    let text = sanitize(entry.why_not.as_deref().unwrap_or(&entry.description));
    let text = cut(&text, room.saturating_sub(line.width()), model.glyphs.cut);
    line.push_span(Span::styled(text, theme.dim));
    line
}

/// The letters of the name, those that were typed in a style of their own. A character that commands the terminal is none.
fn name(entry: &Entry, base: Style, typed: Style) -> Vec<Span<'static>> {
    let mut spans: Vec<Span<'static>> = Vec::new();
    for (place, character) in entry.name.chars().enumerate() {
        let style = if entry.places.binary_search(&place).is_ok() { typed } else { base };
        let text = sanitize(&character.to_string());
        match spans.last_mut() {
            Some(span) if span.style == style => span.content.to_mut().push_str(&text),
            _ => spans.push(Span::styled(text, style)),
        }
    }
    spans
}
