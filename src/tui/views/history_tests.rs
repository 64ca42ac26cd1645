//! What the screen shows of runs and releases beside each other, of a walk, of estimates, and of a project that begins.

use crate::pipeline::{Command, EventFilter, Graph, Input, RunId, Selection};
use crate::tui::app::Model;
use crate::tui::fixtures::{self, World, at_every_size, live, render, send};
use crate::tui::glyphs::Glyphs;
use crate::tui::key_fixtures::press;
use crate::tui::message::Msg;
use crate::tui::model_fixtures;

fn snapshots(name: &str, model: &Model) {
    for (size, text) in at_every_size(model) {
        insta::assert_snapshot!(format!("{name}_{size}"), text);
    }
}

/// The third run trains, as two did before it.
fn training() -> Model {
    let mut world = fixtures::two_runs();
    world.register(3, "겨울-관측-2026.csv");
    world.model(live(&world, true))
}

#[test]
fn two_runs_beside_each_other() {
    let world = fixtures::rolled_back();
    let mut model = world.model(live(&world, true));
    press(&mut model, "2jc");
    for run in [RunId(3), RunId(2)] {
        let filter = EventFilter { run: Some(run), ..EventFilter::default() };
        send(&mut model, Msg::Events(filter, Ok(world.history.clone())));
    }
    snapshots("runs_compared", &model);
    press(&mut model, "z");
    insta::assert_snapshot!("runs_compared_zoomed_80x24", render(&model, 80, 24));
}

#[test]
fn runs_that_are_sorted_and_narrowed_say_so() {
    let mut model = fixtures::deployed();
    press(&mut model, "2/data\n>>>");
    snapshots("runs_sorted", &model);
    let text = render(&model, 120, 40);
    assert!(text.contains("only data") && text.contains("took↓"), "{text}");
    press(&mut model, "/nowhere\n");
    assert!(render(&model, 80, 24).contains("no run passes the filter"));
}

#[test]
fn events_and_models_that_are_sorted_say_so_as_runs_do() {
    let mut model = fixtures::alerted();
    press(&mut model, "7>jj");
    snapshots("events_sorted", &model);
    assert!(render(&model, 120, 40).contains("by↓"));
    let mut model = model_fixtures::models();
    press(&mut model, "4>>>>I");
    snapshots("models_sorted", &model);
    let text = render(&model, 120, 40);
    assert!(text.contains("metric↑"), "{text}");
    let place = |version: &str| text.lines().position(|line| line.contains(version)).unwrap();
    assert!(place(" 0.925") < place(" 0.931") && place(" 0.931") < place(" 0.942"), "the lowest first: {text}");
}

#[test]
fn an_event_is_told_whole_with_what_can_be_done_from_it() {
    let mut model = fixtures::failed();
    send(&mut model, Msg::Resized(80, 24));
    press(&mut model, "7/stage:test\nz");
    let text = render(&model, 80, 24);
    for told in
        ["run 3: test failed", "2026-", "ago", "test, failed now", "Enter shows test of run 3", "stage_finished"]
    {
        assert!(text.contains(told), "{told} in {text}");
    }
    let first = text.clone();
    press(&mut model, "G");
    assert_ne!(render(&model, 80, 24), first, "the end of what the journal keeps");
    press(&mut model, "g");
    assert_eq!(render(&model, 80, 24), first);
}

#[test]
fn two_releases_beside_each_other() {
    let mut model = fixtures::deployed();
    press(&mut model, "5jmkc");
    snapshots("releases_compared", &model);
}

#[test]
fn a_walk_says_where_one_is_and_what_does_not_exist() {
    let mut model = fixtures::failed();
    press(&mut model, "2..");
    snapshots("walk", &model);
    let text = render(&model, 120, 40);
    let line = text.lines().rev().nth(1).unwrap();
    assert!(line.contains("[2 tests failed]") && line.contains("no image") && line.contains("model 3"), "{line}");
    press(&mut model, ".");
    assert!(render(&model, 120, 40).contains("run 3 made no image: test failed"));
}

#[test]
fn what_runs_says_how_long_it_still_takes_as_far_as_history_tells() {
    snapshots("board_estimate", &training());
    let text = render(&training(), 120, 40);
    assert!(text.contains(" left") && text.contains(" to deploy"), "{text}");
    let mut model = training();
    press(&mut model, "2");
    snapshots("runs_estimate", &model);
    model.now = model.now.plus(600_000);
    let text = render(&model, 120, 40);
    assert!(text.contains("longer than usual") && !text.contains(" to deploy"), "{text}");
}

#[test]
fn the_first_run_of_a_project_has_no_estimate() {
    let mut world = World::new();
    world.register(1, "first.csv");
    let text = render(&world.model(live(&world, false)), 120, 40);
    assert!(!text.contains(" left") && !text.contains("usually"), "{text}");
}

#[test]
fn a_project_that_begins_leads_to_its_first_run() {
    let mut world = World::new();
    let empty = render(&world.model(live(&world, false)), 120, 40);
    assert!(empty.contains("2. put a CSV file into the data folder"), "{empty}");
    world.feed(Input::Configured(Graph::default()));
    let model = world.model(live(&world, false));
    snapshots("board_unconfigured", &model);
    let text = render(&model, 80, 24);
    assert!(text.contains("1. describe the stages: `trainyard init`"), "{text}");
    for view in ["2", "4", "5", "7"] {
        let mut model = model.clone();
        press(&mut model, view);
        let text = render(&model, 80, 24);
        assert!(text.contains(" yet") || view == "7", "view {view} says how to fill it: {text}");
    }
}

#[test]
fn runs_are_told_in_ascii_too() {
    let mut model = fixtures::deployed();
    model.glyphs = Glyphs::ascii();
    press(&mut model, "2");
    let text = render(&model, 120, 24);
    let bars: Vec<&str> = text.lines().filter(|row| row.contains('#') && row.contains('%')).collect();
    assert!(!bars.is_empty(), "each stage has a sign of its own: {text}");
    assert!(bars.iter().any(|row| row.is_ascii()), "{bars:?}");
}

#[test]
fn no_list_breaks_at_any_size() {
    for keys in ["2c", "2cz", "2>I", "2/x\n", "4>I", "5c", "5cz", "5>I", "5/x\n", "7jz", "7<I", "7/x\n", "2..", "5,"] {
        let mut model = fixtures::deployed();
        press(&mut model, keys);
        for (width, height) in [(1, 1), (60, 15), (61, 16), (79, 100), (300, 15), (110, 24)] {
            render(&model, width, height);
        }
    }
}

#[test]
fn a_release_that_was_left_tells_its_own_story_and_not_that_of_the_live_one() {
    let mut model = fixtures::deployed();
    press(&mut model, "5");
    let serving = render(&model, 120, 40);
    assert!(serving.contains("live release 4") && !serving.contains("its app is gone"), "{serving}");
    assert!(
        serving.contains("↷ left") && !serving.contains("✖ rejected"),
        "a person left it, it did not fail:\n{serving}"
    );
    press(&mut model, "j");
    let left = render(&model, 120, 40);
    assert!(left.contains("its app is gone: mina went back to release 2"), "{left}");
    assert!(!left.contains("live release 4") && !left.contains("last lines"), "{left}");
}

#[test]
fn a_model_whose_release_was_left_says_so_though_it_is_the_champion_still() {
    let world = fixtures::rolled_back();
    let mut model = world.model(live(&world, true));
    press(&mut model, "4");
    let text = render(&model, 200, 50);
    let row = text.lines().find(|line| line.contains("m3")).unwrap();
    assert!(row.contains("champion") && row.contains("left"), "{text}");
}

#[test]
fn the_log_on_the_board_names_its_run_when_that_is_another_than_the_one_shown() {
    let mut world = fixtures::rolled_back();
    assert!(!render(&world.model(live(&world, true)), 120, 40).contains("of run"), "it is that of the run above");
    // Nothing is to be trained anew, and deploying the same again is held.
    fixtures::command(&mut world, Command::Run(Selection::default()));
    world.feed(Input::Verified { run: RunId(5), stage: "train".into(), intact: true });
    let mut model = world.model(live(&world, true));
    press(&mut model, "hhh");
    let text = render(&model, 120, 40);
    assert!(text.contains("run 5 ") && text.contains("Log · train · of run 3"), "{text}");
}
