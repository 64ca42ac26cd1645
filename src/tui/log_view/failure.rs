//! Where a log tells of what failed: the lines that name a test which failed, found by a search that nobody typed.
//!
//! Whoever only follows a log is led there once; whoever reads in it is left where he is.

use super::LogView;
use super::hits::Next;
use super::search::Search;
use crate::pipeline::TestReport;

/// Tests that are looked for; more make no better beginning.
const MOST_NAMES: usize = 20;

/// How far the look for a failure is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Failure {
    /// It is told in this line.
    Line(u64),
    /// No line names it: the last lines are all that can be shown.
    Untold,
    /// Not all was looked at yet.
    Unknown,
}

impl LogView {
    /// Whether the tests that failed are to be looked for, if some did: once for each time the log is turned to.
    pub(in crate::tui) fn can_look_for_failure(&self) -> bool {
        // A line must not be shown before it is known that there is one, and what was asked for must not come behind it.
        let is_settled = self.total > 0 && !self.is_pending && !self.is_stale;
        !self.has_led && self.is_led() && is_settled && self.filter.is_none()
    }

    /// Begins to look for the tests that failed.
    pub(in crate::tui) fn look_for_failure(&mut self, report: &TestReport) {
        if !self.can_look_for_failure() {
            return;
        }
        self.has_led = true;
        let names = report.failing.iter().map(|test| own_name(&test.name)).filter(|name| !name.trim().is_empty());
        let names: Vec<String> = names.take(MOST_NAMES).map(regex::escape).collect();
        if self.search.is_none() && !names.is_empty() {
            let search = Search::new(names.join("|"), &self.shown_filter(), self.total);
            self.search = Some(Search { is_for_failure: true, ..search });
        }
    }

    /// What the look has come to, if one goes on that has led nowhere yet.
    pub(in crate::tui) fn found_failure(&self) -> Option<Failure> {
        let search = self.search.as_ref().filter(|search| search.is_for_failure && search.hit.is_none())?;
        Some(match search.table.next(0, false) {
            Next::Line(line) => Failure::Line(line),
            Next::Nowhere => Failure::Untold,
            Next::Unknown(_) => Failure::Unknown,
        })
    }

    /// Goes to where the failure is told. The next log is followed as this one was.
    pub(in crate::tui) fn lead_to_failure(&mut self, line: u64, rows: usize) {
        self.show_hit(line, rows);
        self.was_led = true;
    }

    /// Whoever turns to the log anew is led anew.
    pub(in crate::tui) fn lead_again(&mut self) {
        self.has_led = false;
        if self.search.as_ref().is_some_and(|search| search.is_for_failure) {
            self.search = None;
        }
    }

    /// Whether nobody has chosen where in the log he reads.
    pub(in crate::tui) fn is_led(&self) -> bool {
        self.follow || self.was_led
    }
}

/// The name of a test without its class or module, which logs write in other ways.
fn own_name(name: &str) -> &str {
    name.rsplit("::").next().unwrap_or(name)
}
