//! Two things beside each other: a row for each thing in which they may differ, with how much more or less the other is.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::text::{padded, paragraph, sanitize};
use crate::tui::app::Model;
use crate::tui::detail_text;
use crate::tui::difference::Difference;

/// Cells of what differs, and of a change.
const WHAT: usize = 18;
const CHANGE: usize = 9;
/// Rows that one of both may take.
const LONGEST: usize = 3;

/// The names of both, as the first row.
pub(in crate::tui) fn head(model: &Model, one: &str, other: &str, width: usize) -> Vec<Line<'static>> {
    let names = Difference::new("", one.to_owned(), other.to_owned());
    row(model, &names, model.theme.title, width)
}

/// A heading, and below it what differs; where nothing does, that is said.
pub(in crate::tui) fn section(model: &Model, name: &str, found: &[Difference], width: usize) -> Vec<Line<'static>> {
    let mut rows = vec![Line::from(Span::styled(name.to_owned(), model.theme.title))];
    if found.is_empty() {
        rows.push(Line::from(Span::styled("none", model.theme.dim)));
    }
    for difference in found {
        let style = if difference.one == difference.other { model.theme.dim } else { model.theme.text };
        rows.extend(row(model, difference, style, width));
    }
    rows
}

/// One thing, in as many rows as its longer side needs.
fn row(model: &Model, difference: &Difference, style: Style, width: usize) -> Vec<Line<'static>> {
    let cut = model.glyphs.cut;
    let what = WHAT.min(width / 3);
    let half = width.saturating_sub(what + CHANGE + 3) / 2;
    let wrapped = |text: &str| paragraph(&sanitize(text), half, LONGEST, cut);
    let (one, other) = (wrapped(&difference.one), wrapped(&difference.other));
    let names = paragraph(&sanitize(&difference.what), what, LONGEST, cut);
    let text =
        |texts: &[String], row: usize, width: usize| padded(texts.get(row).map_or("", String::as_str), width, cut);
    let rows: Vec<_> = (0..one.len().max(other.len()).max(names.len()).max(1))
        .map(|row| {
            let mut line = Line::from(Span::styled(format!("{} ", text(&names, row, what)), model.theme.dim));
            line.push_span(Span::styled(format!("{} {} ", text(&one, row, half), text(&other, row, half)), style));
            if row == 0 {
                line.push_span(Span::styled(sanitize(&difference.change), model.theme.accent));
            }
            line
        })
        .collect();
    if rows.len() > 1 {
        let whole =
            [&difference.what, &difference.one, &difference.other, &difference.change].map(|text| sanitize(text));
        detail_text::belong_together(model, &rows, &whole.join("  "));
    }
    rows
}
