//! Where a page goes against its format, and how that is told.
//!
//! The grammars tell a fault by the byte at which it stands; line and column are counted once, when the page is given
//! up. What a message repeats of a page is foreign: it is cut short, and nothing in it can command a terminal.

use super::cursor::Cursor;

/// The most characters of a page that a message repeats.
const LONGEST_EXCERPT: usize = 40;

/// The first place at which a page goes against its format.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ExpositionError {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// What was expected there and what was found instead.
    pub message: String,
}

/// A fault, by the byte of the page at which it stands.
#[derive(Debug)]
pub(super) struct Fault {
    at: usize,
    message: String,
}

impl Fault {
    /// A fault at a byte of the page.
    pub(super) fn new(at: usize, message: impl Into<String>) -> Self {
        Self { at, message: message.into() }
    }

    /// Something else is next than `what`.
    pub(super) fn expected(cursor: &Cursor<'_>, what: &str) -> Self {
        let found = match cursor.peek() {
            None => "the end of the page".to_owned(),
            Some(b'\n') => "the end of the line".to_owned(),
            Some(b' ') => "a space".to_owned(),
            Some(b'\t') => "a tab".to_owned(),
            Some(_) => {
                let word = cursor.rest().split([' ', '\t', '\n']).next().unwrap_or_default();
                format!("`{}`", excerpt(word))
            }
        };
        Self::new(cursor.at(), format!("{what} is expected, found {found}"))
    }

    /// The same for who reads the page: with line and column.
    pub(super) fn in_page(self, page: &str) -> ExpositionError {
        let before = page.get(..self.at).unwrap_or(page);
        ExpositionError {
            line: memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1,
            column: before.chars().rev().take_while(|character| *character != '\n').count() + 1,
            message: self.message,
        }
    }
}

/// The beginning of a foreign text, fit for a message.
pub(super) fn excerpt(text: &str) -> String {
    let mut shown = String::new();
    for (index, character) in text.chars().enumerate() {
        if index == LONGEST_EXCERPT {
            shown.push('…');
            break;
        }
        if character.is_control() {
            shown.extend(character.escape_default());
        } else {
            shown.push(character);
        }
    }
    shown
}
