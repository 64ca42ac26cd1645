//! Counts as floating point numbers, the one place where precision may be lost, and why it is not; and percentiles.

/// A count as a floating point number, for shares and means.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows and columns in memory stay far below 2^53, where every integer is exact"
)]
pub(in crate::model) fn float(count: usize) -> f64 {
    count as f64
}

/// `part` of `whole`; zero when there is nothing.
pub(in crate::model) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}

/// The value below which a `share` of the sorted values lies, between two of them by the distance (`NumPy`'s default).
pub(in crate::model) fn percentile(sorted: &[f64], share: f64) -> Option<f64> {
    let place = share * float(sorted.len().checked_sub(1)?);
    let below = (0..sorted.len()).rev().find(|index| float(*index) <= place)?;
    let lower = sorted.get(below)?;
    let upper = sorted.get(below + 1).unwrap_or(lower);
    Some(lower + (upper - lower) * (place - float(below)))
}

#[cfg(test)]
mod tests {
    use super::{float, percentile};

    #[test]
    fn percentiles_lie_between_values() {
        let values: Vec<f64> = (0..5).map(float).collect();
        assert_eq!(percentile(&values, 0.5), Some(2.0));
        assert!((percentile(&values, 0.975).unwrap() - 3.9).abs() < 1e-12);
        assert_eq!(percentile(&[0.0, 1.0, 2.0, 3.0], 0.5), Some(1.5));
        assert_eq!(percentile(&[4.0], 0.975), Some(4.0));
        assert_eq!(percentile(&[], 0.5), None);
    }
}
