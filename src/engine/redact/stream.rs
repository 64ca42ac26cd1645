//! Redaction of bytes that come piece by piece, as through a pipe.
//!
//! What has come and may yet become a secret is held back, never more than the longest form of one; all else goes through
//! at once. Nothing is copied while nothing is found and nothing held.

use std::sync::Arc;

use super::Redactor;

/// Bytes of a form that are held back however long nothing comes. A prompt that ends like a secret begins must be seen, and
/// the first bytes of a secret give nothing away.
const HELD: usize = 4;

/// A stream of bytes without secrets.
#[derive(Debug)]
pub struct RedactedStream {
    redactor: Arc<Redactor>,
    /// The bytes that may yet become a form: all of them are the beginning of one.
    kept: Vec<u8>,
    /// How many of these were given out already, for nothing came for a while.
    shown: usize,
    /// How many secrets were found.
    found: u64,
}

impl RedactedStream {
    /// The beginning of a stream.
    pub fn new(redactor: Arc<Redactor>) -> Self {
        Self { redactor, kept: Vec::new(), shown: 0, found: 0 }
    }

    /// How many secrets were found so far.
    pub fn found(&self) -> u64 {
        self.found
    }

    /// Takes further bytes, and gives out what is certain.
    pub fn push(&mut self, bytes: &[u8], out: &mut impl FnMut(&[u8])) {
        if self.redactor.is_empty() {
            out(bytes);
            return;
        }
        if self.kept.is_empty() {
            let open = self.pass(bytes, false, out);
            self.kept.extend_from_slice(&bytes[open..]);
            return;
        }
        let mut buffer = std::mem::take(&mut self.kept);
        buffer.extend_from_slice(bytes);
        let open = self.pass(&buffer, false, out);
        buffer.drain(..open);
        self.shown = self.shown.saturating_sub(open);
        self.kept = buffer;
    }

    /// Whether [`Self::settle`] would give something out.
    pub fn is_unsettled(&self) -> bool {
        self.kept.len() < HELD && self.shown < self.kept.len()
    }

    /// Nothing has come for a while: gives out what is only the first few bytes of a form.
    pub fn settle(&mut self, out: &mut impl FnMut(&[u8])) {
        if self.is_unsettled() {
            out(&self.kept[self.shown..]);
            self.shown = self.kept.len();
        }
    }

    /// Nothing will come any more: gives out the rest.
    pub fn finish(&mut self, out: &mut impl FnMut(&[u8])) {
        let buffer = std::mem::take(&mut self.kept);
        self.pass(&buffer, true, out);
        self.shown = 0;
    }

    /// Gives out what is certain in `buffer`, all of it if that is the end; where what is not certain begins.
    fn pass(&mut self, buffer: &[u8], is_end: bool, out: &mut impl FnMut(&[u8])) -> usize {
        let redactor = self.redactor.clone();
        let open_at = |from| if is_end { buffer.len() } else { redactor.open_at(buffer, from) };
        let (mut done, mut open) = (0, open_at(0));
        loop {
            // A form that begins before what is open can neither grow nor be preceded by one that is not whole yet.
            match redactor.find(buffer, done).filter(|found| found.start < open) {
                Some(found) => {
                    self.show(&buffer[..found.start], done, out);
                    out(found.marker);
                    self.found += 1;
                    done = found.end;
                    if open < done {
                        open = open_at(done);
                    }
                }
                None => {
                    self.show(&buffer[..open], done, out);
                    return open;
                }
            }
        }
    }

    /// Gives out the bytes from `from` on, but for those that were given out already.
    fn show(&self, bytes: &[u8], from: usize, out: &mut impl FnMut(&[u8])) {
        let fresh = bytes.get(from.max(self.shown)..).unwrap_or_default();
        if !fresh.is_empty() {
            out(fresh);
        }
    }
}
