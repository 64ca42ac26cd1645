//! The buckets of a histogram over time: a row for each, the more colour the more fell into it.
//!
//! A field in which nothing fell is faint, one in which nothing was measured is empty.

use super::canvas::{Anchor, Canvas, SIZE, count, extent, fitted};
use super::legend::ROW;
use super::plot::{Plot, TIMES};
use super::{Picture, marks, say};
use crate::pipeline::quantity;

/// Pixels between two bounds at the axis, at least.
const APART: f64 = 14.0;
/// The width of a shade in the legend.
const SHADE: f64 = 16.0;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureBucket {
    /// Its upper bound.
    pub bound: String,
    /// What fell into it, a number a column; `None` where nothing was measured.
    pub counts: Vec<Option<f64>>,
}

/// The greatest number in a field; `None` if nothing was measured at all.
fn greatest(picture: &Picture) -> Option<f64> {
    let counts = picture.buckets.iter().flat_map(|bucket| bucket.counts.iter().flatten().copied());
    counts.filter(|count| count.is_finite()).reduce(f64::max)
}

/// Draws the panel. Fields of one shade beside each other are one.
pub(super) fn draw(canvas: &mut Canvas<'_>) {
    let picture = canvas.picture;
    let Some(most) = greatest(picture) else {
        say(
            canvas,
            "there are no buckets: a heat map wants an expression that keeps the label le, and a histogram that was \
             measured in this time",
        );
        return;
    };
    let plot = Plot::of(picture, ROW);
    let height = plot.height / count(picture.buckets.len()).max(1.0);
    let mut labelled = f64::INFINITY;
    for (row, bucket) in picture.buckets.iter().enumerate() {
        let top = plot.bottom() - height * (count(row) + 1.0);
        let shades: Vec<Option<u8>> = bucket.counts.iter().map(|count| shade((*count)?, most)).collect();
        let mut begin = 0;
        for run in shades.chunk_by(|one, other| one == other) {
            let end = begin + run.len();
            if let Some(shade) = run.first().copied().flatten() {
                let (left, right) = plot.between(begin, end.saturating_sub(1));
                field(canvas, (left, top), (right - left, height), shade);
            }
            begin = end;
        }
        let middle = top + height / 2.0;
        if labelled - middle >= APART {
            let bound = fitted(&bound(bucket, picture.unit.as_deref()), plot.left - 10.0);
            canvas.text((plot.left - 8.0, middle + 4.0), Anchor::End, canvas.theme.faint, &bound);
            labelled = middle;
        }
    }
    plot.draw_times(canvas);
    marks::draw_alerts(canvas, &plot);
    marks::draw_events(canvas, &plot);
    draw_shades(canvas, &plot, most);
}

/// An upper bound in the unit of the panel.
fn bound(bucket: &PictureBucket, unit: Option<&str>) -> String {
    match bucket.bound.parse::<f64>() {
        Ok(bound) if bound.is_finite() => quantity::at_axis(bound, unit).unwrap_or_else(|| quantity::value(bound)),
        _ => bucket.bound.clone(),
    }
}

/// What the shades mean.
fn draw_shades(canvas: &mut Canvas<'_>, plot: &Plot, most: f64) {
    let y = plot.bottom() + TIMES + 12.0;
    let faint = canvas.theme.faint;
    canvas.text((plot.left, y), Anchor::Start, faint, "none");
    let mut x = plot.left + extent("none", SIZE) + 6.0;
    for shade in 0..=4 {
        field(canvas, (x, y - 9.0), (SHADE, 10.0), shade);
        x += SHADE;
    }
    let said = format!("{} at most; each row has its upper bound", quantity::value(most));
    canvas.text((x + 6.0, y), Anchor::Start, faint, &fitted(&said, plot.right() - x - 6.0));
}

fn field(canvas: &mut Canvas<'_>, at: (f64, f64), size: (f64, f64), shade: u8) {
    let theme = canvas.theme;
    let (color, opacity) = if shade == 0 { (theme.grid, 0.5) } else { (theme.curve(0), f64::from(shade) / 4.0) };
    canvas.rectangle(at, size, color, opacity);
}

/// 0 for none, else 1 to 4; by the root, so that few are told from none beside many.
fn shade(count: f64, most: f64) -> Option<u8> {
    if !count.is_finite() {
        return None;
    }
    if count <= 0.0 || most <= 0.0 {
        return Some(0);
    }
    Some(match (count / most).sqrt() {
        share if share < 0.375 => 1,
        share if share < 0.625 => 2,
        share if share < 0.875 => 3,
        _ => 4,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_told_from_none_and_none_from_what_was_not_measured() {
        let shades = [0.0, 0.001, 25.0, 100.0, f64::NAN].map(|count| shade(count, 100.0));
        assert_eq!(shades, [Some(0), Some(1), Some(2), Some(4), None]);
    }
}
