//! The card of a model: what it is, what it was made from and how good it is, for people and for `model.json`.
//!
//! Nothing here depends on when or where the model was made (no times, no absolute paths), so that equal inputs give an
//! equal file.

use serde::{Deserialize, Serialize};

use crate::api::types::{CardFeature, CardRows};
use crate::config::{Algorithm, Task, TrainSettings};
use crate::model::data::column::ColumnKind;
use crate::model::data::date::date_text;
use crate::model::evaluate::{Evaluation, Metrics};
use crate::model::learn::learner::Learner;
use crate::model::learn::preprocess::{Encoding, Feature};
use crate::model::search::Standing;
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
    /// With which hyper-parameters.
    #[serde(with = "learner_form")]
    pub learner: Learner,
    /// The columns it needs, in order.
    pub features: Vec<CardFeature>,
    /// Columns of the data that it does not need; they may be sent and are ignored.
    pub ignored: Vec<String>,
    /// The classes, in the order of the probabilities; empty for a regression.
    pub classes: Vec<String>,
    /// Whether the classes are integers and are answered as such.
    pub integer_classes: bool,
    /// What it reached on the held-out rows.
    pub metrics: Metrics,
    /// How sure that is, and where it is weak.
    pub evaluation: Evaluation,
    /// What else was tried.
    pub search: SearchCard,
    /// How many rows it was made from.
    pub rows: CardRows,
    /// What it was made from.
    pub lineage: Lineage,
    /// The digest of the profile of that data, `profile.json`.
    pub profile: Option<Digest>,
    /// The seed of everything random.
    pub seed: u64,
    /// The settings it was made with.
    pub settings: TrainSettings,
    /// Remarks of the training: columns left out, and why.
    pub notes: Vec<String>,
}

/// How the learner was found.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct SearchCard {
    /// By how many folds of the training rows trials were compared; 0 when there was nothing to compare.
    pub folds: u32,
    /// The share of the rows that each rung gave, ascending.
    pub rungs: Vec<f64>,
    /// Whether every rung was finished before the time for the search was over. If not, equal inputs may give another
    /// model, and the trials say what was done.
    pub in_time: bool,
    /// What was tried.
    pub trials: Vec<Standing>,
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

impl From<&Feature> for CardFeature {
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
                let is_date = matches!(feature.kind, ColumnKind::Date(_));
                let (kind, typical) =
                    if is_date { ("date", date_text(fill.floor())) } else { ("numeric", fill.to_string()) };
                Self { minimum: Some(*minimum), maximum: Some(*maximum), ..common(kind, typical) }
            }
            Encoding::Categorical { categories, fill } => {
                let kind = if feature.kind == ColumnKind::Boolean { "boolean" } else { "categorical" };
                Self {
                    categories: categories.clone(),
                    ..common(kind, categories.get(*fill).cloned().unwrap_or_default())
                }
            }
        }
    }
}

/// A learner names its algorithm among its fields, which a format without names of fields cannot hold; there it is JSON
/// text.
pub(in crate::model) mod learner_form {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::model::learn::learner::Learner;

    /// Writes it.
    pub fn serialize<S: Serializer>(learner: &Learner, serializer: S) -> Result<S::Ok, S::Error> {
        if serializer.is_human_readable() {
            return learner.serialize(serializer);
        }
        serde_json::to_string(learner).map_err(S::Error::custom)?.serialize(serializer)
    }

    /// Reads it.
    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Learner, D::Error> {
        if deserializer.is_human_readable() {
            return Learner::deserialize(deserializer);
        }
        serde_json::from_str(&String::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
