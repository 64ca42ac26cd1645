//! Functions that change labels and look at no value: `label_replace` and `label_join`.

use crate::monitor::Labels;

use super::super::error::PromqlError;
use super::super::line::Line;
use super::super::plan::Relabeling;

/// The most bytes of a label: nested calls could otherwise double its length a hundred times.
const LONGEST: usize = 64 * 1024;

/// Every series with its labels changed.
pub(in super::super) fn relabelled(lines: Vec<Line>, change: &Relabeling) -> Result<Vec<Line>, PromqlError> {
    lines.into_iter().map(|line| Ok(Line { labels: changed(&line.labels, change)?, ..line })).collect()
}

fn changed(labels: &Labels, change: &Relabeling) -> Result<Labels, PromqlError> {
    let value = |name: &str| labels.get(name).unwrap_or_default();
    match change {
        Relabeling::Replace { target, replacement, source, pattern } => {
            let Some(captures) = pattern.captures(value(source)) else { return Ok(labels.clone()) };
            let longest = captures.iter().flatten().map(|group| group.len()).max().unwrap_or(0);
            // Every reference in the replacement takes at least two bytes of it.
            within_bounds("label_replace", replacement.len() + replacement.len() / 2 * longest)?;
            let mut result = String::new();
            captures.expand(replacement, &mut result);
            Ok(labels.with(target, &result))
        }
        Relabeling::Join { target, separator, sources } => {
            let length: usize = sources.iter().map(|source| value(source).len() + separator.len()).sum();
            within_bounds("label_join", length)?;
            let values: Vec<&str> = sources.iter().map(|source| value(source)).collect();
            Ok(labels.with(target, &values.join(separator.as_str())))
        }
    }
}

fn within_bounds(function: &'static str, length: usize) -> Result<(), PromqlError> {
    if length > LONGEST { Err(PromqlError::LabelTooLong { function, limit: LONGEST }) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::super::super::regular_expression::whole;
    use super::*;

    fn replaced(replacement: &str, pattern: &str) -> Labels {
        let labels = Labels::new([("src", "source-value-10"), ("dst", "old")]);
        let change = Relabeling::Replace {
            target: "dst".to_owned(),
            replacement: replacement.to_owned(),
            source: "src".to_owned(),
            pattern: whole(pattern).unwrap(),
        };
        changed(&labels, &change).unwrap()
    }

    #[test]
    fn a_label_is_written_where_the_whole_source_matches() {
        assert_eq!(replaced("value-$1", "source-value-(.*)").get("dst"), Some("value-10"));
        assert_eq!(replaced("${2}/$1", "(.*)-value-(.*)").get("dst"), Some("10/source"));
        assert_eq!(replaced("value-$1", "value-(.*)").get("dst"), Some("old"));
        assert_eq!(replaced("", ".*").get("dst"), None);
    }

    #[test]
    fn labels_are_joined_and_missing_ones_are_empty() {
        let labels = Labels::new([("a", "1"), ("b", "2")]);
        let change = Relabeling::Join {
            target: "c".to_owned(),
            separator: "-".to_owned(),
            sources: vec!["a".to_owned(), "none".to_owned(), "b".to_owned()],
        };
        assert_eq!(changed(&labels, &change).unwrap().get("c"), Some("1--2"));
    }

    #[test]
    fn a_label_does_not_grow_without_bound() {
        let labels = Labels::new([("a", "x".repeat(40_000))]);
        let change = Relabeling::Replace {
            target: "a".to_owned(),
            replacement: "$1$1".to_owned(),
            source: "a".to_owned(),
            pattern: whole("(.*)").unwrap(),
        };
        assert!(matches!(changed(&labels, &change), Err(PromqlError::LabelTooLong { .. })));
    }
}
