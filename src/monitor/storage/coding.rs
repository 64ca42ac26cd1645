//! How moments and values become few bits: each is written as how it differs from what was to be expected.
//!
//! A moment is expected as long after the one before as that came after its own (delta of deltas), so a regular scrape
//! costs one bit. A value is written in whichever of two ways is shorter. Numbers with few digits behind the point, such
//! as counters, are whole numbers of a unit (1, 0.1, 0.01, …), and what is written is how their step differs from the
//! last step; steady counters take five bits. All others are written as the bits that changed (XOR), as in Facebook's
//! Gorilla. Both come back bit for bit: the encoder checks that the decoder's arithmetic yields the very bits.

use super::bits::{BitReader, BitWriter};

/// Bits for the deltas of deltas of moments, behind the prefixes `10`, `110`, `1110` and `1111`.
const NEAR: u32 = 6;
const FAR: u32 = 13;
const FARTHER: u32 = 20;

/// Bits for the difference of two steps, chosen by three bits.
const STEP_WIDTHS: [u32; 8] = [0, 3, 5, 7, 9, 12, 16, 28];

/// How many units go into one, chosen by three bits.
const UNITS: [f64; 8] = [1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e9];

/// Up to here a whole number and the value that stands for it are the same.
const EXACT: f64 = 9_007_199_254_740_992.0;

/// The most leading zeros that five bits can tell.
const MOST_LEADING: u32 = 31;

/// What the next moment is compared with.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct TimeState {
    at: i64,
    delta: i64,
}

impl TimeState {
    /// The first moment is known from elsewhere.
    pub(super) fn starting(at: i64) -> Self {
        Self { at, delta: 0 }
    }

    pub(super) fn write(&mut self, at: i64, out: &mut BitWriter) {
        let delta = at.wrapping_sub(self.at);
        let change = delta.wrapping_sub(self.delta);
        *self = Self { at, delta };
        let (prefix, prefix_width, width) = match change {
            0 => (0b0, 1, 0),
            _ if fits(change, NEAR) => (0b10, 2, NEAR),
            _ if fits(change, FAR) => (0b110, 3, FAR),
            _ if fits(change, FARTHER) => (0b1110, 4, FARTHER),
            _ => (0b1111, 4, 64),
        };
        out.write(prefix, prefix_width);
        out.write(change.cast_unsigned(), width);
    }

    pub(super) fn read(&mut self, from: &mut BitReader<'_>) -> Option<i64> {
        // The ones of the prefix, up to the first zero, choose among them.
        let mut widths = [0, NEAR, FAR, FARTHER].into_iter();
        let width = loop {
            match widths.next() {
                Some(width) if !from.bit()? => break width,
                Some(_) => {}
                None => break 64,
            }
        };
        let change = signed(from.read(width)?, width);
        self.delta = self.delta.wrapping_add(change);
        self.at = self.at.wrapping_add(self.delta);
        Some(self.at)
    }
}

/// What the next value is compared with; at the start it is zero.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ValueState {
    /// The bits of the last value.
    bits: u64,
    /// The last step, in units.
    delta: i64,
    /// Which of the [`UNITS`].
    unit: u8,
    /// The window of changed bits: leading zeros, and its width. Without a window the width is zero.
    leading: u8,
    width: u8,
}

/// A value as a step of whole units.
struct Step {
    unit: u8,
    class: u8,
    width: u32,
    change: i64,
    delta: i64,
}

impl ValueState {
    /// The first value is known from elsewhere.
    pub(super) fn after(value: f64) -> Self {
        Self { bits: value.to_bits(), ..Self::default() }
    }

    /// `0`: the same value. `10`: a step. `110`: changed bits in the last window. `1110`: changed bits in a window that
    /// is told. `1111`: another unit, and a step.
    pub(super) fn write(&mut self, value: f64, out: &mut BitWriter) {
        let bits = value.to_bits();
        let difference = bits ^ self.bits;
        if difference == 0 {
            out.write(0, 1);
            return;
        }
        let trailing = difference.trailing_zeros();
        let leading = difference.leading_zeros().min(MOST_LEADING);
        let (old_leading, old_width) = (u32::from(self.leading), u32::from(self.width));
        let is_inside = old_width > 0 && leading >= old_leading && trailing + old_leading + old_width >= 64;
        let in_window = if is_inside { 3 + old_width } else { u32::MAX };
        let own_width = 64 - leading - trailing;
        let in_own = 4 + 5 + 6 + own_width;
        match self.step_to(value) {
            Some(step) if self.cost(&step) <= in_window.min(in_own) => self.write_step(&step, out),
            _ if in_window <= in_own => {
                out.write(0b110, 3);
                out.write(difference >> (64 - old_leading - old_width), old_width);
            }
            _ => {
                out.write(0b1110, 4);
                out.write(u64::from(leading), 5);
                // 64 does not fit into six bits, and zero is not needed.
                out.write(u64::from(own_width), 6);
                out.write(difference >> trailing, own_width);
                self.leading = low_byte(leading);
                self.width = low_byte(own_width);
            }
        }
        self.bits = bits;
    }

    /// The step from the last value to this one, if both are whole numbers of one unit. Units only become finer: a
    /// counter of seconds that stands at 12.3 for once would change its unit twice.
    fn step_to(&self, value: f64) -> Option<Step> {
        let (unit, now) = (self.unit..8).find_map(|unit| Some((unit, whole(value, unit)?)))?;
        let before = whole(f64::from_bits(self.bits), unit)?;
        let delta = now.wrapping_sub(before);
        let change = delta.wrapping_sub(if unit == self.unit { self.delta } else { 0 });
        let (class, width) = (0_u8..).zip(STEP_WIDTHS).find(|(_, width)| fits(change, *width))?;
        Some(Step { unit, class, width, change, delta })
    }

    fn cost(&self, step: &Step) -> u32 {
        let prefix = if step.unit == self.unit { 2 } else { 4 + 3 };
        prefix + 3 + step.width
    }

    fn write_step(&mut self, step: &Step, out: &mut BitWriter) {
        if step.unit == self.unit {
            out.write(0b10, 2);
        } else {
            out.write(0b1111, 4);
            out.write(u64::from(step.unit), 3);
        }
        out.write(u64::from(step.class), 3);
        out.write(step.change.cast_unsigned(), step.width);
        self.unit = step.unit;
        self.delta = step.delta;
    }
}

/// Reads what a [`ValueState`] wrote.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct ValueReader {
    state: ValueState,
    /// The last value in units, where it came as a step: to find it again is what reading takes longest for.
    number: Option<i64>,
}

impl ValueReader {
    /// Reads what [`ValueState::after`] wrote.
    pub(super) fn after(value: f64) -> Self {
        Self { state: ValueState::after(value), number: None }
    }

    pub(super) fn read(&mut self, from: &mut BitReader<'_>) -> Option<f64> {
        if !from.bit()? {
            return Some(f64::from_bits(self.state.bits));
        }
        if !from.bit()? {
            return self.read_step(from);
        }
        if !from.bit()? {
            return self.read_difference(from);
        }
        if !from.bit()? {
            self.state.leading = from.small(5)?;
            self.state.width = match from.small(6)? {
                0 => 64,
                width => width,
            };
            return self.read_difference(from);
        }
        self.state.unit = from.small(3)?;
        self.state.delta = 0;
        self.number = None;
        self.read_step(from)
    }

    fn read_step(&mut self, from: &mut BitReader<'_>) -> Option<f64> {
        let width = *STEP_WIDTHS.get(usize::from(from.small(3)?))?;
        let change = signed(from.read(width)?, width);
        let before = match self.number {
            Some(number) => number,
            None => whole(f64::from_bits(self.state.bits), self.state.unit)?,
        };
        self.state.delta = self.state.delta.wrapping_add(change);
        let number = before.wrapping_add(self.state.delta);
        let value = of_whole(number, self.state.unit)?;
        self.state.bits = value.to_bits();
        self.number = Some(number);
        Some(value)
    }

    fn read_difference(&mut self, from: &mut BitReader<'_>) -> Option<f64> {
        let (leading, width) = (u32::from(self.state.leading), u32::from(self.state.width));
        let trailing = 64_u32.checked_sub(leading + width)?;
        if width == 0 {
            return None;
        }
        self.state.bits ^= from.read(width)? << trailing;
        self.number = None;
        Some(f64::from_bits(self.state.bits))
    }
}

/// How many units a value is, if that gives back its very bits.
pub(super) fn whole(value: f64, unit: u8) -> Option<i64> {
    let scaled = (value * UNITS.get(usize::from(unit))?).round();
    if scaled.is_nan() || scaled.abs() > EXACT {
        return None;
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and at most 2⁵³")]
    let number = scaled as i64;
    (of_whole(number, unit)?.to_bits() == value.to_bits()).then_some(number)
}

/// The value of so many units.
pub(super) fn of_whole(number: i64, unit: u8) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "where it would lose, `whole` has refused the value")]
    let number = number as f64;
    Some(number / UNITS.get(usize::from(unit))?)
}

/// Whether a number can be told in so many bits, one of them for its sign.
fn fits(number: i64, width: u32) -> bool {
    match width {
        0 => number == 0,
        64.. => true,
        _ => matches!(number >> (width - 1), 0 | -1),
    }
}

/// The number that was written in so many bits.
fn signed(bits: u64, width: u32) -> i64 {
    if width == 0 { 0 } else { (bits << (64 - width)).cast_signed() >> (64 - width) }
}

/// Of a number below 256.
fn low_byte(number: u32) -> u8 {
    let [low, ..] = number.to_le_bytes();
    low
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bits_for(values: &[f64]) -> usize {
        let mut out = BitWriter::default();
        let mut state = ValueState::default();
        for value in values {
            state.write(*value, &mut out);
        }
        let mut reader = BitReader::new(out.as_bytes());
        let mut state = ValueReader::default();
        for value in values {
            assert_eq!(state.read(&mut reader).map(f64::to_bits), Some(value.to_bits()));
        }
        out.as_bytes().len() * 8
    }

    #[test]
    fn special_values_come_back() {
        let tiny = f64::from_bits(1);
        let all = [0.0, -0.0, f64::INFINITY, f64::NEG_INFINITY, f64::NAN, tiny, f64::MAX, f64::MIN, EXACT, -EXACT, 0.1];
        bits_for(&all);
        bits_for(&[EXACT, -EXACT, EXACT + 2.0, 1.0, 1e-9, 1.5, 12.34, 12.3, -12.34, f64::from_bits(u64::MAX)]);
    }

    #[test]
    fn a_steady_counter_takes_five_bits_and_a_constant_one() {
        let steady: Vec<f64> = (0..1_000).map(|second| f64::from(second) * 7.0).collect();
        assert!(bits_for(&steady) < 5_100);
        assert!(bits_for(&[42.5; 1_000]) < 1_100);
    }

    #[test]
    fn few_digits_behind_the_point_are_short_too() {
        let cents: Vec<f64> = (0..1_000).map(|second| f64::from(1_234 + second * 3 + second % 2) / 100.0).collect();
        assert!(bits_for(&cents) < 9_000);
    }

    #[test]
    fn moments_far_apart_come_back() {
        let moments = [0, 1, 2, 3, 1_000, 2_000, 3_001, i64::MAX, i64::MIN, -5, 0];
        let mut out = BitWriter::default();
        let mut state = TimeState::starting(-7);
        for at in moments {
            state.write(at, &mut out);
        }
        let mut reader = BitReader::new(out.as_bytes());
        let mut state = TimeState::starting(-7);
        for at in moments {
            assert_eq!(state.read(&mut reader), Some(at));
        }
    }
}
