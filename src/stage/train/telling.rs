//! What a training says: lines of the log for people who read it later, progress and leaderboard for those who watch.
//!
//! The board is told whole whenever it changed, but never so often that the lines of a long search fill the file: the
//! time between two boards grows with the time the search has taken, and what was held back follows once nothing else
//! happens.

use std::io::Write;
use std::time::Duration;

use super::{Report, Sink, say};
use crate::api::types::{LEADERBOARD_ROWS, LeaderboardRow, TrialState};
use crate::config::TrainSettings;
use crate::model::{Board, Card, DataSet, Evaluation, Metrics, Standing, Step, Values, lower_is_better, task_name};
use crate::pipeline::quantity::counted;
use crate::stage::contract::ContractError;

/// The least time between two boards or two messages of progress.
const PAUSE: Duration = Duration::from_millis(300);
/// How far the stage is when data is read, when the search is over, and when the best has learned.
pub(super) const READ: f64 = 0.05;
const SEARCHED: f64 = 0.8;
const LEARNED: f64 = 0.92;
/// Columns and parts of the evaluation that the log lists; the card has all.
const LISTED: usize = 10;

/// Tells the steps of one training.
pub(super) struct Telling<'a> {
    target: &'a str,
    elapsed: &'a dyn Fn() -> Duration,
    log: &'a mut dyn Write,
    report: &'a mut Sink<'a>,
    /// The newest progress, and since when it is so.
    share: f64,
    message: String,
    since: Duration,
    told: Option<Duration>,
    board_told: Option<Duration>,
    /// The newest board, if it was not told yet.
    untold: Option<Vec<LeaderboardRow>>,
    /// Whether the log says already in how many trials learners are compared.
    said_rungs: bool,
    reported: Result<(), ContractError>,
}

impl<'a> Telling<'a> {
    pub(super) fn new<'b: 'a>(
        settings: &'a TrainSettings,
        elapsed: &'a dyn Fn() -> Duration,
        log: &'a mut dyn Write,
        report: &'a mut Sink<'b>,
    ) -> Self {
        Self {
            target: &settings.target,
            elapsed,
            log,
            report,
            share: READ,
            message: String::new(),
            since: Duration::ZERO,
            told: None,
            board_told: None,
            untold: None,
            said_rungs: false,
            reported: Ok(()),
        }
    }

    /// Tells one step.
    pub(super) fn tell(&mut self, step: &Step<'_>) {
        match step {
            Step::Note(note) => self.say(&format!("note: {note}")),
            Step::Prepared { task, train, held_out, features, columns, trials } => {
                let (task, target) = (task_name(*task), self.target);
                self.say(&format!(
                    "task: {task} of \"{target}\" from {features} of {columns} other columns; {train} rows to learn from, {held_out} held out"
                ));
                if *trials > 1 {
                    self.say(&format!("searching: {trials} learners"));
                }
            }
            Step::Board(board) => self.board(board),
            Step::Tried(board, trial) => {
                self.say(&tried(board, *trial));
                self.board(board);
            }
            Step::Learning(learner) => {
                self.say(&format!("learning: {}", learner.describe()));
                self.progress(SEARCHED, format!("learning {}", learner.describe()));
            }
            Step::Failed { learner, error } => self.say(&format!("{}: failed: {error}", learner.describe())),
            Step::Evaluating => self.progress(LEARNED, "evaluating".to_owned()),
            Step::Evaluated(evaluation) => evaluated(self.log, evaluation),
            Step::Waiting => self.wait(),
        }
    }

    /// The first report that could not be written.
    pub(super) fn end(self) -> Result<(), ContractError> {
        self.reported
    }

    fn say(&mut self, line: &str) {
        say(self.log, line);
    }

    /// Tells where trials stand; the chosen one always, the others not too often.
    fn board(&mut self, board: &Board) {
        let now = (self.elapsed)();
        if board.rungs > 1 && !self.said_rungs {
            self.said_rungs = true;
            let (rungs, trials) = (board.rungs, board.planned);
            self.say(&format!(
                "rungs: {rungs}; the best third goes on to more rows each time, about {trials} trials in all"
            ));
        }
        let is_over = board.standings.iter().any(|standing| standing.state == TrialState::Chosen);
        let pause = (now / 100).max(PAUSE);
        let is_due = self.board_told.is_none_or(|told| now.saturating_sub(told) >= pause);
        self.untold = Some(rows(board));
        if is_over || is_due {
            self.board_told = Some(now);
            self.tell_board();
        }
        if is_over {
            return;
        }
        let message = board.message();
        let is_due = self.told.is_none_or(|told| now.saturating_sub(told) >= PAUSE);
        if is_due && message != self.message {
            self.progress(READ + (SEARCHED - READ) * board.share, message);
        }
    }

    fn tell_board(&mut self) {
        if let Some(rows) = self.untold.take() {
            self.send(Report::Leaderboard(&rows));
        }
    }

    fn progress(&mut self, share: f64, message: String) {
        let now = (self.elapsed)();
        self.send(Report::Progress(share, &message));
        (self.share, self.message, self.since, self.told) = (share, message, now, Some(now));
    }

    /// Says the newest again, with how long it has been so.
    fn wait(&mut self) {
        let now = (self.elapsed)();
        if self.untold.is_some() {
            self.board_told = Some(now);
            self.tell_board();
        }
        let message = format!("{}, {} s", self.message, now.saturating_sub(self.since).as_secs());
        self.send(Report::Progress(self.share, &message));
    }

    fn send(&mut self, report: Report<'_>) {
        let sent = (self.report)(report);
        if self.reported.is_ok() {
            self.reported = sent;
        }
    }
}

/// A trial that finished a rung, in a line.
fn tried(board: &Board, trial: usize) -> String {
    let Some(standing) = board.standings.get(trial) else { return String::new() };
    let (finished, planned) = (board.finished, board.planned);
    let name = format!("trial {finished} of {planned} (learner {}: {})", standing.trial, standing.description);
    if let Some(failure) = &standing.failure {
        return format!("{name}: failed: {failure}");
    }
    let rung = if board.rungs > 1 { format!(", rung {}/{}", standing.rung, board.rungs) } else { String::new() };
    let seconds = board.seconds.get(trial).copied().unwrap_or_default();
    let spread = match (standing.mean.len(), standing.deviation) {
        (0, _) | (_, None) => String::new(),
        (_, Some(deviation)) => format!(", folds differ by {deviation:.4}"),
    };
    format!("{name}{rung}: {}{spread} ({seconds:.2} s)", listed(&standing.mean))
}

/// The rows that are told: those at work and those furthest on first, of equals the better one.
fn rows(board: &Board) -> Vec<LeaderboardRow> {
    let mut standings: Vec<&Standing> =
        board.standings.iter().filter(|standing| standing.state != TrialState::Waiting).collect();
    let mean = |standing: &Standing| standing.mean.get(&board.metric).copied();
    let merit = |standing: &Standing| {
        let sign = if lower_is_better(&board.metric) { -1.0 } else { 1.0 };
        mean(standing).map_or(f64::NEG_INFINITY, |mean| sign * mean)
    };
    let is_over = |standing: &Standing| matches!(standing.state, TrialState::Dropped | TrialState::Failed);
    standings.sort_by(|one, other| {
        let chosen = (other.state == TrialState::Chosen).cmp(&(one.state == TrialState::Chosen));
        chosen
            .then(is_over(one).cmp(&is_over(other)))
            .then(other.rung.cmp(&one.rung))
            .then(merit(other).total_cmp(&merit(one)))
            .then(one.trial.cmp(&other.trial))
    });
    let seconds = |standing: &Standing| {
        let place = board.standings.iter().position(|other| other.trial == standing.trial);
        place.and_then(|place| board.seconds.get(place)).copied().unwrap_or_default()
    };
    standings
        .into_iter()
        .take(LEADERBOARD_ROWS)
        .map(|standing| LeaderboardRow {
            trial: standing.trial,
            learner: standing.description.clone(),
            metric: board.metric.clone(),
            mean: mean(standing),
            deviation: standing.deviation,
            rung: standing.rung,
            of: board.rungs,
            state: standing.state,
            seconds: (seconds(standing) * 100.0).round() / 100.0,
        })
        .collect()
}

/// The data, file by file.
pub(super) fn describe(log: &mut dyn Write, data: &DataSet) {
    let kinds = |wanted: fn(&Values) -> bool| data.columns.iter().filter(|column| wanted(&column.values)).count();
    say(
        log,
        &format!(
            "data: {}, {}, {} ({} numeric, {} categorical, {} text)",
            counted(data.files.len(), "file"),
            counted(data.rows(), "row"),
            counted(data.columns.len(), "column"),
            kinds(|values| matches!(values, Values::Numeric(_))),
            kinds(|values| matches!(values, Values::Categorical { .. })),
            kinds(|values| matches!(values, Values::Text)),
        ),
    );
    for file in &data.files {
        say(log, &format!("  {} {} {}", file.name, counted(file.rows, "row"), file.digest.short()));
        if file.rows == 0 {
            say(log, &format!("warning: {} has a header and no rows", file.name));
        }
    }
}

/// How good the model is on the held-out rows.
fn evaluated(log: &mut dyn Write, evaluation: &Evaluation) {
    say(log, "held-out rows, with 95 % intervals:");
    for (name, value) in &evaluation.metrics {
        let interval = evaluation.intervals.get(name);
        let interval = interval.map(|(low, high)| format!(" ({low:.4} to {high:.4})")).unwrap_or_default();
        say(log, &format!("  {name} {value:.4}{interval}"));
    }
    if !evaluation.importance.is_empty() {
        say(log, &format!("what {} loses without a column:", evaluation.criterion));
        for importance in evaluation.importance.iter().take(LISTED) {
            let deviation = importance.deviation;
            say(log, &format!("  {} {:.4} (± {deviation:.4})", importance.feature, importance.loss));
        }
    }
    let metric = &evaluation.criterion;
    if !evaluation.slices.is_empty() {
        say(log, &format!("slices by {metric}:"));
    }
    for slice in &evaluation.slices {
        let value = slice.metrics.get(metric).map_or_else(|| "–".to_owned(), |value| format!("{value:.4}"));
        say(log, &format!("  {} {}: {value} of {} rows", slice.column, slice.value, slice.rows));
    }
}

/// The search in a line, when its time was over.
pub(super) fn summarise(log: &mut dyn Write, card: &Card) {
    if !card.search.in_time {
        let done = card.search.trials.iter().filter(|trial| trial.rung > 0).count();
        let of = card.search.trials.len();
        say(log, &format!("note: the time for the search was over when {done} of {of} learners had been compared"));
    }
}

/// Metrics in a line.
pub(super) fn listed(metrics: &Metrics) -> String {
    metrics.iter().map(|(name, value)| format!("{name} {value:.4}")).collect::<Vec<_>>().join(", ")
}
