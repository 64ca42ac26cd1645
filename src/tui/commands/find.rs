//! Which command is meant: by a key, by its action, by letters of its name.

use crossterm::event::KeyEvent;

use super::{Action, COMMANDS, Command};
use crate::api::types::distance;
use crate::tui::app::Model;

/// The command behind a key, if it works now.
pub(in crate::tui) fn by_key(model: &Model, event: &KeyEvent) -> Option<Action> {
    behind(event).find(|command| command.is_available(model)).map(|command| command.action)
}

/// The command that somebody means with a key that does nothing now: the view's own, else that of another view.
pub(in crate::tui) fn meant_by_key(model: &Model, event: &KeyEvent) -> Option<&'static Command> {
    // Nobody learns of the demo's keys outside of the demo.
    let is_known = |command: &&Command| model.is_demo || !matches!(command.action, Action::Demo(_));
    let known = || behind(event).filter(is_known);
    known().find(|command| command.belongs(model.view)).or_else(|| known().next())
}

fn behind(event: &KeyEvent) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(|command| command.keys.iter().any(|key| key.matches(event)))
}

/// The key of a command for people.
pub(in crate::tui) fn key_of(action: Action) -> String {
    let command = COMMANDS.iter().find(|command| command.action == action);
    command.and_then(|command| command.keys.first()).map(|key| key.label()).unwrap_or_default()
}

/// The commands whose names hold the letters of `input` in this order, the best first.
pub(in crate::tui) fn matching(model: &Model, input: &str) -> Vec<&'static Command> {
    let mut found: Vec<(usize, &Command)> = COMMANDS
        .iter()
        .filter(|command| command.is_available(model) && command.action != Action::Palette)
        .filter_map(|command| Some((distance(command.name, input)?, command)))
        .collect();
    found.sort_by_key(|(distance, _)| *distance);
    found.into_iter().map(|(_, command)| command).collect()
}
