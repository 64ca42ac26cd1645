//! What stands at the caret of an expression, and so what the daemon is asked for: metrics and functions, within braces and
//! groupings the names of labels, within the quotation marks behind a label its values.

use crate::api::types::{Completion, CompletionKind};

/// A place that can be completed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Spot {
    /// What stands there.
    pub(in crate::tui) kind: CompletionKind,
    /// The label whose value stands there.
    pub(in crate::tui) label: Option<String>,
    /// The metric before the braces.
    pub(in crate::tui) metric: Option<String>,
    /// What was typed of it, as it is meant.
    pub(in crate::tui) word: String,
    /// The character of the line at which that begins.
    pub(in crate::tui) from: usize,
    /// The quotation mark before it.
    quote: Option<Quote>,
}

/// Within which marks a value stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quote {
    mark: char,
    /// Whether the value is a regular expression.
    is_pattern: bool,
}

impl Spot {
    /// What is written when a completion is chosen: a function with its bracket, a value as its quotation marks want it.
    pub(in crate::tui) fn written(&self, completion: &Completion) -> String {
        match completion {
            Completion::Function(name) => format!("{name}("),
            Completion::Metric(metric) => metric.name.clone(),
            Completion::Label(name) => name.clone(),
            Completion::Value(value) => self.quote.map_or_else(|| value.clone(), |quote| quote.written(value)),
        }
    }

    /// The quotation mark that ends what stands there.
    pub(in crate::tui) fn end(&self) -> Option<char> {
        self.quote.map(|quote| quote.mark)
    }
}

impl Quote {
    fn written(self, value: &str) -> String {
        let meant = if self.is_pattern { regex::escape(value) } else { value.to_owned() };
        // Between back quotes nothing is escaped.
        if self.mark == '`' {
            return meant;
        }
        let mut text = String::with_capacity(meant.len());
        for character in meant.chars() {
            match character {
                '\n' => text.push_str("\\n"),
                '\\' => text.push_str("\\\\"),
                other if other == self.mark => text.extend(['\\', other]),
                other => text.push(other),
            }
        }
        text
    }
}

/// The place at the end of `before`; `None` where nothing can be offered: in a time, or in a text that is no value of a label.
pub(in crate::tui) fn spot(before: &str) -> Option<Spot> {
    let mut reader = Reader::default();
    for (index, character) in before.chars().enumerate() {
        reader.take(index, character);
    }
    reader.spot(before)
}

/// The word at the end of a text, and the character at which it begins.
fn word(before: &str) -> (usize, &str) {
    let begin = before.char_indices().rev().take_while(|(_, character)| is_part(*character)).last();
    let begin = begin.map_or(before.len(), |(begin, _)| begin);
    let (head, word) = before.split_at_checked(begin).unwrap_or((before, ""));
    (head.chars().count(), word)
}

fn is_part(character: char) -> bool {
    character.is_alphanumeric() || character == '_' || character == ':'
}

/// Reads an expression up to the caret, far enough to know where that stands.
#[derive(Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a thing of its own that is open at the caret, or not")]
struct Reader {
    /// The mark that is open, and the character behind it.
    quote: Option<(char, usize)>,
    is_escaped: bool,
    is_in_braces: bool,
    is_in_time: bool,
    /// For each open bracket whether labels stand in it, as behind `by (`, `without (`, `on (` and the like.
    groupings: Vec<bool>,
    last_word: String,
    is_word_over: bool,
    /// What stands before the open braces.
    metric: String,
    /// In braces: the label of the present matcher, and its operator.
    label: String,
    operator: String,
}

impl Reader {
    fn take(&mut self, index: usize, character: char) {
        if let Some((mark, _)) = self.quote {
            if std::mem::take(&mut self.is_escaped) {
                return;
            }
            self.is_escaped = character == '\\' && mark != '`';
            if character == mark {
                self.quote = None;
            }
            return;
        }
        match character {
            '"' | '\'' | '`' => self.quote = Some((character, index + 1)),
            '{' => {
                self.is_in_braces = true;
                self.metric.clone_from(&self.last_word);
                self.begin_matcher();
            }
            '}' => self.is_in_braces = false,
            ',' => self.begin_matcher(),
            '=' | '!' | '~' if self.is_in_braces => {
                if self.operator.is_empty() {
                    self.label.clone_from(&self.last_word);
                }
                self.operator.push(character);
            }
            '[' => self.is_in_time = true,
            ']' => self.is_in_time = false,
            '(' => self.groupings.push(is_grouping(&self.last_word)),
            ')' => {
                self.groupings.pop();
            }
            _ => {}
        }
        if is_part(character) {
            if std::mem::take(&mut self.is_word_over) {
                self.last_word.clear();
            }
            self.last_word.push(character);
        } else {
            self.is_word_over = true;
            if !character.is_whitespace() {
                self.last_word.clear();
            }
        }
    }

    fn begin_matcher(&mut self) {
        self.label.clear();
        self.operator.clear();
    }

    fn spot(self, before: &str) -> Option<Spot> {
        let known = |text: String| Some(text).filter(|text| !text.is_empty());
        if let Some((mark, begin)) = self.quote {
            let is_value = self.is_in_braces && !self.label.is_empty() && !self.operator.is_empty();
            let quote = Quote { mark, is_pattern: self.operator.ends_with('~') };
            let (from, word) = typed(before, begin, quote.is_pattern);
            return is_value.then(|| Spot {
                kind: CompletionKind::LabelValue,
                label: known(self.label),
                metric: known(self.metric),
                word,
                from,
                quote: Some(quote),
            });
        }
        if self.is_in_time {
            return None;
        }
        let (from, word) = word(before);
        let is_grouped = self.groupings.last().copied().unwrap_or(false);
        let (kind, metric) = match (self.is_in_braces, is_grouped) {
            (true, _) => (CompletionKind::LabelName, known(self.metric)),
            // The metric stands behind the grouping, as a rule.
            (false, true) => (CompletionKind::LabelName, None),
            (false, false) => (CompletionKind::Expression, None),
        };
        Some(Spot { kind, label: None, metric, word: word.to_owned(), from, quote: None })
    }
}

/// What was typed of a value from character `begin` on, as it is meant, and where it begins: in a pattern behind the last `|`.
fn typed(before: &str, begin: usize, is_pattern: bool) -> (usize, String) {
    let all = before.chars().enumerate().skip(begin);
    let bar = all.clone().filter(|(_, character)| is_pattern && *character == '|').last();
    let from = bar.map_or(begin, |(index, _)| index + 1);
    let word = all.skip(from - begin).map(|(_, character)| character).filter(|character| *character != '\\');
    (from, word.collect())
}

fn is_grouping(word: &str) -> bool {
    ["by", "without", "on", "ignoring", "group_left", "group_right"].contains(&word.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kind_and_word(before: &str) -> Option<(CompletionKind, String, usize)> {
        spot(before).map(|spot| (spot.kind, spot.word, spot.from))
    }

    fn value(before: &str) -> (String, Option<String>, String, usize) {
        let spot = spot(before).unwrap_or_else(|| panic!("nothing at `{before}`"));
        assert_eq!(spot.kind, CompletionKind::LabelValue, "{before}");
        (spot.label.unwrap(), spot.metric, spot.word, spot.from)
    }

    #[test]
    fn the_word_before_the_caret_is_completed() {
        let expression = |word: &str, from| Some((CompletionKind::Expression, word.to_owned(), from));
        assert_eq!(kind_and_word("sum(rate(pred"), expression("pred", 9));
        assert_eq!(kind_and_word("합계(서울"), expression("서울", 3));
        assert_eq!(kind_and_word("sum("), expression("", 4));
        assert_eq!(kind_and_word("sum by (le) (pred"), expression("pred", 13));
        assert_eq!(kind_and_word("x{a=\"b\"} + y"), expression("y", 11));
        assert_eq!(kind_and_word(""), expression("", 0));
    }

    #[test]
    fn within_braces_and_groupings_labels_are_meant() {
        let label = |word: &str, from| Some((CompletionKind::LabelName, word.to_owned(), from));
        assert_eq!(kind_and_word("x{st"), label("st", 2));
        assert_eq!(kind_and_word("x{a=\"b\", st"), label("st", 9));
        assert_eq!(kind_and_word("sum by (l"), label("l", 8));
        assert_eq!(spot("job:x:rate{").unwrap().metric.as_deref(), Some("job:x:rate"));
        assert_eq!(spot("{").unwrap().metric, None);
        assert_eq!(kind_and_word("x[5"), None);
        assert_eq!(kind_and_word("label_replace(x, \"st"), None, "that is no value of a label");
        assert_eq!(kind_and_word("x{\"st"), None, "nor is the name of one");
    }

    #[test]
    fn behind_a_label_its_values_are_meant() {
        let up = || Some("up".to_owned());
        assert_eq!(value("up{instance=\"127"), ("instance".to_owned(), up(), "127".to_owned(), 13));
        assert_eq!(value("sum(up { job != '"), ("job".to_owned(), up(), String::new(), 17));
        assert_eq!(value("{job=\"a\",pod=`서"), ("pod".to_owned(), None, "서".to_owned(), 14));
        assert_eq!(value("up{job=~\"a|b|no"), ("job".to_owned(), up(), "no".to_owned(), 13));
        assert_eq!(value("up{job=\"a|b"), ("job".to_owned(), up(), "a|b".to_owned(), 8));
        assert_eq!(value("up{path=\"a\\\"b"), ("path".to_owned(), up(), "a\"b".to_owned(), 9));
    }

    #[test]
    fn a_value_is_written_as_its_quotation_marks_want_it() {
        let written = |before: &str, value: &str| spot(before).unwrap().written(&Completion::Value(value.to_owned()));
        assert_eq!(written("x{a=\"", "say \"hi\" \\ 'you'"), "say \\\"hi\\\" \\\\ 'you'");
        assert_eq!(written("x{a='", "say \"hi\" 'you'"), "say \"hi\" \\'you\\'");
        assert_eq!(written("x{a=`", "a\\b\"c"), "a\\b\"c");
        assert_eq!(written("x{a=~\"", "127.0.0.1:8000"), "127\\\\.0\\\\.0\\\\.1:8000");
        assert_eq!(written("x{a=~`", "a.b"), "a\\.b");
        assert_eq!(spot("ra").unwrap().written(&Completion::Function("rate".to_owned())), "rate(");
    }
}
