//! What is said without a question, for how long, and where: what went live by itself, and what became of what was asked for.

use crossterm::event::KeyCode;

use super::update;
use crate::api::types::Live;
use crate::pipeline::{Event, Evidence, FiringAlert, Input, Outcome, Outputs, Reaction, RunId, RunResult};
use crate::tui::app::{Model, View};
use crate::tui::fixtures::{self, World, render, send};
use crate::tui::key_fixtures::{key, press, said};
use crate::tui::message::Msg;

/// An alert fires and goes back to the release before the live one.
fn roll_back(world: &mut World) {
    let alert = FiringAlert {
        name: "ErrorRate".to_owned(),
        labels: String::new(),
        value: "0.41".to_owned(),
        summary: String::new(),
        since: world.at,
        release: world.state.live,
        evidence: Evidence::Against,
        then: Reaction::Rollback,
        cooldown: 600_000,
        obstacle: None,
    };
    world.feed(Input::Alerts { firing: vec![alert], clear: Vec::new() });
    world.deploy();
}

/// Tells a screen of all that happened since it knew `known` events.
fn tell(model: &mut Model, world: &World, known: usize) {
    for recorded in &world.history[known..] {
        send(model, fixtures::event(recorded));
    }
}

/// The first line of a screen, and the one of messages.
fn lines(model: &Model, (width, height): (u16, u16)) -> (String, String) {
    let screen = render(model, width, height);
    let line = |index: u16| screen.lines().nth(usize::from(index)).unwrap_or_default().to_owned();
    (line(0), line(height - 2))
}

#[test]
fn a_rollback_by_an_alert_is_told_for_a_while_in_every_view_and_in_the_header_until_it_was_seen() {
    let told = "rolled back to release 1: alert ErrorRate";
    let mut world = fixtures::two_runs();
    let mut model = world.model(Live::default());
    press(&mut model, "4");
    let known = world.history.len();
    roll_back(&mut world);
    tell(&mut model, &world, known);
    for view in ["4", "5", "6"] {
        press(&mut model, view);
        let (header, message) = lines(&model, (120, 40));
        assert!(header.contains(told), "{header}");
        assert!(message.contains(told) && message.contains("live as release 3"), "{message}");
    }
    model.now = model.now.plus(60_000);
    update(&mut model, Msg::Second);
    assert!(model.is_dirty, "the line is to be drawn without it");
    let (header, message) = lines(&model, (120, 40));
    assert!(header.contains(told) && !message.contains("rolled back"), "{header}\n{message}");
    assert!(lines(&model, (80, 24)).0.contains("rolled back to release 1"));
    press(&mut model, "71");
    assert_eq!((model.view, &model.announcement), (View::Board, &None));
}

#[test]
fn a_release_that_followed_from_data_is_told_and_what_a_person_asked_for_is_not() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(Live::default());
    press(&mut model, "6");
    let known = world.history.len();
    world.whole_run(3, "spring.csv", 0.95);
    tell(&mut model, &world, known);
    let (_, message) = lines(&model, (120, 40));
    assert!(message.contains("release 3 is live: data registered: spring.csv"), "{message}");
    let known = world.history.len();
    fixtures::command(&mut world, crate::pipeline::Command::Rollback { to: None });
    world.deploy();
    tell(&mut model, &world, known);
    assert_eq!(model.announcement, None, "whoever asked for it was told already");
}

#[test]
fn what_is_said_of_a_run_ends_with_that_run_and_not_with_one_before_it() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(Live::default());
    let known = world.history.len();
    world.register(3, "spring.csv");
    tell(&mut model, &world, known);
    for (run, is_over) in [(4, false), (3, true)] {
        let mut model = model.clone();
        let mut world_of_it = fixtures::two_runs();
        send(&mut model, Msg::Replied("run".to_owned(), Ok(Ok(Some(RunId(run))))));
        assert!(!said(&model).is_empty());
        let known = world_of_it.history.len();
        world_of_it.whole_run(3, "spring.csv", 0.95);
        tell(&mut model, &world_of_it, known);
        assert_eq!(said(&model).is_empty(), is_over, "{}", said(&model));
    }
}

#[test]
fn what_the_demo_did_is_told_until_the_run_that_has_it_is_over_and_not_only_one_whose_place_it_took() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(Live::default());
    send(&mut model, Msg::Demo(Ok("broken".to_owned())));
    let known = world.history.len();
    world.register(3, "spring.csv");
    world.register(4, "summer.csv");
    world.end(400, Outcome::Cancelled, Outputs::default());
    let superseded = Event::RunFinished { run: RunId(3), result: RunResult::Superseded };
    assert!(world.history.iter().any(|recorded| recorded.event == superseded));
    tell(&mut model, &world, known);
    assert_eq!(said(&model), "broken");
    let known = world.history.len();
    world.train(0.95);
    world.test();
    world.build();
    tell(&mut model, &world, known);
    assert_eq!(said(&model), "broken");
    let known = world.history.len();
    world.deploy();
    tell(&mut model, &world, known);
    assert_ne!(said(&model), "broken");
}

#[test]
fn on_a_low_board_up_and_down_choose_the_stage_and_only_in_the_log_they_scroll() {
    let mut model = fixtures::idle();
    model.size = (80, 24);
    let stage = |model: &Model| model.subject_stage().map(|stage| stage.as_str().to_owned());
    let first = stage(&model);
    key(&mut model, KeyCode::Up);
    assert_ne!(stage(&model), first);
    assert!(model.log.follow);
    key(&mut model, KeyCode::Down);
    assert_eq!(stage(&model), first);
    press(&mut model, "\tk");
    assert_eq!((stage(&model), model.log.follow), (first, false));
}

#[test]
fn a_stage_that_is_chosen_in_runs_is_not_chosen_on_the_board() {
    let mut model = fixtures::idle();
    press(&mut model, "h");
    let chosen = model.stage.clone();
    assert!(chosen.is_some());
    press(&mut model, "2\nkk");
    assert_ne!(model.stage, chosen);
    press(&mut model, "1");
    assert_eq!(model.stage, chosen);
}

#[test]
fn no_key_goes_into_a_list_in_which_nothing_passes_and_one_escape_shows_all() {
    for view in ["2", "4", "5", "7"] {
        let mut model = fixtures::idle();
        press(&mut model, view);
        press(&mut model, "z/no-such-word\n");
        assert!(!model.is_zoomed, "a frame around nothing tells nothing");
        let here = model.view;
        for keys in ["\n", "z"] {
            press(&mut model, keys);
            assert_eq!(said(&model), "nothing passes the filter; Esc shows all");
            assert_eq!((model.view, model.is_zoomed, model.is_in_detail), (here, false, false));
        }
        key(&mut model, KeyCode::Esc);
        assert_eq!(model.view, here);
        let screen = render(&model, 120, 40);
        assert!(!screen.contains("no-such-word"), "{screen}");
    }
}

#[test]
fn the_smallest_board_says_which_release_is_live_and_every_small_view_how_the_last_run_ended() {
    let mut model = fixtures::idle();
    model.size = (60, 15);
    let board = render(&model, 60, 15);
    assert!(board.contains("Release 2 · model 2 · live · healthy"), "{board}");
    press(&mut model, "6");
    let (header, _) = lines(&model, (60, 15));
    assert!(header.contains("run 2 passed"), "{header}");
}

#[test]
fn a_list_says_how_many_rows_are_above_and_below() {
    let mut model = fixtures::idle();
    model.size = (80, 24);
    press(&mut model, "7");
    let newest = render(&model, 80, 24);
    assert!(newest.contains(" below ") && !newest.contains(" above "), "{newest}");
    press(&mut model, "G");
    let oldest = render(&model, 80, 24);
    assert!(oldest.contains(" above ") && !oldest.contains(" below "), "{oldest}");
}

#[test]
fn stages_that_have_the_screen_for_themselves_say_below_each_why_it_ran() {
    let mut model = fixtures::idle();
    model.size = (80, 24);
    press(&mut model, "z");
    let zoomed = render(&model, 80, 24);
    let said = zoomed.lines().filter(|line| line.starts_with("│    ") && !line.trim_matches(['│', ' ']).is_empty());
    assert!(said.count() >= 4, "{zoomed}");
}
