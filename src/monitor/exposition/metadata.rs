//! What a page says about its metrics beside their samples.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MetricKind {
    /// It only grows, or begins anew.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Counts in buckets that only grow.
    Histogram,
    /// Counts in buckets that go up and down.
    GaugeHistogram,
    /// Quantiles that the app has calculated.
    Summary,
    /// Facts, in labels.
    Info,
    /// Which of several states holds.
    StateSet,
    /// Nothing was said of it.
    #[default]
    Unknown,
}

impl MetricKind {
    /// Its word on a page of the text format, which knows five types.
    pub(super) fn of_text(word: &str) -> Option<Self> {
        match word {
            "counter" => Some(Self::Counter),
            "gauge" => Some(Self::Gauge),
            "histogram" => Some(Self::Histogram),
            "summary" => Some(Self::Summary),
            "untyped" => Some(Self::Unknown),
            _ => None,
        }
    }

    /// Its word on a page of `OpenMetrics`.
    pub(super) fn of_openmetrics(word: &str) -> Option<Self> {
        match word {
            "counter" => Some(Self::Counter),
            "gauge" => Some(Self::Gauge),
            "histogram" => Some(Self::Histogram),
            "gaugehistogram" => Some(Self::GaugeHistogram),
            "summary" => Some(Self::Summary),
            "info" => Some(Self::Info),
            "stateset" => Some(Self::StateSet),
            "unknown" => Some(Self::Unknown),
            _ => None,
        }
    }

    /// The label whose value is a number, in the types that have one.
    pub(super) fn number_label(self) -> Option<&'static str> {
        match self {
            Self::Histogram => Some("le"),
            Self::Summary => Some("quantile"),
            Self::Counter | Self::Gauge | Self::GaugeHistogram | Self::Info | Self::StateSet | Self::Unknown => None,
        }
    }
}

impl fmt::Display for MetricKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
            Self::Unknown => "unknown",
        })
    }
}

/// What a page says about one metric.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Metadata {
    /// Its type.
    pub kind: MetricKind,
    /// What it is, in the words of its author.
    pub help: String,
    /// The unit of its values; empty when none is named.
    pub unit: String,
}
