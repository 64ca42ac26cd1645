//! What a repository holds in place of what is meant: pointers of Git LFS, and submodules that are not checked out.
//!
//! Nothing is fetched here. A stage that works on a pointer fails with some odd message, or learns from three lines of text;
//! so people are told before.

use std::fs::File;
use std::io::Read;
use std::path::Path;

/// A pointer is smaller than this, in bytes.
pub(super) const POINTER_LIMIT: u64 = 1024;
/// What every pointer begins with.
const BEGINNING: &[u8] = b"version https://git-lfs.github.com/spec/v1";
/// Names that people are told of.
const NAMES: usize = 3;

/// Whether the text of a file is a pointer of Git LFS.
pub(super) fn is_pointer(text: &[u8]) -> bool {
    let behind = text.strip_prefix(BEGINNING);
    behind.is_some_and(|rest| matches!(rest.first(), None | Some(b'\n' | b'\r'))) && (text.len() as u64) < POINTER_LIMIT
}

/// Whether a file is a pointer of Git LFS in place of what is meant.
pub fn is_lfs_pointer(path: &Path) -> bool {
    let Ok(file) = File::open(path) else { return false };
    let mut text = Vec::new();
    file.take(POINTER_LIMIT).read_to_end(&mut text).is_ok() && is_pointer(&text)
}

/// What is not really there.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Missing {
    /// Files that are pointers.
    pub(super) pointers: Vec<String>,
    /// Submodules that are not checked out.
    pub(super) submodules: Vec<String>,
}

impl Missing {
    /// What people are told, and what they can do. A checkout of a commit is made by us, and nobody can complete it.
    pub(super) fn told(&self, by_commit: bool) -> Option<String> {
        let told: Vec<String> =
            [self.pointers_told(by_commit), self.submodules_told(by_commit)].into_iter().flatten().collect();
        (!told.is_empty()).then(|| told.join("; "))
    }

    fn pointers_told(&self, by_commit: bool) -> Option<String> {
        let what = match self.pointers.as_slice() {
            [] => return None,
            [one] => format!("{one} is an LFS pointer"),
            many => format!("{} files are LFS pointers ({})", many.len(), named(many)),
        };
        Some(if by_commit {
            format!("{what}, and a clean checkout of the commit holds no more: let a stage fetch what it needs")
        } else {
            format!("{what}: run `git lfs pull`")
        })
    }

    fn submodules_told(&self, by_commit: bool) -> Option<String> {
        let (what, one) = match self.submodules.as_slice() {
            [] => return None,
            [one] => (format!("submodule {one} is"), one.as_str()),
            many => (format!("{} submodules ({}) are", many.len(), named(many)), ""),
        };
        Some(if by_commit {
            format!("{what} not in a clean checkout of the commit: let a stage fetch what it needs")
        } else {
            let command = format!("git submodule update --init {one}");
            format!("{what} not checked out: run `{}`", command.trim_end())
        })
    }
}

fn named(names: &[String]) -> String {
    let first = names.iter().take(NAMES).map(String::as_str).collect::<Vec<_>>().join(", ");
    if names.len() > NAMES { format!("{first}, …") } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINTER: &str = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22eadbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n";

    #[test]
    fn a_pointer_is_told_from_a_text_that_only_speaks_of_one() {
        assert!(is_pointer(POINTER.as_bytes()));
        assert!(!is_pointer(format!(" {POINTER}").as_bytes()));
        assert!(!is_pointer(POINTER.replace("/v1", "/v10").as_bytes()));
        assert!(!is_pointer(format!("{POINTER}{}", "x".repeat(1024)).as_bytes()));
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("model.bin"), POINTER).unwrap();
        assert!(is_lfs_pointer(&folder.path().join("model.bin")) && !is_lfs_pointer(&folder.path().join("absent")));
    }

    #[test]
    fn few_are_named_and_the_mend_is_one_that_helps() {
        let names = |count: usize| (0..count).map(|index| format!("{index}.bin")).collect::<Vec<_>>();
        let told = |pointers, submodules, by_commit| {
            Missing { pointers: names(pointers), submodules: names(submodules) }.told(by_commit)
        };
        assert_eq!(told(0, 0, false), None);
        assert_eq!(told(1, 0, false).unwrap(), "0.bin is an LFS pointer: run `git lfs pull`");
        assert_eq!(
            told(4, 1, false).unwrap(),
            "4 files are LFS pointers (0.bin, 1.bin, 2.bin, …): run `git lfs pull`; \
             submodule 0.bin is not checked out: run `git submodule update --init 0.bin`"
        );
        assert_eq!(
            told(0, 2, true).unwrap(),
            "2 submodules (0.bin, 1.bin) are not in a clean checkout of the commit: let a stage fetch what it needs"
        );
    }
}
