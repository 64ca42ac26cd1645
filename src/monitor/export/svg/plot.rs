//! The rectangle in which a course is drawn: where in it a column and a value stand, its grid, its axes.

use super::canvas::{Anchor, Canvas, SIZE, count, extent, fitted};
use super::scale::Scale;
use super::time::{TimeScale, seconds};
use super::{EDGE, Picture, TOP};
use crate::pipeline::Moment;

/// Room for the numbers of the vertical axis.
const LEFT: f64 = 64.0;
/// Room for the numbers of the time axis.
pub(super) const TIMES: f64 = 26.0;
/// How far a stroke at the edge of the plot reaches beyond it.
const STROKE: f64 = 1.0;

/// The rectangle, and how many columns are in it.
pub(super) struct Plot {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) columns: usize,
}

impl Plot {
    /// All of the picture but its heading, its axes and what stands below them.
    pub(super) fn of(picture: &Picture, below: f64) -> Self {
        let size = (f64::from(picture.width) - LEFT - EDGE, f64::from(picture.height) - TOP - TIMES - below - 8.0);
        Self::within(picture, (LEFT, TOP), size)
    }

    /// A rectangle of that size at that place.
    pub(super) fn within(picture: &Picture, (left, top): (f64, f64), (width, height): (f64, f64)) -> Self {
        let points = picture.curves.iter().map(|curve| curve.points.len());
        let counts = picture.buckets.iter().map(|bucket| bucket.counts.len());
        let columns = points.chain(counts).max().unwrap_or(0).max(2);
        Self { left, top, width: width.max(10.0), height: height.max(10.0), columns }
    }

    /// Where a column is; parts of one are allowed.
    pub(super) fn x(&self, column: f64) -> f64 {
        self.left + column / (count(self.columns) - 1.0) * self.width
    }

    /// Where a value is, perhaps beyond the edges.
    pub(super) fn y(&self, value: f64, scale: &Scale) -> f64 {
        self.top + (1.0 - scale.share(value)) * self.height
    }

    /// From where to where columns are, half a column before the first and behind the last, as far as there is room.
    pub(super) fn between(&self, from: usize, to: usize) -> (f64, f64) {
        let last = self.columns - 1;
        let left = self.x(count(from.min(last)) - 0.5).max(self.left);
        (left, self.x(count(to.min(last)) + 0.5).min(self.right()))
    }

    pub(super) fn right(&self) -> f64 {
        self.left + self.width
    }

    pub(super) fn bottom(&self) -> f64 {
        self.top + self.height
    }

    /// The moment of the first column.
    pub(super) fn begin(&self, picture: &Picture) -> Moment {
        Moment(picture.end.0.saturating_sub(i64::try_from(self.range(picture)).unwrap_or(i64::MAX)))
    }

    fn range(&self, picture: &Picture) -> u64 {
        picture.step.saturating_mul(u64::try_from(self.columns - 1).unwrap_or(u64::MAX))
    }

    /// The numbers of the vertical axis, with a line at each.
    pub(super) fn draw_scale(&self, canvas: &mut Canvas<'_>, scale: &Scale) {
        let theme = canvas.theme;
        for (tick, label) in scale.labels(canvas.picture.unit.as_deref()) {
            let y = self.y(tick, scale);
            canvas.line((self.left, y), (self.right(), y), theme.grid, "");
            let label = fitted(&label, self.left - 10.0);
            canvas.text((self.left - 8.0, y + 4.0), Anchor::End, theme.faint, &label);
        }
    }

    /// The moments of the time axis, with a line at each.
    pub(super) fn draw_times(&self, canvas: &mut Canvas<'_>) {
        let (picture, theme) = (canvas.picture, canvas.theme);
        let last = count(self.columns) - 1.0;
        let times = TimeScale::of(picture.end, self.range(picture), self.width);
        for tick in times.ticks() {
            let ago = seconds(picture.end.since(tick)) / seconds(picture.step.max(1));
            let x = self.x(last - ago);
            canvas.line((x, self.top), (x, self.bottom() + 4.0), theme.grid, "");
            let label = times.label(tick);
            // What stands at an edge stays within the picture.
            let half = extent(&label, SIZE) / 2.0;
            let middle = x.min(canvas.width() - half).max(half);
            canvas.text((middle, self.bottom() + 18.0), Anchor::Middle, theme.faint, &label);
        }
    }

    /// Cuts off what is drawn beyond the edges.
    pub(super) fn clipped(&self, canvas: &mut Canvas<'_>, draw: impl FnOnce(&mut Canvas<'_>)) {
        let (left, top) = (self.left - STROKE, self.top - STROKE);
        let (width, height) = (self.width + 2.0 * STROKE, self.height + 2.0 * STROKE);
        // A picture within the picture is cut at its edges without a name by which others would have to refer to it.
        canvas.put(format_args!(
            "<svg x=\"{left:.1}\" y=\"{top:.1}\" width=\"{width:.1}\" height=\"{height:.1}\" \
             viewBox=\"{left:.1} {top:.1} {width:.1} {height:.1}\" overflow=\"hidden\">"
        ));
        draw(canvas);
        canvas.put(format_args!("</svg>"));
    }
}
