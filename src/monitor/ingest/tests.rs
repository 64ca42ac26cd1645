//! What becomes of pages in a store, as Prometheus would have it.

use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};
use proptest::prelude::*;

use super::super::exposition::Format;
use super::super::labels::METRIC_NAME;
use super::super::scrape::{Fetched, ScrapeError, ScrapeFailure};
use super::super::storage::{SeriesStore, StoreLimits};
use super::*;

const LOOK_BACK: i64 = 300_000;

fn fetched(page: &str) -> Fetched {
    let duration = Duration::from_millis(250);
    Fetched { duration, ..Fetched::new("http://app/metrics", page, Format::Text) }
}

#[expect(clippy::unnecessary_wraps, reason = "the other outcome of a scrape is `failed`")]
fn scraped(page: &str) -> Result<Fetched, ScrapeError> {
    Ok(fetched(page))
}

fn failed() -> Result<Fetched, ScrapeError> {
    let (url, took) = ("http://app/metrics".to_owned(), Duration::from_millis(500));
    Err(ScrapeError { url, took, reason: ScrapeFailure::Status { status: 500 } })
}

fn app() -> Labels {
    Labels::new([("job", "app"), ("instance", "one")])
}

/// A store with its ingest.
struct Scraper {
    store: SeriesStore,
    ingest: Ingest,
}

impl Scraper {
    fn new(max_series: usize) -> Self {
        let limits = StoreLimits { retention: Duration::from_hours(1), bytes_on_disk: 1 << 30, max_series };
        Self { store: SeriesStore::in_memory(limits), ingest: Ingest::new() }
    }

    fn record(&mut self, at: i64, outcome: &Result<Fetched, ScrapeError>) -> Recorded {
        self.ingest.record(&mut self.store, Moment(at), &app(), outcome)
    }

    fn labels(&self, name: &str) -> Vec<Labels> {
        let matcher = Matcher::new(MatchOp::Equal, METRIC_NAME, name);
        let found = self.store.select(&[matcher], 0, i64::MAX);
        found.iter().map(|series| series.labels.clone()).collect()
    }

    /// The values of all series of that name.
    fn values(&self, name: &str, at: i64) -> Vec<f64> {
        let matcher = Matcher::new(MatchOp::Equal, METRIC_NAME, name);
        let mut found = self.store.select(&[matcher], 0, i64::MAX);
        found.iter_mut().filter_map(|series| series.at(at, LOOK_BACK)).map(|(_, value)| value).collect()
    }

    fn value(&self, name: &str, at: i64) -> Option<f64> {
        self.values(name, at).first().copied()
    }
}

fn scraper() -> Scraper {
    Scraper::new(100)
}

#[test]
fn a_scrape_tells_about_itself() {
    let mut scraper = scraper();
    let recorded = scraper.record(1_000, &scraped("a 1\nb 2\n"));
    assert_eq!((recorded.samples, recorded.series_added, recorded.error), (2, 2, None));
    assert_eq!(scraper.value("up", 1_000), Some(1.0));
    assert_eq!(scraper.value("scrape_duration_seconds", 1_000), Some(0.25));
    for own in ["scrape_samples_scraped", "scrape_samples_post_metric_relabeling", "scrape_series_added"] {
        assert_eq!(scraper.value(own, 1_000), Some(2.0), "{own}");
    }
    scraper.record(2_000, &scraped("a 1\nb 2\n"));
    assert_eq!(scraper.value("scrape_series_added", 2_000), Some(0.0));
}

#[test]
fn the_labels_of_the_target_win_and_the_others_are_kept() {
    let mut scraper = scraper();
    scraper.record(1_000, &scraped("a{job=\"mine\",exported_job=\"other\",x=\"y\"} 1\n"));
    let labels = &scraper.labels("a")[0];
    assert_eq!(labels.get("job"), Some("app"));
    assert_eq!(labels.get("exported_job"), Some("other"));
    assert_eq!(labels.get("exported_exported_job"), Some("mine"));
    assert_eq!(labels.get("x"), Some("y"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sample_goes_to_its_own_series_however_pages_change(
        pages in prop::collection::vec(
            prop::sample::subsequence((0..8_u32).collect::<Vec<u32>>(), 0..=8).prop_shuffle(),
            1..20,
        ),
    ) {
        let mut scraper = scraper();
        for (scrape, mut page) in (1_u32..).zip(pages) {
            let at = i64::from(scrape) * 1_000;
            let value = |series: u32| series * 1_000 + scrape;
            let lines: String = page.iter().map(|series| format!("a{{x=\"{series}\"}} {}\n", value(*series))).collect();
            scraper.record(at, &scraped(&lines));
            page.sort_unstable();
            let wanted: Vec<f64> = page.into_iter().map(|series| f64::from(value(series))).collect();
            prop_assert_eq!(scraper.values("a", at), wanted);
        }
    }
}

#[test]
fn a_failed_scrape_ends_every_series_at_once() {
    let mut scraper = scraper();
    scraper.record(1_000, &scraped("a 1\n"));
    let recorded = scraper.record(2_000, &failed());
    assert!(recorded.error.is_some());
    assert_eq!(scraper.value("a", 1_999), Some(1.0));
    assert_eq!(scraper.value("a", 2_000), None);
    assert_eq!(scraper.value("up", 2_000), Some(0.0));
    assert_eq!(scraper.value("scrape_duration_seconds", 2_000), Some(0.5));
    assert_eq!(scraper.value("scrape_samples_scraped", 2_000), Some(0.0));
    let recorded = scraper.record(3_000, &scraped("a 3\n"));
    assert_eq!(recorded.series_added, 0, "it is remembered");
    assert_eq!(scraper.value("a", 3_000), Some(3.0));
}

#[test]
fn one_bad_line_refuses_the_page_and_ends_every_series() {
    let mut scraper = scraper();
    scraper.record(1_000, &scraped("a 1\n"));
    let recorded = scraper.record(2_000, &scraped("a 2\nb one\n"));
    let error = recorded.error.unwrap();
    assert!(matches!(&error.reason, ScrapeFailure::Refused(error) if error.line == 2), "{error}");
    assert_eq!(scraper.value("a", 2_000), None);
    assert_eq!(scraper.value("up", 2_000), Some(0.0));
    assert_eq!(scraper.value("scrape_samples_scraped", 2_000), Some(1.0));
    assert!(scraper.labels("b").is_empty());
}

#[test]
fn a_lenient_target_keeps_what_can_be_read_of_a_refused_page_marked_as_unverified() {
    let mut scraper = scraper();
    let page = |text: &str| Ok(Fetched { lenient: true, ..fetched(text) });
    scraper.record(1_000, &page("a 1\n"));
    let recorded = scraper.record(2_000, &page("a 2\nb one\n"));
    assert!(recorded.error.is_some() && recorded.unverified > 0);
    let of_a = scraper.labels("a");
    assert_eq!(of_a.len(), 2);
    assert_eq!(of_a.iter().filter(|labels| labels.get("unverified") == Some("true")).count(), 1);
    assert_eq!(scraper.values("a", 2_000), [2.0]);
    assert_eq!(scraper.value("up", 2_000), Some(0.0));
    // Once the page is sound again, nothing unverified is left alive.
    scraper.record(3_000, &page("a 3\n"));
    assert_eq!(scraper.values("a", 3_000), [3.0]);
}

#[test]
fn a_series_that_is_no_longer_exposed_ends_at_once() {
    let mut scraper = scraper();
    scraper.record(1_000, &scraped("a 1\nb 1\n"));
    scraper.record(2_000, &scraped("a 2\n"));
    assert_eq!(scraper.value("b", 2_000), None);
    assert_eq!(scraper.value("a", 2_000), Some(2.0));
    scraper.record(3_000, &scraped(""));
    assert_eq!((scraper.value("a", 3_000), scraper.value("up", 3_000)), (None, Some(1.0)));
}

#[test]
fn a_series_that_is_written_in_another_way_goes_on() {
    let mut scraper = scraper();
    scraper.record(1_000, &scraped("a{x=\"1\",y=\"2\"} 1\n"));
    scraper.record(2_000, &scraped("a{y=\"2\",x=\"1\"} 2\n"));
    assert_eq!(scraper.values("a", 2_000), [2.0]);
    assert_eq!(scraper.labels("a").len(), 1);
}

#[test]
fn of_a_series_that_stands_twice_the_first_counts() {
    let mut scraper = scraper();
    let recorded = scraper.record(1_000, &scraped("a{p=\"1\"} 1\na{p=\"1\"} 2\na{p=\"1\",} 3\n"));
    assert_eq!((recorded.duplicates, recorded.samples, recorded.error.as_ref()), (2, 3, None));
    assert_eq!(scraper.values("a", 1_000), [1.0]);
    assert!(recorded.complaint().unwrap().starts_with("2 samples of a series that stands on the page twice"));
}

#[test]
fn a_sample_keeps_its_own_timestamp_and_does_not_end_by_its_absence() {
    let mut scraper = scraper();
    scraper.record(10_000, &scraped("a 1 8000\n"));
    assert_eq!((scraper.value("a", 7_999), scraper.value("a", 8_000)), (None, Some(1.0)));
    scraper.record(11_000, &scraped("b 1\n"));
    assert_eq!(scraper.value("a", 11_000), Some(1.0));
    // The same sample again is nothing new, and nothing to complain of.
    let recorded = scraper.record(12_000, &scraped("a 1 8000\n"));
    assert_eq!(recorded.complaint(), None);
}

#[test]
fn samples_of_the_past_and_of_the_far_future_are_refused_and_counted() {
    let mut scraper = scraper();
    scraper.record(10_000, &scraped("a 1 8000\nb 1\n"));
    let recorded = scraper.record(11_000, &scraped("a 2 7000\nb 2 700000\nc 3 611001\nd 4 611000\n"));
    assert_eq!((recorded.out_of_order, recorded.too_far_ahead), (1, 2));
    assert_eq!(recorded.error, None);
    assert_eq!(scraper.value("d", 611_000), Some(4.0));
    assert!(scraper.labels("c").is_empty());
    let told = recorded.complaint().unwrap();
    assert!(told.contains("1 sample older than") && told.contains("2 samples more than 10 minutes ahead"), "{told}");
}

#[test]
fn a_clock_that_jumps_back_loses_samples_and_nothing_else() {
    let mut scraper = scraper();
    scraper.record(10_000, &scraped("a 1\n"));
    let recorded = scraper.record(5_000, &scraped("a 2\n"));
    assert_eq!((recorded.out_of_order, recorded.error), (1, None));
    scraper.record(11_000, &scraped("a 3\n"));
    assert_eq!((scraper.value("a", 10_000), scraper.value("a", 11_000)), (Some(1.0), Some(3.0)));
}

#[test]
fn a_page_with_too_many_samples_is_refused_whole() {
    let mut scraper = scraper();
    scraper.record(1_000, &scraped("a 1\n"));
    let recorded = scraper.record(2_000, &Ok(Fetched { sample_limit: 2, ..fetched("a 1\nb 1\nc 1\n") }));
    assert_eq!(recorded.error.unwrap().reason, ScrapeFailure::TooManySamples { limit: 2 });
    assert_eq!((scraper.value("a", 2_000), scraper.value("up", 2_000)), (None, Some(0.0)));
    assert_eq!(scraper.value("scrape_samples_scraped", 2_000), Some(3.0));
}

#[test]
fn retiring_a_target_ends_only_its_series() {
    let mut scraper = scraper();
    let other = Labels::new([("job", "app"), ("instance", "two")]);
    scraper.record(1_000, &scraped("a 1\n"));
    scraper.ingest.record(&mut scraper.store, Moment(1_000), &other, &scraped("a 2\n"));
    scraper.ingest.retire(&mut scraper.store, Moment(2_000), &app());
    assert_eq!(scraper.values("a", 2_000), [2.0]);
    assert_eq!(scraper.values("up", 2_000), [1.0]);
}

#[test]
fn series_beyond_the_limit_are_refused_and_counted_but_never_those_of_the_scrape_itself() {
    let mut scraper = Scraper::new(2);
    let recorded = scraper.record(1_000, &scraped("a 1\nb 1\nc 1\nd 1\n"));
    assert_eq!((recorded.without_room, recorded.series_added), (2, 2));
    assert_eq!(scraper.value("c", 1_000), None);
    assert_eq!(scraper.value("up", 1_000), Some(1.0));
    let recorded = scraper.record(2_000, &scraped("a 2\nb 2\n"));
    assert_eq!(recorded.without_room, 0);
    assert_eq!(scraper.value("a", 2_000), Some(2.0));
}

#[test]
fn a_series_that_found_no_room_is_taken_once_others_have_ended() {
    let mut scraper = Scraper::new(7);
    let recorded = scraper.record(1_000, &scraped("a 1\nb 1\nc 1\nd 1\ne 1\nf 1\ng 1\nh 1\n"));
    assert_eq!((recorded.without_room, recorded.series_added), (1, 7));
    let recorded = scraper.record(2_000, &scraped("h 2\n"));
    assert_eq!((recorded.without_room, recorded.series_added, scraper.value("h", 2_000)), (1, 0, None));
    let recorded = scraper.record(3_000, &scraped("h 3\n"));
    assert_eq!((recorded.without_room, recorded.series_added, scraper.value("h", 3_000)), (0, 1, Some(3.0)));
}

#[test]
fn what_pages_say_of_their_metrics_is_kept() {
    let mut scraper = scraper();
    scraper.record(1_000, &scraped("# HELP a what it is\n# TYPE a counter\na 1\n"));
    assert_eq!(scraper.ingest.metadata().get("a").map(|known| known.help.as_str()), Some("what it is"));
    scraper.record(2_000, &scraped("# HELP a something else\na 1\n"));
    assert_eq!(scraper.ingest.metadata().get("a").map(|known| known.help.as_str()), Some("something else"));
    // A refused page says nothing.
    scraper.record(3_000, &scraped("# HELP a nonsense\na one\n"));
    assert_eq!(scraper.ingest.metadata().get("a").map(|known| known.help.as_str()), Some("something else"));
}
