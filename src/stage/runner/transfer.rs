//! What is carried to a pod and back, as tar streams of which not one is held in memory or on disk.
//!
//! There: a [`Parcel`] is put together first, so that its size is known before its first byte: what reads it must know where
//! it ends. Back: the entries are unpacked beside the real places, and take them only when all came, and came whole. What
//! comes back is not trusted: it stays in its folder, and so does every link in it.

mod output;
mod parcel;
mod pipe;
mod unpack;

use std::io;
use std::path::{Path, PathBuf};

pub use self::output::OutputFile;
pub use self::parcel::Parcel;
pub use self::pipe::{ChannelReader, ChannelWriter};
pub use self::unpack::{place, unpack};

/// The last entry of what comes back; without it something is missing.
pub const SEAL: &str = ".exit";

/// Why files cannot be carried.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// A file or folder here cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder here cannot be written.
    #[error("cannot write {path}: {source}; make room or mend its rights, and run the stage again")]
    Write {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Git does not tell what it ignores.
    #[error("cannot ask git what it ignores in {path}: {reason}")]
    Git {
        /// The source.
        path: PathBuf,
        /// What git said, with the mend if there is one.
        reason: String,
    },
    /// The stream from the pod is no whole archive.
    #[error("what the stage wrote did not come back whole: {0}")]
    Broken(io::Error),
    /// Something in it is not taken.
    #[error("what the stage wrote is not taken: {entry} {why}")]
    Refused {
        /// The entry.
        entry: String,
        /// Why, to be read behind it.
        why: &'static str,
    },
}

impl TransferError {
    /// A file or folder here cannot be read.
    pub fn read(path: &Path, source: io::Error) -> Self {
        Self::Read { path: path.to_owned(), source }
    }

    /// Git does not tell what it ignores.
    pub fn git(path: &Path, error: &git2::Error) -> Self {
        let shown = path.display();
        let reason = match error.code() {
            git2::ErrorCode::Owner => format!(
                "the repository belongs to another user; if you trust it, run `git config --global --add safe.directory {shown}`"
            ),
            _ => error.message().to_owned(),
        };
        Self::Git { path: path.to_owned(), reason }
    }

    fn write(path: &Path, source: io::Error) -> Self {
        Self::Write { path: path.to_owned(), source }
    }
}

#[cfg(test)]
mod tests;
