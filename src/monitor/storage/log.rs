//! The write-ahead log: what is not in a block yet, so that a killed daemon loses nothing that was committed.
//!
//! A log is one file. It holds all that came since the last block was begun, and is removed once that block is on disk.
//! It begins anew with each: it declares its series itself, so no log needs another, and a damaged one harms no other.
//!
//! ```text
//! magic · flags · records (length, checksum, payload)
//! ```
//!
//! A record is one commit, written at once. A process that is killed loses nothing of what was written; only when the
//! machine goes down does it matter what the disk has, see [`super::disk`].

use std::fs::{File, OpenOptions};
use std::io;
use std::mem;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::checksum::checksum;
use super::record::{Commit, CommitReader};

const MAGIC: &[u8; 8] = b"trnylog1";
/// The flag of a log before which the clock came back: its samples may be older than those before it.
const RESETS_ORDER: u8 = 1;
const HEADER: usize = 8 + 1;

/// A log that is written.
#[derive(Debug)]
pub(super) struct LogWriter {
    path: PathBuf,
    resets_order: bool,
    /// Made with the first write, so that a full disk is met there and nowhere else.
    file: Option<File>,
    length: u64,
    /// Whole records that are not written yet.
    waiting: Vec<u8>,
}

impl LogWriter {
    pub(super) fn new(path: PathBuf, resets_order: bool) -> Self {
        Self { path, resets_order, file: None, length: 0, waiting: Vec::new() }
    }

    /// Adds a record; [`LogWriter::unwritten`] gives it to be written.
    pub(super) fn add(&mut self, payload: &[u8]) {
        if self.length == 0 && self.waiting.is_empty() {
            self.waiting.extend_from_slice(MAGIC);
            self.waiting.push(if self.resets_order { RESETS_ORDER } else { 0 });
        }
        // A payload of four gigabytes would be a scrape of a hundred times that; the reader would stop at it.
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX);
        self.waiting.extend_from_slice(&length.to_le_bytes());
        self.waiting.extend_from_slice(&checksum(payload).to_le_bytes());
        self.waiting.extend_from_slice(payload);
    }

    /// What waits, to be written; [`LogWriter::take_back`] must follow.
    pub(super) fn unwritten(&mut self) -> Option<Unwritten> {
        if self.waiting.is_empty() {
            return None;
        }
        let (file, bytes) = (self.file.take(), mem::take(&mut self.waiting));
        Some(Unwritten { path: self.path.clone(), file, at: self.length, bytes })
    }

    /// Takes back what was tried to be written. If it was not, it still waits, and what was written of it is written over the
    /// next time.
    pub(super) fn take_back(&mut self, tried: Unwritten, is_written: bool) {
        let Unwritten { file, mut bytes, .. } = tried;
        self.file = file;
        if is_written {
            self.length += bytes.len() as u64;
            bytes.clear();
        }
        bytes.append(&mut self.waiting);
        self.waiting = bytes;
    }

    /// Whether its samples may be older than those of the logs before it.
    pub(super) fn resets_order(&self) -> bool {
        self.resets_order
    }

    /// Bytes in the file.
    pub(super) fn length(&self) -> u64 {
        self.length
    }

    /// Bytes that are not in the file.
    pub(super) fn waiting(&self) -> usize {
        self.waiting.len()
    }

    /// How much memory is held.
    pub(super) fn bytes(&self) -> usize {
        self.waiting.capacity()
    }

    /// The file, to be synced.
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }
}

/// Records on their way into a log. They are written without the store, so that nobody who asks it waits for a slow disk.
#[derive(Debug)]
pub(super) struct Unwritten {
    path: PathBuf,
    file: Option<File>,
    at: u64,
    bytes: Vec<u8>,
}

impl Unwritten {
    pub(super) fn write(&mut self) -> io::Result<()> {
        let file = match self.file.take() {
            Some(file) => file,
            None => OpenOptions::new().create(true).write(true).truncate(self.at == 0).open(&self.path)?,
        };
        self.file.insert(file).write_all_at(&self.bytes, self.at)
    }
}

/// A log that is read.
#[derive(Debug)]
pub(super) struct LogReader<'a> {
    rest: &'a [u8],
    resets_order: bool,
    commits: CommitReader,
    is_damaged: bool,
}

impl<'a> LogReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        let (magic, rest) = bytes.split_at_checked(MAGIC.len()).unwrap_or((bytes, &[]));
        let is_log = magic == MAGIC;
        let (flags, rest) = match rest.split_first() {
            Some((flags, rest)) if is_log => (*flags, rest),
            _ => (0, &[][..]),
        };
        Self {
            rest,
            resets_order: flags & RESETS_ORDER != 0,
            commits: CommitReader::default(),
            // A log that is shorter than its header was only just begun.
            is_damaged: !is_log && bytes.len() >= HEADER,
        }
    }

    /// Whether its samples may be older than those of the logs before it.
    pub(super) fn resets_order(&self) -> bool {
        self.resets_order
    }

    /// Whether it ended at something that is no record, and not just in the middle of one.
    pub(super) fn is_damaged(&self) -> bool {
        self.is_damaged
    }

    fn record(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let (sum, rest) = rest.split_first_chunk::<4>()?;
        let length = usize::try_from(u32::from_le_bytes(*length)).ok()?;
        let (payload, rest) = rest.split_at_checked(length)?;
        if checksum(payload) != u32::from_le_bytes(*sum) {
            // A torn last record may have its whole length and not its bytes. What stands behind it was lost.
            self.is_damaged = !rest.is_empty();
            return None;
        }
        self.rest = rest;
        Some(payload)
    }
}

impl Iterator for LogReader<'_> {
    type Item = Commit;

    /// The next commit, up to the first that is not whole.
    fn next(&mut self) -> Option<Commit> {
        let payload = self.record()?;
        let commit = self.commits.read(payload);
        if commit.is_none() {
            self.is_damaged = true;
            self.rest = &[];
        }
        commit
    }
}

/// The path of a log.
pub(super) fn path_of(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("log.{number:020}"))
}
