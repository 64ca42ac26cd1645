//! What is to be predicted: classes or numbers, found from the target column unless the settings say which.

use std::path::PathBuf;

use crate::config::Task;
use crate::model::data::column::{Column, ColumnKind, Values};
use crate::model::data::dataset::DataSet;
use crate::model::data::dataset_error::DatasetError;
use crate::model::nearest;

/// Up to so many different integers are taken for classes when nobody says otherwise.
const MOST_INTEGER_CLASSES: usize = 20;
/// More classes than these are refused: one-hot targets and their probabilities would be no model of anything.
const MOST_CLASSES: usize = 64;

/// The target of each row.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// One of a few classes.
    Classes {
        /// Their labels: numbers by value, texts by the alphabet.
        labels: Vec<String>,
        /// Whether every label is an integer.
        integers: bool,
        /// For each row the index of its label.
        codes: Vec<usize>,
    },
    /// A number a row.
    Numbers(Vec<f64>),
}

impl Target {
    /// The task that this target sets.
    pub fn task(&self) -> Task {
        match self {
            Self::Classes { .. } => Task::Classification,
            Self::Numbers(_) => Task::Regression,
        }
    }
}

/// Reads the column `name` as the target; `task` of `None` means: text, or at most 20 different integers, are classes.
pub fn resolve(data: &DataSet, name: &str, task: Option<Task>) -> Result<Target, DatasetError> {
    let column = data.column(name).ok_or_else(|| DatasetError::MissingColumn {
        role: "the target column",
        column: name.to_owned(),
        hint: nearest::hint(name, data.columns.iter().map(|column| column.name.as_str())),
    })?;
    if let Some(place) = column.first_missing {
        return Err(DatasetError::TargetMissing {
            file: data.path(place),
            line: place.line,
            column: name.to_owned(),
            missing: column.missing,
        });
    }
    if matches!(column.kind, ColumnKind::Date(_)) || column.date_trouble.is_some() {
        return Err(DatasetError::TargetIsDate { column: name.to_owned() });
    }
    match &column.values {
        Values::Numeric(numbers) => from_numbers(column, numbers, task),
        _ if task == Some(Task::Regression) => Err(not_numeric(data, column)),
        Values::Categorical { categories, codes } => from_texts(column, categories, codes),
        // One odd cell in a column of numbers.
        Values::Text if task.is_none() && column.numbers * 2 > data.rows() => Err(not_numeric(data, column)),
        Values::Text => Err(DatasetError::TooManyClasses { column: name.to_owned(), limit: MOST_CLASSES }),
    }
}

fn from_numbers(column: &Column, numbers: &[f64], task: Option<Task>) -> Result<Target, DatasetError> {
    let mut distinct = numbers.to_vec();
    distinct.sort_by(f64::total_cmp);
    distinct.dedup_by(|a, b| a.total_cmp(b).is_eq());
    one_value(column, distinct.iter().map(f64::to_string))?;
    let integers = distinct.iter().all(|number| is_integer(*number));
    let found =
        if integers && distinct.len() <= MOST_INTEGER_CLASSES { Task::Classification } else { Task::Regression };
    match task.unwrap_or(found) {
        Task::Regression => Ok(Target::Numbers(numbers.to_vec())),
        Task::Classification if distinct.len() > MOST_CLASSES => {
            Err(DatasetError::TooManyClasses { column: column.name.clone(), limit: MOST_CLASSES })
        }
        Task::Classification => {
            let codes = numbers.iter().map(|number| distinct.partition_point(|other| other < number)).collect();
            Ok(Target::Classes { labels: distinct.iter().map(f64::to_string).collect(), integers, codes })
        }
    }
}

fn from_texts(column: &Column, categories: &[String], codes: &[Option<u8>]) -> Result<Target, DatasetError> {
    one_value(column, categories.iter().cloned())?;
    let codes = codes.iter().map(|code| code.map_or(0, usize::from)).collect();
    Ok(Target::Classes { labels: categories.to_vec(), integers: false, codes })
}

fn one_value(column: &Column, mut values: impl ExactSizeIterator<Item = String>) -> Result<(), DatasetError> {
    if values.len() > 1 {
        return Ok(());
    }
    Err(DatasetError::OneClass { column: column.name.clone(), value: values.next().unwrap_or_default() })
}

fn not_numeric(data: &DataSet, column: &Column) -> DatasetError {
    let (file, line, value) = match &column.first_text {
        Some((place, value)) => (data.path(*place), place.line, value.clone()),
        None => (PathBuf::new(), 0, String::new()),
    };
    DatasetError::TargetNotNumeric { file, line, column: column.name.clone(), value }
}

/// Integers beyond 2^53 are no longer exact and are not meant as labels.
fn is_integer(number: f64) -> bool {
    number.fract().abs() < f64::EPSILON && number.abs() < 9_007_199_254_740_992.0
}
