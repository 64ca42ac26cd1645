//! Predicted probabilities against how often they came true. On the dotted diagonal, what was predicted comes true; below it,
//! the model is too sure.

use ratatui::style::Style;
use ratatui::text::Line;

use super::axis::{Axis, Wanted};
use super::gather::Bucket;
use super::grid::Grid;
use crate::tui::app::Model;
use crate::tui::glyphs::Glyphs;
use crate::tui::metrics::Drawing;
use crate::tui::quantity::{cell, real};
use crate::tui::widgets::text::line_of;

/// Cells for the numbers of the vertical axis, its line included.
const LABELS: usize = 5;
/// Dot columns from one dot of the diagonal to the next.
const DOTTED: usize = 3;
/// The curve is drawn last, so that the diagonal does not hide it.
const CURVE: usize = 0;
const DIAGONAL: usize = 1;

/// The diagram in exactly `width` cells a row and at most `height` rows; `points` are predicted probabilities and shares
/// that came true.
pub(in crate::tui) fn rows(model: &Model, points: &[(f64, f64)], width: usize, height: usize) -> Vec<Line<'static>> {
    let (columns, lines) = (width.saturating_sub(LABELS), height.saturating_sub(1));
    let wanted = Wanted { min: Some(0.0), max: Some(1.0), ..Wanted::default() };
    let Some(axis) = Axis::of(Some((0.0, 1.0)), lines, wanted).filter(|_| columns > 0 && lines > 0) else {
        return Vec::new();
    };
    let mut grid = Grid::new(columns, lines, model.metrics.drawing);
    let dots = grid.columns();
    grid.draw(&diagonal(dots), &axis, DIAGONAL);
    grid.draw(&curve(points, dots), &axis, CURVE);
    let mut field = Field::new(model, width, lines + 1);
    for tick in axis.ticks() {
        let (row, label) = (axis.row(tick, lines), axis.label(tick, None));
        field.write(LABELS.saturating_sub(label.len() + 2), row, &label, model.theme.dim);
    }
    for row in 0..lines {
        field.write(LABELS - 1, row, glyphs(model).axis, model.theme.border);
    }
    for (column, row, sign, series) in grid.cells() {
        let style = if series == CURVE { model.theme.series(0) } else { model.theme.dim };
        field.put(LABELS + column, row, sign, style);
    }
    field.write(LABELS, lines, "0", model.theme.dim);
    field.write(width.saturating_sub(1), lines, "1", model.theme.dim);
    let title = "predicted";
    let middle = LABELS + columns.saturating_sub(title.len()) / 2;
    if columns >= title.len() + 4 {
        field.write(middle, lines, title, model.theme.dim);
    }
    field.lines()
}

fn glyphs(model: &Model) -> &'static Glyphs {
    if model.metrics.drawing == Drawing::Ascii { Glyphs::ascii() } else { model.glyphs }
}

fn dot(column: usize, value: f64, is_joined: bool) -> Bucket {
    Bucket { column, low: value, high: value, first: value, last: value, is_joined }
}

fn diagonal(dots: usize) -> Vec<Bucket> {
    let last = real(dots.saturating_sub(1).max(1));
    (0..dots).step_by(DOTTED).map(|column| dot(column, real(column) / last, false)).collect()
}

/// The points from left to right, each joined with the one before; what is no probability is left out.
fn curve(points: &[(f64, f64)], dots: usize) -> Vec<Bucket> {
    let is_share = |value: f64| (0.0..=1.0).contains(&value);
    let mut points: Vec<(f64, f64)> =
        points.iter().copied().filter(|(predicted, came_true)| is_share(*predicted) && is_share(*came_true)).collect();
    points.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let last = dots.saturating_sub(1);
    let column = |predicted: f64| cell(predicted * real(last), last);
    points.iter().enumerate().map(|(index, (x, y))| dot(column(*x), *y, index > 0)).collect()
}

/// Cells that are written one by one.
struct Field {
    width: usize,
    cells: Vec<Vec<(char, Style)>>,
}

impl Field {
    fn new(model: &Model, width: usize, height: usize) -> Self {
        Self { width, cells: vec![vec![(' ', model.theme.text); width]; height] }
    }

    fn put(&mut self, column: usize, row: usize, sign: char, style: Style) {
        if let Some(cell) = self.cells.get_mut(row).and_then(|row| row.get_mut(column)) {
            *cell = (sign, style);
        }
    }

    fn write(&mut self, column: usize, row: usize, text: &str, style: Style) {
        for (offset, sign) in text.chars().enumerate().take(self.width) {
            self.put(column + offset, row, sign, style);
        }
    }

    fn lines(&self) -> Vec<Line<'static>> {
        self.cells.iter().map(|row| line_of(row, 0)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn drawn(points: &[(f64, f64)], drawing: Drawing, width: usize, height: usize) -> Vec<String> {
        let mut model = fixtures::empty();
        model.metrics.drawing = drawing;
        rows(&model, points, width, height).iter().map(Line::to_string).collect()
    }

    #[test]
    fn what_comes_true_as_predicted_lies_on_the_diagonal() {
        let perfect = [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0)];
        let rows = drawn(&perfect, Drawing::Ascii, 26, 12);
        assert!(rows.iter().all(|row| row.is_ascii() && row.len() == 26), "{rows:#?}");
        assert!(rows[0].ends_with('*') && rows[10].contains("|*"), "{rows:#?}");
        assert!(rows[11].trim_start().starts_with('0') && rows[11].ends_with('1'), "{rows:#?}");
    }

    #[test]
    fn a_model_that_is_too_sure_lies_below_the_diagonal() {
        let rows = drawn(&[(0.9, 0.1)], Drawing::Ascii, 26, 12);
        let row = rows.iter().position(|row| row.contains('*')).unwrap();
        assert!(row > 6, "{rows:#?}");
        assert!(rows.concat().contains('+'), "the diagonal is there: {rows:#?}");
    }

    #[test]
    fn what_is_no_probability_and_no_size_harm_nothing() {
        let odd = [(f64::NAN, 0.5), (0.5, f64::INFINITY), (-1.0, 2.0)];
        for drawing in [Drawing::Braille, Drawing::Block, Drawing::Ascii] {
            for (width, height) in [(0, 0), (1, 1), (5, 1), (6, 2), (40, 20)] {
                assert_eq!(drawn(&odd, drawing, width, height), drawn(&[], drawing, width, height));
            }
        }
    }
}
