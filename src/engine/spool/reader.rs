//! Reading windows of a log and searching it, with memory bounded by the window.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Seek, SeekFrom};
use std::path::Path;

use regex::bytes::Regex;

use super::index::{self, Record};
use crate::api::types::{LINE_LIMIT, LogLine, LogWindow};
use crate::pipeline::Moment;

/// Lines a window may have at the most.
pub const WINDOW_LIMIT: u64 = 2_000;
/// Bytes of a line that are searched.
const SEARCHED: usize = 1 << 20;

/// Why a search cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// The pattern is not a regular expression.
    #[error("`{pattern}` is not a regular expression: {source}")]
    Pattern {
        /// What was given.
        pattern: String,
        /// What is wrong.
        source: regex::Error,
    },
    /// The log cannot be read.
    #[error("the log cannot be read: {0}")]
    Read(#[from] io::Error),
}

/// A log as it is now; one that does not exist is empty.
#[derive(Debug)]
pub struct LogReader {
    log: Option<File>,
    length: u64,
    records: Vec<Record>,
}

impl LogReader {
    /// Opens a log and its index.
    pub fn open(log: &Path, index: &Path) -> io::Result<Self> {
        let log = match File::open(log) {
            Ok(file) => Some(file),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(error),
        };
        // The length first: the index may grow past it while it is read, never fall behind it by more than one record.
        let length = log.as_ref().map(|file| file.metadata().map(|metadata| metadata.len())).transpose()?.unwrap_or(0);
        Ok(Self { log, length, records: index::read(index, length)? })
    }

    /// How many lines there are; a last one without a line end counts.
    pub fn total(&self) -> io::Result<u64> {
        let Some(last) = self.records.last().copied().or_else(|| self.start()) else { return Ok(0) };
        let mut lines = Lines::new(self, last)?;
        while lines.next_line(0)?.is_some() {}
        Ok(lines.line)
    }

    /// `count` lines from line `first` on.
    pub fn window(&self, first: u64, count: u64) -> io::Result<LogWindow> {
        let total = self.total()?;
        let count = count.min(WINDOW_LIMIT);
        let mut window = LogWindow { first, lines: Vec::new(), total };
        let Some(record) = self.record_before(first) else { return Ok(window) };
        let mut lines = Lines::new(self, record)?;
        while lines.line < first.saturating_add(count).min(total) {
            let number = lines.line;
            let limit = if number >= first { LINE_LIMIT } else { 0 };
            let Some((bytes, cut)) = lines.next_line(limit)? else { break };
            if number >= first {
                let text = String::from_utf8_lossy(&bytes).into_owned();
                window.lines.push(LogLine { at: self.moment_of(number), text, cut });
            }
        }
        Ok(window)
    }

    /// The last `count` lines.
    pub fn tail(&self, count: u64) -> io::Result<LogWindow> {
        let total = self.total()?;
        self.window(total.saturating_sub(count.min(WINDOW_LIMIT)), count)
    }

    /// The byte at which the last `count` lines begin.
    pub fn offset_of_tail(&self, count: u64) -> io::Result<u64> {
        let first = self.total()?.saturating_sub(count);
        let Some(record) = self.record_before(first) else { return Ok(0) };
        let mut lines = Lines::new(self, record)?;
        let mut offset = record.offset;
        while lines.line < first {
            match lines.next_line(0)? {
                Some((_, length)) => offset += length + 1,
                None => break,
            }
        }
        Ok(offset.min(self.length))
    }

    /// The nearest line at or behind `from` (or at or before it) in which `pattern` is found.
    pub fn search(&self, pattern: &str, from: u64, backward: bool) -> Result<Option<u64>, SearchError> {
        let pattern =
            Regex::new(pattern).map_err(|source| SearchError::Pattern { pattern: pattern.to_owned(), source })?;
        if backward { self.search_backward(&pattern, from) } else { self.search_forward(&pattern, from) }
    }

    fn search_forward(&self, pattern: &Regex, from: u64) -> Result<Option<u64>, SearchError> {
        let Some(record) = self.record_before(from) else { return Ok(None) };
        let mut lines = Lines::new(self, record)?;
        loop {
            let number = lines.line;
            let Some((bytes, _)) = lines.next_line(SEARCHED)? else { return Ok(None) };
            if number >= from && pattern.is_match(&bytes) {
                return Ok(Some(number));
            }
        }
    }

    /// From the stretch that holds `from` back to the first, the last match in each.
    fn search_backward(&self, pattern: &Regex, from: u64) -> Result<Option<u64>, SearchError> {
        let mut until = from.saturating_add(1);
        let stretches = self.records.iter().rev().filter(|record| record.line <= from);
        for record in stretches {
            let mut lines = Lines::new(self, *record)?;
            let mut found = None;
            while lines.line < until {
                let number = lines.line;
                let Some((bytes, _)) = lines.next_line(SEARCHED)? else { break };
                if pattern.is_match(&bytes) {
                    found = Some(number);
                }
            }
            if found.is_some() {
                return Ok(found);
            }
            until = record.line;
        }
        Ok(None)
    }

    fn start(&self) -> Option<Record> {
        (self.length > 0).then_some(Record { line: 0, offset: 0, at: Moment(0) })
    }

    fn record_before(&self, line: u64) -> Option<Record> {
        let behind = self.records.partition_point(|record| record.line <= line);
        behind.checked_sub(1).and_then(|index| self.records.get(index).copied()).or_else(|| self.start())
    }

    fn moment_of(&self, line: u64) -> Moment {
        self.record_before(line).map(|record| record.at).unwrap_or_default()
    }
}

/// Lines from a record on, each read only as far as it is wanted.
struct Lines {
    reader: BufReader<io::Take<File>>,
    line: u64,
}

impl Lines {
    fn new(log: &LogReader, from: Record) -> io::Result<Self> {
        let Some(file) = &log.log else {
            return Err(io::Error::new(io::ErrorKind::NotFound, "the log is gone"));
        };
        let mut file = file.try_clone()?;
        file.seek(SeekFrom::Start(from.offset))?;
        let rest = io::Read::take(file, log.length.saturating_sub(from.offset));
        Ok(Self { reader: BufReader::with_capacity(1 << 17, rest), line: from.line })
    }

    /// The next line without its end, `limit` bytes of it at the most, and how many were cut off.
    fn next_line(&mut self, limit: usize) -> io::Result<Option<(Vec<u8>, u64)>> {
        let mut kept = Vec::new();
        let mut length: u64 = 0;
        loop {
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                if length == 0 {
                    return Ok(None);
                }
                break;
            }
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = limit.saturating_sub(kept.len()).min(part.len());
            kept.extend_from_slice(&part[..room]);
            length += part.len() as u64;
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.line += 1;
        let cut = length - kept.len() as u64;
        Ok(Some((kept, cut)))
    }
}

#[cfg(test)]
mod tests {
    use super::super::LogWriter;
    use super::*;

    fn log_of(parts: &[&[u8]]) -> (tempfile::TempDir, LogReader) {
        let folder = tempfile::tempdir().unwrap();
        let (log, index) = (folder.path().join("log"), folder.path().join("index"));
        let mut writer = LogWriter::create(&log, &index).unwrap();
        for part in parts {
            writer.append(part);
        }
        writer.sync().unwrap();
        let reader = LogReader::open(&log, &index).unwrap();
        (folder, reader)
    }

    fn texts(window: &LogWindow) -> Vec<&str> {
        window.lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn lines_come_back_however_they_were_cut_when_written() {
        let (_folder, reader) = log_of(&[b"on", b"e\ntw", b"o\n", b"", b"\nfour"]);
        let window = reader.window(0, 10).unwrap();
        assert_eq!(texts(&window), ["one", "two", "", "four"]);
        assert_eq!(window.total, 4);
        assert_eq!(texts(&reader.tail(2).unwrap()), ["", "four"]);
    }

    #[test]
    fn any_window_of_a_long_log_is_found_through_the_index() {
        let text: Vec<u8> = (0..50_000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        let parts: Vec<&[u8]> = text.chunks(777).collect();
        let (_folder, reader) = log_of(&parts);
        assert!(reader.records.len() >= 48, "{} records", reader.records.len());
        for first in [0, 1, 1023, 1024, 1025, 33_333, 49_998] {
            let window = reader.window(first, 2).unwrap();
            assert_eq!(texts(&window), [format!("line {first}"), format!("line {}", first + 1)]);
        }
        assert_eq!(texts(&reader.window(49_999, 5).unwrap()), ["line 49999"]);
        assert!(reader.window(60_000, 5).unwrap().lines.is_empty());
    }

    #[test]
    fn search_goes_over_the_whole_history_in_both_directions() {
        let text: Vec<u8> = (0..20_000).flat_map(|number| format!("line {number}\n").into_bytes()).collect();
        let (_folder, reader) = log_of(&[&text]);
        assert_eq!(reader.search("line 19999$", 0, false).unwrap(), Some(19_999));
        assert_eq!(reader.search("line 1[0-9]$", 19_999, true).unwrap(), Some(19));
        assert_eq!(reader.search("line 5$", 6, false).unwrap(), None);
        assert_eq!(reader.search("line 5$", 5, true).unwrap(), Some(5));
        assert!(reader.search("(", 0, false).unwrap_err().to_string().starts_with("`(` is not a regular expression"));
    }

    #[test]
    fn a_line_of_ten_megabytes_is_cut_for_the_screen_and_whole_on_disk() {
        let long = vec![b'x'; 10 << 20];
        let (folder, reader) = log_of(&[&long, b"\nshort\n"]);
        let window = reader.window(0, 2).unwrap();
        assert_eq!(window.lines[0].text.len(), LINE_LIMIT);
        assert_eq!(window.lines[0].cut, (10 << 20) - LINE_LIMIT as u64);
        assert_eq!(window.lines[1].text, "short");
        assert_eq!(folder.path().join("log").metadata().unwrap().len(), (10 << 20) + 7);
    }

    #[test]
    fn a_log_that_is_not_there_yet_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let reader = LogReader::open(&folder.path().join("log"), &folder.path().join("index")).unwrap();
        assert_eq!(reader.window(0, 10).unwrap(), LogWindow::default());
    }
}
