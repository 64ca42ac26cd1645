//! A configured alert, its expression parsed once and looked at as often as is wanted.

use std::time::Duration;

use crate::config::{AlertSettings, SummaryPart, summary_parts};
use crate::pipeline::{Evidence, Moment, Reaction, ReleaseId};

use super::evidence::Inputs;
use super::states::Alert;
use crate::monitor::ReadStore;
use crate::monitor::promql::{self, InstantSample, Query};

/// How long, and under which labels: what the state machine needs of a rule.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rule {
    /// Its name.
    pub name: String,
    /// Its expression; when it changes, all that was known of the rule is forgotten.
    pub expr: String,
    /// `for`, in milliseconds.
    pub pending_for: u64,
    /// `keep_firing_for`, in milliseconds.
    pub keep_firing_for: u64,
    /// A label of its alerts.
    pub severity: Option<String>,
}

/// An alert that is evaluated.
#[derive(Debug, Clone)]
pub struct AlertRule {
    /// How long, and under which labels.
    pub rule: Rule,
    /// What follows when it fires.
    pub then: Reaction,
    /// Milliseconds in which nothing follows a second time.
    pub cooldown: u64,
    summary: Vec<SummaryPart>,
    query: Result<Query, String>,
    inputs: Inputs,
}

impl AlertRule {
    /// Parses the expression; one that cannot be evaluated says so each time it is looked at.
    pub fn from_settings(settings: &AlertSettings) -> Self {
        let rule = Rule {
            name: settings.name.clone(),
            expr: settings.expr.clone(),
            pending_for: milliseconds(settings.pending_for),
            keep_firing_for: milliseconds(settings.keep_firing_for),
            severity: settings.severity.clone(),
        };
        let query = promql::parse(&settings.expr).map_err(|error| error.to_string());
        let inputs = if query.is_ok() { Inputs::of(&settings.expr) } else { Inputs::default() };
        let text = settings.summary.as_deref().unwrap_or_default();
        let summary = summary_parts(text).unwrap_or_else(|_| vec![SummaryPart::Text(text.to_owned())]);
        Self { rule, then: settings.then, cooldown: milliseconds(settings.cooldown), summary, query, inputs }
    }

    /// What the expression gives at this moment; each series is an alert.
    pub fn look(&self, store: &impl ReadStore, at: Moment) -> Result<Vec<InstantSample>, String> {
        match &self.query {
            Ok(query) => query.instant(store, at).map_err(|error| error.to_string()),
            Err(error) => Err(error.clone()),
        }
    }

    /// What the expression says of the live release alone. It speaks against that only once it has done so for as long as an
    /// alert must wait, at each look; whoever does not want to know meanwhile asks about no release.
    pub fn evidence(&mut self, store: &impl ReadStore, at: Moment, live: Option<ReleaseId>) -> Evidence {
        match live {
            Some(live) => self.inputs.judge(store, at, live, self.rule.pending_for),
            None => {
                self.inputs.forget();
                Evidence::None
            }
        }
    }

    /// Whether the last look for evidence saw the live release clear for long enough: what an alert shows later has begun
    /// later, even if its window, or `keep_firing_for`, made it go on all the time.
    pub fn is_seen_clear(&self) -> bool {
        self.inputs.is_seen_clear()
    }

    /// The metrics that it is about, as far as they are named.
    pub fn metrics(&self) -> &[String] {
        self.inputs.metrics()
    }

    /// The sentence of its author, about this alert; empty when there is none.
    pub fn summary(&self, alert: &Alert) -> String {
        let part = |part: &SummaryPart| match part {
            SummaryPart::Text(text) => text.clone(),
            SummaryPart::Value => short(alert.value),
            SummaryPart::Label(name) => alert.labels.get(name).unwrap_or_default().to_owned(),
        };
        self.summary.iter().map(part).collect()
    }

    /// The labels by which an alert differs from others of its rule, as `PromQL` writes them; empty when there are none.
    pub fn telling_labels(&self, alert: &Alert) -> String {
        let own = alert.labels.keep(|name| name != super::ALERT_NAME && name != "severity");
        if own.is_empty() { String::new() } else { own.to_string() }
    }
}

fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A value for people: four digits that count.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() || size == 0.0 || size >= 1e4 {
        return value.to_string();
    }
    let decimals: usize = match size {
        1e3.. => 0,
        1e2.. => 1,
        1e1.. => 2,
        1.0.. => 3,
        0.1.. => 4,
        0.01.. => 5,
        0.001.. => 6,
        _ => return format!("{value:.3e}"),
    };
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}
