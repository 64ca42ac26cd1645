//! Functions of the samples in a window of time, and functions of single values.
//!
//! Rates follow Prometheus 3 (`promql/functions.go`, `extrapolatedRate` and `instantValue`).

use super::plan::{ElementFunction, RangeFunction};
use super::value::{as_float, greatest, least, mean, seconds, total};

/// The value of `function` over the samples in the window `(start, end]`, given in milliseconds; none if there are too
/// few.
pub(super) fn over_range(function: RangeFunction, samples: &[(i64, f64)], start: i64, end: i64) -> Option<f64> {
    let (_, last) = samples.last()?;
    let values = || samples.iter().map(|(_, value)| *value);
    match function {
        RangeFunction::Rate => extrapolated(samples, start, end, true, seconds(end - start)),
        RangeFunction::Increase => extrapolated(samples, start, end, true, 1.0),
        RangeFunction::Delta => extrapolated(samples, start, end, false, 1.0),
        RangeFunction::InstantRate => instant_rate(samples),
        RangeFunction::Average => Some(mean(&values().collect::<Vec<_>>())),
        RangeFunction::Least => Some(least(values())),
        RangeFunction::Greatest => Some(greatest(values())),
        RangeFunction::Sum => Some(total(values())),
        RangeFunction::Count => Some(as_float(samples.len())),
        RangeFunction::Last => Some(*last),
    }
}

/// The change over the window, extrapolated to its edges where the samples come close enough to them, divided by `per`.
fn extrapolated(samples: &[(i64, f64)], start: i64, end: i64, is_counter: bool, per: f64) -> Option<f64> {
    let [(first_at, first), .., (last_at, last)] = samples else { return None };
    let mut change = last - first;
    if is_counter {
        // After a reset the counter began at zero again: what it had reached before is added.
        change += samples
            .iter()
            .zip(samples.iter().skip(1))
            .filter(|((_, before), (_, after))| after < before)
            .map(|((_, before), _)| before)
            .sum::<f64>();
    }
    let sampled = seconds(last_at - first_at);
    let average_step = sampled / as_float(samples.len() - 1);
    let threshold = average_step * 1.1;
    let mut to_start = seconds(first_at - start);
    if to_start >= threshold {
        to_start = average_step / 2.0;
    }
    if is_counter && change > 0.0 && *first >= 0.0 {
        // A counter is not extrapolated to before the moment at which it was zero.
        to_start = to_start.min(sampled * (first / change));
    }
    let mut to_end = seconds(end - last_at);
    if to_end >= threshold {
        to_end = average_step / 2.0;
    }
    Some(change * ((sampled + to_start + to_end) / sampled / per))
}

/// The rate between the last two samples.
fn instant_rate(samples: &[(i64, f64)]) -> Option<f64> {
    let [.., (before_at, before), (last_at, last)] = samples else { return None };
    let change = if last < before { *last } else { last - before };
    Some(change / seconds(last_at - before_at))
}

/// The value of `function` for one value.
pub(super) fn of_element(function: ElementFunction, value: f64, parameter: f64) -> f64 {
    match function {
        ElementFunction::Absolute => value.abs(),
        ElementFunction::Ceiling => value.ceil(),
        ElementFunction::Floor => value.floor(),
        ElementFunction::Round => {
            // By the inverse, because 0.1 has no exact binary form and 10 has; halves are rounded up.
            let inverse = 1.0 / parameter;
            (value * inverse + 0.5).floor() / inverse
        }
        // Unlike `f64::max`, NaN stays NaN.
        ElementFunction::ClampMin | ElementFunction::ClampMax if value.is_nan() || parameter.is_nan() => f64::NAN,
        ElementFunction::ClampMin => value.max(parameter),
        ElementFunction::ClampMax => value.min(parameter),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn every_minute(values: &[f64]) -> Vec<(i64, f64)> {
        values.iter().zip(1..).map(|(value, minute)| (minute * MINUTE, *value)).collect()
    }

    fn close(actual: Option<f64>, expected: f64) -> bool {
        actual.is_some_and(|actual| (actual - expected).abs() < 1e-9)
    }

    #[test]
    fn one_sample_makes_no_rate() {
        assert_eq!(over_range(RangeFunction::Rate, &every_minute(&[1.0]), 0, MINUTE), None);
        assert_eq!(over_range(RangeFunction::InstantRate, &every_minute(&[1.0]), 0, MINUTE), None);
        assert_eq!(over_range(RangeFunction::Count, &[], 0, MINUTE), None);
    }

    #[test]
    fn a_reset_counts_what_was_reached_before_it() {
        let samples = every_minute(&[10.0, 20.0, 5.0, 15.0]);
        // 25 in 180 s of samples, extrapolated by one step to the start of the window.
        assert!(close(over_range(RangeFunction::Increase, &samples, 0, 4 * MINUTE), 25.0 * 240.0 / 180.0));
        assert!(close(over_range(RangeFunction::Rate, &samples, 0, 4 * MINUTE), 25.0 / 180.0));
    }

    #[test]
    fn a_counter_is_not_extrapolated_to_before_its_zero() {
        let samples = every_minute(&[0.0, 60.0]);
        assert!(close(over_range(RangeFunction::Increase, &samples, 0, 2 * MINUTE), 60.0));
    }

    #[test]
    fn a_gauge_may_fall() {
        let samples = every_minute(&[10.0, 4.0]);
        assert!(close(over_range(RangeFunction::Delta, &samples, 0, 2 * MINUTE), -12.0));
    }

    #[test]
    fn the_instant_rate_sees_only_the_last_two_samples() {
        assert!(close(over_range(RangeFunction::InstantRate, &every_minute(&[0.0, 1.0, 61.0]), 0, 3 * MINUTE), 1.0));
        assert!(close(over_range(RangeFunction::InstantRate, &every_minute(&[90.0, 30.0]), 0, 2 * MINUTE), 0.5));
    }

    #[test]
    fn halves_are_rounded_up_and_nan_is_not_clamped() {
        assert!(close(Some(of_element(ElementFunction::Round, -2.5, 1.0)), -2.0));
        assert!(close(Some(of_element(ElementFunction::Round, 0.26, 0.1)), 0.3));
        assert!(of_element(ElementFunction::ClampMin, f64::NAN, 1.0).is_nan());
        assert!(close(Some(of_element(ElementFunction::ClampMax, 5.0, 1.0)), 1.0));
    }
}
