//! A folder for a demo of which nothing is to stay.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use super::error::DemoError;
use crate::disk::Layout;

/// Names that are tried: one is free unless somebody is filling the folder.
const MOST_NAMES: u32 = 1_000;

/// A fresh folder, closed to other users; removed with all that is in it when dropped. The daemon and the app must be
/// stopped before.
#[derive(Debug)]
pub struct TemporaryFolder {
    path: PathBuf,
}

impl TemporaryFolder {
    /// Makes the folder below the system's temporary folder.
    pub fn new() -> Result<Self, DemoError> {
        let parent = std::env::temp_dir();
        let mut number = 0;
        loop {
            let path = parent.join(format!("trainyard-demo-{}-{number}", std::process::id()));
            // Made, not looked for: what another user put there is never taken for ours.
            match DirBuilder::new().mode(0o700).create(&path) {
                Ok(()) => return Ok(Self { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists && number < MOST_NAMES => number += 1,
                Err(source) => return Err(DemoError::File { path, source }),
            }
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for TemporaryFolder {
    fn drop(&mut self) {
        // Nobody is left to be told; the system clears its temporary folder by itself.
        if let Ok(layout) = Layout::new(&self.path) {
            let socket = layout.socket();
            if let Some(runtime) = socket.parent() {
                let _ = fs::remove_dir_all(runtime);
            }
        }
        let _ = fs::remove_dir_all(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_folders_differ_and_nothing_stays_of_them() {
        let (one, other) = (TemporaryFolder::new().unwrap(), TemporaryFolder::new().unwrap());
        assert_ne!(one.path(), other.path());
        fs::write(one.path().join("file"), "text").unwrap();
        let path = one.path().to_owned();
        drop(one);
        assert!(!path.exists());
    }
}
