//! What comes back from a pod: unpacked beside its place, looked at, and only then put there.

use std::fs;
use std::io::{self, Read};
use std::path::{Component, Path};

use tar::{Archive, EntryType};

use super::{SEAL, TransferError};

/// Unpacks what comes back into the new folder `staging`: the folders `wanted`, and behind them [`SEAL`].
pub fn unpack(from: impl Read, staging: &Path, wanted: &[&str]) -> Result<(), TransferError> {
    if staging.exists() {
        fs::remove_dir_all(staging).map_err(|error| TransferError::write(staging, error))?;
    }
    fs::create_dir_all(staging).map_err(|error| TransferError::write(staging, error))?;
    let mut archive = Archive::new(from);
    let mut is_whole = false;
    for entry in archive.entries().map_err(TransferError::Broken)? {
        let mut entry = entry.map_err(TransferError::Broken)?;
        let path = entry.path().map_err(TransferError::Broken)?.into_owned();
        if path == Path::new(SEAL) {
            is_whole = true;
            continue;
        }
        let refused = |why| TransferError::Refused { entry: path.display().to_string(), why };
        if !is_inside(&path, wanted) {
            return Err(refused("is not in a folder that the stage may write"));
        }
        if !is_taken(entry.header().entry_type()) {
            println!("leaving out {}: it is neither a file nor a folder nor a link", path.display());
            continue;
        }
        if !entry.unpack_in(staging).map_err(|error| TransferError::write(&staging.join(&path), error))? {
            return Err(refused("does not stay in its folder"));
        }
    }
    if !is_whole {
        return Err(TransferError::Broken(io::ErrorKind::UnexpectedEof.into()));
    }
    // The filling behind the last entry: who sends it must not think that nobody listens.
    io::copy(&mut archive.into_inner(), &mut io::sink()).map_err(TransferError::Broken)?;
    for folder in wanted {
        check_links(&staging.join(folder), &staging.join(folder))?;
    }
    Ok(())
}

/// Puts the folder `from`, if it came, in the place of `to`.
pub fn place(from: &Path, to: &Path) -> Result<(), TransferError> {
    if !from.is_dir() {
        return Ok(());
    }
    let failed = |error| TransferError::write(to, error);
    match fs::rename(from, to) {
        // What is there was put there by a former try of this very attempt.
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {
            fs::remove_dir_all(to).and_then(|()| fs::rename(from, to)).map_err(failed)
        }
        placed => placed.map_err(failed),
    }
}

fn is_inside(path: &Path, wanted: &[&str]) -> bool {
    let is_plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    is_plain && wanted.iter().any(|folder| path.starts_with(folder))
}

fn is_taken(kind: EntryType) -> bool {
    matches!(
        kind,
        EntryType::Regular
            | EntryType::Continuous
            | EntryType::GNUSparse
            | EntryType::Directory
            | EntryType::Link
            | EntryType::Symlink
    )
}

/// Every link must lead to something inside of `root`.
fn check_links(root: &Path, folder: &Path) -> Result<(), TransferError> {
    let Ok(root) = root.canonicalize() else { return Ok(()) };
    for entry in fs::read_dir(folder).map_err(|error| TransferError::read(folder, error))? {
        let entry = entry.map_err(|error| TransferError::read(folder, error))?;
        let kind = entry.file_type().map_err(|error| TransferError::read(folder, error))?;
        let path = entry.path();
        if kind.is_symlink() {
            let is_absolute = fs::read_link(&path).is_ok_and(|to| to.is_absolute());
            if is_absolute || !path.canonicalize().is_ok_and(|end| end.starts_with(&root)) {
                let entry = path.strip_prefix(&root).unwrap_or(&path).display().to_string();
                return Err(TransferError::Refused {
                    entry,
                    why: "is a link that leads nowhere, or out of its folder",
                });
            }
        } else if kind.is_dir() {
            check_links(&root, &path)?;
        }
    }
    Ok(())
}
