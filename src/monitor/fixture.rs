//! Stores for tests, filled as scrapes would fill them.

use std::time::Duration;

use crate::pipeline::Moment;

use super::exposition;
use super::labels::Labels;
use super::scrape::{Scrape, ScrapeError};
use super::series::SeriesStore;

/// Stands for "not exposed in this scrape".
pub(super) const ABSENT: f64 = f64::NEG_INFINITY;

/// A store that was scraped every `step_ms` from moment 0 on: each series, written as in a query, with its values in
/// turn.
pub(super) fn store(step_ms: i64, series: &[(&str, &[f64])]) -> SeriesStore {
    let mut store = SeriesStore::new(Duration::from_hours(240), 1_000);
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
    let samples = exposition::read(&page, 1_000).unwrap();
    store.record(Moment(at), &Labels::default(), &Ok(Scrape { samples, duration: Duration::ZERO }));
}

/// Adds one scrape that failed.
pub(super) fn fail(store: &mut SeriesStore, at: i64) {
    let error = ScrapeError::TooLarge { url: "http://app/metrics".to_owned() };
    store.record(Moment(at), &Labels::default(), &Err(error));
}
