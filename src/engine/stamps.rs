//! Whether the data files that a stage works on stay what was registered, from its start to its end.
//!
//! A registered file may be written over in place at any moment; until it has settled again it is neither the old nor the
//! new one. A stage that read it then has seen nobody's data, so it must neither start nor pass.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::supervisor::AttemptFolder;
use crate::disk::{FileStamp, digest_file, write_whole};
use crate::pipeline::{DataFile, Digest};

/// A file that was changed within this time may have been written over since it was registered, with as many bytes as it had:
/// its digest is looked at. What was changed earlier would have been registered anew.
const LATELY: Duration = Duration::from_mins(2);

/// A data file as it was at the start.
#[derive(Debug, Serialize, Deserialize)]
struct Noted {
    path: PathBuf,
    stamp: FileStamp,
    digest: Digest,
}

impl Noted {
    /// Untouched, or written over with what it held.
    fn holds(&self) -> bool {
        fs::metadata(&self.path).is_ok_and(|metadata| FileStamp::from(&metadata) == self.stamp)
            || digest_file(&self.path).ok().as_ref() == Some(&self.digest)
    }
}

fn stamps_of(folder: &AttemptFolder) -> PathBuf {
    folder.path().join("data.stamps.json")
}

/// Notes the registered files as they are now; an error if one is not what was registered.
pub(super) fn note(folder: &AttemptFolder, data: &Path, files: &[DataFile]) -> io::Result<()> {
    let mut stamps = Vec::with_capacity(files.len());
    for file in files {
        let path = data.join(&file.path);
        let metadata = fs::metadata(&path)?;
        let stamp = FileStamp::from(&metadata);
        if stamp.bytes != file.bytes || (is_late(&metadata) && digest_file(&path)? != file.digest) {
            let text = format!("{} is being changed; a run follows once it is registered anew", file.path);
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        stamps.push(Noted { path, stamp, digest: file.digest.clone() });
    }
    write_whole(&stamps_of(folder), &serde_json::to_vec(&stamps)?)
}

fn is_late(metadata: &fs::Metadata) -> bool {
    let age = metadata.modified().ok().and_then(|modified| SystemTime::now().duration_since(modified).ok());
    // A moment to come, or none, says nothing.
    age.is_none_or(|age| age < LATELY)
}

/// The first file that changed since it was noted; nothing was noted for stages that do not use data.
pub(super) fn changed(folder: &AttemptFolder) -> Option<String> {
    let stamps: Vec<Noted> = serde_json::from_slice(&fs::read(stamps_of(folder)).ok()?).ok()?;
    let changed = stamps.iter().find(|noted| !noted.holds())?;
    Some(changed.path.file_name().unwrap_or_default().to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::digest_bytes;

    #[test]
    fn a_file_written_over_after_the_start_is_noticed_and_one_being_written_does_not_start() {
        let folder = tempfile::tempdir().unwrap();
        let attempt = AttemptFolder::new(folder.path().to_owned());
        let path = folder.path().join("a.csv");
        fs::write(&path, "a\n1\n").unwrap();
        let file = |bytes| DataFile { path: "a.csv".to_owned(), digest: digest_bytes(b"a\n1\n"), bytes, rows: 1 };
        let torn = note(&attempt, folder.path(), &[file(900)]).unwrap_err().to_string();
        assert!(torn.starts_with("a.csv is being changed"), "{torn}");
        fs::write(&path, "b\n1\n").unwrap();
        let other = note(&attempt, folder.path(), &[file(4)]).unwrap_err().to_string();
        assert!(other.starts_with("a.csv is being changed"), "as many bytes are not the same file: {other}");
        fs::write(&path, "a\n1\n").unwrap();
        note(&attempt, folder.path(), &[file(4)]).unwrap();
        assert_eq!(changed(&attempt), None);
        fs::write(&path, "a\n1\n").unwrap();
        assert_eq!(changed(&attempt), None, "the same again is no change");
        fs::write(folder.path().join("new"), "a\n2\n").unwrap();
        fs::rename(folder.path().join("new"), &path).unwrap();
        assert_eq!(changed(&attempt), Some("a.csv".to_owned()));
    }
}
