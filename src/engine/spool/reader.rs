//! Reading windows of a log, with memory bounded by the window.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::Arc;

use memchr::{memchr, memchr_iter, memrchr};

use super::index::{Index, Record};
use crate::api::types::{LINE_LIMIT, LogLine, LogWindow};
use crate::pipeline::{Moment, StageName};

/// Lines a window may have at the most.
pub const WINDOW_LIMIT: u64 = 2_000;
/// Bytes read at once.
const READ_AT_ONCE: usize = 1 << 17;
/// Of a line that is far longer than what is kept, so many bytes at its end are looked at: there stands the last state of a
/// progress bar that was rewritten for hours.
const END_OF_LINE: u64 = 1 << 16;
/// Bytes in the middle of such a line from which on it pays to pass them by.
const FAR: u64 = 1 << 18;

/// A log as it is now; one that does not exist is empty.
#[derive(Debug)]
pub struct LogReader {
    log: Option<Arc<File>>,
    length: u64,
    index: Index,
}

impl LogReader {
    /// Opens a log and its index.
    pub fn open(log: &Path, index: &Path) -> io::Result<Self> {
        let log = match File::open(log) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Self { log: None, length: 0, index: Index::default() });
            }
            Err(error) => return Err(error),
        };
        // The length first: the index may grow past it while it is read, never fall behind it by more than one record.
        let length = log.metadata()?.len();
        Ok(Self { log: Some(Arc::new(log)), length, index: Index::open(index, length)? })
    }

    /// How many lines there are; a last one without a line end counts.
    pub fn total(&self) -> io::Result<u64> {
        Ok(self.count(None)?.lines())
    }

    /// The same, to be counted on from later: what was counted before is not read again.
    pub fn count(&self, before: Option<LineCount>) -> io::Result<LineCount> {
        let mut count = match before.filter(|before| before.bytes <= self.length) {
            Some(before) => before,
            None => self.count_of_index()?,
        };
        if let Some(log) = &self.log {
            count.go_on(Stretch { file: Arc::clone(log), offset: count.bytes, end: self.length })?;
        }
        Ok(count)
    }

    fn count_of_index(&self) -> io::Result<LineCount> {
        let last = match self.index.count().checked_sub(1) {
            Some(last) => self.index.get(last)?,
            None => None,
        };
        let counted = |last: Record| LineCount { ended: last.line, bytes: last.offset, has_begun: false };
        Ok(last.map(counted).unwrap_or_default())
    }

    /// How many bytes there are.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// `count` lines from line `first` on.
    pub fn window(&self, first: u64, count: u64) -> io::Result<LogWindow> {
        let total = self.total()?;
        let end = first.saturating_add(count.min(WINDOW_LIMIT)).min(total);
        let mut window = LogWindow { first, lines: Vec::new(), total };
        let Some(mut lines) = self.lines_from(first)? else { return Ok(window) };
        let mut text = Vec::new();
        let mut record = self.index.behind(first)?;
        let mut at = self.moment_before(record)?;
        let mut next = self.index.get(record)?;
        while lines.line < end {
            // The moment changes only where a record says so.
            while let Some(reached) = next.filter(|next| next.line <= lines.line) {
                (at, record) = (reached.at, record + 1);
                next = self.index.get(record)?;
            }
            let behind = self.byte_behind(lines.line, next, total);
            let Some(cut) = lines.next_line(LINE_LIMIT, behind, &mut text)? else { break };
            window.lines.push(shown_line(&text, cut, at, None));
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
        self.offset_of(self.total()?.saturating_sub(count))
    }

    /// The byte at which a line begins; beyond the last one, the end.
    pub fn offset_of(&self, line: u64) -> io::Result<u64> {
        let record = self.record_before(line)?;
        let Some(mut lines) = self.lines_at(record) else { return Ok(0) };
        let mut offset = record.offset;
        while lines.line < line {
            match lines.skip_line()? {
                Some(length) => offset += length + 1,
                None => break,
            }
        }
        Ok(offset.min(self.length))
    }

    /// `count` bytes from byte `offset` on, as they were written.
    pub fn bytes(&self, offset: u64, count: usize) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        if let Some(log) = &self.log {
            Stretch { file: Arc::clone(log), offset, end: self.length }.take(count as u64).read_to_end(&mut bytes)?;
        }
        Ok(bytes)
    }

    /// The first line that came at a moment or later, as far as the index tells.
    pub(super) fn line_at(&self, moment: Moment, total: u64) -> io::Result<u64> {
        let behind = self.index.partition(|record| record.at < moment)?;
        Ok(match self.index.get(behind)? {
            Some(record) => record.line.min(total),
            // Lines that no record tells of came before all others.
            None if self.index.count() == 0 && moment <= Moment(0) => 0,
            None => total,
        })
    }

    /// How many lines had come at a moment, as far as the index tells.
    pub fn lines_until(&self, moment: Moment) -> io::Result<u64> {
        self.line_at(Moment(moment.0.saturating_add(1)), self.total()?)
    }

    /// The byte behind a line, where that is known without reading it: by the record that comes next, or by the end of the
    /// log, which has `total` lines.
    pub(super) fn byte_behind(&self, line: u64, next: Option<Record>, total: u64) -> Option<u64> {
        match next {
            Some(next) => (next.line == line + 1).then_some(next.offset),
            None => (line + 1 == total).then_some(self.length),
        }
    }

    /// The moments of the first and the last record.
    pub(super) fn span(&self) -> io::Result<(Moment, Moment)> {
        let last = self.index.count().saturating_sub(1);
        let first = self.index.get(0)?.map_or(Moment(0), |record| record.at);
        Ok((first, self.index.get(last)?.map_or(first, |record| record.at)))
    }

    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    pub(super) fn file(&self) -> Option<&Arc<File>> {
        self.log.as_ref()
    }

    /// The record of a line, or the beginning.
    pub(super) fn record_before(&self, line: u64) -> io::Result<Record> {
        let before = match self.index.behind(line)?.checked_sub(1) {
            Some(before) => self.index.get(before)?,
            None => None,
        };
        Ok(before.unwrap_or(Record { line: 0, offset: 0, at: Moment(0) }))
    }

    /// The moment of the record before record number `behind`.
    pub(super) fn moment_before(&self, behind: u64) -> io::Result<Moment> {
        let before = match behind.checked_sub(1) {
            Some(before) => self.index.get(before)?,
            None => None,
        };
        Ok(before.map(|record| record.at).unwrap_or_default())
    }

    /// Lines from line `first` on; `None` if there is no log.
    pub(super) fn lines_from(&self, first: u64) -> io::Result<Option<Lines>> {
        let record = self.record_before(first)?;
        let Some(mut lines) = self.lines_at(record) else { return Ok(None) };
        while lines.line < first {
            if lines.skip_line()?.is_none() {
                break;
            }
        }
        Ok(Some(lines))
    }

    fn lines_at(&self, from: Record) -> Option<Lines> {
        let file = Arc::clone(self.log.as_ref()?);
        let rest = Stretch { file, offset: from.offset, end: self.length };
        Some(Lines { reader: BufReader::with_capacity(READ_AT_ONCE, rest), line: from.line })
    }
}

/// A line as it is told: its text cut for a screen.
pub(super) fn shown_line(bytes: &[u8], cut: u64, at: Moment, stage: Option<StageName>) -> LogLine {
    let mut kept = Vec::new();
    let mut cut = cut;
    keep(&mut kept, bytes, LINE_LIMIT, &mut cut);
    LogLine { at, text: String::from_utf8_lossy(&kept).into_owned(), cut, stage }
}

/// A part of a file, read at its own place: several readers of one file do not move each other.
#[derive(Debug)]
struct Stretch {
    file: Arc<File>,
    offset: u64,
    end: u64,
}

impl Read for Stretch {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.offset)).unwrap_or(usize::MAX);
        let room = buffer.len().min(left);
        let length = self.file.read_at(&mut buffer[..room], self.offset)?;
        self.offset += length as u64;
        Ok(length)
    }
}

/// How many lines a log has, as far as it was counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LineCount {
    /// Lines that have an end.
    ended: u64,
    /// What was read for it.
    bytes: u64,
    /// Whether there is one more, without an end.
    has_begun: bool,
}

impl LineCount {
    /// The lines, one without an end included.
    pub fn lines(&self) -> u64 {
        self.ended + u64::from(self.has_begun)
    }

    fn go_on(&mut self, mut rest: Stretch) -> io::Result<()> {
        let mut piece = vec![0; READ_AT_ONCE];
        loop {
            let length = rest.read(&mut piece)?;
            let read = &piece[..length];
            let Some(last) = read.last() else { return Ok(()) };
            self.has_begun = *last != b'\n';
            self.ended += memchr_iter(b'\n', read).count() as u64;
            self.bytes += length as u64;
        }
    }
}

/// Lines from a record on, each read only as far as it is wanted.
#[derive(Debug)]
pub(super) struct Lines {
    reader: BufReader<Stretch>,
    /// The number of the next one.
    pub(super) line: u64,
}

impl Lines {
    /// Passes by a line; its length.
    pub(super) fn skip_line(&mut self) -> io::Result<Option<u64>> {
        self.next_line(0, None, &mut Vec::new())
    }

    /// The next line without its end, `limit` bytes of it at the most, in the place of what was in `kept`; and how many bytes
    /// were cut off. Where it is known behind which byte the line ends, only its beginning and its end are read.
    pub(super) fn next_line(
        &mut self,
        limit: usize,
        behind: Option<u64>,
        kept: &mut Vec<u8>,
    ) -> io::Result<Option<u64>> {
        kept.clear();
        let mut cut = 0;
        let mut is_empty = true;
        loop {
            if let Some(behind) = behind.filter(|_| kept.len() >= limit) {
                cut += self.skip_to_end(behind);
            }
            let buffer = self.reader.fill_buf()?;
            if buffer.is_empty() {
                if is_empty {
                    return Ok(None);
                }
                break;
            }
            is_empty = false;
            let end = memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            keep(kept, part, limit, &mut cut);
            let used = part.len() + usize::from(end.is_some());
            self.reader.consume(used);
            if end.is_some() {
                break;
            }
        }
        self.line += 1;
        Ok(Some(cut))
    }

    /// Passes by the middle of a line that ends before byte `behind`, where that is much; how many bytes.
    fn skip_to_end(&mut self, behind: u64) -> u64 {
        let Stretch { file, offset, end } = self.reader.get_ref();
        let at = offset - self.reader.buffer().len() as u64;
        let skipped = behind.saturating_sub(END_OF_LINE).saturating_sub(at);
        if skipped < FAR {
            return 0;
        }
        let rest = Stretch { file: Arc::clone(file), offset: at + skipped, end: *end };
        self.reader = BufReader::with_capacity(READ_AT_ONCE, rest);
        skipped
    }
}

/// Keeps what fits. A progress bar rewrites its line with `\r`: where all of it does not fit, its last state is kept, and
/// what it wrote over counts as gone and not as cut off.
fn keep(kept: &mut Vec<u8>, mut part: &[u8], limit: usize, cut: &mut u64) {
    if limit > 0 && kept.len() + part.len() > limit {
        // One at the very end may belong to the line end.
        let inner = &part[..part.len().saturating_sub(1)];
        if let Some(at) = memrchr(b'\r', inner) {
            kept.clear();
            *cut = 0;
            part = &part[at + 1..];
        } else if let Some(at) = memrchr(b'\r', kept) {
            kept.drain(..=at);
        }
    }
    let room = limit.saturating_sub(kept.len()).min(part.len());
    kept.extend_from_slice(&part[..room]);
    *cut += (part.len() - room) as u64;
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
        assert!(reader.index.count() >= 48, "{} records", reader.index.count());
        for first in [0, 1, 1023, 1024, 1025, 33_333, 49_998] {
            let window = reader.window(first, 2).unwrap();
            assert_eq!(texts(&window), [format!("line {first}"), format!("line {}", first + 1)]);
        }
        assert_eq!(texts(&reader.window(49_999, 5).unwrap()), ["line 49999"]);
        assert!(reader.window(60_000, 5).unwrap().lines.is_empty());
    }

    #[test]
    fn of_a_progress_bar_that_is_too_long_the_last_state_is_told() {
        let bar: Vec<u8> = (0..=5_000).flat_map(|step| format!("\r{step:>5}/5000 [#####]").into_bytes()).collect();
        let (_folder, reader) = log_of(&[b"begin\n", &bar, b"\nend\n"]);
        let window = reader.window(0, 3).unwrap();
        assert_eq!(texts(&window), ["begin", " 5000/5000 [#####]", "end"]);
        assert_eq!(window.lines[1].cut, 0);
    }

    #[test]
    fn bytes_and_the_places_of_lines_are_those_of_the_file() {
        let (_folder, reader) = log_of(&[b"one\ntwo\r\nthree"]);
        assert_eq!(reader.bytes(4, 100).unwrap(), b"two\r\nthree");
        assert_eq!(reader.bytes(4, 3).unwrap(), b"two");
        assert_eq!((reader.offset_of(1).unwrap(), reader.offset_of(9).unwrap()), (4, 14));
        assert_eq!(reader.offset_of_tail(1).unwrap(), 9);
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
    fn of_a_line_of_any_length_the_beginning_or_the_last_state_is_told_without_its_middle() {
        /// A hole of four gigabytes, of which nothing is on the disk.
        const LENGTH: u64 = 4 << 30;
        let folder = tempfile::tempdir().unwrap();
        let (log, index) = (folder.path().join("log"), folder.path().join("index"));
        let file = File::create(&log).unwrap();
        file.write_all_at(b"begin", 0).unwrap();
        file.write_all_at(b"\nbar\r100%\nlast", LENGTH).unwrap();
        let record = |line, offset| Record { line, offset, at: Moment(1) }.to_bytes();
        std::fs::write(&index, [record(0, 0), record(1, LENGTH + 1)].concat()).unwrap();
        let reader = LogReader::open(&log, &index).unwrap();
        let window = reader.window(0, 9).unwrap();
        assert_eq!(window.total, 3);
        assert!(window.lines[0].text.starts_with("begin\0"));
        assert_eq!(window.lines[0].cut, LENGTH - LINE_LIMIT as u64);
        assert_eq!(texts(&window)[1..], ["bar\r100%", "last"]);
        let mut lines = reader.lines_from(0).unwrap().unwrap();
        assert_eq!(lines.skip_to_end(LENGTH + 1), LENGTH + 1 - END_OF_LINE, "the middle is not read");
        assert_eq!(lines.skip_to_end(LENGTH + 1), 0);
    }

    #[test]
    fn long_lines_have_a_record_for_each_megabyte() {
        let line = [vec![b'x'; 100_000], b"\n".to_vec()].concat();
        let text = line.repeat(100);
        let (_folder, reader) = log_of(&[&text]);
        // All of it came at the same moment.
        assert!((9..=10).contains(&reader.index.count()), "{} records", reader.index.count());
        assert_eq!(reader.total().unwrap(), 100);
        assert_eq!(reader.window(95, 9).unwrap().lines.len(), 5);
    }

    #[test]
    fn a_log_that_grows_is_counted_on_from_where_the_count_was() {
        let folder = tempfile::tempdir().unwrap();
        let (log, index) = (folder.path().join("log"), folder.path().join("index"));
        let mut writer = LogWriter::create(&log, &index).unwrap();
        let mut count = None;
        for (part, lines) in [("", 0), ("one\ntw", 2), ("o", 2), ("\n", 2), ("three\nfour\n", 4), ("\r10%\r20%", 5)] {
            writer.append(part.as_bytes());
            let reader = LogReader::open(&log, &index).unwrap();
            let now = reader.count(count).unwrap();
            assert_eq!((now.lines(), now.bytes), (lines, reader.length()), "{part:?}");
            assert_eq!(reader.total().unwrap(), lines, "{part:?}");
            count = Some(now);
        }
        let (_other, shorter) = log_of(&[b"one\n"]);
        assert_eq!(shorter.count(count).unwrap().lines(), 1, "another log is counted anew");
    }

    #[test]
    fn a_log_that_is_not_there_yet_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let reader = LogReader::open(&folder.path().join("log"), &folder.path().join("index")).unwrap();
        assert_eq!(reader.window(0, 10).unwrap(), LogWindow::default());
    }
}
