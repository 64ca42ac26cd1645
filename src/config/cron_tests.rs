//! What cron means by its fields, by the clocks of places that set them forward and back.

use jiff::tz::TimeZone;
use jiff::{Timestamp, civil};
use proptest::prelude::*;

use super::*;

fn cron(text: &str) -> Cron {
    text.parse().unwrap()
}

fn berlin() -> TimeZone {
    TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
}

fn at(text: &str) -> Moment {
    Moment(text.parse::<Timestamp>().unwrap().as_millisecond())
}

/// The next times behind `after`, in UTC.
fn next(text: &str, after: &str, zone: &TimeZone, count: usize) -> Vec<String> {
    let mut moment = at(after);
    let mut times = Vec::new();
    for _ in 0..count {
        moment = cron(text).next_after(moment, zone).unwrap();
        times.push(Timestamp::from_millisecond(moment.0).unwrap().strftime("%m-%d %H:%M").to_string());
    }
    times
}

#[test]
fn fields_mean_what_cron_means() {
    // 2026-01-01 is a Thursday.
    let from = "2026-01-01T00:00:00Z";
    for (text, expected) in [
        ("0 3 * * *", ["01-01 03:00", "01-02 03:00"]),
        ("*/20 5 * * *", ["01-01 05:00", "01-01 05:20"]),
        ("5/30 5 * * *", ["01-01 05:05", "01-01 05:35"]),
        ("1,2 0 * * *", ["01-01 00:01", "01-01 00:02"]),
        ("0 9-11/2 * * *", ["01-01 09:00", "01-01 11:00"]),
        ("0 0 * * mon", ["01-05 00:00", "01-12 00:00"]),
        ("0 0 * * 7", ["01-04 00:00", "01-11 00:00"]),
        ("0 0 * * SAT-7", ["01-03 00:00", "01-04 00:00"]),
        ("0 0 1 feb,apr *", ["02-01 00:00", "04-01 00:00"]),
        ("0 0 2 * fri", ["01-02 00:00", "01-09 00:00"]),
        ("@daily", ["01-02 00:00", "01-03 00:00"]),
        ("@hourly", ["01-01 01:00", "01-01 02:00"]),
        ("@weekly", ["01-04 00:00", "01-11 00:00"]),
        ("@monthly", ["02-01 00:00", "03-01 00:00"]),
    ] {
        assert_eq!(next(text, from, &TimeZone::UTC, 2), expected, "{text}");
    }
}

#[test]
fn a_leap_day_is_waited_for() {
    let found = cron("0 0 29 2 *").next_after(at("2096-03-01T00:00:00Z"), &TimeZone::UTC);
    assert_eq!(found, Some(at("2104-02-29T00:00:00Z")));
}

#[test]
fn times_are_those_of_the_zone() {
    assert_eq!(next("0 3 * * *", "2026-01-10T12:00:00Z", &berlin(), 1), ["01-11 02:00"]);
    assert_eq!(next("0 3 * * *", "2026-07-10T12:00:00Z", &berlin(), 1), ["07-11 01:00"]);
}

#[test]
fn a_time_that_does_not_exist_runs_at_the_next_that_does() {
    // On 29 March 2026 the clocks go from 02:00 to 03:00, at 01:00 UTC.
    let found = next("30 2 * * *", "2026-03-28T12:00:00Z", &berlin(), 2);
    assert_eq!(found, ["03-29 01:00", "03-30 00:30"]);
}

#[test]
fn several_times_that_do_not_exist_run_once() {
    let found = next("0,15,30 2 * * *", "2026-03-28T12:00:00Z", &berlin(), 2);
    assert_eq!(found, ["03-29 01:00", "03-30 00:00"]);
}

#[test]
fn a_time_that_exists_twice_runs_once() {
    // On 25 October 2026 the clocks go from 03:00 back to 02:00, at 01:00 UTC.
    let found = next("30 2 * * *", "2026-10-24T12:00:00Z", &berlin(), 2);
    assert_eq!(found, ["10-25 00:30", "10-26 01:30"]);
}

#[test]
fn what_runs_every_hour_goes_by_the_hours_that_pass() {
    let back = next("30 * * * *", "2026-10-24T23:00:00Z", &berlin(), 4);
    assert_eq!(back, ["10-24 23:30", "10-25 00:30", "10-25 01:30", "10-25 02:30"]);
    let forward = next("30 * * * *", "2026-03-28T23:45:00Z", &berlin(), 3);
    assert_eq!(forward, ["03-29 00:30", "03-29 01:30", "03-29 02:30"]);
}

#[test]
fn what_is_no_time_says_which_field_is_wrong_and_why() {
    for (text, told) in [
        ("0 3 * *", "it has 4 fields in place of five: minute, hour, day of the month, month, day of the week"),
        ("60 3 * * *", "the minute, `60`: `60` is no number from 0 to 59"),
        ("0 x * * *", "the hour, `x`: `x` is no number from 0 to 23"),
        ("0 3 0 * *", "the day of the month, `0`: `0` is no number from 1 to 31"),
        ("0 3 * foo *", "the month, `foo`: `foo` is neither a number from 1 to 12 nor a name from jan to dec"),
        ("0 3 * * 1,", "the day of the week, `1,`: a value is missing"),
        ("*/0 3 * * *", "the minute, `*/0`: the step behind `/` must be a whole number above 0"),
        ("0 5-3 * * *", "the hour, `5-3`: the range 5-3 goes backwards"),
        ("0 +3 * * *", "the hour, `+3`: `+3` is no number from 0 to 23"),
        ("0 0 31 feb,apr *", "no such day exists: none of these months is so long"),
        ("@dayly", "`@dayly` is no word for a time; did you mean `@daily`?"),
        ("@reboot", "`@reboot` is no word for a time"),
    ] {
        assert_eq!(text.parse::<Cron>().unwrap_err().to_string(), told, "{text}");
    }
}

/// Whether a time on the clock is one of a schedule, by the plain meaning of numbers in fields.
fn is_meant(minutes: &[i8], hours: &[i8], time: civil::DateTime) -> bool {
    minutes.contains(&time.minute()) && hours.contains(&time.hour()) && time.second() == 0
}

proptest! {
    #[test]
    fn the_next_time_is_later_is_meant_and_leaves_none_out(
        minutes in proptest::collection::btree_set(0_i8..60, 1..4),
        hours in proptest::collection::btree_set(0_i8..24, 1..4),
        after in 1_700_000_000_i64..1_900_000_000,
    ) {
        let list = |values: &std::collections::BTreeSet<i8>| {
            values.iter().map(i8::to_string).collect::<Vec<_>>().join(",")
        };
        let text = format!("{} {} * * *", list(&minutes), list(&hours));
        let (minutes, hours): (Vec<i8>, Vec<i8>) = (minutes.into_iter().collect(), hours.into_iter().collect());
        let after = Moment(after * 1000);
        let found = cron(&text).next_after(after, &TimeZone::UTC).unwrap();
        let on_clock = |moment: i64| TimeZone::UTC.to_datetime(Timestamp::from_millisecond(moment).unwrap());
        prop_assert!(found > after);
        prop_assert!(is_meant(&minutes, &hours, on_clock(found.0)));
        let first_minute = (after.0 / 60_000 + 1) * 60_000;
        for minute in (first_minute..found.0).step_by(60_000) {
            prop_assert!(!is_meant(&minutes, &hours, on_clock(minute)), "{} was left out", on_clock(minute));
        }
    }

    #[test]
    fn no_time_of_any_day_is_run_twice_where_clocks_change(start in 0_i64..365, hour in 0_i8..24, minute in 0_i8..60) {
        let mut moment = Moment(1_767_225_600_000 + start * 86_400_000);
        let cron = cron(&format!("{minute} {hour} * * *"));
        let mut days = Vec::new();
        for _ in 0..5 {
            moment = cron.next_after(moment, &berlin()).unwrap();
            days.push(berlin().to_datetime(Timestamp::from_millisecond(moment.0).unwrap()).date());
        }
        // Once on each day, and on every day.
        prop_assert!(days.windows(2).all(|pair| pair[0].tomorrow().unwrap() == pair[1]), "{days:?}");
    }
}
