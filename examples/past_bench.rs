//! How long a look into the past takes in a journal of 100 000 events: runs of four stages, one after the other.
//!
//! `cargo run --release --example past_bench`; `-- EVENTS` for another length. The journal lies in a temporary folder and is
//! written as the daemon writes it. Each look is at a place of its own and asked once: *first* by an archive that has just
//! opened the journal, *then* by one that was asked before. Beside it, what has no milestones to help it: the fold of all
//! events from the first on.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::path::Path;
use std::time::{Duration, Instant};

use trainyard::api::types::{PastRequest, Stride, TimeLineRequest};
use trainyard::engine::journal::Journal;
use trainyard::engine::past::Archive;
use trainyard::pipeline::{
    DataSet, Digest, Graph, Input, Inputs, Moment, Outcome, Outputs, Recorded, SourceState, StageKind, StageSpec,
    State, Trigger, decide,
};

const EVENTS: u64 = 100_000;
/// Looks of each kind.
const LOOKS: u64 = 41;
/// 2026-01-01 00:00:00 UTC.
const BEGIN: i64 = 1_767_225_600_000;
/// Events that are written at once.
const TURN: usize = 200;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let events = env::args().nth(1).map_or(Ok(EVENTS), |count| count.parse())?;
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("journal.db");
    let (state, last) = write(&path, events)?;
    println!("{} events of {} runs; {LOOKS} looks of each kind", state.sequence, state.last_run.0);
    println!("{:<44} {:>12} {:>12}", "", "median", "worst");

    let place = |look: u64| 1 + (look * 2_654_435_761) % state.sequence;
    print(
        "first look: the board at an event",
        &times(|look| {
            Archive::new(path.clone()).past(&PastRequest::behind(place(look)))?;
            Ok(())
        })?,
    );
    let archive = Archive::new(path.clone());
    archive.past(&PastRequest::behind(1))?;
    print(
        "then: the board at an event",
        &times(|look| {
            archive.past(&PastRequest::behind(place(look)))?;
            Ok(())
        })?,
    );
    print(
        "then: the board at a time",
        &times(|look| {
            let passed = i64::try_from(place(look))?;
            archive.past(&PastRequest::at(Moment(BEGIN + passed * 1_000)))?;
            Ok(())
        })?,
    );
    print(
        "then: a run back from an event",
        &times(|look| {
            let from = place(look).max(state.sequence / 10);
            archive.past(&PastRequest::from_event(from, Stride::Run, -1))?;
            Ok(())
        })?,
    );
    print(
        "then: the line of time, 200 columns",
        &times(|_| {
            archive.time_line(TimeLineRequest { from: None, to: Some(last), columns: 200 })?;
            Ok(())
        })?,
    );
    print(
        "first look: the line of time, 200 columns",
        &times(|_| {
            Archive::new(path.clone()).time_line(TimeLineRequest { from: None, to: Some(last), columns: 200 })?;
            Ok(())
        })?,
    );
    let begun = Instant::now();
    Journal::open(&path)?.0.verify()?;
    print("beside it: the fold of all events", &[begun.elapsed()]);
    Ok(())
}

fn print(what: &str, sorted: &[Duration]) {
    let milliseconds = |at: usize| sorted.get(at).map_or(0.0, |time| time.as_secs_f64() * 1e3);
    let (middle, worst) = (milliseconds(sorted.len() / 2), milliseconds(sorted.len().saturating_sub(1)));
    println!("{what:<44} {middle:>9.2} ms {worst:>9.2} ms");
}

/// How long each look takes, in order of length.
fn times(look: impl Fn(u64) -> Result<()>) -> Result<Vec<Duration>> {
    let mut all = Vec::new();
    for number in 0..LOOKS {
        let begun = Instant::now();
        look(number)?;
        all.push(begun.elapsed());
    }
    all.sort_unstable();
    Ok(all)
}

/// Runs until so many events are in the journal; the state behind them, and the moment of the last.
fn write(path: &Path, events: u64) -> Result<(State, Moment)> {
    let (mut journal, mut state) = Journal::open(path)?;
    let mut turn = Vec::new();
    let mut at = Moment(BEGIN);
    let mut data = 0;
    let mut input = Input::Configured(chain()?);
    while state.sequence < events {
        at = Moment(BEGIN + i64::try_from(state.sequence)? * 1_000);
        for event in decide(&state, input, at)?.events {
            let recorded = Recorded { sequence: state.sequence + 1, at, event };
            state.apply(&recorded)?;
            turn.push(recorded);
        }
        if turn.len() >= TURN {
            journal.append(&turn)?;
            journal.maybe_snapshot(&state);
            turn.clear();
        }
        input = end_of_stage(&state).unwrap_or_else(|| {
            data += 1;
            observed(data)
        });
    }
    journal.append(&turn)?;
    Ok((state, at))
}

fn chain() -> Result<Graph> {
    let stage = |name: &str, kind, needs: &[&str]| StageSpec {
        name: name.into(),
        kind,
        needs: needs.iter().map(|need| (*need).into()).collect(),
        uses_data: kind == StageKind::Train,
        uses_source: false,
        produces_model: kind == StageKind::Train,
        requires_report: false,
        retries: 0,
        timeout: None,
        definition: Digest(name.to_owned()),
        approval: None,
    };
    Ok(Graph::new(vec![
        stage("train", StageKind::Train, &[]),
        stage("test", StageKind::Command, &["train"]),
        stage("build", StageKind::Image, &["test"]),
        stage("deploy", StageKind::Deploy, &["build"]),
    ])?)
}

fn observed(data: u64) -> Input {
    let digest = Digest("source".to_owned());
    let source = SourceState { digest, commit: None, branch: None, dirty: false };
    let data = DataSet { digest: Digest(format!("data {data}")), count: 1, rows: data, files: Vec::new() };
    let inputs = Inputs { data, source, stage_sources: BTreeMap::new() };
    Input::Observed { inputs, cause: Some(Trigger::Data { files: Vec::new() }), automatic: true }
}

/// The end of the stage that runs, if one does.
fn end_of_stage(state: &State) -> Option<Input> {
    let run = state.active_run()?;
    let (stage, entry) = run.stages.iter().find(|(_, entry)| entry.state.is_running())?;
    let digest = Some(Digest(format!("{stage} of {}", run.id)));
    let image = (stage.as_str() == "build").then(|| format!("images/{}.tar", run.id));
    let metrics = BTreeMap::from([("accuracy".to_owned(), 0.91), ("f1".to_owned(), 0.88)]);
    let outputs =
        Outputs { model: entry.writes_model, digest, image, live: entry.release, metrics, ..Outputs::default() };
    let (stage, attempt) = (stage.clone(), entry.attempt);
    Some(Input::Ended { run: run.id, stage, attempt, outcome: Outcome::Passed, outputs, output_held: false })
}
