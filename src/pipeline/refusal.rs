//! Why what an operator asked for is not done, each with what to do instead.

use super::explain::any_of;
use super::ids::{ModelVersion, ReleaseId, RunId, StageName};

/// Why an operator's command was not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// There is no such stage.
    #[error("there is no stage `{name}`; the stages are {known}")]
    UnknownStage {
        /// The name given.
        name: String,
        /// Those that are there.
        known: String,
    },
    /// Nothing can be stopped.
    #[error("no run is active or queued, so there is nothing to cancel")]
    NothingToCancel,
    /// That run is over or never was.
    #[error("run {0} is not active; `trainyard runs` lists them")]
    NotActive(RunId),
    /// A deploy is never left half done.
    #[error("run {0} is deploying, which is not interrupted; wait until it is done, then use `trainyard rollback`")]
    Deploying(RunId),
    /// There is no such release, or it cannot be deployed again.
    #[error("there is no release {0} to go back to; `trainyard releases` lists them")]
    UnknownRelease(ReleaseId),
    /// There is no earlier release.
    #[error("there is no earlier release to go back to")]
    NoEarlierRelease,
    /// That one serves already.
    #[error("release {0} is live already")]
    AlreadyLive(ReleaseId),
    /// Nothing has been seen yet.
    #[error("the source and the data have not been read yet; try again in a moment")]
    NotReady,
    /// There is no such model, or it is forgotten.
    #[error("there is no model {0}; `trainyard models` lists them")]
    UnknownModel(ModelVersion),
    /// It is where it is to be brought.
    #[error("model {0} is the champion and serves already")]
    ServesAlready(ModelVersion),
    /// The stage that made the model is not there any more.
    #[error("model {model} was made by stage `{stage}`, which is not in the configuration any more")]
    StageGone {
        /// The model.
        model: ModelVersion,
        /// The stage.
        stage: StageName,
    },
    /// A training is under way, of which nobody knows yet what it gives.
    #[error("run {0} trains a model; wait until it is done, or use `trainyard cancel`")]
    Training(RunId),
    /// A promotion without a reason.
    #[error("a promotion by hand wants a reason: `trainyard promote VERSION --message \"…\"`")]
    NoReason,
    /// Somebody asked for the same on the same already, and it is not over.
    #[error("run {run} of {by} does just this already")]
    SameRun {
        /// That run.
        run: RunId,
        /// Who asked for it.
        by: String,
    },
    /// Another operator's lock stands.
    #[error("{by} has locked deploys already: {message}; `trainyard unlock` ends that lock")]
    AlreadyLocked {
        /// Who.
        by: String,
        /// Why.
        message: String,
    },
    /// There is no lock.
    #[error("deploys are not locked, so there is nothing to unlock")]
    NotLocked,
    /// A lock without a reason.
    #[error("a lock wants a reason, which others will read: `trainyard lock \"…\"`")]
    NoLockReason,
    /// No stage waits for a person, or not the one that was named.
    #[error("nothing of that kind waits for approval; `trainyard status` shows what is under way")]
    NothingToApprove,
    /// What it needs is not there.
    #[error("{reason}")]
    Barred {
        /// What, and what to do.
        reason: String,
    },
    /// Others are asked.
    #[error("only {} may approve or decline this; ask one of them", any_of(.of))]
    NotAsked {
        /// Who.
        of: Vec<String>,
    },
    /// Which stage was meant is not clear.
    #[error("several stages wait for approval: {stages}; say which one is meant")]
    SeveralWait {
        /// Those.
        stages: String,
    },
}
