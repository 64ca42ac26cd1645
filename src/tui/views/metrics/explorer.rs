//! The explorer: a line for an expression, what is wrong with it and where, and everything that the word in it could mean.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use crate::api::types::{Completion, CompletionKind, CompletionRequest, Completions, ExpressionFault};
use crate::tui::app::Model;
use crate::tui::layout::EXPLORER_HEAD;
use crate::tui::metrics::explorer::Explorer;
use crate::tui::mouse::Target;
use crate::tui::quantity::{self, small};
use crate::tui::widgets::pane;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{cut, paragraph, put, put_at, put_right, sanitize};

/// What stands before the expression.
const PROMPT: &str = " > ";

/// Draws the window.
pub(in crate::tui::views) fn draw(model: &Model, frame: &mut Frame, area: Rect, explorer: &Explorer) {
    let (width, height) = (area.width.saturating_sub(4).min(140), area.height.saturating_sub(2));
    let window = crate::tui::views::middle(area, width, height);
    let right = "Tab completes, Enter draws, Esc leaves";
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Explore", right);
    draw_line(model, frame, inner, explorer);
    // While the answer for the present word is under way, the list before it stays: the screen must not flicker.
    match &explorer.found {
        None => note(model, frame, inner, EXPLORER_HEAD, "asking the daemon which metrics there are", model.theme.dim),
        Some((_, Err(error))) => note(model, frame, inner, EXPLORER_HEAD, &sanitize(error), model.theme.bad),
        Some((request, Ok(found))) => draw_list(model, frame, inner, explorer, request, found),
    }
}

/// The expression with its caret, and below it what is wrong.
fn draw_line(model: &Model, frame: &mut Frame, inner: Rect, explorer: &Explorer) {
    let theme = &model.theme;
    let room = usize::from(inner.width).saturating_sub(PROMPT.len() + 2);
    // A character that takes no cell or commands the terminal must not shift what stands below it.
    let cells: Vec<(char, usize)> = explorer.line.text.chars().map(shown).collect();
    let caret = explorer.line.caret.min(cells.len());
    let first = first_visible(&cells, caret, room);
    let mut line = Line::from(Span::styled(PROMPT, theme.accent));
    for (index, (character, _)) in cells.iter().enumerate().skip(first).take(room + 2) {
        let style = if index == caret { theme.selection } else { theme.title };
        line.push_span(Span::styled(character.to_string(), style));
    }
    if caret == cells.len() {
        line.push_span(Span::styled(" ", theme.selection));
    }
    put(frame.buffer_mut(), inner, 0, &line);
    match (&explorer.fault, &explorer.checked) {
        (Some(Ok(fault)), _) => draw_fault(model, frame, inner, fault, &cells, first),
        (Some(Err(error)), _) => note(model, frame, inner, 1, &sanitize(error), theme.bad),
        (None, Some(_)) => note(model, frame, inner, 1, "asking the daemon", theme.dim),
        (None, None) => {}
    }
}

/// A sign below each character of the place, and behind them the sentence.
fn draw_fault(
    model: &Model,
    frame: &mut Frame,
    inner: Rect,
    fault: &ExpressionFault,
    cells: &[(char, usize)],
    first: usize,
) {
    let width_of = |from: usize, to: usize| -> usize {
        cells
            .get(from..to.clamp(from, cells.len().max(from)))
            .map_or(0, |cells| cells.iter().map(|(_, width)| width).sum())
    };
    let from = fault.from.clamp(first, cells.len().max(first));
    let begin = PROMPT.len() + width_of(first, from);
    let signs = width_of(from, fault.to.max(from)).max(1);
    let style = model.theme.bad;
    put_at(frame.buffer_mut(), inner, begin, 1, &Line::from(Span::styled("^".repeat(signs), style)));
    note(model, frame, inner, 2, &sanitize(&fault.error), style);
}

/// A sentence in one row of the window.
fn note(model: &Model, frame: &mut Frame, inner: Rect, row: usize, text: &str, style: Style) {
    let width = usize::from(inner.width).saturating_sub(PROMPT.len() + 1);
    for text in paragraph(text, width, 1, model.glyphs.cut) {
        put_at(frame.buffer_mut(), inner, PROMPT.len(), row, &Line::from(Span::styled(text, style)));
    }
}

fn draw_list(
    model: &Model,
    frame: &mut Frame,
    inner: Rect,
    explorer: &Explorer,
    request: &CompletionRequest,
    found: &Completions,
) {
    let theme = &model.theme;
    let cut_sign = model.glyphs.cut;
    let list = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    if found.total == 0 {
        note(model, frame, inner, EXPLORER_HEAD, nothing(request), theme.dim);
        return;
    }
    let table = Table::fit(&columns(usize::from(list.width)), usize::from(list.width));
    put(frame.buffer_mut(), list, EXPLORER_HEAD - 1, &table.heading(theme.dim, cut_sign));
    // The last row has the help of the selected one, whole if it fits.
    let rows = usize::from(inner.height).saturating_sub(EXPLORER_HEAD + 1);
    let first = (explorer.selected + 1).saturating_sub(rows);
    for (number, completion) in (found.first..).zip(&found.rows).skip_while(|(number, _)| *number < first) {
        let row = number - first;
        if row >= rows {
            break;
        }
        let place = Rect { y: list.y + small(EXPLORER_HEAD + row), height: 1, ..list };
        put(frame.buffer_mut(), place, 0, &table.row(&cells(model, completion), cut_sign));
        model.hits.add(place, Target::Row(number));
        if number == explorer.selected {
            frame.buffer_mut().set_style(place, theme.selection);
        }
    }
    let last = usize::from(inner.height).saturating_sub(1);
    let place = format!("{} of {}", quantity::count(explorer.selected + 1), quantity::count(found.total));
    if let Some(Completion::Metric(metric)) = explorer.chosen() {
        let text = format!("{}  Enter draws {}", sanitize(&metric.help), sanitize(&metric.expression));
        let taken = if found.total > rows { place.len() + 2 } else { 0 };
        let room = usize::from(list.width).saturating_sub(taken);
        let text = cut(text.trim_start(), room, cut_sign);
        put(frame.buffer_mut(), list, last, &Line::from(Span::styled(text, theme.dim)));
    }
    if found.total > rows {
        put_right(frame.buffer_mut(), list, last, &Line::from(Span::styled(place, theme.dim)));
    }
}

/// Why the list is empty.
fn nothing(request: &CompletionRequest) -> &'static str {
    match request.kind {
        CompletionKind::Expression if request.word.is_empty() => {
            "there is no metric yet: the app is scraped once it is deployed, which `run all` on the Board does"
        }
        CompletionKind::Expression => "no metric and no function is called so",
        CompletionKind::LabelName => "no label is called so",
        CompletionKind::LabelValue => "the label has no such value",
    }
}

fn columns(width: usize) -> [Column; 4] {
    [
        Column { heading: "name", width: (width / 2).clamp(20, 56), fill: Fill::Left, rank: 0 },
        Column { heading: "type", width: 11, fill: Fill::Left, rank: 1 },
        Column { heading: "series", width: 7, fill: Fill::Right, rank: 2 },
        Column { heading: "help", width: 10, fill: Fill::Rest, rank: 3 },
    ]
}

fn cells(model: &Model, completion: &Completion) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let plain = |kind: &str| (kind.to_owned(), String::new(), String::new());
    let (kind, series, help) = match completion {
        Completion::Metric(metric) => (sanitize(&metric.kind), quantity::count(metric.series), sanitize(&metric.help)),
        Completion::Function(_) => plain("function"),
        Completion::Label(_) => plain("label"),
        Completion::Value(_) => plain("value"),
    };
    vec![(sanitize(completion.name()), theme.text), (kind, theme.accent), (series, theme.dim), (help, theme.dim)]
}

/// A character as it is shown, and its cells.
fn shown(character: char) -> (char, usize) {
    match character.width() {
        Some(width) if width > 0 && sanitize(character.encode_utf8(&mut [0; 4])).chars().eq([character]) => {
            (character, width)
        }
        _ => ('?', 1),
    }
}

/// The first character from which on the caret is within `room` cells.
fn first_visible(cells: &[(char, usize)], caret: usize, room: usize) -> usize {
    let mut used = 1;
    let before = cells.get(..caret).unwrap_or_default();
    for (index, (_, width)) in before.iter().enumerate().rev() {
        used += width;
        if used > room {
            return index + 1;
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_is_always_visible() {
        let cells: Vec<(char, usize)> = "서울abc".chars().map(shown).collect();
        assert_eq!(first_visible(&cells, 5, 20), 0);
        assert_eq!(first_visible(&cells, 5, 4), 2);
        assert_eq!(first_visible(&cells, 5, 0), 5);
        assert_eq!(shown('\u{202e}'), ('?', 1));
    }
}
