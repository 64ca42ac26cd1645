//! Where things lie on disk and how a file is written whole.
//!
//! The one room below all others: it knows the folder `.trainyard/` and the rules of durable files (temporary name, fsync,
//! rename), and nothing of what the files mean. The system clock is read here, and clients of sockets begin here, for all
//! rooms above do both.

mod digest;
mod layout;
mod listener;
mod lock;
mod plain_http;
mod process;
mod projects;
mod runtime;
mod space;
mod stamp;

pub use digest::{digest_bytes, digest_file, digest_folder, digest_folder_without};
pub use layout::Layout;
pub use listener::LastingListener;
pub use lock::FileLock;
pub use plain_http::plain_http;
pub use process::{ProcessStat, boot_id};
pub use projects::ProjectCard;
pub use runtime::create_own_folder;
pub use space::DiskSpace;
pub use stamp::FileStamp;

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;

/// For the owner, and for nobody else.
const PRIVATE: u32 = 0o600;

/// Writes `bytes` so that a reader, or a crash at any instant, sees either the old file or the whole new one.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_by(path, bytes, |temporary| File::create(temporary))
}

/// The same of a file that nobody else may read, wherever it is copied with its mode.
pub fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    write_by(path, bytes, |temporary| {
        let file = OpenOptions::new().write(true).create(true).truncate(true).mode(PRIVATE).open(temporary)?;
        // One that a killed process left keeps the mode that it had.
        file.set_permissions(Permissions::from_mode(PRIVATE))?;
        Ok(file)
    })
}

fn write_by(path: &Path, bytes: &[u8], create: impl FnOnce(&Path) -> io::Result<File>) -> io::Result<()> {
    let folder = path.parent().unwrap_or_else(|| Path::new("."));
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let temporary = folder.join(format!(".{name}.{}.partial", std::process::id()));
    let mut file = create(&temporary)?;
    let written = file.write_all(bytes).and_then(|()| file.sync_all()).and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // The disk may be full: leave nothing that takes more of it.
        let _ = fs::remove_file(&temporary);
    }
    written?;
    // The rename itself must survive a crash too.
    File::open(folder)?.sync_all()
}

/// The present moment by the system clock.
pub fn now() -> crate::pipeline::Moment {
    let since_epoch = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    crate::pipeline::Moment(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}
