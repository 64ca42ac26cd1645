//! What Runs asks of the daemon: runs that the state has forgotten, and the data files of two runs beside each other.

use std::sync::Arc;

use super::complain;
use crate::pipeline::{EventFilter, Recorded, Run, RunId};
use crate::tui::app::{EVENTS_KEPT, Model, View};
use crate::tui::message::Cmd;
use crate::tui::run_history::{self, OlderRuns};

/// Asks for what is visible and not here.
pub(super) fn follow_up(model: &mut Model, commands: &mut Vec<Cmd>) {
    if model.view != View::Runs {
        return;
    }
    commands.extend(older(model));
    if model.runs.list.is_comparing {
        let pair: Vec<Arc<Run>> = model.chosen_run().into_iter().chain(run_history::partner(model)).cloned().collect();
        let filter = model.runs.next_inputs(&pair);
        commands.extend(filter.map(|filter| Cmd::FetchEvents { filter, before: None }));
    }
}

/// The next page of older runs, once somebody is near the end of the list.
fn older(model: &mut Model) -> Option<Cmd> {
    let (oldest, made) = model.state.runs.values().next().map(|run| (run.id, run.created))?;
    if oldest <= RunId(1) {
        return None;
    }
    let rows = run_history::rows(model);
    let ids: Vec<RunId> = rows.iter().map(|run| run.id).collect();
    let behind = ids.len().saturating_sub(model.runs.list.position(&ids));
    if behind > usize::from(model.size.1) {
        return None;
    }
    let known = model.runs.older.get_or_insert_with(|| OlderRuns::new(oldest, made));
    if known.is_pending || known.is_whole {
        return None;
    }
    known.is_pending = true;
    Some(Cmd::FetchEvents { filter: known.filter.clone(), before: known.before() })
}

/// Events came; false if they were asked for by somebody else.
pub(super) fn received(model: &mut Model, filter: &EventFilter, answer: &Result<Vec<Recorded>, String>) -> bool {
    if model.runs.told(filter, answer) {
        return true;
    }
    let graph = &model.state.graph;
    let Some(older) = model.runs.older.as_mut().filter(|older| older.is_pending && older.filter == *filter) else {
        return false;
    };
    match answer {
        Ok(page) => older.receive(page.clone(), EVENTS_KEPT, graph),
        Err(error) => {
            older.fail();
            let text = format!("older runs did not come: {error}; leave the view and come back to ask again");
            complain(model, text);
        }
    }
    true
}

/// The state may have forgotten its oldest run just now; where older ones are listed, it is one of them.
pub(super) fn forgotten(model: &mut Model, oldest: Option<Arc<Run>>) {
    let Some(run) = oldest.filter(|run| !model.state.runs.contains_key(&run.id)) else { return };
    if let Some(older) = &mut model.runs.older {
        older.keep(run);
    }
}
