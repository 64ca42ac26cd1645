//! How good a model is on rows it has not seen: metrics, how sure they are, where the model is weak and what it looks at.
//!
//! Only predictions are needed, never the inside of a learner. [`Measured`] holds the judged rows, prepared so that they
//! can be measured again and again with other weights: all rows once are the metrics, rows drawn with replacement give the
//! [intervals](bootstrap), the rows of one category a [slice](slices). So every number is by one definition, which is
//! that of scikit-learn's `metrics` module (<https://scikit-learn.org/stable/modules/model_evaluation.html>).
//!
//! Everything random is seeded and nothing depends on the number of threads.

mod bootstrap;
mod calibration;
mod classified;
mod criteria;
mod evaluation;
mod importance;
mod measured;
mod ranking;
mod regressed;
mod slices;

use std::collections::BTreeMap;

pub(in crate::model) use criteria::Criteria;
pub use evaluation::Evaluation;
pub(in crate::model) use evaluation::{Request, evaluate};
pub(in crate::model) use measured::Measured;

pub use crate::api::types::lower_is_better;
use crate::model::learn::predictor::Output;
use classified::Classified;
use regressed::Regressed;

/// What is reported for classes.
pub const CLASSIFICATION_METRICS: [&str; 8] =
    ["accuracy", "balanced_accuracy", "calibration_error", "f1", "log_loss", "precision", "recall", "roc_auc"];
/// What is reported for numbers.
pub const REGRESSION_METRICS: [&str; 4] = ["mae", "median_absolute_error", "r2", "rmse"];
/// Metrics by name. One that is not defined for the rows at hand is absent.
pub type Metrics = BTreeMap<String, f64>;

/// Judges a classifier: `truth` holds the class of each row (`None`: one that the model does not know), `probabilities`
/// what the model says of it.
pub fn classification(truth: &[Option<usize>], probabilities: &[Vec<f64>]) -> Metrics {
    let classes = probabilities.iter().map(Vec::len).max().unwrap_or_default();
    let outputs: Vec<&[f64]> = probabilities.iter().map(Vec::as_slice).collect();
    Classified::new(truth, &outputs, classes).metrics(None)
}

/// Judges a regression.
pub fn regression(truth: &[f64], predicted: &[f64]) -> Metrics {
    Regressed::new(truth, predicted).metrics(None)
}

/// Whether `candidate` beats `best` in a metric; what has no value beats nothing.
pub(in crate::model) fn is_better(metric: &str, candidate: &Metrics, best: &Metrics) -> bool {
    match (candidate.get(metric), best.get(metric)) {
        (Some(candidate), Some(best)) if lower_is_better(metric) => candidate < best,
        (Some(candidate), Some(best)) => candidate > best,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// The probabilities of an output; none for a number.
fn probabilities(output: &Output) -> &[f64] {
    match output {
        Output::Probabilities(probabilities) => probabilities,
        Output::Value(_) => &[],
    }
}

/// The number of an output; none for probabilities.
fn value(output: &Output) -> f64 {
    match output {
        Output::Value(value) => *value,
        Output::Probabilities(_) => f64::NAN,
    }
}

/// Metrics by their names, without those that are not defined.
fn named<const N: usize>(metrics: [(&str, f64); N]) -> Metrics {
    metrics.into_iter().filter(|(_, value)| value.is_finite()).map(|(name, value)| (name.to_owned(), value)).collect()
}

/// How often a row counts: once, or as often as its weight says.
fn weight(weights: Option<&[u32]>, row: usize) -> u32 {
    weights.map_or(1, |weights| weights.get(row).copied().unwrap_or(0))
}

#[cfg(test)]
mod tests {
    use super::{Metrics, classification, is_better, regression};

    fn close(metrics: &Metrics, name: &str, expected: f64) {
        assert!((metrics[name] - expected).abs() < 1e-12, "{name} {metrics:?}");
    }

    #[test]
    fn classification_metrics_agree_with_values_worked_out_by_hand() {
        let truth = [Some(0), Some(0), Some(0), Some(1)];
        let probabilities = [vec![0.9, 0.1], vec![0.8, 0.2], vec![0.4, 0.6], vec![0.3, 0.7]];
        let metrics = classification(&truth, &probabilities);
        close(&metrics, "accuracy", 0.75);
        close(&metrics, "balanced_accuracy", f64::midpoint(2.0 / 3.0, 1.0));
        close(&metrics, "recall", f64::midpoint(2.0 / 3.0, 1.0));
        // Two of two are rightly called 0, one of two rightly 1.
        close(&metrics, "precision", f64::midpoint(1.0, 0.5));
        close(&metrics, "f1", f64::midpoint(0.8, 2.0 / 3.0));
        close(&metrics, "log_loss", -(0.9_f64.ln() + 0.8_f64.ln() + 0.4_f64.ln() + 0.7_f64.ln()) / 4.0);
        close(&metrics, "roc_auc", 1.0);
    }

    #[test]
    fn a_class_that_the_model_never_saw_counts_as_wrong() {
        let metrics = classification(&[Some(0), None], &[vec![1.0], vec![1.0]]);
        close(&metrics, "accuracy", 0.5);
        close(&metrics, "balanced_accuracy", 0.5);
    }

    #[test]
    fn regression_metrics_agree_with_values_worked_out_by_hand() {
        let metrics = regression(&[1.0, 2.0, 3.0], &[1.0, 2.0, 5.0]);
        close(&metrics, "mae", 2.0 / 3.0);
        close(&metrics, "rmse", (4.0_f64 / 3.0).sqrt());
        close(&metrics, "r2", -1.0);
        close(&metrics, "median_absolute_error", 0.0);
    }

    #[test]
    fn r2_is_absent_when_nothing_varies() {
        assert!(!regression(&[1.0, 1.0], &[1.0, 1.0]).contains_key("r2"));
    }

    #[test]
    fn smaller_errors_are_better() {
        let of = |value| Metrics::from([("rmse".to_owned(), value), ("r2".to_owned(), value)]);
        assert!(is_better("rmse", &of(1.0), &of(2.0)));
        assert!(!is_better("r2", &of(1.0), &of(2.0)));
    }
}
