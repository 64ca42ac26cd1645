//! Reads a page of metrics in the Prometheus text format, version 0.0.4.
//!
//! `prometheus-parse` reads the name, value and timestamp of a line. Its own reading of labels splits at every `,`, `=`
//! and `}`, also inside quotes, so that `path="/items/{id}"` or `q="a,b"` would vanish, and its reading of whole pages
//! folds histograms and skips what it does not understand. So the block of labels is cut out and read here, every line
//! counts as one untyped sample, and one line that cannot be read refuses the page: half a page would look like series
//! that ended.

use std::collections::BTreeMap;

use prometheus_parse::LineInfo;

use super::labels::Labels;

/// One line of a page of metrics.
#[derive(Debug, Clone, PartialEq)]
pub struct Sample {
    /// The name of the metric.
    pub name: String,
    /// Its labels, without the name.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// Why a page was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ExpositionError {
    /// A line does not follow the format.
    Malformed {
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// There are more samples than allowed.
    TooManySamples,
}

/// Reads all samples of a page, at most `limit`.
pub(super) fn read(text: &str, limit: usize) -> Result<Vec<Sample>, ExpositionError> {
    let mut samples = Vec::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        if samples.len() >= limit {
            return Err(ExpositionError::TooManySamples);
        }
        let sample = read_line(line).map_err(|reason| ExpositionError::Malformed { line: index + 1, reason })?;
        samples.push(sample);
    }
    Ok(samples)
}

fn read_line(line: &str) -> Result<Sample, String> {
    let name_end = line
        .find(|character: char| character == '{' || character.is_whitespace())
        .ok_or_else(|| format!("`{}` has no value", excerpt(line)))?;
    let (name, rest) = line.split_at(name_end);
    if !is_metric_name(name) {
        return Err(format!("`{}` is not a metric name", excerpt(name)));
    }
    let rest = rest.trim_start();
    let (labels, rest) = match rest.strip_prefix('{') {
        Some(inner) => read_labels(inner)?,
        None => (Labels::default(), rest),
    };
    let value = read_value(name, rest.trim())?;
    Ok(Sample { name: name.to_owned(), labels, value })
}

/// Reads the value, and checks the timestamp that may follow it.
fn read_value(name: &str, rest: &str) -> Result<f64, String> {
    // The crate knows no colon in names, which recording rules have.
    let bare = format!("{} {rest}", name.replace(':', "_"));
    let LineInfo::Sample { value, timestamp, .. } = LineInfo::parse(&bare) else {
        return Err(format!("`{name}` has no value"));
    };
    if rest.split_whitespace().count() > 2 {
        return Err(format!("there is more than a value and a timestamp after `{name}`"));
    }
    if timestamp.is_some_and(|timestamp| timestamp.parse::<i64>().is_err()) {
        return Err(format!("the timestamp of `{name}` is not a whole number"));
    }
    value.parse().map_err(|_| format!("the value `{}` of `{name}` is not a number", excerpt(value)))
}

/// Reads labels up to the closing brace; returns them and what follows it.
fn read_labels(inner: &str) -> Result<(Labels, &str), String> {
    let mut labels = BTreeMap::new();
    let mut rest = inner.trim_start();
    loop {
        if let Some(after) = rest.strip_prefix('}') {
            return Ok((Labels::new(labels), after));
        }
        let (name, after) = rest.split_once('=').ok_or("the labels have no closing brace")?;
        let name = name.trim();
        if !is_label_name(name) {
            return Err(format!("`{}` is not a label name", excerpt(name)));
        }
        let quoted = after
            .trim_start()
            .strip_prefix('"')
            .ok_or_else(|| format!("the value of label `{name}` is not in double quotes"))?;
        let (value, after) =
            read_quoted(quoted).ok_or_else(|| format!("the value of label `{name}` has no closing quote"))?;
        if labels.insert(name.to_owned(), value).is_some() {
            return Err(format!("label `{name}` is given twice"));
        }
        rest = after.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
        } else if !rest.starts_with('}') {
            return Err(format!("neither `,` nor `}}` follows label `{name}`"));
        }
    }
}

/// Reads up to the closing quote and resolves the three escapes of the format; any other backslash stands for itself.
fn read_quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut escaped = false;
    for (index, character) in text.char_indices() {
        if escaped {
            match character {
                'n' => value.push('\n'),
                '"' | '\\' => value.push(character),
                other => value.extend(['\\', other]),
            }
            escaped = false;
        } else if character == '\\' {
            escaped = true;
        } else if character == '"' {
            return Some((value, text.get(index + 1..)?));
        } else {
            value.push(character);
        }
    }
    None
}

fn is_metric_name(name: &str) -> bool {
    is_name(name, |character| character == '_' || character == ':')
}

fn is_label_name(name: &str) -> bool {
    is_name(name, |character| character == '_')
}

fn is_name(name: &str, is_extra: impl Fn(char) -> bool) -> bool {
    name.starts_with(|character: char| character.is_ascii_alphabetic() || is_extra(character))
        && name.chars().all(|character| character.is_ascii_alphanumeric() || is_extra(character))
}

/// The beginning of a text, because one line of a foreign page may be megabytes long.
fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(line: &str) -> Sample {
        read(line, 1).unwrap().pop().unwrap()
    }

    fn refusal(text: &str) -> String {
        match read(text, 10).unwrap_err() {
            ExpositionError::Malformed { line, reason } => format!("{line}: {reason}"),
            ExpositionError::TooManySamples => "too many".to_owned(),
        }
    }

    #[test]
    fn a_histogram_keeps_its_buckets_sum_and_count() {
        let page = "# HELP d_seconds time\n# TYPE d_seconds histogram\nd_seconds_bucket{le=\"0.1\"} 3\n\
                    d_seconds_bucket{le=\"+Inf\"} 4\nd_seconds_sum 0.5\nd_seconds_count 4\n";
        let samples = read(page, 10).unwrap();
        let names: Vec<_> = samples.iter().map(|sample| sample.name.as_str()).collect();
        assert_eq!(names, ["d_seconds_bucket", "d_seconds_bucket", "d_seconds_sum", "d_seconds_count"]);
        assert_eq!(samples[1].labels.get("le"), Some("+Inf"));
    }

    #[test]
    fn label_values_may_hold_what_separates_labels() {
        let sample = one(r#"requests_total{path="/items/{id}",query="a=1,b=2",note="say \"hi\"\n\\"} 7 1700000000000"#);
        assert_eq!(sample.labels.get("path"), Some("/items/{id}"));
        assert_eq!(sample.labels.get("query"), Some("a=1,b=2"));
        assert_eq!(sample.labels.get("note"), Some("say \"hi\"\n\\"));
        assert!((sample.value - 7.0).abs() < f64::EPSILON);
    }

    #[test]
    fn unusual_but_valid_lines_are_read() {
        assert_eq!(one("job:rate:5m 1").name, "job:rate:5m");
        assert!(one("a{} 1").labels.is_empty());
        assert_eq!(one("a { b = \"c\" , } 1").labels.get("b"), Some("c"));
        assert!(one("a NaN").value.is_nan());
        assert!(one("a -Inf").value.is_infinite());
        assert!(read("", 10).unwrap().is_empty());
    }

    #[test]
    fn a_line_that_cannot_be_read_refuses_the_page() {
        assert_eq!(refusal("a 1\nb one\n"), "2: the value `one` of `b` is not a number");
        assert_eq!(refusal("a"), "1: `a` has no value");
        assert_eq!(refusal("<html> 1"), "1: `<html>` is not a metric name");
        assert_eq!(refusal("a 1 2 3"), "1: there is more than a value and a timestamp after `a`");
        assert_eq!(refusal("a{b=\"c} 1"), "1: the value of label `b` has no closing quote");
        assert_eq!(refusal("a{b=c} 1"), "1: the value of label `b` is not in double quotes");
        assert_eq!(refusal("a{b=\"1\",b=\"2\"} 1"), "1: label `b` is given twice");
    }

    #[test]
    fn reading_stops_at_the_limit() {
        assert_eq!(read("a 1\nb 2\n", 1), Err(ExpositionError::TooManySamples));
    }
}
