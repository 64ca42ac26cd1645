//! What Prometheus tells beside a result: warnings, and remarks about a query that is likely not what was meant.

use serde::Serialize;

/// How much a notice weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// The result is likely not what was meant.
    Warning,
    /// Something worth knowing.
    Info,
}

/// A remark about how a query was evaluated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Notice {
    /// How much it weighs.
    pub severity: Severity,
    /// The remark, in the words of Prometheus.
    pub text: String,
}

/// The notices of one evaluation, each once.
#[derive(Debug, Default)]
pub(super) struct Notices(Vec<Notice>);

/// More are not kept: they are for a person to read.
const MOST: usize = 20;

impl Notices {
    pub(super) fn into_vec(self) -> Vec<Notice> {
        self.0
    }

    /// A quantile outside of 0 to 1 has no meaning.
    pub(super) fn check_quantiles(&mut self, shares: &[f64]) {
        if let Some(share) = shares.iter().find(|share| !(0.0..=1.0).contains(*share)) {
            self.warn(&format!("quantile value should be between 0 and 1, got {share}"));
        }
    }

    /// A rate of what does not look like a counter.
    pub(super) fn check_counter(&mut self, name: Option<&str>) {
        const ENDINGS: [&str; 4] = ["_total", "_sum", "_count", "_bucket"];
        if let Some(name) = name.filter(|name| !ENDINGS.iter().any(|ending| name.ends_with(*ending))) {
            self.tell(&format!(
                "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: {name:?}"
            ));
        }
    }

    /// Sorting over a range does nothing.
    pub(super) fn sort_in_range(&mut self, place: &str) {
        self.warn(&format!(
            "sort is ineffective for range queries since results are always ordered by labels ({place})"
        ));
    }

    /// Buckets of a histogram that count less than the bucket below them.
    pub(super) fn forced_monotonic(&mut self) {
        self.tell("input to histogram_quantile needed to be fixed for monotonicity");
    }

    /// A bucket without a bound.
    pub(super) fn bad_bound(&mut self, bound: &str) {
        self.warn(&format!("bucket label \"le\" is missing or has a malformed value of {bound:?}"));
    }

    fn warn(&mut self, text: &str) {
        self.add(Notice { severity: Severity::Warning, text: format!("PromQL warning: {text}") });
    }

    fn tell(&mut self, text: &str) {
        self.add(Notice { severity: Severity::Info, text: format!("PromQL info: {text}") });
    }

    fn add(&mut self, notice: Notice) {
        if self.0.len() < MOST && !self.0.contains(&notice) {
            self.0.push(notice);
        }
    }
}
