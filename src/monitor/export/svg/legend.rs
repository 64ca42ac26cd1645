//! The legend: which curve is which, with its least, mean, greatest and last value in the unit of the panel.
//!
//! It has a row for each curve, as far as they leave the greater part of the picture to the plot; those that have no room are
//! counted. Where it is narrow, the figures that say least are left out, and names are cut.

use super::canvas::{Anchor, Canvas, SIZE, count, extent, fitted};
use super::plot::{Plot, TIMES};
use super::{EDGE, Picture, PictureCurve, TOP, figure};
use crate::monitor::CurveStatistics;

/// The height of a row.
pub(super) const ROW: f64 = 18.0;
/// The share of the picture that it may take.
const SHARE: f64 = 0.5;
/// The width of a figure with the word before it.
const FIGURE: f64 = 112.0;
/// The least width of a name.
const NAME: f64 = 96.0;
/// Room for the sign of a curve.
const SIGN: f64 = 18.0;

/// What is said of a curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Figure {
    Min,
    Mean,
    Max,
    Last,
}

impl Figure {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Min => "min",
            Self::Mean => "mean",
            Self::Max => "max",
            Self::Last => "last",
        }
    }

    /// Its value; `None` if nothing was measured.
    pub(super) fn of(self, told: Option<CurveStatistics>) -> Option<f64> {
        let told = told?;
        match self {
            Self::Min => Some(told.min),
            Self::Mean => Some(told.mean),
            Self::Max => Some(told.max),
            Self::Last => told.last,
        }
    }
}

/// As many figures as have room beside a name, those that say most.
pub(super) fn figures(width: f64) -> &'static [Figure] {
    let room = (width - NAME) / FIGURE;
    match room {
        room if room >= 4.0 => &[Figure::Min, Figure::Mean, Figure::Max, Figure::Last],
        room if room >= 3.0 => &[Figure::Min, Figure::Max, Figure::Last],
        room if room >= 2.0 => &[Figure::Max, Figure::Last],
        _ => &[Figure::Last],
    }
}

/// How many rows of the legend tell of curves, and how many curves have none.
pub(super) struct Legend {
    shown: usize,
    hidden: usize,
}

impl Legend {
    /// The legend of the curves that a picture has room for.
    pub(super) fn of(picture: &Picture) -> Self {
        let room = (f64::from(picture.height) - TOP - TIMES) * SHARE;
        let curves = picture.curves.len();
        let fit = (0..=curves + 1).rev().find(|rows| count(*rows) * ROW <= room).unwrap_or(0);
        let needed = curves + usize::from(picture.left_out > 0);
        let shown = if needed <= fit { curves } else { fit.saturating_sub(1) };
        Self { shown, hidden: curves.saturating_sub(shown) + picture.left_out }
    }

    /// Its height in pixels.
    pub(super) fn height(&self) -> f64 {
        ROW * count(self.shown + usize::from(self.hidden > 0))
    }

    /// Draws it below the plot.
    pub(super) fn draw(&self, canvas: &mut Canvas<'_>, plot: &Plot) {
        let (picture, theme) = (canvas.picture, canvas.theme);
        let row = |index: usize| plot.bottom() + TIMES + ROW * count(index) + 12.0;
        for (index, curve) in picture.curves.iter().take(self.shown).enumerate() {
            entry(canvas, plot, row(index), index, curve);
        }
        if self.hidden > 0 {
            let said = match self.shown {
                0 => format!("{} curves", self.hidden),
                _ => format!("and {} more", self.hidden),
            };
            let place = (plot.left.max(EDGE) + SIGN, row(self.shown));
            canvas.text(place, Anchor::Start, theme.faint, &fitted(&said, canvas.width() - place.0 - EDGE));
        }
    }
}

/// One curve: its sign, its name, its figures at the right, one below the other. The only curve is named by the heading.
fn entry(canvas: &mut Canvas<'_>, plot: &Plot, y: f64, index: usize, curve: &PictureCurve) {
    let (picture, theme) = (canvas.picture, canvas.theme);
    let (left, right) = (plot.left, canvas.width() - EDGE);
    let figures = figures(right - left - SIGN);
    let is_alone = picture.curves.len() == 1;
    let color = theme.curve(index);
    canvas.rectangle((left, y - 5.0), (12.0, 3.0), color, 1.0);
    if !is_alone {
        let room = right - left - SIGN - FIGURE * count(figures.len()) - 8.0;
        canvas.text((left + SIGN, y), Anchor::Start, theme.text, &fitted(&curve.label, room));
    }
    for (place, told) in figures.iter().enumerate() {
        let end = right - FIGURE * count(figures.len() - 1 - place);
        let end = if is_alone { left + SIGN + FIGURE * count(place + 1) } else { end };
        let value = figure(told.of(curve.statistics), picture.unit.as_deref());
        let value = fitted(&value, FIGURE - extent(told.word(), SIZE) - 12.0);
        canvas.text((end - extent(&value, SIZE) - 4.0, y), Anchor::End, theme.faint, told.word());
        canvas.text((end, y), Anchor::End, theme.text, &value);
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{curve, drawn};
    use super::*;

    fn rows(curves: usize, left_out: usize, height: u32) -> (usize, usize) {
        let curves = (0..curves).map(|index| curve(&format!("{index}"), &[Some(1.0)])).collect();
        let Legend { shown, hidden } = Legend::of(&Picture { left_out, height, ..drawn(curves) });
        (shown, hidden)
    }

    #[test]
    fn as_many_curves_are_named_as_leave_room_for_the_plot() {
        assert_eq!(rows(2, 0, 360), (2, 0));
        assert_eq!(rows(2, 3, 360), (2, 3));
        let (shown, hidden) = rows(40, 2, 360);
        assert_eq!(shown + hidden, 42);
        let legend = Legend { shown, hidden };
        assert!(shown > 3 && legend.height() <= 360.0 / 2.0, "{shown}");
        assert_eq!(rows(8, 0, 120), (0, 8));
        assert_eq!(rows(1, 0, 120), (1, 0));
        assert_eq!(rows(1, 0, 1), (0, 1));
    }

    #[test]
    fn the_newest_value_is_the_last_to_go() {
        assert_eq!(figures(880.0).len(), 4);
        assert_eq!(figures(300.0), [Figure::Last]);
        assert_eq!(figures(0.0), [Figure::Last]);
    }
}
