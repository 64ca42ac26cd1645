//! All that is said of how good a model is, in one place: what the card holds and the screen shows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::importance::importance;
use super::slices::slices;
use super::{Criteria, Measured, Metrics};
use crate::api::types::{CalibrationBin, ConfusionMatrix, FeatureImportance, MetricSlice};
use crate::model::data::column::Column;
use crate::model::learn::fit::Fitted;
use crate::model::learn::predictor::Output;
use crate::model::learn::problem::Problem;

/// How good a model is on its held-out rows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evaluation {
    /// What it reached.
    pub metrics: Metrics,
    /// For each metric the ends of its 95 % interval.
    pub intervals: BTreeMap<String, (f64, f64)>,
    /// What was called what; none for a regression.
    pub confusion: Option<ConfusionMatrix>,
    /// Probabilities beside what came true, ascending; empty for a regression.
    pub calibration: Vec<CalibrationBin>,
    /// The metric by which the importance of columns is measured.
    pub criterion: String,
    /// What the model loses without each column, the most important first; empty when there are too many columns.
    pub importance: Vec<FeatureImportance>,
    /// How good it is on parts of the rows.
    pub slices: Vec<MetricSlice>,
}

/// What is evaluated, and how.
pub(in crate::model) struct Request<'a> {
    /// What was to be learned.
    pub(in crate::model) problem: &'a Problem<'a>,
    /// What was learned.
    pub(in crate::model) fitted: &'a Fitted,
    /// The names of the classes; none for a regression.
    pub(in crate::model) classes: &'a [String],
    /// The rows it is judged by.
    pub(in crate::model) held_out: &'a [usize],
    /// What it says of them.
    pub(in crate::model) outputs: &'a [Output],
    /// By what it is compared with others.
    pub(in crate::model) criteria: &'a Criteria,
    /// The columns by which the rows are cut into parts.
    pub(in crate::model) slices: &'a [&'a Column],
    /// Seed of everything random.
    pub(in crate::model) seed: u64,
    /// Threads that may be used.
    pub(in crate::model) threads: usize,
    /// Asked now and then; after it said so, what comes back is unfinished and not to be used.
    pub(in crate::model) stop: &'a (dyn Fn() -> bool + Sync + 'a),
}

/// Evaluates a model.
pub(in crate::model) fn evaluate(request: &Request<'_>) -> Evaluation {
    let measured = Measured::new(&request.problem.labels, request.held_out, request.outputs);
    let metrics = measured.metrics(None);
    let confusion = measured.confusion().map(|counts| ConfusionMatrix { classes: request.classes.to_vec(), counts });
    let criterion = request.criteria.leading(&metrics).map(|(name, _)| name.to_owned()).unwrap_or_default();
    Evaluation {
        intervals: measured.intervals(request.seed, request.threads, request.stop),
        calibration: measured.calibration(),
        importance: importance(request, &criterion),
        slices: slices(request.slices, request.held_out, &measured),
        metrics,
        confusion,
        criterion,
    }
}
