//! What people are told, and what they are spared.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::pipeline::{
    Attempt, DataSet, Digest, Evidence, Failure, Inputs, Reaction, Release, Selection, SourceState, StageRun, Trigger,
    samples,
};

fn recorded(event: Event) -> Recorded {
    Recorded { sequence: 77, at: Moment(5_000), event }
}

fn run(id: u64, result: Option<RunResult>, stages: &[(&str, StageState)]) -> Run {
    let digest = Digest(String::new());
    let source = SourceState { digest: digest.clone(), commit: None, branch: None, dirty: false };
    let data = DataSet { digest, count: 0, rows: 0, files: Vec::new() };
    let stage = |state: &StageState| StageRun { state: state.clone(), ..StageRun::waiting() };
    Run {
        id: RunId(id),
        trigger: Trigger::FirstStart,
        selection: Selection::default(),
        inputs: Inputs { data, source, stage_sources: BTreeMap::new() },
        stages: stages.iter().map(|(name, state)| (StageName::from(*name), stage(state))).collect(),
        created: Moment(0),
        started: Some(Moment(0)),
        ended: None,
        stopping: None,
        result,
    }
}

fn state(runs: Vec<Run>) -> State {
    State { runs: runs.into_iter().map(|run| (run.id, Arc::new(run))).collect(), ..State::default() }
}

fn failed() -> StageState {
    StageState::Failed { failure: Failure::TestsFailed { failed: 1 } }
}

fn finished(id: u64, result: RunResult) -> Recorded {
    recorded(Event::RunFinished { run: RunId(id), result })
}

#[test]
fn a_failure_says_which_stage_and_why() {
    let known = state(vec![run(4, None, &[("train", StageState::Passed), ("test", failed())])]);
    let notice = notice_of(&known, &finished(4, RunResult::Failed)).unwrap();
    assert_eq!((notice.kind, notice.sequence), (NoticeKind::Failure, 77));
    assert_eq!(notice.title, "run 4 failed at test");
    assert_eq!(notice.text, "test: 1 test failed; the run was asked for: first start");
    assert_eq!((notice.run, notice.stage), (Some(RunId(4)), Some(StageName::from("test"))));
}

#[test]
fn the_first_run_that_passes_where_one_failed_is_a_recovery_and_the_next_is_none() {
    let broken = run(1, Some(RunResult::Failed), &[("test", failed())]);
    let held = run(2, Some(RunResult::Held), &[("test", StageState::Waiting)]);
    let mended = |id, result| run(id, result, &[("test", StageState::Passed)]);
    let known = state(vec![broken.clone(), held, mended(3, None)]);
    let notice = notice_of(&known, &finished(3, RunResult::Passed)).unwrap();
    assert_eq!(notice.kind, NoticeKind::Recovery);
    assert_eq!(notice.title, "test passes again");
    assert_eq!(notice.text, "run 3 passed; run 1 had failed at test: 1 test failed");
    let known = state(vec![broken, mended(3, Some(RunResult::Passed)), mended(4, None)]);
    assert_eq!(notice_of(&known, &finished(4, RunResult::Passed)), None);
    assert_eq!(notice_of(&state(vec![mended(1, None)]), &finished(1, RunResult::Passed)), None);
}

#[test]
fn a_run_that_left_out_what_failed_is_no_recovery() {
    let broken = run(1, Some(RunResult::Failed), &[("test", failed())]);
    let other = run(2, None, &[("test", StageState::Skipped { reason: SkipReason::NotSelected })]);
    assert_eq!(notice_of(&state(vec![broken, other]), &finished(2, RunResult::Passed)), None);
}

#[test]
fn a_later_state_gives_the_same_notice() {
    let broken = run(1, Some(RunResult::Failed), &[("test", failed())]);
    let mended = run(2, None, &[("test", StageState::Passed)]);
    let before = state(vec![broken.clone(), mended.clone()]);
    let after = state(vec![
        broken,
        Run { result: Some(RunResult::Passed), ..mended },
        run(3, Some(RunResult::Failed), &[("test", failed())]),
    ]);
    let event = finished(2, RunResult::Passed);
    assert_eq!(notice_of(&before, &event), notice_of(&after, &event));
    assert!(notice_of(&after, &event).is_some());
}

#[test]
fn what_an_operator_stopped_or_what_was_superseded_is_not_told() {
    for result in [RunResult::Held, RunResult::Cancelled, RunResult::Superseded] {
        assert_eq!(notice_of(&State::default(), &finished(1, result)), None);
    }
}

fn deploy(live: Option<u64>, outcome: Outcome) -> Option<Notice> {
    let mut deploying = run(9, None, &[("deploy", StageState::Passed)]);
    for stage in deploying.stages.values_mut() {
        stage.release = Some(ReleaseId(3));
    }
    let outputs = Outputs { live: live.map(ReleaseId), ..Outputs::default() };
    let (run, stage, attempt) = (RunId(9), StageName::from("deploy"), Attempt(1));
    let event = Event::StageFinished { run, stage, attempt, outcome, outputs, output_held: false };
    notice_of(&state(vec![deploying]), &recorded(event))
}

#[test]
fn a_release_that_went_live_is_told_and_one_that_did_not_is_not() {
    let told = deploy(Some(3), Outcome::Passed).unwrap();
    assert_eq!((told.kind, told.title.as_str()), (NoticeKind::Deploy, "release 3 is live"));
    assert_eq!(told.release, Some(ReleaseId(3)));
    assert!(deploy(None, Outcome::Passed).is_some());
    assert_eq!(deploy(Some(2), Outcome::Failed(Failure::TimedOut)), None);
    assert_eq!(deploy(None, Outcome::Failed(Failure::TimedOut)), None);
}

#[test]
fn a_rejected_release_is_told_only_if_it_had_been_live() {
    let release = |live_since| Release { live_since, ..samples::release(2) };
    let told = |live_since| {
        let releases = BTreeMap::from([(ReleaseId(2), Arc::new(release(live_since)))]);
        let known = State { releases, ..State::default() };
        notice_of(&known, &recorded(Event::ReleaseRejected { release: ReleaseId(2) }))
    };
    assert_eq!(told(None), None);
    assert_eq!(told(Some(Moment(1))).unwrap().title, "release 2 was left");
}

fn fired(answer: Answer) -> Recorded {
    recorded(Event::AlertFired {
        name: "ErrorRate".to_owned(),
        labels: String::new(),
        value: "0.4".to_owned(),
        summary: "requests are refused".to_owned(),
        since: Moment(0),
        release: Some(ReleaseId(2)),
        evidence: Evidence::Against,
        then: Reaction::Notify,
        answer,
    })
}

#[test]
fn an_alert_is_told_unless_somebody_silenced_it() {
    let told = notice_of(&State::default(), &fired(Answer::Told)).unwrap();
    assert_eq!((told.kind, told.title.as_str()), (NoticeKind::Alert, "alert ErrorRate fires"));
    assert_eq!(told.text, "alert ErrorRate fires: 0.4 (release 2): requests are refused");
    assert_eq!(told.alert.as_deref(), Some("ErrorRate"));
    let silenced = Answer::Held { why: Restraint::Silenced { by: "mina".to_owned() } };
    assert_eq!(notice_of(&State::default(), &fired(silenced)), None);
}

#[test]
fn an_approval_that_is_wanted_names_its_stage() {
    let event = Event::ApprovalWanted { run: RunId(9), stage: StageName::from("deploy"), of: vec!["mina".to_owned()] };
    let told = notice_of(&State::default(), &recorded(event)).unwrap();
    assert_eq!((told.kind, told.title.as_str()), (NoticeKind::Approval, "run 9: deploy waits for an approval"));
    assert_eq!(told.stage, Some(StageName::from("deploy")));
}

#[test]
fn every_kind_is_found_by_its_word() {
    for kind in NoticeKind::ALL {
        assert_eq!(NoticeKind::of_word(kind.word()), Some(*kind));
        assert_eq!(serde_json::to_value(kind).unwrap(), kind.word());
    }
}
