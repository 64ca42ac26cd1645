//! The window onto one log: where it stands, what of it is here, and what has to be fetched.
//!
//! The log itself stays with the daemon; here is never more than a few screens of it, and nothing but what is visible is
//! ever looked at. What is scrolled through are *rows*: the lines of the log, or, through a filter, those that pass.
//!
//! [`hits`] knows what passes without holding it, [`search`] looks for something in it, [`failure`] for what failed; [`json`]
//! and [`colour`] say how a line looks, [`stamps`] its time, [`jump`] where to go, [`keep`] writes a log to a file,
//! [`selected`] has what is selected in sight and asks for it, [`action`] names what can be done.
//!
//! **Invariant:** whoever left the end of a log stays away from it until he says otherwise.

pub(super) mod action;
pub(super) mod colour;
pub(super) mod failure;
pub(super) mod hits;
pub(super) mod json;
pub(super) mod jump;
pub(super) mod keep;
pub(super) mod marks;
pub(super) mod question;
pub(super) mod search;
mod selected;
pub(super) mod stamps;

#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use crate::api::types::{
    LogAddress, LogFilter, LogLevel, LogLine, LogPiece, LogRow, LogRowsRequest, LogScan, LogWindow,
};

use hits::{HitTable, Place};
use marks::Mark;
use question::LogQuestion;
use search::Search;

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

/// What stands before each line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Timestamps {
    /// The time of the day.
    Absolute,
    /// The time since the stage began.
    Relative,
    /// Nothing.
    Off,
}

impl Timestamps {
    /// The next of them.
    pub(super) fn next(self) -> Self {
        match self {
            Self::Absolute => Self::Relative,
            Self::Relative => Self::Off,
            Self::Off => Self::Absolute,
        }
    }
}

/// A row of what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Row<'a> {
    /// The number of its line, from 0.
    pub(super) number: u64,
    /// Whether it passes the filter itself, and does not only stand around.
    pub(super) is_hit: bool,
    /// The line.
    pub(super) line: &'a LogLine,
}

/// The window.
#[derive(Debug, Clone)]
#[expect(clippy::struct_excessive_bools, reason = "switches that are independent of each other")]
pub(super) struct LogView {
    /// Which log; `None` when there is none to show.
    pub(super) address: Option<LogAddress>,
    /// The rows that are here.
    pub(super) window: LogWindow,
    /// Of which lines they are, and whether each passes itself; empty where all lines are shown.
    numbers: Vec<(u64, bool)>,
    /// How many lines the log has, as far as is known.
    pub(super) total: u64,
    /// The first row on the screen, unless the end is followed.
    pub(super) top: u64,
    /// The row behind the last one on the screen, where that is what counts.
    pub(super) bottom: Option<u64>,
    /// Whether the end is followed.
    pub(super) follow: bool,
    /// Whether long lines are wrapped.
    pub(super) wrap: bool,
    /// What stands before each line.
    pub(super) timestamps: Timestamps,
    /// Whether JSON is shown as it was written.
    pub(super) is_raw: bool,
    /// Cells cut off at the left.
    pub(super) left: usize,
    /// The search.
    pub(super) search: Option<Search>,
    /// What is shown, if not all.
    pub(super) filter: Option<HitTable>,
    /// To show what made them pass.
    pub(super) passing: Option<regex::Regex>,
    /// Rows that are selected, the last one included; they are shown in reverse.
    pub(super) selection: Option<(u64, u64)>,
    /// Lines that were marked, by log.
    pub(super) marks: BTreeMap<LogAddress, BTreeMap<u64, Mark>>,
    /// Why there is nothing to show.
    pub(super) error: Option<String>,
    /// The line that was gone to last, to be marked.
    pub(super) aim: Option<u64>,
    /// A line to be shown as soon as its row is known.
    goal: Option<u64>,
    /// The end is to be shown once, without being followed.
    wants_end: bool,
    /// The end was left to show a failure, and not because somebody wanted to.
    was_led: bool,
    /// Whether the failure that the log tells of was looked for.
    has_led: bool,
    is_counting: bool,
    is_pending: bool,
    is_stale: bool,
}

impl Default for LogView {
    fn default() -> Self {
        Self {
            address: None,
            window: LogWindow::default(),
            numbers: Vec::new(),
            total: 0,
            top: 0,
            bottom: None,
            follow: true,
            wrap: false,
            timestamps: Timestamps::Absolute,
            is_raw: false,
            left: 0,
            search: None,
            filter: None,
            passing: None,
            selection: None,
            marks: BTreeMap::new(),
            error: None,
            aim: None,
            goal: None,
            wants_end: false,
            was_led: false,
            has_led: false,
            is_counting: false,
            is_pending: false,
            is_stale: false,
        }
    }
}

impl LogView {
    /// Turns to another log, or stays if it is the same. How lines are shown stays as it was chosen, and so does whether the
    /// end is followed: of a log that is not followed the end is shown, and stands.
    pub(super) fn open(&mut self, address: Option<LogAddress>) {
        if self.address != address {
            let follow = self.is_led();
            *self = Self {
                is_stale: address.is_some(),
                address,
                wrap: self.wrap,
                timestamps: self.timestamps,
                is_raw: self.is_raw,
                follow,
                wants_end: !follow,
                marks: std::mem::take(&mut self.marks),
                ..Self::default()
            };
        }
    }

    /// The daemon says how many lines the log has now.
    pub(super) fn grown(&mut self, address: &LogAddress, total: u64) {
        let Some(shown) = &self.address else { return };
        if shown.is_whole_run() && shown.run == address.run {
            // How many all stages have together comes with the lines.
            self.is_stale = true;
            self.tables(HitTable::look_again);
        } else if shown == address && total != self.total {
            self.total = total;
            self.is_stale = true;
            self.tables(|table| table.grown(total));
        }
    }

    /// The log must be looked at again: its attempt ended, or the daemon is back.
    pub(super) fn invalidate(&mut self) {
        self.is_stale = self.address.is_some();
        self.is_pending = false;
        self.is_counting = false;
        self.tables(HitTable::ask_again);
    }

    fn tables(&mut self, change: impl Fn(&mut HitTable)) {
        self.filter.iter_mut().for_each(&change);
        self.search.iter_mut().for_each(|search| change(&mut search.table));
    }

    /// How many rows there are, as far as is known.
    pub(super) fn rows(&self) -> u64 {
        self.filter.as_ref().map_or(self.total, HitTable::rows)
    }

    /// What is shown.
    pub(super) fn shown_filter(&self) -> LogFilter {
        self.filter.as_ref().map(|table| table.filter.clone()).unwrap_or_default()
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
        let part = if self.follow || self.wants_end {
            // A larger screen wants more of the same.
            let is_short = self.filter.is_none() && !self.holds(self.rows().saturating_sub(rows), self.rows());
            let is_due = (self.is_stale || is_short) && (!is_frozen || is_empty);
            is_due.then_some(LogPart::Tail { count: rows * 2 })
        } else {
            let top = self.bottom.map_or(self.top, |bottom| bottom.saturating_sub(rows).min(self.top));
            let is_unknown = self.is_stale && self.address.as_ref().is_some_and(LogAddress::is_whole_run);
            let is_due = is_unknown || !self.holds(top, top.saturating_add(rows).min(self.rows()));
            is_due.then(|| LogPart::Window { first: top.saturating_sub(rows), count: rows * 3 })
        };
        if part.is_some() {
            self.is_pending = true;
            self.is_stale = false;
        }
        part
    }

    /// A part as a question for rows, where a filter is on; what has no rows is answered at once.
    pub(super) fn rows_question(&mut self, part: LogPart) -> Option<LogQuestion> {
        let (table, log) = (self.filter.as_ref()?, self.address.clone()?);
        let (first, count) = match part {
            LogPart::Window { first, count } => (first, count),
            LogPart::Tail { count } => (table.rows().saturating_sub(count), count),
        };
        let pieces = table.pieces(first, count);
        if pieces.is_empty() {
            self.take_rows(first, Vec::new());
            return None;
        }
        let request = LogRowsRequest { filter: table.filter.clone(), pieces };
        Some(LogQuestion::Rows { log, first, request })
    }

    /// What else there is to ask: steps of looking through the log, and the place of what was found.
    pub(super) fn next_questions(&mut self) -> Vec<LogQuestion> {
        let Some(log) = self.address.clone() else { return Vec::new() };
        let mut questions = Vec::new();
        let scan = |table: &mut HitTable| {
            let from = table.next_step()?;
            Some(LogQuestion::Scan { log: log.clone(), filter: table.filter.clone(), from })
        };
        questions.extend(self.filter.as_mut().and_then(scan));
        // What is looked for comes first; the count can wait.
        if let Some(search) = self.search.as_mut().filter(|search| search.asked.is_none()) {
            questions.extend(scan(&mut search.table));
        }
        if !self.is_counting
            && let Some((filter, from, until)) = self.uncounted()
        {
            self.is_counting = true;
            questions.push(LogQuestion::Count { log, filter, from, until });
        }
        questions
    }

    /// A line whose place among the rows must be counted.
    fn uncounted(&self) -> Option<(LogFilter, u64, u64)> {
        let within = |table: &HitTable, line: u64| match table.place_of(line) {
            Place::Within { first } => Some((table.filter.clone(), first, line)),
            Place::Known(_) | Place::Unknown => None,
        };
        let goal = self.filter.as_ref().zip(self.goal).and_then(|(table, goal)| within(table, goal));
        goal.or_else(|| self.search.as_ref().and_then(|search| within(&search.table, search.hit?)))
    }

    /// Takes an answer; one for another log is dropped.
    pub(super) fn receive(&mut self, address: &LogAddress, answer: Result<LogWindow, String>) {
        if self.address.as_ref() != Some(address) || self.filter.is_some() {
            return;
        }
        self.is_pending = false;
        match answer {
            Ok(window) => {
                self.error = None;
                // An answer that reaches as far as was told is no longer out of date.
                self.is_stale &= window.total < self.total && !address.is_whole_run();
                self.total = window.total;
                self.tables(|table| table.grown(window.total));
                self.take(window, Vec::new());
            }
            Err(error) => self.error = Some(error),
        }
    }

    /// Takes rows; those of another filter are dropped.
    pub(super) fn receive_rows(&mut self, request: &LogRowsRequest, first: u64, answer: Result<Vec<LogRow>, String>) {
        if self.filter.as_ref().is_none_or(|table| table.filter != request.filter) {
            return;
        }
        self.is_pending = false;
        match answer {
            Ok(rows) => {
                // Asked again and again, it would be missing again and again.
                let wanted: usize = request.pieces.iter().map(rows_of).sum();
                let is_short = rows.len() < wanted;
                self.error = is_short.then(|| "the log is not what it was; Esc shows all of its lines".to_owned());
                self.take_rows(first, rows);
            }
            Err(error) => self.error = Some(error),
        }
    }

    fn take_rows(&mut self, first: u64, rows: Vec<LogRow>) {
        self.is_pending = false;
        let total = self.rows();
        let numbers = rows.iter().map(|row| (row.number, row.is_hit)).collect();
        let lines = rows.into_iter().map(|row| row.line).collect();
        self.take(LogWindow { first, lines, total }, numbers);
    }

    fn take(&mut self, window: LogWindow, numbers: Vec<(u64, bool)>) {
        self.window = window;
        self.numbers = numbers;
        let rows = self.rows();
        // Nothing has no end yet: the first lines of a stage come after its log was opened.
        if rows > 0 && std::mem::take(&mut self.wants_end) {
            (self.top, self.bottom) = (self.window.first, Some(rows));
        }
        self.top = self.top.min(rows.saturating_sub(1));
    }

    /// A step of a look through the log was done.
    pub(super) fn receive_scan(&mut self, filter: &LogFilter, from: u64, answer: Result<LogScan, String>) {
        let is_shown = self.filter.as_ref().is_some_and(|table| table.filter == *filter);
        let table = if is_shown { self.filter.as_mut() } else { self.search.as_mut().map(|search| &mut search.table) };
        let Some(table) = table.filter(|table| table.filter == *filter) else { return };
        match answer {
            Ok(scan) => {
                table.receive(from, scan);
                if is_shown {
                    self.is_stale = true;
                    self.settle();
                }
            }
            Err(error) => {
                table.fail();
                if is_shown {
                    self.error = Some(error);
                }
            }
        }
    }

    /// Rows before a line were counted.
    pub(super) fn receive_count(&mut self, filter: &LogFilter, from: u64, until: u64, rows: Option<u64>) {
        self.is_counting = false;
        let Some(rows) = rows else { return };
        self.tables(|table| {
            if table.filter == *filter {
                table.count(from, until, rows);
            }
        });
        self.settle();
    }

    /// Moves by `lines`; whoever moves up no longer follows the end.
    pub(super) fn scroll(&mut self, lines: i64, rows: usize) {
        let rows = u64::try_from(rows).unwrap_or(0);
        let last = self.rows().saturating_sub(rows);
        // Wrapped lines take more than one row of the screen, so the last ones are reached only one by one.
        let last_top = if self.wrap { self.rows().saturating_sub(1) } else { last };
        let from = match self.bottom.take() {
            _ if self.follow => last,
            Some(bottom) => bottom.saturating_sub(rows),
            None => self.top,
        };
        if lines < 0 || !self.follow {
            (self.follow, self.was_led) = (false, false);
            self.top = from.saturating_add_signed(lines).min(last_top);
        }
    }

    /// To the first line.
    pub(super) fn go_to_top(&mut self) {
        (self.follow, self.was_led) = (false, false);
        (self.bottom, self.aim) = (None, None);
        self.top = 0;
    }

    /// To the last line, and no further when there are more.
    pub(super) fn go_to_last(&mut self) {
        (self.was_led, self.aim) = (false, None);
        if !self.follow {
            self.bottom = Some(self.rows());
            self.top = self.rows().saturating_sub(1);
        }
    }

    /// To the end, and along with it.
    pub(super) fn go_to_end(&mut self) {
        (self.follow, self.was_led) = (true, false);
        (self.bottom, self.aim) = (None, None);
        self.is_stale = true;
    }

    /// Stays where it is, or goes along with the end.
    pub(super) fn toggle_follow(&mut self, rows: usize) {
        if self.follow {
            (self.follow, self.was_led) = (false, false);
            self.bottom = Some(self.rows());
            self.top = self.rows().saturating_sub(u64::try_from(rows).unwrap_or(0));
        } else {
            self.go_to_end();
        }
    }

    /// Brings a line that was found into the middle.
    pub(super) fn show_hit(&mut self, line: u64, rows: usize) {
        if let Some(search) = &mut self.search {
            search.hit = Some(line);
        }
        self.show_line(line, rows);
    }

    /// Goes to a line, which is marked so that it is found on the screen.
    pub(super) fn aim_at(&mut self, line: u64, rows: usize) {
        self.show_line(line, rows);
        self.aim = Some(line);
        if let Some(search) = &mut self.search {
            search.hit = None;
        }
    }

    /// The row that the screen is about: the one that was found or gone to while it is in sight, else the first or last one.
    pub(super) fn counted_row(&self, rows: usize) -> u64 {
        let rows = u64::try_from(rows).unwrap_or(0);
        let top = self.bottom.map_or(self.top, |bottom| bottom.saturating_sub(rows));
        let wanted = self.search.as_ref().and_then(|search| search.hit).or(self.aim);
        let row = wanted.and_then(|line| self.row_of(line)).filter(|row| (top..top.saturating_add(rows)).contains(row));
        row.unwrap_or_else(|| self.bottom.map_or(self.top, |bottom| bottom.saturating_sub(1)))
    }

    /// Brings a line into the middle, or, through a filter, the first row from it on.
    pub(super) fn show_line(&mut self, line: u64, rows: usize) {
        (self.follow, self.was_led) = (false, false);
        (self.bottom, self.aim) = (None, None);
        self.wants_end = false;
        let half = u64::try_from(rows / 2).unwrap_or(0);
        if self.filter.is_some() {
            self.goal = Some(line);
            self.settle();
        } else {
            self.top = line.saturating_sub(half).min(self.total.saturating_sub(1));
        }
    }

    /// Goes to the row of the line that is wanted, once it is known.
    fn settle(&mut self) {
        let Some((table, goal)) = self.filter.as_ref().zip(self.goal) else { return };
        if let Place::Known(row) = table.place_of(goal) {
            /// Rows above it stay in sight.
            const ABOVE: u64 = 3;
            self.top = row.saturating_sub(ABOVE).min(table.rows().saturating_sub(1));
            self.goal = None;
        }
    }

    /// Shows only what passes, or everything; what is in sight stays in sight.
    pub(super) fn show_only(&mut self, filter: Option<LogFilter>, rows: usize) {
        let line = self.first_in_sight(rows);
        self.passing = filter.as_ref().and_then(|filter| search::shown_as(filter.pattern.as_ref()?));
        self.filter = filter.map(|filter| HitTable::new(filter, self.total));
        self.window = LogWindow { total: self.total, ..LogWindow::default() };
        self.numbers = Vec::new();
        (self.selection, self.goal, self.bottom) = (None, None, None);
        (self.is_pending, self.is_stale) = (false, true);
        (self.top, self.error) = (0, None);
        // A search is one within what is shown.
        if let Some(search) = self.search.take() {
            let mut again = Search::new(search.pattern, &self.shown_filter(), self.total);
            again.hit = search.hit;
            again.is_for_failure = search.is_for_failure;
            self.search = Some(again);
        }
        if !self.follow
            && let Some(line) = line
        {
            self.show_line(line, 0);
        }
    }

    /// The filter with another least level or another number of lines around.
    pub(super) fn changed_filter(&self, change: impl FnOnce(&mut LogFilter)) -> Option<LogFilter> {
        let mut filter = self.shown_filter();
        change(&mut filter);
        if filter.is_empty() { None } else { Some(filter) }
    }

    /// The least level that is shown.
    pub(super) fn level(&self) -> Option<LogLevel> {
        self.filter.as_ref().and_then(|table| table.filter.level)
    }

    /// The number of the first line on the screen.
    pub(super) fn first_in_sight(&self, rows: usize) -> Option<u64> {
        let rows = u64::try_from(rows).unwrap_or(0);
        let end = if self.follow { Some(self.rows()) } else { self.bottom };
        let top = end.map_or(self.top, |end| end.saturating_sub(rows));
        let number = self.row(top).map(|row| row.number);
        if self.filter.is_some() { number } else { number.or((self.total > 0).then_some(top)) }
    }

    /// A row, if it is here.
    pub(super) fn row(&self, index: u64) -> Option<Row<'_>> {
        let offset = usize::try_from(index.checked_sub(self.window.first)?).ok()?;
        let line = self.window.lines.get(offset)?;
        let (number, is_hit) = if self.filter.is_some() { *self.numbers.get(offset)? } else { (index, false) };
        Some(Row { number, is_hit, line })
    }

    fn window_rows(&self) -> impl Iterator<Item = Row<'_>> {
        (self.window.first..self.end()).filter_map(|index| self.row(index))
    }

    /// The number of the row behind the last one that is here.
    pub(super) fn end(&self) -> u64 {
        self.window.first.saturating_add(u64::try_from(self.window.lines.len()).unwrap_or(0))
    }

    fn holds(&self, first: u64, end: u64) -> bool {
        first >= end || (first >= self.window.first && end <= self.end())
    }
}

/// How many rows a piece has.
fn rows_of(piece: &LogPiece) -> usize {
    match piece {
        LogPiece::Numbers(numbers) => numbers.len(),
        LogPiece::Part { count, .. } => usize::try_from(*count).unwrap_or(usize::MAX),
    }
}
