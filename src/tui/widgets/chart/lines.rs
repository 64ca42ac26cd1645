//! Curves.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Style;

use super::axis::Axis;
use super::frame::Frame;
use super::gather::{Bucket, extent, gather};
use super::grid::Grid;
use super::labels::{self, Threshold};
use super::{Chart, say_nothing};
use crate::tui::widgets::text::put_sign;

/// Draws the panel.
pub(super) fn draw(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect) {
    let frame = Frame::new(chart, inner, chart.panel.curves.len());
    let (width, height) = frame.size();
    let wanted = chart.wanted();
    let mut grid = Grid::new(width, height, chart.model.metrics.drawing);
    let floor = Axis::floor(wanted);
    let curves: Vec<Vec<Bucket>> =
        chart.panel.curves.iter().map(|curve| gather(curve, grid.columns(), floor)).collect();
    let extent = extent(&curves);
    let Some((axis, extent)) = Axis::of(extent, height, chart.fitting(wanted, extent)).zip(extent) else {
        say_nothing(chart, buffer, inner);
        return;
    };
    frame.draw_axis(chart, buffer, &axis, extent);
    let thresholds = draw_thresholds(chart, buffer, &frame, &axis);
    frame.draw_behind(chart, buffer);
    for (series, buckets) in curves.iter().enumerate() {
        grid.draw(buckets, &axis, series);
    }
    let mut bytes = [0; 4];
    for (column, row, sign, series) in grid.cells() {
        put_sign(buffer, frame.plot, column, row, sign.encode_utf8(&mut bytes), chart.model.theme.series(series));
    }
    labels::draw(chart, buffer, &frame, &thresholds);
    frame.draw_below(chart, buffer);
}

/// A dashed line at each threshold that is on the axis; the name and the row of each, the worse one first.
fn draw_thresholds(chart: &Chart<'_>, buffer: &mut Buffer, frame: &Frame, axis: &Axis) -> Vec<Threshold> {
    let Some((warn, bad)) = chart.panel.thresholds else { return Vec::new() };
    let theme = &chart.model.theme;
    let (width, height) = frame.size();
    let lines: [(f64, &'static str, Style); 2] = [(bad, "bad", theme.bad), (warn, "warn", theme.warn)];
    let mut names = Vec::new();
    for (value, name, style) in lines.into_iter().filter(|(value, ..)| axis.holds(*value)) {
        let row = axis.row(value, height);
        for column in 0..width {
            put_sign(buffer, frame.plot, column, row, chart.model.glyphs.threshold, style);
        }
        names.push((row, name, style));
    }
    names
}
