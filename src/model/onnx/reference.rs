//! The rows that a training left beside its graph: what the drift of requests is measured against, what is usual in each
//! column, and how good the graph is on these rows if they have the target.

use std::path::Path;

use super::onnx_error::OnnxError;
use super::settings::wrong;
use crate::model::data::cell::Cell;
use crate::model::data::column::{Column, Values};
use crate::model::data::dataset::{DataSet, read};
use crate::model::evaluate::{Metrics, classification, regression};
use crate::model::learn::predictor::Output;
use crate::model::learn::preprocess::{Encoding, Feature};
use crate::model::number::float;

/// The most rows that are predicted for metrics and for the spread of predictions.
const MOST_PREDICTED: usize = 10_000;

/// Rows with all features of a graph.
#[derive(Debug)]
pub(super) struct Rows {
    data: DataSet,
    /// Where each feature stands in the data.
    places: Vec<usize>,
}

impl Rows {
    /// Reads the file and finds the features in it.
    pub(super) fn read(file: &Path, features: &[Feature]) -> Result<Self, OnnxError> {
        let data = read(&[file.to_owned()])?;
        let mut places = Vec::with_capacity(features.len());
        for feature in features {
            let name = &feature.name;
            let Some(place) = data.columns.iter().position(|column| column.name == *name) else {
                return Err(wrong(
                    "reference",
                    &format!("names a file without the column \"{name}\", which the graph takes"),
                ));
            };
            let takes = match &feature.encoding {
                Encoding::Numeric { .. } => "numbers",
                Encoding::Categorical { .. } => "categories",
            };
            let holds = data.columns.get(place).map_or("nothing", holds);
            if takes != holds {
                let reason =
                    format!("names a file whose column \"{name}\" holds {holds}; the graph takes {takes} for it");
                return Err(wrong("reference", &reason));
            }
            places.push(place);
        }
        Ok(Self { data, places })
    }

    /// The columns of the features, in their order.
    pub(super) fn columns(&self) -> Vec<&Column> {
        self.places.iter().filter_map(|place| self.data.columns.get(*place)).collect()
    }

    /// The numbers of all rows.
    pub(super) fn all(&self) -> Vec<usize> {
        (0..self.data.rows()).collect()
    }

    /// The columns that are no features.
    pub(super) fn others(&self) -> impl Iterator<Item = &str> {
        let others = self.data.columns.iter().enumerate().filter(|(place, _)| !self.places.contains(place));
        others.map(|(_, column)| column.name.as_str())
    }

    /// The cells of the first rows, those that are predicted.
    pub(super) fn cells(&self) -> Vec<Vec<Cell<'_>>> {
        let columns = self.columns();
        let row = |row| columns.iter().map(|column| column.cell(row)).collect();
        (0..self.data.rows().min(MOST_PREDICTED)).map(row).collect()
    }

    /// What is usual in each column.
    pub(super) fn describe(&self, features: &mut [Feature]) {
        for (feature, column) in features.iter_mut().zip(self.columns()) {
            describe(feature, column);
        }
    }

    /// How good the outputs of the first rows are, if the target is there.
    pub(super) fn metrics(&self, target: &str, classes: &[String], outputs: &[Output]) -> Metrics {
        let Some(column) = self.data.column(target) else { return Metrics::default() };
        if classes.is_empty() { numbers(column, outputs) } else { labels(column, classes, outputs) }
    }
}

fn holds(column: &Column) -> &'static str {
    match &column.values {
        Values::Numeric(_) => "numbers",
        Values::Categorical { .. } => "categories",
        Values::Text => "text of too many kinds",
    }
}

fn describe(feature: &mut Feature, column: &Column) {
    feature.missing = column.missing as u64;
    match (&mut feature.encoding, &column.values) {
        (Encoding::Numeric { fill, mean, deviation, minimum, maximum }, Values::Numeric(values)) => {
            let mut present: Vec<f64> = (0..values.len())
                .filter_map(|row| if let Cell::Number(number) = column.cell(row) { Some(number) } else { None })
                .collect();
            present.sort_by(f64::total_cmp);
            let (Some(least), Some(most), Some(middle)) =
                (present.first(), present.last(), present.get(present.len() / 2))
            else {
                return;
            };
            let count = float(present.len());
            let centre = present.iter().sum::<f64>() / count;
            let spread = (present.iter().map(|number| (number - centre).powi(2)).sum::<f64>() / count).sqrt();
            (*fill, *mean, *minimum, *maximum) = (*middle, centre, *least, *most);
            *deviation = if spread > 0.0 { spread } else { 1.0 };
        }
        (Encoding::Categorical { categories, fill }, Values::Categorical { categories: found, .. }) => {
            categories.extend(found.iter().cloned());
            categories.sort();
            categories.dedup();
            // Any category that is there will do as an example.
            *fill = found.first().and_then(|first| categories.binary_search(first).ok()).unwrap_or(0);
        }
        _ => {}
    }
}

fn numbers(column: &Column, outputs: &[Output]) -> Metrics {
    let (mut truth, mut predicted) = (Vec::new(), Vec::new());
    for (row, output) in outputs.iter().enumerate() {
        if let (Cell::Number(number), Output::Value(value)) = (column.cell(row), output) {
            truth.push(number);
            predicted.push(*value);
        }
    }
    if truth.is_empty() { Metrics::default() } else { regression(&truth, &predicted) }
}

fn labels(column: &Column, classes: &[String], outputs: &[Output]) -> Metrics {
    let (mut truth, mut predicted) = (Vec::new(), Vec::new());
    for (row, output) in outputs.iter().enumerate() {
        let class = match column.cell(row) {
            Cell::Missing => continue,
            Cell::Text(text) => classes.iter().position(|class| *class == text),
            Cell::Number(number) => classes
                .iter()
                .position(|class| class.parse::<f64>().is_ok_and(|class| class.total_cmp(&number).is_eq())),
        };
        if let Output::Probabilities(probabilities) = output {
            truth.push(class);
            predicted.push(probabilities.clone());
        }
    }
    if truth.is_empty() { Metrics::default() } else { classification(&truth, &predicted) }
}
