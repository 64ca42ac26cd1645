//! Measured values and counts as people read them, the same on the screen, in pictures and in tables.
//!
//! Of a measured value about three digits count; seconds and bytes are scaled, every other unit is shown as it is.

/// A measured value in about three digits: `132`, `4.1`, `0.18`, `12.3k`.
pub fn value(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "–".to_owned();
    }
    if size < 1e-12 {
        return "0".to_owned();
    }
    let (scaled, suffix) = match size {
        _ if !(0.001..1e15).contains(&size) => return format!("{value:.1e}"),
        _ if size >= 999_500_000.0 => (value / 1e9, "G"),
        _ if size >= 999_500.0 => (value / 1e6, "M"),
        _ if size >= 9_999.5 => (value / 1e3, "k"),
        _ => (value, ""),
    };
    let text = match scaled.abs() {
        near if near >= 99.95 => format!("{scaled:.0}"),
        near if near >= 9.995 => format!("{scaled:.1}"),
        near if near >= 0.9995 => format!("{scaled:.2}"),
        _ => format!("{scaled:.3}"),
    };
    format!("{}{suffix}", without_trailing_zeros(&text))
}

fn without_trailing_zeros(text: &str) -> &str {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { text }
}

/// A measured value with its unit. Seconds and bytes are scaled, percent and shares get their sign; every other unit is shown
/// as it is. Its text must have been made harmless before.
pub fn measured(number: f64, unit: Option<&str>) -> String {
    match unit {
        None | Some("") => value(number),
        Some(_) if !number.is_finite() => value(number),
        Some("s") => seconds(number),
        Some("ms") => seconds(number / 1e3),
        Some("%") => format!("{}%", value(number)),
        Some("ratio") => format!("{}%", value(number * 100.0)),
        Some("B" | "bytes") => bytes_of(number, ""),
        Some("B/s" | "bytes/s") => bytes_of(number, "/s"),
        Some(unit) => format!("{} {unit}", value(number)),
    }
}

/// As [`measured`], without blanks and without a unit that is only shown: for the numbers at an axis.
pub fn at_axis(number: f64, unit: Option<&str>) -> Option<String> {
    let text = match unit {
        Some("s" | "ms" | "B" | "bytes" | "B/s" | "bytes/s" | "%" | "ratio") => measured(number, unit),
        _ => return None,
    };
    let text = text.strip_suffix("/s").unwrap_or(&text);
    Some(text.replace(' ', ""))
}

/// `4.1 ms`, `1.2 s`, `2m 05s`.
fn seconds(number: f64) -> String {
    let size = number.abs();
    if size >= 60.0 {
        let sign = if number < 0.0 { "-" } else { "" };
        return format!("{sign}{}", whole_duration(milliseconds(size)));
    }
    let (scaled, unit) = match size {
        _ if size < 1e-12 => return "0 s".to_owned(),
        _ if size < 0.999_5e-6 => (number * 1e9, "ns"),
        _ if size < 0.999_5e-3 => (number * 1e6, "µs"),
        _ if size < 0.999_5 => (number * 1e3, "ms"),
        _ => (number, "s"),
    };
    format!("{} {unit}", value(scaled))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "clamped to what is exact; `as` maps NaN to zero"
)]
fn milliseconds(seconds: f64) -> u64 {
    (seconds * 1e3).clamp(0.0, 9e15) as u64
}

/// `512 B`, `52.4 MB`: bytes that were counted.
#[expect(clippy::cast_precision_loss, reason = "three digits are shown")]
pub fn bytes(number: u64) -> String {
    bytes_of(number as f64, "")
}

/// `512 B`, `52.4 MB`: in steps of a thousand.
fn bytes_of(number: f64, behind: &str) -> String {
    const UNITS: [&str; 6] = ["B", "kB", "MB", "GB", "TB", "PB"];
    let mut scaled = number;
    let mut units = UNITS.iter();
    let mut unit = units.next().copied().unwrap_or_default();
    while scaled.abs() >= 999.5 {
        let Some(next) = units.next() else { break };
        unit = next;
        scaled /= 1e3;
    }
    format!("{} {unit}{behind}", value(scaled))
}

/// `1 file`, `7 files`, `2 processes`.
pub fn counted(number: impl TryInto<u64>, one: &str) -> String {
    let number = number.try_into().unwrap_or(u64::MAX);
    format!("{number} {}", noun(number, one))
}

/// The noun for so many: `file`, `files`.
pub fn noun(number: u64, one: &str) -> String {
    match number {
        1 => one.to_owned(),
        _ if one.ends_with('s') => format!("{one}es"),
        _ => format!("{one}s"),
    }
}

/// A duration in whole seconds, from milliseconds: `8s`, `3m 05s`, `2h 03m`, `3d 4h`.
pub fn whole_duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if days > 0 {
        format!("{days}d {}h", hours % 24)
    } else if hours > 0 {
        format!("{hours}h {:02}m", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes}m {:02}s", seconds % 60)
    } else {
        format!("{seconds}s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_grow_coarser() {
        let texts: Vec<_> = [8_900, 65_000, 7_380_000, 273_600_000].map(whole_duration).into();
        assert_eq!(texts, ["8s", "1m 05s", "2h 03m", "3d 4h"]);
    }

    #[test]
    fn a_noun_is_as_many_as_its_number() {
        let texts: Vec<_> = [0, 1, 1_599].map(|number: usize| counted(number, "row")).into();
        assert_eq!(texts, ["0 rows", "1 row", "1599 rows"]);
        assert_eq!(
            (counted(1_u64, "process"), counted(2_u64, "process")),
            ("1 process".to_owned(), "2 processes".to_owned())
        );
    }

    #[test]
    fn values_have_about_three_digits() {
        let texts: Vec<_> = [132.0, 4.1, 0.18, 12_345.0, 0.0, f64::NAN, -0.5, 1_048_576.0, 99.99].map(value).into();
        assert_eq!(texts, ["132", "4.1", "0.18", "12.3k", "0", "–", "-0.5", "1.05M", "100"]);
    }

    #[test]
    fn known_units_are_scaled_and_others_shown() {
        let text = |number, unit| measured(number, Some(unit));
        let times: Vec<_> = [0.0041, 1.25, 125.0, 7_380.0, 2.5e-7, 0.0, -0.5].map(|number| text(number, "s")).into();
        assert_eq!(times, ["4.1 ms", "1.25 s", "2m 05s", "2h 03m", "250 ns", "0 s", "-500 ms"]);
        assert_eq!((text(4.1, "ms"), text(1_500.0, "ms")), ("4.1 ms".to_owned(), "1.5 s".to_owned()));
        assert_eq!((text(52_428_800.0, "B"), text(1.5e3, "B/s")), ("52.4 MB".to_owned(), "1.5 kB/s".to_owned()));
        assert_eq!(bytes(52_428_800), "52.4 MB");
        assert_eq!((text(12.5, "%"), text(0.125, "ratio")), ("12.5%".to_owned(), "12.5%".to_owned()));
        assert_eq!((text(132.0, "req/s"), measured(132.0, None)), ("132 req/s".to_owned(), "132".to_owned()));
        assert_eq!(text(f64::NAN, "s"), "–");
    }

    #[test]
    fn at_an_axis_there_is_no_room_for_blanks() {
        assert_eq!(at_axis(0.25, Some("s")).as_deref(), Some("250ms"));
        assert_eq!(at_axis(2e6, Some("B/s")).as_deref(), Some("2MB"));
        assert_eq!(at_axis(2.0, Some("req/s")), None);
    }
}
