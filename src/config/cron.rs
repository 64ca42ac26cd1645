//! Times as cron writes them: five fields, or a word such as `@daily`.
//!
//! What is here knows neither a clock nor the machine's zone: a moment and a zone come in, the next moment goes out.
//! Where clocks are set forward, a time that does not exist that day runs at the first one that does; where they are set
//! back, a time that exists twice runs once. What runs every hour goes by the hours that pass, not by those on the clock.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::{AmbiguousOffset, TimeZone};
use serde::{Serialize, Serializer};

use super::names::nearest;
use crate::pipeline::Moment;

/// Days that are looked through for the next time: 29 February on a certain day of the week comes once in 40 years.
const SEARCHED: usize = 366 * 41;

/// Words in place of five fields.
const WORDS: &[(&str, &str)] = &[
    ("@yearly", "0 0 1 1 *"),
    ("@annually", "0 0 1 1 *"),
    ("@monthly", "0 0 1 * *"),
    ("@weekly", "0 0 * * 0"),
    ("@daily", "0 0 * * *"),
    ("@midnight", "0 0 * * *"),
    ("@hourly", "0 * * * *"),
];

/// One of the five fields.
struct Field {
    name: &'static str,
    least: u32,
    most: u32,
    /// Names of values, the first of which is `least`.
    names: &'static [&'static str],
}

const MINUTE: Field = Field { name: "minute", least: 0, most: 59, names: &[] };
const HOUR: Field = Field { name: "hour", least: 0, most: 23, names: &[] };
const DAY: Field = Field { name: "day of the month", least: 1, most: 31, names: &[] };
const MONTH: Field = Field {
    name: "month",
    least: 1,
    most: 12,
    names: &["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
};
/// 7 is Sunday too.
const WEEKDAY: Field =
    Field { name: "day of the week", least: 0, most: 7, names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"] };

/// The most days that each month has.
const LONGEST: [u32; 12] = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

/// Why a text is no such time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// There are not five fields.
    #[error("it has {0} fields in place of five: minute, hour, day of the month, month, day of the week")]
    Fields(usize),
    /// A word that does not exist.
    #[error("`{word}` is no word for a time{near}")]
    Word {
        /// As written.
        word: String,
        /// What may have been meant, as the end of a sentence.
        near: String,
    },
    /// A field is wrong.
    #[error("the {field}, `{text}`: {reason}")]
    Field {
        /// Which.
        field: &'static str,
        /// As written.
        text: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No year has such a day.
    #[error("no such day exists: none of these months is so long")]
    Never,
}

/// Points in time that come again and again. Each set of values is a row of bits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cron {
    text: String,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
    /// Where both days are limited, either is enough, as in every cron.
    either_day: bool,
}

impl FromStr for Cron {
    type Err = CronError;

    fn from_str(text: &str) -> Result<Self, CronError> {
        let text = text.trim();
        let fields = if text.starts_with('@') { of_word(text)? } else { text };
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let &[minute, hour, day, month, weekday] = fields.as_slice() else {
            return Err(CronError::Fields(fields.len()));
        };
        let weekdays = values(&WEEKDAY, weekday)?;
        let cron = Self {
            text: text.to_owned(),
            minutes: values(&MINUTE, minute)?,
            hours: values(&HOUR, hour)?,
            days: values(&DAY, day)?,
            months: values(&MONTH, month)?,
            weekdays: if has(weekdays, 7) { weekdays | 1 } else { weekdays },
            either_day: !day.starts_with('*') && !weekday.starts_with('*'),
        };
        if cron.either_day || cron.has_day() { Ok(cron) } else { Err(CronError::Never) }
    }
}

impl fmt::Display for Cron {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl Serialize for Cron {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl Cron {
    /// The first time behind `after`, by the clocks of `zone`.
    pub fn next_after(&self, after: Moment, zone: &TimeZone) -> Option<Moment> {
        let after = Timestamp::from_millisecond(after.0).ok()?;
        let mut date = zone.to_datetime(after).date().yesterday().ok()?;
        let mut found: Option<Timestamp> = None;
        for _ in 0..SEARCHED {
            let on_date = if self.is_on(date) { self.times_on(date, zone) } else { Vec::new() };
            let first = on_date.into_iter().filter(|at| *at > after).min();
            if let Some(found) = found {
                // Clocks set back over midnight give the day behind an earlier moment than the last of the day before.
                return Some(moment(first.map_or(found, |first| first.min(found))));
            }
            found = first;
            date = date.tomorrow().ok()?;
        }
        found.map(moment)
    }

    /// Whether a month that is meant has a day that is meant.
    fn has_day(&self) -> bool {
        (1_u32..)
            .zip(LONGEST)
            .any(|(month, longest)| has(self.months, month) && (1..=longest).any(|day| has(self.days, day)))
    }

    fn is_on(&self, date: Date) -> bool {
        let day = has(self.days, u32::from(date.day().unsigned_abs()));
        let weekday = has(self.weekdays, u32::from(date.weekday().to_sunday_zero_offset().unsigned_abs()));
        let is_day = if self.either_day { day || weekday } else { day && weekday };
        is_day && has(self.months, u32::from(date.month().unsigned_abs()))
    }

    fn times_on(&self, date: Date, zone: &TimeZone) -> Vec<Timestamp> {
        let is_hourly = (0..24).all(|hour| has(self.hours, hour));
        let mut times = Vec::new();
        for hour in (0_i8..24).filter(|hour| has(self.hours, u32::from(hour.unsigned_abs()))) {
            for minute in (0_i8..60).filter(|minute| has(self.minutes, u32::from(minute.unsigned_abs()))) {
                let time = zone.to_ambiguous_timestamp(date.at(hour, minute, 0, 0));
                match time.offset() {
                    AmbiguousOffset::Unambiguous { .. } => times.extend(time.compatible()),
                    AmbiguousOffset::Fold { .. } => {
                        times.extend(time.earlier());
                        if is_hourly {
                            times.extend(time.later());
                        }
                    }
                    AmbiguousOffset::Gap { .. } if is_hourly => {}
                    // The moment at which clocks are set forward is the first that exists.
                    AmbiguousOffset::Gap { .. } => {
                        let before = time.earlier().ok();
                        times
                            .extend(before.and_then(|before| zone.following(before).next()).map(|set| set.timestamp()));
                    }
                }
            }
        }
        times
    }
}

fn moment(at: Timestamp) -> Moment {
    Moment(at.as_millisecond())
}

fn has(bits: u64, value: u32) -> bool {
    bits & (1_u64 << value) != 0
}

/// The fields that a word stands for.
fn of_word(word: &str) -> Result<&'static str, CronError> {
    let known = WORDS.iter().find(|(name, _)| *name == word).map(|(_, fields)| *fields);
    known.ok_or_else(|| {
        let names: Vec<&'static str> = WORDS.iter().map(|(name, _)| *name).collect();
        let near = nearest(word, &names).map(|near| format!("; did you mean `{near}`?")).unwrap_or_default();
        CronError::Word { word: word.to_owned(), near }
    })
}

/// The values of one field: a list of `*`, values and ranges, each with a step if wanted.
fn values(field: &Field, text: &str) -> Result<u64, CronError> {
    let wrong = |reason: String| CronError::Field { field: field.name, text: text.to_owned(), reason };
    let mut bits = 0;
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let (first, last) = range_of(field, range, step.is_some()).map_err(wrong)?.into_inner();
        let step = match step.map(str::parse::<usize>) {
            None => 1,
            Some(Ok(step)) if step > 0 => step,
            Some(_) => return Err(wrong("the step behind `/` must be a whole number above 0".to_owned())),
        };
        for value in (first..=last).step_by(step) {
            bits |= 1_u64 << value;
        }
    }
    Ok(bits)
}

/// The range of one part. One value with a step goes on to the end.
fn range_of(field: &Field, text: &str, has_step: bool) -> Result<RangeInclusive<u32>, String> {
    // A Sunday at both ends would be counted twice by a step.
    let end = if field.most == 7 { 6 } else { field.most };
    if text == "*" {
        return Ok(field.least..=end);
    }
    if let Some((first, last)) = text.split_once('-') {
        let (first, last) = (value_of(field, first)?, value_of(field, last)?);
        return if first > last { Err(format!("the range {text} goes backwards")) } else { Ok(first..=last) };
    }
    let value = value_of(field, text)?;
    Ok(value..=if has_step { end.max(value) } else { value })
}

fn value_of(field: &Field, text: &str) -> Result<u32, String> {
    let lower = text.to_lowercase();
    if let Some((value, _)) = (field.least..).zip(field.names).find(|(_, name)| **name == lower) {
        return Ok(value);
    }
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let value = text.parse::<u32>().ok().filter(|value| is_number && (field.least..=field.most).contains(value));
    value.ok_or_else(|| match (text, field.names) {
        ("", _) => "a value is missing".to_owned(),
        (_, []) => format!("`{text}` is no number from {} to {}", field.least, field.most),
        (_, names) => {
            let (first, last) = (names.first().unwrap_or(&""), names.last().unwrap_or(&""));
            format!(
                "`{text}` is neither a number from {} to {} nor a name from {first} to {last}",
                field.least, field.most
            )
        }
    })
}

#[cfg(test)]
#[path = "cron_tests.rs"]
mod tests;
