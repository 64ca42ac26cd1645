//! From a problem and a learner to what was learned. The one door to all learners.

use serde::{Deserialize, Serialize};

use crate::model::data::cell::Cell;
use crate::model::data::column::Column;
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::learner::{Learner, algorithm_name, suitable};
use crate::model::learn::predictor::{Form, Output, Predictor};
use crate::model::learn::preprocess::Preprocessing;
use crate::model::learn::problem::{Lesson, Problem};
use crate::model::learn::tree::{Binned, Limits, boosting, forest};
use crate::model::learn::{linfa, parallel};

/// Asked between trees, rounds and iterations: whether learning should stop.
pub type Stop<'a> = dyn Fn() -> bool + Sync + 'a;

/// Rows that are predicted at once: few enough for the nearest cache, many enough that a tree is not fetched for each.
const BLOCK: usize = 256;
/// A question names its column by a number of 16 bits.
const MOST_COLUMNS: usize = u16::MAX as usize;

/// What was learned.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fitted {
    /// From a row to numbers.
    pub preprocessing: Preprocessing,
    /// From numbers to an answer.
    pub predictor: Predictor,
}

/// Learns from some rows of a problem. Equal arguments give equal results; the number of threads changes only the time.
pub fn fit(
    problem: &Problem<'_>,
    rows: &[usize],
    learner: &Learner,
    seed: u64,
    threads: usize,
    stop: &Stop<'_>,
) -> Result<Fitted, LearnError> {
    let algorithm = algorithm_name(learner.algorithm());
    learner.check()?;
    if let Learner::Blend { parts } = learner {
        return fit_blend(problem, rows, parts, seed, threads, stop);
    }
    if !suitable(problem.task()).contains(&learner.algorithm()) {
        return Err(LearnError::Unsuitable { algorithm });
    }
    let lesson = problem.lesson(rows)?;
    // Columns that say nothing are told of by the caller, who knows all rows.
    let (preprocessing, _) = Preprocessing::fit(&problem.columns, rows);
    if preprocessing.features.is_empty() {
        return Err(LearnError::NothingToLearnFrom { rows: rows.len() });
    }
    if stop() {
        return Err(LearnError::Stopped);
    }
    let learned = if matches!(learner, Learner::Forest { .. } | Learner::Boosting { .. }) {
        if preprocessing.features.len() > MOST_COLUMNS {
            return Err(LearnError::TooManyColumns { columns: preprocessing.features.len(), limit: MOST_COLUMNS });
        }
        let readers = preprocessing.readers(&problem.columns);
        let binned = Binned::new(&preprocessing, &readers, rows, seed, threads);
        fit_trees(&binned, &lesson, learner, seed, threads, stop)?
    } else {
        let mut matrix = preprocessing.matrix(&problem.columns, rows)?;
        linfa::fit(learner, &mut matrix, &lesson, seed, stop)?
    };
    let predictor = among_all(learned, &lesson);
    if predictor.is_sound(preprocessing.width(), preprocessing.features.len()) {
        Ok(Fitted { preprocessing, predictor })
    } else {
        Err(LearnError::NotFinite { algorithm })
    }
}

/// Each part learns from all rows.
fn fit_blend(
    problem: &Problem<'_>,
    rows: &[usize],
    parts: &[Learner],
    seed: u64,
    threads: usize,
    stop: &Stop<'_>,
) -> Result<Fitted, LearnError> {
    let mut predictors = Vec::with_capacity(parts.len());
    let mut preprocessing = None;
    for part in parts {
        if matches!(part, Learner::Blend { .. }) {
            return Err(LearnError::Unsuitable { algorithm: algorithm_name(part.algorithm()) });
        }
        let fitted = fit(problem, rows, part, seed, threads, stop)?;
        predictors.push(fitted.predictor);
        // It follows from the rows alone, so all parts have the same.
        preprocessing = Some(fitted.preprocessing);
    }
    let preprocessing = preprocessing.ok_or(LearnError::NothingToLearnFrom { rows: rows.len() })?;
    let features = preprocessing.features.len();
    Ok(Fitted { preprocessing, predictor: Predictor::Blend { features, parts: predictors } })
}

fn fit_trees(
    binned: &Binned,
    lesson: &Lesson,
    learner: &Learner,
    seed: u64,
    threads: usize,
    stop: &Stop<'_>,
) -> Result<Predictor, LearnError> {
    let classes = lesson.classes();
    match *learner {
        Learner::Forest { trees, depth, leaf, features } => {
            let parameters = forest::Parameters { trees: trees as usize, depth, leaf, features };
            let trees = forest::forest(binned, lesson, &parameters, seed, threads, stop)?;
            Ok(Predictor::Forest { classes, trees })
        }
        Learner::Boosting { rounds, rate, leaves, leaf, l2, rows, columns } => {
            let limits = Limits { leaves: leaves as usize, leaf, l2 };
            let parameters = boosting::Parameters { rounds: rounds as usize, rate, limits, rows, columns };
            let boosted = boosting::boost(binned, lesson, &parameters, seed, threads, stop)?;
            Ok(Predictor::Boosting { classes, start: boosted.start, trees: boosted.trees })
        }
        Learner::Logistic { .. }
        | Learner::NaiveBayes { .. }
        | Learner::Linear
        | Learner::ElasticNet { .. }
        | Learner::Blend { .. }
        | Learner::Svm { .. } => Err(LearnError::Unsuitable { algorithm: algorithm_name(learner.algorithm()) }),
    }
}

/// Learners know only the classes that occur among their rows.
fn among_all(predictor: Predictor, lesson: &Lesson) -> Predictor {
    match lesson {
        Lesson::Classes { known, count, .. } if known.len() < *count => {
            Predictor::Among { classes: *count, known: known.clone(), inner: Box::new(predictor) }
        }
        _ => predictor,
    }
}

/// What is said of a row, one cell a feature in their order.
pub(in crate::model) fn output(preprocessing: &Preprocessing, predictor: &Predictor, cells: &[Cell<'_>]) -> Output {
    predictor.predict(&row_for(predictor, preprocessing, preprocessing.raw_row(cells)))
}

/// A raw row in the form that the predictor wants.
fn row_for(predictor: &Predictor, preprocessing: &Preprocessing, mut raw: Vec<f64>) -> Vec<f64> {
    match predictor.wants() {
        Form::Raw => raw,
        Form::Encoded => preprocessing.encode_raw(&raw),
        Form::Both => {
            let encoded = preprocessing.encode_raw(&raw);
            raw.extend(encoded);
            raw
        }
    }
}

/// What is said of some rows of columns, which are found by the names of the features.
pub(in crate::model) fn outputs(
    preprocessing: &Preprocessing,
    predictor: &Predictor,
    columns: &[&Column],
    rows: &[usize],
    threads: usize,
) -> Vec<Output> {
    let readers = preprocessing.readers(columns);
    let mut parts: Vec<(&[usize], Vec<Output>)> = rows.chunks(BLOCK).map(|rows| (rows, Vec::new())).collect();
    parallel::each(threads, &mut parts, &|_, part| {
        let raw = |row: &usize| -> Vec<f64> { readers.iter().map(|reader| reader.raw(*row)).collect() };
        let (rows, outputs) = part;
        let block: Vec<f64> = rows.iter().flat_map(|row| row_for(predictor, preprocessing, raw(row))).collect();
        *outputs = predictor.predict_block(&block, block.len() / rows.len().max(1));
    });
    parts.into_iter().flat_map(|(_, outputs)| outputs).collect()
}

impl Fitted {
    /// What is said of a row, one cell a feature in their order.
    pub fn output(&self, cells: &[Cell<'_>]) -> Output {
        output(&self.preprocessing, &self.predictor, cells)
    }

    /// What is said of some rows of columns, which are found by the names of the features; a column that is not there, or
    /// of another kind, counts as missing.
    pub fn outputs(&self, columns: &[&Column], rows: &[usize], threads: usize) -> Vec<Output> {
        outputs(&self.preprocessing, &self.predictor, columns, rows, threads)
    }
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
