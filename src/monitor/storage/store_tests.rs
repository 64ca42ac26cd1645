//! What a store takes, keeps and finds, in memory and on disk.

use std::time::Duration;

use promql_parser::label::{MatchOp, Matcher};

use super::*;
use crate::monitor::labels::{Labels, METRIC_NAME};
use crate::pipeline::Moment;

const LOOK_BACK: i64 = 300_000;
const HOUR: i64 = 3_600_000;

pub(super) fn limits() -> StoreLimits {
    StoreLimits { retention: Duration::from_hours(24), bytes_on_disk: 1 << 30, max_series: 1_000 }
}

pub(super) fn labels(name: &str) -> Labels {
    Labels::new([(METRIC_NAME, name), ("job", "app")])
}

pub(super) fn named(name: &str) -> Vec<Matcher> {
    vec![Matcher::new(MatchOp::Equal, METRIC_NAME, name)]
}

/// Appends one sample of a series and ends the batch.
fn put(store: &mut SeriesStore, name: &str, at: i64, value: f64) {
    let id = store.resolve(&labels(name), false).unwrap();
    store.append(id, at, value).unwrap();
    store.commit(Moment(at)).unwrap();
}

pub(super) fn raw(store: &SeriesStore, name: &str) -> Vec<(i64, f64)> {
    let mut found = store.select(&named(name), i64::MIN, i64::MAX);
    found.iter_mut().flat_map(|series| series.raw(i64::MIN, i64::MAX)).collect()
}

fn at(store: &SeriesStore, name: &str, moment: i64) -> Option<f64> {
    let mut found = store.select(&named(name), moment - LOOK_BACK, moment);
    found.first_mut()?.at(moment, LOOK_BACK).map(|(_, value)| value)
}

#[test]
fn windows_are_open_on_the_left() {
    let mut store = SeriesStore::in_memory(limits());
    for at in [1_000, 2_000, 3_000] {
        put(&mut store, "a", at, 1.0);
    }
    let mut found = store.select(&named("a"), 0, 9_000);
    let series = &mut found[0];
    let mut window = Vec::new();
    series.window(1_000, 3_000, &mut window);
    assert_eq!(window, [(2_000, 1.0), (3_000, 1.0)]);
    assert_eq!(series.at(3_999, 999), None);
    assert_eq!(series.at(3_999, 1_000), Some((3_000, 1.0)));
    window.clear();
    series.window(3_000, 1_000, &mut window);
    assert!(window.is_empty());
    assert_eq!(series.raw(2_000, 3_000).len(), 2);
}

#[test]
fn a_series_that_has_ended_has_no_value_and_goes_on_when_it_is_back() {
    let mut store = SeriesStore::in_memory(limits());
    put(&mut store, "a", 1_000, 1.0);
    let id = store.resolve(&labels("a"), false).unwrap();
    store.mark_stale(id, 2_000);
    store.mark_stale(id, 3_000);
    assert_eq!(at(&store, "a", 1_999), Some(1.0));
    assert_eq!(at(&store, "a", 2_000), None);
    let mut found = store.select(&named("a"), 0, 9_000);
    let mut window = Vec::new();
    found[0].window(0, 9_000, &mut window);
    assert_eq!(window, [(1_000, 1.0)]);
    let all = found[0].raw(0, 9_000);
    assert_eq!(all.len(), 2);
    assert!(is_stale(all[1].1));
    put(&mut store, "a", 3_000, 3.0);
    assert_eq!(at(&store, "a", 3_000), Some(3.0));
}

#[test]
fn a_moment_takes_one_sample_and_time_does_not_run_back() {
    let mut store = SeriesStore::in_memory(limits());
    put(&mut store, "a", 2_000, 1.0);
    let id = store.resolve(&labels("a"), false).unwrap();
    assert_eq!(store.append(id, 2_000, 1.0), Ok(()));
    assert_eq!(store.append(id, 2_000, 9.0), Err(AppendError::DuplicateForTimestamp));
    assert_eq!(store.append(id, 1_000, 9.0), Err(AppendError::OutOfOrder));
    assert_eq!(raw(&store, "a"), [(2_000, 1.0)]);
}

#[test]
fn samples_and_series_older_than_the_retention_are_forgotten() {
    let mut store = SeriesStore::in_memory(StoreLimits { retention: Duration::from_secs(10), ..limits() });
    let b = store.resolve(&labels("b"), false).unwrap();
    store.append(b, 0, 1.0).unwrap();
    store.mark_stale(b, 1_000);
    for second in 0..60 {
        put(&mut store, "a", second * 1_000, 1.0);
    }
    assert!(store.select(&named("b"), i64::MIN, i64::MAX).is_empty());
    assert_eq!(store.metric_names(), ["a"]);
    assert_eq!(store.series_count(), 1);
    let kept = raw(&store, "a");
    assert!(kept[0].0 >= 45_000 && kept[0].0 <= 49_000, "{}", kept[0].0);
    assert_eq!(kept.last(), Some(&(59_000, 1.0)));
    assert_eq!(store.statistics().oldest, Some(Moment(kept[0].0)));
    // Its id is that of nobody now.
    assert_eq!(store.append(b, 60_000, 1.0), Err(AppendError::UnknownSeries));
}

#[test]
fn the_oldest_blocks_go_when_there_are_too_many_bytes() {
    let few = StoreLimits { bytes_on_disk: 256 << 10, ..limits() };
    let mut store = SeriesStore::in_memory(few);
    let mut random = 1_u64;
    for second in 0..60_000 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        let id = store.resolve(&labels("a"), false).unwrap();
        store.append(id, second * 1_000, f64::from_bits(random >> 2)).unwrap();
        if second % 100 == 0 {
            store.commit(Moment(second * 1_000)).unwrap();
        }
    }
    let statistics = store.statistics();
    assert!(statistics.samples < 45_000, "{statistics:?}");
    assert!(statistics.bytes_in_memory < 512 << 10, "{statistics:?}");
    assert_eq!(raw(&store, "a").last().map(|(at, _)| *at), Some(59_999_000));
}

#[test]
fn series_beyond_the_limit_find_no_room_and_those_that_ended_make_some() {
    let mut store = SeriesStore::in_memory(StoreLimits { max_series: 3, ..limits() });
    let old: Vec<SeriesId> = ["a", "b", "c"].iter().map(|name| store.resolve(&labels(name), false).unwrap()).collect();
    assert_eq!(store.resolve(&labels("d"), false), None);
    let up = store.resolve(&labels("up"), true).unwrap();
    for id in old.iter().chain([&up]) {
        store.append(*id, 1_000, 1.0).unwrap();
    }
    store.commit(Moment(1_000)).unwrap();
    assert_eq!(store.resolve(&labels("d"), false), None);
    for id in &old {
        store.mark_stale(*id, 2_000);
    }
    let new = store.resolve(&labels("d"), false).unwrap();
    store.append(new, 3_000, 1.0).unwrap();
    // What the old ones had is there still.
    assert_eq!(raw(&store, "a").len(), 2);
    assert_eq!(store.statistics().live_series, 2);
}

#[test]
fn labels_that_are_too_long_for_memory_find_no_room() {
    let mut store = SeriesStore::in_memory(limits());
    let long = "x".repeat(1 << 20);
    let labels = |number: i32| labels("a").with("long", &format!("{number}{long}"));
    let found = (0..70).filter(|number| store.resolve(&labels(*number), false).is_some()).count();
    assert_eq!(found, 64);
    assert!(store.resolve(&labels(0), false).is_some(), "it is there already");
}

#[test]
fn series_that_ended_leave_memory_when_room_is_wanted_and_come_back_in_order() {
    let mut store = SeriesStore::in_memory(StoreLimits { max_series: 2, ..limits() });
    for (name, at) in [("a", 1_000), ("b", 1_000), ("c", 2_000), ("d", 2_000), ("e", 3_000)] {
        let Some(id) = store.resolve(&labels(name), false) else { continue };
        store.append(id, at, 1.0).unwrap();
        store.mark_stale(id, at + 500);
    }
    // Twice as many as may live are in memory.
    assert_eq!(store.resolve(&labels("e"), false), None);
    store.commit(Moment(4_000)).unwrap();
    assert!(store.resolve(&labels("e"), false).is_some());
    assert_eq!(raw(&store, "a").len(), 2);
    let again = store.resolve(&labels("a"), false).unwrap();
    assert_eq!(store.append(again, 1_400, 1.0), Err(AppendError::OutOfOrder));
    store.append(again, 5_000, 1.0).unwrap();
    assert_eq!(raw(&store, "a").len(), 3);
}

#[test]
fn a_jump_of_the_clock_does_not_empty_the_store_and_is_recovered_from() {
    let mut store = SeriesStore::in_memory(limits());
    let start = 500_000 * HOUR;
    for second in 0..100 {
        put(&mut store, "a", start + second * 1_000, 1.0);
    }
    let ahead = start + 10 * 365 * 24 * HOUR;
    for second in 0..5 {
        put(&mut store, "a", ahead + second * 1_000, 2.0);
    }
    assert_eq!(raw(&store, "a").len(), 105);
    // It comes back: one sample is refused, and then all is as before.
    let id = store.resolve(&labels("a"), false).unwrap();
    assert_eq!(store.append(id, start + 100_000, 3.0), Err(AppendError::OutOfOrder));
    store.commit(Moment(start + 100_000)).unwrap();
    for second in 101..2_000 {
        put(&mut store, "a", start + second * 1_000, 4.0);
    }
    let all = raw(&store, "a");
    assert_eq!(all.len(), 105 + 1_899);
    assert!(all.is_sorted_by(|one, other| one.0 < other.0));
    assert_eq!(at(&store, "a", start + 1_999_000), Some(4.0));
    assert_eq!(at(&store, "a", start + 99_000), Some(1.0));
    let mut found = store.select(&named("a"), start, start + HOUR);
    assert_eq!(found[0].extremes(start - 1, start + HOUR).map(|extremes| extremes.count), Some(100 + 1_899));
}

#[test]
fn retention_goes_on_once_a_clock_that_jumped_is_steady() {
    let mut store = SeriesStore::in_memory(limits());
    put(&mut store, "a", 0, 1.0);
    put(&mut store, "a", 2 * HOUR, 1.0);
    let later = 100 * 24 * HOUR;
    put(&mut store, "a", later, 1.0);
    assert_eq!(raw(&store, "a").len(), 3);
    for minute in 1..30 {
        put(&mut store, "a", later + minute * 60_000, 1.0);
    }
    assert!(raw(&store, "a").iter().all(|(at, _)| *at >= later));
}

#[test]
fn a_label_that_is_not_there_is_empty() {
    let mut store = SeriesStore::in_memory(limits());
    for (name, pod) in [("a", ""), ("a", "one"), ("a", "two"), ("b", "one")] {
        let id = store.resolve(&Labels::new([(METRIC_NAME, name), ("pod", pod)]), false).unwrap();
        store.append(id, 1_000, 1.0).unwrap();
    }
    let pods = |op: MatchOp, value: &str| {
        let mut matchers = named("a");
        matchers.push(Matcher::new(op, "pod", value));
        let found = store.select(&matchers, 0, 9_000);
        found.iter().map(|series| series.labels.get("pod").unwrap_or("none").to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(pods(MatchOp::Equal, ""), ["none"]);
    assert_eq!(pods(MatchOp::NotEqual, "one"), ["none", "two"]);
    assert_eq!(pods(MatchOp::NotEqual, ""), ["one", "two"]);
    let regex = |text: &str| MatchOp::Re(regex::Regex::new(&format!("^(?:{text})$")).unwrap());
    assert_eq!(pods(regex(".*"), ".*"), ["none", "one", "two"]);
    assert_eq!(pods(regex("o.+"), "o.+"), ["one"]);
    assert_eq!(store.label_values("pod"), ["one", "two"]);
    assert_eq!(store.label_names(), ["__name__", "pod"]);
    let mut pods_of_a: Vec<String> =
        store.labels_of("a").iter().map(|labels| labels.get("pod").unwrap_or("none").to_owned()).collect();
    pods_of_a.sort();
    assert_eq!(pods_of_a, ["none", "one", "two"]);
    assert!(store.labels_of("c").is_empty());
}

#[test]
fn a_selection_does_not_change_when_the_store_does() {
    let mut store = SeriesStore::in_memory(StoreLimits { retention: Duration::from_secs(10), ..limits() });
    for second in 0..5 {
        put(&mut store, "a", second * 1_000, 1.0);
    }
    let mut before = store.select(&named("a"), 0, 9_000);
    for second in 5..100 {
        put(&mut store, "a", second * 1_000, 1.0);
    }
    assert_eq!(before[0].raw(0, i64::MAX).len(), 5);
}

/// A hundred counters and gauges at one sample a second for fifty minutes; returns how many samples that are.
fn load(store: &mut SeriesStore, start: i64) -> u64 {
    let mut random = 7_u64;
    let mut below = |limit: u64| {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((random >> 33) % limit).unwrap()
    };
    let ids: Vec<SeriesId> = (0..100)
        .map(|number| {
            let labels = labels("requests_total").with("path", &format!("/api/{number}"));
            store.resolve(&labels, false).unwrap()
        })
        .collect();
    let mut values = vec![1_000.0; ids.len()];
    let mut samples = 0;
    for second in 0..3_000 {
        let now = start + second * 1_000;
        for (index, (id, value)) in ids.iter().zip(&mut values).enumerate() {
            *value += if index % 2 == 0 { f64::from(below(21)) } else { f64::from(below(9)) - 4.0 };
            store.append(*id, now, *value).unwrap();
            samples += 1;
        }
        store.commit(Moment(now)).unwrap();
    }
    samples
}

#[test]
fn a_regular_load_takes_less_than_two_bytes_a_sample_in_memory_and_on_disk() {
    let start = 1_700_000_000_000;
    // A block for half an hour, so that there are blocks and what is in none yet.
    let limits = StoreLimits { retention: Duration::from_hours(10), ..limits() };
    let mut in_memory = SeriesStore::in_memory(limits);
    let samples = load(&mut in_memory, start);
    let statistics = in_memory.statistics();
    assert_eq!(statistics.samples, samples);
    assert!(statistics.bytes_in_memory < 2 * samples, "{statistics:?}");
    let folder = tempfile::tempdir().unwrap();
    let mut on_disk = SeriesStore::open(folder.path(), limits, Moment(start)).unwrap();
    load(&mut on_disk, start);
    on_disk.settle(Moment(start + 3_000_000));
    let statistics = on_disk.statistics();
    assert_eq!(statistics.samples, samples);
    assert!(statistics.bytes_on_disk < 2 * samples, "{statistics:?}");
    assert!(statistics.bytes_in_memory < 2 * samples, "{statistics:?}");
}
