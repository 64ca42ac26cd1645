//! Where each trial stands, for people: the leaderboard while a search is under way, and the table of trials in the card.

use serde::{Deserialize, Serialize};

use crate::api::types::TrialState;
use crate::model::card::learner_form;
use crate::model::evaluate::Metrics;
use crate::model::learn::learner::{Learner, algorithm_name};

/// Where a trial stands. This is also what the card keeps of it, so nothing in it depends on a clock.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Standing {
    /// Its number, from 1.
    pub trial: u32,
    /// What is tried.
    #[serde(with = "learner_form")]
    pub learner: Learner,
    /// What it is, for people.
    pub description: String,
    /// What has become of it.
    pub state: TrialState,
    /// The highest rung that it finished, from 1; 0 before that.
    pub rung: u32,
    /// What it reached there, in the mean of the folds.
    pub mean: Metrics,
    /// The standard deviation of the leading metric over the folds.
    pub deviation: Option<f64>,
    /// Why it learned nothing.
    pub failure: Option<String>,
}

impl Standing {
    fn new(learner: &Learner, trial: u32) -> Self {
        Self {
            trial,
            learner: learner.clone(),
            description: learner.describe(),
            state: TrialState::Waiting,
            rung: 0,
            mean: Metrics::new(),
            deviation: None,
            failure: None,
        }
    }
}

/// The trials of a search.
#[derive(Debug, Clone, PartialEq)]
pub struct Board {
    /// The metric that decides.
    pub metric: String,
    /// By their numbers.
    pub standings: Vec<Standing>,
    /// For each trial how long its folds took, in seconds, together.
    pub seconds: Vec<f64>,
    /// The rung that is under way, from 1.
    pub rung: u32,
    /// How many rungs there are.
    pub rungs: u32,
    /// Trials of this rung that are over.
    pub over: usize,
    /// Trials of all rungs that are over: a learner that goes on to the next rung is tried there once more.
    pub finished: usize,
    /// Trials of all rungs, as far as is known by now.
    pub planned: usize,
    /// The place of the best so far.
    pub best: Option<usize>,
    /// How far the whole search is, between 0 and 1.
    pub share: f64,
}

impl Board {
    pub(super) fn new(metric: &str, learners: &[Learner], rungs: usize) -> Self {
        Self {
            metric: metric.to_owned(),
            standings: learners.iter().zip(1..).map(|(learner, trial)| Standing::new(learner, trial)).collect(),
            seconds: vec![0.0; learners.len()],
            rung: 1,
            rungs: u32::try_from(rungs).unwrap_or(u32::MAX),
            over: 0,
            finished: 0,
            planned: learners.len(),
            best: None,
            share: 0.0,
        }
    }

    /// In one line: `trial 12 of 40 · best boosting 0.712`. It counts through all rungs and never back.
    pub fn message(&self) -> String {
        let rung = if self.rungs > 1 { format!(" in rung {} of {}", self.rung, self.rungs) } else { String::new() };
        let now = (self.finished + 1).min(self.planned);
        let best = self.best.and_then(|place| self.standings.get(place));
        let best = best.and_then(|best| Some((best, best.mean.get(&self.metric)?)));
        let best = best.map(|(best, value)| format!(" · best {} {value:.3}", algorithm_name(best.learner.algorithm())));
        format!("trial {now} of {}{rung}{}", self.planned, best.unwrap_or_default())
    }

    /// One more trial, which turned out to be worth it.
    pub(super) fn add(&mut self, learner: &Learner) {
        let trial = u32::try_from(self.standings.len() + 1).unwrap_or(u32::MAX);
        self.standings.push(Standing::new(learner, trial));
        self.seconds.push(0.0);
    }

    pub(super) fn set(&mut self, trial: usize, state: TrialState) {
        if let Some(standing) = self.standings.get_mut(trial) {
            standing.state = state;
        }
    }

    pub(in crate::model) fn fail(&mut self, trial: usize, reason: &str) {
        if let Some(standing) = self.standings.get_mut(trial) {
            standing.state = TrialState::Failed;
            standing.failure = Some(reason.to_owned());
        }
    }

    /// The trial became the model.
    pub(in crate::model) fn choose(&mut self, trial: usize) {
        self.set(trial, TrialState::Chosen);
        self.best = Some(trial);
        self.share = 1.0;
    }
}

#[cfg(test)]
mod tests {
    use super::{Board, Learner};

    #[test]
    fn a_line_says_how_far_it_is_and_who_leads() {
        let learners = [Learner::Linear, Learner::ElasticNet { penalty: 0.1, l1_ratio: 0.5 }];
        let mut board = Board::new("r2", &learners, 1);
        assert_eq!(board.message(), "trial 1 of 2");
        board.standings[1].mean.insert("r2".to_owned(), 0.71249);
        (board.best, board.finished) = (Some(1), 2);
        assert_eq!(board.message(), "trial 2 of 2 · best elastic-net 0.712");
        (board.rung, board.rungs, board.planned) = (2, 3, 4);
        assert_eq!(board.message(), "trial 3 of 4 in rung 2 of 3 · best elastic-net 0.712");
    }
}
