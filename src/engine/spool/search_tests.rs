//! What is found in steps is what is found by reading everything.

use proptest::prelude::*;

use super::{LogMatcher, LogReader, LogWriter, Timeline};
use crate::api::types::{LogFilter, LogLevel, LogPiece, LogRow, LogRowsRequest, LogStretch};
use crate::pipeline::StageName;

fn timeline(text: &[u8], is_merged: bool) -> (tempfile::TempDir, Timeline) {
    let folder = tempfile::tempdir().unwrap();
    let (log, index) = (folder.path().join("log"), folder.path().join("index"));
    let mut writer = LogWriter::create(&log, &index).unwrap();
    writer.append(text);
    let log = LogReader::open(&log, &index).unwrap();
    let timeline = Timeline::new(vec![(StageName::from("train"), log)], is_merged).unwrap();
    (folder, timeline)
}

fn pattern(pattern: &str) -> LogFilter {
    LogFilter { pattern: Some(pattern.to_owned()), ..LogFilter::default() }
}

/// All stretches of a log.
fn stretches(timeline: &Timeline, filter: &LogFilter) -> Vec<LogStretch> {
    let mut all = Vec::new();
    let mut next = Some(0);
    while let Some(from) = next {
        let scan = timeline.scan(filter, from, None).unwrap();
        all.extend(scan.stretches);
        assert!(scan.next.is_none_or(|next| next > from), "a step goes on");
        next = scan.next;
    }
    all
}

/// All rows, window by window, through the stretches, as a screen asks for them.
fn rows(timeline: &Timeline, filter: &LogFilter) -> Vec<LogRow> {
    let mut rows = Vec::new();
    for stretch in stretches(timeline, filter) {
        if stretch.numbers.is_empty() {
            for skip in (0..stretch.rows).step_by(700) {
                let piece = LogPiece::Part { first: stretch.first, end: stretch.end, skip, count: 700 };
                let request = LogRowsRequest { filter: filter.clone(), pieces: vec![piece] };
                rows.extend(timeline.rows(&request).unwrap());
            }
        } else {
            let pieces = vec![LogPiece::Numbers(stretch.numbers)];
            rows.extend(timeline.rows(&LogRowsRequest { filter: filter.clone(), pieces }).unwrap());
        }
    }
    rows
}

/// The numbers of what is shown, by reading everything.
fn expected(lines: &[String], filter: &LogFilter) -> Vec<(u64, bool)> {
    let matcher = LogMatcher::new(filter).unwrap();
    let hits: Vec<bool> = lines.iter().map(|line| matcher.passes(line.as_bytes())).collect();
    let context = usize::try_from(filter.context).unwrap();
    let is_shown = |index: &usize| {
        let around = index.saturating_sub(context)..(index + context + 1).min(hits.len());
        hits[around].contains(&true)
    };
    (0..lines.len()).filter(is_shown).map(|index| (index as u64, hits[index])).collect()
}

proptest! {
    #[test]
    fn what_passes_is_the_same_in_steps_and_by_reading_everything(
        lines in proptest::collection::vec("(INFO |ERROR |\x1b\\[31m)?[ab\u{ac00}]{0,4}(\rc)?", 0..60),
        is_merged in any::<bool>(),
        wanted in prop::sample::select(vec!["a", "b$", "^a", "B", "^$", "a\\s*b", "(?i)A", "\\Aa", "[^a]"]),
        level in prop::sample::select(vec![None, Some(LogLevel::Error)]),
        context in 0_u64..4,
    ) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let (_folder, timeline) = timeline(text.as_bytes(), is_merged);
        let filter = LogFilter { level, context, ..pattern(wanted) };
        let told: Vec<_> = rows(&timeline, &filter).into_iter().map(|row| (row.number, row.is_hit)).collect();
        prop_assert_eq!(told, expected(&lines, &filter));
    }

    #[test]
    fn the_nearest_line_is_found_in_either_direction(
        lines in proptest::collection::vec("[ab]{0,3}", 1..40),
        from in 0_u64..45,
        is_merged in any::<bool>(),
    ) {
        let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
        let (_folder, timeline) = timeline(text.as_bytes(), is_merged);
        let hits: Vec<u64> = (0..).zip(&lines).filter(|(_, line)| line.contains("ab")).map(|(index, _)| index).collect();
        let behind = timeline.find(&pattern("ab"), from, false).unwrap().hit;
        prop_assert_eq!(behind, hits.iter().copied().find(|hit| *hit >= from));
        let before = timeline.find(&pattern("ab"), from, true).unwrap().hit;
        prop_assert_eq!(before, hits.iter().copied().rfind(|hit| *hit <= from));
    }
}

#[test]
fn a_long_log_is_looked_through_in_steps_that_say_where_to_go_on() {
    // 40 MB: several steps, and many stretches in each.
    let text: Vec<u8> = (0..500_000).flat_map(|number| format!("{number:>79}\n").into_bytes()).collect();
    let (_folder, timeline) = timeline(&text, false);
    let filter = LogFilter { context: 1, ..pattern("99999$") };
    let first = timeline.scan(&filter, 0, None).unwrap();
    assert!(first.next.is_some_and(|next| next < 400_000), "{:?}", first.next);
    let full = timeline.scan(&pattern("[0-9]"), 0, None).unwrap();
    assert!(full.next.is_some_and(|next| next < 400_000) && full.stretches.len() > 4, "{:?}", full.next);
    let all = stretches(&timeline, &filter);
    assert!(all.windows(2).all(|pair| pair[0].end == pair[1].first));
    let numbers: Vec<u64> = all.iter().flat_map(|stretch| stretch.numbers.clone()).collect();
    assert_eq!(numbers.len(), 14, "the last line has none behind it: {numbers:?}");
    let dense = stretches(&timeline, &pattern("[0-9]"));
    assert_eq!(dense.iter().map(|stretch| stretch.rows).sum::<u64>(), 500_000);
    assert!(dense.iter().all(|stretch| stretch.numbers.is_empty() || stretch.rows <= 1_000));
    let part = LogPiece::Part { first: dense[1].first, end: dense[1].end, skip: 5, count: 2 };
    let request = LogRowsRequest { filter: pattern("[0-9]"), pieces: vec![part] };
    let told: Vec<u64> = timeline.rows(&request).unwrap().iter().map(|row| row.number).collect();
    assert_eq!(told, [dense[1].first + 5, dense[1].first + 6]);
}

#[test]
fn a_search_of_a_long_log_goes_on_where_a_step_ended() {
    let text: Vec<u8> = (0..500_000).flat_map(|number| format!("{number:>79}\n").into_bytes()).collect();
    let (_folder, timeline) = timeline(&text, false);
    let mut steps = 0;
    let mut from = 499_999;
    let hit = loop {
        let found = timeline.find(&pattern(" 7$"), from, true).unwrap();
        steps += 1;
        match (found.hit, found.next) {
            (Some(hit), _) => break hit,
            (None, Some(next)) => from = next,
            (None, None) => panic!("not found"),
        }
    };
    assert_eq!(hit, 7);
    assert!(steps > 1, "one step reads a part");
}

#[test]
fn what_is_no_regular_expression_is_told() {
    let (_folder, timeline) = timeline(b"x\n", false);
    let refused = timeline.find(&pattern("("), 0, false).unwrap_err().to_string();
    assert!(refused.starts_with("`(` is not a regular expression"), "{refused}");
}

#[test]
fn a_level_is_found_in_lines_of_any_form() {
    let text = b"\x1b[31mERROR\x1b[0m red\n{\"level\":\"error\",\"msg\":\"json\"}\nlevel=warn fmt\n[error] bracket\nplain error\n";
    let (_folder, timeline) = timeline(text, false);
    let filter = LogFilter { level: Some(LogLevel::Error), ..LogFilter::default() };
    let told: Vec<u64> = rows(&timeline, &filter).iter().map(|row| row.number).collect();
    assert_eq!(told, [0, 1, 3]);
}

#[test]
fn a_search_from_behind_long_lines_comes_on_however_little_the_index_tells() {
    let folder = tempfile::tempdir().unwrap();
    let (log, index) = (folder.path().join("log"), folder.path().join("index"));
    let mut writer = LogWriter::create(&log, &index).unwrap();
    // Longer than what a step looks at.
    writer.append(&vec![b'x'; 40 << 20]);
    writer.append(b"\n1\n2\n3\nneedle\n5\n");
    // As it was left by a full disk: one record.
    let records = std::fs::read(&index).unwrap();
    std::fs::write(&index, &records[..24]).unwrap();
    let logs = vec![(StageName::from("train"), LogReader::open(&log, &index).unwrap())];
    let timeline = Timeline::new(logs, false).unwrap();
    let find = |from, backward| timeline.find(&pattern("needle"), from, backward).unwrap().hit;
    assert_eq!((find(2, false), find(4, true)), (Some(4), Some(4)));
    assert_eq!(timeline.scan(&pattern("needle"), 2, None).unwrap().next, None);
}
