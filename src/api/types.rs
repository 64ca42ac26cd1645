//! What the daemon and its clients say to each other: JSON over HTTP on a Unix socket.
//!
//! A client takes one [`Snapshot`], folds every later [`StreamItem::Event`] into its state with the same `apply` as the
//! daemon, and asks for *windows* of logs and charts, never for the whole. Nothing here is computed by a screen.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::{
    Attempt, Command, Moment, Planned, Recorded, Refusal, ReleaseId, RunId, Selection, StageName, State,
};

/// Who answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DaemonInformation {
    /// The version of the program.
    pub version: String,
    /// Its process number.
    pub pid: u32,
    /// The project's name.
    pub project: String,
    /// The project folder.
    pub folder: String,
    /// The machine's name.
    pub host: String,
    /// The kind of target of the first deploy stage, if there is one.
    pub target: Option<String>,
    /// When it started.
    pub started: Moment,
}

/// How well the watcher sees.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WatchMode {
    /// The kernel tells of changes.
    Notified,
    /// The folders are read again and again.
    Polling {
        /// Why the kernel does not tell.
        reason: String,
    },
    /// Nothing is seen.
    Blind {
        /// Why, and what to do.
        reason: String,
    },
}

/// The state of the watcher.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WatchHealth {
    /// How it sees.
    pub mode: WatchMode,
    /// When a probe file, or a real change, was last seen.
    pub last_seen: Option<Moment>,
    /// Data files that are being written or verified, and how far each has come (`arriving`, `settling`, `verifying`).
    pub pending: BTreeMap<String, String>,
}

/// How far a running stage says it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageProgress {
    /// In this run.
    pub run: RunId,
    /// Which.
    pub stage: StageName,
    /// Between 0 and 1, where it says so.
    pub share: Option<f64>,
    /// What it does now.
    pub message: String,
    /// Metrics reported so far.
    pub metrics: BTreeMap<String, f64>,
}

/// What changes often and is not journaled.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Live {
    /// The watcher; `None` before its first word.
    pub watch: Option<WatchHealth>,
    /// What running stages say.
    pub progress: Vec<StageProgress>,
    /// Whether the deployed app answered the last scrape, with the error if not; `None` before the first.
    pub scraped: Option<Result<Moment, String>>,
    /// The attempt whose log grew last, and its number of lines.
    pub log: Option<(LogAddress, u64)>,
    /// What keeps the daemon from doing all it should (an invalid configuration, a full disk), by subject.
    #[serde(default)]
    pub problems: BTreeMap<String, String>,
}

/// All that a client needs to start with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    /// Who answers.
    pub daemon: DaemonInformation,
    /// The pipeline.
    pub state: State,
    /// What changes often.
    pub live: Live,
}

/// One line of the event stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StreamItem {
    /// Something happened.
    Event(Recorded),
    /// The present state of what is not journaled.
    Live(Live),
    /// The client was too slow, or asked for events that are too old: it must take a new snapshot.
    Behind,
}

/// The log of one attempt of a stage.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogAddress {
    /// The run.
    pub run: RunId,
    /// The stage.
    pub stage: StageName,
    /// The attempt.
    pub attempt: Attempt,
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// About when it was written, within a tenth of a second.
    pub at: Moment,
    /// Its text, at most [`LINE_LIMIT`] bytes of it; bytes that are not UTF-8 are replaced, escape sequences are left in.
    pub text: String,
    /// How many bytes were cut off.
    pub cut: u64,
}

/// A line is cut behind this many bytes when it is shown; the file keeps all.
pub const LINE_LIMIT: usize = 8 * 1024;

/// Some lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogWindow {
    /// The number of the first line, from 0.
    pub first: u64,
    /// The lines.
    pub lines: Vec<LogLine>,
    /// How many lines the log has now.
    pub total: u64,
}

/// The curves of one panel over one stretch of time, in as many columns as were asked for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PanelData {
    /// The heading.
    pub title: String,
    /// Behind the value.
    pub unit: Option<String>,
    /// The curves.
    pub curves: Vec<Curve>,
    /// How many curves were left out because there are too many.
    pub left_out: usize,
    /// Why there is nothing to show.
    pub error: Option<String>,
}

/// One curve.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// What tells it from the others; empty when it is the only one.
    pub label: String,
    /// One value a column; `None` where nothing was measured.
    pub points: Vec<Option<f64>>,
}

/// A deploy on the time axis of the charts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Which column.
    pub column: usize,
    /// Which release.
    pub release: ReleaseId,
}

/// The panels over one stretch of time.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Charts {
    /// The panels, in the order of the configuration.
    pub panels: Vec<PanelData>,
    /// The deploys in it.
    pub marks: Vec<Mark>,
    /// The moment of the last column.
    pub end: Moment,
    /// Milliseconds a column.
    pub step: u64,
}

/// What an operator asks for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRequest {
    /// Who.
    pub by: String,
    /// What.
    pub command: Command,
}

/// The answer.
pub type CommandReply = Result<RunId, Refusal>;

/// What a run of `selection` would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRequest {
    /// Which stages it would be about.
    pub selection: Selection,
}

/// The answer.
pub type Plan = Vec<Planned>;

/// One value of an expression. Numbers travel as text, for JSON has neither NaN nor infinities.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct QueryRow {
    /// The labels, as `PromQL` writes them.
    pub labels: String,
    /// The value.
    pub value: String,
}

/// Why the daemon did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// One sentence.
    pub error: String,
}
