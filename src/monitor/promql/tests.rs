//! The language as a whole, over stores filled by scrapes. Expected values are those of Prometheus 3.

use super::*;
use crate::monitor::fixture::{ABSENT, fail, record, store};

const MINUTE: i64 = 60_000;

/// The result at a moment as `labels value` lines, sorted.
fn ask(store: &SeriesStore, text: &str, at: i64) -> Vec<String> {
    let mut lines: Vec<_> = parse(text)
        .unwrap()
        .instant(store, Moment(at))
        .unwrap()
        .iter()
        .map(|sample| format!("{} {}", sample.labels, sample.value))
        .collect();
    lines.sort();
    lines
}

fn number(store: &SeriesStore, text: &str, at: i64) -> f64 {
    let samples = parse(text).unwrap().instant(store, Moment(at)).unwrap();
    assert_eq!(samples.len(), 1, "{text}");
    samples[0].value
}

fn close(actual: f64, expected: f64) -> bool {
    (actual - expected).abs() < 1e-9 * expected.abs().max(1.0)
}

fn refusal(text: &str) -> String {
    parse(text).unwrap_err().to_string()
}

/// `10+10x10` every five minutes.
fn tell_tale() -> SeriesStore {
    let values: Vec<f64> = (1..=11).map(|index| f64::from(index) * 10.0).collect();
    store(5 * MINUTE, &[("m", &values)])
}

fn requests() -> SeriesStore {
    store(
        MINUTE,
        &[
            ("hits{path=\"/a\",code=\"200\"}", &[1.0]),
            ("hits{path=\"/a\",code=\"500\"}", &[2.0]),
            ("hits{path=\"/b\",code=\"200\"}", &[3.0]),
            ("limit{path=\"/a\"}", &[10.0]),
            ("limit{path=\"/b\"}", &[20.0]),
        ],
    )
}

#[test]
fn rates_are_extrapolated_as_in_prometheus_3() {
    let store = tell_tale();
    assert!(close(number(&store, "increase(m[100m])", 50 * MINUTE), 105.0));
    assert!(close(number(&store, "increase(m[50m])", 50 * MINUTE), 100.0));
    assert!(close(number(&store, "rate(m[50m])", 50 * MINUTE), 100.0 / 3000.0));
    assert!(close(number(&store, "delta(m[100m])", 50 * MINUTE), 105.0));
    assert!(close(number(&store, "irate(m[50m])", 50 * MINUTE), 10.0 / 300.0));
}

#[test]
fn windows_are_open_on_the_left_and_offsets_move_them() {
    let store = tell_tale();
    assert_eq!(ask(&store, "count_over_time(m[10m])", 50 * MINUTE), ["{} 2"]);
    assert_eq!(ask(&store, "m offset 10m", 50 * MINUTE), ["m 90"]);
    assert_eq!(ask(&store, "m offset -5m", 45 * MINUTE), ["m 110"]);
    assert_eq!(ask(&store, "sum_over_time(m[10m] offset 5m)", 50 * MINUTE), ["{} 190"]);
    assert_eq!(ask(&store, "last_over_time(m[10m])", 50 * MINUTE), ["m 110"]);
    assert_eq!(ask(&store, "avg_over_time(m[10m])", 50 * MINUTE), ["{} 105"]);
    assert_eq!(ask(&store, "max_over_time(m[10m]) - min_over_time(m[10m])", 50 * MINUTE), ["{} 10"]);
}

#[test]
fn the_last_sample_counts_for_less_than_five_minutes() {
    let store = store(MINUTE, &[("a", &[7.0])]);
    assert_eq!(ask(&store, "a", 5 * MINUTE - 1), ["a 7"]);
    assert!(ask(&store, "a", 5 * MINUTE).is_empty());
}

#[test]
fn a_series_that_ended_is_gone_at_once() {
    let store = store(MINUTE, &[("a", &[1.0, 2.0, ABSENT]), ("b", &[1.0, 1.0, 1.0])]);
    assert_eq!(ask(&store, "a", 2 * MINUTE - 1), ["a 2"]);
    assert!(ask(&store, "a", 2 * MINUTE).is_empty());
    // The marker is not a sample: windows pass over it.
    assert_eq!(ask(&store, "count_over_time(a[5m])", 2 * MINUTE), ["{} 2"]);
}

#[test]
fn a_failed_scrape_leaves_a_gap_in_a_range() {
    let mut store = store(1_000, &[("a", &[1.0, 2.0])]);
    fail(&mut store, 2_000);
    record(&mut store, 3_000, [("a", 4.0)].into_iter());
    let series = parse("a").unwrap().range(&store, Moment(0), Moment(3_000), 1_000).unwrap();
    let moments: Vec<i64> = series[0].points.iter().map(|(at, _)| at.0).collect();
    assert_eq!(moments, [0, 1_000, 3_000]);
    assert_eq!(ask(&store, "up", 2_000), ["up 0"]);
}

#[test]
fn matchers_choose_series() {
    let store = requests();
    assert_eq!(ask(&store, "hits{code=\"500\"}", 0), ["hits{code=\"500\",path=\"/a\"} 2"]);
    assert_eq!(ask(&store, "count(hits{code!=\"500\"})", 0), ["{} 2"]);
    assert_eq!(ask(&store, "count(hits{code=~\"2..\"})", 0), ["{} 2"]);
    assert_eq!(ask(&store, "count(hits{path!~\"/a|/b\"})", 0), Vec::<String>::new());
    assert_eq!(ask(&store, "count({__name__=~\"hits|limit\"})", 0), ["{} 5"]);
    assert_eq!(ask(&store, "count(hits{absent=\"\"})", 0), ["{} 3"]);
}

#[test]
fn aggregations_group_by_labels() {
    let store = requests();
    assert_eq!(ask(&store, "sum(hits)", 0), ["{} 6"]);
    assert_eq!(ask(&store, "sum by (path) (hits)", 0), ["{path=\"/a\"} 3", "{path=\"/b\"} 3"]);
    assert_eq!(ask(&store, "max without (code) (hits)", 0), ["{path=\"/a\"} 2", "{path=\"/b\"} 3"]);
    assert_eq!(ask(&store, "avg(hits)", 0), ["{} 2"]);
    assert_eq!(ask(&store, "min(hits)", 0), ["{} 1"]);
    assert_eq!(ask(&store, "quantile(0.5, hits)", 0), ["{} 2"]);
    assert_eq!(ask(&store, "topk(1, hits)", 0), ["hits{code=\"200\",path=\"/b\"} 3"]);
    assert_eq!(ask(&store, "bottomk by (path) (1, hits)", 0).len(), 2);
    assert!(ask(&store, "topk(0, hits)", 0).is_empty());
}

#[test]
fn comparisons_filter_or_give_a_truth_value() {
    let store = requests();
    assert_eq!(ask(&store, "hits > 2", 0), ["hits{code=\"200\",path=\"/b\"} 3"]);
    assert_eq!(ask(&store, "2 < hits", 0), ["hits{code=\"200\",path=\"/b\"} 3"]);
    assert_eq!(ask(&store, "sum(hits > bool 1)", 0), ["{} 2"]);
    assert_eq!(ask(&store, "1 == bool 1", 0), ["{} 1"]);
    assert!(ask(&store, "hits != hits", 0).is_empty());
}

#[test]
fn arithmetic_follows_precedence_and_drops_the_name() {
    let store = requests();
    assert_eq!(ask(&store, "1 + 2 * 3 ^ 2 % 5", 0), ["{} 4"]);
    assert_eq!(ask(&store, "-2 ^ 2", 0), ["{} -4"]);
    assert_eq!(ask(&store, "limit / 10", 0), ["{path=\"/a\"} 1", "{path=\"/b\"} 2"]);
    assert_eq!(ask(&store, "-limit", 0), ["{path=\"/a\"} -10", "{path=\"/b\"} -20"]);
    assert_eq!(ask(&store, "clamp_max(limit, 15) + clamp_min(limit, 15)", 0).len(), 2);
    assert_eq!(
        ask(&store, "round(vector(2.6)) + abs(vector(-1)) + ceil(vector(0.1)) + floor(vector(0.9))", 0),
        ["{} 5"]
    );
}

#[test]
fn vectors_are_matched_by_labels() {
    let store = requests();
    assert_eq!(ask(&store, "sum by (path) (hits) / on (path) limit", 0), ["{path=\"/a\"} 0.3", "{path=\"/b\"} 0.15"]);
    assert_eq!(ask(&store, "hits{code=\"200\"} * ignoring (code) limit", 0), ["{path=\"/a\"} 10", "{path=\"/b\"} 60"]);
    assert_eq!(ask(&store, "hits * on (path) group_left limit", 0).len(), 3);
    assert_eq!(
        ask(&store, "limit * on (path) group_right hits", 0),
        ask(&store, "hits * on (path) group_left limit", 0)
    );
    let error = parse("limit * on (path) hits").unwrap().instant(&store, Moment(0)).unwrap_err();
    assert!(matches!(error, PromqlError::ManyMatches { side: "right", .. }), "{error}");
    let error = parse("hits * on (path) limit").unwrap().instant(&store, Moment(0)).unwrap_err();
    assert!(matches!(error, PromqlError::ManyMatches { side: "left", .. }), "{error}");
}

#[test]
fn labels_are_taken_over_from_the_side_with_one() {
    let store = store(MINUTE, &[("up_time{pod=\"x\"}", &[5.0]), ("info{pod=\"x\",version=\"7\"}", &[1.0])]);
    assert_eq!(ask(&store, "up_time * on (pod) group_left (version) info", 0), ["{pod=\"x\",version=\"7\"} 5"]);
}

#[test]
fn sets_are_joined_and_cut() {
    let store = requests();
    assert_eq!(ask(&store, "limit and on (path) hits{path=\"/a\"}", 0), ["limit{path=\"/a\"} 10"]);
    assert_eq!(ask(&store, "limit unless on (path) hits{path=\"/a\"}", 0), ["limit{path=\"/b\"} 20"]);
    assert_eq!(ask(&store, "limit{path=\"/a\"} or limit", 0).len(), 2);
    assert_eq!(ask(&store, "sum(nothing) or vector(0)", 0), ["{} 0"]);
}

#[test]
fn numbers_and_vectors_turn_into_each_other() {
    let store = requests();
    assert_eq!(ask(&store, "time()", 5_500), ["{} 5.5"]);
    assert_eq!(ask(&store, "scalar(sum(hits)) + 1", 0), ["{} 7"]);
    assert_eq!(ask(&store, "scalar(hits)", 0), ["{} NaN"]);
}

#[test]
fn a_latency_quantile_is_read_from_rates_of_buckets() {
    let store = store(
        10_000,
        &[
            ("d_bucket{le=\"0.1\",pod=\"x\"}", &[0.0, 5.0, 10.0]),
            ("d_bucket{le=\"0.2\",pod=\"x\"}", &[0.0, 10.0, 20.0]),
            ("d_bucket{le=\"+Inf\",pod=\"x\"}", &[0.0, 10.0, 20.0]),
        ],
    );
    let text = "histogram_quantile(0.75, sum by (le) (rate(d_bucket[30s])))";
    assert!(close(number(&store, text, 20_000), 0.15));
}

#[test]
fn two_series_with_equal_labels_are_an_error() {
    let store = store(MINUTE, &[("a", &[1.0]), ("b", &[2.0])]);
    let error = parse("-{__name__=~\"a|b\"}").unwrap().instant(&store, Moment(0)).unwrap_err();
    assert!(matches!(error, PromqlError::DuplicateSeries { .. }), "{error}");
}

#[test]
fn every_supported_function_and_aggregation_is_accepted() {
    for name in compile::SUPPORTED_FUNCTIONS {
        let arguments = match *name {
            "time" => "",
            "vector" => "1",
            "histogram_quantile" => "0.9, x",
            "clamp_min" | "clamp_max" => "x, 1",
            "abs" | "ceil" | "floor" | "round" | "scalar" => "x",
            _ => "x[1m]",
        };
        parse(&format!("{name}({arguments})")).unwrap();
    }
    for name in compile::SUPPORTED_AGGREGATIONS {
        let parameter = if matches!(*name, "topk" | "bottomk" | "quantile") { "1, " } else { "" };
        parse(&format!("{name}({parameter}x)")).unwrap();
    }
}

#[test]
fn what_is_not_supported_is_named_with_what_is() {
    let message = refusal("holt_winters(x[1m], 0.5, 0.5)");
    assert!(message.starts_with("function `holt_winters` is not supported; use one of abs, "), "{message}");
    assert!(refusal("deriv(x[1m])").contains("`deriv`"));
    assert!(refusal("stddev(x)").contains("aggregation `stddev`"));
    assert!(refusal("rate(x[5m:1m])").contains("a subquery"));
    assert!(refusal("x @ 100").contains("the @ modifier"));
    assert!(refusal("x[1m]").contains("must stand in a function"));
}

#[test]
fn nonsense_is_refused_without_a_panic() {
    for text in ["", "(", "x{", "sum(", "x[1e300]", "x offset 99999999999999999999999y", "\u{0}", "한국어", "rate(x)"]
    {
        assert!(parse(text).is_err(), "{text:?}");
    }
    assert!(matches!(parse(&"x".repeat(LONGEST + 1)), Err(PromqlError::TooLong { .. })));
    let nested = format!("{}1{}", "(".repeat(200), ")".repeat(200));
    assert!(matches!(parse(&nested), Err(PromqlError::TooDeep { .. })));
}

#[test]
fn a_range_has_a_point_at_each_step_and_no_endless_walk() {
    let store = store(1_000, &[("a", &[1.0, 2.0, 3.0])]);
    let query = parse("a").unwrap();
    let series = query.range(&store, Moment(0), Moment(2_500), 1_000).unwrap();
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].labels.name(), Some("a"));
    assert_eq!(series[0].points, [(Moment(0), 1.0), (Moment(1_000), 2.0), (Moment(2_000), 3.0)]);
    for (end, step_ms) in [(2_000, 0), (-1, 1_000), (11_000_000, 1_000)] {
        assert!(matches!(query.range(&store, Moment(0), Moment(end), step_ms), Err(PromqlError::BadRange { .. })));
    }
}
