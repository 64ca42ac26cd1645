//! Logs as daemon and clients speak of them: windows of lines, what is looked for, and how far a look has come.
//!
//! Nobody ever sends a whole log. A filter over a log of any length is a table of [`LogStretch`]es, each a few megabytes
//! with the number of rows that pass; any row is found through it by reading one stretch. Every question has an end: a step
//! looks at a bounded number of bytes and says where to go on, so whoever asks can show how far it is, and stop.

mod filter;
mod level;
mod visible;

use serde::{Deserialize, Serialize};

use crate::pipeline::{Attempt, Moment, RunId, StageName};

pub use filter::{LogFilter, ignores_case};
pub use level::LogLevel;
pub use visible::{colours_only, visible};

/// A line is cut behind this many bytes when it is shown; the file keeps all.
pub const LINE_LIMIT: usize = 8 * 1024;
/// A stretch in which no more rows pass tells each of them.
pub const SPARSE: u64 = 1_000;
/// The name that stands for all stages of a run; no stage can have it.
const WHOLE_RUN: &str = "*";

/// The log of one attempt of a stage, or those of all stages of a run on one time line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct LogAddress {
    /// The run.
    pub run: RunId,
    /// The stage.
    pub stage: StageName,
    /// The attempt.
    pub attempt: Attempt,
}

impl LogAddress {
    /// All stages of a run, each in its last attempt, merged by time.
    pub fn whole_run(run: RunId) -> Self {
        Self { run, stage: WHOLE_RUN.into(), attempt: Attempt(0) }
    }

    /// Whether all stages of the run are meant.
    pub fn is_whole_run(&self) -> bool {
        self.stage.as_str() == WHOLE_RUN
    }
}

/// One line of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogLine {
    /// About when it was written, within a tenth of a second.
    pub at: Moment,
    /// Its text, at most [`LINE_LIMIT`] bytes of it; bytes that are not UTF-8 are replaced, escape sequences are left in.
    pub text: String,
    /// How many bytes were cut off.
    pub cut: u64,
    /// Whose it is, where stages are merged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stage: Option<StageName>,
}

/// Some lines of a log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogWindow {
    /// The number of the first line, from 0.
    pub first: u64,
    /// The lines.
    pub lines: Vec<LogLine>,
    /// How many lines the log has now.
    pub total: u64,
}

/// A part of a log, and what of it passes a filter.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogStretch {
    /// Its first line.
    pub first: u64,
    /// The line behind its last one.
    pub end: u64,
    /// How many of its lines are shown: those that pass, and those around them.
    pub rows: u64,
    /// Their numbers, if they are at most [`SPARSE`]; else none.
    pub numbers: Vec<u64>,
}

/// A step of a look through a whole log.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogScan {
    /// What was looked at, in order.
    pub stretches: Vec<LogStretch>,
    /// Where to go on; `None` at the end.
    pub next: Option<u64>,
    /// How many lines the log has now.
    pub total: u64,
}

/// A step of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogFind {
    /// The line that was found.
    pub hit: Option<u64>,
    /// Where to go on if none was; `None` at the end that was searched for.
    pub next: Option<u64>,
    /// How many lines the log has now.
    pub total: u64,
}

/// Some of the rows that pass a filter.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LogPiece {
    /// The rows of these lines.
    Numbers(Vec<u64>),
    /// Rows of a stretch that tells no numbers.
    Part {
        /// Its first line.
        first: u64,
        /// The line behind its last one.
        end: u64,
        /// How many rows of it to leave out.
        skip: u64,
        /// How many to tell then.
        count: u64,
    },
}

/// A question for rows.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogRowsRequest {
    /// What passes.
    pub filter: LogFilter,
    /// Which of the rows, in order.
    pub pieces: Vec<LogPiece>,
}

/// A line that passes a filter, or stands around one that does.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct LogRow {
    /// Its number in the log, from 0.
    pub number: u64,
    /// Whether it passes itself.
    pub is_hit: bool,
    /// The line.
    pub line: LogLine,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_stages_of_a_run_are_told_from_any_stage() {
        assert!(LogAddress::whole_run(RunId(3)).is_whole_run());
        let one = LogAddress { run: RunId(3), stage: "train".into(), attempt: Attempt(1) };
        assert!(!one.is_whole_run());
    }

    #[test]
    fn a_line_of_one_stage_says_no_more_than_it_did() {
        let line = LogLine { at: Moment(1), text: "x".to_owned(), ..LogLine::default() };
        assert_eq!(serde_json::to_string(&line).unwrap(), r#"{"at":1,"text":"x","cut":0}"#);
        assert_eq!(serde_json::from_str::<LogLine>(r#"{"at":1,"text":"x","cut":0}"#).unwrap(), line);
    }
}
