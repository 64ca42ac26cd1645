//! Which files of the source go along: what git does not ignore, or has in its index all the same; never `.git` and
//! `.trainyard`. The image stage has a walk of its own, for it chooses by globs.

use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::transfer::TransferError;
use crate::stage::ignored::Ignored;

/// A file of the source.
#[derive(Debug)]
pub struct SourceFile {
    /// Its place below the source.
    pub place: PathBuf,
    /// What it is.
    pub kind: Kind,
}

/// What a file of the source is.
#[derive(Debug)]
pub enum Kind {
    /// A file with a content.
    Regular,
    /// A link to a place inside of the source.
    Link(PathBuf),
}

/// The files of `source`, sorted by their places. Links that lead out of the source are told and stay behind.
pub fn files(source: &Path) -> Result<Vec<SourceFile>, TransferError> {
    let source = source.canonicalize().map_err(|error| TransferError::read(source, error))?;
    let ignored = Ignored::of(&source).map_err(|error| TransferError::git(&source, &error))?;
    let mut walk = Walk { ignored, source: &source, found: Vec::new() };
    walk.visit(&source)?;
    let mut found = walk.found;
    found.sort_by(|one, other| one.place.cmp(&other.place));
    Ok(found)
}

struct Walk<'a> {
    source: &'a Path,
    ignored: Option<Ignored>,
    found: Vec<SourceFile>,
}

impl Walk<'_> {
    fn visit(&mut self, folder: &Path) -> Result<(), TransferError> {
        for entry in fs::read_dir(folder).map_err(|error| TransferError::read(folder, error))? {
            let entry = entry.map_err(|error| TransferError::read(folder, error))?;
            let path = entry.path();
            let name = entry.file_name();
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                // Editors and tests make and remove files all the time.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                Err(error) => return Err(TransferError::read(&path, error)),
            };
            if name == ".git" || name == ".trainyard" || self.is_ignored(&path, metadata.is_dir())? {
                continue;
            }
            if metadata.is_dir() {
                self.visit(&path)?;
            } else {
                self.add(&path, &metadata)?;
            }
        }
        Ok(())
    }

    fn add(&mut self, path: &Path, metadata: &Metadata) -> Result<(), TransferError> {
        let place = path.strip_prefix(self.source).unwrap_or(path).to_owned();
        if metadata.is_symlink() {
            let to = fs::read_link(path).map_err(|error| TransferError::read(path, error))?;
            // A link is kept as it is, so it may only point to what comes along.
            if to.is_absolute() || !path.canonicalize().is_ok_and(|end| end.starts_with(self.source)) {
                println!("leaving out {}: it is a link to a place outside of the source", place.display());
                return Ok(());
            }
            self.found.push(SourceFile { place, kind: Kind::Link(to) });
        } else if metadata.is_file() {
            self.found.push(SourceFile { place, kind: Kind::Regular });
        }
        Ok(())
    }

    fn is_ignored(&self, path: &Path, is_folder: bool) -> Result<bool, TransferError> {
        let Some(ignored) = &self.ignored else { return Ok(false) };
        ignored.contains(path, is_folder).map_err(|error| TransferError::git(path, &error))
    }
}

#[cfg(test)]
mod tests {
    use git2::Repository;

    use super::*;

    fn places(source: &Path) -> Vec<String> {
        files(source).unwrap().into_iter().map(|file| file.place.display().to_string()).collect()
    }

    fn tree(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, name).unwrap();
        }
        folder
    }

    #[test]
    fn what_git_ignores_stays_behind_and_outside_of_git_all_goes_along() {
        let names = ["train.py", "tests/test_a.py", "build/out", ".trainyard/journal.db", "secret.env"];
        let folder = tree(&names);
        fs::write(folder.path().join(".gitignore"), "build/\n*.env\n").unwrap();
        assert_eq!(places(folder.path()), [".gitignore", "build/out", "secret.env", "tests/test_a.py", "train.py"]);
        Repository::init(folder.path()).unwrap();
        assert_eq!(places(folder.path()), [".gitignore", "tests/test_a.py", "train.py"]);
    }

    #[test]
    fn a_checkout_inside_of_an_ignored_folder_goes_along_whole() {
        let folder = tree(&[".trainyard/runs/1/source/a.py", ".trainyard/.gitignore"]);
        fs::write(folder.path().join(".trainyard/.gitignore"), "*\n").unwrap();
        Repository::init(folder.path()).unwrap();
        assert_eq!(places(&folder.path().join(".trainyard/runs/1/source")), ["a.py"]);
    }

    #[test]
    fn links_go_along_only_where_they_lead_to_something_that_does() {
        let folder = tree(&["a.py"]);
        std::os::unix::fs::symlink("a.py", folder.path().join("b.py")).unwrap();
        std::os::unix::fs::symlink("/etc/passwd", folder.path().join("c.py")).unwrap();
        std::os::unix::fs::symlink("../../etc/passwd", folder.path().join("d.py")).unwrap();
        assert_eq!(places(folder.path()), ["a.py", "b.py"]);
    }
}
