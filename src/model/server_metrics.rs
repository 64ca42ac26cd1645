//! What the model server counts, and the text in which Prometheus reads it
//! (<https://prometheus.io/docs/instrumenting/exposition_formats/>, version 0.0.4).
//!
//! Every counter that can grow is there from the start with 0, so that a rate over its first increase is right.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::disk::ProcessStat;

/// Upper bounds of the latency histogram, in seconds: from well below one prediction to well above ten thousand.
const BOUNDS: [f64; 12] = [0.0001, 0.000_25, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0];
const STATUSES: [u16; 5] = [200, 400, 413, 422, 500];
const REASONS: [&str; 7] =
    ["internal", "invalid_json", "missing_field", "no_records", "too_large", "unknown_field", "wrong_type"];

/// Counters of one server.
#[derive(Debug)]
pub(super) struct ServerMetrics {
    counts: Mutex<Counts>,
}

#[derive(Debug)]
struct Counts {
    requests: BTreeMap<u16, u64>,
    errors: BTreeMap<&'static str, u64>,
    rows: u64,
    /// For each bound the requests up to it that are above the bound before; the last is above all bounds.
    buckets: [u64; BOUNDS.len() + 1],
    seconds: f64,
}

/// What is shown beside the counters.
pub(super) struct Shown<'a> {
    pub(super) version: &'a str,
    pub(super) algorithm: &'a str,
    /// For each feature the drift; `None` while there are too few records.
    pub(super) drift: Option<Vec<(&'a str, f64)>>,
}

impl ServerMetrics {
    pub(super) fn new() -> Self {
        Self {
            counts: Mutex::new(Counts {
                requests: STATUSES.into_iter().map(|status| (status, 0)).collect(),
                errors: REASONS.into_iter().map(|reason| (reason, 0)).collect(),
                rows: 0,
                buckets: [0; BOUNDS.len() + 1],
                seconds: 0.0,
            }),
        }
    }

    /// A request to `/predict` was answered.
    pub(super) fn request(&self, status: u16, took: Duration) {
        let seconds = took.as_secs_f64();
        let mut counts = self.lock();
        *counts.requests.entry(status).or_default() += 1;
        counts.seconds += seconds;
        let bucket = BOUNDS.partition_point(|bound| *bound < seconds);
        if let Some(bucket) = counts.buckets.get_mut(bucket) {
            *bucket += 1;
        }
    }

    /// Records were predicted.
    pub(super) fn rows(&self, rows: usize) {
        self.lock().rows += rows as u64;
    }

    /// A request was refused.
    pub(super) fn error(&self, reason: &'static str) {
        *self.lock().errors.entry(reason).or_default() += 1;
    }

    /// The text for `/metrics`.
    pub(super) fn render(&self, shown: &Shown<'_>) -> String {
        let mut text = String::with_capacity(4096);
        // Writing to a string cannot fail, here and below.
        let _ = self.render_counts(&mut text).and_then(|()| render_shown(&mut text, shown));
        text
    }

    fn render_counts(&self, text: &mut String) -> std::fmt::Result {
        let counts = self.lock();
        heading(text, "predict_requests_total", "counter", "Requests to /predict by status.")?;
        for (status, count) in &counts.requests {
            writeln!(text, "predict_requests_total{{status=\"{status}\"}} {count}")?;
        }
        heading(text, "predict_rows_total", "counter", "Records that were predicted.")?;
        writeln!(text, "predict_rows_total {}", counts.rows)?;
        heading(text, "predict_errors_total", "counter", "Requests to /predict that were refused, by reason.")?;
        for (reason, count) in &counts.errors {
            writeln!(text, "predict_errors_total{{reason=\"{reason}\"}} {count}")?;
        }
        heading(text, "predict_duration_seconds", "histogram", "Time from a whole request to its answer.")?;
        let mut total = 0;
        for (bound, count) in BOUNDS.iter().zip(&counts.buckets) {
            total += count;
            writeln!(text, "predict_duration_seconds_bucket{{le=\"{bound}\"}} {total}")?;
        }
        let all: u64 = counts.buckets.iter().sum();
        writeln!(text, "predict_duration_seconds_bucket{{le=\"+Inf\"}} {all}")?;
        writeln!(text, "predict_duration_seconds_sum {}", counts.seconds)?;
        writeln!(text, "predict_duration_seconds_count {all}")
    }

    /// A panic while counting cannot leave a wrong invariant behind: there is none between the counters.
    fn lock(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn render_shown(text: &mut String, shown: &Shown<'_>) -> std::fmt::Result {
    heading(text, "model_info", "gauge", "The model that is served; always 1.")?;
    let (version, algorithm) = (escaped(shown.version), escaped(shown.algorithm));
    writeln!(text, "model_info{{version=\"{version}\",algorithm=\"{algorithm}\"}} 1")?;
    if let Some(drift) = &shown.drift {
        let help = "Population stability index of the last 1000 records against the training rows.";
        heading(text, "predict_input_drift_psi", "gauge", help)?;
        for (feature, index) in drift {
            writeln!(text, "predict_input_drift_psi{{feature=\"{}\"}} {index}", escaped(feature))?;
        }
        let most = drift.iter().map(|(_, index)| *index).fold(0.0, f64::max);
        heading(text, "predict_input_drift_psi_max", "gauge", "The greatest predict_input_drift_psi of all features.")?;
        writeln!(text, "predict_input_drift_psi_max {most}")?;
    }
    if let Some(bytes) = resident_memory() {
        heading(text, "process_resident_memory_bytes", "gauge", "Resident memory size in bytes.")?;
        writeln!(text, "process_resident_memory_bytes {bytes}")?;
    }
    if let Some(seconds) = processor_time() {
        heading(text, "process_cpu_seconds_total", "counter", "Processor time in seconds, in user and kernel mode.")?;
        writeln!(text, "process_cpu_seconds_total {seconds}")?;
    }
    Ok(())
}

fn heading(text: &mut String, name: &str, kind: &str, help: &str) -> std::fmt::Result {
    writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}")
}

/// A label value: backslash, quotation mark and line end are escaped.
fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// From `/proc/self/status`, which gives kilobytes where `statm` gives pages of a size that is not written there.
fn resident_memory() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

/// The processor time of this process, in seconds.
#[expect(clippy::cast_precision_loss, reason = "exact for millions of years of ticks")]
fn processor_time() -> Option<f64> {
    let own = ProcessStat::read(i32::try_from(std::process::id()).ok()?)?;
    Some(own.ticks as f64 / rustix::param::clock_ticks_per_second().max(1) as f64)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{ServerMetrics, Shown};

    fn shown(drift: Option<Vec<(&str, f64)>>) -> Shown<'_> {
        Shown { version: "3", algorithm: "logistic", drift }
    }

    #[test]
    fn counters_are_there_before_anything_happened() {
        let text = ServerMetrics::new().render(&shown(None));
        for line in [
            "predict_requests_total{status=\"200\"} 0",
            "predict_errors_total{reason=\"wrong_type\"} 0",
            "predict_rows_total 0",
            "predict_duration_seconds_bucket{le=\"+Inf\"} 0",
            "model_info{version=\"3\",algorithm=\"logistic\"} 1",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in {text}");
        }
        assert!(!text.contains("psi"));
    }

    #[test]
    fn the_histogram_is_cumulative() {
        let metrics = ServerMetrics::new();
        metrics.request(200, Duration::from_micros(50));
        metrics.request(200, Duration::from_millis(2));
        metrics.request(422, Duration::from_secs(9));
        let text = metrics.render(&shown(None));
        assert!(text.contains("_bucket{le=\"0.0001\"} 1\n"), "{text}");
        assert!(text.contains("_bucket{le=\"0.0025\"} 2\n") && text.contains("_bucket{le=\"1\"} 2\n"), "{text}");
        assert!(text.contains("_bucket{le=\"+Inf\"} 3\n") && text.contains("_count 3\n"), "{text}");
    }

    #[test]
    fn drift_is_given_by_feature_and_as_the_greatest() {
        let text = ServerMetrics::new().render(&shown(Some(vec![("a\"b", 0.5), ("c", 0.25)])));
        assert!(text.contains("predict_input_drift_psi{feature=\"a\\\"b\"} 0.5\n"), "{text}");
        assert!(text.contains("predict_input_drift_psi_max 0.5\n"), "{text}");
    }

    #[test]
    fn the_whole_text_is_one_that_prometheus_can_parse() {
        let text = ServerMetrics::new().render(&shown(Some(vec![("c", 0.25)])));
        let lines = text.lines().map(|line| Ok(line.to_owned()));
        let scrape = prometheus_parse::Scrape::parse(lines).unwrap();
        assert!(scrape.samples.iter().any(|sample| sample.metric == "predict_input_drift_psi_max"));
        assert_eq!(scrape.docs.get("predict_rows_total").map(String::as_str), Some("Records that were predicted."));
    }
}
