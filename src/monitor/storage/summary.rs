//! What is known of a chunk without decoding it: the roll-up from which wide columns of a chart are drawn.

use super::bytes::{ByteReader, put_number, put_signed, put_value};
use super::stale::is_stale;

/// What the byte of flags says.
const HAS_STALE: u8 = 1;
const MIN_IS_FIRST: u8 = 2;
const MIN_IS_LAST: u8 = 4;
const MAX_IS_FIRST: u8 = 8;
const MAX_IS_LAST: u8 = 16;
const IS_PACKED: u8 = 32;

/// The samples of a chunk in a few numbers. Where there are stale markers, only the moments and the count are of use.
#[derive(Debug, Clone, Copy)]
pub(super) struct Summary {
    pub(super) first_at: i64,
    pub(super) last_at: i64,
    pub(super) count: u32,
    pub(super) has_stale: bool,
    /// Behind it the samples stand in the short form of [`super::packed`].
    pub(super) is_packed: bool,
    pub(super) first: f64,
    pub(super) last: f64,
    /// NaN only where every value is.
    pub(super) min: f64,
    pub(super) max: f64,
    pub(super) sum: f64,
}

impl Default for Summary {
    fn default() -> Self {
        Self {
            first_at: 0,
            last_at: 0,
            count: 0,
            has_stale: false,
            is_packed: false,
            first: f64::NAN,
            last: f64::NAN,
            min: f64::NAN,
            max: f64::NAN,
            sum: 0.0,
        }
    }
}

impl Summary {
    /// Takes in one more sample, later than all before.
    pub(super) fn add(&mut self, at: i64, value: f64) {
        if self.count == 0 {
            self.first_at = at;
            self.first = value;
        }
        self.last_at = at;
        self.last = value;
        self.count += 1;
        if is_stale(value) {
            self.has_stale = true;
        } else {
            self.min = self.min.min(value);
            self.max = self.max.max(value);
            self.sum += value;
        }
    }

    /// Appends it in the form in which [`Summary::read`] finds it: some 25 bytes for a counter.
    pub(super) fn write(&self, into: &mut Vec<u8>) {
        put_number(into, u64::from(self.count));
        put_signed(into, self.first_at);
        put_number(into, self.last_at.wrapping_sub(self.first_at).cast_unsigned());
        let same = |one: f64, other: f64, flag: u8| if one.to_bits() == other.to_bits() { flag } else { 0 };
        let min = same(self.min, self.first, MIN_IS_FIRST) | same(self.min, self.last, MIN_IS_LAST);
        let max = same(self.max, self.first, MAX_IS_FIRST) | same(self.max, self.last, MAX_IS_LAST);
        let is = |said: bool, flag: u8| if said { flag } else { 0 };
        into.push(min | max | is(self.has_stale, HAS_STALE) | is(self.is_packed, IS_PACKED));
        put_value(into, self.first);
        put_value(into, self.last);
        put_value(into, self.sum);
        if min == 0 {
            put_value(into, self.min);
        }
        if max == 0 {
            put_value(into, self.max);
        }
    }

    pub(super) fn read(from: &mut ByteReader<'_>) -> Option<Self> {
        let count = u32::try_from(from.number()?).ok()?;
        let first_at = from.signed()?;
        let last_at = first_at.wrapping_add(from.number()?.cast_signed());
        let flags = from.byte()?;
        let (first, last, sum) = (from.value()?, from.value()?, from.value()?);
        let mut one_of = |is_first: u8, is_last: u8| match flags {
            flags if flags & is_first != 0 => Some(first),
            flags if flags & is_last != 0 => Some(last),
            _ => from.value(),
        };
        let min = one_of(MIN_IS_FIRST, MIN_IS_LAST)?;
        let max = one_of(MAX_IS_FIRST, MAX_IS_LAST)?;
        let (has_stale, is_packed) = (flags & HAS_STALE != 0, flags & IS_PACKED != 0);
        Some(Self { first_at, last_at, count, has_stale, is_packed, first, last, min, max, sum })
    }
}

/// The least and the greatest value of a stretch of time, and how it began and ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Extremes {
    /// The least value; NaN only where every value is.
    pub min: f64,
    /// The greatest value; NaN only where every value is.
    pub max: f64,
    /// The first value.
    pub first: f64,
    /// The last value.
    pub last: f64,
    /// When the first sample was taken, in milliseconds since the epoch.
    pub first_at: i64,
    /// When the last sample was taken.
    pub last_at: i64,
    /// How many samples there are; stale markers are none.
    pub count: u64,
    /// All values added up.
    pub sum: f64,
}

impl Extremes {
    /// Those of a single sample.
    pub(super) fn of_sample(at: i64, value: f64) -> Self {
        Self { min: value, max: value, first: value, last: value, first_at: at, last_at: at, count: 1, sum: value }
    }

    /// Those of a chunk without stale markers.
    pub(super) fn of_chunk(summary: &Summary) -> Self {
        Self {
            min: summary.min,
            max: summary.max,
            first: summary.first,
            last: summary.last,
            first_at: summary.first_at,
            last_at: summary.last_at,
            count: u64::from(summary.count),
            sum: summary.sum,
        }
    }

    /// Those of this stretch and the one behind it.
    pub(super) fn and_then(self, later: Self) -> Self {
        Self {
            min: self.min.min(later.min),
            max: self.max.max(later.max),
            first: self.first,
            last: later.last,
            first_at: self.first_at,
            last_at: later.last_at,
            count: self.count + later.count,
            sum: self.sum + later.sum,
        }
    }
}
