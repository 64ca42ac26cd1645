//! The language as a whole, over loaded samples. Expected values are those of Prometheus 3.

use std::cell::Cell;

use super::*;
use crate::monitor::promqltest::loaded;

const MINUTE: i64 = 60_000;

fn store(samples: &str) -> SeriesStore {
    loaded(samples).unwrap()
}

/// The result at a moment as `labels value` lines, sorted.
fn ask(store: &SeriesStore, text: &str, at: i64) -> Vec<String> {
    let samples = parse(text).unwrap().instant(store, Moment(at)).unwrap();
    let mut lines: Vec<_> = samples.iter().map(|sample| format!("{} {}", sample.labels, sample.value)).collect();
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

fn fault(store: &SeriesStore, text: &str) -> PromqlError {
    parse(text).unwrap().instant(store, Moment(0)).unwrap_err()
}

/// `10+10x10` every five minutes.
fn tell_tale() -> SeriesStore {
    store("load 5m\n  m_total 10+10x10\n")
}

fn requests() -> SeriesStore {
    store(concat!(
        "load 1m\n",
        "  hits{path=\"/a\",code=\"200\"} 1\n",
        "  hits{path=\"/a\",code=\"500\"} 2\n",
        "  hits{path=\"/b\",code=\"200\"} 3\n",
        "  limit{path=\"/a\"} 10\n",
        "  limit{path=\"/b\"} 20\n",
    ))
}

#[test]
fn rates_are_extrapolated_as_in_prometheus_3() {
    let store = tell_tale();
    assert!(close(number(&store, "increase(m_total[100m])", 50 * MINUTE), 105.0));
    assert!(close(number(&store, "increase(m_total[50m])", 50 * MINUTE), 100.0));
    assert!(close(number(&store, "rate(m_total[50m])", 50 * MINUTE), 100.0 / 3000.0));
    assert!(close(number(&store, "delta(m_total[100m])", 50 * MINUTE), 105.0));
    assert!(close(number(&store, "irate(m_total[50m])", 50 * MINUTE), 10.0 / 300.0));
    assert!(close(number(&store, "deriv(m_total[50m])", 50 * MINUTE), 10.0 / 300.0));
    assert!(close(number(&store, "predict_linear(m_total[50m], 300)", 50 * MINUTE), 120.0));
}

#[test]
fn windows_are_open_on_the_left_and_offsets_move_them() {
    let store = tell_tale();
    assert_eq!(ask(&store, "count_over_time(m_total[10m])", 50 * MINUTE), ["{} 2"]);
    assert_eq!(ask(&store, "m_total offset 10m", 50 * MINUTE), ["m_total 90"]);
    assert_eq!(ask(&store, "m_total offset -5m", 45 * MINUTE), ["m_total 110"]);
    assert_eq!(ask(&store, "sum_over_time(m_total[10m] offset 5m)", 50 * MINUTE), ["{} 190"]);
    assert_eq!(ask(&store, "last_over_time(m_total[10m])", 50 * MINUTE), ["m_total 110"]);
    assert_eq!(ask(&store, "first_over_time(m_total[10m])", 50 * MINUTE), ["m_total 100"]);
    assert_eq!(ask(&store, "avg_over_time(m_total[10m])", 50 * MINUTE), ["{} 105"]);
    assert_eq!(ask(&store, "max_over_time(m_total[10m]) - min_over_time(m_total[10m])", 50 * MINUTE), ["{} 10"]);
    assert_eq!(ask(&store, "absent_over_time(m_total{x=\"1\"}[10m])", 0), ["{x=\"1\"} 1"]);
}

#[test]
fn an_anchor_holds_the_moment() {
    let store = tell_tale();
    assert_eq!(ask(&store, "m_total @ 600", 0), ["m_total 30"]);
    assert_eq!(ask(&store, "m_total @ 600 offset 5m", 0), ["m_total 20"]);
    assert_eq!(ask(&store, "sum_over_time(m_total[10m] @ 600)", 0), ["{} 50"]);
    let query = parse("m_total @ end() - m_total @ start()").unwrap();
    let series = query.range(&store, Moment(0), Moment(10 * MINUTE), 300_000).unwrap();
    assert_eq!(series[0].points.iter().map(|(_, value)| *value).collect::<Vec<_>>(), [20.0, 20.0, 20.0]);
}

#[test]
fn a_subquery_steps_at_multiples_of_its_step() {
    let store = tell_tale();
    assert_eq!(ask(&store, "count_over_time(m_total[10m:1m])", 50 * MINUTE), ["{} 10"]);
    assert_eq!(ask(&store, "count_over_time(m_total[10m:])", 50 * MINUTE), ["{} 10"]);
    assert_eq!(ask(&store, "sum_over_time(m_total[10m:5m] offset 1m)", 50 * MINUTE), ["{} 190"]);
    assert_eq!(ask(&store, "sum_over_time(m_total[10m:5m] @ 3000)", 0), ["{} 210"]);
    assert_eq!(ask(&store, "max_over_time(rate(m_total[10m])[20m:5m])", 50 * MINUTE).len(), 1);
}

#[test]
fn the_last_sample_counts_for_less_than_five_minutes() {
    let store = store("load 1m\n  a 7\n");
    assert_eq!(ask(&store, "a", 5 * MINUTE - 1), ["a 7"]);
    assert!(ask(&store, "a", 5 * MINUTE).is_empty());
    let short = parse("a").unwrap().looking_back(MINUTE);
    assert!(short.instant(&store, Moment(MINUTE)).unwrap().is_empty());
}

#[test]
fn a_series_that_ended_is_gone_at_once() {
    let store = store("load 1m\n  a 1 2 stale\n  b 1 1 1\n");
    assert_eq!(ask(&store, "a", 2 * MINUTE - 1), ["a 2"]);
    assert!(ask(&store, "a", 2 * MINUTE).is_empty());
    // The marker is not a sample: windows pass over it.
    assert_eq!(ask(&store, "count_over_time(a[5m])", 2 * MINUTE), ["{} 2"]);
}

#[test]
fn what_ended_for_a_while_leaves_a_gap_in_a_range() {
    let store = store("load 1s\n  a 1 2 stale 4\n");
    let series = parse("a").unwrap().range(&store, Moment(0), Moment(3_000), 1_000).unwrap();
    let moments: Vec<i64> = series[0].points.iter().map(|(at, _)| at.0).collect();
    assert_eq!(moments, [0, 1_000, 3_000]);
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
    assert_eq!(ask(&store, "count({\"hits\"})", 0), ["{} 3"]);
}

#[test]
fn aggregations_group_by_labels() {
    let store = requests();
    assert_eq!(ask(&store, "sum(hits)", 0), ["{} 6"]);
    assert_eq!(ask(&store, "sum by (path) (hits)", 0), ["{path=\"/a\"} 3", "{path=\"/b\"} 3"]);
    assert_eq!(ask(&store, "max without (code) (hits)", 0), ["{path=\"/a\"} 2", "{path=\"/b\"} 3"]);
    assert_eq!(ask(&store, "avg(hits)", 0), ["{} 2"]);
    assert_eq!(ask(&store, "stddev by (path) (hits)", 0), ["{path=\"/a\"} 0.5", "{path=\"/b\"} 0"]);
    assert_eq!(ask(&store, "group by (code) (hits)", 0), ["{code=\"200\"} 1", "{code=\"500\"} 1"]);
    assert_eq!(ask(&store, "quantile(0.5, hits)", 0), ["{} 2"]);
    assert_eq!(ask(&store, "topk(1, hits)", 0), ["hits{code=\"200\",path=\"/b\"} 3"]);
    assert_eq!(ask(&store, "bottomk by (path) (1, hits)", 0).len(), 2);
    assert!(ask(&store, "topk(0, hits)", 0).is_empty());
    assert_eq!(ask(&store, "count_values(\"n\", hits + 0 * hits)", 0).len(), 3);
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
    let text = "round(vector(2.6)) + abs(vector(-1)) + ceil(vector(0.1)) + floor(vector(0.9)) + sgn(vector(-3))";
    assert_eq!(ask(&store, text, 0), ["{} 4"]);
    assert!(close(number(&store, "1 atan2 1", 0), std::f64::consts::FRAC_PI_4));
    assert!(close(number(&store, "deg(vector(pi()))", 0), 180.0));
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
    assert!(matches!(fault(&store, "limit * on (path) hits"), PromqlError::ManyMatches { side: "right", .. }));
    assert!(matches!(fault(&store, "hits * on (path) limit"), PromqlError::ManyToOne { .. }));
    // A filter that drops everything does not hide it.
    assert!(matches!(fault(&store, "hits > on (path) limit"), PromqlError::ManyToOne { .. }));
}

#[test]
fn labels_are_taken_over_from_the_side_with_one() {
    let store = store("load 1m\n  up_time{pod=\"x\"} 5\n  info{pod=\"x\",version=\"7\"} 1\n");
    assert_eq!(ask(&store, "up_time * on (pod) group_left (version) info", 0), ["{pod=\"x\",version=\"7\"} 5"]);
}

#[test]
fn labels_are_replaced_and_joined() {
    let store = requests();
    let text = "label_replace(limit, \"where\", \"at $1\", \"path\", \"/(.*)\")";
    assert_eq!(ask(&store, text, 0), ["limit{path=\"/a\",where=\"at a\"} 10", "limit{path=\"/b\",where=\"at b\"} 20"]);
    let text = "label_join(hits{code=\"500\"}, \"both\", \"-\", \"path\", \"code\")";
    assert_eq!(ask(&store, text, 0), ["hits{both=\"/a-500\",code=\"500\",path=\"/a\"} 2"]);
    assert!(matches!(
        fault(&store, "label_replace(limit, \"path\", \"\", \"path\", \".*\")"),
        PromqlError::DuplicateSeries { .. }
    ));
}

#[test]
fn sets_are_joined_and_cut() {
    let store = requests();
    assert_eq!(ask(&store, "limit and on (path) hits{path=\"/a\"}", 0), ["limit{path=\"/a\"} 10"]);
    assert_eq!(ask(&store, "limit unless on (path) hits{path=\"/a\"}", 0), ["limit{path=\"/b\"} 20"]);
    assert_eq!(ask(&store, "limit{path=\"/a\"} or limit", 0).len(), 2);
    assert_eq!(ask(&store, "sum(nothing) or vector(0)", 0), ["{} 0"]);
    assert_eq!(ask(&store, "absent(nothing{job=\"x\",path=~\".*\"})", 0), ["{job=\"x\"} 1"]);
}

#[test]
fn numbers_vectors_and_dates_turn_into_each_other() {
    let store = requests();
    assert_eq!(ask(&store, "time()", 5_500), ["{} 5.5"]);
    assert_eq!(ask(&store, "scalar(sum(hits)) + 1", 0), ["{} 7"]);
    assert_eq!(ask(&store, "scalar(hits)", 0), ["{} NaN"]);
    assert_eq!(ask(&store, "timestamp(limit{path=\"/a\"})", 90_000), ["{path=\"/a\"} 0"]);
    assert_eq!(ask(&store, "timestamp(limit{path=\"/a\"} + 1)", 90_000), ["{path=\"/a\"} 90"]);
    assert_eq!(ask(&store, "year(vector(1136239445)) + month() + hour(vector(7200))", 0), ["{} 2009"]);
}

#[test]
fn a_latency_quantile_is_read_from_rates_of_buckets() {
    let store = store(concat!(
        "load 10s\n",
        "  d_bucket{le=\"0.1\",pod=\"x\"} 0 5 10\n",
        "  d_bucket{le=\"0.2\",pod=\"x\"} 0 10 20\n",
        "  d_bucket{le=\"+Inf\",pod=\"x\"} 0 10 20\n",
    ));
    let text = "histogram_quantile(0.75, sum by (le) (rate(d_bucket[30s])))";
    assert!(close(number(&store, text, 20_000), 0.15));
    assert!(close(number(&store, "histogram_fraction(0, 0.1, d_bucket)", 20_000), 0.5));
}

#[test]
fn two_series_with_equal_labels_are_an_error() {
    let store = store("load 1m\n  a 1\n  b 2\n");
    let error = fault(&store, "-{__name__=~\"a|b\"}");
    assert!(matches!(error, PromqlError::DuplicateSeries { .. }), "{error}");
    assert!(error.to_string().ends_with("aggregate them, as with sum by (…)"), "{error}");
}

#[test]
fn values_of_every_kind_are_given() {
    let store = store("load 1m\n  a 1 2 stale 4\n");
    let value = |text: &str| parse(text).unwrap().value(&store, Moment(3 * MINUTE)).unwrap();
    assert_eq!(value("1 + 1"), Value::Scalar(2.0));
    assert_eq!(value("(\"text\")"), Value::Text("text".to_owned()));
    let points = vec![(Moment(MINUTE), 2.0), (Moment(3 * MINUTE), 4.0)];
    let labels = Labels::new([(crate::monitor::METRIC_NAME, "a")]);
    assert_eq!(value("a[3m]"), Value::Matrix(vec![RangeSeries { labels: labels.clone(), points }]));
    assert_eq!(value("a"), Value::Vector(vec![InstantSample { labels, value: 4.0 }]));
    for text in ["a[3m]", "\"text\"", "a[3m:1m]"] {
        let query = parse(text).unwrap();
        assert!(matches!(query.instant(&store, Moment(0)), Err(PromqlError::NotNumbers { .. })), "{text}");
        assert!(query.check_numbers().is_err());
    }
}

#[test]
fn what_is_likely_not_meant_is_told() {
    let store = store("load 1m\n  a 1 2 3\n");
    let notices = |text: &str| {
        let query = parse(text).unwrap();
        let gathered = query.gather_over(&store, Moment(0), Moment(2 * MINUTE), 60_000).unwrap();
        gathered.answer().unwrap().notices.into_iter().map(|notice| notice.text).collect::<Vec<_>>()
    };
    assert_eq!(notices("quantile(2, a)"), ["PromQL warning: quantile value should be between 0 and 1, got 2"]);
    assert!(notices("rate(a[2m])")[0].starts_with("PromQL info: metric might not be a counter"));
    assert!(notices("1 + \n sum(sort(a))")[0].ends_with("(2:6)"));
    assert!(notices("sum(a)").is_empty());
}

#[test]
fn every_supported_function_and_aggregation_is_accepted() {
    for name in compile::names::supported_functions() {
        let arguments = match name {
            "time" | "pi" => "",
            "vector" => "1",
            "histogram_quantile" => "0.9, x",
            "histogram_fraction" => "0, 1, x",
            "clamp_min" | "clamp_max" => "x, 1",
            "clamp" => "x, 1, 2",
            "label_replace" => "x, \"a\", \"b\", \"c\", \"d\"",
            "label_join" => "x, \"a\", \"b\", \"c\"",
            "predict_linear" => "x[1m], 1",
            "quantile_over_time" => "0.5, x[1m]",
            "changes" | "delta" | "deriv" | "idelta" | "increase" | "irate" | "rate" | "resets" => "x[1m]",
            other if other.ends_with("_over_time") => "x[1m]",
            _ => "x",
        };
        parse(&format!("{name}({arguments})")).unwrap();
    }
    for name in compile::names::SUPPORTED_AGGREGATIONS {
        let parameter = match *name {
            "topk" | "bottomk" | "quantile" => "1, ",
            "count_values" => "\"label\", ",
            _ => "",
        };
        parse(&format!("{name}({parameter}x)")).unwrap();
    }
}

#[test]
fn what_is_not_supported_is_named() {
    assert!(refusal("holt_winters(x[1m], 0.5, 0.5)").starts_with("function `holt_winters` is not supported; "));
    assert!(refusal("rat(x[1m])").ends_with("did you mean `rate`?"));
    assert!(refusal("sort_by_label(x, \"a\")").starts_with("function `sort_by_label` is experimental in Prometheus"));
    assert!(refusal("limitk(1, x)").starts_with("aggregation `limitk` is experimental"));
    assert!(refusal("x + fill(0) y").starts_with("a fill modifier is experimental"));
    assert!(refusal("histogram_avg(x)").contains("`histogram_avg`, which is of native histograms alone"));
    assert!(refusal("x{a=\"1\" or b=\"2\"}").starts_with("`or` between label matchers is not supported"));
    for text in ["holt_winters(x[1m])", "limitk(1, x)", "x{a=\"1\" or b=\"2\"}"] {
        assert!(parse(text).unwrap_err().is_unsupported(), "{text}");
    }
    assert!(!parse("sum(").unwrap_err().is_unsupported());
}

#[test]
fn types_that_do_not_fit_are_refused() {
    for text in
        ["exp(NaN)", "rate(x)", "sum(x[1m])", "x[1m] + 1", "-\"a\"", "x and 1", "x[0]", "label_join(x, \"\", \"\")"]
    {
        assert!(parse(text).is_err(), "{text}");
    }
    let nested = format!("{}x{}", "abs(".repeat(150), ")".repeat(150));
    assert!(matches!(parse(&nested), Err(PromqlError::TooDeep { .. })));
    parse(&format!("{}1{}", "(".repeat(150), ")".repeat(150))).unwrap();
}

#[test]
fn a_query_that_would_take_all_memory_is_refused() {
    let store = requests();
    let error = fault(&store, "sum_over_time(vector(1)[1000d:1ms])");
    assert!(matches!(error, PromqlError::TooManySamples { .. }), "{error}");
    assert!(error.to_string().contains("more than 50000000 samples"), "{error}");
}

#[test]
fn a_range_has_a_point_at_each_step_and_no_endless_walk() {
    let store = store("load 1s\n  a 1 2 3\n");
    let query = parse("a").unwrap();
    let series = query.range(&store, Moment(0), Moment(2_500), 1_000).unwrap();
    assert_eq!(series.len(), 1);
    assert_eq!(series[0].labels.name(), Some("a"));
    assert_eq!(series[0].points, [(Moment(0), 1.0), (Moment(1_000), 2.0), (Moment(2_000), 3.0)]);
    for (end, step_ms) in [(2_000, 0), (-1, 1_000), (11_000_000, 1_000)] {
        assert!(matches!(query.range(&store, Moment(0), Moment(end), step_ms), Err(PromqlError::BadRange { .. })));
    }
    let numbers = parse("1 + time()").unwrap().range(&store, Moment(0), Moment(1_000), 1_000).unwrap();
    assert_eq!(numbers[0].points, [(Moment(0), 1.0), (Moment(1_000), 2.0)]);
}

#[test]
fn a_query_says_what_it_looks_at() {
    let query = parse("rate(a_total[5m] offset 1m) / on () max_over_time(b{x=\"1\"}[1h:1m])").unwrap();
    assert!(query.mentions("a_total") && query.mentions("b") && !query.mentions("c"));
    assert_eq!(query.selectors().count(), 2);
    let reaches = query.reaches(Moment(0), Moment(600_000), 60_000).unwrap();
    let reach = |index: usize| (reaches[index].after.0, reaches[index].until.0);
    assert_eq!(reach(0), (-360_000, 540_000));
    assert_eq!(reach(1), (-59 * MINUTE - 5 * MINUTE, 600_000));
}

#[test]
fn samples_are_taken_before_the_evaluation() {
    let query = parse("sum(hits)").unwrap();
    let gathered = {
        let store = requests();
        query.gather_at(&store, Moment(0))
    };
    assert!(close(gathered.instant().unwrap()[0].value, 6.0));
}

/// A store that counts how often it is read.
struct Counted {
    store: SeriesStore,
    reads: Cell<usize>,
}

impl ReadStore for Counted {
    fn read<T>(&self, look: impl FnOnce(&SeriesStore) -> T) -> T {
        self.reads.set(self.reads.get() + 1);
        self.store.read(look)
    }
}

#[test]
fn all_selectors_of_a_query_see_the_store_at_the_same_time() {
    let counted = Counted { store: requests(), reads: Cell::new(0) };
    let query = parse("sum(hits) / sum(hits offset 1m) + scalar(sum(hits))").unwrap();
    query.instant(&counted, Moment(0)).unwrap();
    query.range(&counted, Moment(0), Moment(MINUTE), 1_000).unwrap();
    assert_eq!(counted.reads.get(), 2);
}
