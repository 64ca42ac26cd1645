//! Other words that people type for a command, by which the palette, help and a typed line find it too.

use super::{Action, View};

/// The words of a command; most have only their own name.
pub(in crate::tui) fn other_words(action: Action) -> &'static [&'static str] {
    match action {
        Action::Detach => &["stop", "quit", "exit", "end", "leave", "close", "down", "shut down"],
        Action::Cancel => &["stop", "abort", "kill", "end"],
        Action::Rollback => &["undo", "revert", "go back"],
        Action::Unsilence => &["unsilence"],
        Action::Show(View::Board) => &["status"],
        Action::Lock => &["hold", "pause"],
        Action::Palette => &["theme", "colour", "color", "dark", "light"],
        Action::ShowTab(_) => &["tab", "part"],
        Action::Freeze => &["pause"],
        Action::TimeLine | Action::AsItWas => &["past", "history"],
        Action::Mouse => &["click"],
        Action::CopyLines | Action::CopyThing => &["yank", "clipboard"],
        _ => &[],
    }
}
