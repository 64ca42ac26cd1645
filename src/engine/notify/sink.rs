//! One `[[notify]]`: its bounded queue, and the task that tells one notice after the other, patiently.

use std::collections::VecDeque;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use super::allowance::Allowance;
use super::ledger::Ledger;
use super::message::Message;
use super::webhook::{self, Undelivered};
use super::{hook, sink_settings};
use crate::config::{NotifySettings, NotifyWay};
use crate::engine::effects::CurrentSettings;
use crate::engine::status::Status;
use crate::pipeline::Notice;

/// The most notices that wait; beyond, the oldest go, for what is new matters more.
const QUEUE: usize = 200;
/// The time between the first two tries; it doubles with each, for a server that is down is not helped by being asked.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest time between two tries, also where the server asks for more.
const LONGEST_WAIT: Duration = Duration::from_mins(5);
/// How long one notice is tried, from when it came.
const PATIENCE: Duration = Duration::from_hours(1);

/// The subject of the problem of one in the status.
pub(super) fn subject(name: &str) -> String {
    format!("notify {name}")
}

/// A notice that waits.
struct Letter {
    notice: Notice,
    /// When it came.
    since: Instant,
}

/// What waits to be told.
#[derive(Default)]
pub(super) struct Mailbox {
    content: Mutex<Content>,
    came: Notify,
}

#[derive(Default)]
struct Content {
    letters: VecDeque<Letter>,
    dropped: u64,
}

impl Mailbox {
    /// Puts one in; it never waits.
    pub(super) fn put(&self, notice: Notice) {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        if content.letters.len() >= QUEUE {
            content.letters.pop_front();
            content.dropped += 1;
        }
        content.letters.push_back(Letter { notice, since: Instant::now() });
        drop(content);
        self.came.notify_one();
    }

    /// Waits for the next, and says how many were dropped before it.
    async fn take(&self) -> (Letter, u64) {
        loop {
            if let Some(taken) = self.try_take() {
                return taken;
            }
            // One that came in between has left its permit.
            self.came.notified().await;
        }
    }

    fn try_take(&self) -> Option<(Letter, u64)> {
        let mut content = self.content.lock().unwrap_or_else(PoisonError::into_inner);
        let letter = content.letters.pop_front()?;
        Some((letter, std::mem::take(&mut content.dropped)))
    }

    fn waiting(&self) -> usize {
        self.content.lock().unwrap_or_else(PoisonError::into_inner).letters.len()
    }
}

/// What one needs to do its work.
pub(super) struct Sink {
    /// Its name.
    pub(super) name: String,
    /// What it is to tell.
    pub(super) mailbox: Arc<Mailbox>,
    /// Looked at anew for each try, so that a mended address counts at once.
    pub(super) settings: CurrentSettings,
    /// Where is noted how far it has come.
    pub(super) ledger: Arc<Ledger>,
    /// Where people see that it fails.
    pub(super) status: Status,
    /// The project folder.
    pub(super) folder: PathBuf,
}

impl Sink {
    /// Tells what comes, until it is configured no more.
    pub(super) async fn work(self) {
        let mut allowance = Allowance::default();
        loop {
            let (letter, dropped) = self.mailbox.take().await;
            allowance.withhold(dropped);
            let Some((settings, _)) = sink_settings(&self.settings, &self.name) else { return };
            if let Some(withheld) = allowance.take(Instant::now(), settings.at_most)
                && !self.tell(&letter, withheld).await
            {
                allowance.withhold(withheld);
            }
            self.ledger.done(&self.name, letter.notice.sequence).await;
        }
    }

    /// Tries again and again, for as long as it makes sense; says whether it was told.
    async fn tell(&self, letter: &Letter, withheld: u64) -> bool {
        let mut wait = FIRST_WAIT;
        loop {
            let Some((settings, origin)) = sink_settings(&self.settings, &self.name) else { return false };
            let message = Message::new(&letter.notice, origin, withheld);
            let (reason, after) = match deliver(&settings, &message, &self.folder).await {
                Ok(_) => {
                    self.problem(None);
                    return true;
                }
                Err(Undelivered::Never { reason }) => {
                    self.problem(Some(format!("{reason}; \"{}\" was not told", letter.notice.title)));
                    return false;
                }
                Err(Undelivered::Later { reason, after }) => (reason, after),
            };
            let pause = after.map_or(wait, |after| after.clamp(wait, LONGEST_WAIT));
            if letter.since.elapsed() + pause > PATIENCE {
                let title = &letter.notice.title;
                self.problem(Some(format!("{reason}; \"{title}\" was not told, for it was tried for an hour")));
                return false;
            }
            let behind = match self.mailbox.waiting() {
                0 => String::new(),
                count => format!(", and {count} more wait"),
            };
            self.problem(Some(format!("{reason}; it is tried again{behind}")));
            tokio::time::sleep(pause).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    fn problem(&self, problem: Option<String>) {
        self.status.problem(&subject(&self.name), problem);
    }
}

/// Tells it once; says what came back.
pub(super) async fn deliver(
    settings: &NotifySettings,
    message: &Message,
    folder: &std::path::Path,
) -> Result<String, Undelivered> {
    match &settings.way {
        NotifyWay::Webhook(webhook) => webhook::send(webhook, message, settings.timeout, folder).await,
        NotifyWay::Command(words) => hook::run(words, message, settings.timeout, folder).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Moment, NoticeKind};

    fn notice(sequence: u64) -> Notice {
        Notice {
            kind: NoticeKind::Failure,
            title: String::new(),
            text: String::new(),
            run: None,
            stage: None,
            release: None,
            alert: None,
            at: Moment(0),
            sequence,
        }
    }

    #[tokio::test]
    async fn a_queue_is_bounded_and_what_fell_out_is_counted() {
        let mailbox = Mailbox::default();
        let most = u64::try_from(QUEUE).unwrap();
        for sequence in 1..=most + 3 {
            mailbox.put(notice(sequence));
        }
        assert_eq!(mailbox.waiting(), QUEUE);
        let (letter, dropped) = mailbox.take().await;
        assert_eq!((letter.notice.sequence, dropped), (4, 3));
        let (letter, dropped) = mailbox.take().await;
        assert_eq!((letter.notice.sequence, dropped), (5, 0));
    }

    #[tokio::test]
    async fn whoever_waits_is_woken_by_what_comes() {
        let mailbox = Arc::new(Mailbox::default());
        let waiting = tokio::spawn({
            let mailbox = Arc::clone(&mailbox);
            async move { mailbox.take().await.0.notice.sequence }
        });
        mailbox.put(notice(7));
        assert_eq!(waiting.await.unwrap(), 7);
    }
}
