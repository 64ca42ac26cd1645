//! What an event is about: which alert, whose doing, which run, which stage. What is looked for in history is found by it.

use super::event::Event;
use super::ids::{RunId, StageName};
use super::reason::{Obstacle, StopReason};
use super::registry::Promoter;

impl Event {
    /// Whether it is about the alert: that fired or ended, somebody silenced it, or a run was asked for because of it.
    pub fn is_about_alert(&self, alert: &str) -> bool {
        match self {
            Self::AlertFired { name, .. } | Self::AlertResolved { name, .. } => name == alert,
            Self::AlertSilenced { alert: name, .. } | Self::SilenceLifted { alert: name, .. } => name == alert,
            Self::RunCreated { trigger, .. } => trigger.alert() == Some(alert),
            Self::Configured { .. }
            | Self::InputsObserved { .. }
            | Self::DataRefused { .. }
            | Self::DataRefusalEnded { .. }
            | Self::RunStarted { .. }
            | Self::RunStopping { .. }
            | Self::RunFinished { .. }
            | Self::StageChecking { .. }
            | Self::StageSkipped { .. }
            | Self::StageNotRun { .. }
            | Self::StageStarted { .. }
            | Self::StageStopping { .. }
            | Self::StageFinished { .. }
            | Self::StageRetrying { .. }
            | Self::StageDropped { .. }
            | Self::ReleaseRejected { .. }
            | Self::QuarantineLifted { .. }
            | Self::ModelPromoted { .. }
            | Self::ModelNoted { .. }
            | Self::Commanded { .. }
            | Self::Locked { .. }
            | Self::Unlocked { .. }
            | Self::ApprovalWanted { .. }
            | Self::Approved { .. }
            | Self::Noted { .. } => false,
        }
    }

    /// The person whose doing it is; nobody where automation did it.
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::Commanded { by, .. }
            | Self::Locked { by, .. }
            | Self::Approved { by, .. }
            | Self::QuarantineLifted { by, .. }
            | Self::AlertSilenced { by, .. }
            | Self::SilenceLifted { by, .. }
            | Self::ModelNoted { by, .. }
            | Self::RunStopping { reason: StopReason::Cancelled { by }, .. }
            | Self::StageNotRun { obstacle: Obstacle::Declined { by, .. }, .. }
            | Self::ModelPromoted { by: Promoter::Operator { name: by }, .. } => Some(by),
            Self::Unlocked { by, .. } => by.as_deref(),
            Self::RunCreated { trigger, .. } => trigger.by(),
            Self::Configured { .. }
            | Self::InputsObserved { .. }
            | Self::DataRefused { .. }
            | Self::DataRefusalEnded { .. }
            | Self::RunStarted { .. }
            | Self::RunStopping { reason: StopReason::Superseded { .. }, .. }
            | Self::RunFinished { .. }
            | Self::StageChecking { .. }
            | Self::StageSkipped { .. }
            | Self::StageNotRun { .. }
            | Self::StageStarted { .. }
            | Self::StageStopping { .. }
            | Self::StageFinished { .. }
            | Self::StageRetrying { .. }
            | Self::StageDropped { .. }
            | Self::ReleaseRejected { .. }
            | Self::AlertFired { .. }
            | Self::AlertResolved { .. }
            | Self::ModelPromoted { by: Promoter::Gate, .. }
            | Self::ApprovalWanted { .. }
            | Self::Noted { .. } => None,
        }
    }

    /// The run of which it tells. Of a command that was refused, the one that it named.
    pub fn run(&self) -> Option<RunId> {
        match self {
            Self::RunCreated { run, .. }
            | Self::RunStarted { run }
            | Self::RunStopping { run, .. }
            | Self::RunFinished { run, .. }
            | Self::StageChecking { run, .. }
            | Self::StageSkipped { run, .. }
            | Self::StageNotRun { run, .. }
            | Self::StageStarted { run, .. }
            | Self::StageStopping { run, .. }
            | Self::StageFinished { run, .. }
            | Self::StageRetrying { run, .. }
            | Self::StageDropped { run, .. }
            | Self::ApprovalWanted { run, .. }
            | Self::Approved { run, .. } => Some(*run),
            Self::Commanded { run, command, .. } => run.or_else(|| command.run()),
            Self::Configured { .. }
            | Self::InputsObserved { .. }
            | Self::DataRefused { .. }
            | Self::DataRefusalEnded { .. }
            | Self::ReleaseRejected { .. }
            | Self::QuarantineLifted { .. }
            | Self::AlertFired { .. }
            | Self::AlertResolved { .. }
            | Self::AlertSilenced { .. }
            | Self::SilenceLifted { .. }
            | Self::ModelPromoted { .. }
            | Self::ModelNoted { .. }
            | Self::Locked { .. }
            | Self::Unlocked { .. }
            | Self::Noted { .. } => None,
        }
    }

    /// The stage of which it tells.
    pub fn stage(&self) -> Option<&StageName> {
        match self {
            Self::StageChecking { stage, .. }
            | Self::StageSkipped { stage, .. }
            | Self::StageNotRun { stage, .. }
            | Self::StageStarted { stage, .. }
            | Self::StageStopping { stage, .. }
            | Self::StageFinished { stage, .. }
            | Self::StageRetrying { stage, .. }
            | Self::StageDropped { stage, .. }
            | Self::ModelPromoted { stage, .. }
            | Self::ApprovalWanted { stage, .. }
            | Self::Approved { stage, .. } => Some(stage),
            Self::Commanded { command, .. } => command.stage(),
            Self::RunCreated { selection, .. } => selection.from.as_ref(),
            Self::Configured { .. }
            | Self::InputsObserved { .. }
            | Self::DataRefused { .. }
            | Self::DataRefusalEnded { .. }
            | Self::RunStarted { .. }
            | Self::RunStopping { .. }
            | Self::RunFinished { .. }
            | Self::ReleaseRejected { .. }
            | Self::QuarantineLifted { .. }
            | Self::AlertFired { .. }
            | Self::AlertResolved { .. }
            | Self::AlertSilenced { .. }
            | Self::SilenceLifted { .. }
            | Self::ModelNoted { .. }
            | Self::Locked { .. }
            | Self::Unlocked { .. }
            | Self::Noted { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::pipeline::{Command, DataSet, Digest, Inputs, Refusal, ReleaseId, Selection, SourceState, Trigger};

    fn created(trigger: Trigger) -> Event {
        let digest = Digest(String::new());
        let source = SourceState { digest: digest.clone(), commit: None, branch: None, dirty: false };
        let data = DataSet { digest, count: 0, rows: 0, files: Vec::new() };
        let inputs = Inputs { data, source, stage_sources: BTreeMap::new() };
        let selection = Selection { from: Some("test".into()), ..Selection::default() };
        Event::RunCreated { run: RunId(9), trigger, selection, inputs }
    }

    #[test]
    fn an_event_is_about_the_alert_that_it_names_and_a_run_about_the_one_that_asked_for_it() {
        assert!(created(Trigger::AlertRetrain { alert: "Drift".to_owned() }).is_about_alert("Drift"));
        let back = Trigger::AlertRollback { alert: "Drift".to_owned(), to: ReleaseId(1) };
        assert!(created(back.clone()).is_about_alert("Drift") && !created(back).is_about_alert("Dri"));
        assert!(!created(Trigger::FirstStart).is_about_alert("Drift"));
        let lifted = Event::SilenceLifted { alert: "Drift".to_owned(), by: "me".to_owned() };
        assert!(lifted.is_about_alert("Drift") && !lifted.is_about_alert("ErrorRate"));
        assert!(!Event::Noted { text: "Drift".to_owned() }.is_about_alert("Drift"));
    }

    #[test]
    fn an_event_says_whose_doing_it_is_and_what_automation_did_is_nobodys() {
        let mina = || "mina".to_owned();
        let by_mina = [
            created(Trigger::Manual { by: mina() }),
            Event::Unlocked { by: Some(mina()), why: String::new() },
            Event::RunStopping { run: RunId(9), reason: StopReason::Cancelled { by: mina() } },
            Event::StageNotRun {
                run: RunId(9),
                stage: "deploy".into(),
                obstacle: Obstacle::Declined { by: mina(), message: String::new() },
            },
        ];
        assert!(by_mina.iter().all(|event| event.by() == Some("mina")));
        let by_nobody = [
            created(Trigger::Schedule { name: mina() }),
            Event::Unlocked { by: None, why: "its time is over".to_owned() },
            Event::RunStopping { run: RunId(9), reason: StopReason::Superseded { by: RunId(10) } },
        ];
        assert!(by_nobody.iter().all(|event| event.by().is_none()));
    }

    #[test]
    fn an_event_says_of_which_run_and_stage_it_tells_and_a_refused_command_of_those_it_named() {
        let created = created(Trigger::FirstStart);
        assert_eq!((created.run(), created.stage()), (Some(RunId(9)), Some(&"test".into())));
        let refused = Event::Commanded {
            by: "mina".to_owned(),
            from: None,
            command: Command::Decline { run: Some(RunId(4)), stage: Some("deploy".into()) },
            message: String::new(),
            run: None,
            refused: Some(Refusal::NothingToApprove),
        };
        assert_eq!((refused.run(), refused.stage()), (Some(RunId(4)), Some(&"deploy".into())));
        let noted = Event::Noted { text: "run 9".to_owned() };
        assert_eq!((noted.run(), noted.stage()), (None, None));
    }
}
