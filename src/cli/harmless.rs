//! What people read, without what would command their terminal.
//!
//! File names, branch names, error texts and log lines come from anywhere. Everything that a command prints for people goes
//! through here; what is asked for byte for byte (`logs`) or as JSON does not.

use std::io::{self, Write};

/// Stands in the place of a control character.
const REPLACEMENT: &str = "\u{fffd}";

/// A writer that lets no control character through but line ends and tabs.
#[derive(Debug)]
pub struct Harmless<W> {
    inner: W,
    /// The first byte of a character that may turn out to be one of the C1 controls.
    has_prefix: bool,
}

impl<W: Write> Harmless<W> {
    /// Writes to `inner` what is harmless.
    pub fn new(inner: W) -> Self {
        Self { inner, has_prefix: false }
    }
}

/// Tells people something beside what was asked for: on standard error, so that it spoils no file.
pub fn note(text: &str) {
    eprintln!("trainyard: {}", harmless(text));
}

/// The same for a text.
pub fn harmless(text: &str) -> String {
    let is_kept = |letter: char| !letter.is_control() || letter == '\n' || letter == '\t';
    text.chars().map(|letter| if is_kept(letter) { letter } else { '\u{fffd}' }).collect()
}

impl<W: Write> Write for Harmless<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut clean = Vec::with_capacity(bytes.len());
        for byte in bytes {
            // U+0080 to U+009F are written as C2 80 to C2 9F, and may be torn between two writes.
            if std::mem::take(&mut self.has_prefix) {
                if matches!(byte, 0x80..=0x9f) {
                    clean.extend_from_slice(REPLACEMENT.as_bytes());
                    continue;
                }
                clean.push(0xc2);
            }
            match byte {
                0xc2 => self.has_prefix = true,
                b'\n' | b'\t' => clean.push(*byte),
                0..0x20 | 0x7f => clean.extend_from_slice(REPLACEMENT.as_bytes()),
                _ => clean.push(*byte),
            }
        }
        self.inner.write_all(&clean)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_commands_a_terminal_comes_through_however_it_is_cut() {
        let text = "a\x1b]52;c;eHg=\x07b\u{9b}31m é 한국어\tc\r\n\x7f";
        let bytes = text.as_bytes();
        for cut in 0..bytes.len() {
            let mut out = Vec::new();
            let mut writer = Harmless::new(&mut out);
            writer.write_all(&bytes[..cut]).unwrap();
            writer.write_all(&bytes[cut..]).unwrap();
            let written = String::from_utf8(out).unwrap();
            assert_eq!(written, "a\u{fffd}]52;c;eHg=\u{fffd}b\u{fffd}31m é 한국어\tc\u{fffd}\n\u{fffd}");
            assert_eq!(written, harmless(text));
        }
    }
}
