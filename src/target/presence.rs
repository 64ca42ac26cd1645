//! Whether an image is still where a release would be started from.

use std::path::Path;

use tokio::task::spawn_blocking;

use super::archive::ImageArchive;
use super::docker::images;
use super::engine_image::EngineImage;
use super::request::CHOOSE_ANOTHER;
use crate::pipeline::Digest;

/// Why a rollback cannot use the image at `image`, with what to do; `None` when it is there. Nothing is changed.
///
/// With `pulled`, one that was pushed need not be in this machine's engine.
pub async fn image_missing(image: &Path, releases: &Path, digest: &Digest, pulled: bool) -> Option<String> {
    if EngineImage::is_named_by(image) {
        return match EngineImage::read(image) {
            Ok(found) if pulled && found.pushed.is_some() => None,
            Ok(found) => images::missing(&found, CHOOSE_ANOTHER).await,
            Err(error) => Some(format!("{}: {error}; {CHOOSE_ANOTHER}", image.display())),
        };
    }
    // A way back needs no more than the unpacked image.
    if releases.join(&digest.0).join("config.json").is_file() {
        return None;
    }
    let (image, digest) = (image.to_owned(), digest.clone());
    let opened = spawn_blocking(move || ImageArchive::open(&image, &digest).err().map(|error| error.to_string()));
    opened.await.unwrap_or_else(|error| Some(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_rollback_without_its_image_is_not_told_to_build_the_present_source() {
        let folder = tempfile::tempdir().unwrap();
        let digest = Digest("ab".repeat(32));
        let gone = folder.path().join(format!("{digest}.json"));
        let told = image_missing(&gone, folder.path(), &digest, false).await.unwrap();
        assert!(told.contains("`trainyard releases`") && !told.contains("--force"), "{told}");
    }
}
