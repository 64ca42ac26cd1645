//! Reads a table of the TOML tree and remembers which of its keys were asked for, so that what is left over is an
//! error.
//!
//! A reader never stops at an error: it notes it and answers `None`, so that all errors of a file are told at once.
//! Getters for single values are in `values.rs`.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::errors::{Problems, Span};
use super::keys::{self, Key, Section, Shape};
use super::names::{quoted, suggest};

/// A key as it was written.
#[derive(Debug, Clone)]
pub(super) struct Entry<'a> {
    /// Its name.
    pub(super) key: &'static str,
    /// Where the key stands.
    pub(super) key_span: Span,
    /// Its value.
    pub(super) value: &'a DeValue<'a>,
    /// Where the value stands.
    pub(super) span: Span,
}

/// One table that is being read.
#[derive(Debug)]
pub(super) struct TableReader<'a> {
    /// Where errors are noted.
    pub(super) problems: &'a Problems,
    /// The table; `None` if it is not there, then every key is absent.
    table: Option<&'a DeTable<'a>>,
    /// Whose keys are valid here.
    sections: Vec<Section>,
    /// How the table is called in messages.
    title: String,
    /// Where the table is introduced: a missing key is noted here.
    span: Span,
    /// Keys that were asked for.
    taken: Vec<&'static str>,
}

impl<'a> TableReader<'a> {
    /// The reader of the whole file.
    pub(super) fn root(problems: &'a Problems, table: &'a DeTable<'a>) -> Self {
        Self::new(problems, Some(table), Section::Root, Section::Root.title().to_owned(), 0..0)
    }

    fn new(
        problems: &'a Problems,
        table: Option<&'a DeTable<'a>>,
        section: Section,
        title: String,
        span: Span,
    ) -> Self {
        Self { problems, table, sections: vec![section], title, span, taken: Vec::new() }
    }

    /// How the table is called in messages.
    pub(super) fn title(&self) -> &str {
        &self.title
    }

    /// Where the table is introduced.
    pub(super) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Makes the keys of `section` valid too.
    pub(super) fn allow(&mut self, section: Section) {
        self.sections.push(section);
    }

    /// Accepts the keys of `sections` unread, because it is not known which of them are meant.
    pub(super) fn allow_unread(&mut self, sections: &[Section]) {
        self.sections.extend_from_slice(sections);
        self.taken.extend(sections.iter().flat_map(|section| section.keys()).map(|key| key.name));
    }

    /// Whether the key is written, whatever its value.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.is_some_and(|table| table.contains_key(key))
    }

    /// The key as it was written.
    pub(super) fn entry(&mut self, key: &'static str) -> Option<Entry<'a>> {
        self.taken.push(key);
        let (name, value) = self.table?.get_key_value(key)?;
        Some(Entry { key, key_span: name.span(), value: value.get_ref(), span: value.span() })
    }

    /// What the table of keys says of a key.
    pub(super) fn known(&self, key: &str) -> Option<&'static Key> {
        keys::find(&self.sections, key)
    }

    /// What a value of the key looks like.
    pub(super) fn shape(&self, key: &str) -> Option<Shape> {
        self.known(key).map(|known| known.shape)
    }

    /// The hint that shows a valid value.
    pub(super) fn example(&self, key: &str) -> String {
        let sample = self.known(key).map_or("…", Key::sample);
        format!("for example `{key} = {sample}`")
    }

    /// Notes that the value is of the wrong type.
    pub(super) fn mistyped(&self, entry: &Entry<'_>, expected: &str) {
        let found = describe(entry.value);
        self.problems.add(entry.span.clone(), format!("expected {expected}, found {found}"), self.example(entry.key));
    }

    /// Notes that a key that must be written is missing.
    pub(super) fn require(&self, key: &str) {
        if !self.has(key) {
            let hint = self.known(key).map(|known| format!("add `{key} = {}`: {}", known.sample(), known.meaning));
            self.problems.add_absence(
                self.span(),
                format!("missing `{key}` in {}", self.title),
                hint.unwrap_or_default(),
            );
        }
    }

    /// The table under a key; one without keys if it is absent.
    pub(super) fn section(&mut self, key: &'static str, section: Section, title: String) -> Self {
        let span = self.span();
        self.optional_section(key, section, title.clone())
            .unwrap_or_else(|| Self::new(self.problems, None, section, title, span))
    }

    /// The table under a key, if it is written.
    pub(super) fn optional_section(&mut self, key: &'static str, section: Section, title: String) -> Option<Self> {
        let entry = self.entry(key)?;
        let DeValue::Table(table) = entry.value else {
            self.mistyped(&entry, "a table");
            return None;
        };
        Some(Self::new(self.problems, Some(table), section, title, entry.key_span))
    }

    /// The table under a key in whose place a word may stand; a word says what is meant without a table.
    pub(super) fn section_or_word(&mut self, key: &'static str, section: Section, title: String) -> Option<Self> {
        let entry = self.entry(key)?;
        let Some(Shape::WordOrTable { words, .. }) = self.shape(key) else { return None };
        match entry.value {
            DeValue::Table(table) => Some(Self::new(self.problems, Some(table), section, title, entry.key_span)),
            DeValue::String(word) if words.iter().any(|known| *known == &**word) => None,
            DeValue::String(word) => {
                let message = format!("unknown value `{word}` for `{key}`");
                let mut hint = suggest(word, words, "valid words");
                hint.push_str("; or a table with the keys ");
                hint.push_str(&section.keys().map(|key| format!("`{}`", key.name)).collect::<Vec<_>>().join(", "));
                self.problems.add(entry.span, message, hint);
                None
            }
            _ => {
                self.mistyped(&entry, "a word or a table");
                None
            }
        }
    }

    /// The tables of an array of tables.
    pub(super) fn sections(&mut self, key: &'static str, section: Section) -> Vec<Self> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let DeValue::Array(items) = entry.value else {
            self.mistyped(&entry, "an array of tables");
            return Vec::new();
        };
        let mut readers = Vec::new();
        for item in items {
            if let DeValue::Table(table) = item.get_ref() {
                let title = section.title().to_owned();
                readers.push(Self::new(self.problems, Some(table), section, title, item.span()));
            } else {
                let found = describe(item.get_ref());
                self.problems.add(item.span(), format!("expected a table, found {found}"), self.example(key));
            }
        }
        readers
    }

    /// The tables whose names are free, such as the stages, in the order in which they are written.
    pub(super) fn named_sections(&mut self, key: &'static str, section: Section) -> Vec<(Spanned<String>, Self)> {
        let Some(entry) = self.entry(key) else { return Vec::new() };
        let DeValue::Table(tables) = entry.value else {
            self.mistyped(&entry, "a table");
            return Vec::new();
        };
        let mut readers = Vec::new();
        for (name, value) in tables {
            if let DeValue::Table(table) = value.get_ref() {
                let title = format!("[{key}.{}]", name.get_ref());
                let reader = Self::new(self.problems, Some(table), section, title, name.span());
                readers.push((Spanned::new(name.span(), name.get_ref().clone().into_owned()), reader));
            } else {
                let found = describe(value.get_ref());
                let hint = format!("give it a table of its own, such as [{key}.train]");
                self.problems.add(value.span(), format!("expected a table, found {found}"), hint);
            }
        }
        readers.sort_by_key(|(name, _)| name.span().start);
        readers
    }

    /// Notes every key that nobody asked for.
    pub(super) fn finish(self) {
        let Some(table) = self.table else { return };
        for (name, value) in table {
            let key: &str = name.get_ref();
            if !self.taken.contains(&key) || self.known(key).is_none() {
                let (message, hint) = self.unknown(key, value.get_ref());
                self.problems.add(name.span(), message, hint);
            }
        }
    }

    fn unknown(&self, key: &str, value: &DeValue<'_>) -> (String, String) {
        if self.sections.contains(&Section::Root) {
            return unknown_at_top(key, value);
        }
        if let Some(told) = self.misplaced(key) {
            return told;
        }
        let valid: Vec<&str> =
            self.sections.iter().flat_map(|section| section.keys()).map(|known| known.name).collect();
        (format!("unknown key `{key}` in {}", self.title), suggest(key, &valid, "valid keys"))
    }

    /// What is told of a key that is valid in another stage, in this one under a condition, or in its `container`.
    fn misplaced(&self, key: &str) -> Option<(String, String)> {
        if !self.sections.contains(&Section::Stage) {
            return None;
        }
        let title = &self.title;
        if let Some(holder) = holders(key).find(|section| self.sections.contains(&section.kind())) {
            let hint = match holder.condition() {
                Some(condition) => format!("write `{condition}`, or remove `{key}`"),
                None => format!("remove `{key}`"),
            };
            return Some((format!("`{key}` in {title} belongs to {}", holder.title()), hint));
        }
        let may_have_container = self.sections.iter().any(|kind| matches!(kind, Section::Command | Section::Train));
        if let Some(inner) = keys::find(&[Section::Container], key).filter(|_| may_have_container) {
            let hint = format!("write `container = {{ {key} = {} }}`", inner.sample());
            return Some((format!("`{key}` in {title} belongs into `container`"), hint));
        }
        let holder = holders(key).next()?;
        Some((format!("`{key}` in {title} belongs to {}", holder.title()), format!("remove `{key}`")))
    }
}

/// The sections of stages that have the key.
fn holders(key: &str) -> impl Iterator<Item = Section> {
    Section::KINDS.iter().copied().filter(move |section| keys::find(&[*section], key).is_some())
}

fn unknown_at_top(key: &str, value: &DeValue<'_>) -> (String, String) {
    let tables: Vec<&str> = Section::Root.keys().map(|known| known.name).collect();
    if matches!(value, DeValue::Table(_) | DeValue::Array(_)) {
        return (format!("unknown table `{key}`"), suggest(key, &tables, "valid tables"));
    }
    (format!("key `{key}` stands outside of a table"), format!("put it under one of the tables {}", quoted(&tables)))
}

/// A value's type, with its article.
pub(super) fn describe(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a float",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    }
}
