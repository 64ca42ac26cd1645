//! How good a version is on parts of the held-out rows, beside how good it is on all of them.

use std::collections::BTreeMap;

use ratatui::text::Line;

use super::UNKNOWN;
use super::rows::{number, sentence, signed};
use crate::api::types::ModelDetail;
use crate::tui::app::Model;
use crate::tui::quantity;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::sanitize;

/// What is told of a part.
const COLUMNS: [Column; 6] = [
    Column { heading: "column", width: 14, fill: Fill::Left, rank: 0 },
    Column { heading: "value", width: 12, fill: Fill::Rest, rank: 0 },
    Column { heading: "rows", width: 7, fill: Fill::Right, rank: 0 },
    Column { heading: "metric", width: 9, fill: Fill::Right, rank: 0 },
    Column { heading: "to all", width: 9, fill: Fill::Right, rank: 1 },
    Column { heading: "others", width: 30, fill: Fill::Left, rank: 2 },
];

/// The rows.
pub(super) fn rows(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let slices = &detail.card.slices;
    if slices.is_empty() {
        let text = "nothing is known of parts of the rows: name columns in `slices` of the stage that trains, then train \
                    again";
        return sentence(model, text, theme.dim, width);
    }
    let whole = &detail.summary;
    let metric = whole.metric.as_ref().map(|metric| metric.name.as_str());
    let name = metric.or_else(|| slices.iter().find_map(|slice| slice.metrics.keys().next()).map(String::as_str));
    let name = name.unwrap_or_default();
    let all = whole.metrics.get(name).copied();
    let on_all = all.map(|all| format!(", {} on all of them", number(all))).unwrap_or_default();
    let table = Table::fit(&COLUMNS, width);
    let told = format!("{name} of parts of the held-out rows{on_all}");
    let mut rows = sentence(model, &told, theme.dim, width);
    rows.push(table.heading(theme.dim, model.glyphs.cut));
    for slice in slices {
        let value = slice.metrics.get(name).copied();
        let change = value.zip(all).map(|(value, all)| signed(value - all));
        let cells = [
            (sanitize(&slice.column), theme.text),
            (sanitize(&slice.value), theme.text),
            (quantity::count(slice.rows), theme.dim),
            (value.map_or_else(|| UNKNOWN.to_owned(), number), theme.title),
            (change.unwrap_or_default(), theme.dim),
            (others(&slice.metrics, name), theme.dim),
        ];
        rows.extend(table.whole_row(model, &cells));
    }
    rows
}

fn others(metrics: &BTreeMap<String, f64>, name: &str) -> String {
    let others = metrics.iter().filter(|(other, _)| *other != name);
    others.map(|(other, value)| format!("{} {}", sanitize(other), number(*value))).collect::<Vec<_>>().join(", ")
}
