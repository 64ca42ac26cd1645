//! One target: which series each line of its page stands for, and which of them are alive.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use super::super::exposition::SampleLine;
use super::super::labels::{Labels, METRIC_NAME};
use super::super::storage::{AppendError, SeriesId, SeriesStore};
use super::Recorded;
use super::lines::Lines;
use super::page::ReadPage;

/// Samples further ahead of the clock than this are refused, in milliseconds.
const AHEAD_MS: i64 = 600_000;
/// The label of what a strict reader refused.
const UNVERIFIED: &str = "unverified";
/// Stands before the remembered text of an unverified series; no line of a page begins with it.
const UNVERIFIED_MARK: char = '!';

/// What a scrape says of itself, in the order of [`Target::own`].
const OWN: [&str; 5] = [
    "up",
    "scrape_duration_seconds",
    "scrape_samples_scraped",
    "scrape_samples_post_metric_relabeling",
    "scrape_series_added",
];

/// What the scrapes of one target left behind.
#[derive(Debug, Default)]
pub(super) struct Target {
    /// The number of the latest scrape.
    scrape: u64,
    lines: Lines,
    own: [Option<SeriesId>; OWN.len()],
}

impl Target {
    /// Stores a page, or that there is none.
    pub(super) fn record(&mut self, store: &mut SeriesStore, at: i64, target: &Labels, page: ReadPage<'_>) -> Recorded {
        self.scrape += 1;
        self.lines.rewind();
        let mut recorded = Recorded { samples: page.seen, ..Recorded::default() };
        let mut stood = 0;
        for sample in &page.samples {
            if self.take(store, at, target, sample, &mut recorded) {
                stood += 1;
            }
        }
        for sample in &page.unverified {
            let labels = sample.labels.with(UNVERIFIED, "true");
            let labels = identify(&sample.name, &labels, target);
            let text = format!("{UNVERIFIED_MARK}{labels}");
            let sample = Line { text: &text, value: sample.value, timestamp: sample.timestamp };
            if self.append(store, at, &sample, || labels.clone(), &mut recorded) {
                recorded.unverified += 1;
            }
        }
        self.mark_ended(store, at);
        self.forget_lines(stood, page.error.is_some());
        self.report(store, at, target, &page, recorded.series_added);
        recorded.error = page.error;
        recorded
    }

    /// Ends every series.
    pub(super) fn end(&self, store: &mut SeriesStore, at: i64) {
        let alive = self.lines.all().iter().filter(|known| known.alive != 0).filter_map(|known| known.id);
        for id in alive.chain(self.own.iter().flatten().copied()) {
            store.mark_stale(id, at);
        }
    }

    /// Stores one sample; true if its line was not on this page before.
    fn take(
        &mut self,
        store: &mut SeriesStore,
        at: i64,
        target: &Labels,
        sample: &SampleLine<'_>,
        recorded: &mut Recorded,
    ) -> bool {
        let line = Line { text: sample.series, value: sample.value, timestamp: sample.timestamp };
        let labels = || identify(&sample.name(), &Labels::new(sample.labels()), target);
        self.append(store, at, &line, labels, recorded)
    }

    fn append(
        &mut self,
        store: &mut SeriesStore,
        at: i64,
        line: &Line<'_>,
        labels: impl Fn() -> Labels,
        recorded: &mut Recorded,
    ) -> bool {
        let moment = line.timestamp.unwrap_or(at);
        if moment > at.saturating_add(AHEAD_MS) {
            recorded.too_far_ahead += 1;
            return false;
        }
        let Some(known) = self.lines.take(line.text) else { return false };
        let (is_new, is_first) = (known.seen == 0, known.seen != self.scrape);
        known.seen = self.scrape;
        if !is_first && line.timestamp.is_none() {
            recorded.duplicates += 1;
            return false;
        }
        // Without room the labels, which cost the most, are not made again with each scrape.
        if known.id.is_none() && (is_new || store.has_room()) {
            known.id = store.resolve(&labels(), false);
            recorded.series_added += usize::from(known.id.is_some());
        }
        let mut appended = known.id.map(|id| store.append(id, moment, line.value));
        if matches!(appended, Some(Err(AppendError::UnknownSeries))) {
            // The store let it go meanwhile, as it does with what is older than the retention.
            known.id = store.resolve(&labels(), false);
            appended = known.id.map(|id| store.append(id, moment, line.value));
        }
        match appended {
            Some(Ok(())) if line.timestamp.is_none() => known.alive = self.scrape,
            Some(Ok(())) => {}
            Some(Err(AppendError::OutOfOrder)) => recorded.out_of_order += 1,
            Some(Err(AppendError::DuplicateForTimestamp)) => recorded.duplicates += 1,
            None | Some(Err(AppendError::UnknownSeries)) => recorded.without_room += 1,
        }
        is_first
    }

    /// Marks what was alive after the scrape before and is not after this one.
    fn mark_ended(&mut self, store: &mut SeriesStore, at: i64) {
        let scrape = self.scrape;
        let mut ended = Vec::new();
        for known in self.lines.all_mut().iter_mut().filter(|known| known.alive != 0 && known.alive != scrape) {
            known.alive = 0;
            ended.extend(known.id);
        }
        if ended.is_empty() {
            return;
        }
        // A series may be written in another way than before, with its labels in another order.
        let alive = self.lines.all().iter().filter(|known| known.alive == scrape);
        let alive: HashSet<SeriesId> = alive.filter_map(|known| known.id).collect();
        for id in ended.into_iter().filter(|id| !alive.contains(id)) {
            store.mark_stale(id, at);
        }
    }

    /// Forgets lines that a good page does not have any more, and unverified ones of earlier pages. After a failure the
    /// others are remembered: they come back with the app.
    fn forget_lines(&mut self, stood: usize, has_failed: bool) {
        let scrape = self.scrape;
        if has_failed {
            self.lines.retain(|known| known.seen == scrape || !known.text.starts_with(UNVERIFIED_MARK));
        } else if self.lines.all().len() > stood {
            self.lines.retain(|known| known.seen == scrape);
        }
    }

    /// Stores what the scrape says of itself. A moment that has it already, as when a target comes back at once, keeps it.
    fn report(&mut self, store: &mut SeriesStore, at: i64, target: &Labels, page: &ReadPage<'_>, added: usize) {
        let up = if page.error.is_none() { 1.0 } else { 0.0 };
        let values = [up, page.duration.as_secs_f64(), count(page.seen), count(page.seen), count(added)];
        for ((slot, name), value) in self.own.iter_mut().zip(OWN).zip(values) {
            let appended = slot.map(|id| store.append(id, at, value));
            if matches!(appended, None | Some(Err(AppendError::UnknownSeries))) {
                *slot = store.resolve(&target.with(METRIC_NAME, name), true);
                if let Some(id) = *slot {
                    let _ = store.append(id, at, value);
                }
            }
        }
    }
}

/// A sample as it is stored.
struct Line<'page> {
    /// By which its series is remembered.
    text: &'page str,
    value: f64,
    timestamp: Option<i64>,
}

/// A number of samples; bounded by the limits far below 2^32.
fn count(number: usize) -> f64 {
    u32::try_from(number).map_or(f64::INFINITY, f64::from)
}

/// The labels of a series: those of the sample, its name, and those of the target, which win.
fn identify(name: &str, own: &Labels, target: &Labels) -> Labels {
    let mut labels: BTreeMap<Arc<str>, Arc<str>> = target.shared().collect();
    labels.insert(Arc::from(METRIC_NAME), Arc::from(name));
    let (mut taken, free): (Vec<_>, Vec<_>) = own.shared().partition(|(label, _)| labels.contains_key(label));
    labels.extend(free);
    // The shorter name first, as Prometheus does: what it becomes is then out of reach for the longer one.
    taken.sort_by_key(|(label, _)| label.len());
    for (label, value) in taken {
        let mut renamed = format!("exported_{label}");
        while labels.contains_key(renamed.as_str()) {
            renamed.insert_str(0, "exported_");
        }
        labels.insert(Arc::from(renamed), value);
    }
    Labels::new(labels)
}
