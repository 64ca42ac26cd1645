//! Image archives: the types of the OCI image layout, and reading an archive only once all of it verifies.
//!
//! An archive is one `.tar` with `oci-layout`, `index.json`, `blobs/sha256/…` and, for old engines, the `manifest.json` of
//! `docker save`. `stage::image` writes them with the types here. Layers are uncompressed; other archives are refused with
//! a sentence instead of half a release.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::hashing::HashingWriter;
use crate::pipeline::Digest;

/// The media type of an index.
pub const INDEX_TYPE: &str = "application/vnd.oci.image.index.v1+json";
/// The media type of a manifest.
pub const MANIFEST_TYPE: &str = "application/vnd.oci.image.manifest.v1+json";
/// The media type of a configuration.
pub const CONFIG_TYPE: &str = "application/vnd.oci.image.config.v1+json";
/// The media type of an uncompressed layer.
pub const LAYER_TYPE: &str = "application/vnd.oci.image.layer.v1.tar";
/// The annotation of the index entry that names the image.
pub const NAME_ANNOTATION: &str = "org.opencontainers.image.ref.name";
/// The folder of blobs in an archive.
pub const BLOBS: &str = "blobs/sha256/";

/// The layer that holds the program itself with its libraries.
pub const SERVER_LAYER: &str = "server";

/// The remark on a layer of ours, by which it is known again.
pub fn layer_remark(name: &str) -> String {
    format!("trainyard: {name}")
}

/// Bytes of a JSON document in an archive; real ones have a few thousand.
const LARGEST_DOCUMENT: u64 = 4 << 20;

/// Why an archive cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// The file cannot be read.
    #[error("cannot read the image archive {path}: {source}")]
    File {
        /// The archive.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is not the archive that was asked for.
    #[error("the image archive {path} does not verify: {reason}; build the image again")]
    Invalid {
        /// The archive.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

/// A reference to a blob.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Descriptor {
    /// What the blob holds.
    pub media_type: String,
    /// `sha256:` and the digest.
    pub digest: String,
    /// Bytes.
    pub size: u64,
    /// Remarks, such as the name of the image.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub annotations: BTreeMap<String, String>,
}

impl Descriptor {
    /// A reference without remarks.
    pub fn new(media_type: &str, digest: &Digest, size: u64) -> Self {
        let digest = format!("sha256:{digest}");
        Self { media_type: media_type.to_owned(), digest, size, annotations: BTreeMap::new() }
    }

    /// The digest alone, if it is one of SHA-256.
    fn hexadecimal(&self) -> Option<&str> {
        self.digest.strip_prefix("sha256:").filter(|digest| is_digest(digest))
    }
}

/// `index.json`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Index {
    /// Always 2.
    pub schema_version: u32,
    /// [`INDEX_TYPE`].
    #[serde(default)]
    pub media_type: String,
    /// The images.
    pub manifests: Vec<Descriptor>,
}

/// The manifest of an image; its digest is the digest of the image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Manifest {
    /// Always 2.
    pub schema_version: u32,
    /// [`MANIFEST_TYPE`].
    #[serde(default)]
    pub media_type: String,
    /// The configuration.
    pub config: Descriptor,
    /// The layers, lowest first.
    pub layers: Vec<Descriptor>,
}

/// The configuration of an image.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImageConfig {
    /// Always the epoch in ours, so that equal inputs give equal images.
    #[serde(default)]
    pub created: String,
    /// Such as `amd64`.
    pub architecture: String,
    /// `linux`
    pub os: String,
    /// How a container of it runs.
    #[serde(default)]
    pub config: ContainerConfig,
    /// The layers as they are when unpacked.
    pub rootfs: RootFileSystem,
    /// One remark a layer.
    #[serde(default)]
    pub history: Vec<History>,
}

/// How a container runs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct ContainerConfig {
    /// `NAME=value`
    pub env: Vec<String>,
    /// The command.
    pub entrypoint: Vec<String>,
    /// The folder it starts in.
    pub working_dir: String,
    /// Such as `8080/tcp`.
    pub exposed_ports: BTreeMap<String, BTreeMap<String, String>>,
    /// Remarks.
    pub labels: BTreeMap<String, String>,
}

/// The layers as they are when unpacked.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RootFileSystem {
    /// `layers`
    #[serde(rename = "type")]
    pub kind: String,
    /// `sha256:` and the digest of each uncompressed layer.
    pub diff_ids: Vec<String>,
}

/// A remark on a layer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// Always the epoch in ours.
    #[serde(default)]
    pub created: String,
    /// What made it.
    #[serde(default)]
    pub created_by: String,
}

/// Where a file lies in the archive.
#[derive(Debug, Clone, Copy)]
struct Place {
    offset: u64,
    size: u64,
}

/// An archive of which every blob, the manifest and the references between them have been verified.
#[derive(Debug)]
pub struct ImageArchive {
    contents: Contents,
    layers: Vec<Place>,
    config: ImageConfig,
}

impl ImageArchive {
    /// Reads all of the archive at `path` and refuses it unless it holds, whole, the image with that manifest digest.
    pub fn open(path: &Path, digest: &Digest) -> Result<Self, ArchiveError> {
        let contents = Contents { path: path.to_owned(), places: places(path)? };
        let index: Index = contents.document("index.json")?;
        let [entry] = index.manifests.as_slice() else {
            return Err(contents.invalid(format!("it holds {} images instead of one", index.manifests.len())));
        };
        if entry.hexadecimal() != Some(digest.0.as_str()) {
            return Err(contents.invalid(format!("it holds {} instead of sha256:{digest}", entry.digest)));
        }
        let manifest: Manifest = contents.document(&contents.blob(entry)?)?;
        let config = contents.document(&contents.blob(&manifest.config)?)?;
        let mut layers = Vec::with_capacity(manifest.layers.len());
        for layer in &manifest.layers {
            if layer.media_type != LAYER_TYPE {
                return Err(contents.invalid(format!("a layer is of the type {}, not {LAYER_TYPE}", layer.media_type)));
            }
            layers.push(contents.place(&contents.blob(layer)?)?);
        }
        Ok(Self { contents, layers, config })
    }

    /// The configuration of the image.
    pub fn config(&self) -> &ImageConfig {
        &self.config
    }

    /// The number of layers.
    pub fn layer_count(&self) -> usize {
        self.layers.len()
    }

    /// The layers as tar streams, lowest first.
    pub fn layers(&self) -> impl Iterator<Item = Result<io::Take<File>, ArchiveError>> {
        self.layers.iter().map(|place| self.contents.open_at(*place))
    }
}

/// The files of an archive, of which the blobs have the digests that their names say.
#[derive(Debug)]
struct Contents {
    path: PathBuf,
    places: BTreeMap<String, Place>,
}

impl Contents {
    /// The name of the file that a descriptor stands for, if it is there with the size that the descriptor says.
    fn blob(&self, descriptor: &Descriptor) -> Result<String, ArchiveError> {
        let digest = descriptor
            .hexadecimal()
            .ok_or_else(|| self.invalid(format!("`{}` is no SHA-256 digest", descriptor.digest)))?;
        let name = format!("{BLOBS}{digest}");
        let place = self.place(&name)?;
        if place.size != descriptor.size {
            return Err(self.invalid(format!("{name} has {} bytes instead of {}", place.size, descriptor.size)));
        }
        Ok(name)
    }

    fn place(&self, name: &str) -> Result<Place, ArchiveError> {
        self.places.get(name).copied().ok_or_else(|| self.invalid(format!("{name} is missing")))
    }

    fn document<T: DeserializeOwned>(&self, name: &str) -> Result<T, ArchiveError> {
        let place = self.place(name)?;
        if place.size > LARGEST_DOCUMENT {
            return Err(self.invalid(format!("{name} has {} bytes, far too many", place.size)));
        }
        let mut bytes = Vec::new();
        let read = self.open_at(place)?.read_to_end(&mut bytes);
        read.map_err(|source| ArchiveError::File { path: self.path.clone(), source })?;
        serde_json::from_slice(&bytes).map_err(|error| self.invalid(format!("{name} cannot be read: {error}")))
    }

    fn open_at(&self, place: Place) -> Result<io::Take<File>, ArchiveError> {
        let failed = |source| ArchiveError::File { path: self.path.clone(), source };
        let mut file = File::open(&self.path).map_err(failed)?;
        file.seek(SeekFrom::Start(place.offset)).map_err(failed)?;
        Ok(file.take(place.size))
    }

    fn invalid(&self, reason: String) -> ArchiveError {
        ArchiveError::Invalid { path: self.path.clone(), reason }
    }
}

/// The digest that the name of an archive, `<digest>.tar`, promises.
pub fn digest_of_name(path: &Path) -> Option<Digest> {
    let stem = path.file_stem()?.to_str()?;
    is_digest(stem).then(|| Digest(stem.to_owned()))
}

/// Lists the files of the archive and hashes each blob on the way.
fn places(path: &Path) -> Result<BTreeMap<String, Place>, ArchiveError> {
    let failed = |source| ArchiveError::File { path: path.to_owned(), source };
    let invalid = |reason| ArchiveError::Invalid { path: path.to_owned(), reason };
    let mut archive = tar::Archive::new(File::open(path).map_err(failed)?);
    let mut places = BTreeMap::new();
    for entry in archive.entries_with_seek().map_err(failed)? {
        let mut entry = entry.map_err(|error| invalid(format!("it is no whole tar archive ({error})")))?;
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        if places.contains_key(&name) {
            return Err(invalid(format!("{name} is in it twice")));
        }
        if let Some(promised) = name.strip_prefix(BLOBS) {
            let mut hashing = HashingWriter::new(io::sink());
            io::copy(&mut entry, &mut hashing).map_err(failed)?;
            let (_, digest, _) = hashing.finish();
            if digest.0 != promised {
                return Err(invalid(format!("the content of {name} has the digest {digest}")));
            }
        }
        places.insert(name, Place { offset: entry.raw_file_position(), size: entry.size() });
    }
    Ok(places)
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
