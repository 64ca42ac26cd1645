//! Text in double quotes: values of labels, and names that need quotes.
//!
//! Three escapes mean something, `\\`, `\"` and `\n`; any other backslash stands for itself, as in Prometheus. Text is
//! found and checked when the page is read, and resolved only when somebody asks for it.

use std::borrow::Cow;

use memchr::memchr3;

use super::cursor::Cursor;
use super::error::Fault;
use super::reader::Format;

/// Steps over a quoted text, the cursor before its opening quote; returns what stands between the quotes, as written.
///
/// In the text format a value may go on over the end of a line, as it does in Prometheus.
pub(super) fn read<'page>(cursor: &mut Cursor<'page>, format: Format) -> Result<&'page str, Fault> {
    let opening = cursor.at();
    let unclosed = || Fault::new(opening, "this quote is not closed: a second `\"` is expected");
    cursor.step();
    let start = cursor.at();
    loop {
        let next = memchr3(b'"', b'\\', b'\n', cursor.rest().as_bytes()).ok_or_else(unclosed)?;
        cursor.advance(next);
        match cursor.peek() {
            Some(b'"') => {
                let inner = cursor.since(start);
                cursor.step();
                return Ok(inner);
            }
            Some(b'\\') => {
                cursor.step();
                match cursor.peek() {
                    None | Some(b'\n') => return Err(Fault::expected(cursor, "a character behind the backslash")),
                    Some(escaped) if escaped.is_ascii() => cursor.step(),
                    // A longer character holds none of the bytes that are looked for.
                    Some(_) => {}
                }
            }
            _ if format == Format::OpenMetrics => return Err(unclosed()),
            _ => cursor.take_break(),
        }
    }
}

/// What a quoted text, or the help of `OpenMetrics`, says.
pub(super) fn unescape(written: &str) -> Cow<'_, str> {
    resolve(written, |escaped| match escaped {
        'n' => Some('\n'),
        '"' | '\\' => Some(escaped),
        _ => None,
    })
}

/// What the help of the text format says: there, a quote needs no escape and has none.
pub(super) fn unescape_help(written: &str) -> Cow<'_, str> {
    resolve(written, |escaped| match escaped {
        'n' => Some('\n'),
        '\\' => Some('\\'),
        _ => None,
    })
}

fn resolve(written: &str, meaning: impl Fn(char) -> Option<char>) -> Cow<'_, str> {
    if memchr::memchr(b'\\', written.as_bytes()).is_none() {
        return Cow::Borrowed(written);
    }
    let mut resolved = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            resolved.push(character);
            continue;
        }
        match characters.next() {
            None => resolved.push('\\'),
            Some(escaped) => match meaning(escaped) {
                Some(meant) => resolved.push(meant),
                None => resolved.extend(['\\', escaped]),
            },
        }
    }
    Cow::Owned(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_escapes_are_resolved_and_any_other_backslash_stays() {
        assert_eq!(unescape(r#"a\\b\"c\nd\qe\"#), "a\\b\"c\nd\\qe\\");
        assert_eq!(unescape_help(r#"a\\b\"c\nd"#), "a\\b\\\"c\nd");
        assert!(matches!(unescape("plain"), Cow::Borrowed("plain")));
    }

    #[test]
    fn a_text_ends_at_the_first_quote_that_is_not_escaped() {
        let mut cursor = Cursor::new(r#""a\\\"b\é",rest"#);
        assert_eq!(read(&mut cursor, Format::OpenMetrics).unwrap(), r#"a\\\"b\é"#);
        assert_eq!(cursor.rest(), ",rest");
    }

    #[test]
    fn only_the_text_format_lets_a_value_go_on_in_the_next_line() {
        let mut cursor = Cursor::new("\"a\nb\"");
        assert_eq!(read(&mut cursor, Format::Text).unwrap(), "a\nb");
        assert_eq!(cursor.line(), 2);
        assert!(read(&mut Cursor::new("\"a\nb\""), Format::OpenMetrics).is_err());
    }
}
