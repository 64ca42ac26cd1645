//! What the screen asks of a log beside its lines, and what it gets for it.

use std::path::PathBuf;

use super::stamps::Stamps;
use crate::api::types::{LogAddress, LogFilter, LogRow, LogRowsRequest, LogScan};
use crate::pipeline::Moment;

/// For what a log is written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum Purpose {
    /// To be kept there.
    Save(PathBuf),
    /// To be shown by another program.
    Show(Program),
}

/// A program that gets the terminal for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::tui) enum Program {
    /// `$PAGER`.
    Pager,
    /// `$VISUAL` or `$EDITOR`.
    Editor,
}

/// A question about a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum LogQuestion {
    /// Some of the rows that pass a filter.
    Rows {
        /// Of which.
        log: LogAddress,
        /// Which row is the first.
        first: u64,
        /// The filter, and where the rows are.
        request: LogRowsRequest,
    },
    /// A step of a look through all of it.
    Scan {
        /// Through which.
        log: LogAddress,
        /// What passes.
        filter: LogFilter,
        /// From this line on.
        from: u64,
    },
    /// How many rows there are from one line to before another.
    Count {
        /// In which.
        log: LogAddress,
        /// What passes.
        filter: LogFilter,
        /// The first line.
        from: u64,
        /// The line behind the last one.
        until: u64,
    },
    /// Which line came at a moment.
    LineAt {
        /// In which.
        log: LogAddress,
        /// When.
        moment: Moment,
    },
    /// Write it to a file, or of it what passes.
    Keep {
        /// Which.
        log: LogAddress,
        /// What passes, if not all.
        filter: Option<LogFilter>,
        /// The times before its lines, if they are shown.
        stamps: Option<Stamps>,
        /// For what.
        purpose: Purpose,
    },
}

impl LogQuestion {
    /// Of which log it is.
    pub(in crate::tui) fn log(&self) -> &LogAddress {
        match self {
            Self::Rows { log, .. }
            | Self::Scan { log, .. }
            | Self::Count { log, .. }
            | Self::LineAt { log, .. }
            | Self::Keep { log, .. } => log,
        }
    }
}

/// What was written to a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) struct Kept {
    /// Where it lies.
    pub(in crate::tui) file: PathBuf,
    /// Bytes of it.
    pub(in crate::tui) bytes: u64,
    /// Lines that were cut, because they are longer than what is told of a line.
    pub(in crate::tui) cut: u64,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::tui) enum LogAnswer {
    /// Rows.
    Rows(Vec<LogRow>),
    /// A step.
    Scan(LogScan),
    /// How many.
    Count(u64),
    /// The line.
    Line(u64),
    /// It was written.
    Kept(Kept),
}
