//! Goes through a page entry by entry, without a copy of it.

use std::borrow::Cow;
use std::iter::FusedIterator;

use super::error::ExpositionError;
use super::metadata::MetricKind;
use super::openmetrics::OpenMetricsLines;
use super::sample::SampleLine;
use super::text::TextLines;

/// The format of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Format {
    /// The Prometheus text format.
    Text,
    /// `OpenMetrics` 1.0.
    OpenMetrics,
}

impl Format {
    /// The format that a `Content-Type` names, whatever its parameters; `None` where it names neither.
    pub fn of_content_type(content_type: &str) -> Option<Self> {
        let media_type = content_type.split(';').next().unwrap_or_default().trim();
        if media_type.eq_ignore_ascii_case("text/plain") {
            Some(Self::Text)
        } else if media_type.eq_ignore_ascii_case("application/openmetrics-text") {
            Some(Self::OpenMetrics)
        } else {
            None
        }
    }
}

/// What a page tells, piece by piece. Comments and empty lines tell nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry<'page> {
    /// A sample.
    Sample(SampleLine<'page>),
    /// The type of a metric.
    Type {
        /// The metric.
        name: Cow<'page, str>,
        /// Its type.
        kind: MetricKind,
    },
    /// What a metric is.
    Help {
        /// The metric.
        name: Cow<'page, str>,
        /// The text.
        text: Cow<'page, str>,
    },
    /// The unit of a metric.
    Unit {
        /// The metric.
        name: Cow<'page, str>,
        /// The unit; may be empty.
        unit: Cow<'page, str>,
    },
}

/// Reads the entries of a page one after the other. After an error there are no more.
#[derive(Debug)]
pub struct Reader<'page> {
    page: &'page str,
    lines: Lines<'page>,
    is_over: bool,
}

#[derive(Debug)]
enum Lines<'page> {
    Text(TextLines<'page>),
    OpenMetrics(Box<OpenMetricsLines<'page>>),
}

impl<'page> Reader<'page> {
    /// A reader before the first line of a page.
    pub fn new(page: &'page str, format: Format) -> Self {
        let lines = match format {
            Format::Text => Lines::Text(TextLines::new(page)),
            Format::OpenMetrics => Lines::OpenMetrics(Box::new(OpenMetricsLines::new(page))),
        };
        Self { page, lines, is_over: false }
    }
}

impl<'page> Iterator for Reader<'page> {
    type Item = Result<Entry<'page>, ExpositionError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.is_over {
            return None;
        }
        let next = match &mut self.lines {
            Lines::Text(lines) => lines.next_entry(),
            Lines::OpenMetrics(lines) => lines.next_entry(),
        };
        match next {
            Ok(Some(entry)) => Some(Ok(entry)),
            Ok(None) => {
                self.is_over = true;
                None
            }
            Err(fault) => {
                self.is_over = true;
                Some(Err(fault.in_page(self.page)))
            }
        }
    }
}

impl FusedIterator for Reader<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_content_type_names_the_format() {
        let text =
            ["text/plain", "text/plain; version=0.0.4; charset=utf-8", "TEXT/PLAIN;version=1.0.0;escaping=allow-utf-8"];
        for content_type in text {
            assert_eq!(Format::of_content_type(content_type), Some(Format::Text), "{content_type}");
        }
        let openmetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";
        assert_eq!(Format::of_content_type(openmetrics), Some(Format::OpenMetrics));
        for content_type in ["", "text/html", "text/plainer", "application/vnd.google.protobuf"] {
            assert_eq!(Format::of_content_type(content_type), None, "{content_type}");
        }
    }
}
