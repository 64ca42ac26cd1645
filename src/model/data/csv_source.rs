//! One CSV file as a stream of rows, with exact line numbers.
//!
//! Rows are never collected here. The parser's own line counter is of no use for errors (it counts a line end when it
//! is read, so it is one off after `\r\n` and after blank lines); the line where a row starts is computed back from
//! where it ended.

use std::collections::BTreeSet;
use std::io::{self, BufRead as _, Read as _};
use std::path::{Path, PathBuf};

use crate::model::data::dataset_error::DatasetError;
use crate::model::data::limited_text::LimitedText;
use crate::model::data::unpacked_file::UnpackedFile;
use crate::pipeline::Digest;

/// The most bytes of one row, and of the header.
pub(in crate::model) const LONGEST_ROW: usize = 16 * 1024 * 1024;
const MOST_COLUMNS: usize = 10_000;
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the parser takes from the text at once.
const TAKEN: usize = 64 * 1024;
/// What may separate cells.
const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

type Text = io::Chain<io::Cursor<Vec<u8>>, LimitedText<UnpackedFile>>;

/// An open CSV file whose header has been read and found good.
pub struct CsvSource {
    path: PathBuf,
    columns: Vec<String>,
    reader: csv::Reader<Text>,
    record: csv::ByteRecord,
    /// The line that was next when the current row was asked for: a row cannot start before it.
    earliest_line: u64,
}

impl CsvSource {
    /// Opens a file, packed with gzip or not, and reads its header; the delimiter is the most frequent of comma,
    /// semicolon, tab and vertical bar in the first line.
    pub fn open(path: &Path) -> Result<Self, DatasetError> {
        let file = UnpackedFile::open(path).map_err(|source| DatasetError::Read { file: path.to_owned(), source })?;
        let mut text = LimitedText::new(file, LONGEST_ROW);
        let opening = opening(path, &mut text)?;
        let delimiter = delimiter(&opening);
        let reader = csv::ReaderBuilder::new()
            .has_headers(false)
            // Ragged rows are refused by `next_row`, with a line number.
            .flexible(true)
            .delimiter(delimiter)
            .buffer_capacity(TAKEN)
            .from_reader(io::Cursor::new(opening).chain(text));
        let mut source = Self {
            path: path.to_owned(),
            columns: Vec::new(),
            reader,
            record: csv::ByteRecord::new(),
            earliest_line: 1,
        };
        if !source.advance()? {
            return Err(DatasetError::Empty { file: path.to_owned() });
        }
        source.columns = source.header()?;
        Ok(source)
    }

    /// The file.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names of the columns, in the order of the file.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Moves to the next row, which must be as wide as the header; false at the end of the file.
    pub fn next_row(&mut self) -> Result<bool, DatasetError> {
        if !self.advance()? {
            return Ok(false);
        }
        if self.record.len() == self.columns.len() {
            return Ok(true);
        }
        let first: String = String::from_utf8_lossy(self.record.get(0).unwrap_or_default()).chars().take(40).collect();
        Err(DatasetError::RaggedRow {
            file: self.path.clone(),
            line: self.line(),
            found: self.record.len(),
            expected: self.columns.len(),
            extra: format!(" that starts with \"{first}\""),
        })
    }

    /// Moves to the next row, however wide.
    pub fn advance(&mut self) -> Result<bool, DatasetError> {
        self.earliest_line = self.reader.position().line();
        self.reader.get_mut().get_mut().1.start_record();
        self.reader.read_byte_record(&mut self.record).map_err(|error| {
            let text = self.reader.get_ref().get_ref().1;
            if text.exceeded() {
                DatasetError::TooLong { file: self.path.clone(), line: self.earliest_line, limit: LONGEST_ROW }
            } else {
                unreadable(&self.path, text, error.into())
            }
        })
    }

    /// A cell of the current row, trimmed; `index` counts columns from 0.
    pub fn cell(&self, index: usize) -> Result<&str, DatasetError> {
        let bytes = self.raw(index);
        match std::str::from_utf8(bytes) {
            Ok(text) => Ok(text.trim()),
            Err(_) => Err(DatasetError::NotUtf8 {
                file: self.path.clone(),
                line: self.line(),
                column: self.columns.get(index).cloned().unwrap_or_else(|| format!("number {}", index + 1)),
                value: bytes
                    .iter()
                    .take(40)
                    .flat_map(|byte| std::ascii::escape_default(*byte))
                    .map(char::from)
                    .collect(),
            }),
        }
    }

    /// The bytes of a cell, trimmed.
    pub(in crate::model) fn raw(&self, index: usize) -> &[u8] {
        self.record.get(index).unwrap_or_default().trim_ascii()
    }

    /// The line where the current row starts, from 1.
    pub fn line(&self) -> u64 {
        let breaks_inside = memchr::memchr_iter(b'\n', self.record.as_slice()).count() as u64;
        let next = self.reader.position().line();
        next.saturating_sub(1).saturating_sub(breaks_inside).max(self.earliest_line)
    }

    /// How many bytes of the file have been read so far.
    pub fn bytes_read(&self) -> u64 {
        self.reader.get_ref().get_ref().1.source().bytes_read()
    }

    /// The digest of the file as it lies on the disk, once its end was reached.
    pub fn into_digest(self) -> Digest {
        self.reader.into_inner().into_inner().1.into_source().into_digest()
    }

    fn header(&self) -> Result<Vec<String>, DatasetError> {
        let file = || self.path.clone();
        let found = self.record.len();
        if found > MOST_COLUMNS {
            return Err(DatasetError::TooManyColumns { file: file(), found, limit: MOST_COLUMNS });
        }
        let mut seen = BTreeSet::new();
        let mut columns = Vec::with_capacity(found);
        for index in 0..found {
            let name = self.cell(index)?;
            if name.is_empty() {
                return Err(DatasetError::UnnamedColumn { file: file(), position: index + 1 });
            }
            if !seen.insert(name) {
                return Err(DatasetError::DuplicateColumn { file: file(), column: name.to_owned() });
            }
            columns.push(name.to_owned());
        }
        Ok(columns)
    }
}

/// A packed file that cannot be read is most often one that was cut short, not one that may not be read.
fn unreadable(path: &Path, text: &LimitedText<UnpackedFile>, source: io::Error) -> DatasetError {
    let file = path.to_owned();
    if text.source().is_packed() { DatasetError::Unpack { file, source } } else { DatasetError::Read { file, source } }
}

/// Everything up to the end of the first line that is not blank.
fn opening(path: &Path, text: &mut LimitedText<UnpackedFile>) -> Result<Vec<u8>, DatasetError> {
    let mut opening = Vec::new();
    let mut line = 1;
    loop {
        let start = opening.len();
        let length = match text.read_until(b'\n', &mut opening) {
            Ok(length) => length,
            Err(_) if text.exceeded() => {
                return Err(DatasetError::TooLong { file: path.to_owned(), line, limit: LONGEST_ROW });
            }
            Err(source) => return Err(unreadable(path, text, source)),
        };
        if length == 0 {
            return Err(DatasetError::Empty { file: path.to_owned() });
        }
        if line == 1 && opening.starts_with(BYTE_ORDER_MARK) {
            opening.drain(..BYTE_ORDER_MARK.len());
        }
        if !opening.get(start..).unwrap_or_default().trim_ascii().is_empty() {
            return Ok(opening);
        }
        line += 1;
    }
}

/// The most frequent delimiter outside quotation marks; a comma when there is none.
fn delimiter(header: &[u8]) -> u8 {
    let mut counts = DELIMITERS.map(|delimiter| (delimiter, 0_usize));
    let mut quoted = false;
    for &byte in header {
        if byte == b'"' {
            quoted = !quoted;
        } else if !quoted {
            for (delimiter, count) in &mut counts {
                *count += usize::from(*delimiter == byte);
            }
        }
    }
    // The first of equals must win, and `max_by_key` returns the last: hence the reversal.
    counts.iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(delimiter, _)| *delimiter)
}

#[cfg(test)]
mod tests {
    use super::{CsvSource, delimiter};
    use crate::model::samples::Folder;

    #[test]
    fn the_delimiter_is_found_outside_quotation_marks() {
        assert_eq!(delimiter(b"a;b;c\n"), b';');
        assert_eq!(delimiter(b"\"a,b,c\"\td\n"), b'\t');
        assert_eq!(delimiter(b"a|b, c|d\n"), b'|');
        assert_eq!(delimiter(b"alone\n"), b',');
    }

    #[test]
    fn line_numbers_survive_blank_lines_quoted_breaks_and_windows_line_ends() {
        let folder = Folder::new();
        let path = folder.write("a.csv", "\u{feff}a,b\r\n\r\n1,\"two\r\nlines\"\r\n\r\n3,4");
        let mut source = CsvSource::open(&path).unwrap();
        assert_eq!(source.columns(), ["a", "b"]);
        assert!(source.next_row().unwrap());
        assert_eq!((source.line(), source.cell(1).unwrap()), (3, "two\nlines"));
        assert!(source.next_row().unwrap());
        assert_eq!((source.line(), source.cell(1).unwrap()), (6, "4"));
        assert!(!source.next_row().unwrap());
    }

    #[test]
    fn a_packed_file_that_was_cut_is_told_as_such() {
        use std::io::Write as _;
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all("a,b\n1,2\n".repeat(5000).as_bytes()).unwrap();
        let whole = encoder.finish().unwrap();
        let folder = Folder::new();
        let mut source = CsvSource::open(&folder.write_bytes("a.csv.gz", &whole)).unwrap();
        assert!(source.next_row().unwrap());
        let cut = CsvSource::open(&folder.write_bytes("b.csv.gz", &whole[..whole.len() - 20]));
        let all_rows = |mut source: CsvSource| {
            while source.next_row()? {}
            Ok(())
        };
        let error = cut.and_then(all_rows).unwrap_err();
        assert!(error.to_string().contains("b.csv.gz cannot be unpacked"), "{error}");
    }

    #[test]
    fn a_ragged_row_is_named_by_file_line_and_width() {
        let folder = Folder::new();
        let path = folder.write("a.csv", "a,b\n1,2\n3\n");
        let mut source = CsvSource::open(&path).unwrap();
        assert!(source.next_row().unwrap());
        let message = source.next_row().unwrap_err().to_string();
        assert!(message.ends_with(
            "a.csv, line 3: the row has 1 cells, the header 2 columns; mend or remove the row that starts with \"3\""
        ));
    }

    #[test]
    fn invalid_utf8_is_named_by_line_and_column() {
        let folder = Folder::new();
        let path = folder.write_bytes("a.csv", b"a,b\n1,caf\xe9\n");
        let mut source = CsvSource::open(&path).unwrap();
        assert!(source.next_row().unwrap());
        let message = source.cell(1).unwrap_err().to_string();
        assert!(message.contains("line 2, column \"b\"") && message.contains("caf\\xe9"), "{message}");
    }
}
