//! The two tests of a paired comparison: the bootstrap of a difference, and McNemar's exact test.
//!
//! Both are the same on every machine: what is drawn follows from a fixed seed and the number of rows.

use crate::model::number::{float, percentile};
use crate::model::random::Random;

/// Resamples, where the rows are few enough.
const RESAMPLES: usize = 2_000;
/// Fewer than these give no interval.
const FEWEST_RESAMPLES: usize = 200;
/// Rows that are drawn at the most, over all resamples: with very many rows the interval is narrow however few resamples it
/// is made from.
const MOST_DRAWN: usize = 20_000_000;
/// What lies outside of the interval, on each side.
const TAIL: f64 = 0.025;
const SEED: u64 = 0x7261_696e_7961_7264;

/// The 95 % interval of `difference`, which is given the indices of drawn rows, by the percentiles of its resamples. `None`
/// if it has a value for too few of them.
pub(super) fn interval(rows: usize, difference: impl Fn(&[usize]) -> Option<f64>) -> Option<(f64, f64)> {
    let wanted = (MOST_DRAWN / rows.max(1)).clamp(FEWEST_RESAMPLES, RESAMPLES);
    let mut random = Random::new(SEED, rows as u64);
    let mut drawn = vec![0; rows];
    let mut values: Vec<f64> = Vec::with_capacity(wanted);
    for _ in 0..wanted {
        for place in &mut drawn {
            *place = random.below(rows);
        }
        values.extend(difference(&drawn).filter(|value| value.is_finite()));
    }
    if values.len() < FEWEST_RESAMPLES {
        return None;
    }
    values.sort_by(f64::total_cmp);
    Some((percentile(&values, TAIL)?, percentile(&values, 1.0 - TAIL)?))
}

/// The probability that rows on which two equally good classifiers disagree fall at least as unevenly as `one` to `other`:
/// two-sided, by the binomial distribution (McNemar's test, *Psychometrika* 12, 1947).
pub(super) fn mcnemar(one: u64, other: u64) -> f64 {
    let (all, fewer) = (one + other, one.min(other));
    if all == 0 {
        return 1.0;
    }
    let number = |count: u64| float(usize::try_from(count).unwrap_or(usize::MAX));
    // The logarithm of C(all, k) / 2^all, from one k to the next, so that nothing overflows.
    let mut term = -number(all) * std::f64::consts::LN_2;
    let mut sum = term.exp();
    for index in 0..fewer {
        term += (number(all - index) / number(index + 1)).ln();
        sum += term.exp();
    }
    (2.0 * sum).min(1.0)
}

#[cfg(test)]
mod tests {
    use super::{float, interval, mcnemar};

    #[test]
    fn the_interval_of_a_mean_is_about_two_standard_errors_wide() {
        // 400 zeros and ones: the standard error of their mean is 0.025.
        let values: Vec<f64> = (0..400).map(|row| float(row % 2)).collect();
        let mean = |drawn: &[usize]| Some(drawn.iter().map(|row| values[*row]).sum::<f64>() / 400.0);
        let (low, high) = interval(400, mean).unwrap();
        assert!((low - 0.451).abs() < 0.006 && (high - 0.549).abs() < 0.006, "{low} {high}");
        assert_eq!(interval(400, mean), Some((low, high)), "the same every time");
    }

    #[test]
    fn what_has_no_value_has_no_interval() {
        assert_eq!(interval(50, |_| None), None);
        assert_eq!(interval(0, |_| Some(f64::NAN)), None);
    }

    #[test]
    fn the_exact_test_agrees_with_values_worked_out_by_hand() {
        assert!((mcnemar(0, 0) - 1.0).abs() < 1e-12);
        // 2 · (1 + 5) / 2^5
        assert!((mcnemar(1, 4) - 0.375).abs() < 1e-12);
        // 2 / 2^10
        assert!((mcnemar(10, 0) - 2.0 / 1_024.0).abs() < 1e-12);
        assert!((mcnemar(4, 4) - 1.0).abs() < 1e-12);
        assert!(mcnemar(100_000, 100_000).is_finite());
    }
}
