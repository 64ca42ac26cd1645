//! The newest value, large, with its course below; several curves have a row each.

use super::canvas::{Anchor, Canvas, SIZE, count, extent, fitted, fitted_in};
use super::curves::{filled, stroke};
use super::legend::{Legend, ROW};
use super::plot::{Plot, TIMES};
use super::scale::{PictureAxis, Scale};
use super::{EDGE, PictureCurve, TOP, figure, marks, say_nothing};

/// The size of the value, at most and at least.
const LARGEST: f64 = 54.0;
const SMALLEST: f64 = 16.0;
/// From the value to what the thresholds say of it.
const APART: f64 = 10.0;
/// Below this many pixels a course shows nothing.
const LEAST_COURSE: f64 = 16.0;
/// The height of the row of one of several curves, at most and at least.
const TALL: f64 = 44.0;
const LOW: f64 = 20.0;

/// Draws the panel.
pub(super) fn draw(canvas: &mut Canvas<'_>) {
    let picture = canvas.picture;
    match picture.curves.as_slice() {
        [] => say_nothing(canvas),
        [curve] => alone(canvas, curve),
        curves => beside_each_other(canvas, curves),
    }
}

/// The value, what the thresholds say of it, its course with all that happened, and its figures.
fn alone(canvas: &mut Canvas<'_>, curve: &PictureCurve) {
    let picture = canvas.picture;
    let (room, height) = (canvas.width() - 2.0 * EDGE, canvas.height());
    let newest = curve.newest();
    let said = figure(newest, picture.unit.as_deref());
    let wide = room * 0.6;
    let size = (height * 0.2).min(wide / extent(&said, 1.0).max(1.0)).clamp(SMALLEST, LARGEST);
    let verdict = newest.and_then(|value| canvas.theme.verdict(picture.thresholds, value));
    let color = verdict.map_or(canvas.theme.text, |(_, color)| color);
    // Behind it stands what the thresholds say.
    let behind = verdict.map_or(0.0, |(word, _)| APART + extent(word, SIZE));
    let said = fitted_in(&said, room - behind, size);
    let base = TOP + size;
    canvas.large((EDGE, base), size, color, &said);
    if let Some((word, _)) = verdict {
        canvas.text((EDGE + extent(&said, size) + APART, base), Anchor::Start, color, word);
    }
    let legend = Legend::of(picture);
    let top = base + 14.0;
    let below = TIMES + legend.height() + 8.0;
    if height - top - below < LEAST_COURSE {
        return;
    }
    let plot = Plot::within(picture, (EDGE, top), (room, height - top - below));
    marks::draw_alerts(canvas, &plot);
    plot.draw_times(canvas);
    if let Some(scale) = course(canvas, &plot, curve, 0) {
        marks::draw_thresholds(canvas, &plot, &scale);
    }
    marks::draw_events(canvas, &plot);
    legend.draw(canvas, &plot);
}

/// Draws the course of a curve, filled, on an axis of its own that holds zero unless the panel has other ends.
fn course(canvas: &mut Canvas<'_>, plot: &Plot, curve: &PictureCurve, index: usize) -> Option<Scale> {
    let wanted = PictureAxis { zero: true, log: false, ..canvas.picture.axis };
    let scale = Scale::of(curve.points.iter().flatten().copied(), plot.height, wanted)?;
    let color = canvas.theme.curve(index);
    plot.clipped(canvas, |canvas| {
        let below = filled(&curve.points, plot, &scale);
        canvas.put(format_args!("<path d=\"{below}\" fill=\"{color}\" fill-opacity=\"0.25\"/>"));
        let path = stroke(&curve.points, plot, &scale);
        canvas.put(format_args!(
            "<path d=\"{path}\" fill=\"none\" stroke=\"{color}\" stroke-width=\"1.5\" stroke-linejoin=\"round\" \
             stroke-linecap=\"round\"/>"
        ));
    });
    Some(scale)
}

/// A row for each: its name, its course, its value.
fn beside_each_other(canvas: &mut Canvas<'_>, curves: &[PictureCurve]) {
    let picture = canvas.picture;
    let (width, room) = (canvas.width() - 2.0 * EDGE, canvas.height() - TOP - 8.0);
    let rows = (1..=curves.len()).rev().find(|rows| room / count(*rows) >= LOW).unwrap_or(1);
    let hidden = curves.len() - rows + picture.left_out;
    // The last row counts those that have none.
    let shown = if hidden > 0 && rows > 1 && room / count(rows + 1) < LOW { rows - 1 } else { rows };
    let hidden = curves.len() - shown + picture.left_out;
    let tall = (room / count(shown + usize::from(hidden > 0))).min(TALL);
    let (name, value) = (width * 0.28, width * 0.26);
    for (index, curve) in curves.iter().take(shown).enumerate() {
        let top = TOP + tall * count(index);
        let base = top + tall / 2.0 + 4.0;
        canvas.text((EDGE, base), Anchor::Start, canvas.theme.text, &fitted(&curve.label, name - 8.0));
        let plot = Plot::within(picture, (EDGE + name, top + 3.0), (width - name - value, tall - 6.0));
        // A curve without a value has no course, and its value says so.
        let _ = course(canvas, &plot, curve, index);
        let newest = curve.newest();
        let verdict = newest.and_then(|newest| canvas.theme.verdict(picture.thresholds, newest));
        let said = figure(newest, picture.unit.as_deref());
        let said = verdict.map_or_else(|| said.clone(), |(word, _)| format!("{said} · {word}"));
        let color = verdict.map_or(canvas.theme.text, |(_, color)| color);
        canvas.text((canvas.width() - EDGE, base), Anchor::End, color, &fitted(&said, value - 8.0));
    }
    if hidden > 0 {
        let base = TOP + tall * count(shown) + ROW.min(tall) - 4.0;
        canvas.text((EDGE, base), Anchor::Start, canvas.theme.faint, &format!("and {hidden} more"));
    }
}
