//! What happens next: `decide(&State, Input) -> Decision`, a pure function.
//!
//! First the direct consequences of the input are noted, then [`super::settle`] moves every run and stage on until nothing
//! more follows. Each noted event is applied to a draft of the state at once, so every later rule sees the earlier ones.
//! The rules of what a *stage* does live in [`super::consider`], what holds one back in [`super::hold`], what follows from an
//! alert in [`super::react`], what operators ask for in [`super::command`]; those of inputs and new runs live here.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::event::Event;
use super::explain::{PlannedAction, plan};
use super::graph::StageKind;
use super::ids::{Attempt, Moment, ReleaseId, RunId, StageName};
use super::input::Input;
use super::inputs::Inputs;
use super::judge::judge;
use super::reason::{Failure, Obstacle, Outcome, Selection, SkipReason, StopReason, Trigger, Why};
use super::refusal::Refusal;
use super::registry::Promoter;
use super::run::{Outputs, Run, StageState, Stopping};
use super::state::{ApplyError, State};

/// Milliseconds before a failed attempt is repeated; doubled with each further one.
const RETRY_DELAY: u64 = 1_000;
/// The exit code by which the deploy stage says that the release itself was found unfit.
const REJECTED: i32 = 1;

/// What follows from an input.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Decision {
    /// What happens, in order.
    pub events: Vec<Event>,
    /// For a command: the run it made, stopped or let go on, if it speaks of one; or why it was refused.
    pub reply: Option<Result<Option<RunId>, Refusal>>,
}

/// Decides what follows from `input` at the moment `at`. An error means that the rules contradict the state: a defect.
pub fn decide(state: &State, input: Input, at: Moment) -> Result<Decision, ApplyError> {
    let mut draft = Draft { state: state.clone(), at, events: Vec::new() };
    let mut reply = None;
    match input {
        Input::Configured(graph) => {
            if draft.state.graph != graph {
                draft.reconfigure(graph)?;
            }
        }
        Input::Observed { inputs, cause, automatic } => draft.observe(inputs, cause, automatic)?,
        Input::DataRefused { file, reason } => {
            if draft.state.refused.get(&file) != Some(&reason) {
                draft.note(Event::DataRefused { file, reason })?;
            }
        }
        Input::HeldBack(files) => draft.held_back(&files)?,
        Input::Command { by, from, message, command } => {
            reply = Some(draft.command(by, from, message, command)?);
        }
        Input::Barred { by, from, message, command, reason } => {
            let refused = Some(Refusal::Barred { reason });
            draft.note(Event::Commanded { by, from, command, message, run: None, refused })?;
        }
        Input::HolderGone(holder) => draft.holder_gone(&holder)?,
        Input::Scheduled { name, selection } => draft.scheduled(name, selection)?,
        Input::Verified { run, stage, intact } => draft.verified(run, &stage, intact)?,
        Input::Ended { run, stage, attempt, outcome, outputs, output_held } => {
            draft.ended(run, &stage, attempt, outcome, outputs, output_held)?;
        }
        Input::Alerts { firing, clear } => draft.alerts(firing, &clear)?,
        Input::Silence { alert, by, message, until } => {
            draft.note(Event::AlertSilenced { alert, by, message, until })?;
        }
        Input::LiftSilence { alert, by } => {
            if draft.state.alerts.silence(&alert, at).is_some() {
                draft.note(Event::SilenceLifted { alert, by })?;
            }
        }
        Input::NoteModel { model, by, text } => {
            if draft.state.registry.models.contains_key(&model) {
                draft.note(Event::ModelNoted { model, by, text })?;
            }
        }
        Input::Remark { by, text } => draft.note(Event::Noted { by: Some(by), text })?,
        Input::EndDaemon { by, from, with_app } => draft.note(Event::DaemonEnded { by, from, with_app })?,
        Input::Tick => draft.tick()?,
        Input::Note(text) => draft.note(Event::Noted { by: None, text })?,
    }
    draft.settle()?;
    Ok(Decision { events: draft.events, reply })
}

/// The state as it will be, and the events that lead there.
pub(super) struct Draft {
    pub(super) state: State,
    pub(super) at: Moment,
    events: Vec<Event>,
}

impl Draft {
    pub(super) fn note(&mut self, event: Event) -> Result<(), ApplyError> {
        self.state.apply_event(self.at, &event)?;
        self.events.push(event);
        Ok(())
    }

    /// The place of the next event, for one whose content follows from those behind it.
    pub(super) fn place(&self) -> usize {
        self.events.len()
    }

    /// Notes an event that changes no state before those that came from `place` on.
    pub(super) fn note_at(&mut self, place: usize, event: Event) -> Result<(), ApplyError> {
        self.state.apply_event(self.at, &event)?;
        self.events.insert(place.min(self.events.len()), event);
        Ok(())
    }

    /// A run under way keeps the stages it was made with only if they are all still there; else it starts anew.
    fn reconfigure(&mut self, graph: super::graph::Graph) -> Result<(), ApplyError> {
        let is_first = self.state.graph.stages().is_empty();
        self.note(Event::Configured { graph })?;
        let unfinished: Vec<Arc<Run>> = self.state.runs.values().filter(|run| !run.is_finished()).cloned().collect();
        let had_unfinished = !unfinished.is_empty();
        for run in unfinished {
            if run.stopping.is_none() && !run.is_deploying(&self.state.graph) {
                self.stop(run.id, StopReason::Superseded { by: self.state.last_run.next() })?;
            }
        }
        match self.state.inputs.clone() {
            // What a new stage depends on has not been seen yet; the look that follows will start the run.
            Some(inputs) if !self.has_seen_all_of(&inputs) => Ok(()),
            Some(inputs) if !is_first && (had_unfinished || self.would_change_something(&inputs)) => {
                self.create(Trigger::Settings, Selection::default(), inputs).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    /// Whether these inputs tell of every stage's part of the source.
    fn has_seen_all_of(&self, inputs: &Inputs) -> bool {
        let mut stages = self.state.graph.stages().iter().filter(|stage| stage.uses_source);
        stages.all(|stage| inputs.stage_sources.contains_key(&stage.name))
    }

    /// Whether a run would do anything at all.
    fn would_change_something(&self, inputs: &Inputs) -> bool {
        let planned = plan(&self.state, &Selection::default());
        !self.lacks_data(inputs) && planned.iter().any(|stage| stage.action == PlannedAction::Run)
    }

    fn observe(&mut self, inputs: Inputs, cause: Option<Trigger>, automatic: bool) -> Result<(), ApplyError> {
        let changed = self.state.inputs.as_ref() != Some(&inputs);
        if changed {
            self.note(Event::InputsObserved { inputs: inputs.clone() })?;
        }
        // Compared with the newest run, not with the last look: what a run has not been given yet still matters.
        if !automatic || !self.is_news(&inputs) {
            return Ok(());
        }
        let trigger = match (cause, self.state.latest_run()) {
            (_, None) => Trigger::FirstStart,
            (Some(cause), Some(_)) => cause,
            (None, Some(_)) => Trigger::ChangedWhileAway,
        };
        self.create(trigger, Selection::default(), inputs).map(|_| ())
    }

    /// Ends what was said of files that were held back once and are not among those of now.
    fn held_back(&mut self, files: &BTreeSet<String>) -> Result<(), ApplyError> {
        let over: Vec<String> = self.state.refused.keys().filter(|file| !files.contains(*file)).cloned().collect();
        over.into_iter().try_for_each(|file| self.note(Event::DataRefusalEnded { file }))
    }

    /// Whether no run has been given inputs that matter to the stages as these do. Runs that looked at one stage only, that
    /// went back to an earlier release, or that gave way to such a one, have done nothing with theirs.
    fn is_news(&self, inputs: &Inputs) -> bool {
        let is_rollback = |run: &Run| run.trigger.is_rollback();
        let gave_way = |run: &Run| match &run.stopping {
            Some(StopReason::Superseded { by }) => self.state.runs.get(by).is_some_and(|by| is_rollback(by)),
            Some(StopReason::Cancelled { .. }) | None => false,
        };
        let newest =
            self.state.runs.values().rev().find(|run| !run.selection.only && !is_rollback(run) && !gave_way(run));
        let matters = newest.is_none_or(|run| inputs.matter_differently(&run.inputs, &self.state.graph));
        matters && !self.lacks_data(inputs) && !self.state.graph.stages().is_empty()
    }

    /// A rollback takes the place of the run under way; what that one was started for is taken up again behind it.
    pub(super) fn resume_behind(&mut self, rollback: RunId) -> Result<(), ApplyError> {
        let gave_way = |run: &&Arc<Run>| run.stopping == Some(StopReason::Superseded { by: rollback });
        let is_by_change = |run: &&Arc<Run>| !run.trigger.is_by_hand() && !run.trigger.is_by_alert();
        let Some(former) = self.state.runs.values().rev().find(gave_way).filter(is_by_change).cloned() else {
            return Ok(());
        };
        match self.state.inputs.clone() {
            Some(inputs) if self.is_news(&inputs) && self.state.queued_run().is_none() => {
                self.create(former.trigger.clone(), Selection::default(), inputs).map(|_| ())
            }
            _ => Ok(()),
        }
    }

    fn lacks_data(&self, inputs: &Inputs) -> bool {
        inputs.data.count == 0 && self.state.graph.stages().iter().any(|stage| stage.uses_data)
    }

    /// What a schedule asks for, unless the same is under way on the same.
    fn scheduled(&mut self, name: String, selection: Selection) -> Result<(), ApplyError> {
        let Some(inputs) = self.state.inputs.clone() else { return Ok(()) };
        let does_so = |run: &&Arc<Run>| !run.trigger.is_rollback() && run.trigger.promoted().is_none();
        let same = self.state.runs_alike(&selection, &inputs).find(does_so).map(|run| run.id);
        let unknown = selection.from.clone().filter(|from| self.state.graph.get(from).is_none());
        let text = match (same, unknown) {
            (_, Some(stage)) => format!("schedule {name} starts nothing: there is no stage {stage}"),
            (Some(run), None) => format!("schedule {name} starts nothing: run {run} does just this already"),
            (None, None) => return self.create(Trigger::Schedule { name }, selection, inputs).map(drop),
        };
        self.note(Event::Noted { by: None, text })
    }

    /// Makes a run. Those that wait, and the active one unless it deploys, give way to it: the newest wins before deploy.
    /// A run of one stage only replaces nothing, for it would not do the others' work; and what happens by itself does not
    /// take the place of a way back that a person asked for, but comes behind it.
    pub(super) fn create(
        &mut self,
        trigger: Trigger,
        selection: Selection,
        inputs: Inputs,
    ) -> Result<RunId, ApplyError> {
        let id = self.state.last_run.next();
        let (replaces, is_by_hand) = (!selection.only, trigger.is_by_hand());
        let gives_way = |run: &Run| is_by_hand || !(run.trigger.is_by_hand() && run.trigger.is_rollback());
        let unfinished: Vec<Arc<Run>> = self.state.runs.values().filter(|run| !run.is_finished()).cloned().collect();
        self.note(Event::RunCreated { run: id, trigger, selection, inputs })?;
        for run in unfinished {
            let is_free = run.stopping.is_none() && !run.is_deploying(&self.state.graph);
            if replaces && is_free && gives_way(&run) {
                self.stop(run.id, StopReason::Superseded { by: id })?;
            }
        }
        Ok(id)
    }

    pub(super) fn stop(&mut self, run: RunId, reason: StopReason) -> Result<(), ApplyError> {
        self.note(Event::RunStopping { run, reason })
    }

    fn verified(&mut self, run: RunId, stage: &StageName, intact: bool) -> Result<(), ApplyError> {
        let Some(owner) = self.state.runs.get(&run).cloned() else { return Ok(()) };
        let Some(entry) = owner.stages.get(stage) else { return Ok(()) };
        let StageState::Checking { earlier } = entry.state else { return Ok(()) };
        if owner.stopping.is_some() {
            return self.note(Event::StageDropped { run, stage: stage.clone() });
        }
        let Some(spec) = self.state.graph.get(stage).cloned() else { return Ok(()) };
        let live = entry.outputs.as_ref().and_then(|outputs| outputs.live);
        let promoted = owner.trigger.promoted().filter(|_| spec.produces_model);
        let promoted =
            promoted.filter(|model| entry.outputs.as_ref().and_then(|outputs| outputs.model) == Some(*model));
        if intact {
            let reason = match (live, promoted) {
                (Some(release), _) if spec.kind == StageKind::Deploy => SkipReason::AlreadyLive { release },
                (_, Some(model)) => SkipReason::Promoted { model },
                _ => SkipReason::UpToDate { since: earlier },
            };
            return self.note(Event::StageSkipped { run, stage: stage.clone(), reason });
        }
        if let Some(model) = promoted {
            return self.note(Event::StageNotRun {
                run,
                stage: stage.clone(),
                obstacle: Obstacle::ModelLost { model },
            });
        }
        let is_other = owner.selection.only && owner.selection.from.as_ref() != Some(stage);
        if is_other {
            return self.note(Event::StageNotRun { run, stage: stage.clone(), obstacle: Obstacle::NotSelected });
        }
        match entry.fingerprint.clone() {
            Some(fingerprint) => self.start(run, &spec, Why::OutputsLost { since: earlier }, fingerprint),
            None => Ok(()),
        }
    }

    fn ended(
        &mut self,
        run: RunId,
        stage: &StageName,
        attempt: Attempt,
        outcome: Outcome,
        outputs: Outputs,
        output_held: bool,
    ) -> Result<(), ApplyError> {
        let Some(owner) = self.state.runs.get(&run).cloned() else { return Ok(()) };
        let Some(entry) = owner.stages.get(stage).filter(|entry| entry.attempt == attempt) else { return Ok(()) };
        // Told twice, as after a restart of the daemon, the second time changes nothing.
        let StageState::Running { stopping, .. } = entry.state else { return Ok(()) };
        let Some(spec) = self.state.graph.get(stage).cloned() else {
            // The stage was taken out of the configuration while it ran: its end is recorded, its result is not used.
            let (stage, outcome) = (stage.clone(), Outcome::Cancelled);
            return self.note(Event::StageFinished { run, stage, attempt, outcome, outputs, output_held });
        };
        let outcome = judge(&spec, stopping, outcome, &outputs);
        let release = entry.release;
        let previous = self.state.live;
        let live = outputs.live;
        // What passed its gate is the champion from now on; what did not, or had no evidence, is promoted by nobody.
        let is_compared = entry.champion == self.state.registry.champions.get(stage).copied();
        let passed = outcome == Outcome::Passed && is_compared;
        let made = outputs.model.filter(|model| passed && entry.writes_model == Some(*model));
        self.note(Event::StageFinished {
            run,
            stage: stage.clone(),
            attempt,
            outcome: outcome.clone(),
            outputs,
            output_held,
        })?;
        if let Some(model) = made {
            self.promoted(model, stage, Promoter::Gate, String::new(), None)?;
        }
        if let Some(release) = release {
            self.release_ended(&owner, release, previous, live, &outcome)?;
        }
        let may_retry = match &outcome {
            // Equal inputs give the equal model, which the gate would hold back again.
            Outcome::Failed(Failure::Gate { .. }) => false,
            // A rejected release is no accident: the same again would be rejected again.
            Outcome::Failed(_) => spec.kind != StageKind::Deploy && attempt.0 <= u64::from(spec.retries),
            Outcome::Passed | Outcome::Cancelled | Outcome::Interrupted => false,
        };
        if may_retry && owner.stopping.is_none() {
            let delay = RETRY_DELAY.saturating_mul(1 << attempt.0.saturating_sub(1).min(6));
            self.note(Event::StageRetrying { run, stage: stage.clone(), at: self.at.plus(delay) })?;
        }
        Ok(())
    }

    fn release_ended(
        &mut self,
        owner: &Run,
        release: ReleaseId,
        previous: Option<ReleaseId>,
        live: Option<ReleaseId>,
        outcome: &Outcome,
    ) -> Result<(), ApplyError> {
        let is_unfit = matches!(outcome, Outcome::Failed(Failure::Exit { code: REJECTED, .. }));
        if is_unfit && live != Some(release) {
            return self.note(Event::ReleaseRejected { release });
        }
        // Who goes back from a release says that it is unfit.
        if owner.trigger.is_rollback()
            && self.state.live == Some(release)
            && let Some(left) = previous.filter(|left| *left != release)
        {
            return self.note(Event::ReleaseRejected { release: left });
        }
        Ok(())
    }

    fn tick(&mut self) -> Result<(), ApplyError> {
        self.lock_may_end()?;
        let Some(run) = self.state.active_run().cloned() else { return Ok(()) };
        for (name, stage) in &run.stages {
            match &stage.state {
                StageState::Running { deadline: Some(deadline), stopping: None, .. } if *deadline <= self.at => {
                    self.note(Event::StageStopping { run: run.id, stage: name.clone(), why: Stopping::TimedOut })?;
                }
                StageState::Retrying { at, .. } if *at <= self.at && run.stopping.is_none() => {
                    if let (Some(spec), Some(fingerprint)) =
                        (self.state.graph.get(name).cloned(), stage.fingerprint.clone())
                    {
                        self.start(run.id, &spec, Why::Retry, fingerprint)?;
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}
