//! What is known of all alerts, and one look at all of them.
//!
//! A look takes its time: expressions may reach far back. So it is taken on a copy of the book by whoever looks, while others
//! read the one from before; [`super::Alerting`] puts the copy in its place. Nothing here locks, writes a file or decides what
//! follows from an alert.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::api::types::{AlertReport, AlertRow, AlertStatus};
use crate::config::{AlertSettings, MonitorSettings};
use crate::disk::now;
use crate::engine::redact::Redactor;
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
    /// What it has never heard of: alerts are told, and compared with those above, without it.
    redactor: Arc<Redactor>,
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
    pub(super) fn of(state: &State, redactor: Arc<Redactor>) -> Self {
        let at = now();
        let silences = state.alerts.silences.iter().filter(|(_, silence)| silence.until > at);
        let firing = state.alerts.keys().map(|(name, labels)| (name.to_owned(), labels.to_owned()));
        Self {
            live: state.live,
            firing: firing.collect(),
            silences: silences.map(|(name, silence)| (name.clone(), silence.clone())).collect(),
            redactor,
        }
    }

    /// The labels by which an alert is told of.
    fn labels(&self, rule: &AlertRule, alert: &Alert) -> String {
        self.without_secrets(rule.telling_labels(alert))
    }

    fn without_secrets(&self, mut text: String) -> String {
        self.redactor.redact_in(&mut text);
        text
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
            labels: known.labels(rule, alert),
            state: alert.state,
            value: short(alert.value),
            since: since(alert),
            active_at: alert.active_at,
            fired_at: alert.fired_at,
            resolved_at: alert.resolved_at,
            summary: known.without_secrets(rule.summary(alert)),
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
/// would seem to end one that is not. Those that differ by a secret alone are one: of them the one that began last is told,
/// for it is of that one that the live release can be the cause.
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
        labels: known.labels(rule, alert),
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
    let mut by_labels: BTreeMap<String, FiringAlert> = BTreeMap::new();
    for alert in all.map(told) {
        match by_labels.entry(alert.labels.clone()) {
            Entry::Vacant(entry) => {
                entry.insert(alert);
            }
            Entry::Occupied(mut entry) if entry.get().since < alert.since => {
                entry.insert(alert);
            }
            Entry::Occupied(_) => {}
        }
    }
    let mut firing: Vec<FiringAlert> = by_labels.into_values().collect();
    firing.sort_by_key(|alert| !known.firing.contains(&key(alert)));
    firing.truncate(MOST_TOLD);
    firing
}

#[cfg(test)]
mod tests;
