//! Blocks: all series of a stretch of time, never changed once made.
//!
//! ```text
//! magic · runs · index · footer (where the index begins, its checksum, magic)
//! ```
//!
//! A run is the chunks of one series behind a checksum. The index holds each text once, then the labels of each series
//! as numbers of texts, and how long its run is. Of a block on disk only a few bytes a series are in memory: where the
//! run lies. The run is read when a query wants it, and its file is open for no longer than that, so that a long history
//! does not take all the file descriptors a process may have.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::bytes::{ByteReader, put_number, put_signed, put_text};
use super::checksum::checksum;
use super::chunk::{Chunk, chunks_of, put_chunk};
use super::error::{Faults, StorageError};
use crate::monitor::labels::Labels;

const MAGIC: &[u8; 8] = b"trnyblk1";
/// The checksum of a run.
const SUM: usize = 4;
/// Where the index begins, its checksum, and the magic.
const FOOTER: usize = 8 + 4 + 8;

/// Where the run of a series lies, and how long it is with its checksum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    slot: u32,
    length: u32,
    offset: u64,
}

/// A block that is being made.
#[derive(Debug)]
pub(super) struct Image {
    bytes: Vec<u8>,
    entries: Vec<Entry>,
    numbers: HashMap<Arc<str>, u64>,
    texts: Vec<u8>,
    series: Vec<u8>,
    first: i64,
    last: i64,
    samples: u64,
}

impl Image {
    /// An empty one, with room for chunks of about so many bytes.
    pub(super) fn with_room(room: u64) -> Self {
        let mut bytes = Vec::with_capacity(usize::try_from(room).unwrap_or(0));
        bytes.extend_from_slice(MAGIC);
        Self {
            bytes,
            entries: Vec::new(),
            numbers: HashMap::new(),
            texts: Vec::new(),
            series: Vec::new(),
            first: i64::MAX,
            last: i64::MIN,
            samples: 0,
        }
    }

    /// Adds a series; slots come in ascending order.
    pub(super) fn add(&mut self, slot: u32, labels: &Labels, chunks: &[Arc<[u8]>]) {
        let offset = self.bytes.len();
        self.bytes.extend_from_slice(&[0; SUM]);
        for chunk in chunks {
            if let Some(chunk) = Chunk::new(chunk.clone()) {
                self.first = self.first.min(chunk.summary.first_at);
                self.last = self.last.max(chunk.summary.last_at);
                self.samples += u64::from(chunk.summary.count);
            }
            put_chunk(&mut self.bytes, chunk);
        }
        let sum = checksum(self.bytes.get(offset + SUM..).unwrap_or_default());
        if let Some(place) = self.bytes.get_mut(offset..offset + SUM) {
            place.copy_from_slice(&sum.to_le_bytes());
        }
        // A run of four gigabytes cannot be: a block is a few megabytes.
        let length = u32::try_from(self.bytes.len() - offset).unwrap_or(u32::MAX);
        self.entries.push(Entry { slot, length, offset: offset as u64 });
        put_number(&mut self.series, labels.pairs().count() as u64);
        for (name, value) in labels.shared() {
            for text in [name, value] {
                let number = self.number_of(text);
                put_number(&mut self.series, number);
            }
        }
        put_number(&mut self.series, u64::from(length));
    }

    /// The block, in memory; none if nothing was added.
    pub(super) fn finish(mut self, number: u64, faults: Faults) -> Option<Block> {
        if self.entries.is_empty() {
            return None;
        }
        let offset = self.bytes.len();
        put_signed(&mut self.bytes, self.first);
        put_signed(&mut self.bytes, self.last);
        put_number(&mut self.bytes, self.samples);
        put_number(&mut self.bytes, self.numbers.len() as u64);
        self.bytes.append(&mut self.texts);
        put_number(&mut self.bytes, self.entries.len() as u64);
        self.bytes.append(&mut self.series);
        let sum = checksum(self.bytes.get(offset..).unwrap_or_default());
        self.bytes.extend_from_slice(&(offset as u64).to_le_bytes());
        self.bytes.extend_from_slice(&sum.to_le_bytes());
        self.bytes.extend_from_slice(MAGIC);
        self.bytes.shrink_to_fit();
        Some(Block {
            number,
            first: self.first,
            last: self.last,
            samples: self.samples,
            bytes: self.bytes.len() as u64,
            entries: Arc::from(self.entries),
            place: Place::Memory(Arc::new(self.bytes)),
            faults,
            is_silent: AtomicBool::new(false),
        })
    }

    fn number_of(&mut self, text: Arc<str>) -> u64 {
        if let Some(number) = self.numbers.get(&text) {
            return *number;
        }
        let number = self.numbers.len() as u64;
        put_text(&mut self.texts, &text);
        self.numbers.insert(text, number);
        number
    }
}

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
    Memory(Arc<Vec<u8>>),
    File(PathBuf),
}

impl Block {
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
        Self {
            number,
            first: opened.first,
            last: opened.last,
            samples: opened.samples,
            bytes: opened.bytes,
            entries: Arc::from(entries),
            place: Place::File(path),
            faults,
            is_silent: AtomicBool::new(false),
        }
    }

    /// The same block, now that it was written to `path`.
    pub(super) fn on_disk(&self, path: PathBuf) -> Self {
        Self {
            number: self.number,
            first: self.first,
            last: self.last,
            samples: self.samples,
            bytes: self.bytes,
            entries: self.entries.clone(),
            place: Place::File(path),
            faults: self.faults.clone(),
            is_silent: AtomicBool::new(false),
        }
    }

    /// What is to be written, of a block that is in memory.
    pub(super) fn image(&self) -> Option<Arc<Vec<u8>>> {
        match &self.place {
            Place::Memory(image) => Some(image.clone()),
            Place::File(_) => None,
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
        let Some(entry) = self.entry(slot) else { return Vec::new() };
        let path = match &self.place {
            Place::Memory(image) => return run_in(image, entry).unwrap_or_default(),
            Place::File(path) => path,
        };
        match read_part(path, entry.offset, entry.length as usize) {
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
    let footer = read_part(path, end, FOOTER).map_err(NoBlock::Unreadable)?;
    let (offset, sum) = read_footer(&footer).ok_or(NoBlock::Damaged("its end is not that of a block"))?;
    let length = end.checked_sub(offset).and_then(|length| usize::try_from(length).ok());
    let length = length.ok_or(NoBlock::Damaged("its index lies outside of it"))?;
    let index = read_part(path, offset, length).map_err(NoBlock::Unreadable)?;
    if checksum(&index) != sum {
        return Err(NoBlock::Damaged("its index is not the one that was written"));
    }
    read_index(&index, bytes).ok_or(NoBlock::Damaged("its index cannot be understood"))
}

fn read_footer(footer: &[u8]) -> Option<(u64, u32)> {
    let (offset, rest) = footer.split_first_chunk::<8>()?;
    let (sum, magic) = rest.split_first_chunk::<4>()?;
    (magic == MAGIC).then_some((u64::from_le_bytes(*offset), u32::from_le_bytes(*sum)))
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

fn read_part(path: &Path, offset: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    File::open(path)?.read_exact_at(&mut bytes, offset)?;
    Ok(bytes)
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
