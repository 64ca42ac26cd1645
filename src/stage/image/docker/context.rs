//! The context of a build: which files the engine gets, and the tar stream in which it gets them.
//!
//! The files are read twice: once for the digest by which an image that is there already is known, once to be sent.
//! They are never held in memory. Entries are sorted, times and owners are zero and modes are one of two, so equal
//! files make equal bytes on every machine, and the engine's cache holds. Both times each file must be what it was when
//! the context was gathered, and the last piece of the stream is sent only if all of it had the digest that the image
//! is named by: so nothing is ever built from half a context or from another one.
//!
//! Beyond what Docker would send, there is the model, and a Dockerfile that lies elsewhere. Never sent is `.trainyard`, nor
//! a file of which a secret is read: `COPY . .` would bring it into the image, and its value into the digest.
//! Known gaps: under `BuildKit`, which takes a context as it comes, `COPY . .` also brings a Dockerfile and a
//! `.dockerignore` into the image that a pattern leaves out; and the copy of a secret in a clean checkout, there because
//! somebody committed it, is sent.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tar::{Builder, EntryType};

use super::dockerfile;
use super::dockerignore::{Ignore, Matched, PatternError};
use super::secrets;
use super::upload::Sender;
use crate::config::DockerfileSettings;
use crate::disk::FileStamp;
use crate::pipeline::Digest;
use crate::stage::image::NOT_SERVED;
use crate::stage::image::layer::{header, is_executable};
use crate::stage::unchanged::Unchanged;
use crate::target::hashing::HashingWriter;

/// Where the model lies in the context, and the value of the build argument.
pub const MODEL: &str = ".trainyard-model";
/// The build argument that says where the model lies.
pub const MODEL_ARGUMENT: &str = "TRAINYARD_MODEL";
/// The name in the context of a Dockerfile that lies outside of it.
const OUTSIDE: &str = ".trainyard-dockerfile";
const IGNORE_FILE: &str = ".dockerignore";
/// The folder of this program.
const STATE: &str = ".trainyard";
/// A context of more bytes is worth a hint.
const LARGE: u64 = 1 << 30;
/// How many folders are named in it.
const NAMED: usize = 5;
/// What to do about a file that did not stay as it was.
const MEND: &str = "run the stage again, or name it in .dockerignore if it always changes";

/// Why there is no context.
#[derive(Debug, thiserror::Error)]
pub enum ContextError {
    /// The folder is not there.
    #[error("the context {0} is no folder; let `context` of the image stage name one inside of the source")]
    NoFolder(PathBuf),
    /// The Dockerfile is not there.
    #[error("there is no Dockerfile at {0}; let `dockerfile` of the image stage name one inside of the source")]
    NoDockerfile(PathBuf),
    /// A file cannot be read.
    #[error("cannot read {path} for the context: {source}; make it readable, or name it in .dockerignore")]
    Read {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A `.dockerignore` is not one.
    #[error("{path}: {source}")]
    Ignore {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: PatternError,
    },
    /// The Dockerfile wants a model and there is none.
    #[error(
        "the Dockerfile declares TRAINYARD_MODEL, and the model folder {0} holds no file; let the image stage need the stage that trains the model"
    )]
    NoModel(PathBuf),
    /// A file did not stay as it was.
    #[error("the context could not be sent: {0}")]
    Changed(String),
}

/// What lies at one place of the context.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    Folder,
    File { path: PathBuf, stamp: FileStamp, executable: bool },
    Link { to: PathBuf },
    Text(Vec<u8>),
}

/// What is sent to the engine.
#[derive(Debug, Default)]
pub struct Context {
    entries: BTreeMap<PathBuf, Entry>,
    dockerfile: String,
    text: String,
    passed_over: Vec<PathBuf>,
    secrets: Vec<PathBuf>,
}

impl Context {
    /// Finds the files of a context, without reading them, and puts the model among them. Files of secrets lie below the
    /// folder `project`.
    pub fn gather(
        source: &Path,
        settings: &DockerfileSettings,
        model: &Path,
        project: &Path,
    ) -> Result<Self, ContextError> {
        let folder = source.join(&settings.context);
        let folder =
            folder.canonicalize().ok().filter(|folder| folder.is_dir()).ok_or(ContextError::NoFolder(folder))?;
        let dockerfile = source.join(&settings.path);
        if !dockerfile.is_file() {
            return Err(ContextError::NoDockerfile(dockerfile));
        }
        let content = fs::read(&dockerfile).map_err(|source| reading(&dockerfile, source))?;
        let (ignore, ignore_path) = read_ignore(&folder, &dockerfile)?;
        let mut context = Self { text: String::from_utf8_lossy(&content).into_owned(), ..Self::default() };
        let secrets = secrets::files(&settings.secrets, project);
        let walk = Walk { root: &folder, ignore: &ignore, secrets: &secrets };
        walk.visit(Path::new(""), &Matched::default(), &mut context)?;
        context.add_dockerfile(&folder, &dockerfile, content)?;
        if context.dockerfile == OUTSIDE {
            context.hide_dockerfile(&folder)?;
        } else if ignore_path.is_some_and(|path| path == folder.join(IGNORE_FILE)) {
            // Like the Dockerfile it is always sent: the engine takes both out again where a pattern says so.
            context.add_file(Path::new(IGNORE_FILE), &folder.join(IGNORE_FILE))?;
        }
        context.add_model(model)?;
        // Who says where it lies need not have one of ours.
        let is_ours = context.wants_model() && !settings.arguments.contains_key(MODEL_ARGUMENT);
        if is_ours && !context.has_model() {
            return Err(ContextError::NoModel(model.to_owned()));
        }
        Ok(context)
    }

    /// The Dockerfile's place in the context.
    pub fn dockerfile(&self) -> &str {
        &self.dockerfile
    }

    /// The Dockerfile's text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Whether the Dockerfile declares the argument that says where the model lies.
    pub fn wants_model(&self) -> bool {
        dockerfile::declares_argument(&self.text, MODEL_ARGUMENT)
    }

    /// What is no file, folder or link and so is not sent: sockets, pipes, devices.
    pub fn passed_over(&self) -> &[PathBuf] {
        &self.passed_over
    }

    /// The files of secrets that lie in its folder, and links to them, which are not sent.
    pub fn secrets(&self) -> &[PathBuf] {
        &self.secrets
    }

    /// How many files and links it has.
    pub fn files(&self) -> usize {
        self.entries.values().filter(|entry| **entry != Entry::Folder).count()
    }

    /// The bytes of all its files.
    pub fn bytes(&self) -> u64 {
        self.entries.values().map(Entry::bytes).sum()
    }

    /// The largest folders and files at its top with their bytes, if it is so large that somebody may have forgotten
    /// something.
    pub fn too_large(&self) -> Option<Vec<(String, u64)>> {
        if self.bytes() <= LARGE {
            return None;
        }
        let mut sizes: BTreeMap<String, u64> = BTreeMap::new();
        for (place, entry) in &self.entries {
            let top = place.components().next().map(|part| part.as_os_str().to_string_lossy().into_owned());
            *sizes.entry(top.unwrap_or_default()).or_default() += entry.bytes();
        }
        let mut sizes: Vec<_> = sizes.into_iter().collect();
        sizes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
        sizes.truncate(NAMED);
        Some(sizes)
    }

    /// Reads all of it once; the digest of the stream that [`Context::send`] gives.
    pub fn digest(&self) -> Result<Digest, ContextError> {
        let hashed = self.write(HashingWriter::new(io::sink()));
        let (_, digest, _) = hashed.map_err(|error| ContextError::Changed(error.to_string()))?.finish();
        Ok(digest)
    }

    /// Sends all of it, and its end only if it still has that digest.
    pub fn send(&self, sender: Sender, expected: &Digest) -> io::Result<()> {
        let (sender, digest, _) = self.write(HashingWriter::new(sender))?.finish();
        if digest == *expected {
            return sender.finish();
        }
        Err(io::Error::other("a file was written to while the context was sent; run the stage again"))
    }

    fn write<W: Write>(&self, to: W) -> io::Result<W> {
        let mut tar = Builder::new(to);
        for (place, entry) in &self.entries {
            append(&mut tar, place, entry)?;
        }
        tar.into_inner()
    }

    fn has_model(&self) -> bool {
        self.entries.keys().any(|place| place.starts_with(MODEL))
    }

    /// Puts an entry, and the folders above it.
    fn add(&mut self, place: &Path, entry: Entry) {
        for folder in place.ancestors().skip(1).filter(|folder| !folder.as_os_str().is_empty()) {
            self.entries.entry(folder.to_owned()).or_insert(Entry::Folder);
        }
        self.entries.insert(place.to_owned(), entry);
    }

    /// Puts a file, also if a link leads to it.
    fn add_file(&mut self, place: &Path, path: &Path) -> Result<(), ContextError> {
        let metadata = fs::metadata(path).map_err(|source| reading(path, source))?;
        self.add(place, file(path, &metadata));
        Ok(())
    }

    /// The Dockerfile is always sent: where it lies, or under a name of its own.
    fn add_dockerfile(&mut self, folder: &Path, dockerfile: &Path, content: Vec<u8>) -> Result<(), ContextError> {
        let above = dockerfile.parent().unwrap_or(folder);
        let above = above.canonicalize().map_err(|source| reading(above, source))?;
        let name = dockerfile.file_name().unwrap_or_default();
        match above.join(name).strip_prefix(folder) {
            Ok(place) => {
                self.dockerfile = place.to_string_lossy().into_owned();
                self.add_file(place, dockerfile)
            }
            Err(_) => {
                OUTSIDE.clone_into(&mut self.dockerfile);
                self.add(Path::new(OUTSIDE), Entry::Text(content));
                Ok(())
            }
        }
    }

    /// `COPY . .` is not to bring a Dockerfile into the image that does not lie in the context, so the `.dockerignore`
    /// that is sent names it, and itself where there is none in the folder.
    fn hide_dockerfile(&mut self, folder: &Path) -> Result<(), ContextError> {
        let path = folder.join(IGNORE_FILE);
        let mut text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => IGNORE_FILE.as_bytes().to_vec(),
            Err(source) => return Err(reading(&path, source)),
        };
        text.extend_from_slice(format!("\n{OUTSIDE}\n").as_bytes());
        self.add(Path::new(IGNORE_FILE), Entry::Text(text));
        Ok(())
    }

    /// Puts all files of the model that are served. Links are followed, for a model must be whole in the image.
    fn add_model(&mut self, model: &Path) -> Result<(), ContextError> {
        // What lies there under the same name is not the model.
        self.entries.retain(|place, _| !place.starts_with(MODEL));
        if model.is_dir() { self.add_tree(Path::new(MODEL), model, &NOT_SERVED) } else { Ok(()) }
    }

    fn add_tree(&mut self, place: &Path, folder: &Path, without: &[&str]) -> Result<(), ContextError> {
        for entry in fs::read_dir(folder).map_err(|source| reading(folder, source))? {
            let entry = entry.map_err(|source| reading(folder, source))?;
            if without.iter().any(|name| entry.file_name() == *name) {
                continue;
            }
            let (place, path) = (place.join(entry.file_name()), entry.path());
            let metadata = fs::metadata(&path).map_err(|source| reading(&path, source))?;
            if metadata.is_dir() {
                self.add_tree(&place, &path, &[])?;
            } else if metadata.is_file() {
                self.add(&place, file(&path, &metadata));
            }
        }
        Ok(())
    }
}

impl Entry {
    fn bytes(&self) -> u64 {
        match self {
            Self::Folder | Self::Link { .. } => 0,
            Self::File { stamp, .. } => stamp.bytes,
            Self::Text(text) => length(text),
        }
    }
}

struct Walk<'a> {
    root: &'a Path,
    ignore: &'a Ignore,
    secrets: &'a BTreeSet<PathBuf>,
}

impl Walk<'_> {
    fn visit(&self, inside: &Path, above: &Matched, context: &mut Context) -> Result<(), ContextError> {
        let folder = self.root.join(inside);
        for entry in fs::read_dir(&folder).map_err(|source| reading(&folder, source))? {
            let entry = entry.map_err(|source| reading(&folder, source))?;
            let (place, path) = (inside.join(entry.file_name()), entry.path());
            let name = place.to_string_lossy();
            let (is_out, matched) = self.ignore.judge(&name, above);
            let metadata = match fs::symlink_metadata(&path) {
                Ok(metadata) => metadata,
                // An editor's file that came and went.
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(_) if is_out => continue,
                Err(source) => return Err(reading(&path, source)),
            };
            if metadata.is_dir() {
                let is_ours = entry.file_name() == STATE;
                if is_ours || (is_out && !self.ignore.may_take_back_below(&name)) {
                    continue;
                }
                if !is_out {
                    context.add(&place, Entry::Folder);
                }
                self.visit(&place, &matched, context)?;
            } else if !is_out {
                self.add(&place, &path, &metadata, context)?;
            }
        }
        Ok(())
    }

    fn add(&self, place: &Path, path: &Path, metadata: &Metadata, context: &mut Context) -> Result<(), ContextError> {
        if self.is_secret(path) {
            context.secrets.push(place.to_owned());
        } else if metadata.is_symlink() {
            let to = fs::read_link(path).map_err(|source| reading(path, source))?;
            context.add(place, Entry::Link { to });
        } else if metadata.is_file() {
            context.add(place, file(path, metadata));
        } else {
            context.passed_over.push(self.root.join(place));
        }
        Ok(())
    }

    fn is_secret(&self, path: &Path) -> bool {
        !self.secrets.is_empty() && path.canonicalize().is_ok_and(|path| self.secrets.contains(&path))
    }
}

/// The patterns for that Dockerfile, and the file in which they stand: one of its own goes before that of the context.
fn read_ignore(folder: &Path, dockerfile: &Path) -> Result<(Ignore, Option<PathBuf>), ContextError> {
    let mut own = dockerfile.as_os_str().to_owned();
    own.push(IGNORE_FILE);
    for path in [PathBuf::from(own), folder.join(IGNORE_FILE)] {
        let text = match fs::read(&path) {
            Ok(text) => String::from_utf8_lossy(&text).into_owned(),
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(reading(&path, source)),
        };
        let ignore = Ignore::parse(&text).map_err(|source| ContextError::Ignore { path: path.clone(), source })?;
        return Ok((ignore, Some(path)));
    }
    Ok((Ignore::default(), None))
}

fn file(path: &Path, metadata: &Metadata) -> Entry {
    Entry::File { path: path.to_owned(), stamp: FileStamp::from(metadata), executable: is_executable(metadata) }
}

fn reading(path: &Path, source: io::Error) -> ContextError {
    ContextError::Read { path: path.to_owned(), source }
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

fn append<W: Write>(tar: &mut Builder<W>, place: &Path, entry: &Entry) -> io::Result<()> {
    match entry {
        Entry::Folder => tar.append_data(&mut header(EntryType::Directory, 0, true), place, io::empty()),
        Entry::Link { to } => tar.append_link(&mut header(EntryType::Symlink, 0, true), place, to),
        Entry::Text(text) => {
            tar.append_data(&mut header(EntryType::Regular, length(text), false), place, text.as_slice())
        }
        Entry::File { path, stamp, executable } => {
            let mut header = header(EntryType::Regular, stamp.bytes, *executable);
            tar.append_data(&mut header, place, Unchanged::open(path, *stamp, MEND)?)
        }
    }
}

#[cfg(test)]
mod tests;
