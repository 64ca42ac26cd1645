//! Watching what is deployed: scraping it, and what is drawn and asked of it.
//!
//! `job` says what is scraped, `scraping` does it, `switch` keeps it quiet while releases change places, `recorder` writes
//! it down; `source` says whether charts, queries and alerts look into the store here or at an existing Prometheus. What is
//! drawn stands in `charts`, what expressions can be made of in `catalog`, and what completes one in `completion`.

mod catalog;
mod charts;
mod completion;
mod job;
mod recorder;
mod scraping;
mod source;
mod switch;

pub use source::Source;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, MutexGuard};

use tokio::task::spawn_blocking;

use super::alerting::Alerting;
use super::core::CoreHandle;
use super::effects::{CurrentSettings, current};
use super::own_metrics::{ScrapeCounts, Tallies};
use super::release_host::ReleaseHost;
use super::status::Status;
use crate::api::types::{QueryRow, RangeAnswer, RangeRow};
use crate::disk::{Layout, now};
use crate::monitor::alert::AlertSample;
use crate::monitor::promql::PromqlError;
use crate::monitor::{Metadata, ReadStore, SeriesStore, Statistics, promql, value_text};
use crate::pipeline::Moment;
use completion::Listed;
use recorder::Recorder;
use scraping::Answers;
use source::Sources;

/// Columns that a chart may be asked for.
const MAX_COLUMNS: usize = 2_000;
/// Points of all series of one answer together: what a client and this daemon can hold with ease.
const MAX_POINTS: usize = 1_000_000;

/// What was scraped, and how it is asked for.
#[derive(Clone)]
pub struct Monitoring {
    recorder: Recorder,
    sources: Sources,
    answers: Answers,
    folder: Arc<Path>,
    settings: CurrentSettings,
    core: CoreHandle,
    status: Status,
    host: ReleaseHost,
    alerting: Alerting,
    scrapes: Arc<ScrapeCounts>,
    tallies: Tallies,
    listed: Listed,
    /// When this daemon began to ask.
    began: Moment,
}

impl Monitoring {
    /// Opens what was recorded before.
    pub fn new(
        settings: CurrentSettings,
        core: CoreHandle,
        status: Status,
        host: ReleaseHost,
        layout: &Layout,
        alerting: Alerting,
    ) -> Self {
        let recorder = Recorder::start(&layout.series(), &current(&settings).monitor, &status);
        let sources = Sources::new(settings.clone());
        let tallies = Tallies::new(core.clone());
        let folder = Arc::from(layout.project());
        let (answers, scrapes, listed) = Default::default();
        Self {
            recorder,
            sources,
            answers,
            folder,
            settings,
            core,
            status,
            host,
            alerting,
            scrapes,
            tallies,
            listed,
            began: now(),
        }
    }

    /// Scrapes since the daemon started, and how many of them failed.
    pub fn scrapes(&self) -> (u64, u64) {
        self.scrapes.now()
    }

    /// What the store holds.
    pub fn statistics(&self) -> Statistics {
        self.store().statistics()
    }

    /// Records where alerts stand, as series.
    pub fn record_alerts(&self, at: Moment, samples: Vec<AlertSample>) {
        self.recorder.record_alerts(at, samples);
    }

    /// The sums of the journal.
    pub fn tallies(&self) -> &Tallies {
        &self.tallies
    }

    /// Whether alerts are configured.
    pub fn has_alerts(&self) -> bool {
        !current(&self.settings).monitor.alerts.is_empty()
    }

    /// The loopback address on which trainyard's own metrics are to be served now.
    pub fn listen(&self) -> Option<SocketAddr> {
        current(&self.settings).monitor.listen
    }

    /// What was recorded. Whoever holds this holds up the scrapes.
    fn store(&self) -> MutexGuard<'_, SeriesStore> {
        self.recorder.store()
    }

    /// Type, help and unit of each metric, as the targets say it.
    pub async fn metadata(&self) -> Result<BTreeMap<String, Metadata>, String> {
        match self.source()? {
            Source::Own => Ok(self.recorder.metadata()),
            Source::Prometheus(client) => client.metadata().await.map_err(|error| error.to_string()),
        }
    }

    /// Where charts, queries and alerts look now.
    pub fn source(&self) -> Result<Source, String> {
        self.sources.now()
    }

    /// The value of an expression at one moment, wherever it is evaluated.
    pub async fn instant(&self, expression: &str, at: Moment) -> Result<Vec<promql::InstantSample>, String> {
        match self.source()? {
            Source::Own => {
                let query = promql::parse(expression).map_err(|error| error.to_string())?;
                self.evaluated(move |store| query.instant(store, at)).await
            }
            Source::Prometheus(client) => client.instant(expression, at).await.map_err(|error| error.to_string()),
        }
    }

    /// Evaluates an expression at this moment.
    pub async fn query(&self, expression: &str) -> Result<Vec<QueryRow>, String> {
        let row = |sample: promql::InstantSample| QueryRow {
            labels: sample.labels.to_string(),
            value: value_text(sample.value),
        };
        Ok(self.instant(expression, now()).await?.into_iter().map(row).collect())
    }

    /// Evaluates an expression over the last `range` milliseconds, every `step` of them. All moments are multiples of the
    /// step, so that who asks again gets the same ones.
    pub async fn query_range(&self, expression: &str, range: u64, step: u64) -> Result<RangeAnswer, String> {
        let (wide, narrow) = (i64::try_from(range), i64::try_from(step));
        let (Ok(wide), Ok(narrow @ 1..)) = (wide, narrow) else {
            return Err(format!("{range} ms in steps of {step} ms cannot be evaluated; the step must be at least 1ms"));
        };
        let end = Moment(now().0.div_euclid(narrow).saturating_mul(narrow));
        let start = Moment(end.0.saturating_sub(wide / narrow * narrow));
        let found = self.series_over(expression, start, end, step).await?;
        let points: usize = found.iter().map(|series| series.points.len()).sum();
        if points > MAX_POINTS {
            return Err(format!(
                "the answer has {points} points in {} series, and at most {MAX_POINTS} are told; take a shorter range, \
                 a longer step, or aggregate the series, for instance with sum by (…)",
                found.len()
            ));
        }
        let row = |series: promql::RangeSeries| RangeRow {
            labels: series.labels.to_string(),
            points: series.points.into_iter().map(|(at, value)| (at, value_text(value))).collect(),
        };
        Ok(RangeAnswer { start, end, step, series: found.into_iter().map(row).collect() })
    }

    async fn series_over(
        &self,
        expression: &str,
        start: Moment,
        end: Moment,
        step: u64,
    ) -> Result<Vec<promql::RangeSeries>, String> {
        match self.source()? {
            Source::Own => {
                let query = promql::parse(expression).map_err(|error| error.to_string())?;
                self.evaluated(move |store| query.range(store, start, end, step)).await
            }
            Source::Prometheus(client) => {
                client.range(expression, start, end, step).await.map_err(|error| error.to_string())
            }
        }
    }

    /// What comes of an evaluation. It may take its time: it has a thread of its own, so that others are answered meanwhile,
    /// and reads the store without keeping it, so that scrapes are recorded.
    async fn evaluated<T: Send + 'static>(
        &self,
        evaluate: impl FnOnce(&Self) -> Result<T, PromqlError> + Send + 'static,
    ) -> Result<T, String> {
        let monitoring = self.clone();
        let evaluated = spawn_blocking(move || evaluate(&monitoring)).await;
        evaluated.map_err(|error| error.to_string())?.map_err(|error| error.to_string())
    }
}

impl ReadStore for Monitoring {
    fn read<T>(&self, look: impl FnOnce(&SeriesStore) -> T) -> T {
        self.recorder.read(look)
    }
}
