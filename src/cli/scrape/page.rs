//! A page, judged: what is on it, or the place at which it is refused.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use crate::monitor::{
    Entry, ExpositionError, Format, Labels, Metadata, MetricKind, Reader, SAMPLE_LIMIT, Sample, ScrapeError,
    ScrapeFailure, read_lenient, value_text,
};

/// Endings that the samples of a metric have behind its name.
const ENDINGS: [&str; 8] = ["_bucket", "_count", "_sum", "_gcount", "_gsum", "_created", "_total", "_info"];

/// What is found on a page. As JSON it is what programs read, so its names do not change.
#[derive(Debug, Serialize)]
pub(super) struct Judged {
    /// Whether the monitor would record it.
    pub(super) accepted: bool,
    /// Why not.
    pub(super) error: Option<Fault>,
    /// Its samples; of a series that stands on it twice for one moment, the first.
    pub(super) samples: Vec<Row>,
    /// How many samples were left out because of that.
    pub(super) duplicates: usize,
    /// What could be read of a refused page, if that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unverified: Option<Vec<Row>>,
    /// By the name of the metric.
    #[serde(skip)]
    pub(super) metrics: BTreeMap<String, Metric>,
    /// The line that is refused.
    #[serde(skip)]
    pub(super) line: Option<String>,
}

/// Why a page is refused; the place is that of a fault in the page itself, counted from 1.
#[derive(Debug, Serialize)]
pub(super) struct Fault {
    pub(super) line: Option<usize>,
    pub(super) column: Option<usize>,
    pub(super) message: String,
}

/// One sample.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    pub(super) name: String,
    pub(super) labels: Labels,
    pub(super) value: String,
    pub(super) timestamp: Option<i64>,
}

/// What is known of a metric.
#[derive(Debug, Default)]
pub(super) struct Metric {
    pub(super) metadata: Metadata,
    pub(super) samples: usize,
}

impl Row {
    fn new(sample: Sample) -> Self {
        let Sample { name, labels, value, timestamp } = sample;
        Self { name, labels, value: value_text(value), timestamp }
    }
}

impl Judged {
    /// What a server answered.
    pub(super) fn of_answer(answer: Result<(&str, Format), &ScrapeError>, lenient: bool) -> Self {
        match answer {
            Ok((text, format)) => Self::of_page(text, format, lenient),
            Err(error) => Self::failed(error),
        }
    }

    /// What is on a page.
    pub(super) fn of_page(text: &str, format: Format, lenient: bool) -> Self {
        let mut judged = Self::empty();
        let mut known = HashSet::new();
        for entry in Reader::new(text, format) {
            match entry {
                Ok(entry) => judged.take(entry, &mut known),
                Err(error) => {
                    let unverified =
                        lenient.then(|| read_lenient(text, SAMPLE_LIMIT).into_iter().map(Row::new).collect());
                    let line = error.line.checked_sub(1).and_then(|index| text.split('\n').nth(index));
                    return Self { unverified, line: line.map(str::to_owned), ..Self::refused(error) };
                }
            }
        }
        let samples: Vec<String> = judged.samples.iter().map(|row| row.name.clone()).collect();
        for name in samples {
            let family = family(&name, &judged.metrics).to_owned();
            judged.metrics.entry(family).or_default().samples += 1;
        }
        judged
    }

    /// A page that goes against its format.
    pub(super) fn refused(error: ExpositionError) -> Self {
        let ExpositionError { line, column, message } = error;
        let fault = Fault { line: Some(line), column: Some(column), message };
        Self { accepted: false, error: Some(fault), ..Self::empty() }
    }

    /// A scrape that failed.
    pub(super) fn failed(error: &ScrapeError) -> Self {
        if let ScrapeFailure::Refused(error) = &error.reason {
            return Self::refused(error.clone());
        }
        let fault = Fault { line: None, column: None, message: error.to_string() };
        Self { accepted: false, error: Some(fault), ..Self::empty() }
    }

    fn empty() -> Self {
        Self {
            accepted: true,
            error: None,
            samples: Vec::new(),
            duplicates: 0,
            unverified: None,
            metrics: BTreeMap::new(),
            line: None,
        }
    }

    fn take(&mut self, entry: Entry<'_>, known: &mut HashSet<(String, Labels, Option<i64>)>) {
        match entry {
            Entry::Sample(line) => {
                let sample = Sample::from(&line);
                if known.insert((sample.name.clone(), sample.labels.clone(), sample.timestamp)) {
                    self.samples.push(Row::new(sample));
                } else {
                    self.duplicates += 1;
                }
            }
            Entry::Type { name, kind } => self.metric(&name).kind = kind,
            Entry::Help { name, text } => self.metric(&name).help = text.into_owned(),
            Entry::Unit { name, unit } => self.metric(&name).unit = unit.into_owned(),
        }
    }

    fn metric(&mut self, name: &str) -> &mut Metadata {
        &mut self.metrics.entry(name.to_owned()).or_default().metadata
    }
}

/// The metric to which a sample of that name belongs: the one that is described, with or without an ending.
fn family<'a>(name: &'a str, metrics: &BTreeMap<String, Metric>) -> &'a str {
    if metrics.contains_key(name) {
        return name;
    }
    for ending in ENDINGS {
        let Some(short) = name.strip_suffix(ending) else { continue };
        let kind = metrics.get(short).map(|metric| metric.metadata.kind);
        if !matches!(kind, None | Some(MetricKind::Gauge | MetricKind::Unknown | MetricKind::StateSet)) {
            return short;
        }
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_of_two_samples_counts_and_values_are_spelled_as_prometheus_does() {
        let judged = Judged::of_page("a{x=\"1\"} +Inf\na{x=\"1\",} 2\na{x=\"1\"} 3 1000\n", Format::Text, false);
        assert!(judged.accepted);
        assert_eq!(judged.duplicates, 1);
        let json = serde_json::to_value(&judged).unwrap();
        let expected = serde_json::json!({
            "accepted": true,
            "error": null,
            "samples": [
                { "name": "a", "labels": { "x": "1" }, "value": "+Inf", "timestamp": null },
                { "name": "a", "labels": { "x": "1" }, "value": "3", "timestamp": 1000 },
            ],
            "duplicates": 1,
        });
        assert_eq!(json, expected);
    }

    #[test]
    fn a_refused_page_has_no_samples_and_the_place_of_its_fault() {
        let judged = Judged::of_page("a 1\nb one\n", Format::Text, true);
        let fault = judged.error.unwrap();
        assert_eq!((judged.accepted, judged.samples.len(), fault.line), (false, 0, Some(2)));
        assert_eq!(judged.line.as_deref(), Some("b one"));
        assert_eq!(judged.unverified.map(|rows| rows.len()), Some(1));
    }

    #[test]
    fn samples_are_counted_under_the_metric_that_is_described() {
        let page = "# TYPE h histogram\nh_bucket{le=\"+Inf\"} 1\nh_sum 1\nh_count 1\n# TYPE h_sum_total counter\n\
                    h_sum_total 1\nother_count 1\n";
        let judged = Judged::of_page(page, Format::Text, false);
        let counted: Vec<_> = judged.metrics.iter().map(|(name, metric)| (name.as_str(), metric.samples)).collect();
        assert_eq!(counted, [("h", 3), ("h_sum_total", 1), ("other_count", 1)]);
    }
}
