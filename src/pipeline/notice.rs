//! What of all that happens people want to be told when they do not look: a failure, its end, an alert, a question.
//!
//! The same rule serves the daemon, which writes to webhooks, and the screen, which rings the bell. It looks at the state
//! before the event. A later state gives the same answer for as long as the run or release is remembered, so what happened
//! while nobody told it can be told afterwards.

use serde::{Deserialize, Serialize};

use super::alert::{Answer, Restraint};
use super::event::{Event, Recorded};
use super::explain;
use super::ids::{Moment, ReleaseId, RunId, StageName};
use super::narrate::narrate;
use super::reason::{Outcome, RunResult, SkipReason};
use super::run::{Outputs, Run, StageState};
use super::state::State;

/// Of what kind a notice is; people choose by it what they want to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeKind {
    /// A run failed, or a release that had been live was rejected.
    Failure,
    /// What had failed passes again.
    Recovery,
    /// An alert fires.
    Alert,
    /// An alert fires no longer.
    Resolved,
    /// A stage waits for somebody's word.
    Approval,
    /// Automation is held off deploys, or no longer.
    Lock,
    /// A release went live.
    Deploy,
}

impl NoticeKind {
    /// All kinds.
    pub const ALL: &[Self] =
        &[Self::Failure, Self::Recovery, Self::Alert, Self::Resolved, Self::Approval, Self::Lock, Self::Deploy];

    /// The word in the configuration and in messages.
    pub fn word(self) -> &'static str {
        match self {
            Self::Failure => "failure",
            Self::Recovery => "recovery",
            Self::Alert => "alert",
            Self::Resolved => "resolved",
            Self::Approval => "approval",
            Self::Lock => "lock",
            Self::Deploy => "deploy",
        }
    }

    /// The kind of that word.
    pub fn of_word(word: &str) -> Option<Self> {
        Self::ALL.iter().copied().find(|kind| kind.word() == word)
    }
}

/// Something that people are to be told.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Notice {
    /// Of what kind.
    pub kind: NoticeKind,
    /// It in a few words.
    pub title: String,
    /// It in a sentence or two.
    pub text: String,
    /// The run that it is about.
    pub run: Option<RunId>,
    /// The stage that it is about.
    pub stage: Option<StageName>,
    /// The release that it is about.
    pub release: Option<ReleaseId>,
    /// The alert that it is about.
    pub alert: Option<String>,
    /// When it happened.
    pub at: Moment,
    /// The number of its event, by which one that comes twice is recognised.
    pub sequence: u64,
}

/// What people are to be told of an event, if anything. `before` is the state before it, or any later one.
pub fn notice_of(before: &State, recorded: &Recorded) -> Option<Notice> {
    let draft = Draft { recorded };
    match &recorded.event {
        Event::RunFinished { run, result: RunResult::Failed } => Some(draft.failure(before, *run)),
        Event::RunFinished { run, result: RunResult::Passed } => draft.recovery(before, *run),
        Event::ReleaseRejected { release } => draft.rejection(before, *release),
        Event::StageFinished { run, stage, outcome, outputs, .. } => {
            draft.deploy(before, *run, stage, outcome, outputs)
        }
        // Whoever silenced it wants to hear nothing of it.
        Event::AlertFired { answer: Answer::Held { why: Restraint::Silenced { .. } }, .. } => None,
        Event::AlertFired { name, release, .. } => {
            let told = draft.notice(NoticeKind::Alert, format!("alert {name} fires"));
            before.alerts.silence(name, recorded.at).is_none().then(|| Notice {
                release: *release,
                alert: Some(name.clone()),
                ..told
            })
        }
        Event::AlertResolved { name, release, .. } => {
            let told = draft.notice(NoticeKind::Resolved, format!("alert {name} no longer fires"));
            before.alerts.silence(name, recorded.at).is_none().then(|| Notice {
                release: *release,
                alert: Some(name.clone()),
                ..told
            })
        }
        Event::ApprovalWanted { run, stage, .. } => {
            let told = draft.notice(NoticeKind::Approval, format!("run {run}: {stage} waits for an approval"));
            Some(Notice { run: Some(*run), stage: Some(stage.clone()), ..told })
        }
        Event::Locked { by, .. } => Some(draft.notice(NoticeKind::Lock, format!("deploys are locked by {by}"))),
        Event::Unlocked { .. } => Some(draft.notice(NoticeKind::Lock, "deploys are locked no longer".to_owned())),
        Event::RunFinished { result: RunResult::Held | RunResult::Cancelled | RunResult::Superseded, .. }
        | Event::Configured { .. }
        | Event::InputsObserved { .. }
        | Event::DataRefused { .. }
        | Event::DataRefusalEnded { .. }
        | Event::RunCreated { .. }
        | Event::RunStarted { .. }
        | Event::RunStopping { .. }
        | Event::StageChecking { .. }
        | Event::StageSkipped { .. }
        | Event::StageNotRun { .. }
        | Event::StageStarted { .. }
        | Event::StageStopping { .. }
        | Event::StageRetrying { .. }
        | Event::StageDropped { .. }
        | Event::QuarantineLifted { .. }
        | Event::AlertSilenced { .. }
        | Event::SilenceLifted { .. }
        | Event::ModelPromoted { .. }
        | Event::ModelNoted { .. }
        | Event::Commanded { .. }
        | Event::Approved { .. }
        | Event::DaemonEnded { .. }
        | Event::Noted { .. } => None,
    }
}

/// What all notices have of their event.
struct Draft<'a> {
    recorded: &'a Recorded,
}

impl Draft<'_> {
    /// A notice that says what the sentence of the event says.
    fn notice(&self, kind: NoticeKind, title: String) -> Notice {
        let Recorded { sequence, at, event } = self.recorded;
        let (at, sequence, text) = (*at, *sequence, narrate(event));
        Notice { kind, title, text, run: None, stage: None, release: None, alert: None, at, sequence }
    }

    fn failure(&self, before: &State, id: RunId) -> Notice {
        let told = Notice { run: Some(id), ..self.notice(NoticeKind::Failure, format!("run {id} failed")) };
        let Some(run) = before.runs.get(&id) else { return told };
        let Some(stage) = failed_stages(before, run).into_iter().next() else { return told };
        let why = explain::stage(before, run, &stage);
        Notice {
            title: format!("run {id} failed at {stage}"),
            text: format!("{stage}: {why}; the run was asked for: {}", explain::trigger(&run.trigger)),
            release: run.stages.get(&stage).and_then(|entry| entry.release),
            stage: Some(stage),
            ..told
        }
    }

    /// Only the first run that does again what an earlier one could not.
    fn recovery(&self, before: &State, id: RunId) -> Option<Notice> {
        let run = before.runs.get(&id)?;
        let earlier = || before.runs.range(..id).rev().map(|(_, earlier)| earlier);
        let failed = earlier().find(|earlier| earlier.result == Some(RunResult::Failed))?;
        let stages = failed_stages(before, failed);
        let is_recovered = |run: &Run| stages.iter().all(|stage| is_done_again(run, stage));
        let is_known = earlier()
            .take_while(|earlier| earlier.id > failed.id)
            .any(|earlier| earlier.result == Some(RunResult::Passed) && is_recovered(earlier));
        if is_known || !is_recovered(run) {
            return None;
        }
        let names: Vec<&str> = stages.iter().map(StageName::as_str).collect();
        let first = stages.first();
        let why = first.map(|stage| explain::stage(before, failed, stage)).unwrap_or_default();
        Some(Notice {
            run: Some(id),
            stage: first.cloned(),
            text: format!("run {id} passed; run {} had failed at {}: {why}", failed.id, names.join(" and ")),
            ..self.notice(NoticeKind::Recovery, format!("{} passes again", names.join(" and ")))
        })
    }

    /// One that never went live is told of by the failure of its run.
    fn rejection(&self, before: &State, id: ReleaseId) -> Option<Notice> {
        let release = before.releases.get(&id)?;
        release.live_since?;
        let told = self.notice(NoticeKind::Failure, format!("release {id} was left"));
        Some(Notice { run: Some(release.run), stage: Some(release.stage.clone()), release: Some(id), ..told })
    }

    fn deploy(
        &self,
        before: &State,
        id: RunId,
        stage: &StageName,
        outcome: &Outcome,
        outputs: &Outputs,
    ) -> Option<Notice> {
        let release = before.runs.get(&id)?.stages.get(stage)?.release?;
        let live = outputs.live.or_else(|| (*outcome == Outcome::Passed).then_some(release));
        if live != Some(release) {
            return None;
        }
        let repeats = before.releases.get(&release).and_then(|release| release.repeats);
        let title = match repeats {
            Some(earlier) => format!("release {release} is live, which repeats release {earlier}"),
            None => format!("release {release} is live"),
        };
        let told = self.notice(NoticeKind::Deploy, title);
        Some(Notice { run: Some(id), stage: Some(stage.clone()), release: Some(release), ..told })
    }
}

/// The stages of a run that failed, in the order of the graph.
fn failed_stages(state: &State, run: &Run) -> Vec<StageName> {
    let order = |name: &StageName| state.graph.stages().iter().position(|spec| spec.name == *name);
    let has_failed = |state: &StageState| matches!(state, StageState::Failed { .. } | StageState::Interrupted);
    let mut failed: Vec<StageName> =
        run.stages.iter().filter(|(_, stage)| has_failed(&stage.state)).map(|(name, _)| name.clone()).collect();
    failed.sort_by_key(|name| order(name).unwrap_or(usize::MAX));
    failed
}

/// Whether a run shows that a stage works. A stage that is gone fails no more.
fn is_done_again(run: &Run, stage: &StageName) -> bool {
    run.stages.get(stage).is_none_or(|entry| match &entry.state {
        StageState::Passed => true,
        StageState::Skipped { reason } => *reason != SkipReason::NotSelected,
        StageState::Waiting
        | StageState::AwaitingApproval { .. }
        | StageState::Checking { .. }
        | StageState::Retrying { .. }
        | StageState::Running { .. }
        | StageState::Failed { .. }
        | StageState::NotRun { .. }
        | StageState::Cancelled
        | StageState::Interrupted => false,
    })
}

#[cfg(test)]
#[path = "notice_tests.rs"]
mod tests;
