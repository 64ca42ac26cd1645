//! Which classes were taken for which: a row for each true class, a column for each predicted one, the darker the greater the
//! share of its row.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::rows::{dim, sentence, share};
use crate::api::types::{ConfusionMatrix, ModelDetail};
use crate::tui::app::Model;
use crate::tui::quantity::{self, cell};
use crate::tui::widgets::text::{cut, padded, sanitize};

/// The widest label of a row.
const LABEL: usize = 16;
/// The widest column.
const WIDEST: usize = 12;
/// Cells of what stands behind a row: the share that was right.
const RIGHT: usize = 7;
/// What rows of classes that the model does not know are called.
const OTHERS: &str = "others";

/// The rows.
pub(super) fn rows(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let Some(matrix) = detail.card.confusion.as_ref().filter(|matrix| !matrix.classes.is_empty()) else {
        let text = match detail.card.task.as_deref() {
            Some("regression") => "a model that predicts numbers confuses no classes",
            _ => "nothing is known of which classes were taken for which: a stage with `uses = \"train\"` counts them",
        };
        return sentence(model, text, model.theme.dim, width);
    };
    let places = Places::of(matrix, width);
    let mut rows = vec![places.heading(model, matrix)];
    rows.extend(matrix.counts.iter().enumerate().map(|(index, counts)| row(model, matrix, &places, index, counts)));
    let hidden = matrix.classes.len().saturating_sub(places.columns);
    if hidden > 0 {
        rows.push(dim(model, &format!("and {hidden} more columns, for which there is no room")));
    }
    let signs = model.glyphs.heat.concat();
    let text = format!("a row is a true class, a column what was predicted; none to all of its row: {signs}");
    rows.extend(sentence(model, &text, model.theme.dim, width));
    rows
}

/// Where things stand in a row.
struct Places {
    label: usize,
    column: usize,
    columns: usize,
}

impl Places {
    fn of(matrix: &ConfusionMatrix, width: usize) -> Self {
        let names = || matrix.classes.iter().map(|class| sanitize(class).width());
        let numbers = matrix.counts.iter().flatten().map(|count| quantity::count(*count).len() + 2);
        let label = widest(names().chain([OTHERS.len()])).min(LABEL);
        let column = widest(names().chain(numbers)).clamp(4, WIDEST);
        let room = width.saturating_sub(label + RIGHT);
        let columns = (room / (column + 1)).min(matrix.classes.len());
        Self { label, column, columns }
    }

    fn heading(&self, model: &Model, matrix: &ConfusionMatrix) -> Line<'static> {
        let mut text = " ".repeat(self.label);
        for class in matrix.classes.iter().take(self.columns) {
            text.push(' ');
            text.push_str(&right(&sanitize(class), self.column, model.glyphs.cut));
        }
        text.push_str(&right("right", RIGHT, model.glyphs.cut));
        dim(model, &text)
    }
}

fn row(model: &Model, matrix: &ConfusionMatrix, places: &Places, index: usize, counts: &[u64]) -> Line<'static> {
    let theme = &model.theme;
    let class = matrix.classes.get(index).map_or_else(|| OTHERS.to_owned(), |class| sanitize(class));
    let all = counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let mut line = Line::from(Span::styled(padded(&class, places.label, model.glyphs.cut), theme.text));
    for (column, count) in counts.iter().enumerate().take(places.columns) {
        let style = match (*count, column == index) {
            (0, _) => theme.border,
            (_, true) => theme.good,
            (_, false) => theme.warn,
        };
        let sign = model.glyphs.heat.get(level(*count, all)).copied().unwrap_or(" ");
        let number = right(&quantity::count(*count), places.column - 2, model.glyphs.cut);
        line.push_span(Span::styled(format!(" {sign} {number}"), style));
    }
    let was_right = counts.get(index).map(|count| quantity::percent(share(*count, all))).unwrap_or_default();
    line.push_span(Span::styled(right(&was_right, RIGHT, model.glyphs.cut), theme.dim));
    line
}

/// 0 for none, else 1 to 4.
fn level(count: u64, all: u64) -> usize {
    if count == 0 { 0 } else { cell(share(count, all) * 4.0, 4).max(1) }
}

fn widest(widths: impl Iterator<Item = usize>) -> usize {
    widths.max().unwrap_or(0)
}

fn right(text: &str, width: usize, cut_sign: &str) -> String {
    let text = cut(text, width, cut_sign);
    format!("{}{text}", " ".repeat(width.saturating_sub(text.width())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_are_told_from_none() {
        assert_eq!([level(0, 100), level(1, 100), level(50, 100), level(100, 100), level(0, 0)], [0, 1, 2, 4, 0]);
    }

    #[test]
    fn as_many_columns_as_there_is_room_for() {
        let matrix = ConfusionMatrix {
            classes: (0..30).map(|class| format!("class {class}")).collect(),
            counts: vec![vec![1_000; 30]; 31],
        };
        let places = Places::of(&matrix, 76);
        assert_eq!((places.label, places.column, places.columns), (8, 8, 6));
        assert_eq!(Places::of(&matrix, 4).columns, 0);
    }
}
