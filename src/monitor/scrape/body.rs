//! The body of an answer as it arrives, plain or packed, up to a limit that counts what comes out of it.
//!
//! It is unpacked piece by piece: a page that would unpack into gigabytes is given up when the limit is reached, and has
//! cost no more memory than a page of that size.

use std::io::{self, Write};

use flate2::write::MultiGzDecoder;

use super::error::ScrapeFailure;

/// A body that grows.
pub(super) struct Body {
    /// What arrived, in bytes, however it was packed.
    arrived: usize,
    limit: usize,
    kind: Kind,
}

enum Kind {
    Plain(Limited),
    Packed(Box<MultiGzDecoder<Limited>>),
}

impl Body {
    /// An empty one.
    pub(super) fn new(is_packed: bool, limit: usize) -> Self {
        let inner = Limited { bytes: Vec::new(), limit, is_full: false };
        let kind = if is_packed { Kind::Packed(Box::new(MultiGzDecoder::new(inner))) } else { Kind::Plain(inner) };
        Self { arrived: 0, limit, kind }
    }

    /// Takes the next piece.
    pub(super) fn take(&mut self, piece: &[u8]) -> Result<(), ScrapeFailure> {
        self.arrived = self.arrived.saturating_add(piece.len());
        // What unpacks into nothing could go on for ever.
        if self.arrived > self.limit {
            return Err(ScrapeFailure::TooLarge { limit: self.limit });
        }
        let (written, is_full) = match &mut self.kind {
            Kind::Plain(bytes) => (bytes.write_all(piece), bytes.is_full),
            Kind::Packed(decoder) => {
                let written = decoder.write_all(piece);
                (written, decoder.get_ref().is_full)
            }
        };
        written.map_err(|error| failure(&error, is_full, self.limit))
    }

    /// The whole of it.
    pub(super) fn finish(self) -> Result<Vec<u8>, ScrapeFailure> {
        match self.kind {
            Kind::Plain(bytes) => Ok(bytes.bytes),
            // An answer without a body is an empty page, packed or not.
            Kind::Packed(_) if self.arrived == 0 => Ok(Vec::new()),
            Kind::Packed(mut decoder) => match decoder.try_finish() {
                Ok(()) => Ok(std::mem::take(&mut decoder.get_mut().bytes)),
                Err(error) => Err(failure(&error, decoder.get_ref().is_full, self.limit)),
            },
        }
    }
}

fn failure(error: &io::Error, is_full: bool, limit: usize) -> ScrapeFailure {
    if is_full { ScrapeFailure::TooLarge { limit } } else { ScrapeFailure::Packed { reason: error.to_string() } }
}

/// Bytes up to a limit.
#[derive(Debug)]
struct Limited {
    bytes: Vec<u8>,
    limit: usize,
    is_full: bool,
}

impl Write for Limited {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        if self.bytes.len().saturating_add(piece.len()) > self.limit {
            self.is_full = true;
            return Err(io::Error::other("there is more than the limit allows"));
        }
        self.bytes.extend_from_slice(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::*;

    fn packed(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(bytes: &[u8], cut: usize, limit: usize) -> Result<Vec<u8>, ScrapeFailure> {
        let mut body = Body::new(true, limit);
        for piece in bytes.chunks(cut) {
            body.take(piece)?;
        }
        body.finish()
    }

    #[test]
    fn a_packed_page_comes_out_however_it_is_cut() {
        let text = b"a 1\nb 2\n".repeat(100);
        let bytes = packed(&text);
        for cut in 1..bytes.len() {
            assert_eq!(unpacked(&bytes, cut, 1_000).unwrap(), text);
        }
    }

    #[test]
    fn a_page_of_several_members_is_one_page() {
        let bytes = [packed(b"a 1\n"), packed(b"b 2\n")].concat();
        assert_eq!(unpacked(&bytes, 7, 1_000).unwrap(), b"a 1\nb 2\n");
    }

    #[test]
    fn what_unpacks_into_more_than_the_limit_is_given_up() {
        let bytes = packed(&vec![b'#'; 1 << 20]);
        assert!(bytes.len() < 4_000);
        assert_eq!(unpacked(&bytes, 100, 4_000), Err(ScrapeFailure::TooLarge { limit: 4_000 }));
        assert_eq!(unpacked(&packed(&[b'#'; 100]), 100, 100), Ok(vec![b'#'; 100]));
    }

    #[test]
    fn a_page_that_is_no_gzip_or_breaks_off_says_so() {
        assert!(matches!(unpacked(b"a 1\nb 2\nc 3\n", 100, 100), Err(ScrapeFailure::Packed { .. })));
        let bytes = packed(b"a 1\n");
        let short = &bytes[..bytes.len() - 3];
        assert!(matches!(unpacked(short, 100, 100), Err(ScrapeFailure::Packed { .. })));
        assert_eq!(unpacked(b"", 100, 100), Ok(Vec::new()));
    }

    #[test]
    fn a_plain_page_stops_at_the_limit() {
        let mut body = Body::new(false, 4);
        body.take(b"a 1\n").unwrap();
        assert_eq!(body.take(b"b"), Err(ScrapeFailure::TooLarge { limit: 4 }));
    }
}
