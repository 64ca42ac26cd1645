//! The folder `.trainyard/` of a project, and the socket in the run-time folder.

use std::fs;
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::digest_bytes;
use super::projects::CARD;
use crate::pipeline::{Attempt, ModelVersion, RunId, StageName};

/// Bytes that the path of a socket may have: `sun_path` holds 108, and the last is its end.
const SOCKET_LIMIT: usize = 107;
/// The bits of a mode by which others than the owner may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// All paths of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    project: PathBuf,
}

impl Layout {
    /// The layout of the project in `folder`, which must exist.
    pub fn new(folder: &Path) -> io::Result<Self> {
        Ok(Self { project: folder.canonicalize()? })
    }

    /// Makes `.trainyard/`, closed to other users and ignored by git through its own `.gitignore`.
    pub fn create(&self) -> io::Result<()> {
        let state = self.state();
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&state)?;
        for folder in ["runs", "models", "images", "releases", "series", "feedback"] {
            fs::create_dir_all(state.join(folder))?;
        }
        let ignore = state.join(".gitignore");
        if !ignore.exists() {
            fs::write(ignore, "*\n")?;
        }
        Ok(())
    }

    /// The project folder, absolute and without symbolic links.
    pub fn project(&self) -> &Path {
        &self.project
    }

    /// `trainyard.toml`.
    pub fn configuration(&self) -> PathBuf {
        self.project.join("trainyard.toml")
    }

    /// `.trainyard/`.
    pub fn state(&self) -> PathBuf {
        self.project.join(".trainyard")
    }

    /// The journal of events.
    pub fn journal(&self) -> PathBuf {
        self.state().join("journal.db")
    }

    /// The lock that the daemon holds for its life.
    pub fn daemon_lock(&self) -> PathBuf {
        self.state().join("daemon.lock")
    }

    /// What the daemon itself has to say.
    pub fn daemon_log(&self) -> PathBuf {
        self.state().join("daemon.log")
    }

    /// All that belongs to one run.
    pub fn run(&self, run: RunId) -> PathBuf {
        self.state().join("runs").join(run.to_string())
    }

    /// The folder of one attempt of a stage: log, index, exit, output, reports.
    pub fn attempt(&self, run: RunId, stage: &StageName, attempt: Attempt) -> PathBuf {
        self.run(run).join(format!("{stage}.{attempt}"))
    }

    /// The folder of a model version.
    pub fn model(&self, version: ModelVersion) -> PathBuf {
        self.state().join("models").join(version.to_string())
    }

    /// Where searches note how far they came, so that one that was killed goes on.
    pub fn searches(&self) -> PathBuf {
        self.state().join("search")
    }

    /// Where images lie, named by their digest.
    pub fn images(&self) -> PathBuf {
        self.state().join("images")
    }

    /// Where releases collect labelled rows.
    pub fn feedback(&self) -> PathBuf {
        self.state().join("feedback")
    }

    /// Where scraped series lie.
    pub fn series(&self) -> PathBuf {
        self.state().join("series")
    }

    /// Where the process target unpacks images and keeps its state.
    pub fn releases(&self) -> PathBuf {
        self.state().join("releases")
    }

    /// The daemon's socket.
    pub fn socket(&self) -> PathBuf {
        self.runtime("daemon.sock")
    }

    /// The socket of the process target's host.
    pub fn host_socket(&self) -> PathBuf {
        self.runtime("host.sock")
    }

    /// What the daemon says of itself to those who list projects.
    pub fn project_card(&self) -> PathBuf {
        self.runtime(CARD)
    }

    /// A file in this project's run-time folder. The path of a socket must be short, so the folder's name is a digest of the project path.
    fn runtime(&self, name: &str) -> PathBuf {
        runtime_folder().join(digest_bytes(self.project.as_os_str().as_encoded_bytes()).short()).join(name)
    }

    /// Makes the run-time folder of this project, closed to other users.
    pub fn create_runtime(&self) -> io::Result<()> {
        let socket = self.socket();
        let folder = socket.parent().unwrap_or(&socket);
        is_short(&socket)?;
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        for folder in [folder.parent().unwrap_or(folder), folder] {
            is_own(folder, rustix::process::getuid().as_raw())?;
            fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
        }
        Ok(())
    }

    /// Whether a socket can be in the run-time folder, and whether that is this user's own and nobody else can put anything
    /// into it, if it is there. In a temporary folder anybody could have made it first, with a socket of theirs in it.
    pub fn check_runtime(&self) -> io::Result<()> {
        let socket = self.socket();
        is_short(&socket)?;
        let folder = socket.parent().unwrap_or(&socket);
        for folder in [folder.parent().unwrap_or(folder), folder] {
            is_own(folder, rustix::process::getuid().as_raw())?;
            is_closed(folder)?;
        }
        Ok(())
    }
}

/// Makes a folder in the run-time folder of this user, closed to others, for sockets that belong to no project here. That
/// there is one of that name already is an error.
pub fn create_own_folder(name: &str) -> io::Result<PathBuf> {
    let parent = runtime_folder();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&parent)?;
    is_own(&parent, rustix::process::getuid().as_raw())?;
    fs::set_permissions(&parent, fs::Permissions::from_mode(0o700))?;
    let folder = parent.join(name);
    fs::DirBuilder::new().mode(0o700).create(&folder)?;
    Ok(folder)
}

/// Told here, for the system says no more than that an argument is invalid.
fn is_short(socket: &Path) -> io::Result<()> {
    let length = socket.as_os_str().len();
    if length <= SOCKET_LIMIT {
        return Ok(());
    }
    let text = format!(
        "the path of the socket, {}, has {length} bytes, and the system allows {SOCKET_LIMIT}; set XDG_RUNTIME_DIR to a folder with a shorter path",
        socket.display()
    );
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn is_own(folder: &Path, user: u32) -> io::Result<()> {
    let metadata = match fs::symlink_metadata(folder) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if metadata.is_dir() && metadata.uid() == user {
        return Ok(());
    }
    let text = format!(
        "{} belongs to user {} and not to you, so its sockets are not trusted; remove it, or set XDG_RUNTIME_DIR to a folder of yours",
        folder.display(),
        metadata.uid()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// Whether nobody else can make a file in a folder; one that is not there has none.
fn is_closed(folder: &Path) -> io::Result<()> {
    let mode = match fs::symlink_metadata(folder) {
        Ok(metadata) => metadata.mode(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error),
    };
    if mode & WRITABLE_BY_OTHERS == 0 {
        return Ok(());
    }
    let text = format!(
        "other users can write to {0}, so its sockets are not trusted; look who did that, then close it with `chmod 700 {0}`",
        folder.display()
    );
    Err(io::Error::new(io::ErrorKind::PermissionDenied, text))
}

/// Where the run-time folder of projects would be for these variables of a user: `$XDG_RUNTIME_DIR/trainyard` if the folder
/// is the user's; else the same in the folder that every login of theirs has, for `sudo -u`, `su`, cron and hooks do not tell
/// of it, or tell of another user's; else a folder of their own below the temporary folder.
fn runtime_among(given: Option<PathBuf>, of_logins: PathBuf, user: u32) -> PathBuf {
    let is_usable = |folder: &PathBuf| {
        folder.is_absolute() && fs::metadata(folder).is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == user)
    };
    match given.into_iter().chain([of_logins]).find(is_usable) {
        Some(folder) => folder.join("trainyard"),
        None => std::env::temp_dir().join(format!("trainyard-{user}")),
    }
}

/// The run-time folder of all projects of this user, as things are now.
pub(super) fn runtime_folder() -> PathBuf {
    let user = rustix::process::getuid().as_raw();
    let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    runtime_among(given, Path::new("/run/user").join(user.to_string()), user)
}

/// The run-time folder of all projects of this user, if it is theirs: what lies in it may then be believed.
pub(super) fn own_runtime_folder() -> io::Result<PathBuf> {
    let folder = runtime_folder();
    is_own(&folder, rustix::process::getuid().as_raw())?;
    is_closed(&folder)?;
    Ok(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_socket_that_the_system_does_not_take_is_told_with_its_length_and_the_mend() {
        let of = |length: usize| PathBuf::from(format!("/{}", "x".repeat(length - 1)));
        is_short(&of(107)).unwrap();
        let error = is_short(&of(108)).unwrap_err().to_string();
        assert!(error.contains("has 108 bytes, and the system allows 107; set XDG_RUNTIME_DIR"), "{error}");
    }

    #[test]
    fn a_folder_of_somebody_else_and_a_link_are_not_trusted() {
        let folder = tempfile::tempdir().unwrap();
        let own = rustix::process::getuid().as_raw();
        is_own(folder.path(), own).unwrap();
        is_own(&folder.path().join("missing"), own).unwrap();
        let error = is_own(folder.path(), own + 1).unwrap_err().to_string();
        assert!(error.contains("and not to you"), "{error}");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path(), &link).unwrap();
        assert!(is_own(&link, own).is_err());
    }

    #[test]
    fn a_folder_that_others_can_write_to_is_not_trusted_and_one_that_they_can_only_look_into_is() {
        let folder = tempfile::tempdir().unwrap();
        let with = |mode: u32| {
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(mode)).unwrap();
            is_closed(folder.path())
        };
        with(0o700).unwrap();
        with(0o755).unwrap();
        for mode in [0o770, 0o702, 0o777] {
            let error = with(mode).unwrap_err().to_string();
            assert!(error.contains("chmod 700"), "{error}");
        }
        is_closed(&folder.path().join("missing")).unwrap();
    }

    #[test]
    fn with_and_without_the_variable_a_user_has_the_same_runtime_folder() {
        let (folder, own) = (tempfile::tempdir().unwrap(), rustix::process::getuid().as_raw());
        let of_logins = folder.path().to_owned();
        let expected = of_logins.join("trainyard");
        let other = folder.path().join("other");
        fs::create_dir(&other).unwrap();
        let among = |given: Option<&Path>| runtime_among(given.map(Path::to_owned), of_logins.clone(), own);
        assert_eq!(among(Some(&other)), other.join("trainyard"), "what is said goes before what is usual");
        assert_eq!(among(Some(&of_logins)), expected);
        assert_eq!(among(None), expected, "as by `sudo -u`");
        for unusable in [Path::new(""), Path::new("run"), &folder.path().join("missing")] {
            assert_eq!(among(Some(unusable)), expected, "{}", unusable.display());
        }
        // That of somebody else, which `su` leaves in the variable.
        let of_another = runtime_among(Some(other), of_logins.clone(), own + 1);
        assert_eq!(of_another, std::env::temp_dir().join(format!("trainyard-{}", own + 1)));
    }
}
