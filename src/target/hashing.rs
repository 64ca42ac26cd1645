//! A writer that hashes what passes through it, so that large files are never read twice or held whole.

use std::fmt::Write as _;
use std::io::{self, Write};

use sha2::{Digest as _, Sha256};

use crate::pipeline::Digest;

/// Passes everything on to `inner` and keeps the SHA-256 and the length of it.
#[derive(Debug)]
pub struct HashingWriter<W> {
    inner: W,
    hasher: Sha256,
    length: u64,
}

impl<W: Write> HashingWriter<W> {
    /// Nothing has passed yet.
    pub fn new(inner: W) -> Self {
        Self { inner, hasher: Sha256::new(), length: 0 }
    }

    /// The writer, the digest and the number of bytes that passed.
    pub fn finish(self) -> (W, Digest, u64) {
        let mut text = String::with_capacity(64);
        for byte in self.hasher.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        (self.inner, Digest(text), self.length)
    }
}

impl<W: Write> Write for HashingWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        self.length += u64::try_from(written).unwrap_or(u64::MAX);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::digest_bytes;

    #[test]
    fn what_passes_is_hashed_and_counted() {
        let mut writer = HashingWriter::new(Vec::new());
        writer.write_all(b"train").unwrap();
        writer.write_all(b"yard").unwrap();
        let (inner, digest, length) = writer.finish();
        assert_eq!((inner.as_slice(), length), (b"trainyard".as_slice(), 9));
        assert_eq!(digest, digest_bytes(b"trainyard"));
    }
}
