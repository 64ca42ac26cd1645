//! The explorer: a line for an expression, what is wrong with it and where, and every metric that the word in it could mean.

use ratatui::Frame;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthChar;

use crate::api::types::{Catalog, ExpressionFault};
use crate::tui::app::Model;
use crate::tui::metrics::completion::{Candidate, candidates};
use crate::tui::metrics::explorer::Explorer;
use crate::tui::quantity::{self, small};
use crate::tui::widgets::pane;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::{cut, paragraph, put, put_at, sanitize};

/// What stands before the expression.
const PROMPT: &str = " > ";
/// Rows above the list: the line, its fault in two rows, the headings.
const HEAD: usize = 4;

/// Draws the window.
pub(in crate::tui::views) fn draw(model: &Model, frame: &mut Frame, area: Rect, explorer: &Explorer) {
    let (width, height) = (area.width.saturating_sub(4).min(140), area.height.saturating_sub(2));
    let window = crate::tui::views::middle(area, width, height);
    let right = "Tab completes, Enter draws, Esc leaves";
    let inner = pane::draw_over(model, frame.buffer_mut(), window, "Explore", right);
    draw_line(model, frame, inner, explorer);
    match &model.metrics.catalog {
        None => note(model, frame, inner, HEAD, "asking the daemon which metrics there are", model.theme.dim),
        Some(Err(error)) => note(model, frame, inner, HEAD, &sanitize(error), model.theme.bad),
        Some(Ok(catalog)) => draw_list(model, frame, inner, explorer, catalog),
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
    for (index, (character, _)) in cells.iter().enumerate().skip(first) {
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

fn draw_list(model: &Model, frame: &mut Frame, inner: Rect, explorer: &Explorer, catalog: &Catalog) {
    let theme = &model.theme;
    let cut_sign = model.glyphs.cut;
    let list = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let found = candidates(catalog, explorer.line.before());
    if found.is_empty() {
        let text = if catalog.metrics.is_empty() {
            "there is no metric yet: the app has not been scraped"
        } else {
            "no metric, function or label is called so"
        };
        note(model, frame, inner, HEAD, text, theme.dim);
        return;
    }
    let table = Table::fit(&columns(usize::from(list.width)), usize::from(list.width));
    put(frame.buffer_mut(), list, HEAD - 1, &table.heading(theme.dim, cut_sign));
    // The last row has the help of the selected one, whole if it fits.
    let rows = usize::from(inner.height).saturating_sub(HEAD + 1);
    let first = (explorer.selected + 1).saturating_sub(rows);
    for (row, candidate) in found.iter().enumerate().skip(first).take(rows) {
        let place = Rect { y: list.y + small(HEAD + row - first), height: 1, ..list };
        put(frame.buffer_mut(), place, 0, &table.row(&cells(model, *candidate), cut_sign));
        if row == explorer.selected {
            frame.buffer_mut().set_style(place, theme.selection);
        }
    }
    if let Some(Candidate::Metric(metric)) = found.get(explorer.selected) {
        let text = format!("{}  Enter draws {}", sanitize(&metric.help), sanitize(&metric.expression));
        let text = cut(text.trim_start(), usize::from(list.width), cut_sign);
        let row = usize::from(inner.height).saturating_sub(1);
        put(frame.buffer_mut(), list, row, &Line::from(Span::styled(text, theme.dim)));
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

fn cells(model: &Model, candidate: Candidate<'_>) -> Vec<(String, Style)> {
    let theme = &model.theme;
    let (kind, series, help) = match candidate {
        Candidate::Metric(metric) => {
            let series = quantity::count(u64::try_from(metric.series).unwrap_or(u64::MAX));
            (sanitize(&metric.kind), series, sanitize(&metric.help))
        }
        Candidate::Function(_) => ("function".to_owned(), String::new(), String::new()),
        Candidate::Label(_) => ("label".to_owned(), String::new(), String::new()),
    };
    vec![(sanitize(candidate.name()), theme.text), (kind, theme.accent), (series, theme.dim), (help, theme.dim)]
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
