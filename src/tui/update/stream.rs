//! What the daemon says, folded into the model with the daemon's own `apply`.

use super::{events, questions, runs};
use crate::api::types::{DaemonInformation, Live, LiveChange, Snapshot, StreamItem};
use crate::pipeline::{Event, Recorded, RunResult, StageKind};
use crate::tui::announcement;
use crate::tui::app::{Connection, EVENTS_KEPT, Model, Overlay, Until};
use crate::tui::message::Cmd;

/// A snapshot: everything from the beginning.
pub(super) fn connected(model: &mut Model, snapshot: Snapshot, commands: &mut Vec<Cmd>) {
    model.daemon = Some(snapshot.daemon);
    model.state = snapshot.state;
    changed_live(model, snapshot.live);
    model.connection = Connection::Connected;
    model.message = None;
    model.events.clear();
    model.filtered_events = None;
    model.runs.older = None;
    forget_pending(model);
    commands.push(Cmd::FetchPlan);
    commands.push(Cmd::FetchHistory);
    questions::ask_again(model, commands);
}

/// The daemon is heard again and goes on where it was: all that is shown stays, and what was missed follows.
pub(super) fn resumed(model: &mut Model, daemon: DaemonInformation, commands: &mut Vec<Cmd>) {
    model.daemon = Some(daemon);
    model.connection = Connection::Connected;
    forget_pending(model);
    commands.push(Cmd::FetchPlan);
    let is_complete =
        model.events.len() >= EVENTS_KEPT || model.events.front().is_some_and(|first| first.sequence == 1);
    if !is_complete {
        commands.push(Cmd::FetchHistory);
    }
    questions::ask_again(model, commands);
}

/// Answers that were under way when the connection broke, or when the past was shown, will not come.
pub(super) fn forget_pending(model: &mut Model) {
    model.past_asked = None;
    model.log.invalidate();
    model.release_log.reconnected();
    model.models.reconnected();
    model.runs.reconnected();
    model.metrics.is_pending = false;
    model.metrics.asked = None;
    if let Some(compared) = &mut model.metrics.compared {
        compared.asked = None;
    }
    if let Some(Overlay::Explorer(explorer)) = &mut model.overlay {
        explorer.reconnected();
    }
    if let Some(Overlay::TimeLine(strip)) = &mut model.overlay {
        strip.reconnected();
    }
    if let Some(known) = &mut model.filtered_events {
        known.is_pending = false;
    }
}

/// One item of the stream.
pub(super) fn heard(model: &mut Model, item: StreamItem, commands: &mut Vec<Cmd>) {
    match item {
        StreamItem::Event(recorded) => event(model, recorded, commands),
        StreamItem::Live(live) => changed(model, live),
        StreamItem::Changes(changes) => changed_in_part(model, changes),
        StreamItem::Behind => commands.push(Cmd::Reconnect),
    }
}

/// The daemon is not heard any more; its last word stays on the screen, dimmed.
pub(super) fn lost(model: &mut Model, reason: String) {
    let since = match &model.connection {
        Connection::Lost { since, .. } => *since,
        Connection::Connecting | Connection::Connected => model.now,
    };
    model.connection = Connection::Lost { since, reason };
}

/// Events before those that came by stream.
pub(super) fn history(model: &mut Model, answer: Result<Vec<Recorded>, String>) {
    let Ok(mut older) = answer else { return };
    older.sort_by_key(|recorded| recorded.sequence);
    let first_known = model.events.front().map_or(u64::MAX, |recorded| recorded.sequence);
    older.retain(|recorded| recorded.sequence < first_known);
    for recorded in older.into_iter().rev() {
        model.events.push_front(recorded);
    }
    trim(model);
}

fn event(model: &mut Model, recorded: Recorded, commands: &mut Vec<Cmd>) {
    if recorded.sequence <= model.state.sequence {
        // It was in the snapshot already.
        model.is_dirty = false;
        return;
    }
    let oldest = model.state.runs.values().next().cloned();
    if model.state.apply(&recorded).is_err() {
        commands.push(Cmd::Reconnect);
        return;
    }
    runs::forgotten(model, oldest);
    announcement::hear(model, &recorded);
    end_message(model, &recorded.event);
    match &recorded.event {
        Event::RunCreated { .. } | Event::RunStarted { .. } => {
            // A choice made for an earlier run must not hide what happens now.
            if model.state.active_run().is_some_and(|run| run.stages.values().all(|stage| stage.started.is_none())) {
                model.stage = None;
                model.board_stage = None;
            }
        }
        Event::StageFinished { run, stage, .. } => {
            let is_shown = model.log.address.as_ref().is_some_and(|log| log.run == *run && log.stage == *stage);
            if is_shown {
                model.log.invalidate();
            }
            if model.state.graph.get(stage).is_some_and(|spec| spec.kind == StageKind::Deploy) {
                // A mark came to the charts, and maybe another release is live now.
                model.metrics.asked = None;
                model.release_log.invalidate();
                questions::ask_again(model, commands);
            }
            model.models.invalidate();
        }
        Event::ModelPromoted { .. } | Event::ModelNoted { .. } => model.models.invalidate(),
        // A lock changes what a run would do, too.
        Event::RunFinished { .. }
        | Event::InputsObserved { .. }
        | Event::Configured { .. }
        | Event::Locked { .. }
        | Event::Unlocked { .. } => commands.push(Cmd::FetchPlan),
        // The strip under the charts is longer now.
        Event::AlertFired { .. } | Event::AlertResolved { .. } => model.metrics.asked = None,
        Event::DataRefused { .. }
        | Event::DataRefusalEnded { .. }
        | Event::RunStopping { .. }
        | Event::StageChecking { .. }
        | Event::StageSkipped { .. }
        | Event::StageNotRun { .. }
        | Event::StageStarted { .. }
        | Event::StageStopping { .. }
        | Event::StageRetrying { .. }
        | Event::StageDropped { .. }
        | Event::ReleaseRejected { .. }
        | Event::QuarantineLifted { .. }
        | Event::AlertSilenced { .. }
        | Event::SilenceLifted { .. }
        | Event::Commanded { .. }
        | Event::ApprovalWanted { .. }
        | Event::Approved { .. }
        | Event::DaemonEnded { .. }
        | Event::Noted { .. } => {}
    }
    model.events.push_back(recorded);
    trim(model);
}

/// What was said of a run is over with it.
fn end_message(model: &mut Model, event: &Event) {
    let Event::RunFinished { run, result } = event else { return };
    let until = model.message.as_ref().and_then(|message| message.until);
    let is_over = until.is_some_and(|until| match until {
        Until::RunIsOver(told) => *run >= told,
        Until::Verdict { from } => *run >= from && *result != RunResult::Superseded,
    });
    if is_over {
        model.message = None;
    }
}

fn changed_in_part(model: &mut Model, changes: Vec<LiveChange>) {
    let mut live = model.live.clone();
    for change in changes {
        live.change(change);
    }
    changed(model, live);
}

fn changed(model: &mut Model, live: Live) {
    if model.live == live {
        model.is_dirty = false;
        return;
    }
    // Only when the daemon reports it: an answer that lags behind must not lead to the next question at once.
    if let Some((address, total)) = &live.log {
        model.log.grown(address, *total);
    }
    if model.live.target != live.target {
        model.release_log.invalidate();
    }
    changed_live(model, live);
}

fn changed_live(model: &mut Model, live: Live) {
    if let Some(place) = live.target.as_ref().and_then(|report| report.place.as_ref()) {
        model.known_place = Some(place.clone());
    }
    model.live = live;
}

fn trim(model: &mut Model) {
    while model.events.len() > EVENTS_KEPT {
        let Some(recorded) = model.events.pop_front() else { break };
        events::forgotten(model, recorded);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::app::Message;
    use crate::tui::fixtures::{self, send};
    use crate::tui::message::Msg;
    use crate::tui::update::update;

    #[test]
    fn a_screen_that_goes_on_keeps_all_that_it_shows_and_asks_again_for_what_was_under_way() {
        let mut model = fixtures::running();
        model.message = Some(Message::word("kept".to_owned()));
        let (state, live, events) = (model.state.clone(), model.live.clone(), model.events.clone());
        let log = model.log.total;
        model.metrics.is_pending = true;
        send(&mut model, Msg::Lost("the line broke".to_owned()));
        let daemon = model.daemon.clone().unwrap();
        let asked = update(&mut model, Msg::Resumed(daemon));
        assert_eq!(model.connection, Connection::Connected);
        assert_eq!((&model.state, &model.live, &model.events, model.log.total), (&state, &live, &events, log));
        assert!(model.message.is_some());
        assert!(asked.contains(&Cmd::FetchPlan), "{asked:?}");
        assert!(asked.iter().any(|command| matches!(command, Cmd::FetchLog(..))), "{asked:?}");
        assert!(!asked.contains(&Cmd::FetchHistory), "all events are there: {asked:?}");
        assert!(!model.metrics.is_pending || asked.iter().any(|command| matches!(command, Cmd::FetchCharts(..))));
    }

    #[test]
    fn parts_that_changed_are_taken_in_and_the_rest_stays() {
        let mut model = fixtures::running();
        let mut expected = model.live.clone();
        expected.scraped = Some(Err("refused".to_owned()));
        let (address, lines) = expected.log.clone().unwrap();
        expected.log = Some((address, lines + 960));
        let changes = model.live.changes_to(&expected);
        assert_eq!(changes.len(), 2);
        send(&mut model, Msg::Stream(Box::new(StreamItem::Changes(changes))));
        assert_eq!(model.live, expected);
        model.is_dirty = false;
        update(&mut model, Msg::Stream(Box::new(StreamItem::Changes(Vec::new()))));
        assert!(!model.is_dirty, "nothing new asks for no frame");
    }
}
