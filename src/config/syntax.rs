//! Syntax errors, and a text without the statements that contain them.
//!
//! The recovering TOML parser goes on after an error, but one forgotten bracket then makes an error of every line that
//! follows. So the first error counts, its whole statement is blanked out, and the rest is parsed again: every error is
//! told once, and what is intact can still be checked for its meaning. Offsets stay as they are.
//!
//! Known gap: a statement that is blanked out is not checked for its meaning.

use std::ops::Range;

use toml::de::{DeTable, Error};

use super::errors::Problem;

/// The most syntax errors that are told; behind so many it is no TOML at all.
const LIMIT: usize = 32;

/// The text with broken statements blanked out, and what is wrong with them.
pub(super) fn mend(text: &str) -> (String, Vec<Problem>) {
    let mut mended = text.to_owned();
    let mut problems = Vec::new();
    for _ in 0..LIMIT {
        let (_, errors) = DeTable::parse_recoverable(&mended);
        let (repeated, broken): (Vec<Error>, Vec<Error>) = errors.into_iter().partition(is_repetition);
        let Some(first) = broken.iter().min_by_key(|error| start_of(error)) else {
            problems.extend(repeated.iter().map(|error| repetition(&mended, error)));
            break;
        };
        let (problem, lines) = examine(&mended, first);
        problems.push(problem);
        let blanked = blank(&mended, &lines);
        if blanked == mended {
            break;
        }
        mended = blanked;
    }
    (mended, problems)
}

fn start_of(error: &Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

/// Whether two statements contradict each other while each is well-formed.
fn is_repetition(error: &Error) -> bool {
    error.message() == "duplicate key" || error.message().starts_with("cannot extend value")
}

fn repetition(text: &str, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let key = text.get(span.clone()).unwrap_or_default();
    Problem { message: format!("`{key}` is defined twice"), hint: "remove one of the two".to_owned(), span }
}

/// What is wrong, and the lines that have to go before the rest can be read.
fn examine(text: &str, error: &Error) -> (Problem, Range<usize>) {
    let place = start_of(error).min(text.len());
    let line = line_start(text, place);
    let mut scanner = Scanner::new(text);
    scanner.run(place);
    let Some((&outermost, &innermost)) = scanner.open.first().zip(scanner.open.last()) else {
        let end = if is_header(line_at(text, line)) { next_header(text, line) } else { line_end(text, place) };
        return (describe(text, error), line..end);
    };
    let first_line = line_start(text, outermost);
    if first_line < line && (is_header(line_at(text, line)) || is_assignment(line_at(text, line))) {
        return (unclosed(text, innermost), first_line..line);
    }
    let end = scanner.finish_statement();
    let problem =
        if error.message().starts_with("unclosed") { unclosed(text, innermost) } else { describe(text, error) };
    (problem, first_line..end)
}

fn unclosed(text: &str, open: usize) -> Problem {
    let (open_bracket, close_bracket) =
        if text.get(open..).is_some_and(|rest| rest.starts_with('{')) { ('{', '}') } else { ('[', ']') };
    Problem {
        span: Range { start: open, end: open + 1 },
        message: format!("this `{open_bracket}` is never closed"),
        hint: format!("close it with `{close_bracket}`"),
    }
}

/// Message and mend of the parser's error.
fn describe(text: &str, error: &Error) -> Problem {
    let span = error.span().unwrap_or(0..0);
    let parts = error.message().split_once(", expected ");
    let (what, expected) = parts.map_or((error.message(), None), |(what, expected)| (what, Some(expected)));
    let value = value_around(text, span.start);
    let (message, hint) = if what == "string values must be quoted" && value.is_empty() {
        ("missing value", "write a value behind the `=`".to_owned())
    } else if what == "string values must be quoted" || what == "invalid boolean" {
        ("string values must be quoted", format!("write \"{value}\""))
    } else if what.starts_with("invalid") && value.starts_with(|first: char| first.is_ascii_alphanumeric()) {
        (what, format!("if it is text, write \"{value}\""))
    } else if what == "key with no value" {
        (what, "write `=` and a value behind the key".to_owned())
    } else {
        (what, expected.map_or_else(|| "see https://toml.io".to_owned(), |expected| format!("expected {expected}")))
    };
    Problem { span, message: message.to_owned(), hint }
}

/// The bare value around `place`: from the last separator before it to the next one behind it.
fn value_around(text: &str, place: usize) -> &str {
    let line = line_start(text, place);
    let before = text.get(line..place).unwrap_or_default();
    let start = before.rfind(['=', '[', '{', ',', ' ', '\t']).map_or(line, |separator| line + separator + 1);
    let rest = text.get(start..line_end(text, place)).unwrap_or_default();
    rest.split(['#', ',', ']', '}']).next().unwrap_or_default().trim()
}

fn line_start(text: &str, place: usize) -> usize {
    text.get(..place).and_then(|before| before.rfind('\n')).map_or(0, |newline| newline + 1)
}

fn line_end(text: &str, place: usize) -> usize {
    text.get(place..).and_then(|rest| rest.find('\n')).map_or(text.len(), |newline| place + newline)
}

fn line_at(text: &str, start: usize) -> &str {
    text.get(start..line_end(text, start)).unwrap_or_default()
}

/// Whether a line begins a table, well-formed or not.
fn is_header(line: &str) -> bool {
    let line = line.trim_start();
    let name = line.trim_start_matches('[');
    name.len() < line.len() && name.starts_with(|first: char| first.is_alphabetic() || first == '_')
}

/// Whether a line begins with `key =`.
fn is_assignment(line: &str) -> bool {
    line.split_once('=').is_some_and(|(key, _)| {
        let key = key.trim();
        !key.is_empty() && key.chars().all(|letter| letter.is_ascii_alphanumeric() || "_-.".contains(letter))
    })
}

/// Where the next table begins: the keys under a broken header must not fall to the table before it.
fn next_header(text: &str, line: usize) -> usize {
    let mut at = line;
    loop {
        at = line_end(text, at) + 1;
        if at >= text.len() {
            return text.len();
        }
        if is_header(line_at(text, at)) {
            return at;
        }
    }
}

/// The text with blanks for all characters of `range` but line ends.
fn blank(text: &str, range: &Range<usize>) -> String {
    let mut blanked = String::with_capacity(text.len());
    for (place, character) in text.char_indices() {
        if range.contains(&place) && character != '\n' && character != '\r' {
            blanked.extend(std::iter::repeat_n(' ', character.len_utf8()));
        } else {
            blanked.push(character);
        }
    }
    blanked
}

/// Walks over well-formed text and knows which brackets are open.
struct Scanner<'t> {
    text: &'t str,
    at: usize,
    open: Vec<usize>,
}

impl<'t> Scanner<'t> {
    fn new(text: &'t str) -> Self {
        Self { text, at: 0, open: Vec::new() }
    }

    /// Walks to `end`.
    fn run(&mut self, end: usize) {
        let bytes = self.text.as_bytes();
        let mut fresh = self.at == 0 || bytes.get(self.at - 1) == Some(&b'\n');
        while self.at < end {
            let Some(byte) = bytes.get(self.at) else { return };
            match byte {
                b'\n' => fresh = true,
                b' ' | b'\t' | b'\r' => {}
                b'#' => self.at = line_end(self.text, self.at) - 1,
                // The header of a table, not a value.
                b'[' if fresh && self.open.is_empty() => self.at = line_end(self.text, self.at) - 1,
                b'[' | b'{' => self.open.push(self.at),
                b']' | b'}' => {
                    self.open.pop();
                }
                b'"' | b'\'' => self.at = self.string_end() - 1,
                _ => {}
            }
            fresh = fresh && matches!(byte, b'\n' | b' ' | b'\t' | b'\r');
            self.at += 1;
        }
    }

    /// Walks on to the end of the statement: where all brackets are closed, or where another one obviously begins.
    fn finish_statement(&mut self) -> usize {
        loop {
            let end = line_end(self.text, self.at);
            self.run(end);
            let next = line_at(self.text, end + 1);
            if self.open.is_empty() || end >= self.text.len() || is_header(next) || is_assignment(next) {
                return end;
            }
            self.at = self.at.max(end) + 1;
        }
    }

    /// The place behind the string that begins here. A string without an end stops at the end of its line.
    fn string_end(&self) -> usize {
        let rest = self.text.get(self.at..).unwrap_or_default();
        for triple in ["\"\"\"", "'''"] {
            if let Some(body) = rest.strip_prefix(triple) {
                return body.find(triple).map_or(self.text.len(), |length| self.at + length + 6);
            }
        }
        let quote = if rest.starts_with('"') { b'"' } else { b'\'' };
        let mut escaped = false;
        for (offset, byte) in rest.bytes().enumerate().skip(1) {
            match byte {
                b'\n' => return self.at + offset,
                _ if escaped => escaped = false,
                b'\\' => escaped = quote == b'"',
                _ if byte == quote => return self.at + offset + 1,
                _ => {}
            }
        }
        self.text.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn messages(text: &str) -> Vec<(Range<usize>, String)> {
        mend(text).1.into_iter().map(|problem| (problem.span, problem.message)).collect()
    }

    #[test]
    fn a_sound_text_stays_as_it_is() {
        let text = "[a]\nb = [\n  \"x]\", # [\n  'y',\n]\nc = { d = 1 }\ne = \"\"\"\n[\n\"\"\"\n";
        assert_eq!(mend(text), (text.to_owned(), Vec::new()));
    }

    #[test]
    fn a_forgotten_bracket_is_one_error_and_the_rest_is_read() {
        let (mended, problems) = mend("a = [\"x\"\n[b]\nc = 1\nd = 2\n");
        assert_eq!(mended, "        \n[b]\nc = 1\nd = 2\n");
        assert_eq!(problems.len(), 1);
        assert_eq!(problems[0].message, "this `[` is never closed");
        assert_eq!(problems[0].span, 4..5);
    }

    #[test]
    fn the_keys_under_a_broken_header_do_not_fall_to_the_table_before() {
        let (mended, problems) = mend("[a]\nb = 1\n[c\nd = 2\n[e]\nf = 3\n");
        assert_eq!(mended, "[a]\nb = 1\n  \n     \n[e]\nf = 3\n");
        assert_eq!(problems.len(), 1);
    }

    #[test]
    fn every_broken_line_is_told() {
        let found = messages("a = save\nb 5\nc = 1\nc = 2\n");
        assert_eq!(
            found,
            [
                (4..8, "string values must be quoted".to_owned()),
                (11..11, "key with no value".to_owned()),
                (19..20, "`c` is defined twice".to_owned()),
            ]
        );
    }

    #[test]
    fn a_bare_duration_is_told_with_its_quotes() {
        let hints: Vec<_> = mend("timeout = 10m # long\n").1.into_iter().map(|problem| problem.hint).collect();
        assert_eq!(hints, ["write \"10m\""]);
    }

    #[test]
    fn what_is_no_toml_at_all_ends_too() {
        assert!(!messages(&"\u{1}]}={[\"\n".repeat(200)).is_empty());
        assert!(messages(&"=\n".repeat(200)).len() <= LIMIT);
    }
}
