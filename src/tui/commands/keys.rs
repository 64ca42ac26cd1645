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

    /// How it is written in the file of preferences.
    pub(in crate::tui) fn written(self) -> String {
        match self {
            Self::Char(' ') => "space".to_owned(),
            Self::Char(character) => character.to_string(),
            Self::Control(character) => format!("ctrl-{character}"),
            Self::Named(_, name) => name.to_lowercase(),
        }
    }

    /// The key that is written so; a name in capitals or not, one character as it is.
    pub(in crate::tui) fn read(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        if let (Some(only), None) = (characters.next(), characters.next()) {
            return (!only.is_control()).then_some(Self::Char(only));
        }
        let lower = text.to_lowercase();
        if lower == "space" {
            return Some(Self::Char(' '));
        }
        if let Some(rest) = lower.strip_prefix("ctrl-") {
            let mut letters = rest.chars();
            return match (letters.next(), letters.next()) {
                // A terminal sends the others as it likes, if at all.
                (Some(letter), None) if letter.is_ascii_lowercase() => Some(Self::Control(letter)),
                _ => None,
            };
        }
        NAMED.iter().find(|key| key.written() == lower).copied()
    }

    /// The event of this key.
    #[cfg(test)]
    pub(in crate::tui) fn event(self) -> KeyEvent {
        match self {
            Self::Char(character) => KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE),
            Self::Control(character) => KeyEvent::new(KeyCode::Char(character), KeyModifiers::CONTROL),
            Self::Named(code, _) => KeyEvent::new(code, KeyModifiers::NONE),
        }
    }

    pub(in crate::tui) fn matches(self, event: &KeyEvent) -> bool {
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

/// Every key with a name that can be given to a command.
const NAMED: [Key; 27] = [
    TAB,
    BACK_TAB,
    ENTER,
    ESCAPE,
    UP,
    DOWN,
    LEFT,
    RIGHT,
    PAGE_UP,
    PAGE_DOWN,
    HOME,
    END,
    Key::Named(KeyCode::Insert, "Ins"),
    Key::Named(KeyCode::Delete, "Del"),
    Key::Named(KeyCode::Backspace, "Backspace"),
    Key::Named(KeyCode::F(1), "F1"),
    Key::Named(KeyCode::F(2), "F2"),
    Key::Named(KeyCode::F(3), "F3"),
    Key::Named(KeyCode::F(4), "F4"),
    Key::Named(KeyCode::F(5), "F5"),
    Key::Named(KeyCode::F(6), "F6"),
    Key::Named(KeyCode::F(7), "F7"),
    Key::Named(KeyCode::F(8), "F8"),
    Key::Named(KeyCode::F(9), "F9"),
    Key::Named(KeyCode::F(10), "F10"),
    Key::Named(KeyCode::F(11), "F11"),
    Key::Named(KeyCode::F(12), "F12"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_is_written() {
        let keys = NAMED.iter().copied().chain([Key::Char('r'), Key::Char('R'), Key::Char(' '), Key::Control('b')]);
        for key in keys {
            assert_eq!(Key::read(&key.written()), Some(key), "{}", key.written());
            assert_eq!(Key::read(&key.label()), Some(key), "{}", key.label());
        }
        for text in ["", "ctrl-", "ctrl-é", "hyper-x", "rr", "\u{1b}"] {
            assert_eq!(Key::read(text), None, "{text}");
        }
    }
}
