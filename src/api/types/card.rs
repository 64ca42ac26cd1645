//! What a model says of itself: the card as clients see it, and the parts that training writes into `model.json` as they stand
//! here.
//!
//! The file may be of a stage in any language, so every part of the card may be absent.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::leaderboard::LeaderboardRow;

/// What a model says of itself; of one of a command all is empty.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct ModelCard {
    /// `classification` or `regression`.
    pub task: Option<String>,
    /// The column that is predicted.
    pub target: Option<String>,
    /// The classes.
    pub classes: Vec<String>,
    /// The seed of everything random.
    pub seed: Option<u64>,
    /// Rows by use.
    pub rows: Option<CardRows>,
    /// The columns that it needs.
    pub features: Vec<CardFeature>,
    /// Columns of the data that it does not need, the target among them.
    #[serde(default)]
    pub ignored: Vec<String>,
    /// What always giving the same answer reaches on the held-out rows, by metric: the commonest class, or the mean.
    #[serde(default)]
    pub baseline: BTreeMap<String, f64>,
    /// Remarks of the training.
    pub remarks: Vec<String>,
    /// 95 % intervals of metrics on the held-out rows.
    pub intervals: BTreeMap<String, (f64, f64)>,
    /// Which classes were taken for which.
    pub confusion: Option<ConfusionMatrix>,
    /// How often a predicted probability came true.
    pub calibration: Vec<CalibrationBin>,
    /// What each column is worth.
    pub importance: Vec<FeatureImportance>,
    /// Metrics of parts of the held-out rows.
    pub slices: Vec<MetricSlice>,
    /// All that was tried.
    pub trials: Vec<LeaderboardRow>,
}

/// Rows by use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct CardRows {
    /// All.
    pub total: u64,
    /// Learned from.
    pub train: u64,
    /// Judged by.
    pub held_out: u64,
}

/// A column that the model needs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CardFeature {
    /// Its name.
    pub name: String,
    /// `numeric`, `categorical`, `boolean` or `date`.
    pub kind: String,
    /// The smallest number seen in training; of dates in days since 1970.
    pub minimum: Option<f64>,
    /// The greatest number seen in training.
    pub maximum: Option<f64>,
    /// The categories seen in training.
    pub categories: Vec<String>,
    /// Training rows without a value.
    pub missing: u64,
    /// A value that is usual: the median or the most frequent category.
    pub typical: String,
}

/// Which classes were taken for which.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ConfusionMatrix {
    /// The classes, in the order of both rows and columns.
    pub classes: Vec<String>,
    /// For each true class how often each class was predicted; one more row at the end, if there is one, is for true classes
    /// that the model does not know.
    pub counts: Vec<Vec<u64>>,
}

/// Rows of about the same predicted probability.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct CalibrationBin {
    /// The mean of the predicted probability.
    pub mean_probability: f64,
    /// The share of rows for which it came true.
    pub share: f64,
    /// How many rows there are.
    pub rows: u64,
}

/// What a column is worth: by how much the metric is worse when its values are shuffled.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureImportance {
    /// The column.
    pub feature: String,
    /// The loss, in the mean of several shuffles.
    pub loss: f64,
    /// Its standard deviation.
    pub deviation: f64,
}

/// The metrics of a part of the held-out rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricSlice {
    /// The column.
    pub column: String,
    /// What the rows have in common there: a category, a range of numbers, or `no value`.
    pub value: String,
    /// How many rows there are.
    pub rows: u64,
    /// Their metrics.
    pub metrics: BTreeMap<String, f64>,
}

#[cfg(test)]
mod tests {
    use serde::de::DeserializeOwned;

    use super::*;

    /// Reads what lies in cards since the first version, and writes it again.
    fn rewritten<T: Serialize + DeserializeOwned>(written: &str) -> String {
        serde_json::to_string(&serde_json::from_str::<T>(written).unwrap()).unwrap()
    }

    #[test]
    fn the_parts_of_a_card_are_written_as_every_version_wrote_them() {
        let rows = r#"{"total":10,"train":8,"held_out":2}"#;
        assert_eq!(rewritten::<CardRows>(rows), rows);
        let feature = r#"{"name":"x","kind":"numeric","minimum":0.5,"maximum":null,"categories":["a"],"missing":3,"typical":"0.5"}"#;
        assert_eq!(rewritten::<CardFeature>(feature), feature);
        let confusion = r#"{"classes":["a","b"],"counts":[[1,0],[2,3]]}"#;
        assert_eq!(rewritten::<ConfusionMatrix>(confusion), confusion);
        let bin = r#"{"mean_probability":0.25,"share":0.5,"rows":4}"#;
        assert_eq!(rewritten::<CalibrationBin>(bin), bin);
        let importance = r#"{"feature":"x","loss":0.125,"deviation":0.5}"#;
        assert_eq!(rewritten::<FeatureImportance>(importance), importance);
        let slice = r#"{"column":"x","value":"no value","rows":4,"metrics":{"accuracy":0.5}}"#;
        assert_eq!(rewritten::<MetricSlice>(slice), slice);
    }
}
