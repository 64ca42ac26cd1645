//! A curve in one row: eight levels, and a blank where nothing was measured.

use ratatui::text::{Line, Span};

use crate::api::types::Mark;
use crate::tui::app::Model;
use crate::tui::quantity::{cell, real};

/// The curve in exactly `width` cells, the newest value at the right.
pub(in crate::tui) fn sparkline(model: &Model, points: &[Option<f64>], width: usize, series: usize) -> Line<'static> {
    let columns = columns(points, width);
    let highest = columns.iter().flatten().copied().fold(f64::NEG_INFINITY, f64::max);
    let lowest = columns.iter().flatten().copied().fold(f64::INFINITY, f64::min);
    // A curve that never goes below zero stands on zero: its height then means something.
    let floor = lowest.min(0.0);
    // ... and one that hardly moves lies low, instead of filling its row as one at its peak does.
    let ceiling = highest + 2.0 * lowest.max(0.0);
    let levels = &model.glyphs.levels;
    let text: String = columns
        .iter()
        .map(|column| {
            let Some(value) = column else { return " " };
            let share = if ceiling > floor { (value - floor) / (ceiling - floor) } else { 0.0 };
            levels.get(cell(share * 7.0, 7)).copied().unwrap_or(" ")
        })
        .collect();
    Line::from(Span::styled(text, model.theme.series(series)))
}

/// The lowest and the highest of what was measured; `None` where nothing was.
pub(in crate::tui) fn extremes(points: &[Option<f64>]) -> Option<(f64, f64)> {
    let mut known = points.iter().flatten().copied().filter(|value| value.is_finite());
    let first = known.next()?;
    Some(known.fold((first, first), |(lowest, highest), value| (lowest.min(value), highest.max(value))))
}

/// The row above sparklines: each deploy at its place, with its release number where the newer ones leave room.
pub(in crate::tui) fn mark_row(model: &Model, marks: &[Mark], columns: usize, width: usize) -> Line<'static> {
    let mut row = vec![' '; width];
    let sign = if model.glyphs.is_ascii { 'v' } else { '▾' };
    // The newest one is what people look for, so it is there before the others.
    let mut end = width + 1;
    for mark in marks.iter().rev() {
        let place = mark.column.saturating_mul(width) / columns.max(1);
        let mut text: Vec<char> = format!("{sign}{}", mark.release).chars().collect();
        let begin = place.min(width.saturating_sub(text.len()));
        if begin + text.len() >= end {
            text.truncate(1);
        }
        if begin >= end {
            continue;
        }
        end = begin;
        for (offset, character) in text.into_iter().enumerate() {
            if let Some(slot) = row.get_mut(begin + offset) {
                *slot = character;
            }
        }
    }
    Line::from(Span::styled(row.into_iter().collect::<String>(), model.theme.mark))
}

/// One value a cell: the highest of those that fall into it, so that no peak is lost.
fn columns(points: &[Option<f64>], width: usize) -> Vec<Option<f64>> {
    let mut columns = vec![None; width];
    let (count, last) = (points.len(), width.saturating_sub(1));
    for (index, point) in points.iter().enumerate() {
        let Some(value) = point.filter(|value| value.is_finite()) else { continue };
        // Fewer points than cells stand at the right, one a cell.
        let column =
            if count > width { cell(real(index) * real(last) / real(count - 1), last) } else { width - count + index };
        if let Some(slot) = columns.get_mut(column) {
            *slot = Some(slot.map_or(value, |known: f64| known.max(value)));
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peak_survives_and_a_gap_stays() {
        let mut points = vec![Some(1.0); 100];
        points[50] = Some(9.0);
        for point in &mut points[70..90] {
            *point = None;
        }
        let columns = columns(&points, 20);
        assert!(columns.iter().flatten().any(|value| (*value - 9.0).abs() < 1e-9));
        assert!(columns.contains(&None));
        assert_eq!(columns.len(), 20);
    }

    #[test]
    fn what_hardly_moves_lies_low_and_a_peak_stands_out() {
        let model = crate::tui::fixtures::idle();
        let level = |text: &str| model.glyphs.levels.iter().position(|level| *level == text).unwrap();
        let highest = |points: &[Option<f64>]| {
            let line = sparkline(&model, points, points.len(), 0).to_string();
            line.chars().map(|sign| level(&sign.to_string())).max().unwrap()
        };
        assert!(highest(&[Some(0.17); 8]) < 4, "constant");
        assert_eq!(highest(&[Some(0.0); 8]), 0);
        assert_eq!(highest(&[Some(0.0), Some(0.0), Some(5.0), Some(0.0)]), 7);
    }

    #[test]
    fn of_marks_that_are_close_the_newest_keeps_its_number() {
        let model = crate::tui::fixtures::idle();
        let mark = |column, number| Mark { column, release: crate::pipeline::ReleaseId(number) };
        let row = |marks: &[Mark]| mark_row(&model, marks, 20, 20).to_string();
        assert_eq!(row(&[mark(5, 4), mark(6, 5), mark(18, 6)]), "     ▾▾5          ▾6");
        assert_eq!(row(&[mark(17, 4), mark(18, 5)]).trim_start(), "▾▾5");
        assert_eq!(row(&[mark(18, 4), mark(18, 5)]).trim_start(), "▾5");
    }

    #[test]
    fn the_scale_is_that_of_what_was_measured() {
        assert_eq!(extremes(&[None, Some(3.0), Some(f64::NAN), Some(-1.5), None]), Some((-1.5, 3.0)));
        assert_eq!(extremes(&[None, Some(f64::INFINITY)]), None);
    }

    #[test]
    fn few_points_stand_at_the_right() {
        assert_eq!(super::columns(&[Some(1.0), Some(f64::NAN)], 4), [None, None, Some(1.0), None]);
    }
}
