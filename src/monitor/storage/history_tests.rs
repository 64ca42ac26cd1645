//! Random histories: what a store finds is what a plain list of samples holds, however often it was restarted.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::time::Duration;

use proptest::prelude::*;

use super::store_tests::{labels, named};
use super::*;
use crate::pipeline::Moment;

const NAMES: [&str; 3] = ["a", "b", "c"];

#[derive(Debug, Clone)]
enum Step {
    /// A sample of a series, so many milliseconds after the last step; now and then before it.
    Append(usize, i64, f64),
    End(usize),
    Commit,
    Restart,
}

fn step() -> impl Strategy<Value = Step> {
    let value = prop_oneof![3 => (0..50_i32).prop_map(f64::from), 1 => any::<u64>().prop_map(f64::from_bits)];
    let pause = prop_oneof![8 => Just(1_000_i64), 2 => 0..5_000_i64, 1 => -2_000..0_i64, 1 => Just(200_000_i64)];
    prop_oneof![
        12 => (0..NAMES.len(), pause, value).prop_map(|(series, pause, value)| Step::Append(series, pause, value)),
        1 => (0..NAMES.len()).prop_map(Step::End),
        6 => Just(Step::Commit),
        1 => Just(Step::Restart),
    ]
}

/// Samples, and the rules by which they are taken.
#[derive(Debug, Default)]
struct Oracle {
    samples: BTreeMap<usize, Vec<(i64, u64)>>,
}

impl Oracle {
    fn append(&mut self, series: usize, at: i64, value: f64) -> Result<(), AppendError> {
        let samples = self.samples.entry(series).or_default();
        match samples.last() {
            Some((last, _)) if *last > at => Err(AppendError::OutOfOrder),
            Some((last, bits)) if *last == at && *bits != value.to_bits() => Err(AppendError::DuplicateForTimestamp),
            Some((last, _)) if *last == at => Ok(()),
            _ => {
                samples.push((at, value.to_bits()));
                Ok(())
            }
        }
    }

    fn has_ended(&self, series: usize) -> bool {
        self.samples.get(&series).and_then(|samples| samples.last()).is_none_or(|(_, bits)| *bits == STALE_BITS)
    }
}

fn found(store: &SeriesStore, series: usize) -> Vec<(i64, u64)> {
    let mut found = store.select(&named(NAMES[series]), i64::MIN, i64::MAX);
    let raw: Vec<(i64, f64)> = found.iter_mut().flat_map(|series| series.raw(i64::MIN, i64::MAX)).collect();
    exact(&raw)
}

/// One after the other through a store; restarts of one in memory do nothing.
fn run(mut store: SeriesStore, steps: &[Step], restart: impl Fn(SeriesStore, i64) -> SeriesStore) {
    let mut oracle = Oracle::default();
    let mut now = 1_000_000;
    for step in steps {
        match step {
            Step::Append(series, pause, value) => {
                now += pause;
                let id = store.resolve(&labels(NAMES[*series]), false).unwrap();
                let taken = store.append(id, now, *value);
                let wanted = oracle.append(*series, now, *value);
                // Of a moment that is in a block already only the moment is known, not the value.
                let is_known = wanted.is_ok() && taken == Err(AppendError::DuplicateForTimestamp);
                assert!(taken == wanted || is_known, "{taken:?} instead of {wanted:?}");
            }
            Step::End(series) => {
                if !oracle.has_ended(*series)
                    && let Some(id) = store.resolve(&labels(NAMES[*series]), false)
                {
                    store.mark_stale(id, now + 1);
                    let _ = oracle.append(*series, now + 1, f64::from_bits(STALE_BITS));
                }
            }
            Step::Commit => store.commit(Moment(now)).unwrap(),
            Step::Restart => {
                store.commit(Moment(now)).unwrap();
                store = restart(store, now);
            }
        }
    }
    for series in 0..NAMES.len() {
        assert_eq!(found(&store, series), oracle.samples.get(&series).cloned().unwrap_or_default());
    }
    let samples: usize = oracle.samples.values().map(Vec::len).sum();
    assert_eq!(store.statistics().samples, samples as u64);
}

fn limits() -> StoreLimits {
    // A block for each twelve minutes; no history here is as long as what is kept.
    StoreLimits { retention: Duration::from_hours(4), bytes_on_disk: 1 << 30, max_series: 100 }
}

fn exact(samples: &[(i64, f64)]) -> Vec<(i64, u64)> {
    samples.iter().map(|(at, value)| (*at, value.to_bits())).collect()
}

/// Any NaN is like any other, and zero like its negative.
fn are_same(one: f64, other: f64) -> bool {
    one.partial_cmp(&other) == Some(Ordering::Equal) || (one.is_nan() && other.is_nan())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_sample_that_was_taken_is_found_in_memory_and_after_restarts(
        steps in prop::collection::vec(step(), 1..300),
    ) {
        run(SeriesStore::in_memory(limits()), &steps, |store, _| store);
        let folder = tempfile::tempdir().unwrap();
        let open = |now: i64| SeriesStore::open(folder.path(), limits(), Moment(now)).unwrap();
        run(open(1_000_000), &steps, |store, now| {
            drop(store);
            open(now)
        });
    }

    #[test]
    fn windows_and_extremes_are_those_of_the_raw_samples(
        steps in prop::collection::vec(step(), 1..300),
        questions in prop::collection::vec((0_i64..4_000_000, 1_i64..900_000), 1..20),
    ) {
        let mut store = SeriesStore::in_memory(limits());
        let mut now = 1_000_000;
        for step in &steps {
            if let Step::Append(series, pause, value) = step {
                now += pause;
                let id = store.resolve(&labels(NAMES[*series]), false).unwrap();
                let _ = store.append(id, now, *value);
            } else {
                store.commit(Moment(now)).unwrap();
            }
        }
        for name in NAMES {
            let Some(mut series) = store.select(&named(name), i64::MIN, i64::MAX).pop() else { continue };
            let raw = series.raw(i64::MIN, i64::MAX);
            for (until, range) in &questions {
                let (after, until) = (until - range, *until);
                let inside: Vec<(i64, f64)> =
                    raw.iter().copied().filter(|(at, value)| *at > after && *at <= until && !is_stale(*value)).collect();
                let mut window = Vec::new();
                series.window(after, until, &mut window);
                prop_assert_eq!(exact(&window), exact(&inside));
                let last = raw.iter().rfind(|(at, _)| *at > after && *at <= until);
                let wanted = last.filter(|(_, value)| !is_stale(*value)).map(|(at, value)| (*at, value.to_bits()));
                prop_assert_eq!(series.at(until, *range).map(|(at, value)| (at, value.to_bits())), wanted);
                let extremes = series.extremes(after, until);
                prop_assert_eq!(extremes.map_or(0, |found| found.count), inside.len() as u64);
                let Some(extremes) = extremes else { continue };
                let least = inside.iter().fold(f64::NAN, |least, (_, value)| least.min(*value));
                let most = inside.iter().fold(f64::NAN, |most, (_, value)| most.max(*value));
                prop_assert!(are_same(extremes.min, least));
                prop_assert!(are_same(extremes.max, most));
                prop_assert_eq!(extremes.first_at, inside[0].0);
                prop_assert_eq!(extremes.last.to_bits(), inside[inside.len() - 1].1.to_bits());
            }
        }
    }
}
