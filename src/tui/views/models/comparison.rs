//! Two versions beside each other: metrics with their change, then what differs in how they were made and from what.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::rows::{dim, heading, sentence, signed};
use crate::api::types::{ModelDetail, lower_is_better};
use crate::tui::app::Model;
use crate::tui::detail_text;
use crate::tui::model_facts::{ModelDifference, content_differences, metric_differences, origin_differences};
use crate::tui::widgets::text::{padded, paragraph, sanitize};

/// Cells of what differs, and of a change.
const WHAT: usize = 18;
const CHANGE: usize = 15;
/// Rows that one of both may take.
const LONGEST: usize = 4;

/// The rows; `other` is the chosen version, and changes lead to it.
pub(super) fn rows(model: &Model, one: &ModelDetail, other: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let (first, second) = (&one.summary, &other.summary);
    let names = (format!("model {}", first.version), format!("model {}", second.version));
    let head = ModelDifference { what: "metrics".to_owned(), one: names.0, other: names.1, change: None };
    let mut rows = Vec::new();
    if first.digest.is_some() && first.digest == second.digest {
        rows.extend(sentence(model, "they are equal, byte for byte", model.theme.good, width));
    }
    let heading_of_changes = (format!("change to {}", second.version), model.theme.title);
    rows.extend(row(model, &head, model.theme.title, heading_of_changes, width));
    for metric in metric_differences(first, second) {
        let change = change(model, &metric);
        rows.extend(row(model, &metric, model.theme.text, change, width));
    }
    rows.push(Line::default());
    rows.push(heading(model, "settings and data that differ"));
    let mut differences = origin_differences(one, other);
    differences.extend(content_differences(one, other));
    if differences.is_empty() {
        rows.push(dim(model, "none: learner, settings, data and commit are the same"));
    }
    for difference in &differences {
        rows.extend(row(model, difference, model.theme.text, (String::new(), model.theme.text), width));
    }
    rows
}

/// How much a metric changed, and whether that is for the better.
fn change(model: &Model, metric: &ModelDifference) -> (String, Style) {
    let Some(change) = metric.change else { return (String::new(), model.theme.dim) };
    // What both show as the same number is no change to anybody who reads it.
    if metric.one == metric.other {
        return ("same".to_owned(), model.theme.dim);
    }
    if (change < 0.0) == lower_is_better(&metric.what) {
        (format!("{} better", signed(change)), model.theme.good)
    } else {
        (format!("{} worse", signed(change)), model.theme.warn)
    }
}

/// One thing, in as many rows as its longer side needs.
fn row(
    model: &Model,
    difference: &ModelDifference,
    style: Style,
    (change, change_style): (String, Style),
    width: usize,
) -> Vec<Line<'static>> {
    let cut = model.glyphs.cut;
    let what = WHAT.min(width / 3);
    let half = width.saturating_sub(what + CHANGE + 3) / 2;
    let wrapped = |text: &str| paragraph(&sanitize(text), half, LONGEST, cut);
    let (one, other) = (wrapped(&difference.one), wrapped(&difference.other));
    let name = sanitize(&difference.what);
    let text = |texts: &[String], row: usize| padded(texts.get(row).map_or("", String::as_str), half, cut);
    let mut rows: Vec<_> = (0..one.len().max(other.len()).max(1))
        .map(|row| {
            let label = padded(if row == 0 { name.as_str() } else { "" }, what, cut);
            let mut line = Line::from(Span::styled(format!("{label} "), model.theme.dim));
            line.push_span(Span::styled(format!("{} {} ", text(&one, row), text(&other, row)), style));
            line
        })
        .collect();
    let whole = [name, sanitize(&difference.one), sanitize(&difference.other), change.clone()].join("  ");
    if let Some(first) = rows.first_mut() {
        first.push_span(Span::styled(change, change_style));
    }
    if rows.len() > 1 {
        detail_text::belong_together(model, &rows, &whole);
    }
    rows
}
