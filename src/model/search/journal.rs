//! What a search has found out so far, on disk, so that one that was killed goes on where it was.
//!
//! A journal is a file of JSON lines, one a finished fold, each written at once. It is named by all that its results follow
//! from, so it is never wrong for a search that finds it. A line that was cut off is dropped. A journal that cannot be
//! written is told of and does not end a training. It is removed once the model is saved; of searches that were never
//! finished the newest are kept.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::trial::FoldResult;
use crate::disk::{digest_bytes, write_whole};
use crate::model::learn::learner::Learner;
use crate::pipeline::Digest;

/// Counted up whenever equal inputs may give other results than before.
const FORMAT: u32 = 2;
/// Journals of other searches that are kept.
const KEPT: usize = 8;

/// What the results of a search follow from, as the name of its journal.
pub(in crate::model) fn key(data: &Digest, settings: &str, candidates: &[Learner]) -> String {
    let candidates = serde_json::to_string(candidates).unwrap_or_default();
    let parts = format!("{}\n{FORMAT}\n{data}\n{settings}\n{candidates}", env!("CARGO_PKG_VERSION"));
    digest_bytes(parts.as_bytes()).0
}

/// A finished fold of a trial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Entry {
    pub(super) rung: usize,
    pub(super) trial: usize,
    pub(super) fold: usize,
    pub(super) result: FoldResult,
}

/// The journal of one search.
#[derive(Debug)]
pub struct Journal {
    path: PathBuf,
    file: Option<File>,
    entries: Vec<Entry>,
}

impl Journal {
    /// Opens the journal of that key in a folder, which is made if need be.
    pub(in crate::model) fn open(folder: &Path, key: &str) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join(format!("{key}.jsonl"));
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Vec::new(),
            Err(error) => return Err(error),
        };
        let entries: Vec<Entry> =
            text.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect();
        // Written anew without what was cut off, or the next line would be joined to it.
        let mut whole = Vec::new();
        for entry in &entries {
            whole.extend(line(entry)?);
        }
        if whole != text {
            write_whole(&path, &whole)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        remove_older(folder, &path);
        Ok(Self { path, file: Some(file), entries })
    }

    /// What was found out before.
    pub(super) fn take(&mut self) -> Vec<Entry> {
        std::mem::take(&mut self.entries)
    }

    /// Adds a finished fold; the first time that it cannot be written is an error, after that nothing is.
    pub(super) fn add(&mut self, entry: &Entry) -> io::Result<()> {
        let Some(file) = &mut self.file else { return Ok(()) };
        let written = line(entry).and_then(|line| file.write_all(&line));
        if written.is_err() {
            self.file = None;
        }
        written
    }

    /// Removes it: its search has become a model.
    pub fn remove(self) {
        let _ = fs::remove_file(&self.path);
    }
}

fn line(entry: &Entry) -> io::Result<Vec<u8>> {
    let mut line = serde_json::to_vec(entry)?;
    line.push(b'\n');
    Ok(line)
}

/// Keeps the newest journals beside the one at `path`. What cannot be removed does no harm.
fn remove_older(folder: &Path, path: &Path) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    let mut others: Vec<_> = entries
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .filter(|other| other != path && other.extension().is_some_and(|extension| extension == "jsonl"))
        .filter_map(|other| Some((fs::metadata(&other).ok()?.modified().ok()?, other)))
        .collect();
    others.sort();
    let surplus = others.len().saturating_sub(KEPT);
    for (_, other) in others.into_iter().take(surplus) {
        let _ = fs::remove_file(other);
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::{Entry, FoldResult, Journal, KEPT};
    use crate::model::evaluate::Metrics;
    use crate::model::samples::Folder;

    fn entry(trial: usize) -> Entry {
        let metrics = Metrics::from([("accuracy".to_owned(), 1.0 / 3.0)]);
        Entry { rung: 0, trial, fold: 1, result: FoldResult::Scored(metrics) }
    }

    #[test]
    fn what_was_added_comes_back_exactly() {
        let folder = Folder::new();
        let mut journal = Journal::open(folder.path(), "k").unwrap();
        assert!(journal.take().is_empty());
        let failed = Entry { result: FoldResult::Failed("no solution".to_owned()), ..entry(1) };
        journal.add(&entry(0)).unwrap();
        journal.add(&failed).unwrap();
        assert_eq!(Journal::open(folder.path(), "k").unwrap().take(), [entry(0), failed]);
        assert!(Journal::open(folder.path(), "other").unwrap().take().is_empty());
    }

    #[test]
    fn a_line_that_was_cut_off_is_dropped_and_the_next_stands_alone() {
        let folder = Folder::new();
        let mut journal = Journal::open(folder.path(), "k").unwrap();
        journal.add(&entry(0)).unwrap();
        journal.add(&entry(1)).unwrap();
        let path = folder.path().join("k.jsonl");
        let text = fs::read(&path).unwrap();
        fs::write(&path, &text[..text.len() - 9]).unwrap();
        let mut journal = Journal::open(folder.path(), "k").unwrap();
        assert_eq!(journal.take(), [entry(0)]);
        journal.add(&entry(2)).unwrap();
        assert_eq!(Journal::open(folder.path(), "k").unwrap().take(), [entry(0), entry(2)]);
    }

    #[test]
    fn a_finished_search_leaves_nothing_and_unfinished_ones_are_bounded() {
        let folder = Folder::new();
        Journal::open(folder.path(), "k").unwrap().remove();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        for number in 0..KEPT + 5 {
            Journal::open(folder.path(), &number.to_string()).unwrap();
        }
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), KEPT + 1);
    }
}
