//! The newest value of each curve between a least and a greatest one, with the thresholds at their places.

use super::canvas::{Anchor, Canvas, SIZE, count, extent, fitted};
use super::{EDGE, Picture, PictureCurve, TOP, figure, say_nothing};

/// One gauge: its name and value, its bar, its scale.
const ROW: f64 = 62.0;
/// The height of a bar.
const BAR: f64 = 14.0;

/// Draws the panel.
pub(super) fn draw(canvas: &mut Canvas<'_>) {
    let picture = canvas.picture;
    if picture.curves.is_empty() {
        say_nothing(canvas);
        return;
    }
    let ends = ends(picture);
    let room = canvas.height() - TOP - 8.0;
    let fit = (1..=picture.curves.len()).rev().find(|rows| count(*rows) * ROW <= room).unwrap_or(1);
    for (index, curve) in picture.curves.iter().take(fit).enumerate() {
        gauge(canvas, TOP + ROW * count(index), curve, ends);
    }
    let hidden = picture.curves.len() - fit + picture.left_out;
    if hidden > 0 {
        let base = (TOP + ROW * count(fit) + 10.0).min(canvas.height() - 4.0);
        canvas.text((EDGE, base), Anchor::Start, canvas.theme.faint, &format!("and {hidden} more"));
    }
}

/// From where to where: as configured, else from zero to what holds thresholds and values.
fn ends(picture: &Picture) -> (f64, f64) {
    let told = || picture.curves.iter().filter_map(|curve| curve.statistics);
    let low = picture.axis.min.unwrap_or_else(|| told().map(|told| told.min).fold(0.0, f64::min));
    let limits = picture.thresholds.map_or(low, |(warn, bad)| warn.max(bad) * 1.25);
    let whole = match picture.unit.as_deref() {
        Some("%") => 100.0,
        Some("ratio") => 1.0,
        _ => limits,
    };
    let high = picture.axis.max.unwrap_or_else(|| told().map(|told| told.max).fold(whole, f64::max));
    if high > low { (low, high) } else { (low, low + 1.0) }
}

/// Where between the ends a value stands, from 0 to 1.
fn share(value: f64, (low, high): (f64, f64)) -> f64 {
    // Each is halved first: their difference may leave the range of numbers.
    let share = (value / 2.0 - low / 2.0) / (high / 2.0 - low / 2.0);
    if share.is_finite() { share.clamp(0.0, 1.0) } else { 0.0 }
}

fn gauge(canvas: &mut Canvas<'_>, top: f64, curve: &PictureCurve, ends: (f64, f64)) {
    let (picture, theme) = (canvas.picture, canvas.theme);
    let unit = picture.unit.as_deref();
    let (left, right) = (EDGE, canvas.width() - EDGE);
    let width = right - left;
    let newest = curve.newest();
    let verdict = newest.and_then(|value| theme.verdict(picture.thresholds, value));
    let color = verdict.map_or(theme.text, |(_, color)| color);
    let said = figure(newest, unit);
    let said = verdict.map_or_else(|| said.clone(), |(word, _)| format!("{said} · {word}"));
    let said = fitted(&said, width * 0.6);
    let name = if picture.curves.len() == 1 { "" } else { curve.label.as_str() };
    canvas.text((left, top + 10.0), Anchor::Start, theme.text, &fitted(name, width - extent(&said, SIZE) - 8.0));
    canvas.text((right, top + 10.0), Anchor::End, color, &said);
    let bar = top + 18.0;
    canvas.rectangle((left, bar), (width, BAR), theme.grid, 1.0);
    if let Some(value) = newest {
        let filled = verdict.map_or(theme.curve(0), |(_, color)| color);
        canvas.rectangle((left, bar), (width * share(value, ends), BAR), filled, 1.0);
    }
    let below = bar + BAR + 13.0;
    let (low, high) = (figure(Some(ends.0), unit), figure(Some(ends.1), unit));
    // What is written already, from where to where.
    let mut taken = vec![(left, left + extent(&low, SIZE)), (right - extent(&high, SIZE), right)];
    canvas.text((left, below), Anchor::Start, theme.faint, &low);
    canvas.text((right, below), Anchor::End, theme.faint, &high);
    let Some((warn, bad)) = picture.thresholds else { return };
    for (limit, word, color) in [(warn, "warn", theme.warn), (bad, "bad", theme.bad)] {
        if limit <= ends.0 || limit >= ends.1 {
            continue;
        }
        let x = left + width * share(limit, ends);
        canvas.line((x, bar - 3.0), (x, bar + BAR + 3.0), color, " stroke-width=\"2\"");
        let text = format!("{} {word}", figure(Some(limit), unit));
        let half = extent(&text, SIZE) / 2.0;
        let is_free = |(from, to): &(f64, f64)| x + half + 6.0 < *from || x - half - 6.0 > *to;
        if taken.iter().all(is_free) {
            canvas.text((x, below), Anchor::Middle, color, &text);
            taken.push((x - half, x + half));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{curve, drawn};
    use super::*;

    #[test]
    fn a_gauge_holds_its_values_and_its_thresholds() {
        let picture = drawn(vec![curve("a", &[Some(0.18), Some(0.2)])]);
        let limits = Picture { thresholds: Some((0.1, 0.4)), ..picture.clone() };
        assert_eq!(ends(&limits), (0.0, 0.5));
        assert_eq!(ends(&Picture { unit: Some("%".to_owned()), ..picture.clone() }), (0.0, 100.0));
        assert_eq!(ends(&drawn(vec![curve("a", &[])])), (0.0, 1.0));
        assert!(share(f64::MAX, (f64::MIN, f64::MAX)) > 0.99);
        assert!(share(-3.0, (0.0, 1.0)).abs() < 1e-9);
    }
}
