//! The table as people read it: the keys of a command, and all of them for the docs.

use std::fmt::Write;

use super::{COMMANDS, Command, LISTS, view_name};

/// The keys of a command for people: `Left or h`.
pub(in crate::tui) fn key_labels(command: &Command) -> String {
    let labels: Vec<_> = command.keys.iter().map(|key| key.label()).collect();
    labels.join(" or ")
}

/// The table of all commands in Markdown, for the docs.
pub fn reference() -> String {
    let mut text = String::from("| key | command | what it does | where |\n|---|---|---|---|\n");
    for command in COMMANDS {
        let names: Vec<_> = command.views.iter().map(|view| view_name(*view)).collect();
        let place =
            if names.is_empty() || names.len() == LISTS.len() { "everywhere".to_owned() } else { names.join(", ") };
        let keys: Vec<_> = command.keys.iter().map(|key| format!("`{}`", key.label())).collect();
        let _ = writeln!(text, "| {} | {} | {} | {place} |", keys.join(" "), command.name, command.description);
    }
    text
}
