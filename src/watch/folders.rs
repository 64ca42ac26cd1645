//! The kernel's watches, one a folder.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use notify::{RecommendedWatcher, RecursiveMode, Watcher as _};

/// The set of watched folders.
pub(super) struct Folders {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
    failure: Option<String>,
}

impl Folders {
    pub(super) fn new(handler: impl notify::EventHandler) -> notify::Result<Self> {
        Ok(Self { watcher: notify::recommended_watcher(handler)?, watched: BTreeSet::new(), failure: None })
    }

    /// Why some folder is not watched, if one is not.
    pub(super) fn failure(&self) -> Option<&str> {
        self.failure.as_deref()
    }

    /// Watches one folder. That it vanished meanwhile is no failure: its parent tells.
    pub(super) fn add(&mut self, folder: &Path) {
        if !self.watched.insert(folder.to_owned()) {
            return;
        }
        if let Err(error) = self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            self.watched.remove(folder);
            match &error.kind {
                notify::ErrorKind::PathNotFound => {}
                notify::ErrorKind::Io(io) if io.kind() == std::io::ErrorKind::NotFound => {}
                notify::ErrorKind::MaxFilesWatch => {
                    self.failure = Some(
                        "the kernel's limit of watches is reached; raise it with \
                         `sysctl fs.inotify.max_user_watches=1048576`"
                            .to_owned(),
                    );
                }
                _ => self.failure = Some(format!("{} cannot be watched: {error}", folder.display())),
            }
        }
    }

    /// Watches a folder and all below it that `counts`. A folder may fill before its watch begins, so whoever adds one looks
    /// into it afterwards.
    pub(super) fn add_tree(&mut self, folder: &Path, counts: &dyn Fn(&Path) -> bool) {
        self.add(folder);
        let Ok(entries) = fs::read_dir(folder) else { return };
        for entry in entries.flatten() {
            let path = entry.path();
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) && counts(&path) {
                self.add_tree(&path, counts);
            }
        }
    }

    /// Forgets a folder that is gone, and all below it: the kernel dropped their watches.
    pub(super) fn forget(&mut self, folder: &Path) {
        let gone: Vec<PathBuf> = self.watched.iter().filter(|path| path.starts_with(folder)).cloned().collect();
        for path in gone {
            let _ = self.watcher.unwatch(&path);
            self.watched.remove(&path);
        }
    }
}
