//! Quantiles and fractions of classic histograms, from their cumulative buckets (Prometheus 3, `promql/quantile.go`,
//! `BucketQuantile` and `BucketFraction`).

use std::collections::HashMap;

use crate::monitor::Labels;

use super::line::Line;
use super::notice::Notices;
use super::value::almost_equal;

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

/// A histogram at one moment: its buckets in the order of their bounds, of which no two are equal.
struct Buckets(Vec<Bucket>);

/// The quantile of each histogram; lines without a readable `le` are passed over.
pub(super) fn quantiles(shares: &[f64], lines: &[Line], notices: &mut Notices) -> Vec<Line> {
    let mut is_forced = false;
    let results = of_each(lines, shares.len(), notices, |step, buckets| {
        let share = shares.get(step).copied().unwrap_or(f64::NAN);
        let (quantile, forced) = quantile(share, buckets);
        is_forced |= forced;
        quantile
    });
    if is_forced {
        notices.forced_monotonic();
    }
    results
}

/// The share of observations between two bounds, for each histogram.
pub(super) fn fractions(lower: &[f64], upper: &[f64], lines: &[Line], notices: &mut Notices) -> Vec<Line> {
    of_each(lines, lower.len(), notices, |step, buckets| {
        let bound = |bounds: &[f64]| bounds.get(step).copied().unwrap_or(f64::NAN);
        fraction(bound(lower), bound(upper), &buckets)
    })
}

/// Gathers the lines of each histogram and lets `compute` look at its buckets at each moment.
fn of_each(
    lines: &[Line],
    steps: usize,
    notices: &mut Notices,
    mut compute: impl FnMut(usize, Buckets) -> f64,
) -> Vec<Line> {
    let mut places: HashMap<Labels, usize> = HashMap::new();
    let mut histograms: Vec<(Labels, Vec<(f64, &Line)>)> = Vec::new();
    for line in lines {
        let bound = line.labels.get(BOUND).unwrap_or_default();
        let Ok(upper) = bound.parse::<f64>() else {
            notices.bad_bound(bound);
            continue;
        };
        // Histograms of two metrics are told apart here, though their results have equal labels.
        let labels = line.labels.keep(|label| label != BOUND);
        let next = histograms.len();
        let place = *places.entry(labels.clone()).or_insert(next);
        if place == next {
            histograms.push((labels.without_name(), Vec::new()));
        }
        if let Some((_, buckets)) = histograms.get_mut(place) {
            buckets.push((upper, line));
        }
    }
    let of_histogram = |(labels, buckets): (Labels, Vec<(f64, &Line)>)| {
        let at_step = |step: usize| {
            let bucket = |(upper, line): &(f64, &Line)| Some(Bucket { upper: *upper, count: line.at(step)? });
            let found: Vec<Bucket> = buckets.iter().filter_map(bucket).collect();
            (!found.is_empty()).then(|| compute(step, Buckets::new(found)))
        };
        let values = (0..steps).map(at_step).collect();
        Line { labels, values }
    };
    histograms.into_iter().map(of_histogram).collect()
}

/// The quantile, and whether counts that fall had to be lifted.
fn quantile(share: f64, mut buckets: Buckets) -> (f64, bool) {
    if share.is_nan() {
        return (f64::NAN, false);
    }
    if share < 0.0 {
        return (f64::NEG_INFINITY, false);
    }
    if share > 1.0 {
        return (f64::INFINITY, false);
    }
    if !buckets.is_complete() {
        return (f64::NAN, false);
    }
    let is_forced = buckets.make_monotonic();
    (buckets.quantile(share), is_forced)
}

/// The share of observations between `lower` and `upper`.
fn fraction(lower: f64, upper: f64, buckets: &Buckets) -> f64 {
    let total = buckets.0.last().map_or(0.0, |bucket| bucket.count);
    if !buckets.is_complete() || total == 0.0 || lower.is_nan() || upper.is_nan() {
        return f64::NAN;
    }
    if lower >= upper {
        return 0.0;
    }
    (buckets.rank(upper).min(total) - buckets.rank(lower).min(total)) / total
}

impl Buckets {
    /// Sorts buckets and adds up those with one bound: a target may write a bound in two ways, such as `1` and `1.0`.
    fn new(mut found: Vec<Bucket>) -> Self {
        found.sort_by(|left, right| left.upper.total_cmp(&right.upper));
        let mut merged: Vec<Bucket> = Vec::with_capacity(found.len());
        for bucket in found {
            match merged.last_mut() {
                Some(last) if last.upper.total_cmp(&bucket.upper).is_eq() => last.count += bucket.count,
                _ => merged.push(bucket),
            }
        }
        Self(merged)
    }

    /// Whether the highest bucket has no bound.
    fn is_complete(&self) -> bool {
        self.0.last().is_some_and(|bucket| bucket.upper == f64::INFINITY)
    }

    /// Lifts a bucket that counts less than the one below it, which cannot be but happens when buckets are scraped or summed
    /// in different moments, and levels differences that are rounding errors. True if one was lifted.
    fn make_monotonic(&mut self) -> bool {
        let mut is_forced = false;
        let Some(mut reached) = self.0.first().map(|bucket| bucket.count) else { return false };
        for bucket in self.0.iter_mut().skip(1) {
            if almost_equal(bucket.count, reached, TOLERANCE) {
                bucket.count = reached;
            } else if bucket.count < reached {
                bucket.count = reached;
                is_forced = true;
            } else {
                reached = bucket.count;
            }
        }
        is_forced
    }

    fn quantile(&self, share: f64) -> f64 {
        let [finite @ .., last] = self.0.as_slice() else { return f64::NAN };
        let Some(highest) = finite.last() else { return f64::NAN };
        if last.count == 0.0 {
            return f64::NAN;
        }
        let rank = share * last.count;
        let index = finite.partition_point(|bucket| bucket.count < rank);
        let Some(found) = finite.get(index) else {
            // Nothing is known above the highest finite bound.
            return highest.upper;
        };
        match index.checked_sub(1).and_then(|below| finite.get(below)) {
            None if found.upper <= 0.0 => found.upper,
            None => found.upper * (rank / found.count),
            Some(below) => {
                let share_of_bucket = (rank - below.count) / (found.count - below.count);
                below.upper + (found.upper - below.upper) * share_of_bucket
            }
        }
    }

    /// How many observations are at most `value`, if they are spread evenly within their buckets. In a bucket without a
    /// bound on one side nothing is known: it counts not at all, or whole.
    fn rank(&self, value: f64) -> f64 {
        let Some(lowest) = self.0.first() else { return f64::NAN };
        let mut rank = 0.0;
        let mut lower = if lowest.upper <= 0.0 { f64::NEG_INFINITY } else { 0.0 };
        for bucket in &self.0 {
            if lower >= value {
                return rank;
            }
            if bucket.upper > value {
                if lower == f64::NEG_INFINITY {
                    return bucket.count;
                }
                return rank + (bucket.count - rank) * (value - lower) / (bucket.upper - lower);
            }
            rank = bucket.count;
            lower = bucket.upper;
        }
        rank
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::METRIC_NAME;

    fn buckets(buckets: &[(f64, f64)]) -> Buckets {
        Buckets::new(buckets.iter().map(|(upper, count)| Bucket { upper: *upper, count: *count }).collect())
    }

    fn quantile(share: f64, of: &[(f64, f64)]) -> f64 {
        super::quantile(share, buckets(of)).0
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
    fn counts_that_fall_are_lifted_and_it_is_told() {
        let falling = [(1.0, 10.0), (2.0, 8.0), (INF, 12.0)];
        assert!(is(quantile(0.5, &falling), 0.6));
        assert!(super::quantile(0.5, buckets(&falling)).1);
        assert!(!super::quantile(0.5, buckets(&[(1.0, 10.0), (2.0, 10.0 - 1e-13), (INF, 12.0)])).1);
    }

    #[test]
    fn a_lowest_bound_at_or_below_zero_is_the_answer() {
        assert!(is(quantile(0.1, &[(-1.0, 5.0), (1.0, 10.0), (INF, 10.0)]), -1.0));
    }

    #[test]
    fn a_fraction_is_interpolated_at_both_ends() {
        let of = [(1.0, 10.0), (2.0, 30.0), (INF, 40.0)];
        assert!(is(fraction(0.5, 1.5, &buckets(&of)), 15.0 / 40.0));
        assert!(is(fraction(0.0, INF, &buckets(&of)), 1.0));
        assert!(is(fraction(2.0, 5.0, &buckets(&of)), 0.0));
        assert!(is(fraction(1.0, 1.0, &buckets(&of)), 0.0));
        assert!(fraction(f64::NAN, 1.0, &buckets(&of)).is_nan());
        assert!(fraction(0.0, 1.0, &buckets(&[(1.0, 1.0)])).is_nan());
    }

    #[test]
    fn histograms_are_told_apart_by_their_other_labels() {
        let line = |bound: &str, path: &str| {
            Line::whole(Labels::new([(METRIC_NAME, "d_bucket"), ("le", bound), ("path", path)]), vec![5.0])
        };
        let lines = [line("1", "/a"), line("+Inf", "/a"), line("2", "/b"), line("+Inf", "/b"), line("many", "/b")];
        let mut notices = Notices::default();
        let results = quantiles(&[1.0], &lines, &mut notices);
        assert_eq!(results.len(), 2);
        assert_eq!(results[0].labels, Labels::new([("path", "/a")]));
        assert!(is(results[0].at(0).unwrap(), 1.0) && is(results[1].at(0).unwrap(), 2.0));
        assert!(notices.into_vec()[0].text.contains("\"many\""));
    }
}
