//! The source as digests: of all of it, and for each stage of its part.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use globset::{Glob, GlobSet, GlobSetBuilder};

use super::repository::{Head, RepositoryError, SourceRepository};
use super::{StageGlobs, Watched};
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
    by_commit: bool,
    ignore: GlobSet,
    stages: Vec<(StageName, GlobSet, bool)>,
    repository: Option<SourceRepository>,
    known: BTreeMap<PathBuf, (FileStamp, Digest)>,
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
            by_commit: watched.by_commit,
            ignore: glob_set(&watched.ignore),
            stages: stages.collect(),
            repository: SourceRepository::open(&watched.source)?,
            known: BTreeMap::new(),
        })
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
        // A repository may have been made since, or moved away.
        if self.repository.as_ref().is_none_or(|repository| !repository.git_folder().exists()) {
            self.repository = SourceRepository::open(&self.root)?;
        }
        let head = self.repository.as_ref().map(SourceRepository::head).transpose()?.unwrap_or_default();
        let files = match &self.repository {
            Some(repository) if self.by_commit => repository.files_of_head()?,
            _ => self.files_of_tree(),
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
        let dirty = !self.by_commit && self.repository.as_ref().is_some_and(SourceRepository::is_dirty);
        let state = SourceState {
            digest: digest_of(counted.iter().copied()),
            commit: head.commit.clone(),
            branch: head.branch.clone(),
            dirty,
        };
        let unfinished = self.repository.as_ref().and_then(SourceRepository::unfinished);
        Ok(SourceLook { state, stage_sources, head, unfinished })
    }

    fn counts_in_commit(&self, path: &str) -> bool {
        if !self.by_commit {
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
        for path in paths {
            // A file that vanishes between the list and the look is not there.
            let Ok(metadata) = fs::metadata(&path) else { continue };
            let stamp = FileStamp::from(&metadata);
            let digest = match known.remove(&path) {
                Some((before, digest)) if before == stamp => digest,
                _ => match digest_file(&path) {
                    Ok(digest) => digest,
                    Err(_) => continue,
                },
            };
            let relative = path.strip_prefix(&self.root).unwrap_or(&path).to_string_lossy().into_owned();
            files.push((relative, digest.0.clone()));
            self.known.insert(path, (stamp, digest));
        }
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
