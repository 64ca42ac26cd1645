//! Gradient boosting: trees that each mend what those before them still get wrong (Friedman, *Greedy function
//! approximation*, 2001), grown from histograms as `LightGBM` does (Ke et al., 2017).
//!
//! How many rounds are good is found on a part of the rows: one in ten is held back while there are a thousand or more,
//! and when their loss has not become smaller for a while the best round so far is the last. Few rows are dear, so below
//! [`ROWS_TO_LEARN_AGAIN`] everything is learned again from all of them then, with as many rounds.

use crate::model::learn::fit::Stop;
use crate::model::learn::learn_error::LearnError;
use crate::model::learn::problem::Lesson;
use crate::model::learn::tree::bins::Binned;
use crate::model::learn::tree::draft::Draft;
use crate::model::learn::tree::ensemble::Ensemble;
use crate::model::learn::tree::generator::Generator;
use crate::model::learn::tree::grow::{Grower, Grown};
use crate::model::learn::tree::objective::Objective;
use crate::model::learn::tree::portion;
use crate::model::learn::tree::split::Limits;

/// Of fewer rows none is held back: a tenth of them would say nothing.
const LEAST_ROWS_TO_JUDGE: usize = 1_000;
/// One row in so many is held back.
const JUDGES: usize = 10;
/// Up to so many rows it is worth to learn from all of them in the end.
const ROWS_TO_LEARN_AGAIN: usize = 20_000;
/// The loss must get smaller by this, or nothing happened.
const LEAST_PROGRESS: f64 = 1e-7;

/// The hyper-parameters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::model) struct Parameters {
    /// The most rounds; there is one tree a round and score.
    pub rounds: usize,
    /// The share of each step that is taken.
    pub rate: f64,
    /// What trees may do.
    pub limits: Limits,
    /// The share of rows that a tree sees.
    pub rows: f64,
    /// The share of columns that a tree sees.
    pub columns: f64,
}

/// What was learned.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::model) struct Boosted {
    /// The scores of a row of which nothing is known.
    pub start: Vec<f64>,
    /// The steps from there.
    pub trees: Ensemble,
}

/// Learns.
pub(in crate::model) fn boost(
    binned: &Binned,
    lesson: &Lesson,
    parameters: &Parameters,
    seed: u64,
    threads: usize,
    stop: &Stop<'_>,
) -> Result<Boosted, LearnError> {
    let generator = Generator::new(seed);
    let course = Course { binned, objective: Objective::new(lesson), parameters, generator, threads, stop };
    let rows = 0..u32::try_from(binned.rows).unwrap_or(u32::MAX);
    if binned.rows < LEAST_ROWS_TO_JUDGE {
        return Ok(course.run(&rows.collect::<Vec<_>>(), &[], parameters.rounds)?.0);
    }
    let mut draws = course.generator.split(usize::MAX);
    let (judges, learners): (Vec<u32>, Vec<u32>) = rows.clone().partition(|_| draws.below(JUDGES) == 0);
    let (boosted, rounds) = course.run(&learners, &judges, parameters.rounds)?;
    if binned.rows > ROWS_TO_LEARN_AGAIN {
        return Ok(boosted);
    }
    Ok(course.run(&rows.collect::<Vec<_>>(), &[], rounds)?.0)
}

struct Course<'a> {
    binned: &'a Binned,
    objective: Objective<'a>,
    parameters: &'a Parameters,
    generator: Generator,
    threads: usize,
    stop: &'a Stop<'a>,
}

impl Course<'_> {
    /// Learns from some rows, judged by others; returns how many rounds were best too.
    fn run(&self, learners: &[u32], judges: &[u32], rounds: usize) -> Result<(Boosted, usize), LearnError> {
        let (objective, lanes) = (&self.objective, self.objective.lanes());
        let start = objective.start(learners);
        let mut scores = start.repeat(self.binned.rows);
        let (mut probabilities, mut slopes) = (Vec::new(), Vec::new());
        let mut grower = Grower::new(self.binned, self.parameters.limits, self.threads);
        let mut trees = Ensemble::new(1, false);
        let mut best = (objective.loss(&scores, judges), 0);
        for round in 0..rounds {
            if (self.stop)() {
                return Err(LearnError::Stopped);
            }
            objective.probabilities(&scores, &mut probabilities, self.threads);
            for lane in 0..lanes {
                let mut generator = self.generator.split(round * lanes + lane);
                objective.slopes(&scores, &probabilities, lane, &mut slopes, self.threads);
                let (mut order, mut others) = self.draw_rows(learners, &mut generator);
                let mut grown = grower.grow(&mut order, &slopes, &self.draw_columns(&mut generator));
                scale(&mut grown.draft, self.parameters.rate);
                others.extend(judges);
                self.step(&mut scores, lane, &grown, &order, &others);
                scale(&mut grown.draft, objective.scale());
                trees.push(&grown.draft, self.binned, 0);
            }
            if !judges.is_empty() {
                let loss = objective.loss(&scores, judges);
                if loss < best.0 - LEAST_PROGRESS {
                    best = (loss, round + 1);
                } else if round + 1 - best.1 >= self.patience() {
                    break;
                }
            }
        }
        // A round at least, so that there is something to walk through.
        let rounds = if judges.is_empty() { rounds } else { best.1.max(1) };
        trees.truncate(rounds * lanes);
        let start = start.into_iter().map(|score| objective.in_unit(score)).collect();
        Ok((Boosted { start, trees }, rounds))
    }

    /// So many rounds without progress are the end. Small steps need more of them.
    fn patience(&self) -> usize {
        [(0.2, 10), (0.08, 20), (0.04, 40)]
            .into_iter()
            .find_map(|(rate, rounds)| (self.parameters.rate >= rate).then_some(rounds))
            .unwrap_or(80)
    }

    /// The rows that a tree learns from, and the others.
    fn draw_rows(&self, learners: &[u32], generator: &mut Generator) -> (Vec<u32>, Vec<u32>) {
        if self.parameters.rows >= 1.0 {
            return (learners.to_vec(), Vec::new());
        }
        learners.iter().copied().partition(|_| generator.share() < self.parameters.rows)
    }

    /// The columns that a tree may ask about, ascending.
    fn draw_columns(&self, generator: &mut Generator) -> Vec<usize> {
        let mut columns: Vec<usize> = (0..self.binned.columns.len()).collect();
        let count = portion(self.parameters.columns, columns.len());
        if count < columns.len() {
            generator.draw(&mut columns, count);
            columns.truncate(count);
            columns.sort_unstable();
        }
        columns
    }

    /// Adds what a tree says to the scores. The tree knows the place of the rows it grew from.
    fn step(&self, scores: &mut [f64], lane: usize, grown: &Grown, order: &[u32], others: &[u32]) {
        let lanes = self.objective.lanes();
        let mut add = |row: u32, value: f64| {
            if let Some(score) = scores.get_mut(row as usize * lanes + lane) {
                *score += value;
            }
        };
        for (rows, value) in grown.leaves.iter().zip(&grown.draft.values) {
            for row in order.get(rows.clone()).unwrap_or_default() {
                add(*row, *value);
            }
        }
        for row in others {
            let value = grown.draft.values.get(grown.draft.place(self.binned, *row)).copied();
            add(*row, value.unwrap_or_default());
        }
    }
}

fn scale(draft: &mut Draft, by: f64) {
    for value in &mut draft.values {
        *value *= by;
    }
}
