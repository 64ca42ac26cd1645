//! What the screen shows of locks, approvals, other operators and the line to another machine.

use std::path::PathBuf;

use crate::api::types::LineState;
use crate::pipeline::{Command, Moment, Selection};
use crate::tui::app::{Model, View};
use crate::tui::fixtures::{self, live, render, send, without_colours};
use crate::tui::hold_fixtures::{self, asking_world, awaiting, held, locked, shared};
use crate::tui::key_fixtures::press;
use crate::tui::message::Msg;
use crate::tui::projects::ProjectRow;

/// Large and dark, small and without colours.
fn snapshots(name: &str, model: &Model) {
    insta::assert_snapshot!(format!("{name}_120x40"), render(model, 120, 40));
    insta::assert_snapshot!(format!("{name}_no_color_80x24"), render(&without_colours(model.clone()), 80, 24));
}

fn first_line(model: &Model, width: u16) -> String {
    render(model, width, 24).lines().next().unwrap().to_owned()
}

#[test]
fn a_stage_that_waits_for_a_person_says_for_whom_and_how_to_answer() {
    snapshots("board_awaiting", &awaiting());
    for (width, height) in [(80, 24), (120, 40)] {
        let text = render(&awaiting(), width, height);
        assert!(text.contains("awaiting approval") && text.contains("A approves, D declines"), "{text}");
    }
    let mut observer = awaiting();
    observer.is_observer = true;
    assert!(!render(&observer, 120, 40).contains("A approves"), "whoever only watches has no answer");
}

#[test]
fn a_deploy_that_the_lock_holds_says_whose_lock_it_is() {
    snapshots("board_held", &held());
    let text = render(&held(), 80, 24);
    assert!(text.contains("held: locked by alice 3 min ago: data migration"), "{text}");
}

#[test]
fn a_run_by_hand_is_not_held() {
    let mut world = hold_fixtures::locked_world();
    let selection = Selection { from: Some("deploy".into()), only: false, force: false };
    hold_fixtures::command(&mut world, "mina", "hotfix", Command::Run(selection));
    let text = render(&world.model(live(&world, true)), 120, 40);
    assert!(!text.contains("held: locked"), "{text}");
}

#[test]
fn the_first_line_tells_who_else_is_here_and_who_locked_deploys() {
    snapshots("board_shared", &shared());
    let line = first_line(&shared(), 120);
    assert!(line.contains("3 operators") && line.contains("locked by alice 3 min: data migration"), "{line}");
    let line = first_line(&shared(), 80);
    assert!(line.contains("locked by alice"), "the lock goes last: {line}");
    let mut alone = shared();
    alone.live.operators.truncate(1);
    assert!(!first_line(&alone, 200).contains("operator"), "whoever is alone need not be told");
}

#[test]
fn whoever_only_watches_is_told_so_in_every_view() {
    let mut model = shared();
    model.is_observer = true;
    insta::assert_snapshot!("board_observer_120x40", render(&model, 120, 40));
    for view in ["1", "2", "3", "4", "5", "6", "7"] {
        press(&mut model, view);
        assert!(first_line(&model, 80).contains("observer"), "{view}");
    }
}

#[test]
fn who_is_attached_stands_in_a_window() {
    let mut model = shared();
    press(&mut model, "O");
    snapshots("operators", &model);
    let text = render(&model, 120, 40);
    assert!(text.contains("alice@ops-laptop") && text.contains("this machine"), "{text}");
    assert!(text.contains("observer") && !text.contains('\u{1b}'), "{text}");
    model.live.operators = model.live.operators.iter().cycle().take(100).cloned().collect();
    assert!(render(&model, 80, 24).contains("more"), "those that have no room are counted");
}

#[test]
fn the_questions_about_a_lock() {
    let mut model = fixtures::idle();
    press(&mut model, "Ldata migration, 오늘");
    insta::assert_snapshot!("lock_120x40", render(&model, 120, 40));
    let mut model = locked();
    press(&mut model, "d");
    insta::assert_snapshot!("run_past_a_lock_120x40", render(&model, 120, 40));
    let mut model = locked();
    press(&mut model, "U");
    let text = render(&model, 80, 24);
    assert!(text.contains("alice locked deploys") && text.contains("data migration"), "{text}");
}

#[test]
fn the_questions_about_a_stage_that_waits() {
    let mut model = awaiting();
    press(&mut model, "Alooks good");
    insta::assert_snapshot!("approve_120x40", render(&model, 120, 40));
    let text = render(&model, 80, 24);
    assert!(text.contains("model 3") && text.contains("3f2a91c") && text.contains("release 3"), "{text}");
    let mut model = awaiting();
    press(&mut model, "D");
    let text = render(&model, 80, 24);
    assert!(text.contains("Decline deploy of run 3?") && text.contains("does not start"), "{text}");
}

#[test]
fn the_question_before_a_cancel_says_what_will_be_stopped() {
    let mut model = fixtures::running();
    press(&mut model, "x");
    insta::assert_snapshot!("cancel_120x40", render(&model, 120, 40));
    press(&mut model, "mwrong data");
    let text = render(&model, 80, 24);
    assert!(text.contains("build will be stopped") && text.contains("wrong data"), "{text}");
}

#[test]
fn who_approved_stands_in_runs_and_in_releases() {
    let mut world = asking_world();
    let (run, stage) = (Some(world.state.last_run), Some("deploy".into()));
    hold_fixtures::command(&mut world, "mina", "looks good", Command::Approve { run, stage });
    world.deploy();
    let mut model = world.model(live(&world, true));
    for view in ["2", "5"] {
        press(&mut model, view);
        let text = render(&model, 200, 50);
        assert!(text.contains("approved by mina: looks good"), "{text}");
    }
}

#[test]
fn events_that_were_looked_for_stand_alone_and_say_by_whom() {
    let mut model = shared();
    press(&mut model, "7/lock\n");
    insta::assert_snapshot!("events_filtered_120x40", render(&model, 120, 40));
    let text = render(&model, 120, 40);
    assert!(text.contains("only lock") && text.contains("alice"), "{text}");
    press(&mut model, "/");
    let text = render(&model, 120, 40);
    assert!(text.contains("only events with:"), "what is looked for can be changed: {text}");
    let mut model = shared();
    press(&mut model, "7/nothing of the kind\n");
    let filter = model.event_filter();
    send(&mut model, Msg::Events(filter, Ok(Vec::new())));
    assert!(render(&model, 120, 40).contains("no event passes; Esc shows all"));
}

fn lost(model: &Model) -> LineState {
    let since = Moment(model.now.0 - 12_000);
    let reason = "Connection to ops-box timed\x1b[2J out".to_owned();
    LineState::Lost { since, reason, next_try: Some(model.now.plus(4_000)) }
}

#[test]
fn a_line_that_is_lost_says_for_how_long_why_and_when_it_is_tried_again() {
    let mut model = shared();
    let state = lost(&model);
    send(&mut model, Msg::Line(state));
    snapshots("line_lost", &model);
    let text = render(&model, 120, 40);
    assert!(text.contains("line to ops-box lost 12s ago: ") && text.contains("; next try in 4s"), "{text}");
    assert!(first_line(&model, 80).contains("line lost 12s ago") && !text.contains('\u{1b}'), "{text}");
    let reason = "the key was refused; run `ssh ops-box` once".to_owned();
    send(&mut model, Msg::Line(LineState::Ended { reason }));
    let text = render(&model, 120, 40);
    assert!(text.contains("line to ops-box ended: the key was refused; run `ssh ops-box` once"), "{text}");
}

#[test]
fn the_other_projects_stand_in_a_window() {
    let mut model = fixtures::idle();
    model.can_switch = true;
    press(&mut model, "W");
    assert!(render(&model, 80, 24).contains("looking for your projects"));
    let row = |name: &str, is_running, summary: &str| ProjectRow {
        name: name.to_owned(),
        folder: PathBuf::from("/srv").join(name),
        is_running,
        summary: summary.to_owned(),
    };
    let rows = vec![row("이탈-예측", false, "no run yet"), row("wine", true, "release 2 live, run 2 passed")];
    send(&mut model, Msg::Projects(rows));
    insta::assert_snapshot!("projects_120x40", render(&model, 120, 40));
    send(&mut model, Msg::Projects(Vec::new()));
    assert!(render(&model, 80, 24).contains("no project of yours"));
    assert_eq!(model.view, View::Board);
}

#[test]
fn titles_of_panels_are_whole_where_there_is_room() {
    let mut model = fixtures::idle();
    for panel in &mut model.metrics.charts.panels {
        panel.title = "drift of alcohol".to_owned();
    }
    let mut text = String::new();
    // Drawn as it stands: a new size would ask for other charts.
    let mut terminal = ratatui::Terminal::new(ratatui::backend::TestBackend::new(120, 40)).unwrap();
    terminal.draw(|frame| super::draw(&model, frame)).unwrap();
    for cell in terminal.backend().buffer().content() {
        text.push_str(cell.symbol());
    }
    assert!(text.contains("drift of alcohol"), "{text}");
}
