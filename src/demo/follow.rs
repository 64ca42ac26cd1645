//! Follows the daemon by its event stream: keeps the state as the daemon has it, and tells every event in a line.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;

use super::error::DemoError;
use super::progress;
use crate::api::client::{Client, EventStream};
use crate::api::types::{Live, LogAddress, StreamItem};
use crate::disk::now;
use crate::pipeline::{Moment, Run, RunId, RunResult, StageName, StageState, State, explain};

/// Lines of the log of a failed stage that are shown.
const TAIL: u64 = 30;

/// Which run is waited for: the first one that starts late enough and has seen all data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Goal {
    /// No run before this one counts.
    pub(super) run: RunId,
    /// No run on fewer data files counts.
    pub(super) files: u64,
}

impl Goal {
    /// The newest run that counts and is over, unless it gave way to a newer one.
    fn reached(self, state: &State) -> Option<&Arc<Run>> {
        state.runs.values().rev().find(|run| {
            let is_over = run.result.is_some_and(|result| result != RunResult::Superseded);
            is_over && run.id >= self.run && run.inputs.data.count >= self.files
        })
    }
}

/// One who listens to a daemon.
pub(super) struct Follower<'a, W> {
    client: Client,
    stream: EventStream,
    state: State,
    live: Live,
    problems: BTreeMap<String, String>,
    start: Moment,
    waiting_for: &'static str,
    out: &'a mut W,
}

impl<'a, W: Write> Follower<'a, W> {
    /// Begins with the present state; what happened before is not told.
    pub(super) async fn begin(client: Client, out: &'a mut W) -> Result<Self, DemoError> {
        let snapshot = client.snapshot().await?;
        let stream = client.events(snapshot.state.sequence).await?;
        let waiting_for = "the daemon";
        let (live, problems) = (Live::default(), BTreeMap::new());
        Ok(Self { client, stream, state: snapshot.state, live, problems, start: now(), waiting_for, out })
    }

    /// The client that is used.
    pub(super) fn client(&self) -> &Client {
        &self.client
    }

    /// The state as far as it was told.
    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// What is being waited for, for the one who loses patience.
    pub(super) fn waiting_for(&self) -> &'static str {
        self.waiting_for
    }

    /// Says what is waited for from now on.
    pub(super) fn wait_for(&mut self, what: &'static str) {
        self.waiting_for = what;
    }

    /// Waits until `test` holds for the state.
    pub(super) async fn until(&mut self, test: impl Fn(&State) -> bool) -> Result<(), DemoError> {
        while !test(&self.state) {
            self.advance().await?;
        }
        Ok(())
    }

    /// Waits for the end of the run; one that did not pass is an error.
    pub(super) async fn until_passed(&mut self, goal: Goal) -> Result<Arc<Run>, DemoError> {
        loop {
            if let Some(run) = goal.reached(&self.state) {
                let run = Arc::clone(run);
                return match run.result {
                    Some(RunResult::Passed) => Ok(run),
                    _ => Err(self.not_passed(&run).await?),
                };
            }
            self.advance().await?;
        }
    }

    /// Tells something that is no event.
    pub(super) fn say(&mut self, text: &str) -> io::Result<()> {
        self.say_at(now(), text)
    }

    fn say_at(&mut self, at: Moment, text: &str) -> io::Result<()> {
        let offset = format!("+{}s", progress::seconds(at.since(self.start)));
        writeln!(self.out, "{offset:>7}  {text}")?;
        // Each line is for somebody who is waiting.
        self.out.flush()
    }

    async fn advance(&mut self) -> Result<(), DemoError> {
        match self.stream.next().await {
            Some(Ok(StreamItem::Event(recorded))) => {
                self.state.apply(&recorded)?;
                self.say_at(recorded.at, &progress::line(&recorded.event))?;
                Ok(())
            }
            Some(Ok(StreamItem::Live(live))) => {
                self.live = live;
                self.tell_problems()
            }
            Some(Ok(StreamItem::Changes(changes))) => {
                for change in changes {
                    self.live.change(change);
                }
                self.tell_problems()
            }
            Some(Ok(StreamItem::Behind)) => {
                let snapshot = self.client.snapshot().await?;
                self.stream = self.client.events(snapshot.state.sequence).await?;
                self.state = snapshot.state;
                Ok(())
            }
            Some(Err(error)) => Err(error.into()),
            None => Err(DemoError::DaemonEnded),
        }
    }

    /// A problem is told when it comes, not for as long as it stays.
    fn tell_problems(&mut self) -> Result<(), DemoError> {
        let problems = self.live.problems.clone();
        for (subject, problem) in &problems {
            if self.problems.get(subject) != Some(problem) {
                self.say(&format!("problem with the {subject}: {problem}"))?;
            }
        }
        self.problems = problems;
        Ok(())
    }

    /// Why a run did not pass; the end of the log of the stage that is to blame is told.
    async fn not_passed(&mut self, run: &Run) -> Result<DemoError, DemoError> {
        let mut stages = self.state.graph.stages().iter();
        let failed = stages.find_map(|spec| Some((spec.name.clone(), failure(run, &spec.name)?)));
        if let Some((stage, reason)) = failed {
            self.tell_log(run, &stage).await?;
            return Ok(DemoError::StageFailed { run: run.id, stage, reason });
        }
        let result = run.result.map_or("not over", explain::result);
        let held = run.stages.iter().find_map(|(stage, entry)| match &entry.state {
            StageState::NotRun { obstacle } => Some(format!(": {stage}: {}", explain::obstacle(obstacle))),
            _ => None,
        });
        Ok(DemoError::NotPassed { run: run.id, result, reason: held.unwrap_or_default() })
    }

    async fn tell_log(&mut self, run: &Run, stage: &StageName) -> Result<(), DemoError> {
        let Some(attempt) = run.stages.get(stage).map(|entry| entry.attempt) else { return Ok(()) };
        let log = LogAddress { run: run.id, stage: stage.clone(), attempt };
        // A stage that could not be started has no log; the reason is told all the same.
        let Ok(window) = self.client.log_tail(&log, TAIL).await else { return Ok(()) };
        writeln!(self.out, "the last lines of {stage}:")?;
        for line in window.lines {
            // What a stage prints must not steer the terminal of whoever reads it here.
            let text: String = line.text.chars().filter(|letter| *letter == '\t' || !letter.is_control()).collect();
            writeln!(self.out, "    {text}")?;
        }
        Ok(self.out.flush()?)
    }
}

/// Why the stage failed, if it did.
fn failure(run: &Run, stage: &StageName) -> Option<String> {
    let entry = run.stages.get(stage)?;
    match &entry.state {
        StageState::Failed { failure } => {
            let tests = entry.outputs.as_ref().and_then(|outputs| outputs.tests.as_ref());
            Some(progress::reason(failure, tests))
        }
        StageState::Interrupted => Some("nobody saw how it ended".to_owned()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{DataSet, Digest, Inputs, Selection, SourceState, Trigger};

    fn state(runs: &[(u64, u64, Option<RunResult>)]) -> State {
        let run = |&(id, count, result): &(u64, u64, Option<RunResult>)| Run {
            id: RunId(id),
            trigger: Trigger::FirstStart,
            selection: Selection::default(),
            inputs: Inputs {
                data: DataSet { digest: Digest(String::new()), count, rows: 0, files: Vec::new() },
                source: SourceState { digest: Digest(String::new()), commit: None, branch: None, dirty: false },
                stage_sources: BTreeMap::new(),
            },
            stages: BTreeMap::new(),
            created: Moment(0),
            started: None,
            ended: None,
            stopping: None,
            result,
        };
        let runs = runs.iter().map(|given| (RunId(given.0), Arc::new(run(given)))).collect();
        State { runs, ..State::default() }
    }

    #[test]
    fn only_a_finished_run_on_all_the_data_is_the_one_that_is_waited_for() {
        let goal = Goal { run: RunId(2), files: 2 };
        let reached = |runs: &[_]| goal.reached(&state(runs)).map(|run| run.id.0);
        let passed = Some(RunResult::Passed);
        assert_eq!(reached(&[(1, 2, passed)]), None);
        assert_eq!(reached(&[(2, 1, passed)]), None);
        assert_eq!(reached(&[(2, 2, None)]), None);
        assert_eq!(reached(&[(2, 2, Some(RunResult::Superseded)), (3, 2, None)]), None);
        assert_eq!(reached(&[(2, 2, Some(RunResult::Superseded)), (3, 2, passed)]), Some(3));
        assert_eq!(reached(&[(2, 2, Some(RunResult::Failed))]), Some(2));
    }
}
