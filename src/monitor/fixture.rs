//! Stores for tests, filled as scrapes would fill them.

use std::time::Duration;

use crate::pipeline::Moment;

use super::exposition::Format;
use super::ingest::Ingest;
use super::labels::Labels;
use super::scrape::{Fetched, ScrapeError, ScrapeFailure};
use super::storage::{SeriesStore, StoreLimits};

/// Stands for "not exposed in this scrape".
pub(super) const ABSENT: f64 = f64::NEG_INFINITY;
/// Longer than any test.
const EVER: Duration = Duration::from_hours(240);
const EVER_MS: i64 = 240 * 3_600_000;

/// A store without samples.
pub(super) fn empty() -> SeriesStore {
    SeriesStore::in_memory(StoreLimits { retention: EVER, bytes_on_disk: 1 << 30, max_series: 1_000 })
}

/// A store that was scraped every `step_ms` from moment 0 on: each series, written as in a query, with its values in
/// turn.
pub(super) fn store(step_ms: i64, series: &[(&str, &[f64])]) -> SeriesStore {
    let mut store = empty();
    let scrapes = series.iter().map(|(_, values)| values.len()).max().unwrap_or(0);
    for index in 0..scrapes {
        let at = step_ms * i64::try_from(index).unwrap();
        record(&mut store, at, series.iter().filter_map(|(text, values)| Some((*text, *values.get(index)?))));
    }
    store
}

/// Adds one successful scrape.
pub(super) fn record<'a>(store: &mut SeriesStore, at: i64, values: impl Iterator<Item = (&'a str, f64)>) {
    let page: String =
        values.filter(|(_, value)| *value != ABSENT).map(|(text, value)| format!("{text} {value}\n")).collect();
    add(store, at, &Ok(Fetched::new("http://app/metrics", page, Format::Text)));
}

/// Adds one scrape that failed.
pub(super) fn fail(store: &mut SeriesStore, at: i64) {
    let (url, took) = ("http://app/metrics".to_owned(), Duration::ZERO);
    add(store, at, &Err(ScrapeError { url, took, reason: ScrapeFailure::Status { status: 500 } }));
}

/// What the scrape before had and this one has not ends, as if one and the same target had been scraped all the time.
fn add(store: &mut SeriesStore, at: i64, outcome: &Result<Fetched, ScrapeError>) {
    let recorded = Ingest::new().record(store, Moment(at), &Labels::default(), outcome);
    assert!(outcome.is_err() || recorded.error.is_none(), "{recorded:?}");
    for mut series in store.select(&[], 0, i64::MAX) {
        if series.at(at, EVER_MS).is_some_and(|(last, _)| last < at)
            && let Some(id) = store.resolve(&series.labels, true)
        {
            store.mark_stale(id, at);
        }
    }
}
