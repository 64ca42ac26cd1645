//! A visit to the past: the moment that the whole screen shows, and the present, which goes on meanwhile.
//!
//! The model holds one time at a time; the other lies aside, and both change places whole. So every view shows a past moment
//! without knowing of it, and what the daemon says of the present is folded into the present.

pub(super) mod strip;
pub(super) mod when;

use std::collections::VecDeque;
use std::mem::{replace, swap};

use crate::api::types::{Live, LogWindow, ModelDetail, ModelSummary, Past, PastPlace, PastRequest, Plan};
use crate::pipeline::{Moment, Recorded, ReleaseId, StageName, State};

use super::app::{Model, View};
use super::event_list;
use super::event_search::FilteredEvents;
use super::list::ListState;
use super::log_view::LogView;
use super::metrics::Metrics;
use super::models::Models;
use super::quantity;
use super::release_log::ReleaseLog;
use super::run_history::RunHistory;
use super::walk::Thing;

/// Milliseconds of a day.
const DAY: u64 = 86_400_000;

/// All of a model that belongs to one time.
#[derive(Debug, Clone)]
struct Side {
    state: State,
    live: Live,
    plan: Option<Plan>,
    events: VecDeque<Recorded>,
    event_list: ListState<u64>,
    filtered_events: Option<FilteredEvents>,
    stage: Option<StageName>,
    board_stage: Option<StageName>,
    /// Whether the Board was shown when this was laid aside: the view is that of both times, and may change meanwhile.
    is_on_board: bool,
    runs: RunHistory,
    releases: ListState<ReleaseId>,
    walk: Option<Thing>,
    release_log: ReleaseLog,
    log: LogView,
    metrics: Metrics,
    models: Models,
    is_frozen: bool,
    now: Moment,
}

impl Side {
    /// What was, looked at as the present was.
    fn of_the_past(model: &Model, past: Past, events: Vec<Recorded>) -> Self {
        let mut metrics = Metrics::new(model.metrics.drawing);
        (metrics.range, metrics.selected) = (model.metrics.range, model.metrics.selected);
        metrics.scale = model.metrics.scale;
        metrics.expression.clone_from(&model.metrics.expression);
        let (mut log, mut models) = (LogView::default(), Models::default());
        log.wrap = model.log.wrap;
        // What was marked in the present was not marked then.
        (models.tab, models.list) = (model.models.tab, ListState { marked: None, ..model.models.list.clone() });
        // Which runs the state has forgotten is another question at another time.
        let runs = RunHistory::with(ListState { marked: None, ..model.runs.list.clone() });
        Self {
            state: past.state,
            live: past.live,
            plan: None,
            events: events.into(),
            // The last event of back then is the first.
            event_list: ListState { chosen: None, ..model.event_list.clone() },
            filtered_events: None,
            stage: model.stage.clone(),
            board_stage: model.board_stage.clone(),
            is_on_board: model.view == View::Board,
            runs,
            releases: ListState { marked: None, ..model.releases.clone() },
            walk: None,
            release_log: ReleaseLog::default(),
            log,
            metrics,
            models,
            is_frozen: false,
            now: past.place.at,
        }
    }

    /// Changes places with what the model shows.
    fn exchange(&mut self, model: &mut Model) {
        swap(&mut self.state, &mut model.state);
        swap(&mut self.live, &mut model.live);
        swap(&mut self.plan, &mut model.plan);
        swap(&mut self.events, &mut model.events);
        swap(&mut self.event_list, &mut model.event_list);
        swap(&mut self.filtered_events, &mut model.filtered_events);
        swap(&mut self.stage, &mut model.stage);
        swap(&mut self.board_stage, &mut model.board_stage);
        let was_on_board = replace(&mut self.is_on_board, model.view == View::Board);
        model.turn_stage(was_on_board);
        swap(&mut self.runs, &mut model.runs);
        swap(&mut self.releases, &mut model.releases);
        swap(&mut self.walk, &mut model.walk);
        swap(&mut self.release_log, &mut model.release_log);
        swap(&mut self.log, &mut model.log);
        swap(&mut self.metrics, &mut model.metrics);
        swap(&mut self.models, &mut model.models);
        swap(&mut self.is_frozen, &mut model.is_frozen);
        swap(&mut self.now, &mut model.now);
    }
}

/// A visit to the past.
#[derive(Debug, Clone)]
pub(super) struct Visit {
    /// Which moment.
    pub(super) place: PastPlace,
    /// The other time: the present while the past is shown, else the past.
    other: Side,
}

/// Shows a moment of the past from now on, in place of the present or of another moment.
pub(super) fn visit(model: &mut Model, past: Past, events: Vec<Recorded>) {
    // Of the moment that was shown before nothing is kept.
    drop(step_out(model));
    let place = past.place.clone();
    let other = Side::of_the_past(model, past, events);
    step_in(model, Box::new(Visit { place, other }));
}

/// Shows the present; with what is returned the visit goes on.
pub(super) fn step_out(model: &mut Model) -> Option<Box<Visit>> {
    let mut visit = model.past.take()?;
    visit.other.exchange(model);
    Some(visit)
}

/// Goes on with a visit.
pub(super) fn step_in(model: &mut Model, mut visit: Box<Visit>) {
    visit.other.exchange(model);
    model.past = Some(visit);
}

/// The clock of the present goes on; that of the past stands.
pub(super) fn keep_time(model: &mut Model) {
    if let Some(visit) = &mut model.past
        && model.now != visit.place.at
    {
        visit.other.now = model.now;
        model.now = visit.place.at;
    }
}

impl Model {
    /// The state of the present, whatever is shown.
    pub(super) fn present_state(&self) -> &State {
        self.past.as_ref().map_or(&self.state, |visit| &visit.other.state)
    }

    /// The present, whatever is shown.
    pub(super) fn present_now(&self) -> Moment {
        self.past.as_ref().map_or(self.now, |visit| visit.other.now)
    }

    /// The moment of the past that is shown; `None` in the present.
    pub(super) fn past_moment(&self) -> Option<Moment> {
        self.past.as_ref().map(|visit| visit.place.at)
    }

    /// Where the charts of the view end, if that is not the present.
    pub(super) fn charts_end(&self) -> Option<Moment> {
        self.metrics.end.filter(|_| self.view == View::Metrics).or_else(|| self.past_moment())
    }

    /// Whether the present has alerts below its charts, and figures of delivery. In the past there may be none, but their
    /// rows stay free, so that charts are as high as in the present.
    pub(super) fn rows_of_the_present(&self) -> (bool, bool) {
        let (live, charts) = match &self.past {
            Some(visit) => (&visit.other.live, &visit.other.metrics.charts),
            None => (&self.live, &self.metrics.charts),
        };
        (!live.alerts.is_empty(), charts.delivery.is_some())
    }

    /// The moment that is meant by what is selected: the end of a run, before a release, the crosshair, an event.
    pub(super) fn meant_moment(&self) -> Option<PastRequest> {
        match self.view {
            View::Runs => self.chosen_run().map(|run| PastRequest { run: Some(run.id), ..PastRequest::default() }),
            View::Metrics if self.metrics.compared.is_none() => self.metrics.cursor.map(PastRequest::at),
            View::Events => event_list::chosen(self).map(|recorded| PastRequest::behind(recorded.sequence)),
            // The last moment before its deploy began.
            View::Releases => self.chosen_release().map(|release| PastRequest::at(before_it(release.started))),
            View::Metrics | View::Board | View::Logs | View::Models => None,
        }
    }
}

/// The last moment before another.
fn before_it(moment: Moment) -> Moment {
    Moment(moment.0.saturating_sub(1))
}

/// How long ago, in whole words: it stands there for long and seldom changes.
pub(super) fn ago(milliseconds: u64) -> String {
    match milliseconds / DAY {
        0 => format!("{} ago", quantity::age(milliseconds)),
        days => format!("{} ago", quantity::counted(days, "day")),
    }
}

/// The models as they were: those that were there, with the champion and the one that served then.
pub(super) fn models_then(state: &State, models: &mut Vec<ModelSummary>) {
    models.retain(|model| state.registry.models.contains_key(&model.version));
    for model in models {
        model_then(state, model);
    }
}

/// One model as it was at a moment.
pub(super) fn detail_then(state: &State, at: Moment, detail: &mut ModelDetail) {
    model_then(state, &mut detail.summary);
    detail.notes.retain(|note| note.at <= at);
    detail.promotions.retain(|promotion| promotion.at <= at);
}

fn model_then(state: &State, model: &mut ModelSummary) {
    model.champion = state.registry.champions.get(&model.stage) == Some(&model.version);
    model.live = state.live_release().is_some_and(|release| release.model == Some(model.version));
    let known = state.registry.models.get(&model.version);
    model.note = known.and_then(|model| model.notes.last()).map(|note| note.text.clone());
}

/// A window of a log as it was; one that was asked for in the present may hold more.
pub(super) fn log_then(at: Moment, window: &mut LogWindow) {
    let before = window.lines.iter().take_while(|line| line.at <= at).count();
    if before < window.lines.len() {
        window.lines.truncate(before);
        window.total = window.first.saturating_add(u64::try_from(before).unwrap_or(0));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::LogLine;

    #[test]
    fn long_ago_is_told_in_days() {
        let told = [5_000, 300_000, 7_200_000, DAY, 5 * DAY + 7].map(ago);
        assert_eq!(told, ["< 1 min ago", "5 min ago", "2 h ago", "1 day ago", "5 days ago"]);
    }

    #[test]
    fn lines_that_were_written_later_are_not_there_then() {
        let line = |at| LogLine { at: Moment(at), ..LogLine::default() };
        let mut window = LogWindow { first: 10, lines: vec![line(1), line(2), line(3)], total: 99 };
        log_then(Moment(3), &mut window);
        assert_eq!((window.lines.len(), window.total), (3, 99), "nothing is later");
        log_then(Moment(2), &mut window);
        assert_eq!((window.lines.len(), window.total), (2, 12));
    }
}
