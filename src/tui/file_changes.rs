//! Hears from the kernel that files of the operator changed. Nothing is looked at while nothing changes.
//!
//! Editors write in several steps, so a change is told once it has been quiet for a moment.

use std::path::Path;
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{self, Receiver, Sender};

/// An editor is done with a file when it has been quiet for so long.
const QUIET: Duration = Duration::from_millis(120);

/// What happens in the folders that are watched.
pub(super) struct FileChanges {
    watcher: RecommendedWatcher,
    pings: Receiver<()>,
}

impl FileChanges {
    /// Of what happens, only that which `is_meant` counts. `None` where the kernel cannot watch.
    pub(super) fn of(is_meant: impl Fn(&Event) -> bool + Send + 'static) -> Option<Self> {
        let (ping, pings) = mpsc::channel(1);
        let handler = move |event: notify::Result<Event>| {
            if event.is_ok_and(|event| is_change(event.kind) && is_meant(&event)) {
                // One that waits already is enough.
                let _ = ping.try_send(());
            }
        };
        Some(Self { watcher: notify::recommended_watcher(handler).ok()?, pings })
    }

    /// Watches what lies in a folder, and not below; whether that can be.
    pub(super) fn watch(&mut self, folder: &Path) -> bool {
        self.watcher.watch(folder, RecursiveMode::NonRecursive).is_ok()
    }

    /// Waits for a change, and until it is quiet again; `false` once nobody listens any more.
    pub(super) async fn next<T>(&mut self, listener: &Sender<T>) -> bool {
        let has_changed = tokio::select! {
            () = listener.closed() => false,
            ping = self.pings.recv() => ping.is_some(),
        };
        if has_changed {
            while let Ok(Some(())) = tokio::time::timeout(QUIET, self.pings.recv()).await {}
        }
        has_changed
    }
}

/// Whether a file may be another one now; to read it is no change.
fn is_change(kind: EventKind) -> bool {
    matches!(kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_))
}
