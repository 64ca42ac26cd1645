//! How far what is asked of a model has moved from what it was trained on: the population stability index, PSI = Σ
//! (live − reference) · ln(live / reference) over bins (Siddiqi, *Credit Risk Scorecards*, 2006). By the usual reading,
//! below 0.1 nothing moved, above 0.25 much did.
//!
//! A numeric feature has ten bins with equal shares of the training rows (fewer when values repeat), a categorical one
//! a bin a category and one for unknown ones; both have one more for missing values. What was predicted is measured in
//! the same way (`predictions`); the last records are kept by their bins alone (`window`).

mod predictions;
mod window;

use serde::{Deserialize, Serialize};

pub use self::predictions::PredictionReference;
pub use self::window::{Drift, MINIMUM_RECORDS, WINDOW_RECORDS, Window, WindowSettings};
use crate::model::data::cell::Cell;
use crate::model::data::column::Column;
use crate::model::learn::predictor::Output;
use crate::model::learn::preprocess::{Encoding, Feature, Preprocessing};
use crate::model::number::share;

const QUANTILES: usize = 10;
/// An empty bin counts as this share, or the logarithm would be infinite.
const LEAST_SHARE: f64 = 1e-4;
/// The place of a value that belongs to no bin: of an answer whose spread in training is not known.
pub(in crate::model) const NOWHERE: u16 = u16::MAX;

/// How the training rows were spread, by feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// In the order of the features of the preprocessing.
    pub features: Vec<FeatureReference>,
    /// How the predictions for known rows were spread; `None` where nobody measured them.
    pub predictions: Option<PredictionReference>,
}

/// How the training rows were spread over one feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FeatureReference {
    /// The feature.
    pub name: String,
    /// Its bins; the last one, for missing values, is not listed.
    pub bins: Bins,
    /// The share of training rows in each bin, the one for missing values last.
    pub shares: Vec<f64>,
}

/// Where a value belongs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Bins {
    /// The upper edges (included) of all bins but the last, ascending.
    Numeric(Vec<f64>),
    /// The categories, sorted; one more bin takes what is none of them.
    Categorical(Vec<String>),
}

impl Reference {
    /// Measures the training rows; `columns` are those of the features, in their order.
    pub(in crate::model) fn fit(preprocessing: &Preprocessing, columns: &[&Column], rows: &[usize]) -> Self {
        let features = preprocessing
            .features
            .iter()
            .zip(columns)
            .map(|(feature, column)| {
                let bins = fit_bins(feature, column, rows);
                let mut counts = vec![0; bins.count()];
                for row in rows {
                    count(&mut counts, bins.place(&column.cell(*row)));
                }
                let shares = counts.into_iter().map(|count| share(count, rows.len())).collect();
                FeatureReference { name: feature.name.clone(), bins, shares }
            })
            .collect();
        Self { features, predictions: None }
    }

    /// With the spread of what the model says of rows that are known: of those held out, or else of the training rows.
    #[must_use]
    pub(in crate::model) fn with_predictions(self, outputs: &[Output]) -> Self {
        Self { predictions: PredictionReference::fit(outputs), ..self }
    }

    /// Whether it belongs to that preprocessing and holds only shares.
    pub(in crate::model) fn is_sound(&self, preprocessing: &Preprocessing) -> bool {
        self.features.len() == preprocessing.features.len()
            && self.predictions.as_ref().is_none_or(PredictionReference::is_sound)
            && self.features.iter().zip(&preprocessing.features).all(|(reference, feature)| {
                reference.name == feature.name
                    && reference.shares.len() == reference.bins.count()
                    && are_shares(&reference.shares)
            })
    }

    /// How many places a record has: one a feature and one for what was answered.
    pub(in crate::model) fn width(&self) -> usize {
        self.features.len() + 1
    }

    /// Appends the places of a record, [`Self::width`] of them. This is the costly part of counting a record, and needs
    /// nothing that others wait for.
    pub(in crate::model) fn place(&self, cells: &[Cell<'_>], output: &Output, places: &mut Vec<u16>) {
        for (index, feature) in self.features.iter().enumerate() {
            places.push(narrow(feature.bins.place(cells.get(index).unwrap_or(&Cell::Missing))));
        }
        let answer = self.predictions.as_ref().and_then(|predictions| predictions.place(output));
        places.push(answer.map_or(NOWHERE, narrow));
    }
}

impl Bins {
    /// How many bins there are, with those for unknown and missing values.
    fn count(&self) -> usize {
        match self {
            Self::Numeric(edges) => edges.len() + 2,
            Self::Categorical(categories) => categories.len() + 2,
        }
    }

    fn place(&self, cell: &Cell<'_>) -> usize {
        match (self, cell) {
            (Self::Numeric(edges), Cell::Number(number)) => edges.partition_point(|edge| edge < number),
            (Self::Categorical(categories), Cell::Text(text)) => {
                categories.binary_search_by(|category| category.as_str().cmp(text)).unwrap_or(categories.len())
            }
            _ => self.count() - 1,
        }
    }

    /// Whether a record of that place had no value.
    pub(in crate::model) fn is_missing(&self, place: u16) -> bool {
        usize::from(place) + 1 == self.count()
    }

    /// Whether a record of that place had a category that was not there in training.
    pub(in crate::model) fn is_unknown(&self, place: u16) -> bool {
        matches!(self, Self::Categorical(categories) if categories.len() == usize::from(place))
    }
}

/// The population stability index between two lists of shares. Zero when they are equal.
pub fn stability_index(reference: &[f64], live: &[f64]) -> f64 {
    reference
        .iter()
        .zip(live)
        .map(|(reference, live)| {
            let (reference, live) = (reference.max(LEAST_SHARE), live.max(LEAST_SHARE));
            (live - reference) * (live / reference).ln()
        })
        .sum()
}

fn count(counts: &mut [usize], place: usize) {
    if let Some(count) = counts.get_mut(place) {
        *count += 1;
    }
}

/// Bins are a few hundred at most, so nothing is lost.
fn narrow(place: usize) -> u16 {
    u16::try_from(place).unwrap_or(NOWHERE)
}

fn are_shares(shares: &[f64]) -> bool {
    shares.iter().all(|share| (0.0..=1.0).contains(share))
}

fn fit_bins(feature: &Feature, column: &Column, rows: &[usize]) -> Bins {
    match &feature.encoding {
        Encoding::Categorical { categories, .. } => Bins::Categorical(categories.clone()),
        Encoding::Numeric { .. } => Bins::Numeric(quantile_edges(
            rows.iter()
                .filter_map(|row| if let Cell::Number(number) = column.cell(*row) { Some(number) } else { None })
                .collect(),
        )),
    }
}

/// The upper edges of bins with equal shares of the numbers, all below the greatest; fewer when numbers repeat.
fn quantile_edges(mut numbers: Vec<f64>) -> Vec<f64> {
    numbers.sort_by(f64::total_cmp);
    let Some(greatest) = numbers.last().copied() else { return Vec::new() };
    let edge = |quantile: usize| numbers.get((quantile * numbers.len() / QUANTILES).saturating_sub(1)).copied();
    let mut edges: Vec<f64> = (1..QUANTILES).filter_map(edge).filter(|edge| *edge < greatest).collect();
    edges.dedup_by(|a, b| a.total_cmp(b).is_eq());
    edges
}

#[cfg(test)]
mod tests {
    use super::{Bins, Cell, Column, Preprocessing, Reference};
    use crate::model::data::dataset::{DataSet, read};
    use crate::model::learn::predictor::Output;
    use crate::model::samples::Folder;

    pub(super) fn data() -> DataSet {
        let rows: String = (0..500).map(|row| format!("{row},{}\n", if row % 4 == 0 { "a" } else { "b" })).collect();
        read(&[Folder::new().write("a.csv", &format!("n,c\n{rows}"))]).unwrap()
    }

    pub(super) fn reference(data: &DataSet) -> Reference {
        let columns: Vec<&Column> = data.columns.iter().collect();
        let rows: Vec<usize> = (0..data.rows()).collect();
        let (preprocessing, _) = Preprocessing::fit(&columns, &rows);
        Reference::fit(&preprocessing, &columns, &rows)
    }

    #[test]
    fn a_numeric_feature_has_ten_bins_of_equal_shares_and_one_for_missing() {
        let reference = reference(&data());
        let feature = &reference.features[0];
        assert!(matches!(&feature.bins, Bins::Numeric(edges) if edges.len() == 9));
        assert!(feature.shares[..10].iter().all(|share| (share - 0.1).abs() < 1e-12), "{:?}", feature.shares);
    }

    #[test]
    fn missing_values_and_unknown_categories_have_places_of_their_own() {
        let reference = reference(&data());
        let mut places = Vec::new();
        reference.place(&[Cell::Missing, Cell::Text("z".into())], &Output::Value(1.0), &mut places);
        assert_eq!(places.len(), reference.width());
        assert!(reference.features[0].bins.is_missing(places[0]) && !reference.features[0].bins.is_unknown(places[0]));
        assert!(reference.features[1].bins.is_unknown(places[1]) && !reference.features[1].bins.is_missing(places[1]));
        assert_eq!(places[2], super::NOWHERE, "nobody measured what is usually answered");
    }
}
