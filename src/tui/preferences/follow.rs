//! Hears of changes of the operator's files, and has them read anew.
//!
//! The kernel tells; nothing is looked at while nothing changes. Editors write in several steps, so a change is read once it
//! has been quiet for a moment. Known gap: where the kernel cannot watch (no more watches, a network filesystem) a change is
//! seen when the screen opens the next time.

use std::path::{Path, PathBuf};
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc::{self, Sender};

use super::{Preferences, THEMES};
use crate::tui::message::Msg;

/// An editor is done with a file when it has been quiet for so long.
const QUIET: Duration = Duration::from_millis(120);

/// Sends what the files say whenever that is something else. Ends with whoever listens.
pub(in crate::tui) async fn follow(folder: PathBuf, sender: Sender<Msg>) {
    let (ping, mut pings) = mpsc::channel::<()>(1);
    let handler = move |event: notify::Result<notify::Event>| {
        if event.is_ok_and(|event| is_change(event.kind)) {
            // One that waits already is enough.
            let _ = ping.try_send(());
        }
    };
    let Ok(mut watcher) = notify::recommended_watcher(handler) else { return };
    watch(&mut watcher, &folder);
    let mut known = load(&folder).await;
    loop {
        tokio::select! {
            () = sender.closed() => return,
            ping = pings.recv() => {
                if ping.is_none() {
                    return;
                }
            }
        }
        while let Ok(Some(())) = tokio::time::timeout(QUIET, pings.recv()).await {}
        // A folder that was made meanwhile is watched from now on.
        watch(&mut watcher, &folder);
        let now = load(&folder).await;
        if now != known {
            known.clone_from(&now);
            let Some(now) = now else { continue };
            if sender.send(Msg::Preferences(Box::new(now))).await.is_err() {
                return;
            }
        }
    }
}

type Loaded = Result<Preferences, Vec<super::PreferenceFault>>;

/// Reads the files where it may take its time; `None` if the reading itself broke down.
async fn load(folder: &Path) -> Option<Loaded> {
    let folder = folder.to_owned();
    tokio::task::spawn_blocking(move || Preferences::load(&folder)).await.ok()
}

/// Watches the folder, its themes, and what they lie in, as far as they are there.
fn watch(watcher: &mut RecommendedWatcher, folder: &Path) {
    let parent = folder.parent().map(Path::to_owned);
    for place in parent.into_iter().chain([folder.to_owned(), folder.join(THEMES)]) {
        if place.is_dir() {
            let _ = watcher.watch(&place, RecursiveMode::NonRecursive);
        }
    }
}

/// Whether a file may be another one now; to read it is no change.
fn is_change(kind: EventKind) -> bool {
    matches!(kind, EventKind::Create(_) | EventKind::Modify(_) | EventKind::Remove(_))
}
