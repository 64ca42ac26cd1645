//! What is known of all alerts, and one look at all of them.
//!
//! A look takes its time: expressions may reach far back. So it is taken on a copy of the book by whoever looks, while others
//! read the one from before; [`super::Alerting`] puts the copy in its place. Nothing here locks, writes a file or decides what
//! follows from an alert.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::api::types::{AlertReport, AlertRow, AlertStatus};
use crate::config::{AlertSettings, MonitorSettings};
use crate::disk::now;
use crate::monitor::ReadStore;
use crate::monitor::alert::{Alert, AlertHistory, AlertRule, AlertSample, AlertStates, alert_samples, short};
use crate::monitor::promql;
use crate::pipeline::{AlertState, Evidence, FiringAlert, Moment, ReleaseId, Silence, State};

/// Alerts of one rule beyond this many are shown, but not told to the core: they would only fill the journal.
const MOST_TOLD: usize = 20;
/// While something is pending or fires, the file is written at least so often, in milliseconds: what was waited is not lost.
const KEEP_EVERY: u64 = 10_000;

/// What another server says of expressions.
pub(super) type Answers = BTreeMap<String, Result<Vec<promql::InstantSample>, String>>;

/// All that is known of the alerts.
#[derive(Debug, Clone)]
pub(super) struct Book {
    /// The settings of which `rules` were made.
    configured: Vec<AlertSettings>,
    rules: Vec<AlertRule>,
    /// What each expression says of the live release alone, while it matters.
    evidence: BTreeMap<String, Evidence>,
    kept: Kept,
    kept_at: Moment,
    /// The file could not be written: what changed is not in it.
    owes_file: bool,
    /// Series of alerts stand in the store, and end there when the alerts do.
    has_series: bool,
}

/// What is in the file.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
pub(super) struct Kept {
    pub(super) states: AlertStates,
    history: AlertHistory,
    /// When a live release was last seen without the alert, by its own evidence; by the name of the rule.
    #[serde(default)]
    cleared: BTreeMap<String, Moment>,
}

/// What the core knows, taken in one look.
pub(super) struct Known {
    live: Option<ReleaseId>,
    /// Names and labels of what fires, as far as it was told of.
    pub(super) firing: BTreeSet<(String, String)>,
    pub(super) silences: BTreeMap<String, Silence>,
}

/// What came of one look at all rules.
pub(super) struct Round {
    pub(super) firing: Vec<FiringAlert>,
    pub(super) clear: Vec<String>,
    /// The file, if it is to be written now.
    pub(super) file: Option<Vec<u8>>,
    /// What goes into the store, if anything is or was to be there.
    pub(super) series: Option<Vec<AlertSample>>,
}

/// Of what is told: which alert it is.
pub(super) fn key(alert: &FiringAlert) -> (String, String) {
    (alert.name.clone(), alert.labels.clone())
}

impl Known {
    pub(super) fn of(state: &State) -> Self {
        let at = now();
        let silences = state.alerts.silences.iter().filter(|(_, silence)| silence.until > at);
        let firing = state.alerts.keys().map(|(name, labels)| (name.to_owned(), labels.to_owned()));
        Self {
            live: state.live,
            firing: firing.collect(),
            silences: silences.map(|(name, silence)| (name.clone(), silence.clone())).collect(),
        }
    }
}

impl Book {
    /// Goes on at `at` with what the daemon before wrote down. A file that cannot be read is no loss but of what was waited.
    pub(super) fn restored(file: Option<&[u8]>, at: Moment) -> Self {
        let read = file.and_then(|bytes| serde_json::from_slice::<Kept>(bytes).ok());
        let Kept { states, history, cleared } = read.unwrap_or_default();
        let history = history.restored(states.evaluated_at());
        Self { kept: Kept { states: states.restored(at), history, cleared }, ..Self::unread(&[]) }
    }

    /// What a daemon that is gone left of these alerts, as it was then; nothing when that cannot be read.
    pub(super) fn left(file: Option<&[u8]>, alerts: &[AlertSettings]) -> Option<Self> {
        let kept = file.and_then(|bytes| serde_json::from_slice::<Kept>(bytes).ok())?;
        Some(Self { kept, ..Self::unread(alerts) })
    }

    /// These alerts, of which nothing is known.
    pub(super) fn unread(alerts: &[AlertSettings]) -> Self {
        Self {
            configured: Vec::new(),
            rules: alerts.iter().map(AlertRule::from_settings).collect(),
            evidence: BTreeMap::new(),
            kept: Kept::default(),
            kept_at: Moment::default(),
            owes_file: false,
            has_series: false,
        }
    }

    /// When it was last looked.
    pub(super) fn evaluated_at(&self) -> Moment {
        self.kept.states.evaluated_at()
    }

    /// The expression of which the states of an alert tell.
    pub(super) fn expression(&self, name: &str) -> Option<&str> {
        self.kept.states.expression(name)
    }

    /// Whether no alert was looked at, and that is written down.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty() && !self.owes_file
    }

    pub(super) fn rules(&self) -> &[AlertRule] {
        &self.rules
    }

    pub(super) fn history(&self) -> &AlertHistory {
        &self.kept.history
    }

    /// The file of the last look could not be written, so the next look gives it again, whether anything changes or not.
    pub(super) fn owe_file(&mut self) {
        self.owes_file = true;
    }

    /// Looks at every rule.
    pub(super) fn round(
        &mut self,
        settings: &MonitorSettings,
        store: &impl ReadStore,
        elsewhere: &Answers,
        known: &Known,
        at: Moment,
    ) -> Round {
        // What an alert that is gone, or has another expression now, left in the file would be told as known otherwise.
        let is_new = self.configured != settings.alerts;
        let mut has_changed = std::mem::take(&mut self.owes_file) || is_new;
        if is_new {
            self.configured.clone_from(&settings.alerts);
            self.rules = settings.alerts.iter().map(AlertRule::from_settings).collect();
        }
        let mut round = Round { firing: Vec::new(), clear: Vec::new(), file: None, series: None };
        let is_configured = |name: &str| settings.alerts.iter().any(|alert| alert.name == name);
        self.kept.states.retain(is_configured);
        self.kept.cleared.retain(|name, _| is_configured(name));
        self.evidence.retain(|name, _| is_configured(name));
        for rule in &mut self.rules {
            let name = rule.rule.name.clone();
            let given = elsewhere.get(&rule.rule.expr).cloned().unwrap_or_else(|| rule.look(store, at));
            let transitions = self.kept.states.evaluate(&rule.rule, at, given);
            has_changed |= !transitions.is_empty();
            let state = self.kept.states.state(&name);
            self.kept.history.note(&name, state, at);
            let is_told = known.firing.iter().any(|(told, _)| *told == name);
            // What is asked for nobody is not worth a second look at the store, and what another server says is never acted
            // upon, for it knows nothing of our releases.
            let is_asked = elsewhere.is_empty() && (state != AlertState::Inactive || is_told);
            let evidence = rule.evidence(store, at, known.live.filter(|_| is_asked));
            if evidence == Evidence::Clear {
                round.clear.push(name.clone());
            }
            if rule.is_seen_clear() {
                self.kept.cleared.insert(name.clone(), at);
            }
            self.evidence.insert(name.clone(), evidence);
            let cleared = self.kept.cleared.get(&name).copied();
            round.firing.extend(firing(rule, &self.kept.states, evidence, cleared, known));
        }
        round.series = self.series(elsewhere.is_empty());
        let oldest = Moment(at.0.saturating_sub(i64::try_from(settings.retention.as_millis()).unwrap_or(i64::MAX)));
        self.kept.history.retain(oldest, is_configured);
        if has_changed || (self.kept.states.are_active() && at.since(self.kept_at) >= KEEP_EVERY) {
            self.kept_at = at;
            round.file = serde_json::to_vec(&self.kept).ok();
        }
        round
    }

    /// What the alerts are as series. With another server as the source nothing is stored here.
    fn series(&mut self, is_stored_here: bool) -> Option<Vec<AlertSample>> {
        let names = self.rules.iter().map(|rule| rule.rule.name.as_str());
        let samples = if is_stored_here { alert_samples(&self.kept.states, names) } else { Vec::new() };
        let had_series = std::mem::replace(&mut self.has_series, !samples.is_empty());
        (had_series || self.has_series).then_some(samples)
    }

    /// Where each alert stands.
    pub(super) fn statuses(&self, known: &Known) -> Vec<AlertStatus> {
        self.rules.iter().map(|rule| self.status(rule, known)).collect()
    }

    /// All that is known of each alert.
    pub(super) fn reports(&self, known: &Known) -> Vec<AlertReport> {
        self.rules.iter().map(|rule| self.report(rule, known)).collect()
    }

    fn status(&self, rule: &AlertRule, known: &Known) -> AlertStatus {
        let name = &rule.rule.name;
        let state = self.kept.states.state(name);
        let is_such = |alert: &&Alert| alert.state == state && state != AlertState::Inactive;
        let most_urgent = self.kept.states.alerts(name).filter(is_such);
        AlertStatus {
            name: name.clone(),
            state,
            since: most_urgent.map(since).min(),
            severity: rule.rule.severity.clone(),
            then: rule.then,
            silence: known.silences.get(name).cloned(),
            error: self.kept.states.error(name).map(str::to_owned),
        }
    }

    pub(super) fn report(&self, rule: &AlertRule, known: &Known) -> AlertReport {
        let row = |alert: &Alert| AlertRow {
            labels: rule.telling_labels(alert),
            state: alert.state,
            value: short(alert.value),
            since: since(alert),
            active_at: alert.active_at,
            fired_at: alert.fired_at,
            resolved_at: alert.resolved_at,
            summary: rule.summary(alert),
        };
        AlertReport {
            status: self.status(rule, known),
            expr: rule.rule.expr.clone(),
            pending_for: rule.rule.pending_for,
            keep_firing_for: rule.rule.keep_firing_for,
            cooldown: rule.cooldown,
            evidence: self.evidence.get(&rule.rule.name).copied().unwrap_or_default(),
            alerts: self.kept.states.alerts(&rule.rule.name).map(row).collect(),
        }
    }
}

/// Since when an alert stands where it stands.
fn since(alert: &Alert) -> Moment {
    match alert.state {
        AlertState::Pending => alert.active_at,
        AlertState::Firing => alert.fired_at.unwrap_or(alert.active_at),
        AlertState::Inactive => alert.resolved_at.unwrap_or(alert.active_at),
    }
}

/// The alerts of a rule that fire, as the core is told of them. Those that it knows go before others, or one that is new
/// would seem to end one that is not.
fn firing(
    rule: &AlertRule,
    states: &AlertStates,
    evidence: Evidence,
    cleared: Option<Moment>,
    known: &Known,
) -> Vec<FiringAlert> {
    let all = states.alerts(&rule.rule.name).filter(|alert| alert.state == AlertState::Firing);
    let told = |alert: &Alert| FiringAlert {
        name: rule.rule.name.clone(),
        labels: rule.telling_labels(alert),
        value: short(alert.value),
        summary: rule.summary(alert),
        // What held before a live release was seen without it is over; only its window, or `keep_firing_for`, is not.
        since: cleared.map_or(alert.active_at, |cleared| alert.active_at.max(cleared)),
        release: known.live,
        evidence,
        then: rule.then,
        cooldown: rule.cooldown,
        obstacle: None,
    };
    let mut firing: Vec<FiringAlert> = all.map(told).collect();
    firing.sort_by_key(|alert| !known.firing.contains(&key(alert)));
    firing.truncate(MOST_TOLD);
    firing
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::config::parse;
    use crate::monitor::{Labels, METRIC_NAME, SeriesStore, StoreLimits};
    use crate::pipeline::Reaction;

    const EXPRESSION: &str = "sum(errors) > 5";

    fn configured(alerts: Vec<AlertSettings>) -> MonitorSettings {
        let text = "[monitor]\nscrape = \"1s\"\n[stages.test]\ncommand = [\"true\"]\n";
        MonitorSettings { alerts, ..parse(text, "trainyard.toml").unwrap().monitor }
    }

    /// One alert, which is kept for ten minutes.
    fn settings() -> MonitorSettings {
        configured(vec![AlertSettings {
            name: "Errors".to_owned(),
            expr: EXPRESSION.to_owned(),
            pending_for: Duration::ZERO,
            keep_firing_for: Duration::from_mins(10),
            then: Reaction::Rollback,
            cooldown: Duration::from_mins(10),
            severity: None,
            summary: None,
        }])
    }

    fn known(live: u64) -> Known {
        Known { live: Some(ReleaseId(live)), firing: BTreeSet::new(), silences: BTreeMap::new() }
    }

    /// One scrape of a release that answers, with so many errors.
    fn scrape(store: &mut SeriesStore, release: u64, at: i64, errors: f64) {
        for (name, value) in [("up", 1.0), ("errors", errors)] {
            let labels = Labels::new([(METRIC_NAME, name), ("release", release.to_string().as_str())]);
            let id = store.resolve(&labels, true).unwrap();
            store.append(id, at, value).unwrap();
        }
    }

    /// The series of a release end.
    fn retire(store: &mut SeriesStore, release: u64, at: i64) {
        for name in ["up", "errors"] {
            let labels = Labels::new([(METRIC_NAME, name), ("release", release.to_string().as_str())]);
            let id = store.resolve(&labels, true).unwrap();
            store.mark_stale(id, at);
        }
    }

    fn store() -> SeriesStore {
        let limits = StoreLimits { retention: Duration::from_hours(1), bytes_on_disk: 1 << 20, max_series: 100 };
        SeriesStore::in_memory(limits)
    }

    #[test]
    fn a_copy_that_looks_leaves_the_book_that_others_read_as_it_was() {
        let mut store = store();
        scrape(&mut store, 1, 1_000, 9.0);
        let book = Book::restored(None, Moment(0));
        let mut copy = book.clone();
        let round = copy.round(&settings(), &store, &Answers::new(), &known(1), Moment(1_000));
        assert_eq!(round.firing.len(), 1);
        assert!(book.is_empty() && book.statuses(&known(1)).is_empty());
        assert_eq!(copy.statuses(&known(1))[0].state, AlertState::Firing);
    }

    #[test]
    fn an_alert_that_is_only_kept_begins_anew_with_the_release_that_shows_it_again() {
        let mut store = store();
        let mut book = Book::restored(None, Moment(0));
        let settings = settings();
        let mut look = |store: &SeriesStore, live: u64, at: i64| {
            let round = book.round(&settings, store, &Answers::new(), &known(live), Moment(at));
            round.firing.first().map(|alert| (alert.since, alert.evidence)).unwrap()
        };
        scrape(&mut store, 1, 1_000, 9.0);
        assert_eq!(look(&store, 1, 1_000), (Moment(1_000), Evidence::Against));
        // The release that was gone back to: a single scrape of it is not enough.
        scrape(&mut store, 2, 400_000, 0.0);
        assert_eq!(look(&store, 2, 400_000), (Moment(1_000), Evidence::Clear));
        scrape(&mut store, 2, 401_000, 0.0);
        assert_eq!(look(&store, 2, 401_000), (Moment(401_000), Evidence::Clear));
        // The alert has not ended, and the next release is a bad one.
        scrape(&mut store, 3, 403_000, 9.0);
        assert_eq!(look(&store, 3, 403_000), (Moment(401_000), Evidence::Against));
    }

    #[test]
    fn what_the_file_holds_is_read_again_and_an_older_file_too() {
        let mut store = store();
        scrape(&mut store, 1, 1_000, 9.0);
        let mut book = Book::restored(None, Moment(0));
        let round = book.round(&settings(), &store, &Answers::new(), &known(1), Moment(1_000));
        let file = round.file.unwrap();
        assert_eq!(Book::restored(Some(&file), Moment(2_000)).kept.states.state("Errors"), AlertState::Firing);
        let older = String::from_utf8(file).unwrap().replace(",\"cleared\":{}", "");
        assert!(!older.contains("cleared"));
        let restored = Book::restored(Some(older.as_bytes()), Moment(2_000));
        assert_eq!(restored.kept.states.state("Errors"), AlertState::Firing);
    }

    #[test]
    fn a_file_that_could_not_be_written_is_given_again() {
        let store = store();
        let mut book = Book::restored(None, Moment(0));
        let has_file = |book: &mut Book, at: i64| {
            book.round(&settings(), &store, &Answers::new(), &known(1), Moment(at)).file.is_some()
        };
        assert!(has_file(&mut book, 1_000), "the alert is new");
        assert!(!has_file(&mut book, 2_000), "nothing changed, and nothing is active");
        book.owe_file();
        assert!(has_file(&mut book, 3_000));
        assert!(!has_file(&mut book, 4_000));
    }

    #[test]
    fn what_is_not_configured_any_more_or_otherwise_does_not_stay_in_the_file() {
        let mut store = store();
        scrape(&mut store, 1, 1_000, 9.0);
        let mut book = Book::restored(None, Moment(0));
        let mut look = |settings: &MonitorSettings, at: i64| {
            let file = book.round(settings, &store, &Answers::new(), &known(1), Moment(at)).file;
            file.map(|file| Book::restored(Some(&file), Moment(at)).kept.states)
        };
        assert_eq!(look(&settings(), 1_000).unwrap().state("Errors"), AlertState::Firing);
        assert!(look(&settings(), 2_000).is_none(), "nothing changed");
        let mut other = settings();
        for alert in &mut other.alerts {
            alert.expr = "sum(errors) > 50".to_owned();
        }
        let states = look(&other, 3_000).unwrap();
        assert_eq!(
            (states.state("Errors"), states.expression("Errors")),
            (AlertState::Inactive, Some("sum(errors) > 50"))
        );
        assert_eq!(look(&configured(Vec::new()), 4_000).unwrap().expression("Errors"), None);
    }

    #[test]
    fn series_of_alerts_are_given_until_they_have_ended_and_not_of_another_server() {
        let mut store = store();
        let mut book = Book::restored(None, Moment(0));
        let calm = configured(Vec::new());
        scrape(&mut store, 1, 1_000, 9.0);
        let mut round = |settings: &MonitorSettings, elsewhere: &Answers| {
            book.round(settings, &store, elsewhere, &known(1), Moment(1_000)).series.map(|samples| samples.len())
        };
        assert_eq!(round(&calm, &Answers::new()), None);
        assert_eq!(round(&settings(), &Answers::new()), Some(2));
        let sample = promql::InstantSample { labels: Labels::default(), value: 9.0 };
        let elsewhere = Answers::from([(EXPRESSION.to_owned(), Ok(vec![sample]))]);
        assert_eq!(round(&settings(), &elsewhere), Some(0), "they end");
        assert_eq!(round(&settings(), &elsewhere), None);
    }

    proptest! {
        #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

        /// A bad release may follow a good one or a bad one at any moment. What is told as the beginning of an alert is either
        /// the beginning of the alert itself, or a moment at which the release then live was proven to be without it.
        #[test]
        fn an_alert_begins_anew_only_behind_a_release_that_was_seen_clear(
            steps in prop::collection::vec((prop::bool::weighted(0.15), prop::bool::weighted(0.4)), 1..80),
            pending in 0_i64..4,
        ) {
            let mut settings = settings();
            for alert in &mut settings.alerts {
                alert.pending_for = Duration::from_secs(pending.unsigned_abs());
            }
            let (mut store, mut book, mut live) = (store(), Book::restored(None, Moment(0)), 1_u64);
            // Release, moment, and whether it was bad.
            let mut scrapes: Vec<(u64, i64, bool)> = Vec::new();
            for (at, (is_deployed, is_bad)) in (1_i64..).map(|second| second * 1_000).zip(steps) {
                if is_deployed {
                    // Nobody scrapes the one before any more.
                    retire(&mut store, live, at);
                    live += 1;
                }
                scrape(&mut store, live, at, if is_bad { 9.0 } else { 0.0 });
                scrapes.push((live, at, is_bad));
                let round = book.round(&settings, &store, &Answers::new(), &known(live), Moment(at));
                let Some(told) = round.firing.first() else { continue };
                let alert = book.kept.states.alerts("Errors").next().unwrap();
                prop_assert!(told.since >= alert.active_at);
                if told.since == alert.active_at {
                    continue;
                }
                let Moment(cleared) = told.since;
                let (then_live, ..) = *scrapes.iter().find(|(_, at, _)| *at == cleared).unwrap();
                let own = || scrapes.iter().filter(|(release, at, _)| *release == then_live && *at <= cleared);
                prop_assert!(own().count() >= 2, "a single scrape proves nothing");
                prop_assert!(own().rev().take_while(|(_, at, _)| *at >= cleared - pending * 1_000).all(|(.., is_bad)| !is_bad));
                // A release that is blamed was not bad before that moment only to be bad behind it all the time.
                if told.evidence == Evidence::Against {
                    let since = scrapes.iter().filter(|(release, at, _)| *release == live && *at > cleared);
                    prop_assert!(since.clone().count() > 0);
                    prop_assert!(since.clone().any(|(.., is_bad)| *is_bad));
                }
            }
        }
    }
}
