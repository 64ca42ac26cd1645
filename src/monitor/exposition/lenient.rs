//! What can be saved from a page that the strict reader refuses.
//!
//! `prometheus-parse` reads each line for itself, so that one bad line does not hide the others. What it gives is not
//! verified, and must be shown as such: it splits labels at every `,` and `=`, also within quotes, so that labels whose
//! values hold one of these vanish, and with them two series may become one; it takes a `}` in a value for the end of
//! the labels, and then loses the line; it resolves no escapes and cuts quotes from both ends of a value; it knows
//! neither names with a colon nor names in quotes; it reads the timestamps of `OpenMetrics` as milliseconds or not at
//! all; and it sees nothing wrong with what stands behind a sample.

use std::iter;

use prometheus_parse::{LineInfo, Scrape, Value};

use super::super::labels::Labels;
use super::page::Sample;

/// The samples of a page as far as they can be made out, unverified, and at most `limit` of them.
pub fn read_lenient(page: &str, limit: usize) -> Vec<Sample> {
    page.lines().filter_map(read_line).take(limit).collect()
}

fn read_line(line: &str) -> Option<Sample> {
    let LineInfo::Sample { timestamp, .. } = LineInfo::parse(line) else { return None };
    let timestamp = timestamp.and_then(|timestamp| timestamp.parse().ok());
    // Without a `# TYPE` before it, a line is one sample and not a part of a histogram.
    let scrape = Scrape::parse(iter::once(Ok(line.to_owned()))).ok()?;
    let sample = scrape.samples.into_iter().next()?;
    let value = match sample.value {
        Value::Untyped(value) | Value::Counter(value) | Value::Gauge(value) => value,
        Value::Histogram(_) | Value::Summary(_) => return None,
    };
    let labels = Labels::new(sample.labels.iter().map(|(name, value)| (name.as_str(), value.as_str())));
    Some(Sample { name: sample.metric, labels, value, timestamp })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bad_line_does_not_hide_the_others() {
        let page = "# TYPE a histogram\na_bucket{le=\"1\"} 2 17\n<html>\n\nb{c=\"d\" e} 3\nf NaN\ng x\n";
        let samples = read_lenient(page, 10);
        let names: Vec<_> = samples.iter().map(|sample| sample.name.as_str()).collect();
        assert_eq!(names, ["a_bucket", "b", "f"]);
        assert_eq!(samples[0].labels.get("le"), Some("1"));
        assert_eq!(samples[0].timestamp, Some(17));
        assert!(samples[2].value.is_nan());
        assert_eq!(read_lenient(page, 1).len(), 1);
    }

    #[test]
    fn what_it_gives_is_not_to_be_trusted() {
        let samples = read_lenient("a{path=\"/q?m=1\"} 1\n", 1);
        assert!(samples[0].labels.is_empty(), "where this is read well, the module need not warn of it any more");
    }
}
