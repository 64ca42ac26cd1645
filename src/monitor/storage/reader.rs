//! Reading blocks for one selection: each file is opened once for all series that are read from it.
//!
//! A selection over thousands of series would otherwise open each block once a series. The files are closed with the
//! selection. How many are open at a time is bounded: a very long history has more blocks than a process may have files;
//! those beyond are opened for each read, as all were.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use super::block::{Block, read_part};
use super::chunk::Chunk;

/// Files that one selection keeps open.
const MOST_OPEN: usize = 64;

/// How often a selection wanted to keep a file open.
#[derive(Debug, Default)]
pub(super) struct Room(AtomicUsize);

impl Room {
    fn take(&self) -> bool {
        self.0.fetch_add(1, Ordering::Relaxed) < MOST_OPEN
    }
}

/// A block as a selection reads it.
#[derive(Debug)]
pub(super) struct BlockReader {
    pub(super) block: Arc<Block>,
    file: OnceLock<File>,
    room: Arc<Room>,
}

impl BlockReader {
    pub(super) fn new(block: &Arc<Block>, room: &Arc<Room>) -> Arc<Self> {
        Arc::new(Self { block: block.clone(), file: OnceLock::new(), room: room.clone() })
    }

    /// The chunks of a series.
    pub(super) fn chunks(&self, slot: u32) -> Vec<Chunk> {
        self.block.chunks_by(slot, |path, offset, length| self.read(path, offset, length))
    }

    fn read(&self, path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        if let Some(file) = self.file.get() {
            return read_part(file, offset, length);
        }
        let file = File::open(path)?;
        let read = read_part(&file, offset, length);
        if self.room.take() {
            // Two threads may have opened it at once; then one of both files is closed again.
            let _ = self.file.set(file);
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_kept_open_up_to_a_bound() {
        let room = Room::default();
        assert_eq!((0..100).filter(|_| room.take()).count(), MOST_OPEN);
    }
}
