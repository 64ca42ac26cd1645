//! The screen in a real terminal: what it shows, what its keys do, how it leaves, and that it rests.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;
mod terminal;

use std::time::Duration;

use rustix::process::Signal;
use support::{Project, customers, is_alive, send, ticks};
use terminal::Terminal;

const ESCAPE: &str = "\u{1b}";
const SIZES: [(u16, u16); 2] = [(80, 24), (200, 50)];

/// The keys that the hint line names, each with its word.
fn hints(terminal: &Terminal) -> Vec<(String, String)> {
    let rows = terminal.rows();
    let line = rows.last().unwrap().trim();
    let hint = |part: &str| part.trim().split_once(' ').map(|(key, word)| (key.to_owned(), word.to_owned()));
    line.split(" · ").filter_map(hint).collect()
}

#[test]
fn the_board_shows_stages_reasons_and_the_way_out_at_both_sizes() {
    let project = Project::rested();
    for (columns, rows) in SIZES {
        let mut terminal = Terminal::open(&project, columns, rows);
        let text = terminal.wait_for("the Board", |text| text.contains("passed") && text.contains("q detach"));
        for wanted in ["trainyard", "light", "Board", "run 1", "train", "test", "it had never passed"] {
            assert!(text.contains(wanted), "{columns}×{rows}: `{wanted}` is missing:\n{text}");
        }
        // Where there is room, the first line says more.
        assert!(columns < 200 || text.contains("data 1 file, 20 rows"), "{text}");
        let shown = terminal.rows();
        assert_eq!(shown.len(), usize::from(rows));
        assert!(shown.last().unwrap().contains("? help"), "the hint line is the last:\n{text}");
        assert!(terminal.is_raw());
        terminal.press("q");
        assert!(terminal.ended().success());
    }
}

#[test]
fn every_key_of_the_hint_line_works_at_both_sizes() {
    let project = Project::with_app();
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");
    project.write("app/greeting.txt", "hello again\n");
    project.expect_run(2, "passed");
    for (columns, rows) in SIZES {
        let mut terminal = Terminal::open(&project, columns, rows);
        terminal.wait_for("the Board", |text| text.contains("q detach") && text.contains("r run"));
        terminal.wait_for_text("last 5 min");
        let hints = hints(&terminal);
        assert!(hints.len() >= if columns < 200 { 7 } else { 12 }, "{hints:?}");
        for (key, word) in hints.iter().filter(|(key, _)| key != "q") {
            try_key(&project, &mut terminal, key, word);
        }
        terminal.press("q");
        assert!(terminal.ended().success());
    }
}

/// Presses a key of the Board, sees what it does, and takes it back.
fn try_key(project: &Project, terminal: &mut Terminal, key: &str, word: &str) {
    let pressed = match key {
        "Space" => " ",
        "Enter" => "\r",
        other => other,
    };
    match word {
        "run" | "train" | "test" | "build" | "deploy" => {
            let next = project.runs() + 1;
            terminal.press(pressed);
            project.expect_run(next, "passed");
            terminal.wait_for_text(&format!("run {next}"));
        }
        "rollback" => there_and_back(terminal, pressed, "Go back to release", ESCAPE),
        "open" => {
            terminal.press(pressed);
            terminal.wait_for("the log", |text| text.lines().next().is_some_and(|header| header.contains("Logs")));
            terminal.press(ESCAPE);
            terminal.wait_for("the Board", |text| text.lines().next().is_some_and(|header| header.contains("Board")));
        }
        "search" => there_and_back(terminal, pressed, "search the whole log:", ESCAPE),
        "select" => there_and_back(terminal, pressed, "selected:", ESCAPE),
        "range" => {
            let before = range(&terminal.text());
            terminal.press(pressed);
            terminal.wait_for("another range", |text| range(text).is_some_and(|now| Some(now) != before));
            terminal.press("[");
            terminal.wait_for("the former range", |text| range(text) == before);
        }
        "freeze" => there_and_back(terminal, pressed, "frozen", pressed),
        "zoom" => {
            let log = "Log ·";
            terminal.wait_for_text(log);
            terminal.press(pressed);
            terminal.wait_for("one pane alone", |text| !text.contains(log));
            terminal.press(pressed);
            terminal.wait_for_text(log);
        }
        "views" => {
            terminal.press("2");
            terminal.wait_for("Runs", |text| text.lines().next().is_some_and(|header| header.contains("Runs")));
            terminal.press("1");
            terminal.wait_for("the Board", |text| text.lines().next().is_some_and(|header| header.contains("Board")));
        }
        "command" => there_and_back(terminal, pressed, "Enter does it", ESCAPE),
        "help" => there_and_back(terminal, pressed, "closes", ESCAPE),
        _ => panic!("the key {key} ({word}) stands on the hint line, and no test knows what it does"),
    }
}

/// The range of the charts, such as `15 min`.
fn range(text: &str) -> Option<String> {
    let (_, behind) = text.lines().find_map(|line| line.split_once("│ last "))?;
    behind.split_once("  ").map(|(range, _)| range.to_owned())
}

/// A key that shows something, and another that takes it away.
#[track_caller]
fn there_and_back(terminal: &mut Terminal, key: &str, shown: &str, back: &str) {
    assert!(!terminal.text().contains(shown), "`{shown}` is there before the key:\n{}", terminal.text());
    terminal.press(key);
    terminal.wait_for_text(shown);
    terminal.press(back);
    terminal.wait_for(&format!("`{shown}` to go away"), |text| !text.contains(shown));
}

#[test]
fn x_cancels_what_runs_and_is_offered_only_then() {
    let project = Project::light_with("", "echo waiting; sleep 1000\n");
    project.up();
    let mut terminal = Terminal::open(&project, 80, 24);
    let text = terminal.wait_for_text("q detach");
    assert!(!text.contains("x cancel"), "{text}");
    project.register("first.csv", customers(0, 20));
    project.wait_for_stage(1, "test", "running");
    terminal.wait_for_text("x cancel");
    terminal.press("x");
    terminal.wait_for("the question", |text| text.contains("Cancel run 1?") && text.contains("test will be stopped"));
    terminal.press("y");
    project.expect_run(1, "cancelled");
    terminal.wait_for("the end", |text| text.contains("cancelled") && !text.contains("x cancel"));
}

#[test]
fn q_detaches_and_the_daemon_that_the_screen_started_goes_on() {
    let project = Project::light_with("", "sleep 2\n");
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    let daemon = project.daemon();
    project.register("first.csv", customers(0, 20));
    project.wait_for_stage(1, "test", "running");
    terminal.wait_for_text("running");
    terminal.press("q");
    assert!(terminal.ended().success());
    project.expect_run(1, "passed");
    assert_eq!(project.daemon(), daemon);
}

#[test]
fn whatever_signal_ends_the_screen_the_terminal_is_given_back_and_the_daemon_goes_on() {
    let project = Project::rested();
    let daemon = project.daemon();
    for (signal, code) in [(Signal::TERM, 143), (Signal::HUP, 129), (Signal::INT, 130)] {
        let mut terminal = Terminal::open(&project, 80, 24);
        terminal.wait_for_text("q detach");
        assert!(terminal.is_raw());
        send(terminal.pid, signal);
        assert_eq!(terminal.ended().exit_code(), code, "{signal:?}");
        assert!(is_alive(daemon));
    }
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    terminal.press("\u{3}");
    assert!(terminal.ended().success(), "Ctrl-C is a key like q");
    assert_eq!(project.daemon(), daemon);
}

#[test]
fn an_idle_board_sends_nothing_and_uses_no_time() {
    let project = Project::rested();
    for (columns, rows) in SIZES {
        let mut terminal = Terminal::open(&project, columns, rows);
        terminal.wait_for("the Board", |text| text.contains("passed") && text.contains("q detach"));
        terminal.rest();
        let before = ticks(terminal.pid);
        assert_eq!(terminal.listen(Duration::from_secs(3)), 0, "bytes sent by an idle Board:\n{}", terminal.text());
        let used = ticks(terminal.pid) - before;
        assert!(used <= 1, "an idle Board used {used} ticks of the processor in 3 s");
        terminal.press("q");
        assert!(terminal.ended().success());
    }
}

#[test]
fn a_terminal_of_another_size_is_drawn_anew() {
    let project = Project::rested();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    for (columns, rows) in [(200, 50), (100, 30), (80, 24)] {
        terminal.resize(columns, rows);
        terminal.wait_for("the hint line at the bottom", |text| {
            text.lines().count() == usize::from(rows)
                && text.lines().last().is_some_and(|line| line.contains("q detach"))
        });
    }
    terminal.resize(30, 10);
    terminal.wait_for_text("trainyard needs");
    terminal.resize(80, 24);
    terminal.wait_for_text("q detach");
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn without_a_terminal_the_screen_says_what_to_use_instead() {
    let project = Project::light();
    let refused = project.command(&[]).expect_code(2).stderr;
    assert!(refused.contains("the screen needs a terminal") && refused.contains("`trainyard status`"), "{refused}");
}
