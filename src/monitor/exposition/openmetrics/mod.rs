//! `OpenMetrics` 1.0, as strict as its specification.
//!
//! This file reads single lines, in which every space counts; what the specification rules about lines together is held
//! by [`family`].

mod family;
mod groups;
mod histogram;

use std::borrow::Cow;

use super::cursor::{Cursor, begins_metric_name, is_in_metric_name};
use super::error::{Fault, excerpt};
use super::labels::{self, LabelNames, LabelPairs, Owner};
use super::metadata::MetricKind;
use super::number;
use super::quoted;
use super::reader::{Entry, Format};
use super::sample::{Exemplar, SampleLine};
use family::{Fact, Families, Places};

/// How an exemplar begins.
const EXEMPLAR: &str = " # {";
/// The most characters that the names and values of the labels of an exemplar may have together.
const LONGEST_EXEMPLAR: usize = 128;

/// A page of `OpenMetrics`, and how far it has been read.
#[derive(Debug)]
pub(super) struct OpenMetricsLines<'page> {
    cursor: Cursor<'page>,
    /// What the last `# TYPE` named; it decides in which spelling bounds are kept, as in Prometheus.
    kind: MetricKind,
    names: LabelNames<'page>,
    families: Families<'page>,
}

impl<'page> OpenMetricsLines<'page> {
    /// A page before its first line.
    pub(super) fn new(page: &'page str) -> Self {
        Self {
            cursor: Cursor::new(page),
            kind: MetricKind::default(),
            names: LabelNames::default(),
            families: Families::default(),
        }
    }

    /// The next entry; `None` at the end of a page that ends as it should.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry<'page>>, Fault> {
        match self.cursor.peek() {
            None => Err(Fault::expected(&self.cursor, "`# EOF`")),
            Some(b'#') => self.comment(),
            Some(byte) if byte == b'{' || begins_metric_name(byte) => Ok(Some(Entry::Sample(self.sample()?))),
            Some(_) => Err(Fault::expected(&self.cursor, "a metric name, `{` or `# `")),
        }
    }

    /// Reads what a metric is, or the end of the page; there are no other comments.
    fn comment(&mut self) -> Result<Option<Entry<'page>>, Fault> {
        if self.cursor.take_text("# HELP ") {
            self.help().map(Some)
        } else if self.cursor.take_text("# TYPE ") {
            self.kind().map(Some)
        } else if self.cursor.take_text("# UNIT ") {
            self.unit().map(Some)
        } else if self.cursor.take_text("# EOF") {
            self.end().map(|()| None)
        } else {
            let what = "`# HELP `, `# TYPE `, `# UNIT ` or `# EOF`";
            let found = excerpt(self.cursor.clone().take_line());
            Err(Fault::new(self.cursor.at(), format!("{what} is expected, found `{found}`")))
        }
    }

    fn end(&mut self) -> Result<(), Fault> {
        self.cursor.take_break();
        if self.cursor.peek().is_some() {
            return Err(Fault::expected(&self.cursor, "nothing behind `# EOF`"));
        }
        self.families.end()
    }

    fn help(&mut self) -> Result<Entry<'page>, Fault> {
        let (at, name) = self.name_in_comment("a metric name behind HELP")?;
        let text = quoted::unescape(self.rest_of_comment()?);
        self.families.learn(at, &name, Fact::Help)?;
        Ok(Entry::Help { name, text })
    }

    fn kind(&mut self) -> Result<Entry<'page>, Fault> {
        let (at, name) = self.name_in_comment("a metric name behind TYPE")?;
        let place = self.cursor.at() + 1;
        let word = self.rest_of_comment()?;
        self.kind = MetricKind::of_openmetrics(word).ok_or_else(|| {
            let known = "counter, gauge, histogram, gaugehistogram, summary, info, stateset or unknown";
            Fault::new(place, format!("a type is expected ({known}), found `{}`", excerpt(word)))
        })?;
        self.families.learn(at, &name, Fact::Kind(self.kind))?;
        Ok(Entry::Type { name, kind: self.kind })
    }

    fn unit(&mut self) -> Result<Entry<'page>, Fault> {
        let (at, name) = self.name_in_comment("a metric name behind UNIT")?;
        let unit = self.rest_of_comment()?;
        self.families.learn(at, &name, Fact::Unit(unit))?;
        Ok(Entry::Unit { name, unit: Cow::Borrowed(unit) })
    }

    /// The name that a comment is about, and the byte at which it stands.
    fn name_in_comment(&mut self, what: &str) -> Result<(usize, Cow<'page, str>), Fault> {
        let at = self.cursor.at();
        let name = match self.cursor.peek() {
            Some(b'"') => quoted::unescape(labels::read_quoted_name(&mut self.cursor, Format::OpenMetrics)?),
            Some(byte) if begins_metric_name(byte) => Cow::Borrowed(self.cursor.take_while(is_in_metric_name)),
            _ => return Err(Fault::expected(&self.cursor, what)),
        };
        Ok((at, name))
    }

    /// The rest of a line behind one space, which must be there even before an empty text.
    fn rest_of_comment(&mut self) -> Result<&'page str, Fault> {
        if !self.cursor.take(b' ') {
            return Err(Fault::expected(&self.cursor, "a space behind the name"));
        }
        let rest = self.cursor.take_line();
        self.cursor.take_break();
        Ok(rest)
    }

    fn sample(&mut self) -> Result<SampleLine<'page>, Fault> {
        let line = self.cursor.line();
        let start = self.cursor.at();
        let mut name = self.cursor.take_while(is_in_metric_name);
        let mut label_text = "";
        if self.cursor.take(b'{') {
            let is_named = !name.is_empty();
            let owner = if is_named { Owner::NamedMetric } else { Owner::UnnamedMetric };
            let braces = labels::read(&mut self.cursor, Format::OpenMetrics, owner, &mut self.names)?;
            if !is_named {
                name = braces.metric.ok_or_else(|| labels::nameless(start))?;
            }
            label_text = braces.text;
        }
        let series = self.cursor.since(start);
        if !self.cursor.take(b' ') {
            return Err(Fault::expected(&self.cursor, "a space and a value"));
        }
        let mut places = Places { series: start, value: self.cursor.at(), exemplar: start };
        let value = self.value()?;
        let mut seconds = None;
        if self.cursor.peek() == Some(b' ') && !self.cursor.rest().starts_with(EXEMPLAR) {
            seconds = Some(self.timestamp()?);
        }
        places.exemplar = self.cursor.at() + 1;
        let exemplar = if self.cursor.take_text(EXEMPLAR) { Some(self.exemplar()?) } else { None };
        if !matches!(self.cursor.peek(), None | Some(b'\n')) {
            return Err(Fault::expected(&self.cursor, "the end of the line"));
        }
        self.cursor.take_break();
        let timestamp = seconds.map(number::milliseconds);
        let kind = self.kind;
        let sample = SampleLine { series, value, timestamp, line, exemplar, name, labels: label_text, kind };
        self.families.sample(&sample, seconds, &places)?;
        Ok(sample)
    }

    /// Reads an exemplar, the cursor behind its opening brace.
    fn exemplar(&mut self) -> Result<Exemplar<'page>, Fault> {
        let at = self.cursor.at();
        let braces = labels::read(&mut self.cursor, Format::OpenMetrics, Owner::Exemplar, &mut self.names)?;
        let pairs = LabelPairs::new(braces.text);
        let length: usize = pairs.map(|(name, value)| name.chars().count() + value.chars().count()).sum();
        if length > LONGEST_EXEMPLAR {
            let reason = "characters at most are expected in the labels of an exemplar";
            return Err(Fault::new(at, format!("{LONGEST_EXEMPLAR} {reason}, found {length}")));
        }
        if !self.cursor.take(b' ') {
            return Err(Fault::expected(&self.cursor, "a space and the value of the exemplar"));
        }
        let value = self.value()?;
        let seconds = if self.cursor.peek() == Some(b' ') { Some(self.timestamp()?) } else { None };
        Ok(Exemplar { value, timestamp: seconds.map(number::milliseconds), labels: braces.text })
    }

    fn value(&mut self) -> Result<f64, Fault> {
        let (at, text) = self.word("a value")?;
        number::float(text)
            .map_err(|reason| Fault::new(at, format!("a value is expected, `{}` {reason}", excerpt(text))))
    }

    /// Reads a space and a timestamp.
    fn timestamp(&mut self) -> Result<f64, Fault> {
        self.cursor.step();
        let (at, text) = self.word("a timestamp in seconds")?;
        if text.starts_with('#') {
            return Err(Fault::new(at, "an exemplar is expected, in the form ` # {label=\"value\"} number`"));
        }
        number::seconds(text).map_err(|reason| {
            Fault::new(at, format!("a timestamp in seconds is expected, `{}` {reason}", excerpt(text)))
        })
    }

    /// The characters up to the next space or the end of the line, and where they begin.
    fn word(&mut self, what: &str) -> Result<(usize, &'page str), Fault> {
        let at = self.cursor.at();
        let text = self.cursor.take_while(|byte| byte != b' ' && byte != b'\n');
        if text.is_empty() {
            return Err(Fault::expected(&self.cursor, what));
        }
        Ok((at, text))
    }
}
