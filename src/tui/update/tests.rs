//! What keys and messages do, told without a terminal and without a daemon.

use crossterm::event::KeyCode;

use super::update;
use crate::api::types::{LogWindow, RollbackPlan, StreamItem};
use crate::pipeline::{Command, ReleaseId, RunId, Selection};
use crate::tui::app::{Connection, Model, Overlay, Pane, View};
use crate::tui::fixtures::{self, send};
use crate::tui::key_fixtures::{key, key_message, press};
use crate::tui::message::{Cmd, DemoAction, Msg};

fn run(selection: Selection) -> Cmd {
    Cmd::act(Command::Run(selection), "")
}

fn back_to(release: ReleaseId) -> Cmd {
    Cmd::act(Command::Rollback { to: Some(release) }, "")
}

#[test]
fn r_runs_everything_and_t_begins_with_train() {
    let mut model = fixtures::idle();
    assert_eq!(press(&mut model, "r"), [run(Selection::default())]);
    let from = |stage: &str| run(Selection { from: Some(stage.into()), only: false, force: false });
    assert_eq!(press(&mut model, "tTbd"), [from("train"), from("test"), from("build"), from("deploy")]);
}

#[test]
fn a_rollback_is_asked_about_first() {
    let mut model = fixtures::idle();
    assert_eq!(press(&mut model, "R"), []);
    assert_eq!(asked_about(&model), Some(ReleaseId(1)));
    assert_eq!(press(&mut model, "k"), [], "another key is no answer");
    assert_eq!(press(&mut model, "y"), [back_to(ReleaseId(1))]);
    assert_eq!(model.overlay, None);
    assert_eq!(press(&mut model, "Rn"), []);
    assert_eq!(model.overlay, None);
}

/// The release that the question on the screen is about.
fn asked_about(model: &Model) -> Option<ReleaseId> {
    match &model.overlay {
        Some(Overlay::ConfirmRollback { to, .. }) => Some(*to),
        _ => None,
    }
}

fn name_of_the_project(model: &mut Model) -> Vec<Cmd> {
    let name = model.project().to_owned();
    press(model, &name);
    key(model, KeyCode::Enter)
}

#[test]
fn a_rollback_has_no_yes_before_the_daemon_has_said_what_it_would_change() {
    let mut model = fixtures::idle();
    let asked = update(&mut model, key_message(KeyCode::Char('R')));
    assert_eq!(asked, [Cmd::FetchRollbackPlan(ReleaseId(1))]);
    assert_eq!(press(&mut model, "y"), []);
    assert_eq!(asked_about(&model), Some(ReleaseId(1)), "the question stays");
    let plan = |to, obstacle: Option<&str>| {
        let obstacle = obstacle.map(str::to_owned);
        Msg::RollbackPlan(to, Ok(RollbackPlan { from: Some(ReleaseId(2)), to, changes: Vec::new(), obstacle }))
    };
    send(&mut model, plan(ReleaseId(7), None));
    assert_eq!(press(&mut model, "y"), [], "the answer was about another release");
    send(&mut model, plan(ReleaseId(1), Some("its image is gone")));
    assert_eq!(press(&mut model, "y"), [], "there is an obstacle");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert_eq!(model.overlay, None, "a refusal is read and left");
}

#[test]
fn in_releases_the_selected_one_comes_back_and_the_live_one_cannot() {
    let mut model = fixtures::deployed();
    assert_eq!(press(&mut model, "5R"), []);
    assert_eq!((model.view, asked_about(&model)), (View::Releases, None), "the newest is live");
    press(&mut model, "jjjR");
    assert_eq!(asked_about(&model), Some(ReleaseId(1)), "the list ends with the oldest");
    assert_eq!(press(&mut model, "y"), [back_to(ReleaseId(1))]);
    press(&mut model, "kR");
    assert_eq!(asked_about(&model), Some(ReleaseId(2)));
    press(&mut model, "n");
    key(&mut model, KeyCode::Enter);
    assert!(model.is_zoomed);
    key(&mut model, KeyCode::Esc);
    press(&mut model, "g");
    assert_eq!(model.chosen_release().unwrap().id, ReleaseId(4));
    press(&mut model, "G");
    assert_eq!(model.chosen_release().unwrap().id, ReleaseId(1));
}

#[test]
fn in_production_only_the_name_of_the_project_is_a_yes() {
    let mut model = fixtures::in_production();
    press(&mut model, "R");
    assert_eq!(press(&mut model, "y"), []);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(model.message.as_ref().unwrap().is_error, "y is not its name");
    key(&mut model, KeyCode::Backspace);
    let to = asked_about(&model).unwrap();
    assert_eq!(name_of_the_project(&mut model), [back_to(to)]);
    assert_eq!(model.overlay, None);
}

#[test]
fn in_production_a_run_that_may_deploy_is_asked_about_and_others_are_not() {
    let mut model = fixtures::in_production();
    let deploy = Selection { from: Some("deploy".into()), only: false, force: false };
    assert_eq!(press(&mut model, "d"), []);
    assert!(matches!(&model.overlay, Some(Overlay::ConfirmRun { selection, .. }) if *selection == deploy));
    key(&mut model, KeyCode::Esc);
    assert_eq!(press(&mut model, "d"), []);
    assert_eq!(name_of_the_project(&mut model), [run(deploy)]);
    let mut model = fixtures::idle();
    let place = fixtures::in_production().live.target;
    model.live.target = place;
    assert_eq!(press(&mut model, "r"), [run(Selection::default())], "all is up to date, so nothing is deployed");
}

#[test]
fn a_target_that_falls_silent_is_still_production() {
    let mut model = fixtures::in_production();
    let said = model.live.clone();
    send(&mut model, Msg::Stream(Box::new(StreamItem::Live(crate::api::types::Live::default()))));
    assert!(!model.is_production(), "nobody has said so yet");
    send(&mut model, Msg::Stream(Box::new(StreamItem::Live(said))));
    send(&mut model, Msg::Stream(Box::new(StreamItem::Live(crate::api::types::Live::default()))));
    assert!(model.target().is_none() && model.is_production());
}

#[test]
fn a_question_is_asked_anew_when_something_was_deployed_meanwhile() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(crate::api::types::Live::default());
    press(&mut model, "R");
    let known = world.history.len();
    world.whole_run(3, "spring.csv", 0.95);
    let mut asked = Vec::new();
    for recorded in &world.history[known..] {
        asked.extend(update(&mut model, fixtures::event(recorded)));
    }
    assert!(asked.contains(&Cmd::FetchRollbackPlan(ReleaseId(1))), "{asked:?}");
    assert!(matches!(&model.overlay, Some(Overlay::ConfirmRollback { plan: None, .. })));
}

#[test]
fn no_command_is_sent_to_a_daemon_that_went_while_a_question_was_there() {
    let mut model = fixtures::idle();
    press(&mut model, "R");
    send(&mut model, Msg::Lost("gone".to_owned()));
    assert_eq!(press(&mut model, "y"), []);
    assert!(model.message.as_ref().unwrap().is_error);
}

#[test]
fn lines_of_the_release_are_asked_for_only_while_they_are_on_the_screen() {
    let mut model = fixtures::deployed();
    let is_question = |asked: &[Cmd]| asked.iter().any(|command| matches!(command, Cmd::FetchReleaseLog { .. }));
    assert!(!model.needs_the_second_hand());
    let later = |model: &mut Model, milliseconds| {
        model.now = model.now.plus(milliseconds);
        update(model, Msg::Second)
    };
    assert!(!is_question(&later(&mut model, 60_000)), "the Board does not show them");
    let asked = update(&mut model, key_message(KeyCode::Char('5')));
    assert!(is_question(&asked), "{asked:?}");
    assert!(model.needs_the_second_hand());
    assert!(!is_question(&later(&mut model, 60_000)), "one question at a time");
    update(&mut model, Msg::ReleaseLog(Ok(vec!["a line".to_owned()])));
    assert!(is_question(&later(&mut model, 3_000)));
    assert!(!model.is_dirty, "there is nothing new to draw yet");
    update(&mut model, Msg::ReleaseLog(Ok(vec!["a line".to_owned()])));
    press(&mut model, " ");
    assert!(!model.needs_the_second_hand(), "frozen");
    assert!(!is_question(&later(&mut model, 60_000)));
    press(&mut model, " 1");
    assert!(!is_question(&later(&mut model, 60_000)), "hidden again");
}

#[test]
fn nothing_is_sent_while_the_daemon_is_not_heard() {
    let mut model = fixtures::idle();
    send(&mut model, Msg::Lost("gone".to_owned()));
    assert!(matches!(model.connection, Connection::Lost { .. }));
    assert_eq!(press(&mut model, "rtRx"), []);
    assert!(!model.state.runs.is_empty(), "the last known board stays");
    assert_eq!(press(&mut model, "q"), [Cmd::Quit]);
}

#[test]
fn events_are_folded_and_doubled_ones_are_dropped() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(crate::api::types::Live::default());
    let known = world.history.len();
    fixtures::command(&mut world, Command::Run(Selection { from: Some("test".into()), only: false, force: false }));
    for recorded in &world.history[known - 1..] {
        send(&mut model, fixtures::event(recorded));
    }
    assert_eq!(model.state, world.state);
}

#[test]
fn a_hole_in_the_events_asks_for_a_new_snapshot() {
    let mut world = fixtures::two_runs();
    let mut model = world.model(crate::api::types::Live::default());
    fixtures::command(&mut world, Command::Run(Selection::default()));
    fixtures::command(&mut world, Command::Cancel { run: None });
    let last = world.history.last().unwrap();
    assert_eq!(send(&mut model, fixtures::event(last)), [Cmd::Reconnect]);
    assert_eq!(send(&mut model, Msg::Stream(Box::new(StreamItem::Behind))), [Cmd::Reconnect]);
}

#[test]
fn what_changes_nothing_visible_asks_for_no_frame() {
    let mut model = fixtures::idle();
    model.is_dirty = false;
    let live = model.live.clone();
    update(&mut model, Msg::Stream(Box::new(StreamItem::Live(live))));
    assert!(!model.is_dirty);
    assert!(!model.shows_a_growing_duration(), "nothing runs, so no second hand");
    assert!(fixtures::running().shows_a_growing_duration());
}

#[test]
fn the_log_follows_what_runs_until_a_stage_is_chosen() {
    let mut model = fixtures::running();
    assert_eq!(model.log.address.as_ref().unwrap().stage.as_str(), "build");
    key(&mut model, KeyCode::Left);
    assert_eq!(model.log.address.as_ref().unwrap().stage.as_str(), "test");
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.log.address.as_ref().unwrap().stage.as_str(), "build");
}

#[test]
fn scrolling_in_the_log_stops_following_and_f_follows_again() {
    let mut model = fixtures::running();
    press(&mut model, "3k");
    assert!(!model.log.follow);
    press(&mut model, "f");
    assert!(model.log.follow);
    press(&mut model, "g");
    assert_eq!((model.log.follow, model.log.top), (false, 0));
}

#[test]
fn a_frozen_screen_takes_no_new_charts() {
    let mut model = fixtures::idle();
    let before = model.metrics.charts.clone();
    press(&mut model, " ");
    assert!(model.is_frozen);
    let mut later = before.clone();
    later.panels.clear();
    update(&mut model, Msg::Charts(Ok(later)));
    assert_eq!(model.metrics.charts, before);
}

#[test]
fn a_new_scrape_fetches_charts_only_when_a_column_is_full() {
    let mut model = fixtures::idle();
    let Some(Ok(scraped)) = model.live.scraped.clone() else { panic!("not scraped") };
    let step = |milliseconds| {
        let mut live = fixtures::idle().live;
        live.scraped = Some(Ok(scraped.plus(milliseconds)));
        Msg::Stream(Box::new(StreamItem::Live(live)))
    };
    assert_eq!(update(&mut model, step(500)), []);
    let asked = update(&mut model, step(60_000));
    assert!(matches!(asked.as_slice(), [Cmd::FetchCharts { .. }]), "{asked:?}");
    assert_eq!(update(&mut model, step(120_000)), [], "one question at a time");
}

#[test]
fn an_answer_for_a_log_that_is_not_shown_is_dropped() {
    let mut model = fixtures::running();
    let shown = model.log.window.clone();
    let mut other = model.log.address.clone().unwrap();
    other.run = RunId(1);
    update(&mut model, Msg::Log(other, Ok(LogWindow::default())));
    assert_eq!(model.log.window, shown);
}

#[test]
fn tab_goes_round_the_panes_and_escape_comes_back() {
    let mut model = fixtures::idle();
    key(&mut model, KeyCode::Tab);
    key(&mut model, KeyCode::Tab);
    assert_eq!(model.focus, Pane::Release);
    key(&mut model, KeyCode::Enter);
    assert_eq!(model.view, View::Metrics);
    press(&mut model, "z");
    key(&mut model, KeyCode::Esc);
    assert_eq!((model.view, model.is_zoomed), (View::Metrics, false));
    key(&mut model, KeyCode::Esc);
    assert_eq!(model.view, View::Board);
}

#[test]
fn the_palette_does_what_the_key_would() {
    let mut model = fixtures::idle();
    press(&mut model, ":deploy");
    let done = key(&mut model, KeyCode::Enter);
    assert_eq!(done, [run(Selection { from: Some("deploy".into()), only: false, force: false })]);
    assert_eq!(model.overlay, None);
}

#[test]
fn demo_keys_are_there_in_the_demo_only() {
    let mut model = fixtures::idle();
    assert_eq!(press(&mut model, "BX"), []);
    model.is_demo = true;
    assert_eq!(press(&mut model, "BX"), [Cmd::Demo(DemoAction::NextBatch), Cmd::Demo(DemoAction::BreakSource)]);
}

#[test]
fn a_refusal_is_shown_until_the_next_key() {
    let mut model = fixtures::idle();
    send(&mut model, Msg::Replied("cancel".to_owned(), Ok(Err(crate::pipeline::Refusal::NothingToCancel))));
    assert!(model.message.as_ref().unwrap().text.contains("nothing to cancel"));
    press(&mut model, "j");
    assert_eq!(model.message, None);
}
