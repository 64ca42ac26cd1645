//! Parts of dates, in the Gregorian calendar and in UTC.

use super::super::plan::DatePart;
use super::super::value::seconds;

const DAY: i64 = 86_400;
/// Beyond this many seconds from the epoch (some 30 million years) a date has no meaning here.
const FARTHEST: f64 = 1e15;

/// A part of the date that lies `timestamp` seconds after the epoch; NaN if it is no date.
pub(in super::super) fn part_of(part: DatePart, timestamp: f64) -> f64 {
    let Some(timestamp) = whole_seconds(timestamp) else { return f64::NAN };
    let days = timestamp.div_euclid(DAY);
    let second = timestamp.rem_euclid(DAY);
    let date = Date::of(days);
    number(match part {
        DatePart::Minute => second / 60 % 60,
        DatePart::Hour => second / 3600,
        // The epoch was a Thursday.
        DatePart::DayOfWeek => (days + 4).rem_euclid(7),
        DatePart::DayOfMonth => date.day,
        DatePart::DayOfYear => days - first_of_year(date.year) + 1,
        DatePart::DaysInMonth => days_in_month(date.year, date.month),
        DatePart::Month => date.month,
        DatePart::Year => date.year,
    })
}

fn number(whole: i64) -> f64 {
    seconds(whole.saturating_mul(1000))
}

#[expect(clippy::cast_possible_truncation, reason = "the bounds are far within the range of whole numbers")]
fn whole_seconds(timestamp: f64) -> Option<i64> {
    (timestamp.abs() < FARTHEST).then_some(timestamp as i64)
}

struct Date {
    year: i64,
    month: i64,
    day: i64,
}

impl Date {
    /// The date that lies `days` after the epoch. Years are counted from March on, so that the leap day is their last.
    fn of(days: i64) -> Self {
        const ERA: i64 = 146_097;
        let since = days + 719_468;
        let era = since.div_euclid(ERA);
        let day_of_era = since.rem_euclid(ERA);
        let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        Self { year: era * 400 + year_of_era + i64::from(month <= 2), month, day }
    }
}

/// Days from the epoch to the first of January.
fn first_of_year(year: i64) -> i64 {
    let before = year - 1;
    before * 365 + before.div_euclid(4) - before.div_euclid(100) + before.div_euclid(400) - 719_162
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year.rem_euclid(4) == 0 && (year.rem_euclid(100) != 0 || year.rem_euclid(400) == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(timestamp: f64) -> Vec<f64> {
        let parts = [
            DatePart::Year,
            DatePart::Month,
            DatePart::DayOfMonth,
            DatePart::Hour,
            DatePart::Minute,
            DatePart::DayOfWeek,
            DatePart::DayOfYear,
            DatePart::DaysInMonth,
        ];
        parts.iter().map(|part| part_of(*part, timestamp)).collect()
    }

    #[test]
    fn dates_are_those_of_the_calendar() {
        assert_eq!(parts(0.0), [1970.0, 1.0, 1.0, 0.0, 0.0, 4.0, 1.0, 31.0]);
        assert_eq!(parts(1_136_239_445.0), [2006.0, 1.0, 2.0, 22.0, 4.0, 1.0, 2.0, 31.0]);
        assert_eq!(parts(1_456_790_399.0), [2016.0, 2.0, 29.0, 23.0, 59.0, 1.0, 60.0, 29.0]);
        assert_eq!(parts(1_483_191_420.0), [2016.0, 12.0, 31.0, 13.0, 37.0, 6.0, 366.0, 31.0]);
        assert_eq!(parts(-1.0), [1969.0, 12.0, 31.0, 23.0, 59.0, 3.0, 365.0, 31.0]);
    }

    #[test]
    fn what_is_no_date_has_no_parts() {
        for timestamp in [f64::NAN, f64::INFINITY, -1e300] {
            assert!(part_of(DatePart::Year, timestamp).is_nan());
        }
    }
}
