//! Quantiles of classic histograms, from their cumulative buckets (Prometheus 3, `promql/quantile.go`,
//! `BucketQuantile`).

use std::collections::BTreeMap;

use crate::monitor::{Labels, METRIC_NAME};

use super::value::InstantSample;

/// The label that holds the upper bound of a bucket.
const BOUND: &str = "le";

/// Relative differences between neighbours up to this are rounding errors of the sums they come from.
const TOLERANCE: f64 = 1e-12;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Bucket {
    upper: f64,
    /// Observations up to `upper`.
    count: f64,
}

/// The quantile of each histogram among `elements`; elements without a readable `le` are passed over.
pub(super) fn histogram_quantile(share: f64, elements: &[InstantSample]) -> Vec<InstantSample> {
    let mut histograms: BTreeMap<Labels, Vec<Bucket>> = BTreeMap::new();
    for element in elements {
        let Some(upper) = element.labels.get(BOUND).and_then(|bound| bound.parse().ok()) else { continue };
        let labels = element.labels.keep(|label| label != BOUND && label != METRIC_NAME);
        histograms.entry(labels).or_default().push(Bucket { upper, count: element.value });
    }
    histograms
        .into_iter()
        .map(|(labels, buckets)| InstantSample { labels, value: bucket_quantile(share, buckets) })
        .collect()
}

fn bucket_quantile(share: f64, mut buckets: Vec<Bucket>) -> f64 {
    if share.is_nan() {
        return f64::NAN;
    }
    if share < 0.0 {
        return f64::NEG_INFINITY;
    }
    if share > 1.0 {
        return f64::INFINITY;
    }
    buckets.sort_by(|left, right| left.upper.total_cmp(&right.upper));
    let mut buckets = merged(&buckets);
    make_monotonic(&mut buckets);
    let [finite @ .., last] = buckets.as_slice() else { return f64::NAN };
    let Some(highest) = finite.last() else { return f64::NAN };
    if last.upper < f64::INFINITY || last.upper.is_nan() || last.count == 0.0 {
        return f64::NAN;
    }
    let rank = share * last.count;
    let Some(index) = finite.iter().position(|bucket| bucket.count >= rank) else {
        // Nothing is known above the highest finite bound.
        return highest.upper;
    };
    let found = finite.get(index).unwrap_or(highest);
    match index.checked_sub(1).and_then(|below| finite.get(below)) {
        None if found.upper <= 0.0 => found.upper,
        None => found.upper * (rank / found.count),
        Some(below) => {
            let share_of_bucket = (rank - below.count) / (found.count - below.count);
            below.upper + (found.upper - below.upper) * share_of_bucket
        }
    }
}

/// Buckets with one bound are added up: a target may write a bound in two ways, such as `1` and `1.0`.
fn merged(sorted: &[Bucket]) -> Vec<Bucket> {
    let mut merged: Vec<Bucket> = Vec::with_capacity(sorted.len());
    for bucket in sorted {
        match merged.last_mut() {
            Some(last) if last.upper.total_cmp(&bucket.upper).is_eq() => last.count += bucket.count,
            _ => merged.push(*bucket),
        }
    }
    merged
}

/// Lifts a bucket that counts less than the one below it, which cannot be but happens when buckets are scraped or
/// summed in different moments, and levels differences that are rounding errors.
fn make_monotonic(buckets: &mut [Bucket]) {
    let mut reached = f64::NEG_INFINITY;
    for bucket in buckets {
        if bucket.count < reached || almost_equal(bucket.count, reached) {
            bucket.count = reached;
        } else {
            reached = bucket.count;
        }
    }
}

fn almost_equal(left: f64, right: f64) -> bool {
    let difference = (left - right).abs();
    let size = left.abs() + right.abs();
    if left == 0.0 || right == 0.0 || size < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / size.min(f64::MAX) < TOLERANCE
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quantile(share: f64, buckets: &[(f64, f64)]) -> f64 {
        bucket_quantile(share, buckets.iter().map(|(upper, count)| Bucket { upper: *upper, count: *count }).collect())
    }

    fn is(actual: f64, expected: f64) -> bool {
        (actual - expected).abs() < 1e-9
    }

    const INF: f64 = f64::INFINITY;

    #[test]
    fn a_quantile_is_interpolated_within_its_bucket() {
        let buckets = [(0.1, 10.0), (0.2, 30.0), (INF, 40.0)];
        assert!(is(quantile(0.5, &buckets), 0.15));
        assert!(is(quantile(0.125, &buckets), 0.05));
        assert!(is(quantile(0.0, &buckets), 0.0));
    }

    #[test]
    fn beyond_the_last_bound_nothing_is_known() {
        assert!(is(quantile(0.99, &[(0.1, 10.0), (0.2, 30.0), (INF, 40.0)]), 0.2));
    }

    #[test]
    fn the_share_must_lie_between_zero_and_one() {
        let buckets = [(1.0, 1.0), (INF, 1.0)];
        assert!(quantile(f64::NAN, &buckets).is_nan());
        assert!(quantile(-0.1, &buckets) < f64::MIN);
        assert!(quantile(1.1, &buckets) > f64::MAX);
    }

    #[test]
    fn a_histogram_that_cannot_be_right_has_no_quantile() {
        assert!(quantile(0.5, &[]).is_nan());
        assert!(quantile(0.5, &[(INF, 5.0)]).is_nan());
        assert!(quantile(0.5, &[(1.0, 5.0), (2.0, 6.0)]).is_nan());
        assert!(quantile(0.5, &[(1.0, 0.0), (INF, 0.0)]).is_nan());
    }

    #[test]
    fn order_and_repeated_bounds_do_not_matter() {
        let buckets = [(INF, 20.0), (0.2, 15.0), (0.1, 10.0), (0.2, 15.0), (INF, 20.0)];
        assert!(is(quantile(0.5, &buckets), 0.1 + 0.1 * (20.0 - 10.0) / (30.0 - 10.0)));
    }

    #[test]
    fn counts_that_fall_are_lifted() {
        assert!(is(quantile(0.5, &[(1.0, 10.0), (2.0, 8.0), (INF, 12.0)]), 0.6));
    }

    #[test]
    fn a_lowest_bound_at_or_below_zero_is_the_answer() {
        assert!(is(quantile(0.1, &[(-1.0, 5.0), (1.0, 10.0), (INF, 10.0)]), -1.0));
    }

    #[test]
    fn histograms_are_told_apart_by_their_other_labels() {
        let element = |bound: &str, path: &str, value: f64| InstantSample {
            labels: Labels::new([(METRIC_NAME, "d_bucket"), ("le", bound), ("path", path)]),
            value,
        };
        let elements = [
            element("1", "/a", 5.0),
            element("+Inf", "/a", 5.0),
            element("2", "/b", 5.0),
            element("+Inf", "/b", 5.0),
            element("many", "/b", 5.0),
        ];
        let results = histogram_quantile(1.0, &elements);
        assert_eq!(results.len(), 2);
        assert_eq!(results[0].labels, Labels::new([("path", "/a")]));
        assert!(is(results[0].value, 1.0) && is(results[1].value, 2.0));
    }
}
