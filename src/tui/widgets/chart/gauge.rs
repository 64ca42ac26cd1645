//! The newest value of each curve between a least and a greatest one, with the thresholds at their places.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::{Chart, say_nothing, time};
use crate::api::types::Curve;
use crate::tui::quantity::{cell, real};
use crate::tui::widgets::text::{cut, put_at, put_right, put_sign, sanitize};

/// Rows of one gauge: its name and value, its bar, its scale.
const ROWS: usize = 3;

/// Draws the panel.
pub(super) fn draw(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect) {
    let curves = &chart.panel.curves;
    if curves.is_empty() {
        say_nothing(chart, buffer, inner);
        return;
    }
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    let (low, high) = ends(chart);
    let room = (usize::from(inner.height) / ROWS).max(1);
    for (index, curve) in curves.iter().take(room).enumerate() {
        gauge(chart, buffer, inner, index * ROWS, curve, (low, high));
    }
    let hidden = curves.len().saturating_sub(room) + chart.panel.left_out;
    if hidden > 0 && usize::from(inner.height) > room * ROWS {
        let text = Line::from(Span::styled(format!("and {hidden} more"), chart.model.theme.dim));
        put_at(buffer, inner, 0, room * ROWS, &text);
    }
}

/// From where to where: as configured, else from zero to what holds thresholds and values.
fn ends(chart: &Chart<'_>) -> (f64, f64) {
    let panel = chart.panel;
    let told = || panel.curves.iter().filter_map(|curve| curve.statistics);
    let low = panel.min.unwrap_or_else(|| told().map(|told| told.min).fold(0.0, f64::min));
    let limits = panel.thresholds.map_or(low, |(warn, bad)| warn.max(bad) * 1.25);
    let whole = match panel.unit.as_deref() {
        Some("%") => 100.0,
        Some("ratio") => 1.0,
        _ => limits,
    };
    let high = panel.max.unwrap_or_else(|| told().map(|told| told.max).fold(whole, f64::max));
    if high > low { (low, high) } else { (low, low + 1.0) }
}

fn gauge(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect, top: usize, curve: &Curve, (low, high): (f64, f64)) {
    let (glyphs, theme) = (chart.model.glyphs, &chart.model.theme);
    let width = usize::from(inner.width);
    let column = chart.cursor.or_else(|| curve.points.len().checked_sub(1));
    let value = column.and_then(|column| curve.points.get(column).copied().flatten());
    let verdict = value.and_then(|value| chart.verdict(value));
    let style = verdict.map_or(theme.title, |(_, style)| style);
    let mut text = chart.text_or_gap(value);
    if let Some((word, _)) = verdict {
        text = format!("{text} {} {word}", glyphs.dot);
    }
    if let Some(cursor) = chart.cursor {
        text = format!("{text}  at {}", time::cursor_text(chart, cursor));
    }
    let name = cut(&sanitize(&curve.label), width.saturating_sub(text.width() + 1), glyphs.cut);
    put_at(buffer, inner, 0, top, &Line::from(Span::styled(name, theme.text)));
    put_right(buffer, inner, top, &Line::from(Span::styled(text, style)));
    let place = |value: f64| cell((value - low) / (high - low) * real(width), width);
    let filled = value.map_or(0, place);
    for column in 0..width {
        let (sign, style) = if column < filled { (glyphs.bar_full, style) } else { (glyphs.bar_empty, theme.border) };
        put_sign(buffer, inner, column, top + 1, sign, style);
    }
    put_at(buffer, inner, 0, top + 2, &Line::from(Span::styled(chart.text(low), theme.dim)));
    put_right(buffer, inner, top + 2, &Line::from(Span::styled(chart.text(high), theme.dim)));
    let Some((warn, bad)) = chart.panel.thresholds else { return };
    for (limit, word, style) in [(warn, "warn", theme.warn), (bad, "bad", theme.bad)] {
        if limit > low && limit < high {
            let column = place(limit).min(width.saturating_sub(1));
            put_sign(buffer, inner, column, top + 1, glyphs.axis, style);
            let text = format!("{} {word}", chart.text(limit));
            let begin = column.saturating_sub(text.width() / 2);
            put_at(buffer, inner, begin, top + 2, &Line::from(Span::styled(text, style)));
        }
    }
}
