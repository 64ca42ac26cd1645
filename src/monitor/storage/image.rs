//! A block that is being made: all series of a stretch of time as one piece of bytes, laid out as [`super::block`] says.
//!
//! Chunks are packed on the way ([`super::packed`]). For a large load that takes a good part of a second, so a store with a
//! folder has it done by the thread that writes the block.

use std::collections::HashMap;
use std::sync::Arc;

use super::bytes::{put_number, put_signed, put_text};
use super::checksum::checksum;
use super::chunk::{Chunk, put_chunk};
use crate::monitor::labels::Labels;

/// Stands at the beginning and at the end.
pub(super) const MAGIC: &[u8; 8] = b"trnyblk2";
/// The checksum of a run.
pub(super) const SUM: usize = 4;
/// Of its bytes in memory this part stays as a rule when chunks are packed; room for more is given back.
const PACKED_PART: u64 = 2;

/// Where the run of a series lies, and how long it is with its checksum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) slot: u32,
    pub(super) length: u32,
    pub(super) offset: u64,
}

/// A series as it was taken out of memory.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) slot: u32,
    pub(super) labels: Labels,
    pub(super) chunks: Vec<Arc<[u8]>>,
}

/// What becomes a block.
#[derive(Debug)]
struct Image {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    numbers: HashMap<Arc<str>, u64>,
    texts: Vec<u8>,
    series: Vec<u8>,
    extent: Extent,
}

/// The stretch of time of a block, and how much is in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Extent {
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) samples: u64,
}

impl Default for Extent {
    fn default() -> Self {
        Self { first: i64::MAX, last: i64::MIN, samples: 0 }
    }
}

impl Extent {
    /// Of all that was taken.
    pub(super) fn of(taken: &[Taken]) -> Self {
        let mut extent = Self::default();
        for chunk in taken.iter().flat_map(|series| &series.chunks) {
            if let Some(chunk) = Chunk::new(chunk.clone()) {
                extent.add(&chunk);
            }
        }
        extent
    }

    fn add(&mut self, chunk: &Chunk) {
        self.first = self.first.min(chunk.summary.first_at);
        self.last = self.last.max(chunk.summary.last_at);
        self.samples += u64::from(chunk.summary.count);
    }
}

/// A block as bytes, and what is known of them.
#[derive(Debug)]
pub(super) struct Made {
    pub(super) bytes: Vec<u8>,
    pub(super) entries: Vec<Entry>,
    pub(super) extent: Extent,
}

impl Made {
    /// All that was taken, in ascending order of the slots; none if that is nothing.
    pub(super) fn of(taken: &[Taken]) -> Option<Self> {
        let bytes: u64 = taken.iter().flat_map(|series| &series.chunks).map(|chunk| chunk.len() as u64).sum();
        let mut image = Image::with_room(bytes / PACKED_PART);
        for series in taken {
            image.add(series);
        }
        image.finish()
    }
}

impl Image {
    /// An empty one, with room for chunks of about so many bytes.
    fn with_room(room: u64) -> Self {
        let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        bytes.extend_from_slice(MAGIC);
        Self {
            bytes,
            entries: Vec::new(),
            numbers: HashMap::new(),
            texts: Vec::new(),
            series: Vec::new(),
            extent: Extent::default(),
        }
    }

    fn add(&mut self, Taken { slot, labels, chunks }: &Taken) {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&[0; SUM]);
        for chunk in chunks {
            let known = Chunk::new(chunk.clone());
            if let Some(known) = &known {
                self.extent.add(known);
            }
            match known.as_ref().and_then(Chunk::packed) {
                Some(packed) => put_chunk(&mut self.bytes, &packed),
                None => put_chunk(&mut self.bytes, chunk),
            }
        }
        let sum = checksum(self.bytes.get(offset + SUM..).unwrap_or_default());
        if let Some(place) = self.bytes.get_mut(offset..offset + SUM) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
        // A run of four gigabytes cannot be: a block is a few megabytes.
        let length = u32::try_from(self.bytes.len() - offset).unwrap_or(u32::MAX);
        self.entries.push(Entry { slot: *slot, length, offset: offset as u64 });
        put_number(&mut self.series, labels.pairs().count() as u64);
        for (name, value) in labels.shared() {
            for text in [name, value] {
                let number = self.number_of(text);
                put_number(&mut self.series, number);
            }
        }
        put_number(&mut self.series, u64::from(length));
    }

    fn finish(mut self) -> Option<Made> {
        if self.entries.is_empty() {
            return None;
        }
        let offset = self.bytes.len();
        put_signed(&mut self.bytes, self.extent.first);
        put_signed(&mut self.bytes, self.extent.last);
        put_number(&mut self.bytes, self.extent.samples);
        put_number(&mut self.bytes, self.numbers.len() as u64);
        self.bytes.append(&mut self.texts);
        put_number(&mut self.bytes, self.entries.len() as u64);
        self.bytes.append(&mut self.series);
        let sum = checksum(self.bytes.get(offset..).unwrap_or_default());
        self.bytes.extend_from_slice(&(offset as u64).to_le_bytes());
        self.bytes.extend_from_slice(&sum.to_le_bytes());
        self.bytes.extend_from_slice(MAGIC);
        self.bytes.shrink_to_fit();
        Some(Made { bytes: self.bytes, entries: self.entries, extent: self.extent })
    }

    fn number_of(&mut self, text: Arc<str>) -> u64 {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.numbers.len() as u64;
        put_text(&mut self.texts, &text);
        self.numbers.insert(text, number);
        number
    }
}
