//! What git ignores in a work tree, for all that packs source files: secrets and build leftovers live there.

use std::path::{Path, PathBuf};

use git2::{ErrorCode, Index, Repository};

/// What git ignores. What is tracked already counts as not ignored, as git itself holds it.
pub struct Ignored {
    repository: Repository,
    index: Index,
    root: PathBuf,
}

impl Ignored {
    /// `None` where git has nothing to say: outside of a repository, and in a checkout that lies in an ignored folder.
    /// `source` is absolute and without links.
    pub fn of(source: &Path) -> Result<Option<Self>, git2::Error> {
        let repository = match Repository::discover(source) {
            Ok(repository) => repository,
            Err(error) if error.code() == ErrorCode::NotFound => return Ok(None),
            Err(error) => return Err(error),
        };
        let Some(root) = repository.workdir().and_then(|root| root.canonicalize().ok()) else { return Ok(None) };
        let index = repository.index()?;
        let ignored = Self { repository, index, root };
        // The clean checkout of a commit lies below `.trainyard`, where all is ignored though all of it was committed.
        let is_whole = source != ignored.root && ignored.contains(source, true)?;
        Ok(if is_whole { None } else { Some(ignored) })
    }

    /// Whether git ignores this file or folder, and holds nothing of it in its index.
    pub fn contains(&self, path: &Path, is_folder: bool) -> Result<bool, git2::Error> {
        let Ok(relative) = path.strip_prefix(&self.root) else { return Ok(false) };
        if !self.repository.is_path_ignored(relative)? {
            return Ok(false);
        }
        let is_tracked = if is_folder {
            // The slash at the end, so that `build.rs` does not stand for `build/`.
            self.index.find_prefix(relative.join("")).is_ok()
        } else {
            self.index.get_path(relative, 0).is_some()
        };
        Ok(!is_tracked)
    }
}
