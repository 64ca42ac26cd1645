//! The labels between braces, in both formats.
//!
//! They are checked once, when their line is read; their pairs are made only when somebody asks for them, since for a
//! series that is known already nobody does. The text format allows blanks anywhere and asks for no commas, as
//! Prometheus does; `OpenMetrics` allows no blank and no comma too many.

use std::borrow::Cow;

use super::super::labels::METRIC_NAME;
use super::cursor::{Cursor, begins_label_name, is_blank, is_in_label_name};
use super::error::{Fault, excerpt};
use super::metadata::MetricKind;
use super::number;
use super::quoted;
use super::reader::Format;

/// So many names are compared each with each, which is quicker than anything that has to be set up; more are sorted.
const FEW: usize = 16;

/// What stands between braces.
#[derive(Debug)]
pub(super) struct Braces<'page> {
    /// Everything between them, as written.
    pub text: &'page str,
    /// The name of the metric, as written, if it stands there in quotes.
    pub metric: Option<&'page str>,
}

/// Whose braces they are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Owner {
    /// A metric whose name stands before them.
    NamedMetric,
    /// A metric whose name must be in them.
    UnnamedMetric,
    /// An exemplar, which has no name.
    Exemplar,
}

/// Reads labels up to their closing brace, the cursor behind the opening one. `names` is only lent, for its memory.
pub(super) fn read<'page>(
    cursor: &mut Cursor<'page>,
    format: Format,
    owner: Owner,
    names: &mut LabelNames<'page>,
) -> Result<Braces<'page>, Fault> {
    names.0.clear();
    let start = cursor.at();
    let mut metric = None;
    let mut is_behind_comma = false;
    loop {
        skip_blanks(cursor, format);
        if cursor.peek() == Some(b'}') && !(is_behind_comma && format == Format::OpenMetrics) {
            break;
        }
        let at = cursor.at();
        let what = if is_behind_comma { "a label name" } else { "a label name or `}`" };
        let (name, is_quoted) = read_name(cursor, format, what)?;
        skip_blanks(cursor, format);
        if is_quoted && matches!(cursor.peek(), Some(b',' | b'}')) {
            if owner != Owner::UnnamedMetric || metric.is_some() {
                return Err(Fault::expected(cursor, "`=` and the value of a label"));
            }
            metric = Some(name);
        } else {
            names.add(quoted::unescape(name), at, owner)?;
            read_value(cursor, format)?;
        }
        skip_blanks(cursor, format);
        is_behind_comma = cursor.take(b',');
        if format == Format::OpenMetrics && !is_behind_comma && cursor.peek() != Some(b'}') {
            return Err(Fault::expected(cursor, "`,` or `}`"));
        }
    }
    let text = cursor.since(start);
    cursor.step();
    names.check()?;
    Ok(Braces { text, metric })
}

/// The braces at this byte hold no name, and none stands before them.
pub(super) fn nameless(at: usize) -> Fault {
    Fault::new(at, "the name of a metric is expected, before these braces or in quotes within them")
}

/// Reads a name, bare or in quotes; returns it as written, and whether it was quoted.
fn read_name<'page>(cursor: &mut Cursor<'page>, format: Format, what: &str) -> Result<(&'page str, bool), Fault> {
    match cursor.peek() {
        Some(b'"') => Ok((read_quoted_name(cursor, format)?, true)),
        Some(byte) if begins_label_name(byte) => Ok((cursor.take_while(is_in_label_name), false)),
        _ => Err(Fault::expected(cursor, what)),
    }
}

/// Reads a name in quotes, of a label or a metric; returns it as written.
pub(super) fn read_quoted_name<'page>(cursor: &mut Cursor<'page>, format: Format) -> Result<&'page str, Fault> {
    let at = cursor.at();
    let name = quoted::read(cursor, format)?;
    if name.is_empty() {
        return Err(Fault::new(at, "a name is expected between the quotes"));
    }
    if name.contains('\0') {
        return Err(Fault::new(at, "a name may not hold a NUL"));
    }
    Ok(name)
}

fn read_value(cursor: &mut Cursor<'_>, format: Format) -> Result<(), Fault> {
    if !cursor.take(b'=') {
        return Err(Fault::expected(cursor, "`=`"));
    }
    skip_blanks(cursor, format);
    if cursor.peek() != Some(b'"') {
        return Err(Fault::expected(cursor, "a label value in double quotes"));
    }
    quoted::read(cursor, format)?;
    Ok(())
}

fn skip_blanks(cursor: &mut Cursor<'_>, format: Format) {
    if format == Format::Text {
        cursor.skip_blanks();
    }
}

/// The names of the labels of one line, with the bytes at which they stand.
#[derive(Debug, Default)]
pub(super) struct LabelNames<'page>(Vec<(Cow<'page, str>, usize)>);

impl<'page> LabelNames<'page> {
    fn add(&mut self, name: Cow<'page, str>, at: usize, owner: Owner) -> Result<(), Fault> {
        if name == METRIC_NAME && owner != Owner::Exemplar {
            let reason = "`__name__` is the name of the metric: it stands before the braces, or in quotes within them";
            return Err(Fault::new(at, reason));
        }
        if self.0.len() < FEW && self.0.iter().any(|(other, _)| *other == name) {
            return Err(given_twice(&name, at));
        }
        self.0.push((name, at));
        Ok(())
    }

    /// Looks for a name that is given twice, where there were too many to compare them singly.
    fn check(&mut self) -> Result<(), Fault> {
        if self.0.len() <= FEW {
            return Ok(());
        }
        self.0.sort_unstable();
        let twice = self.0.windows(2).find_map(|pair| match pair {
            [(one, _), (other, at)] if one == other => Some(given_twice(other, *at)),
            _ => None,
        });
        twice.map_or(Ok(()), Err)
    }
}

fn given_twice(name: &str, at: usize) -> Fault {
    Fault::new(at, format!("label `{}` is given twice", excerpt(name)))
}

/// The labels of a sample or an exemplar, each with its value, in the order of the page. The name of the metric is not
/// among them.
#[derive(Debug, Clone)]
pub struct LabelPairs<'page> {
    cursor: Cursor<'page>,
    number_label: Option<&'static str>,
}

impl<'page> LabelPairs<'page> {
    /// The pairs of a text that was read without fault.
    pub(super) fn new(text: &'page str) -> Self {
        Self { cursor: Cursor::new(text), number_label: None }
    }

    /// With the bounds of buckets and the quantiles of summaries in the one spelling that Prometheus gives them.
    pub(super) fn normalized(self, kind: MetricKind) -> Self {
        Self { number_label: kind.number_label(), ..self }
    }
}

impl<'page> Iterator for LabelPairs<'page> {
    type Item = (Cow<'page, str>, Cow<'page, str>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            self.cursor.take_while(|byte| is_blank(byte) || byte == b',');
            let name = match self.cursor.peek()? {
                b'"' => quoted::read(&mut self.cursor, Format::Text).ok()?,
                byte if begins_label_name(byte) => self.cursor.take_while(is_in_label_name),
                _ => return None,
            };
            self.cursor.skip_blanks();
            // A text in quotes without a value is the name of the metric.
            if !self.cursor.take(b'=') {
                continue;
            }
            self.cursor.skip_blanks();
            let name = quoted::unescape(name);
            let value = quoted::unescape(quoted::read(&mut self.cursor, Format::Text).ok()?);
            if self.number_label.is_some_and(|label| label == name)
                && let Some(normalized) = number::normalized(&value)
            {
                return Some((name, Cow::Owned(normalized)));
            }
            return Some((name, value));
        }
    }
}
