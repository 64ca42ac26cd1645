//! What could be meant by the word before the caret: metrics and functions, within braces the names of labels.

use crate::api::types::{Catalog, MetricInformation};
use crate::tui::commands::distance;

/// More candidates than this are not listed.
const MOST: usize = 200;

/// What a word can be completed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Candidate<'a> {
    /// A metric.
    Metric(&'a MetricInformation),
    /// A function or an aggregation.
    Function(&'a str),
    /// The name of a label.
    Label(&'a str),
}

impl<'a> Candidate<'a> {
    /// The word itself.
    pub(in crate::tui) fn name(self) -> &'a str {
        match self {
            Self::Metric(metric) => &metric.name,
            Self::Function(name) | Self::Label(name) => name,
        }
    }

    /// What is written when it is chosen.
    pub(in crate::tui) fn written(self) -> String {
        match self {
            Self::Function(name) => format!("{name}("),
            Self::Metric(_) | Self::Label(_) => self.name().to_owned(),
        }
    }
}

/// The word before the caret, and the character at which it begins.
pub(in crate::tui) fn word(before: &str) -> (usize, &str) {
    let is_part = |character: char| character.is_alphanumeric() || character == '_' || character == ':';
    let begin = before.char_indices().rev().take_while(|(_, character)| is_part(*character)).last();
    let begin = begin.map_or(before.len(), |(begin, _)| begin);
    let (head, word) = before.split_at_checked(begin).unwrap_or((before, ""));
    (head.chars().count(), word)
}

/// What the word could become, the best first. Without a word: every metric.
pub(in crate::tui) fn candidates<'a>(catalog: &'a Catalog, before: &str) -> Vec<Candidate<'a>> {
    let (_, word) = word(before);
    let all: Vec<Candidate<'a>> = match place(before) {
        Place::Text => return Vec::new(),
        Place::Labels => catalog.labels.iter().map(|label| Candidate::Label(label)).collect(),
        Place::Expression => {
            let metrics = catalog.metrics.iter().map(Candidate::Metric);
            let functions = catalog.functions.iter().map(|name| Candidate::Function(name));
            // A list of functions helps nobody who has typed nothing yet.
            metrics.chain(functions.filter(|_| !word.is_empty())).collect()
        }
    };
    let lower = word.to_lowercase();
    let ranked = |candidate: Candidate<'a>| Some((rank(candidate, word, &lower)?, candidate));
    let mut found: Vec<(usize, Candidate<'a>)> = all.into_iter().filter_map(ranked).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.into_iter().take(MOST).map(|(_, candidate)| candidate).collect()
}

/// How badly a word fits; the words of a help text count too, but least.
fn rank(candidate: Candidate<'_>, word: &str, lower: &str) -> Option<usize> {
    const ONLY_HELP: usize = 1_000_000;
    if word.is_empty() {
        return Some(0);
    }
    let name = candidate.name();
    let by_name = match name.find(word) {
        Some(at) => Some(at + name.len()),
        None => distance(name, word),
    };
    by_name.or_else(|| match candidate {
        Candidate::Metric(metric) if metric.help.to_lowercase().contains(lower) => Some(ONLY_HELP),
        _ => None,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Expression,
    Labels,
    /// Within quotation marks or a time: nothing is known of what stands there.
    Text,
}

/// Where the caret stands.
fn place(before: &str) -> Place {
    let mut quote: Option<char> = None;
    let (mut is_escaped, mut is_in_braces, mut is_in_time) = (false, false, false);
    // Behind `by (`, `without (`, `on (` and the like stand labels too.
    let mut groupings: Vec<bool> = Vec::new();
    let mut last_word = String::new();
    let mut is_word_over = false;
    for character in before.chars() {
        if let Some(mark) = quote {
            if std::mem::take(&mut is_escaped) {
                continue;
            }
            is_escaped = character == '\\' && mark != '`';
            if character == mark {
                quote = None;
            }
            continue;
        }
        match character {
            '"' | '\'' | '`' => quote = Some(character),
            '{' => is_in_braces = true,
            '}' => is_in_braces = false,
            '[' => is_in_time = true,
            ']' => is_in_time = false,
            '(' => groupings.push(is_grouping(&last_word)),
            ')' => {
                groupings.pop();
            }
            _ => {}
        }
        if character.is_alphanumeric() || character == '_' {
            if std::mem::take(&mut is_word_over) {
                last_word.clear();
            }
            last_word.push(character);
        } else {
            is_word_over = true;
            if !character.is_whitespace() {
                last_word.clear();
            }
        }
    }
    match (quote, is_in_time) {
        (Some(_), _) | (None, true) => Place::Text,
        (None, false) if is_in_braces || groupings.last().copied().unwrap_or(false) => Place::Labels,
        (None, false) => Place::Expression,
    }
}

fn is_grouping(word: &str) -> bool {
    ["by", "without", "on", "ignoring", "group_left", "group_right"].contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let metric = |name: &str, help: &str| MetricInformation {
            name: name.to_owned(),
            help: help.to_owned(),
            ..MetricInformation::default()
        };
        Catalog {
            metrics: vec![
                metric("http_requests_total", "All requests."),
                metric("predict_requests_total", "Requests to /predict."),
                metric("process_resident_memory_bytes", "Memory of the process."),
            ],
            labels: vec!["le".to_owned(), "status".to_owned()],
            functions: vec!["rate".to_owned(), "sum".to_owned()],
        }
    }

    fn names(before: &str) -> Vec<String> {
        candidates(&catalog(), before).into_iter().map(Candidate::written).collect()
    }

    #[test]
    fn the_word_before_the_caret_is_completed() {
        assert_eq!(word("sum(rate(pred"), (9, "pred"));
        assert_eq!(word("합계(서울"), (3, "서울"));
        assert_eq!(word("sum("), (4, ""));
        assert_eq!(names("sum(rate(pred").first().map(String::as_str), Some("predict_requests_total"));
        assert_eq!(names("ra").first().map(String::as_str), Some("rate("));
    }

    #[test]
    fn letters_in_their_order_are_enough_and_help_counts_too() {
        assert_eq!(names("pdrq").first().map(String::as_str), Some("predict_requests_total"));
        assert_eq!(names("of").first().map(String::as_str), Some("process_resident_memory_bytes"));
        assert!(names("nothing_of_that").is_empty());
    }

    #[test]
    fn within_braces_and_groupings_labels_are_meant() {
        assert_eq!(names("x{st"), ["status"]);
        assert_eq!(names("sum by (l"), ["le"]);
        assert_eq!(names("sum by (le) (pred").first().map(String::as_str), Some("predict_requests_total"));
        assert!(names("x{status=\"4").is_empty() && names("x[5").is_empty());
        assert_eq!(names("").len(), 3, "without a word every metric, and no function");
    }
}
