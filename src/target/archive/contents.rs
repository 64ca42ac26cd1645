//! The files of an image as they lie on disk, each found and each blob hashed: in a folder, or in one archive.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::{ArchiveError, BLOBS, Descriptor};
use crate::disk::digest_file;
use crate::target::hashing::HashingWriter;

/// Bytes of a JSON document in an image; real ones have a few thousand.
const LARGEST_DOCUMENT: u64 = 4 << 20;

/// Where a file of an image lies: a file of its own, or a piece of an archive.
#[derive(Debug, Clone)]
pub(super) struct Place {
    file: PathBuf,
    offset: u64,
    size: u64,
}

/// The files of an image, of which the blobs have the digests that their names say.
#[derive(Debug)]
pub(super) struct Contents {
    path: PathBuf,
    places: BTreeMap<String, Place>,
}

impl Contents {
    /// Finds all that is in the folder or in the archive at `path`.
    pub(super) fn read(path: &Path) -> Result<Self, ArchiveError> {
        let places = if path.is_dir() { in_folder(path)? } else { in_archive(path)? };
        Ok(Self { path: path.to_owned(), places })
    }

    /// The name of the file that a descriptor stands for, if it is there with the size that the descriptor says.
    pub(super) fn blob(&self, descriptor: &Descriptor) -> Result<String, ArchiveError> {
        let digest = descriptor
            .hexadecimal()
            .ok_or_else(|| self.invalid(format!("`{}` is no SHA-256 digest", descriptor.digest)))?;
        let name = format!("{BLOBS}{digest}");
        let size = self.place(&name)?.size;
        if size != descriptor.size {
            return Err(self.invalid(format!("{name} has {size} bytes instead of {}", descriptor.size)));
        }
        Ok(name)
    }

    pub(super) fn place(&self, name: &str) -> Result<&Place, ArchiveError> {
        self.places.get(name).ok_or_else(|| self.invalid(format!("{name} is missing")))
    }

    pub(super) fn document<T: DeserializeOwned>(&self, name: &str) -> Result<T, ArchiveError> {
        let place = self.place(name)?;
        if place.size > LARGEST_DOCUMENT {
            return Err(self.invalid(format!("{name} has {} bytes, far too many", place.size)));
        }
        let mut bytes = Vec::new();
        let read = self.open_at(place)?.read_to_end(&mut bytes);
        read.map_err(|source| ArchiveError::File { path: self.path.clone(), source })?;
        serde_json::from_slice(&bytes).map_err(|error| self.invalid(format!("{name} cannot be read: {error}")))
    }

    pub(super) fn open_at(&self, place: &Place) -> Result<io::Take<File>, ArchiveError> {
        let failed = |source| ArchiveError::File { path: self.path.clone(), source };
        let mut file = File::open(&place.file).map_err(failed)?;
        file.seek(SeekFrom::Start(place.offset)).map_err(failed)?;
        Ok(file.take(place.size))
    }

    pub(super) fn invalid(&self, reason: String) -> ArchiveError {
        ArchiveError::Invalid { path: self.path.clone(), reason }
    }
}

fn in_folder(path: &Path) -> Result<BTreeMap<String, Place>, ArchiveError> {
    let failed = |source| ArchiveError::File { path: path.to_owned(), source };
    let mut places = BTreeMap::new();
    for (below, is_hashed) in [("", false), (BLOBS, true)] {
        for entry in fs::read_dir(path.join(below)).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            // Of the entry itself: what a link leads to is no part of the image.
            let metadata = entry.metadata().map_err(failed)?;
            if !metadata.is_file() {
                continue;
            }
            let (file, promised) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            let name = format!("{below}{promised}");
            if is_hashed {
                let digest = digest_file(&file).map_err(failed)?;
                if digest.0 != promised {
                    return Err(mismatch(path, &name, &digest.0));
                }
            }
            places.insert(name, Place { file, offset: 0, size: metadata.len() });
        }
    }
    Ok(places)
}

fn in_archive(path: &Path) -> Result<BTreeMap<String, Place>, ArchiveError> {
    let failed = |source| ArchiveError::File { path: path.to_owned(), source };
    let invalid = |reason| ArchiveError::Invalid { path: path.to_owned(), reason };
    let mut archive = tar::Archive::new(File::open(path).map_err(failed)?);
    let mut places = BTreeMap::new();
    for entry in archive.entries_with_seek().map_err(failed)? {
        let mut entry = entry.map_err(|error| invalid(format!("it is no whole tar archive ({error})")))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if places.contains_key(&name) {
            return Err(invalid(format!("{name} is in it twice")));
        }
        if let Some(promised) = name.strip_prefix(BLOBS) {
            let mut hashing = HashingWriter::new(io::sink());
            io::copy(&mut entry, &mut hashing).map_err(failed)?;
            let (_, digest, _) = hashing.finish();
            if digest.0 != promised {
                return Err(mismatch(path, &name, &digest.0));
            }
        }
        let place = Place { file: path.to_owned(), offset: entry.raw_file_position(), size: entry.size() };
        places.insert(name, place);
    }
    Ok(places)
}

fn mismatch(path: &Path, name: &str, digest: &str) -> ArchiveError {
    let reason = format!("the content of {name} has the digest {digest}");
    ArchiveError::Invalid { path: path.to_owned(), reason }
}
