//! What one commit puts into the log: the series that are new to it, and the samples.
//!
//! A sample is written as in a chunk: how its value differs from the last one of its series, which writer and reader both
//! know. It costs little more than a byte that way. So a log is read from its beginning, and what a commit writes counts
//! as a whole or not at all.

use super::bits::{BitReader, BitWriter};
use super::bytes::{ByteReader, put_number, put_text};
use super::coding::{ValueReader, ValueState};
use crate::monitor::labels::Labels;

/// The commit that is being gathered, and what the log knows of its series.
#[derive(Debug, Default)]
pub(super) struct Batch {
    states: Vec<ValueState>,
    declared: Vec<u8>,
    declarations: u64,
    samples: BitWriter,
    count: u64,
    position: Position,
}

/// What the next sample is compared with: as a rule it is of the next series and of the same moment.
#[derive(Debug, Clone, Copy)]
struct Position {
    series: u32,
    at: i64,
}

impl Default for Position {
    fn default() -> Self {
        // Before the first series.
        Self { series: u32::MAX, at: 0 }
    }
}

impl Batch {
    /// Declares a series; it gets the next number. None if the log has too many.
    pub(super) fn declare(&mut self, labels: &Labels) -> Option<u32> {
        let number = u32::try_from(self.states.len()).ok()?;
        self.states.push(ValueState::default());
        self.declarations += 1;
        put_number(&mut self.declared, labels.pairs().count() as u64);
        for (name, value) in labels.pairs() {
            put_text(&mut self.declared, name);
            put_text(&mut self.declared, value);
        }
        Some(number)
    }

    /// Adds a sample of a declared series.
    pub(super) fn add(&mut self, series: u32, at: i64, value: f64) {
        let Some(state) = self.states.get_mut(series as usize) else { return };
        if series == self.position.series.wrapping_add(1) {
            self.samples.write(0, 1);
        } else {
            self.samples.write(1, 1);
            self.samples.write(u64::from(series), 32);
        }
        if at == self.position.at {
            self.samples.write(0, 1);
        } else {
            self.samples.write(1, 1);
            self.samples.write(at.cast_unsigned(), 64);
        }
        state.write(value, &mut self.samples);
        self.position = Position { series, at };
        self.count += 1;
    }

    /// What is to be written, and begins the next commit. None if there is nothing.
    pub(super) fn take(&mut self) -> Option<Vec<u8>> {
        if self.declarations == 0 && self.count == 0 {
            return None;
        }
        let mut payload = Vec::with_capacity(self.declared.len() + self.samples.as_bytes().len() + 20);
        put_number(&mut payload, self.declarations);
        payload.append(&mut self.declared);
        put_number(&mut payload, self.count);
        payload.extend_from_slice(self.samples.as_bytes());
        self.samples.clear();
        // Declarations come at the beginning, and all at once: their memory is not kept.
        self.declared = Vec::new();
        self.declarations = 0;
        self.count = 0;
        self.position = Position::default();
        Some(payload)
    }

    /// How much memory is held.
    pub(super) fn bytes(&self) -> usize {
        self.states.capacity() * size_of::<ValueState>() + self.declared.capacity() + self.samples.capacity()
    }
}

/// What one commit held.
#[derive(Debug, Default)]
pub(super) struct Commit {
    /// The series that were new, in the order of their numbers.
    pub(super) declared: Vec<Labels>,
    /// Number of the series, moment, value.
    pub(super) samples: Vec<(u32, i64, f64)>,
}

/// Reads commits in the order in which they were written.
#[derive(Debug, Default)]
pub(super) struct CommitReader {
    states: Vec<ValueReader>,
}

impl CommitReader {
    /// The commit of a payload; none if it is none.
    pub(super) fn read(&mut self, payload: &[u8]) -> Option<Commit> {
        let mut commit = Commit::default();
        let mut reader = ByteReader::new(payload);
        for _ in 0..reader.number()? {
            let mut pairs = Vec::new();
            for _ in 0..reader.number()? {
                pairs.push((reader.text()?, reader.text()?));
            }
            commit.declared.push(Labels::new(pairs));
            self.states.push(ValueReader::default());
        }
        let count = reader.number()?;
        let mut bits = BitReader::new(reader.rest());
        let mut position = Position::default();
        for _ in 0..count {
            position.series = position.series.wrapping_add(1);
            if bits.bit()? {
                position.series = u32::try_from(bits.read(32)?).ok()?;
            }
            if bits.bit()? {
                position.at = bits.read(64)?.cast_signed();
            }
            let value = self.states.get_mut(position.series as usize)?.read(&mut bits)?;
            commit.samples.push((position.series, position.at, value));
        }
        Some(commit)
    }
}
