//! Everything that can happen, as one closed enum, and what an operator can ask for.
//!
//! Events are what the journal keeps, so their form is a promise: variants and fields are added, never changed, and
//! [`SCHEMA`] counts up with each addition.

use serde::{Deserialize, Serialize};

use super::alert::{Answer, Evidence, Reaction};
use super::graph::Graph;
use super::hold::Holder;
use super::ids::{Attempt, ModelVersion, Moment, ReleaseId, RunId, StageName};
use super::inputs::{Fingerprint, Inputs};
use super::reason::{Obstacle, Outcome, RunResult, Selection, SkipReason, StopReason, Trigger, Why};
use super::refusal::Refusal;
use super::registry::Promoter;
use super::run::{Outputs, Stopping};

/// The version of the form of events.
pub const SCHEMA: u32 = 6;

/// Something that has happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Event {
    /// The configuration was read.
    Configured {
        /// The stages.
        graph: Graph,
    },
    /// Data and source were seen in this state.
    InputsObserved {
        /// The state.
        inputs: Inputs,
    },
    /// A data file was held back.
    DataRefused {
        /// Its name.
        file: String,
        /// Why.
        reason: String,
    },
    /// A data file is held back no longer: it is gone, or does not count any more.
    DataRefusalEnded {
        /// Its name.
        file: String,
    },
    /// A run was asked for.
    RunCreated {
        /// Its number.
        run: RunId,
        /// What started it.
        trigger: Trigger,
        /// Which stages it is about.
        selection: Selection,
        /// What it works on.
        inputs: Inputs,
    },
    /// Its turn came.
    RunStarted {
        /// Which.
        run: RunId,
    },
    /// It was told to stop.
    RunStopping {
        /// Which.
        run: RunId,
        /// Why.
        reason: StopReason,
    },
    /// It is over.
    RunFinished {
        /// Which.
        run: RunId,
        /// How.
        result: RunResult,
    },
    /// The outputs of an earlier pass on equal inputs are being verified.
    StageChecking {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// The earlier pass.
        earlier: RunId,
        /// On what.
        fingerprint: Fingerprint,
        /// What that pass gave.
        outputs: Outputs,
    },
    /// A stage is not needed.
    StageSkipped {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// Why.
        reason: SkipReason,
    },
    /// A stage cannot run.
    StageNotRun {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// Why.
        obstacle: Obstacle,
    },
    /// An attempt starts: the intent, journaled before the process is made.
    StageStarted {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// Which attempt.
        attempt: Attempt,
        /// Why.
        why: Why,
        /// On what.
        fingerprint: Fingerprint,
        /// When it will be stopped.
        deadline: Option<Moment>,
        /// The model version it writes.
        model: Option<ModelVersion>,
        /// The release it makes.
        release: Option<ReleaseId>,
    },
    /// A running stage was told to stop.
    StageStopping {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// Why.
        why: Stopping,
    },
    /// An attempt ended.
    StageFinished {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// Which attempt.
        attempt: Attempt,
        /// How.
        outcome: Outcome,
        /// What it gave.
        outputs: Outputs,
        /// Something it left behind held the log open.
        output_held: bool,
    },
    /// A failed attempt will be repeated.
    StageRetrying {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// Not before.
        at: Moment,
    },
    /// A stage that had not started was dropped with its run.
    StageDropped {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
    },
    /// A release was rejected; automation will not deploy the same inputs again.
    ReleaseRejected {
        /// Which.
        release: ReleaseId,
    },
    /// An operator deploys what was rejected; automation may do so again.
    QuarantineLifted {
        /// The release that was rejected.
        release: ReleaseId,
        /// Who.
        by: String,
    },
    /// Something that people should know and that changes no state: a lost watch, a slow disk, what a person did to the files.
    Noted {
        /// Who did it, if it was a person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<String>,
        /// One sentence.
        text: String,
    },
    /// An alert fires (since schema 2).
    AlertFired {
        /// Its name.
        name: String,
        /// The labels by which it differs from others of its rule; empty when there are none.
        labels: String,
        /// The value of its expression, for people.
        value: String,
        /// What it means, in a sentence of its author; empty when there is none.
        summary: String,
        /// Since when its expression has held.
        since: Moment,
        /// The release that was live.
        release: Option<ReleaseId>,
        /// What its expression says of that release alone.
        evidence: Evidence,
        /// What is to follow.
        then: Reaction,
        /// What follows.
        answer: Answer,
    },
    /// It fires no longer (since schema 2).
    AlertResolved {
        /// Its name.
        name: String,
        /// Its labels.
        labels: String,
        /// The release that is live.
        release: Option<ReleaseId>,
        /// Whether it is known that all is well.
        evidence: Evidence,
    },
    /// An operator wants to hear nothing of an alert for some time, nor anything to follow from it (since schema 2).
    AlertSilenced {
        /// Its name.
        alert: String,
        /// Who.
        by: String,
        /// Why; empty when nothing was said.
        message: String,
        /// It ends by itself at this moment.
        until: Moment,
    },
    /// An operator ended a silence before its time (since schema 2).
    SilenceLifted {
        /// The alert.
        alert: String,
        /// Who.
        by: String,
    },
    /// A model is the champion of its stage now: the one with which the next is compared (since schema 3).
    ModelPromoted {
        /// Which.
        model: ModelVersion,
        /// The stage that made it.
        stage: StageName,
        /// The champion before it.
        former: Option<ModelVersion>,
        /// By whom.
        by: Promoter,
        /// Why; empty where the gate did it.
        message: String,
        /// By hand: the inputs on which this model stands for what the stage would make.
        stands_for: Option<Fingerprint>,
    },
    /// Somebody wrote something about a model (since schema 3).
    ModelNoted {
        /// Which.
        model: ModelVersion,
        /// Who.
        by: String,
        /// What.
        text: String,
    },
    /// An operator asked for something, and what became of it; what follows from it comes behind (since schema 5).
    Commanded {
        /// Who.
        by: String,
        /// From which machine, if that is known.
        from: Option<String>,
        /// What for.
        command: Command,
        /// Why; empty when nothing was said.
        message: String,
        /// The run that was made, stopped or let go on.
        run: Option<RunId>,
        /// Why it was not carried out.
        refused: Option<Refusal>,
    },
    /// Automation is held off deploys from now on (since schema 5).
    Locked {
        /// By whom.
        by: String,
        /// Why.
        message: String,
        /// It ends by itself at this moment.
        until: Option<Moment>,
        /// It ends by itself with this process.
        holder: Option<Holder>,
    },
    /// Automation may deploy again (since schema 5).
    Unlocked {
        /// Who said so; nobody when the lock ended by itself.
        by: Option<String>,
        /// Why, as part of a sentence; may be empty when somebody said so.
        why: String,
    },
    /// A stage could start and waits for a person to let it (since schema 5).
    ApprovalWanted {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// Who may; anybody if nobody is named.
        of: Vec<String>,
    },
    /// A person let it (since schema 5).
    Approved {
        /// In this run.
        run: RunId,
        /// Which.
        stage: StageName,
        /// Who.
        by: String,
        /// Why; empty when nothing was said.
        message: String,
    },
    /// An operator ended the daemon; stages go on, and so do releases where the app was not to end too (since schema 6).
    DaemonEnded {
        /// Who.
        by: String,
        /// From which machine, if that is known.
        from: Option<String>,
        /// Whether the app is stopped with it.
        #[serde(default)]
        with_app: bool,
    },
}

/// An event with its place in history.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Recorded {
    /// Counted from 1, without holes.
    pub sequence: u64,
    /// When it was decided.
    pub at: Moment,
    /// What happened.
    pub event: Event,
}

/// What an operator can ask for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Start a run.
    Run(Selection),
    /// Stop a run; without a number, the active and the queued ones.
    Cancel {
        /// Which.
        run: Option<RunId>,
    },
    /// Go back to an earlier release; without a number, the last one before the live one.
    Rollback {
        /// Which.
        to: Option<ReleaseId>,
    },
    /// Make a model the champion, whatever its gate said, and deploy it.
    Promote {
        /// Which.
        model: ModelVersion,
        /// Why; without it, the reason of the command.
        message: String,
    },
    /// Hold automation off deploys. Its reason is that of the command.
    Lock {
        /// For so long; without it, until somebody ends it.
        milliseconds: Option<u64>,
        /// For as long as this process lives.
        holder: Option<Holder>,
    },
    /// Let automation deploy again.
    Unlock,
    /// Let a stage start that waits for a person; without a run and a name, the one that waits.
    Approve {
        /// In this run.
        run: Option<RunId>,
        /// Which.
        stage: Option<StageName>,
    },
    /// Do not let it.
    Decline {
        /// In this run.
        run: Option<RunId>,
        /// Which.
        stage: Option<StageName>,
    },
}
