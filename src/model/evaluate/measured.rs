//! The judged rows of a model of either task.

use super::bootstrap::intervals;
use super::classified::Classified;
use super::regressed::Regressed;
use super::{Metrics, probabilities, value};
use crate::api::types::CalibrationBin;
use crate::model::learn::predictor::Output;
use crate::model::learn::problem::Labels;

/// Rows with what is true and what the model said, ready to be measured.
#[derive(Debug, Clone)]
pub(in crate::model) enum Measured {
    /// Of a classifier.
    Classes(Classified),
    /// Of a regression.
    Numbers(Regressed),
}

impl Measured {
    /// `outputs` are what the model said of `rows`.
    pub(in crate::model) fn new(labels: &Labels, rows: &[usize], outputs: &[Output]) -> Self {
        match labels {
            Labels::Classes { codes, count } => {
                let truth: Vec<Option<usize>> =
                    rows.iter().map(|row| codes.get(*row).copied().filter(|code| code < count)).collect();
                Self::of_classes(&truth, outputs, *count)
            }
            Labels::Numbers(numbers) => {
                let truth: Vec<f64> = rows.iter().map(|row| numbers.get(*row).copied().unwrap_or(f64::NAN)).collect();
                Self::of_numbers(&truth, outputs)
            }
        }
    }

    /// `None` is a class that the model does not know.
    pub(super) fn of_classes(truth: &[Option<usize>], outputs: &[Output], classes: usize) -> Self {
        let rows: Vec<&[f64]> = outputs.iter().map(probabilities).collect();
        Self::Classes(Classified::new(truth, &rows, classes))
    }

    pub(super) fn of_numbers(truth: &[f64], outputs: &[Output]) -> Self {
        let predicted: Vec<f64> = outputs.iter().map(value).collect();
        Self::Numbers(Regressed::new(truth, &predicted))
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        match self {
            Self::Classes(classified) => classified.rows(),
            Self::Numbers(regressed) => regressed.rows(),
        }
    }

    /// The metrics of the rows, each counted as often as its weight says, or once.
    pub(in crate::model) fn metrics(&self, weights: Option<&[u32]>) -> Metrics {
        match self {
            Self::Classes(classified) => classified.metrics(weights),
            Self::Numbers(regressed) => regressed.metrics(weights),
        }
    }

    /// For each metric the ends of its interval.
    pub(super) fn intervals(
        &self,
        seed: u64,
        threads: usize,
        stop: &(dyn Fn() -> bool + Sync),
    ) -> std::collections::BTreeMap<String, (f64, f64)> {
        intervals(self, seed, threads, stop)
    }

    /// How often each true class was called each class; none for a regression.
    pub(super) fn confusion(&self) -> Option<Vec<Vec<u64>>> {
        match self {
            Self::Classes(classified) => Some(classified.confusion()),
            Self::Numbers(_) => None,
        }
    }

    /// Probabilities beside what came true; none for a regression.
    pub(super) fn calibration(&self) -> Vec<CalibrationBin> {
        match self {
            Self::Classes(classified) => classified.bins(None),
            Self::Numbers(_) => Vec::new(),
        }
    }
}
