//! The Models view: what is asked of the daemon for it, and how one goes through versions and what is known of them.

use super::actions::stepped;
use crate::pipeline::ModelVersion;
use crate::tui::app::{Model, View};
use crate::tui::message::Cmd;
use crate::tui::models::{self, Tab};
use crate::tui::views;

/// Asks for what is visible and not here, or out of date.
pub(super) fn follow_up(model: &mut Model, commands: &mut Vec<Cmd>) {
    if !model.is_zoomed {
        model.models.scroll = 0;
    }
    if model.view != View::Models {
        return;
    }
    let wanted = models::wanted(model);
    commands.extend(model.models.next_question(&wanted).map(Cmd::FetchModels));
}

/// Shows another part of what is known.
pub(super) fn show_tab(model: &mut Model, tab: Tab) {
    model.models.tab = tab;
    model.models.scroll = 0;
}

/// Shows the part beside.
pub(super) fn next_tab(model: &mut Model, backward: bool) {
    let tab = model.models.tab.beside(backward);
    show_tab(model, tab);
}

/// Marks the chosen version, or takes its mark away.
pub(super) fn mark(model: &mut Model) {
    let chosen = models::chosen_made(model).map(|made| made.version);
    model.models.marked = if model.models.marked == chosen { None } else { chosen };
}

/// Up or down the list; a zoomed detail is scrolled.
pub(super) fn move_by(model: &mut Model, lines: i64) {
    if model.is_zoomed {
        let furthest = views::models::hidden_rows(model);
        model.models.scroll = stepped(model.models.scroll.min(furthest), lines, furthest + 1);
        return;
    }
    let versions = versions(model);
    let current = models::chosen(model).map(models::Entry::version);
    let index = versions.iter().position(|version| Some(*version) == current).unwrap_or(0);
    choose(model, &versions, stepped(index, lines, versions.len()));
}

/// To the newest version or the oldest; in a zoomed detail, to its first or last row.
pub(super) fn to_edge(model: &mut Model, is_top: bool) {
    if model.is_zoomed {
        model.models.scroll = if is_top { 0 } else { views::models::hidden_rows(model) };
        return;
    }
    let versions = versions(model);
    choose(model, &versions, if is_top { 0 } else { versions.len().saturating_sub(1) });
}

fn versions(model: &Model) -> Vec<ModelVersion> {
    models::entries(model).into_iter().map(models::Entry::version).collect()
}

/// Whoever is at the newest stays at the newest, also when there is a newer one.
fn choose(model: &mut Model, versions: &[ModelVersion], index: usize) {
    model.models.chosen = versions.get(index).copied().filter(|_| index > 0);
}
