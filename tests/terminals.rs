//! Terminals of every kind and in every trouble: what they can do is found out, and whatever comes from them does no harm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;
mod terminal;

use std::io::Write;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::Signal;
use support::{PATIENCE, Project, customers, send, wait_for};
use terminal::Terminal;

/// The question for the background, and the one that every terminal answers.
const QUESTION: &str = "\u{1b}]11;?";
const LAST_QUESTION: &str = "\u{1b}[c";

#[track_caller]
fn leave(mut terminal: Terminal) {
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn the_board_is_there_on_every_terminal_and_each_is_left_as_it_was() {
    let project = Project::rested();
    for term in ["linux", "xterm", "xterm-256color", "screen", "tmux-256color", "vt100"] {
        project.set("TERM", term);
        let mut terminal = Terminal::open(&project, 80, 24);
        let text = terminal.wait_for("the Board", |text| text.contains("passed") && text.contains("q detach"));
        assert!(term != "linux" || text.is_ascii(), "the console of Linux has few signs:\n{text}");
        assert_eq!(terminal.sent().contains(QUESTION), !["linux", "vt100"].contains(&term), "{term}");
        let has_free_colours = terminal.sent().contains(";38;2;") || terminal.sent().contains(";48;2;");
        assert!(!has_free_colours, "{term} has no colours beyond a palette");
        leave(terminal);
    }
}

#[test]
fn a_terminal_that_moves_no_cursor_gets_lines() {
    let project = Project::rested();
    project.set("TERM", "dumb");
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("Type `help`");
    assert!(!terminal.is_raw());
    terminal.press("runs\n");
    terminal.wait_for_text("Run 1 passed, made");
    assert!(!terminal.sent().contains('\u{1b}'), "{:?}", terminal.sent());
    terminal.press("quit\n");
    assert!(terminal.ended().success());
}

#[test]
fn what_the_terminal_says_of_itself_is_used() {
    let project = Project::rested();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_bytes(LAST_QUESTION);
    terminal.press("\u{1b}]11;rgb:ffff/ffff/ffff\u{1b}\\\u{1b}[?2026;2$y\u{1b}P1+r524742=38\u{1b}\\\u{1b}[?62;22c");
    terminal.wait_for_text("q detach");
    terminal.wait_for_bytes("\u{1b}[?2026h");
    terminal.wait_for_bytes(";38;2;");
    leave(terminal);
}

#[test]
fn no_answer_is_typed_into_the_program_however_late_and_wrong_it_is() {
    let project = Project::rested();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    // Each holds letters that are keys: `r` runs, `R` rolls back, `q` leaves.
    for answer in [
        "\u{1b}]11;rgb:rq/rq/rq\u{7}",
        "\u{1b}]10;rrrr\u{1b}\\",
        "\u{1b}P>|r R q\u{1b}\\",
        "\u{1b}P1+r71q\u{1b}\\",
        "\u{1b}_rRq\u{1b}\\",
        "\u{1b}[?2026;9$y",
        "\u{1b}[>1;2;3c",
        "\u{1b}[24;80R",
    ] {
        terminal.press(answer);
    }
    terminal.press("2");
    terminal.wait_for("Runs", |text| text.lines().next().is_some_and(|header| header.contains("Runs")));
    assert_eq!(project.runs(), 1);
    leave(terminal);
}

#[test]
fn a_million_letters_that_are_pasted_are_no_keys() {
    let project = Project::rested();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    assert!(terminal.sent().contains("\u{1b}[?2004h"));
    terminal.press(&format!("\u{1b}[200~{}\u{1b}[201~", "rRq\ny".repeat(200_000)));
    terminal.press("2");
    terminal.wait_for("Runs", |text| text.lines().next().is_some_and(|header| header.contains("Runs")));
    assert_eq!(project.runs(), 1);
    // Where a text is typed, it goes in.
    terminal.press(":");
    terminal.wait_for_text("Enter does it");
    terminal.press("\u{1b}[200~frobni\u{1b}[201~");
    terminal.wait_for_text("frobni");
    terminal.press("\u{1b}");
    terminal.wait_for("the palette to go away", |text| !text.contains("Enter does it"));
    leave(terminal);
}

#[test]
fn a_mouse_that_says_nonsense_does_no_harm() {
    let project = Project::rested();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    for nonsense in [
        "\u{1b}[<0;0;0M",
        "\u{1b}[<0;999999999;1M",
        "\u{1b}[<64;500;500M",
        "\u{1b}[<;;m",
        "\u{1b}[M\u{1}\u{1}\u{1}",
        "\u{1b}[M   ",
        "\u{1b}[32;1;1M",
        "\u{1b}[<255;1;1M",
    ] {
        terminal.press(&nonsense.repeat(50));
    }
    terminal.press("2");
    terminal.wait_for("Runs", |text| text.lines().next().is_some_and(|header| header.contains("Runs")));
    leave(terminal);
}

#[test]
fn two_hundred_sizes_in_a_row_end_in_the_last() {
    let project = Project::rested();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    for step in 0..200_u16 {
        terminal.resize(60 + step, 15 + step % 40);
    }
    terminal.resize(100, 30);
    terminal.wait_for("the last size", |text| {
        text.lines().count() == 30 && text.lines().last().is_some_and(|line| line.contains("q detach"))
    });
    terminal.rest();
    let drawn = terminal.sent().matches("\u{1b}[2J").count();
    assert!(drawn < 100, "{drawn} of 200 sizes were drawn");
    leave(terminal);
}

#[test]
fn a_screen_that_is_stopped_and_continued_is_drawn_anew() {
    let project = Project::rested();
    for signal in [Signal::STOP, Signal::TSTP] {
        let mut terminal = Terminal::open(&project, 80, 24);
        terminal.wait_for_text("q detach");
        let before = frames(&terminal);
        send(terminal.pid, signal);
        wait_for("the stop", PATIENCE, || terminal.is_stopped().then_some(()));
        send(terminal.pid, Signal::CONT);
        wait_for("a new frame", PATIENCE, || {
            terminal.listen(Duration::from_millis(100));
            (frames(&terminal) > before).then_some(())
        });
        terminal.wait_for_text("q detach");
        assert!(terminal.is_raw(), "{signal:?}");
        leave(terminal);
    }
}

/// How often the terminal was taken: each time, the way that text is pasted is set.
fn frames(terminal: &Terminal) -> usize {
    terminal.sent().matches("\u{1b}[?2004h").count()
}

#[test]
fn title_and_progress_tell_of_the_run_and_go_with_the_screen() {
    let project = Project::light_with("", "sleep 1000\n");
    project.set("WT_SESSION", "a terminal that shows progress");
    project.up();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    assert!(terminal.sent().contains("\u{1b}[22;2t"), "the former title is not kept");
    project.register("first.csv", customers(0, 20));
    project.wait_for_stage(1, "test", "running");
    terminal.wait_for_bytes("run 1 test");
    terminal.wait_for_bytes("\u{1b}]9;4;1;");
    terminal.press("q");
    assert!(terminal.ended().success());
    let sent = terminal.sent();
    let (end, title) = (sent.rfind("\u{1b}]9;4;0").unwrap(), sent.rfind("\u{1b}[23;2t").unwrap());
    assert!(end < title, "progress is taken away before the former title comes back");
    project.command(&["cancel"]).ok();
}

#[test]
fn a_terminal_that_would_take_progress_for_a_message_gets_none() {
    let project = Project::rested();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    terminal.press("q");
    assert!(terminal.ended().success());
    assert!(!terminal.sent().contains("]9;4"));
}

#[test]
fn a_live_release_that_is_scraped_costs_nothing_where_it_is_not_shown() {
    let project = Project::with_app();
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");
    let mut terminal = Terminal::open(&project, 120, 40);
    terminal.wait_for_text("q detach");
    terminal.press("2");
    terminal.wait_for("Runs", |text| text.lines().next().is_some_and(|header| header.contains("Runs")));
    terminal.rest();
    assert_eq!(terminal.listen(Duration::from_secs(3)), 0, "bytes of an idle screen:\n{}", terminal.text());
    leave(terminal);
}

#[test]
fn without_a_terminal_lines_are_told_and_typed_commands_are_done() {
    let project = Project::rested();
    let told = project.command(&["--plain"]).ok().stdout;
    assert!(told.contains("Run 1 passed") && !told.contains('\u{1b}'), "{told}");
    let mut command = project.trainyard(&["--plain"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    let mut typed = child.stdin.take().unwrap();
    typed.write_all(b"frobnicate\nlogs test\nsearch test nothing-like-this\nmetrics\nmodels\ntest\n").unwrap();
    drop(typed);
    let output = child.wait_with_output().unwrap();
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{told}");
    assert!(told.contains("There is no command `frobnicate`"), "{told}");
    assert!(told.contains("No line matches `nothing-like-this`."), "{told}");
    assert!(told.contains("Model 1 (no gate) by run 1"), "{told}");
    assert!(told.contains("run 2 from test; `cancel` stops it"), "{told}");
    project.expect_run(2, "passed");
}

#[test]
fn ascii_can_be_asked_for() {
    let project = Project::rested();
    let folder = project.folder().display().to_string();
    let mut terminal = Terminal::start(&project, &["--ascii", "-C", &folder], 120, 40);
    let text = terminal.wait_for("the Board", |text| text.contains("passed") && text.contains("q detach"));
    assert!(text.is_ascii(), "{text}");
    leave(terminal);
}
