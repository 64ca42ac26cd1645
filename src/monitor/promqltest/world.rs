//! What has been loaded: a store, and where native histograms would be in it.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::monitor::promql::Reach;
use crate::monitor::storage::{SeriesStore, StoreLimits};
use crate::monitor::{Labels, METRIC_NAME};
use crate::pipeline::Moment;

use super::script::Load;
use super::series::Point;

/// The series of a file, as they are by now.
pub(super) struct World {
    pub(super) store: SeriesStore,
    /// When a series has a native histogram.
    histograms: BTreeMap<Labels, Vec<i64>>,
    /// The latest moment that was loaded: the clock of the store does not go back.
    newest: i64,
}

impl World {
    pub(super) fn new() -> Self {
        // Nothing is forgotten and nothing refused: what is tested are the answers.
        let limits = StoreLimits {
            retention: Duration::from_hours(24 * 365 * 100),
            bytes_on_disk: u64::MAX,
            max_series: 1_000_000,
        };
        Self { store: SeriesStore::in_memory(limits), histograms: BTreeMap::new(), newest: 0 }
    }

    pub(super) fn into_store(self) -> SeriesStore {
        self.store
    }

    /// Adds samples. Of two descriptions of one series the later counts.
    pub(super) fn load(&mut self, load: &Load) -> Result<(), String> {
        let series: BTreeMap<&Labels, &[Point]> =
            load.series.iter().map(|described| (&described.labels, described.points.as_slice())).collect();
        for (labels, points) in series {
            let id = self.store.resolve(labels, true).ok_or("the store has no room for the series")?;
            for (point, index) in points.iter().zip(0_i64..) {
                let at = load.gap_ms.saturating_mul(index);
                self.newest = self.newest.max(at);
                match point {
                    Point::Omitted => {}
                    Point::Value(value) => {
                        self.store.append(id, at, *value).map_err(|error| format!("{labels} at {at} ms: {error}"))?;
                    }
                    Point::Stale => self.store.mark_stale(id, at),
                    Point::Histogram => {
                        self.store.mark_stale(id, at);
                        self.histograms.entry(labels.clone()).or_default().push(at);
                    }
                }
            }
            if load.makes_native_histograms {
                self.note_conversion(labels, points, load.gap_ms);
            }
        }
        self.store.commit(Moment(self.newest)).map_err(|error| error.to_string())
    }

    /// Where the native histogram would be that is made of a classic one.
    fn note_conversion(&mut self, labels: &Labels, points: &[Point], gap_ms: i64) {
        let name = labels.name().unwrap_or_default();
        let Some(base) = ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(*suffix)) else {
            return;
        };
        let native = labels.with("le", "").with(METRIC_NAME, base);
        let times = points.iter().zip(0_i64..).filter(|(point, _)| matches!(point, Point::Value(_)));
        let times = times.map(|(_, index)| gap_ms.saturating_mul(index));
        self.histograms.entry(native).or_default().extend(times);
    }

    /// Whether a query would look at a native histogram.
    pub(super) fn has_histograms_within(&self, reach: &Reach<'_>) -> bool {
        let is_meant = |labels: &Labels| {
            reach.matchers.iter().all(|matcher| matcher.is_match(labels.get(&matcher.name).unwrap_or_default()))
        };
        let is_within = |at: &i64| *at > reach.after.0 && *at <= reach.until.0;
        !reach.is_of_floats
            && self.histograms.iter().any(|(labels, times)| is_meant(labels) && times.iter().any(is_within))
    }
}
