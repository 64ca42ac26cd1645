//! What tells that a file is as it was, without reading it.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;

use serde::{Deserialize, Serialize};

/// Length, inode and the moment of the last change of a file. Equal stamps mean the same content for all that a program
/// can do without setting the clock back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileStamp {
    /// Bytes.
    pub bytes: u64,
    inode: u64,
    changed: (i64, i64),
}

impl From<&Metadata> for FileStamp {
    fn from(metadata: &Metadata) -> Self {
        Self { bytes: metadata.len(), inode: metadata.ino(), changed: (metadata.mtime(), metadata.mtime_nsec()) }
    }
}
