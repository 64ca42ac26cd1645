//! Numbers, and the few things the whole evaluator does with them.

use serde::Serialize;

use crate::monitor::Labels;

/// One series with its value at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstantSample {
    /// The labels of the series, with its name if the expression keeps it.
    pub labels: Labels,
    /// The value, which may be NaN or infinite.
    pub value: f64,
}

/// Milliseconds as seconds.
#[expect(clippy::cast_precision_loss, reason = "exact up to 285 thousand years")]
pub(super) fn seconds(milliseconds: i64) -> f64 {
    milliseconds as f64 / 1000.0
}

/// A number of things as a number to calculate with.
#[expect(clippy::cast_precision_loss, reason = "nothing is counted up to 2^53 here")]
pub(super) fn as_float(count: usize) -> f64 {
    count as f64
}

/// The whole part of a number; zero if it is negative or NaN.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "saturation is what is wanted")]
pub(super) fn whole(value: f64) -> usize {
    value as usize
}

/// The sum, with the rounding error of each addition carried along (Neumaier 1974), as Prometheus does.
pub(super) fn total(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut sum = 0.0_f64;
    let mut lost = 0.0_f64;
    for value in values {
        let next = sum + value;
        if next.is_infinite() {
            lost = 0.0;
        } else if sum.abs() >= value.abs() {
            lost += (sum - next) + value;
        } else {
            lost += (value - next) + sum;
        }
        sum = next;
    }
    if sum.is_infinite() { sum } else { sum + lost }
}

/// The arithmetic mean; NaN of nothing.
pub(super) fn mean(values: &[f64]) -> f64 {
    let count = as_float(values.len());
    let sum = total(values.iter().copied());
    if sum.is_infinite() && values.iter().all(|value| value.is_finite()) {
        // The sum leaves the range of numbers, the mean does not.
        return total(values.iter().map(|value| value / count));
    }
    sum / count
}

/// The least number, NaN only if there is no other.
pub(super) fn least(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::NAN, f64::min)
}

/// The greatest number, NaN only if there is no other.
pub(super) fn greatest(values: impl IntoIterator<Item = f64>) -> f64 {
    values.into_iter().fold(f64::NAN, f64::max)
}

/// The `share`-quantile with linear interpolation between neighbours (`promql/functions.go`, quantile).
pub(super) fn quantile(share: f64, mut values: Vec<f64>) -> f64 {
    if values.is_empty() || share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    // NaN is the least of all there.
    values.sort_by(|left, right| (!left.is_nan()).cmp(&!right.is_nan()).then(left.total_cmp(right)));
    let rank = share * as_float(values.len() - 1);
    let lower = whole(rank);
    let weight = rank - rank.floor();
    let at = |index: usize| values.get(index).or(values.last()).copied().unwrap_or(f64::NAN);
    at(lower) * (1.0 - weight) + at(lower + 1) * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_what_plain_addition_would_lose() {
        assert!((total([1.0, 1e100, 1.0, -1e100]) - 2.0).abs() < f64::EPSILON);
        assert!(total([f64::INFINITY, 1.0]).is_infinite());
    }

    #[test]
    fn the_mean_of_huge_numbers_stays_finite() {
        assert!(mean(&[f64::MAX, f64::MAX]).is_finite());
        assert!(mean(&[]).is_nan());
    }

    #[test]
    fn extremes_pass_over_nan() {
        assert!((least([f64::NAN, 2.0, 1.0]) - 1.0).abs() < f64::EPSILON);
        assert!((greatest([1.0, f64::NAN]) - 1.0).abs() < f64::EPSILON);
        assert!(greatest([f64::NAN]).is_nan());
    }

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        assert!((quantile(0.5, vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-12);
        assert!((quantile(1.0, vec![1.0, 3.0]) - 3.0).abs() < 1e-12);
        assert!(quantile(1.1, vec![1.0]).is_infinite());
        assert!(quantile(f64::NAN, vec![1.0]).is_nan());
    }
}
