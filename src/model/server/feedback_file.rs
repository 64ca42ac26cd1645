//! The file of labelled records: CSV with the columns of the model in their order and the target at the end, so that it
//! can be trained on as it is.
//!
//! Whole records only: a batch is one write at the end of the file, and what a killed process left of a record is cut off when
//! the file is opened again. It is not synced; the last rows may be lost with the machine.
//!
//! It is bounded. When a batch does not fit any more, the file is written anew without its oldest rows, some more of them than
//! must go, and takes the place of the former one at once: whoever reads sees the one or the other. One server writes to a file.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::model::served_model::ServedModel;

/// Bytes that are looked through at once.
const PIECE: usize = 1 << 18;

/// The most that a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedbackLimits {
    /// Rows below the header.
    pub rows: u64,
    /// Bytes, with the header.
    pub bytes: u64,
}

impl Default for FeedbackLimits {
    fn default() -> Self {
        Self { rows: 1_000_000, bytes: 256 * 1024 * 1024 }
    }
}

/// Why labelled records cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum FeedbackError {
    /// The system refused.
    #[error("cannot write labelled records to {file}: {source}; check that the folder is there and may be written")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Of another model, or something else.
    #[error("{file} has another header than the records of this model; move it away, or give another file")]
    OtherHeader {
        /// The file.
        file: PathBuf,
    },
    /// One batch is more than all that is kept.
    #[error(
        "{rows} records of {bytes} bytes are more than {file} may hold; send fewer at once, or raise --feedback-rows \
         and --feedback-bytes"
    )]
    TooMuch {
        /// The file.
        file: PathBuf,
        /// The records that were to be taken.
        rows: u64,
        /// Their bytes.
        bytes: u64,
    },
}

/// An open file.
#[derive(Debug)]
pub struct FeedbackFile {
    path: PathBuf,
    header: Vec<u8>,
    limits: FeedbackLimits,
    open: Mutex<Open>,
}

/// The file as it is now.
#[derive(Debug)]
struct Open {
    file: File,
    /// Rows below the header.
    rows: u64,
}

impl FeedbackFile {
    /// Opens or makes the file for the records of a model, within the usual limits.
    pub fn open(path: &Path, model: &ServedModel) -> Result<Self, FeedbackError> {
        let mut names: Vec<&str> = model.features().iter().map(|feature| feature.name.as_str()).collect();
        names.push(model.target());
        let failed = |source| FeedbackError::File { file: path.to_owned(), source };
        let header = line(names).map_err(failed)?;
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder).map_err(failed)?;
        }
        let mut file = OpenOptions::new().create(true).read(true).append(true).open(path).map_err(failed)?;
        let mut present = Vec::new();
        std::io::Read::by_ref(&mut file).take(header.len() as u64).read_to_end(&mut present).map_err(failed)?;
        let mut rows = 0;
        if present == header {
            rows = cut_to_whole_records(&mut file, header.len() as u64).map_err(failed)?;
        } else if header.starts_with(&present) {
            // New, or cut in the middle of its header.
            file.set_len(0).map_err(failed)?;
            file.write_all(&header).map_err(failed)?;
        } else {
            return Err(FeedbackError::OtherHeader { file: path.to_owned() });
        }
        // Behind a link, it is the file that is to be replaced, and not the link.
        let path = path.canonicalize().map_err(failed)?;
        // Of a process that was killed while it made room.
        let _ = fs::remove_file(beside(&path));
        let open = Mutex::new(Open { file, rows });
        Ok(Self { path, header, limits: FeedbackLimits::default(), open })
    }

    /// The same within these limits.
    #[must_use]
    pub fn within(self, limits: FeedbackLimits) -> Self {
        Self { limits, ..self }
    }

    /// What it may hold, for people.
    pub(in crate::model) fn bounds(&self) -> String {
        let FeedbackLimits { rows, bytes } = self.limits;
        format!("{} holds at most {rows} rows and {bytes} bytes", self.path.display())
    }

    /// Appends so many whole rows with one write. How many of the oldest made room for them.
    pub(in crate::model) fn append(&self, lines: &[u8], rows: u64) -> Result<u64, FeedbackError> {
        let failed = |source| FeedbackError::File { file: self.path.clone(), source };
        let (limits, bytes) = (self.limits, lines.len() as u64);
        if rows > limits.rows || bytes.saturating_add(self.header.len() as u64) > limits.bytes {
            return Err(FeedbackError::TooMuch { file: self.path.clone(), rows, bytes });
        }
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        let mut size = open.file.metadata().map_err(failed)?.len();
        let mut dropped = 0;
        if open.rows.saturating_add(rows) > limits.rows || size.saturating_add(bytes) > limits.bytes {
            // A quarter goes at once, or the whole file would be written anew for each batch.
            let most = FeedbackLimits {
                rows: (limits.rows - rows).min(limits.rows - limits.rows.div_ceil(4)),
                bytes: (limits.bytes - bytes).min(limits.bytes - limits.bytes.div_ceil(4)),
            };
            dropped = self.make_room(&mut open, size, most).map_err(failed)?;
            size = open.file.metadata().map_err(failed)?.len();
        }
        if let Err(source) = open.file.write_all(lines) {
            // On a full disk half a line may be there; the next one must not go on from it.
            let _ = open.file.set_len(size);
            return Err(failed(source));
        }
        open.rows += rows;
        Ok(dropped)
    }

    /// Puts a file without the oldest rows in the place of this one, which keeps at most as much. How many rows went.
    fn make_room(&self, open: &mut Open, size: u64, most: FeedbackLimits) -> io::Result<u64> {
        let header = self.header.len() as u64;
        let (mut from, mut gone, rows) = (header, 0, open.rows);
        walk(&mut open.file, header, |end| {
            (from, gone) = (end, gone + 1);
            let bytes = header.saturating_add(size.saturating_sub(end));
            rows.saturating_sub(gone) > most.rows || bytes > most.bytes
        })?;
        let beside = beside(&self.path);
        let made = self.copy(&mut open.file, from, &beside);
        let replaced = made.and_then(|file| fs::rename(&beside, &self.path).map(|()| file));
        match replaced {
            Ok(file) => {
                *open = Open { file, rows: rows.saturating_sub(gone) };
                Ok(gone)
            }
            Err(error) => {
                let _ = fs::remove_file(&beside);
                Err(error)
            }
        }
    }

    /// The header, and all of the file from `from` on, as a file of another name.
    fn copy(&self, file: &mut File, from: u64, beside: &Path) -> io::Result<File> {
        let mut new = OpenOptions::new().create_new(true).read(true).append(true).open(beside)?;
        new.set_permissions(file.metadata()?.permissions())?;
        new.write_all(&self.header)?;
        file.seek(SeekFrom::Start(from))?;
        io::copy(file, &mut new)?;
        // Before it takes the place of what is on the disk already.
        new.sync_data()?;
        Ok(new)
    }
}

/// Where the next file is written, beside the present one.
fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(".partial");
    PathBuf::from(name)
}

/// A line of CSV.
pub(in crate::model) fn line<T: AsRef<[u8]>>(cells: impl IntoIterator<Item = T>) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(io::Error::from)?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Cuts off what stands behind the last whole record, and counts the records behind the header.
fn cut_to_whole_records(file: &mut File, header: u64) -> io::Result<u64> {
    let (mut rows, mut whole) = (0, header);
    walk(file, header, |end| {
        (rows, whole) = (rows + 1, end);
        true
    })?;
    if whole < file.metadata()?.len() {
        file.set_len(whole)?;
    }
    Ok(rows)
}

/// Tells `each` where a record ends, from `from` on, until it has heard enough. A line end within quotes is none.
fn walk(file: &mut File, from: u64, mut each: impl FnMut(u64) -> bool) -> io::Result<()> {
    file.seek(SeekFrom::Start(from))?;
    let (mut buffer, mut place) = (vec![0; PIECE], from);
    // A quote begins a cell, ends it, or stands directly behind its end: then it is a quote of the cell.
    let (mut is_quoted, mut closed, mut last) = (false, None, b'\n');
    loop {
        let length = match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        let piece = &buffer[..length];
        for at in memchr::memchr2_iter(b'\n', b'"', piece) {
            let (here, before) = (place + at as u64, if at == 0 { last } else { piece[at - 1] });
            if piece[at] == b'\n' {
                if !is_quoted && !each(here + 1) {
                    return Ok(());
                }
            } else if is_quoted {
                (is_quoted, closed) = (false, Some(here));
            } else {
                let is_doubled = closed.is_some_and(|closed| closed + 1 == here);
                is_quoted = is_doubled || before == b',' || before == b'\n';
            }
        }
        last = piece[length - 1];
        place += length as u64;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::{FeedbackError, FeedbackFile, FeedbackLimits, beside};
    use crate::model::samples::{self, Folder};

    const HEADER: &str = "height,width,colour,kind\n";

    fn open(path: &Path) -> FeedbackFile {
        FeedbackFile::open(path, &samples::model().into()).unwrap()
    }

    fn text(path: &Path) -> String {
        fs::read_to_string(path).unwrap()
    }

    #[test]
    fn a_line_that_was_cut_by_a_kill_is_removed_and_the_file_goes_on() {
        let folder = Folder::new();
        let path = folder.path().join("new/a.csv");
        open(&path).append(b"1,2,red,short\n", 1).unwrap();
        fs::write(&path, format!("{HEADER}1,2,red,short\n3,4,bl")).unwrap();
        open(&path).append(b"5,6,red,tall\n", 1).unwrap();
        assert_eq!(text(&path), format!("{HEADER}1,2,red,short\n5,6,red,tall\n"));
        // A line end within a cell ends no record.
        fs::write(&path, format!("{HEADER}1,2,\"re\"\"d\n\",short\n3,4,\"re\n")).unwrap();
        open(&path).append(b"5,6,red,tall\n", 1).unwrap();
        assert_eq!(text(&path), format!("{HEADER}1,2,\"re\"\"d\n\",short\n5,6,red,tall\n"));
    }

    #[test]
    fn a_file_of_another_model_is_refused_and_left_as_it_is() {
        let folder = Folder::new();
        let path = folder.write("a.csv", "x,y\n1,2\n");
        assert!(matches!(FeedbackFile::open(&path, &samples::model().into()), Err(FeedbackError::OtherHeader { .. })));
        assert_eq!(text(&path), "x,y\n1,2\n");
    }

    #[test]
    fn the_oldest_rows_make_room_for_new_ones_also_after_a_restart() {
        let folder = Folder::new();
        let path = folder.path().join("a.csv");
        let limits = FeedbackLimits { rows: 4, ..FeedbackLimits::default() };
        let row = |number: u32| format!("{number},2,\"a\nb\",tall\n");
        let file = open(&path).within(limits);
        for number in 1..=4 {
            assert_eq!(file.append(row(number).as_bytes(), 1).unwrap(), 0);
        }
        // Left by a process that was killed while it made room.
        fs::write(beside(&path), "height,wi").unwrap();
        drop(file);
        let file = open(&path).within(limits);
        assert_eq!(file.append(row(5).as_bytes(), 1).unwrap(), 1);
        assert_eq!(text(&path), format!("{HEADER}{}{}{}{}", row(2), row(3), row(4), row(5)));
        let batch = [row(6), row(7), row(8)].concat();
        assert_eq!(file.append(batch.as_bytes(), 3).unwrap(), 3);
        assert_eq!(text(&path), format!("{HEADER}{}{batch}", row(5)));
        assert!(!beside(&path).exists(), "nothing is left beside it");
    }

    #[test]
    fn a_file_never_grows_beyond_its_bytes_and_goes_on_where_it_was_replaced() {
        let folder = Folder::new();
        let path = folder.path().join("a.csv");
        let limits = FeedbackLimits { bytes: 200, ..FeedbackLimits::default() };
        let file = open(&path).within(limits);
        let mut dropped = 0;
        for number in 0..100 {
            dropped += file.append(format!("{number},2,red,short\n").as_bytes(), 1).unwrap();
            let present = text(&path);
            assert!(present.len() <= 200 && present.starts_with(HEADER), "{present}");
            assert!(present.ends_with(&format!("\n{number},2,red,short\n")), "{present}");
        }
        assert_eq!(text(&path).lines().count() as u64 - 1, 100 - dropped, "what is not there was dropped and counted");
    }

    #[test]
    fn a_batch_that_is_more_than_may_be_kept_is_refused_and_costs_nothing() {
        let folder = Folder::new();
        let path = folder.path().join("a.csv");
        let file = open(&path).within(FeedbackLimits { rows: 1, bytes: 60 });
        file.append(b"1,2,red,short\n", 1).unwrap();
        for (lines, rows) in [("3,4,red,short\n5,6,red,short\n", 2), (&*format!("3,4,{},short\n", "r".repeat(60)), 1)] {
            let refused = file.append(lines.as_bytes(), rows).unwrap_err();
            assert!(matches!(refused, FeedbackError::TooMuch { .. }), "{refused}");
        }
        assert_eq!(text(&path), format!("{HEADER}1,2,red,short\n"));
    }
}
