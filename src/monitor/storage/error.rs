//! What can go wrong, and the place where faults are put down that nobody waits for.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// More faults than this are not kept for whoever asks.
const MOST_FAULTS: usize = 100;

/// Why series could not be written or read. Whatever it is, scraping and charts go on.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StorageError {
    /// There is no room.
    #[error(
        "no space is left to write series in {folder}; the newest stay in memory, and a restart would lose them; make room, or lower the limits in [monitor]: it goes on by itself"
    )]
    Full {
        /// Where they were to be written.
        folder: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// They cannot be written for another reason.
    #[error(
        "cannot write series in {folder}: {source}; the newest stay in memory, and a restart would lose them; it is tried again"
    )]
    Write {
        /// Where they were to be written.
        folder: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// A file or folder cannot be read.
    #[error("cannot read series from {path}: {source}; what it holds is missing in charts")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: Arc<io::Error>,
    },
    /// A file does not hold what was written.
    #[error(
        "{path} is damaged ({fault}); what it holds is missing in charts; it was set aside as {aside}, and is removed once all else of its age is"
    )]
    SetAside {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
        /// Its new name.
        aside: PathBuf,
    },
    /// A file that was set aside is older than what is kept.
    #[error("{path} was set aside as damaged; all it held would be older than `retention` by now, so it was removed")]
    AsideRemoved {
        /// The file.
        path: PathBuf,
    },
    /// A part of a file does not hold what was written.
    #[error("{path} is damaged ({fault}); that part of it is missing in charts, the rest is not")]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// What could not be written for too long.
    #[error("{samples} samples were dropped because they could not be written for too long and memory is bounded")]
    Dropped {
        /// How many.
        samples: u64,
    },
}

impl StorageError {
    /// Whether it is only to be told, and nothing is amiss.
    pub fn is_note(&self) -> bool {
        match self {
            Self::AsideRemoved { .. } => true,
            Self::Full { .. }
            | Self::Write { .. }
            | Self::Read { .. }
            | Self::SetAside { .. }
            | Self::Damaged { .. }
            | Self::Dropped { .. } => false,
        }
    }

    pub(super) fn writing(folder: &Path, source: io::Error) -> Self {
        let folder = folder.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { folder, source: Arc::new(source) }
            }
            _ => Self::Write { folder, source: Arc::new(source) },
        }
    }

    pub(super) fn reading(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source: Arc::new(source) }
    }
}

/// Why a sample was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// It is older than the last one of its series.
    #[error("the sample is older than the last one of its series")]
    OutOfOrder,
    /// The series has another value at this moment.
    #[error("the series has another value at this moment already")]
    DuplicateForTimestamp,
    /// There is no such series, or not any more: ask `resolve` again.
    #[error("the series is not known, or not any more")]
    UnknownSeries,
}

/// Faults that were noticed where nobody waits for an answer, as when a query found a damaged block.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults(Arc<Mutex<Vec<StorageError>>>);

impl Faults {
    pub(super) fn put(&self, fault: StorageError) {
        let mut faults = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if faults.len() < MOST_FAULTS {
            faults.push(fault);
        }
    }

    pub(super) fn take(&self) -> Vec<StorageError> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_told_as_such() {
        let error = StorageError::writing(Path::new(".trainyard/series"), io::ErrorKind::StorageFull.into());
        insta::assert_snapshot!(error.to_string(), @"no space is left to write series in .trainyard/series; the newest stay in memory, and a restart would lose them; make room, or lower the limits in [monitor]: it goes on by itself");
        assert!(matches!(error, StorageError::Full { .. }));
        let other = StorageError::writing(Path::new("series"), io::ErrorKind::NotFound.into());
        assert!(matches!(other, StorageError::Write { .. }));
    }
}
