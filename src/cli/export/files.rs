//! Where an export goes: into the file that was named, or to standard output.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::cli::failure::Failure;
use crate::disk::write_whole;

/// Writes the text into the file and says so; without a file, prints it.
pub(super) fn hand_over(text: &str, file: Option<&Path>, out: &mut impl Write) -> Result<(), Failure> {
    match file {
        Some(file) => {
            write(file, text)?;
            writeln!(out, "wrote {}", file.display())?;
        }
        None => out.write_all(text.as_bytes())?,
    }
    Ok(())
}

/// Writes a file whole. A device or a pipe is written into and not replaced.
pub(super) fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let is_special = fs::metadata(path).is_ok_and(|about| !about.is_file());
    let written = if is_special { fs::write(path, text) } else { write_whole(&with_folder(path), text.as_bytes()) };
    written.map_err(|error| {
        Failure::Failed(format!("cannot write {}: {error}; is the folder there and writable?", path.display()))
    })
}

/// A name alone stands for a file in this folder.
fn with_folder(path: &Path) -> PathBuf {
    let has_folder = path.parent().is_some_and(|folder| !folder.as_os_str().is_empty());
    if has_folder { path.to_owned() } else { Path::new(".").join(path) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_written_whole_and_said_to_be() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.json");
        let mut out = Vec::new();
        hand_over("{}\n", Some(&path), &mut out).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "{}\n");
        assert_eq!(String::from_utf8(out).unwrap(), format!("wrote {}\n", path.display()));
        let mut out = Vec::new();
        hand_over("{}\n", None, &mut out).unwrap();
        assert_eq!(out, b"{}\n");
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let error = write(&folder.path().join("no/such/a.json"), "").unwrap_err().to_string();
        assert!(error.starts_with("cannot write ") && error.contains("is the folder there"), "{error}");
        assert!(write(folder.path(), "").is_err(), "a folder is no file");
    }

    #[test]
    fn a_name_alone_is_in_this_folder() {
        assert_eq!(with_folder(Path::new("a.svg")), Path::new("./a.svg"));
        assert_eq!(with_folder(Path::new("b/a.svg")), Path::new("b/a.svg"));
        assert_eq!(with_folder(Path::new("/a.svg")), Path::new("/a.svg"));
    }
}
