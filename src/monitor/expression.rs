//! What is wrong with an expression that somebody types, and where; and the words that complete it.
//!
//! The parser says what it did not expect and seldom where. The place is found here: an open bracket or quotation mark, a word
//! that the message names, else the end, where the rest is missing.

use std::ops::Range;

use super::promql;

/// The functions and aggregations that can be written, sorted.
pub fn expression_words() -> Vec<&'static str> {
    promql::words()
}

/// What is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExpressionFault {
    /// One sentence.
    pub error: String,
    /// The characters that it is about, counted from 0.
    pub place: Range<usize>,
}

/// What is wrong with an expression; `None` if it can be evaluated.
pub fn expression_fault(expression: &str) -> Option<ExpressionFault> {
    let error = promql::parse(expression).err()?.to_string();
    let place = open(expression).or_else(|| named(expression, &error)).unwrap_or_else(|| end(expression));
    Some(ExpressionFault { error, place })
}

/// Why an expression gives no numbers here; `None` if a panel or an alert can have it.
pub fn expression_refusal(expression: &str) -> Option<String> {
    let read = promql::parse(expression).and_then(|query| query.check_numbers());
    read.err().map(|error| error.to_string())
}

/// The first bracket or quotation mark that has no other end.
fn open(expression: &str) -> Option<Range<usize>> {
    let mut brackets: Vec<(usize, char)> = Vec::new();
    let mut quote: Option<(usize, char)> = None;
    let mut is_escaped = false;
    for (index, character) in expression.chars().enumerate() {
        if let Some((_, mark)) = quote {
            if std::mem::take(&mut is_escaped) {
                continue;
            }
            // Between back quotes nothing is escaped.
            is_escaped = character == '\\' && mark != '`';
            if character == mark {
                quote = None;
            }
            continue;
        }
        match character {
            '"' | '\'' | '`' => quote = Some((index, character)),
            '(' => brackets.push((index, ')')),
            '[' => brackets.push((index, ']')),
            '{' => brackets.push((index, '}')),
            ')' | ']' | '}' => match brackets.pop() {
                Some((_, closing)) if closing == character => {}
                _ => return Some(index..index + 1),
            },
            _ => {}
        }
    }
    let open = quote.or_else(|| brackets.pop());
    open.map(|(index, _)| index..index + 1)
}

/// The word of the expression that the message names in quotation marks; the longest, for it says the most.
fn named(expression: &str, error: &str) -> Option<Range<usize>> {
    let words = error.split(['\'', '`', '"', '“', '”']).skip(1).step_by(2);
    let inside = words.filter(|word| !word.trim().is_empty() && *word != expression);
    let (begin, word) =
        inside.filter_map(|word| Some((find(expression, word)?, word))).max_by_key(|(_, word)| word.len())?;
    let from = expression.get(..begin)?.chars().count();
    Some(from..from + word.chars().count())
}

/// Where a word stands as a whole.
fn find(expression: &str, word: &str) -> Option<usize> {
    let is_part = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let stands_alone = |(begin, _): &(usize, &str)| {
        let before = expression.get(..*begin).and_then(|before| before.chars().next_back());
        let after = expression.get(begin + word.len()..).and_then(|after| after.chars().next());
        let is_name = word.chars().all(is_part);
        !is_name || (!before.is_some_and(is_part) && !after.is_some_and(is_part))
    };
    expression.match_indices(word).find(stands_alone).map(|(begin, _)| begin)
}

/// Behind the last character.
fn end(expression: &str) -> Range<usize> {
    let end = expression.trim_end().chars().count();
    end..end + 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::promql::PromqlError;

    fn place(expression: &str) -> Range<usize> {
        expression_fault(expression).unwrap_or_else(|| panic!("`{expression}` is valid")).place
    }

    #[test]
    fn an_open_bracket_or_quotation_mark_is_the_place() {
        assert_eq!(place("sum(rate(x[1m])"), 3..4);
        assert_eq!(place("x{a=\"b}"), 4..5);
        assert_eq!(place("sum(x))"), 6..7);
        assert_eq!(place("x{a=\"\\\"\"}) + (y"), 9..10);
    }

    #[test]
    fn an_unknown_function_is_the_place_and_not_what_only_looks_like_it() {
        assert_eq!(place("nosuch_x + nosuch(x)"), 11..17);
    }

    #[test]
    fn where_something_is_missing_the_end_is_the_place() {
        assert_eq!(place("a + "), 3..4);
        assert_eq!(expression_fault("sum(rate(x[1m]))"), None);
    }

    #[test]
    fn places_are_counted_in_characters() {
        assert_eq!(place("x{도시=\"서울\"} + ("), 13..14);
    }

    #[test]
    fn every_word_that_is_offered_is_supported() {
        for word in expression_words() {
            let told = promql::parse(&format!("{word}(x)")).err();
            let is_unknown = matches!(
                told,
                Some(PromqlError::UnsupportedFunction { .. } | PromqlError::UnsupportedAggregation { .. })
            );
            assert!(!is_unknown, "{word}: {told:?}");
        }
    }
}
