//! What is left after a crash at any point, a damaged file, and a disk that takes nothing.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::store_tests::{labels, limits, named, raw};
use super::*;
use crate::pipeline::Moment;

fn open(folder: &Path, now: i64) -> SeriesStore {
    SeriesStore::open(folder, limits(), Moment(now)).unwrap()
}

/// Appends a sample of two series and ends the batch.
fn put_two(store: &mut SeriesStore, at: i64) -> Result<(), StorageError> {
    for (name, value) in [("a", 1.0), ("b", 0.5)] {
        let id = store.resolve(&labels(name), false).unwrap();
        store.append(id, at, value).unwrap();
    }
    store.commit(Moment(at))
}

/// Ten seconds of samples in a block and, as if the machine went down before it was removed, in their log. Two hours later one
/// more sample came.
fn log_beside_its_block(folder: &Path) -> PathBuf {
    let mut store = open(folder, 0);
    for second in 1..=10 {
        put_two(&mut store, second * 1_000).unwrap();
    }
    let log = files(folder, "log.").remove(0);
    let copy = fs::read(&log).unwrap();
    put_two(&mut store, 2 * 3_600_000).unwrap();
    store.settle(Moment(2 * 3_600_000));
    drop(store);
    assert!(!log.exists(), "the block takes its place");
    fs::write(&log, copy).unwrap();
    log
}

fn files(folder: &Path, kind: &str) -> Vec<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    found.retain(|path| path.file_name().unwrap().to_string_lossy().starts_with(kind));
    found.sort();
    found
}

#[test]
fn a_restart_loses_nothing_that_was_committed() {
    let folder = tempfile::tempdir().unwrap();
    for restart in 0..3 {
        let mut store = open(folder.path(), restart * 10_000);
        for second in 1..=10 {
            put_two(&mut store, restart * 10_000 + second * 1_000).unwrap();
        }
        // Not committed, so it may be lost.
        let id = store.resolve(&labels("a"), false).unwrap();
        store.append(id, restart * 10_000 + 10_500, 7.0).unwrap();
    }
    let store = open(folder.path(), 30_000);
    let wanted: Vec<(i64, f64)> = (1..=30).map(|second| (second * 1_000, 1.0)).collect();
    assert_eq!(raw(&store, "a"), wanted);
    assert_eq!(raw(&store, "b").len(), 30);
    assert!(store.take_faults().is_empty());
    // Nothing older than what is there is taken after a restart either.
    let mut store = store;
    let id = store.resolve(&labels("a"), false).unwrap();
    assert_eq!(store.append(id, 29_000, 1.0), Err(AppendError::OutOfOrder));
}

#[test]
fn samples_that_come_while_a_commit_is_written_are_in_the_next() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), 0);
    let id = store.resolve(&labels("a"), false).unwrap();
    store.append(id, 1_000, 1.0).unwrap();
    let committing = store.begin_commit();
    store.append(id, 2_000, 1.0).unwrap();
    assert_eq!(raw(&store, "a").len(), 2);
    store.end_commit(committing.write(), Moment(2_000)).unwrap();
    store.commit(Moment(2_000)).unwrap();
    drop(store);
    assert_eq!(raw(&open(folder.path(), 2_000), "a").len(), 2);
}

#[test]
fn a_log_that_is_cut_anywhere_gives_back_the_commits_before_the_cut() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), 0);
    let log = folder.path().join(format!("log.{:020}", 1));
    let mut lengths = Vec::new();
    for second in 1..=20 {
        put_two(&mut store, second * 1_000).unwrap();
        lengths.push(fs::metadata(&log).unwrap().len());
    }
    drop(store);
    let whole = fs::read(&log).unwrap();
    assert_eq!(whole.len() as u64, lengths[19]);
    for cut in 0..=whole.len() {
        let other = tempfile::tempdir().unwrap();
        fs::write(other.path().join(log.file_name().unwrap()), &whole[..cut]).unwrap();
        let mut store = open(other.path(), 20_000);
        let committed = lengths.iter().filter(|length| **length <= cut as u64).count();
        let wanted: Vec<i64> = (1..).map(|second| second * 1_000).take(committed).collect();
        for name in ["a", "b"] {
            let moments: Vec<i64> = raw(&store, name).into_iter().map(|(at, _)| at).collect();
            assert_eq!(moments, wanted, "cut at {cut}");
        }
        assert!(store.take_faults().is_empty(), "cut at {cut}");
        // And it goes on.
        put_two(&mut store, 21_000).unwrap();
        assert_eq!(raw(&store, "a").len(), committed + 1);
    }
}

#[test]
fn a_byte_that_changed_in_a_log_makes_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), 0);
    for second in 1..=10 {
        put_two(&mut store, second * 1_000).unwrap();
    }
    drop(store);
    let log = files(folder.path(), "log.").remove(0);
    let whole = fs::read(&log).unwrap();
    for index in (0..whole.len()).step_by(3) {
        let other = tempfile::tempdir().unwrap();
        let mut changed = whole.clone();
        changed[index] ^= 0x10;
        fs::write(other.path().join(log.file_name().unwrap()), &changed).unwrap();
        let store = open(other.path(), 20_000);
        let moments: Vec<(i64, f64)> = raw(&store, "a");
        let wanted: Vec<(i64, f64)> = (1..).map(|second| (second * 1_000, 1.0)).take(moments.len()).collect();
        assert_eq!(moments, wanted, "byte {index}");
    }
}

/// A store with some blocks on disk and a log; returns how many samples a series has.
fn with_blocks(folder: &Path) -> usize {
    let short = StoreLimits { retention: Duration::from_hours(1), ..limits() };
    let mut store = SeriesStore::open(folder, short, Moment(0)).unwrap();
    for second in 1..=1_000 {
        put_two(&mut store, second * 1_000).unwrap();
        store.settle(Moment(second * 1_000));
    }
    assert!(files(folder, "block.").len() >= 4);
    assert_eq!(files(folder, "log.").len(), 1);
    1_000
}

#[test]
fn blocks_and_log_together_are_the_whole() {
    let folder = tempfile::tempdir().unwrap();
    let count = with_blocks(folder.path());
    let store = open(folder.path(), 1_000_000);
    let wanted: Vec<(i64, f64)> = (1..).map(|second| (second * 1_000, 1.0)).take(count).collect();
    assert_eq!(raw(&store, "a"), wanted);
    let statistics = store.statistics();
    assert_eq!(statistics.samples, 2 * count as u64);
    assert_eq!(statistics.oldest, Some(Moment(1_000)));
    let on_disk: u64 = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().metadata().unwrap().len()).sum();
    assert_eq!(statistics.bytes_on_disk, on_disk);
}

#[test]
fn a_log_that_was_left_over_beside_its_block_counts_once() {
    let folder = tempfile::tempdir().unwrap();
    let log = log_beside_its_block(folder.path());
    fs::write(folder.path().join(".block.00000000000000000009.1.partial"), "half").unwrap();
    let store = open(folder.path(), 2 * 3_600_000);
    assert_eq!(raw(&store, "a").len(), 11);
    assert!(!log.exists());
    assert!(files(folder.path(), ".block").is_empty());
}

#[test]
fn a_block_whose_index_is_damaged_is_set_aside_and_the_rest_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let count = with_blocks(folder.path());
    let block = files(folder.path(), "block.").remove(1);
    let mut bytes = fs::read(&block).unwrap();
    let end = bytes.len() - 25;
    bytes[end] ^= 1;
    fs::write(&block, bytes).unwrap();
    let mut store = open(folder.path(), 1_000_000);
    let faults = store.take_faults();
    assert!(matches!(faults.as_slice(), [StorageError::SetAside { .. }]), "{faults:?}");
    assert!(!block.exists());
    let found = raw(&store, "a").len();
    assert!(found < count && found > count / 2, "{found}");
    put_two(&mut store, 1_001_000).unwrap();
    drop(store);
    // It is told once.
    assert!(open(folder.path(), 1_001_000).take_faults().is_empty());
}

#[test]
fn a_block_that_is_torn_or_changed_anywhere_makes_nothing_up() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), 0);
    let value = |second: i32| f64::from(second * second % 7);
    for second in 1..=30 {
        let id = store.resolve(&labels("a"), false).unwrap();
        store.append(id, i64::from(second) * 1_000, value(second)).unwrap();
        store.commit(Moment(i64::from(second) * 1_000)).unwrap();
    }
    // Two hours later: a block is made, and this sample is in it.
    let id = store.resolve(&labels("b"), false).unwrap();
    store.append(id, 2 * 3_600_000, 1.0).unwrap();
    store.commit(Moment(2 * 3_600_000)).unwrap();
    store.settle(Moment(2 * 3_600_000));
    drop(store);
    let name = files(folder.path(), "block.").remove(0).file_name().unwrap().to_owned();
    let whole = fs::read(folder.path().join(&name)).unwrap();
    let wanted: Vec<(i64, f64)> = (1..=30).map(|second| (i64::from(second) * 1_000, value(second))).collect();
    let read = |bytes: &[u8]| {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join(&name), bytes).unwrap();
        let store = open(folder.path(), 2 * 3_600_000);
        let found = raw(&store, "a");
        (found, !store.take_faults().is_empty())
    };
    assert_eq!(read(&whole), (wanted.clone(), false));
    for index in 0..whole.len() {
        let mut changed = whole.clone();
        changed[index] ^= 0x55;
        let (found, is_told) = read(&changed);
        assert!(found == wanted || (found.is_empty() && is_told), "byte {index}: {found:?}");
        let (found, is_told) = read(&whole[..index]);
        assert!(found.is_empty() && is_told, "the first {index} bytes: {found:?}");
    }
}

#[test]
fn a_damaged_block_goes_with_those_of_its_age_and_that_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let aside = folder.path().join("block.00000000000000000001.damaged");
    fs::write(&aside, "no block").unwrap();
    let written = fs::metadata(&aside).unwrap().modified().unwrap().duration_since(std::time::UNIX_EPOCH).unwrap();
    let written = i64::try_from(written.as_millis()).unwrap();
    let kept = i64::try_from(limits().retention.as_millis()).unwrap();
    let mut store = open(folder.path(), written);
    for hour in 0..24 {
        let at = written + hour * 3_600_000;
        put_two(&mut store, at).unwrap();
        store.settle(Moment(at));
    }
    put_two(&mut store, written + kept).unwrap();
    assert!(aside.exists());
    put_two(&mut store, written + kept + 1_000).unwrap();
    assert!(!aside.exists());
    let told = store.take_faults();
    assert!(matches!(told.as_slice(), [StorageError::AsideRemoved { path }] if *path == aside), "{told:?}");
    assert!(told[0].is_note());
}

#[test]
fn logs_whose_block_is_damaged_count() {
    let folder = tempfile::tempdir().unwrap();
    log_beside_its_block(folder.path());
    let block = files(folder.path(), "block.").remove(0);
    let bytes = fs::read(&block).unwrap();
    fs::write(&block, &bytes[..bytes.len() - 1]).unwrap();
    let store = open(folder.path(), 2 * 3_600_000);
    assert!(matches!(store.take_faults().as_slice(), [StorageError::SetAside { .. }]));
    assert_eq!(raw(&store, "a").len(), 10);
}

#[test]
fn a_run_that_is_damaged_is_left_out_and_told_once() {
    let folder = tempfile::tempdir().unwrap();
    let count = with_blocks(folder.path());
    let block = files(folder.path(), "block.").remove(1);
    let mut bytes = fs::read(&block).unwrap();
    // The first run, behind the magic and the checksum: that of the series which came first.
    bytes[8 + 4 + 2] ^= 1;
    fs::write(&block, bytes).unwrap();
    let store = open(folder.path(), 1_000_000);
    assert!(raw(&store, "a").len() < count);
    assert_eq!(raw(&store, "b").len(), count);
    raw(&store, "a");
    let faults = store.take_faults();
    assert!(matches!(faults.as_slice(), [StorageError::Damaged { .. }]), "{faults:?}");
}

#[test]
fn a_series_that_comes_back_is_not_looked_for_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = open(folder.path(), 0);
    put_two(&mut store, 1_000).unwrap();
    let a = store.resolve(&labels("a"), false).unwrap();
    store.mark_stale(a, 2_000);
    let b = store.resolve(&labels("b"), false).unwrap();
    store.append(b, 2 * 3_600_000, 1.0).unwrap();
    store.commit(Moment(2 * 3_600_000)).unwrap();
    store.settle(Moment(2 * 3_600_000));
    fs::remove_file(files(folder.path(), "block.").remove(0)).unwrap();
    assert_eq!(store.append(a, 3_000, 1.0), Err(AppendError::UnknownSeries));
    let again = store.resolve(&labels("a"), false).unwrap();
    assert_eq!(store.append(again, 1_500, 1.0), Err(AppendError::OutOfOrder));
    store.append(again, 2 * 3_600_000, 1.0).unwrap();
    assert!(store.take_faults().is_empty());
}

#[test]
fn what_cannot_be_written_stays_in_memory_and_is_written_when_it_can_be() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("series");
    let mut store = open(&folder, 0);
    fs::remove_dir(&folder).unwrap();
    for second in 1..=5 {
        assert!(matches!(put_two(&mut store, second * 1_000), Err(StorageError::Write { .. })));
    }
    assert_eq!(raw(&store, "a").len(), 5);
    fs::create_dir(&folder).unwrap();
    put_two(&mut store, 6_000).unwrap();
    drop(store);
    assert_eq!(raw(&open(&folder, 6_000), "a").len(), 6);
}

#[test]
fn blocks_that_cannot_be_written_are_bounded_and_written_when_they_can_be() {
    let parent = tempfile::tempdir().unwrap();
    let folder = parent.path().join("series");
    let short = StoreLimits { retention: Duration::from_hours(1), ..limits() };
    let mut store = SeriesStore::open(&folder, short, Moment(0)).unwrap();
    fs::remove_dir(&folder).unwrap();
    for second in 1..=2_000 {
        assert!(put_two(&mut store, second * 1_000).is_err());
        // Each try ends before the next commit, so that the test does not depend on how fast a thread is.
        store.settle(Moment(second * 1_000));
    }
    let faults = store.take_faults();
    assert!(faults.iter().all(|fault| matches!(fault, StorageError::Dropped { .. })), "{faults:?}");
    assert!(!faults.is_empty());
    let kept = raw(&store, "a");
    assert!(kept.len() < 1_200, "{}", kept.len());
    assert_eq!(kept.last(), Some(&(2_000_000, 1.0)));
    fs::create_dir(&folder).unwrap();
    for second in 2_001..=2_020 {
        // The failure is told until the next try.
        let _ = put_two(&mut store, second * 1_000);
        store.settle(Moment(second * 1_000));
    }
    put_two(&mut store, 2_021_000).unwrap();
    let kept = raw(&store, "a");
    drop(store);
    let mut again = open(&folder, 2_021_000);
    assert_eq!(raw(&again, "a"), kept);
    put_two(&mut again, 2_022_000).unwrap();
}

#[test]
fn retention_removes_files() {
    let folder = tempfile::tempdir().unwrap();
    with_blocks(folder.path());
    let oldest = files(folder.path(), "block.").remove(0);
    let short = StoreLimits { retention: Duration::from_mins(5), ..limits() };
    let mut store = SeriesStore::open(folder.path(), short, Moment(1_000_000)).unwrap();
    let mut before = store.select(&named("a"), i64::MIN, i64::MAX);
    put_two(&mut store, 1_001_000).unwrap();
    assert!(!oldest.exists());
    let kept = raw(&store, "a");
    assert!(kept[0].0 >= 400_000, "{}", kept[0].0);
    // A query that still asks for what is gone gets less, and nothing is told of it.
    assert!(before[0].raw(i64::MIN, i64::MAX).len() < 1_000);
    assert!(store.take_faults().is_empty());
}
