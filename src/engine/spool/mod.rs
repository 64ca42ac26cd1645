//! Logs: written as they come, read by window, searched over their whole history.
//!
//! The log file holds what the stage printed, byte for byte. Beside it lies an index of fixed records (line, offset, moment),
//! one every [`index::LINES_A_RECORD`] lines or tenth of a second, so that any line is found by one search in the index and
//! at most that many lines of reading. Offsets are kept, not summed line lengths, so nothing drifts.
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

pub use reader::LogReader;
pub use search::{LogMatcher, SearchError, WholeRow};
pub use timeline::Timeline;
pub use writer::LogWriter;
