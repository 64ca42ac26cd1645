//! The table as people read it: the keys of a command, and all of them for the docs and the manual page.

use std::fmt::Write;

use super::{COMMANDS, Command, LISTS, view_name};
use crate::tui::app::Model;

/// A command of the screen, for whoever tells of them outside of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScreenCommand {
    /// Its stable name.
    pub id: String,
    /// Its keys, as people read them.
    pub keys: Vec<String>,
    /// One line.
    pub description: &'static str,
    /// Where it works.
    pub place: String,
}

/// The keys of a command for people, as the operator gave them: `Left or h`.
pub(in crate::tui) fn key_labels(model: &Model, command: &Command) -> String {
    let labels: Vec<_> = model.keymap().keys(command).iter().map(|key| key.label()).collect();
    labels.join(" or ")
}

/// Every command, in the order of the table.
pub fn screen_commands() -> Vec<ScreenCommand> {
    let told = |command: &Command| ScreenCommand {
        id: command.id(),
        keys: command.keys.iter().map(|key| key.label()).collect(),
        description: command.description,
        place: place(command),
    };
    COMMANDS.iter().map(told).collect()
}

/// The table of all commands in Markdown, for the docs.
pub fn reference() -> String {
    let mut text = String::from("| key | command | what it does | where |\n|---|---|---|---|\n");
    for command in screen_commands() {
        // A bar would end the cell.
        let keys: Vec<_> = command.keys.iter().map(|key| format!("`{}`", key.replace('|', "\\|"))).collect();
        let ScreenCommand { id, description, place, .. } = &command;
        let _ = writeln!(text, "| {} | `{id}` | {description} | {place} |", keys.join(" "));
    }
    text
}

/// Where a command works.
pub(in crate::tui) fn place(command: &Command) -> String {
    let names: Vec<_> = command.views.iter().map(|view| view_name(*view)).collect();
    if names.is_empty() || names.len() == LISTS.len() { "everywhere".to_owned() } else { names.join(", ") }
}
