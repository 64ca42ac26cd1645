//! What the daemon says, folded into the model with the daemon's own `apply`.

use super::{events, questions};
use crate::api::types::{Live, Snapshot, StreamItem};
use crate::pipeline::{Event, Recorded, StageKind};
use crate::tui::app::{Connection, EVENTS_KEPT, Model, Overlay};
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
    // Answers that were under way when the connection broke will not come.
    model.log.invalidate();
    model.release_log.reconnected();
    model.models.reconnected();
    model.metrics.is_pending = false;
    model.metrics.asked = None;
    if let Some(compared) = &mut model.metrics.compared {
        compared.asked = None;
    }
    if let Some(Overlay::Explorer(explorer)) = &mut model.overlay {
        explorer.reconnected();
    }
    commands.push(Cmd::FetchPlan);
    commands.push(Cmd::FetchHistory);
    questions::ask_again(model, commands);
}

/// One item of the stream.
pub(super) fn heard(model: &mut Model, item: StreamItem, commands: &mut Vec<Cmd>) {
    match item {
        StreamItem::Event(recorded) => event(model, recorded, commands),
        StreamItem::Live(live) => changed(model, live),
        StreamItem::Changes(changes) => {
            let mut live = model.live.clone();
            for change in changes {
                live.change(change);
            }
            changed(model, live);
        }
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
    if model.state.apply(&recorded).is_err() {
        commands.push(Cmd::Reconnect);
        return;
    }
    match &recorded.event {
        Event::RunCreated { .. } | Event::RunStarted { .. } => {
            // A choice made for an earlier run must not hide what happens now.
            if model.state.active_run().is_some_and(|run| run.stages.values().all(|stage| stage.started.is_none())) {
                model.stage = None;
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
        Event::RunFinished { .. } | Event::InputsObserved { .. } | Event::Configured { .. } => {
            commands.push(Cmd::FetchPlan);
        }
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
        | Event::Locked { .. }
        | Event::Unlocked { .. }
        | Event::ApprovalWanted { .. }
        | Event::Approved { .. }
        | Event::Noted { .. } => {}
    }
    if model.events_back > 0 && model.is_shown(&recorded) {
        // Whoever reads further back stays where he is.
        model.events_back += 1;
    }
    model.events.push_back(recorded);
    trim(model);
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
    if model.events_back > 0 {
        model.events_back = model.events_back.min(model.shown_events().count().saturating_sub(1));
    }
}
