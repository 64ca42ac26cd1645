//! What is told of a page that is refused: the place, what was expected, and nothing that could harm.

use trainyard::monitor::exposition::{Format, Reader};

#[track_caller]
fn fault(page: &str, format: Format) -> String {
    let mut reader = Reader::new(page, format);
    let error = reader.find_map(Result::err).unwrap_or_else(|| panic!("{page:?} is accepted"));
    assert!(reader.next().is_none(), "{page:?} goes on behind its fault");
    error.to_string()
}

#[test]
fn a_fault_of_the_text_format_is_told_with_its_place() {
    let faults = [
        ("a 1\nb one\n", "line 2, column 3: a value is expected, `one` is not a number"),
        ("a", "line 1, column 2: a value is expected, found the end of the page"),
        ("a{}\n", "line 1, column 4: a value is expected, found the end of the line"),
        ("<html>\n", "line 1, column 1: a metric name, `{` or `#` is expected, found `<html>`"),
        ("é 1\n", "line 1, column 1: a metric name, `{` or `#` is expected, found `é`"),
        ("a 1 2 3\n", "line 1, column 7: the end of the line is expected, found `3`"),
        (
            "a 1 -5\n",
            "line 1, column 5: a timestamp in whole milliseconds or the end of the line is expected, found `-5`",
        ),
        ("a 1e999\n", "line 1, column 3: a value is expected, `1e999` is too large for a number of 64 bits"),
        ("a{b=\"c} 1\n", "line 1, column 5: this quote is not closed: a second `\"` is expected"),
        ("a{b=c} 1\n", "line 1, column 5: a label value in double quotes is expected, found `c}`"),
        ("a{b=\"é\",c} 1\n", "line 1, column 10: `=` is expected, found `}`"),
        ("a{b=\"1\",,} 1\n", "line 1, column 9: a label name is expected, found `,}`"),
        ("a{b=\"1\",b=\"2\"} 1\n", "line 1, column 9: label `b` is given twice"),
        (
            "{b=\"1\"} 1\n",
            "line 1, column 1: the name of a metric is expected, before these braces or in quotes within them",
        ),
        ("a{\"b\"} 1\n", "line 1, column 6: `=` and the value of a label is expected, found `}`"),
        (
            "# TYPE a counter\r\n",
            "line 1, column 10: a type is expected (counter, gauge, histogram, summary or untyped), found `counter\\r`",
        ),
        ("# HELP \n", "line 1, column 8: a metric name behind HELP is expected, found the end of the line"),
    ];
    for (page, wanted) in faults {
        assert_eq!(fault(page, Format::Text), wanted, "{page:?}");
    }
}

#[test]
fn a_fault_of_openmetrics_is_told_with_its_place() {
    let faults = [
        ("a 1\n", "line 2, column 1: `# EOF` is expected, found the end of the page"),
        ("# EOF\na 1\n", "line 2, column 1: nothing behind `# EOF` is expected, found `a`"),
        ("\n# EOF\n", "line 1, column 1: a metric name, `{` or `# ` is expected, found the end of the line"),
        ("a  1\n# EOF\n", "line 1, column 3: a value is expected, found a space"),
        ("a 1 1z\n# EOF\n", "line 1, column 5: a timestamp in seconds is expected, `1z` is not a number"),
        ("a 1 NaN\n# EOF\n", "line 1, column 5: a timestamp in seconds is expected, `NaN` is not a moment"),
        ("a{b=\"1\",} 1\n# EOF\n", "line 1, column 9: a label name is expected, found `}`"),
        ("a{b=\"1\" ,c=\"2\"} 1\n# EOF\n", "line 1, column 8: `,` or `}` is expected, found a space"),
        (
            "# TYPE a gauge\na 1 # {b=\"c\"} 1\n# EOF\n",
            "line 2, column 5: only buckets and the totals of counters have exemplars: the end of the line is expected",
        ),
        ("# TYPE a counter\na_total -1\n# EOF\n", "line 2, column 9: a total or sum of 0 or more is expected"),
        ("# TYPE a gauge\n# TYPE a gauge\n# EOF\n", "line 2, column 8: `a` has a second TYPE: one is expected"),
        (
            "a 1\nb 1\na 1\n# EOF\n",
            "line 3, column 1: `a` belongs to a metric further up: its lines must stand together, and no other metric \
             may have names in common with it",
        ),
        (
            "# TYPE a histogram\na_bucket{le=\"1\"} 0\n# EOF\n",
            "line 2, column 1: a bucket `+Inf` is expected in this histogram",
        ),
        (
            "# UNIT a seconds\n# EOF\n",
            "line 1, column 8: the name of a metric in `seconds` is expected to end in `_seconds`, found `a`",
        ),
    ];
    for (page, wanted) in faults {
        assert_eq!(fault(page, Format::OpenMetrics), wanted, "{page:?}");
    }
}

#[test]
fn what_a_message_repeats_is_short_and_cannot_command_a_terminal() {
    let told = fault(&format!("\u{1b}[2J{}\n", "x".repeat(1_000_000)), Format::Text);
    assert!(told.len() < 200 && told.contains("\\u{1b}[2Jxx") && told.ends_with("…`"), "{told}");
}

/// A quadratic step in any of these would take minutes.
#[test]
fn long_lines_cost_no_more_than_many_short_ones() {
    let many = 100_000;
    let labels: String = (0..many).map(|number| format!("label_{number}=\"\\\\\\n\",")).collect();
    let labels = labels.trim_end_matches(',');
    let page = format!("a{{{labels}}} 1\n");
    assert_eq!(Reader::new(&page, Format::Text).flatten().count(), 1);
    assert_eq!(Reader::new(&format!("{page}# EOF\n"), Format::OpenMetrics).flatten().count(), 1);
    let twice = format!("a{{{labels},label_7=\"\"}} 1\n");
    assert!(fault(&twice, Format::Text).ends_with("label `label_7` is given twice"));
    for piece in ["{", "a{b=\"", "a{b=\"\\\"", "\"", "# HELP ", "a 1 ", "a{,", "\\", " ", "0"] {
        let page = piece.repeat(many);
        for format in [Format::Text, Format::OpenMetrics] {
            assert!(Reader::new(&page, format).count() <= 1, "{piece:?}");
        }
    }
    let families: String = (0..many).map(|number| format!("a{number} 1\n")).collect();
    let read = Reader::new(&format!("{families}# EOF\n"), Format::OpenMetrics).flatten().count();
    assert_eq!(read, many);
}
