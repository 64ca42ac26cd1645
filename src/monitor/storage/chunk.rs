//! Chunks: a few minutes of one series, compressed.
//!
//! A chunk is open while samples are appended and sealed afterwards. Sealed, it is one piece of bytes: its summary, and
//! behind it the bits of its samples. In a block they are [`packed`](super::packed), which takes a look at all of them at
//! once, so it is done where nobody waits: when the block is made, and not when the chunk is full. The summary stands with
//! the bytes and not beside them because it is a quarter of the size that way, and there is one for every chunk.

use std::ops::Range;
use std::sync::Arc;

use super::bits::{BitReader, BitWriter};
use super::bytes::{ByteReader, put_number};
use super::coding::{TimeState, ValueReader, ValueState};
use super::packed::{pack, unpack};
use super::summary::Summary;

/// Samples a chunk holds at the most: four minutes at one a second. More would save little (what a chunk costs by itself
/// is a tenth of a byte a sample by then), and a query for one moment would decode more.
pub(super) const SAMPLES_A_CHUNK: u32 = 240;

/// Bytes a summary takes as a rule.
const SUMMARY_BYTES: usize = 40;

/// A chunk that takes samples.
#[derive(Debug, Clone, Default)]
pub(super) struct OpenChunk {
    bits: BitWriter,
    time: TimeState,
    value: ValueState,
    summary: Summary,
}

impl OpenChunk {
    /// Appends a sample, later than all before.
    pub(super) fn append(&mut self, at: i64, value: f64) {
        if self.summary.count == 0 {
            self.time = TimeState::starting(at);
        } else {
            self.time.write(at, &mut self.bits);
        }
        self.value.write(value, &mut self.bits);
        self.summary.add(at, value);
    }

    pub(super) fn is_full(&self) -> bool {
        self.summary.count >= SAMPLES_A_CHUNK
    }

    /// A sealed copy; none of a chunk without samples.
    pub(super) fn copy(&self) -> Option<Arc<[u8]>> {
        if self.summary.count == 0 {
            return None;
        }
        let bits = self.bits.as_bytes();
        let mut bytes = Vec::with_capacity(SUMMARY_BYTES + bits.len());
        self.summary.write(&mut bytes);
        bytes.extend_from_slice(bits);
        Some(Arc::from(bytes))
    }

    /// Seals it and begins the next one in the same memory.
    pub(super) fn seal(&mut self) -> Option<Arc<[u8]>> {
        let sealed = self.copy();
        self.bits.clear();
        self.value = ValueState::default();
        self.summary = Summary::default();
        sealed
    }

    /// How much memory is held beside the struct itself.
    pub(super) fn capacity(&self) -> usize {
        self.bits.capacity()
    }
}

/// A sealed chunk, ready to be read.
#[derive(Debug, Clone)]
pub(super) struct Chunk {
    pub(super) summary: Summary,
    data: Arc<[u8]>,
    bits: Range<usize>,
}

impl Chunk {
    /// The chunk that is all of `data`.
    pub(super) fn new(data: Arc<[u8]>) -> Option<Self> {
        let all = 0..data.len();
        Self::within(data, all)
    }

    fn within(data: Arc<[u8]>, range: Range<usize>) -> Option<Self> {
        let mut reader = ByteReader::new(data.get(range.clone())?);
        let summary = Summary::read(&mut reader)?;
        let bits = range.end - reader.rest().len()..range.end;
        Some(Self { summary, data, bits })
    }

    /// All samples, in the order of time.
    pub(super) fn decode(&self) -> Vec<(i64, f64)> {
        let bits = self.data.get(self.bits.clone()).unwrap_or_default();
        if self.summary.is_packed {
            return unpack(bits, (self.summary.first_at, self.summary.first), self.summary.count);
        }
        let mut reader = BitReader::new(bits);
        let mut time = TimeState::starting(self.summary.first_at);
        let mut value = ValueReader::default();
        // A count that is wrong must not take all memory; with checksums it cannot be, but this costs nothing.
        let mut samples = Vec::with_capacity(self.summary.count.min(SAMPLES_A_CHUNK) as usize);
        for index in 0..self.summary.count {
            let at = if index == 0 { Some(self.summary.first_at) } else { time.read(&mut reader) };
            let Some((at, value)) = at.zip(value.read(&mut reader)) else { break };
            samples.push((at, value));
        }
        samples
    }

    /// The same samples in short form; none if that is not shorter.
    pub(super) fn packed(&self) -> Option<Vec<u8>> {
        if self.summary.is_packed {
            return None;
        }
        let samples = self.decode();
        if samples.len() != self.summary.count as usize {
            // Nothing is made up of what cannot be read.
            return None;
        }
        let packed = pack(&samples).filter(|packed| packed.len() < self.bits.len())?;
        let mut bytes = Vec::with_capacity(SUMMARY_BYTES + packed.len());
        Summary { is_packed: true, ..self.summary }.write(&mut bytes);
        bytes.extend_from_slice(&packed);
        Some(bytes)
    }
}

/// Appends a chunk to a run: the chunks of one series, each behind its length.
pub(super) fn put_chunk(run: &mut Vec<u8>, chunk: &[u8]) {
    put_number(run, chunk.len() as u64);
    run.extend_from_slice(chunk);
}

/// The chunks of a run; none if it is no run.
pub(super) fn chunks_of(run: &Arc<[u8]>) -> Option<Vec<Chunk>> {
    let mut reader = ByteReader::new(run);
    let mut chunks = Vec::new();
    while !reader.rest().is_empty() {
        let length = usize::try_from(reader.number()?).ok()?;
        reader.bytes(length)?;
        let end = run.len() - reader.rest().len();
        chunks.push(Chunk::within(run.clone(), end - length..end)?);
    }
    Some(chunks)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::stale::STALE_BITS;
    use super::*;

    /// Values as programs expose them, and any bits at all.
    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (-1_000_i32..1_000).prop_map(f64::from),
            2 => (-100_000_i32..100_000).prop_map(|cents| f64::from(cents) / 100.0),
            2 => any::<f64>(),
            2 => any::<u64>().prop_map(f64::from_bits),
            1 => Just(f64::from_bits(STALE_BITS)),
            1 => Just(f64::INFINITY),
            1 => Just(-0.0),
        ]
    }

    fn pause() -> impl Strategy<Value = i64> {
        prop_oneof![6 => Just(1_000_i64), 3 => 990_i64..1_010, 2 => 1_i64..100_000, 1 => 1_i64..i64::MAX / 600]
    }

    fn exact(samples: &[(i64, f64)]) -> Vec<(i64, u64)> {
        samples.iter().map(|(at, value)| (*at, value.to_bits())).collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_sample_comes_back_bit_for_bit(
            start in i64::MIN / 2..i64::MAX / 4,
            parts in prop::collection::vec((pause(), value()), 0..300),
        ) {
            let mut at = start;
            let mut samples = Vec::new();
            let mut run = Vec::new();
            let mut open = OpenChunk::default();
            for (pause, value) in parts {
                at = at.saturating_add(pause);
                samples.push((at, value));
                open.append(at, value);
                if open.is_full() {
                    put_chunk(&mut run, &open.seal().unwrap());
                }
            }
            if let Some(rest) = open.seal() {
                put_chunk(&mut run, &rest);
            }
            let chunks = chunks_of(&Arc::from(run)).unwrap();
            let decoded: Vec<(i64, f64)> = chunks.iter().flat_map(Chunk::decode).collect();
            prop_assert_eq!(exact(&decoded), exact(&samples));
            for chunk in &chunks {
                if let Some(packed) = chunk.packed() {
                    let packed = Chunk::new(Arc::from(packed)).unwrap();
                    prop_assert_eq!(exact(&packed.decode()), exact(&chunk.decode()));
                    prop_assert!(packed.packed().is_none());
                }
                let inside = chunk.decode();
                prop_assert_eq!(chunk.summary.count as usize, inside.len());
                prop_assert_eq!(chunk.summary.first_at, inside[0].0);
                prop_assert_eq!(chunk.summary.last_at, inside[inside.len() - 1].0);
            }
        }

        #[test]
        fn what_is_no_chunk_is_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(chunks) = chunks_of(&Arc::from(bytes)) {
                for chunk in chunks {
                    chunk.decode();
                }
            }
        }
    }

    #[test]
    fn regular_series_take_less_than_two_bytes_a_sample() {
        let mut random = 1_u64;
        let mut next = move |below: u64| {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            u32::try_from((random >> 33) % below).unwrap()
        };
        let mut counter = 123_456.0;
        let mut gauge = 50.0;
        let mut of_counter = OpenChunk::default();
        let mut of_seconds = OpenChunk::default();
        let mut of_gauge = OpenChunk::default();
        for index in 0..SAMPLES_A_CHUNK {
            counter += f64::from(next(21));
            let seconds = f64::from(1_725 + index * 2 + next(2)) / 100.0;
            gauge += f64::from(next(7)) - 3.0;
            let at = 1_700_000_000_000 + i64::from(index) * 1_000;
            of_counter.append(at, counter);
            of_seconds.append(at, seconds);
            of_gauge.append(at, gauge);
        }
        for chunk in [of_counter, of_seconds, of_gauge] {
            let bytes = chunk.copy().unwrap().len();
            assert!(bytes < 2 * 240, "{bytes} bytes for 240 samples");
        }
    }
}
