//! Numbers and texts in as few bytes as they need: seven bits of a number in each byte, the lowest first.

/// Bytes a number takes at the most.
const LONGEST: usize = 10;

/// Appends a number.
pub(super) fn put_number(into: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            into.push(low & 0x7f);
            return;
        }
        into.push(low | 0x80);
    }
}

/// Appends a number that may be negative; those near zero are short.
pub(super) fn put_signed(into: &mut Vec<u8>, number: i64) {
    put_number(into, ((number << 1) ^ (number >> 63)).cast_unsigned());
}

/// Appends a value; the fewer digits it has in base two, the shorter.
pub(super) fn put_value(into: &mut Vec<u8>, value: f64) {
    put_number(into, value.to_bits().swap_bytes());
}

/// Appends a text and its length.
pub(super) fn put_text(into: &mut Vec<u8>, text: &str) {
    put_number(into, text.len() as u64);
    into.extend_from_slice(text.as_bytes());
}

/// Reads what was appended, in the same order. What cannot be read is `None`.
#[derive(Debug)]
pub(super) struct ByteReader<'a> {
    rest: &'a [u8],
}

impl<'a> ByteReader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet.
    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let rest = self.rest;
        let mut number = 0_u64;
        for (index, byte) in rest.iter().enumerate().take(LONGEST) {
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = rest.get(index + 1..)?;
                return Some(number);
            }
        }
        None
    }

    pub(super) fn signed(&mut self) -> Option<i64> {
        let number = self.number()?;
        Some((number >> 1).cast_signed() ^ -(number & 1).cast_signed())
    }

    pub(super) fn value(&mut self) -> Option<f64> {
        Some(f64::from_bits(self.number()?.swap_bytes()))
    }

    pub(super) fn byte(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Option<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(count)?;
        self.rest = rest;
        Some(bytes)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = usize::try_from(self.number()?).ok()?;
        std::str::from_utf8(self.bytes(length)?).ok()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn numbers_and_texts_come_back(number: u64, signed: i64, bits: u64, text: String) {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            put_signed(&mut bytes, signed);
            put_value(&mut bytes, f64::from_bits(bits));
            put_text(&mut bytes, &text);
            let mut reader = ByteReader::new(&bytes);
            prop_assert_eq!(reader.number(), Some(number));
            prop_assert_eq!(reader.signed(), Some(signed));
            prop_assert_eq!(reader.value().map(f64::to_bits), Some(bits));
            prop_assert_eq!(reader.text(), Some(text.as_str()));
            prop_assert!(reader.rest().is_empty());
        }

        #[test]
        fn what_is_cut_is_not_read(number: u64) {
            let mut bytes = Vec::new();
            put_number(&mut bytes, number);
            bytes.pop();
            prop_assert_eq!(ByteReader::new(&bytes).number(), None);
        }
    }
}
