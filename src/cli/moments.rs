//! Moments as people write them on a command line: `2h` ago, a day, or RFC 3339.

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ZonedDateTime};

use crate::config::HumanDuration;
use crate::disk::now;
use crate::pipeline::Moment;

/// The beginning of what is written; a day begins at midnight here.
pub fn from(text: &str) -> Result<Moment, String> {
    read(text, now(), &TimeZone::system(), false)
}

/// The end of what is written; a day ends with its last millisecond here.
pub fn until(text: &str) -> Result<Moment, String> {
    read(text, now(), &TimeZone::system(), true)
}

fn read(text: &str, now: Moment, zone: &TimeZone, is_end: bool) -> Result<Moment, String> {
    let text = text.trim();
    if let Ok(HumanDuration(ago)) = text.parse::<HumanDuration>() {
        let ago = i64::try_from(ago.as_millis()).unwrap_or(i64::MAX);
        return Ok(Moment(now.0.saturating_sub(ago)));
    }
    if let Ok(at) = text.parse::<Timestamp>() {
        return Ok(Moment(at.as_millisecond()));
    }
    let zoned = if let Some(day) = day(text) {
        let day = if is_end { day.tomorrow() } else { Ok(day) };
        day.and_then(|day| day.to_zoned_datetime(zone.clone()))
    } else {
        text.parse::<DateTime>().and_then(|at| at.to_zoned_datetime(zone.clone()))
    };
    let at = zoned.map_err(|_| {
        format!("`{text}` is no moment; write `2h` (ago), `2026-11-28`, `2026-11-28 14:00` or `2026-11-28T14:00:00Z`")
    })?;
    let is_day = day(text).is_some();
    Ok(Moment(milliseconds(&at) - i64::from(is_day && is_end)))
}

/// A day, with nothing behind it.
fn day(text: &str) -> Option<Date> {
    if text.len() > 10 { None } else { text.parse().ok() }
}

fn milliseconds(at: &ZonedDateTime) -> i64 {
    at.timestamp().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOON: i64 = 1_795_867_200_000;

    fn of(text: &str, is_end: bool) -> Result<i64, String> {
        read(text, Moment(NOON), &TimeZone::UTC, is_end).map(|at| at.0)
    }

    #[test]
    fn a_duration_is_so_long_ago() {
        assert_eq!(of("2h", false), Ok(NOON - 7_200_000));
        assert_eq!(of("1d12h", true), Ok(NOON - 129_600_000));
    }

    #[test]
    fn a_day_begins_at_midnight_and_counts_to_its_end() {
        let midnight = of("2026-11-28T00:00:00Z", false).unwrap();
        assert_eq!(of("2026-11-28", false), Ok(midnight));
        assert_eq!(of("2026-11-28", true), Ok(midnight + 86_400_000 - 1));
        assert_eq!(of("2026-11-28 14:00", true), Ok(midnight + 14 * 3_600_000));
    }

    #[test]
    fn a_moment_of_another_zone_is_the_same_moment() {
        assert_eq!(of("2026-11-28T02:00:00+02:00", false), of("2026-11-28T00:00:00Z", false));
    }

    #[test]
    fn what_is_no_moment_is_told_with_what_would_be_one() {
        for wrong in ["", "yesterday", "2026-13-01", "10", "2026-11"] {
            let refused = of(wrong, false).unwrap_err();
            assert!(refused.contains("is no moment") && refused.contains("`2026-11-28`"), "{refused}");
        }
    }
}
