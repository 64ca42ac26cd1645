//! What reaches the model, and what it asks the world to do.

use crossterm::event::KeyEvent;

use crate::api::types::{
    Catalog, Charts, ChartsRequest, Comparison, ComparisonRequest, ExpressionFault, LogAddress, LogWindow, Plan,
    RollbackPlan, Snapshot, StreamItem,
};
use crate::pipeline::{Recorded, Refusal, ReleaseId, RunId, Selection};

use super::log_view::LogPart;

/// What reaches the model.
#[derive(Debug, Clone)]
pub(super) enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The terminal has another size: columns, rows.
    Resized(u16, u16),
    /// The daemon answered with all that it knows.
    Connected(Box<Snapshot>),
    /// The daemon said something.
    Stream(Box<StreamItem>),
    /// The daemon is not heard any more, and why.
    Lost(String),
    /// Lines of a log.
    Log(LogAddress, Result<LogWindow, String>),
    /// A search ended.
    Found(SearchRequest, Result<Option<u64>, String>),
    /// Charts for a range and a number of columns.
    Charts(Result<Charts, String>),
    /// Two releases beside each other.
    Comparison(ComparisonRequest, Result<Comparison, String>),
    /// What expressions can be made of.
    Catalog(Result<Catalog, String>),
    /// Whether an expression can be evaluated.
    Checked(String, Result<Option<ExpressionFault>, String>),
    /// What a run by hand would do.
    Plan(Result<Plan, String>),
    /// What a rollback to this release would do.
    RollbackPlan(ReleaseId, Result<RollbackPlan, String>),
    /// The last lines that the live release wrote.
    ReleaseLog(Result<Vec<String>, String>),
    /// Events before those that are known.
    History(Result<Vec<Recorded>, String>),
    /// The answer to a command, and what was asked.
    Replied(&'static str, Result<Result<RunId, Refusal>, String>),
    /// What a demo key did.
    Demo(Result<String, String>),
    /// A second passed while something runs.
    Second,
}

/// A search in a whole log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SearchRequest {
    /// In which log.
    pub(super) log: LogAddress,
    /// A regular expression.
    pub(super) pattern: String,
    /// From this line on, itself included.
    pub(super) from: u64,
    /// Towards the beginning.
    pub(super) backward: bool,
    /// Whether it went on at the other end already.
    pub(super) has_wrapped: bool,
}

/// The demo's own keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum DemoAction {
    /// Register the next batch of data.
    NextBatch,
    /// Break the source, or mend it.
    BreakSource,
    /// Make a release that passes its tests and refuses what clients send, or mend it.
    BadRelease,
}

/// What the model asks the world to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Cmd {
    /// Start a run.
    Run(Selection),
    /// Cancel what runs and what waits.
    Cancel,
    /// Go back to a release.
    Rollback(ReleaseId),
    /// Lines of a log.
    FetchLog(LogAddress, LogPart),
    /// A search.
    Search(SearchRequest),
    /// Charts.
    FetchCharts(ChartsRequest),
    /// Two releases beside each other.
    FetchComparison(ComparisonRequest),
    /// What expressions can be made of.
    FetchCatalog,
    /// Whether an expression can be evaluated.
    CheckExpression(String),
    /// What a run by hand would do.
    FetchPlan,
    /// What a rollback to this release would do.
    FetchRollbackPlan(ReleaseId),
    /// The last lines that the live release wrote.
    FetchReleaseLog {
        /// How many.
        lines: usize,
    },
    /// The last events.
    FetchHistory,
    /// A new snapshot: events were missed.
    Reconnect,
    /// A demo key.
    Demo(DemoAction),
    /// Detach; the daemon goes on.
    Quit,
    /// Stop, to be continued by the shell.
    Suspend,
    /// Send the next frame whole.
    Redraw,
}
