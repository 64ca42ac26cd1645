//! Numbers, spelled as Prometheus accepts them.
//!
//! That is what Go reads as a float, without hexadecimal digits and underscores: `1`, `.5`, `5.`, `1e+05`, and in any
//! case of letters `NaN`, `Inf` and `Infinity`. Rust reads the same spellings but for two: it takes a sign before
//! `NaN`, and makes infinity of what is too large, where Go refuses both.

/// The one NaN that samples have, as in Prometheus: no arithmetic on it gives the one that marks the end of a series.
const NOT_A_NUMBER: u64 = 0x7ff8_0000_0000_0001;

/// Reads a float; the error says what is wrong with it.
pub(super) fn float(text: &str) -> Result<f64, &'static str> {
    let number: f64 = text.parse().map_err(|_| "is not a number")?;
    if number.is_finite() {
        return Ok(number);
    }
    let unsigned = text.strip_prefix(['+', '-']);
    if number.is_nan() {
        return if unsigned.is_none() { Ok(f64::from_bits(NOT_A_NUMBER)) } else { Err("is not a number") };
    }
    let is_spelled_out = unsigned.unwrap_or(text).starts_with(['i', 'I']);
    if is_spelled_out { Ok(number) } else { Err("is too large for a number of 64 bits") }
}

/// Reads seconds since the epoch.
pub(super) fn seconds(text: &str) -> Result<f64, &'static str> {
    let seconds = float(text)?;
    if seconds.is_finite() { Ok(seconds) } else { Err("is not a moment") }
}

/// Seconds as milliseconds, cut and not rounded, as in Prometheus.
#[expect(clippy::cast_possible_truncation, reason = "what is beyond the range becomes its end")]
pub(super) fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

/// The bound of a bucket or a quantile in the one spelling under which Prometheus 3 keeps it: `1` is `1.0`, `100000` is
/// `100000.0` and `1000000` is `1e+06`. What is no number stays as it is.
pub(super) fn normalized(text: &str) -> Option<String> {
    let number = float(text).ok()?;
    if number.is_nan() {
        return Some("NaN".to_owned());
    }
    if number.is_infinite() {
        return Some(if number > 0.0 { "+Inf" } else { "-Inf" }.to_owned());
    }
    if number == 0.0 {
        return Some("0.0".to_owned());
    }
    let scientific = format!("{number:e}");
    let (digits, exponent) = scientific.split_once('e')?;
    let exponent: i32 = exponent.parse().ok()?;
    if (-4..6).contains(&exponent) {
        let plain = number.to_string();
        return Some(if plain.contains('.') { plain } else { format!("{plain}.0") });
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    Some(format!("{digits}e{sign}{:02}", exponent.unsigned_abs()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_go_reads_is_read() {
        let spellings =
            [("1", 1.0), ("+1", 1.0), ("-.5", -0.5), ("5.", 5.0), ("1e+05", 1e5), ("1E5", 1e5), ("1e-400", 0.0)];
        for (text, number) in spellings {
            assert_eq!(float(text), Ok(number), "{text}");
        }
        for text in ["Inf", "+Inf", "inf", "INFINITY", "+infinity"] {
            assert_eq!(float(text), Ok(f64::INFINITY), "{text}");
        }
        assert_eq!(float("-Inf"), Ok(f64::NEG_INFINITY));
        for text in ["NaN", "nan", "NAN"] {
            assert_eq!(float(text).map(f64::to_bits), Ok(NOT_A_NUMBER), "{text}");
        }
    }

    #[test]
    fn what_go_refuses_is_refused() {
        let spellings = ["", ".", "e5", "1e", "1_000", "0x1p-2", "0x1", "1 ", "1\r", "one", "+NaN", "-nan", "++1"];
        for text in spellings {
            assert_eq!(float(text), Err("is not a number"), "{text}");
        }
        assert_eq!(float("1e400"), Err("is too large for a number of 64 bits"));
        assert_eq!(float("-1e400"), Err("is too large for a number of 64 bits"));
    }

    #[test]
    fn bounds_have_one_spelling() {
        let spellings = [
            ("1", "1.0"),
            ("0", "0.0"),
            ("-1", "-1.0"),
            ("0.5", "0.5"),
            (".25", "0.25"),
            ("1.50", "1.5"),
            ("100000", "100000.0"),
            ("1000000", "1e+06"),
            ("1234567", "1.234567e+06"),
            ("0.0001", "0.0001"),
            ("0.00001", "1e-05"),
            ("6.399999999999999e-08", "6.399999999999999e-08"),
            ("1e23", "1e+23"),
            ("inf", "+Inf"),
            ("-Inf", "-Inf"),
            ("nan", "NaN"),
        ];
        for (text, wanted) in spellings {
            assert_eq!(normalized(text).as_deref(), Some(wanted), "{text}");
        }
        assert_eq!(normalized("big"), None);
    }

    #[test]
    fn seconds_are_cut_to_milliseconds() {
        assert_eq!(seconds("1520879607.789").map(milliseconds), Ok(1_520_879_607_789));
        assert_eq!(seconds("-1.0009").map(milliseconds), Ok(-1_000));
        assert_eq!(seconds("1e300").map(milliseconds), Ok(i64::MAX));
        assert_eq!(seconds("NaN"), Err("is not a moment"));
        assert_eq!(seconds("-Inf"), Err("is not a moment"));
    }
}
