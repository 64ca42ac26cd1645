//! A column: numbers, categories or free text, decided by its cells alone.
//!
//! While rows stream in, both readings are kept as long as they hold; a column of numbers never stores text and a
//! column of text never stores more than [`MOST_CATEGORIES`] different cells.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::cell::{self, Cell};

/// More different values than this are free text, which no algorithm here can use.
pub const MOST_CATEGORIES: usize = 64;
const NO_CODE: u8 = u8::MAX;

/// Where a cell stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Place {
    /// The index of the file in the data set.
    pub file: usize,
    /// The line where the row starts, from 1.
    pub line: u64,
}

/// The cells of a column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// All cells are numbers; a missing one is NaN.
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

/// A column of a data set.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// Its name.
    pub name: String,
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

/// A column while its rows arrive.
pub(super) struct ColumnBuilder {
    name: String,
    numbers: Option<Vec<f64>>,
    codes: Option<Codes>,
    missing: usize,
    number_cells: usize,
    first_missing: Option<Place>,
    first_text: Option<(Place, String)>,
}

#[derive(Default)]
struct Codes {
    known: BTreeMap<String, u8>,
    rows: Vec<u8>,
}

impl ColumnBuilder {
    pub(super) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            numbers: Some(Vec::new()),
            codes: Some(Codes::default()),
            missing: 0,
            number_cells: 0,
            first_missing: None,
            first_text: None,
        }
    }

    /// Adds a trimmed cell; `place` is asked only when it is worth remembering.
    pub(super) fn push(&mut self, text: &str, place: impl Fn() -> Place) {
        if cell::is_missing(text) {
            self.missing += 1;
            self.first_missing.get_or_insert_with(place);
            if let Some(numbers) = &mut self.numbers {
                numbers.push(f64::NAN);
            }
            if let Some(codes) = &mut self.codes {
                codes.rows.push(NO_CODE);
            }
            return;
        }
        if let Some(number) = cell::number(text) {
            self.number_cells += 1;
            if let Some(numbers) = &mut self.numbers {
                numbers.push(number);
            }
        } else {
            self.numbers = None;
            self.first_text.get_or_insert_with(|| (place(), text.chars().take(80).collect()));
        }
        if let Some(codes) = &mut self.codes
            && !codes.push(text)
        {
            self.codes = None;
        }
    }

    pub(super) fn finish(self) -> Column {
        let values = match (self.numbers, self.codes) {
            (Some(numbers), _) => Values::Numeric(numbers),
            (None, Some(codes)) => codes.finish(),
            (None, None) => Values::Text,
        };
        Column {
            name: self.name,
            values,
            missing: self.missing,
            numbers: self.number_cells,
            first_missing: self.first_missing,
            first_text: self.first_text,
        }
    }
}

impl Codes {
    /// Adds a cell; false when there are too many different ones.
    fn push(&mut self, text: &str) -> bool {
        let code = match self.known.get(text) {
            Some(code) => *code,
            None if self.known.len() >= MOST_CATEGORIES => return false,
            None => {
                let code = u8::try_from(self.known.len()).unwrap_or(NO_CODE);
                self.known.insert(text.to_owned(), code);
                code
            }
        };
        self.rows.push(code);
        true
    }

    /// Codes were given in the order of arrival; the order of the alphabet is the one that does not depend on the rows.
    fn finish(self) -> Values {
        let sorted: BTreeMap<u8, u8> = self.known.values().zip(0..).map(|(code, place)| (*code, place)).collect();
        Values::Categorical {
            codes: self.rows.iter().map(|code| sorted.get(code).copied()).collect(),
            categories: self.known.into_keys().collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, ColumnBuilder, Place, Values};

    fn column<'a>(cells: impl IntoIterator<Item = &'a str>) -> Column {
        let mut builder = ColumnBuilder::new("c");
        for (cell, line) in cells.into_iter().zip(2..) {
            builder.push(cell, || Place { file: 0, line });
        }
        builder.finish()
    }

    #[test]
    fn numbers_with_gaps_are_numeric() {
        let column = column(["1", "NA", "2.5"]);
        assert!(matches!(column.values, Values::Numeric(_)));
        assert_eq!((column.cell(0), column.cell(1)), (Cell::Number(1.0), Cell::Missing));
        assert_eq!(column.first_missing, Some(Place { file: 0, line: 3 }));
    }

    #[test]
    fn categories_are_sorted_whatever_the_order_of_rows() {
        let column = column(["red", "", "blue", "red"]);
        let Values::Categorical { categories, codes } = column.values else { unreachable!("text is categorical") };
        assert_eq!(categories, ["blue", "red"]);
        assert_eq!(codes, [Some(1), None, Some(0), Some(1)]);
    }

    #[test]
    fn one_wrong_cell_is_remembered_with_its_line() {
        let column = column(["1", "oops", "3"]);
        assert_eq!(column.first_text, Some((Place { file: 0, line: 3 }, "oops".to_owned())));
        assert_eq!(column.numbers, 2);
    }

    #[test]
    fn more_than_64_different_texts_are_not_kept() {
        let cells: Vec<String> = (0..65).map(|number| format!("name {number}")).collect();
        assert_eq!(column(cells.iter().map(String::as_str)).values, Values::Text);
    }
}
