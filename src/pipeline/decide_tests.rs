//! The rules one by one, each told as a small history.

use super::histories::World;
use super::{
    Attempt, Command, Event, Failure, Input, ModelVersion, Outcome, Outputs, Refusal, ReleaseId, ReleaseStatus, RunId,
    RunResult, Selection, StageRun, StageState, explain, narrate, plan,
};

fn result(world: &World, run: u64) -> Option<RunResult> {
    world.state.runs[&RunId(run)].result
}

fn reason(world: &World, run: u64, stage: &str) -> String {
    explain::stage(&world.state, &world.state.runs[&RunId(run)], &stage.into())
}

fn words(world: &World, run: u64) -> Vec<&'static str> {
    ["train", "test", "build", "deploy"].iter().map(|stage| world.word(run, stage)).collect()
}

/// A world in which data 1 and source 1 have gone the whole way.
fn deployed() -> World {
    let mut world = World::new();
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    world
}

#[test]
fn registered_data_goes_through_the_whole_chain() {
    let world = deployed();
    assert_eq!(words(&world, 1), ["passed"; 4]);
    assert_eq!(world.state.live, Some(ReleaseId(1)));
}

#[test]
fn a_saved_source_runs_test_build_and_deploy_and_not_train() {
    let mut world = deployed();
    world.observe(1, 2);
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 2), ["skipped", "passed", "passed", "passed"]);
    assert_eq!(reason(&world, 2, "train"), "nothing it depends on changed since run 1");
    assert_eq!(reason(&world, 2, "test"), "the source changed since run 1");
    assert_eq!(reason(&world, 2, "build"), "test gave something else since run 1");
    assert_eq!(reason(&world, 1, "train"), "it had never passed", "what was so then is not so now");
}

#[test]
fn inputs_that_do_not_matter_start_nothing() {
    let mut world = deployed();
    world.observe(1, 1);
    assert_eq!(world.state.last_run, RunId(1));
}

#[test]
fn without_data_nothing_starts_by_itself() {
    let mut world = World::new();
    world.observe(0, 1);
    assert_eq!(world.state.last_run, RunId(0));
    world.command(Command::Run(Selection::default()));
    assert_eq!(words(&world, 1), ["not run"; 4]);
    assert_eq!(reason(&world, 1, "train"), "no data file is registered");
    assert_eq!(result(&world, 1), Some(RunResult::Held));
}

#[test]
fn a_failing_test_stops_before_build_and_the_old_release_stays_live() {
    let mut world = deployed();
    world.observe(2, 2);
    let (run, train, attempt) = world.running()[0].clone();
    world.end(run, &train, attempt, Outcome::Passed);
    world.drain(&Outcome::Failed(Failure::Exit { code: 2, said: String::new() }));
    assert_eq!(words(&world, 2), ["passed", "failed", "not run", "not run"]);
    assert_eq!(reason(&world, 2, "build"), "test did not pass");
    assert_eq!(reason(&world, 2, "deploy"), "build did not run");
    assert_eq!(world.state.live, Some(ReleaseId(1)));
    // `test` may be retried once, so it failed twice.
    assert_eq!(world.state.runs[&RunId(2)].stages[&"test".into()].attempt.0, 2);
}

#[test]
fn a_newer_run_takes_the_place_of_one_that_does_not_deploy() {
    let mut world = World::new();
    world.observe(1, 1);
    world.observe(2, 1);
    assert_eq!(world.word(1, "train"), "stopping");
    assert_eq!(world.word(2, "train"), "waiting");
    world.drain(&Outcome::Passed);
    // Its train passed before the signal came; the pass is kept, the rest is dropped.
    assert_eq!(words(&world, 1), ["passed", "cancelled", "cancelled", "cancelled"]);
    assert_eq!(result(&world, 1), Some(RunResult::Superseded));
    assert_eq!(result(&world, 2), Some(RunResult::Passed));
    assert_eq!(reason(&world, 1, "test"), "superseded by run 2");
}

#[test]
fn a_deploy_is_not_interrupted_by_a_newer_run_nor_by_a_cancel() {
    let mut world = World::new();
    world.observe(1, 1);
    while world.running()[0].1.as_str() != "deploy" {
        let (run, stage, attempt) = world.running()[0].clone();
        world.end(run, &stage, attempt, Outcome::Passed);
    }
    world.observe(2, 1);
    assert_eq!(world.word(1, "deploy"), "running");
    assert_eq!(reason(&world, 2, "train"), "waits for run 1");
    let refused = world.command(Command::Cancel { run: Some(RunId(1)) });
    assert_eq!(refused.reply, Some(Err(Refusal::Deploying(RunId(1)))));
    world.drain(&Outcome::Passed);
    assert_eq!(world.state.live, Some(ReleaseId(2)));
}

#[test]
fn a_rejected_release_is_quarantined_until_an_input_changes() {
    let mut world = deployed();
    world.observe(2, 1);
    while world.running()[0].1.as_str() != "deploy" {
        let (run, stage, attempt) = world.running()[0].clone();
        world.end(run, &stage, attempt, Outcome::Passed);
    }
    world.drain(&Outcome::Failed(Failure::Exit { code: 1, said: String::new() }));
    assert_eq!(world.state.releases[&ReleaseId(2)].status, ReleaseStatus::Rejected);
    assert_eq!(world.state.live, Some(ReleaseId(1)));
    // Away and back again: the same inputs are not deployed a second time.
    world.observe(1, 1);
    world.drain(&Outcome::Passed);
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    let last = world.state.last_run.0;
    assert_eq!(world.word(last, "deploy"), "not run");
    assert!(reason(&world, last, "deploy").starts_with("the same was rejected as release 2"));
    // By name, an operator may.
    world.command(Command::Run(Selection { from: Some("deploy".into()), ..Selection::default() }));
    world.drain(&Outcome::Passed);
    assert_eq!(world.word(last + 1, "deploy"), "passed");
}

#[test]
fn a_rollback_repeats_the_earlier_release_and_rejects_the_one_it_leaves() {
    let mut world = deployed();
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    world.command(Command::Rollback { to: None });
    assert_eq!(words(&world, 3), ["skipped", "skipped", "skipped", "running"]);
    world.drain(&Outcome::Passed);
    let live = world.state.live_release().unwrap();
    assert_eq!((live.id, live.repeats), (ReleaseId(3), Some(ReleaseId(1))));
    assert_eq!(live.image, world.state.releases[&ReleaseId(1)].image);
    assert_eq!(world.state.releases[&ReleaseId(2)].status, ReleaseStatus::Rejected);
}

#[test]
fn new_data_that_a_rollback_pushed_aside_is_trained_on_behind_it() {
    let mut world = deployed();
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    world.observe(3, 1);
    world.command(Command::Rollback { to: None });
    world.drain(&Outcome::Passed);
    assert_eq!(result(&world, 3), Some(RunResult::Superseded));
    assert_eq!(words(&world, 4), ["skipped", "skipped", "skipped", "passed"]);
    assert_eq!(world.word(5, "train"), "skipped", "its pass came before the signal did");
    assert_eq!(words(&world, 5)[1..], ["passed"; 3]);
    assert_eq!(world.state.live, Some(ReleaseId(4)));
}

#[test]
fn what_happens_by_itself_comes_behind_a_way_back_that_somebody_asked_for() {
    let mut world = deployed();
    world.observe(2, 1);
    world.drain(&Outcome::Passed);
    // The training is told to stop, and takes its time; meanwhile data comes, and the time of a schedule.
    world.observe(3, 1);
    world.command(Command::Rollback { to: None });
    world.observe(4, 1);
    let forced = || Selection { force: true, ..Selection::default() };
    world.feed(Input::Scheduled { name: "nightly".to_owned(), selection: forced() });
    assert_eq!(
        (reason(&world, 4, "deploy"), world.state.runs[&RunId(4)].stopping.clone()),
        ("waits for run 3".to_owned(), None)
    );
    world.drain(&Outcome::Passed);
    assert_eq!(
        (result(&world, 4), world.state.releases[&ReleaseId(3)].repeats),
        (Some(RunResult::Passed), Some(ReleaseId(1)))
    );
    assert_eq!((result(&world, 5), result(&world, 6)), (Some(RunResult::Superseded), Some(RunResult::Passed)));
    assert_eq!((world.state.live, world.state.last_run), (Some(ReleaseId(4)), RunId(6)));
    // A person may think better of it.
    world.observe(5, 1);
    world.command(Command::Rollback { to: Some(ReleaseId(2)) });
    world.command(Command::Run(forced()));
    assert_eq!(result(&world, 8), Some(RunResult::Superseded));
}

#[test]
fn one_stage_only_runs_when_what_it_needs_is_up_to_date() {
    let mut world = deployed();
    world.command(Command::Run(Selection { from: Some("test".into()), only: true, force: false }));
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 2), ["skipped", "passed", "skipped", "skipped"]);
}

#[test]
fn one_stage_only_is_held_when_what_it_needs_is_stale() {
    let mut world = World::new();
    world.observe(0, 1);
    let seen = super::Input::Observed { inputs: super::histories::inputs(1, 1), cause: None, automatic: false };
    world.feed(seen);
    assert_eq!(world.state.last_run, RunId(0));
    world.command(Command::Run(Selection { from: Some("test".into()), only: true, force: false }));
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 1), ["not run"; 4]);
    assert_eq!(reason(&world, 1, "test"), "it needs train, which is not up to date; run it without --only");
}

#[test]
fn a_retrained_equal_model_needs_no_new_image() {
    let mut world = deployed();
    world.command(Command::Run(Selection { from: Some("train".into()), ..Selection::default() }));
    world.drain(&Outcome::Passed);
    assert_eq!(words(&world, 2), ["passed", "skipped", "skipped", "skipped"]);
    assert_eq!(reason(&world, 2, "deploy"), "release 1 is the same and live");
}

#[test]
fn a_stage_beyond_its_time_is_stopped_and_failed() {
    let mut world = World::new();
    world.observe(1, 1);
    world.at = world.at.plus(60_000);
    world.feed(super::Input::Tick);
    assert_eq!(world.word(1, "train"), "stopping");
    world.drain(&Outcome::Failed(Failure::Signal { signal: 15 }));
    assert_eq!(reason(&world, 1, "train"), "stopped because its time was over");
}

#[test]
fn lost_outputs_are_made_again() {
    let mut world = deployed();
    world.observe(1, 2);
    let run = RunId(2);
    world.feed(super::Input::Verified { run, stage: "train".into(), intact: false });
    assert_eq!(world.word(2, "train"), "running");
    assert_eq!(reason(&world, 2, "train"), "what it made in run 1 is gone or damaged");
}

#[test]
fn a_plan_says_what_would_run_and_why() {
    let mut world = deployed();
    let lines = |world: &World, selection: &Selection| -> Vec<String> {
        let planned = plan(&world.state, selection);
        planned
            .iter()
            .map(|planned| format!("{} {}: {}", planned.stage, planned.action.word(), planned.reason))
            .collect()
    };
    assert_eq!(
        lines(&world, &Selection::default()),
        [
            "train skip: nothing it depends on changed since run 1",
            "test skip: nothing it depends on changed since run 1",
            "build skip: nothing it depends on changed since run 1",
            "deploy skip: release 1 is the same and live",
        ]
    );
    world.state.inputs = Some(super::histories::inputs(2, 1));
    assert_eq!(
        lines(&world, &Selection::default()),
        [
            "train run: the data changed since run 1",
            "test maybe: runs if train gives something else than before",
            "build maybe: runs if test gives something else than before",
            "deploy maybe: runs if build gives something else than before",
        ]
    );
}

#[test]
fn an_unknown_stage_is_refused_with_those_that_are_there() {
    let mut world = deployed();
    let refused = world.command(Command::Run(Selection { from: Some("tset".into()), ..Selection::default() }));
    let message = refused.reply.unwrap().unwrap_err().to_string();
    assert_eq!(message, "there is no stage `tset`; the stages are train, test, build, deploy");
}

#[test]
fn a_file_that_was_held_back_is_forgotten_once_it_is_not_any_more() {
    let mut world = World::new();
    for file in ["a.csv", "b.csv"] {
        world.feed(Input::DataRefused { file: file.to_owned(), reason: "ragged".to_owned() });
    }
    let held_back = std::collections::BTreeSet::from(["b.csv".to_owned()]);
    let ended = Event::DataRefusalEnded { file: "a.csv".to_owned() };
    assert_eq!(world.feed(Input::HeldBack(held_back.clone())).events, [ended]);
    assert!(world.state.refused.keys().eq(["b.csv"]));
    assert!(world.feed(Input::HeldBack(held_back)).events.is_empty(), "being told the same again changes nothing");
}

#[test]
fn a_training_that_was_cancelled_made_no_model() {
    let outputs = Outputs { model: Some(ModelVersion(4)), ..Outputs::default() };
    let entry = |state| StageRun { state, outputs: Some(outputs.clone()), ..StageRun::waiting() };
    let gate = Failure::Gate { reason: "accuracy 0.4 is below 0.5".to_owned() };
    let made =
        [StageState::Passed, StageState::Failed { failure: gate }, StageState::Cancelled, StageState::Interrupted]
            .map(|state| entry(state).model());
    assert_eq!(made, [Some(ModelVersion(4)), Some(ModelVersion(4)), None, None]);
    let ended = |outcome| {
        narrate(&Event::StageFinished {
            run: RunId(7),
            stage: "train".into(),
            attempt: Attempt(1),
            outcome,
            outputs: outputs.clone(),
            output_held: false,
        })
    };
    assert_eq!(ended(Outcome::Cancelled), "run 7: train cancelled");
    assert_eq!(ended(Outcome::Passed), "run 7: train passed, model 4");
}

#[test]
fn the_end_of_the_daemon_is_told_with_what_ended_beside_it() {
    let ended = |with_app| narrate(&Event::DaemonEnded { by: "mina".to_owned(), from: None, with_app });
    assert_eq!(ended(false), "mina ended the daemon; stages and releases go on");
    assert_eq!(ended(true), "mina ended the daemon and the app with it; stages go on");
}
