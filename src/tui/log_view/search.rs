//! A search in a whole log: what is looked for, how far that is, and the place of what was found among all of it.

use regex::{Regex, RegexBuilder};

use super::hits::{HitTable, Next, Place, percent};
use crate::api::types::{LogAddress, LogFilter, ignores_case};

/// A step of a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct SearchRequest {
    /// In which log.
    pub(in crate::tui) log: LogAddress,
    /// What passes.
    pub(in crate::tui) filter: LogFilter,
    /// From this line on, itself included.
    pub(in crate::tui) from: u64,
    /// Towards the beginning.
    pub(in crate::tui) backward: bool,
    /// Whether it went on at the other end already.
    pub(in crate::tui) has_wrapped: bool,
}

/// What a search comes to next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum Sought {
    /// This line.
    Line {
        /// Its number.
        line: u64,
        /// Whether it lies past an end.
        has_wrapped: bool,
    },
    /// The daemon is asked.
    Asked(SearchRequest),
    /// There is none.
    Nowhere,
}

/// A search under way.
#[derive(Debug, Clone)]
pub(in crate::tui) struct Search {
    /// What was typed.
    pub(in crate::tui) pattern: String,
    /// To show the matches; the daemon does the searching. `None` if it is no regular expression.
    pub(in crate::tui) regex: Option<Regex>,
    /// The line found last.
    pub(in crate::tui) hit: Option<u64>,
    /// Everything that matches.
    pub(in crate::tui) table: HitTable,
    /// The step that is being done.
    pub(in crate::tui) asked: Option<SearchRequest>,
    /// Whether nobody typed it: it looks for the tests that failed.
    pub(in crate::tui) is_for_failure: bool,
}

impl Search {
    /// A search within what a filter shows.
    pub(in crate::tui) fn new(pattern: String, filter: &LogFilter, total: u64) -> Self {
        let regex = shown_as(&pattern);
        let table = HitTable::new(filter.searched(&pattern), total);
        Self { pattern, regex, hit: None, table, asked: None, is_for_failure: false }
    }

    /// Looks for the nearest line from `from` on: in what is known, else by a question.
    pub(in crate::tui) fn seek(
        &mut self,
        log: &LogAddress,
        mut from: u64,
        backward: bool,
        has_wrapped: bool,
    ) -> Sought {
        let mut has_wrapped = has_wrapped;
        loop {
            match self.table.next(from, backward) {
                Next::Line(line) => return Sought::Line { line, has_wrapped },
                Next::Unknown(from) => {
                    let filter = self.table.filter.clone();
                    let request = SearchRequest { log: log.clone(), filter, from, backward, has_wrapped };
                    self.asked = Some(request.clone());
                    return Sought::Asked(request);
                }
                Next::Nowhere if has_wrapped => return Sought::Nowhere,
                Next::Nowhere => (from, has_wrapped) = (if backward { u64::MAX } else { 0 }, true),
            }
        }
    }

    /// How many lines match, as far as is known, and which of them was found.
    pub(in crate::tui) fn place(&self) -> (Option<u64>, u64) {
        // What was found before the log was narrowed need not be among what is shown now.
        let is_there = |hit: &u64| match self.table.next(*hit, false) {
            Next::Line(line) => line == *hit,
            Next::Nowhere => false,
            Next::Unknown(_) => true,
        };
        let place = self.hit.filter(is_there).and_then(|hit| match self.table.place_of(hit) {
            Place::Known(before) => Some(before + 1),
            Place::Within { .. } | Place::Unknown => None,
        });
        (place, self.table.rows())
    }

    /// How far the step or the count is, in percent; `None` when neither goes on.
    pub(in crate::tui) fn percent(&self, total: u64) -> Option<u64> {
        match &self.asked {
            Some(asked) if asked.backward => Some(percent(total.saturating_sub(asked.from), total)),
            Some(asked) => Some(percent(asked.from, total)),
            None => self.table.percent(),
        }
    }
}

/// A pattern as it is used to show matches: in the same case as the daemon looks for it.
pub(in crate::tui) fn shown_as(pattern: &str) -> Option<Regex> {
    RegexBuilder::new(pattern).case_insensitive(ignores_case(pattern)).multi_line(true).build().ok()
}
