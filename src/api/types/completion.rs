//! What can be written at a place in an expression, in windows: a list may have any length, and only what is on a screen is
//! sent.

use serde::{Deserialize, Serialize};

use super::charts::MetricInformation;

/// What stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CompletionKind {
    /// A metric, a function or an aggregation.
    #[default]
    Expression,
    /// The name of a label.
    LabelName,
    /// A value of a label.
    LabelValue,
}

/// Which window of which list is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct CompletionRequest {
    /// What stands there.
    pub kind: CompletionKind,
    /// Of which label values are wanted.
    #[serde(default)]
    pub label: Option<String>,
    /// Only what series of this metric have; of one that is not known, all.
    #[serde(default)]
    pub metric: Option<String>,
    /// What was typed so far.
    #[serde(default)]
    pub word: String,
    /// The first row, from 0.
    pub first: usize,
    /// Rows.
    pub count: usize,
}

/// What can be written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Completion {
    /// A metric.
    Metric(MetricInformation),
    /// A function or an aggregation.
    Function(String),
    /// The name of a label.
    Label(String),
    /// A value of a label.
    Value(String),
}

impl Completion {
    /// The text itself.
    pub fn name(&self) -> &str {
        match self {
            Self::Metric(metric) => &metric.name,
            Self::Function(name) | Self::Label(name) | Self::Value(name) => name,
        }
    }
}

/// A window of the list, the best first.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Completions {
    /// The number of the first row, from 0.
    pub first: usize,
    /// The rows.
    pub rows: Vec<Completion>,
    /// How many there are in all.
    pub total: usize,
    /// Whether one of them is the word as it was typed.
    pub is_whole: bool,
}
