//! What a store does at the end of each batch: the log is written, full memory becomes a block, blocks are written in the
//! background, what is too old or too much is dropped.
//!
//! A block takes all samples from memory at once, so it replaces the log as a whole, and a crash at any point finds the
//! samples in one of the two: the log is removed only when the block is on disk, and the number of the block says which
//! logs it replaces. Taking them is moving pointers; packing them and laying them out is done by the thread that writes, and
//! queries read what was taken meanwhile.

use std::io;
use std::sync::Arc;

use super::aside::Aside;
use super::block::Block;
use super::catalogue::Catalogue;
use super::disk::Disk;
use super::error::StorageError;
use super::limits::StoreLimits;
use super::log::Unwritten;
use super::store::{AHEAD_MS, Head, SeriesStore};
use crate::pipeline::Moment;

/// A series without a sample for so many milliseconds is let go when a block is made: the look-back of queries.
const QUIET_MS: i64 = 5 * 60_000;
/// Blocks are made for room at most so often, in milliseconds.
const ROOM_EVERY: u64 = 60_000;
/// Blocks that wait for room on the disk, before the oldest of them is dropped.
const MOST_WAITING: usize = 4;

/// A commit that has begun.
#[derive(Debug)]
#[must_use = "nothing is written yet"]
pub struct Committing(Option<Unwritten>);

/// A commit whose samples have been written, or have not.
#[derive(Debug)]
#[must_use = "it ends with `end_commit`"]
pub struct Committed(Option<(Unwritten, io::Result<()>)>);

impl Committing {
    /// Writes the samples down. The disk may take its time for it, and the store is not needed meanwhile.
    pub fn write(self) -> Committed {
        let write = |mut unwritten: Unwritten| {
            let outcome = unwritten.write();
            (unwritten, outcome)
        };
        Committed(self.0.map(write))
    }
}

impl SeriesStore {
    /// Ends a batch: what was appended since the last one is written down. Called once a scrape, at its moment.
    ///
    /// An error says what cannot be written at the moment, and is told with each commit until it can be; the samples are
    /// taken all the same, and kept in memory within bounds.
    pub fn commit(&mut self, now: Moment) -> Result<(), StorageError> {
        let committed = self.begin_commit().write();
        self.end_commit(committed, now)
    }

    /// The first of the three parts of a commit, for who has the store under a lock and lets go of it while
    /// [`Committing::write`] waits for the disk. There is one commit at a time.
    pub fn begin_commit(&mut self) -> Committing {
        Committing(self.disk.as_mut().and_then(Disk::begin_commit))
    }

    /// The last part of a commit; the result is that of [`SeriesStore::commit`].
    pub fn end_commit(&mut self, committed: Committed, now: Moment) -> Result<(), StorageError> {
        let Moment(now) = now;
        self.clock.see(now, self.limits.jump_ms());
        self.collect_block(now, false);
        if let Some(disk) = &mut self.disk {
            disk.end_commit(committed.0, now);
        }
        if self.is_block_due(now) {
            self.make_block(now);
        }
        self.write_block(now);
        self.retain(now);
        self.disk.as_ref().and_then(Disk::failure).map_or(Ok(()), Err)
    }

    /// Waits until all blocks are on disk, or one cannot be written.
    pub fn settle(&mut self, now: Moment) {
        let Moment(now) = now;
        loop {
            self.write_block(now);
            if self.disk.as_ref().and_then(Disk::writing).is_none() {
                return;
            }
            self.collect_block(now, true);
        }
    }

    /// What all files take, or would take: of a store in memory its blocks count as if they were files.
    fn kept_bytes(&self) -> u64 {
        self.blocks.iter().map(|block| block.bytes).sum::<u64>() + self.disk.as_ref().map_or(0, Disk::log_bytes)
    }

    pub(super) fn bytes_on_disk(&self) -> u64 {
        let Some(disk) = &self.disk else { return 0 };
        let blocks = self.blocks.iter().filter(|block| block.is_on_disk());
        blocks.map(|block| block.bytes).sum::<u64>() + disk.log_bytes()
    }

    fn is_block_due(&self, now: i64) -> bool {
        let since = now.abs_diff(self.block_made);
        let span = self.limits.block_span_ms();
        // A target whose own timestamps lie far back would make a block of every scrape.
        let is_old = self.head.samples > 0
            && self.head.newest.saturating_sub(self.head.first) >= span
            && since >= span.unsigned_abs() / 2;
        let is_large = self.head.bytes >= self.limits.block_bytes();
        let gives_room = self.wants_room && since >= ROOM_EVERY && self.catalogue.could_let_go(self.quiet_since(now));
        let closes_hole = self.disk.as_ref().is_some_and(Disk::wants_block);
        is_old || is_large || gives_room || closes_hole || (self.is_ahead(now) && since >= AHEAD_MS.unsigned_abs())
    }

    /// Whether the clock has come back after it was far ahead. Then no series would take a sample for that long.
    fn is_ahead(&self, now: i64) -> bool {
        self.head.newest > now.saturating_add(AHEAD_MS)
    }

    fn quiet_since(&self, now: i64) -> i64 {
        self.head.newest.min(now).saturating_sub(QUIET_MS)
    }

    fn make_block(&mut self, now: i64) {
        let is_ahead = self.is_ahead(now);
        let after_last = self.blocks.last().map_or(1, |block| block.number + 1);
        let number = self.disk.as_ref().map_or(after_last, Disk::number);
        self.empty_head(number, self.quiet_since(now));
        if is_ahead {
            self.forget_order();
        }
        if let Some(disk) = &mut self.disk {
            disk.begin(is_ahead);
            disk.has_block();
        }
        self.block_made = now;
        self.wants_room = false;
    }

    /// Moves all samples from memory into a block, and lets go of the series that are over.
    pub(super) fn empty_head(&mut self, number: u64, quiet_since: i64) {
        let taken = self.catalogue.take_all();
        self.catalogue.let_go(quiet_since);
        let faults = self.faults.clone();
        // With a folder the thread that writes the block lays it out: whoever has the store would wait for it otherwise.
        let block = if self.disk.is_some() {
            Block::of_taken(number, taken, faults)
        } else {
            Block::in_memory(number, &taken, faults)
        };
        self.blocks.extend(block.map(Arc::new));
        self.head = Head { newest: self.head.newest, ..Head::default() };
    }

    /// Takes samples of any moment again.
    pub(super) fn forget_order(&mut self) {
        self.catalogue.forget_order();
        self.head.newest = i64::MIN;
    }

    /// Starts to write the oldest block that is only in memory.
    fn write_block(&mut self, now: i64) {
        let Some(disk) = &self.disk else { return };
        let (writing, may_write) = (disk.writing(), disk.may_write(now));
        let in_memory = self.blocks.iter().enumerate().filter(|(_, block)| !block.is_on_disk());
        let waiting: Vec<usize> = in_memory.map(|(index, _)| index).collect();
        if waiting.len() > MOST_WAITING {
            let is_free = |index: &usize| self.blocks.get(*index).is_some_and(|block| Some(block.number) != writing);
            if let Some(index) = waiting.iter().copied().find(is_free) {
                let block = self.blocks.remove(index);
                self.faults.put(StorageError::Dropped { samples: block.samples });
                self.drop_block(&block);
            }
            return;
        }
        let oldest = waiting.first().and_then(|index| self.blocks.get(*index)).cloned();
        if let (true, Some(block), Some(disk)) = (may_write, oldest, &mut self.disk) {
            disk.write(block, now);
        }
    }

    /// Takes note of the block that has been written, if one has.
    fn collect_block(&mut self, now: i64, waits: bool) {
        let Some(disk) = &mut self.disk else { return };
        let Some(written) = disk.collect(now, waits) else { return };
        if let Some(block) = self.blocks.iter_mut().find(|block| block.number == written.number) {
            *block = Arc::new(written);
        }
    }

    fn retain(&mut self, now: i64) {
        let oldest = now.saturating_sub(self.limits.retention_ms());
        let bound = now.saturating_add(AHEAD_MS);
        // A block of a clock that was far ahead is as old as its beginning, or it would stay for years.
        let end = |block: &Block| if block.last > bound { block.first } else { block.last };
        let is_steady = self.clock.is_steady();
        let writing = self.disk.as_ref().and_then(Disk::writing);
        let mut excess = self.kept_bytes().saturating_sub(self.limits.bytes_on_disk);
        let mut dropped = Vec::new();
        self.blocks.retain(|block| {
            let is_over = is_steady && end(block) < oldest;
            if Some(block.number) == writing || !(is_over || excess > 0) {
                return true;
            }
            excess = excess.saturating_sub(block.bytes);
            dropped.push(block.clone());
            false
        });
        for block in dropped {
            self.drop_block(&block);
        }
        if is_steady {
            self.retain_aside(oldest);
        }
        self.retain_known(writing);
    }

    /// Damaged blocks go as those that are not.
    fn retain_aside(&mut self, oldest: i64) {
        let (over, kept): (Vec<Aside>, Vec<Aside>) =
            self.aside.drain(..).partition(|aside| aside.is_older_than(oldest));
        self.aside = kept;
        for aside in over.into_iter().filter(Aside::remove) {
            self.faults.put(StorageError::AsideRemoved { path: aside.path });
        }
    }

    /// Series whose labels change all the time take memory as long as a block knows them.
    fn retain_known(&mut self, writing: Option<u64>) {
        let is_too_much = |catalogue: &Catalogue, limits: &StoreLimits| {
            catalogue.known() > limits.known_series() || catalogue.index().text() >= limits.label_text()
        };
        while is_too_much(&self.catalogue, &self.limits) && self.blocks.len() > 1 {
            if self.blocks.first().is_none_or(|block| Some(block.number) == writing) {
                return;
            }
            let block = self.blocks.remove(0);
            self.drop_block(&block);
        }
    }

    fn drop_block(&mut self, block: &Block) {
        if let Err(fault) = block.discard() {
            self.faults.put(fault);
        }
        self.catalogue.leave_block(block.slots());
    }
}
