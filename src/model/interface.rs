//! What records are for a model, and how its answers are called: the same for whatever is served, however it was trained.

use std::collections::BTreeMap;

use crate::model::data::cell::Cell;
use crate::model::data::csv_source::CsvSource;
use crate::model::data::dataset_error::DatasetError;
use crate::model::data::record::{self, FieldProblem, PredictError, Record};
use crate::model::learn::predictor::{Output, most_probable};
use crate::model::learn::preprocess::Feature;
use crate::model::nearest;
use crate::model::prediction::{Predicted, Prediction};

/// Checks records and brings their fields into the order of the features.
pub(in crate::model) fn cells<'a>(
    features: &[Feature],
    ignored: &[String],
    records: &'a [Record],
) -> Result<Vec<Vec<Cell<'a>>>, PredictError> {
    records
        .iter()
        .enumerate()
        .map(|(index, fields)| {
            record::from_json(features, ignored, fields).map_err(|problem| PredictError { record: index, problem })
        })
        .collect()
}

/// Where each feature stands in a CSV file.
pub(in crate::model) fn places(features: &[Feature], source: &CsvSource) -> Result<Vec<usize>, DatasetError> {
    let columns = source.columns();
    features
        .iter()
        .map(|feature| {
            columns.iter().position(|column| *column == feature.name).ok_or_else(|| DatasetError::MissingColumn {
                role: "the model's column",
                column: feature.name.clone(),
                hint: nearest::hint(&feature.name, columns.iter().map(String::as_str)),
            })
        })
        .collect()
}

/// A cell of a CSV file as the value of the feature at `index`.
pub(in crate::model) fn cell<'a>(features: &[Feature], index: usize, text: &'a str) -> Result<Cell<'a>, FieldProblem> {
    features.get(index).map_or(Ok(Cell::Missing), |feature| record::from_text(feature, text))
}

/// An output with the names of the classes.
pub(in crate::model) fn answer(classes: &[String], are_integers: bool, output: &Output) -> Prediction {
    match output {
        Output::Value(value) => Prediction { prediction: Predicted::Number(*value), probabilities: None },
        Output::Probabilities(probabilities) => {
            let class = classes.get(most_probable(probabilities)).cloned().unwrap_or_default();
            let named: BTreeMap<String, f64> = classes.iter().cloned().zip(probabilities.iter().copied()).collect();
            Prediction { prediction: labelled(class, are_integers), probabilities: Some(named) }
        }
    }
}

fn labelled(class: String, are_integers: bool) -> Predicted {
    match class.parse() {
        Ok(integer) if are_integers => Predicted::Integer(integer),
        _ => Predicted::Class(class),
    }
}
