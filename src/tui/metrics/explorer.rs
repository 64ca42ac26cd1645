//! The explorer: a line for an expression, and what could be meant by the word in it.
//!
//! The list may have any length. The daemon searches it, and here is the window of it that is on the screen, with some rows
//! before and behind.

use super::completion::{Spot, spot};
use super::line::Line;
use crate::api::types::{Completion, CompletionRequest, Completions, ExpressionFault};

/// Rows of a page, at least; three of them are asked for.
const PAGE: usize = 20;

/// What is done once the list for the present word is here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Due {
    /// The selected row is taken into the line.
    Complete,
    /// The expression is drawn.
    Draw,
}

/// The explorer while it is open.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::tui) struct Explorer {
    /// The expression.
    pub(in crate::tui) line: Line,
    /// Which row of the whole list.
    pub(in crate::tui) selected: usize,
    /// Whether a row was chosen by a key, and not only because it is the first.
    has_moved: bool,
    /// What the daemon found, and for what.
    pub(in crate::tui) found: Option<(CompletionRequest, Result<Completions, String>)>,
    /// What it is being asked.
    asked: Option<CompletionRequest>,
    /// What waits for its answer.
    pub(in crate::tui) due: Option<Due>,
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

    /// What the daemon is to be asked now, if anything: one question at a time. `rows` of the list are on the screen.
    pub(in crate::tui) fn next_request(&mut self, rows: usize) -> Option<CompletionRequest> {
        if self.asked.is_some() {
            return None;
        }
        let spot = spot(self.line.before())?;
        let page = rows.max(PAGE);
        let first = (self.selected / page).saturating_sub(1).saturating_mul(page);
        let wanted = CompletionRequest {
            kind: spot.kind,
            label: spot.label,
            metric: spot.metric,
            word: spot.word,
            first,
            count: page.saturating_mul(3),
        };
        if self.found.as_ref().is_some_and(|(known, _)| *known == wanted) {
            return None;
        }
        self.asked = Some(wanted.clone());
        Some(wanted)
    }

    /// The daemon answered; what was asked before the connection broke is not waited for any more.
    pub(in crate::tui) fn receive(&mut self, request: CompletionRequest, answer: Result<Completions, String>) {
        if self.asked.as_ref() != Some(&request) {
            return;
        }
        self.asked = None;
        self.found = Some((request, answer));
        if let Some(list) = self.list() {
            self.selected = self.selected.min(list.total.saturating_sub(1));
        }
    }

    /// Answers that were under way will not come.
    pub(in crate::tui) fn reconnected(&mut self) {
        self.asked = None;
        self.found = None;
    }

    /// Whether the daemon has answered for the word at the caret, with the selected row of a long list; where nothing can be
    /// completed, it need not.
    pub(in crate::tui) fn is_answered(&self) -> bool {
        spot(self.line.before()).is_none_or(|spot| match self.answer(&spot) {
            Some(Ok(list)) => list.total == 0 || self.chosen().is_some(),
            Some(Err(_)) => true,
            None => false,
        })
    }

    /// The list for the word at the caret, as far as it is here.
    pub(in crate::tui) fn list(&self) -> Option<&Completions> {
        self.answer(&spot(self.line.before())?)?.as_ref().ok()
    }

    /// Takes the selected row into the line; waits for the list, if that is not here yet.
    pub(in crate::tui) fn complete(&mut self) {
        let Some(spot) = spot(self.line.before()) else { return };
        if !self.is_answered() {
            self.due = Some(Due::Complete);
            return;
        }
        let Some(mut text) = self.chosen().map(|chosen| spot.written(chosen)) else { return };
        if let Some(mark) = spot.end().filter(|mark| !self.line.behind().starts_with(*mark)) {
            text.push(mark);
        }
        self.line.replace(spot.from, &text);
        self.changed();
    }

    /// What Enter draws: the line; where it is only the beginning of a metric's name, or nothing but a row was chosen, what
    /// shows that metric well. `None` while the list is not here.
    pub(in crate::tui) fn drawn(&self) -> Option<String> {
        let text = self.line.text.trim();
        let is_word = text.chars().all(|character| character.is_alphanumeric() || character == '_' || character == ':');
        let is_choice = is_word && text.parse::<f64>().is_err() && (self.has_moved || !text.is_empty());
        if is_choice && !self.is_answered() {
            return None;
        }
        let is_whole = self.list().is_some_and(|list| list.is_whole);
        Some(match self.chosen() {
            Some(Completion::Metric(metric)) if is_choice && !is_whole => metric.expression.clone(),
            _ => text.to_owned(),
        })
    }

    /// The line is another one now.
    pub(in crate::tui) fn changed(&mut self) {
        self.moved();
        self.fault = None;
        self.checked = None;
    }

    /// The caret stands elsewhere, and with it the word that is completed is another one.
    pub(in crate::tui) fn moved(&mut self) {
        self.selected = 0;
        self.has_moved = false;
        self.due = None;
    }

    /// Up or down the list.
    pub(in crate::tui) fn select(&mut self, by: isize) {
        let total = self.list().map_or(0, |list| list.total);
        self.selected = self.selected.saturating_add_signed(by).min(total.saturating_sub(1));
        self.has_moved = true;
        self.due = None;
    }

    /// The selected row, if it is here.
    pub(in crate::tui) fn chosen(&self) -> Option<&Completion> {
        let list = self.list()?;
        list.rows.get(self.selected.checked_sub(list.first)?)
    }

    fn answer(&self, spot: &Spot) -> Option<&Result<Completions, String>> {
        let (known, answer) = self.found.as_ref()?;
        let is_of_it = known.kind == spot.kind
            && known.label == spot.label
            && known.metric == spot.metric
            && known.word == spot.word;
        is_of_it.then_some(answer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(name: &str) -> Completion {
        Completion::Value(name.to_owned())
    }

    fn typed(text: &str) -> Explorer {
        Explorer::new(Some(text))
    }

    /// Answers as a daemon with so many values would.
    fn answer(explorer: &mut Explorer, rows: usize, total: usize) -> CompletionRequest {
        let asked = explorer.next_request(rows).unwrap();
        let rows = (asked.first..total.min(asked.first + asked.count)).map(|number| value(&format!("pod-{number}")));
        let list = Completions { first: asked.first, rows: rows.collect(), total, is_whole: false };
        explorer.receive(asked.clone(), Ok(list));
        asked
    }

    #[test]
    fn a_list_of_any_length_is_asked_for_in_windows_around_the_selected_row() {
        let mut explorer = typed("up{pod=\"");
        let first = answer(&mut explorer, 30, 100_000);
        assert_eq!((first.first, first.count, first.label.as_deref()), (0, 90, Some("pod")));
        assert_eq!(explorer.next_request(30), None, "it is here");
        for _ in 0..100 {
            explorer.select(10);
            if let Some(asked) = explorer.next_request(30) {
                let rows = asked.first..asked.first + asked.count;
                explorer.asked = None;
                assert!(rows.contains(&explorer.selected) && rows.contains(&(explorer.selected.saturating_sub(29))));
                answer(&mut explorer, 30, 100_000);
            }
            assert_eq!(explorer.chosen(), Some(&value(&format!("pod-{}", explorer.selected))));
        }
        assert_eq!(explorer.selected, 1_000);
        explorer.select(isize::MAX);
        answer(&mut explorer, 30, 100_000);
        assert_eq!(explorer.chosen(), Some(&value("pod-99999")));
    }

    #[test]
    fn a_key_that_was_faster_than_the_daemon_waits_for_its_answer() {
        let mut explorer = typed("up{pod=\"po");
        explorer.complete();
        assert_eq!((explorer.due, explorer.line.text.as_str()), (Some(Due::Complete), "up{pod=\"po"));
        answer(&mut explorer, 30, 5);
        explorer.complete();
        assert_eq!(explorer.line.text, "up{pod=\"pod-0\"");
        assert_eq!(explorer.due, None);
        let explorer = typed("proc");
        assert_eq!(explorer.drawn(), None);
        assert_eq!(typed("sum(proc)").drawn().as_deref(), Some("sum(proc)"));
        assert_eq!(typed("").drawn().as_deref(), Some(""));
    }

    #[test]
    fn a_key_on_a_row_that_is_not_here_yet_waits_for_it() {
        let mut explorer = typed("up{pod=\"po");
        answer(&mut explorer, 30, 100_000);
        explorer.select(isize::MAX);
        explorer.complete();
        assert_eq!((explorer.due, explorer.line.text.as_str()), (Some(Due::Complete), "up{pod=\"po"));
        answer(&mut explorer, 30, 100_000);
        explorer.complete();
        assert_eq!(explorer.line.text, "up{pod=\"pod-99999\"");
        let mut explorer = typed("");
        answer(&mut explorer, 30, 1_000);
        explorer.select(900);
        assert_eq!(explorer.drawn(), None, "an empty line would bring the panels back");
    }

    #[test]
    fn an_answer_about_an_older_word_is_not_taken_for_one_about_this() {
        let mut explorer = typed("up{pod=\"p");
        let asked = explorer.next_request(30).unwrap();
        explorer.line = Line::new("up{pod=\"px".to_owned());
        assert_eq!(explorer.next_request(30), None, "one question at a time");
        explorer.receive(asked, Ok(Completions { rows: vec![value("pod-0")], total: 1, ..Completions::default() }));
        assert_eq!((explorer.chosen(), explorer.is_answered()), (None, false));
        assert_eq!(explorer.next_request(30).unwrap().word, "px");
    }

    #[test]
    fn a_mark_that_is_there_already_is_not_written_twice() {
        let mut explorer = typed("up{pod=\"po\"}");
        explorer.line.caret = 10;
        answer(&mut explorer, 30, 5);
        explorer.complete();
        assert_eq!(explorer.line.text, "up{pod=\"pod-0\"}");
    }
}
