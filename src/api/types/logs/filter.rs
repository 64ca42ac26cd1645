//! What of a log is looked for.

use serde::{Deserialize, Serialize};

use super::LogLevel;

/// What passes: a line that matches all that is said here. It travels in addresses.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogFilter {
    /// A regular expression.
    pub pattern: Option<String>,
    /// A second one, such as a search within what a filter shows.
    pub also: Option<String>,
    /// At least as bad as this; a line that tells no level does not pass.
    pub level: Option<LogLevel>,
    /// How many lines before and behind each one that passes are shown with it.
    #[serde(default)]
    pub context: u64,
}

impl LogFilter {
    /// Whether everything passes.
    pub fn is_empty(&self) -> bool {
        self.pattern.is_none() && self.also.is_none() && self.level.is_none()
    }

    /// The same, narrowed to a second pattern and without the lines around.
    #[must_use]
    pub fn searched(&self, pattern: &str) -> Self {
        let (first, also) = match &self.pattern {
            Some(first) => (first.clone(), Some(pattern.to_owned())),
            None => (pattern.to_owned(), None),
        };
        Self { pattern: Some(first), also, level: self.level, context: 0 }
    }
}

/// Whether a pattern means letters of either case: it does unless it has a capital itself.
pub fn ignores_case(pattern: &str) -> bool {
    let mut is_escaped = false;
    for character in pattern.chars() {
        if !std::mem::take(&mut is_escaped) {
            if character == '\\' {
                is_escaped = true;
            } else if character.is_uppercase() {
                return false;
            }
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_capital_in_a_pattern_means_it_and_a_class_is_none() {
        assert!(ignores_case("error") && ignores_case(r"\Sfoo\D") && ignores_case("오류"));
        assert!(!ignores_case("Error") && !ignores_case(r"\\Error"));
    }

    #[test]
    fn a_search_within_a_filter_wants_both() {
        let filter = LogFilter { pattern: Some("a".to_owned()), context: 3, ..LogFilter::default() };
        let both = filter.searched("b");
        assert_eq!((both.pattern.as_deref(), both.also.as_deref(), both.context), (Some("a"), Some("b"), 0));
        let alone = LogFilter::default().searched("b");
        assert_eq!((alone.pattern.as_deref(), alone.also), (Some("b"), None));
    }
}
