//! The spread of a column of numbers.

use serde::{Deserialize, Serialize};

use crate::model::data::column::Distinct;
use crate::model::number::float;

/// The shares whose quantiles are told.
pub const QUANTILES: [f64; 7] = [0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99];
/// Bins of the histogram.
const BINS: u32 = 20;

/// How numbers are spread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct NumberProfile {
    /// The smallest.
    pub minimum: f64,
    /// The greatest.
    pub maximum: f64,
    /// The mean.
    pub mean: f64,
    /// The standard deviation (of the population).
    pub deviation: f64,
    /// The quantiles of [`QUANTILES`], linear between neighbours as in `NumPy`.
    pub quantiles: Vec<f64>,
    /// Rows by 20 equally wide bins from the smallest to the greatest; one bin when those are equal.
    pub histogram: Vec<u64>,
}

impl NumberProfile {
    /// Of the numbers that are there, and how many different ones there are; no spread when there is none. NaN stands for
    /// one that is missing.
    pub(super) fn of(numbers: &[f64]) -> (Option<Self>, Distinct) {
        let mut sorted: Vec<f64> = numbers.iter().copied().filter(|number| !number.is_nan()).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let profile = Self::of_sorted(&sorted);
        let cells = sorted.len();
        sorted.dedup_by(|one, other| one.total_cmp(other).is_eq());
        (profile, Distinct { count: sorted.len() as u64, exact: true, repeated: sorted.len() < cells })
    }

    fn of_sorted(sorted: &[f64]) -> Option<Self> {
        let (minimum, maximum) = (*sorted.first()?, *sorted.last()?);
        let (mean, deviation) = moments(sorted);
        Some(Self {
            minimum,
            maximum,
            mean,
            deviation,
            quantiles: QUANTILES.iter().map(|share| quantile(sorted, *share)).collect(),
            histogram: histogram(sorted, minimum, maximum),
        })
    }
}

/// Mean and standard deviation, by the recurrence of Welford, which neither overflows nor cancels where sums would.
fn moments(numbers: &[f64]) -> (f64, f64) {
    let (mut mean, mut squares) = (0.0_f64, 0.0_f64);
    for (index, number) in numbers.iter().enumerate() {
        let delta = number - mean;
        mean += delta / float(index + 1);
        squares += delta * (number - mean);
    }
    let deviation = (squares / float(numbers.len().max(1))).sqrt();
    (bounded(mean), bounded(deviation))
}

/// Numbers near the greatest that there are can make infinities, which JSON cannot hold.
fn bounded(value: f64) -> f64 {
    if value.is_nan() { 0.0 } else { value.clamp(f64::MIN, f64::MAX) }
}

fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * float(sorted.len().saturating_sub(1));
    // The neighbours are found without turning a float into an index: those whose ranks lie around the place.
    let below = partition(sorted.len(), place);
    let at = |index: usize| sorted.get(index.min(sorted.len().saturating_sub(1))).copied().unwrap_or(0.0);
    let (lower, upper) = (at(below), at(below + 1));
    let part = place - float(below);
    bounded(lower * (1.0 - part) + upper * part)
}

/// The greatest rank that is not above `place`.
fn partition(length: usize, place: f64) -> usize {
    let (mut low, mut high) = (0, length);
    while high - low > 1 {
        let middle = low.midpoint(high);
        if float(middle) <= place {
            low = middle;
        } else {
            high = middle;
        }
    }
    low
}

fn histogram(sorted: &[f64], minimum: f64, maximum: f64) -> Vec<u64> {
    if minimum.total_cmp(&maximum).is_eq() {
        return vec![sorted.len() as u64];
    }
    let width = maximum / f64::from(BINS) - minimum / f64::from(BINS);
    let mut counts = Vec::new();
    let mut before = 0;
    for bin in 1..=BINS {
        let end = if bin == BINS {
            sorted.len()
        } else {
            let edge = minimum + width * f64::from(bin);
            sorted.partition_point(|number| *number < edge).max(before)
        };
        counts.push((end - before) as u64);
        before = end;
    }
    counts
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::NumberProfile;

    #[test]
    fn the_spread_of_small_numbers_is_what_it_is_by_hand() {
        // 1 … 5: mean 3, deviation √2; numpy.quantile([1,2,3,4,5], 0.05) is 1.2.
        let (profile, distinct) = NumberProfile::of(&[5.0, 1.0, f64::NAN, 4.0, 2.0, 3.0]);
        let profile = profile.unwrap();
        assert_eq!((distinct.count, distinct.repeated), (5, false));
        assert!((profile.mean - 3.0).abs() < 1e-12 && (profile.deviation - 2.0_f64.sqrt()).abs() < 1e-12);
        let expected = [1.04, 1.2, 2.0, 3.0, 4.0, 4.8, 4.96];
        assert!(profile.quantiles.iter().zip(expected).all(|(one, other)| (one - other).abs() < 1e-12), "{profile:?}");
        assert_eq!(profile.histogram.iter().sum::<u64>(), 5);
        assert_eq!((profile.histogram[0], profile.histogram[5], profile.histogram[19]), (1, 1, 1));
    }

    #[test]
    fn nothing_has_no_spread_and_one_value_one_bin() {
        assert_eq!(NumberProfile::of(&[f64::NAN]).0, None);
        let (profile, distinct) = NumberProfile::of(&[7.0, 7.0]);
        assert_eq!((profile.unwrap().histogram, distinct.count, distinct.repeated), (vec![2], 1, true));
    }

    proptest! {
        #[test]
        fn any_finite_numbers_give_finite_figures(numbers in prop::collection::vec(prop::num::f64::NORMAL, 1..50)) {
            let profile = NumberProfile::of(&numbers).0.unwrap();
            prop_assert_eq!(profile.histogram.iter().sum::<u64>(), numbers.len() as u64);
            let figures = [profile.mean, profile.deviation, profile.minimum, profile.maximum];
            prop_assert!(figures.iter().chain(&profile.quantiles).all(|figure| figure.is_finite()));
        }
    }
}
