//! The first run in a real terminal: from a folder to a project, and from a broken configuration to a valid one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;
mod terminal;

use std::fs;

use support::{Project, customers};
use terminal::Terminal;

const BROKEN: &str = "[sorce]\n[stages.train]\ncommand = [\"true\"]\n";
const MENDED: &str = "[stages.train]\ncommand = [\"true\"]\n";

/// The names of all that is in the project folder.
fn entries(project: &Project) -> Vec<String> {
    let mut names: Vec<String> = fs::read_dir(project.folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn a_folder_with_a_csv_is_led_to_the_board_and_whoever_leaves_has_written_nothing() {
    let project = Project::bare();
    project.write("customers.csv", customers(0, 40));
    let mut terminal = Terminal::open(&project, 80, 24);
    let text = terminal.wait_for_text("nothing is written yet");
    for wanted in ["customers.csv", "this is not a work tree", "`git init`", "[project]", "q leave"] {
        assert!(text.contains(wanted), "`{wanted}` is missing:\n{text}");
    }
    terminal.press("q");
    assert!(terminal.ended().success());
    assert_eq!(entries(&project), ["customers.csv"]);

    let mut terminal = Terminal::open(&project, 120, 40);
    terminal.wait_for_text("nothing is written yet");
    // The last column is proposed; the one after it is the first again.
    terminal.wait_for_text("< kind >");
    terminal.press("\u{1b}[C");
    terminal.wait_for_text("< age >");
    terminal.press("\r");
    terminal.wait_for_text("q detach");
    terminal.press("q");
    assert!(terminal.ended().success());
    let written = fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    assert!(written.contains("target = \"age\""), "{written}");
    project.command(&["check"]).ok();
}

#[test]
fn a_broken_configuration_shows_every_error_and_goes_on_once_it_is_mended_elsewhere() {
    let project = Project::bare();
    project.write("trainyard.toml", BROKEN);
    let mut terminal = Terminal::open(&project, 80, 24);
    let text = terminal.wait_for_text("trainyard.toml:1:2: unknown table `sorce`");
    assert!(text.contains("1 error") && text.contains("e open in your editor"), "{text}");
    project.write("trainyard.toml", MENDED);
    terminal.wait_for_text("q detach");
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn a_broken_configuration_is_mended_in_the_operators_editor() {
    let project = Project::bare();
    project.write("trainyard.toml", BROKEN);
    let mended = project.outside().join("mended.toml");
    fs::write(&mended, MENDED).unwrap();
    project.set("VISUAL", format!("cp {}", mended.display()));
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("e open in your editor");
    terminal.press("e");
    terminal.wait_for_text("q detach");
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn whoever_leaves_the_editor_without_saving_is_back_and_nothing_was_started() {
    let project = Project::bare();
    project.write("customers.csv", customers(0, 40));
    project.set("VISUAL", "true".to_owned());
    let mut terminal = Terminal::open(&project, 120, 40);
    terminal.wait_for_text("nothing is written yet");
    terminal.press("c");
    terminal.wait_for_text("copy customers.csv into data/?");
    terminal.press("y");
    terminal.wait_for_text("copied to data/customers.csv");
    terminal.press("e");
    terminal.wait_for_text("the editor changed nothing");
    terminal.press("q");
    assert!(terminal.ended().success());
    assert_eq!(entries(&project), ["customers.csv", "data"]);
}

#[test]
fn whoever_leaves_a_broken_configuration_has_its_errors_and_the_exit_code() {
    let project = Project::bare();
    project.write("trainyard.toml", BROKEN);
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("e open in your editor");
    terminal.press("\u{1b}");
    assert_eq!(terminal.ended().exit_code(), 2);
    assert!(terminal.text().contains("unknown table `sorce`"), "{}", terminal.text());
}

#[test]
fn without_a_terminal_an_empty_folder_stays_an_error() {
    let project = Project::bare();
    let refused = project.command(&[]).expect_code(2).stderr;
    assert!(refused.contains("no trainyard.toml in") && refused.contains("`trainyard init` writes one"), "{refused}");
    assert!(entries(&project).is_empty());
}
