//! Which command is meant: by a key, by its action, by its stable name.

use crossterm::event::KeyEvent;

use super::{Action, COMMANDS, Command};
use crate::tui::app::Model;

/// The command behind a key, if it works now.
pub(in crate::tui) fn by_key(model: &Model, event: &KeyEvent) -> Option<Action> {
    behind(model, event).find(|command| command.is_available(model)).map(|command| command.action)
}

/// The command that somebody means with a key that does nothing now: the view's own, else that of another view.
pub(in crate::tui) fn meant_by_key(model: &Model, event: &KeyEvent) -> Option<&'static Command> {
    let known = || behind(model, event).filter(|command| command.is_known(model));
    known().find(|command| command.belongs(model.view)).or_else(|| known().next())
}

/// All commands that people know behind a key, wherever they work.
pub(in crate::tui) fn all_by_key(model: &Model, event: &KeyEvent) -> Vec<&'static Command> {
    behind(model, event).filter(|command| command.is_known(model)).collect()
}

fn behind(model: &Model, event: &KeyEvent) -> impl Iterator<Item = &'static Command> {
    COMMANDS.iter().filter(move |command| model.keymap().keys(command).iter().any(|key| key.matches(event)))
}

/// The key of a command for people; what has none is found in the palette.
pub(in crate::tui) fn key_of(model: &Model, action: Action) -> String {
    let command = COMMANDS.iter().find(|command| command.action == action);
    let key = command.and_then(|command| model.keymap().keys(command).first());
    key.map(|key| key.label()).unwrap_or_default()
}

/// The command with a stable name.
pub(in crate::tui) fn by_id(id: &str) -> Option<&'static Command> {
    COMMANDS.iter().find(|command| command.id() == id)
}
