//! What each column is worth: by how much the metric is worse when its values are shuffled, of one version or of two.
//!
//! The dark part of a bar is sure, the light one lies within the standard deviation.

use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::rows::{dim, sentence, signed};
use crate::api::types::{FeatureImportance, ModelDetail};
use crate::tui::app::Model;
use crate::tui::quantity::{cell, real};
use crate::tui::widgets::text::{padded, sanitize};

/// The widest name of a column.
const NAME: usize = 24;
/// Cells of a number and its deviation.
const NUMBERS: usize = 17;

/// The rows of one version.
pub(super) fn rows(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let importance = &detail.card.importance;
    if importance.is_empty() {
        return nothing(model, width);
    }
    let most = most(importance);
    let name = name_width(importance.iter(), width);
    let room = width.saturating_sub(name + 1 + NUMBERS + 1);
    let mut rows = explained(model, width);
    for row in importance {
        let mut line = Line::from(Span::styled(
            format!("{} ", padded(&sanitize(&row.feature), name, model.glyphs.cut)),
            model.theme.text,
        ));
        line.spans.extend(bar(model, row, most, room));
        line.push_span(Span::styled(format!(" {}", numbers(row)), model.theme.dim));
        rows.push(line);
    }
    rows
}

/// The rows of two, a line for each column that one of them has.
pub(super) fn beside(model: &Model, one: &ModelDetail, other: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let (left, right) = (&one.card.importance, &other.card.importance);
    if left.is_empty() && right.is_empty() {
        return nothing(model, width);
    }
    let most = most(left).max(most(right));
    // Those of the chosen version in their order, then those that only the other has.
    let known = |of: &[FeatureImportance], feature: &str| of.iter().find(|row| row.feature == feature).cloned();
    let gone = left.iter().filter(|row| known(right, &row.feature).is_none());
    let features: Vec<&FeatureImportance> = right.iter().chain(gone).collect();
    let name = name_width(features.iter().copied(), width).min(width / 4);
    let half = width.saturating_sub(name + 2) / 2;
    let (first, second) = (format!("model {}", one.summary.version), format!("model {}", other.summary.version));
    let cut = model.glyphs.cut;
    let headings = format!("{} {} {}", " ".repeat(name), padded(&first, half, cut), padded(&second, half, cut));
    let mut rows = explained(model, width);
    rows.push(dim(model, &headings));
    for feature in features {
        let label = format!("{} ", padded(&sanitize(&feature.feature), name, cut));
        let mut line = Line::from(Span::styled(label, model.theme.text));
        for (index, of) in [left, right].into_iter().enumerate() {
            if index > 0 {
                line.push_span(Span::raw(" "));
            }
            line.spans.extend(cells(model, known(of, &feature.feature).as_ref(), most, half));
        }
        rows.push(line);
    }
    rows
}

/// The bar and the number of a column, or that a version does not have it.
fn cells(model: &Model, row: Option<&FeatureImportance>, most: f64, width: usize) -> Vec<Span<'static>> {
    let Some(row) = row else {
        return vec![Span::styled(padded("not measured", width, model.glyphs.cut), model.theme.dim)];
    };
    let text = signed(row.loss);
    let mut spans = bar(model, row, most, width.saturating_sub(text.width() + 1)).to_vec();
    spans.push(Span::styled(format!(" {text}"), model.theme.dim));
    spans
}

fn bar(model: &Model, row: &FeatureImportance, most: f64, width: usize) -> [Span<'static>; 3] {
    let place = |value: f64| if most > 0.0 { cell(value / most * real(width), width) } else { 0 };
    let deviation = row.deviation.abs();
    let sure = place(row.loss - deviation);
    let reach = place(row.loss + deviation).max(sure);
    let [_, light, .., dark] = model.glyphs.heat;
    let style = model.theme.series(0);
    [
        Span::styled(dark.repeat(sure), style),
        Span::styled(light.repeat(reach - sure), style),
        Span::raw(" ".repeat(width - reach)),
    ]
}

fn numbers(row: &FeatureImportance) -> String {
    format!("{} ±{:.4}", signed(row.loss), row.deviation)
}

/// The end of the longest bar.
fn most(importance: &[FeatureImportance]) -> f64 {
    let ends = importance.iter().map(|row| row.loss + row.deviation.abs()).filter(|end| end.is_finite());
    ends.fold(0.0, f64::max)
}

fn name_width<'a>(importance: impl Iterator<Item = &'a FeatureImportance>, width: usize) -> usize {
    let longest = importance.map(|row| sanitize(&row.feature).width()).max().unwrap_or(0);
    longest.min(NAME).min(width / 2)
}

fn explained(model: &Model, width: usize) -> Vec<Line<'static>> {
    let text = "how much worse the metric is when a column is shuffled, and the deviation of that";
    sentence(model, text, model.theme.dim, width)
}

fn nothing(model: &Model, width: usize) -> Vec<Line<'static>> {
    let text = "nothing is known of what columns are worth: a stage with `uses = \"train\"` measures it, unless they are \
                very many";
    sentence(model, text, model.theme.dim, width)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    fn drawn(loss: f64, deviation: f64, most: f64) -> String {
        let row = FeatureImportance { feature: "alcohol".to_owned(), loss, deviation };
        Line::from(bar(&fixtures::empty(), &row, most, 10).to_vec()).to_string()
    }

    #[test]
    fn the_uncertain_part_of_a_bar_is_light() {
        assert_eq!(drawn(0.5, 0.1, 1.0), "████░░    ");
        assert_eq!(drawn(1.0, 0.0, 1.0), "██████████");
        assert_eq!(drawn(-0.2, 0.1, 1.0), "          ", "what makes no difference has no bar");
        assert_eq!(drawn(f64::NAN, f64::NAN, 1.0), "          ");
        assert_eq!(drawn(0.5, 0.1, 0.0), "          ");
    }
}
