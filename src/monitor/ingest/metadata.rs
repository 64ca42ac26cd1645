//! What pages say of their metrics: type, help and unit.

use std::collections::BTreeMap;

use super::super::exposition::{Entry, Metadata};

/// The most metrics that are described; an app that makes up names would fill the memory with them.
const MOST: usize = 20_000;

/// Descriptions by the name of the metric.
#[derive(Debug, Default)]
pub(super) struct Descriptions(BTreeMap<String, Metadata>);

impl Descriptions {
    /// All of them.
    pub(super) fn all(&self) -> &BTreeMap<String, Metadata> {
        &self.0
    }

    /// Takes over what a page says. Nothing is copied where it says what it said before.
    pub(super) fn note(&mut self, entries: &[Entry<'_>]) {
        for entry in entries {
            match entry {
                Entry::Type { name, kind } => {
                    if let Some(known) = self.of(name) {
                        known.kind = *kind;
                    }
                }
                Entry::Help { name, text } => {
                    if let Some(known) = self.of(name) {
                        replace(&mut known.help, text);
                    }
                }
                Entry::Unit { name, unit } => {
                    if let Some(known) = self.of(name) {
                        replace(&mut known.unit, unit);
                    }
                }
                Entry::Sample(_) => {}
            }
        }
    }

    fn of(&mut self, name: &str) -> Option<&mut Metadata> {
        if !self.0.contains_key(name) {
            if self.0.len() >= MOST {
                return None;
            }
            self.0.insert(name.to_owned(), Metadata::default());
        }
        self.0.get_mut(name)
    }
}

fn replace(known: &mut String, said: &str) {
    if known.as_str() != said {
        said.clone_into(known);
    }
}
