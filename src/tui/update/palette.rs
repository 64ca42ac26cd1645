//! The palette: what is typed in it, and what is done with the row that was chosen.

use crossterm::event::{KeyCode, KeyEvent};

use super::keys::edit;
use super::{actions, refuse, say};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::commands::Action;
use crate::tui::message::Cmd;
use crate::tui::palette::{self, Entry, Target};
use crate::tui::preferences;

/// Rows by which a page goes on.
const PAGE: usize = 10;

/// Opens it, and has the other projects looked for, which it finds too.
pub(super) fn open(model: &mut Model, commands: &mut Vec<Cmd>) {
    model.overlay = Some(Overlay::Palette { input: String::new(), selected: 0 });
    if model.can_switch {
        commands.push(Cmd::FetchProjects);
    }
}

/// A key while it is open.
pub(super) fn press(
    model: &mut Model,
    key: &KeyEvent,
    mut input: String,
    mut selected: usize,
    commands: &mut Vec<Cmd>,
) {
    let found = palette::entries(model, &input);
    let last = found.len().saturating_sub(1);
    match key.code {
        KeyCode::Esc => return,
        KeyCode::Enter => {
            if let Some(entry) = found.into_iter().nth(selected) {
                choose(model, entry, commands);
            }
            return;
        }
        KeyCode::Down | KeyCode::Tab => selected = (selected + 1).min(last),
        KeyCode::Up | KeyCode::BackTab => selected = selected.saturating_sub(1),
        KeyCode::PageDown => selected = (selected + PAGE).min(last),
        KeyCode::PageUp => selected = selected.saturating_sub(PAGE),
        _ if edit(&mut input, key) => selected = 0,
        _ => {}
    }
    model.overlay = Some(Overlay::Palette { input, selected });
}

fn choose(model: &mut Model, entry: Entry, commands: &mut Vec<Cmd>) {
    if let Some(why) = entry.why_not {
        refuse(model, why);
        return;
    }
    palette::remember(model, &entry.name);
    match entry.target {
        Target::Command(command) => actions::act(model, command.action, commands),
        Target::Run(run) => {
            actions::act(model, Action::Show(View::Runs), commands);
            model.runs.list.chosen = Some(run);
        }
        Target::Stage(stage) => {
            model.stage = Some(stage);
            actions::act(model, Action::Show(View::Logs), commands);
        }
        Target::Theme(name) => {
            model.found.asked = Some(name.clone());
            preferences::dress(model);
            say(model, format!("theme {name}; `theme = \"{name}\"` in your config.toml keeps it"));
        }
        Target::Project(folder) => {
            let is_here = model.daemon.as_ref().is_some_and(|daemon| folder.as_os_str() == daemon.folder.as_str());
            commands.extend((!is_here).then_some(Cmd::Switch(folder)));
        }
    }
}
