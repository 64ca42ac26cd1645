//! Laws that hold for whatever samples there are.

use proptest::prelude::*;

use super::*;
use crate::monitor::promqltest::loaded;

/// Steps of a counter: how much it grows, or none where it begins again.
fn growth() -> impl Strategy<Value = Vec<Option<u16>>> {
    prop::collection::vec(prop::option::weighted(0.9, 0_u16..1_000), 2..40)
}

/// Values of a few series, with gaps.
fn gauges() -> impl Strategy<Value = Vec<Vec<Option<i16>>>> {
    prop::collection::vec(prop::collection::vec(prop::option::weighted(0.8, any::<i16>()), 1..20), 1..6)
}

fn counter(growth: &[Option<u16>]) -> SeriesStore {
    let mut total = 0_u64;
    let values: Vec<String> = growth
        .iter()
        .map(|step| {
            total = step.map_or(0, |step| total + u64::from(step));
            total.to_string()
        })
        .collect();
    loaded(&format!("load 10s\n  c_total {}\n", values.join(" "))).unwrap()
}

fn store(gauges: &[Vec<Option<i16>>]) -> SeriesStore {
    let mut text = "load 10s\n".to_owned();
    for (index, values) in gauges.iter().enumerate() {
        let values: Vec<String> =
            values.iter().map(|value| value.map_or("_".to_owned(), |value| value.to_string())).collect();
        text.push_str(&format!("  g{{series=\"{index}\",half=\"{}\"}} {}\n", index % 2, values.join(" ")));
    }
    loaded(&text).unwrap()
}

/// The result over a range as moments, labels and values.
fn by_step(store: &SeriesStore, text: &str, step_ms: u64) -> Vec<(i64, String, f64)> {
    let series = parse(text).unwrap().range(store, Moment(0), Moment(250_000), step_ms).unwrap();
    let mut found: Vec<(i64, String, f64)> = series
        .iter()
        .flat_map(|series| series.points.iter().map(|(at, value)| (at.0, series.labels.to_string(), *value)))
        .collect();
    found.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    found
}

/// The same, evaluated moment by moment.
fn moment_by_moment(store: &SeriesStore, text: &str, step_ms: i64) -> Vec<(i64, String, f64)> {
    let query = parse(text).unwrap();
    let mut found = Vec::new();
    for at in (0..=250_000 / step_ms).map(|step| step * step_ms) {
        for sample in query.instant(store, Moment(at)).unwrap() {
            found.push((at, sample.labels.to_string(), sample.value));
        }
    }
    found.sort_by(|left, right| (left.0, &left.1).cmp(&(right.0, &right.1)));
    found
}

fn are_equal(left: &[(i64, String, f64)], right: &[(i64, String, f64)]) -> bool {
    left.len() == right.len()
        && left
            .iter()
            .zip(right)
            .all(|(left, right)| left.0 == right.0 && left.1 == right.1 && almost_equal(left.2, right.2, 1e-9))
}

/// Expressions of every kind over the gauges.
const EXPRESSIONS: &[&str] = &[
    "g",
    "g offset 15s",
    "g @ 100",
    "rate(g[1m])",
    "max_over_time(g[45s])",
    "sum_over_time(g[1m:15s])",
    "avg_over_time(sum by (half) (g)[1m:20s] offset 10s)",
    "sum by (half) (g)",
    "stddev(g)",
    "quantile(0.3, g)",
    "topk(2, g)",
    "count_values(\"v\", g)",
    "g > 0 or -g",
    "g and on (half) g{series=\"1\"}",
    "g unless g < 0",
    "g * on (half) group_left () sum by (half) (g)",
    "absent(g{series=\"0\"})",
    "scalar(g{series=\"0\"}) + time()",
    "label_replace(g, \"series\", \"x$1\", \"series\", \"(.)\")",
    "timestamp(g)",
    "clamp(g, -10, 10) % 7",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_counter_never_has_a_negative_rate(growth in growth(), window in 1_u32..40) {
        let store = counter(&growth);
        for function in ["rate", "increase", "irate"] {
            let text = format!("{function}(c_total[{}s])", window * 10);
            prop_assert!(by_step(&store, &text, 10_000).iter().all(|(_, _, value)| *value >= 0.0), "{text}");
        }
    }

    #[test]
    fn a_rate_is_the_increase_by_the_second(growth in growth(), window in 1_u32..40) {
        let store = counter(&growth);
        let seconds = window * 10;
        let rate = by_step(&store, &format!("rate(c_total[{seconds}s])"), 7_000);
        let increase = by_step(&store, &format!("increase(c_total[{seconds}s]) / {seconds}"), 7_000);
        prop_assert!(are_equal(&rate, &increase));
    }

    #[test]
    fn a_whole_is_the_sum_of_its_parts(gauges in gauges()) {
        let store = store(&gauges);
        let whole = by_step(&store, "sum(g)", 10_000);
        prop_assert!(are_equal(&whole, &by_step(&store, "sum(sum by (half) (g))", 10_000)));
        prop_assert!(are_equal(&whole, &by_step(&store, "avg(g) * count(g)", 10_000)));
    }

    #[test]
    fn a_range_is_what_its_moments_are(gauges in gauges(), step in 1_u32..40) {
        let store = store(&gauges);
        let step_ms = i64::from(step) * 1_000;
        for text in EXPRESSIONS {
            let over_range = by_step(&store, text, step_ms.unsigned_abs());
            let at_moments = moment_by_moment(&store, text, step_ms);
            prop_assert!(are_equal(&over_range, &at_moments), "{text}: {over_range:?} {at_moments:?}");
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "[a-c0-9(){}\\[\\]\"'@:,.+*/<>=!~# -]{0,40}") {
        let _ = parse(&text);
    }
}
