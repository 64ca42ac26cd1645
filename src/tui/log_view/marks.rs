//! Marks in a log: lines to come back to. They live as long as the screen.

use std::collections::BTreeMap;

use super::LogView;
use crate::pipeline::Moment;

/// Marks in one log; more are no help.
const MOST_MARKS: usize = 500;
/// Characters of a line that are kept with its mark.
const KEPT: usize = 200;

/// A line that was marked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Mark {
    /// When it came.
    pub(in crate::tui) at: Moment,
    /// How it begins.
    pub(in crate::tui) text: String,
}

impl LogView {
    /// Marks the line in sight, or takes its mark away: the one that was found or gone to, else the first. Whether it is
    /// marked now.
    pub(in crate::tui) fn toggle_mark(&mut self, rows: usize) -> Option<(u64, bool)> {
        let log = self.address.clone()?;
        let found = self.search.as_ref().and_then(|search| search.hit).filter(|hit| self.is_in_sight(*hit, rows));
        let line = found
            .or_else(|| self.aim.filter(|aim| self.is_in_sight(*aim, rows)))
            .or_else(|| self.first_in_sight(rows))?;
        let offset = self.window_rows().position(|row| row.number == line)?;
        let shown = self.window.lines.get(offset)?;
        let mark = Mark { at: shown.at, text: shown.text.chars().take(KEPT).collect() };
        let marks = self.marks.entry(log).or_default();
        if marks.remove(&line).is_some() {
            return Some((line, false));
        }
        if marks.len() >= MOST_MARKS {
            marks.pop_first();
        }
        marks.insert(line, mark);
        Some((line, true))
    }

    fn is_in_sight(&self, line: u64, rows: usize) -> bool {
        let first = self.first_in_sight(rows).unwrap_or(u64::MAX);
        let rows = u64::try_from(rows).unwrap_or(0);
        // Rows of a filter lie further apart, never closer.
        line >= first && (self.filter.is_some() || line < first.saturating_add(rows))
    }

    /// The marks of this log.
    pub(in crate::tui) fn own_marks(&self) -> Option<&BTreeMap<u64, Mark>> {
        self.marks.get(self.address.as_ref()?).filter(|marks| !marks.is_empty())
    }
}
