//! Rows that are selected: how they come into sight, and how the daemon is asked for their lines.

use super::LogView;
use crate::api::types::{LogFilter, LogRowsRequest};
use crate::tui::selection::{GatherRequest, MOST_LINES};

impl LogView {
    /// How rows `first` to `last`, the last one included, are asked for, to be copied without times: no more than are copied
    /// at once.
    pub(in crate::tui) fn lines_between(&self, first: u64, last: u64) -> Option<GatherRequest> {
        let log = self.address.clone()?;
        let count = last.checked_sub(first)?.saturating_add(1).min(MOST_LINES);
        let rows = self
            .filter
            .as_ref()
            .map(|table| LogRowsRequest { filter: table.filter.clone(), pieces: table.pieces(first, count) });
        Some(GatherRequest { log, first, last, rows, stamps: None })
    }

    /// Whether the rows are those that pass this filter.
    pub(in crate::tui) fn shows_only(&self, filter: &LogFilter) -> bool {
        self.filter.as_ref().map_or_else(|| filter.is_empty(), |table| table.filter == *filter)
    }

    /// The row of a line, if it is here.
    pub(in crate::tui) fn row_of(&self, line: u64) -> Option<u64> {
        if self.filter.is_none() {
            return Some(line);
        }
        let offset = self.numbers.iter().position(|(number, _)| *number == line)?;
        Some(self.window.first.saturating_add(u64::try_from(offset).unwrap_or(0)))
    }

    /// Scrolls no further than is needed to have a row in sight.
    pub(in crate::tui) fn bring_into_sight(&mut self, row: u64, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or(1).max(1);
        // A wrapped line takes several rows of the screen; of how many, only the views know.
        let rows = if self.wrap { (rows / 3).max(1) } else { rows };
        if let Some(bottom) = self.bottom {
            if row < bottom && row >= bottom.saturating_sub(rows) {
                return;
            }
            (self.top, self.bottom) = (bottom.saturating_sub(rows), None);
        }
        let last = self.rows().saturating_sub(1);
        self.top = self.top.clamp((row + 1).saturating_sub(rows), row).min(last);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::{LogAddress, LogPiece, LogScan, LogStretch};
    use crate::pipeline::RunId;

    fn filter() -> LogFilter {
        LogFilter { pattern: Some("x".to_owned()), ..LogFilter::default() }
    }

    /// Of a log of a million lines, all but the first ten and the last ten pass.
    fn narrowed() -> LogView {
        let mut log = LogView::default();
        log.open(Some(LogAddress::whole_run(RunId(1))));
        log.total = 1_000_000;
        log.show_only(Some(filter()), 10);
        log.next_questions();
        let stretches = vec![LogStretch { first: 10, end: 999_990, rows: 999_980, numbers: Vec::new() }];
        log.receive_scan(&filter(), 0, Ok(LogScan { stretches, next: None, total: 1_000_000 }));
        log
    }

    #[test]
    fn rows_of_a_filter_are_asked_for_where_they_are_and_no_more_than_one_copy_holds() {
        let log = narrowed();
        let request = log.lines_between(5, 7).unwrap();
        let piece = LogPiece::Part { first: 10, end: 999_990, skip: 5, count: 3 };
        assert_eq!(request.rows, Some(LogRowsRequest { filter: filter(), pieces: vec![piece] }));
        let all = log.lines_between(0, 999_979).unwrap();
        assert!(matches!(all.rows.unwrap().pieces[..], [LogPiece::Part { skip: 0, count: MOST_LINES, .. }]));
        assert_eq!((all.first, all.last), (0, 999_979), "what is left out is known");
        assert_eq!(log.lines_between(7, 5), None);
    }

    #[test]
    fn a_log_scrolls_no_further_than_to_a_row() {
        let mut log = LogView { total: 100, top: 90, bottom: Some(100), follow: false, ..LogView::default() };
        log.bring_into_sight(92, 10);
        assert_eq!(log.bottom, Some(100), "it is in sight");
        log.bring_into_sight(80, 10);
        assert_eq!((log.top, log.bottom), (80, None));
        log.bring_into_sight(95, 10);
        assert_eq!(log.top, 86);
    }
}
