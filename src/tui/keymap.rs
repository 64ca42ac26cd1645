//! Which keys a command has: those of the table, or those that the operator gave it.
//!
//! Commands are known by their place in the one table; nothing here knows what they do.

use std::collections::BTreeMap;

use super::commands::{COMMANDS, Command, Key};

/// The keys that differ from the table.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Keymap {
    changed: BTreeMap<&'static str, Vec<Key>>,
}

/// A key that would mean two commands at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Clash {
    /// Which.
    pub(super) key: Key,
    /// The stable name of a command that has it.
    pub(super) one: String,
    /// And that of another one.
    pub(super) other: String,
}

impl Keymap {
    /// The keys of a command; the first is the one that is shown.
    pub(super) fn keys(&self, command: &Command) -> &[Key] {
        self.changed.get(command.name).map_or(command.keys, Vec::as_slice)
    }

    /// Gives a command other keys, or none.
    pub(super) fn set(&mut self, command: &Command, keys: Vec<Key>) {
        self.changed.insert(command.name, keys);
    }

    /// Every key that means two commands of one view.
    pub(super) fn clashes(&self) -> Vec<Clash> {
        let mut clashes = Vec::new();
        for (index, one) in COMMANDS.iter().enumerate() {
            for other in COMMANDS.iter().skip(index + 1).filter(|other| one.shares_a_view(other)) {
                let twice = self.keys(one).iter().filter(|key| self.keys(other).contains(key));
                clashes.extend(twice.map(|key| Clash { key: *key, one: one.id(), other: other.id() }));
            }
        }
        clashes
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::commands::by_id;

    #[test]
    fn the_table_gives_no_key_two_meanings() {
        assert_eq!(Keymap::default().clashes(), []);
    }

    #[test]
    fn a_key_may_mean_two_things_in_two_views_but_not_in_one() {
        let mut keymap = Keymap::default();
        keymap.set(by_id("note").unwrap(), vec![Key::Char('t')]);
        assert_eq!(keymap.clashes(), [], "t trains on the Board, and notes are written in Models");
        keymap.set(by_id("rollback").unwrap(), vec![Key::Char('d')]);
        let clash = Clash { key: Key::Char('d'), one: "rollback".to_owned(), other: "deploy".to_owned() };
        assert_eq!(keymap.clashes(), [clash]);
    }
}
