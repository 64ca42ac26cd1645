//! The index of a log: where lines begin and when they came.

use std::fs;
use std::io;
use std::path::Path;

use crate::pipeline::Moment;

/// Lines between two records at the most.
pub(super) const LINES_A_RECORD: u64 = 1024;
/// Milliseconds between two records, where lines come slowly.
pub(super) const TIME_A_RECORD: u64 = 100;
/// Bytes of a record: three little-endian numbers of eight bytes.
pub(super) const RECORD: usize = 24;

/// Line `line` begins at byte `offset` and came at `at`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Record {
    pub(super) line: u64,
    pub(super) offset: u64,
    pub(super) at: Moment,
}

impl Record {
    pub(super) fn to_bytes(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..8].copy_from_slice(&self.line.to_le_bytes());
        bytes[8..16].copy_from_slice(&self.offset.to_le_bytes());
        bytes[16..].copy_from_slice(&self.at.0.to_le_bytes());
        bytes
    }

    fn from_bytes(bytes: &[u8; RECORD]) -> Self {
        let number = |from: usize| {
            let mut part = [0; 8];
            part.copy_from_slice(&bytes[from..from + 8]);
            part
        };
        Self {
            line: u64::from_le_bytes(number(0)),
            offset: u64::from_le_bytes(number(8)),
            at: Moment(i64::from_le_bytes(number(16))),
        }
    }
}

/// All whole records of an index file; a torn last one is left out, and those beyond the log's length with it.
pub(super) fn read(path: &Path, log_length: u64) -> io::Result<Vec<Record>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
        Err(error) => return Err(error),
    };
    let (records, _torn) = bytes.as_chunks::<RECORD>();
    Ok(records.iter().map(Record::from_bytes).take_while(|record| record.offset <= log_length).collect())
}
