//! What an event is about: whose doing it is, and of which run, stage, release, model and alert it tells. What is looked for in
//! history is found by it, and a new event has its place in this one table.

use super::event::{Command, Event};
use super::ids::{ModelVersion, ReleaseId, RunId, StageName};
use super::reason::{Obstacle, Outcome, StopReason};
use super::registry::Promoter;

/// What an event is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Subject<'a> {
    /// The person whose doing it is; nobody where automation did it.
    pub by: Option<&'a str>,
    /// The run of which it tells. Of a command that was refused, the one that it named.
    pub run: Option<RunId>,
    /// The stage of which it tells.
    pub stage: Option<&'a StageName>,
    /// The release of which it tells.
    pub release: Option<ReleaseId>,
    /// The model of which it tells.
    pub model: Option<ModelVersion>,
    /// The alert: that fired or ended, that somebody silenced, or because of which a run was asked for or dropped.
    pub alert: Option<&'a str>,
}

impl<'a> Subject<'a> {
    fn by(by: &'a str) -> Self {
        Self { by: Some(by), ..Self::default() }
    }

    fn run(run: RunId) -> Self {
        Self { run: Some(run), ..Self::default() }
    }

    fn stage(run: RunId, stage: &'a StageName) -> Self {
        Self { stage: Some(stage), ..Self::run(run) }
    }

    fn release(release: ReleaseId) -> Self {
        Self { release: Some(release), ..Self::default() }
    }

    fn alert(alert: &'a str) -> Self {
        Self { alert: Some(alert), ..Self::default() }
    }
}

impl Event {
    /// What it is about.
    pub fn about(&self) -> Subject<'_> {
        match self {
            Self::Configured { .. }
            | Self::InputsObserved { .. }
            | Self::DataRefused { .. }
            | Self::DataRefusalEnded { .. } => Subject::default(),
            Self::Noted { by, .. } => Subject { by: by.as_deref(), ..Subject::default() },
            Self::RunCreated { run, trigger, selection, .. } => Subject {
                by: trigger.by(),
                run: Some(*run),
                stage: selection.from.as_ref(),
                release: trigger.rollback_to(),
                model: trigger.promoted(),
                alert: trigger.alert(),
            },
            Self::RunStarted { run } | Self::RunFinished { run, .. } => Subject::run(*run),
            Self::RunStopping { run, reason } => Subject { by: who_stops(reason), ..Subject::run(*run) },
            Self::StageChecking { run, stage, .. }
            | Self::StageSkipped { run, stage, .. }
            | Self::StageStopping { run, stage, .. }
            | Self::StageRetrying { run, stage, .. }
            | Self::StageDropped { run, stage }
            | Self::ApprovalWanted { run, stage, .. } => Subject::stage(*run, stage),
            Self::StageNotRun { run, stage, obstacle } => {
                Subject { run: Some(*run), stage: Some(stage), ..what_bars(obstacle) }
            }
            Self::StageStarted { run, stage, model, release, .. } => {
                Subject { model: *model, release: *release, ..Subject::stage(*run, stage) }
            }
            Self::StageFinished { run, stage, outcome, outputs, .. } => Subject {
                model: outputs.model,
                // After one that failed, the target says what is live in its place.
                release: outputs.live.filter(|_| *outcome == Outcome::Passed),
                ..Subject::stage(*run, stage)
            },
            Self::ReleaseRejected { release } => Subject::release(*release),
            Self::QuarantineLifted { release, by } => Subject { by: Some(by), ..Subject::release(*release) },
            Self::AlertFired { name, release, .. } | Self::AlertResolved { name, release, .. } => {
                Subject { release: *release, ..Subject::alert(name) }
            }
            Self::AlertSilenced { alert, by, .. } | Self::SilenceLifted { alert, by } => {
                Subject { by: Some(by), ..Subject::alert(alert) }
            }
            Self::ModelPromoted { model, stage, by, .. } => {
                Subject { by: who_promotes(by), stage: Some(stage), model: Some(*model), ..Subject::default() }
            }
            Self::ModelNoted { model, by, .. } => Subject { model: Some(*model), ..Subject::by(by) },
            Self::Commanded { by, command, run, .. } => {
                let named = what_is_named(command);
                Subject { by: Some(by), run: run.or(named.run), ..named }
            }
            Self::Locked { by, .. } | Self::DaemonEnded { by, .. } => Subject::by(by),
            Self::Unlocked { by, .. } => Subject { by: by.as_deref(), ..Subject::default() },
            Self::Approved { run, stage, by, .. } => Subject { by: Some(by), ..Subject::stage(*run, stage) },
        }
    }

    /// The person whose doing it is; nobody where automation did it.
    pub fn by(&self) -> Option<&str> {
        self.about().by
    }

    /// The run of which it tells.
    pub fn run(&self) -> Option<RunId> {
        self.about().run
    }

    /// The stage of which it tells.
    pub fn stage(&self) -> Option<&StageName> {
        self.about().stage
    }

    /// Whether it is about the alert.
    pub fn is_about_alert(&self, alert: &str) -> bool {
        self.about().alert == Some(alert)
    }
}

fn who_stops(reason: &StopReason) -> Option<&str> {
    match reason {
        StopReason::Cancelled { by } => Some(by),
        StopReason::Superseded { .. } => None,
    }
}

fn who_promotes(by: &Promoter) -> Option<&str> {
    match by {
        Promoter::Operator { name } => Some(name),
        Promoter::Gate => None,
    }
}

/// What keeps a stage from running. Who silenced an alert did not drop what it wanted.
fn what_bars(obstacle: &Obstacle) -> Subject<'_> {
    match obstacle {
        Obstacle::Declined { by, .. } => Subject::by(by),
        Obstacle::Quarantined { release } => Subject::release(*release),
        Obstacle::ModelLost { model } => Subject { model: Some(*model), ..Subject::default() },
        Obstacle::AlertEnded { alert } | Obstacle::AlertSilenced { alert, .. } => Subject::alert(alert),
        Obstacle::NeedFailed { .. }
        | Obstacle::NeedNotRun { .. }
        | Obstacle::NeedStale { .. }
        | Obstacle::NotSelected
        | Obstacle::NoData => Subject::default(),
    }
}

/// What a command names.
fn what_is_named(command: &Command) -> Subject<'_> {
    let none = Subject::default();
    match command {
        Command::Run(selection) => Subject { stage: selection.from.as_ref(), ..none },
        Command::Cancel { run } => Subject { run: *run, ..none },
        Command::Rollback { to } => Subject { release: *to, ..none },
        Command::Promote { model, .. } => Subject { model: Some(*model), ..none },
        Command::Approve { run, stage } | Command::Decline { run, stage } => {
            Subject { run: *run, stage: stage.as_ref(), ..none }
        }
        Command::Lock { .. } | Command::Unlock => none,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::pipeline::{Attempt, DataSet, Digest, Inputs, Outputs, Refusal, Selection, SourceState, Trigger};

    fn created(trigger: Trigger) -> Event {
        let digest = Digest(String::new());
        let source = SourceState { digest: digest.clone(), commit: None, branch: None, dirty: false };
        let data = DataSet { digest, count: 0, rows: 0, files: Vec::new() };
        let inputs = Inputs { data, source, stage_sources: BTreeMap::new() };
        let selection = Selection { from: Some("test".into()), ..Selection::default() };
        Event::RunCreated { run: RunId(9), trigger, selection, inputs }
    }

    /// A command that could not be carried out for a reason of the world outside.
    fn barred(by: &str) -> Event {
        Event::Commanded {
            by: by.to_owned(),
            from: None,
            command: Command::Rollback { to: Some(ReleaseId(3)) },
            message: String::new(),
            run: None,
            refused: Some(Refusal::Barred { reason: "the image of release 3 is gone".to_owned() }),
        }
    }

    #[test]
    fn an_event_is_about_the_alert_that_it_names_and_a_run_about_the_one_that_asked_for_it() {
        assert!(created(Trigger::AlertRetrain { alert: "Drift".to_owned() }).is_about_alert("Drift"));
        let back = Trigger::AlertRollback { alert: "Drift".to_owned(), to: ReleaseId(1) };
        assert!(created(back.clone()).is_about_alert("Drift") && !created(back).is_about_alert("Dri"));
        assert!(!created(Trigger::FirstStart).is_about_alert("Drift"));
        let lifted = Event::SilenceLifted { alert: "Drift".to_owned(), by: "me".to_owned() };
        assert!(lifted.is_about_alert("Drift") && !lifted.is_about_alert("ErrorRate"));
        assert!(!Event::Noted { by: None, text: "Drift".to_owned() }.is_about_alert("Drift"));
    }

    #[test]
    fn an_event_says_whose_doing_it_is_and_what_automation_did_is_nobodys() {
        let mina = || "mina".to_owned();
        let by_mina = [
            created(Trigger::Manual { by: mina() }),
            Event::Unlocked { by: Some(mina()), why: String::new() },
            Event::Noted { by: Some(mina()), text: "mended".to_owned() },
            Event::DaemonEnded { by: mina(), from: Some("10.0.0.7".to_owned()), with_app: false },
            barred(&mina()),
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
        let noted = Event::Noted { by: None, text: "run 9".to_owned() };
        assert_eq!(noted.about(), Subject::default());
    }

    #[test]
    fn an_event_says_of_which_release_and_model_it_tells() {
        assert_eq!(barred("mina").about(), Subject { release: Some(ReleaseId(3)), ..Subject::by("mina") });
        let trigger = Trigger::Promotion { by: "mina".to_owned(), model: ModelVersion(4) };
        assert_eq!(created(trigger).about().model, Some(ModelVersion(4)));
        let dropped = Event::StageNotRun {
            run: RunId(9),
            stage: "deploy".into(),
            obstacle: Obstacle::AlertSilenced { alert: "Drift".to_owned(), by: "mina".to_owned() },
        };
        let stage = "deploy".into();
        assert_eq!(dropped.about(), Subject { alert: Some("Drift"), ..Subject::stage(RunId(9), &stage) });
        let deployed = |outcome| Event::StageFinished {
            run: RunId(9),
            stage: "deploy".into(),
            attempt: Attempt(1),
            outcome,
            outputs: Outputs { live: Some(ReleaseId(2)), ..Outputs::default() },
            output_held: false,
        };
        assert_eq!(deployed(Outcome::Passed).about().release, Some(ReleaseId(2)));
        // What is live after one that failed is another.
        assert_eq!(deployed(Outcome::Interrupted).about().release, None);
    }
}
