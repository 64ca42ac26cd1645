//! Commands that work everywhere, on a project whose runs have passed.

use rustix::process::Signal;
use serde_json::json;

use crate::desk::{Case, Desk, ESCAPE, case, case_of_keys};
use crate::support::{PATIENCE, send, stage_word, wait_for};

pub const CASES: &[Case] = &[
    case("board", |desk| view(desk, "Board")),
    case("runs", |desk| view(desk, "Runs")),
    case("logs", |desk| view(desk, "Logs")),
    case("models", |desk| view(desk, "Models")),
    case("releases", |desk| view(desk, "Releases")),
    case("metrics", |desk| view(desk, "Metrics")),
    case("events", |desk| view(desk, "Events")),
    case("open", open),
    case("back", back),
    case("onward", onward),
    case("upstream", upstream),
    case("time-line", |desk| over_the_board(desk, "Time line")),
    case("operators", operators),
    case("projects", projects),
    case_of_keys("palette", "it is open already where it would be chosen", |desk| {
        over_the_board(desk, "Enter does it");
    }),
    case("help", |desk| over_the_board(desk, " find: ")),
    case("freeze", freeze),
    case("copy", copy),
    case("mouse", mouse),
    case("redraw", redraw),
    case("suspend", suspend),
    case("detach", detach),
    case("lock-deploys", lock),
    case("unlock-deploys", unlock),
    case("run-all", run_all),
];

/// To a view from another one.
fn view(desk: &mut Desk, name: &str) {
    if name == "Board" {
        desk.show("2", "Runs");
    } else {
        desk.show("1", "Board");
    }
    desk.strike();
    desk.see_above(name);
}

fn open(desk: &mut Desk) {
    desk.show("1", "Board");
    desk.strike();
    desk.see_above("Logs");
    desk.see("Log · test · run 2");
}

fn back(desk: &mut Desk) {
    desk.show("2", "Runs");
    desk.strike();
    desk.see_above("Board");
}

fn at_run_2(desk: &mut Desk) {
    desk.show("2", "Runs");
    desk.see("▸    2");
}

/// Events with all of them again.
fn leave_the_cause(desk: &mut Desk) {
    desk.show("7", "Events");
    desk.see("only run:2");
    desk.press_and_lose(ESCAPE, "only run:2");
}

fn onward(desk: &mut Desk) {
    at_run_2(desk);
    desk.press_and_see(",", "only run:2");
    desk.strike();
    desk.see_above("Runs");
    desk.see("[run 2]");
    leave_the_cause(desk);
}

fn upstream(desk: &mut Desk) {
    at_run_2(desk);
    desk.strike();
    desk.see_above("Events");
    desk.see("[data second.csv]");
    leave_the_cause(desk);
}

fn over_the_board(desk: &mut Desk, shown: &str) {
    desk.show("1", "Board");
    desk.strike_there_and_back(shown, ESCAPE);
}

fn operators(desk: &mut Desk) {
    desk.show("1", "Board");
    desk.strike();
    desk.see("any key closes");
    let is_told = |row: &str| row.contains("tester") && row.contains("this machine") && row.contains("driver");
    desk.terminal.wait_for("who is attached", |text| text.lines().any(is_told));
    desk.press_and_lose(ESCAPE, "any key closes");
}

fn projects(desk: &mut Desk) {
    desk.show("1", "Board");
    desk.strike();
    desk.see("Enter shows it, Esc leaves");
    desk.terminal.wait_for("this project", |text| text.lines().any(|row| row.contains("▸ light ")));
    desk.press_and_lose(ESCAPE, "Enter shows it, Esc leaves");
}

fn freeze(desk: &mut Desk) {
    desk.show("1", "Board");
    desk.strike();
    desk.see_above("frozen");
    desk.terminal.press(" ");
    desk.lose_above("frozen");
}

fn copy(desk: &mut Desk) {
    desk.show("2", "Runs");
    // The number 2, as terminals take it for the clipboard.
    let (sequence, before) = ("\u{1b}]52;c;Mg==\u{7}", desk.terminal.count("\u{1b}]52;c;Mg==\u{7}"));
    desk.strike();
    desk.see("the number of run 2 copied to the clipboard");
    desk.terminal.wait_for_another(sequence, before);
}

fn mouse(desk: &mut Desk) {
    let (taken, given_back) = ("\u{1b}[?1006h", "\u{1b}[?1006l");
    let before = (desk.terminal.count(taken), desk.terminal.count(given_back));
    desk.strike();
    desk.see("the mouse works here");
    desk.terminal.wait_for_another(taken, before.0);
    desk.press_and_see("M", "the mouse is the terminal's again");
    desk.terminal.wait_for_another(given_back, before.1);
}

fn redraw(desk: &mut Desk) {
    let before = desk.terminal.count("\u{1b}[2J");
    desk.strike();
    desk.terminal.wait_for_another("\u{1b}[2J", before);
    desk.see("q detach");
}

fn suspend(desk: &mut Desk) {
    // Each time the terminal is taken, the way that text is pasted is set.
    let before = desk.terminal.count("\u{1b}[?2004h");
    desk.strike();
    wait_for("the stop", PATIENCE, || desk.terminal.is_stopped().then_some(()));
    assert!(!desk.terminal.is_raw(), "the shell has the terminal while the screen is stopped");
    send(desk.terminal.pid, Signal::CONT);
    desk.terminal.wait_for_another("\u{1b}[?2004h", before);
    desk.see("q detach");
}

fn detach(desk: &mut Desk) {
    let daemon = desk.project.daemon();
    desk.strike();
    assert!(desk.terminal.ended().success());
    assert_eq!(desk.project.daemon(), daemon, "the daemon goes on");
    desk.reopen();
}

fn lock(desk: &mut Desk) {
    desk.strike();
    desk.see("Lock deploys?");
    desk.terminal.press("maintenance\r");
    desk.see_above("locked by tester");
    assert_eq!(desk.project.snapshot()["state"]["lock"]["message"], "maintenance");
    desk.project.command(&["unlock"]).ok();
    desk.lose_above("locked by");
}

fn unlock(desk: &mut Desk) {
    desk.project.command(&["lock", "maintenance"]).ok();
    desk.see_above("locked by tester");
    desk.strike();
    desk.see("Unlock deploys?");
    desk.terminal.press("y");
    desk.lose_above("locked by");
    assert!(desk.project.snapshot()["state"]["lock"].is_null());
}

fn run_all(desk: &mut Desk) {
    desk.show("1", "Board");
    let next = desk.project.runs() + 1;
    desk.strike();
    let run = desk.project.expect_run(next, "passed");
    assert_eq!(run["trigger"], json!({ "manual": { "by": "tester" } }));
    assert_eq!((stage_word(&run, "train"), stage_word(&run, "test")), ("skipped".to_owned(), "skipped".to_owned()));
}
