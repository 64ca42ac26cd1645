//! From the text of an expression to the tree that promql-parser makes of it.
//!
//! That crate reads a few things otherwise than Prometheus, or does not read them: each is found in the text before it and
//! refused, so that no expression is ever evaluated with another meaning than its own. Byte escapes above `\x7f` would
//! become other characters; numbers in durations that it cannot hold would count as zero, and numbers that are no
//! duration make it panic; modifiers that it does not know would make an error that names nothing.

use std::iter::Peekable;
use std::panic;
use std::str::CharIndices;

use promql_parser::parser::Expr;

use super::error::PromqlError;

/// The longest expression that is read, in bytes: the parser builds a tree that is taken down by recursion.
pub(super) const LONGEST: usize = 4096;

/// The longest duration, in seconds: what Prometheus holds in 64 bits of nanoseconds.
const LONGEST_SECONDS: f64 = 9_223_372_036.0;

/// Reads an expression.
pub(super) fn read(text: &str) -> Result<Expr, PromqlError> {
    if text.len() > LONGEST {
        return Err(PromqlError::TooLong { length: text.len(), limit: LONGEST });
    }
    Scan::new(text).check()?;
    // No text is known that gets here and makes promql-parser panic.
    let read = panic::catch_unwind(|| promql_parser::parser::parse(text))
        .unwrap_or_else(|_| Err("a number in it is out of range".to_owned()));
    read.map_err(|reason| refusal(text, reason))
}

/// Names an unknown function like a known one that is not supported.
fn refusal(text: &str, reason: String) -> PromqlError {
    let unknown = reason.strip_prefix("unknown function with name '").and_then(|rest| rest.strip_suffix('\''));
    match unknown {
        Some(name) => PromqlError::UnsupportedFunction { name: name.to_owned() },
        None => wrong(text, reason),
    }
}

fn wrong(text: &str, reason: impl Into<String>) -> PromqlError {
    PromqlError::Syntax { expression: text.to_owned(), reason: reason.into() }
}

/// A walk over the words of an expression.
struct Scan<'text> {
    text: &'text str,
    characters: Peekable<CharIndices<'text>>,
    in_braces: bool,
    in_brackets: bool,
    after_offset: bool,
}

impl<'text> Scan<'text> {
    fn new(text: &'text str) -> Self {
        let characters = text.char_indices().peekable();
        Self { text, characters, in_braces: false, in_brackets: false, after_offset: false }
    }

    fn check(mut self) -> Result<(), PromqlError> {
        while let Some((index, character)) = self.characters.next() {
            match character {
                '"' | '\'' => self.quoted(character)?,
                '`' => self.skip_past('`'),
                '#' => self.skip_past('\n'),
                '{' => self.in_braces = true,
                '}' => self.in_braces = false,
                '[' => self.in_brackets = true,
                ']' => self.in_brackets = false,
                '+' | '-' | '*' | '/' | '%' | '^' | '(' if self.in_brackets => {
                    return Err(PromqlError::Experimental { what: "arithmetic in a duration".to_owned() });
                }
                '(' if self.after_offset => {
                    return Err(PromqlError::Experimental { what: "arithmetic in an offset".to_owned() });
                }
                '.' | '_' | ':' => self.word(index)?,
                other if other.is_ascii_alphanumeric() => self.word(index)?,
                '+' | '-' => {}
                other if other.is_whitespace() => {}
                _ => self.after_offset = false,
            }
        }
        Ok(())
    }

    fn skip_past(&mut self, end: char) {
        for (_, character) in self.characters.by_ref() {
            if character == end {
                return;
            }
        }
    }

    /// The rest of a text in quotes, in which `\xff` and `\377` stand for bytes.
    fn quoted(&mut self, quote: char) -> Result<(), PromqlError> {
        while let Some((index, character)) = self.characters.next() {
            if character == quote {
                return Ok(());
            }
            if character != '\\' {
                continue;
            }
            let Some((_, escaped)) = self.characters.next() else { return Ok(()) };
            let digits = |from: usize, count: usize| self.text.get(index + from..index + from + count);
            let byte = match escaped {
                'x' => digits(2, 2).and_then(|digits| u32::from_str_radix(digits, 16).ok()),
                '0'..='7' => digits(1, 3).and_then(|digits| u32::from_str_radix(digits, 8).ok()),
                _ => None,
            };
            if byte.is_some_and(|byte| byte > 0x7f) {
                let reason = "a text in it has a byte escape above \\x7f; write the character itself, or \\u";
                return Err(wrong(self.text, reason));
            }
        }
        Ok(())
    }

    /// A name, keyword, number or duration.
    fn word(&mut self, start: usize) -> Result<(), PromqlError> {
        let in_brackets = self.in_brackets;
        let is_part = |character: char| match character {
            // Between the brackets of a subquery a colon stands between two durations.
            ':' => !in_brackets,
            other => other.is_ascii_alphanumeric() || matches!(other, '_' | '.'),
        };
        let rest = self.text.get(start..).unwrap_or_default();
        let length = rest.find(|character: char| !is_part(character)).unwrap_or(rest.len()).max(1);
        let word = rest.get(..length).unwrap_or_default();
        while self.characters.next_if(|(index, _)| *index < start + length).is_some() {}
        if self.in_braces {
            return Ok(());
        }
        let is_duration_expected = in_brackets || self.after_offset;
        self.after_offset = word.eq_ignore_ascii_case("offset");
        if ["smoothed", "anchored"].iter().any(|modifier| word.eq_ignore_ascii_case(modifier)) {
            return Err(PromqlError::Experimental { what: format!("the modifier `{}`", word.to_ascii_lowercase()) });
        }
        let is_too_long = |seconds: f64| seconds.is_nan() || seconds > LONGEST_SECONDS;
        if (is_duration_expected && word.parse::<f64>().is_ok_and(is_too_long)) || has_long_number(word) {
            return Err(wrong(self.text, format!("the duration `{word}` is out of range")));
        }
        Ok(())
    }
}

/// Whether a word is a duration with a number in it that the parser would take for zero.
fn has_long_number(word: &str) -> bool {
    let is_decimal = word.starts_with(|character: char| character.is_ascii_digit())
        && !word.starts_with("0x")
        && !word.starts_with("0X");
    let has_unit = word.ends_with(['s', 'm', 'h', 'd', 'w', 'y']);
    is_decimal && has_unit && word.split(|character: char| !character.is_ascii_digit()).any(|digits| digits.len() > 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(text: &str) -> String {
        read(text).unwrap_err().to_string()
    }

    #[test]
    fn what_the_parser_would_misread_is_refused() {
        for text in ["x{a=\"\\xff\"}", "x{a='\\377'}", "x[1h4294967296s]", "x[1e300]", "x offset 1e300", "x offset inf"]
        {
            assert!(matches!(read(text), Err(PromqlError::Syntax { .. })), "{text}");
        }
        read("x{a=\"\\x41\\101\\u00ff\\\"\"}").unwrap();
        read("x{a=`\\xff`}").unwrap();
        read("sum(x[5m:1m]) # \\xff offset inf").unwrap_err();
        read("sum_over_time(x[5m:1m] offset -3) # \\xff offset inf").unwrap();
    }

    #[test]
    fn experimental_syntax_is_refused_by_name() {
        assert!(refusal("rate(x[5m] smoothed)").starts_with("the modifier `smoothed` is experimental"));
        assert!(refusal("x ANCHORED").starts_with("the modifier `anchored` is experimental"));
        assert!(refusal("x[5m + 1m]").starts_with("arithmetic in a duration is experimental"));
        assert!(refusal("x offset (5m)").starts_with("arithmetic in an offset is experimental"));
        read("x{smoothed=\"a\"} * y{anchored!=\"smoothed\"}").unwrap();
    }

    #[test]
    fn nonsense_is_refused_without_a_panic() {
        for text in
            ["", "(", "x{", "sum(", "x offset 99999999999999999999999y", "\u{0}", "한국어", "rate(x)", "\"\\", "[:"]
        {
            assert!(read(text).is_err(), "{text:?}");
        }
        assert!(matches!(read(&"x".repeat(LONGEST + 1)), Err(PromqlError::TooLong { .. })));
    }
}
