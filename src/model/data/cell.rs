//! One value of one row, as every part of this room sees it.

use std::borrow::Cow;

/// A value, before preprocessing.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell<'a> {
    /// No value.
    Missing,
    /// A finite number.
    Number(f64),
    /// Text, which stands for a category.
    Text(Cow<'a, str>),
}

/// Whether a trimmed CSV cell means "no value".
pub fn is_missing(text: &str) -> bool {
    text.is_empty()
        || text == "NA"
        || text == "?"
        || text.eq_ignore_ascii_case("nan")
        || text.eq_ignore_ascii_case("null")
}

/// What a trimmed cell says, where it is one of the usual words for yes and no. 0 and 1 are numbers and stay that.
pub(in crate::model) fn truth(text: &str) -> Option<bool> {
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    match text.len() {
        4 if is("true") => Some(true),
        5 if is("false") => Some(false),
        3 if is("yes") => Some(true),
        2 if is("no") => Some(false),
        _ => None,
    }
}

/// The finite number that a trimmed CSV cell holds.
pub(in crate::model) fn number(text: &str) -> Option<f64> {
    // Adding zero turns −0 into 0, so that both are one class and one category.
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::{is_missing, number, truth};

    #[test]
    fn the_usual_marks_of_absence_are_missing_values() {
        for text in ["", "NA", "NaN", "nan", "null", "NULL", "?"] {
            assert!(is_missing(text), "{text}");
        }
        assert!(!is_missing("none of these"));
    }

    #[test]
    fn words_for_yes_and_no_are_truths_and_nothing_else_is() {
        assert_eq!(["True", "FALSE", "yes", "No"].map(truth), [Some(true), Some(false), Some(true), Some(false)]);
        assert_eq!(["1", "0", "y", "on", "none"].map(truth), [None; 5]);
    }

    #[test]
    fn only_finite_numbers_are_numbers() {
        assert_eq!(number("-1.5e3"), Some(-1500.0));
        assert_eq!(number("inf"), None);
        assert_eq!(number("1,5"), None);
    }
}
