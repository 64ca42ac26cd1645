//! Durations as people write them: `500ms`, `10m`, `1h30m`.
//!
//! A bare number is refused: whoever writes `timeout = 10` means seconds, minutes or milliseconds, and only they know
//! which.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// The units, greatest first, each with its milliseconds.
const UNITS: &[(&str, u64)] = &[("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1_000), ("ms", 1)];

/// A duration that is read and written in the form `1h30m`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct HumanDuration(pub Duration);

/// Why a text is no duration.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DurationError {
    /// Nothing is written.
    #[error("it is empty")]
    Empty,
    /// A unit stands without a number before it, or something else does.
    #[error("a number is missing before `{0}`")]
    NoNumber(String),
    /// A number without a unit.
    #[error("`{0}` has no unit")]
    NoUnit(String),
    /// A unit that does not exist.
    #[error("`{0}` is no unit")]
    UnknownUnit(String),
    /// More milliseconds than can be counted.
    #[error("it is too long")]
    TooLong,
}

impl FromStr for HumanDuration {
    type Err = DurationError;

    fn from_str(text: &str) -> Result<Self, DurationError> {
        let mut rest = text.trim();
        if rest.is_empty() {
            return Err(DurationError::Empty);
        }
        let mut milliseconds: u64 = 0;
        while !rest.is_empty() {
            let (number, behind) = split_where(rest, |letter| !letter.is_ascii_digit());
            let (unit, behind) = split_where(behind, |letter| letter.is_ascii_digit());
            let unit = unit.trim();
            if number.is_empty() {
                return Err(DurationError::NoNumber(unit.to_owned()));
            }
            if unit.is_empty() {
                return Err(DurationError::NoUnit(number.to_owned()));
            }
            let Some((_, length)) = UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(DurationError::UnknownUnit(unit.to_owned()));
            };
            let number: u64 = number.parse().map_err(|_| DurationError::TooLong)?;
            milliseconds = number
                .checked_mul(*length)
                .and_then(|part| milliseconds.checked_add(part))
                .ok_or(DurationError::TooLong)?;
            rest = behind;
        }
        Ok(Self(Duration::from_millis(milliseconds)))
    }
}

/// The part before the first character that `ends` accepts, and the rest.
fn split_where(text: &str, ends: impl Fn(char) -> bool) -> (&str, &str) {
    text.split_at(text.find(ends).unwrap_or(text.len()))
}

impl fmt::Display for HumanDuration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left = self.0.as_millis();
        if left == 0 {
            return f.write_str("0s");
        }
        // Days are read but never written: `24h` is what people expect to see again.
        for (unit, length) in UNITS.iter().filter(|(unit, _)| *unit != "d") {
            let length = u128::from(*length);
            if left >= length {
                write!(f, "{}{unit}", left / length)?;
                left %= length;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Duration, DurationError> {
        text.parse().map(|HumanDuration(duration)| duration)
    }

    #[test]
    fn every_unit_is_read() {
        assert_eq!(read("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(read("10s"), Ok(Duration::from_secs(10)));
        assert_eq!(read("10m"), Ok(Duration::from_mins(10)));
        assert_eq!(read("1h30m"), Ok(Duration::from_mins(90)));
        assert_eq!(read("1h 30m"), Ok(Duration::from_mins(90)));
        assert_eq!(read("2d"), Ok(Duration::from_hours(48)));
        assert_eq!(read("0s"), Ok(Duration::ZERO));
    }

    #[test]
    fn what_is_no_duration_says_why() {
        assert_eq!(read(""), Err(DurationError::Empty));
        assert_eq!(read("10"), Err(DurationError::NoUnit("10".to_owned())));
        assert_eq!(read("h"), Err(DurationError::NoNumber("h".to_owned())));
        assert_eq!(read("-5s"), Err(DurationError::NoNumber("-".to_owned())));
        assert_eq!(read("1.5s"), Err(DurationError::UnknownUnit(".".to_owned())));
        assert_eq!(read("10 minutes"), Err(DurationError::UnknownUnit("minutes".to_owned())));
        assert_eq!(read("99999999999999999999s"), Err(DurationError::TooLong));
        assert_eq!(read("18446744073709551615d"), Err(DurationError::TooLong));
    }

    #[test]
    fn what_is_written_reads_back() {
        for text in ["500ms", "1s", "1m30s", "10m", "1h30m", "24h", "1h1m1s1ms"] {
            assert_eq!(HumanDuration(read(text).unwrap()).to_string(), text);
        }
        assert_eq!(HumanDuration(Duration::ZERO).to_string(), "0s");
    }
}
