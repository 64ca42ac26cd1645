//! Every series that is known, in memory or in a block: its labels, its number, and its newest samples.
//!
//! A series has a slot for as long as it is in memory or in any block. Slots are used again, so an id also holds how
//! often its slot changed hands: one that was kept too long finds nothing, never another series.

use std::collections::HashMap;

use super::image::Taken;
use super::index::Index;
use super::series::HeadSeries;
use crate::monitor::labels::Labels;

/// About how many bytes a label of a series takes, whose texts are shared.
const LABEL_BYTES: usize = 32;

/// A series within one store, for as long as the store lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SeriesId {
    slot: u32,
    generation: u32,
}

/// All series.
#[derive(Debug, Default)]
pub(super) struct Catalogue {
    slots: Vec<Slot>,
    free: Vec<u32>,
    by_labels: HashMap<Labels, u32>,
    index: Index,
    in_memory: usize,
    live: usize,
}

#[derive(Debug, Default)]
struct Slot {
    labels: Labels,
    generation: u32,
    /// In how many blocks it is.
    blocks: u32,
    /// The moment of its last sample when it was taken out of memory; none if only its blocks know.
    left_at: Option<i64>,
    /// Apart, because most series of a long history are in old blocks only.
    head: Option<Box<HeadSeries>>,
}

impl Catalogue {
    pub(super) fn index(&self) -> &Index {
        &self.index
    }

    /// How many series are known.
    pub(super) fn known(&self) -> usize {
        self.slots.len() - self.free.len()
    }

    /// How many are in memory.
    pub(super) fn in_memory(&self) -> usize {
        self.in_memory
    }

    /// How many of those have not ended.
    pub(super) fn live(&self) -> usize {
        self.live
    }

    /// The id of a series that is in memory.
    pub(super) fn find(&self, labels: &Labels) -> Option<SeriesId> {
        let slot = *self.by_labels.get(labels)?;
        let entry = self.slot(slot)?;
        entry.head.is_some().then_some(SeriesId { slot, generation: entry.generation })
    }

    /// The slot of a series, which is made if it was not known.
    pub(super) fn enter(&mut self, labels: &Labels) -> Option<u32> {
        if let Some(slot) = self.by_labels.get(labels) {
            return Some(*slot);
        }
        let slot = match self.free.pop() {
            Some(slot) => slot,
            None => {
                let slot = u32::try_from(self.slots.len()).ok()?;
                self.slots.push(Slot::default());
                slot
            }
        };
        let labels = self.index.share(labels);
        self.index.insert(slot, &labels);
        if let Some(entry) = self.slots.get_mut(slot as usize) {
            entry.labels = labels.clone();
        }
        self.by_labels.insert(labels, slot);
        Some(slot)
    }

    /// Takes a series into memory, where it takes samples after `floor`.
    pub(super) fn open(&mut self, slot: u32, floor: i64) -> Option<SeriesId> {
        let entry = self.slots.get_mut(slot as usize)?;
        if entry.head.is_none() {
            entry.head = Some(Box::new(HeadSeries::after(floor)));
            self.in_memory += 1;
            self.live += 1;
        }
        Some(SeriesId { slot, generation: entry.generation })
    }

    /// A series in memory.
    pub(super) fn head_mut(&mut self, id: SeriesId) -> Option<(&Labels, &mut HeadSeries)> {
        let entry = self.slots.get_mut(id.slot as usize)?;
        if entry.generation != id.generation {
            return None;
        }
        Some((&entry.labels, entry.head.as_deref_mut()?))
    }

    /// What is known of a series, and its newest samples if it is in memory.
    pub(super) fn get(&self, slot: u32) -> Option<(&Labels, Option<&HeadSeries>)> {
        let entry = self.slot(slot)?;
        Some((&entry.labels, entry.head.as_deref()))
    }

    /// Whether a series is in a block.
    pub(super) fn is_in_blocks(&self, slot: u32) -> bool {
        self.slot(slot).is_some_and(|entry| entry.blocks > 0)
    }

    /// The last moment of a series that was in memory, where it is known without a look into its blocks.
    pub(super) fn left_at(&self, slot: u32) -> Option<i64> {
        self.slot(slot)?.left_at
    }

    /// A series in memory ended, or went on.
    pub(super) fn note_end(&mut self, had_ended: bool, has_ended: bool) {
        match (had_ended, has_ended) {
            (false, true) => self.live -= 1,
            (true, false) => self.live += 1,
            (true, true) | (false, false) => {}
        }
    }

    /// A block holds these series.
    pub(super) fn join_block(&mut self, slots: impl Iterator<Item = u32>) {
        for slot in slots {
            if let Some(entry) = self.slots.get_mut(slot as usize) {
                entry.blocks += 1;
            }
        }
    }

    /// The block is gone, and with it those that are nowhere else.
    pub(super) fn leave_block(&mut self, slots: impl Iterator<Item = u32>) {
        let mut nowhere = Vec::new();
        for slot in slots {
            if let Some(entry) = self.slots.get_mut(slot as usize) {
                entry.blocks = entry.blocks.saturating_sub(1);
                if entry.blocks == 0 && entry.head.is_none() {
                    nowhere.push(slot);
                }
            }
        }
        self.forget(&nowhere);
    }

    /// Takes all samples out of memory, for a block, in ascending order of the slots.
    pub(super) fn take_all(&mut self) -> Vec<Taken> {
        let mut taken = Vec::with_capacity(self.in_memory);
        for (slot, entry) in (0_u32..).zip(&mut self.slots) {
            let Some(series) = entry.head.as_deref_mut() else { continue };
            let chunks = series.take();
            if !chunks.is_empty() {
                taken.push(Taken { slot, labels: entry.labels.clone(), chunks });
                entry.blocks += 1;
            }
        }
        taken
    }

    /// Takes the series out of memory that have ended or had no sample for long. Their samples must be in a block.
    pub(super) fn let_go(&mut self, quiet_since: i64) {
        let mut nowhere = Vec::new();
        for (slot, entry) in (0_u32..).zip(&mut self.slots) {
            let Some(series) = &entry.head else { continue };
            if series.is_over(quiet_since) {
                if !series.has_ended() {
                    self.live -= 1;
                }
                self.in_memory -= 1;
                entry.left_at = series.last_at();
                entry.head = None;
                if entry.blocks == 0 {
                    nowhere.push(slot);
                }
            }
        }
        self.forget(&nowhere);
    }

    /// Whether [`Catalogue::let_go`] would find any.
    pub(super) fn could_let_go(&self, quiet_since: i64) -> bool {
        self.slots.iter().filter_map(|entry| entry.head.as_ref()).any(|series| series.is_over(quiet_since))
    }

    /// All series take samples of any moment again.
    pub(super) fn forget_order(&mut self) {
        for entry in &mut self.slots {
            entry.left_at = None;
            if let Some(series) = &mut entry.head {
                series.forget_order();
            }
        }
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let of_slot = |entry: &Slot| {
            // Once in the slot, and once as a key.
            let labels = entry.labels.pairs().count() * LABEL_BYTES + 2 * size_of::<Labels>();
            size_of::<Slot>() + labels + entry.head.as_ref().map_or(0, |series| series.bytes())
        };
        self.slots.iter().map(of_slot).sum::<usize>() + self.index.bytes()
    }

    fn slot(&self, slot: u32) -> Option<&Slot> {
        self.slots.get(slot as usize)
    }

    /// Gives back slots that are in use and hold nothing.
    fn forget(&mut self, slots: &[u32]) {
        let mut gone = Vec::new();
        for slot in slots {
            let Some(entry) = self.slots.get_mut(*slot as usize) else { continue };
            let labels = std::mem::take(&mut entry.labels);
            entry.generation = entry.generation.wrapping_add(1);
            entry.left_at = None;
            self.by_labels.remove(&labels);
            self.free.push(*slot);
            gone.push((*slot, labels));
        }
        if !gone.is_empty() {
            self.index.remove(&gone);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_that_was_kept_too_long_finds_nothing() {
        let mut catalogue = Catalogue::default();
        let old = Labels::new([("release", "1")]);
        let slot = catalogue.enter(&old).unwrap();
        let id = catalogue.open(slot, i64::MIN).unwrap();
        assert_eq!(catalogue.find(&old), Some(id));
        catalogue.let_go(i64::MAX);
        assert_eq!((catalogue.known(), catalogue.in_memory(), catalogue.live()), (0, 0, 0));
        let new = catalogue.enter(&Labels::new([("release", "2")])).unwrap();
        assert_eq!(new, slot);
        catalogue.open(new, i64::MIN).unwrap();
        assert!(catalogue.head_mut(id).is_none());
        assert_eq!(catalogue.index().values("release"), ["2"]);
    }
}
