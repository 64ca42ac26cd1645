//! Telling people who do not look: a notice of what happened goes to a webhook or to a program of theirs.
//!
//! One task follows the journal from where it had come to ([`ledger`]), and hands each notice to the queue of every
//! `[[notify]]` that wants it ([`sink`]). Each of these works for itself: one that hangs, refuses or redirects
//! ([`webhook`], [`hook`]) costs only its own queue, which is bounded, and never a run. What was not told when the daemon
//! ended is told by the next one, if it is not older than an hour; in the gap of a crash a notice may come twice, and says
//! its number so that this shows.
//!
//! Known gap: how much was told within the hour is forgotten when the daemon ends.

mod allowance;
mod hook;
mod ledger;
mod message;
mod sample;
mod secret;
mod sink;
mod webhook;

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::task::AbortHandle;

use self::ledger::Ledger;
use self::message::Origin;
pub use self::sample::{Tried, try_all};
use self::sink::{Mailbox, Sink};
use super::core::CoreHandle;
use super::effects::{CurrentSettings, current};
use super::journal::Journal;
use super::redact::Redactor;
use super::status::Status;
use crate::config::{NotifySettings, Settings};
use crate::disk::{Layout, now};
use crate::pipeline::{Moment, Notice, Recorded, State, notice_of};

/// What is older is not news, and nobody is told of it afterwards; in milliseconds.
const NEWS: u64 = 3_600_000;
/// Events that are read of the journal at a time.
const AT_ONCE: u64 = 500;

/// Tells people of what happens, until the daemon ends.
pub async fn run(layout: Layout, settings: CurrentSettings, core: CoreHandle, status: Status) {
    let mut events = core.subscribe();
    let Some(last) = core.look(|state, _| state.sequence).await else { return };
    let ledger = Arc::new(Ledger::read(&layout, status.clone(), last));
    let mut teller = Teller { layout, settings, core, status, ledger, sinks: BTreeMap::new(), read: last };
    teller.arrange().await;
    if teller.tell_what_was_missed().await.is_none() {
        return;
    }
    loop {
        let heard = match events.recv().await {
            // It was read together with one before it.
            Ok(recorded) if recorded.sequence <= teller.read => continue,
            Ok(recorded) => Some(recorded.sequence),
            Err(RecvError::Lagged(_)) => None,
            Err(RecvError::Closed) => return,
        };
        teller.arrange().await;
        if let Some(sequence) = heard.filter(|_| teller.sinks.is_empty()) {
            // Nobody wants to know, and the core need not be asked.
            teller.read = sequence;
            continue;
        }
        if teller.tell_what_is_new().await.is_none() {
            return;
        }
    }
}

/// A queue and the task that empties it.
struct Worker {
    mailbox: Arc<Mailbox>,
    task: AbortHandle,
}

/// Reads the journal and hands out what is news.
struct Teller {
    layout: Layout,
    settings: CurrentSettings,
    core: CoreHandle,
    status: Status,
    ledger: Arc<Ledger>,
    sinks: BTreeMap<String, Worker>,
    /// The last event that was looked at.
    read: u64,
}

impl Teller {
    /// Makes workers for what is configured now, and ends those that are configured no more.
    async fn arrange(&mut self) {
        let settings = current(&self.settings);
        let is_configured = |name: &str| settings.notify.iter().any(|sink| sink.name == name);
        self.sinks.retain(|name, worker| {
            let stays = is_configured(name);
            if !stays {
                worker.task.abort();
                self.status.problem(&sink::subject(name), None);
            }
            stays
        });
        let names: Vec<&str> = settings.notify.iter().map(|sink| sink.name.as_str()).collect();
        self.ledger.keep(&names, self.read).await;
        for name in names {
            if !self.sinks.contains_key(name) {
                let worker = self.start(name);
                self.sinks.insert(name.to_owned(), worker);
            }
        }
    }

    fn start(&self, name: &str) -> Worker {
        let mailbox = Arc::new(Mailbox::default());
        let sink = Sink {
            name: name.to_owned(),
            mailbox: Arc::clone(&mailbox),
            settings: self.settings.clone(),
            ledger: Arc::clone(&self.ledger),
            status: self.status.clone(),
            folder: self.layout.project().to_owned(),
        };
        Worker { mailbox, task: tokio::spawn(sink.work()).abort_handle() }
    }

    /// What happened while no daemon told of it, of the last hour; `None` if the daemon ends.
    async fn tell_what_was_missed(&mut self) -> Option<()> {
        let Some(first) = self.ledger.least().await.filter(|first| *first < self.read) else { return Some(()) };
        let (last, since) = (self.read, now());
        let notices = self.core.look(move |state, journal| missed(state, journal, first, last, since)).await?;
        self.hand_out(notices).await;
        Some(())
    }

    /// What was written down since the last look; `None` if the daemon ends.
    async fn tell_what_is_new(&mut self) -> Option<()> {
        loop {
            let after = self.read;
            let look = self.core.look(move |state, journal| {
                let events = journal.after(after, AT_ONCE).unwrap_or_default();
                // An event that cannot be read is not told, and the daemon would not have started with it.
                let read = events.last().map_or(state.sequence, |last| last.sequence);
                (told(state, &events), read, state.sequence)
            });
            let (notices, read, last) = look.await?;
            self.read = read;
            self.hand_out(notices).await;
            if read >= last {
                return Some(());
            }
        }
    }

    /// Puts notices into the queues of all that want them and do not have them.
    async fn hand_out(&self, notices: Vec<Notice>) {
        if notices.is_empty() || self.sinks.is_empty() {
            return;
        }
        let settings = current(&self.settings);
        let redactor = self.core.door().renewed_for_task().await;
        let notices: Vec<Notice> = notices.into_iter().map(|notice| without_secrets(notice, &redactor)).collect();
        for sink in &settings.notify {
            let (Some(worker), Some(last)) = (self.sinks.get(&sink.name), self.ledger.last(&sink.name).await) else {
                continue;
            };
            let is_wanted = |notice: &&Notice| sink.on.contains(&notice.kind) && notice.sequence > last;
            for notice in notices.iter().filter(is_wanted) {
                worker.mailbox.put(notice.clone());
            }
        }
    }
}

impl Drop for Teller {
    fn drop(&mut self) {
        for worker in self.sinks.values() {
            worker.task.abort();
        }
    }
}

/// The notices of some events.
fn told(state: &State, events: &[Recorded]) -> Vec<Notice> {
    events.iter().filter_map(|recorded| notice_of(state, recorded)).collect()
}

/// The notices of events behind `first` up to `last` that are still news. They are read from the end, so that a journal of any
/// length costs no more than an hour of it.
fn missed(state: &State, journal: &Journal, first: u64, last: u64, at: Moment) -> Vec<Notice> {
    let mut notices: Vec<Notice> = Vec::new();
    let mut before = last + 1;
    loop {
        let events = journal.before(before, AT_ONCE).unwrap_or_default();
        let is_news = |recorded: &&Recorded| recorded.sequence > first && at.since(recorded.at) <= NEWS;
        let news: Vec<Recorded> = events.iter().filter(is_news).cloned().collect();
        let (is_all_news, begin) = (news.len() == events.len(), events.first().map_or(0, |event| event.sequence));
        notices.splice(0..0, told(state, &news));
        if !is_all_news || begin <= 1 {
            return notices;
        }
        before = begin;
    }
}

fn without_secrets(notice: Notice, redactor: &Redactor) -> Notice {
    Notice {
        title: redactor.redact(&notice.title).into_owned(),
        text: redactor.redact(&notice.text).into_owned(),
        ..notice
    }
}

/// Whose notices these are.
fn origin(settings: &Settings) -> Origin {
    let host = rustix::system::uname().nodename().to_string_lossy().into_owned();
    Origin { project: settings.name.clone(), host }
}

/// The present settings of a sink, and whose notices it tells; `None` once it is configured no more.
fn sink_settings(settings: &CurrentSettings, name: &str) -> Option<(NotifySettings, Origin)> {
    let settings = current(settings);
    let sink = settings.notify.iter().find(|sink| sink.name == name)?.clone();
    Some((sink, origin(&settings)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Event, NoticeKind};

    fn unlocked(sequence: u64, at: i64) -> Recorded {
        let event = Event::Unlocked { by: None, why: "its time is over".to_owned() };
        Recorded { sequence, at: Moment(at), event }
    }

    #[test]
    fn of_what_was_missed_the_last_hour_is_told_in_order_and_nothing_twice() {
        let folder = tempfile::tempdir().unwrap();
        let (mut journal, _) = Journal::open(&folder.path().join("journal.db")).unwrap();
        let hour = i64::try_from(NEWS).unwrap();
        let events: Vec<Recorded> =
            (1..=1_200).map(|sequence| unlocked(sequence, if sequence <= 100 { 0 } else { hour })).collect();
        journal.append(&events).unwrap();
        let told = |first| {
            let notices = missed(&State::default(), &journal, first, 1_200, Moment(hour + 1));
            assert!(notices.iter().all(|notice| notice.kind == NoticeKind::Lock));
            notices.iter().map(|notice| notice.sequence).collect::<Vec<_>>()
        };
        assert_eq!(told(0), (101..=1_200).collect::<Vec<_>>());
        assert_eq!(told(1_100), (1_101..=1_200).collect::<Vec<_>>());
        assert_eq!(told(1_200), Vec::<u64>::new());
    }
}
