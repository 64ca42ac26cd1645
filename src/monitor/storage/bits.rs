//! Bits written one after the other into bytes, the highest first, and read again.

/// Bytes by which a small buffer grows. A store has thousands of open chunks of a few hundred bytes, and a buffer that
/// doubles would leave a third of their memory empty.
const GROWTH: usize = 64;

/// Where bits are written.
#[derive(Debug, Clone, Default)]
pub(super) struct BitWriter {
    bytes: Vec<u8>,
    /// Bits of the last byte that are not written yet.
    free: u32,
}

impl BitWriter {
    /// Writes the lowest `width` bits of `value`, at most 64.
    pub(super) fn write(&mut self, value: u64, width: u32) {
        let mut left = width;
        while left > 0 {
            if self.free == 0 {
                self.begin_byte();
            }
            let taken = left.min(self.free);
            let part = (value >> (left - taken)) & ((1_u64 << taken) - 1);
            let [low, ..] = (part << (self.free - taken)).to_le_bytes();
            if let Some(last) = self.bytes.last_mut() {
                *last |= low;
            }
            self.free -= taken;
            left -= taken;
        }
    }

    /// What was written; the bits of the last byte that were not are zero.
    pub(super) fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How much memory is held.
    pub(super) fn capacity(&self) -> usize {
        self.bytes.capacity()
    }

    /// Begins anew in the same memory.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.free = 0;
    }

    fn begin_byte(&mut self) {
        if self.bytes.len() == self.bytes.capacity() {
            self.bytes.reserve_exact((self.bytes.len() / 8).max(GROWTH));
        }
        self.bytes.push(0);
        self.free = 8;
    }
}

/// Where bits are read. Nothing is read beyond the end: then there is `None`.
#[derive(Debug, Clone)]
pub(super) struct BitReader<'a> {
    bytes: &'a [u8],
    /// In bits.
    position: usize,
}

impl<'a> BitReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, position: 0 }
    }

    /// The next `width` bits, at most 64.
    pub(super) fn read(&mut self, width: u32) -> Option<u64> {
        if width == 0 {
            return Some(0);
        }
        // A word holds 64 bits, of which up to seven lie before the position.
        if width > 56 {
            let high = self.read(width - 32)?;
            return Some((high << 32) | self.read(32)?);
        }
        let end = self.position + width as usize;
        if end > self.bytes.len() * 8 {
            return None;
        }
        let word = self.word(self.position / 8) << (self.position & 7);
        self.position = end;
        Some(word >> (64 - width))
    }

    /// The next bit.
    pub(super) fn bit(&mut self) -> Option<bool> {
        Some(self.read(1)? == 1)
    }

    /// The next `width` bits, at most eight.
    pub(super) fn small(&mut self, width: u32) -> Option<u8> {
        let [low, ..] = self.read(width)?.to_le_bytes();
        Some(low)
    }

    /// Eight bytes from `start` on; zeros stand for those beyond the end.
    fn word(&self, start: usize) -> u64 {
        let rest = self.bytes.get(start..).unwrap_or_default();
        match rest.first_chunk::<8>() {
            Some(eight) => u64::from_be_bytes(*eight),
            None => {
                let mut eight = [0; 8];
                for (into, byte) in eight.iter_mut().zip(rest) {
                    *into = *byte;
                }
                u64::from_be_bytes(eight)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn bits_come_back_as_they_were_written(parts in prop::collection::vec((any::<u64>(), 0_u32..=64), 0..200)) {
            let mut writer = BitWriter::default();
            for (value, width) in &parts {
                writer.write(*value, *width);
            }
            let mut reader = BitReader::new(writer.as_bytes());
            for (value, width) in &parts {
                let wanted = if *width == 64 { *value } else { *value & ((1_u64 << *width) - 1) };
                prop_assert_eq!(reader.read(*width), Some(wanted));
            }
            // What is left of the last byte is less than a byte.
            prop_assert_eq!(reader.read(8), None);
        }
    }
}
