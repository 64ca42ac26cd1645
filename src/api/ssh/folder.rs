//! Where the two sockets of a line lie at this end: in a folder that only its owner may enter.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::failure::LineError;
use crate::disk::create_own_folder;

/// The longest path of a socket, by the kernel's `sockaddr_un`.
const LONGEST: usize = 107;
/// `ssh` makes its control socket under a name with a dot and 16 random letters behind, and renames it.
const RANDOM_NAME: usize = 17;
/// More lines of one process than anybody opens.
const MOST: u32 = 1_000;
/// What the folders begin with; the number of the process and that of the line follow.
const NAME: &str = "line-";

/// The folder of one line; it goes away with it.
#[derive(Debug)]
pub(super) struct LineFolder {
    path: PathBuf,
}

impl LineFolder {
    /// Makes one. Those of processes that were killed go away.
    pub(super) fn create() -> Result<Self, LineError> {
        let failed = |error: io::Error| LineError::Folder { reason: error.to_string() };
        let pid = std::process::id();
        for number in 0..MOST {
            match create_own_folder(&format!("{NAME}{pid}-{number}")) {
                Ok(path) => {
                    if let Some(parent) = path.parent() {
                        remove_left(parent);
                    }
                    return Self::at(path).checked();
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(failed(error)),
            }
        }
        Err(failed(io::ErrorKind::AlreadyExists.into()))
    }

    /// In a folder that is there.
    pub(super) fn at(path: PathBuf) -> Self {
        Self { path }
    }

    fn checked(self) -> Result<Self, LineError> {
        let length = self.control().as_os_str().len() + RANDOM_NAME;
        if length > LONGEST {
            return Err(LineError::PathTooLong { path: self.control(), length, longest: LONGEST });
        }
        Ok(self)
    }

    /// By which a second `ssh` speaks to the one that is the line.
    pub(super) fn control(&self) -> PathBuf {
        self.path.join("c")
    }

    /// Where the daemon over there is heard.
    pub(super) fn socket(&self) -> PathBuf {
        self.path.join("s")
    }

    /// Removes what an `ssh` that was killed left.
    pub(super) fn clear(&self) {
        for socket in [self.control(), self.socket()] {
            let _ = fs::remove_file(socket);
        }
    }
}

impl Drop for LineFolder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes the folders of processes that are gone. One whose number was given again stays a while longer.
fn remove_left(parent: &Path) {
    for entry in fs::read_dir(parent).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let pid = name.strip_prefix(NAME).and_then(|rest| rest.split('-').next()?.parse::<u32>().ok());
        if pid.is_some_and(|pid| !Path::new(&format!("/proc/{pid}")).exists()) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_for_which_the_kernel_has_no_room_is_refused_with_its_length() {
        let temporary = tempfile::tempdir().unwrap();
        assert!(LineFolder::at("/run/user/1000/trainyard/line-4194304-0".into()).checked().is_ok());
        let long = temporary.path().join("long".repeat(20));
        let error = LineFolder::at(long).checked().unwrap_err();
        let said = error.to_string();
        assert!(said.contains("XDG_RUNTIME_DIR") && said.contains("107"), "{said}");
        assert!(!error.may_pass());
    }

    #[test]
    fn what_a_killed_process_left_goes_away_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        let own = format!("{NAME}{}-0", std::process::id());
        // Above the highest number that Linux gives.
        for name in [own.as_str(), "line-4194999-0", "0123456789abcdef", "line-x"] {
            fs::create_dir(parent.path().join(name)).unwrap();
        }
        fs::write(parent.path().join("line-4194999-0/c"), "").unwrap();
        remove_left(parent.path());
        let mut left: Vec<String> = fs::read_dir(parent.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        let mut expected = vec!["0123456789abcdef".to_owned(), own, "line-x".to_owned()];
        expected.sort();
        assert_eq!(left, expected);
    }
}
