//! Every registered command of the screen, in the real binary: struck by each of its keys and chosen in the palette, with what
//! comes of it on the screen or in the daemon.
//!
//! The commands come from the program's own table, so one without a case fails by its name. Each case brings the screen to
//! where the command works, strikes once, sees a result that nothing else has, and takes it back. A project is prepared once
//! for many cases.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod charts;
mod demo;
mod desk;
mod lists;
mod logs;
mod models;
mod serving;
mod views;
mod waiting;

#[path = "../support/mod.rs"]
mod support;
#[path = "../terminal/mod.rs"]
mod terminal;

use std::collections::BTreeMap;

use desk::Case;
use trainyard::tui::screen_commands;

const ALL: [&[Case]; 8] = [
    views::CASES,
    lists::CASES,
    logs::CASES,
    models::CASES,
    charts::CASES,
    serving::CASES,
    waiting::CASES,
    demo::CASES,
];

#[test]
fn every_command_has_a_case_and_every_case_a_command() {
    let mut cases: BTreeMap<&str, usize> = BTreeMap::new();
    for case in ALL.into_iter().flatten() {
        *cases.entry(case.id).or_default() += 1;
    }
    let commands: Vec<String> = screen_commands().into_iter().map(|command| command.id).collect();
    let untried: Vec<_> = commands.iter().filter(|id| !cases.contains_key(id.as_str())).collect();
    assert!(untried.is_empty(), "these commands are tried by no case in tests/screen_commands: {untried:?}");
    let unknown: Vec<_> = cases.keys().filter(|id| !commands.iter().any(|known| known == *id)).collect();
    assert!(unknown.is_empty(), "these cases are of no command: {unknown:?}");
    let twice: Vec<_> = cases.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "these commands have more than one case: {twice:?}");
}

#[test]
fn views_and_lists_are_gone_through_by_key_and_by_palette() {
    let mut desk = desk::quiet();
    // Lists first: the others add runs.
    desk.go_through(lists::CASES);
    desk.go_through(views::CASES);
}

#[test]
fn logs_are_read_by_key_and_by_palette() {
    desk::quiet().go_through(logs::CASES);
}

#[test]
fn models_charts_and_releases_are_worked_with_by_key_and_by_palette() {
    let mut desk = serving::desk();
    desk.go_through(models::CASES);
    desk.go_through(charts::CASES);
    desk.go_through(serving::CASES);
}

#[test]
fn what_waits_for_a_person_is_answered_by_key_and_by_palette() {
    waiting::desk().go_through(waiting::CASES);
}

#[test]
fn the_demo_is_played_by_key_and_by_palette() {
    demo::desk().go_through(demo::CASES);
}
