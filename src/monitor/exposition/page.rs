//! A whole page at once, with samples that outlive its text.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::super::labels::Labels;
use super::error::{ExpositionError, Fault};
use super::metadata::Metadata;
use super::reader::{Entry, Format, Reader};
use super::sample::SampleLine;

/// One sample of a page.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name of the metric.
    pub name: String,
    /// Its labels, without the name.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
    /// Its own moment in milliseconds since the epoch, if it has one.
    pub timestamp: Option<i64>,
}

impl From<&SampleLine<'_>> for Sample {
    fn from(line: &SampleLine<'_>) -> Self {
        Self {
            name: line.name().into_owned(),
            labels: Labels::new(line.labels()),
            value: line.value,
            timestamp: line.timestamp,
        }
    }
}

/// Everything that a page tells.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Page {
    /// Its samples, in its order. A series may be among them more than once.
    pub samples: Vec<Sample>,
    /// What it says about its metrics, by their names.
    pub metadata: BTreeMap<String, Metadata>,
}

impl Page {
    fn metadata_of(&mut self, name: Cow<'_, str>) -> &mut Metadata {
        self.metadata.entry(name.into_owned()).or_default()
    }
}

/// Why nothing was taken from a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// It goes against its format.
    #[error(transparent)]
    Exposition(#[from] ExpositionError),
    /// It holds more samples than allowed.
    #[error("the page holds more than {limit} samples")]
    TooManySamples {
        /// How many are allowed.
        limit: usize,
    },
}

/// Reads a page whole, with at most `limit` samples.
pub fn read(page: &str, format: Format, limit: usize) -> Result<Page, ReadError> {
    let mut told = Page::default();
    for entry in Reader::new(page, format) {
        match entry? {
            Entry::Sample(_) if told.samples.len() >= limit => return Err(ReadError::TooManySamples { limit }),
            Entry::Sample(line) => told.samples.push(Sample::from(&line)),
            Entry::Type { name, kind } => told.metadata_of(name).kind = kind,
            Entry::Help { name, text } => told.metadata_of(name).help = text.into_owned(),
            Entry::Unit { name, unit } => told.metadata_of(name).unit = unit.into_owned(),
        }
    }
    Ok(told)
}

/// The text of a body, which must be UTF-8; the error stands at the first byte that is not.
pub fn text_of(body: &[u8]) -> Result<&str, ExpositionError> {
    std::str::from_utf8(body).map_err(|error| {
        let end = error.valid_up_to();
        let before = body.get(..end).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or_default();
        let byte = body.get(end).copied().unwrap_or_default();
        Fault::new(end, format!("UTF-8 is expected, found the byte 0x{byte:02x}")).in_page(before)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_gives_its_samples_and_what_it_says_of_them() {
        let page = "# HELP a what\\nit is\n# TYPE a counter\na{b=\"c\"} 1 5\na{b=\"d\"} 2\n";
        let read = read(page, Format::Text, 2).unwrap();
        assert_eq!(read.samples.len(), 2);
        assert_eq!(read.samples[0].labels.get("b"), Some("c"));
        assert_eq!(read.samples[0].timestamp, Some(5));
        assert_eq!(read.samples[1].timestamp, None);
        assert_eq!(read.metadata["a"].help, "what\nit is");
        assert_eq!(read.metadata["a"].kind.to_string(), "counter");
    }

    #[test]
    fn reading_stops_at_the_limit() {
        assert_eq!(read("a 1\nb 2\n", Format::Text, 1), Err(ReadError::TooManySamples { limit: 1 }));
        assert!(read("a 1\n# b\n", Format::Text, 1).is_ok());
    }

    #[test]
    fn bytes_that_are_no_text_are_found_by_line_and_column() {
        assert_eq!(text_of("é 1\n".as_bytes()), Ok("é 1\n"));
        let error = text_of(b"a 1\n\xc3\xa9\xff").unwrap_err();
        assert_eq!(error.to_string(), "line 2, column 2: UTF-8 is expected, found the byte 0xff");
    }
}
