//! The index of a log: where lines begin and when they came.
//!
//! It is never read whole: a record is found by halving, a few reads of its own few bytes, so that a log of ten million lines
//! opens as fast as one of ten.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;

use crate::pipeline::Moment;

/// Lines between two records at the most.
pub(super) const LINES_A_RECORD: u64 = 1024;
/// Bytes between two records at the most, but for a line that is longer itself.
pub(super) const BYTES_A_RECORD: u64 = 1 << 20;
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

/// The records of a log, as they are when it is opened.
#[derive(Debug, Default)]
pub(super) struct Index {
    file: Option<File>,
    count: u64,
}

impl Index {
    /// Opens an index; a torn last record is left out, and those beyond the log's length with it.
    pub(super) fn open(path: &Path, log_length: u64) -> io::Result<Self> {
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(error),
        };
        let count = file.metadata()?.len() / RECORD as u64;
        let mut index = Self { file: Some(file), count };
        index.count = index.partition(|record| record.offset <= log_length)?;
        Ok(index)
    }

    /// How many records there are.
    pub(super) fn count(&self) -> u64 {
        self.count
    }

    /// One of them.
    pub(super) fn get(&self, number: u64) -> io::Result<Option<Record>> {
        let Some(file) = self.file.as_ref().filter(|_| number < self.count) else { return Ok(None) };
        let mut bytes = [0; RECORD];
        file.read_exact_at(&mut bytes, number * RECORD as u64)?;
        Ok(Some(Record::from_bytes(&bytes)))
    }

    /// The number of the first record that does not pass; those that pass stand before all others.
    pub(super) fn partition(&self, passes: impl Fn(Record) -> bool) -> io::Result<u64> {
        let (mut low, mut high) = (0, self.count);
        while low < high {
            let middle = low + (high - low) / 2;
            match self.get(middle)? {
                Some(record) if passes(record) => low = middle + 1,
                _ => high = middle,
            }
        }
        Ok(low)
    }

    /// The number of the first record behind that of a line.
    pub(super) fn behind(&self, line: u64) -> io::Result<u64> {
        self.partition(|record| record.line <= line)
    }
}
