//! What follows once an input is noted: every run and stage moves on until nothing more does.
//!
//! A run that waits gets its turn, a stage that may go on is considered, one of a run that is told to stop is stopped or
//! dropped, and a run of which every stage is over ends.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::consider::{Circumstances, Next, identity};
use super::decide::Draft;
use super::event::Event;
use super::graph::{StageKind, StageSpec};
use super::hold::Permit;
use super::ids::{Attempt, RunId, StageName};
use super::inputs::Fingerprint;
use super::reason::{Obstacle, RunResult, StopReason, Trigger, Why};
use super::run::{Run, StageState, Stopping};
use super::state::ApplyError;

impl Draft {
    /// Moves everything on until nothing more follows. Each turn notes at least one event and every run and stage only
    /// moves forward, so it ends.
    pub(super) fn settle(&mut self) -> Result<(), ApplyError> {
        loop {
            let before = self.place();
            self.settle_queue()?;
            if let Some(run) = self.state.active_run().map(|run| run.id) {
                self.settle_stages(run)?;
                self.settle_end(run)?;
            }
            if self.place() == before {
                return Ok(());
            }
        }
    }

    /// Ends waiting runs that were stopped and gives the oldest of the others its turn when no run is active.
    fn settle_queue(&mut self) -> Result<(), ApplyError> {
        let waiting: Vec<Arc<Run>> =
            self.state.runs.values().filter(|run| run.started.is_none() && !run.is_finished()).cloned().collect();
        let mut is_free = self.state.active_run().is_none();
        for run in waiting {
            if run.stopping.is_some() {
                self.settle_stages(run.id)?;
                self.settle_end(run.id)?;
            } else if is_free {
                self.note(Event::RunStarted { run: run.id })?;
                is_free = false;
            }
        }
        Ok(())
    }

    fn settle_stages(&mut self, id: RunId) -> Result<(), ApplyError> {
        // Stages by their specification; those that left the configuration with a run under way are dropped last.
        let specs: Vec<StageSpec> = self.state.graph.stages().to_vec();
        for spec in &specs {
            let Some(run) = self.state.runs.get(&id).cloned() else { return Ok(()) };
            let Some(stage) = run.stages.get(&spec.name) else { continue };
            if run.stopping.is_some() {
                self.stop_stage(&run, spec, &stage.state)?;
            } else if stage.state == StageState::Waiting {
                self.settle_stage(&run, spec)?;
            }
        }
        let Some(run) = self.state.runs.get(&id).cloned() else { return Ok(()) };
        for (name, stage) in &run.stages {
            let is_gone = self.state.graph.get(name).is_none();
            if is_gone && !stage.state.is_final() {
                if stage.state.is_running() {
                    self.stop_running(id, name, &stage.state)?;
                } else {
                    self.note(Event::StageDropped { run: id, stage: name.clone() })?;
                }
            }
        }
        Ok(())
    }

    fn stop_stage(&mut self, run: &Run, spec: &StageSpec, state: &StageState) -> Result<(), ApplyError> {
        match state {
            StageState::Waiting
            | StageState::Checking { .. }
            | StageState::Retrying { .. }
            | StageState::AwaitingApproval { .. } => {
                self.note(Event::StageDropped { run: run.id, stage: spec.name.clone() })
            }
            // A deploy is never left half swapped: it ends by itself.
            StageState::Running { .. } if spec.kind != StageKind::Deploy => {
                self.stop_running(run.id, &spec.name, state)
            }
            _ => Ok(()),
        }
    }

    fn stop_running(&mut self, run: RunId, stage: &StageName, state: &StageState) -> Result<(), ApplyError> {
        match state {
            StageState::Running { stopping: None, .. } => {
                self.note(Event::StageStopping { run, stage: stage.clone(), why: Stopping::WithRun })
            }
            _ => Ok(()),
        }
    }

    fn settle_stage(&mut self, run: &Run, spec: &StageSpec) -> Result<(), ApplyError> {
        let mut needs = BTreeMap::new();
        if !run.trigger.is_rollback() {
            for need in &spec.needs {
                let Some(needed) = run.stages.get(need) else { continue };
                match &needed.state {
                    StageState::Passed | StageState::Skipped { .. } => {}
                    state if !state.is_final() => return Ok(()),
                    state => {
                        let obstacle = obstacle_of(run, spec, need, state);
                        return self.note(Event::StageNotRun { run: run.id, stage: spec.name.clone(), obstacle });
                    }
                }
                if let Some(digest) = identity(needed) {
                    needs.insert(need.clone(), digest);
                }
            }
        }
        let circumstances =
            Circumstances { state: &self.state, inputs: &run.inputs, selection: &run.selection, trigger: &run.trigger };
        let (id, stage) = (run.id, spec.name.clone());
        match circumstances.consider(spec, needs) {
            Next::Start(why, fingerprint) => self.start(id, spec, why, fingerprint),
            Next::Check { earlier, fingerprint, outputs } => {
                self.note(Event::StageChecking { run: id, stage, earlier, fingerprint, outputs })
            }
            Next::Skip(reason) => self.note(Event::StageSkipped { run: id, stage, reason }),
            Next::NotRun(obstacle) => self.note(Event::StageNotRun { run: id, stage, obstacle }),
        }
    }

    /// Every start of a stage comes by here, so that none goes past a lock or an approval that is wanted. What a lock holds
    /// stays as it is; what is approved is considered anew, for the world may have moved on meanwhile.
    pub(super) fn start(
        &mut self,
        run: RunId,
        spec: &StageSpec,
        why: Why,
        fingerprint: Fingerprint,
    ) -> Result<(), ApplyError> {
        let Some(owner) = self.state.runs.get(&run).cloned() else { return Err(ApplyError::UnknownRun(run)) };
        match self.state.permit(&owner, spec) {
            Permit::Granted => {}
            Permit::Locked => return Ok(()),
            Permit::Ask(of) => return self.note(Event::ApprovalWanted { run, stage: spec.name.clone(), of }),
        }
        let attempt = owner.stages.get(&spec.name).map_or(Attempt(1), |stage| stage.attempt.next());
        let is_deploy = spec.kind == StageKind::Deploy;
        if is_deploy
            && let Trigger::Manual { by } | Trigger::Rollback { by, .. } | Trigger::Promotion { by, .. } =
                owner.trigger.clone()
            && let Some(release) = self.state.quarantine(&fingerprint)
        {
            self.note(Event::QuarantineLifted { release, by })?;
        }
        self.note(Event::StageStarted {
            run,
            stage: spec.name.clone(),
            attempt,
            why,
            fingerprint,
            deadline: spec.timeout.map(|timeout| self.at.plus(timeout)),
            model: spec.produces_model.then(|| self.state.last_model.next()),
            release: is_deploy.then(|| self.state.last_release.next()),
        })
    }

    fn settle_end(&mut self, id: RunId) -> Result<(), ApplyError> {
        let Some(run) = self.state.runs.get(&id).cloned() else { return Ok(()) };
        if run.is_finished() || !run.stages.values().all(|stage| stage.state.is_final()) {
            return Ok(());
        }
        self.note(Event::RunFinished { run: id, result: result_of(&run) })?;
        if run.trigger.is_rollback() { self.resume_behind(id) } else { Ok(()) }
    }
}

fn obstacle_of(run: &Run, spec: &StageSpec, need: &StageName, state: &StageState) -> Obstacle {
    let is_selected = run.selection.from.as_ref() == Some(&spec.name);
    match state {
        StageState::NotRun { obstacle: Obstacle::NotSelected | Obstacle::NeedStale { .. } } if is_selected => {
            Obstacle::NeedStale { stage: need.clone() }
        }
        StageState::NotRun { obstacle: Obstacle::NotSelected } => Obstacle::NotSelected,
        StageState::NotRun { .. } => Obstacle::NeedNotRun { stage: need.clone() },
        _ => Obstacle::NeedFailed { stage: need.clone() },
    }
}

/// What a stage did counts before what was asked of the run: one that was told to stop while its last stage passed has passed.
fn result_of(run: &Run) -> RunResult {
    let any = |test: fn(&StageState) -> bool| run.stages.values().any(|stage| test(&stage.state));
    if any(|state| matches!(state, StageState::Cancelled)) || run.started.is_none() {
        return match &run.stopping {
            Some(StopReason::Superseded { .. }) => RunResult::Superseded,
            Some(StopReason::Cancelled { .. }) | None => RunResult::Cancelled,
        };
    }
    if any(|state| matches!(state, StageState::Failed { .. } | StageState::Interrupted)) {
        RunResult::Failed
    } else if any(|state| matches!(state, StageState::NotRun { .. })) {
        RunResult::Held
    } else {
        RunResult::Passed
    }
}
