//! What goes to a pod: put together first, written as one tar stream of a known size.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType, Header};

use super::TransferError;
use crate::disk::FileStamp;
use crate::stage::runner::RemoteJob;
use crate::stage::runner::site::Site;
use crate::stage::runner::source::{self, Kind};
use crate::stage::unchanged::Unchanged;

/// Bytes of a tar block.
const BLOCK: u64 = 512;
/// The time of what has none, the first of the year 2000: tar complains of the beginning of time.
const NO_TIME: u64 = 946_684_800;
/// What to do about a file that did not stay as it was.
const MEND: &str = "run the stage again, or keep it back by `.gitignore` if it always changes";

/// One thing in a parcel.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item {
    Folder,
    Text(Vec<u8>),
    File { path: PathBuf, stamp: FileStamp, executable: bool, modified: u64 },
    Link { to: PathBuf },
}

impl Item {
    /// Bytes behind its header.
    fn size(&self) -> u64 {
        match self {
            Self::Folder | Self::Link { .. } => 0,
            Self::Text(text) => u64::try_from(text.len()).unwrap_or(u64::MAX),
            Self::File { stamp, .. } => stamp.bytes,
        }
    }
}

/// What goes to a pod, by its place below the folder of the stage there.
#[derive(Debug, Default)]
pub struct Parcel {
    pub(super) items: BTreeMap<PathBuf, Item>,
}

impl Parcel {
    /// All that the stage is to find; `there` is the contract as it is in the pod.
    pub fn of(job: &RemoteJob, here: &Site, there: &Site) -> Result<Self, TransferError> {
        let mut parcel = Self::default();
        for folder in ["source", "data", "model", "reports"] {
            parcel.items.insert(PathBuf::from(folder), Item::Folder);
        }
        parcel.add_source(here)?;
        for (file, place) in here.placed_data() {
            parcel.add_file(Path::new("data").join(place), &file)?;
        }
        let list: String = there.data.iter().map(|file| format!("{}\n", file.display())).collect();
        parcel.items.insert(PathBuf::from("data.txt"), Item::Text(list.into_bytes()));
        if !job.produces_model && here.has_model() {
            parcel.add_tree(Path::new("model"), &here.model)?;
        }
        if let Some(champion) = here.champion.as_deref().filter(|folder| folder.is_dir()) {
            parcel.items.insert(PathBuf::from("champion"), Item::Folder);
            parcel.add_tree(Path::new("champion"), champion)?;
        }
        if let Some(settings) = &here.settings {
            parcel.add_file(PathBuf::from("settings.json"), settings)?;
        }
        Ok(parcel)
    }

    /// How many files it has, and their bytes.
    pub fn measure(&self) -> (usize, u64) {
        let files = self.items.values().filter(|item| matches!(item, Item::File { .. }));
        (files.count(), self.items.values().map(Item::size).sum())
    }

    /// The bytes of the stream that [`Parcel::write`] writes.
    pub fn stream_size(&self) -> io::Result<u64> {
        let mut headers = Builder::new(Counter(0));
        for (place, item) in &self.items {
            append(&mut headers, place, item, false)?;
        }
        let bodies: u64 = self.items.values().map(|item| item.size().next_multiple_of(BLOCK)).sum();
        Ok(headers.into_inner()?.0 + bodies)
    }

    /// Writes it as a tar stream. A file that is not what it was when the parcel was put together is an error.
    pub fn write(&self, to: impl Write) -> io::Result<()> {
        let mut tar = Builder::new(to);
        for (place, item) in &self.items {
            append(&mut tar, place, item, true)?;
        }
        tar.into_inner()?.flush()
    }

    fn add_source(&mut self, here: &Site) -> Result<(), TransferError> {
        let data: Vec<PathBuf> = here.data.iter().filter_map(|file| file.canonicalize().ok()).collect();
        let root = here.source.canonicalize().map_err(|error| TransferError::read(&here.source, error))?;
        for file in source::files(&here.source)? {
            let path = root.join(&file.place);
            // Data goes along as data.
            if data.contains(&path) {
                continue;
            }
            let place = Path::new("source").join(file.place);
            match file.kind {
                Kind::Link(to) => self.add(place, Item::Link { to }),
                Kind::Regular => self.add_file(place, &path)?,
            }
        }
        Ok(())
    }

    /// Links are followed, for a model must come along whole.
    fn add_tree(&mut self, place: &Path, folder: &Path) -> Result<(), TransferError> {
        for entry in fs::read_dir(folder).map_err(|error| TransferError::read(folder, error))? {
            let path = entry.map_err(|error| TransferError::read(folder, error))?.path();
            let inside = place.join(path.file_name().unwrap_or_default());
            if path.is_dir() {
                self.items.insert(inside.clone(), Item::Folder);
                self.add_tree(&inside, &path)?;
            } else {
                self.add_file(inside, &path)?;
            }
        }
        Ok(())
    }

    fn add_file(&mut self, place: PathBuf, path: &Path) -> Result<(), TransferError> {
        let metadata = fs::metadata(path).map_err(|error| TransferError::read(path, error))?;
        self.add(place, regular(path.to_owned(), &metadata));
        Ok(())
    }

    fn add(&mut self, place: PathBuf, item: Item) {
        for folder in place.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            self.items.entry(folder.to_owned()).or_insert(Item::Folder);
        }
        self.items.insert(place, item);
    }
}

fn regular(path: PathBuf, metadata: &fs::Metadata) -> Item {
    let modified = u64::try_from(metadata.mtime()).unwrap_or(0);
    Item::File { path, stamp: FileStamp::from(metadata), executable: metadata.mode() & 0o111 != 0, modified }
}

/// Appends an item, or with `whole` unset its header alone, with an empty body.
fn append<W: Write>(tar: &mut Builder<W>, place: &Path, item: &Item, whole: bool) -> io::Result<()> {
    let (kind, executable, modified) = match item {
        Item::Folder => (EntryType::Directory, true, NO_TIME),
        Item::Text(_) => (EntryType::Regular, false, NO_TIME),
        Item::File { executable, modified, .. } => (EntryType::Regular, *executable, *modified),
        Item::Link { .. } => (EntryType::Symlink, true, NO_TIME),
    };
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if executable { 0o755 } else { 0o644 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(modified);
    header.set_size(if whole { item.size() } else { 0 });
    match item {
        Item::Link { to } => tar.append_link(&mut header, place, to),
        Item::File { path, stamp, .. } if whole => {
            tar.append_data(&mut header, place, Unchanged::open(path, *stamp, MEND)?)
        }
        Item::Text(text) if whole => tar.append_data(&mut header, place, text.as_slice()),
        _ => tar.append_data(&mut header, place, io::empty()),
    }
}

/// Counts what is written to it.
struct Counter(u64);

impl Write for Counter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += u64::try_from(bytes.len()).unwrap_or(0);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
