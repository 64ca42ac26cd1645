//! An image that lies in Docker Engine, and the small file by which the rest of the program knows it.
//!
//! `.trainyard/images/<digest>.json` stands for the image as the folder `<digest>/` is one: `<digest>` is the image id (the
//! digest of its configuration), so equal images have one file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::disk::write_whole;
use crate::pipeline::Digest;

/// An image in Docker Engine.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct EngineImage {
    /// The image id without `sha256:`.
    pub id: Digest,
    /// The tag under which the engine has it, such as `trainyard/wine-quality:3f2a91c0d1e2`.
    pub tag: String,
    /// Where it was pushed, by digest: `registry.example.com/team/wine@sha256:…`.
    pub pushed: Option<String>,
    /// Size in bytes, as the engine tells it.
    pub bytes: u64,
}

impl EngineImage {
    /// The file that stands for the image of that id.
    pub fn path(images: &Path, id: &Digest) -> PathBuf {
        images.join(format!("{id}.json"))
    }

    /// Writes the file; returns its path.
    pub fn write(&self, images: &Path) -> io::Result<PathBuf> {
        let path = Self::path(images, &self.id);
        write_whole(&path, &serde_json::to_vec_pretty(self)?)?;
        Ok(path)
    }

    /// Reads the file.
    pub fn read(path: &Path) -> io::Result<Self> {
        Ok(serde_json::from_slice(&fs::read(path)?)?)
    }

    /// Whether `path` names such a file rather than an image that lies here.
    pub fn is_named_by(path: &Path) -> bool {
        path.extension().is_some_and(|extension| extension == "json")
    }

    /// What a node of a cluster is told to run: what was pushed, else the tag in the engine that the node shares.
    pub fn reference(&self) -> &str {
        self.pushed.as_deref().unwrap_or(&self.tag)
    }
}
