//! The explorer: a line for an expression, and what could be meant by the word in it.

use super::completion::{self, Candidate};
use super::line::Line;
use crate::api::types::{Catalog, ExpressionFault};

/// The explorer while it is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::tui) struct Explorer {
    /// The expression.
    pub(in crate::tui) line: Line,
    /// Which of the candidates.
    pub(in crate::tui) selected: usize,
    /// What is wrong with the expression, by the daemon's word.
    pub(in crate::tui) fault: Option<Result<ExpressionFault, String>>,
    /// The expression about which the daemon is being asked.
    pub(in crate::tui) checked: Option<String>,
}

impl Explorer {
    /// With the expression that was drawn last.
    pub(in crate::tui) fn new(expression: Option<&str>) -> Self {
        Self { line: Line::new(expression.unwrap_or_default().to_owned()), ..Self::default() }
    }

    /// Takes the selected candidate into the line.
    pub(in crate::tui) fn complete(&mut self, catalog: &Catalog) {
        let chosen = self.chosen(catalog).map(Candidate::written);
        let (from, _) = completion::word(self.line.before());
        if let Some(word) = chosen {
            self.line.replace(from, &word);
            self.changed();
        }
    }

    /// What Enter draws: the line; where it is only the beginning of a metric's name, what shows that metric well.
    pub(in crate::tui) fn drawn(&self, catalog: &Catalog) -> String {
        let text = self.line.text.trim();
        let is_word = text.chars().all(|character| character.is_alphanumeric() || character == '_' || character == ':');
        let is_known = catalog.metrics.iter().any(|metric| metric.name == text);
        let is_number = text.parse::<f64>().is_ok();
        match self.chosen(catalog) {
            Some(Candidate::Metric(metric)) if is_word && !is_known && !is_number => metric.expression.clone(),
            _ => text.to_owned(),
        }
    }

    /// The line is another one now.
    pub(in crate::tui) fn changed(&mut self) {
        self.selected = 0;
        self.fault = None;
        self.checked = None;
    }

    /// Up or down the candidates.
    pub(in crate::tui) fn select(&mut self, by: isize, catalog: &Catalog) {
        let count = completion::candidates(catalog, self.line.before()).len();
        self.selected = self.selected.saturating_add_signed(by).min(count.saturating_sub(1));
    }

    fn chosen<'a>(&self, catalog: &'a Catalog) -> Option<Candidate<'a>> {
        completion::candidates(catalog, self.line.before()).get(self.selected).copied()
    }
}
