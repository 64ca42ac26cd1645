//! Fitted preprocessing, saved inside the model: impute, one-hot, standardise.
//!
//! [`Preprocessing::encode`] is the only way from a row to numbers, in training and in serving.

use ndarray::{Array2, ShapeError};
use serde::{Deserialize, Serialize};

use super::cell::Cell;
use super::column::{Column, Values};
use super::number::float;

/// A standard deviation below this share of the mean is rounding, not information.
const CONSTANT: f64 = 1e-12;

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

    fn encode(&self, cell: &Cell<'_>, out: &mut Vec<f64>) {
        match &self.encoding {
            Encoding::Numeric { fill, mean, deviation, .. } => {
                let value = if let Cell::Number(number) = cell { *number } else { *fill };
                out.push((value - mean) / deviation);
            }
            Encoding::Categorical { categories, fill } => {
                let known = match cell {
                    Cell::Text(text) => categories.binary_search_by(|category| category.as_str().cmp(text)).ok(),
                    Cell::Missing | Cell::Number(_) => Some(*fill),
                };
                out.extend((0..categories.len()).map(|index| if known == Some(index) { 1.0 } else { 0.0 }));
            }
        }
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

    /// A row, one cell a feature in their order, as numbers.
    pub fn encode(&self, cells: &[Cell<'_>]) -> Vec<f64> {
        let mut numbers = Vec::with_capacity(self.width());
        for (feature, cell) in self.features.iter().zip(cells) {
            feature.encode(cell, &mut numbers);
        }
        numbers
    }

    /// The given rows as a matrix; `columns` are those of the features, in their order.
    pub fn matrix(&self, columns: &[&Column], rows: &[usize]) -> Result<Array2<f64>, ShapeError> {
        let mut numbers = Vec::with_capacity(rows.len() * self.width());
        for row in rows {
            for (feature, column) in self.features.iter().zip(columns) {
                feature.encode(&column.cell(*row), &mut numbers);
            }
        }
        Array2::from_shape_vec((rows.len(), self.width()), numbers)
    }
}

fn fit_column(column: &Column, rows: &[usize]) -> Result<Option<Feature>, &'static str> {
    let present: Vec<Cell<'_>> =
        rows.iter().map(|row| column.cell(*row)).filter(|cell| *cell != Cell::Missing).collect();
    let missing = rows.len() - present.len();
    let encoding = match &column.values {
        Values::Text => return Ok(None),
        _ if present.is_empty() => return Err("it has no value in the training rows"),
        Values::Numeric(_) => fit_numeric(&present, missing).ok_or("it is constant in the training rows")?,
        Values::Categorical { categories, .. } => {
            fit_categorical(categories, &present).ok_or("it is constant in the training rows")?
        }
    };
    Ok(Some(Feature { name: column.name.clone(), encoding, missing: missing as u64 }))
}

fn fit_numeric(present: &[Cell<'_>], missing: usize) -> Option<Encoding> {
    let mut numbers: Vec<f64> =
        present.iter().filter_map(|cell| if let Cell::Number(number) = cell { Some(*number) } else { None }).collect();
    numbers.sort_by(f64::total_cmp);
    let (minimum, maximum) = (*numbers.first()?, *numbers.last()?);
    let fill = median(&numbers)?;
    numbers.extend(std::iter::repeat_n(fill, missing));
    let rows = float(numbers.len());
    let mean = numbers.iter().sum::<f64>() / rows;
    let deviation = (numbers.iter().map(|number| (number - mean).powi(2)).sum::<f64>() / rows).sqrt();
    (deviation.is_finite() && deviation > CONSTANT * mean.abs().max(f64::MIN_POSITIVE)).then_some(Encoding::Numeric {
        fill,
        mean,
        deviation,
        minimum,
        maximum,
    })
}

fn median(sorted: &[f64]) -> Option<f64> {
    let upper = sorted.get(sorted.len() / 2)?;
    let lower = sorted.get((sorted.len() - 1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

fn fit_categorical(categories: &[String], present: &[Cell<'_>]) -> Option<Encoding> {
    let mut counted: Vec<(&String, usize)> = categories.iter().map(|category| (category, 0)).collect();
    for cell in present {
        if let Cell::Text(text) = cell
            && let Ok(index) = counted.binary_search_by(|(category, _)| category.as_str().cmp(text))
            && let Some((_, count)) = counted.get_mut(index)
        {
            *count += 1;
        }
    }
    counted.retain(|(_, count)| *count > 0);
    // The first of equally frequent ones: `max_by_key` returns the last, hence the reversal.
    let (fill, _) = counted.iter().enumerate().rev().max_by_key(|(_, (_, count))| *count)?;
    let categories: Vec<String> = counted.iter().map(|(category, _)| (*category).clone()).collect();
    (categories.len() > 1).then_some(Encoding::Categorical { categories, fill })
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::{Cell, Column, Preprocessing};
    use crate::model::dataset::read;
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
}
