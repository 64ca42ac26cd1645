//! Where the parts of a plot stand: numbers at the left, the plot, the strips of alerts, the time, the legend.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::axis::Axis;
use super::{AXIS_WIDTH, Chart, grid, legend, time};
use crate::tui::quantity::{self, small};
use crate::tui::widgets::text::{cut, put_at, put_sign};

/// Inner rows from which on there is a legend.
const LEGEND_FROM: usize = 6;
/// Inner rows from which on every curve may have a row of its own in it.
const ROWS_FROM: usize = 14;
/// Strips of alerts, at most.
const MOST_STRIPS: usize = 4;

/// The places of the parts, in the order of the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Frame {
    /// Everything.
    pub(super) inner: Rect,
    /// The curves.
    pub(super) plot: Rect,
    /// Strips of alerts below them.
    pub(super) strips: usize,
    /// Rows of the legend, below the row of the time.
    pub(super) legend: usize,
}

impl Frame {
    /// The frame of a chart that has `entries` entries in its legend.
    pub(super) fn new(chart: &Chart<'_>, inner: Rect, entries: usize) -> Self {
        if chart.is_small {
            return Self::of_plot(inner);
        }
        let rows = usize::from(inner.height);
        let legend = match rows {
            0..LEGEND_FROM => 0,
            LEGEND_FROM..ROWS_FROM => 1,
            _ => entries.min(rows / 3).max(1),
        };
        let alerts = time::strips(chart).len();
        let strips = match rows {
            0..LEGEND_FROM => 0,
            LEGEND_FROM..ROWS_FROM => alerts.min(1),
            _ => alerts.min(MOST_STRIPS),
        };
        let height = rows.saturating_sub(1 + legend + strips);
        let plot = Rect {
            x: inner.x + small(AXIS_WIDTH),
            y: inner.y,
            width: inner.width.saturating_sub(small(AXIS_WIDTH) + 1),
            height: small(height),
        };
        Self { inner, plot, strips, legend }
    }

    /// A frame of nothing but the vertical axis and the plot.
    fn of_plot(inner: Rect) -> Self {
        let axis = small(AXIS_WIDTH);
        let plot = Rect { x: inner.x.saturating_add(axis), width: inner.width.saturating_sub(axis), ..inner };
        Self { inner, plot, strips: 0, legend: 0 }
    }

    /// A frame of nothing but strips of alerts, in columns as those of a chart that has the width of `area` for itself.
    pub(super) fn of_strips(area: Rect) -> Self {
        let inner = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
        let plot = Rect {
            x: inner.x + small(AXIS_WIDTH),
            width: inner.width.saturating_sub(small(AXIS_WIDTH) + 1),
            height: 0,
            ..inner
        };
        Self { inner, plot, strips: usize::from(area.height), legend: 0 }
    }

    /// Columns and rows of the plot.
    pub(super) fn size(&self) -> (usize, usize) {
        (usize::from(self.plot.width), usize::from(self.plot.height))
    }

    /// The cell column in which a data column is drawn.
    pub(super) fn cell_of(&self, chart: &Chart<'_>, column: usize) -> usize {
        let across = grid::across(chart.model.metrics.drawing);
        let dots = (usize::from(self.plot.width) * across).saturating_sub(1);
        let last = chart.columns.saturating_sub(1);
        let dot = column.min(last).saturating_mul(dots).checked_div(last).unwrap_or(dots);
        dot / across
    }

    /// The line of the vertical axis with round numbers or, where there are a few rows only, with the ends of what is drawn.
    pub(super) fn draw_axis(&self, chart: &Chart<'_>, buffer: &mut Buffer, axis: &Axis, extent: (f64, f64)) {
        let (_, height) = self.size();
        if chart.is_small {
            self.draw_labels(chart, buffer, ends(chart, axis, extent, height).into_iter());
            return;
        }
        let labels = axis.ticks().map(|tick| (axis.row(tick, height), axis.label(tick, chart.unit)));
        self.draw_labels(chart, buffer, labels);
    }

    /// The line of the vertical axis, with a text at some of its rows.
    pub(super) fn draw_labels(
        &self,
        chart: &Chart<'_>,
        buffer: &mut Buffer,
        labels: impl Iterator<Item = (usize, String)>,
    ) {
        let (glyphs, theme) = (chart.model.glyphs, &chart.model.theme);
        let (_, height) = self.size();
        for row in 0..height {
            put_sign(buffer, self.inner, AXIS_WIDTH - 1, row, glyphs.axis, theme.border);
        }
        for (row, text) in labels {
            let text = cut(&text, AXIS_WIDTH - 2, glyphs.cut);
            let column = (AXIS_WIDTH - 2).saturating_sub(text.width());
            put_at(buffer, self.inner, column, row, &Line::from(Span::styled(text, theme.dim)));
            put_sign(buffer, self.inner, AXIS_WIDTH - 1, row, glyphs.tick, theme.border);
        }
    }

    /// Deploys, runs and the crosshair, below whatever is drawn later.
    pub(super) fn draw_behind(&self, chart: &Chart<'_>, buffer: &mut Buffer) {
        time::draw_marks(chart, buffer, self);
        time::draw_cursor(chart, buffer, self);
    }

    /// Alerts and time. The legend follows.
    pub(super) fn draw_below(&self, chart: &Chart<'_>, buffer: &mut Buffer) {
        if chart.is_small {
            return;
        }
        time::draw_strips(chart, buffer, self);
        time::draw_axis(chart, buffer, self);
        legend::draw(chart, buffer, self.legend_area());
    }

    /// The rows of the legend.
    pub(super) fn legend_area(&self) -> Rect {
        let height = small(self.legend);
        let bottom = self.inner.y + self.inner.height;
        Rect {
            x: self.inner.x + 1,
            y: bottom.saturating_sub(height),
            width: self.inner.width.saturating_sub(2),
            height,
        }
    }
}

/// The highest and the lowest value, each in its row, and zero where it has a row of its own.
fn ends(chart: &Chart<'_>, axis: &Axis, (low, high): (f64, f64), height: usize) -> Vec<(usize, String)> {
    let mut ends: Vec<(usize, String)> = Vec::new();
    let zero = axis.holds(0.0).then_some(0.0);
    for value in [Some(high), Some(low), zero].into_iter().flatten() {
        let row = axis.row(value, height);
        if ends.iter().all(|(taken, _)| *taken != row) {
            ends.push((row, quantity::at_axis(value, chart.unit).unwrap_or_else(|| quantity::value(value))));
        }
    }
    ends
}
