//! What holds a stage back and what lets it go on, each rule told as a small history.

use super::histories::{World, chain_asking, inputs};
use super::{
    Answer, Command, Decision, Event, Evidence, Failure, Graph, Holder, Input, Outcome, Reaction, Refusal, ReleaseId,
    Restraint, RunId, RunResult, Selection, explain, narrate, plan,
};

const CHAIN: [&str; 4] = ["train", "test", "build", "deploy"];

fn words(world: &World, run: u64) -> Vec<&'static str> {
    CHAIN.iter().map(|stage| world.word(run, stage)).collect()
}

fn result(world: &World, run: u64) -> Option<RunResult> {
    world.state.runs[&RunId(run)].result
}

fn reason(world: &World, run: u64, stage: &str) -> String {
    explain::stage(&world.state, &world.state.runs[&RunId(run)], &stage.into())
}

fn refusal(decision: Decision) -> Refusal {
    decision.reply.unwrap().unwrap_err()
}

fn told(decision: &Decision) -> Vec<String> {
    decision.events.iter().map(narrate).collect()
}

/// A world in which data 1 and source 1 have gone the whole way.
fn deployed() -> World {
    let mut world = World::new();
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    world
}

/// One in which run 2 has done all but the deploy, which alice has locked.
fn held() -> World {
    let mut world = deployed();
    world.lock("alice");
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    world
}

fn holder(pid: u32) -> Holder {
    Holder { host: "box".to_owned(), boot: "1".to_owned(), pid, started: 7 }
}

fn only(stage: &str) -> Selection {
    Selection { from: Some(stage.into()), only: true, force: false }
}

#[test]
fn under_a_lock_an_automatic_run_waits_before_its_deploy_and_goes_on_when_it_ends() {
    let mut world = held();
    assert_eq!(words(&world, 2), ["passed", "passed", "passed", "waiting"]);
    assert_eq!(reason(&world, 2, "deploy"), "waits: alice locked deploys: a drill");
    assert_eq!((result(&world, 2), world.state.live), (None, Some(ReleaseId(1))));
    // Anybody may end it.
    let decision = world.command_of("bob", "it is over", Command::Unlock);
    assert_eq!(decision.reply, Some(Ok(None)));
    assert_eq!(told(&decision)[..2], ["bob asked to unlock deploys: it is over", "bob unlocked deploys: it is over"]);
    assert_eq!(world.word(2, "deploy"), "running");
    world.drain(&Outcome::Passed);
    assert_eq!((result(&world, 2), world.state.live), (Some(RunResult::Passed), Some(ReleaseId(2))));
}

#[test]
fn what_needs_no_deploy_ends_under_a_lock_as_ever() {
    let mut world = deployed();
    world.lock("alice");
    world.command(Command::Run(only("test")));
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 2), ["skipped", "passed", "skipped", "skipped"]);
    world.feed(Input::Scheduled { name: "nightly".to_owned(), selection: Selection::default() });
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 3), ["skipped"; 4], "the release is the same and live");
}

#[test]
fn a_run_by_hand_goes_through_a_lock() {
    let mut world = held();
    world.command(Command::Run(Selection::default()));
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 2)[3], "cancelled");
    assert_eq!(result(&world, 2), Some(RunResult::Superseded));
    assert_eq!((world.word(3, "deploy"), world.state.live), ("passed", Some(ReleaseId(2))));
    world.command(Command::Rollback { to: None });
    world.drain(&Outcome::Passed);
    assert_eq!(world.state.live, Some(ReleaseId(3)));
    assert!(world.state.lock.is_some());
}

#[test]
fn a_newer_run_takes_the_place_of_one_that_a_lock_holds() {
    let mut world = held();
    world.observe(3, 1);
    world.drain(&Outcome::Passed);
    assert_eq!((result(&world, 2), world.word(3, "deploy")), (Some(RunResult::Superseded), "waiting"));
    world.command(Command::Cancel { run: None });
    assert_eq!((result(&world, 3), world.word(3, "deploy")), (Some(RunResult::Cancelled), "cancelled"));
}

#[test]
fn a_lock_has_a_reason_and_one_owner_who_may_change_it() {
    let mut world = deployed();
    let lock = |milliseconds| Command::Lock { milliseconds, holder: None };
    assert_eq!(refusal(world.command_of("alice", " ", lock(None))), Refusal::NoLockReason);
    assert_eq!(refusal(world.command(Command::Unlock)), Refusal::NotLocked);
    assert_eq!(world.lock("alice").reply, Some(Ok(None)));
    let refused = world.lock("bob");
    assert_eq!(
        told(&refused),
        ["bob asked to lock deploys: a drill: refused, alice has locked deploys already: a drill; `trainyard unlock` \
             ends that lock"]
    );
    assert!(world.command_of("alice", "longer", lock(Some(5_000))).reply.unwrap().is_ok());
    let lock = world.state.lock.clone().unwrap();
    assert_eq!((lock.message.as_str(), lock.until), ("longer", Some(world.at.plus(5_000))));
}

#[test]
fn a_lock_that_ends_with_a_process_takes_the_place_of_none_that_does_not() {
    let mut world = deployed();
    let held_by = |pid| Command::Lock { milliseconds: None, holder: Some(holder(pid)) };
    world.lock("alice");
    let (by, message) = ("alice".to_owned(), "a drill".to_owned());
    assert_eq!(refusal(world.command_of("alice", "backup", held_by(1))), Refusal::AlreadyLocked { by, message });
    world.command(Command::Unlock);
    assert!(world.command_of("alice", "backup", held_by(1)).reply.unwrap().is_ok());
    // Of two that overlap, the end of one must not let deploys go on under the other.
    assert!(world.command_of("alice", "migration", held_by(2)).reply.unwrap().is_err());
    // The same process may say something else, and its operator may hold on behind its end.
    assert!(world.command_of("alice", "still the backup", held_by(1)).reply.unwrap().is_ok());
    world.lock("alice");
    assert!(world.feed(Input::HolderGone(holder(1))).events.is_empty());
    assert!(world.state.lock.is_some());
}

#[test]
fn a_lock_ends_with_its_time() {
    let mut world = deployed();
    world.command_of("alice", "a drill", Command::Lock { milliseconds: Some(5_000), holder: None });
    let until = world.state.next_timer().unwrap();
    world.observe(2, 1);
    let early = world.feed(Input::Tick);
    assert!(early.events.is_empty() && world.state.lock.is_some());
    world.at = until;
    let ended = world.feed(Input::Tick);
    assert_eq!(told(&ended), ["the lock on deploys has ended: its time is over"]);
    // A command does not have to wait for the tick to find it over.
    world.command_of("alice", "a drill", Command::Lock { milliseconds: Some(5_000), holder: None });
    world.at = world.at.plus(5_000);
    assert!(world.lock("bob").reply.unwrap().is_ok());
    assert_eq!(world.state.lock.as_ref().map(|lock| lock.by.as_str()), Some("bob"));
}

#[test]
fn a_lock_ends_with_the_process_that_holds_it_and_with_no_other() {
    let mut world = deployed();
    let command = Command::Lock { milliseconds: None, holder: Some(holder(4711)) };
    world.command_of("alice", "a migration", command);
    assert!(world.feed(Input::HolderGone(holder(4712))).events.is_empty());
    assert!(world.feed(Input::HolderGone(Holder { started: 8, ..holder(4711) })).events.is_empty());
    let gone = world.feed(Input::HolderGone(holder(4711)));
    assert_eq!(told(&gone), ["the lock on deploys has ended: its holder, process 4711, is gone"]);
    assert!(world.feed(Input::HolderGone(holder(4711))).events.is_empty());
}

#[test]
fn a_release_that_is_found_lost_under_a_lock_is_verified_once_more_behind_it() {
    let mut world = deployed();
    world.lock("alice");
    world.feed(Input::Scheduled { name: "nightly".to_owned(), selection: Selection::default() });
    let run = RunId(2);
    for stage in ["train", "test", "build"] {
        world.feed(Input::Verified { run, stage: stage.into(), intact: true });
    }
    let lost = |world: &mut World| world.feed(Input::Verified { run, stage: "deploy".into(), intact: false });
    assert!(lost(&mut world).events.is_empty());
    assert_eq!(world.word(2, "deploy"), "checking");
    assert_eq!(
        reason(&world, 2, "deploy"),
        "verifying the outputs of run 1; if they are gone, it waits: alice locked deploys: a drill"
    );
    let unlocked = world.command(Command::Unlock);
    assert!(matches!(unlocked.events.last(), Some(Event::StageChecking { run: RunId(2), .. })));
    lost(&mut world);
    assert_eq!(world.word(2, "deploy"), "running");
}

#[test]
fn an_alert_that_goes_back_does_so_when_the_lock_is_over() {
    let mut world = deployed();
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    world.lock("alice");
    let answer = |decision: Decision| match decision.events.first() {
        Some(Event::AlertFired { answer, .. }) => answer.clone(),
        other => panic!("no alert fires, but {other:?}"),
    };
    let fired = answer(world.fire("ErrorRate", Reaction::Rollback, Evidence::Against, 0));
    assert_eq!(fired, Answer::Held { why: Restraint::Locked { by: "alice".to_owned() } });
    assert!(world.tell_alerts().events.is_empty());
    world.command(Command::Unlock);
    assert_eq!(answer(world.tell_alerts()), Answer::RollsBack { to: ReleaseId(1) });
}

/// A world in which run 1 has done all but the deploy, of which alice or bob is asked.
fn asking() -> World {
    let mut world = World::asking(&[("deploy", &["alice", "bob"])]);
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    world
}

#[test]
fn a_stage_that_asks_waits_for_a_person_and_goes_on_when_one_approves() {
    let mut world = asking();
    assert_eq!(words(&world, 1), ["passed", "passed", "passed", "awaiting approval"]);
    assert_eq!(reason(&world, 1, "deploy"), "waits for approval of alice or bob");
    let asked = world.history.last().unwrap();
    assert_eq!(narrate(&asked.event), "run 1: deploy waits for approval of alice or bob");
    assert!(!world.state.runs[&RunId(1)].is_deploying(&world.state.graph));

    let of = vec!["alice".to_owned(), "bob".to_owned()];
    assert_eq!(refusal(world.approve("carol")), Refusal::NotAsked { of });
    let elsewhere = Command::Approve { run: Some(RunId(7)), stage: None };
    assert_eq!(refusal(world.command_of("bob", "", elsewhere)), Refusal::NothingToApprove);
    let decision = world.command_of("bob", "looks good", Command::Approve { run: None, stage: None });
    assert_eq!(decision.reply, Some(Ok(Some(RunId(1)))));
    assert_eq!(
        told(&decision),
        [
            "bob asked to approve what waits: looks good",
            "run 1: bob approved deploy: looks good",
            "run 1: deploy started: it has never passed"
        ]
    );
    world.drain(&Outcome::Passed);
    assert_eq!(result(&world, 1), Some(RunResult::Passed));
    let approved = world.state.runs[&RunId(1)].stages[&"deploy".into()].approved.clone().unwrap();
    assert_eq!((approved.by.as_str(), approved.message.as_str()), ("bob", "looks good"));
    assert_eq!(refusal(world.approve("bob")), Refusal::NothingToApprove);
}

#[test]
fn a_stage_that_is_declined_does_not_run_and_holds_its_run() {
    let mut world = asking();
    let decline = Command::Decline { run: Some(RunId(1)), stage: Some("deploy".into()) };
    let decision = world.command_of("alice", "not on a Friday", decline);
    assert_eq!(decision.reply, Some(Ok(Some(RunId(1)))));
    assert_eq!((result(&world, 1), world.word(1, "deploy")), (Some(RunResult::Held), "not run"));
    assert_eq!(reason(&world, 1, "deploy"), "alice declined it: not on a Friday");
    // By itself the same is not asked for again.
    world.observe(1, 1);
    assert_eq!(world.state.last_run, RunId(1));
}

#[test]
fn whoever_runs_by_hand_asks_too_and_whoever_goes_back_asks_nobody() {
    let mut world = asking();
    world.approve("bob");
    world.drain(&Outcome::Passed);
    world.command(Command::Run(Selection { from: Some("deploy".into()), ..Selection::default() }));
    world.drain(&Outcome::Passed);
    assert_eq!(world.word(2, "deploy"), "awaiting approval");
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    assert_eq!((result(&world, 2), world.word(2, "deploy")), (Some(RunResult::Superseded), "cancelled"));
    world.approve("alice");
    world.drain(&Outcome::Passed);
    assert_eq!(world.state.live, Some(ReleaseId(2)));
    world.command(Command::Rollback { to: None });
    assert_eq!(world.word(4, "deploy"), "running");
}

#[test]
fn what_is_not_needed_asks_nobody() {
    let mut world = asking();
    world.approve("bob");
    world.drain(&Outcome::Passed);
    world.command(Command::Run(Selection::default()));
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 2), ["skipped"; 4]);
}

#[test]
fn who_approves_a_stage_approves_all_its_attempts() {
    let mut world = World::asking(&[("test", &[])]);
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    assert_eq!(reason(&world, 1, "test"), "waits for approval");
    world.approve("anybody");
    world.drain(&Outcome::Failed(Failure::Exit { code: 2, said: String::new() }));
    assert_eq!(world.word(1, "test"), "failed");
    assert_eq!(world.state.runs[&RunId(1)].stages[&"test".into()].attempt.0, 2);
}

#[test]
fn an_approval_under_a_lock_is_not_lost() {
    let mut world = asking();
    world.lock("carol");
    world.approve("alice");
    assert_eq!(reason(&world, 1, "deploy"), "waits: carol locked deploys: a drill");
    world.command(Command::Unlock);
    assert_eq!(world.word(1, "deploy"), "running");
}

#[test]
fn who_is_asked_of_one_stage_need_not_name_it_and_of_several_he_must() {
    let mut stages = chain_asking(&[("train", &["alice"]), ("test", &["alice", "bob"])]).stages().to_vec();
    for stage in stages.iter_mut().filter(|stage| stage.name.as_str() == "test") {
        stage.needs.clear();
    }
    let mut world = World::default();
    world.feed(Input::Configured(Graph::new(stages).unwrap()));
    world.observe(1, 1);
    assert_eq!((world.word(1, "train"), world.word(1, "test")), ("awaiting approval", "awaiting approval"));
    assert_eq!(refusal(world.approve("alice")), Refusal::SeveralWait { stages: "test, train".to_owned() });
    assert!(world.approve("bob").reply.unwrap().is_ok());
    assert_eq!((world.word(1, "train"), world.word(1, "test")), ("awaiting approval", "running"));
    assert!(world.approve("alice").reply.unwrap().is_ok());
    assert_eq!(world.word(1, "train"), "running");
}

#[test]
fn who_asks_for_what_is_under_way_is_told_whose_it_is() {
    let mut world = deployed();
    let forced = Selection { force: true, ..Selection::default() };
    assert_eq!(world.command_of("alice", "", Command::Run(forced.clone())).reply, Some(Ok(Some(RunId(2)))));
    let refused = world.command_of("bob", "hotfix", Command::Run(forced.clone()));
    assert_eq!(told(&refused), ["bob asked for a forced run: hotfix: refused, run 2 of alice does just this already"]);
    // Something else is asked for, and then something on other inputs.
    assert!(world.command_of("bob", "", Command::Run(only("test"))).reply.unwrap().is_ok());
    world.observe(2, 1);
    assert!(world.command_of("bob", "", Command::Run(forced)).reply.unwrap().is_ok());
}

#[test]
fn a_schedule_makes_a_run_of_its_own_that_goes_through_no_lock() {
    let mut world = deployed();
    let selection = Selection { from: Some("deploy".into()), ..Selection::default() };
    let nightly = || Input::Scheduled { name: "nightly".to_owned(), selection: selection.clone() };
    world.lock("alice");
    let decision = world.feed(nightly());
    assert_eq!(told(&decision)[0], "run 2 asked for: schedule nightly");
    world.drain(&Outcome::Passed);
    assert_eq!(world.word(2, "deploy"), "waiting");
    let again = world.feed(nightly());
    assert_eq!(told(&again), ["schedule nightly starts nothing: run 2 does just this already"]);
    let unknown = Selection { from: Some("deplyo".into()), ..Selection::default() };
    let unknown = world.feed(Input::Scheduled { name: "nightly".to_owned(), selection: unknown });
    assert_eq!(told(&unknown), ["schedule nightly starts nothing: there is no stage deplyo"]);
    let mut young = World::new();
    assert!(young.feed(nightly()).events.is_empty(), "nothing is known yet");
}

#[test]
fn every_command_is_told_of_before_what_follows_from_it_with_what_became_of_it() {
    let mut world = deployed();
    let command = Command::Run(only("test"));
    let from = Some("10.0.0.7".to_owned());
    let decision = world.feed(Input::Command { by: "alice".to_owned(), from, message: "hotfix".to_owned(), command });
    assert_eq!(
        told(&decision)[..2],
        ["alice from 10.0.0.7 asked for a run of test only: hotfix → run 2", "run 2 asked for: by hand (alice)"]
    );
    let refused = world.command(Command::Rollback { to: Some(ReleaseId(9)) });
    assert_eq!(
        told(&refused),
        ["operator asked to go back to release 9: refused, there is no release 9 to go back to; `trainyard \
             releases` lists them"]
    );
    // What is asked for in vain for another reason than a rule is among what she asked for, too.
    let (command, reason) = (Command::Rollback { to: None }, "the image of release 1 is gone".to_owned());
    let (by, message) = ("alice".to_owned(), "too slow".to_owned());
    let barred = world.feed(Input::Barred { by, from: None, message, command, reason });
    assert_eq!(
        told(&barred),
        ["alice asked to go back to the release before: too slow: refused, the image of release 1 is gone"]
    );
    assert_eq!(barred.events[0].by(), Some("alice"));
    let cancelled = world.command(Command::Cancel { run: Some(RunId(2)) });
    assert!(matches!(cancelled.events[0], Event::Commanded { run: Some(RunId(2)), refused: None, .. }));
    assert_eq!(told(&cancelled)[0], "operator asked to cancel run 2");
}

#[test]
fn a_plan_says_what_would_hold_a_stage_back() {
    let mut world = World::asking(&[("deploy", &["alice", "bob"])]);
    world.observe(1, 1);
    world.command(Command::Cancel { run: None });
    world.drain(&Outcome::Cancelled);
    let of_deploy = |world: &World| plan(&world.state, &Selection::default()).pop().unwrap().reason;
    assert_eq!(of_deploy(&world), "it has never passed; asks alice or bob first");
    world.command_of("carol", "data migration", Command::Lock { milliseconds: Some(60_000), holder: None });
    let until = world.state.lock.as_ref().unwrap().until.unwrap().utc();
    let locked = format!("by itself it would wait: carol locked deploys: data migration, until {until}");
    assert_eq!(of_deploy(&world), format!("it has never passed; {locked}; asks alice or bob first"));
}

/// The next daemon: it reads what was written down, and the same configuration.
fn restart(world: &mut World) {
    let text = serde_json::to_string(&world.state).unwrap();
    world.state = serde_json::from_str(&text).unwrap();
    let graph = world.state.graph.clone();
    assert!(world.feed(Input::Configured(graph)).events.is_empty());
}

#[test]
fn what_waits_does_so_in_the_next_daemon_too_and_goes_on_there() {
    let mut world = held();
    restart(&mut world);
    assert_eq!(reason(&world, 2, "deploy"), "waits: alice locked deploys: a drill");
    world.command(Command::Unlock);
    assert_eq!(world.word(2, "deploy"), "running");

    let mut world = asking();
    restart(&mut world);
    assert_eq!(reason(&world, 1, "deploy"), "waits for approval of alice or bob");
    world.lock("carol");
    world.approve("alice");
    restart(&mut world);
    assert_eq!(reason(&world, 1, "deploy"), "waits: carol locked deploys: a drill");
    world.command(Command::Unlock);
    assert_eq!(world.word(1, "deploy"), "running");
}

#[test]
fn who_waits_for_a_person_can_be_cancelled_and_holds_up_others_only_until_then() {
    let mut world = asking();
    world.command(Command::Run(only("test")));
    assert_eq!(reason(&world, 2, "test"), "waits for run 1");
    world.command_of("carol", "wrong data", Command::Cancel { run: Some(RunId(1)) });
    assert_eq!(
        (result(&world, 1), reason(&world, 1, "deploy")),
        (Some(RunResult::Cancelled), "cancelled by carol".to_owned())
    );
    assert_eq!(refusal(world.approve("alice")), Refusal::NothingToApprove);
    world.drain(&Outcome::Passed);
    assert_eq!((result(&world, 2), world.word(2, "test")), (Some(RunResult::Passed), "passed"));
}

#[test]
fn what_was_declined_is_asked_again_when_somebody_runs_it_and_is_let_go_there() {
    let mut world = asking();
    world.command_of("alice", "", Command::Decline { run: None, stage: None });
    world.command_of("bob", "a second thought", Command::Run(Selection::default()));
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 2), ["skipped", "skipped", "skipped", "awaiting approval"]);
    world.approve("alice");
    world.drain(&Outcome::Passed);
    assert_eq!((result(&world, 1), result(&world, 2)), (Some(RunResult::Held), Some(RunResult::Passed)));
    assert_eq!(reason(&world, 1, "deploy"), "alice declined it");
}

/// A world in which release 2 is live, and alice locked deploys just before run 4 could go back to release 1, as an alert
/// wants it.
fn held_on_its_way_back() -> World {
    let mut world = deployed();
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    // A training is under way, which takes its time to stop.
    world.observe(3, 1);
    world.fire("ErrorRate", Reaction::Rollback, Evidence::Against, 0);
    world.lock("alice");
    world.drain(&Outcome::Passed);
    assert_eq!(result(&world, 3), Some(RunResult::Superseded));
    world
}

#[test]
fn an_alert_that_is_on_its_way_back_waits_under_a_lock_that_comes_meanwhile_and_says_so() {
    let mut world = held_on_its_way_back();
    assert_eq!(reason(&world, 4, "deploy"), "waits: alice locked deploys: a drill");
    restart(&mut world);
    world.command(Command::Unlock);
    assert_eq!(world.word(4, "deploy"), "running");
    // One that is under way is not held any more, whoever locks.
    world.lock("bob");
    world.drain(&Outcome::Passed);
    assert_eq!((result(&world, 4), world.word(5, "deploy")), (Some(RunResult::Passed), "waiting"));
    assert_eq!(reason(&world, 5, "deploy"), "waits: bob locked deploys: a drill");
}

#[test]
fn a_way_back_that_a_lock_held_is_not_taken_when_its_alert_has_ended_meanwhile() {
    let mut world = held_on_its_way_back();
    world.calm("ErrorRate");
    assert_eq!(world.word(4, "deploy"), "waiting", "while the lock lasts it may fire again");
    let told = told(&world.command(Command::Unlock));
    let dropped = "run 4: deploy not run: alert ErrorRate ended while deploys were locked";
    assert!(told.iter().any(|line| line == dropped), "{told:?}");
    assert_eq!((result(&world, 4), world.state.live), (Some(RunResult::Held), Some(ReleaseId(2))));
    // What the way back had pushed aside is taken up again, and the next time that the alert fires is as good as the first.
    assert_eq!((world.state.last_run, result(&world, 5)), (RunId(5), None));
    let fired = world.fire("ErrorRate", Reaction::Rollback, Evidence::Against, 0);
    let goes_back = |event: &Event| matches!(event, Event::AlertFired { answer: Answer::RollsBack { .. }, .. });
    assert!(fired.events.iter().any(goes_back), "{:?}", fired.events);
}

#[test]
fn a_way_back_that_a_lock_held_is_not_taken_when_its_alert_is_silenced_and_is_when_that_is_over() {
    let mut world = held_on_its_way_back();
    let (alert, until) = ("ErrorRate".to_owned(), world.at.plus(60_000));
    world.feed(Input::Silence { alert, by: "mina".to_owned(), message: "known".to_owned(), until });
    world.command(Command::Unlock);
    assert_eq!(reason(&world, 4, "deploy"), "mina silenced alert ErrorRate while deploys were locked");
    assert!(world.tell_alerts().events.is_empty());
    world.at = until;
    let decision = world.tell_alerts();
    let goes_back = |event: &Event| matches!(event, Event::AlertFired { answer: Answer::RollsBack { .. }, .. });
    assert!(decision.events.iter().any(goes_back), "{:?}", decision.events);
}

#[test]
fn a_lock_that_ends_by_itself_drops_what_its_alert_wants_no_more_too() {
    let mut world = held_on_its_way_back();
    world.command_of("alice", "a drill", Command::Lock { milliseconds: Some(5_000), holder: None });
    world.calm("ErrorRate");
    world.at = world.at.plus(5_000);
    world.feed(Input::Tick);
    assert_eq!((result(&world, 4), world.word(4, "deploy")), (Some(RunResult::Held), "not run"));
}

#[test]
fn a_model_that_an_alert_had_trained_under_a_lock_is_deployed_behind_it_though_the_alert_ended() {
    let mut world = deployed();
    world.lock("alice");
    world.feed(Input::Observed { inputs: inputs(2, 1), cause: None, automatic: false });
    world.fire("Drift", Reaction::Retrain, Evidence::Against, 0);
    world.drain(&Outcome::Passed);
    assert_eq!(world.word(2, "deploy"), "waiting");
    world.calm("Drift");
    world.command(Command::Unlock);
    assert_eq!(world.word(2, "deploy"), "running");
}
