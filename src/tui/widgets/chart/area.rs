//! Curves that stand on each other, filled.
//!
//! A cell column shows the moment of its greatest sum, so that no peak is lost, and, lighter, how far the sum went down within
//! it. Layers are told apart by their shade, not by colour alone. What is below zero adds nothing.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::axis::{Axis, Wanted};
use super::frame::Frame;
use super::gather::range;
use super::{Chart, labels, say_nothing};
use crate::tui::metrics::Drawing;
use crate::tui::quantity::{cell, real};
use crate::tui::widgets::text::put_sign;

/// Steps within a cell at the top of the pile.
const STEPS: usize = 8;

/// What stands in one cell column.
struct Pile {
    /// The upper edge of each layer where the sum is greatest.
    edges: Vec<f64>,
    /// The greatest sum.
    high: f64,
    /// The least.
    low: f64,
}

/// Draws the panel.
pub(super) fn draw(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect) {
    let frame = Frame::new(chart, inner, chart.panel.curves.len());
    let (width, height) = frame.size();
    let piles: Vec<Option<Pile>> = (0..width).map(|column| pile(chart, column, width)).collect();
    let extents = piles.iter().flatten().map(|pile| (pile.low, pile.high));
    let extent = extents.reduce(|one, other| (one.0.min(other.0), one.1.max(other.1)));
    // A pile stands on zero, and its layers can only be compared on a linear axis.
    let wanted = Wanted { min: Some(0.0), log: false, ..chart.fitting(chart.wanted(), extent) };
    let Some((axis, extent)) = Axis::of(extent.map(|(_, high)| (0.0, high)), height, wanted).zip(extent) else {
        say_nothing(chart, buffer, inner);
        return;
    };
    frame.draw_axis(chart, buffer, &axis, extent);
    frame.draw_behind(chart, buffer);
    for (column, pile) in piles.iter().enumerate() {
        // The crosshair stays visible.
        let is_cursor = chart.cursor.is_some_and(|cursor| frame.cell_of(chart, cursor) == column);
        if let Some(pile) = pile.as_ref().filter(|_| !is_cursor) {
            draw_pile(chart, buffer, &frame, column, pile, &axis);
        }
    }
    labels::draw(chart, buffer, &frame, &[]);
    frame.draw_below(chart, buffer);
}

/// The sign of a layer.
pub(super) fn layer(chart: &Chart<'_>, series: usize) -> &'static str {
    let layers = &chart.glyphs().layers;
    layers.get(series % layers.len()).copied().unwrap_or("#")
}

fn pile(chart: &Chart<'_>, column: usize, width: usize) -> Option<Pile> {
    let curves = &chart.panel.curves;
    let (begin, end) = range(column, width, chart.columns);
    // With fewer points than cells, a point stands until the next.
    let (begin, end) = if begin == end { (begin.checked_sub(1)?, begin) } else { (begin, end) };
    let mut peak: Option<(usize, f64)> = None;
    let mut low = f64::INFINITY;
    for index in begin..end {
        let mut values = curves.iter().filter_map(|curve| value(curve.points.get(index))).peekable();
        if values.peek().is_none() {
            continue;
        }
        let sum: f64 = values.sum();
        low = low.min(sum);
        if peak.is_none_or(|(_, known)| sum > known) {
            peak = Some((index, sum));
        }
    }
    let (index, high) = peak?;
    let mut edge = 0.0;
    let edges = curves.iter().map(|curve| {
        edge += value(curve.points.get(index)).unwrap_or(0.0);
        edge
    });
    Some(Pile { edges: edges.collect(), high, low })
}

fn value(point: Option<&Option<f64>>) -> Option<f64> {
    point.copied().flatten().filter(|value| value.is_finite()).map(|value| value.max(0.0))
}

fn draw_pile(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame, column: usize, pile: &Pile, axis: &Axis) {
    let theme = &chart.model.theme;
    let (_, height) = frame.size();
    let steps = height * STEPS;
    let filled = |value: f64| cell(axis.share(value) * real(steps), steps);
    let (top, valley) = (filled(pile.high), filled(pile.low));
    let last = pile.edges.len().saturating_sub(1);
    for row in 0..height {
        // Of this row: the steps below it, and its middle as a value.
        let below = (height - 1 - row) * STEPS;
        if top <= below {
            continue;
        }
        let middle = (below + STEPS / 2).min(top.saturating_sub(1));
        let series = pile.edges.iter().position(|edge| filled(*edge) > middle).unwrap_or(last);
        let rest = top - below;
        let sign = if rest < STEPS && chart.model.metrics.drawing != Drawing::Ascii {
            chart.glyphs().levels.get(rest.saturating_sub(1)).copied().unwrap_or(" ")
        } else if series == last && valley <= below && top >= below + STEPS && valley < top {
            // The sum was lower than this in some part of the column.
            chart.glyphs().pending
        } else {
            layer(chart, series)
        };
        put_sign(buffer, frame.plot, column, row, sign, theme.series(series));
    }
}
