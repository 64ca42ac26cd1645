//! What of a log passes a filter, as a table of stretches: how many rows there are, which row a line is, and where the next
//! one lies, without keeping them all.

use crate::api::types::{LogFilter, LogPiece, LogScan, LogStretch};

/// Where a line stands among the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Place {
    /// As many rows stand before it.
    Known(u64),
    /// The rows of its stretch from here on must be counted.
    Within {
        /// The first line of the stretch.
        first: u64,
    },
    /// It was not looked at yet.
    Unknown,
}

/// Where the next row from a line on lies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Next {
    /// It is this line.
    Line(u64),
    /// There is none.
    Nowhere,
    /// The daemon must be asked, from this line on.
    Unknown(u64),
}

/// The table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct HitTable {
    /// What passes.
    pub(in crate::tui) filter: LogFilter,
    stretches: Vec<LogStretch>,
    /// The rows before each stretch.
    before: Vec<u64>,
    rows: u64,
    /// Where the look goes on; `None` at the end.
    next: Option<u64>,
    /// Lines of the log.
    total: u64,
    is_pending: bool,
    /// A line of which the rows before it were counted.
    counted: Option<(u64, u64)>,
}

impl HitTable {
    /// Nothing was looked at yet.
    pub(in crate::tui) fn new(filter: LogFilter, total: u64) -> Self {
        Self {
            filter,
            stretches: Vec::new(),
            before: Vec::new(),
            rows: 0,
            next: Some(0),
            total,
            is_pending: false,
            counted: None,
        }
    }

    /// How many rows are known.
    pub(in crate::tui) fn rows(&self) -> u64 {
        self.rows
    }

    /// Whether the whole log was looked at.
    pub(in crate::tui) fn is_whole(&self) -> bool {
        self.next.is_none()
    }

    /// How far the look is, in percent, while it goes on.
    pub(in crate::tui) fn percent(&self) -> Option<u64> {
        self.next.map(|next| percent(next, self.total))
    }

    /// The line from which on the daemon is to look; one step at a time.
    pub(in crate::tui) fn next_step(&mut self) -> Option<u64> {
        let next = self.next.filter(|_| !self.is_pending)?;
        self.is_pending = true;
        Some(next)
    }

    /// A step was done. One that was asked for before the table was begun anew is dropped.
    pub(in crate::tui) fn receive(&mut self, from: u64, scan: LogScan) {
        if self.next != Some(from) {
            return;
        }
        self.is_pending = false;
        // A stretch that was looked at once more stood until now, so that its rows were never gone meanwhile.
        while self.stretches.last().is_some_and(|last| last.first >= from) {
            self.stretches.pop();
            self.rows = self.before.pop().unwrap_or(0);
            // The lines around what is new may lie before a line that was counted.
            self.counted = self.counted.filter(|_| self.filter.context == 0);
        }
        for stretch in scan.stretches {
            self.before.push(self.rows);
            self.rows += stretch.rows;
            self.stretches.push(stretch);
        }
        self.next = scan.next;
        let known = std::mem::replace(&mut self.total, scan.total);
        if known > scan.total {
            self.grown(known);
        }
    }

    /// The step could not be done; it is tried again when the log is looked at anew.
    pub(in crate::tui) fn fail(&mut self) {
        self.next = None;
        self.is_pending = false;
    }

    /// The daemon was away: what was asked for may never be answered.
    pub(in crate::tui) fn ask_again(&mut self) {
        self.is_pending = false;
    }

    /// The log has more lines. The last stretch is looked at once more, for they may belong to it.
    pub(in crate::tui) fn grown(&mut self, total: u64) {
        if total <= self.total {
            return;
        }
        self.total = total;
        self.look_again();
    }

    /// The log may have more lines.
    pub(in crate::tui) fn look_again(&mut self) {
        if self.next.is_none() {
            self.next = Some(self.stretches.last().map_or(0, |last| last.first));
        }
    }

    /// How rows `first` and so many behind it are asked for.
    pub(in crate::tui) fn pieces(&self, first: u64, count: u64) -> Vec<LogPiece> {
        let end = first.saturating_add(count).min(self.rows);
        let mut pieces: Vec<LogPiece> = Vec::new();
        let begin = self.before.partition_point(|before| *before <= first).saturating_sub(1);
        for (stretch, before) in self.stretches.iter().zip(&self.before).skip(begin) {
            if *before >= end {
                break;
            }
            let skip = first.saturating_sub(*before);
            let count = end.saturating_sub(*before).min(stretch.rows).saturating_sub(skip);
            if count == 0 {
                continue;
            }
            if stretch.numbers.is_empty() {
                pieces.push(LogPiece::Part { first: stretch.first, end: stretch.end, skip, count });
                continue;
            }
            let numbers = stretch.numbers.iter().copied().skip(usize_of(skip)).take(usize_of(count));
            match pieces.last_mut() {
                Some(LogPiece::Numbers(known)) => known.extend(numbers),
                _ => pieces.push(LogPiece::Numbers(numbers.collect())),
            }
        }
        pieces
    }

    /// How many rows stand before a line.
    pub(in crate::tui) fn place_of(&self, line: u64) -> Place {
        if let Some((_, row)) = self.counted.filter(|(counted, _)| *counted == line) {
            return Place::Known(row);
        }
        let index = self.stretches.partition_point(|stretch| stretch.end <= line);
        match (self.stretches.get(index), self.before.get(index)) {
            (Some(stretch), Some(before)) if stretch.numbers.is_empty() && stretch.rows > 0 => {
                if line == stretch.first { Place::Known(*before) } else { Place::Within { first: stretch.first } }
            }
            (Some(stretch), Some(before)) => {
                let within = stretch.numbers.partition_point(|number| *number < line);
                Place::Known(before + u64::try_from(within).unwrap_or(0))
            }
            _ if self.is_whole() => Place::Known(self.rows),
            _ => Place::Unknown,
        }
    }

    /// The rows of a stretch up to a line were counted.
    pub(in crate::tui) fn count(&mut self, first: u64, line: u64, rows: u64) {
        let index = self.stretches.partition_point(|stretch| stretch.first < first);
        if self.stretches.get(index).is_some_and(|stretch| stretch.first == first)
            && let Some(before) = self.before.get(index)
        {
            self.counted = Some((line, before + rows));
        }
    }

    /// The nearest row at or behind a line, or at or before it.
    pub(in crate::tui) fn next(&self, line: u64, backward: bool) -> Next {
        if backward { self.next_backward(line) } else { self.next_forward(line) }
    }

    fn next_forward(&self, line: u64) -> Next {
        let index = self.stretches.partition_point(|stretch| stretch.end <= line);
        let mut from = line;
        for stretch in self.stretches.iter().skip(index).filter(|stretch| stretch.rows > 0) {
            if stretch.numbers.is_empty() {
                return Next::Unknown(from.max(stretch.first));
            }
            let found = stretch.numbers.iter().find(|number| **number >= line);
            if let Some(number) = found {
                return Next::Line(*number);
            }
            from = stretch.end;
        }
        self.next.map_or(Next::Nowhere, |next| Next::Unknown(from.max(next)))
    }

    fn next_backward(&self, line: u64) -> Next {
        if self.next.is_some_and(|next| line >= next) {
            return Next::Unknown(line);
        }
        let before = self.stretches.iter().rev().filter(|stretch| stretch.first <= line && stretch.rows > 0);
        for stretch in before {
            if stretch.numbers.is_empty() {
                return Next::Unknown(line.min(stretch.end.saturating_sub(1)));
            }
            if let Some(number) = stretch.numbers.iter().rfind(|number| **number <= line) {
                return Next::Line(*number);
            }
        }
        Next::Nowhere
    }
}

/// How far `done` of `all` is, in whole percent.
pub(in crate::tui) fn percent(done: u64, all: u64) -> u64 {
    (done.saturating_mul(100) / all.max(1)).min(100)
}

fn usize_of(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stretch(first: u64, end: u64, rows: u64, numbers: &[u64]) -> LogStretch {
        LogStretch { first, end, rows, numbers: numbers.to_vec() }
    }

    /// Three rows, then five thousand, then two.
    fn table() -> HitTable {
        let mut table = HitTable::new(LogFilter::default(), 20_000);
        assert_eq!((table.next_step(), table.next_step()), (Some(0), None));
        let stretches = vec![
            stretch(0, 1_000, 3, &[5, 10, 900]),
            stretch(1_000, 9_000, 5_000, &[]),
            stretch(9_000, 12_000, 0, &[]),
        ];
        table.receive(0, LogScan { stretches, next: Some(12_000), total: 20_000 });
        table
    }

    fn whole() -> HitTable {
        let mut table = table();
        let stretches = vec![stretch(12_000, 20_000, 2, &[12_500, 19_999])];
        table.receive(12_000, LogScan { stretches, next: None, total: 20_000 });
        table
    }

    #[test]
    fn rows_are_asked_for_by_number_or_out_of_their_stretch() {
        let table = whole();
        assert_eq!(table.rows(), 5_005);
        let part = |skip, count| LogPiece::Part { first: 1_000, end: 9_000, skip, count };
        assert_eq!(table.pieces(1, 4), [LogPiece::Numbers(vec![10, 900]), part(0, 2)]);
        assert_eq!(table.pieces(5_002, 100), [part(4_999, 1), LogPiece::Numbers(vec![12_500, 19_999])]);
        assert_eq!(table.pieces(5_005, 10), []);
    }

    #[test]
    fn the_place_of_a_line_is_known_or_counted() {
        let mut table = table();
        assert_eq!(table.place_of(10), Place::Known(1));
        assert_eq!(table.place_of(11), Place::Known(2));
        assert_eq!(table.place_of(4_000), Place::Within { first: 1_000 });
        assert_eq!(table.place_of(15_000), Place::Unknown);
        table.count(1_000, 4_000, 2_500);
        assert_eq!(table.place_of(4_000), Place::Known(2_503));
        assert_eq!(whole().place_of(20_000), Place::Known(5_005));
    }

    #[test]
    fn the_next_row_is_known_where_numbers_are() {
        let table = table();
        assert_eq!(table.next(6, false), Next::Line(10));
        assert_eq!(table.next(901, false), Next::Unknown(1_000));
        assert_eq!(table.next(9_500, false), Next::Unknown(12_000));
        assert_eq!(table.next(9, true), Next::Line(5));
        assert_eq!(table.next(4, true), Next::Nowhere);
        assert_eq!(table.next(10_000, true), Next::Unknown(8_999));
        assert_eq!(table.next(15_000, true), Next::Unknown(15_000));
        assert_eq!(whole().next(13_000, false), Next::Line(19_999));
        assert_eq!(whole().next(20_000, false), Next::Nowhere);
    }

    #[test]
    fn a_log_that_grows_has_its_last_stretch_looked_at_again() {
        let mut table = whole();
        table.grown(20_010);
        assert_eq!((table.rows(), table.percent()), (5_005, Some(59)), "no row is gone meanwhile");
        assert_eq!(table.next_step(), Some(12_000));
        table.grown(20_020);
        let stretches = vec![stretch(12_000, 20_010, 3, &[12_500, 19_999, 20_005])];
        table.receive(12_000, LogScan { stretches, next: None, total: 20_010 });
        assert_eq!(table.rows(), 5_006);
        assert_eq!(table.next_step(), Some(12_000), "ten more came while the daemon looked");
    }

    #[test]
    fn an_answer_for_another_step_is_dropped() {
        let mut table = table();
        table.receive(0, LogScan { stretches: vec![stretch(0, 9, 9, &[])], next: None, total: 9 });
        assert_eq!(table.rows(), 5_003);
    }
}
