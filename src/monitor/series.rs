//! Keeps the samples of all scraped targets in memory, for a limited time and a limited number of series.
//!
//! A series that was in one scrape of a target and is not in the next has ended, and so have all of them when a scrape
//! fails: each gets a stale marker, as in Prometheus, so that a query shows a gap at once instead of the last value for
//! five minutes. Series are found by the name of their metric first, so a query does not look at all of them. This file
//! reads no clock; a moment not after the last sample of a series is refused, so each series holds at most one sample
//! for a moment, in order.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use crate::pipeline::Moment;

use super::exposition::Sample;
use super::labels::{Labels, METRIC_NAME};
use super::scrape::{Scrape, ScrapeError};

/// The bits of the value that says "this series has ended": Prometheus' own, a NaN which arithmetic never yields.
const STALE_BITS: u64 = 0x7ff0_0000_0000_0002;

/// Samples of all series together, 16 bytes each: 128 MiB.
const SAMPLE_BUDGET: usize = 8 << 20;

/// The samples of every target within the retention.
#[derive(Debug)]
pub struct SeriesStore {
    retention_ms: i64,
    max_series: usize,
    by_name: BTreeMap<String, BTreeMap<Labels, Series>>,
    count: usize,
    targets: BTreeMap<Labels, Target>,
}

/// What the latest scrape of a target left behind.
#[derive(Debug, Default)]
struct Target {
    live: BTreeSet<Labels>,
    refused: u64,
}

impl SeriesStore {
    /// An empty store that forgets samples older than `retention` and takes in no more than `max_series` scraped
    /// series.
    pub fn new(retention: Duration, max_series: usize) -> Self {
        Self {
            retention_ms: i64::try_from(retention.as_millis()).unwrap_or(i64::MAX),
            max_series,
            by_name: BTreeMap::new(),
            count: 0,
            targets: BTreeMap::new(),
        }
    }

    /// Records what a scrape of `target` found, or that it failed, at the moment it was started.
    ///
    /// The labels of the target are added to every sample; a label of the sample with the same name is kept as
    /// `exported_…`. `up` (1 or 0), `scrape_samples_scraped` and, after a success, `scrape_duration_seconds` are
    /// recorded beside them; these three are exempt from the limit on series, or a full store could not even say that
    /// an app is down.
    pub fn record(&mut self, at: Moment, target: &Labels, outcome: &Result<Scrape, ScrapeError>) {
        self.forget_before(at.0.saturating_sub(self.retention_ms));
        self.shorten(at.0);
        let mut now = Target::default();
        for (name, value) in own_metrics(outcome) {
            let labels = target.with(METRIC_NAME, name);
            self.append(&labels, at.0, value, true);
            now.live.insert(labels);
        }
        for sample in outcome.iter().flat_map(|scrape| &scrape.samples) {
            let labels = identify(sample, target);
            if self.append(&labels, at.0, sample.value, false) {
                now.live.insert(labels);
            } else {
                now.refused += 1;
            }
        }
        let before = self.targets.remove(target).unwrap_or_default();
        for ended in before.live.difference(&now.live) {
            self.mark_stale(ended, at.0);
        }
        self.targets.insert(target.clone(), now);
    }

    /// Ends all series of a target that will not be scraped again, such as a release that was replaced.
    pub fn retire(&mut self, at: Moment, target: &Labels) {
        let before = self.targets.remove(target).unwrap_or_default();
        for ended in &before.live {
            self.mark_stale(ended, at.0);
        }
    }

    /// How many samples of the targets' latest scrapes found no room because the store holds `max_series` series
    /// already.
    pub fn refused_series(&self) -> u64 {
        self.targets.values().map(|target| target.refused).sum()
    }

    /// How many series are held.
    pub fn series_count(&self) -> usize {
        self.count
    }

    /// The series which `accepts` says yes to, sorted by their labels; only those of one metric when a name is given.
    pub(super) fn select<'a>(
        &'a self,
        name: Option<&str>,
        accepts: impl Fn(&Labels) -> bool,
    ) -> Vec<(&'a Labels, &'a Series)> {
        let groups: Vec<_> = match name {
            Some(name) => self.by_name.get(name).into_iter().collect(),
            None => self.by_name.values().collect(),
        };
        groups.into_iter().flatten().filter(|(labels, _)| accepts(labels)).collect()
    }

    /// Appends a sample; false if it would make a series for which there is no room.
    fn append(&mut self, labels: &Labels, at: i64, value: f64, exempt: bool) -> bool {
        let name = labels.name().unwrap_or_default();
        if let Some(series) = self.by_name.get_mut(name).and_then(|group| group.get_mut(labels)) {
            series.push(at, value);
            return true;
        }
        if self.count >= self.max_series && !exempt && !self.evict_ended() {
            return false;
        }
        let mut series = Series::default();
        series.push(at, value);
        self.by_name.entry(name.to_owned()).or_default().insert(labels.clone(), series);
        self.count += 1;
        true
    }

    /// Makes room by dropping the series that ended longest ago, such as those of releases that were replaced. False when
    /// every series is of a target that is still scraped.
    fn evict_ended(&mut self) -> bool {
        let series = self.by_name.values().flatten();
        let ended = series.filter(|(_, series)| series.has_ended()).min_by_key(|(_, series)| series.last_at());
        let Some(labels) = ended.map(|(labels, _)| labels.clone()) else { return false };
        if let Some(group) = self.by_name.get_mut(labels.name().unwrap_or_default()) {
            group.remove(&labels);
            self.count -= 1;
        }
        true
    }

    /// Memory is bounded whatever the retention says: beyond the budget the oldest tenth of the time goes.
    fn shorten(&mut self, now: i64) {
        let samples: usize = self.by_name.values().flatten().map(|(_, series)| series.samples.len()).sum();
        if samples <= SAMPLE_BUDGET {
            return;
        }
        let oldest = self.by_name.values().flatten().filter_map(|(_, series)| series.first_at()).min().unwrap_or(now);
        self.forget_before(oldest + (now - oldest) / 10);
    }

    fn mark_stale(&mut self, labels: &Labels, at: i64) {
        let group = self.by_name.get_mut(labels.name().unwrap_or_default());
        if let Some(series) = group.and_then(|group| group.get_mut(labels)) {
            series.push(at, f64::from_bits(STALE_BITS));
        }
    }

    fn forget_before(&mut self, oldest: i64) {
        for group in self.by_name.values_mut() {
            group.retain(|_, series| series.forget_before(oldest));
        }
        self.by_name.retain(|_, group| !group.is_empty());
        self.count = self.by_name.values().map(BTreeMap::len).sum();
    }
}

/// The metrics a scrape has about itself.
fn own_metrics(outcome: &Result<Scrape, ScrapeError>) -> Vec<(&'static str, f64)> {
    match outcome {
        Ok(scrape) => vec![
            ("up", 1.0),
            // Bounded by the sample limit, far below 2^32.
            ("scrape_samples_scraped", u32::try_from(scrape.samples.len()).map_or(f64::INFINITY, f64::from)),
            ("scrape_duration_seconds", scrape.duration.as_secs_f64()),
        ],
        Err(_) => vec![("up", 0.0), ("scrape_samples_scraped", 0.0)],
    }
}

/// The labels of a series: those of the sample, its name, and those of the target, which win.
fn identify(sample: &Sample, target: &Labels) -> Labels {
    let own = sample.labels.shared().map(|(name, value)| {
        let mut kept = name;
        // A label `exported_x` may be there already: then the prefix is put once more.
        while target.get(&kept).is_some() || sample.labels.get(&kept).is_some_and(|other| *other != *value) {
            kept = Arc::from(format!("exported_{kept}"));
        }
        (kept, value)
    });
    let name: (Arc<str>, Arc<str>) = (Arc::from(METRIC_NAME), Arc::from(sample.name.as_str()));
    Labels::new(own.chain(target.shared()).chain([name]))
}

/// The samples of one series, in the order of time: milliseconds since the epoch, and the value.
#[derive(Debug, Default)]
pub(super) struct Series {
    samples: VecDeque<(i64, f64)>,
}

impl Series {
    /// The value at `moment`: the last sample after `moment − look_back_ms`, unless it says that the series has ended.
    pub(super) fn at(&self, moment: i64, look_back_ms: i64) -> Option<f64> {
        let end = self.samples.partition_point(|(at, _)| *at <= moment);
        let (at, value) = self.samples.get(end.checked_sub(1)?)?;
        (*at > moment.saturating_sub(look_back_ms) && !is_stale(*value)).then_some(*value)
    }

    /// The samples after `after` up to and including `until`, without stale markers.
    pub(super) fn window(&self, after: i64, until: i64) -> Vec<(i64, f64)> {
        let start = self.samples.partition_point(|(at, _)| *at <= after);
        let end = self.samples.partition_point(|(at, _)| *at <= until).max(start);
        self.samples.range(start..end).filter(|(_, value)| !is_stale(*value)).copied().collect()
    }

    fn first_at(&self) -> Option<i64> {
        self.samples.front().map(|(at, _)| *at)
    }

    fn last_at(&self) -> Option<i64> {
        self.samples.back().map(|(at, _)| *at)
    }

    /// Whether its last sample says that it has ended.
    fn has_ended(&self) -> bool {
        self.samples.back().is_some_and(|(_, value)| is_stale(*value))
    }

    fn push(&mut self, at: i64, value: f64) {
        if self.samples.back().is_none_or(|(last, _)| *last < at) {
            self.samples.push_back((at, value));
        }
    }

    /// Drops samples before `oldest`; false if none is left.
    fn forget_before(&mut self, oldest: i64) -> bool {
        while self.samples.front().is_some_and(|(at, _)| *at < oldest) {
            self.samples.pop_front();
        }
        !self.samples.is_empty()
    }
}

fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_BITS
}

#[cfg(test)]
mod tests {
    use super::super::exposition;
    use super::*;

    const LOOK_BACK: i64 = 300_000;

    #[expect(clippy::unnecessary_wraps, reason = "the other outcome of a scrape is `failed`")]
    fn scraped(page: &str) -> Result<Scrape, ScrapeError> {
        Ok(Scrape { samples: exposition::read(page, 100).unwrap(), duration: Duration::from_millis(250) })
    }

    fn failed() -> Result<Scrape, ScrapeError> {
        Err(ScrapeError::TooLarge { url: "http://app/metrics".to_owned() })
    }

    fn app() -> Labels {
        Labels::new([("job", "app"), ("instance", "one")])
    }

    fn value(store: &SeriesStore, name: &str, at: i64) -> Option<f64> {
        store.select(Some(name), |_| true).first().and_then(|(_, series)| series.at(at, LOOK_BACK))
    }

    fn store() -> SeriesStore {
        SeriesStore::new(Duration::from_secs(10), 100)
    }

    #[test]
    fn a_scrape_tells_about_itself() {
        let mut store = store();
        store.record(Moment(1_000), &app(), &scraped("a 1\nb 2\n"));
        assert_eq!(value(&store, "up", 1_000), Some(1.0));
        assert_eq!(value(&store, "scrape_samples_scraped", 1_000), Some(2.0));
        assert_eq!(value(&store, "scrape_duration_seconds", 1_000), Some(0.25));
    }

    #[test]
    fn the_labels_of_the_target_win_and_the_others_are_kept() {
        let mut store = store();
        store.record(Moment(1_000), &app(), &scraped("a{job=\"mine\",exported_job=\"other\",x=\"y\"} 1\n"));
        let (labels, _) = store.select(Some("a"), |_| true)[0];
        assert_eq!(labels.get("job"), Some("app"));
        assert_eq!(labels.get("exported_job"), Some("other"));
        assert_eq!(labels.get("exported_exported_job"), Some("mine"));
        assert_eq!(labels.get("x"), Some("y"));
    }

    #[test]
    fn a_failed_scrape_ends_every_series_at_once() {
        let mut store = store();
        store.record(Moment(1_000), &app(), &scraped("a 1\n"));
        store.record(Moment(2_000), &app(), &failed());
        assert_eq!(value(&store, "a", 1_999), Some(1.0));
        assert_eq!(value(&store, "a", 2_000), None);
        assert_eq!(value(&store, "scrape_duration_seconds", 2_000), None);
        assert_eq!(value(&store, "up", 2_000), Some(0.0));
        store.record(Moment(3_000), &app(), &scraped("a 3\n"));
        assert_eq!(value(&store, "a", 3_000), Some(3.0));
    }

    #[test]
    fn a_series_that_is_no_longer_exposed_ends_at_once() {
        let mut store = store();
        store.record(Moment(1_000), &app(), &scraped("a 1\nb 1\n"));
        store.record(Moment(2_000), &app(), &scraped("a 2\n"));
        assert_eq!(value(&store, "b", 2_000), None);
        assert_eq!(value(&store, "a", 2_000), Some(2.0));
    }

    #[test]
    fn retiring_a_target_ends_only_its_series() {
        let mut store = store();
        let other = Labels::new([("job", "app"), ("instance", "two")]);
        store.record(Moment(1_000), &app(), &scraped("a 1\n"));
        store.record(Moment(1_000), &other, &scraped("a 2\n"));
        store.retire(Moment(2_000), &app());
        let alive: Vec<_> =
            store.select(Some("a"), |_| true).iter().filter_map(|(_, series)| series.at(2_000, LOOK_BACK)).collect();
        assert_eq!(alive, [2.0]);
        assert_eq!(store.select(Some("up"), |labels| labels.get("instance") == Some("two")).len(), 1);
    }

    #[test]
    fn samples_and_series_older_than_the_retention_are_forgotten() {
        let mut store = store();
        store.record(Moment(1_000), &app(), &scraped("a 1\nb 1\n"));
        store.record(Moment(2_000), &app(), &scraped("a 2\n"));
        assert_eq!(store.series_count(), 5);
        store.record(Moment(12_001), &app(), &scraped("a 3\n"));
        assert!(store.select(Some("b"), |_| true).is_empty());
        let (_, series) = store.select(Some("a"), |_| true)[0];
        assert_eq!(series.window(0, 20_000), [(12_001, 3.0)]);
        assert_eq!(store.series_count(), 4);
    }

    #[test]
    fn series_beyond_the_limit_are_refused_and_counted() {
        let mut store = SeriesStore::new(Duration::from_secs(10), 5);
        store.record(Moment(1_000), &app(), &scraped("a 1\nb 1\nc 1\nd 1\n"));
        assert_eq!(store.series_count(), 5);
        assert_eq!(store.refused_series(), 2);
        assert_eq!(value(&store, "c", 1_000), None);
        store.record(Moment(2_000), &app(), &scraped("a 2\nb 2\n"));
        assert_eq!(store.refused_series(), 0);
        assert_eq!(value(&store, "a", 2_000), Some(2.0));
    }

    #[test]
    fn a_moment_takes_one_sample_and_time_does_not_run_back() {
        let mut store = store();
        store.record(Moment(2_000), &app(), &scraped("a 1\na 9\n"));
        store.record(Moment(2_000), &app(), &scraped("a 9\n"));
        store.record(Moment(1_000), &app(), &scraped("a 9\n"));
        let (_, series) = store.select(Some("a"), |_| true)[0];
        assert_eq!(series.window(0, 3_000), [(2_000, 1.0)]);
    }

    #[test]
    fn windows_are_open_on_the_left() {
        let mut store = store();
        for at in [1_000, 2_000, 3_000] {
            store.record(Moment(at), &app(), &scraped("a 1\n"));
        }
        let (_, series) = store.select(Some("a"), |_| true)[0];
        assert_eq!(series.window(1_000, 3_000), [(2_000, 1.0), (3_000, 1.0)]);
        assert_eq!(series.at(3_999, 999), None);
        assert_eq!(series.at(3_999, 1_000), Some(1.0));
        assert!(series.window(3_000, 1_000).is_empty());
    }

    #[test]
    fn a_new_release_finds_room_where_the_old_one_ended() {
        let old = Labels::new([("release", "1")]);
        let new = Labels::new([("release", "2")]);
        let mut store = SeriesStore::new(Duration::from_hours(1), 5);
        store.record(Moment(1_000), &old, &scraped("a 1\nb 1\n"));
        store.retire(Moment(2_000), &old);
        store.record(Moment(3_000), &new, &scraped("a 1\nb 1\n"));
        assert_eq!(store.refused_series(), 0);
        // A series that is still scraped gives way to nobody.
        store.record(Moment(4_000), &Labels::new([("release", "3")]), &scraped("a 1\nb 1\nc 1\nd 1\ne 1\nf 1\n"));
        assert!(store.refused_series() > 0);
    }
}
