//! A reader between a file and the CSV parser that makes two promises: no row is read into memory beyond a limit, and
//! every line ends with `\n` (the last one too).
//!
//! The limit is counted from the last [`LimitedText::start_record`], so one line of a gigabyte, or a quotation mark
//! that is never closed, is an error after 16 MiB and not an exhausted machine.

use std::io::{self, BufRead, Read};

const CHUNK: usize = 64 * 1024;

pub(in crate::model) struct LimitedText<R> {
    source: R,
    chunk: Vec<u8>,
    ready: Vec<u8>,
    taken: usize,
    since_record: usize,
    limit: usize,
    after_return: bool,
    in_line: bool,
    finished: bool,
}

impl<R: Read> LimitedText<R> {
    pub(in crate::model) fn new(source: R, limit: usize) -> Self {
        Self {
            source,
            chunk: vec![0; CHUNK],
            ready: Vec::with_capacity(CHUNK),
            taken: 0,
            since_record: 0,
            limit,
            after_return: false,
            in_line: false,
            finished: false,
        }
    }

    /// A row begins: the limit counts from here. The parser reads ahead by a few kilobytes, which the limit does not
    /// mind.
    pub(in crate::model) fn start_record(&mut self) {
        self.since_record = 0;
    }

    /// Whether the last error means that a row was too long.
    pub(in crate::model) fn exceeded(&self) -> bool {
        self.since_record > self.limit
    }

    /// What the text comes from.
    pub(in crate::model) fn source(&self) -> &R {
        &self.source
    }

    /// The same, when nothing more is to be read.
    pub(in crate::model) fn into_source(self) -> R {
        self.source
    }

    fn refill(&mut self) -> io::Result<()> {
        self.ready.clear();
        self.taken = 0;
        while self.ready.is_empty() && !self.finished {
            let length = match self.source.read(&mut self.chunk) {
                Ok(length) => length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if length == 0 {
                self.finished = true;
                if self.in_line {
                    self.ready.push(b'\n');
                }
                break;
            }
            let read = self.chunk.get(..length).unwrap_or_default();
            if !self.after_return && memchr::memchr(b'\r', read).is_none() {
                self.ready.extend_from_slice(read);
            } else {
                for &byte in read {
                    match byte {
                        b'\n' if self.after_return => {}
                        b'\r' => self.ready.push(b'\n'),
                        other => self.ready.push(other),
                    }
                    self.after_return = byte == b'\r';
                }
            }
            if let Some(last) = self.ready.last() {
                self.in_line = *last != b'\n';
            }
        }
        Ok(())
    }
}

impl<R: Read> BufRead for LimitedText<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        if self.exceeded() {
            return Err(io::Error::other("the row is too long"));
        }
        if self.taken >= self.ready.len() {
            self.refill()?;
        }
        Ok(self.ready.get(self.taken..).unwrap_or_default())
    }

    fn consume(&mut self, amount: usize) {
        self.taken += amount;
        self.since_record += amount;
    }
}

impl<R: Read> Read for LimitedText<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut available = self.fill_buf()?;
        let length = available.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, BufRead as _, Read as _};

    use super::LimitedText;

    #[test]
    fn every_kind_of_line_end_becomes_one() {
        let mut text = String::new();
        LimitedText::new("a\r\nb\rc\n\r\nd".as_bytes(), 100).read_to_string(&mut text).unwrap();
        assert_eq!(text, "a\nb\nc\n\nd\n");
    }

    #[test]
    fn an_endless_line_is_refused_soon_after_the_limit() {
        let mut text = LimitedText::new(io::repeat(b'x'), 1 << 20);
        let mut line = Vec::new();
        assert!(text.read_until(b'\n', &mut line).is_err());
        assert!(text.exceeded());
        assert!(line.len() < 2 << 20);
    }
}
