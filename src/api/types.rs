//! What the daemon and its clients say to each other: JSON over HTTP on a Unix socket.
//!
//! A client takes one [`Snapshot`], folds every later [`StreamItem::Event`] into its state with the same `apply` as the
//! daemon, and asks for *windows* of logs and charts, never for the whole. Nothing here is computed by a screen.
//! What a stage tells of its model (gate, leaderboard, parts of the card) is said here once, for the file beside the model and
//! for the line to a client are the same JSON.

mod card;
mod charts;
mod completion;
mod fuzzy;
mod gate;
mod leaderboard;
mod line;
mod live;
mod logs;
mod models;
mod operator;
mod past;
mod percent;
mod profile;

pub use card::{CalibrationBin, CardFeature, CardRows, ConfusionMatrix, FeatureImportance, MetricSlice, ModelCard};
pub use charts::{
    AlertSpan, AlertStrip, Bucket, Catalog, Charts, ChartsRequest, Comparison, ComparisonRequest, Curve,
    ExpressionFault, Mark, MetricInformation, PanelData, RunMark, Statistics, TimeColumns,
};
pub use completion::{Completion, CompletionKind, CompletionRequest, Completions};
pub use fuzzy::{Fit, distance, fit};
pub use gate::{GateCheck, GateLedger, GateVerdict};
pub use leaderboard::{LEADERBOARD_ROWS, LeaderboardRow, TrialState};
pub use line::LineState;
pub use live::{Live, LiveChange, STORAGE};
pub use logs::{
    LINE_LIMIT, LogAddress, LogFilter, LogFind, LogLevel, LogLine, LogPiece, LogRow, LogRowsRequest, LogScan,
    LogStretch, LogWindow, SPARSE, colours_only, ignores_case, visible,
};
pub use models::{
    LineageFile, MetricValue, ModelDetail, ModelLineage, ModelSummary, NoteRequest, PromoteRequest, lower_is_better,
};
pub use operator::{
    ACCESS_HEADER, FROM_HEADER, OBSERVER, OPERATOR_HEADER, OperatorSession, ViewRequest, WatchRequest,
    from_header_text, header_text,
};
pub use past::{
    AlertSeen, DeploySeen, Happening, Past, PastPlace, PastRequest, RunEdge, RunSeen, Stride, TimeLine, TimeLineColumn,
    TimeLineRequest,
};
pub use percent::percent_decoded;
pub use profile::{DataProfile, DistinctValues, ProfiledColumn, ProfiledNumbers, ProfiledValue};

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::{
    AlertState, Command, Evidence, Moment, Planned, Reaction, Recorded, Refusal, ReleaseId, RunId, Selection, Silence,
    StageName, State,
};
pub use crate::pipeline::{Delivery, PanelKind};

/// The version of what is said here. It counts up when a client of the former version would misunderstand the daemon or the
/// daemon the client; what is only added does not count.
pub const API_VERSION: u32 = 2;

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
    /// The [`API_VERSION`] that it speaks; 0 of a daemon from before it was counted.
    #[serde(default)]
    pub api: u32,
    /// The identity of its journal: numbers of events mean the same as long as it is the same.
    #[serde(default)]
    pub journal: String,
}

/// Who answers, and how far its journal has come: enough to know whether a client that was away can go on where it was.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Who answers.
    pub daemon: DaemonInformation,
    /// The number of the last event.
    pub sequence: u64,
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
    /// A CSV file in the project folder, while the data folder has none: most likely it was meant to lie there.
    #[serde(default)]
    pub beside: Option<String>,
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
    /// What it tries, in the order in which it told; at most [`LEADERBOARD_ROWS`].
    #[serde(default)]
    pub leaderboard: Vec<LeaderboardRow>,
}

/// Where releases run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// `process`, `docker` or `kubernetes`.
    pub kind: String,
    /// The context of the kubeconfig.
    pub context: Option<String>,
    /// The namespace.
    pub namespace: Option<String>,
    /// Whether an operator must type the project's name before anything here is changed by hand.
    pub production: bool,
}

/// A process, container or pod of a release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InstanceStatus {
    /// What tells it from the others: a process number, the name of a container or of a pod.
    pub name: String,
    /// Which release it runs.
    pub release: ReleaseId,
    /// `stable` or `canary`.
    pub track: String,
    /// In a word or a few: `running`, `healthy`, `starting`, `CrashLoopBackOff`.
    pub state: String,
    /// Whether it gets requests.
    pub ready: bool,
    /// How many times it was started again.
    pub restarts: u64,
    /// Since when it is there.
    pub since: Option<Moment>,
    /// The node it is on, where there are nodes.
    pub node: Option<String>,
    /// What it uses, where that can be told.
    pub usage: Option<Usage>,
}

/// What a process, container or pod uses.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Usage {
    /// Processors: 0.5 is half of one.
    pub cpus: f64,
    /// Memory in bytes.
    pub memory: u64,
}

/// What the target says of what it runs, asked for every few seconds.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct TargetReport {
    /// Where.
    pub place: Option<Place>,
    /// The release that serves, or should.
    pub live: Option<ReleaseId>,
    /// Whether it answers.
    pub serving: bool,
    /// How it ended the last time, if it did.
    pub last_exit: Option<String>,
    /// What it runs as.
    pub instances: Vec<InstanceStatus>,
    /// Where the live objects differ from what was applied, one line each.
    pub drift: Vec<String>,
    /// Why the engine or the cluster does not answer, and since when.
    pub unreachable: Option<(Moment, String)>,
    /// Bytes that are ours, by what they are: `models`, `images`, `runs`, `releases`, `Docker Engine`.
    pub disk: BTreeMap<String, u64>,
}

/// What a rollback would do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RollbackPlan {
    /// The release that serves now.
    pub from: Option<ReleaseId>,
    /// The release that it would go back to.
    pub to: ReleaseId,
    /// What changes, a line each: image, model, commit.
    pub changes: Vec<String>,
    /// Why it cannot be done: its image is gone, nothing is earlier.
    pub obstacle: Option<String>,
}

/// Where an alert stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertStatus {
    /// Its name.
    pub name: String,
    /// The most urgent state of all its series.
    pub state: AlertState,
    /// Since when that is so; `None` while it is inactive.
    pub since: Option<Moment>,
    /// How bad that is, in the word of its author.
    pub severity: Option<String>,
    /// What follows when it fires.
    pub then: Reaction,
    /// Who silenced it, and until when.
    pub silence: Option<Silence>,
    /// Why its expression could not be evaluated.
    pub error: Option<String>,
}

/// An alert with all that is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertReport {
    /// Where it stands.
    pub status: AlertStatus,
    /// What is judged.
    pub expr: String,
    /// `for`, in milliseconds.
    pub pending_for: u64,
    /// `keep_firing_for`, in milliseconds.
    pub keep_firing_for: u64,
    /// Milliseconds in which nothing follows a second time.
    pub cooldown: u64,
    /// What its expression says of the live release alone; looked at while it is active.
    pub evidence: Evidence,
    /// Its series: those that are pending or fire, and those that did a while ago.
    pub alerts: Vec<AlertRow>,
}

/// One series of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRow {
    /// The labels by which it differs from the others; empty when there are none.
    pub labels: String,
    /// Where it stands; inactive is one that was resolved a while ago.
    pub state: AlertState,
    /// The last value, for people.
    pub value: String,
    /// Since when it stands there.
    pub since: Moment,
    /// Since when its expression has held.
    pub active_at: Moment,
    /// When it fired.
    pub fired_at: Option<Moment>,
    /// When it stopped firing.
    pub resolved_at: Option<Moment>,
    /// What it means, in the words of its author.
    pub summary: String,
}

/// An operator wants to hear nothing of an alert.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SilenceRequest {
    /// Of which.
    pub alert: String,
    /// For how long.
    pub milliseconds: u64,
    /// Why; may be empty.
    pub message: String,
}

/// An operator ends a silence.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnsilenceRequest {
    /// Of which alert.
    pub alert: String,
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
    /// The present state of what is not journaled: once, before all changes of it.
    Live(Live),
    /// What of it is different since the last that was said; what did not change is not repeated.
    Changes(Vec<LiveChange>),
    /// The client was too slow, or asked for events that are too old: it must take a new snapshot.
    Behind,
}

/// What an operator asks for. Who asks is not said here: the daemon knows the account, and the client's headers name the
/// person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CommandRequest {
    /// Why; may be empty where the rules want no reason.
    #[serde(default)]
    pub message: String,
    /// What.
    pub command: Command,
}

/// The answer: the run that it is about, if there is one to speak of.
pub type CommandReply = Result<Option<RunId>, Refusal>;

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

/// The values of an expression over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeAnswer {
    /// The first moment at which it was evaluated; all are multiples of the step.
    pub start: Moment,
    /// The last.
    pub end: Moment,
    /// Milliseconds from one to the next.
    pub step: u64,
    /// The series, sorted by their labels.
    pub series: Vec<RangeRow>,
}

/// One series over a stretch of time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeRow {
    /// The labels, as `PromQL` writes them.
    pub labels: String,
    /// Moments and values, in order, only where there is a value. Numbers travel as text, as in [`QueryRow`].
    pub points: Vec<(Moment, String)>,
}

/// Why the daemon did not do what was asked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// One sentence.
    pub error: String,
}
