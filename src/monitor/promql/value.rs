//! What a query gives, and the arithmetic that all parts of the evaluator share.

use serde::Serialize;

use crate::monitor::Labels;
use crate::pipeline::Moment;

/// What an expression gives at one moment.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A number.
    Scalar(f64),
    /// Series with a number each.
    Vector(Vec<InstantSample>),
    /// Series with the samples of a window of time, sorted by labels.
    Matrix(Vec<RangeSeries>),
    /// A text.
    Text(String),
}

/// One series with its value at one moment.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct InstantSample {
    /// The labels of the series, with its name if the expression keeps it.
    pub labels: Labels,
    /// The value, which may be NaN or infinite.
    pub value: f64,
}

/// One series over a range of time.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RangeSeries {
    /// The labels of the series, with its name if the expression keeps it.
    pub labels: Labels,
    /// Moments and values, in order, only where there is a value.
    pub points: Vec<(Moment, f64)>,
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

/// A sum that carries along the rounding error of each addition (Neumaier 1974), as Prometheus does.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Sum {
    sum: f64,
    lost: f64,
}

impl Sum {
    /// A sum that begins with a value.
    pub(super) fn of(value: f64) -> Self {
        Self { sum: value, lost: 0.0 }
    }

    pub(super) fn add(&mut self, value: f64) {
        let next = self.sum + value;
        if next.is_infinite() {
            self.lost = 0.0;
        } else if self.sum.abs() >= value.abs() {
            self.lost += (self.sum - next) + value;
        } else {
            self.lost += (value - next) + self.sum;
        }
        self.sum = next;
    }

    /// The sum; an infinite one is not touched by what was lost before.
    pub(super) fn total(self) -> f64 {
        if self.sum.is_infinite() { self.sum } else { self.kept() }
    }

    /// The sum with what was lost.
    pub(super) fn kept(self) -> f64 {
        self.sum + self.lost
    }

    fn scaled(self, factor: f64) -> Self {
        Self { sum: self.sum * factor, lost: self.lost * factor }
    }
}

/// The arithmetic mean. The sum is divided at the end, or at each value once the sum has left the range of numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mean {
    sum: Sum,
    count: f64,
    is_incremental: bool,
}

impl Mean {
    /// The mean of one value.
    pub(super) fn of(value: f64) -> Self {
        Self { sum: Sum::of(value), count: 1.0, is_incremental: false }
    }

    pub(super) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if !self.is_incremental {
            let mut next = self.sum;
            next.add(value);
            if !next.sum.is_infinite() {
                self.sum = next;
                return;
            }
            self.is_incremental = true;
            let before = self.count - 1.0;
            self.sum = Sum { sum: self.sum.sum / before, lost: self.sum.lost / before };
        }
        self.sum = self.sum.scaled((self.count - 1.0) / self.count);
        self.sum.add(value / self.count);
    }

    pub(super) fn value(self) -> f64 {
        let Sum { sum, lost } = self.sum;
        if self.is_incremental { sum + lost } else { sum / self.count + lost / self.count }
    }
}

/// The lesser number, NaN only if both are.
pub(super) fn lesser(left: f64, right: f64) -> f64 {
    left.min(right)
}

/// The greater number, NaN only if both are.
pub(super) fn greater(left: f64, right: f64) -> f64 {
    left.max(right)
}

/// The `share`-quantile with linear interpolation between neighbours.
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

/// Whether two numbers differ by less than `tolerance` of their size; NaN equals NaN here.
#[expect(clippy::float_cmp, reason = "equal numbers are equal whatever the tolerance")]
pub(in crate::monitor) fn almost_equal(left: f64, right: f64, tolerance: f64) -> bool {
    if left == right || (left.is_nan() && right.is_nan()) {
        return true;
    }
    let difference = (left - right).abs();
    let size = left.abs() + right.abs();
    if left == 0.0 || right == 0.0 || size < f64::MIN_POSITIVE {
        return difference < tolerance * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < tolerance
}

#[cfg(test)]
mod tests {
    use super::*;

    fn total(values: &[f64]) -> f64 {
        let mut sum = Sum::default();
        for value in values {
            sum.add(*value);
        }
        sum.total()
    }

    fn mean(values: &[f64]) -> f64 {
        let (first, others) = values.split_first().unwrap();
        let mut mean = Mean::of(*first);
        for value in others {
            mean.add(*value);
        }
        mean.value()
    }

    #[test]
    fn a_sum_keeps_what_plain_addition_would_lose() {
        assert!((total(&[1.0, 1e100, 1.0, -1e100]) - 2.0).abs() < f64::EPSILON);
        assert!(total(&[f64::INFINITY, 1.0]).is_infinite());
        assert!(total(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn the_mean_of_huge_numbers_stays_finite() {
        assert!(almost_equal(mean(&[f64::MAX, f64::MAX, f64::MAX]), f64::MAX, 1e-12));
        assert!(almost_equal(mean(&[1.0, 2.0, 6.0]), 3.0, 1e-12));
        assert!(mean(&[f64::INFINITY, 0.0, f64::INFINITY]).is_infinite());
        assert!(mean(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }

    #[test]
    fn extremes_pass_over_nan() {
        assert!((lesser(f64::NAN, 2.0) - 2.0).abs() < f64::EPSILON);
        assert!((greater(1.0, f64::NAN) - 1.0).abs() < f64::EPSILON);
        assert!(greater(f64::NAN, f64::NAN).is_nan());
    }

    #[test]
    fn a_quantile_lies_between_its_neighbours() {
        assert!((quantile(0.5, vec![4.0, 1.0, 2.0, 3.0]) - 2.5).abs() < 1e-12);
        assert!((quantile(1.0, vec![1.0, 3.0]) - 3.0).abs() < 1e-12);
        assert!(quantile(1.1, vec![1.0]).is_infinite());
        assert!(quantile(f64::NAN, vec![1.0]).is_nan());
    }

    #[test]
    fn numbers_are_almost_equal_within_a_share_of_their_size() {
        assert!(almost_equal(1e9, 1e9 + 1.0, 1e-6));
        assert!(!almost_equal(1.0, 1.1, 1e-6));
        assert!(almost_equal(f64::NAN, f64::NAN, 0.0) && almost_equal(f64::INFINITY, f64::INFINITY, 0.0));
        assert!(!almost_equal(0.0, 1e-12, 1e-6));
    }
}
