//! Any moment of a journal is what folding it that far gives, with milestones and without.

use std::collections::BTreeMap;
use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::api::types::{AlertSeen, DeploySeen, Happening, RunSeen};
use crate::pipeline::samples::stage;
use crate::pipeline::{
    DataSet, Digest, Event, Evidence, Failure, FiringAlert, Graph, Input, Inputs, Outcome, Outputs, Recorded,
    SourceState, StageKind, Trigger, decide,
};

/// Something that happens around the core.
#[derive(Debug, Clone)]
enum Step {
    Data(u64),
    End(bool),
    Notes(usize),
    Alert(bool),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1..9_u64).prop_map(Step::Data),
        6 => prop::bool::weighted(0.8).prop_map(Step::End),
        1 => (1..900_usize).prop_map(Step::Notes),
        1 => any::<bool>().prop_map(Step::Alert),
    ]
}

fn chain() -> Graph {
    let stages = vec![
        stage("train", StageKind::Train, &[]),
        stage("build", StageKind::Image, &["train"]),
        stage("deploy", StageKind::Deploy, &["build"]),
    ];
    Graph::new(stages).unwrap()
}

fn observed(data: u64) -> Input {
    let digest = Digest("source".to_owned());
    let source = SourceState { digest, commit: None, branch: None, dirty: false };
    let data = DataSet { digest: Digest(format!("data{data}")), count: 1, rows: data, files: Vec::new() };
    let inputs = Inputs { data, source, stage_sources: BTreeMap::new() };
    Input::Observed { inputs, cause: Some(Trigger::Data { files: Vec::new() }), automatic: true }
}

/// The end of the stage that runs, if one does.
fn end(state: &State, has_passed: bool) -> Option<Input> {
    let run = state.active_run()?;
    let (stage, entry) = run.stages.iter().find(|(_, entry)| entry.state.is_running())?;
    let digest = Some(Digest(format!("{stage} of {}", run.id)));
    let image = (stage.as_str() == "build").then(|| format!("images/{}.tar", run.id));
    let passed = Outputs { model: entry.writes_model, digest, image, live: entry.release, ..Outputs::default() };
    let failed = Outcome::Failed(Failure::Exit { code: 1, said: String::new() });
    let (outcome, outputs) = if has_passed { (Outcome::Passed, passed) } else { (failed, Outputs::default()) };
    let (stage, attempt) = (stage.clone(), entry.attempt);
    Some(Input::Ended { run: run.id, stage, attempt, outcome, outputs, output_held: false })
}

fn alerts(state: &State, fires: bool) -> Input {
    let alert = FiringAlert {
        name: "Drift".to_owned(),
        labels: String::new(),
        value: "1".to_owned(),
        summary: String::new(),
        since: Moment(1),
        release: state.live,
        evidence: Evidence::None,
        then: Reaction::Notify,
        cooldown: 0,
        obstacle: None,
    };
    Input::Alerts { firing: if fires { vec![alert] } else { Vec::new() }, clear: Vec::new() }
}

/// All events of a project in which these steps happen, a second apart.
fn history(steps: &[Step]) -> Vec<Recorded> {
    let (mut state, mut events) = (State::default(), Vec::new());
    let mut feed = |state: &mut State, input: Input| {
        let at = Moment(i64::try_from(events.len()).unwrap() * 1_000 + 1_000);
        for event in decide(state, input, at).unwrap().events {
            let recorded = Recorded { sequence: state.sequence + 1, at, event };
            state.apply(&recorded).unwrap();
            events.push(recorded);
        }
    };
    feed(&mut state, Input::Configured(chain()));
    for step in steps {
        match step {
            Step::Data(data) => feed(&mut state, observed(*data)),
            Step::End(has_passed) => {
                if let Some(input) = end(&state, *has_passed) {
                    feed(&mut state, input);
                }
            }
            Step::Notes(count) => {
                for number in 0..*count {
                    feed(&mut state, Input::Note(format!("note {number}")));
                }
            }
            Step::Alert(fires) => {
                let input = alerts(&state, *fires);
                feed(&mut state, input);
            }
        }
    }
    events
}

/// Writes them as the core does, some at a time.
fn write(path: &Path, events: &[Recorded]) {
    let (mut journal, mut state) = Journal::open(path).unwrap();
    for turn in events.chunks(40) {
        journal.append(turn).unwrap();
        for recorded in turn {
            state.apply(recorded).unwrap();
        }
        journal.maybe_snapshot(&state);
    }
}

fn folded(events: &[Recorded]) -> State {
    let mut state = State::default();
    for recorded in events {
        state.apply(recorded).unwrap();
    }
    state
}

/// A journal of that history, and all that it tells of the past.
fn archive(folder: &tempfile::TempDir, events: &[Recorded]) -> Archive {
    let path = folder.path().join("journal.db");
    write(&path, events);
    Archive::new(path)
}

/// Two runs, of which the second fails; an alert that fires and is resolved.
fn two_runs() -> Vec<Recorded> {
    let mut steps = vec![Step::Data(1), Step::End(true), Step::End(true), Step::End(true)];
    steps.extend([Step::Alert(true), Step::Alert(false), Step::Data(2), Step::End(false)]);
    history(&steps)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_past_at_any_event_is_the_fold_of_all_events_up_to_it(
        steps in prop::collection::vec(step(), 1..40),
        places in prop::collection::vec(any::<prop::sample::Index>(), 6),
    ) {
        let events = history(&steps);
        let folder = tempfile::tempdir().unwrap();
        let archive = archive(&folder, &events);
        let last = events.len();
        // Near the ends, and where chance points.
        let by_chance = places.iter().map(|place| place.index(last) + 1);
        for number in by_chance.chain([1, last]) {
            let past = archive.past(&PastRequest::behind(u64::try_from(number).unwrap())).unwrap();
            prop_assert_eq!(&past.state, &folded(&events[..number]));
            prop_assert_eq!(past.place.at, events[number - 1].at);
            prop_assert_eq!(&past.place.told, &narrate(&events[number - 1].event));
        }
    }
}

#[test]
fn milestones_of_another_program_are_not_used_and_without_any_the_past_is_the_same() {
    let events = history(&[Step::Data(1), Step::End(true), Step::Notes(2_600), Step::End(true)]);
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(&folder, &events);
    let at = |number: usize| archive.past(&PastRequest::behind(u64::try_from(number).unwrap())).unwrap().state;
    assert_eq!(at(2_100), folded(&events[..2_100]));
    let database = rusqlite::Connection::open(folder.path().join("journal.db")).unwrap();
    let count: u64 = database.query_row("SELECT count(*) FROM milestones", [], |row| row.get(0)).unwrap();
    assert_eq!(count, 2, "one each thousand events");
    database.execute("UPDATE milestones SET program = 'another', body = x'00'", []).unwrap();
    assert_eq!(at(2_100), folded(&events[..2_100]));
    database.execute("DROP TABLE milestones", []).unwrap();
    for number in [2_100, 1_999, 2_101, 3] {
        assert_eq!(at(number), folded(&events[..number]), "event {number}");
    }
}

#[test]
fn a_moment_of_the_clock_is_that_of_the_last_event_before_it_and_lies_within_the_journal() {
    let events = two_runs();
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(&folder, &events);
    let place = |at: i64| archive.place(&PastRequest::at(Moment(at))).unwrap();
    let third = &events[2];
    let found = place(third.at.0);
    let of_that_moment = events.iter().filter(|recorded| recorded.at <= third.at).count();
    assert_eq!(found.sequence, u64::try_from(of_that_moment).unwrap());
    let behind = place(third.at.0 + 1);
    assert_eq!(behind.at, Moment(third.at.0 + 1), "time goes on between events");
    assert_eq!(behind.event_at, Some(third.at), "the event keeps its own time");
    assert_eq!((place(0).sequence, place(0).at), (1, events[0].at), "before the first there was nothing");
    assert_eq!(place(i64::MAX).sequence, u64::try_from(events.len()).unwrap());
    assert!(place(i64::MAX).at <= now(), "the future is not known");
}

#[test]
fn a_run_is_found_at_both_of_its_ends() {
    let mut events = two_runs();
    let folder = tempfile::tempdir().unwrap();
    // The second run has not ended yet.
    let finished = events.iter().rposition(|recorded| matches!(recorded.event, Event::RunFinished { .. })).unwrap();
    events.truncate(finished);
    let archive = archive(&folder, &events);
    let of = |run, edge| archive.past(&PastRequest::of_run(RunId(run), edge));
    let began = of(1, RunEdge::Start).unwrap();
    assert!(began.state.active_run().is_some_and(|run| run.id == RunId(1)));
    let ended = of(1, RunEdge::End).unwrap();
    assert!(ended.state.runs[&RunId(1)].is_finished() && ended.state.live.is_some());
    assert!(of(2, RunEdge::Start).unwrap().state.active_run().is_some_and(|run| run.id == RunId(2)));
    assert_eq!(of(2, RunEdge::End).unwrap_err().to_string(), "run 2 is not over yet; look at where it began");
    assert!(of(9, RunEdge::Start).unwrap_err().to_string().starts_with("run 9 never began"));
}

#[test]
fn one_steps_by_events_runs_deploys_and_alerts_and_comes_back() {
    let events = two_runs();
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(&folder, &events);
    let from = |sequence, stride, steps| archive.place(&PastRequest::from_event(sequence, stride, steps));
    let number = |is_meant: fn(&Happening) -> bool| {
        let found = events.iter().find(|recorded| Happening::of(&recorded.event).is_some_and(|what| is_meant(&what)));
        found.unwrap().sequence
    };
    let deploy = number(|what| *what == Happening::Deploy(DeploySeen::Live));
    let fired = number(|what| *what == Happening::Alert(AlertSeen::Fired));
    let began = number(|what| *what == Happening::Run(RunSeen::Began));
    let passed = number(|what| *what == Happening::Run(RunSeen::Passed));
    assert_eq!(from(1, Stride::Deploy, 1).unwrap().sequence, deploy);
    assert_eq!(from(deploy, Stride::Alert, 1).unwrap().sequence, fired);
    assert_eq!(from(1, Stride::Run, 2).unwrap().sequence, passed);
    assert_eq!(from(passed, Stride::Run, -1).unwrap().sequence, began);
    assert_eq!(from(5, Stride::Event, -99).unwrap().sequence, 1);
    assert_eq!(from(5, Stride::Event, 1).unwrap().sequence, 6);
    assert_eq!(from(1, Stride::Alert, -1).unwrap_err().to_string(), "there is no earlier alert");
    assert!(from(9_999, Stride::Event, 1).unwrap_err().to_string().contains("there is no event 9999"));
}

#[test]
fn the_line_of_time_holds_every_event_once_and_each_landmark_in_its_column() {
    let events = two_runs();
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(&folder, &events);
    let (first, last) = (events[0].at, events[events.len() - 1].at);
    for columns in [1, 7, 40] {
        let wanted = TimeLineRequest { from: Some(first), to: Some(last), columns };
        let line = archive.time_line(wanted).unwrap();
        assert_eq!(line.columns.len(), columns);
        let counted: u64 = line.columns.iter().map(|column| column.events).sum();
        assert_eq!(counted, u64::try_from(events.len()).unwrap());
        for recorded in &events {
            let column = line.columns[line.column(recorded.at).unwrap()];
            assert!(column.events > 0, "event {} of {columns} columns", recorded.sequence);
        }
        assert!(line.columns.iter().any(|column| column.run == Some(RunSeen::Failed)));
        assert!(line.columns.iter().any(|column| column.deploy == Some(DeploySeen::Live)));
        assert!(line.columns.iter().any(|column| column.alert == Some(AlertSeen::Fired)));
    }
}

#[test]
fn an_alert_that_fired_then_is_told_and_one_that_was_resolved_is_not() {
    let events = two_runs();
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(&folder, &events);
    let fired = events.iter().find(|recorded| matches!(recorded.event, Event::AlertFired { .. })).unwrap();
    let past = archive.past(&PastRequest::behind(fired.sequence)).unwrap();
    let told: Vec<_> = past.live.alerts.iter().map(|alert| (alert.name.as_str(), alert.state, alert.since)).collect();
    assert_eq!(told, [("Drift", AlertState::Firing, Some(fired.at))]);
    let last = archive.past(&PastRequest::at(now())).unwrap();
    assert!(last.live.alerts.is_empty());
}

#[test]
fn a_journal_that_is_written_while_one_looks_is_seen_as_it_grows() {
    let events = two_runs();
    let folder = tempfile::tempdir().unwrap();
    let (mut journal, _) = Journal::open(&folder.path().join("journal.db")).unwrap();
    let archive = Archive::new(folder.path().join("journal.db"));
    let none = archive.past(&PastRequest::at(now())).unwrap_err();
    assert!(none.to_string().contains("nothing has happened yet"), "{none}");
    assert!(matches!(archive.past(&PastRequest::default()), Err(PastError::Empty)));
    for recorded in &events {
        journal.append(std::slice::from_ref(recorded)).unwrap();
        assert_eq!(archive.place(&PastRequest::at(now())).unwrap().sequence, recorded.sequence);
    }
    assert!(matches!(archive.past(&PastRequest::default()), Err(PastError::Unsaid)));
}

#[test]
fn who_ended_the_daemon_is_seen_among_the_commands() {
    let mut events = two_runs();
    let last = events.last().unwrap().clone();
    let at = last.at.plus(60_000);
    let event = Event::DaemonEnded { by: "mina".to_owned(), from: None, with_app: false };
    events.push(Recorded { sequence: last.sequence + 1, at, event });
    let folder = tempfile::tempdir().unwrap();
    let archive = archive(&folder, &events);
    let wanted = TimeLineRequest { from: Some(last.at.plus(1)), to: Some(at), columns: 1 };
    let line = archive.time_line(wanted).unwrap();
    assert_eq!((line.columns[0].events, line.columns[0].commands), (1, 1));
}
