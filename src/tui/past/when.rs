//! Moments as people type them: `14:03`, `yesterday 9:00`, `2026-11-24 14:03:11`, `-2h`, `run 42`, `event 7`, `now`.

use crate::api::types::{PastRequest, RunEdge};
use crate::pipeline::{Moment, RunId};
use crate::tui::clock::Clock;

/// The end of a day.
const LAST: [i8; 3] = [23, 59, 59];
/// Units behind a number, and their milliseconds.
const UNITS: [(&str, u64); 11] = [
    ("seconds", 1_000),
    ("second", 1_000),
    ("minutes", 60_000),
    ("minute", 60_000),
    ("hours", 3_600_000),
    ("hour", 3_600_000),
    ("min", 60_000),
    ("s", 1_000),
    ("m", 60_000),
    ("h", 3_600_000),
    ("d", 86_400_000),
];

/// Which moment is meant, reckoned from `now`.
pub(in crate::tui) fn parse(text: &str, now: Moment, clock: &Clock) -> Result<PastRequest, String> {
    let words: Vec<String> = text.split_whitespace().map(str::to_lowercase).collect();
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let found = match words.as_slice() {
        ["now"] => Some(PastRequest::at(now)),
        ["run", number] => {
            number.parse().ok().map(|run| PastRequest { run: Some(RunId(run)), ..PastRequest::default() })
        }
        ["run", number, edge @ ("start" | "end")] => {
            let edge = if *edge == "start" { RunEdge::Start } else { RunEdge::End };
            number.parse().ok().map(|run| PastRequest::of_run(RunId(run), edge))
        }
        ["event", number] => number.parse().ok().map(PastRequest::behind),
        words => moment(words, now, clock).map(PastRequest::at),
    };
    found.ok_or_else(|| {
        format!("“{}” is no moment; write 14:03, yesterday 9:00, 2026-11-24 14:03, -2h or run 42", text.trim())
    })
}

fn moment(words: &[&str], now: Moment, clock: &Clock) -> Option<Moment> {
    match words {
        ["today", rest @ ..] => clock.days_before(now, 0, time_or_end(rest)?),
        ["yesterday", rest @ ..] => clock.days_before(now, 1, time_or_end(rest)?),
        [one] if one.contains(':') => {
            let time = time(one)?;
            // A time that is still to come today was meant of yesterday.
            clock.days_before(now, 0, time).filter(|at| *at <= now).or_else(|| clock.days_before(now, 1, time))
        }
        [length @ .., "ago"] => before(length, now),
        [first, ..] if first.starts_with('-') => before(words, now),
        [date, rest @ ..] => clock.on_date(date, time_or_end(rest)?),
        [] => None,
    }
}

/// So long ago: `-2h`, `1h 30m`, `5 minutes`.
fn before(words: &[&str], now: Moment) -> Option<Moment> {
    let text = words.concat();
    let length = milliseconds(text.strip_prefix('-').unwrap_or(&text))?;
    Some(Moment(now.0.saturating_sub(i64::try_from(length).ok()?)))
}

/// `1h30m` in milliseconds; nothing is no length.
fn milliseconds(text: &str) -> Option<u64> {
    let (mut rest, mut sum) = (text, 0_u64);
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit())?;
        let number: u64 = rest.get(..digits)?.parse().ok()?;
        let behind = rest.get(digits..)?;
        let (unit, length) = UNITS.iter().find(|(unit, _)| {
            let after = behind.strip_prefix(unit);
            after.is_some_and(|after| !after.starts_with(|character: char| character.is_ascii_alphabetic()))
        })?;
        sum = sum.checked_add(number.checked_mul(*length)?)?;
        rest = behind.strip_prefix(unit)?;
    }
    (!text.is_empty()).then_some(sum)
}

/// The time behind a day; a day without one is meant to its end.
fn time_or_end(words: &[&str]) -> Option<[i8; 3]> {
    match words {
        [] => Some(LAST),
        [one] => time(one),
        _ => None,
    }
}

/// `14:03` or `14:03:11`.
fn time(text: &str) -> Option<[i8; 3]> {
    let mut parts = text.split(':').map(|part| part.parse::<i8>().ok().filter(|number| *number >= 0));
    let (hour, minute) = (parts.next()??, parts.next()??);
    let second = parts.next().unwrap_or(Some(0))?;
    parts.next().is_none().then_some([hour, minute, second])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24 12:00:00 UTC.
    const NOON: i64 = 1_795_521_600_000;
    const HOUR: i64 = 3_600_000;

    fn at(text: &str) -> Result<i64, String> {
        let found = parse(text, Moment(NOON), &Clock::utc())?;
        Ok(found.at.map_or(0, |at| at.0 - NOON))
    }

    #[test]
    fn a_time_is_of_today_or_if_it_is_still_to_come_of_yesterday() {
        assert_eq!(at("11:30"), Ok(-HOUR / 2));
        assert_eq!(at("14:03:11"), Ok(-22 * HOUR + 191_000));
        assert_eq!(at(" Yesterday  9:00 "), Ok(-27 * HOUR));
        assert_eq!(at("today 9:00"), Ok(-3 * HOUR));
        assert_eq!(at("2026-11-23 12:00"), Ok(-24 * HOUR));
        assert_eq!(at("2026-11-23"), Ok(-12 * HOUR - 1_000), "a day is meant to its end");
        assert_eq!(at("now"), Ok(0));
    }

    #[test]
    fn a_length_is_so_long_ago() {
        assert_eq!(at("-2h"), Ok(-2 * HOUR));
        assert_eq!(at("-1h30m"), Ok(-HOUR * 3 / 2));
        assert_eq!(at("1d 12h ago"), Ok(-36 * HOUR));
        assert_eq!(at("5 minutes ago"), Ok(-300_000));
        assert_eq!(at("90min ago"), Ok(-HOUR * 3 / 2));
    }

    #[test]
    fn runs_and_events_are_called_by_their_numbers() {
        let parse = |text: &str| parse(text, Moment(NOON), &Clock::utc()).unwrap();
        assert_eq!((parse("run 42").run, parse("run 42").place), (Some(RunId(42)), None));
        assert_eq!(parse("run 42 start"), PastRequest::of_run(RunId(42), RunEdge::Start));
        assert_eq!(parse("event 7"), PastRequest::behind(7));
    }

    #[test]
    fn what_is_no_moment_is_told_with_what_would_be_one() {
        let huge = format!("-{}h", u64::MAX);
        for wrong in ["", "soon", "25:00", "12:60", "1:2:3:4", "-", "-2x", "ago", "2026-13-01", "run", "run x", &huge] {
            let refused = at(wrong).unwrap_err();
            assert!(refused.contains("is no moment") && refused.contains("yesterday 9:00"), "{wrong}: {refused}");
        }
    }
}
