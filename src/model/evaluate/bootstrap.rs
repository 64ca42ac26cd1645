//! How sure a metric is: 95 % intervals by the bootstrap (Efron and Tibshirani, *An Introduction to the Bootstrap*, 1993,
//! chapter 13). Rows are drawn with replacement, as many as there are, the metric is measured of them, a thousand times;
//! the interval lies between the 2.5th and the 97.5th percentile.
//!
//! Above 20 000 held-out rows fewer resamples are drawn (their number times the rows stays at twenty million, and they
//! never become fewer than a hundred): with so many rows the interval is narrow, and its ends need no third digit.

use std::collections::BTreeMap;
use std::thread;

use super::Metrics;
use super::measured::Measured;
use crate::model::number::percentile;
use crate::model::random::Random;

const RESAMPLES: usize = 1_000;
const FEWEST_RESAMPLES: usize = 100;
const MOST_DRAWS: usize = 20_000_000;
/// Streams of the generator that belong to resamples.
const STREAM: u64 = 0x626f_6f74_0000_0000;
const LOWER: f64 = 0.025;
const UPPER: f64 = 0.975;

/// For each metric the ends of its interval. The same whatever the number of threads; empty when it was stopped.
pub(super) fn intervals(
    measured: &Measured,
    seed: u64,
    threads: usize,
    stop: &(dyn Fn() -> bool + Sync),
) -> BTreeMap<String, (f64, f64)> {
    let rows = measured.rows();
    if rows == 0 {
        return BTreeMap::new();
    }
    let resamples = (MOST_DRAWS / rows).clamp(FEWEST_RESAMPLES, RESAMPLES);
    let drawn = all(resamples, threads.max(1), &|index| {
        if stop() { Metrics::new() } else { measured.metrics(Some(&draw(rows, seed, index))) }
    });
    let mut values: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for (name, value) in drawn.into_iter().flatten() {
        values.entry(name).or_default().push(value);
    }
    // A metric that is not defined for many resamples has an interval of the others alone, which would be too narrow.
    let told = values.into_iter().filter(|(_, values)| values.len() * 10 >= resamples * 9);
    told.filter_map(|(name, mut values)| {
        values.sort_by(f64::total_cmp);
        Some((name, (percentile(&values, LOWER)?, percentile(&values, UPPER)?)))
    })
    .collect()
}

/// How often each row was drawn.
fn draw(rows: usize, seed: u64, resample: usize) -> Vec<u32> {
    let mut random = Random::new(seed, STREAM ^ resample as u64);
    let mut weights = vec![0; rows];
    for _ in 0..rows {
        if let Some(weight) = weights.get_mut(random.below(rows)) {
            *weight += 1;
        }
    }
    weights
}

/// `of` each index below `count`, in their order, worked out by several threads.
fn all<T: Send>(count: usize, threads: usize, of: &(dyn Fn(usize) -> T + Sync)) -> Vec<T> {
    let indices: Vec<usize> = (0..count).collect();
    thread::scope(|scope| {
        let parts: Vec<_> = indices
            .chunks(count.div_ceil(threads).max(1))
            .map(|part| scope.spawn(move || part.iter().map(|index| of(*index)).collect::<Vec<T>>()))
            .collect();
        let joined = parts.into_iter().map(|part| part.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)));
        joined.flatten().collect()
    })
}

#[cfg(test)]
mod tests {
    use super::{Measured, intervals};
    use crate::model::learn::predictor::Output;

    /// Predictions of which about nine in ten are right.
    fn measured(rows: usize) -> Measured {
        let truth: Vec<Option<usize>> = (0..rows).map(|row| Some(row % 2)).collect();
        let outputs: Vec<Output> = (0..rows)
            .map(|row| {
                let right = if (row * 7919) % 10 == 0 { 0.3 } else { 0.7 };
                let second = if row % 2 == 1 { right } else { 1.0 - right };
                Output::Probabilities(vec![1.0 - second, second])
            })
            .collect();
        Measured::of_classes(&truth, &outputs, 2)
    }

    #[test]
    fn an_interval_holds_the_metric_and_is_about_as_wide_as_theory_says() {
        let measured = measured(400);
        let accuracy = measured.metrics(None)["accuracy"];
        let (low, high) = intervals(&measured, 1, 2, &|| false)["accuracy"];
        assert!(low < accuracy && accuracy < high, "{low} {accuracy} {high}");
        // 1.96 standard errors of a share, on both sides.
        let theory = 2.0 * 1.96 * (accuracy * (1.0 - accuracy) / 400.0).sqrt();
        assert!((high - low - theory).abs() < 0.2 * theory, "{} {theory}", high - low);
    }

    #[test]
    fn threads_do_not_change_an_interval_and_a_seed_does() {
        let measured = measured(101);
        let one = intervals(&measured, 5, 1, &|| false);
        assert_eq!(one, intervals(&measured, 5, 4, &|| false));
        assert_ne!(one, intervals(&measured, 6, 1, &|| false));
    }

    #[test]
    fn a_stop_ends_it_and_leaves_nothing_half_done() {
        assert!(intervals(&measured(50), 1, 1, &|| true).is_empty());
    }
}
