//! The model: everything that decides what the screen shows.
//!
//! It is changed by [`super::update::update`] alone and read by the views, which are pure functions of it. It holds what the
//! daemon said and what the operator chose; nothing in it is computed from more than that.

mod overlay;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::api::types::{
    DaemonInformation, LineState, Live, LogAddress, PastRequest, Place, Plan, StageProgress, TargetReport,
};
use crate::pipeline::{
    EventFilter, Moment, Recorded, Release, ReleaseId, Run, RunId, SkipReason, StageKind, StageName, StageSpec,
    StageState, State,
};

use super::announcement::{self, Announcement};
use super::clock::Clock;
use super::detail_text::DetailText;
use super::event_list;
use super::event_search::{self, FilteredEvents};
use super::glyphs::Glyphs;
use super::keymap::Keymap;
use super::list::ListState;
use super::log_view::LogView;
use super::metrics::{Drawing, Metrics};
use super::models::Models;
use super::mouse::HitMap;
use super::past::Visit;
use super::preferences::{Found, Preferences};
use super::projects::ProjectRow;
use super::release_list;
use super::release_log::ReleaseLog;
use super::run_history::{self, RunHistory};
use super::selection::LineSelection;
use super::theme::Theme;
use super::walk::Thing;
pub(super) use overlay::Overlay;

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
    /// The registry of models, and all that is known of one.
    Models,
    /// The history of releases, and what the live one runs as.
    Releases,
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

/// One line for the operator.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Message {
    /// What it says.
    pub(super) text: String,
    /// Whether something went wrong.
    pub(super) is_error: bool,
    /// What it ends with by itself, before the next key.
    pub(super) until: Option<Until>,
}

impl Message {
    /// Something that was done, or is to be known.
    pub(super) fn word(text: String) -> Self {
        Self { text, is_error: false, until: None }
    }

    /// Something that went wrong.
    pub(super) fn complaint(text: String) -> Self {
        Self { text, is_error: true, until: None }
    }
}

/// What a message ends with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Until {
    /// The run that it tells of, or a later one, is over in whatever way.
    RunIsOver(RunId),
    /// This run or a later one is over, and none took its place: that is the one which had what the message tells of.
    Verdict {
        /// The first that can have it.
        from: RunId,
    },
}

/// Where somebody was who went into something by Enter, with what was selected there and is not part of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin {
    /// Which view.
    pub(super) view: View,
    /// Whether a pane had the screen for itself.
    pub(super) is_zoomed: bool,
    /// Whether the keys were in the run's stages.
    pub(super) is_in_detail: bool,
    /// The chosen stage.
    pub(super) stage: Option<StageName>,
    /// The chosen alert.
    pub(super) alert: Option<String>,
    /// The chosen event.
    pub(super) event: Option<u64>,
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
    /// Where releases ran by the target's last word: a target that falls silent does not stop to be production.
    pub(super) known_place: Option<Place>,
    /// Whether the daemon is heard.
    pub(super) connection: Connection,
    /// What a run by hand would do now.
    pub(super) plan: Option<Plan>,
    /// What fills the screen.
    pub(super) view: View,
    /// Where Escape leads back to, step by step, the last first; empty leads to the Board.
    pub(super) came_from: Vec<Origin>,
    /// The pane of the Board that has the keys.
    pub(super) focus: Pane,
    /// Whether that pane, the selected chart or the detail of a list's row has the screen for itself.
    pub(super) is_zoomed: bool,
    /// The chosen stage; `None` follows what runs.
    pub(super) stage: Option<StageName>,
    /// The stage that was chosen on the Board, while another view is shown.
    pub(super) board_stage: Option<StageName>,
    /// The list of runs: what was chosen in it, and the runs that the state has forgotten.
    pub(super) runs: RunHistory,
    /// What was chosen in the list of releases.
    pub(super) releases: ListState<ReleaseId>,
    /// Where somebody is who walks along the causal line.
    pub(super) walk: Option<Thing>,
    /// The last lines of the live release.
    pub(super) release_log: ReleaseLog,
    /// In Runs: whether the keys are in the run's stages.
    pub(super) is_in_detail: bool,
    /// The log.
    pub(super) log: LogView,
    /// The charts.
    pub(super) metrics: Metrics,
    /// The registry of models.
    pub(super) models: Models,
    /// What happened, the newest last.
    pub(super) events: VecDeque<Recorded>,
    /// What was chosen in the list of events, by their numbers.
    pub(super) event_list: ListState<u64>,
    /// The chosen alert: in Metrics it has the keys, in Events only what is about it is shown.
    pub(super) alert: Option<String>,
    /// Events that pass what is chosen and typed and lie before all others that are known; `None` before they were asked for.
    pub(super) filtered_events: Option<FilteredEvents>,
    /// What lies over the view.
    pub(super) overlay: Option<Overlay>,
    /// The moment of the past that is shown, and the present meanwhile; `None` while that is shown.
    pub(super) past: Option<Box<Visit>>,
    /// The moment of the past that was asked for last, until its answer comes.
    pub(super) past_asked: Option<PastRequest>,
    /// One line for the operator.
    pub(super) message: Option<Message>,
    /// What went live by itself, until it was told and seen.
    pub(super) announcement: Option<Announcement>,
    /// It says why the last key did nothing: whoever took that for a question and wants to leave it means no other view.
    pub(super) has_said_why_not: bool,
    /// Charts and log stand still.
    pub(super) is_frozen: bool,
    /// Whether the demo's keys are there.
    pub(super) is_demo: bool,
    /// Whether this screen can change nothing.
    pub(super) is_observer: bool,
    /// Whether there is a list of projects to switch to.
    pub(super) can_switch: bool,
    /// The other projects that can be switched to, as far as they were looked for.
    pub(super) other_projects: Vec<ProjectRow>,
    /// What was chosen in the palette, the last first.
    pub(super) recent: Vec<String>,
    /// The lines that are selected to be copied.
    pub(super) lines: Option<LineSelection>,
    /// Whether the mouse works here, so that the terminal's own selection does not.
    pub(super) has_mouse: bool,
    /// What the last frame told in detail; the views note it.
    pub(super) detail_text: DetailText,
    /// What the last frame showed where; the views note it.
    pub(super) hits: HitMap,
    /// When and where the mouse was pressed last: once more there, and it is a double click.
    pub(super) pressed: Option<(Moment, (u16, u16))>,
    /// The line on which it was pressed, from where a drag selects.
    pub(super) drag_from: Option<u64>,
    /// What the operator prefers on all projects.
    pub(super) preferences: Preferences,
    /// What holds without preferences.
    pub(super) found: Found,
    /// The line to the daemon's machine; `None` on that machine itself.
    pub(super) line: Option<LineState>,
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
        let drawing = if glyphs.is_ascii { Drawing::Ascii } else { Drawing::Braille };
        Self {
            daemon: None,
            state: State::default(),
            live: Live::default(),
            known_place: None,
            connection: Connection::Connecting,
            plan: None,
            view: View::Board,
            came_from: Vec::new(),
            focus: Pane::Pipeline,
            is_zoomed: false,
            stage: None,
            board_stage: None,
            runs: RunHistory::default(),
            releases: ListState::default(),
            walk: None,
            release_log: ReleaseLog::default(),
            is_in_detail: false,
            log: LogView::default(),
            metrics: Metrics::new(drawing),
            models: Models::default(),
            events: VecDeque::new(),
            event_list: ListState::default(),
            alert: None,
            filtered_events: None,
            overlay: None,
            past: None,
            past_asked: None,
            message: None,
            announcement: None,
            has_said_why_not: false,
            is_frozen: false,
            is_demo: false,
            is_observer: false,
            can_switch: false,
            other_projects: Vec::new(),
            recent: Vec::new(),
            lines: None,
            has_mouse: false,
            detail_text: DetailText::default(),
            hits: HitMap::default(),
            pressed: None,
            drag_from: None,
            preferences: Preferences::default(),
            found: Found { theme: theme.clone(), glyphs, asked: None },
            line: None,
            size,
            now,
            theme,
            glyphs,
            clock,
            is_dirty: true,
        }
    }

    /// Which keys commands have.
    pub(super) fn keymap(&self) -> &Keymap {
        &self.preferences.keymap
    }

    /// Whether commands can be sent.
    pub(super) fn is_connected(&self) -> bool {
        self.connection == Connection::Connected && !self.is_line_down()
    }

    /// Whether there is a line to the daemon's machine, and nothing comes through it.
    pub(super) fn is_line_down(&self) -> bool {
        match &self.line {
            None | Some(LineState::Up) => false,
            Some(LineState::Lost { .. } | LineState::Ended { .. }) => true,
        }
    }

    /// Whether what is shown is the last that was known, and not the present.
    pub(super) fn is_stale(&self) -> bool {
        self.is_line_down() || matches!(self.connection, Connection::Lost { .. })
    }

    /// The view changed: what is chosen in another one moves nothing on the Board.
    pub(super) fn turn_stage(&mut self, was_on_board: bool) {
        match (was_on_board, self.view == View::Board) {
            (true, false) => self.board_stage.clone_from(&self.stage),
            (false, true) => self.stage = self.board_stage.take(),
            (true, true) | (false, false) => {}
        }
    }

    /// The run that the Board shows: the active one, else the newest that began.
    pub(super) fn board_run(&self) -> Option<&Arc<Run>> {
        let begun = || self.state.runs.values().rev().find(|run| run.started.is_some());
        self.state.active_run().or_else(begun).or_else(|| self.state.latest_run())
    }

    /// A run that is known: one of the state's, or one of the older ones that were asked for.
    pub(super) fn run_of(&self, id: RunId) -> Option<&Arc<Run>> {
        let older = || self.runs.older.as_ref().and_then(|older| older.runs().get(&id));
        self.state.runs.get(&id).or_else(older)
    }

    /// The run chosen in Runs, else the first that it shows.
    pub(super) fn chosen_run(&self) -> Option<&Arc<Run>> {
        let list = &self.runs.list;
        if list.is_plain() {
            return list.chosen.and_then(|run| self.run_of(run)).or_else(|| self.state.latest_run());
        }
        let rows = run_history::rows(self);
        let chosen = rows.iter().find(|run| Some(run.id) == list.chosen).or_else(|| rows.first());
        chosen.copied()
    }

    /// The release chosen in Releases, else the first that it shows.
    pub(super) fn chosen_release(&self) -> Option<&Arc<Release>> {
        let list = &self.releases;
        if list.is_plain() {
            let newest = || self.state.releases.values().next_back();
            return list.chosen.and_then(|release| self.state.releases.get(&release)).or_else(newest);
        }
        let rows = release_list::rows(self);
        let chosen = rows.iter().find(|release| Some(release.id) == list.chosen).or_else(|| rows.first());
        chosen.copied()
    }

    /// What Events is narrowed to: the chosen alert and what was typed.
    pub(super) fn event_filter(&self) -> EventFilter {
        EventFilter { alert: self.alert.clone(), ..event_search::parse(&self.event_list.filter) }
    }

    /// The events that Events shows: all that are known, or those that pass what it is narrowed to, of which the daemon has
    /// told older ones.
    pub(super) fn shown_events(&self) -> impl DoubleEndedIterator<Item = &Recorded> {
        let filter = self.event_filter();
        let older = self.filtered_events.as_ref().filter(|older| older.filter == filter);
        let first_known = self.events.front().map_or(u64::MAX, |recorded| recorded.sequence);
        let older = older.into_iter().flat_map(|older| &older.events);
        let older = older.filter(move |recorded| recorded.sequence < first_known);
        older.chain(self.events.iter().filter(move |recorded| filter.matches(recorded)))
    }

    /// The release to which the view's `R` goes back: on the Board the last before the live one, in Releases the chosen one.
    pub(super) fn way_back(&self) -> Option<ReleaseId> {
        let release = match self.view {
            View::Releases => self.chosen_release().filter(|release| Some(release.id) != self.state.live),
            View::Board | View::Runs | View::Logs | View::Models | View::Metrics | View::Events => {
                self.state.rollback_target()
            }
        };
        release.map(|release| release.id)
    }

    /// Where releases run, once something was deployed.
    pub(super) fn place(&self) -> Option<&Place> {
        self.target().and_then(|report| report.place.as_ref()).or(self.known_place.as_ref())
    }

    /// What the target says of what it runs.
    pub(super) fn target(&self) -> Option<&TargetReport> {
        self.live.target.as_ref()
    }

    /// Whether the project's name must be typed before anything that serves is changed by hand.
    pub(super) fn is_production(&self) -> bool {
        self.place().is_some_and(|place| place.production)
    }

    /// The project's name; empty before the first snapshot.
    pub(super) fn project(&self) -> &str {
        self.daemon.as_ref().map_or("", |daemon| daemon.project.as_str())
    }

    /// The run that the view is about.
    pub(super) fn subject_run(&self) -> Option<&Arc<Run>> {
        match self.view {
            View::Runs => self.chosen_run(),
            View::Board | View::Logs | View::Models | View::Releases | View::Metrics | View::Events => self.board_run(),
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

    /// The log of the stage that is looked at, of the run that is looked at.
    pub(super) fn subject_log(&self) -> Option<LogAddress> {
        let (run, stage) = self.subject_run().zip(self.subject_stage())?;
        self.log_of(run, stage)
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

    /// The stage that a key for this kind means: the first of it, or one of the user's own that does the same, by what it
    /// makes or by its name.
    pub(super) fn stage_of_kind(&self, kind: StageKind) -> Option<&StageName> {
        let find = |wanted: &dyn Fn(&StageSpec) -> bool| self.state.graph.stages().iter().find(|spec| wanted(spec));
        let built_in = |spec: &StageSpec| spec.kind == kind;
        let named = |name: &'static str| move |spec: &StageSpec| spec.name.as_str() == name;
        let found = match kind {
            StageKind::Train => find(&built_in).or_else(|| find(&|spec| spec.produces_model)),
            StageKind::Command => find(&named("test")).or_else(|| find(&|spec| built_in(spec) && !spec.produces_model)),
            StageKind::Image => find(&built_in).or_else(|| find(&named("build"))),
            StageKind::Deploy => find(&built_in).or_else(|| find(&named("deploy"))),
        };
        found.map(|spec| &spec.name)
    }

    /// Whether a duration on the screen grows, so that a frame a second is due.
    pub(super) fn shows_a_growing_duration(&self) -> bool {
        let has_durations = matches!(self.view, View::Board | View::Runs | View::Models | View::Releases);
        let works = has_durations && self.state.active_run().is_some() && self.is_connected();
        // How long the line has been gone stands in every view, and so does the age of a lock. In the past time stands.
        self.is_line_down() || (self.past.is_none() && (works || self.state.lock.is_some()))
    }

    /// Whether lines of the live release are on the screen, which nobody tells of.
    pub(super) fn watches_the_release(&self) -> bool {
        let shows_lines = self.view == View::Releases && self.past.is_none() && self.state.live.is_some();
        shows_lines && self.is_connected() && !self.is_frozen
    }

    /// Whether charts are on the screen of which nobody tells that they went on: those of targets beside which no app of ours
    /// is scraped.
    pub(super) fn watches_charts(&self) -> bool {
        let shows_charts = self.view == View::Metrics && !self.metrics.charts.panels.is_empty();
        shows_charts && self.live.scraped.is_none() && self.past.is_none() && self.is_connected() && !self.is_frozen
    }

    /// Whether something is due each second.
    pub(super) fn needs_the_second_hand(&self) -> bool {
        let watches = self.watches_the_release() || self.watches_charts() || announcement::told(self).is_some();
        watches || self.shows_a_growing_duration() || event_list::shows_an_age(self)
    }
}
