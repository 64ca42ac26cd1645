//! The reading of a column as dates: one format in all cells, and where day and month could be either, the order that
//! some cell of the column settles.
//!
//! Nothing is guessed: a column that leaves the order open, or mixes formats, is no column of dates, and says why.

use crate::model::data::column::{DateTrouble, Place};
use crate::model::data::column_builder::quoted;
use crate::model::data::date::{DateFormat, Shape, Written, exchanged};

/// Whether the column can still be one of dates.
#[derive(Default)]
pub(super) enum Dates {
    /// No cell with a value yet.
    #[default]
    Unknown,
    /// All cells with a value are dates.
    Held(HeldDates),
    /// Dates, but not of one format.
    Mixed(DateTrouble),
    /// No dates.
    Never,
}

pub(super) struct HeldDates {
    shape: Shape,
    /// Days; where the order of day and month is open, with the day first.
    rows: Vec<f64>,
    order: Order,
    /// A date whose order matters.
    example: Option<String>,
}

/// Which of day and month comes first, where the form leaves it open.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    Open,
    DayFirst,
    MonthFirst,
}

impl Dates {
    /// A number came.
    pub(super) fn end(&mut self) {
        *self = Self::Never;
    }

    /// Whether all cells with a value are dates so far.
    pub(super) fn are_held(&self) -> bool {
        matches!(self, Self::Held(_))
    }

    /// A cell without a value.
    pub(super) fn push_missing(&mut self) {
        if let Self::Held(dates) = self {
            dates.rows.push(f64::NAN);
        }
    }

    /// A cell that is no number, after so many missing ones; `is_possible` says that no number came before it.
    pub(super) fn push(&mut self, text: &str, missing: usize, is_possible: bool, place: &impl Fn() -> Place) {
        match self {
            Self::Unknown => {
                let written = if is_possible { Written::read(text) } else { None };
                *self = written.map_or(Self::Never, |written| {
                    let rows = vec![f64::NAN; missing];
                    Self::Held(HeldDates { shape: written.shape, rows, order: Order::Open, example: None })
                });
                if let (Self::Held(dates), Some(written)) = (&mut *self, written) {
                    dates.push(written, text);
                }
            }
            Self::Held(dates) => {
                let trouble = match Written::read(text) {
                    None => None,
                    Some(written) if written.shape == dates.shape && dates.push(written, text) => return,
                    Some(written) => Some(DateTrouble::Mixed {
                        first: dates.word(),
                        other: (place(), quoted(text)),
                        written: word(written),
                    }),
                };
                *self = trouble.map_or(Self::Never, Self::Mixed);
            }
            // A cell that is no date at all: then it is not the format that is in the way.
            Self::Mixed(_) if Written::read(text).is_none() => *self = Self::Never,
            Self::Mixed(_) | Self::Never => {}
        }
    }

    /// Format and days, or why the dates are not read as such; `None` where there are no dates.
    pub(super) fn finish(self) -> Option<Result<(DateFormat, Vec<f64>), DateTrouble>> {
        match self {
            Self::Unknown | Self::Never => None,
            Self::Mixed(trouble) => Some(Err(trouble)),
            Self::Held(dates) => Some(dates.finish()),
        }
    }
}

impl HeldDates {
    /// False when the date contradicts the order of those before.
    fn push(&mut self, written: Written, text: &str) -> bool {
        if written.shape == Shape::Slashed {
            let seen = match (written.one > 12, written.two > 12) {
                (true, _) => Order::DayFirst,
                (_, true) => Order::MonthFirst,
                _ => Order::Open,
            };
            if seen != Order::Open && self.order == Order::Open {
                if seen == Order::MonthFirst {
                    for day in &mut self.rows {
                        *day = exchanged(*day);
                    }
                }
                self.order = seen;
            }
            if seen == Order::Open && self.example.is_none() && written.one != written.two {
                self.example = Some(text.to_owned());
            }
        }
        let Some(days) = written.days(self.order == Order::MonthFirst) else { return false };
        self.rows.push(days);
        true
    }

    fn word(&self) -> &'static str {
        match (self.shape, self.order) {
            (Shape::Slashed, Order::DayFirst) => DateFormat::DayFirst.word(),
            (Shape::Slashed, Order::MonthFirst) => DateFormat::MonthFirst.word(),
            (shape, _) => shape.word(),
        }
    }

    fn finish(mut self) -> Result<(DateFormat, Vec<f64>), DateTrouble> {
        let format = match (self.shape, self.order, self.example) {
            (Shape::Iso, _, _) => DateFormat::Iso,
            (Shape::YearFirst, _, _) => DateFormat::YearFirst,
            (Shape::Dotted, _, _) => DateFormat::Dotted,
            (Shape::Slashed, Order::MonthFirst, _) => DateFormat::MonthFirst,
            // Without an example day and month are equal everywhere, and either order says the same.
            (Shape::Slashed, Order::DayFirst, _) | (Shape::Slashed, Order::Open, None) => DateFormat::DayFirst,
            (Shape::Slashed, Order::Open, Some(example)) => return Err(DateTrouble::Ambiguous { example }),
        };
        self.rows.shrink_to_fit();
        Ok((format, self.rows))
    }
}

/// How one date is written, as far as it can be told.
fn word(written: Written) -> &'static str {
    match written.shape {
        Shape::Slashed if written.one > 12 => DateFormat::DayFirst.word(),
        Shape::Slashed if written.two > 12 => DateFormat::MonthFirst.word(),
        shape => shape.word(),
    }
}
