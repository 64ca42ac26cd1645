//! Reading a log of 200 lines.

use std::fs;

use crate::desk::{Case, Desk, ESCAPE, case};

const AT_TOP: &str = "line 1 of 200";
const AT_END: &str = "following 200 lines";
const HEADING: &str = "Log · test · run 2";
/// "step 1" and the end of the line, as terminals take it for the clipboard.
const FIRST_LINE: &str = "\u{1b}]52;c;c3RlcCAxCg==\u{7}";

pub const CASES: &[Case] = &[
    case("follow", follow),
    case("wrap", wrap),
    case("top", top),
    case("bottom", bottom),
    case("page-down", page_down),
    case("page-up", page_up),
    case("search", search),
    case("next-match", next_match),
    case("previous-match", previous_match),
    case("select-lines", select_lines),
    case("copy-lines", copy_lines),
    case("filter-log", filter_log),
    case("least-level", least_level),
    case("more-context", more_context),
    case("less-context", less_context),
    case("go-to", go_to),
    case("whole-run", whole_run),
    case("timestamps", timestamps),
    case("mark-line", mark_line),
    case("marks", marks),
    case("raw-lines", raw_lines),
    case("save-log", save_log),
    case("pager", |desk| shown_elsewhere(desk, "paged")),
    case("editor", |desk| shown_elsewhere(desk, "edited")),
];

/// The log, not followed, from its first line on.
fn from_the_top(desk: &mut Desk) {
    desk.show("3", "Logs");
    desk.see(HEADING);
    desk.press_and_see("g", AT_TOP);
}

fn at_the_end(desk: &mut Desk) {
    from_the_top(desk);
    desk.press_and_see("f", AT_END);
}

fn follow(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.see(AT_END);
    desk.see("the last line");
}

fn wrap(desk: &mut Desk) {
    at_the_end(desk);
    assert!(!desk.terminal.text().contains("than the screen"), "{}", desk.terminal.text());
    desk.strike();
    desk.see("wrapped");
    desk.see("than the screen");
    desk.press_and_lose("w", "than the screen");
}

fn top(desk: &mut Desk) {
    at_the_end(desk);
    desk.strike();
    desk.see(AT_TOP);
}

fn bottom(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    let text = desk.see("the last line");
    assert!(!text.contains("following"), "whoever goes to the end does not follow it:\n{text}");
}

fn page_down(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.terminal.wait_for("the next page", |text| text.contains("step 50") && !text.contains("step 19"));
}

fn page_up(desk: &mut Desk) {
    from_the_top(desk);
    desk.press_and_see("\u{1b}[6~", "step 50");
    desk.strike();
    desk.see(AT_TOP);
}

/// Searches, and stands at the first of three matches.
fn at_a_match(desk: &mut Desk) {
    from_the_top(desk);
    desk.press_and_see("/", "search the whole log:");
    desk.press_and_see("needle\r", "/needle 1/3");
}

fn search(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.see("search the whole log:");
    desk.press_and_see("needle\r", "/needle 1/3");
    desk.press_and_lose(ESCAPE, "/needle");
}

fn next_match(desk: &mut Desk) {
    at_a_match(desk);
    desk.strike();
    desk.see("/needle 2/3");
    desk.press_and_lose(ESCAPE, "/needle");
}

fn previous_match(desk: &mut Desk) {
    at_a_match(desk);
    desk.strike();
    desk.see("/needle 3/3");
    desk.press_and_lose(ESCAPE, "/needle");
}

fn select_lines(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike_there_and_back("1 line selected:", ESCAPE);
}

/// With the times that are shown, unless they are turned off.
fn copy_lines(desk: &mut Desk) {
    from_the_top(desk);
    desk.press_and_see("t", "+0:00:0");
    desk.press_and_lose("t", "+0:00:0");
    desk.press_and_see("v", "1 line selected:");
    let before = desk.terminal.count(FIRST_LINE);
    desk.strike();
    desk.see("1 line copied to the clipboard");
    desk.terminal.wait_for_another(FIRST_LINE, before);
    desk.terminal.press("t");
}

/// Only the three errors are shown.
fn narrowed(desk: &mut Desk) {
    from_the_top(desk);
    desk.press_and_see("&", "only lines with:");
    desk.terminal.press("needle\r");
    only_errors(desk);
}

fn only_errors(desk: &mut Desk) {
    let is_narrow = |text: &str| text.contains("ERROR: needle 180") && !text.contains("step ");
    desk.terminal.wait_for("the errors alone", is_narrow);
}

fn all_again(desk: &mut Desk) {
    desk.press_and_see(ESCAPE, "of 200");
}

fn filter_log(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.see("only lines with:");
    desk.press_and_see("needle\r", "&needle");
    only_errors(desk);
    all_again(desk);
}

fn least_level(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.see("error and worse");
    only_errors(desk);
    all_again(desk);
}

fn more_context(desk: &mut Desk) {
    narrowed(desk);
    desk.strike();
    desk.see("with 1 around");
    desk.terminal.wait_for("a line around each", |text| text.contains("step 19") && text.contains("step 181"));
    all_again(desk);
}

fn less_context(desk: &mut Desk) {
    narrowed(desk);
    desk.press_and_see("+", "with 1 around");
    desk.see("step 181");
    desk.strike();
    desk.lose("with 1 around");
    only_errors(desk);
    all_again(desk);
}

fn go_to(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.see(" go to: ");
    desk.press_and_see("150\r", "step 150");
}

fn whole_run(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.see("Log · all stages · run 2");
    desk.press_and_see("a", HEADING);
}

fn timestamps(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.see("+0:00:0");
    // None, and then the time of the day again.
    desk.press_and_lose("t", "+0:00:0");
    desk.terminal.press("t");
    let has_time = |row: &str| row.contains(" step 2 ") && row.matches(':').count() == 2;
    desk.terminal.wait_for("the time of the day", |text| text.lines().any(has_time));
}

fn mark_line(desk: &mut Desk) {
    from_the_top(desk);
    desk.strike();
    desk.see("line 1 is marked");
    desk.press_and_see("m", "line 1 is not marked any more");
}

fn marks(desk: &mut Desk) {
    from_the_top(desk);
    desk.press_and_see("m", "line 1 is marked");
    desk.strike_there_and_back("Enter goes there, Esc leaves", ESCAPE);
    desk.press_and_see("m", "line 1 is not marked any more");
}

fn raw_lines(desk: &mut Desk) {
    at_the_end(desk);
    desk.see("count=7");
    desk.strike_there_and_back("\"count\":7", "J");
}

fn save_log(desk: &mut Desk) {
    from_the_top(desk);
    let file = desk.project.outside().join("kept.log");
    desk.strike();
    desk.see("save the whole log to:");
    desk.press_and_see(&format!("\u{15}{}\r", file.display()), "saved ");
    let kept = fs::read_to_string(&file).unwrap();
    has_all_lines_with_times(&kept);
    fs::remove_file(&file).unwrap();
}

/// Another program has the terminal for a while, and is given the log.
fn shown_elsewhere(desk: &mut Desk, copy: &str) {
    from_the_top(desk);
    let before = desk.terminal.count("\u{1b}[?1049h");
    desk.strike();
    desk.terminal.wait_for_another("\u{1b}[?1049h", before);
    desk.see("q detach");
    let copy = desk.project.outside().join(copy);
    let shown = fs::read_to_string(&copy).unwrap();
    has_all_lines_with_times(&shown);
    fs::remove_file(&copy).unwrap();
}

/// Each line with its time of the day, as it stood on the screen.
fn has_all_lines_with_times(text: &str) {
    let lines: Vec<&str> = text.trim_end().lines().collect();
    assert!(lines.iter().all(|line| line.len() > 9 && line.get(2..3) == Some(":")), "{text}");
    assert!(lines[0].ends_with(" step 1") && lines[1].ends_with(" step 2"), "{text}");
    assert!(lines[lines.len() - 1].ends_with(" the last line"), "{text}");
}
