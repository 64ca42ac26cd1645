//! What a store may take, and what follows from it for its own housekeeping.

use std::time::Duration;

/// The smallest and the largest block that is made for its size. The largest bounds how much is in memory.
const LEAST_BLOCK: u64 = 64 << 10;
const LARGEST_BLOCK: u64 = 16 << 20;
/// A block is at most this part of all that may be on disk, so that dropping one does not empty a chart.
const PART_OF_BYTES: u64 = 64;
/// A block spans at most this part of the retention, so that what is kept is not much longer than was asked for …
const PART_OF_RETENTION: i64 = 20;
/// … and neither less than a second nor more than a day.
const LEAST_SPAN_MS: i64 = 1_000;
const LARGEST_SPAN_MS: i64 = 24 * 3_600_000;
/// A step of the clock that is longer than this part of the retention, and than an hour, is a jump.
const PART_OF_JUMP: i64 = 4;
const LEAST_JUMP_MS: i64 = 3_600_000;
/// Series known from old blocks, for each that may be scraped; below the second number nobody counts.
const KNOWN_FOR_EACH: usize = 10;
const LEAST_KNOWN: usize = 100_000;
/// Bytes of labels, each text counted once, for each series that may be scraped: far more than labels have that are not made
/// up; below the second number nobody counts.
const TEXT_FOR_EACH: usize = 1 << 10;
const LEAST_TEXT: usize = 64 << 20;

/// What a store may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StoreLimits {
    /// How long samples are kept.
    pub retention: Duration,
    /// How many bytes they may take on disk; the oldest go first. A store in memory may take as many bytes of memory.
    pub bytes_on_disk: u64,
    /// How many series may be scraped at a time. Those that have ended do not count.
    pub max_series: usize,
}

impl StoreLimits {
    pub(super) fn retention_ms(&self) -> i64 {
        i64::try_from(self.retention.as_millis()).unwrap_or(i64::MAX)
    }

    /// A block is made once its chunks have so many bytes …
    pub(super) fn block_bytes(&self) -> u64 {
        (self.bytes_on_disk / PART_OF_BYTES).clamp(LEAST_BLOCK, LARGEST_BLOCK)
    }

    /// … or its samples span so many milliseconds.
    pub(super) fn block_span_ms(&self) -> i64 {
        (self.retention_ms() / PART_OF_RETENTION).clamp(LEAST_SPAN_MS, LARGEST_SPAN_MS)
    }

    /// A longer step of the clock is a jump.
    pub(super) fn jump_ms(&self) -> i64 {
        (self.retention_ms() / PART_OF_JUMP).max(LEAST_JUMP_MS)
    }

    /// Series in memory, with those that have ended and are not in a block yet.
    pub(super) fn series_in_memory(&self) -> usize {
        self.max_series.saturating_mul(2)
    }

    /// Series whose labels are known, with those that are only in old blocks.
    pub(super) fn known_series(&self) -> usize {
        self.max_series.saturating_mul(KNOWN_FOR_EACH).max(LEAST_KNOWN)
    }

    /// Bytes of the labels of all those.
    pub(super) fn label_text(&self) -> usize {
        self.max_series.saturating_mul(TEXT_FOR_EACH).max(LEAST_TEXT)
    }
}
