//! What trainyard says of itself at `/metrics`: runs, stages, releases, the queue, the monitor, delivery, disks.
//!
//! Everything that is counted for ever is folded from the journal, so a daemon that starts anew goes on counting where the
//! one before ended. Only what no journal holds, the scrapes, is counted from the start of the daemon; Prometheus takes that
//! for the reset that it is. `page.rs` writes the text; here is what goes into it.

mod page;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use self::page::Facts;
use super::core::CoreHandle;
use super::daemon::Daemon;
use crate::disk::now;
use crate::pipeline::{Delivery, Moment, ReleaseId, RunId, State, Tally};

/// The content type of the text format.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Events that are read from the journal in one look: the core waits for nobody longer than that takes.
const AT_ONCE: u64 = 500;
/// Looks after which whoever can do without the figures goes without them.
const LOOKS: usize = 8;

/// Scrapes since the daemon started.
#[derive(Debug, Default)]
pub struct ScrapeCounts {
    scrapes: AtomicU64,
    failures: AtomicU64,
}

impl ScrapeCounts {
    /// One target was scraped, or could not be.
    pub fn add(&self, has_failed: bool) {
        self.scrapes.fetch_add(1, Ordering::Relaxed);
        self.failures.fetch_add(u64::from(has_failed), Ordering::Relaxed);
    }

    /// How many there were, and how many of them failed.
    pub fn now(&self) -> (u64, u64) {
        (self.scrapes.load(Ordering::Relaxed), self.failures.load(Ordering::Relaxed))
    }
}

/// The sums of the journal, brought up to date when they are asked for.
#[derive(Clone)]
pub struct Tallies {
    core: CoreHandle,
    tally: Arc<Mutex<Tally>>,
}

impl Tallies {
    /// Nothing is read yet.
    pub fn new(core: CoreHandle) -> Self {
        Self { core, tally: Arc::default() }
    }

    /// The figures of delivery; `None` while a long journal is being counted, which goes on with the next question.
    pub async fn delivery(&self) -> Option<Delivery> {
        let mut tally = self.tally.lock().await;
        self.catch_up(&mut tally, LOOKS).await.then(|| tally.delivery(now()))
    }

    /// The sums of the whole journal; `None` when it cannot be read, or the daemon is ending.
    async fn whole(&self) -> Option<Tally> {
        let mut tally = self.tally.lock().await;
        self.catch_up(&mut tally, usize::MAX).await.then(|| tally.clone())
    }

    /// Counts what was journaled since the last time, in as many looks; whether that was all.
    async fn catch_up(&self, tally: &mut Tally, looks: usize) -> bool {
        for _ in 0..looks {
            let after = tally.sequence();
            let look = self.core.look(move |state, journal| (state.sequence, journal.after(after, AT_ONCE).ok())).await;
            let Some((last, Some(events))) = look else { return false };
            for event in &events {
                tally.apply(event);
            }
            if events.is_empty() || tally.sequence() >= last {
                return true;
            }
        }
        false
    }
}

/// What is true at this moment, taken from the state in one look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Present {
    /// The number of the last event.
    sequence: u64,
    /// Runs that wait for their turn.
    queued: usize,
    /// The run whose turn it is, and when that came.
    active: Option<(RunId, Moment)>,
    /// The release that serves, and since when.
    live: Option<(ReleaseId, Moment)>,
    firing: usize,
}

impl Present {
    fn of(state: &State) -> Self {
        let waits = state.runs.values().filter(|run| run.started.is_none() && !run.is_finished());
        let active = state.active_run().and_then(|run| Some((run.id, run.started?)));
        let live = state.live_release().and_then(|release| Some((release.id, release.live_since?)));
        let firing = state.alerts.firing.values().map(std::collections::BTreeMap::len).sum();
        Self { sequence: state.sequence, queued: waits.count(), active, live, firing }
    }
}

/// The page; `None` when the daemon is ending.
pub async fn page(daemon: &Daemon) -> Option<String> {
    let tally = daemon.monitoring.tallies().whole().await?;
    let present = daemon.core.look(|state, _| Present::of(state)).await?;
    let firing = present.firing;
    let statistics = daemon.monitoring.statistics();
    let disks = daemon.disks.now();
    let facts = Facts {
        version: &daemon.information.version,
        started: daemon.information.started,
        present,
        tally: &tally,
        delivery: tally.delivery(now()),
        scrapes: daemon.monitoring.scrapes(),
        series: statistics.series,
        samples: statistics.samples,
        alerts_firing: daemon.monitoring.has_alerts().then_some(firing),
        disks: &disks,
    };
    Some(page::render(&facts))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::engine::core::start;
    use crate::engine::journal::Journal;
    use crate::pipeline::{Event, Input, Recorded};

    /// A core on a journal that holds so many notes.
    fn core(folder: &std::path::Path, notes: u64) -> CoreHandle {
        let (mut journal, mut state) = Journal::open(&folder.join("journal.db")).unwrap();
        let note =
            |sequence| Recorded { sequence, at: Moment(1), event: Event::Noted { by: None, text: "note".to_owned() } };
        let events: Vec<Recorded> = (1..=notes).map(note).collect();
        journal.append(&events).unwrap();
        for event in &events {
            state.apply(event).unwrap();
        }
        let (effects, _) = tokio::sync::mpsc::unbounded_channel();
        start(journal, state, effects, |_, _| {}).unwrap().0
    }

    #[tokio::test]
    async fn a_long_journal_is_counted_piece_by_piece_and_what_comes_later_too() {
        let folder = tempfile::tempdir().unwrap();
        let core = core(folder.path(), AT_ONCE * 3 + 7);
        let tallies = Tallies::new(core.clone());
        let mut few = Tally::default();
        assert!(!tallies.catch_up(&mut few, 2).await, "two looks are not enough");
        assert_eq!(few.sequence(), AT_ONCE * 2);
        assert_eq!(tallies.whole().await.unwrap().sequence(), AT_ONCE * 3 + 7);
        core.input(Input::Note("one more".to_owned()));
        assert_eq!(tallies.whole().await.unwrap().sequence(), AT_ONCE * 3 + 8);
        assert!(tallies.delivery().await.is_some());
        core.end();
    }

    #[test]
    fn scrapes_are_counted_from_every_thread() {
        let counts = Arc::new(ScrapeCounts::default());
        let (done, all) = mpsc::channel();
        for has_failed in [true, false, false] {
            let (counts, done) = (counts.clone(), done.clone());
            std::thread::spawn(move || {
                counts.add(has_failed);
                done.send(()).unwrap();
            });
        }
        drop(done);
        assert_eq!(all.iter().count(), 3);
        assert_eq!(counts.now(), (3, 1));
    }
}
