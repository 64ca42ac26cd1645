//! One learner on one fold at one rung: learn, predict the rows to judge by, measure.

use serde::{Deserialize, Serialize};

use super::folds::Fold;
use super::space::halved;
use crate::model::evaluate::{Criteria, Measured, Metrics};
use crate::model::learn::fit::{Stop, fit};
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::learner::Learner;
use crate::model::learn::problem::Problem;

/// What came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::model) enum FoldResult {
    /// What it reached, by the metrics that models are compared by.
    Scored(Metrics),
    /// Why it learned nothing.
    Failed(String),
}

/// What all trials of a search share.
pub(super) struct Setting<'a> {
    pub(super) problem: &'a Problem<'a>,
    pub(super) row_hashes: &'a [u64],
    pub(super) criteria: &'a Criteria,
    pub(super) seed: u64,
}

/// Runs a trial on a share of the rows of a fold; `None` when it was stopped.
pub(super) fn run(
    setting: &Setting<'_>,
    learner: &Learner,
    fold: &Fold,
    share: f64,
    threads: usize,
    stop: &Stop<'_>,
) -> Option<FoldResult> {
    let is_whole = share >= 1.0;
    let chosen;
    let rows = if is_whole {
        &fold.train
    } else {
        chosen = fold.share(setting.row_hashes, &setting.problem.labels, share, setting.seed);
        &chosen
    };
    let smaller;
    let learner = if is_whole {
        learner
    } else {
        smaller = halved(learner);
        &smaller
    };
    let (problem, seed) = (setting.problem, setting.seed);
    match fit(problem, rows, learner, seed, threads, stop) {
        Ok(fitted) => {
            let outputs = fitted.outputs(&problem.columns, &fold.judge, threads);
            let metrics = Measured::new(&problem.labels, &fold.judge, &outputs).metrics(None);
            let wanted = |(name, _): &(String, f64)| setting.criteria.names().contains(name);
            Some(FoldResult::Scored(metrics.into_iter().filter(wanted).collect()))
        }
        Err(LearnError::Stopped) => None,
        Err(error) => Some(FoldResult::Failed(error.to_string())),
    }
}
