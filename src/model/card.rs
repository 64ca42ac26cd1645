//! The card of a model: what it is, what it was made from and how good it is, for people and for `model.json`.
//!
//! Nothing here depends on when or where the model was made (no times, no absolute paths), so that equal inputs give an
//! equal file.

use serde::{Deserialize, Serialize};

use super::evaluate::Metrics;
use super::preprocess::{Encoding, Feature};
use crate::config::{Algorithm, Task, TrainSettings};
use crate::pipeline::Digest;

/// What a model says of itself.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Card {
    /// The version of trainyard that made it.
    pub trainyard: String,
    /// What is predicted.
    pub task: Task,
    /// The column that is predicted.
    pub target: String,
    /// What learned it.
    pub algorithm: Algorithm,
    /// The columns it needs, in order.
    pub features: Vec<FeatureCard>,
    /// Columns of the data that it does not need; they may be sent and are ignored.
    pub ignored: Vec<String>,
    /// The classes, in the order of the probabilities; empty for a regression.
    pub classes: Vec<String>,
    /// Whether the classes are integers and are answered as such.
    pub integer_classes: bool,
    /// What it reached on the held-out rows.
    pub metrics: Metrics,
    /// How many rows it was made from.
    pub rows: RowCounts,
    /// What it was made from.
    pub lineage: Lineage,
    /// The seed of everything random.
    pub seed: u64,
    /// The settings it was made with.
    pub settings: TrainSettings,
    /// Remarks of the training: columns left out, and why.
    pub notes: Vec<String>,
}

/// Rows by use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowCounts {
    /// All rows.
    pub total: u64,
    /// Rows that were learned from.
    pub train: u64,
    /// Rows that it was judged by.
    pub held_out: u64,
}

/// The data behind a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lineage {
    /// The digest over names and digests of the files.
    pub data: Digest,
    /// The files, in the order they were read.
    pub files: Vec<DataFile>,
}

/// One file of the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Its name, relative to the folder of all files.
    pub name: String,
    /// The digest of its content.
    pub digest: Digest,
    /// Its rows.
    pub rows: u64,
}

/// What a person needs to know about a column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureCard {
    /// Its name.
    pub name: String,
    /// `numeric` or `categorical`.
    pub kind: String,
    /// The smallest number seen in training.
    pub minimum: Option<f64>,
    /// The greatest number seen in training.
    pub maximum: Option<f64>,
    /// The categories seen in training.
    pub categories: Vec<String>,
    /// How many training rows had no value.
    pub missing: u64,
    /// A value that is usual: the median or the most frequent category.
    pub typical: String,
}

impl From<&Feature> for FeatureCard {
    fn from(feature: &Feature) -> Self {
        let common = |kind: &str, typical: String| Self {
            name: feature.name.clone(),
            kind: kind.to_owned(),
            minimum: None,
            maximum: None,
            categories: Vec::new(),
            missing: feature.missing,
            typical,
        };
        match &feature.encoding {
            Encoding::Numeric { fill, minimum, maximum, .. } => {
                Self { minimum: Some(*minimum), maximum: Some(*maximum), ..common("numeric", fill.to_string()) }
            }
            Encoding::Categorical { categories, fill } => Self {
                categories: categories.clone(),
                ..common("categorical", categories.get(*fill).cloned().unwrap_or_default())
            },
        }
    }
}
