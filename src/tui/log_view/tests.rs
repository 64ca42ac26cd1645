//! Tests of the window onto a log.

use super::search::Sought;
use super::*;
use crate::api::types::{LogPiece, LogStretch};
use crate::pipeline::{Attempt, RunId};

fn address() -> LogAddress {
    LogAddress { run: RunId(1), stage: "test".into(), attempt: Attempt(1) }
}

fn line(number: u64) -> LogLine {
    LogLine { text: format!("line {number}"), ..LogLine::default() }
}

fn window(first: u64, count: u64, total: u64) -> LogWindow {
    LogWindow { first, lines: (first..first + count).map(line).collect(), total }
}

fn opened() -> LogView {
    let mut log = LogView::default();
    log.open(Some(address()));
    log
}

fn filter() -> LogFilter {
    LogFilter { pattern: Some("x".to_owned()), ..LogFilter::default() }
}

/// All stretches of a log of 500 lines, of which each tenth passes.
fn scan() -> LogScan {
    let numbers = (0..500).step_by(10).collect();
    LogScan { stretches: vec![LogStretch { first: 0, end: 500, rows: 50, numbers }], next: None, total: 500 }
}

#[test]
fn only_one_question_is_open_at_a_time() {
    let mut log = LogView::default();
    assert_eq!(log.next_part(10, false), None);
    log.open(Some(address()));
    assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }));
    log.grown(&address(), 500);
    assert_eq!(log.next_part(10, false), None);
    log.receive(&address(), Ok(window(480, 20, 500)));
    assert_eq!(log.next_part(10, false), None);
    log.grown(&address(), 501);
    assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }));
}

#[test]
fn a_log_that_is_not_followed_and_has_no_lines_yet_shows_those_that_come() {
    let mut log = opened();
    log.follow = false;
    log.open(Some(LogAddress { stage: "build".into(), ..address() }));
    let address = log.address.clone().unwrap();
    assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }));
    log.receive(&address, Ok(window(0, 0, 0)));
    log.grown(&address, 6);
    assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }));
    log.receive(&address, Ok(window(0, 6, 6)));
    assert_eq!((log.top, log.total), (0, 6));
    assert_eq!(log.next_part(10, false), None);
}

#[test]
fn scrolling_up_leaves_the_end_and_fetches_only_what_is_missing() {
    let mut log = opened();
    log.next_part(10, false);
    log.receive(&address(), Ok(window(480, 20, 500)));
    log.scroll(-5, 10);
    assert!(!log.follow);
    assert_eq!(log.top, 485);
    assert_eq!(log.next_part(10, false), None, "these lines are here already");
    log.scroll(-100, 10);
    assert_eq!(log.next_part(10, false), Some(LogPart::Window { first: 375, count: 30 }));
    log.scroll(1_000_000, 10);
    assert_eq!(log.top, 490);
}

#[test]
fn a_frozen_log_does_not_move() {
    let mut log = opened();
    log.next_part(10, true);
    log.receive(&address(), Ok(window(0, 5, 5)));
    log.grown(&address(), 6);
    assert_eq!(log.next_part(10, true), None);
    assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }));
}

#[test]
fn an_answer_for_another_log_is_dropped() {
    let mut log = opened();
    let other = LogAddress { run: RunId(2), ..address() };
    log.receive(&other, Ok(window(0, 5, 5)));
    assert!(log.window.lines.is_empty());
}

#[test]
fn whoever_left_the_end_stays_away_from_it_until_he_follows_again() {
    let mut log = opened();
    log.next_part(10, false);
    log.receive(&address(), Ok(window(480, 20, 500)));
    log.scroll(-1, 10);
    log.scroll(1_000, 10);
    assert!(!log.follow, "to scroll down to the end is not to follow it");
    log.go_to_last();
    assert!(!log.follow && log.bottom == Some(500));
    log.grown(&address(), 600);
    assert_eq!(log.bottom, Some(500), "more lines do not move it");
    let other = LogAddress { run: RunId(2), ..address() };
    log.open(Some(other.clone()));
    assert!(!log.follow, "nor does another log");
    assert_eq!(log.next_part(10, false), Some(LogPart::Tail { count: 20 }), "of which the end is shown once");
    log.receive(&other, Ok(window(30, 20, 50)));
    log.grown(&other, 70);
    assert_eq!((log.bottom, log.next_part(10, false)), (Some(50), None));
    log.toggle_follow(10);
    assert!(log.follow);
}

#[test]
fn through_a_filter_rows_are_asked_for_and_what_is_in_sight_stays() {
    let mut log = opened();
    log.next_part(10, false);
    log.receive(&address(), Ok(window(480, 20, 500)));
    log.scroll(-195, 10);
    assert_eq!(log.top, 295);
    log.show_only(Some(filter()), 10);
    let asked = log.next_questions();
    assert!(matches!(asked.as_slice(), [LogQuestion::Scan { from: 0, .. }]), "{asked:?}");
    assert_eq!(log.rows(), 0);
    log.receive_scan(&filter(), 0, Ok(scan()));
    assert_eq!((log.rows(), log.top), (50, 27), "line 300 is row 30, with some above it");
    let part = log.next_part(10, false).unwrap();
    let Some(LogQuestion::Rows { first: 17, request, .. }) = log.rows_question(part) else { panic!("{part:?}") };
    let [LogPiece::Numbers(numbers)] = request.pieces.as_slice() else { panic!("{request:?}") };
    assert_eq!((numbers.first(), numbers.len()), (Some(&170), 30));
    let rows = numbers.iter().map(|number| LogRow { number: *number, is_hit: true, line: line(*number) }).collect();
    log.receive_rows(&request, 17, Ok(rows));
    let shown = log.row(30).unwrap();
    assert_eq!((shown.number, shown.line.text.as_str()), (300, "line 300"));
    log.show_only(None, 10);
    assert_eq!((log.rows(), log.top), (500, 270), "back among all lines at the first in sight");
}

#[test]
fn rows_of_a_filter_that_is_no_longer_on_are_dropped() {
    let mut log = opened();
    log.show_only(Some(filter()), 10);
    log.receive(&address(), Ok(window(0, 5, 5)));
    assert!(log.window.lines.is_empty(), "lines of the whole log are no rows");
    let other = LogFilter { level: Some(LogLevel::Error), ..filter() };
    let request = LogRowsRequest { filter: other, pieces: vec![LogPiece::Numbers(vec![1])] };
    log.receive_rows(&request, 0, Ok(vec![LogRow { number: 1, is_hit: true, line: line(1) }]));
    assert!(log.window.lines.is_empty());
}

#[test]
fn a_search_knows_its_place_and_goes_round_without_a_question_once_all_is_known() {
    let mut log = opened();
    log.total = 500;
    let mut search = Search::new("x".to_owned(), &LogFilter::default(), 500);
    assert!(matches!(search.seek(&address(), 55, false, false), Sought::Asked(request) if request.from == 55));
    search.table.next_step();
    search.table.receive(0, scan());
    assert_eq!(search.seek(&address(), 55, false, false), Sought::Line { line: 60, has_wrapped: false });
    assert_eq!(search.seek(&address(), 495, false, false), Sought::Line { line: 0, has_wrapped: true });
    assert_eq!(search.seek(&address(), 59, true, false), Sought::Line { line: 50, has_wrapped: false });
    search.hit = Some(60);
    assert_eq!(search.place(), (Some(7), 50));
}

#[test]
fn the_place_among_too_many_is_counted_by_the_daemon() {
    let mut log = opened();
    log.total = 5_000;
    log.search = Some(Search::new("x".to_owned(), &LogFilter::default(), 5_000));
    let asked = log.next_questions();
    assert!(matches!(asked.as_slice(), [LogQuestion::Scan { from: 0, .. }]), "{asked:?}");
    let stretches = vec![LogStretch { first: 0, end: 5_000, rows: 4_000, numbers: Vec::new() }];
    log.receive_scan(&filter(), 0, Ok(LogScan { stretches, next: None, total: 5_000 }));
    log.show_hit(2_000, 10);
    let asked = log.next_questions();
    assert!(matches!(asked.as_slice(), [LogQuestion::Count { from: 0, until: 2_000, .. }]), "{asked:?}");
    assert_eq!(log.next_questions(), [], "once");
    log.receive_count(&filter(), 0, 2_000, Some(1_599));
    assert_eq!(log.search.as_ref().unwrap().place(), (Some(1_600), 4_000));
}

#[test]
fn marks_are_set_taken_away_and_kept_by_log() {
    let mut log = opened();
    log.next_part(10, false);
    log.receive(&address(), Ok(window(480, 20, 500)));
    assert_eq!(log.toggle_mark(10), Some((490, true)));
    assert_eq!(log.own_marks().unwrap().get(&490).unwrap().text, "line 490");
    log.open(Some(LogAddress { run: RunId(2), ..address() }));
    assert!(log.own_marks().is_none());
    log.open(Some(address()));
    assert_eq!(log.own_marks().unwrap().len(), 1);
    log.receive(&address(), Ok(window(480, 20, 500)));
    assert_eq!(log.toggle_mark(10), Some((490, false)));
    assert!(log.own_marks().is_none());
}

#[test]
fn wrapped_lines_can_be_scrolled_to_the_very_last() {
    let mut log = opened();
    log.next_part(10, false);
    log.receive(&address(), Ok(window(480, 20, 500)));
    log.wrap = true;
    log.scroll(-1, 10);
    log.scroll(1_000, 10);
    assert_eq!(log.top, 499);
}
