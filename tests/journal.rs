//! A journal that an earlier version wrote is read by every later one: one fixture for each schema that was released.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

use trainyard::pipeline::{
    Event, EventFilter, Recorded, ReleaseId, ReleaseStatus, RunId, RunResult, SCHEMA, StageName, State, narrate,
};

fn recorded(schema: u32) -> Vec<Recorded> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/fixtures/events.{schema}.jsonl"));
    let text = fs::read_to_string(&path).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn every_schema_that_was_released_has_a_fixture_and_folds() {
    for schema in 1..=SCHEMA {
        let events = recorded(schema);
        let mut state = State::default();
        for event in &events {
            state.apply(event).unwrap();
        }
        assert!(events.len() > 30, "the fixture tells of a whole life");
        assert!(state.runs.values().any(|run| run.result == Some(RunResult::Passed)));
        assert!(state.runs.values().any(|run| run.result == Some(RunResult::Failed)));
        let live = state.live_release().unwrap();
        assert_eq!((live.status, live.repeats.is_some()), (ReleaseStatus::Live, true));
    }
}

/// The sentences of the events view, over the same life.
#[test]
fn events_are_told_as_sentences() {
    let told: Vec<String> = recorded(1).iter().map(|recorded| narrate(&recorded.event)).collect();
    insta::assert_snapshot!(told.join("\n"));
}

/// A bad release that its alert takes back, and an alert that trains again.
#[test]
fn what_follows_from_alerts_is_told_as_sentences() {
    let told: Vec<String> = recorded(2).iter().map(|recorded| narrate(&recorded.event)).collect();
    insta::assert_snapshot!(told.get(recorded(1).len()..).unwrap().join("\n"));
}

/// A data file that was held back and then taken away.
#[test]
fn the_end_of_a_refusal_is_told_as_a_sentence() {
    let events = recorded(4);
    let told: Vec<String> = events.iter().skip(recorded(3).len()).map(|recorded| narrate(&recorded.event)).collect();
    let last = told.last().unwrap();
    assert_eq!(last, "data file winter.csv is held back no longer");
    let mut state = State::default();
    for event in &events {
        state.apply(event).unwrap();
    }
    assert!(state.refused.is_empty());
}

/// A gate that promotes one model and holds another back, which a person promotes; and a promotion of what is gone.
#[test]
fn how_models_become_champions_is_told_as_sentences() {
    let told: Vec<String> = recorded(3).iter().map(|recorded| narrate(&recorded.event)).collect();
    insta::assert_snapshot!(told.get(recorded(2).len()..).unwrap().join("\n"));
}

/// A lock whose holder dies, an approval and a refusal of one, a schedule, and commands that are refused.
#[test]
fn what_people_hold_back_is_told_as_sentences() {
    let events = recorded(5);
    let told: Vec<String> = events.iter().skip(recorded(4).len()).map(|recorded| narrate(&recorded.event)).collect();
    insta::assert_snapshot!(told.join("\n"));
    let mut state = State::default();
    for event in &events {
        state.apply(event).unwrap();
    }
    assert_eq!(state.lock, None);
    let deploys = |run: u64| &state.runs[&RunId(run)].stages[&StageName::from("deploy")];
    assert_eq!(deploys(14).approved.as_ref().map(|approval| approval.by.as_str()), Some("omar"));
    assert_eq!((deploys(15).approved.as_ref(), deploys(15).state.word()), (None, "not run"));
}

/// A way back that a lock held until its alert was over, the next one, which is taken, and the end of the daemon.
#[test]
fn a_way_back_that_nobody_wants_any_more_is_told_as_a_sentence() {
    let events = recorded(6);
    let told: Vec<String> = events.iter().skip(recorded(5).len()).map(|recorded| narrate(&recorded.event)).collect();
    let dropped = "run 19: deploy not run: alert ErrorRate ended while deploys were locked";
    assert!(told.iter().any(|line| line == dropped), "{told:?}");
    assert_eq!(told.last().unwrap(), "mina from 192.0.2.7 ended the daemon; stages and releases go on");
    let mut state = State::default();
    for event in &events {
        state.apply(event).unwrap();
    }
    assert_eq!(state.runs[&RunId(19)].result, Some(RunResult::Held));
    assert_eq!(state.live_release().unwrap().repeats, Some(ReleaseId(10)));
}

/// Who looks back finds what one person did, and what a word stands in.
#[test]
fn history_is_looked_through_by_person_run_and_word() {
    let events = recorded(5);
    let found = |filter: &EventFilter| -> Vec<String> {
        events.iter().filter(|event| filter.matches(event)).map(|recorded| narrate(&recorded.event)).collect()
    };
    let by_omar = EventFilter { by: Some("omar".to_owned()), run: Some(RunId(15)), ..EventFilter::default() };
    assert_eq!(
        found(&by_omar),
        [
            "omar asked to decline what waits in run 15: not on a Friday",
            "run 15: deploy not run: omar declined it: not on a Friday",
        ]
    );
    let since = recorded(6).last().unwrap().at;
    let ends = EventFilter { by: Some("mina".to_owned()), since: Some(since), ..EventFilter::default() };
    let ended: Vec<Recorded> = recorded(6).into_iter().filter(|event| ends.matches(event)).collect();
    assert!(matches!(ended.as_slice(), [Recorded { event: Event::DaemonEnded { .. }, .. }]), "{ended:?}");
    let word = EventFilter { text: Some("HOLDER".to_owned()), ..EventFilter::default() };
    assert_eq!(found(&word), ["the lock on deploys has ended: its holder, process 4711, is gone"]);
}
