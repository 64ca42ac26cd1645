//! The search itself: rung by rung, folds by several threads, standings as they change.

use std::cmp::{Ordering, Reverse};
use std::collections::BTreeMap;
use std::time::Duration;

use super::blends::blends;
use super::board::{Board, Standing};
use super::candidates::strength;
use super::control::Control;
use super::folds::Fold;
use super::journal::{Entry, Journal};
use super::pool::{self, Heard};
use super::schedule::{rungs, survivors};
use super::trial::{self, FoldResult, Setting};
use crate::api::types::TrialState;
use crate::config::Algorithm;
use crate::model::evaluate::{Criteria, Metrics};
use crate::model::learn::learner::Learner;
use crate::model::learn::problem::Problem;
use crate::model::number::float;

/// With fewer cells than these a thread is better used for a trial of its own than for a part of one.
const SMALL: usize = 2_000_000;

/// What is searched.
pub(in crate::model) struct Plan<'a> {
    /// What is to be learned.
    pub(in crate::model) problem: &'a Problem<'a>,
    /// The hash of each row of the data set.
    pub(in crate::model) row_hashes: &'a [u64],
    /// What is tried; the order decides between equals.
    pub(in crate::model) candidates: &'a [Learner],
    /// Whether blends of the best are tried in the end.
    pub(in crate::model) blends: bool,
    /// Parts of the training rows; at least one.
    pub(in crate::model) folds: &'a [Fold],
    /// By what trials are compared.
    pub(in crate::model) criteria: &'a Criteria,
    /// Seed of everything random.
    pub(in crate::model) seed: u64,
    /// When to stop looking and take the best so far.
    pub(in crate::model) time: Option<Duration>,
    /// The outside.
    pub(in crate::model) control: &'a Control<'a>,
}

/// What is told on the way.
pub(in crate::model) enum Progress<'a> {
    /// The board changed.
    Changed(&'a Board),
    /// A trial has finished a rung, or failed.
    Finished(&'a Board, usize),
    /// Nothing changed for a while.
    Nothing,
    /// Something that people should know.
    Note(&'a str),
}

/// What came of a search.
#[derive(Debug)]
pub(in crate::model) struct Found {
    /// Where each trial stands.
    pub(in crate::model) board: Board,
    /// The share of the rows at each rung.
    pub(in crate::model) rungs: Vec<f64>,
    /// Places of trials, the best first, without those that failed.
    pub(in crate::model) ranking: Vec<usize>,
    /// Whether every rung was finished before time was over.
    pub(in crate::model) in_time: bool,
}

impl Found {
    /// What there is when nothing is compared: the candidates in their order.
    pub(in crate::model) fn without_search(candidates: &[Learner], criteria: &Criteria) -> Self {
        Self {
            board: Board::new(leading(criteria), candidates, 1),
            rungs: Vec::new(),
            ranking: (0..candidates.len()).collect(),
            in_time: true,
        }
    }
}

/// Searches; `None` when it was stopped.
pub(in crate::model) fn search(
    plan: &Plan<'_>,
    journal: &mut Option<Journal>,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Option<Found> {
    let rows = plan.folds.iter().map(|fold| fold.train.len()).max().unwrap_or_default();
    let rungs = rungs(plan.candidates.len(), rows);
    let mut search = Search {
        plan,
        learners: plan.candidates.to_vec(),
        began: (plan.control.elapsed)(),
        results: BTreeMap::new(),
        finished: vec![None; plan.candidates.len()],
        board: Board::new(leading(plan.criteria), plan.candidates, rungs.len()),
        cost: Cost::new(&rungs, plan.candidates.len(), plan.blends),
        started: BTreeMap::new(),
    };
    search.board.planned = (0..rungs.len()).map(|rung| left_at(plan.candidates.len(), rung)).sum();
    for entry in journal.as_mut().map(Journal::take).unwrap_or_default() {
        search.results.insert((entry.rung, entry.trial, entry.fold), entry.result);
    }
    let mut alive = first_order(plan.candidates);
    let mut in_time = true;
    for (rung, share) in rungs.iter().enumerate() {
        search.climb(rung, *share, &alive, journal, tell);
        if (plan.control.stop)() {
            return None;
        }
        if search.board.over < alive.len() {
            in_time = false;
            break;
        }
        alive = search.select(rung, rungs.len(), &alive);
        tell(Progress::Changed(&search.board));
        if alive.is_empty() {
            break;
        }
    }
    if plan.blends && in_time {
        in_time = search.blend(rungs.len(), journal, tell)?;
    }
    let ranking = search.ranking();
    Some(Found { board: search.board, rungs, ranking, in_time })
}

struct Search<'a> {
    plan: &'a Plan<'a>,
    /// The candidates, and behind them blends.
    learners: Vec<Learner>,
    began: Duration,
    /// By rung, trial and fold.
    results: BTreeMap<(usize, usize, usize), FoldResult>,
    /// For each trial the highest rung that it finished.
    finished: Vec<Option<usize>>,
    board: Board,
    cost: Cost,
    started: BTreeMap<usize, Duration>,
}

/// One fold of one trial.
#[derive(Debug, Clone, Copy)]
struct Job {
    trial: usize,
    fold: usize,
}

impl Search<'_> {
    /// Runs the folds of a rung that are not known yet.
    fn climb(
        &mut self,
        rung: usize,
        share: f64,
        alive: &[usize],
        journal: &mut Option<Journal>,
        tell: &mut dyn FnMut(Progress<'_>),
    ) {
        let (plan, began, learners) = (self.plan, self.began, self.learners.clone());
        (self.board.rung, self.board.over) = (u32::try_from(rung + 1).unwrap_or(u32::MAX), 0);
        for trial in alive {
            let known = (0..plan.folds.len()).filter(|fold| self.results.contains_key(&(rung, *trial, *fold))).count();
            self.pay(*trial, share, known);
            self.settle(rung, *trial, tell);
        }
        let all = alive.iter().flat_map(|trial| (0..plan.folds.len()).map(|fold| Job { trial: *trial, fold }));
        let jobs: Vec<Job> = all.filter(|job| !self.results.contains_key(&(rung, job.trial, job.fold))).collect();
        let setting =
            Setting { problem: plan.problem, row_hashes: plan.row_hashes, criteria: plan.criteria, seed: plan.seed };
        let cells = plan.problem.columns.len() * plan.folds.iter().map(|fold| fold.train.len()).max().unwrap_or(0);
        let threads = plan.control.threads.max(1);
        // Large data: one trial at a time by all threads, which also needs the memory of one only.
        let (workers, each) = if cells < SMALL { (threads, 1) } else { (1, threads) };
        let stop = || (plan.control.stop)() || is_late(plan, began);
        let work = |job: &Job| {
            let (learner, fold) = (learners.get(job.trial)?, plan.folds.get(job.fold)?);
            if stop() { None } else { trial::run(&setting, learner, fold, share, each, &stop) }
        };
        pool::run(&jobs, workers, &work, &mut |heard: Heard<FoldResult>| match heard {
            Heard::Nothing => tell(Progress::Nothing),
            Heard::Started(index) => {
                self.started.insert(index, (plan.control.elapsed)());
                if let Some(job) = jobs.get(index) {
                    self.board.set(job.trial, TrialState::Running);
                    tell(Progress::Changed(&self.board));
                }
            }
            Heard::Done(index, result) => {
                if let Some(job) = jobs.get(index) {
                    self.clock(index, job.trial);
                    let entry = Entry { rung, trial: job.trial, fold: job.fold, result };
                    note(journal, &entry, tell);
                    self.results.insert((rung, job.trial, job.fold), entry.result);
                    self.pay(job.trial, share, 1);
                    self.settle(rung, job.trial, tell);
                }
            }
        });
        // Who was stopped in the middle is where it was before.
        let running = self.board.standings.iter_mut().filter(|standing| standing.state == TrialState::Running);
        for standing in running {
            standing.state = if standing.rung > 0 { TrialState::Kept } else { TrialState::Waiting };
        }
    }

    /// Tries blends of the best of each algorithm on all rows. Whether that was done in time; `None` when it was stopped.
    fn blend(
        &mut self,
        rungs: usize,
        journal: &mut Option<Journal>,
        tell: &mut dyn FnMut(Progress<'_>),
    ) -> Option<bool> {
        let last = rungs.saturating_sub(1);
        let ranked: Vec<&Standing> = self
            .ranking()
            .into_iter()
            .filter(|trial| self.finished.get(*trial) == Some(&Some(last)))
            .filter_map(|trial| self.board.standings.get(trial))
            .collect();
        let blends = blends(&ranked, &self.board.metric);
        let first = self.learners.len();
        for blend in blends {
            self.board.add(&blend);
            self.learners.push(blend);
            self.finished.push(None);
        }
        let alive: Vec<usize> = (first..self.learners.len()).collect();
        self.board.planned = self.board.finished + alive.len();
        self.climb(last, 1.0, &alive, journal, tell);
        tell(Progress::Changed(&self.board));
        if (self.plan.control.stop)() { None } else { Some(self.board.over >= alive.len()) }
    }

    /// So many folds of a trial are done.
    fn pay(&mut self, trial: usize, share: f64, folds: usize) {
        let weight = self.learners.get(trial).map_or(1.0, weight);
        let part = float(folds) / float(self.plan.folds.len().max(1));
        self.board.share = self.cost.paid(share * weight * part);
    }

    /// How long a fold took, for people only.
    fn clock(&mut self, index: usize, trial: usize) {
        if let Some(started) = self.started.remove(&index)
            && let Some(seconds) = self.board.seconds.get_mut(trial)
        {
            *seconds += (self.plan.control.elapsed)().saturating_sub(started).as_secs_f64();
        }
    }

    /// Once all folds of a trial are known at a rung, notes what it reached.
    fn settle(&mut self, rung: usize, trial: usize, tell: &mut dyn FnMut(Progress<'_>)) {
        let folds: Option<Vec<&FoldResult>> =
            (0..self.plan.folds.len()).map(|fold| self.results.get(&(rung, trial, fold))).collect();
        let Some(folds) = folds else { return };
        match summary(&folds, self.plan.criteria) {
            Ok((mean, deviation)) => {
                if let Some(finished) = self.finished.get_mut(trial) {
                    *finished = Some(rung);
                }
                if let Some(standing) = self.board.standings.get_mut(trial) {
                    standing.rung = self.board.rung;
                    standing.state = TrialState::Kept;
                    (standing.mean, standing.deviation) = (mean, deviation);
                }
            }
            Err(reason) => self.board.fail(trial, &reason),
        }
        self.board.over += 1;
        self.board.finished += 1;
        self.board.best = self.ranking().first().copied();
        tell(Progress::Finished(&self.board, trial));
    }

    /// Who goes on from a rung that is over; marks the others. From the last rung nobody needs to.
    fn select(&mut self, rung: usize, rungs: usize, alive: &[usize]) -> Vec<usize> {
        let ranked: Vec<usize> =
            self.ranking().into_iter().filter(|trial| self.finished.get(*trial) == Some(&Some(rung))).collect();
        if rung + 1 >= rungs {
            return ranked;
        }
        let of_algorithms: Vec<(usize, Algorithm)> =
            ranked.iter().filter_map(|trial| Some((*trial, self.plan.candidates.get(*trial)?.algorithm()))).collect();
        let going_on = survivors(&of_algorithms, rung == 0);
        for trial in alive {
            if ranked.contains(trial) && !going_on.contains(trial) {
                self.board.set(*trial, TrialState::Dropped);
            }
        }
        // More than a third go on where algorithms are many, and fewer where trials failed.
        let to_come: usize = (0..rungs - rung - 1).map(|later| left_at(going_on.len(), later)).sum();
        self.board.planned = self.board.finished + to_come;
        going_on
    }

    /// The trials that did not fail, the best first: by the rung that they finished, what they reached there, and their
    /// order. Those that finished none come last, the strongest algorithms first.
    fn ranking(&self) -> Vec<usize> {
        let standings = &self.board.standings;
        let mut trials: Vec<usize> = (0..standings.len())
            .filter(|trial| standings.get(*trial).is_some_and(|standing| standing.state != TrialState::Failed))
            .collect();
        trials.sort_by(|one, other| {
            let (Some(first), Some(second)) = (standings.get(*one), standings.get(*other)) else {
                return Ordering::Equal;
            };
            let rungs = second.rung.cmp(&first.rung);
            let means = self.plan.criteria.compare(&second.mean, &first.mean);
            let unfinished = if first.rung == 0 && second.rung == 0 {
                strength(second.learner.algorithm()).cmp(&strength(first.learner.algorithm()))
            } else {
                Ordering::Equal
            };
            rungs.then(means).then(unfinished).then(one.cmp(other))
        });
        trials
    }
}

/// In which order the first rung works: of each algorithm what is usual first, the strongest before the others, for time may
/// be over before all are done. Who is the better does not follow from it.
fn first_order(candidates: &[Learner]) -> Vec<usize> {
    let mut met: BTreeMap<u8, usize> = BTreeMap::new();
    let mut places: Vec<(usize, Reverse<u8>, usize)> = Vec::new();
    for (trial, learner) in candidates.iter().enumerate() {
        let strength = strength(learner.algorithm());
        let turn = met.entry(strength).or_default();
        *turn += 1;
        places.push((*turn, Reverse(strength), trial));
    }
    places.sort_unstable();
    places.into_iter().map(|(_, _, trial)| trial).collect()
}

/// The metric that decides.
fn leading(criteria: &Criteria) -> &str {
    criteria.names().first().map_or("", String::as_str)
}

fn is_late(plan: &Plan<'_>, began: Duration) -> bool {
    plan.time.is_some_and(|time| (plan.control.elapsed)().saturating_sub(began) >= time)
}

/// A journal that cannot be written is told of once; the search does without.
fn note(journal: &mut Option<Journal>, entry: &Entry, tell: &mut dyn FnMut(Progress<'_>)) {
    if let Some(journal) = journal
        && let Err(error) = journal.add(entry)
    {
        tell(Progress::Note(&format!(
            "the journal of the search cannot be written ({error}); should it be interrupted, it begins anew"
        )));
    }
}

/// The mean of each metric that every fold has, and how much the leading one differs between folds. The error is the
/// reason of the first fold that failed.
fn summary(folds: &[&FoldResult], criteria: &Criteria) -> Result<(Metrics, Option<f64>), String> {
    let mut scores: Vec<&Metrics> = Vec::new();
    for fold in folds {
        match fold {
            FoldResult::Scored(metrics) => scores.push(metrics),
            FoldResult::Failed(reason) => return Err(reason.clone()),
        }
    }
    let values = |name: &str| -> Option<Vec<f64>> { scores.iter().map(|metrics| metrics.get(name).copied()).collect() };
    let mean = |values: &[f64]| values.iter().sum::<f64>() / float(values.len());
    let means: Metrics =
        criteria.names().iter().filter_map(|name| Some((name.clone(), mean(&values(name)?)))).collect();
    let deviation = criteria.names().first().and_then(|name| {
        let values = values(name)?;
        let centre = mean(&values);
        let squares: Vec<f64> = values.iter().map(|value| (value - centre).powi(2)).collect();
        (values.len() > 1).then(|| mean(&squares).sqrt())
    });
    Ok((means, deviation))
}

/// How many of so many trials are left after so many rungs, where a third goes on.
fn left_at(trials: usize, rungs: usize) -> usize {
    (0..rungs).fold(trials, |left, _| left.div_ceil(3))
}

/// What a learner costs beside others: a blend learns each of its parts.
fn weight(learner: &Learner) -> f64 {
    if let Learner::Blend { parts } = learner { float(parts.len()) } else { 1.0 }
}

/// How much of the work is done, where a trial at a rung costs its share of the rows.
#[derive(Debug)]
struct Cost {
    whole: f64,
    paid: f64,
}

impl Cost {
    /// What blends there will be is not known yet; a blend of two and one of three are reckoned with.
    fn new(rungs: &[f64], trials: usize, blends: bool) -> Self {
        let whole: f64 = rungs.iter().enumerate().map(|(rung, share)| share * float(left_at(trials, rung))).sum();
        Self { whole: if blends { whole + 5.0 } else { whole }, paid: 0.0 }
    }

    /// Pays; how much is paid in all.
    fn paid(&mut self, cost: f64) -> f64 {
        self.paid += cost;
        (self.paid / self.whole).min(1.0)
    }
}

#[cfg(test)]
#[path = "halving_tests.rs"]
mod tests;
