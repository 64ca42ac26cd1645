//! Fitted preprocessing, saved inside the model.
//!
//! A row becomes *raw* numbers first: numbers as they are, a category as its index, a missing value as NaN. Trees learn and
//! answer from those. For all other learners a raw row is *encoded*: imputed, standardised, a number a category.
//! [`Preprocessing::raw_row`] and [`Preprocessing::encode_raw`] are the only ways from a row to numbers, in training and in
//! serving.

use std::collections::BTreeMap;

use ndarray::{Array2, ShapeError};
use serde::{Deserialize, Serialize};

use crate::model::data::cell::Cell;
use crate::model::data::column::{Column, ColumnKind, Values};
use crate::model::number::float;

/// A category that was not seen in training, in a raw row.
const UNKNOWN: f64 = -1.0;
/// A standard deviation below this share of the mean is rounding, not information.
const CONSTANT: f64 = 1e-12;
/// Nothing is encoded as further from the mean than so many standard deviations, so that no number of a request makes an
/// answer infinite. No row that is learned from is nearly as far.
const FARTHEST: f64 = 1e100;
const EMPTY: &str = "it has no value in the training rows";
const ALIKE: &str = "it is constant in the training rows";
const TOO_LARGE: &str = "its numbers are too large to be computed with";

/// What was learned about the columns, in the order of the encoded numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Preprocessing {
    /// The columns that are used.
    pub features: Vec<Feature>,
}

/// A column that is used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Feature {
    /// Its name.
    pub name: String,
    /// What its cells are: how a date or a yes that comes later is to be read.
    pub kind: ColumnKind,
    /// How it becomes numbers.
    pub encoding: Encoding,
    /// How many of the training rows had no value.
    pub missing: u64,
}

/// How a value becomes numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Encoding {
    /// `(x − mean) / deviation`.
    Numeric {
        /// The median, which stands for a missing value.
        fill: f64,
        /// The mean after filling.
        mean: f64,
        /// The standard deviation (of the population) after filling.
        deviation: f64,
        /// The smallest value seen.
        minimum: f64,
        /// The greatest value seen.
        maximum: f64,
    },
    /// One number a category: 1 for the one that is there, else 0. An unknown category is all zeros.
    Categorical {
        /// The categories, sorted.
        categories: Vec<String>,
        /// The index of the most frequent one, which stands for a missing value.
        fill: usize,
    },
}

impl Feature {
    /// How many numbers this column becomes.
    pub fn width(&self) -> usize {
        match &self.encoding {
            Encoding::Numeric { .. } => 1,
            Encoding::Categorical { categories, .. } => categories.len(),
        }
    }

    /// A value as a raw number.
    fn raw(&self, cell: &Cell<'_>) -> f64 {
        match (&self.encoding, cell) {
            (Encoding::Numeric { .. }, Cell::Number(number)) => *number,
            (Encoding::Categorical { categories, .. }, Cell::Text(text)) => place(categories, text),
            _ => f64::NAN,
        }
    }

    fn encode(&self, raw: f64, out: &mut Vec<f64>) {
        match &self.encoding {
            Encoding::Numeric { fill, mean, deviation, .. } => {
                let value = if raw.is_nan() { *fill } else { raw };
                out.push(((value - mean) / deviation).clamp(-FARTHEST, FARTHEST));
            }
            Encoding::Categorical { categories, fill } => {
                let known = if raw.is_nan() { float(*fill) } else { raw };
                let is = |index: usize| float(index).total_cmp(&known).is_eq();
                out.extend((0..categories.len()).map(|index| if is(index) { 1.0 } else { 0.0 }));
            }
        }
    }
}

/// The index of a category as a raw number.
fn place(categories: &[String], text: &str) -> f64 {
    categories.binary_search_by(|category| category.as_str().cmp(text)).map_or(UNKNOWN, float)
}

/// The cells of a column as raw numbers, without a text being looked at more than once.
pub(in crate::model) enum Reader<'a> {
    /// Numbers as they are.
    Numbers(&'a [f64]),
    /// Codes of the column, and the raw number of each.
    Codes(&'a [Option<u8>], Vec<f64>),
    /// The column is not there, or has become one of another kind: everything is missing.
    Nothing,
}

impl<'a> Reader<'a> {
    /// Reads a column as the values of a feature.
    fn new(feature: &Feature, column: Option<&'a Column>) -> Self {
        match (&feature.encoding, column.map(|column| &column.values)) {
            (Encoding::Numeric { .. }, Some(Values::Numeric(numbers))) => Self::Numbers(numbers),
            (Encoding::Categorical { categories: known, .. }, Some(Values::Categorical { categories, codes })) => {
                Self::Codes(codes, categories.iter().map(|category| place(known, category)).collect())
            }
            _ => Self::Nothing,
        }
    }

    /// The raw number of a row of the data set.
    pub(in crate::model) fn raw(&self, row: usize) -> f64 {
        let found = match self {
            Self::Numbers(numbers) => numbers.get(row).copied(),
            Self::Codes(codes, raw) => {
                codes.get(row).copied().flatten().and_then(|code| raw.get(usize::from(code))).copied()
            }
            Self::Nothing => None,
        };
        found.unwrap_or(f64::NAN)
    }
}

impl Preprocessing {
    /// Learns from the given rows of the columns. Columns that cannot help are dropped, each with a note.
    pub fn fit(columns: &[&Column], rows: &[usize]) -> (Self, Vec<String>) {
        let mut features = Vec::new();
        let mut notes = Vec::new();
        for column in columns {
            match fit_column(column, rows) {
                Ok(Some(feature)) => features.push(feature),
                // Free text: the data set has its own note for it.
                Ok(None) => {}
                Err(reason) => notes.push(format!("column \"{}\" is left out: {reason}", column.name)),
            }
        }
        (Self { features }, notes)
    }

    /// How many numbers a row becomes.
    pub fn width(&self) -> usize {
        self.features.iter().map(Feature::width).sum()
    }

    /// A row, one cell a feature in their order, as raw numbers.
    pub fn raw_row(&self, cells: &[Cell<'_>]) -> Vec<f64> {
        self.features.iter().zip(cells).map(|(feature, cell)| feature.raw(cell)).collect()
    }

    /// A raw row as encoded numbers.
    pub fn encode_raw(&self, raw: &[f64]) -> Vec<f64> {
        let mut numbers = Vec::with_capacity(self.width());
        for (feature, raw) in self.features.iter().zip(raw) {
            feature.encode(*raw, &mut numbers);
        }
        numbers
    }

    /// A row, one cell a feature in their order, as encoded numbers.
    pub fn encode(&self, cells: &[Cell<'_>]) -> Vec<f64> {
        self.encode_raw(&self.raw_row(cells))
    }

    /// A reader a feature; each column is found by its name.
    pub(in crate::model) fn readers<'a>(&self, columns: &[&'a Column]) -> Vec<Reader<'a>> {
        let named: BTreeMap<&str, &'a Column> = columns.iter().map(|column| (column.name.as_str(), *column)).collect();
        self.features.iter().map(|feature| Reader::new(feature, named.get(feature.name.as_str()).copied())).collect()
    }

    /// The given rows as a matrix of encoded numbers.
    pub fn matrix(&self, columns: &[&Column], rows: &[usize]) -> Result<Array2<f64>, ShapeError> {
        let readers = self.readers(columns);
        let mut numbers = Vec::with_capacity(rows.len() * self.width());
        for row in rows {
            for (feature, reader) in self.features.iter().zip(&readers) {
                feature.encode(reader.raw(*row), &mut numbers);
            }
        }
        Array2::from_shape_vec((rows.len(), self.width()), numbers)
    }
}

fn fit_column(column: &Column, rows: &[usize]) -> Result<Option<Feature>, &'static str> {
    let (fitted, missing) = match &column.values {
        Values::Text => return Ok(None),
        Values::Numeric(numbers) => {
            let numbers = rows.iter().filter_map(|row| numbers.get(*row)).copied().filter(|number| !number.is_nan());
            let present: Vec<f64> = numbers.collect();
            let missing = rows.len() - present.len();
            (fit_numeric(present, missing), missing)
        }
        Values::Categorical { categories, codes } => {
            let mut counts = vec![0_usize; categories.len()];
            for code in rows.iter().filter_map(|row| codes.get(*row).copied().flatten()) {
                if let Some(count) = counts.get_mut(usize::from(code)) {
                    *count += 1;
                }
            }
            let present: usize = counts.iter().sum();
            let fitted = if present == 0 { Err(EMPTY) } else { fit_categorical(categories, &counts).ok_or(ALIKE) };
            (fitted, rows.len() - present)
        }
    };
    Ok(Some(Feature { name: column.name.clone(), kind: column.kind, encoding: fitted?, missing: missing as u64 }))
}

fn fit_numeric(mut numbers: Vec<f64>, missing: usize) -> Result<Encoding, &'static str> {
    let minimum = numbers.iter().copied().min_by(f64::total_cmp).ok_or(EMPTY)?;
    let maximum = numbers.iter().copied().max_by(f64::total_cmp).ok_or(EMPTY)?;
    let fill = median(&mut numbers).ok_or(EMPTY)?;
    let (rows, filled) = (float(numbers.len() + missing), float(missing));
    let mean = (numbers.iter().sum::<f64>() + fill * filled) / rows;
    let squares = numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() + (fill - mean).powi(2) * filled;
    let deviation = (squares / rows).sqrt();
    if !deviation.is_finite() {
        return Err(TOO_LARGE);
    }
    if deviation > CONSTANT * mean.abs().max(f64::MIN_POSITIVE) {
        Ok(Encoding::Numeric { fill, mean, deviation, minimum, maximum })
    } else {
        Err(ALIKE)
    }
}

/// The median, without sorting more than it takes to find it.
fn median(numbers: &mut [f64]) -> Option<f64> {
    let middle = numbers.len() / 2;
    if middle >= numbers.len() {
        return None;
    }
    let is_even = numbers.len().is_multiple_of(2);
    let (below, upper, _) = numbers.select_nth_unstable_by(middle, f64::total_cmp);
    let lower = if is_even { below.iter().copied().max_by(f64::total_cmp)? } else { *upper };
    Some(f64::midpoint(lower, *upper))
}

fn fit_categorical(categories: &[String], counts: &[usize]) -> Option<Encoding> {
    let counted: Vec<(&String, usize)> =
        categories.iter().zip(counts).filter(|(_, count)| **count > 0).map(|(name, count)| (name, *count)).collect();
    // The first of equally frequent ones: `max_by_key` returns the last, hence the reversal.
    let (fill, _) = counted.iter().enumerate().rev().max_by_key(|(_, (_, count))| *count)?;
    let categories: Vec<String> = counted.iter().map(|(category, _)| (*category).clone()).collect();
    (categories.len() > 1).then_some(Encoding::Categorical { categories, fill })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Cell, Column, Preprocessing};
    use crate::model::data::dataset::read;
    use crate::model::samples::Folder;

    const TEXT: &str = "n,c,constant,empty\n1,a,5,\n,b,5,\n3,b,5,\n5,,5,\n";

    fn fitted() -> (Preprocessing, Vec<String>) {
        let data = read(&[Folder::new().write("a.csv", TEXT)]).unwrap();
        let columns: Vec<&Column> = data.columns.iter().collect();
        Preprocessing::fit(&columns, &[0, 1, 2, 3])
    }

    #[test]
    fn columns_that_say_nothing_are_dropped_with_a_note() {
        let (preprocessing, notes) = fitted();
        assert_eq!(preprocessing.width(), 3);
        assert_eq!(
            notes,
            [
                "column \"constant\" is left out: it is constant in the training rows",
                "column \"empty\" is left out: it has no value in the training rows"
            ]
        );
    }

    #[test]
    fn numbers_whose_squares_are_infinite_are_not_called_constant() {
        let data = read(&[Folder::new().write("a.csv", "n,m\n1e300,1\n-1e300,2\n0,3\n")]).unwrap();
        let columns: Vec<&Column> = data.columns.iter().collect();
        let (preprocessing, notes) = Preprocessing::fit(&columns, &[0, 1, 2]);
        assert_eq!(preprocessing.width(), 1);
        assert_eq!(notes, ["column \"n\" is left out: its numbers are too large to be computed with"]);
    }

    #[test]
    fn missing_values_become_the_median_and_the_most_frequent_category() {
        let (preprocessing, _) = fitted();
        let filled = preprocessing.encode(&[Cell::Missing, Cell::Missing]);
        assert_eq!(filled, preprocessing.encode(&[Cell::Number(3.0), Cell::Text(Cow::Borrowed("b"))]));
    }

    #[test]
    fn numbers_are_standardised_and_unknown_categories_are_zeros() {
        let (preprocessing, _) = fitted();
        let encoded = preprocessing.encode(&[Cell::Number(5.0), Cell::Text(Cow::Borrowed("z"))]);
        assert!((encoded[0] - 2.0_f64.sqrt()).abs() < 1e-12, "{encoded:?}");
        assert!(encoded.len() == 3 && encoded[1..].iter().all(|number| number.abs() < 1e-12));
    }

    #[test]
    fn a_raw_row_keeps_numbers_and_tells_missing_from_unknown() {
        let (preprocessing, _) = fitted();
        let raw = preprocessing.raw_row(&[Cell::Missing, Cell::Text(Cow::Borrowed("z"))]);
        assert!(raw[0].is_nan() && (raw[1] + 1.0).abs() < 1e-12, "{raw:?}");
        let raw = preprocessing.raw_row(&[Cell::Number(7.5), Cell::Text(Cow::Borrowed("b"))]);
        assert!((raw[0] - 7.5).abs() < 1e-12 && (raw[1] - 1.0).abs() < 1e-12, "{raw:?}");
    }

    #[test]
    fn a_data_set_and_its_cells_become_the_same_numbers() {
        let data = read(&[Folder::new().write("a.csv", TEXT)]).unwrap();
        let columns: Vec<&Column> = data.columns.iter().collect();
        let (preprocessing, _) = Preprocessing::fit(&columns, &[0, 1, 2]);
        let matrix = preprocessing.matrix(&columns, &[0, 1, 2, 3]).unwrap();
        for (row, encoded) in matrix.rows().into_iter().enumerate() {
            let cells: Vec<Cell<'_>> = preprocessing
                .features
                .iter()
                .filter_map(|feature| data.column(&feature.name))
                .map(|column| column.cell(row))
                .collect();
            assert_eq!(preprocessing.encode(&cells), encoded.to_vec());
        }
    }

    #[test]
    fn the_median_is_that_of_sorted_numbers() {
        assert_eq!(super::median(&mut [3.0, 1.0, 2.0]), Some(2.0));
        assert_eq!(super::median(&mut [4.0, 1.0, 3.0, 2.0]), Some(2.5));
        assert_eq!(super::median(&mut []), None);
    }
}
