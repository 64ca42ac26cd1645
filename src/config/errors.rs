//! What is wrong with a configuration: every error at once, each with its place, a message and the mend.
//!
//! Readers note a [`Problem`] at a span of bytes; only at the end are spans turned into lines and columns.

use std::cell::RefCell;
use std::fmt;
use std::ops::Range;

use serde::Serialize;

/// The most characters of a line that are shown; a longer one is cut around the marked place.
const SHOWN: usize = 120;

/// A stretch of bytes in the text.
pub(super) type Span = Range<usize>;

/// One error in a configuration.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    /// The file as it was named.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The mend.
    pub hint: String,
    #[serde(skip)]
    excerpt: Excerpt,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}:{}:{}: {}", self.file, self.line, self.column, self.message)?;
        writeln!(f, "{:>5} | {}", self.line, self.excerpt.line)?;
        let mark = format!("{} {}", self.excerpt.mark(), self.hint);
        write!(f, "{:>5} | {}", "", mark.trim_end())
    }
}

/// Every error of a configuration, in the order of the file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct ConfigErrors(Vec<ConfigError>);

impl ConfigErrors {
    /// The errors, at least one, in the order of the file.
    pub fn errors(&self) -> &[ConfigError] {
        &self.0
    }

    /// Turns spans into places.
    pub(super) fn locate(mut problems: Vec<Problem>, text: &str, file: &str) -> Self {
        problems.sort_by_key(|problem| problem.span.start);
        problems.dedup();
        Self(problems.into_iter().map(|problem| problem.locate(text, file)).collect())
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            error.fmt(f)?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

/// An error before its place is known as line and column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    /// Where.
    pub(super) span: Span,
    /// What is wrong.
    pub(super) message: String,
    /// The mend.
    pub(super) hint: String,
}

impl Problem {
    fn locate(self, text: &str, file: &str) -> ConfigError {
        let start = floor(text, self.span.start);
        let before = text.get(..start).unwrap_or(text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = text.get(line_start..).unwrap_or("");
        let line = rest.lines().next().unwrap_or("");
        let column = text.get(line_start..start).map_or(0, |part| part.chars().count());
        let marked = text.get(start..floor(text, self.span.end)).unwrap_or("");
        let marked = marked.lines().next().unwrap_or("").chars().count();
        ConfigError {
            file: file.to_owned(),
            line: before.matches('\n').count() + 1,
            column: column + 1,
            message: self.message,
            hint: self.hint,
            excerpt: Excerpt::new(line, column, marked),
        }
    }
}

/// The greatest character boundary that is not behind `index`.
fn floor(text: &str, index: usize) -> usize {
    let mut index = index.min(text.len());
    while !text.is_char_boundary(index) {
        index -= 1;
    }
    index
}

/// The line that is shown under an error.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Excerpt {
    line: String,
    /// Characters before the mark.
    before: usize,
    /// Characters marked, at least one.
    marked: usize,
}

impl Excerpt {
    fn new(line: &str, column: usize, marked: usize) -> Self {
        let length = line.chars().count();
        if length <= SHOWN {
            return Self { line: line.to_owned(), before: column, marked: marked.max(1) };
        }
        let start = column.saturating_sub(SHOWN / 2);
        let shown: String = line.chars().skip(start).take(SHOWN).collect();
        let cut_before = if start > 0 { "…" } else { "" };
        let cut_behind = if start + SHOWN < length { "…" } else { "" };
        let before = column - start + cut_before.chars().count();
        Self { line: format!("{cut_before}{shown}{cut_behind}"), before, marked: marked.clamp(1, SHOWN / 2) }
    }

    /// Blanks up to the marked place, then one `^` for each cell of it.
    fn mark(&self) -> String {
        let mut mark = String::new();
        for character in self.line.chars().take(self.before) {
            // A tab stays a tab, so that the mark stands right however wide the terminal shows it.
            mark.push_str(if character == '\t' { "\t" } else { " " });
            if is_wide(character) {
                mark.push(' ');
            }
        }
        let cells: usize = self
            .line
            .chars()
            .skip(self.before)
            .take(self.marked)
            .map(|character| 1 + usize::from(is_wide(character)))
            .sum();
        mark.push_str(&"^".repeat(cells.max(1)));
        mark
    }
}

/// Whether a terminal gives a character two cells: the East Asian wide blocks and the pictographs, which is near enough
/// for placing a mark.
fn is_wide(character: char) -> bool {
    matches!(character,
        '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}' | '\u{ff00}'..='\u{ff60}' | '\u{1f300}'..='\u{1faff}')
}

/// Where readers note what is wrong while they go on reading.
#[derive(Debug)]
pub(super) struct Problems {
    list: RefCell<Vec<Problem>>,
    /// Where expressions stand that can be read; whether they can be evaluated is judged at the end.
    expressions: RefCell<Vec<(Span, String)>>,
    /// Whether parts of the text could not be read at all.
    incomplete: bool,
}

impl Problems {
    /// Starts with what the syntax check found.
    pub(super) fn new(found: Vec<Problem>) -> Self {
        Self { incomplete: !found.is_empty(), list: RefCell::new(found), expressions: RefCell::default() }
    }

    /// Notes an error.
    pub(super) fn add(&self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        self.list.borrow_mut().push(Problem { span, message: message.into(), hint: hint.into() });
    }

    /// Notes that something is missing, unless it may stand in a part that could not be read.
    pub(super) fn add_absence(&self, span: Span, message: impl Into<String>, hint: impl Into<String>) {
        if !self.incomplete {
            self.add(span, message, hint);
        }
    }

    /// Remembers an expression.
    pub(super) fn remember(&self, span: Span, expression: &str) {
        self.expressions.borrow_mut().push((span, expression.to_owned()));
    }

    /// Notes what `judge` has against the expressions.
    pub(super) fn judge(&self, judge: &dyn Fn(&str) -> Option<String>) {
        for (span, expression) in self.expressions.borrow().iter() {
            if let Some(reason) = judge(expression) {
                let hint = "write it otherwise, or name a Prometheus that evaluates it as `prometheus` in [monitor]";
                self.add(span.clone(), format!("an expression that cannot be evaluated: {reason}"), hint);
            }
        }
    }

    /// Whether nothing was found so far.
    pub(super) fn is_empty(&self) -> bool {
        self.list.borrow().is_empty()
    }

    /// All that was found.
    pub(super) fn into_list(self) -> Vec<Problem> {
        self.list.into_inner()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn render(text: &str, span: Span) -> String {
        let problem = Problem { span, message: "it is wrong".to_owned(), hint: "mend it".to_owned() };
        ConfigErrors::locate(vec![problem], text, "f.toml").to_string()
    }

    #[test]
    fn an_error_shows_its_line_and_marks_the_place() {
        let expected = "f.toml:2:5: it is wrong\n    2 | b = 12\n      |     ^^ mend it";
        assert_eq!(render("a = 1\nb = 12\n", 10..12), expected);
    }

    #[test]
    fn the_mark_stands_right_behind_tabs_and_wide_characters() {
        let text = "\t한 = 5";
        assert_eq!(render(text, 7..8), "f.toml:1:6: it is wrong\n    1 | \t한 = 5\n      | \t     ^ mend it");
    }

    #[test]
    fn a_place_at_the_very_end_is_shown_too() {
        assert_eq!(render("a =", 3..3), "f.toml:1:4: it is wrong\n    1 | a =\n      |    ^ mend it");
        assert_eq!(render("", 0..0), "f.toml:1:1: it is wrong\n    1 | \n      | ^ mend it");
    }

    #[test]
    fn a_very_long_line_is_cut_around_the_place() {
        let text = format!("a = \"{}\" # {}", "x".repeat(300), "y".repeat(300));
        let shown = render(&text, 200..205);
        let line = shown.lines().nth(1).unwrap();
        assert!(line.chars().count() < 140, "{line}");
        assert!(line.contains('…'), "{line}");
        assert_eq!(shown.lines().next().unwrap(), "f.toml:1:201: it is wrong");
    }

    #[test]
    fn errors_stand_in_the_order_of_the_file_and_none_twice() {
        let problem = |start: usize| Problem { span: start..6, message: format!("at {start}"), hint: String::new() };
        let errors = ConfigErrors::locate(vec![problem(4), problem(0), problem(4)], "abcdef", "f.toml");
        let messages: Vec<_> = errors.errors().iter().map(|error| error.message.as_str()).collect();
        assert_eq!(messages, ["at 0", "at 4"]);
    }
}
