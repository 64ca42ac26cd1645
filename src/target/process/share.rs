//! The server of a release, kept once on the disk: a file that an earlier release has too becomes another name of that one.
//!
//! Every image brings the whole program, which is most of its bytes, and it seldom changes between releases. Nobody writes
//! to a program where it runs; files of the app and of the model may be written by the app, so each release has its own. The
//! file system counts the names, so whatever removes a release leaves the others whole. Where a file cannot have two names
//! (another file system, or one without them) the copy stays.

use std::fs::{self, File, Metadata};
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// A smaller file is not worth it.
const LEAST: u64 = 64 << 10;
/// Bytes that are compared at a time.
const PIECE: usize = 1 << 18;

/// Lets each of `files`, relative to `root`, be the one that another release below `releases` has, if it has the same.
pub(super) fn share(releases: &Path, root: &Path, files: &[PathBuf]) {
    let others: Vec<PathBuf> = fs::read_dir(releases)
        .into_iter()
        .flatten()
        .flatten()
        // What begins with a dot is being unpacked, or was left by a host that was killed.
        .filter(|entry| !entry.file_name().to_string_lossy().starts_with('.'))
        .map(|entry| entry.path().join("rootfs"))
        .collect();
    // An absolute path would lead out of the release.
    for file in files.iter().filter(|file| file.is_relative()) {
        let own = root.join(file);
        let same = others.iter().map(|other| other.join(file)).find(|other| is_same(&own, other).unwrap_or(false));
        if let Some(other) = same {
            // The copy is as good.
            let _ = link(&other, &own);
        }
    }
}

fn link(other: &Path, own: &Path) -> io::Result<()> {
    let temporary = own.with_file_name(".trainyard-shared");
    fs::hard_link(other, &temporary)?;
    fs::rename(&temporary, own).inspect_err(|_| {
        let _ = fs::remove_file(&temporary);
    })
}

fn is_same(one: &Path, other: &Path) -> io::Result<bool> {
    let (first, second) = (fs::symlink_metadata(one)?, fs::symlink_metadata(other)?);
    let of = |found: &Metadata| (found.is_file(), found.len(), found.mode());
    if !first.is_file() || first.len() < LEAST || of(&first) != of(&second) {
        return Ok(false);
    }
    let (mut one, mut other) =
        (BufReader::with_capacity(PIECE, File::open(one)?), BufReader::with_capacity(PIECE, File::open(other)?));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let length = left.len().min(right.len());
        if length == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left.get(..length) != right.get(..length) {
            return Ok(false);
        }
        one.consume(length);
        other.consume(length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_the_same_is_there_once_and_outlives_the_release_it_came_from() {
        let releases = tempfile::tempdir().unwrap();
        let at = |release: &str, name: &str| releases.path().join(release).join("rootfs").join(name);
        for release in ["one", ".two.partial"] {
            fs::create_dir_all(releases.path().join(release).join("rootfs")).unwrap();
            fs::write(at(release, "server"), vec![7; 100_000]).unwrap();
            fs::write(at(release, "small"), "same").unwrap();
            fs::write(at(release, "other"), vec![u8::try_from(release.len()).unwrap(); 100_000]).unwrap();
        }
        let root = releases.path().join(".two.partial/rootfs");
        share(releases.path(), &root, &["server", "small", "other", "absent"].map(PathBuf::from));
        let node = |release, name| fs::metadata(at(release, name)).unwrap().ino();
        assert_eq!(node("one", "server"), node(".two.partial", "server"));
        for name in ["small", "other"] {
            assert_ne!(node("one", name), node(".two.partial", name), "{name}");
        }
        fs::remove_dir_all(releases.path().join("one")).unwrap();
        assert_eq!(fs::read(at(".two.partial", "server")).unwrap(), vec![7; 100_000]);
    }
}
