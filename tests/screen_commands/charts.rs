//! A chart, a thousand all the time, and a table.

use crate::desk::{Case, Desk, ESCAPE, case};

const SHORT: &str = "last 5 min · live";
const LONGER: &str = "last 15 min · live";
const BACK: &str = "looking back, Esc to the present";
const COMPARED: &str = "release 1 beside release 2";
/// Zero at the axis.
const ZERO: &str = " 0 ┤";

pub const CASES: &[Case] = &[
    case("longer-range", longer_range),
    case("shorter-range", shorter_range),
    case("earlier", earlier),
    case("later", later),
    case("whole-history", whole_history),
    case("compare", compare),
    case("pick-releases", pick_releases),
    case("explore", explore),
    case("drawing", drawing),
    case("log-scale", log_scale),
    case("zero-base", zero_base),
    case("select-rows", select_rows),
];

/// Metrics, with the chart.
fn charts(desk: &mut Desk) {
    desk.show("6", "Metrics");
    desk.see(SHORT);
    desk.see("far from zero");
}

fn longer_range(desk: &mut Desk) {
    charts(desk);
    desk.strike_there_and_back(LONGER, "[");
}

fn shorter_range(desk: &mut Desk) {
    charts(desk);
    desk.press_and_see("]", LONGER);
    desk.strike();
    desk.see(SHORT);
}

fn earlier(desk: &mut Desk) {
    charts(desk);
    desk.strike_there_and_back(BACK, ESCAPE);
}

fn later(desk: &mut Desk) {
    charts(desk);
    // Twice back and once forward is not yet the present.
    desk.press_and_see("<", BACK);
    let once = until(&desk.terminal.text());
    desk.terminal.press("<");
    desk.terminal.wait_for("an earlier time", |text| until(text).is_some() && until(text) != once);
    desk.strike();
    desk.terminal.wait_for("the time before", |text| until(text) == once);
    desk.press_and_see(ESCAPE, SHORT);
}

/// The end of the stretch of time that is shown.
fn until(text: &str) -> Option<String> {
    let (_, behind) = text.split_once("5 min until ")?;
    behind.split_once(" · ").map(|(moment, _)| moment.to_owned())
}

fn whole_history(desk: &mut Desk) {
    charts(desk);
    desk.strike_there_and_back("all that is kept · live", "a");
}

fn compare(desk: &mut Desk) {
    charts(desk);
    desk.strike_there_and_back(COMPARED, "c");
}

fn pick_releases(desk: &mut Desk) {
    charts(desk);
    desk.strike_there_and_back("Which release?", ESCAPE);
    desk.see(COMPARED);
    desk.press_and_see("c", SHORT);
}

fn explore(desk: &mut Desk) {
    charts(desk);
    desk.strike_there_and_back("Tab completes, Enter draws, Esc leaves", ESCAPE);
}

fn drawing(desk: &mut Desk) {
    charts(desk);
    desk.strike();
    desk.see("drawn in blocks");
    desk.press_and_see("v", "drawn in ASCII");
    desk.press_and_see("v", "drawn in braille");
}

fn log_scale(desk: &mut Desk) {
    charts(desk);
    desk.strike_there_and_back(", log scale", "y");
}

fn zero_base(desk: &mut Desk) {
    charts(desk);
    // The axis is there before.
    desk.see(" ┤");
    desk.strike_there_and_back(ZERO, "0");
}

fn select_rows(desk: &mut Desk) {
    charts(desk);
    desk.see("in a table");
    desk.strike_there_and_back("1 line selected: Enter copies", ESCAPE);
}
