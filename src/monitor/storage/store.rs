//! The store: takes samples, finds series. What it does at the end of a batch is in [`super::housekeeping`], how it is
//! opened in [`super::recovery`].

use std::sync::Arc;

use promql_parser::label::{MatchOp, Matcher};

use super::aside::Aside;
use super::block::Block;
use super::catalogue::{Catalogue, SeriesId};
use super::disk::Disk;
use super::error::{AppendError, Faults, StorageError};
use super::limits::StoreLimits;
use super::reader::{BlockReader, Room};
use super::retention::Clock;
use super::selected::{Part, Selected};
use super::series::Appended;
use super::stale::STALE_BITS;
use crate::monitor::labels::{Labels, METRIC_NAME};
use crate::pipeline::Moment;

/// A sample further ahead of the clock than this is of a clock that was wrong, in milliseconds.
pub(super) const AHEAD_MS: i64 = 10 * 60_000;

/// The samples of every target, as long as the limits say: the newest in memory, the others on disk if it has a folder.
///
/// Nothing here reads a clock. A moment that is not after the last sample of its series is refused, so each series holds
/// at most one sample for a moment, in order.
#[derive(Debug)]
pub struct SeriesStore {
    pub(super) limits: StoreLimits,
    pub(super) catalogue: Catalogue,
    /// In the order in which they were made.
    pub(super) blocks: Vec<Arc<Block>>,
    pub(super) head: Head,
    pub(super) clock: Clock,
    pub(super) disk: Option<Disk>,
    /// Damaged blocks in the folder.
    pub(super) aside: Vec<Aside>,
    pub(super) faults: Faults,
    /// A series found no room.
    pub(super) wants_room: bool,
    /// When a block was made last, by the clock.
    pub(super) block_made: i64,
}

/// The samples in memory all together.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) first: i64,
    /// The latest moment of any series; it stays when the samples go into a block.
    pub(super) newest: i64,
    pub(super) samples: u64,
    /// Bytes of sealed chunks.
    pub(super) bytes: u64,
}

impl Default for Head {
    fn default() -> Self {
        Self { first: i64::MAX, newest: i64::MIN, samples: 0, bytes: 0 }
    }
}

/// What a store holds at the moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Statistics {
    /// Series that are known, with those that have ended and are in old blocks only.
    pub series: usize,
    /// Series that are in memory and have not ended: what `max_series` limits.
    pub live_series: usize,
    /// Samples within the retention.
    pub samples: u64,
    /// About how much memory it takes.
    pub bytes_in_memory: u64,
    /// How much its files take.
    pub bytes_on_disk: u64,
    /// When the oldest sample was taken.
    pub oldest: Option<Moment>,
}

impl SeriesStore {
    /// An empty store without files.
    pub fn in_memory(limits: StoreLimits) -> Self {
        Self {
            limits,
            catalogue: Catalogue::default(),
            blocks: Vec::new(),
            head: Head::default(),
            clock: Clock::default(),
            disk: None,
            aside: Vec::new(),
            faults: Faults::default(),
            wants_room: false,
            block_made: i64::MIN,
        }
    }

    /// Changes the limits; what is too much goes with the next commit.
    pub fn set_limits(&mut self, limits: StoreLimits) {
        self.limits = limits;
    }

    /// The series with these labels, which is made if there is none. None if there is no room for it: `max_series` have
    /// not ended, or the labels of all are so long that their number says nothing any more. Those that are `exempt` always find room, or a full store could not even say that an app is down.
    ///
    /// An id holds until its series has ended and its samples have gone into a block; then `append` says
    /// [`AppendError::UnknownSeries`] and this must be asked again.
    pub fn resolve(&mut self, labels: &Labels, exempt: bool) -> Option<SeriesId> {
        if let Some(id) = self.catalogue.find(labels) {
            return Some(id);
        }
        if !exempt && !self.has_room() {
            return None;
        }
        let slot = self.catalogue.enter(labels)?;
        let floor = self.last_in_blocks(slot);
        self.catalogue.open(slot, floor)
    }

    /// Whether there is room for one more series. Where there is none, what room can be made is made with a next commit.
    pub fn has_room(&mut self) -> bool {
        let has_room = self.catalogue.live() < self.limits.max_series
            && self.catalogue.in_memory() < self.limits.series_in_memory()
            && self.catalogue.index().text() < self.limits.label_text();
        self.wants_room |= !has_room;
        has_room
    }

    /// Takes a sample of a series, at a moment in milliseconds since the epoch. The very same sample may come again.
    pub fn append(&mut self, id: SeriesId, at: i64, value: f64) -> Result<(), AppendError> {
        let (labels, series) = self.catalogue.head_mut(id).ok_or(AppendError::UnknownSeries)?;
        let had_ended = series.has_ended();
        let Appended::Taken { sealed } = series.append(at, value)? else { return Ok(()) };
        let has_ended = series.has_ended();
        if let Some(disk) = &mut self.disk {
            disk.add(labels, series, at, value);
        }
        self.catalogue.note_end(had_ended, has_ended);
        self.head.first = self.head.first.min(at);
        self.head.newest = self.head.newest.max(at);
        self.head.samples += 1;
        self.head.bytes += sealed as u64;
        Ok(())
    }

    /// Says that a series has ended, unless it has or holds a later sample.
    pub fn mark_stale(&mut self, id: SeriesId, at: i64) {
        if self.catalogue.head_mut(id).is_some_and(|(_, series)| !series.has_ended()) {
            // A sample of the same moment or a later one says more than the end.
            let _ = self.append(id, at, f64::from_bits(STALE_BITS));
        }
    }

    /// The series that all matchers accept and that may have samples from `from` to `until`, both included, sorted by
    /// their labels. They are a snapshot: what is appended later does not show in them.
    pub fn select(&self, matchers: &[Matcher], from: i64, until: i64) -> Vec<Selected> {
        let room = Arc::new(Room::default());
        let blocks = self.blocks.iter().filter(|block| block.overlaps(from, until));
        let blocks: Vec<Arc<BlockReader>> = blocks.map(|block| BlockReader::new(block, &room)).collect();
        let slots = self.catalogue.index().select(matchers).into_iter();
        let mut found: Vec<Selected> = slots.filter_map(|slot| self.selected(slot, &blocks, from, until)).collect();
        found.sort_unstable_by(|one, other| one.labels.cmp(&other.labels));
        found
    }

    /// The names of all metrics, sorted.
    pub fn metric_names(&self) -> Vec<String> {
        self.catalogue.index().metrics()
    }

    /// How many series each metric has, sorted by its name.
    pub fn series_of_each_metric(&self) -> Vec<(String, usize)> {
        self.catalogue.index().counts(METRIC_NAME)
    }

    /// The names of all labels, sorted; that of the metric's name is among them.
    pub fn label_names(&self) -> Vec<String> {
        self.catalogue.index().names()
    }

    /// The values of a label, sorted.
    pub fn label_values(&self, name: &str) -> Vec<String> {
        self.catalogue.index().values(name)
    }

    /// The labels of every series of a metric: references to them, so that whoever goes through them need not hold the store.
    pub fn labels_of(&self, metric: &str) -> Vec<Labels> {
        let is_named = Matcher::new(MatchOp::Equal, METRIC_NAME, metric);
        let slots = self.catalogue.index().select(&[is_named]).into_iter();
        slots.filter_map(|slot| self.catalogue.get(slot)).map(|(labels, _)| labels.clone()).collect()
    }

    /// How many series are known, with those that have ended and are within the retention.
    pub fn series_count(&self) -> usize {
        self.catalogue.known()
    }

    /// When the oldest sample was taken.
    pub fn oldest(&self) -> Option<Moment> {
        let oldest = self.blocks.iter().map(|block| block.first).chain([self.head.first]).min();
        oldest.filter(|first| *first != i64::MAX).map(Moment)
    }

    /// What is held at the moment. It looks at every series, so it is not for every scrape.
    pub fn statistics(&self) -> Statistics {
        let of_blocks: usize = self.blocks.iter().map(|block| block.bytes_in_memory()).sum();
        let of_disk = self.disk.as_ref().map_or(0, Disk::bytes);
        Statistics {
            series: self.catalogue.known(),
            live_series: self.catalogue.live(),
            samples: self.blocks.iter().map(|block| block.samples).sum::<u64>() + self.head.samples,
            bytes_in_memory: (self.catalogue.bytes() + of_blocks + of_disk) as u64,
            bytes_on_disk: self.bytes_on_disk(),
            oldest: self.oldest(),
        }
    }

    /// Faults that were noticed since this was asked last, such as a damaged block that was set aside. What is not in
    /// order at the moment, `commit` says each time.
    pub fn take_faults(&self) -> Vec<StorageError> {
        self.faults.take()
    }

    fn selected(&self, slot: u32, blocks: &[Arc<BlockReader>], from: i64, until: i64) -> Option<Selected> {
        let (labels, head) = self.catalogue.get(slot)?;
        let mut parts: Vec<Part> =
            blocks.iter().filter(|one| one.block.holds(slot)).map(|one| Part::in_block(one, slot)).collect();
        parts.extend(head.and_then(|series| Part::in_memory(series.chunks(from, until))));
        (!parts.is_empty()).then(|| Selected::new(labels.clone(), parts))
    }

    /// Before this moment a series that comes back into memory takes no sample.
    fn last_in_blocks(&self, slot: u32) -> i64 {
        if !self.catalogue.is_in_blocks(slot) {
            return i64::MIN;
        }
        let in_newest = || {
            let newest = self.blocks.iter().rev().find(|block| block.holds(slot))?;
            newest.chunks(slot).last().map(|chunk| chunk.summary.last_at)
        };
        let last = self.catalogue.left_at(slot).or_else(in_newest);
        let bound = self.clock.last().map_or(i64::MAX, |now| now.saturating_add(AHEAD_MS));
        // What a clock wrote that was far ahead does not count.
        last.filter(|last| *last <= bound).unwrap_or(i64::MIN)
    }
}
