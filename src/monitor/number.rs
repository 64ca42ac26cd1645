//! Numbers as Prometheus writes them, which JSON has no way to.

/// A value as text: `NaN`, `+Inf` and `-Inf` as Prometheus spells them, others without an exponent.
pub fn value_text(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

/// A value that Prometheus wrote.
pub(super) fn read_value(text: &str) -> Option<f64> {
    match text {
        "NaN" => Some(f64::NAN),
        "+Inf" | "Inf" => Some(f64::INFINITY),
        "-Inf" => Some(f64::NEG_INFINITY),
        number => number.parse().ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_spelled_as_prometheus_does() {
        let texts = [(1.0, "1"), (0.1, "0.1"), (-2.5, "-2.5"), (1e5, "100000"), (f64::INFINITY, "+Inf")];
        for (value, text) in texts {
            assert_eq!(value_text(value), text);
            assert_eq!(read_value(text).map(f64::to_bits), Some(value.to_bits()));
        }
        assert_eq!((value_text(f64::NAN), value_text(f64::NEG_INFINITY)), ("NaN".to_owned(), "-Inf".to_owned()));
        assert!(read_value("NaN").is_some_and(f64::is_nan));
        assert_eq!(read_value("-Inf"), Some(f64::NEG_INFINITY));
        assert_eq!(read_value("one"), None);
        assert_eq!(read_value("1e+06"), Some(1e6));
    }
}
