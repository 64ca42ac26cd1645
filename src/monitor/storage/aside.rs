//! Blocks that were set aside because they are damaged.
//!
//! They are kept for whoever wants to look into them, but not for ever: once all that they held would be older than what is
//! kept, the file goes like any other block.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// How the name ends of a file that was set aside.
pub(super) const ENDING: &str = ".damaged";

/// One of them.
#[derive(Debug)]
pub(super) struct Aside {
    pub(super) path: PathBuf,
    /// When it was written, which is no earlier than its last sample was taken. Its own index cannot be asked, and all that
    /// depends on this time is how long a file stays that is of no use to us.
    written: i64,
}

impl Aside {
    /// A file that was set aside, now or by an earlier process.
    pub(super) fn of(path: &Path) -> Option<Self> {
        let modified = fs::metadata(path).ok()?.modified().ok()?;
        let written = i64::try_from(modified.duration_since(UNIX_EPOCH).ok()?.as_millis()).ok()?;
        Some(Self { path: path.to_owned(), written })
    }

    /// Whether all in it is older than a moment.
    pub(super) fn is_older_than(&self, oldest: i64) -> bool {
        self.written < oldest
    }

    /// Removes it; whether it is gone. Where it cannot be removed it stays until the next start.
    pub(super) fn remove(&self) -> bool {
        fs::remove_file(&self.path).is_ok()
    }
}
