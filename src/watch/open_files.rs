//! Which files some process still holds open for writing.
//!
//! The kernel tells when *a* writer closes, not whether it was the last. `/proc/PID/fd` names what each process of this user
//! (of all users, for root) has open; writers of other users are not seen, and for them the settle time alone speaks.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// All files that are open for writing by any process that we may look at, by their resolved paths.
pub(super) fn written_files() -> BTreeSet<PathBuf> {
    let mut written = BTreeSet::new();
    let Ok(processes) = fs::read_dir("/proc") else { return written };
    for process in processes.flatten() {
        let is_process =
            process.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        let Some(open) = is_process.then(|| fs::read_dir(process.path().join("fd")).ok()).flatten() else { continue };
        for file in open.flatten() {
            // Pipes, sockets and the like have no path.
            if let Ok(target) = fs::read_link(file.path())
                && target.is_absolute()
                && !target.starts_with("/dev")
                && may_write(&process.path().join("fdinfo").join(file.file_name()))
            {
                written.insert(target);
            }
        }
    }
    written
}

/// The access mode is the last octal digit of the flags: 1 is write-only, 2 is both.
fn may_write(information: &Path) -> bool {
    let Ok(text) = fs::read_to_string(information) else { return false };
    let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
    flags.and_then(|flags| flags.trim().chars().last()).is_some_and(|mode| mode == '1' || mode == '2')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_until_its_last_writer_closes_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().canonicalize().unwrap().join("data.csv");
        let first = fs::File::create(&path).unwrap();
        let second = fs::OpenOptions::new().append(true).open(&path).unwrap();
        drop(first);
        assert!(written_files().contains(&path));
        drop(second);
        let _reader = fs::File::open(&path).unwrap();
        assert!(!written_files().contains(&path));
    }
}
