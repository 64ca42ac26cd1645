//! Regular expressions with the meaning they have in Prometheus.
//!
//! Prometheus uses those of Go, the crate `regex` is close to them but not equal: there `\d`, `\w`, `\s` and `\b` know
//! only ASCII, a brace that begins no repetition and a bracket within brackets are ordinary characters, and `\Q…\E`
//! quotes. A pattern is translated, and must match the whole text, in which `.` is any character.

use std::iter::Peekable;
use std::str::Chars;

use promql_parser::label::{MatchOp, Matcher};
use regex::Regex;

use super::error::PromqlError;

/// Compiles a pattern that must match a whole text.
pub(super) fn whole(pattern: &str) -> Result<Regex, PromqlError> {
    Regex::new(&format!("^(?s:{})$", translated(pattern))).map_err(|error| {
        let reason = error.to_string();
        // The first lines repeat the pattern, as it was translated.
        let reason = reason.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned();
        PromqlError::BadRegularExpression { pattern: pattern.to_owned(), reason }
    })
}

/// A matcher as the parser made it, with the regular expression that Prometheus would use.
pub(super) fn settled(matcher: &Matcher) -> Result<Matcher, PromqlError> {
    let op = match &matcher.op {
        MatchOp::Equal => MatchOp::Equal,
        MatchOp::NotEqual => MatchOp::NotEqual,
        MatchOp::Re(_) => MatchOp::Re(whole(&matcher.value)?),
        MatchOp::NotRe(_) => MatchOp::NotRe(whole(&matcher.value)?),
    };
    Ok(Matcher::new(op, &matcher.name, &matcher.value))
}

fn translated(pattern: &str) -> String {
    let mut result = String::with_capacity(pattern.len());
    let mut characters = pattern.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\\' => escape(&mut characters, &mut result, false),
            '[' => class(&mut characters, &mut result),
            '{' if !begins_repetition(characters.clone()) => result.push_str("\\{"),
            other => result.push(other),
        }
    }
    result
}

/// What stands behind a backslash.
fn escape(characters: &mut Peekable<Chars<'_>>, result: &mut String, in_class: bool) {
    let Some(character) = characters.next() else {
        result.push('\\');
        return;
    };
    let set = match character.to_ascii_lowercase() {
        'd' => Some("0-9"),
        'w' => Some("0-9A-Za-z_"),
        's' => Some("\\t\\n\\x0C\\r "),
        _ => None,
    };
    match (set, character) {
        (Some(set), 'd' | 'w' | 's') if in_class => result.push_str(set),
        (Some(set), 'd' | 'w' | 's') => result.extend(["[", set, "]"]),
        (Some(set), _) => result.extend(["[^", set, "]"]),
        (None, 'b') if !in_class => result.push_str("(?-u:\\b)"),
        (None, 'Q') if !in_class => quoted(characters, result),
        (None, other) => result.extend(['\\', other]),
    }
}

/// Everything up to `\E` stands for itself.
fn quoted(characters: &mut Peekable<Chars<'_>>, result: &mut String) {
    let mut literal = String::new();
    while let Some(character) = characters.next() {
        if character == '\\' && characters.peek() == Some(&'E') {
            characters.next();
            break;
        }
        literal.push(character);
    }
    result.push_str(&regex::escape(&literal));
}

/// What stands in brackets.
fn class(characters: &mut Peekable<Chars<'_>>, result: &mut String) {
    result.push('[');
    if characters.next_if_eq(&'^').is_some() {
        result.push('^');
    }
    if characters.next_if_eq(&']').is_some() {
        result.push_str("\\]");
    }
    while let Some(character) = characters.next() {
        match character {
            '\\' => escape(characters, result, true),
            '[' if characters.peek() == Some(&':') => {
                result.push('[');
                // The name of a class, such as `[:alpha:]`.
                for character in characters.by_ref() {
                    result.push(character);
                    if character == ']' {
                        break;
                    }
                }
            }
            '[' => result.push_str("\\["),
            // Doubled, these are operators between sets in the crate.
            '&' | '~' | '-' if characters.next_if_eq(&character).is_some() => {
                result.extend([character, '\\', character]);
            }
            ']' => {
                result.push(']');
                return;
            }
            other => result.push(other),
        }
    }
}

/// Whether what follows an opening brace makes it a repetition: `3}`, `3,}` or `3,5}`.
fn begins_repetition(rest: Peekable<Chars<'_>>) -> bool {
    let text: String = rest.take(16).collect();
    let Some((inside, _)) = text.split_once('}') else { return false };
    let (least, most) = inside.split_once(',').unwrap_or((inside, ""));
    let is_number = |text: &str| text.chars().all(|character| character.is_ascii_digit());
    !least.is_empty() && is_number(least) && is_number(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matches(pattern: &str, text: &str) -> bool {
        whole(pattern).unwrap().is_match(text)
    }

    #[test]
    fn a_pattern_matches_the_whole_text_and_any_character() {
        assert!(matches("a|b", "a") && !matches("a|b", "ab"));
        assert!(matches("a.*b", "a\nb"));
        assert!(matches("", "") && !matches("", "x"));
    }

    #[test]
    fn classes_know_ascii_only_as_in_go() {
        assert!(matches(r"\w+", "abc_1") && !matches(r"\w+", "한국어"));
        assert!(matches(r"\W+", "한국어") && !matches(r"\d", "٣"));
        assert!(matches(r"[\w.-]+", "a.b-c") && matches(r"[^\s]+", "x"));
        assert!(matches(r".*\bb\b.*", "a b c") && matches("[[:alpha:]]+", "abc"));
    }

    #[test]
    fn what_is_an_ordinary_character_in_go_is_one_here() {
        assert!(matches("/items/{id}", "/items/{id}") && matches("a{2}", "aa") && matches("a{2,}", "aaa"));
        assert!(matches("[[]", "[") && matches("[]a]", "]") && matches("[a&&b]+", "a&b"));
        assert!(matches("[+--]", ",") && matches(r"\Qa.b\E.", "a.bc") && !matches(r"\Qa.b\E.", "axbc"));
    }

    #[test]
    fn flags_are_understood() {
        assert!(matches("(?i:PRO).*", "production") && matches(".*((?i)DUC).*", "production"));
    }

    #[test]
    fn what_is_wrong_is_told() {
        let error = whole("(.*").unwrap_err().to_string();
        assert!(error.starts_with("`(.*` is not a valid regular expression: "), "{error}");
    }
}
