//! What happened beside the curves: deploys, runs, alerts; and the thresholds.

use super::canvas::{Anchor, Canvas, SIZE, count, extent, fitted};
use super::plot::Plot;
use super::scale::Scale;

/// Two labels of deploys that are nearer than this cannot both be read.
const NEAR: f64 = 26.0;
/// The height of the strip of an alert.
const STRIP: f64 = 4.0;
/// From one label to the next below or above it.
const LINE: f64 = 12.0;

/// Shades the time in which an alert fired, over all the height; below, a strip for each says also when it was pending.
pub(super) fn draw_alerts(canvas: &mut Canvas<'_>, plot: &Plot) {
    let (picture, theme) = (canvas.picture, canvas.theme);
    let mut strip = plot.bottom();
    for alert in &picture.alerts {
        strip -= STRIP;
        for span in &alert.spans {
            let (left, right) = plot.between(span.from, span.to);
            let color = if span.firing { theme.bad } else { theme.warn };
            if span.firing {
                canvas.rectangle((left, plot.top), (right - left, plot.height), color, 0.14);
            }
            // Where there are so many that there is no room for more strips, the shade must do.
            if strip > plot.top + plot.height / 2.0 {
                canvas.rectangle((left, strip), (right - left, STRIP - 1.0), color, 0.9);
            }
        }
    }
}

/// A dashed line at each threshold that is on the axis, and a shade over what is bad.
pub(super) fn draw_thresholds(canvas: &mut Canvas<'_>, plot: &Plot, scale: &Scale) {
    let Some((warn, bad)) = canvas.picture.thresholds else { return };
    let theme = canvas.theme;
    let edge = plot.y(bad, scale).clamp(plot.top, plot.bottom());
    let (top, height) = if bad < warn { (edge, plot.bottom() - edge) } else { (plot.top, edge - plot.top) };
    if height > 0.5 && scale.has_place(bad) {
        canvas.rectangle((plot.left, top), (plot.width, height), theme.bad, 0.07);
    }
    for (limit, word, color) in [(warn, "warn", theme.warn), (bad, "bad", theme.bad)] {
        if scale.holds(limit) {
            let y = plot.y(limit, scale);
            canvas.line((plot.left, y), (plot.right(), y), color, " stroke-dasharray=\"2 3\"");
            canvas.text((plot.right() - 4.0, y - 3.0), Anchor::End, color, word);
        }
    }
}

/// Lines at deploys and runs, with their names as far as there is room, and the names of alerts.
pub(super) fn draw_events(canvas: &mut Canvas<'_>, plot: &Plot) {
    let (picture, theme) = (canvas.picture, canvas.theme);
    draw_lines(canvas, plot, &picture.runs, plot.top + 10.0 + LINE, (theme.run, " stroke-dasharray=\"1 3\""));
    draw_lines(canvas, plot, &picture.deploys, plot.top + 10.0, (theme.deploy, " stroke-dasharray=\"4 3\""));
    let lowest = plot.bottom() - STRIP * count(picture.alerts.len()) - 4.0;
    for (row, alert) in picture.alerts.iter().enumerate() {
        let Some(span) = alert.spans.iter().find(|span| span.firing).or_else(|| alert.spans.first()) else { continue };
        let (word, color) = if span.firing { ("fires", theme.bad) } else { ("pending", theme.warn) };
        let y = lowest - LINE * count(row);
        if y > plot.top + plot.height / 2.0 {
            let (left, _) = plot.between(span.from, span.to);
            label(canvas, plot, (left, y), color, &format!("{} {word}", alert.name));
        }
    }
}

fn draw_lines(
    canvas: &mut Canvas<'_>,
    plot: &Plot,
    marks: &[(usize, String)],
    y: f64,
    (color, dashes): (&'static str, &str),
) {
    let mut labelled = f64::NEG_INFINITY;
    for (column, name) in marks {
        let x = plot.x(count((*column).min(plot.columns - 1)));
        canvas.line((x, plot.top), (x, plot.bottom()), color, dashes);
        if (x - labelled).abs() >= NEAR {
            label(canvas, plot, (x, y), color, name);
            labelled = x;
        }
    }
}

/// A name behind its place; before it where there is more room.
fn label(canvas: &mut Canvas<'_>, plot: &Plot, (x, y): (f64, f64), color: &str, name: &str) {
    let (before, behind) = (x - plot.left - 4.0, plot.right() - x - 4.0);
    if extent(name, SIZE) > behind && before > behind {
        canvas.text((x - 4.0, y), Anchor::End, color, &fitted(name, before));
    } else {
        canvas.text((x + 4.0, y), Anchor::Start, color, &fitted(name, behind));
    }
}
