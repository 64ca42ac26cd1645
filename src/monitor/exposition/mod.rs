//! Reads a page of metrics in the Prometheus text format (0.0.4 and 1.0.0, with names in quotes) or `OpenMetrics` 1.0.
//!
//! The reader is strict. Whatever goes against the format refuses the whole page, with line, column and what was
//! expected: half a page would look like series that ended. What counts as against the format is settled by two
//! authorities. For the text format it is what Prometheus 3.5.3 refuses, its oddities included; for `OpenMetrics` it is
//! the specification with its conformance cases, which ask for more than Prometheus does.
//!
//! The arrangement: [`Reader`] goes through a page entry by entry and borrows from it. `text` and `openmetrics` hold
//! the two grammars; they share `cursor`, `labels`, `quoted` and `number`. What `OpenMetrics` rules about many lines
//! together is in `openmetrics::family`. [`read`] makes owned samples of a page; [`read_lenient`] takes what it can
//! from a page that was refused.
//!
//! A page costs time in proportion to its length, whatever is in it, and memory in proportion at most. Nothing here
//! recurses, reads a clock or fetches anything. Known gaps: native histograms are not read, and two things differ from
//! Prometheus on purpose: a NUL where a line begins is refused, where Prometheus drops the rest of the page without a
//! word, and so is a label that is given twice with an empty value.

mod cursor;
mod error;
mod labels;
mod lenient;
mod metadata;
mod number;
mod openmetrics;
mod page;
mod quoted;
mod reader;
mod sample;
mod text;

pub use error::ExpositionError;
pub use labels::LabelPairs;
pub use lenient::read_lenient;
pub use metadata::{Metadata, MetricKind};
pub use page::{Page, ReadError, Sample, read, text_of};
pub use reader::{Entry, Format, Reader};
pub use sample::{Exemplar, SampleLine};
