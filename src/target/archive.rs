//! Images on disk: the types of the OCI image layout, and reading an image only once all of it verifies.
//!
//! An image is a folder with `oci-layout`, `index.json`, `blobs/sha256/…` and, for old engines, the `manifest.json` of
//! `docker save`; or one `.tar` of just that, which engines load and which images were before equal blobs were shared.
//! `stage::image` writes both with the types here. Layers are uncompressed; other images are refused with a sentence instead
//! of half a release.

mod contents;

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use self::contents::{Contents, Place};
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
/// The folder of blobs in an image.
pub const BLOBS: &str = "blobs/sha256/";

/// The layer that holds the program itself with its libraries.
pub const SERVER_LAYER: &str = "server";

/// The remark on a layer of ours, by which it is known again.
pub fn layer_remark(name: &str) -> String {
    format!("trainyard: {name}")
}

/// Why an image cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ArchiveError {
    /// A file of it cannot be read.
    #[error("cannot read the image {path}: {source}")]
    File {
        /// The image.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is not the image that was asked for.
    #[error("the image {path} does not verify: {reason}; build the image again")]
    Invalid {
        /// The image.
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

/// An image of which every blob, the manifest and the references between them have been verified.
#[derive(Debug)]
pub struct ImageArchive {
    contents: Contents,
    layers: Vec<Place>,
    config: ImageConfig,
}

impl ImageArchive {
    /// Reads all of the image at `path` and refuses it unless that is, whole, the image with that manifest digest.
    pub fn open(path: &Path, digest: &Digest) -> Result<Self, ArchiveError> {
        let contents = Contents::read(path)?;
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
            layers.push(contents.place(&contents.blob(layer)?)?.clone());
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
        self.layers.iter().map(|place| self.contents.open_at(place))
    }
}

/// The digest that the name of an image, `<digest>` or `<digest>.tar`, promises.
pub fn digest_of_name(path: &Path) -> Option<Digest> {
    let stem = path.file_stem()?.to_str()?;
    is_digest(stem).then(|| Digest(stem.to_owned()))
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}
