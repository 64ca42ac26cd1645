//! Logs: written as they come, read by window, searched over their whole history.
//!
//! The log file holds what the stage printed, byte for byte. Beside it lies an index of fixed records (line, offset, moment),
//! one every [`index::LINES_A_RECORD`] lines or tenth of a second, so that any line is found by one search in the index and
//! at most that many lines of reading. Offsets are kept, not summed line lengths, so nothing drifts.

mod index;
mod reader;
mod writer;

pub use reader::{LogReader, SearchError};
pub use writer::LogWriter;
