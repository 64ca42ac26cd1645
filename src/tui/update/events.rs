//! Events: what the list is narrowed to, which older events that needs from the daemon, and where one goes from an event.

use super::{actions, complain, enter, refuse, walk};
use crate::pipeline::{EventFilter, Recorded, RunId, StageName};
use crate::tui::app::{EVENTS_KEPT, Model, View};
use crate::tui::commands::{Action, key_of};
use crate::tui::event_list::{self, Subject};
use crate::tui::event_search::FilteredEvents;
use crate::tui::list::Sort;
use crate::tui::message::Cmd;

/// Narrows Events to what is looked for, beginning at the newest.
pub(super) fn search(model: &mut Model, typed: String) {
    model.event_list.filter = typed;
    model.event_list.chosen = None;
    // What could not be told before is asked for again.
    model.filtered_events = None;
}

/// Goes to what the chosen event is of, or says why there is no way.
pub(super) fn open(model: &mut Model) {
    let Some(recorded) = event_list::chosen(model) else { return };
    let (number, subject) = (recorded.sequence, event_list::subject(&recorded.event));
    // However the list grows meanwhile, the way back leads to this event.
    model.event_list.chosen = Some(number);
    match subject {
        Some(Subject::Run(run)) => open_run(model, run, None),
        Some(Subject::Stage(run, stage)) => open_run(model, run, Some(stage)),
        Some(Subject::Model(version)) if model.state.registry.models.contains_key(&version) => {
            enter::into(model, |model| walk::to_model(model, version));
        }
        Some(Subject::Model(version)) => refuse(model, format!("model {version} is not kept")),
        Some(Subject::Release(release)) if model.state.releases.contains_key(&release) => {
            enter::into(model, |model| walk::to_release(model, release));
        }
        Some(Subject::Release(release)) => refuse(model, format!("release {release} is forgotten")),
        None => {
            let key = key_of(model, Action::AsItWas);
            let text = format!("event {number} is of no run, model or release; {key} shows the screen as it was then");
            refuse(model, text);
        }
    }
}

/// To a run; of a stage to its log, else to the stage in its run.
fn open_run(model: &mut Model, run: RunId, stage: Option<StageName>) {
    let Some(known) = model.run_of(run).cloned() else {
        refuse(model, format!("run {run} is not known here any more; `trainyard events --run {run}` tells of it"));
        return;
    };
    let log = stage.as_ref().and_then(|stage| model.log_of(&known, stage));
    enter::into(model, |model| match (stage, log) {
        (_, Some(log)) => walk::to_log(model, log),
        (Some(stage), None) => walk::to_stage(model, run, stage),
        (None, None) => walk::to_run(model, run),
    });
}

/// One step back within Events: out of the detail, then to all alerts. Whoever came for those of one alert goes back at once.
pub(super) fn back(model: &mut Model) -> bool {
    if std::mem::take(&mut model.is_zoomed) {
        return true;
    }
    let came_for_it = model.came_from.last().is_some_and(|from| from.alert == model.alert);
    if model.alert.is_none() || came_for_it {
        return false;
    }
    actions::choose_alert(model, None);
    true
}

/// Events that lie before all that are known: asked for once Events is narrowed or sorted, or somebody reads back to their
/// beginning.
pub(super) fn missing(model: &mut Model) -> Option<Cmd> {
    if model.view != View::Events {
        return None;
    }
    let filter = model.event_filter();
    let is_newest_first = model.event_list.sort == Sort::default();
    if filter.is_empty() && model.event_list.chosen.is_none() && is_newest_first {
        // Whoever is at the newest again does not need the older ones any more.
        model.filtered_events = None;
        return None;
    }
    let first_known = model.events.front().map(|recorded| recorded.sequence)?;
    if model.filtered_events.as_ref().is_none_or(|known| known.filter != filter) {
        model.filtered_events = Some(FilteredEvents::new(filter.clone()));
    }
    let rows = event_list::numbers(model);
    let behind = rows.len().saturating_sub(model.event_list.position(&rows));
    // Sorted otherwise, older ones may belong anywhere.
    let is_near = !is_newest_first || behind <= usize::from(model.size.1);
    let known = model.filtered_events.as_mut()?;
    let before = known.events.first().map_or(first_known, |first| first.sequence.min(first_known));
    if known.is_pending || known.is_whole || before <= 1 || !is_near {
        return None;
    }
    known.is_pending = true;
    Some(Cmd::FetchEvents { filter, before: Some(before) })
}

/// They came; those of a filter that is not in force any more are dropped.
pub(super) fn received(model: &mut Model, filter: &EventFilter, answer: Result<Vec<Recorded>, String>) {
    let Some(known) = model.filtered_events.as_mut().filter(|known| known.filter == *filter) else { return };
    match answer {
        Ok(older) => known.receive(older, EVENTS_KEPT),
        Err(error) => {
            known.fail();
            complain(model, error);
        }
    }
}

/// An event fell out of the list of the newest.
pub(super) fn forgotten(model: &mut Model, recorded: Recorded) {
    if let Some(known) = &mut model.filtered_events {
        known.keep(recorded);
    }
}
