//! From a page to the store: what a scrape found, or that it failed, becomes samples and stale markers.
//!
//! A page counts whole or not at all, so it is read to its end ([`ReadPage`]) before the first sample is stored. Each
//! target remembers which series every line of its page stands for, by the very text of the line ([`lines`]), so that a
//! page like the last one costs a comparison a line, and neither labels nor memory. What was on the last page and is not on
//! this one has ended and gets a stale marker, and so does all of it when a scrape fails: a query then shows a gap at once
//! instead of the last value for five minutes. Times of samples, duplicates and what a scrape says of itself are as in
//! Prometheus 3. This file reads no clock and touches no network.

mod lines;
mod metadata;
mod page;
mod target;

#[cfg(test)]
mod tests;

pub use page::ReadPage;

use std::collections::{BTreeMap, HashMap};

use crate::pipeline::Moment;
use crate::pipeline::quantity::counted;

use super::exposition::Metadata;
use super::labels::Labels;
use super::scrape::{Fetched, ScrapeError};
use super::storage::SeriesStore;
use metadata::Descriptions;
use target::Target;

/// What became of one scrape.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Recorded {
    /// Samples on the page.
    pub samples: usize,
    /// Series that were not on the page before.
    pub series_added: usize,
    /// Samples that would have begun a series for which there is no room.
    pub without_room: usize,
    /// Samples older than what their series has already.
    pub out_of_order: usize,
    /// Samples whose series stands on the page more than once; the first one counts.
    pub duplicates: usize,
    /// Samples more than ten minutes ahead of the clock here.
    pub too_far_ahead: usize,
    /// Samples of a refused page that were kept as unverified.
    pub unverified: usize,
    /// Why the scrape counts as failed.
    pub error: Option<ScrapeError>,
}

impl Recorded {
    /// What was wrong with single samples of a page that counts, and what to do.
    pub fn complaint(&self) -> Option<String> {
        let complaints = [
            (self.out_of_order, "older than what is stored; check the clock, or the timestamps that the app writes"),
            (
                self.duplicates,
                "of a series that stands on the page twice, of which the first counts; mend the app's labels",
            ),
            (self.too_far_ahead, "more than 10 minutes ahead; check the clock, or the timestamps that the app writes"),
        ];
        let told: Vec<String> = complaints
            .into_iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{} {what}", counted(count, "sample")))
            .collect();
        (!told.is_empty()).then(|| told.join("; "))
    }
}

/// What all targets of one store have shown so far.
#[derive(Debug, Default)]
pub struct Ingest {
    targets: HashMap<Labels, Target>,
    descriptions: Descriptions,
}

impl Ingest {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Records what a scrape of `target` found, or that it failed, at the moment it was started.
    ///
    /// The labels of the target are added to every sample; a label of the sample with the same name is kept as
    /// `exported_…`. `up` (1 or 0) and the other metrics that a scrape has about itself are recorded beside them and are
    /// exempt from the limit on series, or a full store could not even say that an app is down.
    pub fn record(
        &mut self,
        store: &mut SeriesStore,
        at: Moment,
        target: &Labels,
        outcome: &Result<Fetched, ScrapeError>,
    ) -> Recorded {
        self.apply(store, at, target, ReadPage::of(outcome))
    }

    /// Records a page that was read already: reading needs no store, so nobody has to wait for it.
    pub fn apply(&mut self, store: &mut SeriesStore, at: Moment, target: &Labels, page: ReadPage<'_>) -> Recorded {
        self.descriptions.note(page.descriptions());
        let known = self.targets.entry(target.clone()).or_default();
        known.record(store, at.0, target, page)
    }

    /// Ends all series of a target that will not be scraped again, such as a release that was replaced.
    pub fn retire(&mut self, store: &mut SeriesStore, at: Moment, target: &Labels) {
        if let Some(known) = self.targets.remove(target) {
            known.end(store, at.0);
        }
    }

    /// Type, help and unit of each metric, as the pages said it last.
    pub fn metadata(&self) -> &BTreeMap<String, Metadata> {
        self.descriptions.all()
    }
}
