//! In what two model versions differ, in words that the screen and `trainyard models diff` share: what came of them, what
//! learned them, from what.
//!
//! Pure, and nothing is made harmless here: whoever shows a text does that.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::api::types::{ModelDetail, ModelSummary};

/// Stands where nothing is known.
const UNKNOWN: &str = "–";

/// One thing that differs, or a metric of both.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ModelDifference {
    /// What.
    pub what: String,
    /// That of the one.
    pub one: String,
    /// That of the other.
    pub other: String,
    /// How much a metric grew from the one to the other.
    pub change: Option<f64>,
}

impl ModelDifference {
    fn new(what: &str, one: String, other: String) -> Self {
        Self { what: what.to_owned(), one, other, change: None }
    }
}

/// What differs in how they were made: learner, settings, data, commit.
pub fn origin_differences(one: &ModelDetail, other: &ModelDetail) -> Vec<ModelDifference> {
    let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let of = |model: &ModelDetail| {
        let (summary, card, lineage) = (&model.summary, &model.card, model.lineage.as_ref());
        [
            ("stage", summary.stage.to_string()),
            ("verdict", summary.gate_word().to_owned()),
            ("learner", known(summary.learner.clone())),
            ("target", known(card.target.clone())),
            ("seed", known(card.seed.map(|seed| seed.to_string()))),
            ("settings", known(lineage.map(|lineage| lineage.configuration.short().to_owned()))),
            ("data", known(summary.data.as_ref().map(|digest| digest.short().to_owned()))),
            ("rows", known(summary.rows.map(|rows| rows.to_string()))),
            ("commit", known(summary.commit.clone())),
            ("trainyard", known(lineage.map(|lineage| lineage.trainyard.clone()))),
            ("beside", known(summary.parent.map(|parent| parent.to_string()))),
            ("classes", card.classes.join(", ")),
        ]
    };
    let pairs = of(one).into_iter().zip(of(other));
    let differing = pairs.filter(|((_, one), (_, other))| one != other);
    differing.map(|((what, one), (_, other))| ModelDifference::new(what, one, other)).collect()
}

/// All metrics of both, with how much each grew; those that are equal too.
pub fn metric_differences(one: &ModelSummary, other: &ModelSummary) -> Vec<ModelDifference> {
    let names: BTreeSet<&String> = one.metrics.keys().chain(other.metrics.keys()).collect();
    let text = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.4}"));
    names
        .into_iter()
        .map(|name| {
            let (first, second) = (one.metrics.get(name).copied(), other.metrics.get(name).copied());
            let change = first.zip(second).map(|(first, second)| second - first);
            ModelDifference { change, ..ModelDifference::new(name, text(first), text(second)) }
        })
        .collect()
}

/// Columns that only one of both needs, and files from which only one has learned.
pub fn content_differences(one: &ModelDetail, other: &ModelDetail) -> Vec<ModelDifference> {
    let columns = |model: &ModelDetail| -> BTreeSet<String> {
        model.card.features.iter().map(|feature| feature.name.clone()).collect()
    };
    // A file of the same name with other content is another file.
    let files = |model: &ModelDetail| -> BTreeSet<String> {
        let files = model.lineage.iter().flat_map(|lineage| &lineage.files);
        files.map(|file| format!("{} ({})", file.path, file.digest.short())).collect()
    };
    let columns = only_in_one("columns only here", &columns(one), &columns(other));
    let files = only_in_one("files only here", &files(one), &files(other));
    columns.into_iter().chain(files).collect()
}

fn only_in_one(what: &str, one: &BTreeSet<String>, other: &BTreeSet<String>) -> Option<ModelDifference> {
    let only = |these: &BTreeSet<String>, those: &BTreeSet<String>| {
        these.difference(those).cloned().collect::<Vec<_>>().join(", ")
    };
    let (left, right) = (only(one, other), only(other, one));
    let differs = !left.is_empty() || !right.is_empty();
    differs.then(|| ModelDifference::new(what, left, right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::ModelVersion;
    use crate::tui::model_fixtures;

    #[test]
    fn metrics_are_told_with_their_change_and_all_else_only_where_it_differs() {
        let state = model_fixtures::world().state;
        let detail = |version| model_fixtures::detail(&state, ModelVersion(version)).unwrap();
        let (one, other) = (detail(1), detail(2));
        let metrics = metric_differences(&one.summary, &other.summary);
        let accuracy = metrics.iter().find(|row| row.what == "accuracy").unwrap();
        assert_eq!((accuracy.one.as_str(), accuracy.other.as_str()), ("0.9310", "0.9420"));
        assert!((accuracy.change.unwrap() - 0.011).abs() < 1e-9);
        let origin = origin_differences(&one, &other);
        assert!(origin.iter().any(|row| row.what == "data") && origin.iter().all(|row| row.what != "target"));
        let content = content_differences(&one, &other);
        assert_eq!(content.len(), 1, "the columns are the same: {content:?}");
        assert!(content[0].what.starts_with("files") && !content[0].other.is_empty());
        assert_eq!(origin_differences(&one, &one), []);
        assert_eq!(content_differences(&one, &one), []);
    }
}
