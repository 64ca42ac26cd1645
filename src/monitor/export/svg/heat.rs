//! The buckets of a histogram over time: a row for each, the more colour the more fell into it.
//!
//! A field in which nothing fell is faint, one in which nothing was measured is empty.

use std::fmt::Write as _;

use super::scale::latest;
use super::{Picture, Plot, Theme, count, text};

/// Pixels between two bounds at the axis, at least.
const APART: f64 = 14.0;

/// One row.
#[derive(Debug, Clone, PartialEq)]
pub struct PictureBucket {
    /// Its upper bound.
    pub bound: String,
    /// What fell into it, a number a column; `None` where nothing was measured.
    pub counts: Vec<Option<f64>>,
}

/// The greatest number in a field; `None` if nothing was measured at all.
pub(super) fn greatest(picture: &Picture) -> Option<f64> {
    let counts = picture.buckets.iter().flat_map(|bucket| bucket.counts.iter().flatten().copied());
    counts.filter(|count| count.is_finite()).reduce(f64::max)
}

/// What the shades mean, for the heading.
pub(super) fn heading(picture: &Picture) -> Option<String> {
    greatest(picture).map(|most| format!("each row has its upper bound, the fullest field {}", latest(most)))
}

/// Fields of one shade beside each other are one.
pub(super) fn draw(svg: &mut String, picture: &Picture, plot: &Plot, most: f64, theme: &Theme) {
    let height = plot.height / count(picture.buckets.len()).max(1.0);
    let mut labelled = f64::INFINITY;
    for (row, bucket) in picture.buckets.iter().enumerate() {
        let top = plot.bottom() - height * (count(row) + 1.0);
        let shades: Vec<Option<u8>> = bucket.counts.iter().map(|count| shade((*count)?, most)).collect();
        let mut begin = 0;
        for run in shades.chunk_by(|one, other| one == other) {
            let end = begin + run.len();
            if let Some(shade) = run.first().copied().flatten() {
                let left = plot.x(count(begin) - 0.5).max(plot.left);
                let width = plot.x(count(end) - 0.5).min(plot.right()) - left;
                field(svg, (left, top), (width, height), shade, theme);
            }
            begin = end;
        }
        let middle = top + height / 2.0;
        if labelled - middle >= APART {
            text(svg, (plot.left - 8.0, middle + 4.0), "end", theme.faint, &bucket.bound);
            labelled = middle;
        }
    }
}

fn field(svg: &mut String, (x, y): (f64, f64), (width, height): (f64, f64), shade: u8, theme: &Theme) {
    let color = theme.curves.first().copied().unwrap_or(theme.text);
    let (color, opacity) = if shade == 0 { (theme.grid, 0.5) } else { (color, f64::from(shade) / 4.0) };
    // Writing to a string cannot fail.
    let _ = writeln!(
        svg,
        "<rect x=\"{x:.1}\" y=\"{y:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" fill=\"{color}\" \
         fill-opacity=\"{opacity:.2}\"/>"
    );
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
