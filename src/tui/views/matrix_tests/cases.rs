//! Every view, and what lies over views, each as full as it usually is.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::ways::Seat;
use crate::api::types::LogFind;
use crate::pipeline::{Command, Digest, FailingTest, Failure, Outcome, Outputs, ReleaseId, TestReport};
use crate::tui::app::{Model, Overlay, View};
use crate::tui::chart_fixtures::{EVERY_KIND, eventful};
use crate::tui::fixtures::{self, World, live, on_kubernetes, send};
use crate::tui::message::{Cmd, Msg};
use crate::tui::{model_fixtures, past_fixtures};

/// Milliseconds between two runs, and between the last one and the present where the past is looked at.
const SIX_HOURS: u64 = 6 * 3_600_000;

/// Something to look at.
pub(super) struct Case {
    pub(super) name: &'static str,
    /// On a terminal of its size and way.
    pub(super) on: fn(Seat) -> Model,
    /// Whether a row is selected in it.
    pub(super) has_selected_row: bool,
}

const fn case(name: &'static str, on: fn(Seat) -> Model, has_selected_row: bool) -> Case {
    Case { name, on, has_selected_row }
}

pub(super) static CASES: [Case; 15] = [
    case("first_steps", first_steps, false),
    case("board_running", board_running, false),
    case("board_failed", board_failed, false),
    case("board_deployed", board_deployed, false),
    case("runs", runs, true),
    case("logs", logs, false),
    case("models", models, true),
    case("releases", releases, true),
    case("metrics", metrics, false),
    case("events", events, false),
    case("help", help, false),
    case("palette", palette, true),
    case("question", question, false),
    case("time_line", time_line, false),
    case("past_board", past_board, false),
];

fn first_steps(seat: Seat) -> Model {
    seat.take(fixtures::empty())
}

fn board_running(seat: Seat) -> Model {
    seat.take(fixtures::running())
}

fn board_failed(seat: Seat) -> Model {
    seat.take(fixtures::failed())
}

fn board_deployed(seat: Seat) -> Model {
    seat.take(fixtures::deployed())
}

/// The run that failed in its tests, and the stage in which it did.
fn runs(seat: Seat) -> Model {
    let world = long_history();
    let mut model = seat.take(world.model(live(&world, true)));
    press(&mut model, "2jjjj\t");
    assert!(model.is_in_detail);
    model
}

/// Searched; one line is found, and others match too.
fn logs(seat: Seat) -> Model {
    let mut model = seat.take(fixtures::running());
    press(&mut model, "3g");
    let asked = press(&mut model, "/layer\n");
    let [Cmd::Search(request)] = asked.as_slice() else { panic!("{asked:?}") };
    let found = LogFind { hit: Some(15), next: None, total: fixtures::LOG_LINES };
    send(&mut model, Msg::Found(request.clone(), Ok(found)));
    model
}

fn models(seat: Seat) -> Model {
    let mut model = seat.take(model_fixtures::models());
    press(&mut model, "4");
    model
}

fn releases(seat: Seat) -> Model {
    let world = long_history();
    let mut live = live(&world, true);
    live.target = Some(on_kubernetes(world.state.live.unwrap(), world.at));
    let mut model = seat.take(world.model(live));
    press(&mut model, "5");
    model
}

/// A panel of every kind, with alerts, a run and the figures of delivery.
fn metrics(seat: Seat) -> Model {
    let mut model = seat.take(fixtures::idle());
    press(&mut model, "6");
    model.metrics.expression = Some(EVERY_KIND.to_owned());
    seat.fill(&mut model);
    let columns = model.metrics.columns();
    eventful(&mut model.metrics.charts, columns);
    model
}

fn events(seat: Seat) -> Model {
    let mut model = seat.take(fixtures::alerted());
    press(&mut model, "7");
    model
}

fn help(seat: Seat) -> Model {
    let mut model = seat.take(fixtures::running());
    press(&mut model, "?");
    model
}

fn palette(seat: Seat) -> Model {
    let mut model = seat.take(fixtures::running());
    press(&mut model, ":re");
    model
}

/// The one with most to say: a way back in production, where the name of the project must be typed.
fn question(seat: Seat) -> Model {
    let mut model = seat.take(fixtures::in_production());
    press(&mut model, "5jR와인");
    assert!(matches!(model.overlay, Some(Overlay::ConfirmRollback { .. })));
    model
}

/// Over the runs as they were.
fn time_line(seat: Seat) -> Model {
    let (mut model, world) = back_then(seat);
    past_fixtures::press(&mut model, &world, "^t⇞");
    assert!(model.past.is_some() && matches!(model.overlay, Some(Overlay::TimeLine(_))));
    model
}

fn past_board(seat: Seat) -> Model {
    let (mut model, world) = back_then(seat);
    past_fixtures::press(&mut model, &world, "1");
    assert!(model.past.is_some() && model.view == View::Board);
    model
}

/// At the end of an earlier run.
fn back_then(seat: Seat) -> (Model, World) {
    let world = long_history();
    let mut model = world.model(live(&world, true));
    model.now = world.at.plus(SIX_HOURS);
    let mut model = seat.take(model);
    past_fixtures::press(&mut model, &world, "2jjjt");
    (model, world)
}

/// Two days of a project: most runs passed, one failed in its tests and one at its gate, and a release was taken back.
fn long_history() -> World {
    let mut world = World::new();
    for (number, file, accuracy) in [
        (1, "가을-관측.csv", 0.931),
        (2, "winter.csv", 0.942),
        (3, "겨울-관측-2026.csv", 0.944),
        (4, "spring.csv", 0.947),
    ] {
        world.whole_run(number, file, accuracy);
        world.at = world.at.plus(SIX_HOURS);
    }
    world.register(5, "summer.csv");
    world.train(0.949);
    fail_tests(&mut world);
    world.at = world.at.plus(SIX_HOURS);
    world.whole_run(6, "summer-2.csv", 0.951);
    world.at = world.at.plus(SIX_HOURS);
    world.register(7, "autumn.csv");
    hold_at_gate(&mut world);
    world.at = world.at.plus(SIX_HOURS);
    world.whole_run(8, "가을-관측-2.csv", 0.953);
    fixtures::command(&mut world, Command::Rollback { to: None });
    world.deploy();
    assert_eq!(world.state.live, Some(ReleaseId(7)), "six releases, and the fifth once more");
    world
}

fn fail_tests(world: &mut World) {
    let failing = |name: &str| FailingTest { name: name.to_owned(), message: "assert 0.4 > 0.5".to_owned() };
    let failing = vec![failing("tests.test_app::test_예측_범위"), failing("tests.test_app::test_schema")];
    let tests = Some(TestReport { passed: 39, failed: 2, skipped: 0, failing });
    let outputs = Outputs { tests, ..Outputs::default() };
    world.end(2_400, Outcome::Failed(Failure::TestsFailed { failed: 2 }), outputs);
}

fn hold_at_gate(world: &mut World) {
    let (run, stage, _) = world.running().unwrap();
    let model = world.state.runs[&run].stages[&stage].writes_model;
    let metrics = [("accuracy".to_owned(), 0.925), ("f1".to_owned(), 0.881)].into();
    let outputs = Outputs { model, digest: Some(Digest("7".repeat(64))), metrics, ..Outputs::default() };
    let reason = "accuracy 0.925 beside 0.951 of model 6 on the same 480 held-out rows: 0.026 worse".to_owned();
    world.end(9_400, Outcome::Failed(Failure::Gate { reason }), outputs);
}

/// Strikes keys; what they ask for is answered, and what is no question returned.
fn press(model: &mut Model, keys: &str) -> Vec<Cmd> {
    let mut sent = Vec::new();
    for key in keys.chars() {
        let code = match key {
            '\n' => KeyCode::Enter,
            '\t' => KeyCode::Tab,
            other => KeyCode::Char(other),
        };
        sent.extend(send(model, Msg::Key(KeyEvent::new(code, KeyModifiers::NONE))));
    }
    sent
}
