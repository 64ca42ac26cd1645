//! What is wrong with a file of the operator's own: where, what, and the mend.

use std::ops::Range;
use std::path::Path;

use toml::de::{DeValue, Error};

/// A fault at a place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Misfit {
    /// Its bytes.
    pub(in crate::tui) span: Range<usize>,
    /// What is wrong.
    pub(in crate::tui) message: String,
    /// What to write.
    pub(in crate::tui) hint: String,
}

impl Misfit {
    /// At a place.
    pub(in crate::tui) fn new(span: Range<usize>, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { span, message: message.into(), hint: hint.into() }
    }

    /// It is no TOML.
    pub(in crate::tui) fn of_syntax(error: &Error) -> Self {
        let message = error.message().trim().replace('\n', ", ");
        Self::new(error.span().unwrap_or(0..0), message, "see https://toml.io")
    }

    /// A value is of another kind.
    pub(in crate::tui) fn of_kind(span: Range<usize>, found: &DeValue<'_>, wanted: &str, hint: &str) -> Self {
        Self::new(span, format!("expected {wanted}, found {}", kind(found)), hint)
    }

    /// The fault as people read it, in the file at `path` with this text.
    pub(in crate::tui) fn at(&self, path: &Path, text: &str) -> PreferenceFault {
        let before = text.get(..self.span.start).unwrap_or(text);
        let line_begin = before.rfind('\n').map_or(0, |newline| newline + 1);
        PreferenceFault {
            file: path.display().to_string(),
            line: before.matches('\n').count() + 1,
            column: before.get(line_begin..).unwrap_or_default().chars().count() + 1,
            message: self.message.clone(),
            hint: self.hint.clone(),
        }
    }
}

fn kind(value: &DeValue<'_>) -> &'static str {
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

/// A fault in a file of preferences or in a theme.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{line}:{column}: {message}; {hint}")]
pub struct PreferenceFault {
    /// The file.
    pub file: String,
    /// From 1.
    pub line: usize,
    /// Characters from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub hint: String,
}

impl PreferenceFault {
    /// The file itself is the trouble.
    pub(in crate::tui) fn of_file(path: &Path, message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { file: path.display().to_string(), line: 1, column: 1, message: message.into(), hint: hint.into() }
    }
}

/// The known word that is nearest to one that is not known, if any is near.
pub(in crate::tui) fn nearest<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let wanted = word.to_lowercase();
    // A third of the letters may be wrong.
    let limit = (wanted.chars().count() / 3).max(1);
    known
        .map(|candidate| (strsim::damerau_levenshtein(&wanted, candidate), candidate))
        .filter(|(distance, _)| *distance <= limit)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}
