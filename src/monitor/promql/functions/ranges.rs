//! Functions of the samples in a window of time.
//!
//! They follow Prometheus 3 (`promql/functions.go`), down to the order in which it adds numbers up.

use super::super::plan::RangeFunction;
use super::super::value::{Mean, Sum, as_float, greater, lesser, quantile, seconds};

/// The samples after one moment up to and including another; there is at least one.
pub(in super::super) struct Window<'a> {
    pub(in super::super) samples: &'a [(i64, f64)],
    pub(in super::super) after: i64,
    pub(in super::super) until: i64,
    /// The moment of evaluation, which an offset does not move.
    pub(in super::super) at: i64,
}

impl Window<'_> {
    fn values(&self) -> impl Iterator<Item = f64> {
        self.samples.iter().map(|(_, value)| *value)
    }

    /// Each value with the one before it.
    fn pairs(&self) -> impl Iterator<Item = (f64, f64)> {
        self.values().zip(self.values().skip(1))
    }

    fn count_pairs(&self, counts: impl Fn(f64, f64) -> bool) -> f64 {
        as_float(self.pairs().filter(|(before, after)| counts(*before, *after)).count())
    }
}

/// The value of `function` over a window; none if there are too few samples.
pub(in super::super) fn over_range(function: RangeFunction, window: &Window<'_>, parameter: f64) -> Option<f64> {
    let (_, first) = *window.samples.first()?;
    let (_, last) = *window.samples.last()?;
    match function {
        RangeFunction::Rate => extrapolated(window, true, seconds(window.until - window.after)),
        RangeFunction::Increase => extrapolated(window, true, 1.0),
        RangeFunction::Delta => extrapolated(window, false, 1.0),
        RangeFunction::InstantRate => instant_rate(window.samples),
        RangeFunction::InstantDelta => instant_delta(window.samples),
        RangeFunction::Derivative => {
            // The origin is near the samples, or their differences would be lost.
            let (first_at, _) = *window.samples.first()?;
            regression(window.samples, first_at).map(|(slope, _)| slope)
        }
        RangeFunction::PredictLinear => {
            regression(window.samples, window.at).map(|(slope, intercept)| slope * parameter + intercept)
        }
        RangeFunction::Changes => Some(window.count_pairs(is_change)),
        RangeFunction::Resets => Some(window.count_pairs(|before, after| after < before)),
        RangeFunction::Average => {
            let mut mean = Mean::of(first);
            window.values().skip(1).for_each(|value| mean.add(value));
            Some(mean.value())
        }
        RangeFunction::Least => window.values().reduce(lesser),
        RangeFunction::Greatest => window.values().reduce(greater),
        RangeFunction::Sum => {
            let mut sum = Sum::default();
            window.values().for_each(|value| sum.add(value));
            Some(sum.total())
        }
        RangeFunction::Count => Some(as_float(window.samples.len())),
        RangeFunction::First => Some(first),
        RangeFunction::Last => Some(last),
        RangeFunction::Present => Some(1.0),
        RangeFunction::Quantile => Some(quantile(parameter, window.values().collect())),
        RangeFunction::Variance => Some(variance(window)),
        RangeFunction::StandardDeviation => Some(variance(window).sqrt()),
    }
}

/// The change over the window, extrapolated to its edges where the samples come close enough to them, divided by `per`.
fn extrapolated(window: &Window<'_>, is_counter: bool, per: f64) -> Option<f64> {
    let [(first_at, first), .., (last_at, last)] = window.samples else { return None };
    let mut change = last - first;
    if is_counter {
        // After a reset the counter began at zero again: what it had reached before is added.
        for (before, after) in window.pairs() {
            if after < before {
                change += before;
            }
        }
    }
    let sampled = seconds(last_at - first_at);
    let average_step = sampled / as_float(window.samples.len() - 1);
    let threshold = average_step * 1.1;
    let mut to_start = seconds(first_at - window.after);
    if to_start >= threshold {
        to_start = average_step / 2.0;
    }
    if is_counter && change > 0.0 && *first >= 0.0 {
        // A counter is not extrapolated to before the moment at which it was zero.
        to_start = to_start.min(sampled * (first / change));
    }
    let mut to_end = seconds(window.until - last_at);
    if to_end >= threshold {
        to_end = average_step / 2.0;
    }
    Some(change * ((sampled + to_start + to_end) / sampled / per))
}

/// The rate between the last two samples of a counter.
fn instant_rate(samples: &[(i64, f64)]) -> Option<f64> {
    let [.., (before_at, before), (last_at, last)] = samples else { return None };
    let change = if last < before { *last } else { last - before };
    Some(change / seconds(last_at - before_at))
}

/// The difference between the last two samples.
fn instant_delta(samples: &[(i64, f64)]) -> Option<f64> {
    let [.., (_, before), (_, last)] = samples else { return None };
    Some(last - before)
}

#[expect(clippy::float_cmp, reason = "any other value is a change")]
fn is_change(before: f64, after: f64) -> bool {
    before != after && !(before.is_nan() && after.is_nan())
}

/// The variance, by Welford's way of adding up.
fn variance(window: &Window<'_>) -> f64 {
    let (mut mean, mut squares) = (Sum::default(), Sum::default());
    let mut count = 0.0;
    for value in window.values() {
        count += 1.0;
        let distance = value - mean.kept();
        mean.add(distance / count);
        squares.add(distance * (value - mean.kept()));
    }
    squares.kept() / count
}

/// Slope and value at the moment `origin` of the straight line nearest to the samples; none for fewer than two.
#[expect(clippy::float_cmp, reason = "only values that are all equal make the line level")]
fn regression(samples: &[(i64, f64)], origin: i64) -> Option<(f64, f64)> {
    let [(_, first), _, ..] = samples else { return None };
    if samples.iter().all(|(_, value)| value == first) {
        return Some(if first.is_infinite() { (f64::NAN, f64::NAN) } else { (0.0, *first) });
    }
    let count = as_float(samples.len());
    let (mut x, mut y, mut xy, mut xx) = (Sum::default(), Sum::default(), Sum::default(), Sum::default());
    for (at, value) in samples {
        let time = seconds(at - origin);
        x.add(time);
        y.add(*value);
        xy.add(time * value);
        xx.add(time * time);
    }
    let (x, y, xy, xx) = (x.kept(), y.kept(), xy.kept(), xx.kept());
    let slope = (xy - x * y / count) / (xx - x * x / count);
    Some((slope, y / count - slope * x / count))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    /// `function` over a window that begins at 0 and ends at `end`, with a sample every minute.
    fn over(function: RangeFunction, values: &[f64], end: i64, parameter: f64) -> Option<f64> {
        let samples: Vec<(i64, f64)> =
            values.iter().zip(1..).map(|(value, minute)| (minute * MINUTE, *value)).collect();
        over_range(function, &Window { samples: &samples, after: 0, until: end, at: end }, parameter)
    }

    fn close(actual: Option<f64>, expected: f64) -> bool {
        actual.is_some_and(|actual| (actual - expected).abs() < 1e-9)
    }

    #[test]
    fn one_sample_makes_no_rate() {
        for function in [RangeFunction::Rate, RangeFunction::InstantRate, RangeFunction::Derivative] {
            assert_eq!(over(function, &[1.0], MINUTE, 0.0), None);
        }
        assert_eq!(over(RangeFunction::Count, &[], MINUTE, 0.0), None);
    }

    #[test]
    fn a_reset_counts_what_was_reached_before_it() {
        let values = [10.0, 20.0, 5.0, 15.0];
        // 25 in 180 s of samples, extrapolated by one step to the start of the window.
        assert!(close(over(RangeFunction::Increase, &values, 4 * MINUTE, 0.0), 25.0 * 240.0 / 180.0));
        assert!(close(over(RangeFunction::Rate, &values, 4 * MINUTE, 0.0), 25.0 / 180.0));
        assert!(close(over(RangeFunction::Resets, &values, 4 * MINUTE, 0.0), 1.0));
    }

    #[test]
    fn a_counter_is_not_extrapolated_to_before_its_zero() {
        assert!(close(over(RangeFunction::Increase, &[0.0, 60.0], 2 * MINUTE, 0.0), 60.0));
    }

    #[test]
    fn a_gauge_may_fall() {
        assert!(close(over(RangeFunction::Delta, &[10.0, 4.0], 2 * MINUTE, 0.0), -12.0));
        assert!(close(over(RangeFunction::InstantDelta, &[1.0, 10.0, 4.0], 3 * MINUTE, 0.0), -6.0));
    }

    #[test]
    fn the_instant_rate_sees_only_the_last_two_samples() {
        assert!(close(over(RangeFunction::InstantRate, &[0.0, 1.0, 61.0], 3 * MINUTE, 0.0), 1.0));
        assert!(close(over(RangeFunction::InstantRate, &[90.0, 30.0], 2 * MINUTE, 0.0), 0.5));
    }

    #[test]
    fn a_straight_line_is_continued() {
        let values = [60.0, 120.0, 180.0];
        assert!(close(over(RangeFunction::Derivative, &values, 3 * MINUTE, 0.0), 1.0));
        assert!(close(over(RangeFunction::PredictLinear, &values, 4 * MINUTE, 60.0), 300.0));
        assert!(close(over(RangeFunction::Derivative, &[7.0, 7.0], 2 * MINUTE, 0.0), 0.0));
        assert!(over(RangeFunction::Derivative, &[f64::INFINITY; 2], 2 * MINUTE, 0.0).unwrap().is_nan());
    }

    #[test]
    fn a_change_from_nan_to_nan_is_none() {
        assert!(close(over(RangeFunction::Changes, &[f64::NAN, f64::NAN, 0.0, 0.0, 1.0], 5 * MINUTE, 0.0), 2.0));
    }

    #[test]
    fn spread_is_told() {
        let values = [0.0, 8.0, 8.0, 2.0, 3.0];
        assert!(close(over(RangeFunction::Variance, &values, 5 * MINUTE, 0.0), 10.56));
        assert!(close(over(RangeFunction::Quantile, &values, 5 * MINUTE, 0.5), 3.0));
    }
}
