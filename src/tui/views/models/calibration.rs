//! Whether what is predicted with eighty percent comes true eight times of ten: a reliability diagram and its numbers.

use ratatui::text::Line;

use super::rows::{number, sentence};
use crate::api::types::ModelDetail;
use crate::tui::app::Model;
use crate::tui::quantity;
use crate::tui::widgets::chart::reliability;
use crate::tui::widgets::table::{Column, Fill, Table};

/// What is told of a bin.
const COLUMNS: [Column; 3] = [
    Column { heading: "predicted", width: 9, fill: Fill::Right, rank: 0 },
    Column { heading: "came true", width: 9, fill: Fill::Right, rank: 0 },
    Column { heading: "rows", width: 8, fill: Fill::Right, rank: 0 },
];
/// Cells of the table and of the gap before it.
const TABLE: usize = 32;
/// Fewest and most rows of the diagram.
const HEIGHTS: (usize, usize) = (7, 20);
/// Fewest columns of the diagram.
const NARROWEST: usize = 24;

/// The rows, of which there should be no more than `height`.
pub(super) fn rows(model: &Model, detail: &ModelDetail, width: usize, height: usize) -> Vec<Line<'static>> {
    let bins = &detail.card.calibration;
    if bins.is_empty() {
        let text = match detail.card.task.as_deref() {
            Some("regression") => "a model that predicts numbers has no probabilities",
            _ => {
                "nothing is known of its probabilities: a stage with `uses = \"train\"` compares them with what came true"
            }
        };
        return sentence(model, text, model.theme.dim, width);
    }
    let table = Table::fit(&COLUMNS, TABLE);
    let mut numbers = vec![table.heading(model.theme.dim, model.glyphs.cut)];
    for bin in bins {
        let (theme, count) = (&model.theme, quantity::count(bin.rows));
        let cells = [(number(bin.mean_probability), theme.text), (number(bin.share), theme.title), (count, theme.dim)];
        numbers.push(table.row(&cells, model.glyphs.cut));
    }
    let points: Vec<(f64, f64)> = bins.iter().map(|bin| (bin.mean_probability, bin.share)).collect();
    let told = "how often it came true, by what was predicted; dotted: as it should be";
    let mut rows = sentence(model, told, model.theme.dim, width);
    let tall = height.saturating_sub(rows.len() + 1).clamp(HEIGHTS.0, HEIGHTS.1);
    let is_beside = width >= NARROWEST + TABLE;
    let room = if is_beside { width - TABLE } else { width };
    // About as wide as it is tall: a cell is twice as tall as wide.
    let diagram = reliability::rows(model, &points, room.min(tall * 2 + tall / 2), tall);
    if is_beside {
        rows.extend(joined(diagram, numbers));
    } else {
        rows.extend(diagram);
        rows.extend(numbers);
    }
    rows
}

/// Both beside each other.
fn joined(diagram: Vec<Line<'static>>, numbers: Vec<Line<'static>>) -> Vec<Line<'static>> {
    let width = diagram.first().map_or(0, Line::width);
    let count = diagram.len().max(numbers.len());
    let (mut diagram, mut numbers) = (diagram.into_iter(), numbers.into_iter());
    let row = |_| {
        let mut line = diagram.next().unwrap_or_else(|| Line::from(" ".repeat(width)));
        line.push_span("   ");
        line.spans.extend(numbers.next().unwrap_or_default().spans);
        line
    };
    (0..count).map(row).collect()
}
