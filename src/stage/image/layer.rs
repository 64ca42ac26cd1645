//! One layer of an image: what is to lie where, written as a tar stream that depends on nothing but that.
//!
//! Entries are sorted, times are zero, the owner is zero and modes are one of two, so that equal contents make equal bytes
//! on every machine. A layer is never held in memory: it goes to a file and is hashed on its way. A file that is not what it
//! was when it was put into the layer is an error.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use crate::disk::FileStamp;
use crate::pipeline::Digest;
use crate::stage::unchanged::Unchanged;
use crate::target::hashing::HashingWriter;

/// What to do about a file that did not stay as it was.
const MEND: &str = "run the stage again";

/// What lies at one place of the image.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Folder,
    File { source: PathBuf, stamp: FileStamp, executable: bool },
    Link { to: PathBuf },
}

/// A layer to be written.
#[derive(Debug, Clone, Default)]
pub struct Layer {
    entries: BTreeMap<PathBuf, Entry>,
}

/// A layer on disk.
#[derive(Debug, Clone)]
pub struct WrittenLayer {
    /// The tar file.
    pub path: PathBuf,
    /// Its digest.
    pub digest: Digest,
    /// Its bytes.
    pub size: u64,
}

impl Layer {
    /// Puts the file `source`, which was found with this metadata, at `place`, which is absolute in the image.
    pub fn add_file(&mut self, place: &Path, source: &Path, metadata: &fs::Metadata, executable: bool) {
        self.add(place, Entry::File { source: source.to_owned(), stamp: FileStamp::from(metadata), executable });
    }

    /// Puts a symbolic link at `place`.
    pub fn add_link(&mut self, place: &Path, to: &Path) {
        self.add(place, Entry::Link { to: to.to_owned() });
    }

    /// Puts all files below `folder` below `place`, but those of some names directly in it. Links are followed, because a
    /// model must be whole in the image.
    pub fn add_tree(&mut self, place: &Path, folder: &Path, without: &[&str]) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if without.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let path = entry.path();
            let metadata = fs::metadata(&path)?;
            let inside = place.join(entry.file_name());
            if metadata.is_dir() {
                self.add_tree(&inside, &path, &[])?;
            } else if metadata.is_file() {
                self.add_file(&inside, &path, &metadata, is_executable(&metadata));
            }
        }
        Ok(())
    }

    /// Whether nothing is in it.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How many files and links it has.
    pub fn file_count(&self) -> usize {
        self.entries.values().filter(|entry| **entry != Entry::Folder).count()
    }

    /// Writes the layer to the new file `path`.
    pub fn write(&self, path: &Path) -> io::Result<WrittenLayer> {
        let file = BufWriter::with_capacity(1 << 18, File::create(path)?);
        let (writer, digest, size) = self.put(file)?;
        writer.into_inner().map_err(io::IntoInnerError::into_error)?;
        Ok(WrittenLayer { path: path.to_owned(), digest, size })
    }

    /// What [`Layer::write`] would give; nothing is written.
    pub fn measure(&self, path: &Path) -> io::Result<WrittenLayer> {
        let (_, digest, size) = self.put(io::sink())?;
        Ok(WrittenLayer { path: path.to_owned(), digest, size })
    }

    fn put<W: io::Write>(&self, writer: W) -> io::Result<(W, Digest, u64)> {
        let mut tar = Builder::new(HashingWriter::new(writer));
        for (place, entry) in &self.entries {
            append(&mut tar, place, entry)?;
        }
        Ok(tar.into_inner()?.finish())
    }

    fn add(&mut self, place: &Path, entry: Entry) {
        // Names in a layer are relative to the root of the image.
        let place = place.strip_prefix("/").unwrap_or(place);
        for folder in place.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            self.entries.entry(folder.to_owned()).or_insert(Entry::Folder);
        }
        self.entries.insert(place.to_owned(), entry);
    }
}

/// Whether anybody may execute the file.
pub fn is_executable(metadata: &fs::Metadata) -> bool {
    metadata.permissions().mode() & 0o111 != 0
}

/// A tar header of which nothing depends on this machine or this moment.
pub fn header(kind: EntryType, size: u64, executable: bool) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_size(size);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header
}

fn append<W: io::Write>(tar: &mut Builder<W>, place: &Path, entry: &Entry) -> io::Result<()> {
    match entry {
        Entry::Folder => tar.append_data(&mut header(EntryType::Directory, 0, true), place, io::empty()),
        Entry::Link { to } => tar.append_link(&mut header(EntryType::Symlink, 0, true), place, to),
        Entry::File { source, stamp, executable } => {
            let mut header = header(EntryType::Regular, stamp.bytes, *executable);
            tar.append_data(&mut header, place, Unchanged::open(source, *stamp, MEND)?)
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_layer_names_each_folder_before_what_is_in_it_and_forgets_times_and_owners() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        fs::write(&source, "content").unwrap();
        let metadata = fs::metadata(&source).unwrap();
        let mut layer = Layer::default();
        layer.add_file(Path::new("/usr/local/bin/tool"), &source, &metadata, true);
        layer.add_file(Path::new("/app/a"), &source, &metadata, false);
        layer.add_link(Path::new("/app/b"), Path::new("a"));
        let written = layer.write(&folder.path().join("layer.tar")).unwrap();
        assert_eq!(written.digest, crate::disk::digest_file(&written.path).unwrap());
        assert_eq!(written.size, fs::metadata(&written.path).unwrap().len());
        let measured = layer.measure(&folder.path().join("never written")).unwrap();
        assert_eq!((&measured.digest, measured.size), (&written.digest, written.size));
        assert!(!measured.path.exists());

        let mut archive = tar::Archive::new(File::open(&written.path).unwrap());
        let mut seen = Vec::new();
        for entry in archive.entries().unwrap() {
            let entry = entry.unwrap();
            let header = entry.header();
            assert_eq!((header.mtime().unwrap(), header.uid().unwrap(), header.gid().unwrap()), (0, 0, 0));
            seen.push((entry.path().unwrap().display().to_string(), header.mode().unwrap()));
        }
        let names: Vec<_> = seen.iter().map(|(name, mode)| (name.trim_end_matches('/'), *mode)).collect();
        assert_eq!(
            names,
            [
                ("app", 0o755),
                ("app/a", 0o644),
                ("app/b", 0o755),
                ("usr", 0o755),
                ("usr/local", 0o755),
                ("usr/local/bin", 0o755),
                ("usr/local/bin/tool", 0o755)
            ]
        );
    }

    #[test]
    fn a_file_that_is_not_what_it_was_or_not_there_any_more_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("model.bin");
        fs::write(&source, "1,2").unwrap();
        let mut layer = Layer::default();
        layer.add_file(Path::new("/model/model.bin"), &source, &fs::metadata(&source).unwrap(), false);
        let told = || layer.write(&folder.path().join("layer.tar")).unwrap_err().to_string();

        fs::write(&source, "3,4").unwrap();
        // Also where the clock of the file system is too coarse to tell two writes apart.
        File::open(&source).unwrap().set_modified(SystemTime::now() + Duration::from_secs(9)).unwrap();
        assert!(told().contains("model.bin was written to"), "{}", told());
        fs::remove_file(&source).unwrap();
        assert!(told().contains("model.bin is not there any more"), "{}", told());
    }
}
