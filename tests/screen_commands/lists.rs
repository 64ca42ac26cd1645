//! Going through lists, narrowing and sorting them, and looking back from them. What is done in Runs is the same in Releases.

use crate::desk::{Case, Desk, ESCAPE, case};

/// Of what is below the list.
const SECOND: &str = "Run 2 ·";
const FIRST: &str = "Run 1 ·";
/// Shown while the keys are in the detail.
const IN_DETAIL: &str = "Enter shows the log";
const NEW_ORDER: &str = "state↓";
const USUAL_ORDER: &str = "run↓";

pub const CASES: &[Case] = &[
    case("down", down),
    case("up", up),
    case("right", right),
    case("left", left),
    case("next-pane", next_pane),
    case("previous-pane", next_pane),
    case("zoom", zoom),
    case("sort", sort),
    case("sort-back", sort_back),
    case("sort-around", sort_around),
    case("filter-list", filter_list),
    case("mark-row", mark_row),
    case("compare-rows", compare_rows),
    case("as-it-was", as_it_was),
    case("now", now),
];

/// Runs, with the newest of two chosen.
fn runs(desk: &mut Desk) {
    desk.show("2", "Runs");
    desk.press_and_see("g", SECOND);
}

fn down(desk: &mut Desk) {
    runs(desk);
    desk.strike();
    desk.see(FIRST);
    desk.press_and_see("k", SECOND);
}

fn up(desk: &mut Desk) {
    runs(desk);
    desk.press_and_see("j", FIRST);
    desk.strike();
    desk.see(SECOND);
}

fn right(desk: &mut Desk) {
    runs(desk);
    desk.strike_there_and_back(IN_DETAIL, "h");
}

fn left(desk: &mut Desk) {
    runs(desk);
    desk.press_and_see("l", IN_DETAIL);
    desk.strike();
    desk.lose(IN_DETAIL);
}

/// There are two panes, so the next one is the one before.
fn next_pane(desk: &mut Desk) {
    runs(desk);
    desk.strike_there_and_back(IN_DETAIL, "\t");
}

fn zoom(desk: &mut Desk) {
    runs(desk);
    // The list is gone.
    desk.strike();
    desk.lose("why it started");
    desk.see(SECOND);
    desk.press_and_see("z", "why it started");
}

fn sort(desk: &mut Desk) {
    runs(desk);
    desk.see(USUAL_ORDER);
    desk.strike();
    desk.see(NEW_ORDER);
    desk.press_and_see("<", USUAL_ORDER);
}

fn sort_back(desk: &mut Desk) {
    runs(desk);
    desk.press_and_see(">", NEW_ORDER);
    desk.strike();
    desk.see(USUAL_ORDER);
}

fn sort_around(desk: &mut Desk) {
    runs(desk);
    desk.see(USUAL_ORDER);
    desk.strike();
    desk.see("run↑");
    desk.press_and_see("I", USUAL_ORDER);
}

fn filter_list(desk: &mut Desk) {
    runs(desk);
    desk.strike();
    desk.see("only runs with:");
    desk.press_and_see("frobnicate\r", "no run passes the filter");
    desk.press_and_lose(ESCAPE, "only frobnicate");
}

fn mark_row(desk: &mut Desk) {
    runs(desk);
    desk.strike_there_and_back("run 2 is marked", "m");
}

fn compare_rows(desk: &mut Desk) {
    runs(desk);
    desk.strike_there_and_back("Run 1 beside run 2", ESCAPE);
}

fn as_it_was(desk: &mut Desk) {
    runs(desk);
    desk.strike();
    desk.see_above("PAST");
    desk.terminal.press("\u{e}");
    desk.lose_above("PAST");
}

fn now(desk: &mut Desk) {
    runs(desk);
    desk.terminal.press("t");
    desk.see_above("PAST");
    desk.strike();
    desk.lose_above("PAST");
}
