//! Whether some process still holds a file open for writing.
//!
//! The kernel tells when *a* writer closes, not whether it was the last. `/proc/PID/fd` names what each process of this user
//! (of all users, for root) has open; writers of other users are not seen, and for them the settle time alone speaks.

use std::fs;
use std::path::Path;

/// Whether `path`, which must be absolute and resolved, is open for writing by any process that we may look at.
pub(super) fn is_written(path: &Path) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else { return false };
    for process in processes.flatten() {
        let is_process =
            process.file_name().to_str().is_some_and(|name| name.bytes().all(|byte| byte.is_ascii_digit()));
        if !is_process {
            continue;
        }
        let Ok(open) = fs::read_dir(process.path().join("fd")) else { continue };
        for file in open.flatten() {
            if fs::read_link(file.path()).is_ok_and(|target| target == path)
                && may_write(&process.path().join("fdinfo").join(file.file_name()))
            {
                return true;
            }
        }
    }
    false
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
        assert!(is_written(&path));
        drop(second);
        let _reader = fs::File::open(&path).unwrap();
        assert!(!is_written(&path));
    }
}
