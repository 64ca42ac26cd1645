//! The newest value, large among its surroundings, with its course below; several curves have a row each.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::gather::{extent, gather};
use super::{Chart, legend, say_nothing, time};
use crate::api::types::Curve;
use crate::tui::quantity::{cell, real, small};
use crate::tui::widgets::sparkline::sparkline;
use crate::tui::widgets::text::{padded, put_at, put_right, put_sign, sanitize};

/// Steps within a cell.
const STEPS: usize = 8;

/// Draws the panel.
pub(super) fn draw(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect) {
    let inner = Rect { x: inner.x + 1, width: inner.width.saturating_sub(2), ..inner };
    match chart.panel.curves.as_slice() {
        [] => say_nothing(chart, buffer, inner),
        [curve] => alone(chart, buffer, inner, curve),
        curves => {
            for (row, curve) in curves.iter().take(usize::from(inner.height)).enumerate() {
                beside(chart, buffer, inner, row, curve);
            }
        }
    }
}

/// The value that is told: at the crosshair, else the newest.
fn told(chart: &Chart<'_>, curve: &Curve) -> Option<f64> {
    let column = chart.cursor.or_else(|| curve.points.len().checked_sub(1))?;
    curve.points.get(column).copied().flatten()
}

fn value_line(chart: &Chart<'_>, curve: &Curve) -> Line<'static> {
    let theme = &chart.model.theme;
    let value = told(chart, curve);
    let verdict = value.and_then(|value| chart.verdict(value));
    let style = verdict.map_or(theme.title, |(_, style)| style.add_modifier(theme.title.add_modifier));
    let mut line = Line::from(Span::styled(chart.text_or_gap(value), style));
    if let Some((word, style)) = verdict {
        line.push_span(Span::styled(format!(" {} {word}", chart.model.glyphs.dot), style));
    }
    if let Some(cursor) = chart.cursor {
        line.push_span(Span::styled(format!("  at {}", time::cursor_text(chart, cursor)), theme.accent));
    }
    line
}

fn alone(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect, curve: &Curve) {
    put_at(buffer, inner, 0, 1, &value_line(chart, curve));
    let rows = usize::from(inner.height);
    let legend_row = rows.saturating_sub(1);
    let top = 3.min(legend_row);
    let plot = Rect { y: inner.y + small(top), height: small(legend_row.saturating_sub(top)), ..inner };
    bars(chart, buffer, plot, curve);
    let area = Rect { y: inner.y + small(legend_row), height: 1, ..inner };
    legend::draw(chart, buffer, area);
}

/// The course as bars: the highest value of each cell column, so that no peak is lost. A gap is blank.
fn bars(chart: &Chart<'_>, buffer: &mut Buffer, plot: Rect, curve: &Curve) {
    let (width, height) = (usize::from(plot.width), usize::from(plot.height));
    let buckets = gather(curve, width, f64::NEG_INFINITY);
    let Some((low, high)) = extent([&buckets]) else { return };
    let floor = chart.panel.min.unwrap_or(low.min(0.0));
    let spread = (chart.panel.max.unwrap_or(high) - floor).max(f64::MIN_POSITIVE);
    let steps = height * STEPS;
    for bucket in &buckets {
        // Even the lowest value is seen, or it would pass for a gap.
        let filled = cell((bucket.high - floor) / spread * real(steps), steps).max(1);
        let style = chart.verdict(bucket.high).map_or(chart.model.theme.series(0), |(_, style)| style);
        for row in 0..height {
            let below = (height - 1 - row) * STEPS;
            if filled > below {
                let level = (filled - below).min(STEPS) - 1;
                let sign = chart.glyphs().levels.get(level).copied().unwrap_or(" ");
                put_sign(buffer, plot, bucket.column, row, sign, style);
            }
        }
    }
}

/// One of several: its name, its course in one row, its value.
fn beside(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect, row: usize, curve: &Curve) {
    let width = usize::from(inner.width);
    let label = (width / 3).clamp(6, 30);
    let value = value_line(chart, curve);
    let text = padded(&sanitize(&curve.label), label, chart.model.glyphs.cut);
    put_at(buffer, inner, 0, row, &Line::from(Span::styled(text.clone(), chart.model.theme.text)));
    let room = width.saturating_sub(text.width() + value.width() + 2);
    if room >= 4 {
        put_at(buffer, inner, label + 1, row, &sparkline(chart.model, &curve.points, room, row));
    }
    put_right(buffer, inner, row, &value);
}
