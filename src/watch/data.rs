//! The data folder: each file from its first byte to its registration.
//!
//! `arriving` while it is written, `settling` once it is quiet, `verifying` while it is digested and its header is read,
//! then registered. A file that changes on the way begins again. What waits and what is due is a table of moments; the
//! worker asks when to come back.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use globset::GlobSet;

use super::open_files::written_files;
use super::source::glob_set;
use super::{Verify, Watched};
use crate::disk::{FileStamp, digest_bytes, digest_file};
use crate::pipeline::{DataFile, DataSet};

/// Registered files wait for those that are still arriving, but not longer than this: one trigger for a bulk copy, and none
/// held up for ever by a file that never settles.
const GATHER: Duration = Duration::from_secs(30);

/// Files on their way that people are told of by name.
const TOLD: usize = 20;

#[derive(Debug, Clone)]
struct Arrival {
    quiet_at: Instant,
    is_open: bool,
}

#[derive(Debug, Clone)]
struct Registered {
    stamp: FileStamp,
    file: DataFile,
}

/// What one round brought.
#[derive(Debug, Default)]
pub(super) struct Round {
    /// Files that were held back, and why.
    pub(super) refused: Vec<(String, String)>,
}

/// All data files.
pub(super) struct Data {
    root: PathBuf,
    include: GlobSet,
    settle: Duration,
    verify: Verify,
    contract: PathBuf,
    contract_stamp: Option<FileStamp>,
    arriving: BTreeMap<PathBuf, Arrival>,
    registered: BTreeMap<PathBuf, Registered>,
    refused: BTreeMap<PathBuf, FileStamp>,
    /// Registered files that were judged by an earlier contract.
    doubted: BTreeSet<PathBuf>,
    /// Names registered or removed since the last report, and since when they wait.
    changed: BTreeSet<String>,
    changed_since: Option<Instant>,
}

impl Data {
    pub(super) fn new(watched: &Watched) -> Self {
        Self {
            root: watched.data.clone(),
            include: glob_set(&watched.include),
            settle: watched.settle,
            verify: watched.verify.clone(),
            contract: watched.contract.clone(),
            contract_stamp: stamp_of(&watched.contract),
            arriving: BTreeMap::new(),
            registered: BTreeMap::new(),
            refused: BTreeMap::new(),
            doubted: BTreeSet::new(),
            changed: BTreeSet::new(),
            changed_since: None,
        }
    }

    fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root).unwrap_or(path).to_string_lossy().into_owned()
    }

    /// Whether a file is data by its name.
    pub(super) fn counts(&self, path: &Path) -> bool {
        is_data(&self.root, &self.include, path)
    }

    /// Something happened to a file.
    pub(super) fn touched(&mut self, path: &Path, now: Instant) {
        if self.counts(path) {
            self.arriving.insert(path.to_owned(), Arrival { quiet_at: now + self.settle, is_open: false });
        }
    }

    /// Compares the folder with what is known; whatever differs begins to arrive. A file that has long been quiet need not
    /// be waited for.
    pub(super) fn rescan(&mut self, now: Instant) {
        self.look_at_contract(now);
        let mut found = BTreeSet::new();
        collect(&self.root, &mut found);
        let known = self.registered.keys().chain(self.refused.keys());
        let gone: Vec<PathBuf> = known.filter(|path| !found.contains(*path)).cloned().collect();
        for path in gone.into_iter().chain(found) {
            let metadata = fs::metadata(&path).ok();
            let stamp = metadata.as_ref().map(FileStamp::from);
            let known = self.registered.get(&path).map(|registered| registered.stamp);
            let is_known = stamp.is_some() && (stamp == known || stamp == self.refused.get(&path).copied());
            if !is_known && self.counts(&path) && !self.arriving.contains_key(&path) {
                let age = metadata
                    .and_then(|metadata| metadata.modified().ok())
                    .and_then(|modified| SystemTime::now().duration_since(modified).ok());
                let wait = self.settle.saturating_sub(age.unwrap_or_default());
                self.arriving.insert(path, Arrival { quiet_at: now + wait, is_open: false });
            }
        }
    }

    /// If what data files are judged by has changed, all are judged anew, those that were held back too.
    pub(super) fn look_at_contract(&mut self, now: Instant) {
        let stamp = stamp_of(&self.contract);
        if stamp == self.contract_stamp {
            return;
        }
        self.contract_stamp = stamp;
        self.doubted.extend(self.registered.keys().cloned());
        let held_back = std::mem::take(&mut self.refused);
        for path in self.registered.keys().chain(held_back.keys()) {
            self.arriving.entry(path.clone()).or_insert(Arrival { quiet_at: now, is_open: false });
        }
    }

    /// When something will be due.
    pub(super) fn next_due(&self) -> Option<Instant> {
        let quiet = self.arriving.values().map(|arrival| arrival.quiet_at).min();
        let gathered = self.changed_since.map(|since| since + GATHER);
        quiet.into_iter().chain(gathered).min()
    }

    /// Verifies every file whose time has come.
    pub(super) fn advance(&mut self, now: Instant) -> Round {
        let mut round = Round::default();
        let due: Vec<PathBuf> =
            self.arriving.iter().filter(|(_, arrival)| arrival.quiet_at <= now).map(|(path, _)| path.clone()).collect();
        let written = if due.is_empty() { BTreeSet::new() } else { written_files() };
        for path in due {
            if written.contains(&path) {
                let again = Arrival { quiet_at: now + self.settle.max(Duration::from_millis(50)), is_open: true };
                self.arriving.insert(path, again);
                continue;
            }
            self.arriving.remove(&path);
            self.verify(&path, now, &mut round);
        }
        round
    }

    fn verify(&mut self, path: &Path, now: Instant, round: &mut Round) {
        let Ok(before) = fs::metadata(path) else {
            if self.registered.remove(path).is_some() {
                self.note_change(path, now);
            }
            self.refused.remove(path);
            self.doubted.remove(path);
            return;
        };
        if !before.is_file() {
            return;
        }
        let stamp = FileStamp::from(&before);
        let is_doubted = self.doubted.contains(path);
        if !is_doubted && self.registered.get(path).is_some_and(|registered| registered.stamp == stamp) {
            return;
        }
        let judged = (self.verify)(path).and_then(|rows| {
            let digest = digest_file(path).map_err(|error| format!("it cannot be read: {error}"))?;
            Ok((rows, digest))
        });
        // Changed while it was read: nothing that was seen of it counts.
        if fs::metadata(path).map(|after| FileStamp::from(&after)).ok() != Some(stamp) {
            self.arriving.insert(path.to_owned(), Arrival { quiet_at: now + self.settle, is_open: false });
            return;
        }
        self.doubted.remove(path);
        let name = self.name(path);
        match judged {
            Ok((rows, digest)) => {
                self.refused.remove(path);
                let file = DataFile { path: name, digest, bytes: stamp.bytes, rows };
                let is_same = self.registered.get(path).is_some_and(|known| known.file == file);
                self.registered.insert(path.to_owned(), Registered { stamp, file });
                if !is_same {
                    self.note_change(path, now);
                }
            }
            Err(reason) => {
                // What was registered under this name is not what lies there now.
                if self.registered.remove(path).is_some() {
                    self.note_change(path, now);
                }
                self.refused.insert(path.to_owned(), stamp);
                round.refused.push((name, reason));
            }
        }
    }

    fn note_change(&mut self, path: &Path, now: Instant) {
        self.changed.insert(self.name(path));
        self.changed_since.get_or_insert(now);
    }

    /// The names that changed, once nothing else is arriving or it has been waited for long enough.
    pub(super) fn take_changed(&mut self, now: Instant) -> Option<Vec<String>> {
        let since = self.changed_since?;
        if !self.arriving.is_empty() && now.saturating_duration_since(since) < GATHER {
            return None;
        }
        self.changed_since = None;
        let names = std::mem::take(&mut self.changed);
        // Files that went away are named only when nothing came.
        let present: Vec<String> = names
            .iter()
            .filter(|name| self.registered.values().any(|registered| registered.file.path == **name))
            .cloned()
            .collect();
        Some(present)
    }

    /// The names of the files that are held back.
    pub(super) fn held_back(&self) -> BTreeSet<String> {
        self.refused.keys().map(|path| self.name(path)).collect()
    }

    /// Whether any file is on its way.
    pub(super) fn is_quiet(&self) -> bool {
        self.arriving.is_empty()
    }

    /// Whether no file is there, nor on its way.
    pub(super) fn is_empty(&self) -> bool {
        self.registered.is_empty() && self.arriving.is_empty()
    }

    /// How far each file on its way has come.
    pub(super) fn pending(&self, now: Instant) -> BTreeMap<String, String> {
        let state = |arrival: &Arrival| {
            if arrival.is_open {
                "arriving: still open for writing"
            } else if arrival.quiet_at > now {
                "settling"
            } else {
                "verifying"
            }
        };
        let told = self.arriving.iter().take(TOLD);
        told.map(|(path, arrival)| (self.name(path), state(arrival).to_owned())).collect()
    }

    /// The registered files as one set.
    pub(super) fn set(&self) -> DataSet {
        let files: Vec<DataFile> = self.registered.values().map(|registered| registered.file.clone()).collect();
        let lines: String = files.iter().map(|file| format!("{} {}\n", file.digest, file.path)).collect();
        DataSet {
            digest: digest_bytes(lines.as_bytes()),
            count: files.len() as u64,
            rows: files.iter().map(|file| file.rows).sum(),
            files,
        }
    }
}

fn stamp_of(path: &Path) -> Option<FileStamp> {
    fs::metadata(path).ok().as_ref().map(FileStamp::from)
}

/// The data files that lie in a folder now, sorted; whether they are fit to be registered is another matter.
pub fn data_files(root: &Path, include: &[String]) -> Vec<PathBuf> {
    let include = glob_set(include);
    let mut found = BTreeSet::new();
    collect(root, &mut found);
    found.into_iter().filter(|path| is_data(root, &include, path)).collect()
}

/// Hidden files, as copying programs make them on the way, are not.
fn is_data(root: &Path, include: &GlobSet, path: &Path) -> bool {
    let Ok(relative) = path.strip_prefix(root) else { return false };
    let is_hidden = relative.components().any(|part| part.as_os_str().as_encoded_bytes().starts_with(b"."));
    !is_hidden && include.is_match(relative)
}

fn collect(folder: &Path, found: &mut BTreeSet<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => collect(&entry.path(), found),
            Ok(_) => {
                found.insert(entry.path());
            }
            Err(_) => {}
        }
    }
}
