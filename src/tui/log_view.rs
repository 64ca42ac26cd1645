//! The window onto one log: where it stands, what of it is here, and what has to be fetched.
//!
//! The log itself stays with the daemon; here is never more than a few screens of it, and nothing but what is visible is
//! ever looked at.

use regex::Regex;

use crate::api::types::{LogAddress, LogLine, LogWindow};

/// A search under way.
#[derive(Debug, Clone)]
pub(super) struct Search {
    /// What was typed.
    pub(super) pattern: String,
    /// To show the matches; the daemon does the searching. `None` if it is no regular expression.
    pub(super) regex: Option<Regex>,
    /// The line found last.
    pub(super) hit: Option<u64>,
}

/// What to ask the daemon for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LogPart {
    /// These lines.
    Window {
        /// The first, from 0.
        first: u64,
        /// How many.
        count: u64,
    },
    /// The last ones.
    Tail {
        /// How many.
        count: u64,
    },
}

/// The window.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "four switches that are independent of each other")]
pub(super) struct LogView {
    /// Which log; `None` when there is none to show.
    pub(super) address: Option<LogAddress>,
    /// The lines that are here.
    pub(super) window: LogWindow,
    /// How many lines the log has, as far as is known.
    pub(super) total: u64,
    /// The first line on the screen, unless the end is followed.
    pub(super) top: u64,
    /// Whether the end is followed.
    pub(super) follow: bool,
    /// Whether long lines are wrapped.
    pub(super) wrap: bool,
    /// Cells cut off at the left.
    pub(super) left: usize,
    /// The search.
    pub(super) search: Option<Search>,
    /// The first and the last selected line, to be drawn so.
    pub(super) selection: Option<(u64, u64)>,
    /// Why there is nothing to show.
    pub(super) error: Option<String>,
    is_pending: bool,
    is_stale: bool,
}

impl Default for LogView {
    fn default() -> Self {
        Self {
            address: None,
            window: LogWindow::default(),
            total: 0,
            top: 0,
            follow: true,
            wrap: false,
            left: 0,
            search: None,
            selection: None,
            error: None,
            is_pending: false,
            is_stale: false,
        }
    }
}

impl LogView {
    /// Turns to another log, or stays if it is the same.
    pub(super) fn open(&mut self, address: Option<LogAddress>) {
        if self.address != address {
            let wrap = self.wrap;
            *self = Self { is_stale: address.is_some(), address, wrap, ..Self::default() };
        }
    }

    /// The daemon says how many lines the log has now.
    pub(super) fn grown(&mut self, address: &LogAddress, total: u64) {
        if self.address.as_ref() == Some(address) && total != self.total {
            self.total = total;
            self.is_stale = true;
        }
    }

    /// The log must be looked at again: its attempt ended, or the daemon is back.
    pub(super) fn invalidate(&mut self) {
        self.is_stale = self.address.is_some();
        self.is_pending = false;
    }

    /// What to ask for so that `rows` rows can be filled. Each answer is awaited before the next question.
    pub(super) fn next_part(&mut self, rows: usize, is_frozen: bool) -> Option<LogPart> {
        let rows = u64::try_from(rows).unwrap_or(0).max(1);
        if self.address.is_none() || self.is_pending {
            return None;
        }
        // What failed is asked for again when something changes, not at once.
        if self.error.is_some() && !self.is_stale {
            return None;
        }
        let is_empty = self.window.lines.is_empty();
        let part = if self.follow {
            let is_due = self.is_stale && (!is_frozen || is_empty);
            is_due.then_some(LogPart::Tail { count: rows * 2 })
        } else {
            let is_due = !self.holds(self.top, self.top.saturating_add(rows).min(self.total));
            is_due.then(|| LogPart::Window { first: self.top.saturating_sub(rows), count: rows * 3 })
        };
        if part.is_some() {
            self.is_pending = true;
            self.is_stale = false;
        }
        part
    }

    /// Takes an answer; one for another log is dropped.
    pub(super) fn receive(&mut self, address: &LogAddress, answer: Result<LogWindow, String>) {
        if self.address.as_ref() != Some(address) {
            return;
        }
        self.is_pending = false;
        match answer {
            Ok(window) => {
                self.error = None;
                // An answer that reaches as far as was told is no longer out of date.
                self.is_stale &= window.total < self.total;
                self.total = window.total;
                self.window = window;
                self.top = self.top.min(self.total.saturating_sub(1));
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Moves by `lines`; whoever moves up no longer follows the end.
    pub(super) fn scroll(&mut self, lines: i64, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or(0);
        let last_top = self.total.saturating_sub(rows);
        let from = if self.follow { last_top } else { self.top };
        if lines < 0 || !self.follow {
            self.follow = false;
            self.top = from.saturating_add_signed(lines).min(last_top);
        }
    }

    /// To the first line.
    pub(super) fn go_to_top(&mut self) {
        self.follow = false;
        self.top = 0;
    }

    /// To the end, and along with it.
    pub(super) fn go_to_end(&mut self) {
        self.follow = true;
        self.is_stale = true;
    }

    /// Stays where it is, or goes along with the end.
    pub(super) fn toggle_follow(&mut self, rows: usize) {
        if self.follow {
            self.follow = false;
            self.top = self.total.saturating_sub(u64::try_from(rows).unwrap_or(0));
        } else {
            self.go_to_end();
        }
    }

    /// Brings a line that was found into the middle.
    pub(super) fn show_hit(&mut self, line: u64, rows: usize) {
        if let Some(search) = &mut self.search {
            search.hit = Some(line);
        }
        self.follow = false;
        self.top = line.saturating_sub(u64::try_from(rows / 2).unwrap_or(0));
    }

    /// A line, if it is here.
    pub(super) fn line(&self, number: u64) -> Option<&LogLine> {
        let offset = number.checked_sub(self.window.first)?;
        self.window.lines.get(usize::try_from(offset).ok()?)
    }

    /// The number of the line behind the last one that is here.
    pub(super) fn end(&self) -> u64 {
        self.window.first.saturating_add(u64::try_from(self.window.lines.len()).unwrap_or(0))
    }

    fn holds(&self, first: u64, end: u64) -> bool {
        first >= end || (first >= self.window.first && end <= self.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Attempt, Moment, RunId};

    fn address() -> LogAddress {
        LogAddress { run: RunId(1), stage: "test".into(), attempt: Attempt(1) }
    }

    fn window(first: u64, count: u64, total: u64) -> LogWindow {
        let line = |number| LogLine { at: Moment(0), text: format!("line {number}"), cut: 0 };
        LogWindow { first, lines: (first..first + count).map(line).collect(), total }
    }

    #[test]
    fn only_one_question_is_open_at_a_time() {
        let mut log = LogView::default();
        assert_eq!(log.next_part(10, false), None);
        log.open(Some(address()));
        assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }));
        log.grown(&address(), 500);
        assert_eq!(log.next_part(10, false), None);
        log.receive(&address(), Ok(window(480, 20, 500)));
        assert_eq!(log.next_part(10, false), None);
        log.grown(&address(), 501);
        assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }));
    }

    #[test]
    fn scrolling_up_leaves_the_end_and_fetches_only_what_is_missing() {
        let mut log = LogView::default();
        log.open(Some(address()));
        log.next_part(10, false);
        log.receive(&address(), Ok(window(480, 20, 500)));
        log.scroll(-5, 10);
        assert!(!log.follow);
        assert_eq!(log.top, 485);
        assert_eq!(log.next_part(10, false), None, "these lines are here already");
        log.scroll(-100, 10);
        assert_eq!(log.next_part(10, false), Some(LogPart::Window { first: 375, count: 30 }));
        log.scroll(1_000_000, 10);
        assert_eq!(log.top, 490);
    }

    #[test]
    fn a_frozen_log_does_not_move() {
        let mut log = LogView::default();
        log.open(Some(address()));
        log.next_part(10, true);
        log.receive(&address(), Ok(window(0, 5, 5)));
        log.grown(&address(), 6);
        assert_eq!(log.next_part(10, true), None);
        assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }));
    }

    #[test]
    fn an_answer_for_another_log_is_dropped() {
        let mut log = LogView::default();
        log.open(Some(address()));
        let other = LogAddress { run: RunId(2), ..address() };
        log.receive(&other, Ok(window(0, 5, 5)));
        assert!(log.window.lines.is_empty());
    }
}
