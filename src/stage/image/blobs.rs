//! The blobs of an image that is being made: what an earlier image has too becomes another name of that file.
//!
//! Every image holds the whole program, which is most of its bytes and seldom changes. Nobody writes to a blob, for its name
//! is the digest of what it holds, and the file system counts the names, so whatever removes an image leaves the others
//! whole. A blob that was damaged is not taken over; whoever uses an image verifies it again. Where a file cannot have two
//! names (a file system without them, or too many already) it is written once more.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use super::layer::{Layer, WrittenLayer};
use crate::disk::digest_file;
use crate::target::archive::{BLOBS, digest_of_name};

/// A smaller blob is not worth a look through all images.
const LEAST: u64 = 64 << 10;

/// The folder of blobs of an image that is being made.
#[derive(Debug)]
pub struct Blobs<'a> {
    /// Where the other images lie.
    images: &'a Path,
    folder: PathBuf,
}

impl<'a> Blobs<'a> {
    /// Makes it in the folder of a new image.
    pub fn new(images: &'a Path, image: &Path) -> io::Result<Self> {
        let folder = image.join(BLOBS);
        fs::create_dir_all(&folder)?;
        Ok(Self { images, folder })
    }

    /// Puts a layer there; whether an earlier image has it too. Measured first, so that what is there already takes no room
    /// even for a moment.
    pub fn put(&self, layer: &Layer) -> io::Result<(WrittenLayer, bool)> {
        let mut measured = layer.measure(&self.folder)?;
        measured.path = self.folder.join(&measured.digest.0);
        // Writing to a file that has other names would spoil the images that it belongs to.
        if measured.path.exists() || self.link(&measured) {
            return Ok((measured, true));
        }
        let written = layer.write(&measured.path)?;
        if written.digest == measured.digest {
            return Ok((written, false));
        }
        let text = "a file of the image was written to while it was being packed; run the stage again";
        Err(io::Error::other(text))
    }

    /// Lets the blob be that of another image, if one has it whole.
    fn link(&self, blob: &WrittenLayer) -> bool {
        if blob.size < LEAST {
            return false;
        }
        let images = fs::read_dir(self.images).into_iter().flatten().flatten().map(|entry| entry.path());
        images
            // What has another name is a build that is under way, or not ours.
            .filter(|image| digest_of_name(image).is_some())
            .map(|image| image.join(BLOBS).join(&blob.digest.0))
            .filter(|other| is_whole(other, blob).unwrap_or(false))
            // Where names cannot be made at all, each further image would be read in vain.
            .take(2)
            // Removed in this moment, or has too many names: there may be another, and a copy is as good.
            .any(|other| fs::hard_link(other, &blob.path).is_ok())
    }
}

fn is_whole(other: &Path, blob: &WrittenLayer) -> io::Result<bool> {
    let found = fs::symlink_metadata(other)?;
    Ok(found.is_file() && found.len() == blob.size && digest_file(other)? == blob.digest)
}

/// Waits until all files below a folder are on the disk, and all names.
pub fn sync(folder: &Path) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            sync(&entry.path())?;
        } else {
            File::open(entry.path())?.sync_all()?;
        }
    }
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    struct Images {
        folder: tempfile::TempDir,
        layer: Layer,
    }

    impl Images {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let source = folder.path().join("server");
            fs::write(&source, vec![7; 100_000]).unwrap();
            let mut layer = Layer::default();
            layer.add_file(Path::new("/server"), &source, &fs::metadata(&source).unwrap(), true);
            fs::create_dir(folder.path().join("images")).unwrap();
            Self { folder, layer }
        }

        /// The layer in an image of this name, and whether it is shared.
        fn put(&self, name: &str) -> (WrittenLayer, bool) {
            let images = self.folder.path().join("images");
            Blobs::new(&images, &images.join(name)).unwrap().put(&self.layer).unwrap()
        }
    }

    fn node(layer: &WrittenLayer) -> u64 {
        fs::metadata(&layer.path).unwrap().ino()
    }

    #[test]
    fn a_layer_that_an_image_has_is_there_once_and_outlives_that_image() {
        let images = Images::new();
        let ((first, is_first_shared), (second, is_shared)) =
            (images.put(&"a".repeat(64)), images.put(&"b".repeat(64)));
        assert_eq!((is_first_shared, is_shared), (false, true));
        assert_eq!(node(&first), node(&second));
        fs::remove_dir_all(images.folder.path().join("images").join("a".repeat(64))).unwrap();
        assert_eq!(digest_file(&second.path).unwrap(), second.digest);
    }

    #[test]
    fn neither_a_damaged_layer_nor_that_of_a_build_under_way_is_taken() {
        let images = Images::new();
        let (damaged, _) = images.put(&"a".repeat(64));
        fs::write(&damaged.path, vec![8; usize::try_from(damaged.size).unwrap()]).unwrap();
        images.put(".build-1");
        let (written, is_shared) = images.put(&"b".repeat(64));
        assert!(!is_shared);
        assert_eq!(digest_file(&written.path).unwrap(), written.digest);
    }
}
