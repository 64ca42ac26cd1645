//! The state machine: for each rule, one alert for each set of labels that its expression gives.
//!
//! The meaning is that of Prometheus (`rules/alerting.go`): what is given becomes *pending*; it *fires* once `for` has
//! passed since it was first given without a break; a pending one that is not given is dropped at once; one that fires and
//! is not given goes on for `keep_firing_for` and is then resolved, which is remembered for a quarter of an hour. An
//! evaluation that fails changes nothing.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::pipeline::{AlertState, Moment};

use super::rule::Rule;
use crate::monitor::Labels;
use crate::monitor::promql::InstantSample;

/// The label that holds the name of the rule.
pub const ALERT_NAME: &str = "alertname";
/// How long a resolved alert is remembered, in milliseconds.
pub const RESOLVED_KEPT_MS: u64 = 15 * 60_000;
/// An absence beyond this many milliseconds is too long to go on waiting where one left off; Prometheus has an hour too.
const LONGEST_ABSENCE_MS: u64 = 60 * 60_000;
/// Alerts of one rule beyond this many are an expression that lacks an aggregation.
const MOST_ALERTS: usize = 1_000;

/// One alert.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Alert {
    /// The labels of the series, without the name of the metric, and those of the rule.
    pub labels: Labels,
    /// Where it stands.
    pub state: AlertState,
    /// The last value that was given.
    #[serde(with = "as_text")]
    pub value: f64,
    /// Since when it has been given.
    pub active_at: Moment,
    /// When it fired.
    pub fired_at: Option<Moment>,
    /// When it stopped firing.
    pub resolved_at: Option<Moment>,
    /// Since when it fires only because of `keep_firing_for`.
    pub keep_firing_since: Option<Moment>,
}

/// What happened to an alert.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It is given, and waits.
    Pending,
    /// It fires.
    Fired,
    /// It is not given any more, and goes on firing for a while.
    Kept,
    /// It fires no longer.
    Resolved,
    /// It was not given for long enough to fire.
    Dropped,
}

/// A change of one alert.
#[derive(Debug, Clone, PartialEq)]
pub struct Transition {
    /// The name of the rule.
    pub rule: String,
    /// Which of its alerts.
    pub labels: Labels,
    /// When.
    pub at: Moment,
    /// What happened.
    pub change: Change,
}

/// All alerts of all rules.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct AlertStates {
    rules: BTreeMap<String, RuleStates>,
    /// When they were last looked at.
    evaluated_at: Moment,
}

#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
struct RuleStates {
    expr: String,
    #[serde(with = "as_list")]
    alerts: BTreeMap<Labels, Alert>,
    /// Why the last evaluation failed.
    #[serde(skip)]
    error: Option<String>,
}

impl AlertStates {
    /// Takes in what the expression of a rule gives at a moment, or why it could not be evaluated.
    pub fn evaluate(&mut self, rule: &Rule, at: Moment, result: Result<Vec<InstantSample>, String>) -> Vec<Transition> {
        self.evaluated_at = at;
        let known = self.rules.entry(rule.name.clone()).or_default();
        if known.expr != rule.expr {
            *known = RuleStates { expr: rule.expr.clone(), ..RuleStates::default() };
        }
        let given = match result.and_then(|samples| labelled(rule, samples)) {
            Ok(given) => given,
            Err(error) => {
                known.error = Some(error);
                return Vec::new();
            }
        };
        known.error = None;
        known.take(rule, at, &given)
    }

    /// Forgets the rules that `is_configured` does not know any more.
    pub fn retain(&mut self, is_configured: impl Fn(&str) -> bool) {
        self.rules.retain(|name, _| is_configured(name));
    }

    /// Goes on at `at` where an earlier process left off. The time in which nobody looked does not count as waited: what is
    /// pending waits on for what it lacked, unless it was very long; what fires goes on firing.
    #[must_use]
    pub fn restored(mut self, at: Moment) -> Self {
        let absence = at.since(self.evaluated_at);
        for known in self.rules.values_mut() {
            known.alerts.retain(|_, alert| alert.state != AlertState::Pending || absence <= LONGEST_ABSENCE_MS);
            for alert in known.alerts.values_mut().filter(|alert| alert.state == AlertState::Pending) {
                alert.active_at = alert.active_at.plus(absence);
            }
        }
        self.evaluated_at = at;
        self
    }

    /// When they were last looked at.
    pub fn evaluated_at(&self) -> Moment {
        self.evaluated_at
    }

    /// The alerts of a rule, sorted by their labels; those that are resolved are among them for a while.
    pub fn alerts(&self, rule: &str) -> impl Iterator<Item = &Alert> {
        self.rules.get(rule).into_iter().flat_map(|known| known.alerts.values())
    }

    /// The most urgent state of all alerts of a rule.
    pub fn state(&self, rule: &str) -> AlertState {
        self.alerts(rule).map(|alert| alert.state).max().unwrap_or_default()
    }

    /// The expression by which a rule was last looked at; `None` if it never was.
    pub fn expression(&self, rule: &str) -> Option<&str> {
        self.rules.get(rule).map(|known| known.expr.as_str())
    }

    /// Why the last evaluation of a rule failed.
    pub fn error(&self, rule: &str) -> Option<&str> {
        self.rules.get(rule)?.error.as_deref()
    }

    /// Whether any alert is pending or fires.
    pub fn are_active(&self) -> bool {
        let mut alerts = self.rules.values().flat_map(|known| known.alerts.values());
        alerts.any(|alert| alert.state != AlertState::Inactive)
    }
}

impl RuleStates {
    fn take(&mut self, rule: &Rule, at: Moment, given: &BTreeMap<Labels, f64>) -> Vec<Transition> {
        for (labels, value) in given {
            match self.alerts.get_mut(labels) {
                Some(alert) if alert.state != AlertState::Inactive => alert.value = *value,
                _ => {
                    self.alerts.insert(labels.clone(), Alert::pending(labels.clone(), *value, at));
                }
            }
        }
        let mut transitions = Vec::new();
        self.alerts.retain(|labels, alert| {
            let (is_kept, change) = alert.advance(rule, at, given.contains_key(labels));
            transitions.extend(change.map(|change| Transition {
                rule: rule.name.clone(),
                labels: labels.clone(),
                at,
                change,
            }));
            is_kept
        });
        transitions
    }
}

impl Alert {
    fn pending(labels: Labels, value: f64, at: Moment) -> Self {
        Self {
            labels,
            state: AlertState::Pending,
            value,
            active_at: at,
            fired_at: None,
            resolved_at: None,
            keep_firing_since: None,
        }
    }

    /// Moves on; whether it is remembered, and what happened to it.
    fn advance(&mut self, rule: &Rule, at: Moment, is_given: bool) -> (bool, Option<Change>) {
        if !is_given {
            return self.miss(rule, at);
        }
        self.keep_firing_since = None;
        if self.state != AlertState::Pending {
            return (true, None);
        }
        if at.since(self.active_at) >= rule.pending_for {
            self.state = AlertState::Firing;
            self.fired_at = Some(at);
            return (true, Some(Change::Fired));
        }
        (true, (self.active_at == at).then_some(Change::Pending))
    }

    fn miss(&mut self, rule: &Rule, at: Moment) -> (bool, Option<Change>) {
        match self.state {
            AlertState::Pending => (false, Some(Change::Dropped)),
            AlertState::Inactive => {
                (self.resolved_at.is_some_and(|resolved| at.since(resolved) <= RESOLVED_KEPT_MS), None)
            }
            AlertState::Firing => {
                let is_first = self.keep_firing_since.is_none();
                let since = *self.keep_firing_since.get_or_insert(at);
                if at.since(since) < rule.keep_firing_for {
                    return (true, is_first.then_some(Change::Kept));
                }
                self.state = AlertState::Inactive;
                self.resolved_at = Some(at);
                (true, Some(Change::Resolved))
            }
        }
    }
}

/// The samples by the labels of their alerts.
fn labelled(rule: &Rule, samples: Vec<InstantSample>) -> Result<BTreeMap<Labels, f64>, String> {
    if samples.len() > MOST_ALERTS {
        let count = samples.len();
        return Err(format!(
            "the expression gives {count} series, and at most {MOST_ALERTS} can be alerts; aggregate them, for instance with sum by (…)"
        ));
    }
    let mut given = BTreeMap::new();
    for sample in samples {
        let mut labels = sample.labels.without_name();
        if let Some(severity) = &rule.severity {
            labels = labels.with("severity", severity);
        }
        labels = labels.with(ALERT_NAME, &rule.name);
        if given.insert(labels.clone(), sample.value).is_some() {
            return Err(format!(
                "the expression gives two series that are the same alert {labels}; aggregate them, for instance with max by (…)"
            ));
        }
    }
    Ok(given)
}

/// JSON has neither NaN nor infinities.
mod as_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    #[expect(clippy::trivially_copy_pass_by_ref, reason = "serde wants it so")]
    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(value)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

/// A map by labels, as a list: the labels are in its members already.
mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serializer};

    use super::{Alert, Labels};

    pub(super) fn serialize<S: Serializer>(alerts: &BTreeMap<Labels, Alert>, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(alerts.values())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<Labels, Alert>, D::Error> {
        let alerts = Vec::<Alert>::deserialize(deserializer)?;
        Ok(alerts.into_iter().map(|alert| (alert.labels.clone(), alert)).collect())
    }
}
