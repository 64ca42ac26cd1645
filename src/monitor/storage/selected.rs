//! One series of a selection: a snapshot that is asked for moments and windows, without the store.
//!
//! It holds what was in memory and knows which blocks to read. A run is read when a moment in it is asked for, and let go
//! again when the questions have moved on, so that a query over all series and a long time needs little memory. What was
//! decoded for one window is kept for the next, which as a rule begins a step later.
//!
//! As a rule the parts follow one another in time. Where the clock once went back they do not; then all of them are
//! brought into order before the first answer.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::chunk::{Chunk, OpenChunk};
use super::reader::BlockReader;
use super::stale::is_stale;
use super::summary::Extremes;
use crate::monitor::labels::Labels;

/// Runs that are kept although the questions have moved on: inner windows of a subquery begin further back each time.
const KEPT_RUNS: usize = 8;

/// A part and a chunk in it.
type Key = (usize, usize);

/// A series as it was when it was selected.
#[derive(Debug, Clone)]
pub struct Selected {
    /// Its labels.
    pub labels: Labels,
    parts: Vec<Part>,
    is_ordered: bool,
    decoded: BTreeMap<Key, Vec<(i64, f64)>>,
}

/// The samples of one block, or those in memory.
#[derive(Debug, Clone)]
pub(super) struct Part {
    /// Bounds of its moments; of a run that was not read those of the whole block.
    first: i64,
    last: i64,
    /// Where it is read from, and as which series.
    source: Option<(Arc<BlockReader>, u32)>,
    chunks: Option<Vec<Chunk>>,
}

impl Part {
    /// A series in a block.
    pub(super) fn in_block(reader: &Arc<BlockReader>, slot: u32) -> Self {
        let (first, last) = (reader.block.first, reader.block.last);
        Self { first, last, source: Some((reader.clone(), slot)), chunks: None }
    }

    /// Chunks that are in memory, in the order of time; none if there are none.
    pub(super) fn in_memory(chunks: Vec<Chunk>) -> Option<Self> {
        let (first, last) = (chunks.first()?.summary.first_at, chunks.last()?.summary.last_at);
        Some(Self { first, last, source: None, chunks: Some(chunks) })
    }

    fn read(&mut self) {
        let Some((reader, slot)) = &self.source else { return };
        if self.chunks.is_some() {
            return;
        }
        let chunks = reader.chunks(*slot);
        if let (Some(first), Some(last)) = (chunks.first(), chunks.last()) {
            self.first = first.summary.first_at;
            self.last = last.summary.last_at;
        }
        self.chunks = Some(chunks);
    }
}

impl Selected {
    /// The parts are in the order in which they were written.
    pub(super) fn new(labels: Labels, parts: Vec<Part>) -> Self {
        Self { labels, parts, is_ordered: false, decoded: BTreeMap::new() }
    }

    /// The last sample after `moment − look_back_ms` up to and including `moment`; none if there is none, or if it says
    /// that the series has ended.
    pub fn at(&mut self, moment: i64, look_back_ms: i64) -> Option<(i64, f64)> {
        let after = moment.saturating_sub(look_back_ms);
        // The last chunk that begins in time holds it, if any does: all before are older as a whole.
        let key = *self.keys(after, moment).last()?;
        self.decode(key, key);
        let samples = self.decoded.get(&key)?;
        let end = samples.partition_point(|(at, _)| *at <= moment);
        let (at, value) = *samples.get(end.checked_sub(1)?)?;
        (at > after && !is_stale(value)).then_some((at, value))
    }

    /// Appends the samples after `after` up to and including `until`, without stale markers.
    pub fn window(&mut self, after: i64, until: i64, into: &mut Vec<(i64, f64)>) {
        let keys = self.keys(after, until);
        let (Some(first), Some(last)) = (keys.first(), keys.last()) else { return };
        self.decode(*first, *last);
        for samples in self.decoded.values() {
            into.extend(between(samples, after, until).iter().filter(|(_, value)| !is_stale(*value)));
        }
    }

    /// The extremes of the samples after `after` up to and including `until`, without stale markers; none if there is no
    /// sample. Of chunks that lie inside as a whole only the summary is looked at.
    pub fn extremes(&mut self, after: i64, until: i64) -> Option<Extremes> {
        let mut found: Option<Extremes> = None;
        let mut add = |part: Extremes| found = Some(found.map_or(part, |found| found.and_then(part)));
        for key in self.keys(after, until) {
            let Some(summary) = self.chunk(key).map(|chunk| chunk.summary) else { continue };
            if summary.first_at > after && summary.last_at <= until && !summary.has_stale {
                add(Extremes::of_chunk(&summary));
                continue;
            }
            self.decode(key, key);
            let samples = self.decoded.get(&key).map(Vec::as_slice).unwrap_or_default();
            for (at, value) in between(samples, after, until) {
                if !is_stale(*value) {
                    add(Extremes::of_sample(*at, *value));
                }
            }
        }
        found
    }

    /// All samples from `from` to `until`, both included, with stale markers.
    pub fn raw(&mut self, from: i64, until: i64) -> Vec<(i64, f64)> {
        let mut found = Vec::new();
        for key in self.keys(from.saturating_sub(1), until) {
            if let Some(chunk) = self.chunk(key) {
                found.extend(chunk.decode().into_iter().filter(|(at, _)| (from..=until).contains(at)));
            }
        }
        found
    }

    /// The chunks that have, or surround, moments after `after` up to and including `until`, in the order of time. Their
    /// runs are read.
    fn keys(&mut self, after: i64, until: i64) -> Vec<Key> {
        if !self.is_ordered {
            self.order();
        }
        let begin = self.parts.partition_point(|part| part.last <= after);
        self.let_go_before(begin);
        let mut keys = Vec::new();
        for (number, part) in self.parts.iter_mut().enumerate().skip(begin) {
            if part.first > until {
                break;
            }
            part.read();
            let chunks = part.chunks.as_deref().unwrap_or_default();
            let first = chunks.partition_point(|chunk| chunk.summary.last_at <= after);
            let end = chunks.partition_point(|chunk| chunk.summary.first_at <= until);
            keys.extend((first..end).map(|chunk| (number, chunk)));
        }
        keys
    }

    /// Decodes the chunks from one to another, both included, and forgets all others.
    fn decode(&mut self, first: Key, last: Key) {
        let wanted = first..=last;
        self.decoded.retain(|key, _| wanted.contains(key));
        for (number, part) in self.parts.iter().enumerate().take(last.0 + 1).skip(first.0) {
            for (index, chunk) in part.chunks.iter().flatten().enumerate() {
                let key = (number, index);
                if wanted.contains(&key) {
                    self.decoded.entry(key).or_insert_with(|| chunk.decode());
                }
            }
        }
    }

    fn chunk(&self, (part, chunk): Key) -> Option<&Chunk> {
        self.parts.get(part)?.chunks.as_ref()?.get(chunk)
    }

    /// Lets go of what was read of the parts before number `begin`, but for the last few.
    fn let_go_before(&mut self, begin: usize) {
        for part in self.parts.iter_mut().take(begin.saturating_sub(KEPT_RUNS)) {
            if part.source.is_some() {
                part.chunks = None;
            }
        }
    }

    /// Brings the parts into the order of time.
    fn order(&mut self) {
        self.is_ordered = true;
        // Blocks overlap where targets are scraped at different moments; their series do not, as reading them shows.
        for index in 1..self.parts.len() {
            if let Some([before, after]) = self.parts.get_mut(index - 1..=index)
                && before.last >= after.first
            {
                before.read();
                after.read();
            }
        }
        if self.parts.is_sorted_by(|before, after| before.last < after.first) {
            return;
        }
        let mut samples = Vec::new();
        for part in &mut self.parts {
            part.read();
            samples.extend(part.chunks.iter().flatten().flat_map(Chunk::decode));
        }
        samples.sort_by_key(|(at, _)| *at);
        // Of two samples of one moment the one that was written first stays, as in a series in memory.
        samples.dedup_by_key(|(at, _)| *at);
        self.parts = Part::in_memory(encode(&samples)).into_iter().collect();
    }
}

/// Of sorted samples those after `after` up to and including `until`.
fn between(samples: &[(i64, f64)], after: i64, until: i64) -> &[(i64, f64)] {
    let start = samples.partition_point(|(at, _)| *at <= after);
    let end = samples.partition_point(|(at, _)| *at <= until);
    samples.get(start..end).unwrap_or_default()
}

fn encode(samples: &[(i64, f64)]) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    let mut open = OpenChunk::default();
    for (at, value) in samples {
        open.append(*at, *value);
        if open.is_full() {
            chunks.extend(open.seal());
        }
    }
    chunks.extend(open.seal());
    chunks.into_iter().filter_map(Chunk::new).collect()
}
