//! SHA-256 of bytes, of files and of whole folders.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};

use crate::pipeline::Digest;

fn finish(hasher: Sha256) -> Digest {
    use std::fmt::Write as _;
    let mut text = String::with_capacity(64);
    for byte in hasher.finalize() {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    Digest(text)
}

/// The digest of bytes in memory.
pub fn digest_bytes(bytes: &[u8]) -> Digest {
    finish(Sha256::new_with_prefix(bytes))
}

/// The digest of a file's content, read in pieces.
pub fn digest_file(path: &Path) -> io::Result<Digest> {
    let mut hasher = Sha256::new();
    read_into(path, &mut hasher)?;
    Ok(finish(hasher))
}

/// The digest of all files below `folder`: their relative names and contents, in the order of their names.
/// Times, owners and modes do not count, so a copied folder has the digest of the original.
pub fn digest_folder(folder: &Path) -> io::Result<Digest> {
    digest_folder_without(folder, &[])
}

/// As [`digest_folder`], as if the files of these names directly in `folder` were not there.
pub fn digest_folder_without(folder: &Path, names: &[&str]) -> io::Result<Digest> {
    let mut files = Vec::new();
    collect(folder, &mut files)?;
    files.retain(|file| !names.iter().any(|name| *file == folder.join(name)));
    files.sort();
    let mut hasher = Sha256::new();
    for file in files {
        let name = file.strip_prefix(folder).unwrap_or(&file);
        let bytes = name.as_os_str().as_encoded_bytes();
        // Lengths before contents, so that no two different folders can read the same.
        hasher.update((bytes.len() as u64).to_le_bytes());
        hasher.update(bytes);
        if fs::symlink_metadata(&file)?.is_symlink() {
            // Where it points is what it holds; following it could leave the folder, or never end.
            let target = fs::read_link(&file)?;
            hasher.update(u64::MAX.to_le_bytes());
            hasher.update(target.as_os_str().as_encoded_bytes());
            continue;
        }
        hasher.update(fs::metadata(&file)?.len().to_le_bytes());
        read_into(&file, &mut hasher)?;
    }
    Ok(finish(hasher))
}

fn read_into(path: &Path, hasher: &mut Sha256) -> io::Result<()> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 1 << 16];
    loop {
        match file.read(&mut buffer) {
            Ok(0) => return Ok(()),
            Ok(length) => hasher.update(&buffer[..length]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if kind.is_file() || kind.is_symlink() {
            // Pipes and sockets hold nothing that could be digested.
            files.push(entry.path());
        }
    }
    Ok(())
}
