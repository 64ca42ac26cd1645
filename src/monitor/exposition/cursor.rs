//! A place in a page, and the steps that both grammars take from there.
//!
//! The cursor moves byte by byte, but only ever over whole characters: what is stepped over singly is ASCII, and what
//! is taken in runs takes every byte of the characters beyond it or none.

/// A place in a page.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'page> {
    page: &'page str,
    at: usize,
    line: usize,
}

impl<'page> Cursor<'page> {
    /// The beginning of a page.
    pub(super) fn new(page: &'page str) -> Self {
        Self { page, at: 0, line: 1 }
    }

    /// How many bytes of the page are behind.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// The line that the cursor stands in, counted from 1.
    pub(super) fn line(&self) -> usize {
        self.line
    }

    /// The next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.page.as_bytes().get(self.at).copied()
    }

    /// Everything that is ahead.
    pub(super) fn rest(&self) -> &'page str {
        self.page.get(self.at..).unwrap_or_default()
    }

    /// What lies between an earlier place and this one.
    pub(super) fn since(&self, start: usize) -> &'page str {
        self.page.get(start..self.at).unwrap_or_default()
    }

    /// Steps over so many bytes, which end with a character and hold no line break.
    pub(super) fn advance(&mut self, bytes: usize) {
        self.at += bytes;
    }

    /// Steps over one ASCII byte that is no line break.
    pub(super) fn step(&mut self) {
        self.at += 1;
    }

    /// Steps over a line break, if one is next.
    pub(super) fn take_break(&mut self) {
        if self.peek() == Some(b'\n') {
            self.at += 1;
            self.line += 1;
        }
    }

    /// Steps over this ASCII byte, if it is next.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        if is_next {
            self.at += 1;
        }
        is_next
    }

    /// Steps over this text, if it is next.
    pub(super) fn take_text(&mut self, text: &str) -> bool {
        let is_next = self.page.as_bytes().get(self.at..).is_some_and(|rest| rest.starts_with(text.as_bytes()));
        if is_next {
            self.at += text.len();
        }
        is_next
    }

    /// Steps over the bytes that belong; either every byte beyond ASCII does or none.
    pub(super) fn take_while(&mut self, belongs: impl Fn(u8) -> bool) -> &'page str {
        let start = self.at;
        let ahead = self.page.as_bytes().get(start..).unwrap_or_default();
        self.at += ahead.iter().position(|byte| !belongs(*byte)).unwrap_or(ahead.len());
        self.since(start)
    }

    /// Steps over spaces and tabs.
    pub(super) fn skip_blanks(&mut self) {
        while self.peek().is_some_and(is_blank) {
            self.at += 1;
        }
    }

    /// Steps to the end of the line, in front of its break.
    pub(super) fn take_line(&mut self) -> &'page str {
        let start = self.at;
        let ahead = self.page.as_bytes().get(start..).unwrap_or_default();
        self.at += memchr::memchr(b'\n', ahead).unwrap_or(ahead.len());
        self.since(start)
    }
}

/// What separates words in the text format.
pub(super) fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Whether the name of a metric may begin so without quotes.
pub(super) fn begins_metric_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_' || byte == b':'
}

/// Whether this may stand in the name of a metric without quotes.
pub(super) fn is_in_metric_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b':'
}

/// Whether the name of a label may begin so without quotes.
pub(super) fn begins_label_name(byte: u8) -> bool {
    byte.is_ascii_alphabetic() || byte == b'_'
}

/// Whether this may stand in the name of a label without quotes.
pub(super) fn is_in_label_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
