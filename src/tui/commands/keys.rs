//! A key as the table names it, and as people read it.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

/// A key as written in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Key {
    /// A character, shift included.
    Char(char),
    /// With control held.
    Control(char),
    /// A key with a name.
    Named(KeyCode, &'static str),
}

impl Key {
    /// How it is written for people.
    pub(in crate::tui) fn label(self) -> String {
        match self {
            Self::Char(' ') => "Space".to_owned(),
            Self::Char(character) => character.to_string(),
            Self::Control(character) => format!("Ctrl-{}", character.to_ascii_uppercase()),
            Self::Named(_, name) => name.to_owned(),
        }
    }

    pub(super) fn matches(self, event: &KeyEvent) -> bool {
        let control = event.modifiers.contains(KeyModifiers::CONTROL);
        let alt = event.modifiers.contains(KeyModifiers::ALT);
        match self {
            Self::Char(character) => !control && !alt && event.code == KeyCode::Char(character),
            Self::Control(character) => control && event.code == KeyCode::Char(character),
            Self::Named(code, _) => !control && !alt && event.code == code,
        }
    }
}

pub(super) const TAB: Key = Key::Named(KeyCode::Tab, "Tab");
pub(super) const BACK_TAB: Key = Key::Named(KeyCode::BackTab, "Shift-Tab");
pub(super) const ENTER: Key = Key::Named(KeyCode::Enter, "Enter");
pub(super) const ESCAPE: Key = Key::Named(KeyCode::Esc, "Esc");
pub(super) const UP: Key = Key::Named(KeyCode::Up, "Up");
pub(super) const DOWN: Key = Key::Named(KeyCode::Down, "Down");
pub(super) const LEFT: Key = Key::Named(KeyCode::Left, "Left");
pub(super) const RIGHT: Key = Key::Named(KeyCode::Right, "Right");
pub(super) const PAGE_UP: Key = Key::Named(KeyCode::PageUp, "PgUp");
pub(super) const PAGE_DOWN: Key = Key::Named(KeyCode::PageDown, "PgDn");
pub(super) const HOME: Key = Key::Named(KeyCode::Home, "Home");
pub(super) const END: Key = Key::Named(KeyCode::End, "End");
