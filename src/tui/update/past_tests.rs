//! How one steps into the past and back, told without a terminal and without a daemon.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::layout::Rect;

use super::update;
use crate::api::types::{Delivery, DeploySeen, PastRequest, StreamItem};
use crate::pipeline::{Event, Input, ReleaseId, RunId};
use crate::tui::app::{Connection, Model, Overlay, View};
use crate::tui::commands::{COMMANDS, Key};
use crate::tui::fixtures::{self, World, live};
use crate::tui::hold_fixtures;
use crate::tui::key_fixtures::{key_message, said};
use crate::tui::layout;
use crate::tui::log_view::LogPart;
use crate::tui::message::{Cmd, Msg};
use crate::tui::past_fixtures::{first, folded, press, send};
use crate::tui::update::actions;

fn two_runs() -> (Model, World) {
    let world = fixtures::two_runs();
    (world.model(live(&world, true)), world)
}

/// The end of the first of two runs.
fn in_the_past() -> (Model, World) {
    let (mut model, world) = two_runs();
    press(&mut model, &world, "2jt1");
    assert!(model.past.is_some());
    (model, world)
}

fn event(world: &World) -> Msg {
    Msg::Stream(Box::new(StreamItem::Event(world.history.last().unwrap().clone())))
}

#[test]
fn a_run_is_shown_as_it_was_when_it_ended_and_one_key_leads_back() {
    let (mut model, world) = two_runs();
    let present = model.clone();
    press(&mut model, &world, "2jt");
    let end = first(&world, |event| matches!(event, Event::RunFinished { .. }));
    assert_eq!(model.view, View::Runs, "the view stays");
    assert_eq!((model.past_moment(), model.now), (Some(end.at), end.at));
    assert_eq!(model.state, folded(&world, end.sequence));
    assert_eq!(model.events.back().map(|recorded| recorded.sequence), Some(end.sequence));
    assert_eq!((model.present_state(), model.present_now()), (&present.state, present.now));
    press(&mut model, &world, "^n");
    assert!(model.past.is_none());
    assert_eq!((&model.state, &model.events, model.now), (&present.state, &present.events, present.now));
    assert_eq!(model.runs.list.chosen, Some(RunId(1)), "what was chosen is chosen");
}

#[test]
fn what_happens_meanwhile_is_there_on_the_way_back_and_does_not_move_the_past() {
    let (mut model, mut world) = in_the_past();
    let past = model.state.clone();
    world.feed(Input::Note("meanwhile".to_owned()));
    model.is_dirty = false;
    let asked = update(&mut model, event(&world));
    assert!(!model.is_dirty, "nothing of it can be seen: {asked:?}");
    assert_eq!(model.state, past);
    assert_eq!(model.present_state(), &world.state);
    press(&mut model, &world, "^n");
    assert_eq!(model.state, world.state);
    assert_eq!(model.events.back(), world.history.last());
}

#[test]
fn each_time_has_its_own_stage_on_the_board_whatever_was_looked_at_meanwhile() {
    let (mut model, world) = two_runs();
    press(&mut model, &world, "1←");
    assert_eq!(model.stage, Some("build".into()));
    press(&mut model, &world, "2j");
    model.stage = Some("train".into());
    press(&mut model, &world, "t1←");
    assert_eq!((model.past.is_some(), &model.stage), (true, &Some("test".into())), "begins where the present was");
    press(&mut model, &world, "^n");
    assert_eq!((model.view, &model.stage), (View::Board, &Some("build".into())), "that of the Board, not of Runs");
}

#[test]
fn time_stands_in_the_past_and_goes_on_in_the_present() {
    let (mut model, _) = in_the_past();
    let (then, later) = (model.now, model.present_now().plus(60_000));
    model.now = later;
    update(&mut model, Msg::Second);
    assert_eq!((model.now, model.present_now()), (then, later));
    assert!(!model.needs_the_second_hand(), "no duration grows");
}

#[test]
fn escape_leaves_step_by_step_and_at_the_top_the_past() {
    let (mut model, world) = in_the_past();
    press(&mut model, &world, "5⎋");
    assert_eq!((model.view, model.past.is_some()), (View::Board, true));
    press(&mut model, &world, "⎋");
    assert!(model.past.is_none());
    press(&mut model, &world, "^n");
    assert_eq!(said(&model), "this is the present");
}

#[test]
fn nothing_acts_in_the_past_by_any_key_in_any_view_nor_by_the_palette() {
    for world in [fixtures::two_runs(), hold_fixtures::locked_world(), hold_fixtures::asking_world()] {
        let mut model = world.model(live(&world, true));
        model.is_demo = true;
        // The newest moment of all, where the most could be done.
        press(&mut model, &world, "^t⏎");
        assert!(model.past.is_some());
        for view in ["1", "2", "3", "4", "5", "6", "7"] {
            for command in COMMANDS.iter().filter(|command| command.action.acts()) {
                let mut model = model.clone();
                press(&mut model, &world, view);
                let event = match command.keys[0] {
                    Key::Char(character) => KeyEvent::new(KeyCode::Char(character), KeyModifiers::NONE),
                    Key::Control(character) => KeyEvent::new(KeyCode::Char(character), KeyModifiers::CONTROL),
                    Key::Named(code, _) => KeyEvent::new(code, KeyModifiers::NONE),
                };
                let sent = send(&mut model, &world, Msg::Key(event));
                assert!(!sent.iter().any(Cmd::acts), "{} sent {sent:?}", command.name);
                assert_eq!(model.overlay, None, "{} asks what has no answer", command.name);
            }
            let mut model = model.clone();
            press(&mut model, &world, view);
            let offered = COMMANDS.iter().filter(|command| command.is_available(&model));
            assert!(offered.into_iter().all(|command| !command.action.acts()));
        }
    }
    let (mut model, world) = in_the_past();
    press(&mut model, &world, "r");
    assert_eq!(said(&model), "this is the past; Ctrl-N brings you back");
}

#[test]
fn what_would_act_all_the_same_is_not_sent_from_the_past() {
    let (mut model, _) = in_the_past();
    let mut commands = Vec::new();
    actions::act(&mut model, crate::tui::commands::Action::RunAll, &mut commands);
    assert!(commands.iter().any(Cmd::acts), "the action itself asks nobody");
    model.overlay = Some(Overlay::ConfirmCancel { remark: crate::tui::holds::Remark::default() });
    let sent = update(&mut model, key_message(KeyCode::Char('y')));
    assert!(!sent.iter().any(Cmd::acts), "{sent:?}");
}

#[test]
fn charts_and_logs_are_asked_for_up_to_the_moment_that_is_shown() {
    let (mut model, world) = two_runs();
    let answered = press(&mut model, &world, "2jt");
    assert_eq!(answered, []);
    let at = model.past_moment().unwrap();
    let asked = update(&mut model, key_message(KeyCode::Char('6')));
    let ends = asked.iter().filter_map(|command| match command {
        Cmd::FetchCharts(request) => Some(request.end),
        _ => None,
    });
    assert_eq!(ends.collect::<Vec<_>>(), [Some(at)]);
    let (mut model, world) = two_runs();
    press(&mut model, &world, "2jt");
    let asked = update(&mut model, key_message(KeyCode::Char('3')));
    let is_cut = |command: &Cmd| matches!(command, Cmd::FetchPastLog(_, LogPart::Tail { .. }, until) if *until == at);
    assert!(asked.iter().any(is_cut), "{asked:?}");
    assert!(!asked.iter().any(|command| matches!(command, Cmd::FetchLog(..))));
}

#[test]
fn the_crosshair_and_an_event_are_moments_too() {
    let (mut model, world) = two_runs();
    press(&mut model, &world, "6t");
    assert!(said(&model).contains("Left shows the crosshair"), "{}", said(&model));
    press(&mut model, &world, "←←←");
    let cursor = model.metrics.cursor.unwrap();
    press(&mut model, &world, "t");
    assert_eq!(model.past_moment().map(|at| at <= cursor), Some(true));
    assert_eq!(model.view, View::Metrics);
    let (mut model, world) = two_runs();
    press(&mut model, &world, "7jjjt");
    let shown = world.history[world.history.len() - 4].clone();
    assert_eq!(model.past_moment(), Some(shown.at));
    assert_eq!(model.state.sequence, shown.sequence);
    press(&mut model, &world, "jjt");
    assert_eq!(model.state.sequence, shown.sequence - 2, "from there further back");
}

#[test]
fn along_the_line_of_time_one_steps_by_runs_and_events_and_looks_with_enter() {
    let (mut model, world) = two_runs();
    press(&mut model, &world, "^t⇞");
    let Some(Overlay::TimeLine(strip)) = &model.overlay else { panic!("no line of time") };
    let last_of_a_run = world.history.iter().rev().find(|recorded| matches!(recorded.event, Event::RunStarted { .. }));
    let ended = world.history.last().map(|recorded| matches!(recorded.event, Event::RunFinished { .. }));
    let place = strip.cursor.clone().unwrap();
    assert_eq!((ended, Some(place.sequence)), (Some(true), last_of_a_run.map(|recorded| recorded.sequence)));
    assert!(place.told.contains("run 2"), "{}", place.told);
    press(&mut model, &world, "→→⏎");
    assert_eq!(model.overlay, None);
    assert_eq!(model.state.sequence, place.sequence + 2);
    press(&mut model, &world, "^t←⏎");
    assert_eq!(model.state.sequence, place.sequence + 1, "it opens where one is");
    press(&mut model, &world, "^t^n");
    assert_eq!((model.past.is_some(), model.overlay.clone()), (false, None));
}

#[test]
fn a_time_is_typed_and_what_is_no_time_is_told() {
    let (mut model, world) = two_runs();
    press(&mut model, &world, "^tgsoon⏎");
    assert!(said(&model).contains("“soon” is no moment"), "{}", said(&model));
    for _ in 0..4 {
        send(&mut model, &world, key_message(KeyCode::Backspace));
    }
    press(&mut model, &world, "run 1⏎⏎");
    let end = first(&world, |event| matches!(event, Event::RunFinished { .. }));
    assert_eq!(model.state.sequence, end.sequence);
}

#[test]
fn without_the_daemon_what_is_shown_stays_and_the_way_back_is_open() {
    let (mut model, world) = in_the_past();
    let past = model.state.clone();
    send(&mut model, &world, Msg::Lost("the line broke".to_owned()));
    assert!(matches!(model.connection, Connection::Lost { since, .. } if since == model.present_now()));
    assert_eq!(model.state, past);
    press(&mut model, &world, "^n");
    assert_eq!((&model.state, model.past.is_some()), (&world.state, false));
    press(&mut model, &world, "^t");
    assert!(said(&model).contains("the daemon is not heard"), "{}", said(&model));
}

#[test]
fn an_answer_that_nobody_awaits_any_more_moves_nothing() {
    let (mut model, world) = two_runs();
    let asked = update(&mut model, key_message(KeyCode::Char('2')));
    assert!(!asked.iter().any(|command| matches!(command, Cmd::FetchPast(_))));
    let asked = update(&mut model, key_message(KeyCode::Char('t')));
    let wanted = asked.into_iter().find_map(|command| match command {
        Cmd::FetchPast(wanted) => Some(wanted),
        _ => None,
    });
    assert_eq!(wanted, Some(PastRequest { run: Some(RunId(2)), ..PastRequest::default() }));
    // Whoever changes his mind before the answer stays where he is.
    press(&mut model, &world, "^n");
    send(&mut model, &world, Msg::Past(wanted.unwrap(), Err("late".to_owned())));
    assert_eq!((model.past.is_some(), said(&model).contains("late")), (false, false));
}

#[test]
fn before_a_release_is_one_key_away_from_it_and_from_there_again() {
    let (mut model, world) = two_runs();
    press(&mut model, &world, "5t");
    assert_eq!((model.view, model.state.live), (View::Releases, Some(ReleaseId(1))), "the second is not there yet");
    assert!(!model.state.releases.contains_key(&ReleaseId(2)));
    press(&mut model, &world, "t");
    assert_eq!((model.state.live, model.state.releases.len()), (None, 0));
    press(&mut model, &world, "t");
    assert_eq!(said(&model), "there is nothing here yet that could be looked back at");
}

#[test]
fn by_deploys_one_steps_to_what_went_live_also_where_the_release_that_was_left_is_rejected() {
    let world = fixtures::rolled_back();
    let mut model = world.model(live(&world, true));
    let rejected = first(&world, |event| matches!(event, Event::ReleaseRejected { .. }));
    press(&mut model, &world, "^tD");
    let Some(Overlay::TimeLine(strip)) = &model.overlay else { panic!("no line of time") };
    let place = strip.cursor.clone().unwrap();
    assert_eq!((place.at, place.sequence < rejected.sequence), (rejected.at, true), "{}", place.told);
    let line = strip.line.as_ref().unwrap();
    let column = line.columns[line.column(rejected.at).unwrap()];
    assert_eq!(column.deploy, Some(DeploySeen::Live));
}

#[test]
fn what_was_marked_in_the_present_is_not_marked_in_the_past_and_is_again_on_the_way_back() {
    let (mut model, world) = two_runs();
    press(&mut model, &world, "5m2m");
    assert_eq!((model.runs.list.marked, model.releases.marked), (Some(RunId(2)), Some(ReleaseId(2))));
    press(&mut model, &world, "jt");
    assert!(model.past.is_some());
    assert_eq!((model.runs.list.marked, model.releases.marked), (None, None));
    press(&mut model, &world, "^n");
    assert_eq!((model.runs.list.marked, model.releases.marked), (Some(RunId(2)), Some(ReleaseId(2))));
}

#[test]
fn charts_keep_their_height_where_the_past_has_no_alerts_and_no_figures_of_delivery() {
    let (mut model, world) = two_runs();
    send(&mut model, &world, Msg::Resized(120, 40));
    press(&mut model, &world, "6");
    model.metrics.charts.delivery = Some(Delivery::default());
    let body = Rect { x: 0, y: 1, width: 120, height: 37 };
    let present = layout::metrics(&model, body);
    assert!(present.delivery.is_some());
    press(&mut model, &world, "←t");
    assert!(model.past.is_some());
    let past = layout::metrics(&model, body);
    assert_eq!((past.charts, past.delivery), (present.charts, None));
}

#[test]
fn the_question_mark_lists_the_keys_of_the_line_of_time_and_escape_leaves_the_list_first() {
    let (mut model, world) = two_runs();
    let lists = |model: &Model| match &model.overlay {
        Some(Overlay::TimeLine(strip)) => Some(strip.lists_keys),
        _ => None,
    };
    press(&mut model, &world, "^t?");
    assert_eq!(lists(&model), Some(true));
    press(&mut model, &world, "⎋");
    assert_eq!(lists(&model), Some(false));
    press(&mut model, &world, "??");
    assert_eq!(lists(&model), Some(false), "the same key takes it away");
    press(&mut model, &world, "⎋");
    assert_eq!(lists(&model), None);
}
