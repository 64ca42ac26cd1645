//! How the samples of a sealed chunk are written shorter once all of them are known: as they lie in a block.
//!
//! While a chunk takes samples each is written behind the one before, without a look ahead ([`super::coding`]). What is known
//! as a whole is shorter. *Moments*: scrapes come at an even pace, so of each pause only how far it is off the usual one is
//! written, in a Rice code that fits the whole chunk; a jitter of a millisecond takes two bits a sample. *Values*: what
//! programs expose are whole numbers of some unit as a rule, and of such their steps, or they themselves, are numbers of a
//! narrow range: each is written in as few bits as the widest takes, counted from the least, in units of their greatest
//! common divisor. A number that stays takes no bit, a counter of a few events a second three. Values with all their digits,
//! chunks with stale markers and what jumps about are written as in an open chunk, where that is shorter.
//!
//! ```text
//! usual pause · shift · length of the moments · moments
//! kind · values                                              (as in an open chunk)
//! kind · unit · divisor · least · width · fields             (whole numbers, or their steps)
//! ```
//!
//! The first sample stands in the summary. All arithmetic wraps, so that any moment comes back, and reading makes nothing of
//! bytes that nobody wrote but wrong samples, and no more of them than there are bits.

use super::bits::{BitReader, BitWriter};
use super::bytes::{ByteReader, put_number, put_signed};
use super::chunk::SAMPLES_A_CHUNK;
use super::coding::{ValueReader, ValueState, of_whole, whole};

/// Kinds of values.
const AS_OPEN: u8 = 0;
const NUMBERS: u8 = 1;
const STEPS: u8 = 2;

/// How many units [`whole`] knows.
const UNITS: u8 = 8;
/// The largest shift of a Rice code: beyond it pauses have no usual one.
const MOST_SHIFT: u32 = 20;
/// From so many ones on a number is written in full behind them.
const LONGEST: u32 = 24;

/// The samples in short form; none if there are none.
pub(super) fn pack(samples: &[(i64, f64)]) -> Option<Vec<u8>> {
    let ((first_at, first), rest) = samples.split_first()?;
    let mut packed = Vec::new();
    put_moments(*first_at, rest, &mut packed);
    let mut as_open = BitWriter::default();
    let mut state = ValueState::after(*first);
    for (_, value) in rest {
        state.write(*value, &mut as_open);
    }
    match Fields::of(samples).filter(|fields| fields.bytes() < as_open.as_bytes().len()) {
        Some(fields) => fields.put(&mut packed),
        None => {
            packed.push(AS_OPEN);
            packed.extend_from_slice(as_open.as_bytes());
        }
    }
    Some(packed)
}

/// The samples behind `first`, which the summary knows, up to the first that cannot be read.
pub(super) fn unpack(packed: &[u8], first: (i64, f64), count: u32) -> Vec<(i64, f64)> {
    // A count that is wrong must not take all memory.
    let mut samples = Vec::with_capacity(count.min(SAMPLES_A_CHUNK) as usize);
    if count > 0 {
        samples.push(first);
        // What is missing behind a fault is missing.
        let _ = read(packed, count, &mut samples);
    }
    samples
}

fn read(packed: &[u8], count: u32, samples: &mut Vec<(i64, f64)>) -> Option<()> {
    let (mut at, first) = *samples.last()?;
    let mut reader = ByteReader::new(packed);
    let (usual, shift) = (reader.signed()?, u32::from(reader.byte()?));
    if shift > MOST_SHIFT {
        return None;
    }
    let length = usize::try_from(reader.number()?).ok()?;
    let mut moments = BitReader::new(reader.bytes(length)?);
    let mut values = Values::read(reader, first)?;
    for _ in 1..count {
        let off = unfolded(read_rice(&mut moments, shift)?);
        at = at.wrapping_add(usual).wrapping_add(off);
        samples.push((at, values.take()?));
    }
    Some(())
}

fn put_moments(first_at: i64, rest: &[(i64, f64)], packed: &mut Vec<u8>) {
    let mut before = first_at;
    let mut pauses = Vec::with_capacity(rest.len());
    for (at, _) in rest {
        pauses.push(at.wrapping_sub(before));
        before = *at;
    }
    let mut sorted = pauses.clone();
    sorted.sort_unstable();
    let usual = sorted.get(sorted.len() / 2).copied().unwrap_or(0);
    let off: Vec<u64> = pauses.iter().map(|pause| folded(pause.wrapping_sub(usual))).collect();
    let cost = |shift: &u32| off.iter().map(|number| u64::from(rice_width(*number, *shift))).sum::<u64>();
    let shift = (0..=MOST_SHIFT).min_by_key(cost).unwrap_or(0);
    let mut bits = BitWriter::default();
    for number in &off {
        write_rice(*number, shift, &mut bits);
    }
    put_signed(packed, usual);
    packed.extend(u8::try_from(shift));
    put_number(packed, bits.as_bytes().len() as u64);
    packed.extend_from_slice(bits.as_bytes());
}

/// How many ones a number begins with; none if it is written in full.
fn ones(number: u64, shift: u32) -> Option<u32> {
    u32::try_from(number >> shift).ok().filter(|ones| *ones < LONGEST)
}

fn rice_width(number: u64, shift: u32) -> u32 {
    ones(number, shift).map_or(LONGEST + 64, |ones| ones + 1 + shift)
}

fn write_rice(number: u64, shift: u32, bits: &mut BitWriter) {
    match ones(number, shift) {
        Some(ones) => {
            // As many ones, and a zero.
            bits.write((1_u64 << (ones + 1)) - 2, ones + 1);
            bits.write(number, shift);
        }
        None => {
            bits.write(u64::MAX, LONGEST);
            bits.write(number, 64);
        }
    }
}

fn read_rice(bits: &mut BitReader<'_>, shift: u32) -> Option<u64> {
    let mut ones = 0;
    while ones < LONGEST && bits.bit()? {
        ones += 1;
    }
    if ones == LONGEST {
        return bits.read(64);
    }
    Some((u64::from(ones) << shift) | bits.read(shift)?)
}

/// Numbers near zero as small ones.
fn folded(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

/// Whole numbers, each as how far it is above the least.
struct Fields {
    kind: u8,
    unit: u8,
    divisor: u64,
    least: i64,
    width: u32,
    above: Vec<u64>,
}

impl Fields {
    /// The shorter of both kinds; none if the values are no whole numbers of one unit.
    fn of(samples: &[(i64, f64)]) -> Option<Self> {
        let mut unit = 0;
        for (_, value) in samples {
            unit = (unit..UNITS).find(|unit| whole(*value, *unit).is_some())?;
        }
        let numbers: Option<Vec<i64>> = samples.iter().map(|(_, value)| whole(*value, unit)).collect();
        let numbers = numbers?;
        let steps: Vec<i64> =
            numbers.iter().zip(numbers.iter().skip(1)).map(|(before, now)| now.wrapping_sub(*before)).collect();
        let as_steps = Self::above_least(STEPS, unit, &steps)?;
        let as_numbers = Self::above_least(NUMBERS, unit, numbers.get(1..)?)?;
        Some(if as_numbers.width <= as_steps.width { as_numbers } else { as_steps })
    }

    fn above_least(kind: u8, unit: u8, numbers: &[i64]) -> Option<Self> {
        let least = *numbers.iter().min()?;
        // Whole numbers are below 2⁵³, and their steps below 2⁵⁴.
        let mut above: Vec<u64> = numbers.iter().map(|number| number.abs_diff(least)).collect();
        let divisor = above.iter().fold(0, |divisor, number| common_divisor(divisor, *number)).max(1);
        for number in &mut above {
            *number /= divisor;
        }
        let width = 64 - above.iter().max()?.leading_zeros();
        Some(Self { kind, unit, divisor, least, width, above })
    }

    /// About how many it takes.
    fn bytes(&self) -> usize {
        (self.width as usize * self.above.len()).div_ceil(8) + 6
    }

    fn put(&self, packed: &mut Vec<u8>) {
        packed.extend([self.kind, self.unit]);
        put_number(packed, self.divisor);
        put_signed(packed, self.least);
        packed.extend(u8::try_from(self.width));
        let mut bits = BitWriter::default();
        for number in &self.above {
            bits.write(*number, self.width);
        }
        packed.extend_from_slice(bits.as_bytes());
    }
}

fn common_divisor(mut one: u64, mut other: u64) -> u64 {
    while other != 0 {
        (one, other) = (other, one % other);
    }
    one
}

/// Reads values, one after the other.
enum Values<'a> {
    AsOpen { reader: ValueReader, bits: BitReader<'a> },
    Fields { steps: bool, unit: u8, divisor: u64, least: i64, width: u32, before: i64, bits: BitReader<'a> },
}

impl<'a> Values<'a> {
    fn read(mut reader: ByteReader<'a>, first: f64) -> Option<Self> {
        let kind = reader.byte()?;
        if kind == AS_OPEN {
            return Some(Self::AsOpen { reader: ValueReader::after(first), bits: BitReader::new(reader.rest()) });
        }
        let steps = match kind {
            NUMBERS => false,
            STEPS => true,
            _ => return None,
        };
        let (unit, divisor, least) = (reader.byte()?, reader.number()?, reader.signed()?);
        let width = Some(u32::from(reader.byte()?)).filter(|width| *width <= 64)?;
        let before = whole(first, unit)?;
        Some(Self::Fields { steps, unit, divisor, least, width, before, bits: BitReader::new(reader.rest()) })
    }

    fn take(&mut self) -> Option<f64> {
        match self {
            Self::AsOpen { reader, bits } => reader.read(bits),
            Self::Fields { steps, unit, divisor, least, width, before, bits } => {
                let above = bits.read(*width)?.wrapping_mul(*divisor).cast_signed();
                let number = least.wrapping_add(above);
                *before = if *steps { before.wrapping_add(number) } else { number };
                of_whole(*before, *unit)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn exact(samples: &[(i64, f64)]) -> Vec<(i64, u64)> {
        samples.iter().map(|(at, value)| (*at, value.to_bits())).collect()
    }

    /// Packs, sees that all comes back, and tells how many bytes it takes.
    fn bytes_for(samples: &[(i64, f64)]) -> usize {
        let packed = pack(samples).unwrap();
        let found = unpack(&packed, samples[0], u32::try_from(samples.len()).unwrap());
        assert_eq!(exact(&found), exact(samples));
        packed.len()
    }

    /// Two hundred and forty scrapes, each up to a millisecond late.
    fn scrapes(value: impl Fn(i64) -> f64) -> Vec<(i64, f64)> {
        (0..240).map(|second| (1_700_000_000_000 + second * 1_000 + second * 7 % 3 / 2, value(second))).collect()
    }

    fn number(number: i64) -> f64 {
        f64::from(i32::try_from(number).unwrap())
    }

    #[test]
    fn what_stays_takes_the_bits_of_its_moments_alone() {
        assert!(bytes_for(&scrapes(|_| 1_024.0)) < 90);
        assert!(bytes_for(&scrapes(|second| number(7 * second))) < 90, "a steady counter neither");
    }

    #[test]
    fn an_irregular_counter_takes_no_more_bits_than_its_widest_step() {
        // Up to seven a second: three bits.
        let mut total = 1_000_000;
        let totals: Vec<i64> = (0..240)
            .map(|second| {
                total += second * second % 8;
                total
            })
            .collect();
        let counter = scrapes(|second| number(totals[usize::try_from(second).unwrap()]));
        assert!(bytes_for(&counter) < 90 + 240 * 3 / 8);
    }

    #[test]
    fn pages_and_cents_are_counted_in_their_own_unit() {
        // Of 4 KiB each, a hundred of them more or less: seven bits.
        let pages = scrapes(|second| number(80_000_000 / 4_096 * 4_096 + second * 37 % 100 * 4_096));
        assert!(bytes_for(&pages) < 90 + 240 * 7 / 8 + 8);
        let cents = scrapes(|second| number(1_234 + second * 3 % 64) / 100.0);
        assert!(bytes_for(&cents) < 90 + 240 * 6 / 8 + 8);
    }

    #[test]
    fn special_values_and_moments_far_apart_come_back() {
        let tiny = f64::from_bits(1);
        let values =
            [0.0, -0.0, f64::INFINITY, f64::NAN, tiny, f64::MAX, 9_007_199_254_740_992.0, 0.1, f64::from_bits(7)];
        let moments = [0, 1, 2, 1_000, 1_001, i64::MAX, i64::MIN, -5, 0];
        let samples: Vec<(i64, f64)> = moments.into_iter().zip(values).collect();
        bytes_for(&samples);
        bytes_for(&samples[..1]);
        let huge = [-9_007_199_254_740_992.0, 9_007_199_254_740_992.0, -9_007_199_254_740_992.0, 0.0];
        bytes_for(&(0..).zip(huge).collect::<Vec<(i64, f64)>>());
        assert!(pack(&[]).is_none());
    }

    fn value() -> impl Strategy<Value = f64> {
        prop_oneof![
            4 => (-1_000_i32..1_000).prop_map(f64::from),
            3 => (-100_000_i32..100_000).prop_map(|cents| f64::from(cents) / 100.0),
            1 => any::<u64>().prop_map(f64::from_bits),
        ]
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn every_sample_comes_back_bit_for_bit(
            whole in prop::collection::vec((any::<i64>(), (-1_000_i32..1_000).prop_map(f64::from)), 1..100),
            mixed in prop::collection::vec((0_i64..3_000, value()), 1..300),
        ) {
            bytes_for(&whole);
            bytes_for(&mixed);
        }

        #[test]
        fn bytes_that_nobody_wrote_are_read_without_panic(
            bytes in prop::collection::vec(any::<u8>(), 0..200),
            first in (any::<i64>(), any::<u64>().prop_map(f64::from_bits)),
            count in any::<u32>(),
        ) {
            prop_assert!(unpack(&bytes, first, count).len() <= 8 * bytes.len() + 1);
        }
    }
}
