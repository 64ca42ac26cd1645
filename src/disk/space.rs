//! How much room the file system of a folder has, and whether that is too little.
//!
//! An image, a model and a day of logs fit into the bound, so whoever is warned has time to act. Of a small disk a share is
//! the bound, or it would be scarce from the start.

use std::io;
use std::path::Path;

use rustix::fs::statvfs;

/// Less than this is scarce on any disk, in bytes.
const SCARCE: u64 = 1 << 30;
/// Less than this part of the disk is scarce on a small one.
const SCARCE_PART: u64 = 20;
/// This part of the bound must be free beyond it before there is enough again: a disk at the bound would be told of without end.
const ENOUGH_PART: u64 = 4;

/// What a file system has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DiskSpace {
    /// Bytes that are free for who is not root.
    pub free: u64,
    /// Bytes of all of it; 0 where the file system does not tell.
    pub total: u64,
}

impl DiskSpace {
    /// Of the file system of a file or folder. It asks the system once and reads nothing.
    pub fn of(path: &Path) -> io::Result<Self> {
        let found = statvfs(path)?;
        let bytes = |blocks: u64| blocks.saturating_mul(found.f_frsize);
        Ok(Self { free: bytes(found.f_bavail), total: bytes(found.f_blocks) })
    }

    /// Bytes below which it is scarce.
    pub fn bound(self) -> u64 {
        SCARCE.min(self.total / SCARCE_PART)
    }

    /// Whether what is free may soon not be enough.
    pub fn is_scarce(self) -> bool {
        self.is_still_scarce(false)
    }

    /// The same where it is known whether it was scarce before.
    pub fn is_still_scarce(self, was_scarce: bool) -> bool {
        let beyond = if was_scarce { self.bound() / ENOUGH_PART } else { 0 };
        self.free < self.bound() + beyond
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GIBIBYTE: u64 = 1 << 30;

    fn space(free: u64, total: u64) -> DiskSpace {
        DiskSpace { free, total }
    }

    #[test]
    fn of_a_large_disk_a_gibibyte_is_the_bound_and_of_a_small_one_a_share() {
        assert!(space(GIBIBYTE - 1, 500 * GIBIBYTE).is_scarce());
        assert!(!space(GIBIBYTE, 500 * GIBIBYTE).is_scarce());
        assert!(!space(GIBIBYTE / 2, 10 * GIBIBYTE).is_scarce());
        assert!(space(GIBIBYTE / 2 - 1, 10 * GIBIBYTE).is_scarce());
        assert!(!space(0, 0).is_scarce(), "one that does not tell");
    }

    #[test]
    fn what_was_scarce_is_so_until_there_is_clearly_enough() {
        let of = |tenths: u64| space(GIBIBYTE / 10 * tenths, 500 * GIBIBYTE);
        assert!(!of(11).is_still_scarce(false));
        assert!(of(11).is_still_scarce(true));
        assert!(of(9).is_still_scarce(false));
        assert!(!of(13).is_still_scarce(true));
    }

    #[test]
    fn the_system_tells_of_a_folder_and_not_of_one_that_is_not_there() {
        let folder = tempfile::tempdir().unwrap();
        let found = DiskSpace::of(folder.path()).unwrap();
        assert!(found.free <= found.total && found.total > 0, "{found:?}");
        assert!(DiskSpace::of(&folder.path().join("nowhere")).is_err());
    }
}
