//! Appending to a log and its index.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use memchr::memchr_iter;

use super::index::{BYTES_A_RECORD, LINES_A_RECORD, Record, TIME_A_RECORD};
use crate::disk::now;
use crate::pipeline::Moment;

/// Writes one log. A full disk does not stop the stage: what cannot be written is counted, and the stage goes on.
#[derive(Debug)]
pub struct LogWriter {
    log: File,
    index: File,
    /// Bytes in the log.
    length: u64,
    /// Lines begun and ended.
    lines: u64,
    last: Option<Record>,
    at_line_start: bool,
    lost: u64,
    error: Option<String>,
    records: Vec<u8>,
}

impl LogWriter {
    /// Makes an empty log.
    pub fn create(log: &Path, index: &Path) -> io::Result<Self> {
        Ok(Self {
            log: File::create(log)?,
            index: File::create(index)?,
            length: 0,
            lines: 0,
            last: None,
            at_line_start: true,
            lost: 0,
            error: None,
            records: Vec::new(),
        })
    }

    /// Appends what came.
    pub fn append(&mut self, bytes: &[u8]) {
        // A clock that is set back must not put later lines before earlier ones.
        let at = self.last.map_or_else(now, |last| now().max(last.at));
        let written = self.write(bytes);
        self.lost += (bytes.len() - written) as u64;
        self.note(&bytes[..written], at);
        if !self.records.is_empty() {
            // The index can be shorter than the log; then the reader reads on from its last record.
            let _ = self.index.write_all(&self.records);
            self.records.clear();
        }
    }

    fn write(&mut self, bytes: &[u8]) -> usize {
        let mut written = 0;
        while written < bytes.len() {
            match self.log.write(&bytes[written..]) {
                Ok(0) => break,
                Ok(length) => written += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.error.get_or_insert_with(|| error.to_string());
                    break;
                }
            }
        }
        written
    }

    fn note(&mut self, bytes: &[u8], at: Moment) {
        if bytes.is_empty() {
            return;
        }
        if self.at_line_start {
            self.line_begins(self.length, at);
        }
        for end in memchr_iter(b'\n', bytes) {
            self.lines += 1;
            if end + 1 < bytes.len() {
                self.line_begins(self.length + end as u64 + 1, at);
            }
        }
        self.at_line_start = bytes.last() == Some(&b'\n');
        self.length += bytes.len() as u64;
    }

    fn line_begins(&mut self, offset: u64, at: Moment) {
        let is_far = |last: Record| {
            self.lines - last.line >= LINES_A_RECORD
                || offset - last.offset >= BYTES_A_RECORD
                || at.since(last.at) >= TIME_A_RECORD
        };
        if self.last.is_none_or(is_far) {
            let record = Record { line: self.lines, offset, at };
            self.records.extend_from_slice(&record.to_bytes());
            self.last = Some(record);
        }
    }

    /// Bytes that could not be written.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Why they could not.
    pub fn error(&self) -> Option<String> {
        self.error.clone()
    }

    /// Waits until all is on disk.
    pub fn sync(&self) -> io::Result<()> {
        self.log.sync_all()?;
        self.index.sync_all()
    }
}
