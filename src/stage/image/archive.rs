//! Writes an image, as a folder or as one archive: blobs, index, and the list that old engines read.
//!
//! `docker load` before version 25 knows only the `manifest.json` of `docker save`, but takes its paths as they stand, so
//! it may point to the same blobs as the OCI index. Each blob is in the image once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde::Serialize;
use tar::{Builder, EntryType};

use super::layer::{WrittenLayer, header};
use crate::disk::digest_bytes;
use crate::pipeline::Digest;
use crate::target::archive::{
    BLOBS, CONFIG_TYPE, Descriptor, INDEX_TYPE, ImageConfig, Index, LAYER_TYPE, MANIFEST_TYPE, Manifest,
    NAME_ANNOTATION,
};

/// An image of which everything is known and the layers lie somewhere.
#[derive(Debug)]
pub struct Image {
    /// The digest of the manifest, which is the digest of the image.
    pub digest: Digest,
    repository: String,
    manifest: Vec<u8>,
    config: Vec<u8>,
    config_digest: Digest,
    layers: Vec<WrittenLayer>,
}

/// An entry of the list that `docker save` writes.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct SavedImage {
    config: String,
    repo_tags: Vec<String>,
    layers: Vec<String>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct LayoutFile {
    image_layout_version: &'static str,
}

impl Image {
    /// Puts an image together of layers that are on disk. `name` is any text; what an engine does not take as a name of
    /// an image is replaced.
    pub fn new(name: &str, config: &ImageConfig, layers: Vec<WrittenLayer>) -> io::Result<Self> {
        let config = serde_json::to_vec(config)?;
        let config_digest = digest_bytes(&config);
        let manifest = serde_json::to_vec(&Manifest {
            schema_version: 2,
            media_type: MANIFEST_TYPE.to_owned(),
            config: Descriptor::new(CONFIG_TYPE, &config_digest, length(&config)),
            layers: layers.iter().map(|layer| Descriptor::new(LAYER_TYPE, &layer.digest, layer.size)).collect(),
        })?;
        Ok(Self {
            digest: digest_bytes(&manifest),
            repository: repository_name(name),
            manifest,
            config,
            config_digest,
            layers,
        })
    }

    /// The name under which an engine lists it. The tag is of the digest, so that no two images ever share it.
    pub fn reference(&self) -> String {
        format!("{}:{}", self.repository, self.digest.short())
    }

    /// Bytes of all layers.
    pub fn layer_bytes(&self) -> u64 {
        self.layers.iter().map(|layer| layer.size).sum()
    }

    /// Bytes of all blobs.
    pub fn bytes(&self) -> u64 {
        self.layer_bytes() + length(&self.manifest) + length(&self.config)
    }

    /// Makes the folder of an image whole, in which the layers lie among the blobs already.
    pub fn write_around(&self, folder: &Path) -> io::Result<()> {
        for (digest, bytes) in self.documents() {
            fs::write(folder.join(BLOBS).join(&digest.0), bytes)?;
        }
        for (name, bytes) in self.lists()? {
            fs::write(folder.join(name), bytes)?;
        }
        Ok(())
    }

    /// The layers lie among the blobs of this folder now.
    pub fn lies_in(&mut self, folder: &Path) {
        for layer in &mut self.layers {
            layer.path = folder.join(BLOBS).join(&layer.digest.0);
        }
    }

    /// Writes an archive of it to the new file `path` and waits until that is on the disk.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut tar = Builder::new(BufWriter::with_capacity(1 << 18, File::create(path)?));
        for folder in ["blobs", "blobs/sha256"] {
            tar.append_data(&mut header(EntryType::Directory, 0, true), folder, io::empty())?;
        }
        for (digest, content) in self.blobs() {
            let name = format!("{BLOBS}{digest}");
            match content {
                Content::Bytes(bytes) => append(&mut tar, &name, bytes)?,
                Content::File(file, size) => {
                    tar.append_data(&mut header(EntryType::Regular, size, false), &name, File::open(file)?)?;
                }
            }
        }
        for (name, bytes) in self.lists()? {
            append(&mut tar, name, &bytes)?;
        }
        let file = tar.into_inner()?.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.sync_all()
    }

    fn blobs(&self) -> BTreeMap<&Digest, Content<'_>> {
        let files = self.layers.iter().map(|layer| (&layer.digest, Content::File(&layer.path, layer.size)));
        files.chain(self.documents().map(|(digest, bytes)| (digest, Content::Bytes(bytes)))).collect()
    }

    /// The blobs that are no layers.
    fn documents(&self) -> [(&Digest, &[u8]); 2] {
        [(&self.digest, self.manifest.as_slice()), (&self.config_digest, self.config.as_slice())]
    }

    /// What stands beside the blobs, by name.
    fn lists(&self) -> io::Result<[(&'static str, Vec<u8>); 3]> {
        Ok([
            ("index.json", serde_json::to_vec(&self.index())?),
            ("manifest.json", serde_json::to_vec(&[self.saved()])?),
            ("oci-layout", serde_json::to_vec(&LayoutFile { image_layout_version: "1.0.0" })?),
        ])
    }

    fn index(&self) -> Index {
        let mut manifest = Descriptor::new(MANIFEST_TYPE, &self.digest, length(&self.manifest));
        manifest.annotations.insert(NAME_ANNOTATION.to_owned(), self.reference());
        Index { schema_version: 2, media_type: INDEX_TYPE.to_owned(), manifests: vec![manifest] }
    }

    fn saved(&self) -> SavedImage {
        SavedImage {
            config: format!("{BLOBS}{}", self.config_digest),
            repo_tags: vec![self.reference()],
            layers: self.layers.iter().map(|layer| format!("{BLOBS}{}", layer.digest)).collect(),
        }
    }
}

enum Content<'a> {
    Bytes(&'a [u8]),
    File(&'a PathBuf, u64),
}

fn append<W: Write>(tar: &mut Builder<W>, name: &str, bytes: &[u8]) -> io::Result<()> {
    tar.append_data(&mut header(EntryType::Regular, length(bytes), false), name, bytes)
}

fn length(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.len()).unwrap_or(u64::MAX)
}

/// A name that engines take: small letters and digits, single hyphens between them.
fn repository_name(name: &str) -> String {
    let mut repository = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        if character.is_ascii_alphanumeric() {
            repository.push(character);
        } else if !repository.is_empty() && !repository.ends_with('-') {
            repository.push('-');
        }
        // Engines refuse names of more than 255 characters.
        if repository.len() >= 128 {
            break;
        }
    }
    let repository = repository.trim_end_matches('-');
    if repository.is_empty() { "app".to_owned() } else { repository.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_project_name_gives_a_name_that_engines_take() {
        assert_eq!(repository_name("Wine  Quality_2"), "wine-quality-2");
        assert_eq!(repository_name("와인"), "app");
        assert_eq!(repository_name("-x-"), "x");
    }
}
