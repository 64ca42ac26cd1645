//! How good a model is on rows it has not seen. The definitions are those of scikit-learn's `metrics` module
//! (<https://scikit-learn.org/stable/modules/model_evaluation.html>).

use std::collections::BTreeMap;

use super::number::{float, share};
use super::predictor::most_probable;

/// What is reported for classes.
pub const CLASSIFICATION_METRICS: [&str; 4] = ["accuracy", "balanced_accuracy", "f1", "log_loss"];
/// What is reported for numbers.
pub const REGRESSION_METRICS: [&str; 3] = ["mae", "r2", "rmse"];
/// Metrics by name. One that is not defined for the rows at hand is absent.
pub type Metrics = BTreeMap<String, f64>;

/// A probability of zero would make the log loss infinite.
const LEAST_PROBABILITY: f64 = 1e-15;

/// Whether a smaller value is a better one.
pub fn lower_is_better(metric: &str) -> bool {
    matches!(metric, "rmse" | "mae" | "log_loss")
}

/// Judges a classifier: `truth` holds the class of each row (`None`: one that the model does not know), `probabilities`
/// what the model says of it. Recall and F1 are means over the classes that occur, each counted alike.
pub fn classification(truth: &[Option<usize>], probabilities: &[Vec<f64>]) -> Metrics {
    let mut classes: BTreeMap<Option<usize>, Tally> = BTreeMap::new();
    let mut right = 0;
    let mut loss = 0.0;
    for (class, probabilities) in truth.iter().zip(probabilities) {
        let predicted = Some(most_probable(probabilities));
        classes.entry(*class).or_default().actual += 1;
        classes.entry(predicted).or_default().predicted += 1;
        if predicted == *class {
            right += 1;
            classes.entry(predicted).or_default().right += 1;
        }
        let probability = class.and_then(|class| probabilities.get(class)).copied().unwrap_or(0.0);
        loss -= probability.clamp(LEAST_PROBABILITY, 1.0).ln();
    }
    let rows = truth.len();
    let recalls: Vec<f64> =
        classes.values().filter(|tally| tally.actual > 0).map(|tally| share(tally.right, tally.actual)).collect();
    let f1: Vec<f64> = classes.values().map(|tally| share(2 * tally.right, tally.actual + tally.predicted)).collect();
    named([
        ("accuracy", share(right, rows)),
        ("balanced_accuracy", mean(&recalls)),
        ("f1", mean(&f1)),
        ("log_loss", loss / float(rows)),
    ])
}

/// Judges a regression. `r2` is absent when all true numbers are equal.
pub fn regression(truth: &[f64], predicted: &[f64]) -> Metrics {
    let errors: Vec<f64> = truth.iter().zip(predicted).map(|(truth, predicted)| predicted - truth).collect();
    let squared: f64 = errors.iter().map(|error| error * error).sum();
    let centre = mean(truth);
    let spread: f64 = truth.iter().map(|number| (number - centre).powi(2)).sum();
    named([
        ("mae", errors.iter().map(|error| error.abs()).sum::<f64>() / float(truth.len())),
        ("r2", if spread > 0.0 { 1.0 - squared / spread } else { f64::NAN }),
        ("rmse", (squared / float(truth.len())).sqrt()),
    ])
}

/// Whether `candidate` beats `best` in a metric; what has no value beats nothing.
pub(super) fn is_better(metric: &str, candidate: &Metrics, best: &Metrics) -> bool {
    match (candidate.get(metric), best.get(metric)) {
        (Some(candidate), Some(best)) if lower_is_better(metric) => candidate < best,
        (Some(candidate), Some(best)) => candidate > best,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

#[derive(Default)]
struct Tally {
    actual: usize,
    predicted: usize,
    right: usize,
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / float(numbers.len())
}

fn named<const N: usize>(metrics: [(&str, f64); N]) -> Metrics {
    metrics.into_iter().filter(|(_, value)| value.is_finite()).map(|(name, value)| (name.to_owned(), value)).collect()
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
        close(&metrics, "f1", f64::midpoint(0.8, 2.0 / 3.0));
        close(&metrics, "log_loss", -(0.9_f64.ln() + 0.8_f64.ln() + 0.4_f64.ln() + 0.7_f64.ln()) / 4.0);
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
