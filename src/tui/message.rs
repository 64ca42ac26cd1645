//! What reaches the model, and what it asks the world to do.

use std::path::PathBuf;

use crossterm::event::{KeyEvent, MouseEvent};

use crate::api::types::{
    Charts, ChartsRequest, CommandReply, Comparison, ComparisonRequest, CompletionRequest, Completions,
    DaemonInformation, DataProfile, ExpressionFault, LineState, LogAddress, LogFind, LogWindow, ModelDetail,
    ModelSummary, Past, PastPlace, PastRequest, Plan, RollbackPlan, Snapshot, StreamItem, TimeLine, TimeLineRequest,
};
use crate::pipeline::{Command, EventFilter, ModelVersion, Moment, Recorded, ReleaseId, Silence};

use super::clipboard::Yank;
use super::log_view::LogPart;
use super::log_view::question::{LogAnswer, LogQuestion, Program};
use super::log_view::search::SearchRequest;
use super::models::Question;
use super::preferences::{PreferenceFault, Preferences};
use super::projects::ProjectRow;
use super::selection::GatherRequest;

/// What reaches the model.
#[derive(Debug, Clone)]
pub(super) enum Msg {
    /// A key was pressed.
    Key(KeyEvent),
    /// The mouse did something.
    Mouse(MouseEvent),
    /// The operator's files of preferences say something else, or what is wrong with them.
    Preferences(Box<Result<Preferences, Vec<PreferenceFault>>>),
    /// Selected lines of a log came, and can be copied.
    Gathered(Result<Yank, String>),
    /// What became of a copy, as a sentence.
    Yanked(Result<String, String>),
    /// The terminal has another size: columns, rows.
    Resized(u16, u16),
    /// The daemon answered with all that it knows.
    Connected(Box<Snapshot>),
    /// The daemon answers again and goes on where it was; what was missed follows.
    Resumed(DaemonInformation),
    /// How the line to the daemon's machine is.
    Line(LineState),
    /// The daemon said something.
    Stream(Box<StreamItem>),
    /// The daemon is not heard any more, and why.
    Lost(String),
    /// Lines of a log.
    Log(LogAddress, Result<LogWindow, String>),
    /// A step of a search was done.
    Found(SearchRequest, Result<LogFind, String>),
    /// The answer to a question about a log.
    AboutLog(LogQuestion, Result<LogAnswer, String>),
    /// Charts for a range and a number of columns.
    Charts(Result<Charts, String>),
    /// Two releases beside each other.
    Comparison(ComparisonRequest, Result<Comparison, String>),
    /// A window of what can be written at the caret of the explorer.
    Completions(CompletionRequest, Result<Completions, String>),
    /// Whether an expression can be evaluated.
    Checked(String, Result<Option<ExpressionFault>, String>),
    /// What a run by hand would do.
    Plan(Result<Plan, String>),
    /// What a rollback to this release would do.
    RollbackPlan(ReleaseId, Result<RollbackPlan, String>),
    /// The last lines that the live release wrote.
    ReleaseLog(Result<Vec<String>, String>),
    /// All model versions.
    Models(Result<Vec<ModelSummary>, String>),
    /// All that is known of one of them.
    ModelDetail(ModelVersion, Result<Box<ModelDetail>, String>),
    /// The profile of the data from which it learned.
    ModelProfile(ModelVersion, Result<DataProfile, String>),
    /// Whether a note on a model was written down.
    Noted(ModelVersion, Result<(), String>),
    /// Events before those that are known.
    History(Result<Vec<Recorded>, String>),
    /// Events that pass a filter, before those that are known.
    Events(EventFilter, Result<Vec<Recorded>, String>),
    /// Everything as it was at a moment, with the last events before it.
    Past(PastRequest, Result<Box<(Past, Vec<Recorded>)>, String>),
    /// Where a moment is on the line of time.
    PastPlace(PastRequest, Result<PastPlace, String>),
    /// A part of the line of time.
    TimeLine(TimeLineRequest, Result<TimeLine, String>),
    /// The projects of this user.
    Projects(Vec<ProjectRow>),
    /// The answer to a command, and what was asked.
    Replied(String, Result<CommandReply, String>),
    /// The daemon's word on the silence of an alert: the one that began, none if one ended.
    Silenced(String, Result<Option<Silence>, String>),
    /// What a demo key did.
    Demo(Result<String, String>),
    /// A second passed while something runs.
    Second,
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
    /// Have the daemon do something.
    Act {
        /// What.
        command: Command,
        /// Why; may be empty.
        message: String,
    },
    /// Hear nothing of an alert for a while.
    Silence {
        /// Which.
        alert: String,
        /// For how long.
        milliseconds: u64,
        /// Why; may be empty.
        message: String,
    },
    /// Hear of it again.
    Unsilence {
        /// Of which.
        alert: String,
    },
    /// Lines of a log.
    FetchLog(LogAddress, LogPart),
    /// Lines of a log as it was at a moment.
    FetchPastLog(LogAddress, LogPart, Moment),
    /// Selected lines of a log, to be copied.
    Gather(GatherRequest),
    /// A text for the clipboard.
    Yank(Yank),
    /// A step of a search.
    Search(SearchRequest),
    /// A question about a log.
    AskLog(LogQuestion),
    /// Hand the terminal to a program that shows a file, and remove the file then.
    Lend(Program, PathBuf),
    /// Charts.
    FetchCharts(ChartsRequest),
    /// Two releases beside each other.
    FetchComparison(ComparisonRequest),
    /// A window of what can be written at the caret of the explorer.
    FetchCompletions(CompletionRequest),
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
    /// Something about models.
    FetchModels(Question),
    /// Make a model the champion and deploy it.
    Promote {
        /// Which.
        version: ModelVersion,
        /// Why.
        message: String,
    },
    /// Write something about a model.
    NoteModel {
        /// About which.
        version: ModelVersion,
        /// What.
        text: String,
    },
    /// The last events.
    FetchHistory,
    /// Events that pass a filter.
    FetchEvents {
        /// Which.
        filter: EventFilter,
        /// Before this number; without one, the newest.
        before: Option<u64>,
    },
    /// Everything as it was at a moment, with the last events before it.
    FetchPast(PastRequest),
    /// Where a moment is on the line of time.
    FetchPastPlace(PastRequest),
    /// A part of the line of time.
    FetchTimeLine(TimeLineRequest),
    /// The projects of this user.
    FetchProjects,
    /// Leave for another project; the daemon goes on.
    Switch(PathBuf),
    /// A new snapshot: events were missed.
    Reconnect,
    /// Another view fills the screen: its name, for the other operators.
    ShowView(String),
    /// A demo key.
    Demo(DemoAction),
    /// Detach; the daemon goes on.
    Quit,
    /// Stop, to be continued by the shell.
    Suspend,
    /// Send the next frame whole.
    Redraw,
}

impl Cmd {
    /// Has the daemon do something, and says why; that may be empty.
    pub(super) fn act(command: Command, message: &str) -> Self {
        Self::Act { command, message: message.trim().to_owned() }
    }

    /// Whether it changes something beyond this screen.
    pub(super) fn acts(&self) -> bool {
        match self {
            Self::Act { .. }
            | Self::Silence { .. }
            | Self::Unsilence { .. }
            | Self::Promote { .. }
            | Self::NoteModel { .. }
            | Self::Demo(_) => true,
            Self::FetchLog(..)
            | Self::FetchPastLog(..)
            | Self::Search(_)
            | Self::FetchCharts(_)
            | Self::FetchComparison(_)
            | Self::FetchCompletions(_)
            | Self::CheckExpression(_)
            | Self::FetchPlan
            | Self::FetchRollbackPlan(_)
            | Self::FetchReleaseLog { .. }
            | Self::FetchModels(_)
            | Self::FetchHistory
            | Self::FetchEvents { .. }
            | Self::FetchPast(_)
            | Self::FetchPastPlace(_)
            | Self::FetchTimeLine(_)
            | Self::FetchProjects
            | Self::Switch(_)
            | Self::Reconnect
            | Self::ShowView(_)
            | Self::Gather(_)
            | Self::AskLog(_)
            | Self::Lend(..)
            | Self::Yank(_)
            | Self::Quit
            | Self::Suspend
            | Self::Redraw => false,
        }
    }
}
