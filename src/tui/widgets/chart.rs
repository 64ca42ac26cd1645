//! Charts: our own rasteriser, because a gap must stay a gap, and a value that is no number must do no harm.
//!
//! [`grid`] turns curves into dots, [`axis`] chooses the numbers at the edges; here both are put on the screen with their
//! title, legend, deploy marks and time axis. Nothing here knows where the curves come from.

mod axis;
mod grid;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use self::axis::Axis;
use self::grid::Grid;
use super::pane;
use super::text::{cut, padded, put_at, put_right, sanitize};
use crate::api::types::{Charts, PanelData};
use crate::tui::app::Model;
use crate::tui::quantity::{self, real};

/// Cells for the numbers of the vertical axis, its line included.
const AXIS_WIDTH: usize = 8;

/// Data columns that fill a chart in a pane of `width` cells: two dots a cell.
pub(in crate::tui) fn data_columns(width: u16) -> usize {
    usize::from(width).saturating_sub(AXIS_WIDTH + 3).max(8) * 2
}

/// Draws one panel in its own frame.
pub(in crate::tui) fn draw(model: &Model, buffer: &mut Buffer, area: Rect, panel: &PanelData, selected: bool) {
    let title = sanitize(&panel.title);
    let latest = latest_text(panel);
    let inner = pane::draw(model, buffer, area, selected, &title, &latest);
    if inner.width < 20 || inner.height < 4 {
        return;
    }
    if let Some(error) = &panel.error {
        let text = cut(&sanitize(error), usize::from(inner.width) - 1, model.glyphs.cut);
        put_at(buffer, inner, 1, 0, &Line::from(Span::styled(text, model.theme.warn)));
        return;
    }
    let legend_rows = u16::from(panel.curves.len() > 1);
    let plot = Rect {
        x: inner.x + quantity::small(AXIS_WIDTH),
        y: inner.y,
        width: inner.width.saturating_sub(quantity::small(AXIS_WIDTH) + 1),
        height: inner.height - 1 - legend_rows,
    };
    let values = panel.curves.iter().flat_map(|curve| curve.points.iter().flatten().copied());
    let Some(axis) = Axis::of(values, usize::from(plot.height)) else {
        let text = "nothing was measured in this time; a shorter or longer range is at [ and ]";
        let text = cut(text, usize::from(inner.width) - 1, model.glyphs.cut);
        put_at(buffer, inner, 1, 0, &Line::from(Span::styled(text, model.theme.dim)));
        return;
    };
    draw_axis(model, buffer, inner, plot, &axis);
    draw_marks(model, buffer, plot, &model.metrics.charts);
    draw_curves(model, buffer, plot, panel, &axis);
    draw_time(model, buffer, inner, plot);
    if legend_rows > 0 {
        draw_legend(model, buffer, inner, panel);
    }
}

/// The newest value of the only curve, with its unit.
pub(in crate::tui) fn latest_text(panel: &PanelData) -> String {
    match panel.curves.as_slice() {
        [curve] => match curve.points.last().copied().flatten() {
            Some(value) => with_unit(value, panel.unit.as_deref()),
            None => "no value".to_owned(),
        },
        [] => String::new(),
        curves => format!("{} curves", curves.len() + panel.left_out),
    }
}

/// A value and its unit.
pub(in crate::tui) fn with_unit(value: f64, unit: Option<&str>) -> String {
    match unit {
        Some("%") => format!("{}%", quantity::value(value)),
        Some(unit) => format!("{} {}", quantity::value(value), sanitize(unit)),
        None => quantity::value(value),
    }
}

fn draw_axis(model: &Model, buffer: &mut Buffer, inner: Rect, plot: Rect, axis: &Axis) {
    let height = usize::from(plot.height);
    for row in 0..height {
        put_at(buffer, inner, AXIS_WIDTH - 1, row, &Line::from(Span::styled(model.glyphs.axis, model.theme.border)));
    }
    for tick in axis.ticks() {
        let row = axis.row(tick, height);
        let text = cut(&axis.label(tick), AXIS_WIDTH - 2, model.glyphs.cut);
        let column = AXIS_WIDTH - 2 - text.width().min(AXIS_WIDTH - 2);
        put_at(buffer, inner, column, row, &Line::from(Span::styled(text, model.theme.dim)));
        put_at(buffer, inner, AXIS_WIDTH - 1, row, &Line::from(Span::styled(model.glyphs.tick, model.theme.border)));
    }
}

fn draw_marks(model: &Model, buffer: &mut Buffer, plot: Rect, charts: &Charts) {
    let columns =
        charts.panels.iter().flat_map(|panel| &panel.curves).map(|curve| curve.points.len()).max().unwrap_or(0);
    for mark in &charts.marks {
        let column = mark.column.min(columns).saturating_mul(usize::from(plot.width)) / columns.max(1);
        let column = column.min(usize::from(plot.width).saturating_sub(1));
        for row in 0..usize::from(plot.height) {
            put_at(buffer, plot, column, row, &Line::from(Span::styled(model.glyphs.mark, model.theme.mark)));
        }
        let label = format!("{}", mark.release);
        let begin = if column + 1 + label.len() > usize::from(plot.width) {
            column.saturating_sub(label.len())
        } else {
            column + 1
        };
        put_at(buffer, plot, begin, 0, &Line::from(Span::styled(label, model.theme.mark)));
    }
}

fn draw_curves(model: &Model, buffer: &mut Buffer, plot: Rect, panel: &PanelData, axis: &Axis) {
    let mut grid = Grid::new(usize::from(plot.width), usize::from(plot.height));
    for (series, curve) in panel.curves.iter().enumerate() {
        grid.draw(&curve.points, axis.low, axis.high, series);
    }
    for (column, row, dots, series) in grid.cells() {
        let sign = if model.glyphs.is_ascii { '*' } else { dots };
        put_at(buffer, plot, column, row, &Line::from(Span::styled(sign.to_string(), model.theme.series(series))));
    }
}

/// Relative times, so that the axis stands still while the curves move.
fn draw_time(model: &Model, buffer: &mut Buffer, inner: Rect, plot: Rect) {
    let row = usize::from(plot.height);
    let range = model.metrics.range_ms();
    let parts = if plot.width >= 60 { 4_u64 } else { 2 };
    for part in 0..parts {
        let ago = range - range / parts * part;
        let share = real(usize::try_from(part).unwrap_or(0)) / real(usize::try_from(parts).unwrap_or(1));
        let column = AXIS_WIDTH + quantity::cell(share * f64::from(plot.width), usize::from(plot.width));
        put_at(buffer, inner, column, row, &Line::from(Span::styled(ago_text(ago), model.theme.dim)));
    }
    let ends = Rect { width: plot.x + plot.width - inner.x, ..inner };
    put_right(buffer, ends, row, &Line::from(Span::styled("now", model.theme.dim)));
}

fn ago_text(milliseconds: u64) -> String {
    let (seconds, minutes) = (milliseconds / 1_000, milliseconds / 60_000);
    if minutes >= 60 && minutes.is_multiple_of(60) {
        format!("-{}h", minutes / 60)
    } else if seconds.is_multiple_of(60) {
        format!("-{minutes}m")
    } else {
        format!("-{minutes}m{:02}s", seconds % 60)
    }
}

fn draw_legend(model: &Model, buffer: &mut Buffer, inner: Rect, panel: &PanelData) {
    let mut line = Line::default();
    let width = (usize::from(inner.width).saturating_sub(2) / panel.curves.len().clamp(1, 4)).max(12);
    for (series, curve) in panel.curves.iter().enumerate() {
        let newest = curve.points.last().copied().flatten();
        let newest = newest.map(|value| with_unit(value, panel.unit.as_deref())).unwrap_or_default();
        let text = format!(" {} {newest}", sanitize(&curve.label));
        line.push_span(Span::styled(model.glyphs.legend, model.theme.series(series)));
        line.push_span(Span::styled(padded(&text, width.saturating_sub(1), model.glyphs.cut), Style::default()));
    }
    if panel.left_out > 0 {
        line.push_span(Span::styled(format!("and {} more", panel.left_out), model.theme.dim));
    }
    put_at(buffer, inner, 1, usize::from(inner.height) - 1, &line);
}
