//! Alerts: looked at after each round of scrapes, told to the core, remembered over restarts.
//!
//! States are those of `monitor::alert`; what follows from them is decided by the core, which is told of all that fires and
//! finds out itself what is new. So it does not matter if the daemon is killed between two steps: the next one tells again.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::core::CoreHandle;
use super::effects::{CurrentSettings, current};
use super::monitoring::{Monitoring, Source};
use super::releases;
use super::status::Status;
use crate::api::types::{AlertReport, AlertRow, AlertSpan, AlertStatus, AlertStrip, SilenceRequest, TimeColumns};
use crate::config::{AlertSettings, MonitorSettings};
use crate::disk::{Layout, now, write_whole};
use crate::monitor::ReadStore;
use crate::monitor::alert::{Alert, AlertHistory, AlertRule, AlertStates, Span, short};
use crate::monitor::promql;
use crate::pipeline::{AlertState, Evidence, FiringAlert, Input, Moment, Reaction, ReleaseId, Silence, State};

/// Alerts of one rule beyond this many are shown, but not told to the core: they would only fill the journal.
const MOST_TOLD: usize = 20;
/// While something is pending or fires, the file is written at least so often, in milliseconds: what was waited is not lost.
const KEEP_EVERY: u64 = 10_000;
/// The longest silence, in milliseconds: a year.
const LONGEST_SILENCE: u64 = 366 * 24 * 3_600_000;

/// What another server says of expressions.
type Answers = BTreeMap<String, Result<Vec<promql::InstantSample>, String>>;

/// The alerts of one project.
#[derive(Clone)]
pub struct Alerting {
    inner: Arc<Mutex<Inner>>,
    settings: CurrentSettings,
    core: CoreHandle,
    status: Status,
    layout: Layout,
}

struct Inner {
    /// The settings of which `rules` were made.
    configured: Vec<AlertSettings>,
    rules: Vec<AlertRule>,
    /// What each expression says of the live release alone, while it matters.
    evidence: BTreeMap<String, Evidence>,
    kept: Kept,
    kept_at: Moment,
}

/// What is in the file.
#[derive(Debug, Default, Clone, Serialize, Deserialize)]
struct Kept {
    states: AlertStates,
    history: AlertHistory,
}

/// What the core knows, taken in one look.
struct Known {
    live: Option<ReleaseId>,
    /// Names and labels of what fires, as far as it was told of.
    firing: BTreeSet<(String, String)>,
    silences: BTreeMap<String, Silence>,
}

/// What came of one look at all rules.
struct Round {
    firing: Vec<FiringAlert>,
    clear: Vec<String>,
    statuses: Vec<AlertStatus>,
    /// The file, if it is to be written now.
    file: Option<Vec<u8>>,
}

impl Alerting {
    /// Goes on where the daemon before left off. A file that cannot be read is no loss but of what was waited.
    pub fn new(settings: CurrentSettings, core: CoreHandle, status: Status, layout: Layout) -> Self {
        let read = fs::read(file(&layout)).ok().and_then(|bytes| serde_json::from_slice::<Kept>(&bytes).ok());
        let Kept { states, history } = read.unwrap_or_default();
        let history = history.restored(states.evaluated_at());
        let kept = Kept { states: states.restored(now()), history };
        let inner = Inner {
            configured: Vec::new(),
            rules: Vec::new(),
            evidence: BTreeMap::new(),
            kept,
            kept_at: Moment::default(),
        };
        Self { inner: Arc::new(Mutex::new(inner)), settings, core, status, layout }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at every rule over what has been scraped, here or by the Prometheus that is the source, and tells what is new.
    pub async fn round(&self, monitoring: &Monitoring) {
        let settings = current(&self.settings);
        let Some(known) = self.core.look(|state, _| Known::of(state)).await else { return };
        // With the last alert of the configuration goes what was known of it.
        if settings.monitor.alerts.is_empty() && known.firing.is_empty() && self.inner().rules.is_empty() {
            self.status.alerts(Vec::new());
            return;
        }
        let at = now();
        let Some(elsewhere) = elsewhere(monitoring, &settings.monitor, at).await else { return };
        let (alerting, store) = (self.clone(), monitoring.clone());
        // Expressions may look far back: others are to be answered meanwhile.
        let looked = spawn_blocking(move || {
            let round = alerting.inner().round(&settings.monitor, &store, &elsewhere, &known, at);
            (round, known)
        });
        let Ok((round, known)) = looked.await else { return };
        self.status.alerts(round.statuses);
        if let Some(bytes) = round.file {
            let path = file(&self.layout);
            let written = spawn_blocking(move || write_whole(&path, &bytes)).await;
            let problem = written.ok().and_then(Result::err);
            self.status.problem("alerts", problem.map(|error| format!("their states cannot be kept: {error}")));
        }
        let told: BTreeSet<(String, String)> = round.firing.iter().map(key).collect();
        let is_over = known.firing.iter().any(|key| !told.contains(key));
        let Some((mut firing, is_news)) = self.with_news(round.firing, at).await else { return };
        if is_news {
            self.add_obstacles(&mut firing).await;
        }
        if is_news || is_over {
            self.core.input(Input::Alerts { firing, clear: round.clear });
        }
    }

    /// Whether the core has something to decide about what fires.
    async fn with_news(&self, firing: Vec<FiringAlert>, at: Moment) -> Option<(Vec<FiringAlert>, bool)> {
        if firing.is_empty() {
            return Some((firing, false));
        }
        let look = self.core.look(move |state, _| {
            let is_news = firing.iter().any(|alert| state.has_news_of(alert, at));
            (firing, is_news)
        });
        look.await
    }

    /// Whether the image of the earlier release is still there is asked only when it matters, for it takes a look at a disk
    /// or an engine.
    async fn add_obstacles(&self, firing: &mut [FiringAlert]) {
        let goes_back =
            |alert: &&mut FiringAlert| alert.then == Reaction::Rollback && alert.evidence == Evidence::Against;
        let going_back: Vec<&mut FiringAlert> = firing.iter_mut().filter(goes_back).collect();
        if going_back.is_empty() {
            return;
        }
        let obstacle = self.obstacle().await;
        for alert in going_back {
            alert.obstacle.clone_from(&obstacle);
        }
    }

    async fn obstacle(&self) -> Option<String> {
        let way = self.core.look(|state, _| releases::way_back(state, None)).await?.ok()?;
        let place = self.status.now().target.and_then(|target| target.place);
        releases::plan_rollback(&self.layout, way, place.as_ref()).await.obstacle
    }

    /// All alerts as they are now.
    pub async fn report(&self) -> Option<Vec<AlertReport>> {
        let known = self.core.look(|state, _| Known::of(state)).await?;
        let inner = self.inner();
        Some(inner.rules.iter().map(|rule| inner.report(rule, &known)).collect())
    }

    /// Silences an alert, and says until when; `Err` says why not.
    pub async fn silence(&self, request: SilenceRequest) -> Result<Silence, String> {
        self.check_name(&request.alert)?;
        let length = request.milliseconds.min(LONGEST_SILENCE);
        if length == 0 {
            return Err("a silence of no length silences nothing; `trainyard alerts unsilence` ends one".to_owned());
        }
        let since = now();
        let SilenceRequest { by, alert, message, .. } = request;
        let silence = Silence { by: by.clone(), message: message.clone(), since, until: since.plus(length) };
        let input = Input::Silence { alert, by, message, until: silence.until };
        self.core.ask(input).await.map_err(|error| error.to_string())?;
        Ok(silence)
    }

    /// Ends a silence; `Err` says why not.
    pub async fn unsilence(&self, by: String, alert: String) -> Result<(), String> {
        let known = self.core.look(|state, _| Known::of(state)).await.ok_or("the daemon is ending")?;
        if !known.silences.contains_key(&alert) {
            self.check_name(&alert)?;
            return Err(format!("alert `{alert}` is not silenced"));
        }
        self.core.ask(Input::LiftSilence { alert, by }).await.map_err(|error| error.to_string())
    }

    fn check_name(&self, alert: &str) -> Result<(), String> {
        let settings = current(&self.settings);
        let names: Vec<&str> = settings.monitor.alerts.iter().map(|alert| alert.name.as_str()).collect();
        if names.contains(&alert) {
            return Ok(());
        }
        Err(if names.is_empty() {
            format!("there is no alert `{alert}`; no [[monitor.alerts]] are configured")
        } else {
            format!("there is no alert `{alert}`; the alerts are {}", names.join(", "))
        })
    }

    /// Where each alert was pending or fired in so many columns up to `end`, each `step` milliseconds wide. `panels` are the
    /// expressions of the charts above.
    pub fn strips(&self, end: Moment, step: u64, columns: usize, panels: &[&str]) -> Vec<AlertStrip> {
        let inner = self.inner();
        let panels: Vec<Option<promql::Query>> = panels.iter().map(|text| promql::parse(text).ok()).collect();
        let columns = TimeColumns { end, step: step.max(1), count: columns };
        let strip = |rule: &AlertRule| {
            let name = &rule.rule.name;
            let spans = inner.kept.history.spans(name, begin_of(columns), end);
            let is_about = |panel: &Option<promql::Query>| {
                panel.as_ref().is_some_and(|panel| rule.metrics().iter().any(|metric| panel.mentions(metric)))
            };
            AlertStrip {
                name: name.clone(),
                panels: panels
                    .iter()
                    .enumerate()
                    .filter(|(_, panel)| is_about(panel))
                    .map(|(index, _)| index)
                    .collect(),
                spans: spans.map(|span| covered(columns, span)).collect(),
            }
        };
        inner.rules.iter().map(strip).filter(|strip| !strip.spans.is_empty()).collect()
    }
}

/// What a Prometheus says of each expression, where that is the source; empty where we look ourselves, and `None` if it is
/// not known where to look.
async fn elsewhere(monitoring: &Monitoring, settings: &MonitorSettings, at: Moment) -> Option<Answers> {
    let mut answers = Answers::new();
    if let Source::Prometheus(client) = monitoring.source().ok()? {
        for alert in &settings.alerts {
            let answer = client.instant(&alert.expr, at).await.map_err(|error| error.to_string());
            answers.insert(alert.expr.clone(), answer);
        }
    }
    Some(answers)
}

fn file(layout: &Layout) -> PathBuf {
    layout.state().join("alerts.json")
}

fn key(alert: &FiringAlert) -> (String, String) {
    (alert.name.clone(), alert.labels.clone())
}

impl Known {
    fn of(state: &State) -> Self {
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

impl Inner {
    fn round(
        &mut self,
        settings: &MonitorSettings,
        store: &impl ReadStore,
        elsewhere: &Answers,
        known: &Known,
        at: Moment,
    ) -> Round {
        if self.configured != settings.alerts {
            self.configured.clone_from(&settings.alerts);
            self.rules = settings.alerts.iter().map(AlertRule::from_settings).collect();
        }
        let mut round = Round { firing: Vec::new(), clear: Vec::new(), statuses: Vec::new(), file: None };
        let mut has_changed = false;
        let is_configured = |name: &str| settings.alerts.iter().any(|alert| alert.name == name);
        self.kept.states.retain(is_configured);
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
            self.evidence.insert(name.clone(), evidence);
            round.firing.extend(firing(rule, &self.kept.states, evidence, known));
        }
        round.statuses = self.rules.iter().map(|rule| self.status(rule, known)).collect();
        let oldest = Moment(at.0.saturating_sub(i64::try_from(settings.retention.as_millis()).unwrap_or(i64::MAX)));
        self.kept.history.retain(oldest, is_configured);
        if has_changed || (self.kept.states.are_active() && at.since(self.kept_at) >= KEEP_EVERY) {
            self.kept_at = at;
            round.file = serde_json::to_vec(&self.kept).ok();
        }
        round
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

    fn report(&self, rule: &AlertRule, known: &Known) -> AlertReport {
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
fn firing(rule: &AlertRule, states: &AlertStates, evidence: Evidence, known: &Known) -> Vec<FiringAlert> {
    let all = states.alerts(&rule.rule.name).filter(|alert| alert.state == AlertState::Firing);
    let told = |alert: &Alert| FiringAlert {
        name: rule.rule.name.clone(),
        labels: rule.telling_labels(alert),
        value: short(alert.value),
        summary: rule.summary(alert),
        since: alert.active_at,
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

/// Before the first of these columns nothing is shown.
fn begin_of(columns: TimeColumns) -> Moment {
    let length = columns.step.saturating_mul(u64::try_from(columns.count).unwrap_or(u64::MAX));
    Moment(columns.end.0.saturating_sub(i64::try_from(length).unwrap_or(i64::MAX)))
}

/// The column in which a moment lies; the first or the last, if it lies before or behind all.
fn nearest(columns: TimeColumns, at: Moment) -> usize {
    let outside = if at > columns.end { columns.count.saturating_sub(1) } else { 0 };
    columns.column(at).unwrap_or(outside)
}

/// A stretch of time in columns, both ends included.
fn covered(columns: TimeColumns, span: &Span) -> AlertSpan {
    let from = nearest(columns, span.from);
    let to = span.until.map_or(columns.count.saturating_sub(1), |until| nearest(columns, until)).max(from);
    AlertSpan { from, to, firing: span.state == AlertState::Firing }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stretch_of_time_covers_the_columns_that_it_touches() {
        let columns = TimeColumns { end: Moment(10_000), step: 1_000, count: 5 };
        assert_eq!(begin_of(columns), Moment(5_000));
        let at = |from, until: Option<i64>| {
            let span = Span { state: AlertState::Firing, from: Moment(from), until: until.map(Moment) };
            let AlertSpan { from, to, firing } = covered(columns, &span);
            assert!(firing);
            (from, to)
        };
        assert_eq!(at(9_500, None), (4, 4));
        assert_eq!(at(7_500, Some(8_500)), (2, 3));
        assert_eq!(at(0, Some(6_500)), (0, 1));
        assert_eq!(at(0, None), (0, 4));
        assert_eq!(at(10_500, None), (4, 4), "a moment ahead of the clock is now");
    }
}
