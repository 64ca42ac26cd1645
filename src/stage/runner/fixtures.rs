//! What the tests of running elsewhere need.

use std::fs;

use tempfile::TempDir;

/// A folder as a stage finds it in its pod.
pub(super) fn pod_root() -> TempDir {
    let root = tempfile::tempdir().unwrap();
    for folder in ["source", "model", "reports"] {
        fs::create_dir(root.path().join(folder)).unwrap();
    }
    root
}

/// A command line.
pub(super) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
