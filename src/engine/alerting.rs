//! Alerts: looked at after each round of scrapes, told to the core, remembered over restarts.
//!
//! States are those of `monitor::alert`; what follows from them is decided by the core, which is told of all that fires and
//! finds out itself what is new. So it does not matter if the daemon is killed between two steps: the next one tells again.
//!
//! All that is known stands in one [`Book`], which is read as a whole and replaced as a whole. A round looks on a copy, so it
//! holds up nobody however long it takes; what came of it counts only if alerts are still configured as they were when it
//! began. Else it is as if nobody had looked, and the next round does. Silences are the core's: they are asked for behind the
//! look, and the core itself judges by those that it knows.

mod book;
mod last_known;

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::{StreamExt, stream};
use tokio::task::spawn_blocking;

use self::book::{Answers, Book, Known, key};
pub use self::last_known::{LastKnown, last_known};
use super::core::CoreHandle;
use super::effects::{CurrentSettings, current};
use super::monitoring::{Monitoring, Source};
use super::releases;
use super::status::Status;
use crate::api::types::{AlertReport, AlertSpan, AlertStrip, SilenceRequest, TimeColumns};
use crate::config::MonitorSettings;
use crate::disk::{Layout, now, write_whole};
use crate::monitor::alert::{AlertRule, Span};
use crate::monitor::promql;
use crate::pipeline::{AlertState, Evidence, FiringAlert, Input, Moment, Reaction, Silence};

/// The longest silence, in milliseconds: a year.
const LONGEST_SILENCE: u64 = 366 * 24 * 3_600_000;
/// Expressions that another server is asked at a time: enough that a slow one holds up few, and no burden to that server.
const ASKED_AT_ONCE: usize = 8;

/// The alerts of one project.
#[derive(Clone)]
pub struct Alerting {
    book: Arc<Mutex<Arc<Book>>>,
    settings: CurrentSettings,
    core: CoreHandle,
    status: Status,
    layout: Layout,
}

impl Alerting {
    /// Goes on where the daemon before left off.
    pub fn new(settings: CurrentSettings, core: CoreHandle, status: Status, layout: Layout) -> Self {
        let read = fs::read(file(&layout)).ok();
        let book = Arc::new(Book::restored(read.as_deref(), now()));
        Self { book: Arc::new(Mutex::new(book)), settings, core, status, layout }
    }

    /// What is known now. The lock is held for as long as it takes to count up.
    fn book(&self) -> Arc<Book> {
        Arc::clone(&self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What the core knows now, by labels without the secrets that are known now.
    async fn known(&self) -> Option<Known> {
        let redactor = self.core.door().redactor();
        self.core.look(move |state, _| Known::of(state, redactor)).await
    }

    /// Puts a copy in the place of the book of which it was made; false if alerts are configured otherwise by now, or if
    /// another round was faster.
    fn put_back(&self, former: &Arc<Book>, book: Book, settings: &MonitorSettings) -> bool {
        let mut held = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        if !Arc::ptr_eq(&held, former) || current(&self.settings).monitor.alerts != settings.alerts {
            return false;
        }
        *held = Arc::new(book);
        true
    }

    /// What the last look changed is not in the file.
    fn owe_file(&self) {
        let mut held = self.book.lock().unwrap_or_else(PoisonError::into_inner);
        let mut book = Book::clone(&held);
        book.owe_file();
        *held = Arc::new(book);
    }

    /// Looks at every rule over what has been scraped, here or by the Prometheus that is the source, and tells what is new.
    pub async fn round(&self, monitoring: &Monitoring) {
        let settings = current(&self.settings);
        let Some(known) = self.known().await else { return };
        let former = self.book();
        // With the last alert of the configuration goes what was known of it.
        if settings.monitor.alerts.is_empty() && known.firing.is_empty() && former.is_empty() {
            self.status.alerts(Vec::new());
            return;
        }
        let at = now();
        let Some(elsewhere) = elsewhere(monitoring, &settings.monitor, at).await else { return };
        let (mut book, store, configured) = (Book::clone(&former), monitoring.clone(), Arc::clone(&settings));
        // Expressions may look far back: others are to be answered meanwhile.
        let looked = spawn_blocking(move || {
            let round = book.round(&configured.monitor, &store, &elsewhere, &known, at);
            (book, round)
        });
        let Ok((book, round)) = looked.await else { return };
        if !self.put_back(&former, book, &settings.monitor) {
            return;
        }
        // An operator may have silenced something meanwhile.
        let Some(known) = self.known().await else { return };
        self.status.alerts(self.book().statuses(&known));
        if let Some(series) = round.series {
            monitoring.record_alerts(at, series);
        }
        if let Some(bytes) = round.file {
            let path = file(&self.layout);
            let written = spawn_blocking(move || write_whole(&path, &bytes)).await;
            let problem = written.ok().and_then(Result::err);
            if problem.is_some() {
                self.owe_file();
            }
            self.status.problem("alerts", problem.map(|error| format!("their states cannot be kept: {error}")));
        }
        let firing = round.firing;
        let told: BTreeSet<(String, String)> = firing.iter().map(key).collect();
        let is_over = known.firing.iter().any(|key| !told.contains(key));
        let Some((mut firing, is_news)) = self.with_news(firing, at).await else { return };
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
        let known = self.known().await?;
        Some(self.book().reports(&known))
    }

    /// Silences an alert in an operator's name, and says until when; `Err` says why not.
    pub async fn silence(&self, by: String, request: SilenceRequest) -> Result<Silence, String> {
        self.check_name(&request.alert)?;
        let length = request.milliseconds.min(LONGEST_SILENCE);
        if length == 0 {
            return Err("a silence of no length silences nothing; `trainyard alerts unsilence` ends one".to_owned());
        }
        let since = now();
        let SilenceRequest { alert, message, .. } = request;
        let silence = Silence { by: by.clone(), message: message.clone(), since, until: since.plus(length) };
        let input = Input::Silence { alert, by, message, until: silence.until };
        self.core.ask(input).await.map_err(|error| error.to_string())?;
        Ok(silence)
    }

    /// Ends a silence; `Err` says why not.
    pub async fn unsilence(&self, by: String, alert: String) -> Result<(), String> {
        let known = self.known().await.ok_or("the daemon is ending")?;
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
        let book = self.book();
        let panels: Vec<Option<promql::Query>> = panels.iter().map(|text| promql::parse(text).ok()).collect();
        let columns = TimeColumns { end, step: step.max(1), count: columns };
        let strip = |rule: &AlertRule| {
            let name = &rule.rule.name;
            let spans = book.history().spans(name, begin_of(columns), end);
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
        book.rules().iter().map(strip).filter(|strip| !strip.spans.is_empty()).collect()
    }
}

/// What a Prometheus says of each expression, where that is the source; empty where we look ourselves, and `None` if it is
/// not known where to look.
async fn elsewhere(monitoring: &Monitoring, settings: &MonitorSettings, at: Moment) -> Option<Answers> {
    let Source::Prometheus(client) = monitoring.source().ok()? else { return Some(Answers::new()) };
    let expressions: BTreeSet<String> = settings.alerts.iter().map(|alert| alert.expr.clone()).collect();
    let asked = stream::iter(expressions).map(move |expression| {
        let client = client.clone();
        async move {
            let answer = client.instant(&expression, at).await.map_err(|error| error.to_string());
            (expression, answer)
        }
    });
    Some(asked.buffer_unordered(ASKED_AT_ONCE).collect().await)
}

fn file(layout: &Layout) -> PathBuf {
    layout.state().join("alerts.json")
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
