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
    let levels = &model.glyphs.levels;
    let text: String = columns
        .iter()
        .map(|column| {
            let Some(value) = column else { return " " };
            let share = if highest > floor { (value - floor) / (highest - floor) } else { 0.0 };
            levels.get(cell(share * 7.0, 7)).copied().unwrap_or(" ")
        })
        .collect();
    Line::from(Span::styled(text, model.theme.series(series)))
}

/// The row above sparklines: each deploy at its place, with its release number where there is room.
pub(in crate::tui) fn mark_row(model: &Model, marks: &[Mark], columns: usize, width: usize) -> Line<'static> {
    let mut row = vec![' '; width];
    let sign = if model.glyphs.is_ascii { 'v' } else { '▾' };
    let mut free = 0;
    for mark in marks {
        let place = mark.column.saturating_mul(width) / columns.max(1);
        let text: Vec<char> = format!("{sign}{}", mark.release).chars().collect();
        let begin = place.min(width.saturating_sub(text.len()));
        if begin < free {
            continue;
        }
        free = begin + text.len() + 1;
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
    fn few_points_stand_at_the_right() {
        assert_eq!(super::columns(&[Some(1.0), Some(f64::NAN)], 4), [None, None, Some(1.0), None]);
    }
}
