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

/// The finite number that a trimmed CSV cell holds.
pub(super) fn number(text: &str) -> Option<f64> {
    // Adding zero turns −0 into 0, so that both are one class and one category.
    text.parse::<f64>().ok().filter(|value| value.is_finite()).map(|value| value + 0.0)
}

#[cfg(test)]
mod tests {
    use super::{is_missing, number};

    #[test]
    fn the_usual_marks_of_absence_are_missing_values() {
        for text in ["", "NA", "NaN", "nan", "null", "NULL", "?"] {
            assert!(is_missing(text), "{text}");
        }
        assert!(!is_missing("none of these"));
    }

    #[test]
    fn only_finite_numbers_are_numbers() {
        assert_eq!(number("-1.5e3"), Some(-1500.0));
        assert_eq!(number("inf"), None);
        assert_eq!(number("1,5"), None);
    }
}
