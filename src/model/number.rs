//! Counts as floating point numbers: the one place where precision may be lost, and why it is not.

/// A count as a floating point number, for shares and means.
#[expect(
    clippy::cast_precision_loss,
    reason = "counts of rows and columns in memory stay far below 2^53, where every integer is exact"
)]
pub(super) fn float(count: usize) -> f64 {
    count as f64
}

/// `part` of `whole`; zero when there is nothing.
pub(super) fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 { 0.0 } else { float(part) / float(whole) }
}
