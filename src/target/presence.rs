//! Whether an image is still where a release would be started from.

use std::path::Path;

use tokio::task::spawn_blocking;

use super::archive::ImageArchive;
use super::docker::images;
use super::engine_image::EngineImage;
use crate::pipeline::Digest;

/// Why the image at `image` cannot be used; `None` when it is there. Nothing is changed.
///
/// With `pulled`, one that was pushed need not be in this machine's engine.
pub async fn image_missing(image: &Path, releases: &Path, digest: &Digest, pulled: bool) -> Option<String> {
    if EngineImage::is_named_by(image) {
        return match EngineImage::read(image) {
            Ok(found) if pulled && found.pushed.is_some() => None,
            Ok(found) => images::missing(&found).await,
            Err(error) => Some(format!("{}: {error}; build it again (`trainyard run --force`)", image.display())),
        };
    }
    // A way back needs no archive while the image lies unpacked.
    if releases.join(&digest.0).join("config.json").is_file() {
        return None;
    }
    let (image, digest) = (image.to_owned(), digest.clone());
    let opened = spawn_blocking(move || ImageArchive::open(&image, &digest).err().map(|error| error.to_string()));
    opened.await.unwrap_or_else(|error| Some(error.to_string()))
}
