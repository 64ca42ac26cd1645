//! Any number of points gathered into one bucket a dot column, of which the lowest, highest, first and last value are kept.
//!
//! So no peak is lost, the cost is one look at each point (comparisons, no division), and what is drawn later depends on the
//! size of the screen alone. `None`, NaN and infinities are gaps, and so is what has no place on a logarithmic axis.

use crate::api::types::Curve;

/// Beyond this, steps and sums would lose all meaning.
const LARGEST: f64 = 1e200;

/// What falls into one dot column.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Bucket {
    /// Which.
    pub(super) column: usize,
    /// The lowest value.
    pub(super) low: f64,
    /// The highest.
    pub(super) high: f64,
    /// The first.
    pub(super) first: f64,
    /// The last.
    pub(super) last: f64,
    /// Whether nothing is missing between the bucket before and this one.
    pub(super) is_joined: bool,
}

/// The points that fall into a column of `columns`, if `count` are spread evenly over them.
pub(super) fn range(column: usize, columns: usize, count: usize) -> (usize, usize) {
    let (Some(last_column), Some(last_index)) = (columns.checked_sub(1), count.checked_sub(1)) else { return (0, 0) };
    // The first index that does not belong to the column before.
    let begin = |column: usize| column.saturating_mul(last_index).div_ceil(last_column.max(1));
    let end = if column >= last_column { count } else { begin(column + 1) };
    // A single point stands at the right.
    (begin(column).min(end), end)
}

/// The buckets that hold a value above `floor`, from left to right.
pub(super) fn gather(curve: &Curve, columns: usize, floor: f64) -> Vec<Bucket> {
    let count = curve.points.len();
    let mut buckets: Vec<Bucket> = Vec::with_capacity(columns.min(count));
    let mut is_joined = false;
    for column in 0..columns {
        let (begin, end) = range(column, columns, count);
        let mut bucket: Option<Bucket> = None;
        for point in curve.points.get(begin..end).unwrap_or_default() {
            match point {
                Some(value) if value.abs() < LARGEST && *value > floor => {
                    let value = *value;
                    if let Some(bucket) = &mut bucket {
                        bucket.low = bucket.low.min(value);
                        bucket.high = bucket.high.max(value);
                        bucket.last = value;
                    } else {
                        bucket = Some(Bucket { column, low: value, high: value, first: value, last: value, is_joined });
                    }
                    is_joined = true;
                }
                _ => is_joined = false,
            }
        }
        if let Some(bucket) = &mut bucket {
            let fits = |value: &f64| value.abs() < LARGEST && *value > floor;
            let low = curve.low.get(begin..end).unwrap_or_default().iter().flatten().copied();
            let high = curve.high.get(begin..end).unwrap_or_default().iter().flatten().copied();
            bucket.low = low.filter(fits).fold(bucket.low, f64::min);
            bucket.high = high.filter(fits).fold(bucket.high, f64::max);
        }
        buckets.extend(bucket);
    }
    buckets
}

/// From the lowest to the highest of all.
pub(super) fn extent<'a>(curves: impl IntoIterator<Item = &'a Vec<Bucket>>) -> Option<(f64, f64)> {
    let mut extent: Option<(f64, f64)> = None;
    for bucket in curves.into_iter().flatten() {
        let (low, high) = extent.unwrap_or((bucket.low, bucket.high));
        extent = Some((low.min(bucket.low), high.max(bucket.high)));
    }
    extent
}

#[cfg(test)]
mod tests {
    use super::*;

    fn curve(points: &[Option<f64>]) -> Curve {
        Curve { points: points.to_vec(), ..Curve::default() }
    }

    #[test]
    fn every_point_falls_into_exactly_one_column() {
        for (columns, count) in [(1, 1), (7, 1), (1, 9), (7, 3), (7, 7), (7, 100), (200, 86_400)] {
            let mut next = 0;
            for column in 0..columns {
                let (begin, end) = range(column, columns, count);
                assert!(begin == end || begin == next, "{columns} columns, {count} points, column {column}");
                next = next.max(end);
            }
            assert_eq!(next, count);
        }
        assert_eq!(range(0, 0, 5), (0, 0));
        assert_eq!(range(3, 4, 1), (0, 1), "a single point stands at the right");
    }

    #[test]
    fn the_lowest_and_the_highest_of_a_column_are_kept() {
        let mut points = vec![Some(1.0); 1_000];
        points[500] = Some(9.0);
        points[501] = Some(-9.0);
        let buckets = gather(&curve(&points), 10, f64::NEG_INFINITY);
        assert_eq!(extent([&buckets]), Some((-9.0, 9.0)));
        assert_eq!(buckets.len(), 10);
    }

    #[test]
    fn extremes_within_the_columns_of_the_daemon_count() {
        let curve = Curve {
            points: vec![Some(1.0), None, Some(1.0)],
            low: vec![Some(0.5), None, Some(f64::NAN)],
            high: vec![Some(7.0), None, Some(1.0)],
            ..Curve::default()
        };
        assert_eq!(extent([&gather(&curve, 3, f64::NEG_INFINITY)]), Some((0.5, 7.0)));
    }

    #[test]
    fn what_has_no_place_is_a_gap() {
        let points = [Some(5.0), Some(f64::NAN), Some(f64::INFINITY), Some(0.0), Some(-1.0), Some(5.0)];
        let buckets = gather(&curve(&points), 6, 0.0);
        let told: Vec<_> = buckets.iter().map(|bucket| (bucket.column, bucket.is_joined)).collect();
        assert_eq!(told, [(0, false), (5, false)]);
    }
}
