//! A page read to its end, or the reason why it counts for nothing.

use std::time::Duration;

use super::super::exposition::{Entry, Reader, Sample, SampleLine, read_lenient};
use super::super::scrape::{Fetched, ScrapeError, ScrapeFailure};

/// The most descriptions that are taken from one page; others are read, or the page could not be judged, and left.
const MOST_DESCRIPTIONS: usize = 60_000;

/// What a scrape found, ready to be stored.
#[derive(Debug)]
pub struct ReadPage<'page> {
    /// The samples; none if the page is refused.
    pub(super) samples: Vec<SampleLine<'page>>,
    /// What could be read of a refused page.
    pub(super) unverified: Vec<Sample>,
    /// How many samples were seen, on a refused page up to its fault.
    pub(super) seen: usize,
    /// How long the scrape took.
    pub(super) duration: Duration,
    /// Why it counts as failed.
    pub(super) error: Option<ScrapeError>,
    descriptions: Vec<Entry<'page>>,
}

impl<'page> ReadPage<'page> {
    /// Reads the page, if there is one.
    pub fn of(outcome: &'page Result<Fetched, ScrapeError>) -> Self {
        match outcome {
            Ok(fetched) => Self::read(fetched),
            Err(error) => Self { error: Some(error.clone()), ..Self::empty(error.took) },
        }
    }

    /// Why it counts as failed.
    pub fn error(&self) -> Option<&ScrapeError> {
        self.error.as_ref()
    }

    /// What the page says of its metrics.
    pub(super) fn descriptions(&self) -> &[Entry<'page>] {
        &self.descriptions
    }

    fn empty(duration: Duration) -> Self {
        Self { samples: Vec::new(), unverified: Vec::new(), seen: 0, duration, error: None, descriptions: Vec::new() }
    }

    fn read(fetched: &'page Fetched) -> Self {
        let mut page = Self::empty(fetched.duration);
        for entry in Reader::new(&fetched.body, fetched.format) {
            match entry {
                Ok(Entry::Sample(sample)) => {
                    page.seen += 1;
                    // Beyond the limit they are only counted: nothing of the page will be stored.
                    if page.seen <= fetched.sample_limit {
                        page.samples.push(sample);
                    }
                }
                Ok(description) if page.descriptions.len() < MOST_DESCRIPTIONS => page.descriptions.push(description),
                Ok(_) => {}
                Err(error) => {
                    page.refuse(fetched, ScrapeFailure::Refused(error));
                    if fetched.lenient {
                        page.unverified = read_lenient(&fetched.body, fetched.sample_limit);
                    }
                    return page;
                }
            }
        }
        if page.seen > fetched.sample_limit {
            page.refuse(fetched, ScrapeFailure::TooManySamples { limit: fetched.sample_limit });
        }
        page
    }

    fn refuse(&mut self, fetched: &Fetched, reason: ScrapeFailure) {
        self.samples = Vec::new();
        self.descriptions = Vec::new();
        self.error = Some(fetched.refused(reason));
    }
}
