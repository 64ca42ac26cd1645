//! The one that writes series: a thread, so that a slow disk holds up neither the scrapes nor the clients.
//!
//! What arrives while it writes is taken together and committed once. A page is read before the store is locked, and the
//! log is written behind it, so a query waits for the samples to be put away, never for a page or for the disk.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use tokio::sync::oneshot;

use crate::config::MonitorSettings;
use crate::disk::now;
use crate::engine::status::Status;
use crate::monitor::alert::{AlertSample, AlertSeries};
use crate::monitor::{
    Fetched, Ingest, Labels, Metadata, ReadPage, ReadStore, Recorded, ScrapeError, SeriesStore, StorageError,
    StoreLimits,
};
use crate::pipeline::Moment;

/// Under which the disk's troubles are told while they last.
const SUBJECT: &str = "series";
/// Under which is told what was found damaged.
const STORE: &str = "store";
/// The most bytes of samples where no folder can be used.
const IN_MEMORY: u64 = 256 << 20;

/// The store, and the way to it.
#[derive(Clone)]
pub(super) struct Recorder {
    held: Arc<Held>,
    tasks: Sender<Task>,
}

struct Held {
    store: Mutex<SeriesStore>,
    ingest: Mutex<Ingest>,
    alerts: Mutex<AlertSeries>,
}

enum Task {
    Scraped { target: Labels, at: Moment, outcome: Box<Result<Fetched, ScrapeError>>, reply: oneshot::Sender<Recorded> },
    Retired { target: Labels, at: Moment },
    Alerts { at: Moment, samples: Vec<AlertSample> },
}

impl Recorder {
    /// Opens the store in `folder`, or begins an empty one in memory where that cannot be read, and starts the thread.
    pub(super) fn start(folder: &Path, settings: &MonitorSettings, status: &Status) -> Self {
        let limits = limits(settings);
        let store = SeriesStore::open(folder, limits, now()).unwrap_or_else(|error| {
            let text = format!("{error}; until the daemon starts again, series are kept in memory only");
            status.problem(STORE, Some(text));
            let bytes_on_disk = limits.bytes_on_disk.min(IN_MEMORY);
            SeriesStore::in_memory(StoreLimits { bytes_on_disk, ..limits })
        });
        let (store, ingest, alerts) = (Mutex::new(store), Mutex::new(Ingest::new()), Mutex::new(AlertSeries::new()));
        let held = Arc::new(Held { store, ingest, alerts });
        let (tasks, receiver) = channel();
        let (shared, told) = (Arc::clone(&held), status.clone());
        let started = thread::Builder::new().name("series".to_owned()).spawn(move || shared.write(&receiver, &told));
        if let Err(error) = started {
            status.problem(SUBJECT, Some(format!("nothing is recorded: the system gives no thread: {error}")));
        }
        Self { held, tasks }
    }

    /// The store, for as long as the guard lives.
    pub(super) fn store(&self) -> MutexGuard<'_, SeriesStore> {
        lock(&self.held.store)
    }

    /// What the pages say of their metrics. Not to be asked for while holding the store, which the thread takes second.
    pub(super) fn metadata(&self) -> BTreeMap<String, Metadata> {
        lock(&self.held.ingest).metadata().clone()
    }

    /// Takes over changed limits; what is too much goes with the next commit.
    pub(super) fn set_limits(&self, settings: &MonitorSettings) {
        self.store().set_limits(limits(settings));
    }

    /// Records a scrape; `None` if nothing is recorded any more.
    pub(super) async fn record(
        &self,
        target: Labels,
        at: Moment,
        outcome: Result<Fetched, ScrapeError>,
    ) -> Option<Recorded> {
        let (reply, recorded) = oneshot::channel();
        self.tasks.send(Task::Scraped { target, at, outcome: Box::new(outcome), reply }).ok()?;
        recorded.await.ok()
    }

    /// Ends the series of a target, behind all that was recorded of it.
    pub(super) fn retire(&self, target: Labels, at: Moment) {
        // Without a thread nothing was recorded that could end.
        let _ = self.tasks.send(Task::Retired { target, at });
    }

    /// Records where alerts stand; those that stood before and are not among them have ended.
    pub(super) fn record_alerts(&self, at: Moment, samples: Vec<AlertSample>) {
        // Without a thread nothing is recorded, which is told already.
        let _ = self.tasks.send(Task::Alerts { at, samples });
    }
}

impl ReadStore for Recorder {
    fn read<T>(&self, look: impl FnOnce(&SeriesStore) -> T) -> T {
        look(&self.store())
    }
}

impl Held {
    fn write(&self, tasks: &Receiver<Task>, status: &Status) {
        while let Ok(first) = tasks.recv() {
            let mut told = Vec::new();
            for task in std::iter::once(first).chain(tasks.try_iter()) {
                told.extend(self.take(task));
            }
            let committing = lock(&self.store).begin_commit();
            // The store is free while the disk takes its time.
            let written = committing.write();
            let (committed, faults) = {
                let mut store = lock(&self.store);
                (store.end_commit(written, now()), store.take_faults())
            };
            status.problem(SUBJECT, committed.err().map(|error| error.to_string()));
            let (notes, faults): (Vec<StorageError>, Vec<StorageError>) =
                faults.into_iter().partition(StorageError::is_note);
            for note in notes {
                // The daemon's own log.
                eprintln!("{note}");
            }
            if let Some(fault) = faults.first() {
                // Damage of the past does not mend itself: it is told for as long as this daemon runs.
                status.problem(STORE, Some(fault.to_string()));
            }
            for (reply, recorded) in told {
                // Whoever asked may have been replaced meanwhile.
                let _ = reply.send(recorded);
            }
        }
    }

    fn take(&self, task: Task) -> Option<(oneshot::Sender<Recorded>, Recorded)> {
        match task {
            Task::Scraped { target, at, outcome, reply } => {
                let page = ReadPage::of(&outcome);
                let mut ingest = lock(&self.ingest);
                let recorded = ingest.apply(&mut lock(&self.store), at, &target, page);
                Some((reply, recorded))
            }
            Task::Retired { target, at } => {
                let mut ingest = lock(&self.ingest);
                ingest.retire(&mut lock(&self.store), at, &target);
                None
            }
            Task::Alerts { at, samples } => {
                let mut alerts = lock(&self.alerts);
                alerts.record(&mut lock(&self.store), at, &samples);
                None
            }
        }
    }
}

fn limits(settings: &MonitorSettings) -> StoreLimits {
    StoreLimits {
        retention: settings.retention,
        bytes_on_disk: settings.retention_size,
        max_series: settings.max_series,
    }
}

/// What a thread that panicked left behind is still what was recorded.
fn lock<T>(held: &Mutex<T>) -> MutexGuard<'_, T> {
    held.lock().unwrap_or_else(PoisonError::into_inner)
}
