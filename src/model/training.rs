//! From a data set and settings to a model: split, preprocess, try each algorithm, keep the best on the held-out rows.
//!
//! It says what it does through [`Step`]s; what is done with those (a log, a progress bar, a clock) is the caller's.

use std::collections::BTreeMap;

use ndarray::{Array1, ShapeError};

use super::card::{Card, FeatureCard, Lineage, RowCounts};
use super::column::Column;
use super::dataset::DataSet;
use super::dataset_error::DatasetError;
use super::drift::Reference;
use super::envelope::{Contents, EnvelopeError, SavedModel};
use super::evaluate::{self, Metrics};
use super::learn::{self, LearnError, algorithm_name};
use super::nearest;
use super::predictor::{Output, Predictor};
use super::preprocess::Preprocessing;
use super::split::{Split, split};
use super::target::{Target, resolve};
use crate::config::{Algorithm, Task, TrainSettings};

/// Why there is no model.
#[derive(Debug, thiserror::Error)]
pub enum TrainingError {
    /// The data does not allow it.
    #[error(transparent)]
    Data(#[from] DatasetError),
    /// Algorithms that do not fit the task were named.
    #[error("{algorithm} does not suit {task} of \"{target}\"; use {suitable}, or algorithms = [\"auto\"]")]
    Unsuitable {
        /// The algorithm that was named.
        algorithm: &'static str,
        /// The task.
        task: &'static str,
        /// The target.
        target: String,
        /// Those that fit.
        suitable: String,
    },
    /// Nothing worked.
    #[error("no algorithm found a solution: {0}")]
    AllFailed(String),
    /// The matrices do not fit.
    #[error("the encoded rows do not form a matrix: {0}; please report this as a fault of trainyard")]
    Shape(#[from] ShapeError),
    /// The model cannot be written.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

/// What training is doing.
#[derive(Debug)]
pub enum Step<'a> {
    /// Something the user should know about the data.
    Note(&'a str),
    /// The rows are split and encoded.
    Prepared {
        /// What is learned.
        task: Task,
        /// Rows to learn from.
        train: usize,
        /// Rows held out.
        held_out: usize,
        /// Columns that are used.
        features: usize,
    },
    /// An algorithm starts.
    Trying {
        /// Which.
        algorithm: Algorithm,
        /// Its place, from 0.
        index: usize,
        /// Of how many.
        of: usize,
    },
    /// It is done.
    Tried {
        /// Which.
        algorithm: Algorithm,
        /// What it reached on the held-out rows.
        metrics: &'a Metrics,
    },
    /// It found nothing.
    Failed {
        /// Which.
        algorithm: Algorithm,
        /// Why.
        error: &'a LearnError,
    },
}

/// Trains. The best algorithm is that with the best gate metric on the held-out rows, or without a gate the best
/// accuracy (of equals the one with the smaller log loss) or the smallest RMSE.
pub fn train(
    data: &DataSet,
    settings: &TrainSettings,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<SavedModel, TrainingError> {
    let target = resolve(data, &settings.target, settings.task)?;
    let algorithms = algorithms(settings, target.task())?;
    let candidates = candidates(data, settings)?;
    let parts = split(&data.row_hashes, settings.seed, settings.holdout)?;
    let mut notes: Vec<String> = candidates.iter().filter_map(|column| data.reading_note(column)).collect();
    let (preprocessing, dropped) = Preprocessing::fit(&candidates, &parts.train);
    notes.extend(dropped);
    for note in &notes {
        tell(Step::Note(note));
    }
    if preprocessing.features.is_empty() {
        let reasons = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
        return Err(DatasetError::NoFeatures { target: settings.target.clone(), reasons }.into());
    }
    let columns: Vec<&Column> =
        preprocessing.features.iter().filter_map(|feature| data.column(&feature.name)).collect();
    let problem = Problem::new(settings, target, &parts)?;
    tell(Step::Prepared {
        task: problem.task(),
        train: parts.train.len(),
        held_out: parts.held_out.len(),
        features: preprocessing.features.len(),
    });
    let rows = preprocessing.matrix(&columns, &parts.train)?;
    let held_out = preprocessing.matrix(&columns, &parts.held_out)?;
    let best = problem.solve(&algorithms, settings, &rows, &held_out, tell)?;
    let reference = Reference::fit(&preprocessing, &columns, &parts.train);
    let card = card(data, settings, &preprocessing, &problem, &parts, &best, notes);
    Ok(SavedModel::new(Contents { card, preprocessing, predictor: best.predictor, reference })?)
}

/// The algorithms that suit a task, in the order they are tried.
fn suitable(task: Task) -> &'static [Algorithm] {
    match task {
        Task::Classification => &[Algorithm::Logistic, Algorithm::NaiveBayes],
        Task::Regression => &[Algorithm::Linear],
    }
}

fn algorithms(settings: &TrainSettings, task: Task) -> Result<Vec<Algorithm>, TrainingError> {
    let suitable = suitable(task);
    if settings.algorithms.is_empty() {
        return Ok(suitable.to_vec());
    }
    match settings.algorithms.iter().find(|algorithm| !suitable.contains(algorithm)) {
        None => Ok(settings.algorithms.clone()),
        Some(algorithm) => Err(TrainingError::Unsuitable {
            algorithm: algorithm_name(*algorithm),
            task: task_name(task),
            target: settings.target.clone(),
            suitable: suitable.iter().map(|algorithm| algorithm_name(*algorithm)).collect::<Vec<_>>().join(" or "),
        }),
    }
}

/// The word for a task.
pub fn task_name(task: Task) -> &'static str {
    match task {
        Task::Classification => "classification",
        Task::Regression => "regression",
    }
}

/// The columns that may be learned from. A name in `exclude` that is no column is an error: mistyped, it would let a
/// column in that was to be kept out.
fn candidates<'a>(data: &'a DataSet, settings: &TrainSettings) -> Result<Vec<&'a Column>, DatasetError> {
    let names = || data.columns.iter().map(|column| column.name.as_str());
    if let Some(unknown) = settings.exclude.iter().find(|name| data.column(name).is_none()) {
        return Err(DatasetError::MissingColumn {
            role: "the excluded column",
            column: unknown.clone(),
            hint: nearest::hint(unknown, names()),
        });
    }
    Ok(data
        .columns
        .iter()
        .filter(|column| column.name != settings.target && !settings.exclude.contains(&column.name))
        .collect())
}

/// What is to be learned, by the rows of each part.
enum Problem {
    Classes { labels: Vec<String>, integers: bool, train: Array1<usize>, held_out: Vec<Option<usize>> },
    Numbers { train: Array1<f64>, held_out: Vec<f64> },
}

struct Solution {
    algorithm: Algorithm,
    predictor: Predictor,
    metrics: Metrics,
}

impl Problem {
    /// Only classes among the training rows can be learned; a held-out row of another one will count as wrong.
    fn new(settings: &TrainSettings, target: Target, parts: &Split) -> Result<Self, DatasetError> {
        match target {
            Target::Numbers(numbers) => Ok(Self::Numbers {
                train: pick(&numbers, &parts.train).collect(),
                held_out: pick(&numbers, &parts.held_out).collect(),
            }),
            Target::Classes { labels, integers, codes } => {
                let mut dense: BTreeMap<usize, usize> = pick(&codes, &parts.train).map(|code| (code, 0)).collect();
                for (place, (_, code)) in dense.iter_mut().enumerate() {
                    *code = place;
                }
                let labels: Vec<String> = dense.keys().filter_map(|code| labels.get(*code).cloned()).collect();
                if let [only] = labels.as_slice() {
                    return Err(DatasetError::OneClassInTraining {
                        column: settings.target.clone(),
                        value: only.clone(),
                        train: parts.train.len(),
                    });
                }
                Ok(Self::Classes {
                    labels,
                    integers,
                    train: pick(&codes, &parts.train).filter_map(|code| dense.get(&code).copied()).collect(),
                    held_out: pick(&codes, &parts.held_out).map(|code| dense.get(&code).copied()).collect(),
                })
            }
        }
    }

    fn task(&self) -> Task {
        match self {
            Self::Classes { .. } => Task::Classification,
            Self::Numbers { .. } => Task::Regression,
        }
    }

    /// Tries each algorithm and returns the best.
    fn solve(
        &self,
        algorithms: &[Algorithm],
        settings: &TrainSettings,
        rows: &ndarray::Array2<f64>,
        held_out: &ndarray::Array2<f64>,
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<Solution, TrainingError> {
        let mut best: Option<Solution> = None;
        let mut failures = Vec::new();
        for (index, &algorithm) in algorithms.iter().enumerate() {
            tell(Step::Trying { algorithm, index, of: algorithms.len() });
            let fitted = match self {
                Self::Classes { labels, train, .. } => learn::fit_classes(algorithm, rows, train, labels.len()),
                Self::Numbers { train, .. } => learn::fit_numbers(algorithm, rows, train),
            };
            match fitted {
                Ok(predictor) => {
                    let metrics = self.judge(&predictor, held_out);
                    tell(Step::Tried { algorithm, metrics: &metrics });
                    if best.as_ref().is_none_or(|best| self.beats(settings, &metrics, &best.metrics)) {
                        best = Some(Solution { algorithm, predictor, metrics });
                    }
                }
                Err(error) => {
                    tell(Step::Failed { algorithm, error: &error });
                    failures.push(error.to_string());
                }
            }
        }
        best.ok_or_else(|| TrainingError::AllFailed(failures.join("; ")))
    }

    fn judge(&self, predictor: &Predictor, rows: &ndarray::Array2<f64>) -> Metrics {
        let (mut probabilities, mut values) = (Vec::new(), Vec::new());
        for row in rows.rows() {
            match predictor.predict(&row.to_vec()) {
                Output::Probabilities(row) => probabilities.push(row),
                Output::Value(value) => values.push(value),
            }
        }
        match self {
            Self::Classes { held_out, .. } => evaluate::classification(held_out, &probabilities),
            Self::Numbers { held_out, .. } => evaluate::regression(held_out, &values),
        }
    }

    fn beats(&self, settings: &TrainSettings, candidate: &Metrics, best: &Metrics) -> bool {
        let gate = settings.gate.as_ref().map(|gate| gate.metric.as_str());
        let usual: &[&str] = match self.task() {
            Task::Classification => &["accuracy", "log_loss"],
            Task::Regression => &["rmse"],
        };
        for metric in gate.iter().chain(usual) {
            if evaluate::is_better(metric, candidate, best) {
                return true;
            }
            if evaluate::is_better(metric, best, candidate) {
                return false;
            }
        }
        false
    }
}

fn pick<'a, T: Copy>(values: &'a [T], rows: &'a [usize]) -> impl Iterator<Item = T> + 'a {
    rows.iter().filter_map(|row| values.get(*row).copied())
}

fn card(
    data: &DataSet,
    settings: &TrainSettings,
    preprocessing: &Preprocessing,
    problem: &Problem,
    parts: &Split,
    best: &Solution,
    notes: Vec<String>,
) -> Card {
    let (classes, integer_classes) = match problem {
        Problem::Classes { labels, integers, .. } => (labels.clone(), *integers),
        Problem::Numbers { .. } => (Vec::new(), false),
    };
    let used = |name: &String| preprocessing.features.iter().any(|feature| feature.name == *name);
    Card {
        trainyard: env!("CARGO_PKG_VERSION").to_owned(),
        task: problem.task(),
        target: settings.target.clone(),
        algorithm: best.algorithm,
        features: preprocessing.features.iter().map(FeatureCard::from).collect(),
        ignored: data.columns.iter().map(|column| column.name.clone()).filter(|name| !used(name)).collect(),
        classes,
        integer_classes,
        metrics: best.metrics.clone(),
        rows: RowCounts {
            total: data.rows() as u64,
            train: parts.train.len() as u64,
            held_out: parts.held_out.len() as u64,
        },
        lineage: Lineage { data: data.digest(), files: data.files.clone() },
        seed: settings.seed,
        settings: settings.clone(),
        notes,
    }
}

#[cfg(test)]
mod tests {
    use super::{Algorithm, DatasetError, Step, Task, TrainingError, train};
    use crate::config::{GateSettings, TrainSettings};
    use crate::model::dataset::{DataSet, read};
    use crate::model::samples::{self, Folder};

    fn flowers() -> DataSet {
        read(&[Folder::new().write("flowers.csv", &samples::flowers())]).unwrap()
    }

    fn trained(data: &DataSet, settings: &TrainSettings) -> Result<Vec<String>, TrainingError> {
        let mut tried = Vec::new();
        train(data, settings, &mut |step| {
            if let Step::Tried { algorithm, .. } = step {
                tried.push(format!("{algorithm:?}"));
            }
        })?;
        Ok(tried)
    }

    #[test]
    fn separable_classes_are_predicted_on_rows_never_seen() {
        let model = train(&flowers(), &samples::settings("kind"), &mut |_| {}).unwrap();
        assert!(model.card().metrics["accuracy"] > 0.98, "{:?}", model.card().metrics);
        assert_eq!(model.card().classes, ["short", "tall"]);
        assert_eq!(model.card().rows.total, model.card().rows.train + model.card().rows.held_out);
    }

    #[test]
    fn auto_tries_all_that_suit_the_task() {
        assert_eq!(trained(&flowers(), &samples::settings("kind")).unwrap(), ["Logistic", "NaiveBayes"]);
        assert_eq!(trained(&flowers(), &samples::settings("height")).unwrap(), ["Linear"]);
    }

    #[test]
    fn a_linear_relation_is_found() {
        let rows: String = (0..200).map(|row| format!("{row},{}\n", f64::from(row) * 2.5 + 7.25)).collect();
        let data = read(&[Folder::new().write("a.csv", &format!("x,y\n{rows}"))]).unwrap();
        let model = train(&data, &samples::settings("y"), &mut |_| {}).unwrap();
        assert_eq!(model.card().task, Task::Regression);
        assert!(model.card().metrics["r2"] > 0.9999, "{:?}", model.card().metrics);
    }

    #[test]
    fn an_algorithm_for_the_other_task_is_refused_with_those_that_fit() {
        let settings = TrainSettings { algorithms: vec![Algorithm::Linear], ..samples::settings("kind") };
        let message = trained(&flowers(), &settings).unwrap_err().to_string();
        assert!(
            message.starts_with("linear does not suit classification of \"kind\"; use logistic or naive-bayes"),
            "{message}"
        );
    }

    #[test]
    fn a_mistyped_exclusion_is_an_error_and_not_a_leak() {
        let settings = TrainSettings { exclude: vec!["heigth".to_owned()], ..samples::settings("kind") };
        let message = trained(&flowers(), &settings).unwrap_err().to_string();
        assert!(message.ends_with("did you mean \"height\"?"), "{message}");
    }

    #[test]
    fn excluded_columns_are_not_features_but_may_be_sent() {
        let settings = TrainSettings { exclude: vec!["height".to_owned()], ..samples::settings("kind") };
        let model = train(&flowers(), &settings, &mut |_| {}).unwrap();
        assert!(model.card().features.iter().all(|feature| feature.name != "height"));
        assert!(model.predict(&[samples::record(0)]).is_ok());
    }

    #[test]
    fn a_target_alone_is_nothing_to_learn_from() {
        let data = read(&[Folder::new().write("a.csv", &format!("y\n{}", "a\nb\n".repeat(50)))]).unwrap();
        let result = trained(&data, &samples::settings("y"));
        assert!(matches!(result, Err(TrainingError::Data(_))), "{result:?}");
    }

    #[test]
    fn the_gate_metric_decides_which_model_wins() {
        let gate = Some(GateSettings { metric: "log_loss".to_owned(), min: 10.0 });
        let settings = TrainSettings { gate, ..samples::settings("kind") };
        let mut least = f64::INFINITY;
        let model = train(&flowers(), &settings, &mut |step| {
            if let Step::Tried { metrics, .. } = step {
                least = least.min(metrics["log_loss"]);
            }
        })
        .unwrap();
        assert!((model.card().metrics["log_loss"] - least).abs() < 1e-12);
    }

    #[test]
    fn too_few_rows_say_how_many_are_needed() {
        let data = read(&[Folder::new().write("a.csv", "x,y\n1,a\n2,b\n")]).unwrap();
        let settings = TrainSettings { holdout: 1e-9, ..samples::settings("y") };
        assert!(matches!(trained(&data, &settings), Err(TrainingError::Data(DatasetError::TooFewRows { .. }))));
    }
}
