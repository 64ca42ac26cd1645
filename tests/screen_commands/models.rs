//! What is known of two models, of which the newer one is the champion.

use crate::desk::{Case, Desk, ESCAPE, case};

pub const CASES: &[Case] = &[
    case("leaderboard", |desk| tab(desk, "[b leaderboard]")),
    case("confusion", |desk| tab(desk, "[o confusion]")),
    case("importance", |desk| tab(desk, "[i importance]")),
    case("calibration", |desk| tab(desk, "[a calibration]")),
    case("data-profile", |desk| tab(desk, "[d data]")),
    case("slices", |desk| tab(desk, "[e slices]")),
    case("summary", summary),
    case("promote", promote),
    case("note", note),
];

const SUMMARY: &str = "[s summary]";

/// Models, with the newest one chosen.
fn models(desk: &mut Desk) {
    desk.show("4", "Models");
    desk.press_and_see("g", "Model 2 ·");
}

fn tab(desk: &mut Desk, shown: &str) {
    models(desk);
    desk.see(SUMMARY);
    desk.strike();
    desk.see(shown);
    desk.press_and_see("s", SUMMARY);
}

fn summary(desk: &mut Desk) {
    models(desk);
    desk.press_and_see("b", "[b leaderboard]");
    desk.strike();
    desk.see(SUMMARY);
}

/// Left unanswered, for it would deploy; without a reason it is not done.
fn promote(desk: &mut Desk) {
    models(desk);
    desk.press_and_see("G", "Model 1 ·");
    desk.strike();
    desk.see("Make model 1 the champion of train?");
    desk.press_and_see("\r", "a promotion wants a reason");
    desk.press_and_lose(ESCAPE, "Make model 1 the champion");
}

fn note(desk: &mut Desk) {
    models(desk);
    desk.strike();
    desk.see("A note on model 2");
    desk.press_and_see("looked at it\r", "noted on model 2");
    let events = desk.project.command(&["events", "--json", "--grep", "looked at it"]).ok().stdout;
    assert!(events.contains("looked at it"), "the note is not in the trail");
}
