//! The source as digests: of all of it, and for each stage of its part.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::pointers::{Missing, POINTER_LIMIT, is_lfs_pointer};
use super::repository::{CommitFiles, Head, RepositoryError, SourceRepository};
use super::{Follow, StageGlobs, Watched};
use crate::disk::{FileStamp, digest_bytes, digest_file};
use crate::pipeline::{Digest, SourceState, StageName};

/// The source at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SourceLook {
    pub(super) state: SourceState,
    pub(super) stage_sources: BTreeMap<StageName, Digest>,
    pub(super) head: Head,
    /// What the repository is in the middle of.
    pub(super) unfinished: Option<&'static str>,
}

/// Looks at the source again and again, digesting only what changed.
pub(super) struct Source {
    root: PathBuf,
    data: PathBuf,
    own: PathBuf,
    configuration: PathBuf,
    contract: PathBuf,
    follow: Follow,
    branch: Option<String>,
    ignore: GlobSet,
    stages: Vec<(StageName, GlobSet, bool)>,
    repository: Option<SourceRepository>,
    /// Whether the repository was opened since this was asked last.
    is_reopened: bool,
    known: BTreeMap<PathBuf, Known>,
    /// The commit of the last look, and what is in it.
    committed: Option<(String, CommitFiles)>,
    missing: Missing,
}

/// A file as it was seen.
struct Known {
    stamp: FileStamp,
    digest: Digest,
    is_pointer: bool,
}

impl Source {
    pub(super) fn new(watched: &Watched) -> Result<Self, RepositoryError> {
        let stages =
            watched.stages.iter().map(|StageGlobs { stage, globs }| (stage.clone(), glob_set(globs), globs.is_empty()));
        Ok(Self {
            root: watched.source.clone(),
            data: watched.data.clone(),
            own: watched.own.clone(),
            configuration: watched.configuration.clone(),
            contract: watched.contract.clone(),
            follow: watched.follow,
            branch: watched.branch.clone(),
            ignore: glob_set(&watched.ignore),
            stages: stages.collect(),
            repository: SourceRepository::open(
                &watched.source,
                watched.branch.as_deref(),
                watched.follow.is_by_commit(),
            )?,
            is_reopened: false,
            known: BTreeMap::new(),
            committed: None,
            missing: Missing::default(),
        })
    }

    /// Whether only commits count; in a bare repository there is nothing else.
    pub(super) fn is_by_commit(&self) -> bool {
        self.follow.is_by_commit() || self.repository.as_ref().is_some_and(SourceRepository::is_bare)
    }

    /// Whether the repository was opened since this was asked last: its folders are others then.
    pub(super) fn take_reopened(&mut self) -> bool {
        std::mem::take(&mut self.is_reopened)
    }

    /// What the last look found to stand for something else, in words.
    pub(super) fn missing(&self) -> Option<String> {
        self.missing.told(self.is_by_commit())
    }

    pub(super) fn repository(&self) -> Option<&SourceRepository> {
        self.repository.as_ref()
    }

    /// Whether a file or folder is part of the source.
    pub(super) fn counts(&self, path: &Path) -> bool {
        let is_ours = path.starts_with(&self.own) || path == self.configuration || self.is_contract(path);
        let is_data = path.starts_with(&self.data) && self.data != self.root;
        let is_git = path.file_name().is_some_and(|name| name == ".git");
        let relative = path.strip_prefix(&self.root).unwrap_or(path);
        !is_ours
            && !is_data
            && !is_git
            && !self.ignore.is_match(relative)
            && !self.repository.as_ref().is_some_and(|repository| repository.is_ignored(path))
    }

    /// Whether a file is the data contract, or that file while it is being written.
    fn is_contract(&self, path: &Path) -> bool {
        let (Some(name), Some(contract)) = (path.file_name(), self.contract.file_name()) else { return false };
        let (name, contract) = (name.to_string_lossy(), contract.to_string_lossy());
        let is_partial = name
            .strip_prefix('.')
            .and_then(|name| name.strip_prefix(&*contract))
            .is_some_and(|rest| rest.ends_with(".partial"));
        (name == contract || is_partial) && path.parent() == self.contract.parent()
    }

    /// The source now.
    pub(super) fn look(&mut self) -> Result<SourceLook, RepositoryError> {
        self.open_again()?;
        let by_commit = self.is_by_commit();
        let head = self.repository.as_ref().map(SourceRepository::head).transpose()?.unwrap_or_default();
        let files = if by_commit && self.repository.is_some() {
            self.files_of_commit(head.commit.as_deref())?
        } else {
            self.files_of_tree()
        };
        let counted: Vec<&(String, String)> = files.iter().filter(|(path, _)| self.counts_in_commit(path)).collect();
        let stage_sources = self
            .stages
            .iter()
            .map(|(stage, globs, all)| {
                let part = counted.iter().filter(|(path, _)| *all || globs.is_match(path));
                (stage.clone(), digest_of(part.copied()))
            })
            .collect();
        let dirty = !by_commit && self.repository.as_ref().is_some_and(SourceRepository::is_dirty);
        let state = SourceState {
            digest: digest_of(counted.iter().copied()),
            commit: head.commit.clone(),
            branch: head.branch.clone(),
            dirty,
        };
        let unfinished = self.repository.as_ref().and_then(SourceRepository::unfinished);
        Ok(SourceLook { state, stage_sources, head, unfinished })
    }

    /// Opens the repository if it has been made since, moved away, or replaced by another.
    fn open_again(&mut self) -> Result<(), RepositoryError> {
        if self.repository.as_ref().is_none_or(|repository| !repository.is_in_place()) {
            self.repository = SourceRepository::open(&self.root, self.branch.as_deref(), self.follow.is_by_commit())?;
            self.is_reopened |= self.repository.is_some();
            self.committed = None;
        }
        match (&self.repository, self.follow) {
            (None, Follow::Pushes) => Err(RepositoryError::NotThere { path: self.root.clone() }),
            (Some(repository), Follow::Saves) if repository.is_bare() => {
                Err(RepositoryError::Bare { path: self.root.clone() })
            }
            (None | Some(_), Follow::Saves | Follow::Commits | Follow::Pushes | Follow::Nothing) => Ok(()),
        }
    }

    fn files_of_commit(&mut self, commit: Option<&str>) -> Result<Vec<(String, String)>, RepositoryError> {
        let (Some(commit), Some(repository)) = (commit, &self.repository) else {
            self.missing = Missing::default();
            return Ok(Vec::new());
        };
        let found = match self.committed.take() {
            Some((known, found)) if known == commit => found,
            _ => repository.files_of(commit)?,
        };
        self.missing = found.missing.clone();
        let files = found.files.clone();
        self.committed = Some((commit.to_owned(), found));
        Ok(files)
    }

    fn counts_in_commit(&self, path: &str) -> bool {
        if !self.is_by_commit() {
            return true;
        }
        let full = self.root.join(path);
        let is_data = full.starts_with(&self.data) && self.data != self.root;
        !is_data && full != self.configuration && !self.is_contract(&full) && !self.ignore.is_match(path)
    }

    fn files_of_tree(&mut self) -> Vec<(String, String)> {
        let mut paths = Vec::new();
        self.collect(&self.root, &mut paths);
        paths.sort();
        let mut known = std::mem::take(&mut self.known);
        let mut files = Vec::with_capacity(paths.len());
        let mut pointers = Vec::new();
        for path in paths {
            // A file that vanishes between the list and the look is not there.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let stamp = FileStamp::from(&metadata);
            let seen = match known.remove(&path) {
                Some(before) if before.stamp == stamp => before,
                _ => match digest_file(&path) {
                    Ok(digest) => {
                        let is_pointer = stamp.bytes < POINTER_LIMIT && is_lfs_pointer(&path);
                        Known { stamp, digest, is_pointer }
                    }
                    Err(_) => continue,
                },
            };
            let relative = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned();
            if seen.is_pointer {
                pointers.push(relative.clone());
            }
            files.push((relative, seen.digest.0.clone()));
            self.known.insert(path, seen);
        }
        let submodules = self.repository.as_ref().map(SourceRepository::absent_submodules).unwrap_or_default();
        self.missing = Missing { pointers, submodules };
        files
    }

    fn collect(&self, folder: &Path, files: &mut Vec<PathBuf>) {
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            let Ok(kind) = entry.file_type() else { continue };
            if !self.counts(&path) {
                continue;
            }
            if kind.is_dir() {
                self.collect(&path, files);
            } else if kind.is_file() {
                files.push(path);
            }
        }
    }
}

fn digest_of<'a>(files: impl Iterator<Item = &'a (String, String)>) -> Digest {
    let mut text = String::new();
    for (path, digest) in files {
        text.push_str(digest);
        text.push(' ');
        text.push_str(path);
        text.push('\n');
    }
    digest_bytes(text.as_bytes())
}

/// Globs that were validated with the configuration; one that is none all the same matches nothing.
pub(super) fn glob_set(globs: &[String]) -> GlobSet {
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        if let Ok(glob) = Glob::new(glob) {
            builder.add(glob);
        }
    }
    builder.build().unwrap_or_default()
}
