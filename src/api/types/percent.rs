//! Bytes behind `%40` and the like, as headers and addresses hold them.

/// What the bytes stand for. What is not encoded as it should be is taken as it stands.
pub fn percent_decoded(encoded: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded;
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind.first_chunk::<2>().filter(|_| *first == b'%');
        match digits.and_then(|digits| hexadecimal(*digits)) {
            Some(byte) => {
                bytes.push(byte);
                rest = behind.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

fn hexadecimal(digits: [u8; 2]) -> Option<u8> {
    let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
    u8::try_from(high? * 16 + low?).ok()
}

#[cfg(test)]
mod tests {
    use super::percent_decoded;

    #[test]
    fn two_digits_behind_a_sign_are_a_byte_and_all_else_is_itself() {
        assert_eq!(percent_decoded(b"p%40ss%2Fword%"), b"p@ss/word%");
        assert_eq!(percent_decoded(b"50% of %4 %+5 %zz"), b"50% of %4 %+5 %zz");
        assert_eq!(percent_decoded(b""), b"");
    }
}
