//! The folder of a store: the log that is written at each commit, and the blocks that are written in the background. No file
//! is touched by whoever holds the store, but for those of blocks that are dropped.
//!
//! When a commit returns, its record has been given to the kernel: a killed daemon loses nothing. For a machine that goes
//! down, the log is also synced, once a second and not at each commit: what would be lost is that second of charts, and a
//! sync at every scrape of every target would wear the disk for it. The sync and the writing of blocks are done by
//! threads, because a disk may take seconds for either.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::background::Background;
use super::block::Block;
use super::error::StorageError;
use super::log::{self, LogWriter, Unwritten};
use super::record::Batch;
use super::series::{HeadSeries, Reference};
use crate::monitor::labels::Labels;

/// Milliseconds between two syncs of the log.
const SYNC_EVERY: u64 = 1_000;
/// Milliseconds until a block that could not be written is tried again.
const TRY_AGAIN: u64 = 10_000;
/// Bytes of the log that wait for room on the disk, before they are given up and only the block is waited for.
const MOST_WAITING: usize = 4 << 20;

/// What is on disk and under way to it.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
    number: u64,
    batch: Batch,
    log: LogWriter,
    /// Logs that no block on disk replaces yet: numbers and bytes.
    older: Vec<(u64, u64)>,
    /// The log has a hole: a block must replace it before a crash does no harm any more.
    has_hole: bool,
    log_failure: Option<StorageError>,
    syncing: Background<io::Result<()>>,
    synced: i64,
    synced_length: u64,
    sync_failure: Option<StorageError>,
    writing: Background<io::Result<Written>>,
    /// Which block that is.
    written: u64,
    block_failure: Option<(StorageError, i64)>,
}

/// What came of writing a block.
#[derive(Debug)]
struct Written {
    block: Block,
    /// The logs that were removed, because the block replaces them.
    removed: Vec<u64>,
}

impl Disk {
    /// A folder in which the next log gets `number`; `older` are those that are there.
    pub(super) fn new(folder: &Path, number: u64, older: Vec<(u64, u64)>) -> Self {
        Self {
            folder: folder.to_owned(),
            number,
            batch: Batch::default(),
            log: LogWriter::new(log::path_of(folder, number), false),
            older,
            has_hole: false,
            log_failure: None,
            syncing: Background::idle(),
            synced: i64::MIN,
            synced_length: 0,
            sync_failure: None,
            writing: Background::idle(),
            written: 0,
            block_failure: None,
        }
    }

    /// The number of the log that is written now.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Puts a sample into the next commit.
    pub(super) fn add(&mut self, labels: &Labels, series: &mut HeadSeries, at: i64, value: f64) {
        let known = series.reference.filter(|reference| reference.log == self.number);
        let number = known.map(|reference| reference.number).or_else(|| self.batch.declare(labels));
        if let Some(number) = number {
            series.reference = Some(Reference { log: self.number, number });
            self.batch.add(number, at, value);
        }
    }

    /// What was added since the last commit, to be written.
    pub(super) fn begin_commit(&mut self) -> Option<Unwritten> {
        if let Some(payload) = self.batch.take() {
            self.log.add(&payload);
        }
        self.log.unwritten()
    }

    /// Takes note of what became of it.
    pub(super) fn end_commit(&mut self, tried: Option<(Unwritten, io::Result<()>)>, now: i64) {
        let outcome = match tried {
            Some((tried, outcome)) => {
                self.log.take_back(tried, outcome.is_ok());
                outcome
            }
            None => Ok(()),
        };
        match outcome {
            Ok(()) => {
                self.log_failure = None;
                self.sync(now);
            }
            Err(error) => {
                self.log_failure = Some(StorageError::writing(&self.folder, error));
                if self.log.waiting() > MOST_WAITING {
                    self.has_hole = true;
                    self.begin(self.log.resets_order());
                }
            }
        }
    }

    /// Begins the next log.
    pub(super) fn begin(&mut self, resets_order: bool) {
        self.older.push((self.number, self.log.length()));
        self.number += 1;
        self.batch = Batch::default();
        self.log = LogWriter::new(log::path_of(&self.folder, self.number), resets_order);
        self.synced_length = 0;
    }

    /// Whether a block is wanted, now that the log can be written again.
    pub(super) fn wants_block(&self) -> bool {
        self.has_hole && self.log_failure.is_none()
    }

    /// A block was made of all that the log holds.
    pub(super) fn has_block(&mut self) {
        self.has_hole = false;
    }

    /// The block that is being written.
    pub(super) fn writing(&self) -> Option<u64> {
        self.writing.is_running().then_some(self.written)
    }

    /// Whether a block may be written now.
    pub(super) fn may_write(&self, now: i64) -> bool {
        let waits = self.block_failure.as_ref().is_some_and(|(_, at)| now.abs_diff(*at) < TRY_AGAIN);
        !self.writing.is_running() && !waits
    }

    /// Lays a block out and writes it in the background.
    pub(super) fn write(&mut self, block: Arc<Block>, now: i64) {
        let number = block.number;
        let path = block_path(&self.folder, number);
        self.written = number;
        let replaced = self.older.iter().map(|(older, _)| *older).filter(|older| *older <= number);
        let logs: Vec<(u64, PathBuf)> = replaced.map(|older| (older, log::path_of(&self.folder, older))).collect();
        let work = move || block.write(path).map(|block| Written { block, removed: removed(logs) });
        if let Err(error) = self.writing.start("series-block", work) {
            self.block_failure = Some((StorageError::writing(&self.folder, error), now));
        }
    }

    /// The block that has been written since this was asked last; waits for it if told to.
    pub(super) fn collect(&mut self, now: i64, waits: bool) -> Option<Block> {
        let outcome = if waits { self.writing.wait() } else { self.writing.collect() };
        match outcome? {
            Ok(Written { block, removed }) => {
                self.block_failure = None;
                self.older.retain(|(older, _)| !removed.contains(older));
                Some(block)
            }
            Err(error) => {
                self.block_failure = Some((StorageError::writing(&self.folder, error), now));
                None
            }
        }
    }

    /// What is not in order at the moment.
    pub(super) fn failure(&self) -> Option<StorageError> {
        let of_block = self.block_failure.as_ref().map(|(failure, _)| failure);
        self.log_failure.as_ref().or(of_block).or(self.sync_failure.as_ref()).cloned()
    }

    /// Bytes of all logs on disk.
    pub(super) fn log_bytes(&self) -> u64 {
        self.older.iter().map(|(_, bytes)| bytes).sum::<u64>() + self.log.length()
    }

    /// How much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.batch.bytes() + self.log.bytes()
    }

    fn sync(&mut self, now: i64) {
        match self.syncing.collect() {
            Some(Ok(())) => self.sync_failure = None,
            Some(Err(error)) => self.sync_failure = Some(StorageError::writing(&self.folder, error)),
            None => {}
        }
        let is_due = now.abs_diff(self.synced) >= SYNC_EVERY && self.log.length() > self.synced_length;
        if self.syncing.is_running() || !is_due {
            return;
        }
        let Some(file) = self.log.file() else { return };
        // The name of a new file must survive a crash of the machine too.
        let folder = (self.synced_length == 0).then(|| self.folder.clone());
        let work = |file: File| move || file.sync_data().and_then(|()| folder.map_or(Ok(()), |folder| synced(&folder)));
        let started = file.try_clone().and_then(|file| self.syncing.start("series-sync", work(file)));
        if let Err(error) = started {
            self.sync_failure = Some(StorageError::writing(&self.folder, error));
        }
        self.synced = now;
        self.synced_length = self.log.length();
    }
}

/// Removes logs, and gives the numbers of those that are gone. One that cannot be removed is removed with the next block or
/// at the next start: the block says which logs it replaces.
fn removed(logs: Vec<(u64, PathBuf)>) -> Vec<u64> {
    let is_gone = |path: &Path| match fs::remove_file(path) {
        Ok(()) => true,
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    logs.into_iter().filter(|(_, path)| is_gone(path)).map(|(number, _)| number).collect()
}

fn synced(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// The path of a block.
fn block_path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("block.{number:020}"))
}
