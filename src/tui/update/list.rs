//! The lists of runs and of releases: how one goes through them, narrows and sorts them, and lays two rows side by side. That
//! of models is narrowed here too.
//!
//! In any other view these do nothing; the table of commands does not offer them there.

use crossterm::event::{KeyCode, KeyEvent};

use super::keys::edit;
use super::say;
use crate::pipeline::{ReleaseId, RunId};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::{release_list, run_facts, run_history};

/// The rows of the view's list, in the order in which they are shown.
enum Rows {
    Runs(Vec<RunId>),
    Releases(Vec<ReleaseId>),
    None,
}

fn rows(model: &Model) -> Rows {
    match model.view {
        View::Runs => Rows::Runs(run_history::rows(model).into_iter().map(|run| run.id).collect()),
        View::Releases => Rows::Releases(release_list::rows(model).into_iter().map(|release| release.id).collect()),
        View::Board | View::Logs | View::Models | View::Metrics | View::Events => Rows::None,
    }
}

/// By so many rows.
pub(super) fn move_by(model: &mut Model, by: i64) {
    match rows(model) {
        Rows::Runs(rows) => model.runs.list.move_by(&rows, by),
        Rows::Releases(rows) => model.releases.move_by(&rows, by),
        Rows::None => {}
    }
}

/// To the first row or the last.
pub(super) fn to_edge(model: &mut Model, is_top: bool) {
    match rows(model) {
        Rows::Runs(rows) => model.runs.list.go_to_edge(&rows, is_top),
        Rows::Releases(rows) => model.releases.go_to_edge(&rows, is_top),
        Rows::None => {}
    }
}

/// By the next column.
pub(super) fn sort_by_next(model: &mut Model) {
    keep_chosen(model);
    match model.view {
        View::Runs => model.runs.list.sort_by_next(&run_facts::SORTABLE),
        View::Releases => model.releases.sort_by_next(&release_list::SORTABLE),
        View::Board | View::Logs | View::Models | View::Metrics | View::Events => {}
    }
}

/// The other way round.
pub(super) fn turn(model: &mut Model) {
    keep_chosen(model);
    match model.view {
        View::Runs => model.runs.list.turn(),
        View::Releases => model.releases.turn(),
        View::Board | View::Logs | View::Models | View::Metrics | View::Events => {}
    }
}

/// Rows move when they are sorted; the row that was looked at stays the chosen one.
fn keep_chosen(model: &mut Model) {
    match model.view {
        View::Runs => model.runs.list.chosen = model.chosen_run().map(|run| run.id),
        View::Releases => model.releases.chosen = model.chosen_release().map(|release| release.id),
        View::Board | View::Logs | View::Models | View::Metrics | View::Events => {}
    }
}

/// Asks what to look for, beginning with what is looked for already.
pub(super) fn filter(model: &mut Model) {
    let input = match model.view {
        View::Runs => model.runs.list.filter.clone(),
        View::Releases => model.releases.filter.clone(),
        View::Models => model.models.filter.clone(),
        View::Board | View::Logs | View::Metrics | View::Events => return,
    };
    model.overlay = Some(Overlay::FilterList { input });
}

/// A key while it is typed; an empty one shows all again.
pub(super) fn in_filter(model: &mut Model, key: &KeyEvent, mut input: String) {
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            narrow(model, input.trim().to_owned());
            return;
        }
        _ => {
            edit(&mut input, key);
        }
    }
    model.overlay = Some(Overlay::FilterList { input });
}

fn narrow(model: &mut Model, typed: String) {
    match model.view {
        View::Runs => {
            model.runs.list.filter = typed;
            model.is_in_detail = false;
        }
        View::Releases => model.releases.filter = typed,
        View::Models => model.models.filter = typed,
        View::Board | View::Logs | View::Metrics | View::Events => {}
    }
}

/// Marks the chosen row, or takes its mark away.
pub(super) fn mark(model: &mut Model) {
    match model.view {
        View::Runs => {
            let chosen = model.chosen_run().map(|run| run.id);
            model.runs.list.mark(chosen);
        }
        View::Releases => {
            let chosen = model.chosen_release().map(|release| release.id);
            model.releases.mark(chosen);
        }
        View::Board | View::Logs | View::Models | View::Metrics | View::Events => {}
    }
}

/// The chosen row beside another, or alone again.
pub(super) fn compare(model: &mut Model) {
    match model.view {
        View::Runs => {
            model.runs.list.is_comparing = !model.runs.list.is_comparing;
            model.is_in_detail = false;
            if model.runs.list.is_comparing && model.runs.list.marked.is_none() {
                say(model, "beside the run before it; m marks another to compare with".to_owned());
            }
        }
        View::Releases => model.releases.is_comparing = !model.releases.is_comparing,
        View::Board | View::Logs | View::Models | View::Metrics | View::Events => {}
    }
}

/// Out of a comparison; false if there is none.
pub(super) fn leave_comparison(model: &mut Model) -> bool {
    match model.view {
        View::Runs => std::mem::take(&mut model.runs.list.is_comparing),
        View::Releases => std::mem::take(&mut model.releases.is_comparing),
        View::Board | View::Logs | View::Models | View::Metrics | View::Events => false,
    }
}

/// Shows all again; false if nothing is hidden.
pub(super) fn leave_filter(model: &mut Model) -> bool {
    let filter = match model.view {
        View::Runs => &mut model.runs.list.filter,
        View::Releases => &mut model.releases.filter,
        View::Models => &mut model.models.filter,
        View::Board | View::Logs | View::Metrics | View::Events => return false,
    };
    !std::mem::take(filter).is_empty()
}
