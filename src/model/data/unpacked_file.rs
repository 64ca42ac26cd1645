//! The bytes of a data file, unpacked if it is packed with gzip, and the digest of what lies on the disk.
//!
//! Whether a file is packed is seen from its first two bytes, whatever its name. It is unpacked piece by piece, so a
//! small file that unpacks into very much costs no memory beyond the columns that come of it.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use flate2::read::MultiGzDecoder;
use sha2::{Digest as _, Sha256};

use crate::pipeline::Digest;

/// What a gzip file begins with (RFC 1952).
const GZIP: [u8; 2] = [0x1f, 0x8b];

/// An open data file.
pub(in crate::model) enum UnpackedFile {
    /// As it lies there.
    Plain(DigestedFile),
    /// Packed.
    Gzip(Box<MultiGzDecoder<DigestedFile>>),
}

impl UnpackedFile {
    pub(in crate::model) fn open(path: &Path) -> io::Result<Self> {
        let mut file = File::open(path)?;
        let mut opening = Vec::with_capacity(GZIP.len());
        file.by_ref().take(2).read_to_end(&mut opening)?;
        let is_packed = opening == GZIP;
        let file = DigestedFile { source: io::Cursor::new(opening).chain(file), hasher: Sha256::new(), length: 0 };
        Ok(if is_packed { Self::Gzip(Box::new(MultiGzDecoder::new(file))) } else { Self::Plain(file) })
    }

    pub(in crate::model) fn is_packed(&self) -> bool {
        matches!(self, Self::Gzip(_))
    }

    /// How many bytes of the file have been read.
    pub(in crate::model) fn bytes_read(&self) -> u64 {
        match self {
            Self::Plain(file) => file.length,
            Self::Gzip(file) => file.get_ref().length,
        }
    }

    /// The digest of what was read of the file; of all of it, if it was read to its end.
    pub(in crate::model) fn into_digest(self) -> Digest {
        match self {
            Self::Plain(file) => file.into_digest(),
            Self::Gzip(file) => (*file).into_inner().into_digest(),
        }
    }
}

impl Read for UnpackedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(file) => file.read(buffer),
            Self::Gzip(file) => file.read(buffer),
        }
    }
}

/// A file whose bytes are digested as they pass.
pub(in crate::model) struct DigestedFile {
    source: io::Chain<io::Cursor<Vec<u8>>, File>,
    hasher: Sha256,
    length: u64,
}

impl DigestedFile {
    fn into_digest(self) -> Digest {
        use std::fmt::Write as _;
        let mut text = String::with_capacity(64);
        for byte in self.hasher.finalize() {
            // Writing to a string cannot fail.
            let _ = write!(text, "{byte:02x}");
        }
        Digest(text)
    }
}

impl Read for DigestedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.source.read(buffer)?;
        self.hasher.update(buffer.get(..length).unwrap_or_default());
        self.length += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{self, Read as _, Write as _};

    use flate2::Compression;
    use flate2::write::GzEncoder;

    use super::UnpackedFile;
    use crate::disk::digest_bytes;
    use crate::model::samples::Folder;

    fn packed(text: &str) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_packed_file_is_unpacked_whatever_its_name_and_its_digest_is_that_of_the_disk() {
        // Two packed parts one behind the other are one file, as `cat a.gz b.gz` makes them.
        let bytes = [packed("a,b\n"), packed("1,2\n")].concat();
        let mut file = UnpackedFile::open(&Folder::new().write_bytes("a.csv", &bytes)).unwrap();
        let mut text = String::new();
        file.read_to_string(&mut text).unwrap();
        assert_eq!(text, "a,b\n1,2\n");
        assert!(file.is_packed());
        assert_eq!(file.bytes_read(), bytes.len() as u64);
        assert_eq!(file.into_digest(), digest_bytes(&bytes));
    }

    #[test]
    fn the_digest_of_a_plain_file_is_that_of_the_untouched_bytes() {
        for text in ["a\r\nb", "x", ""] {
            let mut file = UnpackedFile::open(&Folder::new().write("a.csv", text)).unwrap();
            io::copy(&mut file, &mut io::sink()).unwrap();
            assert_eq!((file.is_packed(), file.into_digest()), (false, digest_bytes(text.as_bytes())));
        }
    }

    #[test]
    fn a_packed_file_that_was_cut_is_an_error() {
        let bytes = packed(&"some text\n".repeat(100));
        let mut file = UnpackedFile::open(&Folder::new().write_bytes("a.gz", &bytes[..bytes.len() / 2])).unwrap();
        assert!(io::copy(&mut file, &mut io::sink()).is_err());
    }
}
