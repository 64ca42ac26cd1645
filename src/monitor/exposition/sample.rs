//! One sample as it stands on a page.

use std::borrow::Cow;

use super::labels::LabelPairs;
use super::metadata::MetricKind;
use super::quoted;

/// One sample, borrowed from its page.
#[derive(Debug, Clone, PartialEq)]
pub struct SampleLine<'page> {
    /// Name and labels exactly as written. Equal text means the same series, so it serves as the key of a cache; the
    /// same series may be written in other ways too.
    pub series: &'page str,
    /// Its value.
    pub value: f64,
    /// Its own moment in milliseconds since the epoch, if it has one.
    pub timestamp: Option<i64>,
    /// The line that it begins in, counted from 1.
    pub line: usize,
    /// An observation that stands for it.
    pub exemplar: Option<Exemplar<'page>>,
    pub(super) name: &'page str,
    pub(super) labels: &'page str,
    pub(super) kind: MetricKind,
}

impl<'page> SampleLine<'page> {
    /// The name of the metric.
    ///
    /// In the text format, blanks before a name without quotes belong to it: so they do in Prometheus.
    pub fn name(&self) -> Cow<'page, str> {
        quoted::unescape(self.name)
    }

    /// The labels without the name, in the order of the page.
    ///
    /// Below a `# TYPE` of histogram, the value of `le` comes in the spelling that Prometheus 3 gives it, such as `1.0`
    /// for `1`, and below one of summary so does that of `quantile`.
    pub fn labels(&self) -> LabelPairs<'page> {
        self.labels_as_written().normalized(self.kind)
    }

    /// The type that the last `# TYPE` before the sample named, of whichever metric.
    pub fn kind(&self) -> MetricKind {
        self.kind
    }

    /// The labels with numbers spelled as on the page.
    pub(super) fn labels_as_written(&self) -> LabelPairs<'page> {
        LabelPairs::new(self.labels)
    }
}

/// One observation out of those that a sample counts, such as the trace of a request.
#[derive(Debug, Clone, PartialEq)]
pub struct Exemplar<'page> {
    /// What was observed.
    pub value: f64,
    /// When, in milliseconds since the epoch, if that is told.
    pub timestamp: Option<i64>,
    pub(super) labels: &'page str,
}

impl<'page> Exemplar<'page> {
    /// Its labels, in the order of the page.
    pub fn labels(&self) -> LabelPairs<'page> {
        LabelPairs::new(self.labels)
    }
}
