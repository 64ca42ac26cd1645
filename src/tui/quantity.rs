//! Numbers as the screen writes them: durations, counts, cells. Measured values are written as everywhere.

use crate::pipeline::quantity::noun;
pub(super) use crate::pipeline::quantity::{at_axis, measured, value, whole_duration};

/// `42ms`, `12.4s`, `3m 05s`, `2h 03m`, `3d 4h`, from milliseconds.
pub(super) fn duration(milliseconds: u64) -> String {
    if milliseconds < 1_000 {
        return format!("{milliseconds}ms");
    }
    if milliseconds < 60_000 {
        return format!("{}.{}s", milliseconds / 1_000, milliseconds % 1_000 / 100);
    }
    whole_duration(milliseconds)
}

/// How long ago in one unit, so that it seldom changes: `3 d`, `2 h`, `5 min`, `< 1 min`.
pub(super) fn age(milliseconds: u64) -> String {
    let minutes = milliseconds / 60_000;
    match minutes {
        0 => "< 1 min".to_owned(),
        1..60 => format!("{minutes} min"),
        60..1_440 => format!("{} h", minutes / 60),
        _ => format!("{} d", minutes / 1_440),
    }
}

/// `1 599`.
pub(super) fn count(number: impl TryInto<u64>) -> String {
    let digits = number.try_into().unwrap_or(u64::MAX).to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

/// `1 599 files`, `1 file`.
pub(super) fn counted(number: impl TryInto<u64>, one: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{} {}", count(number), noun(number, one))
}

/// `512 B`, `52.4 MB`, `1.2 GB`: bytes, in steps of a thousand.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["kB", "MB", "GB", "TB", "PB"];
    if number < 1_000 {
        return format!("{number} B");
    }
    let mut scale = 1_000;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    while number / scale >= 1_000 {
        let Some(next) = units.next() else { break };
        unit = *next;
        scale *= 1_000;
    }
    let (whole, tenth) = (number / scale, number % scale / (scale / 10));
    if whole >= 100 { format!("{whole} {unit}") } else { format!("{whole}.{tenth} {unit}") }
}

/// A share between 0 and 1 in whole percent.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0}%", (share * 100.0).clamp(0.0, 100.0))
}

/// A count of cells or columns as a number to calculate with.
pub(super) fn real(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// A number as a cell, row or column: rounded, zero for what is negative or no number, at most `limit`.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to a range that fits; `as` maps NaN to zero"
)]
pub(super) fn cell(number: f64, limit: usize) -> usize {
    number.round().clamp(0.0, real(limit)) as usize
}

/// A number of cells as the layout counts them.
pub(super) fn small(number: usize) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_grow_coarser() {
        let texts: Vec<_> = [400, 12_440, 65_000, 7_380_000, 273_600_000].map(duration).into();
        assert_eq!(texts, ["400ms", "12.4s", "1m 05s", "2h 03m", "3d 4h"]);
    }

    #[test]
    fn counts_are_grouped() {
        assert_eq!(count(1_599), "1 599");
        assert_eq!(count(12), "12");
        assert_eq!(count(1_000_000), "1 000 000");
        assert_eq!(
            (counted(1_u64, "file"), counted(1_599_u64, "file")),
            ("1 file".to_owned(), "1 599 files".to_owned())
        );
    }

    #[test]
    fn bytes_have_a_unit_that_keeps_them_short() {
        let texts: Vec<_> = [0, 999, 1_000, 52_428_800, 999_999_999, 1_234_567_890, u64::MAX].map(bytes).into();
        assert_eq!(texts, ["0 B", "999 B", "1.0 kB", "52.4 MB", "999 MB", "1.2 GB", "18446 PB"]);
    }

    #[test]
    fn no_number_becomes_cell_zero() {
        assert_eq!(cell(f64::NAN, 9), 0);
        assert_eq!(cell(f64::INFINITY, 9), 9);
        assert_eq!(cell(-3.0, 9), 0);
    }
}
