//! Hears of changes of the operator's files, and has them read anew.
//!
//! Known gap: where the kernel cannot watch (no more watches, a network filesystem) a change is seen when the screen opens
//! the next time.

use std::path::{Path, PathBuf};

use tokio::sync::mpsc::Sender;

use super::{Preferences, THEMES};
use crate::tui::file_changes::FileChanges;
use crate::tui::message::Msg;

/// Sends what the files say whenever that is something else. Ends with whoever listens.
pub(in crate::tui) async fn follow(folder: PathBuf, sender: Sender<Msg>) {
    let Some(mut changes) = FileChanges::of(|_| true) else { return };
    watch(&mut changes, &folder);
    let mut known = load(&folder).await;
    while changes.next(&sender).await {
        // A folder that was made meanwhile is watched from now on.
        watch(&mut changes, &folder);
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
fn watch(changes: &mut FileChanges, folder: &Path) {
    let parent = folder.parent().map(Path::to_owned);
    for place in parent.into_iter().chain([folder.to_owned(), folder.join(THEMES)]) {
        if place.is_dir() {
            changes.watch(&place);
        }
    }
}
