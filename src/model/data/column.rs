//! A column: numbers, dates, yes and no, categories or free text, decided by its cells alone.
//!
//! For learning there are three forms only ([`Values`]): dates are numbers (days since 1970), yes and no are categories.
//! What the cells were is kept as the [`ColumnKind`].

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::model::data::cell::Cell;
use crate::model::data::date::DateFormat;

/// More different values than this are free text, which no algorithm here can use. It is not more because each category
/// is a column of its own to the linear learners.
pub const MOST_CATEGORIES: usize = 64;

/// Where a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The index of the file in the data set.
    pub file: usize,
    /// The line where the row starts, from 1.
    pub line: u64,
}

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// Yes and no, in words.
    Boolean,
    /// Dates, all written in this way; as values they are days since 1970.
    Date(DateFormat),
    /// A few different texts.
    Category,
    /// Anything else.
    Text,
}

impl ColumnKind {
    /// The word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Number => "number",
            Self::Boolean => "boolean",
            Self::Date(_) => "date",
            Self::Category => "category",
            Self::Text => "text",
        }
    }
}

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// All cells are numbers, or dates as days since 1970; a missing one is NaN.
    Numeric(Vec<f64>),
    /// At most [`MOST_CATEGORIES`] different texts.
    Categorical {
        /// The texts, sorted.
        categories: Vec<String>,
        /// For each row the index of its text; `None` is missing.
        codes: Vec<Option<u8>>,
    },
    /// Anything else; the cells are not kept.
    Text,
}

/// Why a column of dates is not one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DateTrouble {
    /// Two formats in one column.
    Mixed {
        /// How the first date is written.
        first: &'static str,
        /// The first cell that is written otherwise.
        other: (Place, String),
        /// How that one is written.
        written: &'static str,
    },
    /// No cell says whether the day or the month comes first.
    Ambiguous {
        /// A date that could be either.
        example: String,
    },
}

/// How many different cells a column has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Distinct {
    /// As many as were counted.
    pub count: u64,
    /// Whether that is all; otherwise there are more.
    pub exact: bool,
    /// Whether any value came twice.
    pub repeated: bool,
}

/// A column of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
    /// What its cells are.
    pub kind: ColumnKind,
    /// Its cells.
    pub values: Values,
    /// How many are missing.
    pub missing: usize,
    /// How many are numbers.
    pub numbers: usize,
    /// The first missing cell.
    pub first_missing: Option<Place>,
    /// The first cell that is no number.
    pub first_text: Option<(Place, String)>,
    /// Why dates were not taken for dates.
    pub date_trouble: Option<DateTrouble>,
    /// How many different texts free text has, where that is known.
    pub texts: Option<Distinct>,
}

impl Column {
    /// The cell of a row.
    pub fn cell(&self, row: usize) -> Cell<'_> {
        match &self.values {
            Values::Numeric(numbers) => match numbers.get(row) {
                Some(number) if !number.is_nan() => Cell::Number(*number),
                _ => Cell::Missing,
            },
            Values::Categorical { categories, codes } => {
                let text = codes.get(row).copied().flatten().and_then(|code| categories.get(usize::from(code)));
                text.map_or(Cell::Missing, |text| Cell::Text(Cow::Borrowed(text.as_str())))
            }
            Values::Text => Cell::Missing,
        }
    }
}
