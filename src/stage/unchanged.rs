//! A file that is packed must be what it was when it was found: torn bytes in an image or a pod look like a file.
//!
//! More or fewer bytes than were promised would also shift all that follows in a tar stream.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use crate::disk::FileStamp;

/// Reads a file, and fails if it is not the one that its stamp was taken of, from the first byte to the last.
#[derive(Debug)]
pub struct Unchanged<'a> {
    path: &'a Path,
    file: File,
    stamp: FileStamp,
    left: u64,
    mend: &'static str,
}

impl<'a> Unchanged<'a> {
    /// Opens it; `mend` is what to do if it does not stay as it was.
    pub fn open(path: &'a Path, stamp: FileStamp, mend: &'static str) -> io::Result<Self> {
        let file = File::open(path).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => changed(path, "is not there any more", mend),
            _ => naming(path, &error),
        })?;
        let opened = Self { path, file, stamp, left: stamp.bytes, mend };
        opened.check()?;
        Ok(opened)
    }

    fn check(&self) -> io::Result<()> {
        let now = self.file.metadata().map_err(|error| naming(self.path, &error))?;
        if FileStamp::from(&now) == self.stamp {
            return Ok(());
        }
        Err(changed(self.path, "was written to", self.mend))
    }
}

impl Read for Unchanged<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let room = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        if room == 0 {
            // The end, or an empty file.
            return if buffer.is_empty() { Ok(0) } else { self.check().map(|()| 0) };
        }
        let read = match self.file.read(buffer.get_mut(..room).unwrap_or_default()) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => return Err(error),
            read => read.map_err(|error| naming(self.path, &error))?,
        };
        if read == 0 {
            return Err(changed(self.path, "became shorter", self.mend));
        }
        self.left -= u64::try_from(read).unwrap_or(self.left);
        Ok(read)
    }
}

fn changed(path: &Path, how: &str, mend: &str) -> io::Error {
    io::Error::other(format!("{} {how} while it was read; {mend}", path.display()))
}

fn naming(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("cannot read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn a_file_that_stays_is_read_whole_and_one_that_is_written_to_meanwhile_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        fs::write(&path, "1,2").unwrap();
        let stamp = FileStamp::from(&fs::metadata(&path).unwrap());
        let mut text = String::new();
        Unchanged::open(&path, stamp, "again").unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "1,2");

        // Of the same length, and after it was opened.
        let mut opened = Unchanged::open(&path, stamp, "again").unwrap();
        fs::write(&path, "3,4").unwrap();
        // Also where the clock of the file system is too coarse to tell two writes apart.
        File::open(&path).unwrap().set_modified(SystemTime::now() + Duration::from_secs(9)).unwrap();
        let told = opened.read_to_string(&mut text).unwrap_err().to_string();
        assert!(told.contains("a.csv was written to") && told.ends_with("; again"), "{told}");

        fs::remove_file(&path).unwrap();
        let told = Unchanged::open(&path, stamp, "again").unwrap_err().to_string();
        assert!(told.contains("is not there any more"), "{told}");
    }
}
