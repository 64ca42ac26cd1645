//! What pages say of their metrics: type, help and unit.

use std::collections::BTreeMap;

use super::super::exposition::{Entry, Metadata};

/// The most metrics that are described; an app that makes up names would fill the memory with them.
const MOST: usize = 20_000;
/// The most bytes of a name, a help or a unit that are kept, for the same reason.
const LONGEST: usize = 1_024;

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
            if self.0.len() >= MOST || name.len() > LONGEST {
                return None;
            }
            self.0.insert(name.to_owned(), Metadata::default());
        }
        self.0.get_mut(name)
    }
}

fn replace(known: &mut String, said: &str) {
    let said = said.get(..said.floor_char_boundary(LONGEST)).unwrap_or_default();
    if known.as_str() != said {
        said.clone_into(known);
    }
}

#[cfg(test)]
mod tests {
    use std::borrow::Cow;

    use super::*;

    #[test]
    fn what_is_kept_of_a_page_is_bounded() {
        let mut descriptions = Descriptions::default();
        let help = |name: String| Entry::Help { name: Cow::Owned(name), text: Cow::Owned("é".repeat(1_000)) };
        descriptions.note(&[help("a".to_owned()), help("x".repeat(2_000))]);
        assert_eq!(descriptions.all().len(), 1);
        assert_eq!(descriptions.all()["a"].help, "é".repeat(512));
        let many: Vec<Entry<'_>> = (0..=MOST).map(|number| help(number.to_string())).collect();
        descriptions.note(&many);
        assert_eq!(descriptions.all().len(), MOST);
    }
}
