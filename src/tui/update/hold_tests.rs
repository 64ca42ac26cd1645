//! What keys do with locks and approvals, told without a terminal and without a daemon.

use crossterm::event::KeyCode;

use crate::pipeline::{Command, ReleaseId, RunId, Selection, StageName};
use crate::tui::app::Overlay;
use crate::tui::fixtures::{self, live};
use crate::tui::hold_fixtures::{self, awaiting, held, locked};
use crate::tui::key_fixtures::{key, press, said};
use crate::tui::message::Cmd;

#[test]
fn a_lock_wants_a_reason_before_it_is_sent() {
    let mut model = fixtures::idle();
    assert_eq!(press(&mut model, "L"), []);
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(said(&model).contains("wants a reason"), "{}", said(&model));
    assert!(matches!(&model.overlay, Some(Overlay::Lock { .. })), "the question stays");
    press(&mut model, " data migration ");
    let lock = Command::Lock { milliseconds: None, holder: None };
    assert_eq!(key(&mut model, KeyCode::Enter), [Cmd::act(lock, "data migration")]);
    assert_eq!(model.overlay, None);
    let lock = Command::Lock { milliseconds: Some(7_200_000), holder: None };
    press(&mut model, "L2h");
    assert_eq!(key(&mut model, KeyCode::Enter), [], "for how long is no reason");
    press(&mut model, " data migration");
    assert_eq!(key(&mut model, KeyCode::Enter), [Cmd::act(lock, "data migration")]);
    press(&mut model, "Lx");
    assert_eq!(key(&mut model, KeyCode::Esc), []);
    assert_eq!(model.overlay, None);
}

#[test]
fn a_lock_that_stands_is_not_laid_over_and_ends_after_a_question() {
    let mut model = locked();
    assert_eq!(press(&mut model, "L"), []);
    assert_eq!((model.overlay.clone(), said(&model)), (None, "alice locked deploys already"));
    assert_eq!(press(&mut model, "U"), []);
    assert_eq!(press(&mut model, "k"), [], "another key is no answer");
    assert_eq!(press(&mut model, "y"), [Cmd::act(Command::Unlock, "")]);
    assert_eq!(press(&mut model, "Un"), []);
    let mut open = fixtures::idle();
    press(&mut open, "U");
    assert!(said(&open).contains("not locked"), "{}", said(&open));
}

#[test]
fn a_run_that_may_deploy_past_a_lock_is_asked_about_and_others_are_not() {
    let mut model = locked();
    let deploy = Selection { from: Some("deploy".into()), only: false, force: false };
    assert_eq!(press(&mut model, "d"), []);
    assert!(matches!(&model.overlay, Some(Overlay::ConfirmRun { selection, .. }) if *selection == deploy));
    assert_eq!(press(&mut model, "y"), [Cmd::act(Command::Run(deploy), "")]);
    let all = Cmd::act(Command::Run(Selection::default()), "");
    assert_eq!(press(&mut model, "r"), [all], "all is up to date, so nothing is deployed");
}

#[test]
fn what_was_rejected_is_deployed_by_hand_only_after_a_question_that_says_why_it_was() {
    let world = fixtures::rolled_back();
    let mut model = world.model(live(&world, true));
    assert_eq!(press(&mut model, "d"), []);
    let text = fixtures::render(&model, 120, 40);
    for told in ["rejected as release 3", "model 3", "back to release 2 (mina)"] {
        assert!(text.contains(told), "{told}: {text}");
    }
    assert_eq!(press(&mut model, "n"), []);
    let deploy = Selection { from: Some("deploy".into()), only: false, force: false };
    assert_eq!(press(&mut model, "dy"), [Cmd::act(Command::Run(deploy.clone()), "")]);
    let mut idle = fixtures::idle();
    assert_eq!(press(&mut idle, "d"), [Cmd::act(Command::Run(deploy), "")], "nothing was rejected");
}

#[test]
fn a_reason_is_typed_only_by_whoever_opens_its_line() {
    let mut model = fixtures::idle();
    press(&mut model, "Rmtoo slow, yes");
    assert!(matches!(&model.overlay, Some(Overlay::ConfirmRollback { remark, .. }) if remark.is_open));
    let back = Command::Rollback { to: Some(ReleaseId(1)) };
    assert_eq!(
        key(&mut model, KeyCode::Enter),
        [Cmd::act(back.clone(), "too slow, yes")],
        "as where a reason is wanted"
    );
    press(&mut model, "Rm");
    assert_eq!(key(&mut model, KeyCode::Enter), [], "without a reason it only closes the line");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    assert!(said(&model).contains("y is yes, n is no"), "{}", said(&model));
    press(&mut model, "mtoo slow");
    key(&mut model, KeyCode::Tab);
    assert_eq!(press(&mut model, "y"), [Cmd::act(back.clone(), "too slow")]);
    press(&mut model, "Rmno");
    assert_eq!(key(&mut model, KeyCode::Esc), []);
    assert_eq!(press(&mut model, "y"), [Cmd::act(back, "")], "Esc empties the line and leaves the question");
}

#[test]
fn in_production_the_reason_has_a_line_beside_the_name() {
    let mut model = fixtures::in_production();
    press(&mut model, "R");
    key(&mut model, KeyCode::Tab);
    press(&mut model, "mistake");
    key(&mut model, KeyCode::Tab);
    let name = model.project().to_owned();
    press(&mut model, &name);
    let sent = key(&mut model, KeyCode::Enter);
    assert!(matches!(sent.as_slice(), [Cmd::Act { message, .. }] if message == "mistake"), "{sent:?}");
}

#[test]
fn a_cancel_is_asked_about_first() {
    let mut model = fixtures::running();
    assert_eq!(press(&mut model, "x"), []);
    assert_eq!(press(&mut model, "x"), [], "a second stroke is no answer");
    assert_eq!(press(&mut model, "n"), []);
    assert_eq!(press(&mut model, "xy"), [Cmd::act(Command::Cancel { run: None }, "")]);
    let mut idle = fixtures::idle();
    assert_eq!(press(&mut idle, "x"), []);
    assert!(said(&idle).contains("nothing to cancel"), "{}", said(&idle));
}

#[test]
fn whoever_approves_or_declines_says_so_of_the_very_stage_that_waits() {
    let (run, stage) = (Some(RunId(3)), Some(StageName::from("deploy")));
    let mut model = awaiting();
    assert_eq!(press(&mut model, "A"), []);
    press(&mut model, "looks good");
    let approve = Command::Approve { run, stage: stage.clone() };
    assert_eq!(key(&mut model, KeyCode::Enter), [Cmd::act(approve, "looks good")]);
    press(&mut model, "D");
    assert_eq!(key(&mut model, KeyCode::Enter), [Cmd::act(Command::Decline { run, stage }, "")], "it may be empty");
    press(&mut model, "A");
    assert_eq!(key(&mut model, KeyCode::Esc), []);
    let mut idle = fixtures::idle();
    press(&mut idle, "A");
    assert!(idle.overlay.is_none() && said(&idle).contains("nothing to approve"), "{}", said(&idle));
}

#[test]
fn a_deploy_to_production_is_approved_with_the_name_of_the_project() {
    let mut model = awaiting();
    model.live.target = fixtures::in_production().live.target;
    press(&mut model, "Afine");
    assert_eq!(key(&mut model, KeyCode::Enter), [], "first the name");
    press(&mut model, "wrong");
    assert_eq!(key(&mut model, KeyCode::Enter), []);
    for _ in 0.."wrong".len() {
        key(&mut model, KeyCode::Backspace);
    }
    let name = model.project().to_owned();
    press(&mut model, &name);
    let sent = key(&mut model, KeyCode::Enter);
    let is_approval =
        |command: &Cmd| matches!(command, Cmd::Act { command: Command::Approve { .. }, message } if message == "fine");
    assert!(sent.len() == 1 && sent.iter().all(is_approval), "{sent:?}");
    press(&mut model, "D");
    let sent = key(&mut model, KeyCode::Enter);
    assert!(
        matches!(sent.as_slice(), [Cmd::Act { command: Command::Decline { .. }, .. }]),
        "nothing is deployed by it"
    );
}

#[test]
fn what_was_held_is_held_no_longer_once_the_lock_has_ended() {
    let mut world = hold_fixtures::locked_world();
    let mut model = held();
    let run = model.state.active_run().unwrap().clone();
    let deploy = StageName::from("deploy");
    assert!(crate::tui::holds::held(&model, &run, &deploy).is_some());
    model.state.lock = None;
    assert!(crate::tui::holds::held(&model, &run, &deploy).is_none());
    hold_fixtures::command(&mut world, "mina", "", Command::Unlock);
    assert!(world.model(live(&world, true)).state.lock.is_none(), "anybody may unlock");
}
