//! How far what is asked of a model has moved from what it was trained on: the population stability index, PSI = Σ
//! (live − reference) · ln(live / reference) over bins (Siddiqi, *Credit Risk Scorecards*, 2006). By the usual reading,
//! below 0.1 nothing moved, above 0.25 much did.
//!
//! A numeric feature has ten bins with equal shares of the training rows (fewer when values repeat), a categorical one
//! a bin a category and one for unknown ones; both have one more for missing values.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::column::Column;
use super::number::share;
use super::preprocess::{Encoding, Feature, Preprocessing};

/// The index looks at so many of the last records.
pub const WINDOW_RECORDS: usize = 1_000;
/// Of fewer records the index would be noise, so there is none.
pub const MINIMUM_RECORDS: usize = 100;
const QUANTILES: usize = 10;
/// An empty bin counts as this share, or the logarithm would be infinite.
const LEAST_SHARE: f64 = 1e-4;

/// How the training rows were spread, by feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reference {
    /// In the order of the features of the preprocessing.
    pub features: Vec<FeatureReference>,
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
    pub(super) fn fit(preprocessing: &Preprocessing, columns: &[&Column], rows: &[usize]) -> Self {
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
        Self { features }
    }

    /// Whether it belongs to that preprocessing and holds only shares.
    pub(super) fn is_sound(&self, preprocessing: &Preprocessing) -> bool {
        self.features.len() == preprocessing.features.len()
            && self.features.iter().zip(&preprocessing.features).all(|(reference, feature)| {
                reference.name == feature.name
                    && reference.shares.len() == reference.bins.count()
                    && reference.shares.iter().all(|share| (0.0..=1.0).contains(share))
            })
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

/// The last [`WINDOW_RECORDS`] records, by bins.
#[derive(Debug)]
pub struct Window {
    reference: Reference,
    records: VecDeque<Vec<usize>>,
    counts: Vec<Vec<usize>>,
}

impl Window {
    /// An empty window.
    pub fn new(reference: Reference) -> Self {
        let counts = reference.features.iter().map(|feature| vec![0; feature.shares.len()]).collect();
        Self { reference, records: VecDeque::with_capacity(WINDOW_RECORDS), counts }
    }

    /// Takes a record in, one cell a feature, and lets the oldest go.
    pub fn observe(&mut self, cells: &[Cell<'_>]) {
        if self.records.len() >= WINDOW_RECORDS
            && let Some(oldest) = self.records.pop_front()
        {
            for (counts, place) in self.counts.iter_mut().zip(oldest) {
                if let Some(count) = counts.get_mut(place) {
                    *count = count.saturating_sub(1);
                }
            }
        }
        let places: Vec<usize> =
            self.reference.features.iter().zip(cells).map(|(feature, cell)| feature.bins.place(cell)).collect();
        for (counts, place) in self.counts.iter_mut().zip(&places) {
            count(counts, *place);
        }
        self.records.push_back(places);
    }

    /// The index of each feature; `None` before [`MINIMUM_RECORDS`] records were seen.
    pub fn indices(&self) -> Option<Vec<(&str, f64)>> {
        let records = self.records.len();
        if records < MINIMUM_RECORDS {
            return None;
        }
        let indices = self.reference.features.iter().zip(&self.counts).map(|(feature, counts)| {
            let live: Vec<f64> = counts.iter().map(|count| share(*count, records)).collect();
            (feature.name.as_str(), stability_index(&feature.shares, &live))
        });
        Some(indices.collect())
    }
}

fn count(counts: &mut [usize], place: usize) {
    if let Some(count) = counts.get_mut(place) {
        *count += 1;
    }
}

fn fit_bins(feature: &Feature, column: &Column, rows: &[usize]) -> Bins {
    match &feature.encoding {
        Encoding::Categorical { categories, .. } => Bins::Categorical(categories.clone()),
        Encoding::Numeric { maximum, .. } => {
            let mut numbers: Vec<f64> = rows
                .iter()
                .filter_map(|row| if let Cell::Number(number) = column.cell(*row) { Some(number) } else { None })
                .collect();
            numbers.sort_by(f64::total_cmp);
            let edge = |quantile: usize| numbers.get((quantile * numbers.len() / QUANTILES).saturating_sub(1)).copied();
            let mut edges: Vec<f64> = (1..QUANTILES).filter_map(edge).filter(|edge| edge < maximum).collect();
            edges.dedup_by(|a, b| a.total_cmp(b).is_eq());
            Bins::Numeric(edges)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Bins, Cell, Column, MINIMUM_RECORDS, Preprocessing, Reference, WINDOW_RECORDS, Window};
    use crate::model::dataset::{DataSet, read};
    use crate::model::samples::Folder;

    fn data() -> DataSet {
        let rows: String = (0..500).map(|row| format!("{row},{}\n", if row % 4 == 0 { "a" } else { "b" })).collect();
        read(&[Folder::new().write("a.csv", &format!("n,c\n{rows}"))]).unwrap()
    }

    fn reference(data: &DataSet) -> Reference {
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
    fn the_training_rows_themselves_have_not_moved() {
        let data = data();
        let mut window = Window::new(reference(&data));
        for row in 0..data.rows() {
            let cells: Vec<Cell<'_>> = data.columns.iter().map(|column| column.cell(row)).collect();
            window.observe(&cells);
        }
        for (name, index) in window.indices().unwrap() {
            assert!(index.abs() < 1e-9, "{name} {index}");
        }
    }

    #[test]
    fn shifted_numbers_and_unknown_categories_are_seen() {
        let mut window = Window::new(reference(&data()));
        for row in 0..200 {
            window.observe(&[Cell::Number(300.0 + f64::from(row)), Cell::Text(Cow::Borrowed("z"))]);
        }
        for (name, index) in window.indices().unwrap() {
            assert!(index > 0.25, "{name} {index}");
        }
    }

    #[test]
    fn there_is_no_value_before_a_hundred_records() {
        let mut window = Window::new(reference(&data()));
        for _ in 1..MINIMUM_RECORDS {
            window.observe(&[Cell::Missing, Cell::Missing]);
        }
        assert!(window.indices().is_none());
        window.observe(&[Cell::Missing, Cell::Missing]);
        assert!(window.indices().is_some());
    }

    #[test]
    fn old_records_leave_the_window() {
        let data = data();
        let mut window = Window::new(reference(&data));
        for _ in 0..WINDOW_RECORDS {
            window.observe(&[Cell::Missing, Cell::Missing]);
        }
        for row in (0..data.rows()).cycle().take(WINDOW_RECORDS) {
            let cells: Vec<Cell<'_>> = data.columns.iter().map(|column| column.cell(row)).collect();
            window.observe(&cells);
        }
        assert!(window.indices().unwrap().iter().all(|(_, index)| index.abs() < 1e-9));
    }
}
