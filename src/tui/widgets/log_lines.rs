//! Lines of a log: what of the window is visible, with numbers, times, colours and matches.
//!
//! Only the rows on the screen are looked at, however long the log is.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use regex::Regex;

use super::text::{line_of, put_at, styled, wrap};
use crate::api::types::LogLine;
use crate::tui::app::Model;
use crate::tui::mouse::Target;
use crate::tui::quantity::small;

/// How much stands before each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Margin {
    /// The time.
    Time,
    /// The number and the time.
    NumberAndTime,
}

/// Draws the visible lines into `area`.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect, margin: Margin) {
    let log = &model.log;
    let digits = match margin {
        Margin::Time => 0,
        Margin::NumberAndTime => log.total.max(1).to_string().len().max(4) + 1,
    };
    let margin_width = digits + 9;
    let rows = usize::from(area.height);
    let text_width = usize::from(area.width).saturating_sub(margin_width);
    let text_area =
        Rect { x: area.x + small(margin_width.min(usize::from(area.width))), width: small(text_width), ..area };
    let visible =
        if log.follow { from_the_end(model, rows, text_width) } else { from_the_top(model, rows, text_width) };
    let mut row = 0;
    for (number, lines) in visible {
        let Some(entry) = log.line(number) else { continue };
        let is_hit = log.search.as_ref().is_some_and(|search| search.hit == Some(number));
        let number_text =
            if digits > 0 { format!("{:>width$} ", number + 1, width = digits - 1) } else { String::new() };
        let style = if is_hit { model.theme.mark } else { model.theme.dim };
        let head = Line::from(vec![
            Span::styled(number_text, style),
            Span::styled(format!("{} ", model.clock.time(entry.at)), model.theme.dim),
        ]);
        put_at(buffer, area, 0, row, &head);
        let is_selected = log.selection.is_some_and(|(first, last)| (first..=last).contains(&number));
        for line in lines {
            put_at(buffer, text_area, 0, row, &line);
            let whole = Rect { y: area.y + small(row), height: 1, ..area };
            model.hits.add(whole, Target::LogLine(number));
            if is_selected {
                buffer.set_style(whole.intersection(area), model.theme.selection);
            }
            row += 1;
        }
    }
}

type Visible = Vec<(u64, Vec<Line<'static>>)>;

fn from_the_top(model: &Model, rows: usize, width: usize) -> Visible {
    let mut visible = Visible::new();
    let mut left = rows;
    let mut number = model.log.top;
    while left > 0 {
        let Some(entry) = model.log.line(number) else { break };
        let lines = rows_of(model, entry, width, left);
        left -= lines.len().min(left);
        visible.push((number, lines));
        number += 1;
    }
    visible
}

/// The last rows; of the topmost line only the end may be visible.
fn from_the_end(model: &Model, rows: usize, width: usize) -> Visible {
    let mut visible = Visible::new();
    let mut left = rows;
    let mut number = model.log.end();
    while left > 0 && number > model.log.window.first {
        number -= 1;
        let Some(entry) = model.log.line(number) else { break };
        let mut lines = rows_of(model, entry, width, usize::MAX);
        let surplus = lines.len().saturating_sub(left);
        lines.drain(..surplus);
        left -= lines.len();
        visible.push((number, lines));
    }
    visible.reverse();
    visible
}

fn rows_of(model: &Model, entry: &LogLine, width: usize, limit: usize) -> Vec<Line<'static>> {
    let mut cells = styled(&entry.text, model.theme.text);
    if let Some(regex) = model.log.search.as_ref().and_then(|search| search.regex.as_ref()) {
        highlight(&mut cells, regex, model.theme.selection.patch(model.theme.mark));
    }
    if entry.cut > 0 {
        let note = format!(" {} {} bytes more in the file", model.glyphs.cut, entry.cut);
        cells.extend(note.chars().map(|character| (character, model.theme.dim)));
    }
    if model.log.wrap { wrap(&cells, width, limit) } else { vec![line_of(&cells, model.log.left)] }
}

/// Gives every match `style`.
fn highlight(cells: &mut [(char, Style)], regex: &Regex, style: Style) {
    let text: String = cells.iter().map(|(character, _)| *character).collect();
    let ranges: Vec<_> = regex.find_iter(&text).map(|found| found.range()).collect();
    if ranges.is_empty() {
        return;
    }
    let mut offset = 0;
    for (character, known) in cells {
        if ranges.iter().any(|range| range.contains(&offset)) {
            *known = known.patch(style);
        }
        offset += character.len_utf8();
    }
}
