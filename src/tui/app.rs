//! The model: everything that decides what the screen shows.
//!
//! It is changed by [`super::update::update`] alone and read by the views, which are pure functions of it. It holds what the
//! daemon said and what the operator chose; nothing in it is computed from more than that.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::api::types::{Charts, DaemonInformation, Live, LogAddress, Plan, StageProgress};
use crate::pipeline::{
    Moment, Recorded, ReleaseId, Run, RunId, SkipReason, StageKind, StageName, StageSpec, StageState, State,
};

use super::clock::Clock;
use super::glyphs::Glyphs;
use super::log_view::LogView;
use super::theme::Theme;

/// The ranges of the charts, in milliseconds, and how they are called.
pub(super) const RANGES: [(u64, &str); 5] =
    [(300_000, "5 min"), (900_000, "15 min"), (3_600_000, "1 h"), (21_600_000, "6 h"), (86_400_000, "24 h")];

/// Events beyond this many are forgotten by the screen; the journal keeps them.
pub(super) const EVENTS_KEPT: usize = 500;

/// What fills the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum View {
    /// The pipeline, the log and the release at a glance.
    Board,
    /// The history of runs.
    Runs,
    /// One log.
    Logs,
    /// All charts.
    Metrics,
    /// What happened, in sentences.
    Events,
}

/// The panes of the Board that can have the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pane {
    /// The stages.
    Pipeline,
    /// The log.
    Log,
    /// The release and its sparklines.
    Release,
}

/// Whether the daemon is heard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Connection {
    /// Not yet.
    Connecting,
    /// It is.
    Connected,
    /// No longer; what is shown is the last that was known.
    Lost {
        /// Since when.
        since: Moment,
        /// Why.
        reason: String,
    },
}

/// What lies over the view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Overlay {
    /// All keys.
    Help {
        /// The first line shown.
        scroll: usize,
    },
    /// The command palette.
    Palette {
        /// What was typed.
        input: String,
        /// Which of the matches.
        selected: usize,
    },
    /// The pattern of a search.
    Search {
        /// What was typed.
        input: String,
    },
    /// Whether to go back to this release.
    ConfirmRollback {
        /// Which.
        to: ReleaseId,
    },
}

/// One line for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// What it says.
    pub(super) text: String,
    /// Whether something went wrong.
    pub(super) is_error: bool,
}

/// The state of the charts.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Metrics {
    /// What was fetched last.
    pub(super) charts: Charts,
    /// Why it could not be fetched.
    pub(super) error: Option<String>,
    /// Which of [`RANGES`].
    pub(super) range: usize,
    /// Which panel.
    pub(super) selected: usize,
    /// Whether an answer is awaited.
    pub(super) is_pending: bool,
    /// The range and columns that were asked for last, and the moment to which that reached.
    pub(super) asked: Option<(u64, usize, Moment)>,
}

impl Metrics {
    /// The time that the charts show, in milliseconds.
    pub(super) fn range_ms(&self) -> u64 {
        RANGES.get(self.range).map_or(900_000, |(range, _)| *range)
    }

    /// How that time is called.
    pub(super) fn range_name(&self) -> &'static str {
        RANGES.get(self.range).map_or("15 min", |(_, name)| *name)
    }
}

/// Everything that decides what the screen shows.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "switches that are independent of each other")]
pub(super) struct Model {
    /// Who answers; `None` before the first snapshot.
    pub(super) daemon: Option<DaemonInformation>,
    /// The pipeline, folded from the daemon's events.
    pub(super) state: State,
    /// What changes often.
    pub(super) live: Live,
    /// Whether the daemon is heard.
    pub(super) connection: Connection,
    /// What a run by hand would do now.
    pub(super) plan: Option<Plan>,
    /// What fills the screen.
    pub(super) view: View,
    /// The pane of the Board that has the keys.
    pub(super) focus: Pane,
    /// Whether that pane, or the selected chart, has the screen for itself.
    pub(super) is_zoomed: bool,
    /// The chosen stage; `None` follows what runs.
    pub(super) stage: Option<StageName>,
    /// The run chosen in Runs; `None` is the newest.
    pub(super) run: Option<RunId>,
    /// In Runs: whether the keys are in the run's stages.
    pub(super) is_in_detail: bool,
    /// The log.
    pub(super) log: LogView,
    /// The charts.
    pub(super) metrics: Metrics,
    /// What happened, the newest last.
    pub(super) events: VecDeque<Recorded>,
    /// How many events the newest shown one lies back.
    pub(super) events_back: usize,
    /// What lies over the view.
    pub(super) overlay: Option<Overlay>,
    /// One line for the operator.
    pub(super) message: Option<Message>,
    /// Charts and log stand still.
    pub(super) is_frozen: bool,
    /// Whether the demo's keys are there.
    pub(super) is_demo: bool,
    /// Columns and rows of the terminal.
    pub(super) size: (u16, u16),
    /// The present, as of the last message.
    pub(super) now: Moment,
    /// Colours.
    pub(super) theme: Theme,
    /// Signs.
    pub(super) glyphs: &'static Glyphs,
    /// Local time.
    pub(super) clock: Clock,
    /// Whether something visible may have changed since the last frame.
    pub(super) is_dirty: bool,
}

impl Model {
    /// A screen before the first word of the daemon.
    pub(super) fn new(theme: Theme, glyphs: &'static Glyphs, clock: Clock, size: (u16, u16), now: Moment) -> Self {
        let metrics =
            Metrics { charts: Charts::default(), error: None, range: 0, selected: 0, is_pending: false, asked: None };
        Self {
            daemon: None,
            state: State::default(),
            live: Live::default(),
            connection: Connection::Connecting,
            plan: None,
            view: View::Board,
            focus: Pane::Pipeline,
            is_zoomed: false,
            stage: None,
            run: None,
            is_in_detail: false,
            log: LogView::default(),
            metrics,
            events: VecDeque::new(),
            events_back: 0,
            overlay: None,
            message: None,
            is_frozen: false,
            is_demo: false,
            size,
            now,
            theme,
            glyphs,
            clock,
            is_dirty: true,
        }
    }

    /// Whether commands can be sent.
    pub(super) fn is_connected(&self) -> bool {
        self.connection == Connection::Connected
    }

    /// The run that the Board shows: the active one, else the newest that began.
    pub(super) fn board_run(&self) -> Option<&Arc<Run>> {
        let begun = || self.state.runs.values().rev().find(|run| run.started.is_some());
        self.state.active_run().or_else(begun).or_else(|| self.state.latest_run())
    }

    /// The run chosen in Runs.
    pub(super) fn chosen_run(&self) -> Option<&Arc<Run>> {
        self.run.and_then(|run| self.state.runs.get(&run)).or_else(|| self.state.latest_run())
    }

    /// The run that the view is about.
    pub(super) fn subject_run(&self) -> Option<&Arc<Run>> {
        match self.view {
            View::Runs => self.chosen_run(),
            View::Board | View::Logs | View::Metrics | View::Events => self.board_run(),
        }
    }

    /// The stage that the view is about: the chosen one, else what runs, what failed, or what worked last.
    pub(super) fn subject_stage(&self) -> Option<&StageName> {
        let stages = self.state.graph.stages();
        if let Some(chosen) = &self.stage
            && let Some(spec) = self.state.graph.get(chosen)
        {
            return Some(&spec.name);
        }
        let run = self.subject_run()?;
        let is = |test: fn(&StageState) -> bool| {
            stages.iter().find(|spec| run.stages.get(&spec.name).is_some_and(|entry| test(&entry.state)))
        };
        let worked = || {
            let began = |spec: &&StageSpec| run.stages.get(&spec.name).is_some_and(|entry| entry.started.is_some());
            stages.iter().rev().find(began)
        };
        is(StageState::is_running)
            .or_else(|| is(|state| matches!(state, StageState::Failed { .. })))
            .or_else(worked)
            .or_else(|| stages.first())
            .map(|spec| &spec.name)
    }

    /// The log of a stage of a run. A stage that was skipped shows the log of the pass that still holds.
    pub(super) fn log_of(&self, run: &Run, stage: &StageName) -> Option<LogAddress> {
        let entry = run.stages.get(stage)?;
        if entry.attempt.0 > 0 {
            return Some(LogAddress { run: run.id, stage: stage.clone(), attempt: entry.attempt });
        }
        let StageState::Skipped { reason: SkipReason::UpToDate { since } } = &entry.state else { return None };
        let attempt = self.state.runs.get(since)?.stages.get(stage)?.attempt;
        (attempt.0 > 0).then(|| LogAddress { run: *since, stage: stage.clone(), attempt })
    }

    /// What a running stage says of itself.
    pub(super) fn progress(&self, run: RunId, stage: &StageName) -> Option<&StageProgress> {
        self.live.progress.iter().find(|progress| progress.run == run && progress.stage == *stage)
    }

    /// The first stage of a kind.
    pub(super) fn stage_of_kind(&self, kind: StageKind) -> Option<&StageName> {
        let stages = self.state.graph.stages();
        let named = stages.iter().find(|spec| kind == StageKind::Command && spec.name.as_str() == "test");
        named.or_else(|| stages.iter().find(|spec| spec.kind == kind)).map(|spec| &spec.name)
    }

    /// Whether a duration on the screen grows, so that a frame a second is due.
    pub(super) fn shows_a_growing_duration(&self) -> bool {
        matches!(self.view, View::Board | View::Runs) && self.state.active_run().is_some() && self.is_connected()
    }
}
