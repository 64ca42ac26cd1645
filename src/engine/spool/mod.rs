//! Logs: written as they come, read by window, searched over their whole history.
//!
//! The log file holds what the stage printed, byte for byte. Beside it lies an index of fixed records (line, offset, moment),
//! one every [`index::LINES_A_RECORD`] lines, megabyte or tenth of a second, so that any line is found by one search in the
//! index and at most that much of reading. Offsets are kept, not summed line lengths, so nothing drifts. The index is written
//! with the log and never made anew: whoever opens a log reads a few records of it, of whatever length both are.
//!
//! [`Timeline`] is one log or those of a whole run, merged; what is looked for in it is found in steps with an end.
//!
//! **Invariant:** nothing here holds a log in memory, nor its index, nor all that was found in it.

mod blocks;
mod index;
mod reader;
mod search;
mod timeline;
mod writer;

#[cfg(test)]
mod search_tests;

pub use reader::{LineCount, LogReader};
pub use search::{LogMatcher, SearchError, WholeRow};
pub use timeline::Timeline;
pub use writer::LogWriter;
