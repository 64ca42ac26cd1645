//! Alerts as series, as Prometheus writes them beside what it scrapes.
//!
//! `ALERTS{alertname, alertstate, …}` is 1 for each alert that is pending or fires, and `ALERTS_FOR_STATE{alertname, …}` is
//! since when it has been given, in seconds. So the state of an alert can be asked for, charted and alerted on like anything
//! else. A series ends, with a stale marker, as soon as its alert is over or stands elsewhere. An evaluation that fails changes
//! nothing, here neither: the alert stands where it stood, and its series go on.
//!
//! They are stored like what an app exposes: kept for as long, and refused where `max_series` are reached.

use std::collections::BTreeMap;

use super::states::AlertStates;
use crate::monitor::labels::{Labels, METRIC_NAME};
use crate::monitor::storage::{AppendError, SeriesId, SeriesStore};
use crate::pipeline::{AlertState, Moment};

/// The name of the series that says that an alert is pending or fires.
const ALERTS: &str = "ALERTS";
/// The name of the series that says since when.
const ALERTS_FOR_STATE: &str = "ALERTS_FOR_STATE";
/// Its label that says which of both.
const STATE: &str = "alertstate";

/// A series of an alert, and its value now.
#[derive(Debug, Clone, PartialEq)]
pub struct AlertSample {
    /// Its labels, with the name of the metric.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// What stands for the alerts of these rules now.
pub fn alert_samples<'rule>(states: &AlertStates, rules: impl Iterator<Item = &'rule str>) -> Vec<AlertSample> {
    let mut samples = Vec::new();
    for alert in rules.flat_map(|rule| states.alerts(rule)).filter(|alert| alert.state != AlertState::Inactive) {
        let labels = alert.labels.with(METRIC_NAME, ALERTS).with(STATE, alert.state.word());
        samples.push(AlertSample { labels, value: 1.0 });
        let labels = alert.labels.with(METRIC_NAME, ALERTS_FOR_STATE);
        samples.push(AlertSample { labels, value: whole_seconds(alert.active_at) });
    }
    samples
}

/// The series of the alerts that stood at the last look.
#[derive(Debug, Default)]
pub struct AlertSeries {
    alive: BTreeMap<Labels, Option<SeriesId>>,
}

impl AlertSeries {
    /// None yet. What an earlier process left without an end is over once the look-back of queries is.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores what stands for the alerts at a moment, and ends what stood for them before and does not any more.
    pub fn record(&mut self, store: &mut SeriesStore, at: Moment, samples: &[AlertSample]) {
        let Moment(at) = at;
        let mut former = std::mem::take(&mut self.alive);
        for sample in samples {
            let mut id = former.remove(&sample.labels).flatten();
            let appended = id.map(|id| store.append(id, at, sample.value));
            if matches!(appended, None | Some(Err(AppendError::UnknownSeries))) {
                id = store.resolve(&sample.labels, false);
                if let Some(id) = id {
                    // A moment that is not after the last one, as when the clock went back, is left out.
                    let _ = store.append(id, at, sample.value);
                }
            }
            self.alive.insert(sample.labels.clone(), id);
        }
        for id in former.into_values().flatten() {
            store.mark_stale(id, at);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 285 million years")]
fn whole_seconds(at: Moment) -> f64 {
    at.0.div_euclid(1_000) as f64
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::monitor::alert::Rule;
    use crate::monitor::fixture::empty;
    use crate::monitor::promql::{InstantSample, parse};
    use crate::monitor::{StoreLimits, is_stale};

    fn rule() -> Rule {
        Rule { name: "Errors".to_owned(), expr: "errors > 5".to_owned(), pending_for: 2_000, ..Rule::default() }
    }

    /// One look; `given` are the paths of the series that the expression gives.
    fn look(states: &mut AlertStates, series: &mut AlertSeries, store: &mut SeriesStore, at: i64, given: &[&str]) {
        let sample = |path: &&str| InstantSample { labels: Labels::new([("path", *path)]), value: 9.0 };
        states.evaluate(&rule(), Moment(at), Ok(given.iter().map(sample).collect()));
        series.record(store, Moment(at), &alert_samples(states, ["Errors"].into_iter()));
    }

    fn asked(store: &SeriesStore, expression: &str, at: i64) -> Vec<(String, f64)> {
        let found = parse(expression).unwrap().instant(store, Moment(at)).unwrap();
        found.into_iter().map(|sample| (sample.labels.to_string(), sample.value)).collect()
    }

    #[test]
    fn the_state_of_an_alert_can_be_asked_for_and_ends_with_it() {
        let (mut states, mut series, mut store) = (AlertStates::default(), AlertSeries::new(), empty());
        let pending = "ALERTS{alertname=\"Errors\",alertstate=\"pending\",path=\"/a\"}".to_owned();
        let firing = "ALERTS{alertname=\"Errors\",alertstate=\"firing\",path=\"/a\"}".to_owned();
        look(&mut states, &mut series, &mut store, 61_500, &["/a"]);
        assert_eq!(asked(&store, "ALERTS", 61_500), [(pending, 1.0)]);
        let since = "ALERTS_FOR_STATE{alertname=\"Errors\",path=\"/a\"}".to_owned();
        assert_eq!(asked(&store, "ALERTS_FOR_STATE", 61_500), [(since, 61.0)]);
        look(&mut states, &mut series, &mut store, 63_500, &["/a"]);
        // At the very moment in which it fires it is not pending any more.
        assert_eq!(asked(&store, "ALERTS", 63_500), [(firing, 1.0)]);
        look(&mut states, &mut series, &mut store, 64_500, &[]);
        assert!(asked(&store, "{__name__=~\"ALERTS.*\"}", 64_500).is_empty());
        let mut all = store.select(&[], i64::MIN, i64::MAX);
        assert_eq!(all.len(), 3);
        assert!(all.iter_mut().all(|one| one.raw(0, 100_000).last().is_some_and(|(_, value)| is_stale(*value))));
    }

    #[test]
    fn alerts_beyond_the_limit_on_series_are_not_stored() {
        let (mut states, mut series) = (AlertStates::default(), AlertSeries::new());
        let limits = StoreLimits { retention: Duration::from_hours(1), bytes_on_disk: 1 << 20, max_series: 3 };
        let mut store = SeriesStore::in_memory(limits);
        for at in [1_000, 2_000] {
            look(&mut states, &mut series, &mut store, at, &["/a", "/b", "/c"]);
        }
        assert_eq!(store.statistics().live_series, 3);
        look(&mut states, &mut series, &mut store, 2_500, &[]);
        assert_eq!(store.statistics().live_series, 0);
    }
}
