//! Disks as users have them on a bad day: full, or read-only.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use super::commands::finish;

/// How long `mount` may take.
const MOUNT: Duration = Duration::from_secs(20);

/// Whether this test may do what only root may.
pub fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Calls `mount` or `umount`; false when it refuses, as it does without the right to.
pub(super) fn call(program: &str, arguments: &[&str], folder: &Path) -> bool {
    is_root() && finish(Command::new(program).args(arguments).arg(folder), MOUNT).code == Some(0)
}

/// Writes into `file` until its disk holds not one byte more.
pub fn fill(file: &Path) {
    let mut ballast = OpenOptions::new().create(true).append(true).open(file).unwrap();
    for size in [1 << 16, 1 << 12, 1] {
        let block = vec![b'x'; size];
        loop {
            match ballast.write(&block) {
                Ok(written) => assert!(written > 0, "nothing was written, and no error told why"),
                Err(error) if error.kind() == ErrorKind::StorageFull => break,
                Err(error) => panic!("the disk cannot be filled: {error}"),
            }
        }
    }
}
