//! One series in memory: the samples that are in no block yet.

use std::cmp::Ordering;
use std::sync::Arc;

use super::chunk::{Chunk, OpenChunk};
use super::error::AppendError;
use super::stale::is_stale;

/// Bytes beside its content that a shared piece of memory costs: two counters, the allocator's own, and the pointer.
pub(super) const SHARED_BYTES: usize = 16 + 8 + 16;

/// What became of a sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Appended {
    /// The very same sample was there.
    Repeated,
    /// It was taken. A chunk of so many bytes was sealed by it; zero if none was.
    Taken {
        /// Bytes.
        sealed: usize,
    },
}

/// What the log knows a series by: the number of the log, and the series' number in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Reference {
    pub(super) log: u64,
    pub(super) number: u32,
}

/// The newest samples of a series.
#[derive(Debug)]
pub(super) struct HeadSeries {
    open: OpenChunk,
    sealed: Vec<Arc<[u8]>>,
    /// Nothing before this moment is taken. It stays when the samples go into a block.
    last_at: i64,
    /// The bits of the value at that moment, if it was seen.
    last_bits: Option<u64>,
    has_ended: bool,
    /// Where it was declared last.
    pub(super) reference: Option<Reference>,
}

impl HeadSeries {
    /// A series without samples, which takes none that is not after `floor`.
    pub(super) fn after(floor: i64) -> Self {
        Self {
            open: OpenChunk::default(),
            sealed: Vec::new(),
            last_at: floor,
            last_bits: None,
            has_ended: false,
            reference: None,
        }
    }

    pub(super) fn append(&mut self, at: i64, value: f64) -> Result<Appended, AppendError> {
        match at.cmp(&self.last_at) {
            Ordering::Less => return Err(AppendError::OutOfOrder),
            Ordering::Equal if self.last_bits == Some(value.to_bits()) => return Ok(Appended::Repeated),
            Ordering::Equal => return Err(AppendError::DuplicateForTimestamp),
            Ordering::Greater => {}
        }
        self.last_at = at;
        self.last_bits = Some(value.to_bits());
        self.has_ended = is_stale(value);
        self.open.append(at, value);
        let mut bytes = 0;
        if self.open.is_full() {
            bytes = self.seal();
        }
        Ok(Appended::Taken { sealed: bytes })
    }

    /// Whether its last sample says that it has ended.
    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// The moment of its last sample, if it had one.
    pub(super) fn last_at(&self) -> Option<i64> {
        Some(self.last_at).filter(|last| *last != i64::MIN)
    }

    /// Whether it has ended or had no sample since a moment.
    pub(super) fn is_over(&self, quiet_since: i64) -> bool {
        self.has_ended || self.last_at < quiet_since
    }

    /// Takes samples of any moment again, after the clock was far ahead and came back.
    pub(super) fn forget_order(&mut self) {
        self.last_at = i64::MIN;
        self.last_bits = None;
    }

    /// All its chunks, for a block.
    pub(super) fn take(&mut self) -> Vec<Arc<[u8]>> {
        self.seal();
        std::mem::take(&mut self.sealed)
    }

    /// The chunks with samples from `from` to `until`, both included.
    pub(super) fn chunks(&self, from: i64, until: i64) -> Vec<Chunk> {
        let all = self.sealed.iter().cloned().chain(self.open.copy());
        all.filter_map(Chunk::new)
            .filter(|chunk| chunk.summary.first_at <= until && chunk.summary.last_at >= from)
            .collect()
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        let sealed: usize = self.sealed.iter().map(|chunk| chunk.len() + SHARED_BYTES).sum();
        size_of::<Self>() + self.open.capacity() + sealed
    }

    fn seal(&mut self) -> usize {
        let Some(chunk) = self.open.seal() else { return 0 };
        let bytes = chunk.len();
        if self.sealed.len() == self.sealed.capacity() {
            // Few chunks come together before they go into a block.
            self.sealed.reserve_exact(1);
        }
        self.sealed.push(chunk);
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_takes_one_sample_and_time_does_not_run_back() {
        let mut series = HeadSeries::after(i64::MIN);
        assert_eq!(series.append(2_000, 1.0), Ok(Appended::Taken { sealed: 0 }));
        assert_eq!(series.append(2_000, 1.0), Ok(Appended::Repeated));
        assert_eq!(series.append(2_000, 9.0), Err(AppendError::DuplicateForTimestamp));
        assert_eq!(series.append(1_000, 1.0), Err(AppendError::OutOfOrder));
        let samples: Vec<(i64, f64)> = series.chunks(0, 9_000).iter().flat_map(Chunk::decode).collect();
        assert_eq!(samples, [(2_000, 1.0)]);
    }

    #[test]
    fn order_holds_when_the_samples_have_gone_into_a_block() {
        let mut series = HeadSeries::after(i64::MIN);
        series.append(2_000, 1.0).unwrap();
        assert_eq!(series.take().len(), 1);
        assert_eq!(series.append(2_000, 1.0), Ok(Appended::Repeated));
        assert_eq!(series.append(1_999, 1.0), Err(AppendError::OutOfOrder));
        series.forget_order();
        assert!(series.append(1_999, 1.0).is_ok());
    }
}
