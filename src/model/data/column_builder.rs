//! A column while its rows arrive: every reading is kept as long as it holds.
//!
//! A column of numbers never stores text, one of dates never numbers beside its days, and one of text never more than
//! [`MOST_CATEGORIES`] different cells, so that a cell costs eight bytes (a number, a date) or two (a category).

use std::collections::{HashMap, HashSet};

use crate::model::data::cell;
use crate::model::data::column::{Column, ColumnKind, Distinct, MOST_CATEGORIES, Place, Values};
use crate::model::data::date_column::Dates;
use crate::model::data::split::RowHash;

const NO_CODE: u8 = u8::MAX;
/// So many different texts of a column are told apart; whether a column of text names its rows is clear long before.
const MOST_TEXTS: usize = 10_000;
/// Characters of a cell that messages quote.
const QUOTED: usize = 80;

/// A column that grows.
pub(in crate::model) struct ColumnBuilder {
    name: String,
    numbers: Option<Vec<f64>>,
    dates: Dates,
    codes: Option<Codes>,
    texts: Option<Texts>,
    missing: usize,
    number_cells: usize,
    first_missing: Option<Place>,
    first_text: Option<(Place, String)>,
}

impl ColumnBuilder {
    pub(in crate::model) fn new(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            numbers: Some(Vec::new()),
            dates: Dates::default(),
            codes: Some(Codes::default()),
            texts: None,
            missing: 0,
            number_cells: 0,
            first_missing: None,
            first_text: None,
        }
    }

    /// Adds a trimmed cell; `place` is asked only when it is worth remembering.
    pub(in crate::model) fn push(&mut self, text: &str, place: impl Fn() -> Place) {
        if cell::is_missing(text) {
            self.push_missing(place);
        } else if let Some(number) = cell::number(text) {
            self.number_cells += 1;
            if let Some(numbers) = &mut self.numbers {
                numbers.push(number);
            }
            self.dates.end();
            self.push_code(text);
        } else {
            self.numbers = None;
            self.first_text.get_or_insert_with(|| (place(), quoted(text)));
            self.dates.push(text, self.missing, self.number_cells == 0, &place);
            self.push_code(text);
        }
    }

    fn push_missing(&mut self, place: impl Fn() -> Place) {
        self.missing += 1;
        self.first_missing.get_or_insert_with(place);
        if let Some(numbers) = &mut self.numbers {
            numbers.push(f64::NAN);
        }
        self.dates.push_missing();
        if let Some(codes) = &mut self.codes {
            codes.rows.push(NO_CODE);
        }
    }

    /// A text among the categories; when they become too many, it is counted from there on how many there are, unless
    /// they are numbers or dates, which are counted when they are all there.
    fn push_code(&mut self, text: &str) {
        if let Some(texts) = &mut self.texts {
            texts.push(text);
        }
        if let Some(codes) = &mut self.codes
            && !codes.push(text)
        {
            if self.numbers.is_none() && !self.dates.are_held() {
                self.texts = Some(Texts::after(codes, text));
            }
            self.codes = None;
        }
    }

    pub(in crate::model) fn finish(self) -> Column {
        let (kind, values, date_trouble) = match (self.numbers, self.dates.finish(), self.codes) {
            (Some(mut numbers), _, _) => {
                numbers.shrink_to_fit();
                (ColumnKind::Number, Values::Numeric(numbers), None)
            }
            (None, Some(Ok((format, rows))), _) => (ColumnKind::Date(format), Values::Numeric(rows), None),
            (None, Some(Err(trouble)), _) => (ColumnKind::Text, Values::Text, Some(trouble)),
            (None, None, Some(codes)) => {
                let (kind, values) = codes.finish();
                (kind, values, None)
            }
            (None, None, None) => (ColumnKind::Text, Values::Text, None),
        };
        Column {
            name: self.name,
            kind,
            values,
            missing: self.missing,
            numbers: self.number_cells,
            first_missing: self.first_missing,
            first_text: self.first_text,
            date_trouble,
            texts: self.texts.map(|texts| texts.distinct()),
        }
    }
}

/// The beginning of a cell, as messages quote it.
pub(super) fn quoted(text: &str) -> String {
    text.chars().take(QUOTED).collect()
}

/// The different texts of a column, in the order of their arrival.
#[derive(Default)]
struct Codes {
    known: HashMap<String, u8>,
    rows: Vec<u8>,
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
    fn finish(self) -> (ColumnKind, Values) {
        let truths: Vec<Option<bool>> = self.known.keys().map(|text| cell::truth(text)).collect();
        let is_boolean = truths.iter().all(Option::is_some);
        // One spelling of yes and one of no are kept as they are, for a prediction should be spelled like the data.
        let is_merged = is_boolean
            && [true, false].iter().any(|truth| truths.iter().filter(|other| **other == Some(*truth)).count() > 1);
        let spelled = |text: String| match cell::truth(&text) {
            Some(truth) if is_merged => truth.to_string(),
            _ => text,
        };
        let known: Vec<(String, u8)> = self.known.into_iter().map(|(text, code)| (spelled(text), code)).collect();
        let mut categories: Vec<String> = known.iter().map(|(text, _)| text.clone()).collect();
        categories.sort();
        categories.dedup();
        let mut places = [None; 256];
        for (text, code) in &known {
            let place = categories.binary_search(text).ok().and_then(|place| u8::try_from(place).ok());
            if let Some(slot) = places.get_mut(usize::from(*code)) {
                *slot = place;
            }
        }
        let codes = self.rows.iter().map(|code| places.get(usize::from(*code)).copied().flatten()).collect();
        let kind = if is_boolean { ColumnKind::Boolean } else { ColumnKind::Category };
        (kind, Values::Categorical { categories, codes })
    }
}

/// How many different texts there are, up to a limit; only their hashes are kept.
struct Texts {
    seen: HashSet<u64>,
    repeated: bool,
    is_full: bool,
}

impl Texts {
    /// Takes over from the categories, of which `text` is one too many.
    fn after(codes: &Codes, text: &str) -> Self {
        let cells = codes.rows.iter().filter(|code| **code != NO_CODE).count();
        let mut texts = Self {
            seen: codes.known.keys().map(|text| hash(text)).collect(),
            repeated: cells > codes.known.len(),
            is_full: false,
        };
        texts.push(text);
        texts
    }

    fn push(&mut self, text: &str) {
        if self.is_full {
            return;
        }
        let hash = hash(text);
        if self.seen.len() < MOST_TEXTS {
            self.repeated |= !self.seen.insert(hash);
        } else if self.seen.contains(&hash) {
            self.repeated = true;
        } else {
            self.is_full = true;
        }
    }

    fn distinct(&self) -> Distinct {
        Distinct { count: self.seen.len() as u64, exact: !self.is_full, repeated: self.repeated }
    }
}

fn hash(text: &str) -> u64 {
    let mut hash = RowHash::new();
    hash.cell(text.as_bytes());
    hash.finish()
}
