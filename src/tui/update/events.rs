//! What Events is narrowed to, and which older events that needs from the daemon.

use crossterm::event::{KeyCode, KeyEvent};

use super::complain;
use super::keys::edit;
use crate::pipeline::{EventFilter, Recorded};
use crate::tui::app::{EVENTS_KEPT, Model, Overlay, View};
use crate::tui::event_search::FilteredEvents;
use crate::tui::message::Cmd;

/// Asks what to look for, beginning with what is looked for already.
pub(super) fn filter(model: &mut Model) {
    model.overlay = Some(Overlay::FilterEvents { input: model.event_search.clone() });
}

/// A key while it is typed; an empty one shows all again.
pub(super) fn in_filter(model: &mut Model, key: &KeyEvent, mut input: String) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            search(model, input.trim().to_owned());
            return;
        }
        _ => {
            edit(&mut input, key);
        }
    }
    model.overlay = Some(Overlay::FilterEvents { input });
}

/// Narrows Events to what was typed, beginning at the newest.
pub(super) fn search(model: &mut Model, typed: String) {
    model.event_search = typed;
    model.events_back = 0;
    // What could not be told before is asked for again.
    model.filtered_events = None;
}

/// Events that lie before all that are known: asked for once Events is narrowed, or somebody reads back to their beginning.
pub(super) fn missing(model: &mut Model) -> Option<Cmd> {
    if model.view != View::Events {
        return None;
    }
    let filter = model.event_filter();
    if filter.is_empty() && model.events_back == 0 {
        // Whoever is at the newest again does not need the older ones any more.
        model.filtered_events = None;
        return None;
    }
    let first_known = model.events.front().map(|recorded| recorded.sequence)?;
    if model.filtered_events.as_ref().is_none_or(|known| known.filter != filter) {
        model.filtered_events = Some(FilteredEvents::new(filter.clone()));
    }
    let before_the_screen = model.shown_events().count().saturating_sub(model.events_back);
    let is_near = before_the_screen <= usize::from(model.size.1);
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
