//! Judged rows of a classifier, and the metrics that follow from them under any weights.
//!
//! Precision, recall and F1 are means over the classes, each counted alike (`average="macro"`), over the classes that occur
//! among the true or the predicted ones; balanced accuracy is over the true ones alone. A row of a class that the model
//! does not know is wrong, whatever it says. The log loss and the calibration error are those of
//! [`Classified::new`]'s probabilities as they are; ROC AUC is in [`super::ranking`].

use super::calibration::{self, Placed};
use super::ranking::{Ranking, rankings};
use super::{Metrics, named, weight};
use crate::api::types::CalibrationBin;
use crate::model::learn::predictor::most_probable;
use crate::model::number::float;

/// A probability of zero would make the log loss infinite; scikit-learn takes the same.
const LEAST_PROBABILITY: f64 = f64::EPSILON;

/// The rows, prepared.
#[derive(Debug, Clone)]
pub(in crate::model) struct Classified {
    /// The true class of each row; `classes` stands for one that the model does not know.
    truth: Vec<usize>,
    predicted: Vec<usize>,
    loss: Vec<f64>,
    placed: Vec<Placed>,
    rankings: Vec<Ranking>,
    classes: usize,
}

impl Classified {
    /// Prepares rows: the true class, where the model knows it, and the probability of each of `classes`.
    pub(super) fn new(truth: &[Option<usize>], probabilities: &[&[f64]], classes: usize) -> Self {
        let known = |class: &Option<usize>| class.filter(|class| *class < classes).unwrap_or(classes);
        let truth: Vec<usize> = truth.iter().map(known).collect();
        let predicted: Vec<usize> = probabilities.iter().map(|row| most_probable(row)).collect();
        let loss = truth
            .iter()
            .zip(probabilities)
            .map(|(class, row)| -row.get(*class).copied().unwrap_or(0.0).clamp(LEAST_PROBABILITY, 1.0).ln());
        Self {
            loss: loss.collect(),
            placed: calibration::place(&truth, &predicted, probabilities, classes),
            rankings: rankings(&truth, probabilities, classes),
            truth,
            predicted,
            classes,
        }
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.truth.len()
    }

    /// The metrics of the rows, each counted as often as its weight says.
    pub(super) fn metrics(&self, weights: Option<&[u32]>) -> Metrics {
        let table = self.table(weights);
        let tallies = self.tallies(&table);
        let rows: u64 = table.iter().sum();
        let right: u64 = tallies.iter().map(|tally| tally.right).sum();
        let mut loss = 0.0;
        for (row, one) in self.loss.iter().enumerate() {
            loss += one * f64::from(weight(weights, row));
        }
        let occurring: Vec<&Tally> = tallies.iter().filter(|tally| tally.actual + tally.predicted > 0).collect();
        let actual: Vec<&Tally> = occurring.iter().copied().filter(|tally| tally.actual > 0).collect();
        named([
            ("accuracy", ratio(right, rows)),
            ("balanced_accuracy", mean(&actual, |tally| ratio(tally.right, tally.actual))),
            ("calibration_error", calibration::error(&self.bins(weights))),
            ("f1", mean(&occurring, |tally| ratio(2 * tally.right, tally.actual + tally.predicted))),
            ("log_loss", loss / count(rows)),
            ("precision", mean(&occurring, |tally| ratio(tally.right, tally.predicted))),
            ("recall", mean(&occurring, |tally| ratio(tally.right, tally.actual))),
            ("roc_auc", self.area(weights)),
        ])
    }

    /// How often each true class (a row) was called each class (a column); the last row is for classes that the model does
    /// not know, and is left out when there are none.
    pub(super) fn confusion(&self) -> Vec<Vec<u64>> {
        let table = self.table(None);
        let mut rows: Vec<Vec<u64>> = table.chunks(self.width()).map(<[u64]>::to_vec).collect();
        for row in &mut rows {
            // No model calls a row what it does not know.
            row.truncate(self.classes);
        }
        if rows.last().is_some_and(|unknown| unknown.iter().all(|count| *count == 0)) {
            rows.pop();
        }
        rows
    }

    /// Probabilities beside what came true.
    pub(super) fn bins(&self, weights: Option<&[u32]>) -> Vec<CalibrationBin> {
        calibration::bins(&self.placed, weights)
    }

    fn width(&self) -> usize {
        self.classes + 1
    }

    /// The confusion matrix, row by row, with a row and a column for what is not known.
    fn table(&self, weights: Option<&[u32]>) -> Vec<u64> {
        let mut table = vec![0; self.width() * self.width()];
        for (row, (truth, predicted)) in self.truth.iter().zip(&self.predicted).enumerate() {
            if let Some(cell) = table.get_mut(truth * self.width() + predicted) {
                *cell += u64::from(weight(weights, row));
            }
        }
        table
    }

    fn tallies(&self, table: &[u64]) -> Vec<Tally> {
        let width = self.width();
        let cell = |truth: usize, predicted: usize| table.get(truth * width + predicted).copied().unwrap_or(0);
        let tally = |class: usize| Tally {
            actual: (0..width).map(|other| cell(class, other)).sum(),
            predicted: (0..width).map(|other| cell(other, class)).sum(),
            right: if class < self.classes { cell(class, class) } else { 0 },
        };
        (0..width).map(tally).collect()
    }

    /// The area under the curve of the second class of two, or the mean of those of each class against the rest.
    fn area(&self, weights: Option<&[u32]>) -> f64 {
        let areas: Vec<f64> = self.rankings.iter().filter_map(|ranking| ranking.area(weights)).collect();
        mean(&areas.iter().collect::<Vec<_>>(), |area| *area)
    }
}

#[derive(Debug)]
struct Tally {
    actual: u64,
    predicted: u64,
    right: u64,
}

fn mean<T>(items: &[&T], of: impl Fn(&T) -> f64) -> f64 {
    items.iter().map(|item| of(item)).sum::<f64>() / float(items.len())
}

/// `part` of `whole`; zero when there is nothing, as `zero_division=0`.
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { count(part) / count(whole) }
}

#[expect(clippy::cast_precision_loss, reason = "weighted rows stay far below 2^53, where every integer is exact")]
fn count(rows: u64) -> f64 {
    rows as f64
}

#[cfg(test)]
mod tests {
    use super::Classified;

    fn three_classes() -> Classified {
        let truth = [Some(0), Some(1), Some(2), Some(2), None];
        let rows: [&[f64]; 5] =
            [&[0.8, 0.1, 0.1], &[0.2, 0.5, 0.3], &[0.1, 0.2, 0.7], &[0.6, 0.2, 0.2], &[0.3, 0.3, 0.4]];
        Classified::new(&truth, &rows, 3)
    }

    #[test]
    fn the_confusion_matrix_has_a_row_for_classes_that_are_not_known() {
        assert_eq!(three_classes().confusion(), [vec![1, 0, 0], vec![0, 1, 0], vec![1, 0, 1], vec![0, 0, 1]]);
        let known = Classified::new(&[Some(1)], &[&[0.4, 0.6]], 2);
        assert_eq!(known.confusion(), [vec![0, 0], vec![0, 1]]);
    }

    #[test]
    fn macro_means_agree_with_values_worked_out_by_hand() {
        let metrics = three_classes().metrics(None);
        // Precision: 1 of 2, 1 of 1, 1 of 2, and nothing was called unknown.
        assert!((metrics["precision"] - (0.5 + 1.0 + 0.5 + 0.0) / 4.0).abs() < 1e-12, "{metrics:?}");
        // Recall: 1 of 1, 1 of 1, 1 of 2, 0 of 1.
        assert!((metrics["recall"] - 2.5 / 4.0).abs() < 1e-12, "{metrics:?}");
    }

    #[test]
    fn a_weight_counts_a_row_that_often() {
        let once = three_classes().metrics(Some(&[1, 1, 1, 0, 0]));
        assert!((once["accuracy"] - 1.0).abs() < 1e-12, "{once:?}");
        let twice = three_classes().metrics(Some(&[2, 0, 0, 1, 0]));
        assert!((twice["accuracy"] - 2.0 / 3.0).abs() < 1e-12, "{twice:?}");
    }

    #[test]
    fn what_was_thought_impossible_costs_what_it_does_in_scikit_learn() {
        let metrics = Classified::new(&[Some(0), Some(1)], &[&[0.0, 1.0], &[0.3, 0.7]], 2).metrics(None);
        assert!((metrics["log_loss"] - 18.200_164_166_527_944).abs() < 1e-9, "{metrics:?}");
    }

    #[test]
    fn no_rows_have_no_metrics_but_do_no_harm() {
        let empty = Classified::new(&[], &[], 2).metrics(None);
        assert!(!empty.contains_key("log_loss") && !empty.contains_key("roc_auc"), "{empty:?}");
    }
}
