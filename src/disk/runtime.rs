//! Where sockets lie: a folder of this user's that is closed to others, and that daemon, host and clients all find.
//!
//! By the environment alone they would not: cron, a service manager and `su` tell of another run-time folder than a login does,
//! or of none, and a host outlives the daemon that started it. So whoever listens notes the folder in the state folder of the
//! project, and everybody else looks there first. A note is believed only as far as the folder is this user's own and closed;
//! without one that can be believed all go by their environment. What is noted is the folder of all projects, without the part
//! that stands for this one: a copy of a project has its note too, and must not find the daemon of the original.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::write_whole;

/// The file of the daemon's socket. No other file of a socket has a longer name.
pub(super) const DAEMON_SOCKET: &str = "daemon.sock";
/// What the folder of all projects is called. In a temporary folder the number of the user follows.
const NAME: &str = "trainyard";
/// Bytes that the path of a socket may have: `sun_path` holds 108, and the last is its end.
const SOCKET_LIMIT: usize = 107;
/// The bits of a mode by which others than the owner may write.
const WRITABLE_BY_OTHERS: u32 = 0o022;

/// The folder that a file notes, if sockets in it can be trusted.
pub(super) fn noted(file: &Path) -> Option<PathBuf> {
    let mut bytes = fs::read(file).ok()?;
    if bytes.ends_with(b"\n") {
        bytes.pop();
    }
    let folder = PathBuf::from(OsString::from_vec(bytes));
    is_trusted(&folder, user()).then_some(folder)
}

/// Notes a folder in a file.
pub(super) fn note(file: &Path, folder: &Path) -> io::Result<()> {
    write_whole(file, &[folder.as_os_str().as_bytes(), b"\n"].concat())
}

/// A state folder may come from anywhere. So a note names no folder but one that is called as ours are, is there, belongs to this
/// user, and is closed to others.
fn is_trusted(folder: &Path, user: u32) -> bool {
    let is_called_so = folder.ends_with(NAME) || folder.ends_with(format!("{NAME}-{user}"));
    let is_closed_and_own = |metadata: fs::Metadata| {
        metadata.is_dir() && metadata.uid() == user && metadata.mode() & WRITABLE_BY_OTHERS == 0
    };
    folder.is_absolute() && is_called_so && fs::symlink_metadata(folder).is_ok_and(is_closed_and_own)
}

/// Where one who listens belongs: in the folder that is noted, for the others look there, or else in the usual one. But the
/// temporary folder is the last resort: from there they go on as soon as there is a better one, after a login for example.
pub(super) fn chosen(noted: Option<PathBuf>, usual: PathBuf) -> PathBuf {
    noted.filter(|noted| *noted != in_temporary(user())).unwrap_or(usual)
}

/// Makes the folder of one project, and the one of all projects around it, closed to other users.
pub(super) fn create(folder: &Path) -> io::Result<()> {
    is_short(&folder.join(DAEMON_SOCKET))?;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    for folder in [folder.parent().unwrap_or(folder), folder] {
        is_own(folder, user())?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

/// Whether a socket can be in the folder of one project, and whether that is this user's own and nobody else can put anything
/// into it, if it is there. In a temporary folder anybody could have made it first, with a socket of theirs in it.
pub(super) fn check(folder: &Path) -> io::Result<()> {
    is_short(&folder.join(DAEMON_SOCKET))?;
    for folder in [folder.parent().unwrap_or(folder), folder] {
        is_own(folder, user())?;
        is_closed(folder)?;
    }
    Ok(())
}

/// The run-time folder of all projects of this user, as the environment is now.
pub(super) fn by_environment() -> PathBuf {
    let given = std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from);
    among(given, Path::new("/run/user").join(user().to_string()), user())
}

/// The same, if it is theirs: what lies in it may then be believed.
pub(super) fn own_by_environment() -> io::Result<PathBuf> {
    let folder = by_environment();
    is_own(&folder, user())?;
    is_closed(&folder)?;
    Ok(folder)
}

/// Makes a folder in the run-time folder of this user, closed to others, for sockets that belong to no project here. That
/// there is one of that name already is an error.
pub fn create_own_folder(name: &str) -> io::Result<PathBuf> {
    let parent = by_environment();
    fs::DirBuilder::new().recursive(true).mode(0o700).create(&parent)?;
    is_own(&parent, user())?;
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
fn among(given: Option<PathBuf>, of_logins: PathBuf, user: u32) -> PathBuf {
    let is_usable = |folder: &PathBuf| {
        folder.is_absolute() && fs::metadata(folder).is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == user)
    };
    match given.into_iter().chain([of_logins]).find(is_usable) {
        Some(folder) => folder.join(NAME),
        None => in_temporary(user),
    }
}

fn in_temporary(user: u32) -> PathBuf {
    std::env::temp_dir().join(format!("{NAME}-{user}"))
}

fn user() -> u32 {
    rustix::process::getuid().as_raw()
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
        let among = |given: Option<&Path>| among(given.map(Path::to_owned), of_logins.clone(), own);
        assert_eq!(among(Some(&other)), other.join("trainyard"), "what is said goes before what is usual");
        assert_eq!(among(Some(&of_logins)), expected);
        assert_eq!(among(None), expected, "as by `sudo -u`");
        for unusable in [Path::new(""), Path::new("run"), &folder.path().join("missing")] {
            assert_eq!(among(Some(unusable)), expected, "{}", unusable.display());
        }
        // That of somebody else, which `su` leaves in the variable.
        let of_another = super::among(Some(other), of_logins.clone(), own + 1);
        assert_eq!(of_another, std::env::temp_dir().join(format!("trainyard-{}", own + 1)));
    }

    /// A folder as those that are noted, with the mode that those have.
    fn folder_named(parent: &Path, name: &str) -> PathBuf {
        let folder = parent.join(name);
        fs::DirBuilder::new().mode(0o700).create(&folder).unwrap();
        folder
    }

    #[test]
    fn what_is_noted_is_found_again_whatever_letters_it_has() {
        let temporary = tempfile::tempdir().unwrap();
        let file = temporary.path().join("note");
        assert_eq!(noted(&file), None);
        for bytes in [&b"plain"[..], b"two\nlines\n", b"no utf-8 \xff"] {
            let parent = temporary.path().join(OsString::from_vec(bytes.to_owned()));
            fs::create_dir(&parent).unwrap();
            let folder = folder_named(&parent, NAME);
            note(&file, &folder).unwrap();
            assert_eq!(noted(&file), Some(folder));
        }
    }

    #[test]
    fn a_note_is_believed_only_of_a_folder_that_is_ours_and_closed() {
        let temporary = tempfile::tempdir().unwrap();
        let (file, own) = (temporary.path().join("note"), user());
        let folder = folder_named(temporary.path(), NAME);
        let of_user = folder_named(temporary.path(), &format!("{NAME}-{own}"));
        assert!(is_trusted(&folder, own) && is_trusted(&of_user, own));
        assert!(!is_trusted(&folder, own + 1), "of somebody else");
        assert!(!is_trusted(&folder_named(temporary.path(), "home"), own), "called as no folder of ours");
        assert!(!is_trusted(Path::new(NAME), own), "of wherever one stands");
        assert!(!is_trusted(&temporary.path().join("gone").join(NAME), own));

        note(&file, &folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o770)).unwrap();
        assert_eq!(noted(&file), None, "others can put something into it");
        fs::remove_dir(&folder).unwrap();
        std::os::unix::fs::symlink(&of_user, &folder).unwrap();
        assert_eq!(noted(&file), None, "a link leads anywhere");
        fs::write(&file, "").unwrap();
        assert_eq!(noted(&file), None);
    }

    #[test]
    fn who_listens_stays_where_it_is_noted_but_in_the_temporary_folder_only_while_there_is_no_better_one() {
        let (noted, usual, last) = (PathBuf::from("/a/trainyard"), PathBuf::from("/b/trainyard"), in_temporary(user()));
        assert_eq!(chosen(Some(noted.clone()), usual.clone()), noted);
        assert_eq!(chosen(None, usual.clone()), usual);
        assert_eq!(chosen(Some(last.clone()), usual.clone()), usual);
        assert_eq!(chosen(Some(last.clone()), last.clone()), last);
        assert_eq!(chosen(Some(noted.clone()), last), noted);
    }
}
