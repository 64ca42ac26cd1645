//! The buckets of a histogram over time: a row for each, the darker the more fell into it.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::text::{Line, Span};

use super::frame::Frame;
use super::gather::range;
use super::{Chart, labels, say, time};
use crate::api::types::Bucket;
use crate::tui::quantity::{self, cell};
use crate::tui::widgets::text::{put, put_sign, sanitize};

/// Draws the panel.
pub(super) fn draw(chart: &Chart<'_>, buffer: &mut Buffer, inner: Rect) {
    let (model, buckets) = (chart.model, &chart.panel.buckets);
    if buckets.is_empty() {
        let text = "there are no buckets: a heat map wants an expression that keeps the label le, such as \
                    sum by (le) (rate(NAME_bucket[1m])), and a histogram that was measured in this time";
        say(model, buffer, inner, text, model.theme.dim);
        return;
    }
    let frame = Frame::new(chart, inner, 1);
    let (width, height) = frame.size();
    let rows = height.min(buckets.len());
    let fields: Vec<Vec<Option<f64>>> = (0..rows).map(|row| field_row(chart, row, rows, width)).collect();
    let most = fields.iter().flatten().flatten().copied().fold(0.0, f64::max);
    // Where there is room, all rows are equally tall; each has its upper bound at its upper edge.
    let tall = height.checked_div(rows).unwrap_or(1).max(1);
    let cells_of = |row: usize| (height - (row + 1) * tall)..(height - row * tall);
    let labels = (0..rows).map(|row| (cells_of(row).start, bound(chart, last_bucket(row, rows, buckets.len()))));
    frame.draw_labels(chart, buffer, labels);
    frame.draw_behind(chart, buffer);
    let cursor = chart.cursor.map(|cursor| frame.cell_of(chart, cursor));
    for (row, fields) in fields.iter().enumerate() {
        for (column, field) in fields.iter().enumerate().filter(|(column, _)| Some(*column) != cursor) {
            if let Some(count) = field {
                let level = level(*count, most);
                let style = if level == 0 { model.theme.border } else { model.theme.series(0) };
                for cell in cells_of(row) {
                    put_sign(buffer, frame.plot, column, cell, sign(chart, level), style);
                }
            }
        }
    }
    labels::draw(chart, buffer, &frame, &[]);
    time::draw_strips(chart, buffer, &frame);
    time::draw_axis(chart, buffer, &frame);
    if frame.legend > 0 {
        put(buffer, frame.legend_area(), 0, &legend(chart, most));
    }
}

/// The buckets of a row, the lowest row first: neighbours share one where there are too many.
fn buckets_of(row: usize, rows: usize, buckets: usize) -> std::ops::Range<usize> {
    let begin = |row: usize| (row * buckets).checked_div(rows).unwrap_or(0);
    begin(row)..begin(row + 1)
}

fn last_bucket(row: usize, rows: usize, buckets: usize) -> usize {
    buckets_of(row, rows, buckets).end.saturating_sub(1)
}

/// What fell into the buckets of a row, a number a cell: of several columns in one cell the greatest.
fn field_row(chart: &Chart<'_>, row: usize, rows: usize, width: usize) -> Vec<Option<f64>> {
    let buckets = &chart.panel.buckets;
    let members = buckets.get(buckets_of(row, rows, buckets.len())).unwrap_or_default();
    let count_at = |index: usize| {
        let counts = members.iter().filter_map(|bucket| bucket.counts.get(index).copied().flatten());
        counts.filter(|count| count.is_finite()).reduce(|one, other| one + other)
    };
    let field = |column: usize| {
        let (begin, end) = range(column, width, chart.columns);
        // With fewer columns than cells, one stands until the next.
        let (begin, end) = if begin == end { (begin.checked_sub(1)?, begin) } else { (begin, end) };
        (begin..end).filter_map(count_at).reduce(f64::max)
    };
    (0..width).map(field).collect()
}

/// 0 for none, else 1 to 4. By the root, so that few are told from none beside many.
fn level(count: f64, most: f64) -> usize {
    if count <= 0.0 || most <= 0.0 {
        return 0;
    }
    cell((count / most).sqrt() * 4.0, 4).max(1)
}

fn sign(chart: &Chart<'_>, level: usize) -> &'static str {
    chart.glyphs().heat.get(level).copied().unwrap_or(" ")
}

/// The upper bound of a bucket.
fn bound(chart: &Chart<'_>, bucket: usize) -> String {
    let Some(bucket) = chart.panel.buckets.get(bucket) else { return String::new() };
    match bucket.bound.parse::<f64>() {
        Ok(bound) if bound.is_finite() => {
            quantity::at_axis(bound, chart.unit).unwrap_or_else(|| quantity::value(bound))
        }
        _ => sanitize(&bucket.bound),
    }
}

/// The scale; at the crosshair, how many there were and where most of them fell.
fn legend(chart: &Chart<'_>, most: f64) -> Line<'static> {
    let theme = &chart.model.theme;
    let Some(cursor) = chart.cursor else {
        let mut line = Line::from(Span::styled("none ", theme.dim));
        for level in 0..=4 {
            line.push_span(Span::styled(sign(chart, level), theme.series(0)));
        }
        let most = format!(" {}   each row has its upper bound", quantity::value(most));
        line.push_span(Span::styled(most, theme.dim));
        return line;
    };
    let at = |bucket: &Bucket| bucket.counts.get(cursor).copied().flatten();
    let counts: Vec<(usize, f64)> =
        chart.panel.buckets.iter().enumerate().filter_map(|(index, bucket)| Some((index, at(bucket)?))).collect();
    let mut line = Line::from(Span::styled(format!("{} ", time::cursor_text(chart, cursor)), theme.accent));
    let text = match counts.iter().copied().max_by(|(_, one), (_, other)| one.total_cmp(other)) {
        None => "no value".to_owned(),
        Some((bucket, count)) => {
            let all: f64 = counts.iter().map(|(_, count)| count).sum();
            let (all, count) = (quantity::value(all), quantity::value(count));
            format!("{all} in all, most of them up to {}: {count}", bound(chart, bucket))
        }
    };
    line.push_span(Span::raw(text));
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bucket_has_a_row_and_neighbours_share_one() {
        for (rows, buckets) in [(4, 4), (4, 10), (1, 7), (3, 64)] {
            let all: Vec<usize> = (0..rows).flat_map(|row| buckets_of(row, rows, buckets)).collect();
            assert_eq!(all, (0..buckets).collect::<Vec<_>>());
        }
    }

    #[test]
    fn few_are_told_from_none() {
        assert_eq!([0.0, 0.001, 25.0, 100.0].map(|count| level(count, 100.0)), [0, 1, 2, 4]);
        assert_eq!(level(1.0, 0.0), 0);
    }
}
