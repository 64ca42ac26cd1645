//! The state of a project: the fold of all its events.
//!
//! [`State::apply`] is the only mutation. It records and never decides; given the same events it gives the same state.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::alert::Alerts;
use super::event::{Command, Event, Recorded};
use super::graph::{Graph, StageKind};
use super::hold::Lock;
use super::ids::{Attempt, ModelVersion, Moment, ReleaseId, RunId, StageName};
use super::inputs::{Fingerprint, Inputs};
use super::reason::{Outcome, Why};
use super::registry::{Fate, Model, Note, Promotion, Registry};
use super::release::{Release, ReleaseStatus};
use super::run::{Outputs, Run, StageRun, StageState};

/// Finished runs beyond this many are forgotten by the state; the journal keeps them.
pub const RUNS_KEPT: usize = 200;
/// Passes of a stage beyond this many are forgotten: a return to older inputs then works anew.
pub const PASSES_KEPT: usize = 10;
/// Releases beyond this many are forgotten, the oldest first.
pub const RELEASES_KEPT: usize = 200;

/// A stage passed, on these inputs, with these outputs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Pass {
    /// In this run.
    pub run: RunId,
    /// On what.
    pub fingerprint: Fingerprint,
    /// What it gave.
    pub outputs: Outputs,
    /// Milliseconds it took.
    pub took: u64,
}

/// Why an event does not fit the state; it means a damaged journal or a defect, and is never guessed around.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// Events are missing or doubled.
    #[error("event {found} follows event {last}; the journal has a hole or an event twice")]
    Sequence {
        /// The last one applied.
        last: u64,
        /// The one that came.
        found: u64,
    },
    /// An event speaks of a run that is not there.
    #[error("an event speaks of run {0}, which is unknown")]
    UnknownRun(RunId),
    /// An event speaks of a stage that its run does not have.
    #[error("an event speaks of stage `{stage}` of run {run}, which is unknown")]
    UnknownStage {
        /// The run.
        run: RunId,
        /// The stage.
        stage: StageName,
    },
    /// An event speaks of a release that is not there.
    #[error("an event speaks of release {0}, which is unknown")]
    UnknownRelease(ReleaseId),
    /// An event speaks of a model that is not there.
    #[error("an event speaks of model {0}, which is unknown")]
    UnknownModel(ModelVersion),
}

/// Everything the pipeline knows.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct State {
    /// The number of the last event applied.
    pub sequence: u64,
    /// The stages.
    pub graph: Graph,
    /// Data and source as last seen.
    pub inputs: Option<Inputs>,
    /// Data files that were held back, and why.
    pub refused: BTreeMap<String, String>,
    /// Runs, the finished ones up to [`RUNS_KEPT`].
    pub runs: BTreeMap<RunId, Arc<Run>>,
    /// The passes of each stage, the latest last.
    pub passes: BTreeMap<StageName, Arc<Vec<Pass>>>,
    /// Releases.
    pub releases: BTreeMap<ReleaseId, Arc<Release>>,
    /// The release that serves.
    pub live: Option<ReleaseId>,
    /// The highest run number given.
    pub last_run: RunId,
    /// The highest model version given.
    pub last_model: ModelVersion,
    /// The highest release number given.
    pub last_release: ReleaseId,
    /// Alerts that fire, silences, and what alerts have led to.
    #[serde(default)]
    pub alerts: Alerts,
    /// Model versions and champions.
    #[serde(default)]
    pub registry: Registry,
    /// What holds automation off deploys.
    #[serde(default)]
    pub lock: Option<Lock>,
    /// What people said when they asked for a run, as long as the run is remembered.
    #[serde(default)]
    pub messages: BTreeMap<RunId, String>,
}

impl State {
    /// Applies one event of the journal; its number must follow the last.
    pub fn apply(&mut self, recorded: &Recorded) -> Result<(), ApplyError> {
        if recorded.sequence != self.sequence + 1 {
            return Err(ApplyError::Sequence { last: self.sequence, found: recorded.sequence });
        }
        self.apply_event(recorded.at, &recorded.event)?;
        self.sequence = recorded.sequence;
        Ok(())
    }

    /// The run whose turn it is.
    pub fn active_run(&self) -> Option<&Arc<Run>> {
        self.runs.values().rev().find(|run| run.is_active())
    }

    /// The run that waits for its turn.
    pub fn queued_run(&self) -> Option<&Arc<Run>> {
        self.runs.values().rev().find(|run| run.started.is_none() && !run.is_finished())
    }

    /// The newest run.
    pub fn latest_run(&self) -> Option<&Arc<Run>> {
        self.runs.values().next_back()
    }

    /// The release that serves.
    pub fn live_release(&self) -> Option<&Arc<Release>> {
        self.live.and_then(|id| self.releases.get(&id))
    }

    /// The last pass of a stage.
    pub fn last_pass(&self, stage: &StageName) -> Option<&Pass> {
        self.passes.get(stage).and_then(|passes| passes.last())
    }

    /// The pass of a stage on equal inputs.
    pub fn pass_on(&self, stage: &StageName, fingerprint: &Fingerprint) -> Option<&Pass> {
        self.passes.get(stage)?.iter().rev().find(|pass| pass.fingerprint == *fingerprint)
    }

    /// The release that was rejected on these inputs, if automation must not deploy them.
    pub fn quarantine(&self, fingerprint: &Fingerprint) -> Option<ReleaseId> {
        self.releases
            .values()
            .rev()
            .find(|release| {
                release.status == ReleaseStatus::Rejected && release.fingerprint.as_ref() == Some(fingerprint)
            })
            .map(|release| release.id)
    }

    /// The release to which a rollback without a number goes: the last that was live, with another image than the live one.
    pub fn rollback_target(&self) -> Option<&Arc<Release>> {
        let live_image = self.live_release().and_then(|live| live.image.as_ref());
        self.releases.values().rev().find(|release| {
            release.status == ReleaseStatus::Retired
                && release.archive.is_some()
                && release.image.as_ref() != live_image
        })
    }

    /// The next moment at which [`super::Input::Tick`] has something to do.
    pub fn next_timer(&self) -> Option<Moment> {
        let lock = self.lock.as_ref().and_then(|lock| lock.until);
        let stages = self.active_run().into_iter().flat_map(|run| {
            run.stages.iter().filter_map(move |(name, stage)| match &stage.state {
                StageState::Running { deadline, stopping: None, .. } => *deadline,
                // What a lock holds has no time of its own: it goes on when the lock ends.
                StageState::Retrying { at, .. } => {
                    let is_held = self.graph.get(name).is_some_and(|spec| self.is_held(run, spec));
                    (!is_held).then_some(*at)
                }
                _ => None,
            })
        });
        stages.chain(lock).min()
    }

    /// Records what an event says, without its place in history.
    pub(super) fn apply_event(&mut self, at: Moment, event: &Event) -> Result<(), ApplyError> {
        match event {
            Event::Configured { graph } => self.graph = graph.clone(),
            Event::InputsObserved { inputs } => {
                self.refused.retain(|file, _| !inputs.data.files.iter().any(|known| known.path == *file));
                self.inputs = Some(inputs.clone());
            }
            Event::DataRefused { .. } | Event::DataRefusalEnded { .. } => self.refusal_changes(event),
            Event::RunCreated { run, trigger, selection, inputs } => {
                self.last_run = *run;
                let stages = self.graph.stages().iter().map(|spec| (spec.name.clone(), StageRun::waiting())).collect();
                let created = Run {
                    id: *run,
                    trigger: trigger.clone(),
                    selection: selection.clone(),
                    inputs: inputs.clone(),
                    stages,
                    created: at,
                    started: None,
                    ended: None,
                    stopping: None,
                    result: None,
                };
                self.runs.insert(*run, Arc::new(created));
            }
            Event::RunStarted { run } => self.run_mut(*run)?.started = Some(at),
            Event::RunStopping { run, reason } => self.run_mut(*run)?.stopping = Some(reason.clone()),
            Event::RunFinished { run, result } => {
                let run = self.run_mut(*run)?;
                run.ended = Some(at);
                run.result = Some(*result);
                // The list may be long, and only a stage that starts needs it.
                run.inputs.data.files = Vec::new();
                self.forget_old_runs();
            }
            Event::StageChecking { run, stage, earlier, fingerprint, outputs } => {
                let stage = self.stage_mut(*run, stage)?;
                stage.state = StageState::Checking { earlier: *earlier };
                stage.fingerprint = Some(fingerprint.clone());
                stage.outputs = Some(outputs.clone());
            }
            Event::StageSkipped { run, stage, reason } => {
                self.stage_mut(*run, stage)?.state = StageState::Skipped { reason: reason.clone() };
            }
            Event::StageNotRun { run, stage, obstacle } => {
                self.stage_mut(*run, stage)?.state = StageState::NotRun { obstacle: obstacle.clone() };
                self.alerts.forget_answer(obstacle, self.live);
            }
            Event::StageStarted { run, stage, attempt, why, fingerprint, deadline, model, release } => {
                if matches!(why, Why::OutputsLost { .. })
                    && let Some(passes) = self.passes.get_mut(stage)
                {
                    Arc::make_mut(passes).retain(|pass| pass.fingerprint != *fingerprint);
                }
                let champion = self.registry.champions.get(stage).copied().filter(|_| model.is_some());
                let entry = self.stage_mut(*run, stage)?;
                entry.champion = champion;
                entry.state = StageState::Running { since: at, deadline: *deadline, stopping: None };
                entry.attempt = *attempt;
                entry.why = Some(why.clone());
                entry.fingerprint = Some(fingerprint.clone());
                entry.writes_model = *model;
                entry.release = *release;
                entry.outputs = None;
                entry.started = entry.started.or(Some(at));
                entry.ended = None;
                self.last_model = self.last_model.max(model.unwrap_or_default());
                if let Some(id) = release {
                    self.release_starts(at, *id, *run, stage, why, fingerprint)?;
                }
            }
            Event::StageStopping { run, stage, why } => {
                if let StageState::Running { stopping, .. } = &mut self.stage_mut(*run, stage)?.state {
                    *stopping = Some(*why);
                }
            }
            Event::StageFinished { run, stage, attempt, outcome, outputs, output_held } => {
                self.stage_finishes(at, *run, stage, *attempt, outcome, outputs, *output_held)?;
            }
            Event::StageRetrying { run, stage, at } => {
                let stage = self.stage_mut(*run, stage)?;
                stage.state = StageState::Retrying { failed: stage.attempt, at: *at };
            }
            Event::StageDropped { run, stage } => self.stage_mut(*run, stage)?.state = StageState::Cancelled,
            Event::ReleaseRejected { release } => {
                self.release_mut(*release)?.status = ReleaseStatus::Rejected;
            }
            Event::QuarantineLifted { release, .. } => {
                self.release_mut(*release)?.status = ReleaseStatus::Abandoned;
            }
            Event::Noted { .. } | Event::Commanded { .. } | Event::DaemonEnded { .. } => self.message_comes(event),
            Event::AlertFired { .. }
            | Event::AlertResolved { .. }
            | Event::AlertSilenced { .. }
            | Event::SilenceLifted { .. } => self.alerts.record(at, event, &self.releases),
            Event::ModelPromoted { .. } | Event::ModelNoted { .. } => self.registry_changes(at, event)?,
            Event::Locked { .. } | Event::Unlocked { .. } | Event::ApprovalWanted { .. } | Event::Approved { .. } => {
                self.hold_changes(at, event)?;
            }
        }
        Ok(())
    }

    /// Of what changes nothing else, what somebody said when he asked for a run. The run comes behind it, as all does that
    /// follows from a command.
    fn message_comes(&mut self, event: &Event) {
        let Event::Commanded { run: Some(run), command, message, .. } = event else { return };
        let is_for_a_run = matches!(command, Command::Run(_) | Command::Rollback { .. });
        if is_for_a_run && !message.trim().is_empty() {
            self.messages.insert(*run, message.clone());
        }
    }

    /// What an event says of a data file that is held back.
    fn refusal_changes(&mut self, event: &Event) {
        match event {
            Event::DataRefused { file, reason } => self.refused.insert(file.clone(), reason.clone()),
            Event::DataRefusalEnded { file } => self.refused.remove(file),
            _ => None,
        };
    }

    #[expect(clippy::too_many_arguments, reason = "the parts of one event, taken apart once")]
    fn stage_finishes(
        &mut self,
        at: Moment,
        run: RunId,
        name: &StageName,
        attempt: Attempt,
        outcome: &Outcome,
        outputs: &Outputs,
        output_held: bool,
    ) -> Result<(), ApplyError> {
        let is_deploy = self.graph.get(name).is_some_and(|spec| spec.kind == StageKind::Deploy);
        let stage = self.stage_mut(run, name)?;
        stage.state = match outcome {
            Outcome::Passed => StageState::Passed,
            Outcome::Failed(failure) => StageState::Failed { failure: failure.clone() },
            Outcome::Cancelled => StageState::Cancelled,
            Outcome::Interrupted => StageState::Interrupted,
        };
        stage.attempt = attempt;
        stage.ended = Some(at);
        stage.outputs = Some(outputs.clone());
        stage.output_held = output_held;
        let took = stage.took(at).unwrap_or(0);
        let release = stage.release;
        let made = Fate::of(outcome).zip(outputs.model.filter(|version| stage.writes_model == Some(*version)));
        let made = made.map(|(fate, version)| Model {
            version,
            stage: name.clone(),
            run,
            made: at,
            took,
            fate,
            outputs: outputs.clone(),
            fingerprint: stage.fingerprint.clone(),
            parent: stage.champion,
            notes: Vec::new(),
        });
        // One that was not compared with the present champion must not come into service in its place.
        let champion = stage.champion;
        let is_overtaken = stage.writes_model.is_some() && champion != self.registry.champions.get(name).copied();
        let stage = self.stage_mut(run, name)?;
        if *outcome == Outcome::Passed
            && !is_overtaken
            && let Some(fingerprint) = stage.fingerprint.clone()
        {
            self.passed(name, Pass { run, fingerprint, outputs: outputs.clone(), took });
        }
        if let Some(model) = made {
            self.registry.add(model);
        }
        if is_deploy && let Some(release) = release {
            self.deploy_ends(at, release, outcome, outputs)?;
        }
        Ok(())
    }

    /// What an event says of a model and of champions.
    fn registry_changes(&mut self, at: Moment, event: &Event) -> Result<(), ApplyError> {
        match event {
            Event::ModelPromoted { model, stage, former, by, message, stands_for } => {
                if let Some(fingerprint) = stands_for {
                    self.stands_for(*model, fingerprint)?;
                }
                let (stage, model, former, by) = (stage.clone(), *model, *former, by.clone());
                self.registry.promote(Promotion { at, stage, model, former, by, message: message.clone() });
                Ok(())
            }
            Event::ModelNoted { model, by, text } => {
                let is_known = self.registry.note(*model, Note { at, by: by.clone(), text: text.clone() });
                if is_known { Ok(()) } else { Err(ApplyError::UnknownModel(*model)) }
            }
            _ => Ok(()),
        }
    }

    /// Remembers a pass as the latest of its stage.
    fn passed(&mut self, stage: &StageName, pass: Pass) {
        let passes = Arc::make_mut(self.passes.entry(stage.clone()).or_default());
        passes.retain(|known| known.fingerprint != pass.fingerprint);
        passes.push(pass);
        let surplus = passes.len().saturating_sub(PASSES_KEPT);
        passes.drain(..surplus);
    }

    /// As if the stage had made this model on these inputs: what comes next finds it up to date, and uses it.
    fn stands_for(&mut self, model: ModelVersion, fingerprint: &Fingerprint) -> Result<(), ApplyError> {
        let model = self.registry.models.get(&model).cloned().ok_or(ApplyError::UnknownModel(model))?;
        let (outputs, fingerprint) = (model.outputs.clone(), fingerprint.clone());
        self.passed(&model.stage, Pass { run: model.run, fingerprint, outputs, took: model.took });
        Ok(())
    }

    fn release_starts(
        &mut self,
        at: Moment,
        id: ReleaseId,
        run: RunId,
        stage: &StageName,
        why: &Why,
        fingerprint: &Fingerprint,
    ) -> Result<(), ApplyError> {
        let repeated = match why {
            Why::Rollback { to } => Some(self.releases.get(to).ok_or(ApplyError::UnknownRelease(*to))?.clone()),
            _ => None,
        };
        let owner = self.runs.get(&run).ok_or(ApplyError::UnknownRun(run))?;
        let image = owner.image_for(&self.graph, stage).cloned().unwrap_or_default();
        let release = Release {
            id,
            run,
            stage: stage.clone(),
            repeats: repeated.as_ref().map(|release| release.id),
            image: repeated.as_ref().map_or(image.digest, |release| release.image.clone()),
            archive: repeated.as_ref().map_or(image.image, |release| release.archive.clone()),
            model: repeated.as_ref().map_or_else(|| owner.model_for(&self.graph, stage), |release| release.model),
            commit: repeated.as_ref().map_or_else(|| owner.inputs.source.label(), |release| release.commit.clone()),
            fingerprint: Some(fingerprint.clone()),
            started: at,
            live_since: None,
            ended: None,
            address: None,
            status: ReleaseStatus::Starting,
        };
        self.last_release = self.last_release.max(id);
        self.releases.insert(id, Arc::new(release));
        while self.releases.len() > RELEASES_KEPT {
            let oldest = self.releases.keys().copied().find(|id| Some(*id) != self.live);
            match oldest {
                Some(oldest) => self.releases.remove(&oldest),
                None => break,
            };
        }
        Ok(())
    }

    /// What the target says is live decides; only where it could not be asked does the outcome stand for it.
    fn deploy_ends(
        &mut self,
        at: Moment,
        id: ReleaseId,
        outcome: &Outcome,
        outputs: &Outputs,
    ) -> Result<(), ApplyError> {
        let live = outputs.live.or_else(|| (*outcome == Outcome::Passed).then_some(id));
        if live != Some(id) {
            let release = self.release_mut(id)?;
            release.status = ReleaseStatus::Abandoned;
            release.ended = Some(at);
            return Ok(());
        }
        if let Some(old) = self.live.filter(|old| *old != id)
            && let Some(old) = self.releases.get_mut(&old)
        {
            let old = Arc::make_mut(old);
            old.status = ReleaseStatus::Retired;
            old.ended = Some(at);
        }
        let release = self.release_mut(id)?;
        release.status = ReleaseStatus::Live;
        release.live_since = Some(at);
        release.address.clone_from(&outputs.address);
        self.live = Some(id);
        Ok(())
    }

    fn forget_old_runs(&mut self) {
        while self.runs.len() > RUNS_KEPT {
            let oldest = self.runs.values().find(|run| run.is_finished()).map(|run| run.id);
            match oldest {
                Some(oldest) => self.runs.remove(&oldest),
                None => break,
            };
        }
        if let Some(oldest) = self.runs.keys().next().copied() {
            self.messages = self.messages.split_off(&oldest);
        }
    }

    fn run_mut(&mut self, run: RunId) -> Result<&mut Run, ApplyError> {
        self.runs.get_mut(&run).map(Arc::make_mut).ok_or(ApplyError::UnknownRun(run))
    }

    pub(super) fn stage_mut(&mut self, run: RunId, stage: &StageName) -> Result<&mut StageRun, ApplyError> {
        self.run_mut(run)?.stages.get_mut(stage).ok_or_else(|| ApplyError::UnknownStage { run, stage: stage.clone() })
    }

    fn release_mut(&mut self, release: ReleaseId) -> Result<&mut Release, ApplyError> {
        self.releases.get_mut(&release).map(Arc::make_mut).ok_or(ApplyError::UnknownRelease(release))
    }
}
