//! Scraping what is deployed, and the charts that are drawn of it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{MissedTickBehavior, interval};

use super::core::CoreHandle;
use super::effects::{CurrentSettings, current};
use super::release_host::ReleaseHost;
use super::status::Status;
use crate::api::types::{Charts, Curve, Mark, PanelData, QueryRow};
use crate::config::PanelSettings;
use crate::disk::now;
use crate::monitor::{Labels, Panel, SeriesStore, default_panels, promql, scrape};
use crate::pipeline::{Moment, Release};
use crate::target::host::{HostClient, Scraped};

/// Series of one project; an app that makes more than this has a label without bounds.
const MAX_SERIES: usize = 5_000;
/// Milliseconds between two notices that the app still answers.
const TELL_EVERY: u64 = 2_000;
/// Columns that a chart may be asked for.
const MAX_COLUMNS: usize = 2_000;

/// What was scraped, and how it is asked for.
#[derive(Clone)]
pub struct Monitoring {
    store: Arc<Mutex<SeriesStore>>,
    settings: CurrentSettings,
    core: CoreHandle,
    status: Status,
    host: ReleaseHost,
}

impl Monitoring {
    /// An empty store.
    pub fn new(settings: CurrentSettings, core: CoreHandle, status: Status, host: ReleaseHost) -> Self {
        let retention = current(&settings).monitor.retention;
        let store = Arc::new(Mutex::new(SeriesStore::new(retention, MAX_SERIES)));
        Self { store, settings, core, status, host }
    }

    fn store(&self) -> MutexGuard<'_, SeriesStore> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Scrapes what the live release runs as, for as long as the daemon runs.
    pub async fn run(self) {
        let mut scraped: Vec<Labels> = Vec::new();
        let mut every = current(&self.settings).monitor.scrape;
        let mut ticks = ticks(every);
        loop {
            ticks.tick().await;
            let settings = current(&self.settings);
            if settings.monitor.scrape != every {
                every = settings.monitor.scrape;
                ticks = self::ticks(every);
            }
            let live = self.core.look(|state, _| state.live_release().cloned()).await;
            let Some(live) = live else { return };
            let targets = match &live {
                Some(live) => self.host.instances().await.map(|found| targets(live, &found, &settings)),
                None => Ok(Vec::new()),
            };
            let listed: &[(String, Labels)] = targets.as_deref().unwrap_or_default();
            for old in scraped.iter().filter(|old| listed.iter().all(|(_, labels)| labels != *old)) {
                self.store().retire(now(), old);
            }
            scraped = listed.iter().map(|(_, labels)| labels.clone()).collect();
            match targets {
                Ok(_) if live.is_none() => self.status.scraped(None),
                Ok(targets) if targets.is_empty() => {
                    self.status.scraped(Some(Err("nothing of the live release runs at the moment".to_owned())));
                }
                Ok(targets) => self.scrape_all(targets, every).await,
                Err(error) => self.status.scraped(Some(Err(error))),
            }
        }
    }

    async fn scrape_all(&self, targets: Vec<(String, Labels)>, every: Duration) {
        let Some(client) = self.host.http() else { return };
        let limit = every.clamp(Duration::from_secs(1), Duration::from_secs(10));
        let at = now();
        let asked = targets.iter().map(|(url, _)| scrape(&client, url, limit));
        let outcomes = futures_util::future::join_all(asked).await;
        let mut failed = None;
        let refused = {
            let mut store = self.store();
            for ((_, labels), outcome) in targets.iter().zip(&outcomes) {
                store.record(at, labels, outcome);
                if let Err(error) = outcome {
                    failed.get_or_insert_with(|| error.to_string());
                }
            }
            store.refused_series()
        };
        let full = format!(
            "{refused} series found no room: the app makes more than {MAX_SERIES}; drop a label that has no bounds"
        );
        self.status.problem("monitor", (refused > 0).then_some(full));
        match (failed, self.status.now().scraped) {
            // Charts are drawn anew when this changes, and nobody needs that with each scrape.
            (None, Some(Ok(told))) if at.since(told) < TELL_EVERY => {}
            (None, _) => self.status.scraped(Some(Ok(at))),
            (Some(error), _) => self.status.scraped(Some(Err(error))),
        }
    }

    /// The panels over the last `range` milliseconds in `columns` columns, with the deploys in them.
    pub async fn charts(&self, range: u64, columns: usize) -> Charts {
        let columns = columns.clamp(1, MAX_COLUMNS);
        let range = range.clamp(1_000, 366 * 24 * 3_600_000);
        let end = now();
        let live = self
            .core
            .look(|state, _| {
                let began = |release: &Arc<Release>| release.live_since.map(|since| (release.id, since));
                state.releases.values().filter_map(began).collect::<Vec<_>>()
            })
            .await
            .unwrap_or_default();
        let configured = current(&self.settings).monitor.panels.clone();
        let panels = if configured.is_empty() { default_panels() } else { configured };
        let mut charts = Charts { end, step: (range / columns as u64).max(1), ..Charts::default() };
        let store = self.store();
        for settings in &panels {
            let (panel, last, step) = panel(&store, settings, end, range, columns);
            charts.end = last.unwrap_or(charts.end);
            charts.step = step.unwrap_or(charts.step);
            charts.panels.push(panel);
        }
        drop(store);
        charts.marks = live
            .into_iter()
            .filter_map(|(release, since)| {
                let back = charts.end.0.saturating_sub(since.0);
                let back = usize::try_from(back.max(0)).ok()? / usize::try_from(charts.step).ok()?.max(1);
                Some(Mark { column: (columns - 1).checked_sub(back)?, release })
            })
            .collect();
        charts
    }

    /// Evaluates an expression at this moment.
    pub fn query(&self, expression: &str) -> Result<Vec<QueryRow>, String> {
        let query = promql::parse(expression).map_err(|error| error.to_string())?;
        let samples = query.instant(&self.store(), now()).map_err(|error| error.to_string())?;
        let row = |sample: promql::InstantSample| QueryRow {
            labels: sample.labels.to_string(),
            value: sample.value.to_string(),
        };
        Ok(samples.into_iter().map(row).collect())
    }
}

fn ticks(every: Duration) -> tokio::time::Interval {
    let mut ticks = interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    ticks
}

/// Where each instance is scraped, and under which labels. The one process or container keeps the stable address as its
/// name over releases; pods have their own.
fn targets(live: &Release, instances: &[Scraped], settings: &crate::config::Settings) -> Vec<(String, Labels)> {
    let address = live.address.as_deref().unwrap_or_default().trim_start_matches("http://");
    let target = |found: &Scraped| {
        let mut labels = vec![
            ("job".to_owned(), settings.name.clone()),
            ("release".to_owned(), found.release.to_string()),
            ("instance".to_owned(), if found.is_pod { found.instance.clone() } else { address.to_owned() }),
        ];
        if found.is_pod {
            labels.push(("pod".to_owned(), found.instance.clone()));
            labels.push(("track".to_owned(), found.track.clone()));
        }
        (HostClient::scrape_url(&found.instance), Labels::new(labels))
    };
    instances.iter().map(target).collect()
}

fn panel(
    store: &SeriesStore,
    settings: &PanelSettings,
    end: Moment,
    range: u64,
    columns: usize,
) -> (PanelData, Option<Moment>, Option<u64>) {
    let drawn = Panel::from_settings(settings).and_then(|panel| panel.columns(store, end, range, columns));
    let mut data = PanelData {
        title: settings.title.clone(),
        unit: settings.unit.clone(),
        curves: Vec::new(),
        left_out: 0,
        error: None,
    };
    match drawn {
        Ok(drawn) => {
            data.left_out = drawn.left_out;
            let curve = |series: crate::monitor::PanelSeries| Curve { label: series.label, points: series.points };
            data.curves = drawn.series.into_iter().map(curve).collect();
            (data, Some(drawn.end), Some(drawn.step_ms))
        }
        Err(error) => {
            data.error = Some(error.to_string());
            (data, None, None)
        }
    }
}
