//! Curves as dots: two by four in a cell of braille, two in a cell of half blocks, one in a cell of ASCII.

use super::axis::Axis;
use super::gather::Bucket;
use crate::tui::metrics::Drawing;
use crate::tui::quantity::{cell, real};

/// The bit of each dot of a braille character, by column and row.
const BRAILLE: [[u8; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
/// The halves of a cell: none, upper, lower, both.
const HALVES: [char; 4] = [' ', '▀', '▄', '█'];
/// Where nothing else tells curves apart, their signs do.
const SIGNS: [char; 8] = ['*', '+', 'x', 'o', '%', '@', '&', '='];

/// Dots across a cell.
pub(super) fn across(drawing: Drawing) -> usize {
    match drawing {
        Drawing::Braille => 2,
        Drawing::Block | Drawing::Ascii => 1,
    }
}

/// Dots down a cell.
fn down(drawing: Drawing) -> usize {
    match drawing {
        Drawing::Braille => 4,
        Drawing::Block => 2,
        Drawing::Ascii => 1,
    }
}

/// The sign of a curve that is drawn in ASCII.
pub(super) fn sign(series: usize) -> char {
    SIGNS.get(series % SIGNS.len()).copied().unwrap_or('*')
}

/// The dots of one chart.
pub(super) struct Grid {
    width: usize,
    height: usize,
    drawing: Drawing,
    cells: Vec<(u8, usize)>,
}

impl Grid {
    /// An empty grid of cells.
    pub(super) fn new(width: usize, height: usize, drawing: Drawing) -> Self {
        Self { width, height, drawing, cells: vec![(0, 0); width * height] }
    }

    /// Dot columns.
    pub(super) fn columns(&self) -> usize {
        self.width * across(self.drawing)
    }

    /// Draws a curve.
    pub(super) fn draw(&mut self, buckets: &[Bucket], axis: &Axis, series: usize) {
        let rows = self.height * down(self.drawing);
        let Some(last) = rows.checked_sub(1) else { return };
        let row_of = |value: f64| last - cell(axis.share(value) * real(last), last);
        let mut before: Option<(usize, usize)> = None;
        for bucket in buckets {
            for row in row_of(bucket.high)..=row_of(bucket.low) {
                self.dot(bucket.column, row, series);
            }
            if let (Some(from), true) = (before, bucket.is_joined) {
                self.join(from, (bucket.column, row_of(bucket.first)), series);
            }
            before = Some((bucket.column, row_of(bucket.last)));
        }
    }

    /// The cells that hold dots: column, row, sign, series.
    pub(super) fn cells(&self) -> impl Iterator<Item = (usize, usize, char, usize)> {
        let (width, drawing) = (self.width, self.drawing);
        self.cells.iter().enumerate().filter(|(_, (dots, _))| *dots != 0).map(move |(index, (dots, series))| {
            let sign = match drawing {
                Drawing::Braille => char::from_u32(0x2800 + u32::from(*dots)).unwrap_or('*'),
                Drawing::Block => HALVES.get(usize::from(*dots)).copied().unwrap_or('█'),
                Drawing::Ascii => sign(*series),
            };
            (index % width, index / width, sign, *series)
        })
    }

    fn dot(&mut self, column: usize, row: usize, series: usize) {
        let (across, down) = (across(self.drawing), down(self.drawing));
        let (column, row, bit) = match self.drawing {
            Drawing::Braille => {
                let bits = BRAILLE.get(column % across);
                (column / across, row / down, bits.and_then(|bits| bits.get(row % down)).copied().unwrap_or(0))
            }
            Drawing::Block => (column, row / down, if row.is_multiple_of(down) { 1 } else { 2 }),
            Drawing::Ascii => (column, row, 1),
        };
        if column >= self.width {
            return;
        }
        if let Some((dots, owner)) = self.cells.get_mut(row * self.width + column) {
            *dots |= bit;
            *owner = series;
        }
    }

    /// A straight line, without its first point. Rows are walked as columns pass, so that a steep line has no holes.
    fn join(&mut self, from: (usize, usize), to: (usize, usize), series: usize) {
        let span = to.0.saturating_sub(from.0).max(1);
        let last = (self.height * down(self.drawing)).saturating_sub(1);
        let row_at = |step: usize| {
            let (begin, end) = (real(from.1), real(to.1));
            cell(begin + (end - begin) * real(step) / real(span), last)
        };
        let mut above = row_at(0);
        for step in 0..span {
            let below = row_at(step + 1);
            for row in above.min(below)..=above.max(below) {
                self.dot(from.0 + step + usize::from(row != above), row, series);
            }
            above = below;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::axis::Wanted;
    use super::super::gather::gather;
    use super::*;
    use crate::api::types::Curve;

    fn drawn_as(drawing: Drawing, points: &[Option<f64>], width: usize, height: usize) -> Vec<String> {
        let mut grid = Grid::new(width, height, drawing);
        let wanted = Wanted { min: Some(0.0), max: Some(10.0), ..Wanted::default() };
        let axis = Axis::of(Some((0.0, 10.0)), 12, wanted).unwrap();
        let curve = Curve { points: points.to_vec(), ..Curve::default() };
        let buckets = gather(&curve, grid.columns(), f64::NEG_INFINITY);
        grid.draw(&buckets, &axis, 0);
        let mut rows = vec![vec![' '; width]; height];
        for (column, row, sign, _) in grid.cells() {
            rows[row][column] = sign;
        }
        rows.into_iter().map(|row| row.into_iter().collect()).collect()
    }

    fn drawn(points: &[Option<f64>], width: usize, height: usize) -> Vec<String> {
        drawn_as(Drawing::Braille, points, width, height)
    }

    const ALL: [Drawing; 3] = [Drawing::Braille, Drawing::Block, Drawing::Ascii];

    #[test]
    fn a_gap_is_not_bridged() {
        let mut points = vec![Some(5.0); 10];
        points.extend([None; 20]);
        points.extend([Some(5.0); 10]);
        for drawing in ALL {
            let row = drawn_as(drawing, &points, 20, 1).remove(0);
            assert!(row.trim().contains("        "), "{row:?}");
            assert!(!row.starts_with(' ') && !row.ends_with(' '));
        }
    }

    #[test]
    fn values_that_are_no_numbers_are_gaps() {
        let points = [Some(5.0), Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY), Some(5.0)];
        let missing = [Some(5.0), None, None, None, Some(5.0)];
        for drawing in ALL {
            assert_eq!(drawn_as(drawing, &points, 10, 3), drawn_as(drawing, &missing, 10, 3));
        }
        assert!(drawn(&[Some(f64::NAN)], 10, 3).iter().all(|row| row.trim().is_empty()));
    }

    #[test]
    fn a_single_point_between_gaps_is_visible() {
        let points = [None, None, Some(5.0), None, None];
        for drawing in ALL {
            let dots = drawn_as(drawing, &points, 10, 3).concat();
            assert_eq!(dots.chars().filter(|sign| *sign != ' ').count(), 1);
        }
        assert_eq!(drawn(&[Some(5.0)], 10, 3).concat().trim().chars().count(), 1);
    }

    #[test]
    fn a_steep_line_has_no_holes() {
        for drawing in ALL {
            let rows = drawn_as(drawing, &[Some(0.0), Some(10.0)], 2, 6);
            assert!(rows.iter().all(|row| !row.trim().is_empty()), "{rows:?}");
        }
    }

    #[test]
    fn blocks_are_halves_and_ascii_is_ascii() {
        assert_eq!(drawn_as(Drawing::Block, &[Some(0.0), Some(10.0)], 2, 1), ["▄▀"]);
        let rows = drawn_as(Drawing::Ascii, &[Some(0.0), Some(10.0), Some(5.0)], 12, 5);
        assert!(rows.iter().all(|row| row.is_ascii()), "{rows:?}");
    }

    #[test]
    fn a_day_of_seconds_keeps_its_only_peak() {
        let mut points = vec![Some(1.0); 86_400];
        points[43_210] = Some(10.0);
        for drawing in ALL {
            let rows = drawn_as(drawing, &points, 100, 10);
            assert!(!rows[0].trim().is_empty(), "the peak is lost");
        }
    }

    #[test]
    fn no_size_is_too_small() {
        for (width, height) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
            for drawing in ALL {
                drawn_as(drawing, &[Some(1.0), Some(9.0)], width, height);
            }
        }
    }
}
