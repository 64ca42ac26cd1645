//! Reads the file of preferences, and says all that is wrong with it at once.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Misfit, Preferences, nearest};
use crate::tui::commands::{COMMANDS, Command, Key, by_id};
use crate::tui::log_view::Timestamps;
use crate::tui::theme::Theme;

/// What may stand at the top of the file.
const NAMES: [&str; 6] = ["theme", "mouse", "bell", "timestamps", "ascii", "keys"];
/// Without these nobody would find out or back.
const NEEDED: [&str; 2] = ["palette", "detach"];
const KEY_HINT: &str =
    "write one character, ctrl- and a letter, or a name such as enter, esc, tab, space, up, pgdn or f5";
const KEYS_HINT: &str = "write a key, several in brackets, or false for none";

/// The preferences, or everything that is wrong with them.
pub(super) fn read(text: &str, themes: BTreeMap<String, Theme>) -> Result<Preferences, Vec<Misfit>> {
    let document = DeTable::parse(text).map_err(|error| vec![Misfit::of_syntax(&error)])?;
    let mut reader = Reader { preferences: Preferences { themes, ..Preferences::default() }, faults: Vec::new() };
    for (key, value) in document.get_ref() {
        let name: &str = key.get_ref();
        match name {
            "theme" => reader.theme(value),
            "mouse" => reader.preferences.mouse = reader.switch(value),
            "bell" => reader.preferences.bell = reader.switch(value),
            "ascii" => reader.preferences.ascii = Some(reader.switch(value)),
            "timestamps" => reader.timestamps(value),
            "keys" => reader.keys(value),
            unknown => {
                let hint = match nearest(unknown, NAMES.into_iter()) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => format!("the keys are {}", NAMES.join(", ")),
                };
                reader.fault(key.span(), format!("unknown key `{unknown}`"), hint);
            }
        }
    }
    if reader.faults.is_empty() {
        Ok(reader.preferences)
    } else {
        reader.faults.sort_by_key(|fault| fault.span.start);
        Err(reader.faults)
    }
}

struct Reader {
    preferences: Preferences,
    faults: Vec<Misfit>,
}

impl Reader {
    fn fault(&mut self, span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) {
        self.faults.push(Misfit::new(span, message, hint));
    }

    fn theme(&mut self, value: &Spanned<DeValue<'_>>) {
        let names = self.preferences.theme_names().join(", ");
        let hint = format!("the themes are auto, {names}; your own are files in themes/ beside this one");
        match value.get_ref() {
            DeValue::String(name) if name == "auto" => {}
            DeValue::String(name) if self.preferences.theme_named(name).is_some() => {
                self.preferences.theme = Some(name.clone().into_owned());
            }
            DeValue::String(name) => self.fault(value.span(), format!("there is no theme `{name}`"), hint),
            other => self.faults.push(Misfit::of_kind(value.span(), other, "the name of a theme", &hint)),
        }
    }

    fn switch(&mut self, value: &Spanned<DeValue<'_>>) -> bool {
        let switch = value.get_ref().as_bool();
        if switch.is_none() {
            let fault = Misfit::of_kind(value.span(), value.get_ref(), "a boolean", "write true or false");
            self.faults.push(fault);
        }
        switch.unwrap_or_default()
    }

    fn timestamps(&mut self, value: &Spanned<DeValue<'_>>) {
        self.preferences.timestamps = match value.get_ref().as_str() {
            Some("absolute") => Timestamps::Absolute,
            Some("relative") => Timestamps::Relative,
            Some("off") => Timestamps::Off,
            _ => {
                self.fault(value.span(), "these are no timestamps", "write \"absolute\", \"relative\" or \"off\"");
                return;
            }
        };
    }

    fn keys(&mut self, value: &Spanned<DeValue<'_>>) {
        let DeValue::Table(table) = value.get_ref() else {
            let fault = Misfit::of_kind(value.span(), value.get_ref(), "a table", "begin it with [keys]");
            self.faults.push(fault);
            return;
        };
        let mut places: BTreeMap<String, Range<usize>> = BTreeMap::new();
        for (key, value) in table {
            let name: &str = key.get_ref();
            let Some(command) = by_id(name) else {
                let known: Vec<String> = COMMANDS.iter().map(Command::id).collect();
                let hint = match nearest(name, known.iter().map(String::as_str)) {
                    Some(known) => format!("did you mean `{known}`?"),
                    None => "`trainyard config preferences` prints the name of every command".to_owned(),
                };
                self.fault(key.span(), format!("there is no command `{name}`"), hint);
                continue;
            };
            places.insert(command.id(), key.span());
            if let Some(keys) = self.keys_of(command, value) {
                self.preferences.keymap.set(command, keys);
            }
        }
        self.clashes(&places);
    }

    /// The keys that a command is given; `None` if something is wrong with them.
    fn keys_of(&mut self, command: &Command, value: &Spanned<DeValue<'_>>) -> Option<Vec<Key>> {
        let keys = match value.get_ref() {
            DeValue::Boolean(false) => Vec::new(),
            DeValue::String(_) => vec![self.key(value)?],
            DeValue::Array(items) => {
                let keys: Vec<Option<Key>> = items.iter().map(|item| self.key(item)).collect();
                keys.into_iter().collect::<Option<Vec<Key>>>()?
            }
            other => {
                self.faults.push(Misfit::of_kind(value.span(), other, "a key", KEYS_HINT));
                return None;
            }
        };
        let id = command.id();
        if keys.is_empty() && NEEDED.contains(&id.as_str()) {
            self.fault(value.span(), format!("`{id}` would have no key"), "give it another one; it is the way out");
            return None;
        }
        Some(keys)
    }

    fn key(&mut self, value: &Spanned<DeValue<'_>>) -> Option<Key> {
        let DeValue::String(text) = value.get_ref() else {
            self.faults.push(Misfit::of_kind(value.span(), value.get_ref(), "a key", KEYS_HINT));
            return None;
        };
        let key = Key::read(text);
        if key.is_none() {
            self.fault(value.span(), format!("`{text}` is no key"), KEY_HINT);
        }
        key
    }

    /// Keys that mean two commands, told at the one that the operator changed.
    fn clashes(&mut self, places: &BTreeMap<String, Range<usize>>) {
        for clash in self.preferences.keymap.clashes() {
            let (one, other) = (&clash.one, &clash.other);
            let (span, changed, kept) = match (places.get(other), places.get(one)) {
                (Some(span), _) => (span.clone(), other, one),
                (None, Some(span)) => (span.clone(), one, other),
                (None, None) => continue,
            };
            let key = clash.key.label();
            let message = format!("`{key}` would be the key of `{changed}` and of `{kept}` in one view");
            self.fault(span, message, format!("choose another one, or give `{kept}` another one too"));
        }
    }
}
