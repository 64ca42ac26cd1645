//! Trees that are grown from histograms: gradient boosting and random forests, for classes and for numbers.
//!
//! Cells are put into at most 255 bins a column first (`bins`), and all growing looks at those bytes alone: `grow` and
//! `split` for boosting, `forest` and `tally` for forests. What has grown (`draft`) becomes flat arrays with thresholds in
//! the unit of the data (`ensemble`), which is all that predicting needs.
//!
//! **Invariant.** The same rows, hyper-parameters and seed give the same trees, whatever the number of threads.

pub(in crate::model) mod boosting;
pub(in crate::model) mod ensemble;
pub(in crate::model) mod forest;
pub(in crate::model) mod generator;

mod bins;
mod draft;
mod grow;
mod objective;
mod split;
mod tally;

pub(in crate::model) use bins::Binned;
pub(in crate::model) use objective::logistic;
pub(in crate::model) use split::Limits;

/// So many of `count` columns: a share, but one at least.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "between one and a number of columns in memory"
)]
fn portion(share: f64, count: usize) -> usize {
    let wanted = (share * crate::model::number::float(count)).round().max(1.0);
    (wanted as usize).min(count)
}
