//! The folder in which one build works, and the clearing of those that a killed build left.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::disk::FileLock;

const PREFIX: &str = ".build-";
const LOCK: &str = "lock";

/// A folder beside the archives, so that a finished one is moved to its place by a rename. Removed when dropped.
#[derive(Debug)]
pub struct Workspace {
    folder: PathBuf,
    _lock: FileLock,
}

impl Workspace {
    /// Makes the folder, after clearing those whose build is dead.
    pub fn new(images: &Path) -> io::Result<Self> {
        fs::create_dir_all(images)?;
        clear(images)?;
        let folder = images.join(format!("{PREFIX}{}", std::process::id()));
        fs::create_dir(&folder)?;
        match FileLock::try_acquire(&folder.join(LOCK)) {
            Ok(Some(lock)) => Ok(Self { folder, _lock: lock }),
            Ok(None) => Err(io::Error::new(io::ErrorKind::ResourceBusy, format!("{} is in use", folder.display()))),
            Err(error) => {
                // Most likely the disk is full: leave nothing that takes more of it.
                let _ = fs::remove_dir_all(&folder);
                Err(error)
            }
        }
    }

    /// A file in the folder.
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        // Nobody is left to be told; the next build clears what stays.
        let _ = fs::remove_dir_all(&self.folder);
    }
}

fn clear(images: &Path) -> io::Result<()> {
    for entry in fs::read_dir(images)? {
        let entry = entry?;
        if !entry.file_name().to_string_lossy().starts_with(PREFIX) {
            continue;
        }
        // The kernel took the lock back when the build died, so a lock that is free means a build that is dead.
        if let Ok(Some(_lock)) = FileLock::try_acquire(&entry.path().join(LOCK)) {
            fs::remove_dir_all(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_leaves_nothing_and_clears_what_a_dead_one_left() {
        let images = tempfile::tempdir().unwrap();
        let dead = images.path().join(".build-1");
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join("server.tar"), "half").unwrap();
        let workspace = Workspace::new(images.path()).unwrap();
        assert!(!dead.exists());
        fs::write(workspace.file("x"), "x").unwrap();
        drop(workspace);
        assert_eq!(fs::read_dir(images.path()).unwrap().count(), 0);
    }
}
