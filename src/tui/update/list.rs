//! The lists of runs, models, releases and events: how one goes through them, narrows and sorts them, and lays two rows side
//! by side.
//!
//! In any other view these do nothing; the table of commands does not offer them there.

use crossterm::event::{KeyCode, KeyEvent};

use super::actions::stepped;
use super::keys::edit;
use super::{refuse, say};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::commands::{Action, key_of};
use crate::tui::list::Step;
use crate::tui::{event_list, event_search, models, release_list, run_facts, run_history, views};

/// Does a step in the view's list.
pub(super) fn step(model: &mut Model, step: Step) {
    match model.view {
        View::Runs => {
            let rows: Vec<_> = run_history::rows(model).iter().map(|run| run.id).collect();
            model.runs.list.step(&rows, &run_facts::SORTABLE, step);
        }
        View::Models => {
            let rows: Vec<_> = models::entries(model).into_iter().map(models::Entry::version).collect();
            model.models.list.step(&rows, &models::SORTABLE, step);
        }
        View::Releases => {
            let rows: Vec<_> = release_list::rows(model).iter().map(|release| release.id).collect();
            model.releases.step(&rows, &release_list::SORTABLE, step);
        }
        View::Events => {
            let rows = event_list::numbers(model);
            model.event_list.step(&rows, &event_list::SORTABLE, step);
        }
        View::Board | View::Logs | View::Metrics => {}
    }
}

/// By so many rows; a zoomed detail that is longer than the screen is scrolled.
pub(super) fn move_by(model: &mut Model, by: i64) {
    match hidden_rows(model) {
        Some(furthest) => scroll(model, |scroll| stepped(scroll.min(furthest), by, furthest + 1)),
        None => step(model, Step::By(by)),
    }
}

/// To the first row or the last; in a zoomed detail, to its own.
pub(super) fn to_edge(model: &mut Model, is_top: bool) {
    match hidden_rows(model) {
        Some(furthest) => scroll(model, |_| if is_top { 0 } else { furthest }),
        None => step(model, Step::ToEdge { is_top }),
    }
}

/// The rows of a zoomed detail that do not fit, where it has the keys.
fn hidden_rows(model: &Model) -> Option<usize> {
    match model.view {
        View::Models if model.is_zoomed => Some(views::models::hidden_rows(model)),
        View::Events if model.is_zoomed => Some(views::events::hidden_rows(model)),
        View::Board | View::Runs | View::Logs | View::Models | View::Releases | View::Metrics | View::Events => None,
    }
}

fn scroll(model: &mut Model, to: impl Fn(usize) -> usize) {
    match model.view {
        View::Models => model.models.list.scroll = to(model.models.list.scroll),
        View::Events => model.event_list.scroll = to(model.event_list.scroll),
        View::Board | View::Runs | View::Logs | View::Releases | View::Metrics => {}
    }
}

/// A detail that is zoomed again is shown from its beginning.
pub(super) fn settle(model: &mut Model) {
    if !model.is_zoomed {
        (model.models.list.scroll, model.event_list.scroll) = (0, 0);
    }
}

/// Asks what to look for, beginning with what is looked for already.
pub(super) fn filter(model: &mut Model) {
    let input = filter_of(model).cloned();
    model.overlay = input.map(|input| Overlay::FilterList { input });
}

/// A key while it is typed; an empty one shows all again.
pub(super) fn in_filter(model: &mut Model, key: &KeyEvent, mut input: String) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            let refused = event_search::refusal(&input).filter(|_| model.view == View::Events);
            match refused {
                Some(reason) => refuse(model, reason),
                None => narrow(model, input.trim().to_owned()),
            }
            return;
        }
        _ => {
            edit(&mut input, key);
        }
    }
    model.overlay = Some(Overlay::FilterList { input });
}

/// Shows all again; false if nothing is hidden.
pub(super) fn leave_filter(model: &mut Model) -> bool {
    let is_narrowed = filter_of(model).is_some_and(|filter| !filter.is_empty());
    if is_narrowed {
        narrow(model, String::new());
    }
    is_narrowed
}

/// Whether the view is no list, or its list shows something.
pub(super) fn has_row(model: &Model) -> bool {
    match model.view {
        View::Runs => model.chosen_run().is_some(),
        View::Models => models::chosen(model).is_some(),
        View::Releases => model.chosen_release().is_some(),
        View::Events => event_list::chosen(model).is_some(),
        View::Board | View::Logs | View::Metrics => true,
    }
}

/// Why a list shows nothing into which a key could go.
pub(super) fn why_empty(model: &mut Model) -> String {
    let is_narrowed = filter_of(model).is_some_and(|filter| !filter.is_empty()) || model.alert.is_some();
    if !is_narrowed {
        return "there is nothing here yet".to_owned();
    }
    format!("nothing passes the filter; {} shows all", key_of(model, Action::Back))
}

fn narrow(model: &mut Model, typed: String) {
    if let Some(filter) = filter_of(model) {
        *filter = typed;
        model.is_in_detail = false;
    }
    if !has_row(model) {
        // A frame around nothing would not say why.
        model.is_zoomed = false;
    }
    if model.view == View::Events {
        // What the daemon could not tell before is asked for again.
        model.filtered_events = None;
    }
}

fn filter_of(model: &mut Model) -> Option<&mut String> {
    match model.view {
        View::Runs => Some(&mut model.runs.list.filter),
        View::Models => Some(&mut model.models.list.filter),
        View::Releases => Some(&mut model.releases.filter),
        View::Events => Some(&mut model.event_list.filter),
        View::Board | View::Logs | View::Metrics => None,
    }
}

/// The chosen row beside another, or alone again.
pub(super) fn compare(model: &mut Model) {
    let Some(is_comparing) = comparison_of(model) else { return };
    *is_comparing = !*is_comparing;
    let begins = *is_comparing;
    model.is_in_detail = false;
    if begins && model.view == View::Runs && model.runs.list.marked.is_none() {
        let key = key_of(model, Action::MarkRow);
        say(model, format!("beside the run before it; {key} marks another to compare with"));
    }
}

/// Out of a comparison; false if there is none.
pub(super) fn leave_comparison(model: &mut Model) -> bool {
    comparison_of(model).is_some_and(std::mem::take)
}

fn comparison_of(model: &mut Model) -> Option<&mut bool> {
    match model.view {
        View::Runs => Some(&mut model.runs.list.is_comparing),
        View::Models => Some(&mut model.models.list.is_comparing),
        View::Releases => Some(&mut model.releases.is_comparing),
        View::Board | View::Logs | View::Metrics | View::Events => None,
    }
}
