//! The file of labelled records: CSV with the columns of the model in their order and the target at the end, so that it
//! can be trained on as it is.
//!
//! Whole lines only: a batch is one write at the end of the file, and what a killed process left of a line is cut off when
//! the file is opened again. It is not synced; the last rows may be lost with the machine.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::model::served_model::ServedModel;

/// The file does not grow beyond this.
const MOST_BYTES: u64 = 256 * 1024 * 1024;
/// A line that is longer than this is none of ours.
const LONGEST_LINE: u64 = 16 * 1024 * 1024;

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
    /// Large enough.
    #[error("{file} has reached {limit} bytes; train on it, then move it away")]
    Full {
        /// The file.
        file: PathBuf,
        /// The most bytes.
        limit: u64,
    },
}

/// An open file.
#[derive(Debug)]
pub struct FeedbackFile {
    path: PathBuf,
    file: Mutex<File>,
    limit: u64,
}

impl FeedbackFile {
    /// Opens or makes the file for the records of a model.
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
        if present == header {
            cut_to_whole_lines(&mut file).map_err(failed)?;
        } else if header.starts_with(&present) {
            // New, or cut in the middle of its header.
            file.set_len(0).map_err(failed)?;
            file.write_all(&header).map_err(failed)?;
        } else {
            return Err(FeedbackError::OtherHeader { file: path.to_owned() });
        }
        Ok(Self { path: path.to_owned(), file: Mutex::new(file), limit: MOST_BYTES })
    }

    /// Appends whole lines with one write.
    pub(in crate::model) fn append(&self, lines: &[u8]) -> Result<(), FeedbackError> {
        let failed = |source| FeedbackError::File { file: self.path.clone(), source };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let size = file.metadata().map_err(failed)?.len();
        if size.saturating_add(lines.len() as u64) > self.limit {
            return Err(FeedbackError::Full { file: self.path.clone(), limit: self.limit });
        }
        if let Err(source) = file.write_all(lines) {
            // On a full disk half a line may be there; the next one must not go on from it.
            let _ = file.set_len(size);
            return Err(failed(source));
        }
        Ok(())
    }
}

/// A line of CSV.
pub(in crate::model) fn line<T: AsRef<[u8]>>(cells: impl IntoIterator<Item = T>) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(cells).map_err(io::Error::from)?;
    writer.into_inner().map_err(csv::IntoInnerError::into_error)
}

/// Cuts off what stands behind the last line end.
fn cut_to_whole_lines(file: &mut File) -> io::Result<()> {
    let size = file.metadata()?.len();
    let start = size.saturating_sub(LONGEST_LINE);
    let mut end = Vec::new();
    file.seek(SeekFrom::Start(start))?;
    file.read_to_end(&mut end)?;
    let whole = memchr::memrchr(b'\n', &end).map_or(0, |place| place as u64 + 1);
    if whole < end.len() as u64 {
        file.set_len(start + whole)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{FeedbackError, FeedbackFile};
    use crate::model::samples::{self, Folder};

    const HEADER: &str = "height,width,colour,kind\n";

    #[test]
    fn a_line_that_was_cut_by_a_kill_is_removed_and_the_file_goes_on() {
        let folder = Folder::new();
        let path = folder.path().join("new/a.csv");
        let model = samples::model().into();
        FeedbackFile::open(&path, &model).unwrap().append(b"1,2,red,short\n").unwrap();
        fs::write(&path, format!("{HEADER}1,2,red,short\n3,4,bl")).unwrap();
        FeedbackFile::open(&path, &model).unwrap().append(b"5,6,red,tall\n").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), format!("{HEADER}1,2,red,short\n5,6,red,tall\n"));
    }

    #[test]
    fn a_file_of_another_model_is_refused_and_left_as_it_is() {
        let folder = Folder::new();
        let path = folder.write("a.csv", "x,y\n1,2\n");
        assert!(matches!(FeedbackFile::open(&path, &samples::model().into()), Err(FeedbackError::OtherHeader { .. })));
        assert_eq!(fs::read_to_string(&path).unwrap(), "x,y\n1,2\n");
    }

    #[test]
    fn a_full_file_takes_no_more() {
        let folder = Folder::new();
        let mut file = FeedbackFile::open(&folder.path().join("a.csv"), &samples::model().into()).unwrap();
        file.limit = 30;
        assert!(matches!(file.append(b"1,2,red,short\n"), Err(FeedbackError::Full { .. })));
    }
}
