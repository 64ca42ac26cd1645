//! Dates: ISO 8601, and the forms that spreadsheets write, as days since 1970.
//!
//! `01/02/2024` is the first of February or the second of January; which of the two is decided by the whole column
//! ([`crate::model::data::date_column`]), never by one cell. The arithmetic of the calendar is that of
//! <https://howardhinnant.github.io/date_algorithms.html>.

use serde::{Deserialize, Serialize};

/// How the dates of a column are written. A time of day may stand behind any of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum DateFormat {
    /// `2024-01-31`, also with a time: `2024-01-31T12:30:00Z`.
    #[serde(rename = "YYYY-MM-DD")]
    Iso,
    /// `2024/01/31`
    #[serde(rename = "YYYY/MM/DD")]
    YearFirst,
    /// `31.01.2024`
    #[serde(rename = "DD.MM.YYYY")]
    Dotted,
    /// `31/01/2024`
    #[serde(rename = "DD/MM/YYYY")]
    DayFirst,
    /// `01/31/2024`
    #[serde(rename = "MM/DD/YYYY")]
    MonthFirst,
}

impl DateFormat {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Iso, Self::YearFirst, Self::Dotted, Self::DayFirst, Self::MonthFirst];

    /// How people write it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Iso => "YYYY-MM-DD",
            Self::YearFirst => "YYYY/MM/DD",
            Self::Dotted => "DD.MM.YYYY",
            Self::DayFirst => "DD/MM/YYYY",
            Self::MonthFirst => "MM/DD/YYYY",
        }
    }

    /// The days since 1970 that a trimmed text means in this format.
    pub fn days(self, text: &str) -> Option<f64> {
        let written = Written::read(text)?;
        let fits = matches!(
            (written.shape, self),
            (Shape::Iso, Self::Iso)
                | (Shape::YearFirst, Self::YearFirst)
                | (Shape::Dotted, Self::Dotted)
                | (Shape::Slashed, Self::DayFirst | Self::MonthFirst)
        );
        if fits { written.days(self == Self::MonthFirst) } else { None }
    }

    /// Days since 1970 as a text that [`Self::days`] reads.
    pub fn text(self, days: f64) -> String {
        let text = date_text(days);
        let (date, time) = text.split_once('T').map_or((text.as_str(), None), |(date, time)| (date, Some(time)));
        let parts: Vec<&str> = date.splitn(3, '-').collect();
        let [year, month, day] = parts.as_slice() else { return text };
        let date = match self {
            Self::Iso => date.to_owned(),
            Self::YearFirst => format!("{year}/{month}/{day}"),
            Self::Dotted => format!("{day}.{month}.{year}"),
            Self::DayFirst => format!("{day}/{month}/{year}"),
            Self::MonthFirst => format!("{month}/{day}/{year}"),
        };
        time.map_or_else(|| date.clone(), |time| format!("{date}T{time}"))
    }
}

/// What can be seen of one date alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Shape {
    Iso,
    YearFirst,
    Dotted,
    /// Day and month in either order.
    Slashed,
}

impl Shape {
    /// How people write it.
    pub(in crate::model) fn word(self) -> &'static str {
        match self {
            Self::Iso => DateFormat::Iso.word(),
            Self::YearFirst => DateFormat::YearFirst.word(),
            Self::Dotted => DateFormat::Dotted.word(),
            Self::Slashed => "DD/MM/YYYY or MM/DD/YYYY",
        }
    }
}

/// A date as it stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::model) struct Written {
    pub(in crate::model) shape: Shape,
    year: i32,
    /// Day and month as they follow each other; of dates that begin with the year, month and day.
    pub(in crate::model) one: i32,
    pub(in crate::model) two: i32,
    /// The time of day, and its distance from UTC, in days.
    time: f64,
}

impl Written {
    /// Takes a trimmed text apart; `None` when it is no date of any form.
    pub(in crate::model) fn read(text: &str) -> Option<Self> {
        let (first, first_digits, rest) = digits(text.as_bytes())?;
        let (&separator, rest) = rest.split_first()?;
        let (second, second_digits, rest) = digits(rest)?;
        let rest = rest.strip_prefix(&[separator])?;
        let (third, third_digits, rest) = digits(rest)?;
        let (shape, year, one, two) = match (separator, first_digits, second_digits, third_digits) {
            (b'-', 4, 1..=2, 1..=2) => (Shape::Iso, first, second, third),
            (b'/', 4, 1..=2, 1..=2) => (Shape::YearFirst, first, second, third),
            (b'.', 1..=2, 1..=2, 4) => (Shape::Dotted, third, first, second),
            (b'/', 1..=2, 1..=2, 4) => (Shape::Slashed, third, first, second),
            _ => return None,
        };
        let written = Self { shape, year, one, two, time: time(rest)? };
        // A date that is none in either order is text.
        (written.days(false).is_some() || (shape == Shape::Slashed && written.days(true).is_some())).then_some(written)
    }

    /// Days since 1970; `None` when there is no such day. `month_first` matters where the form leaves it open.
    pub(in crate::model) fn days(&self, month_first: bool) -> Option<f64> {
        let (month, day) = match self.shape {
            Shape::Iso | Shape::YearFirst => (self.one, self.two),
            Shape::Slashed if month_first => (self.one, self.two),
            Shape::Dotted | Shape::Slashed => (self.two, self.one),
        };
        let is_day = (1..=12).contains(&month) && (1..=month_length(self.year, month)).contains(&day);
        is_day.then(|| f64::from(from_civil(self.year, month, day)) + self.time)
    }
}

/// The same moment with day and month exchanged; both must be 12 at most.
pub(in crate::model) fn exchanged(days: f64) -> f64 {
    let whole = days.floor();
    let (year, month, day) = to_civil(whole_days(whole));
    f64::from(from_civil(year, day, month)) + (days - whole)
}

/// Days since 1970 as people read them: `2024-01-31`, and the time of day if there is one.
pub fn date_text(days: f64) -> String {
    let whole = days.floor();
    let seconds = whole_days(((days - whole) * 86_400.0).round());
    // Less than half a second before midnight it is the next day: there is no time of 24:00:00 that could be read again.
    let (whole, seconds) = if seconds < 86_400 { (whole, seconds) } else { (whole + 1.0, 0) };
    let (year, month, day) = to_civil(whole_days(whole));
    let date = format!("{year:04}-{month:02}-{day:02}");
    if seconds == 0 {
        return date;
    }
    format!("{date}T{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "years have four digits, so days since 1970 and seconds of a day lie far within 32 bits; a cast saturates"
)]
fn whole_days(days: f64) -> i32 {
    // Within what the arithmetic below can take, whatever comes.
    days.clamp(-4_000_000.0, 4_000_000.0) as i32
}

/// The number that a text begins with (at most four digits), how many digits it has, and what follows.
fn digits(bytes: &[u8]) -> Option<(i32, usize, &[u8])> {
    let length = bytes.iter().take(5).take_while(|byte| byte.is_ascii_digit()).count();
    if length == 0 || length > 4 {
        return None;
    }
    let (number, rest) = bytes.split_at_checked(length)?;
    let number = number.iter().fold(0, |number, byte| number * 10 + i32::from(byte - b'0'));
    Some((number, length, rest))
}

/// The time behind a date, in days: nothing, or `T12:30`, ` 12:30:15.5`, with `Z` or `+02:00` behind it.
fn time(bytes: &[u8]) -> Option<f64> {
    let Some((first, rest)) = bytes.split_first() else { return Some(0.0) };
    if !matches!(first, b'T' | b't' | b' ') {
        return None;
    }
    let (hours, 1..=2, rest) = digits(rest)? else { return None };
    let rest = rest.strip_prefix(b":")?;
    let (minutes, 2, rest) = digits(rest)? else { return None };
    let (seconds, rest) = seconds(rest)?;
    if hours > 23 || minutes > 59 || seconds >= 61.0 {
        return None;
    }
    Some((f64::from(hours * 3600 + minutes * 60) + seconds - offset(rest)?) / 86_400.0)
}

fn seconds(bytes: &[u8]) -> Option<(f64, &[u8])> {
    let Some(rest) = bytes.strip_prefix(b":") else { return Some((0.0, bytes)) };
    let (whole, 2, rest) = digits(rest)? else { return None };
    let Some(rest) = rest.strip_prefix(b".") else { return Some((f64::from(whole), rest)) };
    let length = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (fraction, rest) = rest.split_at_checked(length)?;
    // More than nanoseconds are not told apart.
    let (parts, scale) = fraction
        .iter()
        .take(9)
        .fold((0.0, 1.0), |(parts, scale), byte| (parts * 10.0 + f64::from(byte - b'0'), scale * 10.0));
    (length > 0).then_some((f64::from(whole) + parts / scale, rest))
}

/// The distance from UTC in seconds; none is taken for UTC.
fn offset(bytes: &[u8]) -> Option<f64> {
    let (sign, rest) = match bytes.split_first() {
        None => return Some(0.0),
        Some((b'Z' | b'z', [])) => return Some(0.0),
        Some((b'+', rest)) => (1, rest),
        Some((b'-', rest)) => (-1, rest),
        Some(_) => return None,
    };
    let (hours, minutes) = match digits(rest)? {
        (hours, 2, []) => (hours, 0),
        (both, 4, []) => (both / 100, both % 100),
        (hours, 2, rest) => {
            let (minutes, 2, []) = digits(rest.strip_prefix(b":")?)? else { return None };
            (hours, minutes)
        }
        _ => return None,
    };
    (hours <= 18 && minutes <= 59).then(|| f64::from(sign * (hours * 3600 + minutes * 60)))
}

fn month_length(year: i32, month: i32) -> i32 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

fn from_civil(year: i32, month: i32, day: i32) -> i32 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

fn to_civil(days: i32) -> (i32, i32, i32) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i32::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{DateFormat, Shape, Written, date_text, exchanged};

    #[test]
    fn every_format_gives_the_same_day() {
        let texts = ["2024-02-29", "2024/02/29", "29.02.2024", "29/02/2024", "02/29/2024"];
        for (format, text) in DateFormat::ALL.into_iter().zip(texts) {
            // 19 782 days: `date -ud 2024-02-29 +%s` divided by 86 400.
            assert_eq!(format.days(text), Some(19_782.0), "{text}");
        }
        assert_eq!(DateFormat::Iso.days("1970-01-01"), Some(0.0));
        assert_eq!(DateFormat::Iso.days("1969-12-31"), Some(-1.0));
    }

    #[test]
    fn a_time_of_day_is_a_part_of_the_day_in_utc() {
        assert_eq!(DateFormat::Iso.days("1970-01-02T12:00:00Z"), Some(1.5));
        assert_eq!(DateFormat::Iso.days("1970-01-02 06:00"), Some(1.25));
        assert_eq!(DateFormat::Iso.days("1970-01-02T02:00:00+02:00"), Some(1.0));
        assert_eq!(DateFormat::Iso.days("1970-01-01T18:00:00.000-0600"), Some(1.0));
        for wrong in ["1970-01-02T25:00", "1970-01-02T12", "1970-01-02T12:00:00+2", "1970-01-02x"] {
            assert_eq!(DateFormat::Iso.days(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_no_day_is_no_date() {
        for text in ["2023-02-29", "2024-13-01", "31.04.2024", "99/99/2024", "1.5", "10.0.0.1", "2024", "", "1-2-3"] {
            assert_eq!(Written::read(text), None, "{text}");
        }
        assert_eq!(Written::read("31/12/2024").map(|written| written.shape), Some(Shape::Slashed));
    }

    #[test]
    fn days_are_read_as_dates() {
        assert_eq!(date_text(19_782.0), "2024-02-29");
        assert_eq!(date_text(1.5), "1970-01-02T12:00:00");
        let late = DateFormat::Iso.days("1970-01-02T23:59:59.7").unwrap();
        assert_eq!(date_text(late), "1970-01-03");
    }

    #[test]
    fn what_is_written_in_a_format_is_read_in_it() {
        for format in DateFormat::ALL {
            for days in [0.0, 19_753.0, -1.0, 19_753.5] {
                let text = format.text(days);
                assert_eq!(format.days(&text), Some(days), "{text}");
            }
        }
    }

    proptest! {
        #[test]
        fn a_day_comes_back_from_its_text(day in -700_000_i32..2_900_000) {
            let days = f64::from(day);
            prop_assert_eq!(DateFormat::Iso.days(&date_text(days)), Some(days));
        }

        #[test]
        fn day_and_month_are_exchanged(year in 1900_i32..2100, one in 1_i32..=12, two in 1_i32..=12) {
            let text = format!("{one:02}/{two:02}/{year}");
            let day_first = DateFormat::DayFirst.days(&text).unwrap();
            let month_first = DateFormat::MonthFirst.days(&text).unwrap();
            prop_assert!((exchanged(day_first) - month_first).abs() < 1e-9);
        }

        #[test]
        fn no_text_makes_the_reader_panic(text in "[0-9T:./ +Z-]{0,24}") {
            let _ = Written::read(&text);
        }
    }
}
