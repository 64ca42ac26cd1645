//! The oddities of the text format, which are Prometheus' own, and what a page tells beside its samples.

use trainyard::monitor::exposition::{Entry, Format, MetricKind, Reader, read};

/// Name, labels and value of every sample, as one text each.
fn samples(page: &str) -> Vec<String> {
    let line = |entry| match entry {
        Ok(Entry::Sample(line)) => {
            let labels: Vec<String> = line.labels().map(|(name, value)| format!("{name}={value:?}")).collect();
            Some(format!("{}[{}] {}", line.name(), labels.join(" "), line.value))
        }
        Ok(_) => None,
        Err(error) => panic!("{page:?}: {error}"),
    };
    Reader::new(page, Format::Text).filter_map(line).collect()
}

#[test]
fn blanks_and_commas_are_as_free_as_in_prometheus() {
    let same = [
        "a{b=\"1\",c=\"2\"} 3\n",
        "a{b=\"1\",c=\"2\",} 3",
        "a {\tb = \"1\" c = \"2\" }\t 3 \t\n",
        "a{b=\"1\"c=\"2\"}3\n",
        "\n \n{\"a\",b=\"1\",\"c\"=\"2\"} 3\n",
        "{b=\"1\", \"a\" , c=\"2\"} 3\n",
        "#\n# TYPE\n# HELP\n#HELP a\n# comment\n  # TYPE a gauge\na{b=\"1\",c=\"2\"} 3\n",
    ];
    for page in same {
        assert_eq!(samples(page), ["a[b=\"1\" c=\"2\"] 3"], "{page:?}");
    }
    assert_eq!(samples("a-1\nb.5\n"), ["a[] -1", "b[] 0.5"]);
}

#[test]
fn names_in_quotes_may_hold_anything() {
    let page = "# TYPE \"my.metric\" counter\n{\"my.metric\",\"l.x\"=\"v\"} 1\n{\"a\\\"b\\\\c\\nd é\"} 2\n";
    assert_eq!(samples(page), ["my.metric[l.x=\"v\"] 1", "a\"b\\c\nd é[] 2"]);
    let metadata = read(page, Format::Text, 10).unwrap().metadata;
    assert_eq!(metadata["my.metric"].kind, MetricKind::Counter);
}

#[test]
fn a_value_may_go_on_in_the_next_line_and_lines_are_still_counted() {
    let page = "a{b=\"x\ny\"} 1\nc 2\n";
    let lines: Vec<usize> = Reader::new(page, Format::Text)
        .filter_map(|entry| match entry.unwrap() {
            Entry::Sample(line) => Some(line.line),
            _ => None,
        })
        .collect();
    assert_eq!(lines, [1, 3]);
    assert_eq!(samples(page), ["a[b=\"x\\ny\"] 1", "c[] 2"]);
}

#[test]
fn bounds_and_quantiles_get_one_spelling_below_their_type() {
    let page = "h_bucket{le=\"1\"} 1\n# TYPE h histogram\nh_bucket{le=\"1\"} 1\nh_bucket{le=\"1e6\",quantile=\"1\"} 1\n\
                other{le=\"2\"} 1\n# TYPE s summary\ns{quantile=\"1\",le=\"1\"} 1\ns{quantile=\"half\"} 1\n\
                # TYPE g gauge\ng{le=\"1\"} 1\n";
    let wanted = [
        "h_bucket[le=\"1\"] 1",
        "h_bucket[le=\"1.0\"] 1",
        "h_bucket[le=\"1e+06\" quantile=\"1\"] 1",
        "other[le=\"2.0\"] 1",
        "s[quantile=\"1.0\" le=\"1\"] 1",
        "s[quantile=\"half\"] 1",
        "g[le=\"1\"] 1",
    ];
    assert_eq!(samples(page), wanted);
}

#[test]
fn the_text_of_a_series_is_what_stands_on_the_page() {
    let page = "a {b=\"1\"} 1\n{\"c\"} 2\nd 3\n";
    let series: Vec<&str> = Reader::new(page, Format::Text)
        .filter_map(|entry| match entry.unwrap() {
            Entry::Sample(line) => Some(line.series),
            _ => None,
        })
        .collect();
    assert_eq!(series, ["a {b=\"1\"}", "{\"c\"}", "d"]);
}

#[test]
fn one_character_separates_a_name_from_what_is_said_of_it() {
    let page = "# HELP a  two spaces\n# HELP b.c d\\n\\\"e\n# HELP f\n# HELP g \n# TYPE\th\tgauge\n";
    let metadata = read(page, Format::Text, 10).unwrap().metadata;
    let helps: Vec<(&str, &str)> =
        metadata.iter().map(|(name, metadata)| (name.as_str(), metadata.help.as_str())).collect();
    assert_eq!(helps, [("a", " two spaces"), ("b", "c d\n\\\"e"), ("f", ""), ("g", ""), ("h", "")]);
}

#[test]
fn exemplars_and_units_of_openmetrics_are_told() {
    let page = "# TYPE a_seconds histogram\n# UNIT a_seconds seconds\n\
                a_seconds_bucket{le=\"+Inf\"} 1 1520879607.5 # {trace_id=\"x\\\\y\"} 0.5 1.5\n# EOF\n";
    let entries: Vec<Entry<'_>> = Reader::new(page, Format::OpenMetrics).collect::<Result<_, _>>().unwrap();
    assert!(matches!(&entries[1], Entry::Unit { name, unit } if name == "a_seconds" && unit == "seconds"));
    let Entry::Sample(line) = &entries[2] else { panic!("{entries:?}") };
    assert_eq!(line.timestamp, Some(1_520_879_607_500));
    let exemplar = line.exemplar.as_ref().unwrap();
    assert_eq!(exemplar.timestamp, Some(1_500));
    let labels: Vec<(String, String)> =
        exemplar.labels().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
    assert_eq!(labels, [("trace_id".to_owned(), "x\\y".to_owned())]);
}
