//! On anything at all the reader comes to an end, and what was written is what is read.

use std::collections::BTreeMap;

use proptest::prelude::*;
use trainyard::monitor::Labels;
use trainyard::monitor::exposition::{Entry, Exemplar, Format, Reader, read, read_lenient};

/// Pieces of which pages consist, so that a random sequence of them is often nearly right.
const PIECES: &[&str] = &[
    "a",
    "a_total",
    "a_bucket",
    "a_count",
    "a_sum",
    "{",
    "}",
    "le=\"1\"",
    "le=\"+Inf\"",
    "quantile=\"0.5\"",
    "b=\"\\n\"",
    "\"q.r\"",
    "\"",
    "\\",
    ",",
    "=",
    " ",
    "\t",
    "\n",
    "\n",
    "1",
    "-1",
    "NaN",
    "+Inf",
    "1e5",
    " 1\n",
    " 2 3\n",
    "#",
    "# ",
    "# TYPE a histogram\n",
    "# TYPE a counter\n",
    "# TYPE a summary\n",
    "# HELP a x\n",
    "# UNIT a_s s\n",
    "# EOF\n",
    " # {b=\"c\"} 1",
    "é",
    "\0",
    "\r\n",
];

fn page() -> impl Strategy<Value = String> {
    let pieces = prop::collection::vec(prop::sample::select(PIECES), 0..60);
    prop_oneof![1 => any::<String>(), 4 => pieces.prop_map(|pieces| pieces.concat())]
}

/// A sample without its name: labels, value and timestamp.
type Content = (BTreeMap<String, String>, f64, Option<i64>);

fn name() -> impl Strategy<Value = String> {
    prop_oneof!["[a-zA-Z_:][a-zA-Z0-9_:]{0,8}", "[^\\x00]{1,8}"]
}

fn content() -> impl Strategy<Value = Content> {
    let label = name().prop_filter("this is no label", |name| name != "__name__");
    let value = prop_oneof![any::<String>(), "[\\\\\"\n a-c{},=#]{0,8}"];
    let labels = prop::collection::btree_map(label, value, 0..5);
    (labels, any::<f64>(), prop::option::of(0..4_000_000_000_i64))
}

/// One line of either format. Timestamps are handed in as they are to stand there.
fn write(name: &str, labels: &BTreeMap<String, String>, value: f64, timestamp: Option<i64>) -> String {
    let quote = |text: &str| {
        let escaped = text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        format!("\"{escaped}\"")
    };
    let is_bare = |text: &str, extra: &[char]| {
        let belongs = |character: char| character.is_ascii_alphanumeric() || extra.contains(&character);
        text.chars().all(belongs) && !text.starts_with(|character: char| character.is_ascii_digit())
    };
    let has_bare_name = is_bare(name, &['_', ':']);
    let mut inner: Vec<String> = if has_bare_name { Vec::new() } else { vec![quote(name)] };
    inner.extend(labels.iter().map(|(label, value)| {
        let label = if is_bare(label, &['_']) { label.clone() } else { quote(label) };
        format!("{label}={}", quote(value))
    }));
    let timestamp = timestamp.map(|timestamp| format!(" {timestamp}")).unwrap_or_default();
    let name = if has_bare_name { name } else { "" };
    format!("{name}{{{}}} {value}{timestamp}\n", inner.join(","))
}

/// Reads a page and compares it with what was written.
fn compare(page: &str, format: Format, written: &[(&String, &Content)], unit: i64) -> Result<(), TestCaseError> {
    let told = read(page, format, 1_000).map_err(|error| TestCaseError::fail(format!("{page:?}: {error}")))?;
    prop_assert_eq!(told.samples.len(), written.len());
    for (sample, (name, (labels, value, timestamp))) in told.samples.iter().zip(written) {
        prop_assert_eq!(&sample.name, *name);
        prop_assert_eq!(&sample.labels, &Labels::new(labels.clone()));
        prop_assert!(sample.value.to_bits() == value.to_bits() || (sample.value.is_nan() && value.is_nan()));
        prop_assert_eq!(sample.timestamp, timestamp.map(|timestamp| timestamp * unit));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_page_makes_the_reader_panic_or_go_on_for_ever(page in page()) {
        for format in [Format::Text, Format::OpenMetrics] {
            let mut entries = 0;
            for entry in Reader::new(&page, format) {
                entries += 1;
                if let Ok(Entry::Sample(line)) = entry {
                    prop_assert!(!line.name().is_empty());
                    prop_assert!(page.contains(line.series));
                    let exemplar = line.exemplar.iter().flat_map(Exemplar::labels);
                    prop_assert!(line.labels().chain(exemplar).all(|(name, _)| !name.is_empty()));
                }
            }
            // An empty page of `OpenMetrics` is one fault.
            prop_assert!(entries <= page.len() + 1);
            let _ = read(&page, format, 10);
        }
        let _ = read_lenient(&page, usize::MAX);
    }

    #[test]
    fn what_is_written_in_the_text_format_is_read(
        written in prop::collection::vec((name(), content()), 0..8),
    ) {
        let page: String =
            written.iter().map(|(name, (labels, value, at))| write(name, labels, *value, *at)).collect();
        let written: Vec<_> = written.iter().map(|(name, content)| (name, content)).collect();
        compare(&page, Format::Text, &written, 1)?;
    }

    #[test]
    fn what_is_written_in_openmetrics_is_read(
        written in prop::collection::btree_map(name(), content(), 0..8),
    ) {
        let lines: String =
            written.iter().map(|(name, (labels, value, at))| write(name, labels, *value, *at)).collect();
        let written: Vec<_> = written.iter().collect();
        compare(&format!("{lines}# EOF\n"), Format::OpenMetrics, &written, 1_000)?;
    }
}
