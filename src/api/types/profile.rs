//! The profile of the data that a model learned from, as clients see it.
//!
//! Training writes it beside the model; a client shows what is there, so every part may be absent.

use serde::{Deserialize, Serialize};

/// What is in a data set.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DataProfile {
    /// Rows of all files.
    pub rows: u64,
    /// Rows that are equal to an earlier one in every cell.
    pub duplicates: u64,
    /// The column to predict; empty when none is known.
    pub target: String,
    /// The classes of the target and their rows, the most frequent first; empty when it is a number.
    pub balance: Vec<ProfiledValue>,
    /// The columns.
    pub columns: Vec<ProfiledColumn>,
    /// What is odd, in sentences.
    pub notes: Vec<String>,
}

/// What is in a column.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfiledColumn {
    /// Its name.
    pub name: String,
    /// `number`, `boolean`, `date`, `category` or `text`.
    pub kind: String,
    /// Rows without a value.
    pub missing: u64,
    /// How many different values there are, where that was counted.
    pub distinct: Option<DistinctValues>,
    /// The spread of numbers; of dates in days since 1970.
    pub numbers: Option<ProfiledNumbers>,
    /// The earliest and the latest date.
    pub dates: Option<(String, String)>,
    /// The most frequent values of a category.
    pub top: Vec<ProfiledValue>,
}

/// How many different values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct DistinctValues {
    /// As many as were counted.
    pub count: u64,
    /// Whether that is all; otherwise there are more.
    pub exact: bool,
}

/// How numbers are spread.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfiledNumbers {
    /// The smallest.
    pub minimum: f64,
    /// The greatest.
    pub maximum: f64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
    /// Rows by equally wide bins from the smallest to the greatest.
    pub histogram: Vec<u64>,
}

/// A value and how many rows have it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ProfiledValue {
    /// The value.
    pub value: String,
    /// The rows.
    pub rows: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_here_is_passed_over_and_what_is_absent_is_empty() {
        let text = r#"{"rows": 5, "files": [{"name": "a.csv"}], "later": true, "columns": [
            {"name": "day", "kind": "date", "format": "YYYY-MM-DD", "dates": ["2024-01-01", "2024-02-29"],
             "distinct": {"count": 3, "exact": true, "repeated": false},
             "numbers": {"minimum": 1.0, "maximum": 2.0, "mean": 1.5, "deviation": 0.5, "quantiles": [1.0], "histogram": [2, 3]}}]}"#;
        let profile: DataProfile = serde_json::from_str(text).unwrap();
        assert_eq!((profile.rows, profile.duplicates, profile.columns.len()), (5, 0, 1));
        let column = &profile.columns[0];
        assert_eq!(column.distinct, Some(DistinctValues { count: 3, exact: true }));
        assert_eq!(column.numbers.as_ref().unwrap().histogram, [2, 3]);
        assert_eq!(serde_json::from_str::<DataProfile>("{}").unwrap(), DataProfile::default());
    }
}
