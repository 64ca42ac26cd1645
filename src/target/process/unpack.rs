//! Unpacks an image below the folder of releases, whole or not at all.
//!
//! `releases/<digest>/` holds `config.json` and `rootfs/`. It gets its name only once everything in it is on the disk, so a
//! folder of that name is complete, and a way back does not need the image any more.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::share::share;
use crate::pipeline::Digest;
use crate::target::archive::{ArchiveError, ImageArchive, ImageConfig, SERVER_LAYER, layer_remark};

/// An image on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unpacked {
    /// The root of its files.
    pub root: PathBuf,
    /// How it is to be run.
    pub config: ImageConfig,
}

/// Why an image cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum UnpackError {
    /// The image is not usable.
    #[error(transparent)]
    Archive(#[from] ArchiveError),
    /// A file cannot be written or read.
    #[error("cannot unpack the image into {path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The image holds what may not be in a release.
    #[error("the image holds `{0}`, which would lie outside of its folder or is no plain file, folder or link")]
    Entry(String),
}

/// Unpacks `image`, whose manifest must have that digest, below `releases`; does nothing if it is there.
pub fn unpack(releases: &Path, image: &Path, digest: &Digest) -> Result<Unpacked, UnpackError> {
    let folder = releases.join(&digest.0);
    if let Some(config) = read_config(&folder) {
        return Ok(Unpacked { root: folder.join("rootfs"), config });
    }
    let archive = ImageArchive::open(image, digest)?;
    let temporary = releases.join(format!(".{digest}.partial"));
    let unpacked = unpack_whole(&archive, releases, &temporary, &folder);
    if unpacked.is_err() {
        // The disk may be full: leave nothing that takes more of it.
        let _ = fs::remove_dir_all(&temporary);
    }
    unpacked?;
    Ok(Unpacked { root: folder.join("rootfs"), config: archive.config().clone() })
}

fn read_config(folder: &Path) -> Option<ImageConfig> {
    serde_json::from_slice(&fs::read(folder.join("config.json")).ok()?).ok()
}

fn unpack_whole(archive: &ImageArchive, releases: &Path, temporary: &Path, folder: &Path) -> Result<(), UnpackError> {
    let failed = |source| UnpackError::File { path: folder.to_owned(), source };
    // Left by a host that was killed; only one host at a time unpacks here.
    for old in [temporary, folder] {
        if old.exists() {
            fs::remove_dir_all(old).map_err(failed)?;
        }
    }
    let root = temporary.join("rootfs");
    fs::create_dir_all(&root).map_err(failed)?;
    let server = layer_remark(SERVER_LAYER);
    for (index, layer) in archive.layers().enumerate() {
        let files = unpack_layer(layer?, &root, &failed)?;
        let made_by = archive.config().history.get(index).map(|remark| remark.created_by.as_str());
        if made_by == Some(server.as_str()) {
            share(releases, &root, &files);
        }
    }
    let config = serde_json::to_vec(archive.config()).map_err(|error| failed(error.into()))?;
    fs::write(temporary.join("config.json"), config).map_err(failed)?;
    // One call for all files: an fsync of each would take longer than unpacking them.
    let opened = File::open(temporary).map_err(failed)?;
    rustix::fs::syncfs(&opened).map_err(|error| failed(error.into()))?;
    fs::rename(temporary, folder).map_err(failed)
}

/// Unpacks a layer; which plain files it has.
fn unpack_layer(
    layer: impl io::Read,
    root: &Path,
    failed: &impl Fn(io::Error) -> UnpackError,
) -> Result<Vec<PathBuf>, UnpackError> {
    let mut files = Vec::new();
    let mut tar = tar::Archive::new(layer);
    tar.set_preserve_mtime(false);
    for entry in tar.entries().map_err(failed)? {
        let mut entry = entry.map_err(failed)?;
        let kind = entry.header().entry_type();
        let plain = kind.is_file() || kind.is_dir() || kind.is_symlink() || kind.is_hard_link();
        if !plain || !entry.unpack_in(root).map_err(failed)? {
            return Err(UnpackError::Entry(String::from_utf8_lossy(&entry.path_bytes()).into_owned()));
        }
        if kind.is_file() {
            files.push(entry.path().map_err(failed)?.into_owned());
        }
    }
    Ok(files)
}
