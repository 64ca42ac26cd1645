//! The Prometheus text format, read as Prometheus 3.5.3 reads it.
//!
//! Its grammar is laxer than the description of the format: blanks may stand almost anywhere, a comma between labels
//! may be missing, a value may follow its name without a blank, and whatever one character stands behind the name of a
//! metric in `# HELP` and `# TYPE` separates it from the rest. Only the syntax counts: a type may be named twice, or
//! behind its samples.

use std::borrow::Cow;

use super::cursor::{Cursor, begins_metric_name, is_blank, is_in_metric_name};
use super::error::{Fault, excerpt};
use super::labels::{self, LabelNames, Owner};
use super::metadata::MetricKind;
use super::number;
use super::quoted;
use super::reader::{Entry, Format};
use super::sample::SampleLine;

/// A page of the text format, and how far it has been read.
#[derive(Debug)]
pub(super) struct TextLines<'page> {
    cursor: Cursor<'page>,
    /// What the last `# TYPE` named. It holds for all samples that follow, of whichever metric, as in Prometheus.
    kind: MetricKind,
    names: LabelNames<'page>,
}

impl<'page> TextLines<'page> {
    /// A page before its first line.
    pub(super) fn new(page: &'page str) -> Self {
        Self { cursor: Cursor::new(page), kind: MetricKind::default(), names: LabelNames::default() }
    }

    /// The next entry; `None` at the end of the page.
    pub(super) fn next_entry(&mut self) -> Result<Option<Entry<'page>>, Fault> {
        loop {
            let start = self.cursor.at();
            self.cursor.skip_blanks();
            match self.cursor.peek() {
                None => return Ok(None),
                Some(b'\n') => self.cursor.take_break(),
                Some(b'#') => {
                    if let Some(entry) = self.comment()? {
                        return Ok(Some(entry));
                    }
                }
                Some(byte) if byte == b'{' || begins_metric_name(byte) => {
                    return Ok(Some(Entry::Sample(self.sample(start)?)));
                }
                Some(_) => return Err(Fault::expected(&self.cursor, "a metric name, `{` or `#`")),
            }
        }
    }

    /// Reads a comment, which tells something only if it begins with `HELP` or `TYPE`.
    fn comment(&mut self) -> Result<Option<Entry<'page>>, Fault> {
        self.cursor.step();
        let is_apart = self.cursor.peek().is_some_and(is_blank);
        self.cursor.skip_blanks();
        let is_help = is_apart && self.cursor.take_text("HELP");
        let is_type = is_apart && !is_help && self.cursor.take_text("TYPE");
        let entry = if (is_help || is_type) && self.cursor.peek().is_some_and(is_blank) {
            self.cursor.skip_blanks();
            Some(if is_help { self.help()? } else { self.kind()? })
        } else {
            self.cursor.take_line();
            None
        };
        self.cursor.take_break();
        Ok(entry)
    }

    fn help(&mut self) -> Result<Entry<'page>, Fault> {
        let name = self.name_in_comment("a metric name behind HELP")?;
        let text = quoted::unescape_help(self.rest_of_comment()?);
        Ok(Entry::Help { name, text })
    }

    fn kind(&mut self) -> Result<Entry<'page>, Fault> {
        let name = self.name_in_comment("a metric name behind TYPE")?;
        let word = self.rest_of_comment()?;
        let at = self.cursor.at() - word.len();
        self.kind = MetricKind::of_text(word).ok_or_else(|| {
            let known = "counter, gauge, histogram, summary or untyped";
            Fault::new(at, format!("a type is expected ({known}), found `{}`", excerpt(word)))
        })?;
        Ok(Entry::Type { name, kind: self.kind })
    }

    fn name_in_comment(&mut self, what: &str) -> Result<Cow<'page, str>, Fault> {
        match self.cursor.peek() {
            Some(b'"') => Ok(quoted::unescape(labels::read_quoted_name(&mut self.cursor, Format::Text)?)),
            Some(byte) if begins_metric_name(byte) => Ok(Cow::Borrowed(self.cursor.take_while(is_in_metric_name))),
            _ => Err(Fault::expected(&self.cursor, what)),
        }
    }

    /// The rest of a line without the character that separates it from the name.
    fn rest_of_comment(&mut self) -> Result<&'page str, Fault> {
        let at = self.cursor.at();
        let rest = self.cursor.take_line();
        if rest.bytes().all(is_blank) {
            return Ok("");
        }
        rest.get(1..).ok_or_else(|| {
            let found = rest.split(char::is_whitespace).next().unwrap_or_default();
            Fault::new(at, format!("a space is expected behind the name, found `{}`", excerpt(found)))
        })
    }

    /// Reads a sample that begins at `start`, with the blanks before its name.
    fn sample(&mut self, start: usize) -> Result<SampleLine<'page>, Fault> {
        let line = self.cursor.line();
        let first = self.cursor.at();
        self.cursor.take_while(is_in_metric_name);
        let mut name = self.cursor.since(start);
        let is_named = self.cursor.at() > first;
        let mut series = name;
        let mut label_text = "";
        self.cursor.skip_blanks();
        if self.cursor.take(b'{') {
            let owner = if is_named { Owner::NamedMetric } else { Owner::UnnamedMetric };
            let braces = labels::read(&mut self.cursor, Format::Text, owner, &mut self.names)?;
            if !is_named {
                name = braces.metric.ok_or_else(|| labels::nameless(first))?;
            }
            series = self.cursor.since(start);
            label_text = braces.text;
            self.cursor.skip_blanks();
        }
        let value = self.value()?;
        let timestamp = self.timestamp()?;
        if !matches!(self.cursor.peek(), None | Some(b'\n')) {
            return Err(Fault::expected(&self.cursor, "the end of the line"));
        }
        self.cursor.take_break();
        Ok(SampleLine { series, value, timestamp, line, exemplar: None, name, labels: label_text, kind: self.kind })
    }

    fn value(&mut self) -> Result<f64, Fault> {
        let at = self.cursor.at();
        let text = self.cursor.take_while(|byte| !matches!(byte, b'{' | b' ' | b'\t' | b'\n'));
        if text.is_empty() {
            return Err(Fault::expected(&self.cursor, "a value"));
        }
        let value = number::float(text);
        self.cursor.skip_blanks();
        value.map_err(|reason| Fault::new(at, format!("a value is expected, `{}` {reason}", excerpt(text))))
    }

    fn timestamp(&mut self) -> Result<Option<i64>, Fault> {
        match self.cursor.peek() {
            None | Some(b'\n') => Ok(None),
            Some(byte) if byte.is_ascii_digit() => {
                let at = self.cursor.at();
                let text = self.cursor.take_while(|byte| byte.is_ascii_digit());
                self.cursor.skip_blanks();
                // Digits alone: they can only be too many.
                let timestamp = text.parse().map_err(|_| {
                    Fault::new(at, format!("a timestamp in milliseconds is expected, `{}` is too large", excerpt(text)))
                })?;
                Ok(Some(timestamp))
            }
            Some(_) => {
                let what = "a timestamp in whole milliseconds or the end of the line";
                Err(Fault::expected(&self.cursor, what))
            }
        }
    }
}
