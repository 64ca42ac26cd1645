//! Where in a log to go, as people write it: a time, so long ago, a share, a line.

use crate::pipeline::Moment;

/// A place in a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Jump {
    /// The line that came at this moment.
    Moment(Moment),
    /// So many hundredths of it.
    Percent(u64),
    /// This line, from 0.
    Line(u64),
}

/// What such a place can look like.
pub(in crate::tui) const FORMS: &str = "14:03, -5m (before the end), +5m (behind the start), 40%, a line";

/// The hours, minutes and seconds of a time of the day.
type DayTime = (i64, i64, i64);

/// Reads a place. `begin` and `end` are those of the log, and `end_of_day` is the time that the clock here showed at its end.
pub(in crate::tui) fn parse(text: &str, begin: Moment, end: Moment, end_of_day: &str) -> Result<Jump, String> {
    let refused = || format!("`{}` is no place in a log; write {FORMS}", text.trim());
    let text = text.trim();
    if let Some(share) = text.strip_suffix('%') {
        let share = share.trim().parse::<u64>().map_err(|_| refused())?;
        return if share <= 100 { Ok(Jump::Percent(share)) } else { Err(refused()) };
    }
    let time = text.strip_prefix('@').unwrap_or(text).trim();
    if let Some(wanted) = day_time(time) {
        let shown = day_time(end_of_day).ok_or_else(refused)?;
        // The last such time at or before the end.
        let back = (seconds(shown) - seconds(wanted)).rem_euclid(24 * 3_600);
        return Ok(Jump::Moment(Moment(end.0 - end.0.rem_euclid(1_000) - back * 1_000)));
    }
    if let Some(before) = text.strip_prefix('-') {
        let length = length(before).ok_or_else(refused)?;
        return Ok(Jump::Moment(Moment(end.0.saturating_sub(length))));
    }
    if let Some(behind) = text.strip_prefix('+') {
        let length = length(behind).ok_or_else(refused)?;
        return Ok(Jump::Moment(Moment(begin.0.saturating_add(length))));
    }
    let line = text.parse::<u64>().map_err(|_| refused())?;
    Ok(Jump::Line(line.saturating_sub(1)))
}

fn seconds((hours, minutes, seconds): DayTime) -> i64 {
    hours * 3_600 + minutes * 60 + seconds
}

/// `14:03` or `14:03:11`.
fn day_time(text: &str) -> Option<DayTime> {
    let mut parts = text.split(':').map(|part| part.parse::<i64>().ok().filter(|_| part.len() <= 2));
    let (hours, minutes) = (parts.next()??, parts.next()??);
    let seconds = parts.next().unwrap_or(Some(0))?;
    let is_time = parts.next().is_none() && (0..24).contains(&hours) && (0..60).contains(&minutes);
    (is_time && (0..60).contains(&seconds)).then_some((hours, minutes, seconds))
}

/// `90s`, `5m`, `2h`, `1h30m` in milliseconds; a number alone counts minutes.
fn length(text: &str) -> Option<i64> {
    let mut rest = text.trim();
    let mut sum: i64 = 0;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let digits = rest.find(|character: char| !character.is_ascii_digit()).unwrap_or(rest.len());
        let number = rest.get(..digits)?.parse::<i64>().ok()?;
        let behind = rest.get(digits..)?;
        let unit = behind.chars().next();
        let milliseconds = match unit {
            Some('s') => 1_000,
            Some('m') | None => 60_000,
            Some('h') => 3_600_000,
            Some('d') => 86_400_000,
            Some(_) => return None,
        };
        sum = sum.checked_add(number.checked_mul(milliseconds)?)?;
        rest = behind.get(unit.map_or(0, char::len_utf8)..)?;
    }
    Some(sum)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGIN: Moment = Moment(1_000_000);
    /// 14:30:05 of some day.
    const END: Moment = Moment(52_205_500);

    fn of(text: &str) -> Result<Jump, String> {
        parse(text, BEGIN, END, "14:30:05")
    }

    #[test]
    fn a_time_is_the_last_such_time_before_the_end() {
        let at = |milliseconds| Ok(Jump::Moment(Moment(milliseconds)));
        assert_eq!(of("@14:03"), at(50_580_000));
        assert_eq!(of("14:30:05"), at(52_205_000));
        assert_eq!(of("@23:00"), at(82_800_000 - 86_400_000), "that was yesterday");
    }

    #[test]
    fn lengths_count_from_either_end_and_shares_and_lines_stand_for_themselves() {
        assert_eq!(of("-5m"), Ok(Jump::Moment(Moment(END.0 - 300_000))));
        assert_eq!(of("+1h30m"), Ok(Jump::Moment(Moment(BEGIN.0 + 5_400_000))));
        assert_eq!(of("-2"), Ok(Jump::Moment(Moment(END.0 - 120_000))));
        assert_eq!((of("40%"), of("17"), of("0")), (Ok(Jump::Percent(40)), Ok(Jump::Line(16)), Ok(Jump::Line(0))));
    }

    #[test]
    fn what_is_no_place_is_told_with_what_would_be_one() {
        for wrong in ["", "@", "@25:00", "14:61", "140%", "-", "-5x", "noon", "1:2:3:4", "-99999999999999999d"] {
            let refused = of(wrong).unwrap_err();
            assert!(refused.contains("is no place") && refused.contains("-5m"), "{refused}");
        }
    }
}
