//! Opening a folder after whatever became of the one who wrote it.
//!
//! Blocks are whole, because they were written under another name and renamed. A log may end anywhere: what is whole of it
//! is read. Logs that a block replaces are left over from a crash between the two and are removed; those of a damaged block
//! are all that is left of it.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::aside::{self, Aside};
use super::block::{self, Block, NoBlock};
use super::catalogue::SeriesId;
use super::disk::Disk;
use super::error::StorageError;
use super::limits::StoreLimits;
use super::log::LogReader;
use super::retention::Clock;
use super::store::SeriesStore;
use crate::pipeline::Moment;

/// What lies in a folder.
#[derive(Debug, Default)]
struct Found {
    blocks: BTreeMap<u64, PathBuf>,
    logs: BTreeMap<u64, PathBuf>,
    aside: Vec<PathBuf>,
}

impl SeriesStore {
    /// Opens the store in a folder, which is made if it is not there. Only one may have it open at a time.
    ///
    /// What is damaged is left out and told by [`SeriesStore::take_faults`]; an error is returned only if the folder itself
    /// cannot be used.
    pub fn open(folder: &Path, limits: StoreLimits, now: Moment) -> Result<Self, StorageError> {
        fs::create_dir_all(folder).map_err(|error| StorageError::writing(folder, error))?;
        let found = Found::list(folder).map_err(|error| StorageError::reading(folder, error))?;
        let mut store = Self::in_memory(limits);
        // Before blocks and logs are read: what they say of the future is judged by it.
        store.clock = Clock::since(Some(now.0));
        store.aside = found.aside.iter().filter_map(|path| Aside::of(path)).collect();
        let newest_block = found.blocks.keys().next_back().copied().unwrap_or(0);
        let mut replaced = 0;
        for (number, path) in found.blocks {
            if store.open_block(number, path) {
                replaced = number;
            }
        }
        let newest_log = found.logs.keys().next_back().copied().unwrap_or(0);
        let mut older = Vec::new();
        for (number, path) in found.logs {
            if number <= replaced {
                // If it cannot be removed now, it can at the next start.
                let _ = fs::remove_file(&path);
            } else {
                older.push((number, store.read_log(number, &path)));
            }
        }
        store.disk = Some(Disk::new(folder, newest_block.max(newest_log) + 1, older));
        // The clock may be wrong at this start: then it is far from the newest sample.
        store.clock = Clock::since(store.newest());
        store.clock.see(now.0, limits.jump_ms());
        Ok(store)
    }

    fn newest(&self) -> Option<i64> {
        let newest = self.blocks.iter().map(|block| block.last).chain([self.head.newest]).max();
        newest.filter(|newest| *newest != i64::MIN)
    }

    /// Takes in a block; whether it stands for its logs, as one does that can be read later perhaps.
    fn open_block(&mut self, number: u64, path: PathBuf) -> bool {
        let opened = match block::open(&path) {
            Ok(opened) => opened,
            Err(NoBlock::Unreadable(error)) => {
                self.faults.put(StorageError::reading(&path, error));
                return true;
            }
            Err(NoBlock::Damaged(fault)) => {
                let fault = set_aside(path, fault);
                if let StorageError::SetAside { aside, .. } = &fault {
                    self.aside.extend(Aside::of(aside));
                }
                self.faults.put(fault);
                return false;
            }
        };
        let catalogue = &mut self.catalogue;
        let block = Block::from_file(number, path, opened, self.faults.clone(), |labels| catalogue.enter(labels));
        self.catalogue.join_block(block.slots());
        self.blocks.push(Arc::new(block));
        true
    }

    /// Takes in the samples of a log; returns how large it is.
    fn read_log(&mut self, number: u64, path: &Path) -> u64 {
        let bytes = match fs::read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                self.faults.put(StorageError::reading(path, error));
                return 0;
            }
        };
        let mut reader = LogReader::new(&bytes);
        if reader.resets_order() {
            // No series is let go: they are needed again at once.
            self.empty_head(number.saturating_sub(1), i64::MIN);
            self.forget_order();
        }
        let mut ids: Vec<Option<SeriesId>> = Vec::new();
        for commit in &mut reader {
            ids.extend(commit.declared.iter().map(|labels| self.resolve(labels, true)));
            for (series, at, value) in commit.samples {
                if let Some(Some(id)) = ids.get(series as usize) {
                    // What was refused when it was new was not written; what is refused now is older than a block.
                    let _ = self.append(*id, at, value);
                }
            }
        }
        if reader.is_damaged() {
            let fault = "a record is not the one that was written; all before it was read";
            self.faults.put(StorageError::Damaged { path: path.to_owned(), fault });
        }
        bytes.len() as u64
    }
}

impl Found {
    fn list(folder: &Path) -> io::Result<Self> {
        let mut found = Self::default();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
            if name.starts_with('.') && name.ends_with(".partial") {
                // A block that was being written; the log has what it was to hold.
                let _ = fs::remove_file(&path);
                continue;
            }
            if name.ends_with(aside::ENDING) {
                found.aside.push(path);
                continue;
            }
            let Some((kind, number)) = name.split_once('.') else { continue };
            let Ok(number) = number.parse::<u64>() else { continue };
            match kind {
                "block" => found.blocks.insert(number, path.clone()),
                "log" => found.logs.insert(number, path.clone()),
                _ => None,
            };
        }
        Ok(found)
    }
}

/// Gives a damaged block another name, so that it is not met again and can be looked at.
fn set_aside(path: PathBuf, fault: &'static str) -> StorageError {
    let mut name = path.clone().into_os_string();
    name.push(aside::ENDING);
    let aside = PathBuf::from(name);
    match fs::rename(&path, &aside) {
        Ok(()) => StorageError::SetAside { path, fault, aside },
        Err(_) => StorageError::Damaged { path, fault },
    }
}
