//! How far each `[[notify]]` has come: `.trainyard/notified.json`, by which a restart tells what was missed and nothing twice.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use crate::disk::{Layout, write_whole};
use crate::engine::status::Status;

/// The subject of the problem that the file cannot be written.
const SUBJECT: &str = "notify";

/// The last event of which each has been told, or will never be.
pub(super) struct Ledger {
    file: PathBuf,
    status: Status,
    // Held while the file is written: two writers would spoil each other's.
    last: Mutex<BTreeMap<String, u64>>,
}

impl Ledger {
    /// What the daemon before left; `newest` is the last event of the journal.
    pub(super) fn read(layout: &Layout, status: Status, newest: u64) -> Self {
        let file = layout.state().join("notified.json");
        let known = fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
        let mut last: BTreeMap<String, u64> = known.unwrap_or_default();
        // One that has come further than the journal counted the events of another, which was moved away.
        for sequence in last.values_mut() {
            *sequence = (*sequence).min(newest);
        }
        Self { file, status, last: Mutex::new(last) }
    }

    /// Forgets all but these. One that is new begins behind event `newest`.
    pub(super) async fn keep(&self, names: &[&str], newest: u64) {
        let mut last = self.last.lock().await;
        let before = last.clone();
        last.retain(|name, _| names.contains(&name.as_str()));
        for name in names {
            last.entry((*name).to_owned()).or_insert(newest);
        }
        if *last != before {
            self.write(&last).await;
        }
    }

    /// How far that one has come.
    pub(super) async fn last(&self, name: &str) -> Option<u64> {
        self.last.lock().await.get(name).copied()
    }

    /// How far the one has come that lags behind most.
    pub(super) async fn least(&self) -> Option<u64> {
        self.last.lock().await.values().copied().min()
    }

    /// Notes that one was told of an event, or will never be. One that is forgotten stays so.
    pub(super) async fn done(&self, name: &str, sequence: u64) {
        let mut last = self.last.lock().await;
        let Some(known) = last.get_mut(name).filter(|known| **known < sequence) else { return };
        *known = sequence;
        self.write(&last).await;
    }

    async fn write(&self, last: &BTreeMap<String, u64>) {
        let (file, bytes) = (self.file.clone(), serde_json::to_vec(last).unwrap_or_default());
        let written = spawn_blocking(move || write_whole(&file, &bytes)).await;
        let problem = written.ok().and_then(Result::err).map(|error| {
            let file = self.file.display();
            format!("what was told cannot be noted in {file}: {error}; after a restart some of it is told again")
        });
        self.status.problem(SUBJECT, problem);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn what_was_told_is_known_to_the_next_daemon() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        let ledger = Ledger::read(&layout, Status::default(), 10);
        ledger.keep(&["a", "b"], 10).await;
        ledger.done("a", 14).await;
        ledger.done("a", 12).await;
        ledger.done("gone", 12).await;
        let next = Ledger::read(&layout, Status::default(), 20);
        assert_eq!((next.last("a").await, next.last("b").await, next.last("gone").await), (Some(14), Some(10), None));
        assert_eq!(next.least().await, Some(10));
        next.keep(&["a", "c"], 20).await;
        assert_eq!((next.last("b").await, next.last("c").await), (None, Some(20)));
    }

    #[tokio::test]
    async fn after_another_journal_counting_begins_with_that() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        Ledger::read(&layout, Status::default(), 900).keep(&["a"], 900).await;
        assert_eq!(Ledger::read(&layout, Status::default(), 3).last("a").await, Some(3));
    }
}
