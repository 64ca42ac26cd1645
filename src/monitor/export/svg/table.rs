//! A row for each curve.

use super::canvas::{Anchor, Canvas, count, fitted};
use super::legend::{Figure, figures};
use super::{EDGE, PictureCurve, TOP, figure, say_nothing};

/// The height of a row.
const ROW: f64 = 22.0;
/// Room for what the thresholds say.
const VERDICT: f64 = 40.0;

/// Draws the panel.
pub(super) fn draw(canvas: &mut Canvas<'_>) {
    let (picture, theme) = (canvas.picture, canvas.theme);
    if picture.curves.is_empty() {
        say_nothing(canvas);
        return;
    }
    let table = Table::of(canvas);
    let base = |row: usize| TOP + ROW * count(row) + 14.0;
    canvas.text((EDGE, base(0)), Anchor::Start, theme.faint, "series");
    for (place, told) in table.figures.iter().enumerate() {
        canvas.text((table.end(place), base(0)), Anchor::End, theme.faint, told.word());
    }
    let room = canvas.height() - TOP - 8.0;
    let fit = (1..=picture.curves.len() + 1).rev().find(|rows| count(rows + 1) * ROW <= room).unwrap_or(1);
    let needed = picture.curves.len() + usize::from(picture.left_out > 0);
    // The last row counts those that have none.
    let shown = if needed <= fit { picture.curves.len() } else { (fit - 1).max(1) };
    for (index, curve) in picture.curves.iter().take(shown).enumerate() {
        let y = base(index + 1);
        canvas.line((EDGE, y - 15.0), (canvas.width() - EDGE, y - 15.0), theme.grid, "");
        table.row(canvas, y, index, curve);
    }
    let hidden = picture.curves.len() - shown + picture.left_out;
    if hidden > 0 {
        canvas.text((EDGE, base(shown + 1)), Anchor::Start, theme.faint, &format!("and {hidden} more"));
    }
}

/// Where the columns are.
struct Table {
    figures: &'static [Figure],
    /// The width of a figure.
    width: f64,
    /// Where the last one ends.
    right: f64,
}

impl Table {
    fn of(canvas: &Canvas<'_>) -> Self {
        let verdict = if canvas.picture.thresholds.is_some() { VERDICT } else { 0.0 };
        let right = canvas.width() - EDGE - verdict;
        let figures = figures(right - EDGE);
        // Half of the width is for figures, half for names.
        Self { figures, width: (right - EDGE) / 2.0 / count(figures.len()), right }
    }

    /// Where a figure ends.
    fn end(&self, place: usize) -> f64 {
        self.right - self.width * count(self.figures.len().saturating_sub(place + 1))
    }

    fn row(&self, canvas: &mut Canvas<'_>, y: f64, index: usize, curve: &PictureCurve) {
        let (picture, theme) = (canvas.picture, canvas.theme);
        canvas.rectangle((EDGE, y - 5.0), (12.0, 3.0), theme.curve(index), 1.0);
        let room = self.end(0) - self.width - EDGE - 26.0;
        canvas.text((EDGE + 18.0, y), Anchor::Start, theme.text, &fitted(&curve.label, room));
        let verdict = curve.newest().and_then(|newest| theme.verdict(picture.thresholds, newest));
        for (place, told) in self.figures.iter().enumerate() {
            let value = figure(told.of(curve.statistics), picture.unit.as_deref());
            let color = verdict.filter(|_| *told == Figure::Last).map_or(theme.text, |(_, color)| color);
            canvas.text((self.end(place), y), Anchor::End, color, &fitted(&value, self.width - 8.0));
        }
        if let Some((word, color)) = verdict {
            canvas.text((self.right + 10.0, y), Anchor::Start, color, word);
        }
    }
}
