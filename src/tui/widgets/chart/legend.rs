//! The legend: which curve is which, with its least, mean, greatest and last value, or the value at the crosshair.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{Chart, grid, time};
use crate::api::types::{Curve, PanelKind};
use crate::tui::metrics::Drawing;
use crate::tui::widgets::text::{cut, padded, put, sanitize};

/// Cells of a value and the word before it.
const FIGURE: usize = 18;
/// Cells for how many curves are not in the row: `and 12 more`.
const MORE: usize = 11;

/// Draws the legend of the panel's curves into as many rows as there are.
pub(super) fn draw(chart: &Chart<'_>, buffer: &mut Buffer, area: Rect) {
    let curves = &chart.panel.curves;
    let rows = usize::from(area.height);
    if rows == 0 || curves.is_empty() {
        return;
    }
    if rows < curves.len() {
        put(buffer, area, 0, &in_one_row(chart, usize::from(area.width)));
        return;
    }
    for (row, curve) in curves.iter().enumerate() {
        put(buffer, area, row, &entry(chart, row, curve, usize::from(area.width)));
    }
}

/// One curve with all its figures; the least important are left out where it is narrow.
fn entry(chart: &Chart<'_>, series: usize, curve: &Curve, width: usize) -> Line<'static> {
    let theme = &chart.model.theme;
    let mut line = Line::default();
    let is_alone = chart.panel.curves.len() == 1;
    if !is_alone {
        let label = (width / 3).clamp(8, 40);
        line.push_span(Span::styled(sample(chart, series), theme.series(series)));
        line.push_span(Span::raw(format!(" {} ", padded(&sanitize(&curve.label), label, chart.model.glyphs.cut))));
    }
    for (word, value) in figures(chart, curve) {
        let text = format!("{word} {value}");
        let cells = if is_alone { text.width() + 3 } else { FIGURE };
        if line.width() + cells > width + 3 {
            break;
        }
        line.push_span(Span::styled(format!("{word} "), theme.dim));
        let room = cells.saturating_sub(word.width() + 1);
        line.push_span(Span::styled(padded(&value, room, chart.model.glyphs.cut), Style::default()));
    }
    line
}

/// What is said of a curve, the most important first.
fn figures(chart: &Chart<'_>, curve: &Curve) -> Vec<(String, String)> {
    let mut figures = Vec::new();
    if let Some(cursor) = chart.cursor {
        let value = curve.points.get(cursor).copied().flatten();
        figures.push((time::cursor_text(chart, cursor), chart.text_or_gap(value)));
    }
    if let Some(told) = curve.statistics {
        figures.push(("last".to_owned(), told.last.map_or_else(|| "–".to_owned(), |last| chart.text(last))));
        let rest = [("min", told.min), ("mean", told.mean), ("max", told.max)];
        figures.extend(rest.map(|(word, value)| (word.to_owned(), chart.text(value))));
    }
    figures
}

/// All curves in one row, each with its newest value or the one at the crosshair.
fn in_one_row(chart: &Chart<'_>, width: usize) -> Line<'static> {
    let theme = &chart.model.theme;
    let curves = &chart.panel.curves;
    let mut line = Line::default();
    if let Some(cursor) = chart.cursor {
        line.push_span(Span::styled(format!("{} ", time::cursor_text(chart, cursor)), theme.accent));
    }
    let room = width.saturating_sub(line.width());
    let mut cells = (room / curves.len().clamp(1, 4)).max(12);
    let mut shown = curves.len();
    if chart.panel.left_out > 0 || shown > room / cells {
        // An entry that is cut in the middle tells less than how many there are.
        cells = (room.saturating_sub(MORE) / curves.len().clamp(1, 4)).max(12);
        shown = shown.min(room.saturating_sub(MORE) / cells).max(1);
    }
    for (series, curve) in curves.iter().enumerate().take(shown) {
        let newest = curve.points.len().checked_sub(1);
        let value = chart.cursor.or(newest).and_then(|column| curve.points.get(column).copied().flatten());
        let value = value.map(|value| chart.text(value)).unwrap_or_default();
        // A long label gives way to the value.
        let label = cut(&sanitize(&curve.label), cells.saturating_sub(value.width() + 4), chart.model.glyphs.cut);
        line.push_span(Span::styled(sample(chart, series), theme.series(series)));
        let text = padded(&format!(" {label} {value}"), cells.saturating_sub(1), chart.model.glyphs.cut);
        line.push_span(Span::styled(text, Style::default()));
    }
    let more = chart.panel.left_out + curves.len() - shown;
    if more > 0 {
        line.push_span(Span::styled(format!("and {more} more"), theme.dim));
    }
    line
}

/// Which curve is which in `width` cells: as many names as there is room for, and how many are not among them.
pub(super) fn names(chart: &Chart<'_>, width: usize) -> Line<'static> {
    let theme = &chart.model.theme;
    let curves = &chart.panel.curves;
    let mut left = chart.panel.left_out + curves.len();
    let mut line = Line::default();
    for (series, curve) in curves.iter().enumerate() {
        let blank = if series > 0 { " " } else { "" };
        let name = Span::raw(format!(" {}", sanitize(&curve.label)));
        let sample = Span::styled(format!("{blank}{}", sample(chart, series)), theme.series(series));
        // Behind it there must be room for how many there are besides.
        let rest = if left > 1 { more(left - 1).width() } else { 0 };
        if line.width() + sample.width() + name.width() + rest > width {
            break;
        }
        line.push_span(sample);
        line.push_span(name);
        left -= 1;
    }
    if left > 0 && left < chart.panel.left_out + curves.len() {
        line.push_span(Span::styled(more(left), theme.dim));
    }
    line
}

/// How many are not named.
fn more(count: usize) -> String {
    format!(" +{count}")
}

/// What a curve looks like.
fn sample(chart: &Chart<'_>, series: usize) -> String {
    let glyphs = chart.model.glyphs;
    match (chart.panel.kind, chart.model.metrics.drawing) {
        (PanelKind::Area, _) => super::area::layer(chart, series).to_owned(),
        (_, Drawing::Ascii) => grid::sign(series).to_string(),
        (_, Drawing::Braille | Drawing::Block) => glyphs.legend.to_owned(),
    }
}
