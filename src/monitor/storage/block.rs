//! Blocks: all series of a stretch of time, never changed once made.
//!
//! ```text
//! magic · runs · index · footer (where the index begins, its checksum, magic)
//! ```
//!
//! A run is the chunks of one series behind a checksum. The index holds each text once, then the labels of each series
//! as numbers of texts, and how long its run is. Of a block on disk only a few bytes a series are in memory: where the
//! run lies. The run is read when a query wants it, and its file is open for no longer than that query, so that a long
//! history does not take all the file descriptors a process may have ([`super::reader`]).
//!
//! Before it is written a block is what was taken out of memory, as it is: whoever has the store does not wait for the bytes
//! to be laid out. The second format differs from the first in that chunks may be packed, which their summary says; blocks of
//! the first are read as they are, and go with time.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bytes::ByteReader;
use super::checksum::checksum;
use super::chunk::{Chunk, chunks_of};
use super::error::{Faults, StorageError};
use super::image::{Entry, Extent, MAGIC, Made, SUM, Taken};
use super::series::SHARED_BYTES;
use crate::disk::write_whole;
use crate::monitor::labels::Labels;

/// Of the format without packed chunks.
const FIRST_MAGIC: &[u8; 8] = b"trnyblk1";
/// Where the index begins, its checksum, and the magic.
const FOOTER: usize = 8 + 4 + 8;

/// A block, in memory or on disk.
#[derive(Debug)]
pub(super) struct Block {
    /// It holds what the logs up to this number hold.
    pub(super) number: u64,
    pub(super) first: i64,
    pub(super) last: i64,
    pub(super) samples: u64,
    /// How large its file is or will be.
    pub(super) bytes: u64,
    /// Sorted by slot.
    entries: Arc<[Entry]>,
    place: Place,
    faults: Faults,
    /// A fault is told once; of a block that was dropped it is none.
    is_silent: AtomicBool,
}

#[derive(Debug)]
enum Place {
    /// As it was taken out of memory; entries say which series it is.
    Taken(Vec<Taken>),
    /// As it would be written.
    Memory(Vec<u8>),
    File(PathBuf),
}

impl Block {
    /// A block of what was taken out of memory, in ascending order of the slots; none if that is nothing.
    pub(super) fn of_taken(number: u64, taken: Vec<Taken>, faults: Faults) -> Option<Self> {
        if taken.is_empty() {
            return None;
        }
        let entry = |(series, index): (&Taken, u64)| Entry { slot: series.slot, length: 0, offset: index };
        let entries: Vec<Entry> = taken.iter().zip(0..).map(entry).collect();
        let bytes = taken.iter().flat_map(|series| &series.chunks).map(|chunk| chunk.len() as u64).sum();
        Some(Self::new(number, Extent::of(&taken), bytes, entries, Place::Taken(taken), faults))
    }

    /// The same, laid out and packed at once, for a store that keeps it in memory.
    pub(super) fn in_memory(number: u64, taken: &[Taken], faults: Faults) -> Option<Self> {
        let Made { bytes, entries, extent } = Made::of(taken)?;
        Some(Self::new(number, extent, bytes.len() as u64, entries, Place::Memory(bytes), faults))
    }

    fn new(number: u64, extent: Extent, bytes: u64, entries: Vec<Entry>, place: Place, faults: Faults) -> Self {
        let Extent { first, last, samples } = extent;
        let is_silent = AtomicBool::new(false);
        Self { number, first, last, samples, bytes, entries: Arc::from(entries), place, faults, is_silent }
    }

    /// The block of a file whose index was read; `slot_of` says which slot each series has.
    pub(super) fn from_file(
        number: u64,
        path: PathBuf,
        opened: Opened,
        faults: Faults,
        mut slot_of: impl FnMut(&Labels) -> Option<u32>,
    ) -> Self {
        let entry = |(labels, offset, length)| Some(Entry { slot: slot_of(&labels)?, length, offset });
        let mut entries: Vec<Entry> = opened.series.into_iter().filter_map(entry).collect();
        entries.sort_unstable_by_key(|entry| entry.slot);
        let extent = Extent { first: opened.first, last: opened.last, samples: opened.samples };
        Self::new(number, extent, opened.bytes, entries, Place::File(path), faults)
    }

    /// Writes it to `path`, laid out and packed, and gives the same block as it lies there. It takes its time.
    pub(super) fn write(&self, path: PathBuf) -> io::Result<Self> {
        let (bytes, entries): (u64, Arc<[Entry]>) = match &self.place {
            Place::Taken(taken) => {
                let nothing = || io::Error::new(io::ErrorKind::InvalidData, "a block without series");
                let made = Made::of(taken).ok_or_else(nothing)?;
                write_whole(&path, &made.bytes)?;
                (made.bytes.len() as u64, Arc::from(made.entries))
            }
            Place::Memory(image) => {
                write_whole(&path, image)?;
                (self.bytes, self.entries.clone())
            }
            Place::File(_) => (self.bytes, self.entries.clone()),
        };
        Ok(Self {
            number: self.number,
            first: self.first,
            last: self.last,
            samples: self.samples,
            bytes,
            entries,
            place: Place::File(path),
            faults: self.faults.clone(),
            is_silent: AtomicBool::new(false),
        })
    }

    /// Whether it lies in a file.
    pub(super) fn is_on_disk(&self) -> bool {
        match &self.place {
            Place::File(_) => true,
            Place::Taken(_) | Place::Memory(_) => false,
        }
    }

    /// Which series it holds.
    pub(super) fn slots(&self) -> impl Iterator<Item = u32> + '_ {
        self.entries.iter().map(|entry| entry.slot)
    }

    pub(super) fn holds(&self, slot: u32) -> bool {
        self.entry(slot).is_some()
    }

    pub(super) fn overlaps(&self, from: i64, until: i64) -> bool {
        self.first <= until && self.last >= from
    }

    /// The chunks of a series. What cannot be read is put down as a fault and is not there.
    pub(super) fn chunks(&self, slot: u32) -> Vec<Chunk> {
        self.chunks_by(slot, |path, offset, length| read_part(&File::open(path)?, offset, length))
    }

    /// The same; `read` reads so many bytes of its file from an offset on.
    pub(super) fn chunks_by(
        &self,
        slot: u32,
        read: impl FnOnce(&Path, u64, usize) -> io::Result<Vec<u8>>,
    ) -> Vec<Chunk> {
        let Some(entry) = self.entry(slot) else { return Vec::new() };
        let path = match &self.place {
            Place::Taken(taken) => return chunks_in(taken, entry),
            Place::Memory(image) => return run_in(image, entry).unwrap_or_default(),
            Place::File(path) => path,
        };
        match read(path, entry.offset, entry.length as usize) {
            Ok(run) => run_of(&run).unwrap_or_else(|| {
                let fault = "the samples of a series are not those that were written";
                self.tell(StorageError::Damaged { path: path.clone(), fault });
                Vec::new()
            }),
            Err(error) => {
                self.tell(StorageError::reading(path, error));
                Vec::new()
            }
        }
    }

    /// Removes its file. A query that still has the block finds nothing any more and says nothing of it.
    pub(super) fn discard(&self) -> Result<(), StorageError> {
        self.is_silent.store(true, Ordering::Relaxed);
        let Place::File(path) = &self.place else { return Ok(()) };
        match fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                let folder = path.parent().unwrap_or(path);
                Err(StorageError::writing(folder, error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// How much memory it takes.
    pub(super) fn bytes_in_memory(&self) -> usize {
        let image = match &self.place {
            Place::Taken(taken) => taken.iter().map(bytes_of).sum(),
            Place::Memory(image) => image.len(),
            Place::File(_) => 0,
        };
        image + self.entries.len() * size_of::<Entry>()
    }

    fn entry(&self, slot: u32) -> Option<Entry> {
        let index = self.entries.binary_search_by_key(&slot, |entry| entry.slot).ok()?;
        self.entries.get(index).copied()
    }

    fn tell(&self, fault: StorageError) {
        if !self.is_silent.swap(true, Ordering::Relaxed) {
            self.faults.put(fault);
        }
    }
}

/// What the index of a file says.
#[derive(Debug)]
pub(super) struct Opened {
    first: i64,
    last: i64,
    samples: u64,
    bytes: u64,
    /// Labels, where the run lies, and how long it is.
    series: Vec<(Labels, u64, u32)>,
}

/// Why a file is no block.
#[derive(Debug)]
pub(super) enum NoBlock {
    /// It cannot be read now; later perhaps.
    Unreadable(io::Error),
    /// It will never be one.
    Damaged(&'static str),
}

/// Reads the index of a file.
pub(super) fn open(path: &Path) -> Result<Opened, NoBlock> {
    let bytes = fs::metadata(path).map_err(NoBlock::Unreadable)?.len();
    let end = bytes.checked_sub(FOOTER as u64).ok_or(NoBlock::Damaged("it is too short"))?;
    let file = File::open(path).map_err(NoBlock::Unreadable)?;
    let footer = read_part(&file, end, FOOTER).map_err(NoBlock::Unreadable)?;
    let (offset, sum) = read_footer(&footer).ok_or(NoBlock::Damaged("its end is not that of a block"))?;
    let length = end.checked_sub(offset).and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or(NoBlock::Damaged("its index lies outside of it"))?;
    let index = read_part(&file, offset, length).map_err(NoBlock::Unreadable)?;
    if checksum(&index) != sum {
        return Err(NoBlock::Damaged("its index is not the one that was written"));
    }
    read_index(&index, bytes).ok_or(NoBlock::Damaged("its index cannot be understood"))
}

fn read_footer(footer: &[u8]) -> Option<(u64, u32)> {
    let (offset, rest) = footer.split_first_chunk::<8>()?;
    let (sum, magic) = rest.split_first_chunk::<4>()?;
    (magic == MAGIC || magic == FIRST_MAGIC).then_some((u64::from_le_bytes(*offset), u32::from_le_bytes(*sum)))
}

fn read_index(index: &[u8], bytes: u64) -> Option<Opened> {
    let mut reader = ByteReader::new(index);
    let (first, last, samples) = (reader.signed()?, reader.signed()?, reader.number()?);
    let mut texts: Vec<Arc<str>> = Vec::new();
    for _ in 0..reader.number()? {
        texts.push(Arc::from(reader.text()?));
    }
    let text = |reader: &mut ByteReader<'_>| texts.get(usize::try_from(reader.number()?).ok()?).cloned();
    let mut series = Vec::new();
    let mut offset = MAGIC.len() as u64;
    for _ in 0..reader.number()? {
        let mut pairs = Vec::new();
        for _ in 0..reader.number()? {
            pairs.push((text(&mut reader)?, text(&mut reader)?));
        }
        let length = u32::try_from(reader.number()?).ok()?;
        series.push((Labels::new(pairs), offset, length));
        offset = offset.checked_add(u64::from(length))?;
    }
    Some(Opened { first, last, samples, bytes, series })
}

/// Reads so many bytes from an offset on.
pub(super) fn read_part(file: &File, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
}

/// The chunks of a series that lies as it was taken.
fn chunks_in(taken: &[Taken], entry: Entry) -> Vec<Chunk> {
    let series = usize::try_from(entry.offset).ok().and_then(|index| taken.get(index));
    series.map(|series| &series.chunks).into_iter().flatten().cloned().filter_map(Chunk::new).collect()
}

/// About how much memory a series takes as it was taken.
fn bytes_of(series: &Taken) -> usize {
    size_of::<Taken>() + series.chunks.iter().map(|chunk| chunk.len() + SHARED_BYTES).sum::<usize>()
}

fn run_in(image: &[u8], entry: Entry) -> Option<Vec<Chunk>> {
    let rest = image.get(usize::try_from(entry.offset).ok()?..)?;
    run_of(rest.get(..entry.length as usize)?)
}

/// The chunks behind a checksum that holds.
fn run_of(bytes: &[u8]) -> Option<Vec<Chunk>> {
    let (sum, run) = bytes.split_first_chunk::<SUM>()?;
    if checksum(run) != u32::from_le_bytes(*sum) {
        return None;
    }
    chunks_of(&Arc::from(run))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::monitor::storage::bytes::{put_number, put_signed, put_text};
    use crate::monitor::storage::chunk::{OpenChunk, put_chunk};

    /// Counters of a few events a second, and where they begin.
    fn samples(slot: u32) -> Vec<(i64, f64)> {
        let total = |second: i32| f64::from(slot) + f64::from(4 * second + second * second % 8);
        (0..200).map(|second| (i64::from(second) * 1_000, total(second))).collect()
    }

    fn taken(slot: u32) -> Taken {
        let mut open = OpenChunk::default();
        for (at, value) in samples(slot) {
            open.append(at, value);
        }
        Taken { slot, labels: Labels::new([("slot", slot.to_string())]), chunks: vec![open.seal().unwrap()] }
    }

    fn decoded(block: &Block, slot: u32) -> Vec<(i64, f64)> {
        block.chunks(slot).iter().flat_map(Chunk::decode).collect()
    }

    #[test]
    fn a_block_holds_the_same_as_it_was_taken_laid_out_and_on_disk() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block.1");
        let loose = Block::of_taken(1, vec![taken(3), taken(7)], Faults::default()).unwrap();
        let packed = Block::in_memory(1, &[taken(3), taken(7)], Faults::default()).unwrap();
        let written = loose.write(path.clone()).unwrap();
        assert!(written.is_on_disk() && !loose.is_on_disk());
        assert_eq!(written.bytes, fs::metadata(&path).unwrap().len());
        assert!(packed.bytes < loose.bytes, "{} instead of {}", packed.bytes, loose.bytes);
        for block in [&loose, &packed, &written] {
            assert_eq!((block.first, block.last, block.samples), (0, 199_000, 400));
            assert_eq!(block.slots().collect::<Vec<u32>>(), [3, 7]);
            assert_eq!(decoded(block, 7), samples(7));
            assert!(decoded(block, 5).is_empty());
        }
        let again = packed.write(folder.path().join("block.2")).unwrap();
        assert_eq!(decoded(&again, 3), samples(3));
    }

    #[test]
    fn a_block_of_the_first_format_is_read() {
        // Written by hand as the first format had it: the chunks as they were sealed.
        let Taken { chunks, .. } = taken(3);
        let mut run = Vec::new();
        put_chunk(&mut run, &chunks[0]);
        let mut bytes = FIRST_MAGIC.to_vec();
        bytes.extend_from_slice(&checksum(&run).to_le_bytes());
        bytes.extend_from_slice(&run);
        let mut index = Vec::new();
        put_signed(&mut index, 0);
        put_signed(&mut index, 199_000);
        put_number(&mut index, 200);
        put_number(&mut index, 2);
        put_text(&mut index, "slot");
        put_text(&mut index, "3");
        for number in [1, 1, 0, 1, (SUM + run.len()) as u64] {
            put_number(&mut index, number);
        }
        let offset = bytes.len() as u64;
        bytes.extend_from_slice(&index);
        bytes.extend_from_slice(&offset.to_le_bytes());
        bytes.extend_from_slice(&checksum(&index).to_le_bytes());
        bytes.extend_from_slice(FIRST_MAGIC);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("block.1");
        fs::write(&path, bytes).unwrap();
        let opened = open(&path).unwrap();
        let block = Block::from_file(1, path, opened, Faults::default(), |_| Some(0));
        assert_eq!(decoded(&block, 0), samples(3));
    }
}
