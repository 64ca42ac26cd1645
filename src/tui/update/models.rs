//! The Models view: what is asked of the daemon for it, and how one goes through what is known of a version.

use crate::tui::app::{Model, View};
use crate::tui::message::Cmd;
use crate::tui::models::{self, Tab};

/// Asks for what is visible and not here, or out of date.
pub(super) fn follow_up(model: &mut Model, commands: &mut Vec<Cmd>) {
    if model.view != View::Models {
        return;
    }
    let wanted = models::wanted(model);
    commands.extend(model.models.next_question(&wanted).map(Cmd::FetchModels));
}

/// Shows another part of what is known.
pub(super) fn show_tab(model: &mut Model, tab: Tab) {
    model.models.tab = tab;
    model.models.list.scroll = 0;
}

/// Shows the part beside.
pub(super) fn next_tab(model: &mut Model, backward: bool) {
    let tab = model.models.tab.beside(backward);
    show_tab(model, tab);
}
