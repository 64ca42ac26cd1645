//! A record as it comes from outside, checked against what the model was trained on.
//!
//! A missing field is an error, because it is most often a mistake; a value that is not known is sent as `null` and
//! imputed. An unknown field is an error too, for the same reason, unless it was a column of the training data that the
//! model does not use.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::model::data::cell::{self, Cell};
use crate::model::data::column::ColumnKind;
use crate::model::data::date::DateFormat;
use crate::model::learn::preprocess::{Encoding, Feature};
use crate::model::nearest;

/// A JSON object: column → number, text, boolean or null.
pub type Record = Map<String, Value>;

/// Why a record cannot be predicted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("record {record}: {problem}")]
pub struct PredictError {
    /// Which of the records, from 0.
    pub record: usize,
    /// What is wrong with it.
    pub problem: FieldProblem,
}

/// What is wrong with a field.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FieldProblem {
    /// Not there.
    #[error("the field \"{field}\" is missing; send it, or null if its value is not known")]
    Missing {
        /// The field.
        field: String,
    },
    /// Not one of the model's.
    #[error("the field \"{field}\" is not one of the model's; {hint}")]
    Unknown {
        /// The field.
        field: String,
        /// The nearest one, or those there are.
        hint: String,
    },
    /// Of another type.
    #[error("the field \"{field}\" must be {expected}, not {found}")]
    WrongType {
        /// The field.
        field: String,
        /// What is wanted.
        expected: &'static str,
        /// What came.
        found: String,
    },
}

impl FieldProblem {
    /// The field.
    pub fn field(&self) -> &str {
        match self {
            Self::Missing { field } | Self::Unknown { field, .. } | Self::WrongType { field, .. } => field,
        }
    }

    /// One word, for metrics.
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "missing_field",
            Self::Unknown { .. } => "unknown_field",
            Self::WrongType { .. } => "wrong_type",
        }
    }
}

/// The cells of a record, one a feature in their order.
pub(in crate::model) fn from_json<'a>(
    features: &[Feature],
    ignored: &[String],
    record: &'a Record,
) -> Result<Vec<Cell<'a>>, FieldProblem> {
    let cells = features
        .iter()
        .map(|feature| match record.get(&feature.name) {
            Some(value) => from_value(feature, value),
            None => Err(missing(features, ignored, record, &feature.name)),
        })
        .collect::<Result<Vec<_>, _>>()?;
    match unknown(features, ignored, record) {
        // All features are there, so a longer record is the only way to have unknown fields.
        Some(problem) => Err(problem),
        None => Ok(cells),
    }
}

/// A cell of a CSV file for a feature, trimmed.
pub(in crate::model) fn from_text<'a>(feature: &Feature, text: &'a str) -> Result<Cell<'a>, FieldProblem> {
    if cell::is_missing(text) {
        return Ok(Cell::Missing);
    }
    if let ColumnKind::Date(format) = feature.kind {
        return date(feature, format, text);
    }
    match &feature.encoding {
        Encoding::Categorical { categories, .. } => Ok(Cell::Text(spelled(feature, categories, text))),
        Encoding::Numeric { .. } => match cell::number(text) {
            Some(number) => Ok(Cell::Number(number)),
            None => Err(wrong_type(feature, "a number", format!("the text \"{}\"", shortened(text)))),
        },
    }
}

/// A date in the format of the training data, or in that of ISO 8601, which means the same everywhere.
fn date<'a>(feature: &Feature, format: DateFormat, text: &str) -> Result<Cell<'a>, FieldProblem> {
    let days = format.days(text).or_else(|| DateFormat::Iso.days(text));
    days.map(Cell::Number)
        .ok_or_else(|| wrong_type(feature, date_expected(format), format!("the text \"{}\"", shortened(text))))
}

fn date_expected(format: DateFormat) -> &'static str {
    match format {
        DateFormat::Iso => "a date as YYYY-MM-DD or null",
        DateFormat::YearFirst => "a date as YYYY-MM-DD or YYYY/MM/DD or null",
        DateFormat::Dotted => "a date as YYYY-MM-DD or DD.MM.YYYY or null",
        DateFormat::DayFirst => "a date as YYYY-MM-DD or DD/MM/YYYY or null",
        DateFormat::MonthFirst => "a date as YYYY-MM-DD or MM/DD/YYYY or null",
    }
}

/// Yes and no as the training data spells them, however they are written here.
fn spelled<'a>(feature: &Feature, categories: &[String], text: &'a str) -> Cow<'a, str> {
    let is_known = categories.iter().any(|category| category == text);
    let truth = if feature.kind == ColumnKind::Boolean && !is_known { cell::truth(text) } else { None };
    let known = categories.iter().find(|category| truth.is_some() && cell::truth(category) == truth);
    known.map_or(Cow::Borrowed(text), |known| Cow::Owned(known.clone()))
}

fn from_value<'a>(feature: &Feature, value: &'a Value) -> Result<Cell<'a>, FieldProblem> {
    if let ColumnKind::Date(format) = feature.kind {
        return date_from_value(feature, format, value);
    }
    let expected = match &feature.encoding {
        Encoding::Numeric { .. } => "a number or null",
        Encoding::Categorical { .. } => "text, a number, a boolean or null",
    };
    match (&feature.encoding, value) {
        (_, Value::Null) => Ok(Cell::Missing),
        (Encoding::Numeric { .. }, Value::Number(number)) => match number.as_f64() {
            Some(number) => Ok(Cell::Number(number)),
            None => Err(wrong_type(feature, expected, number.to_string())),
        },
        (Encoding::Categorical { .. }, Value::String(text)) if cell::is_missing(text) => Ok(Cell::Missing),
        (Encoding::Categorical { categories, .. }, Value::String(text)) => {
            Ok(Cell::Text(spelled(feature, categories, text)))
        }
        (Encoding::Categorical { categories, .. }, Value::Bool(truth)) => {
            // Data sets write booleans in any case and in two words: True, TRUE, yes.
            let known = categories.iter().find(|category| cell::truth(category) == Some(*truth)).cloned();
            Ok(Cell::Text(Cow::Owned(known.unwrap_or_else(|| truth.to_string()))))
        }
        (Encoding::Categorical { categories, .. }, Value::Number(number)) => {
            // 3 and 3.0 are the same number, and the data may have written either.
            let text = number.to_string();
            let plain = number.as_f64().map(|number| number.to_string()).filter(|plain| categories.contains(plain));
            Ok(Cell::Text(Cow::Owned(plain.unwrap_or(text))))
        }
        (Encoding::Numeric { .. }, Value::Bool(_)) => {
            Err(wrong_type(feature, "a number (1 or 0) or null", "a boolean".to_owned()))
        }
        (Encoding::Numeric { .. }, Value::String(text)) => {
            Err(wrong_type(feature, expected, format!("the text \"{}\"", shortened(text))))
        }
        (_, Value::Array(_)) => Err(wrong_type(feature, expected, "a list".to_owned())),
        (_, Value::Object(_)) => Err(wrong_type(feature, expected, "an object".to_owned())),
    }
}

fn date_from_value<'a>(feature: &Feature, format: DateFormat, value: &Value) -> Result<Cell<'a>, FieldProblem> {
    let expected = date_expected(format);
    match value {
        Value::Null => Ok(Cell::Missing),
        Value::String(text) => match text.trim() {
            text if cell::is_missing(text) => Ok(Cell::Missing),
            text => date(feature, format, text),
        },
        Value::Number(number) => Err(wrong_type(feature, expected, number.to_string())),
        Value::Bool(_) => Err(wrong_type(feature, expected, "a boolean".to_owned())),
        Value::Array(_) => Err(wrong_type(feature, expected, "a list".to_owned())),
        Value::Object(_) => Err(wrong_type(feature, expected, "an object".to_owned())),
    }
}

/// A missing field whose name was only mistyped is told as such: the unknown field is the better message.
fn missing(features: &[Feature], ignored: &[String], record: &Record, field: &str) -> FieldProblem {
    unknown(features, ignored, record)
        .filter(|problem| nearest::nearest(problem.field(), [field]).is_some())
        .unwrap_or_else(|| FieldProblem::Missing { field: field.to_owned() })
}

fn unknown(features: &[Feature], ignored: &[String], record: &Record) -> Option<FieldProblem> {
    let field = record
        .keys()
        .find(|field| !ignored.contains(field) && !features.iter().any(|feature| feature.name == **field))?;
    let hint = nearest::hint(field, features.iter().map(|feature| feature.name.as_str()));
    Some(FieldProblem::Unknown { field: field.clone(), hint })
}

fn wrong_type(feature: &Feature, expected: &'static str, found: String) -> FieldProblem {
    FieldProblem::WrongType { field: feature.name.clone(), expected, found }
}

fn shortened(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Cell, ColumnKind, DateFormat, Encoding, Feature, FieldProblem, Record, from_json, from_text};

    fn features() -> Vec<Feature> {
        let numeric = Encoding::Numeric { fill: 0.0, mean: 0.0, deviation: 1.0, minimum: 0.0, maximum: 1.0 };
        let categorical = Encoding::Categorical { categories: vec!["1".into(), "True".into()], fill: 0 };
        vec![
            Feature { name: "alcohol".into(), kind: ColumnKind::Number, encoding: numeric, missing: 0 },
            Feature { name: "region".into(), kind: ColumnKind::Category, encoding: categorical, missing: 0 },
        ]
    }

    fn record(value: &serde_json::Value) -> Record {
        value.as_object().unwrap().clone()
    }

    fn problem(value: &serde_json::Value) -> FieldProblem {
        from_json(&features(), &["quality".to_owned()], &record(value)).unwrap_err()
    }

    #[test]
    fn null_is_missing_and_the_target_is_ignored() {
        let record = record(&json!({"alcohol": null, "region": 1.0, "quality": 5}));
        let cells = from_json(&features(), &["quality".to_owned()], &record).unwrap();
        assert_eq!(cells, [Cell::Missing, Cell::Text("1".into())]);
    }

    #[test]
    fn booleans_find_their_category_in_any_case() {
        let record = record(&json!({"alcohol": 1, "region": true}));
        assert_eq!(from_json(&features(), &[], &record).unwrap()[1], Cell::Text("True".into()));
    }

    #[test]
    fn yes_is_found_however_the_data_spelled_it() {
        let encoding = Encoding::Categorical { categories: vec!["no".into(), "yes".into()], fill: 0 };
        let fresh = Feature { name: "fresh".into(), kind: ColumnKind::Boolean, encoding, missing: 0 };
        for text in ["yes", "TRUE", "Yes", "true"] {
            assert_eq!(from_text(&fresh, text).unwrap(), Cell::Text("yes".into()), "{text}");
        }
        let record = record(&json!({"fresh": false}));
        assert_eq!(from_json(&[fresh], &[], &record).unwrap(), [Cell::Text("no".into())]);
    }

    #[test]
    fn dates_come_as_the_data_wrote_them_or_in_iso_form() {
        let encoding = Encoding::Numeric { fill: 0.0, mean: 0.0, deviation: 1.0, minimum: 0.0, maximum: 1.0 };
        let kind = ColumnKind::Date(DateFormat::DayFirst);
        let day = [Feature { name: "day".into(), kind, encoding, missing: 0 }];
        for text in ["03/01/1970", "1970-01-03"] {
            assert_eq!(from_text(&day[0], text).unwrap(), Cell::Number(2.0), "{text}");
            assert_eq!(from_json(&day, &[], &record(&json!({ "day": text }))).unwrap(), [Cell::Number(2.0)], "{text}");
        }
        assert_eq!(from_json(&day, &[], &record(&json!({ "day": null }))).unwrap(), [Cell::Missing]);
        let message = from_json(&day, &[], &record(&json!({ "day": 19000 }))).unwrap_err().to_string();
        assert_eq!(message, "the field \"day\" must be a date as YYYY-MM-DD or DD/MM/YYYY or null, not 19000");
    }

    #[test]
    fn a_missing_field_is_an_error_that_mentions_null() {
        assert_eq!(problem(&json!({"region": "1"})), FieldProblem::Missing { field: "alcohol".to_owned() });
    }

    #[test]
    fn an_unknown_field_names_the_nearest_column() {
        let message = problem(&json!({"alcohl": 1, "region": "1"})).to_string();
        assert_eq!(message, "the field \"alcohl\" is not one of the model's; did you mean \"alcohol\"?");
    }

    #[test]
    fn text_for_a_number_is_an_error_with_the_text() {
        let message = problem(&json!({"alcohol": "much", "region": "1"})).to_string();
        assert_eq!(message, "the field \"alcohol\" must be a number or null, not the text \"much\"");
        assert!(from_text(&features()[0], "much").is_err());
        assert_eq!(from_text(&features()[0], " ".trim()).unwrap(), Cell::Missing);
    }
}
