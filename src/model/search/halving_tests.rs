//! Tests of the search: equal results whatever the threads do and however often it is interrupted.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use super::{Found, Plan, Progress, first_order, search};
use crate::api::types::TrialState;
use crate::config::Task;
use crate::model::data::column::Column;
use crate::model::data::dataset::{DataSet, read};
use crate::model::evaluate::Criteria;
use crate::model::learn::learner::Learner;
use crate::model::learn::problem::{Labels, Problem};
use crate::model::samples::{self, Folder};
use crate::model::search::{Control, Journal, folds};

const LEARNERS: [Learner; 4] = [
    Learner::Logistic { penalty: 1.0 },
    Learner::Logistic { penalty: 1e4 },
    Learner::NaiveBayes { smoothing: 1e-9 },
    Learner::NaiveBayes { smoothing: 1.0 },
];

/// Flowers whose kind is not quite certain, so that trials differ.
fn data() -> DataSet {
    let text: String = samples::flowers()
        .lines()
        .enumerate()
        .map(|(index, line)| {
            let is_wrong = index > 0 && index % 11 == 0;
            let line = if is_wrong { line.replace("short", "tall") } else { line.to_owned() };
            format!("{line}\n")
        })
        .collect();
    read(&[Folder::new().write("flowers.csv", &text)]).unwrap()
}

fn searched(control: &Control<'_>, journal: &mut Option<Journal>, time: Option<Duration>) -> Option<Found> {
    searched_with(control, journal, time, &mut |_: Progress<'_>| {})
}

fn searched_with(
    control: &Control<'_>,
    journal: &mut Option<Journal>,
    time: Option<Duration>,
    tell: &mut dyn FnMut(Progress<'_>),
) -> Option<Found> {
    let data = data();
    let columns: Vec<&Column> = data.columns.iter().filter(|column| column.name != "kind").collect();
    let kind = data.column("kind").unwrap();
    let short = crate::model::Cell::Text("short".into());
    let codes = (0..data.rows()).map(|row| usize::from(kind.cell(row) != short)).collect();
    let problem = Problem { columns, labels: Labels::Classes { codes, count: 2 } };
    let rows: Vec<usize> = (0..data.rows()).collect();
    let folds = folds(&data.row_hashes, &rows, &problem.labels, 3, 42);
    let criteria = Criteria::new(&samples::settings("kind"), Task::Classification);
    let plan = Plan {
        problem: &problem,
        row_hashes: &data.row_hashes,
        candidates: &LEARNERS,
        blends: true,
        folds: &folds,
        criteria: &criteria,
        seed: 42,
        time,
        control,
    };
    search(&plan, journal, tell)
}

fn same(one: &Found, other: &Found) {
    assert_eq!(one.ranking, other.ranking);
    assert_eq!(one.board.standings, other.board.standings);
}

#[test]
fn threads_change_nothing_but_the_time() {
    let one = searched(&Control { threads: 1, ..Control::alone() }, &mut None, None).unwrap();
    for threads in [2, 4] {
        same(&one, &searched(&Control { threads, ..Control::alone() }, &mut None, None).unwrap());
    }
    assert!(one.in_time && one.board.standings.iter().all(|standing| standing.rung == 1));
    let blends = one.board.standings.iter().filter(|standing| matches!(standing.learner, Learner::Blend { .. }));
    assert_eq!((blends.count(), one.board.standings.len()), (1, 5));
    assert!(one.board.standings.iter().all(|standing| standing.deviation.is_some()));
}

#[test]
fn progress_counts_on_through_the_blends_and_never_back() {
    let mut told: Vec<(usize, f64, usize)> = Vec::new();
    let mut tell = |progress: Progress<'_>| {
        if let Progress::Changed(board) | Progress::Finished(board, _) = progress {
            told.push((board.finished, board.share, board.planned));
        }
    };
    let control = Control { threads: 1, ..Control::alone() };
    searched_with(&control, &mut None, None, &mut tell).unwrap();
    assert!(told.is_sorted_by(|one, other| one.0 <= other.0 && one.1 <= other.1), "{told:?}");
    let before_blends = told.iter().rfind(|(finished, ..)| *finished == LEARNERS.len() - 1).unwrap();
    assert!(before_blends.1 < 0.5, "the blends are still to come: {told:?}");
    let (finished, share, planned) = *told.last().unwrap();
    assert_eq!((finished, planned), (5, 5), "four learners and one blend");
    assert!(share > before_blends.1 && share <= 1.0, "{told:?}");
}

#[test]
fn a_search_that_was_interrupted_anywhere_ends_like_one_that_was_not() {
    let whole = searched(&Control { threads: 1, ..Control::alone() }, &mut None, None).unwrap();
    for most in [0, 1, 5, 9, 14, 17] {
        let folder = Folder::new();
        let open = || Some(Journal::open(folder.path(), "k").unwrap());
        let asked = AtomicUsize::new(0);
        let stop = || asked.fetch_add(1, Ordering::Relaxed) >= most;
        let interrupted = searched(&Control { threads: 1, stop: &stop, ..Control::alone() }, &mut open(), None);
        assert!(interrupted.is_none(), "{most}");
        same(&whole, &searched(&Control { threads: 2, ..Control::alone() }, &mut open(), None).unwrap());
    }
}

#[test]
fn what_a_journal_holds_is_not_done_again() {
    let folder = Folder::new();
    let open = || Some(Journal::open(folder.path(), "k").unwrap());
    let first = searched(&Control::alone(), &mut open(), None).unwrap();
    let asked = AtomicUsize::new(0);
    let stop = || {
        asked.fetch_add(1, Ordering::Relaxed);
        false
    };
    same(&first, &searched(&Control { stop: &stop, ..Control::alone() }, &mut open(), None).unwrap());
    // Once behind the only rung and once behind the blends, and never by a learner.
    assert_eq!(asked.load(Ordering::Relaxed), 2);
}

#[test]
fn when_time_is_over_what_was_done_is_compared_and_the_rest_never_begun() {
    // Each look at the clock takes a second.
    let clock = Mutex::new(0);
    let elapsed = || {
        let mut seconds = clock.lock().unwrap();
        *seconds += 1;
        Duration::from_secs(*seconds)
    };
    let control = Control { threads: 1, elapsed: &elapsed, ..Control::alone() };
    let none = searched(&control, &mut None, Some(Duration::ZERO)).unwrap();
    assert!(!none.in_time);
    assert!(none.board.standings.iter().all(|standing| standing.state == TrialState::Waiting));
    assert_eq!(none.ranking, [2, 3, 0, 1]);
    let all = searched(&control, &mut None, Some(Duration::from_hours(24))).unwrap();
    assert!(all.in_time);
}

#[test]
fn what_is_usual_of_the_strongest_is_tried_first_for_time_may_be_over() {
    assert_eq!(first_order(&LEARNERS), [2, 0, 3, 1]);
    assert!(first_order(&[]).is_empty());
}

#[test]
fn a_learner_that_fails_is_told_and_never_ranked() {
    let data = data();
    let columns: Vec<&Column> = data.columns.iter().filter(|column| column.name != "kind").collect();
    let codes = (0..data.rows()).map(|row| row % 2).collect();
    let problem = Problem { columns, labels: Labels::Classes { codes, count: 2 } };
    let rows: Vec<usize> = (0..data.rows()).collect();
    let folds = folds(&data.row_hashes, &rows, &problem.labels, 3, 42);
    let criteria = Criteria::new(&samples::settings("kind"), Task::Classification);
    let candidates = [Learner::Linear, Learner::NaiveBayes { smoothing: 1e-9 }];
    let plan = Plan {
        problem: &problem,
        row_hashes: &data.row_hashes,
        candidates: &candidates,
        blends: false,
        folds: &folds,
        criteria: &criteria,
        seed: 42,
        time: None,
        control: &Control::alone(),
    };
    let found = search(&plan, &mut None, &mut |_: Progress<'_>| {}).unwrap();
    assert_eq!(found.ranking, [1]);
    assert_eq!(found.board.standings[0].state, TrialState::Failed);
    assert!(found.board.standings[0].failure.as_ref().unwrap().contains("linear"), "{:?}", found.board.standings[0]);
}
