//! What changes often and is not journaled, in one place that clients are told of.

use std::sync::Arc;

use tokio::sync::watch;

use super::door::Door;
use super::operators::{Operators, Presence};
use super::redact::Redactor;
use crate::api::types::{AlertStatus, Live, LogAddress, OperatorSession, StageProgress, TargetReport, WatchHealth};
use crate::pipeline::{Moment, RunId, StageName};

/// Milliseconds for which it is not told again that the watcher still sees, for each screen would be sent it; those that warn of
/// a watcher that is silent wait for much longer.
const STILL_SEES: u64 = 20_000;

/// The one copy of [`Live`]; listeners hear of a change only where something is different.
#[derive(Debug, Clone)]
pub struct Status {
    live: watch::Sender<Live>,
    operators: Operators,
    door: Door,
}

impl Default for Status {
    fn default() -> Self {
        Self { live: watch::channel(Live::default()).0, operators: Operators::default(), door: Door::default() }
    }
}

impl Status {
    /// The same, which shows no secret that this door knows.
    #[must_use]
    pub fn behind(self, door: Door) -> Self {
        Self { door, ..self }
    }

    /// The present state.
    pub fn now(&self) -> Live {
        self.live.borrow().clone()
    }

    /// Tells of every later state; a slow listener gets only the newest.
    pub fn subscribe(&self) -> watch::Receiver<Live> {
        self.live.subscribe()
    }

    /// What takes out the secrets that are not shown.
    pub(super) fn redactor(&self) -> Arc<Redactor> {
        self.door.redactor()
    }

    /// How well the watcher sees.
    pub fn watch(&self, mut health: WatchHealth) {
        let redactor = self.redactor();
        let pending = std::mem::take(&mut health.pending).into_iter();
        health.pending = pending.map(|(file, state)| (redactor.redact(&file).into_owned(), state)).collect();
        health.beside = health.beside.take().map(|file| redactor.redact(&file).into_owned());
        self.change(|live| {
            if !live.watch.as_ref().is_some_and(|known| says_nothing_new(known, &health)) {
                live.watch = Some(health);
            }
        });
    }

    /// Whether the deployed app answered the last scrape.
    pub fn scraped(&self, scraped: Option<Result<Moment, String>>) {
        let scraped = scraped.map(|scraped| scraped.map_err(|error| self.clean(&error)));
        self.change(|live| live.scraped = scraped);
    }

    /// What the target says of what it runs.
    pub fn target(&self, target: Option<TargetReport>) {
        self.change(|live| live.target = target);
    }

    /// Where alerts stand.
    pub fn alerts(&self, alerts: Vec<AlertStatus>) {
        self.change(|live| live.alerts = alerts);
    }

    /// What keeps the daemon from doing all it should; `None` when that is over.
    pub fn problem(&self, subject: &str, problem: Option<String>) {
        let problem = problem.map(|problem| self.clean(&problem));
        self.change(|live| match problem {
            Some(problem) => {
                live.problems.insert(subject.to_owned(), problem);
            }
            None => {
                live.problems.remove(subject);
            }
        });
    }

    /// What a running stage says.
    pub fn progress(&self, progress: StageProgress) {
        self.change(|live| {
            let same = |other: &&mut StageProgress| other.run == progress.run && other.stage == progress.stage;
            match live.progress.iter_mut().find(same) {
                Some(known) => *known = progress,
                None => live.progress.push(progress),
            }
        });
    }

    /// A stage is over and says nothing more.
    pub fn quiet(&self, run: RunId, stage: &StageName) {
        self.change(|live| live.progress.retain(|progress| progress.run != run || progress.stage != *stage));
    }

    /// A log grew.
    pub fn logged(&self, log: LogAddress, lines: u64) {
        self.change(|live| live.log = Some((log, lines)));
    }

    /// A screen follows the daemon, for as long as what is given back is held.
    pub fn operator_came(&self, session: OperatorSession) -> Presence {
        let (name, from) = (self.clean(&session.name), session.from.as_deref().map(|from| self.clean(from)));
        let (entrance, replaced) = self.operators.came(OperatorSession { name, from, ..session });
        self.tell_operators();
        Presence::new(self.clone(), entrance, replaced)
    }

    /// It is gone.
    pub(super) fn operator_left(&self, entrance: u64) {
        self.operators.left(entrance);
        self.tell_operators();
    }

    /// It looks at something else. A screen that is not there has nothing to say.
    pub fn operator_views(&self, session: OperatorSession) {
        if self.operators.views(session) {
            self.tell_operators();
        }
    }

    fn tell_operators(&self) {
        // Read within the change, so that of two who come at once the later list is the one that stays.
        self.change(|live| live.operators = self.operators.list());
    }

    fn clean(&self, text: &str) -> String {
        self.redactor().redact(text).into_owned()
    }

    fn change(&self, change: impl FnOnce(&mut Live)) {
        self.live.send_if_modified(|live| {
            let before = live.clone();
            change(live);
            *live != before
        });
    }
}

/// Whether the watcher only sees what it saw a moment ago.
fn says_nothing_new(known: &WatchHealth, new: &WatchHealth) -> bool {
    let is_soon = known.last_seen.zip(new.last_seen).is_some_and(|(known, new)| {
        // A clock that was set back is news.
        new >= known && new.since(known) < STILL_SEES
    });
    is_soon && known.mode == new.mode && known.pending == new.pending && known.beside == new.beside
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::api::types::WatchMode;

    fn health(at: i64) -> WatchHealth {
        WatchHealth { mode: WatchMode::Notified, last_seen: Some(Moment(at)), pending: BTreeMap::new(), beside: None }
    }

    #[test]
    fn no_name_of_a_file_that_the_watcher_tells_of_shows_a_secret() {
        let folder = tempfile::tempdir().unwrap();
        let text = "[stages.test]\ncommand = [\"true\"]\nenvironment = { DB_PASSWORD = \"hunter-in-the-rye\" }\n";
        let settings = Arc::new(crate::config::parse(text, "trainyard.toml").unwrap());
        let status = Status::default().behind(Door::of(settings, folder.path()));
        let name = || "hunter-in-the-rye.csv".to_owned();
        let pending = BTreeMap::from([(name(), "settling".to_owned())]);
        status.watch(WatchHealth { pending, beside: Some(name()), ..health(1_000) });
        let told = format!("{:?}", status.now().watch);
        assert_eq!((told.matches(".csv").count(), told.matches("hunter").count()), (2, 0), "{told}");
    }

    #[test]
    fn that_the_watcher_still_sees_is_told_now_and_then_and_all_else_at_once() {
        let status = Status::default();
        let mut told = status.subscribe();
        let mut is_told = |health: WatchHealth| {
            status.watch(health);
            let is_told = told.has_changed().unwrap();
            told.borrow_and_update();
            is_told
        };
        assert!(is_told(health(1_000)));
        for at in [1_000, 3_000, 20_999] {
            assert!(!is_told(health(at)), "{at}");
        }
        assert!(is_told(health(21_000)));
        assert!(is_told(health(20_000)), "the clock was set back");
        let arriving =
            WatchHealth { pending: BTreeMap::from([("a.csv".to_owned(), "arriving".to_owned())]), ..health(20_001) };
        assert!(is_told(arriving));
        assert!(is_told(health(20_002)));
        let polling = WatchHealth { mode: WatchMode::Polling { reason: "a full kernel".to_owned() }, ..health(20_003) };
        assert!(is_told(polling));
    }
}
