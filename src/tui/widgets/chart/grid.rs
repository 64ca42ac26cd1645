//! Curves as braille dots: two by four in each cell.
//!
//! Any number of points is first gathered into one bucket a dot column, of which the lowest, highest, first and last value
//! are kept; so the cost is one look at each point, no peak is lost, and what is drawn depends on the size of the screen alone.

use crate::tui::quantity::{cell, real};

/// Dots in a cell.
const ACROSS: usize = 2;
const DOWN: usize = 4;
/// The bit of each dot of a braille character, by column and row.
const BITS: [[u8; DOWN]; ACROSS] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];

#[derive(Debug, Clone, Copy)]
struct Bucket {
    low: usize,
    high: usize,
    first: usize,
    last: usize,
    /// Whether nothing is missing between the bucket before and this one.
    is_joined: bool,
}

/// The dots of one chart.
pub(super) struct Grid {
    width: usize,
    height: usize,
    cells: Vec<(u8, usize)>,
}

impl Grid {
    /// An empty grid of cells.
    pub(super) fn new(width: usize, height: usize) -> Self {
        Self { width, height, cells: vec![(0, 0); width * height] }
    }

    /// Draws a curve whose points are spread evenly over the width; `None`, NaN and infinities are gaps.
    pub(super) fn draw(&mut self, points: &[Option<f64>], low: f64, high: f64, series: usize) {
        if self.width == 0 || self.height == 0 || high <= low {
            return;
        }
        let (columns, rows) = (self.width * ACROSS, self.height * DOWN);
        let row_of = |value: f64| rows - 1 - cell((value - low) / (high - low) * real(rows - 1), rows - 1);
        let mut before: Option<(usize, usize)> = None;
        for (column, bucket) in gather(points, columns, row_of) {
            for row in bucket.low..=bucket.high {
                self.dot(column, row, series);
            }
            if let (Some((from_column, from_row)), true) = (before, bucket.is_joined) {
                self.join((from_column, from_row), (column, bucket.first), series);
            }
            before = Some((column, bucket.last));
        }
    }

    /// The cells that hold dots: column, row, braille character, series.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, usize, char, usize)> {
        let width = self.width;
        self.cells.iter().enumerate().filter(|(_, (dots, _))| *dots != 0).map(move |(index, (dots, series))| {
            let sign = char::from_u32(0x2800 + u32::from(*dots)).unwrap_or('*');
            (index % width, index / width, sign, *series)
        })
    }

    fn dot(&mut self, column: usize, row: usize, series: usize) {
        let bit = BITS.get(column % ACROSS).and_then(|bits| bits.get(row % DOWN)).copied().unwrap_or(0);
        if let Some((dots, owner)) = self.cells.get_mut(row / DOWN * self.width + column / ACROSS) {
            *dots |= bit;
            *owner = series;
        }
    }

    /// A straight line, without its first point. Rows are walked as columns pass, so that a steep line has no holes.
    fn join(&mut self, from: (usize, usize), to: (usize, usize), series: usize) {
        let span = to.0.saturating_sub(from.0).max(1);
        let row_at = |step: usize| {
            let (begin, end) = (real(from.1), real(to.1));
            cell(begin + (end - begin) * real(step) / real(span), self.height * DOWN - 1)
        };
        let rows: Vec<usize> = (0..=span).map(row_at).collect();
        for (step, pair) in rows.windows(2).enumerate() {
            let [above, below] = pair else { continue };
            for row in (*above).min(*below)..=(*above).max(*below) {
                self.dot(from.0 + step + usize::from(row != *above), row, series);
            }
        }
    }
}

/// The buckets that hold a value, by dot column.
fn gather(points: &[Option<f64>], columns: usize, row_of: impl Fn(f64) -> usize) -> Vec<(usize, Bucket)> {
    let mut buckets: Vec<(usize, Bucket)> = Vec::with_capacity(columns.min(points.len()));
    let last_index = points.len().saturating_sub(1);
    let mut is_joined = false;
    for (index, point) in points.iter().enumerate() {
        let Some(value) = point.filter(|value| value.is_finite()) else {
            is_joined = false;
            continue;
        };
        let column = (index * (columns - 1)).checked_div(last_index).unwrap_or(columns - 1);
        let row = row_of(value);
        match buckets.last_mut() {
            Some((known, bucket)) if *known == column => {
                bucket.low = bucket.low.min(row);
                bucket.high = bucket.high.max(row);
                bucket.last = row;
            }
            _ => buckets.push((column, Bucket { low: row, high: row, first: row, last: row, is_joined })),
        }
        is_joined = true;
    }
    buckets
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(points: &[Option<f64>], width: usize, height: usize) -> Vec<String> {
        let mut grid = Grid::new(width, height);
        grid.draw(points, 0.0, 10.0, 0);
        let mut rows = vec![vec![' '; width]; height];
        for (column, row, sign, _) in grid.cells() {
            rows[row][column] = sign;
        }
        rows.into_iter().map(|row| row.into_iter().collect()).collect()
    }

    #[test]
    fn a_gap_is_not_bridged() {
        let mut points = vec![Some(5.0); 10];
        points.extend([None; 20]);
        points.extend([Some(5.0); 10]);
        let row = drawn(&points, 20, 1).remove(0);
        assert!(row.trim().contains("        "), "{row:?}");
        assert!(!row.starts_with(' ') && !row.ends_with(' '));
    }

    #[test]
    fn values_that_are_no_numbers_are_gaps() {
        let points = [Some(5.0), Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(5.0)];
        let missing = [Some(5.0), None, None, None, Some(5.0)];
        assert_eq!(drawn(&points, 10, 3), drawn(&missing, 10, 3));
        assert!(drawn(&[Some(f64::NAN)], 10, 3).iter().all(|row| row.trim().is_empty()));
    }

    #[test]
    fn a_single_point_between_gaps_is_visible() {
        let points = [None, None, Some(5.0), None, None];
        let dots = drawn(&points, 10, 3).concat();
        assert_eq!(dots.chars().filter(|sign| *sign != ' ').count(), 1);
        assert_eq!(drawn(&[Some(5.0)], 10, 3).concat().trim().chars().count(), 1);
    }

    #[test]
    fn a_steep_line_has_no_holes() {
        let rows = drawn(&[Some(0.0), Some(10.0)], 2, 6);
        assert!(rows.iter().all(|row| !row.trim().is_empty()), "{rows:?}");
    }

    #[test]
    fn a_day_of_seconds_keeps_its_only_peak() {
        let mut points = vec![Some(1.0); 86_400];
        points[43_210] = Some(10.0);
        let started = std::time::Instant::now();
        let rows = drawn(&points, 100, 10);
        assert!(!rows[0].trim().is_empty(), "the peak is lost");
        assert!(started.elapsed().as_secs() < 2);
    }

    #[test]
    fn no_size_is_too_small() {
        for (width, height) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            drawn(&[Some(1.0), Some(9.0)], width, height);
        }
    }
}
