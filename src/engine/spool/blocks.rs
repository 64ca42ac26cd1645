//! A log in blocks of whole lines, for whoever looks through much of it: no line is copied, none is looked at alone.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use super::index::Record;
use super::reader::LogReader;

/// Bytes of a block, and of a line that are looked at.
pub(super) const BLOCK: usize = 1 << 20;

/// Some whole lines.
#[derive(Debug, Clone, Copy)]
pub(super) struct Block<'a> {
    /// The number of its first line.
    pub(super) first: u64,
    /// The lines, with their ends. Of a line longer than a block this is the beginning.
    pub(super) bytes: &'a [u8],
}

/// Block after block.
#[derive(Debug)]
pub(super) struct Blocks {
    file: Arc<File>,
    /// The byte at which it began, that from which on is read next, and the end.
    begin: u64,
    offset: u64,
    end: u64,
    buffer: Vec<u8>,
    /// How much of the buffer was read, and how much of that was given out.
    filled: usize,
    given: usize,
    /// The number of the first line behind what was given out.
    line: u64,
}

impl Blocks {
    /// Blocks from a record on; `None` if there is no log.
    pub(super) fn from(log: &LogReader, record: Record) -> Option<Self> {
        let file = Arc::clone(log.file()?);
        let (offset, line) = (record.offset, record.line);
        Some(Self { file, begin: offset, offset, end: log.length(), buffer: vec![0; BLOCK], filled: 0, given: 0, line })
    }

    /// How many bytes were given out or passed by.
    pub(super) fn passed(&self) -> u64 {
        (self.offset - self.begin).saturating_sub((self.filled - self.given) as u64)
    }

    /// The number of the first line behind the last block.
    pub(super) fn line(&self) -> u64 {
        self.line
    }

    /// The next block.
    pub(super) fn next_block(&mut self) -> io::Result<Option<Block<'_>>> {
        self.buffer.copy_within(self.given..self.filled, 0);
        self.filled -= self.given;
        self.given = 0;
        self.fill()?;
        let read = &self.buffer[..self.filled];
        if read.is_empty() {
            return Ok(None);
        }
        let first = self.line;
        let Some(last) = memrchr(b'\n', read) else {
            // The last line, or one that is longer than a block.
            self.given = self.filled;
            self.line += 1;
            self.pass_line_end()?;
            return Ok(Some(Block { first, bytes: &self.buffer[..self.filled] }));
        };
        self.given = last + 1;
        self.line += memchr_iter(b'\n', &read[..=last]).count() as u64;
        Ok(Some(Block { first, bytes: &self.buffer[..=last] }))
    }

    fn fill(&mut self) -> io::Result<()> {
        while self.filled < self.buffer.len() {
            let length = self.read_into(self.filled)?;
            if length == 0 {
                break;
            }
            self.filled += length;
        }
        Ok(())
    }

    /// Reads behind the first `from` bytes of the buffer.
    fn read_into(&mut self, from: usize) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let until = self.buffer.len().min(from.saturating_add(left));
        let length = self.file.read_at(&mut self.buffer[from..until], self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }

    /// Passes by the rest of a line of which a whole block is there already.
    fn pass_line_end(&mut self) -> io::Result<()> {
        let mut rest = vec![0; BLOCK / 8];
        loop {
            let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
            let until = rest.len().min(left);
            let length = self.file.read_at(&mut rest[..until], self.offset)?;
            if length == 0 {
                return Ok(());
            }
            if let Some(end) = memchr(b'\n', &rest[..length]) {
                self.offset += end as u64 + 1;
                return Ok(());
            }
            self.offset += length as u64;
        }
    }
}

/// The lines of a block, without their ends.
pub(super) fn lines(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    let bytes = bytes.strip_suffix(b"\n").unwrap_or(bytes);
    bytes.split(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::super::LogWriter;
    use super::*;
    use crate::pipeline::Moment;

    #[test]
    fn blocks_hold_whole_lines_and_count_them_also_behind_one_that_is_longer_than_a_block() {
        let folder = tempfile::tempdir().unwrap();
        let (log, index) = (folder.path().join("log"), folder.path().join("index"));
        let mut writer = LogWriter::create(&log, &index).unwrap();
        let text: String = (0..200_000).map(|number| format!("line {number}\n")).collect();
        writer.append(text.as_bytes());
        writer.append(&vec![b'x'; 3 * BLOCK]);
        writer.append(b"\nlast\nwithout an end");
        let reader = LogReader::open(&log, &index).unwrap();
        let mut blocks = Blocks::from(&reader, Record { line: 0, offset: 0, at: Moment(0) }).unwrap();
        let mut seen = Vec::new();
        while let Some(block) = blocks.next_block().unwrap() {
            assert_eq!(block.first, seen.len() as u64);
            seen.extend(lines(block.bytes).map(|line| String::from_utf8_lossy(line).into_owned()));
        }
        assert_eq!((blocks.line(), blocks.passed()), (200_003, reader.length()));
        assert_eq!((seen[0].as_str(), seen[199_999].as_str()), ("line 0", "line 199999"));
        assert!(seen[200_000].starts_with("xxx") && seen[200_000].len() <= BLOCK);
        assert_eq!(&seen[200_001..], ["last", "without an end"]);
    }
}
