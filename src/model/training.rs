//! From a data set and settings to a model: split, search, learn, evaluate.
//!
//! Candidates are compared on the training rows alone ([`search`](crate::model::search)); the best learns again from all of
//! them, and only then are the held-out rows looked at, once. It says what it does through [`Step`]s; what is done with
//! those (a log, a progress bar, a leaderboard) is the caller's, and so are clocks and signals ([`Control`]).

use std::collections::BTreeMap;

use crate::api::types::{CardFeature, CardRows};
use crate::config::{Algorithm, Task, TrainSettings};
use crate::disk::digest_bytes;
use crate::model::card::{Card, Lineage, SearchCard};
use crate::model::data::column::Column;
use crate::model::data::dataset::DataSet;
use crate::model::data::dataset_error::DatasetError;
use crate::model::data::split::{Split, split};
use crate::model::data::target::{Target, resolve};
use crate::model::drift::Reference;
use crate::model::envelope::{Contents, EnvelopeError, SavedModel};
use crate::model::evaluate::{Criteria, Evaluation, Request, evaluate};
use crate::model::learn::fit::{Fitted, fit};
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::learner::{Learner, algorithm_name, automatic, suitable};
use crate::model::learn::predictor::Output;
use crate::model::learn::preprocess::Preprocessing;
use crate::model::learn::problem::{Labels, Problem};
use crate::model::nearest;
use crate::model::search::{self, Board, Control, Found, Journal, Plan, Progress, attended};

/// Blends are tried up to so many training rows.
const MOST_ROWS_OF_BLENDS: usize = 100_000;

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
    /// Somebody wanted it to end.
    #[error("the training was stopped before there was a model; what the search found out so far is kept for the next")]
    Stopped,
    /// The model cannot be written.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
}

/// What training is doing.
#[derive(Debug)]
pub enum Step<'a> {
    /// Something the user should know about the data.
    Note(&'a str),
    /// The rows are split.
    Prepared {
        /// What is learned.
        task: Task,
        /// Rows to learn from.
        train: usize,
        /// Rows held out.
        held_out: usize,
        /// Columns that are used.
        features: usize,
        /// Columns that there are beside the target.
        columns: usize,
        /// Learners that will be tried.
        trials: usize,
    },
    /// The leaderboard changed.
    Board(&'a Board),
    /// A trial, by its place on the board, has finished a rung or failed.
    Tried(&'a Board, usize),
    /// The best learner learns from all training rows.
    Learning(&'a Learner),
    /// It found nothing, and the next best follows.
    Failed {
        /// Which.
        learner: &'a Learner,
        /// Why.
        error: &'a LearnError,
    },
    /// The held-out rows are looked at.
    Evaluating,
    /// How good the model is.
    Evaluated(&'a Evaluation),
    /// It is still at work on the same.
    Waiting,
}

/// Trains with all threads and without an end; see [`train_under`].
pub fn train(
    data: &DataSet,
    settings: &TrainSettings,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<SavedModel, TrainingError> {
    train_under(data, settings, &Control::alone(), tell).map(|(model, _)| model)
}

/// Trains. The best learner is that with the best gate metric in cross-validation, or without a gate the best accuracy
/// (of equals the one with the smaller log loss) or the smallest RMSE. Beside the model comes the journal of the search, if
/// one is kept: it is to be removed once the model is saved, and not before, or what ends the program meanwhile would lose
/// the search.
pub fn train_under(
    data: &DataSet,
    settings: &TrainSettings,
    control: &Control<'_>,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(SavedModel, Option<Journal>), TrainingError> {
    let target = resolve(data, &settings.target, settings.task)?;
    let task = target.task();
    let (algorithms, blends) = algorithms(settings, task)?;
    let columns = usable(data, settings)?;
    let slices = slices(data, settings)?;
    let parts = split(data, settings)?;
    let (columns, notes) = prepare(data, settings, columns, &parts)?;
    for note in &notes {
        tell(Step::Note(note));
    }
    let (labels, classes) = labels(settings, target, &parts)?;
    let problem = Problem { columns, labels };
    let size = (parts.train.len(), problem.columns.len());
    let trials = usize::try_from(settings.search.trials).unwrap_or(usize::MAX);
    let candidates = search::candidates(&algorithms, task, size, trials, settings.seed);
    tell(Step::Prepared {
        task,
        train: parts.train.len(),
        held_out: parts.held_out.len(),
        features: problem.columns.len(),
        columns: data.columns.len().saturating_sub(1),
        trials: candidates.len(),
    });
    // Of many rows one learner alone learns what there is, and several cost as many times the time and the memory.
    let blends = blends && parts.train.len() <= MOST_ROWS_OF_BLENDS;
    let training = Training { data, settings, control, parts: &parts, problem: &problem, task, blends };
    let mut searched = training.search(&candidates, tell)?;
    let (chosen, fitted) = training.learn(&mut searched.found, tell)?;
    tell(Step::Board(&searched.found.board));
    tell(Step::Evaluating);
    let (outputs, evaluation) = training.evaluate(&fitted, &classes.labels, &slices, tell)?;
    tell(Step::Evaluated(&evaluation));
    let features = training.columns_of(&fitted.preprocessing);
    let reference = Reference::fit(&fitted.preprocessing, &features, &parts.train).with_predictions(&outputs);
    let card = training.card(&chosen, &fitted.preprocessing, classes, &searched, evaluation, notes);
    let model = SavedModel::new(Contents {
        card,
        preprocessing: fitted.preprocessing,
        predictor: fitted.predictor,
        reference,
    })?;
    Ok((model, searched.journal))
}

/// What is tried, and whether blends of it are.
fn algorithms(settings: &TrainSettings, task: Task) -> Result<(Vec<Algorithm>, bool), TrainingError> {
    let is_blend = |algorithm: &Algorithm| *algorithm == Algorithm::Blend;
    let named: Vec<Algorithm> = settings.algorithms.iter().copied().filter(|algorithm| !is_blend(algorithm)).collect();
    let blends = settings.algorithms.is_empty() || settings.algorithms.iter().any(is_blend);
    if named.is_empty() {
        return Ok((automatic(task).to_vec(), blends));
    }
    match named.iter().find(|algorithm| !suitable(task).contains(algorithm)) {
        None => Ok((named, blends)),
        Some(algorithm) => {
            let suitable: Vec<&str> = suitable(task).iter().map(|algorithm| algorithm_name(*algorithm)).collect();
            Err(TrainingError::Unsuitable {
                algorithm: algorithm_name(*algorithm),
                task: task_name(task),
                target: settings.target.clone(),
                suitable: suitable.join(" or "),
            })
        }
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
fn usable<'a>(data: &'a DataSet, settings: &TrainSettings) -> Result<Vec<&'a Column>, DatasetError> {
    for name in &settings.exclude {
        named(data, name, "the excluded column")?;
    }
    Ok(data
        .columns
        .iter()
        .filter(|column| column.name != settings.target && !settings.exclude.contains(&column.name))
        .collect())
}

/// The columns by which the evaluation is cut into parts; one that is not learned from is as good.
fn slices<'a>(data: &'a DataSet, settings: &TrainSettings) -> Result<Vec<&'a Column>, DatasetError> {
    settings.slices.iter().map(|name| named(data, name, "the column in `slices`")).collect()
}

fn named<'a>(data: &'a DataSet, name: &str, role: &'static str) -> Result<&'a Column, DatasetError> {
    data.column(name).ok_or_else(|| DatasetError::MissingColumn {
        role,
        column: name.to_owned(),
        hint: nearest::hint(name, data.columns.iter().map(|column| column.name.as_str())),
    })
}

/// The columns that say something in the training rows, and notes on those that do not.
fn prepare<'a>(
    data: &DataSet,
    settings: &TrainSettings,
    columns: Vec<&'a Column>,
    parts: &Split,
) -> Result<(Vec<&'a Column>, Vec<String>), DatasetError> {
    let excluded = settings.exclude.iter().filter(|name| **name != settings.target);
    let mut notes: Vec<String> =
        excluded.map(|name| format!("column \"{name}\" is left out: `exclude` of the stage names it")).collect();
    notes.extend(columns.iter().filter_map(|column| data.reading_note(column)));
    let (preprocessing, dropped) = Preprocessing::fit(&columns, &parts.train);
    notes.extend(dropped);
    if preprocessing.features.is_empty() {
        let reasons = if notes.is_empty() { String::new() } else { format!(" ({})", notes.join("; ")) };
        return Err(DatasetError::NoFeatures { target: settings.target.clone(), reasons });
    }
    let is_used = |column: &&Column| preprocessing.features.iter().any(|feature| feature.name == column.name);
    Ok((columns.into_iter().filter(is_used).collect(), notes))
}

/// The names of the classes that are learned; none for a regression.
#[derive(Default)]
struct Classes {
    labels: Vec<String>,
    integers: bool,
}

/// What is to be learned, a label a row of the data set. Only classes among the training rows can be; a held-out row of
/// another one will count as wrong.
fn labels(settings: &TrainSettings, target: Target, parts: &Split) -> Result<(Labels, Classes), DatasetError> {
    let (labels, integers, codes) = match target {
        Target::Numbers(numbers) => return Ok((Labels::Numbers(numbers), Classes::default())),
        Target::Classes { labels, integers, codes } => (labels, integers, codes),
    };
    let mut dense: BTreeMap<usize, usize> =
        parts.train.iter().filter_map(|row| codes.get(*row)).map(|code| (*code, 0)).collect();
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
    let codes = codes.into_iter().map(|code| dense.get(&code).copied().unwrap_or(usize::MAX)).collect();
    Ok((Labels::Classes { codes, count: labels.len() }, Classes { labels, integers }))
}

/// A search that is over, or was not needed.
struct Searched {
    found: Found,
    folds: u32,
    journal: Option<Journal>,
}

/// What all parts of one training share.
struct Training<'a> {
    data: &'a DataSet,
    settings: &'a TrainSettings,
    control: &'a Control<'a>,
    parts: &'a Split,
    problem: &'a Problem<'a>,
    task: Task,
    blends: bool,
}

impl Training<'_> {
    fn criteria(&self) -> Criteria {
        Criteria::new(self.settings, self.task)
    }

    /// Compares the candidates. One alone needs no comparison, and too few rows allow none: then the first is taken.
    fn search(&self, candidates: &[Learner], tell: &mut dyn FnMut(Step<'_>)) -> Result<Searched, TrainingError> {
        let (settings, criteria) = (self.settings, self.criteria());
        let hashes = &self.data.row_hashes;
        let folds = match candidates {
            [_] => Vec::new(),
            _ => search::folds(hashes, &self.parts.train, &self.problem.labels, settings.search.folds, settings.seed),
        };
        if folds.is_empty() {
            if candidates.len() > 1 {
                tell(Step::Note(
                    "there are too few rows to compare learners; the first that finds a solution is taken",
                ));
            }
            return Ok(Searched { found: Found::without_search(candidates, &criteria), folds: 0, journal: None });
        }
        let mut journal = self.journal(candidates, tell);
        let plan = Plan {
            problem: self.problem,
            row_hashes: hashes,
            candidates,
            blends: self.blends,
            folds: &folds,
            criteria: &criteria,
            seed: settings.seed,
            time: settings.search.time,
            control: self.control,
        };
        let found = search::search(&plan, &mut journal, &mut |progress| match progress {
            Progress::Changed(board) => tell(Step::Board(board)),
            Progress::Finished(board, trial) => tell(Step::Tried(board, trial)),
            Progress::Nothing => tell(Step::Waiting),
            Progress::Note(note) => tell(Step::Note(note)),
        });
        let found = found.ok_or(TrainingError::Stopped)?;
        Ok(Searched { found, folds: u32::try_from(folds.len()).unwrap_or(u32::MAX), journal })
    }

    fn journal(&self, candidates: &[Learner], tell: &mut dyn FnMut(Step<'_>)) -> Option<Journal> {
        let folder = self.control.journals?;
        match Journal::open(folder, &self.journal_key(candidates)) {
            Ok(journal) => Some(journal),
            Err(error) => {
                let folder = folder.display();
                tell(Step::Note(&format!(
                    "no journal of the search can be kept in {folder} ({error}); should it be interrupted, it begins anew"
                )));
                None
            }
        }
    }

    fn journal_key(&self, candidates: &[Learner]) -> String {
        let settings = serde_json::to_string(self.settings).unwrap_or_default();
        // The rows too: who reads the same files otherwise must not go on with what others found out.
        let rows: Vec<u8> = self.parts.train.iter().flat_map(|row| row.to_le_bytes()).collect();
        let settings = format!("{settings}\n{}", digest_bytes(&rows));
        search::key(&self.data.digest(), &settings, candidates)
    }

    /// The best learner that finds a solution in all training rows, by its place, and what it learned.
    fn learn(&self, found: &mut Found, tell: &mut dyn FnMut(Step<'_>)) -> Result<(Learner, Fitted), TrainingError> {
        for trial in found.ranking.clone() {
            let Some(learner) = found.board.standings.get(trial).map(|standing| standing.learner.clone()) else {
                continue;
            };
            tell(Step::Learning(&learner));
            let (problem, control, seed) = (self.problem, self.control, self.settings.seed);
            let work = || fit(problem, &self.parts.train, &learner, seed, control.threads.max(1), control.stop);
            match attended(work, &mut || tell(Step::Waiting)) {
                Ok(fitted) => {
                    found.board.choose(trial);
                    return Ok((learner, fitted));
                }
                Err(LearnError::Stopped) => return Err(TrainingError::Stopped),
                Err(error) => {
                    tell(Step::Failed { learner: &learner, error: &error });
                    found.board.fail(trial, &error.to_string());
                }
            }
        }
        let mut reasons: Vec<&str> =
            found.board.standings.iter().filter_map(|standing| standing.failure.as_deref()).collect();
        reasons.sort_unstable();
        reasons.dedup();
        Err(TrainingError::AllFailed(reasons.join("; ")))
    }

    /// What the model says of the held-out rows, and how good that is.
    fn evaluate(
        &self,
        fitted: &Fitted,
        classes: &[String],
        slices: &[&Column],
        tell: &mut dyn FnMut(Step<'_>),
    ) -> Result<(Vec<Output>, Evaluation), TrainingError> {
        let (criteria, threads) = (self.criteria(), self.control.threads.max(1));
        let held_out = &self.parts.held_out;
        let work = || {
            let outputs = fitted.outputs(&self.problem.columns, held_out, threads);
            let evaluation = evaluate(&Request {
                problem: self.problem,
                fitted,
                classes,
                held_out,
                outputs: &outputs,
                criteria: &criteria,
                slices,
                seed: self.settings.seed,
                threads,
                stop: self.control.stop,
            });
            (outputs, evaluation)
        };
        let evaluated = attended(work, &mut || tell(Step::Waiting));
        if (self.control.stop)() { Err(TrainingError::Stopped) } else { Ok(evaluated) }
    }

    /// The columns of the features, in their order.
    fn columns_of(&self, preprocessing: &Preprocessing) -> Vec<&Column> {
        preprocessing.features.iter().filter_map(|feature| self.data.column(&feature.name)).collect()
    }

    fn card(
        &self,
        learner: &Learner,
        preprocessing: &Preprocessing,
        classes: Classes,
        searched: &Searched,
        evaluation: Evaluation,
        notes: Vec<String>,
    ) -> Card {
        let (data, settings) = (self.data, self.settings);
        let is_used = |name: &String| preprocessing.features.iter().any(|feature| feature.name == *name);
        Card {
            trainyard: env!("CARGO_PKG_VERSION").to_owned(),
            task: self.task,
            target: settings.target.clone(),
            algorithm: learner.algorithm(),
            learner: learner.clone(),
            features: preprocessing.features.iter().map(CardFeature::from).collect(),
            ignored: data.columns.iter().map(|column| column.name.clone()).filter(|name| !is_used(name)).collect(),
            classes: classes.labels,
            integer_classes: classes.integers,
            metrics: evaluation.metrics.clone(),
            evaluation,
            search: SearchCard {
                folds: searched.folds,
                rungs: searched.found.rungs.clone(),
                in_time: searched.found.in_time,
                trials: searched.found.board.standings.clone(),
            },
            rows: CardRows {
                total: data.rows() as u64,
                train: self.parts.train.len() as u64,
                held_out: self.parts.held_out.len() as u64,
            },
            lineage: Lineage { data: data.digest(), files: data.files.clone() },
            profile: None,
            seed: settings.seed,
            settings: settings.clone(),
            notes,
        }
    }
}

#[cfg(test)]
#[path = "training_tests.rs"]
mod tests;
