//! Why something happened, as values; [`super::explain`] turns them into sentences.

use serde::{Deserialize, Serialize};

use super::ids::{ModelVersion, ReleaseId, RunId, StageName};

/// What started a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// The daemon saw this project for the first time.
    FirstStart,
    /// Inputs or settings changed while no daemon was watching.
    ChangedWhileAway,
    /// Data files were registered or removed.
    Data {
        /// Their names.
        files: Vec<String>,
    },
    /// The source changed.
    Source {
        /// The files, where they are known.
        files: Vec<String>,
    },
    /// HEAD moved.
    Commit {
        /// The new commit.
        commit: String,
        /// The first line of its message.
        summary: String,
    },
    /// `trainyard.toml` changed.
    Settings,
    /// An operator asked for it.
    Manual {
        /// Who.
        by: String,
    },
    /// An operator went back to an earlier release.
    Rollback {
        /// Who.
        by: String,
        /// Where to.
        to: ReleaseId,
    },
    /// An alert fired that goes back to an earlier release.
    AlertRollback {
        /// Which.
        alert: String,
        /// Where to.
        to: ReleaseId,
    },
    /// An alert fired that trains again.
    AlertRetrain {
        /// Which.
        alert: String,
    },
    /// An operator made a model the champion, which is deployed now.
    Promotion {
        /// Who.
        by: String,
        /// Which.
        model: ModelVersion,
    },
    /// The time of a schedule came.
    Schedule {
        /// Its name.
        name: String,
    },
}

impl Trigger {
    /// Whether a person stands behind it; automation does not deploy what is quarantined.
    pub fn is_by_hand(&self) -> bool {
        matches!(self, Self::Manual { .. } | Self::Rollback { .. } | Self::Promotion { .. })
    }

    /// The person who stands behind it.
    pub fn by(&self) -> Option<&str> {
        match self {
            Self::Manual { by } | Self::Rollback { by, .. } | Self::Promotion { by, .. } => Some(by),
            Self::FirstStart
            | Self::ChangedWhileAway
            | Self::Data { .. }
            | Self::Source { .. }
            | Self::Commit { .. }
            | Self::Settings
            | Self::AlertRollback { .. }
            | Self::AlertRetrain { .. }
            | Self::Schedule { .. } => None,
        }
    }

    /// The earlier release that comes back, whoever asked for it.
    pub fn rollback_to(&self) -> Option<ReleaseId> {
        match self {
            Self::Rollback { to, .. } | Self::AlertRollback { to, .. } => Some(*to),
            Self::FirstStart
            | Self::ChangedWhileAway
            | Self::Data { .. }
            | Self::Source { .. }
            | Self::Commit { .. }
            | Self::Settings
            | Self::Manual { .. }
            | Self::AlertRetrain { .. }
            | Self::Promotion { .. }
            | Self::Schedule { .. } => None,
        }
    }

    /// The model that an operator promoted, and that is deployed without a training.
    pub fn promoted(&self) -> Option<ModelVersion> {
        if let Self::Promotion { model, .. } = self { Some(*model) } else { None }
    }

    /// Whether an alert stands behind it.
    pub fn is_by_alert(&self) -> bool {
        self.alert().is_some()
    }

    /// The alert that stands behind it.
    pub fn alert(&self) -> Option<&str> {
        match self {
            Self::AlertRollback { alert, .. } | Self::AlertRetrain { alert } => Some(alert),
            Self::FirstStart
            | Self::ChangedWhileAway
            | Self::Data { .. }
            | Self::Source { .. }
            | Self::Commit { .. }
            | Self::Settings
            | Self::Manual { .. }
            | Self::Promotion { .. }
            | Self::Rollback { .. }
            | Self::Schedule { .. } => None,
        }
    }

    /// Whether it goes back to an earlier release.
    pub fn is_rollback(&self) -> bool {
        self.rollback_to().is_some()
    }
}

/// Which stages a run is about.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Selection {
    /// This stage runs even if it is up to date, and what needs it follows.
    pub from: Option<StageName>,
    /// No other stage runs.
    pub only: bool,
    /// Stages behind `from` (or all) run even if they are up to date.
    pub force: bool,
}

/// Why a stage was started.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// It has never passed.
    FirstTime,
    /// An operator or a schedule asked for it by name or by force.
    Asked,
    /// Something it depends on differs from its last pass.
    Changed {
        /// The last pass.
        since: RunId,
        /// The data.
        data: bool,
        /// Its part of the source.
        source: bool,
        /// Its settings.
        settings: bool,
        /// These needed stages gave something else.
        needs: Vec<StageName>,
    },
    /// The outputs of its last pass are gone or damaged.
    OutputsLost {
        /// The last pass.
        since: RunId,
    },
    /// Its last attempt failed and it may be tried again.
    Retry,
    /// Another release is live.
    OtherRelease {
        /// The live one.
        live: Option<ReleaseId>,
    },
    /// An operator or an alert went back to an earlier release.
    Rollback {
        /// Where to.
        to: ReleaseId,
    },
    /// An alert fired that trains again.
    Alert {
        /// Which.
        name: String,
    },
}

/// Why a stage was skipped; downstream stages go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SkipReason {
    /// It passed on equal inputs, and its outputs verify.
    UpToDate {
        /// When it passed.
        since: RunId,
    },
    /// This release of the same image is live already.
    AlreadyLive {
        /// The live one.
        release: ReleaseId,
    },
    /// The operator asked for another stage only.
    NotSelected,
    /// An operator promoted a model, which stands for what the stage would make.
    Promoted {
        /// Which.
        model: ModelVersion,
    },
}

/// Why a stage did not run; downstream stages do not either.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Obstacle {
    /// A needed stage failed.
    NeedFailed {
        /// Which.
        stage: StageName,
    },
    /// A needed stage was not run.
    NeedNotRun {
        /// Which.
        stage: StageName,
    },
    /// `--only` was given, and this needed stage is not up to date.
    NeedStale {
        /// Which.
        stage: StageName,
    },
    /// `--only` was given for another stage, and this one is not up to date.
    NotSelected,
    /// The same inputs were rejected before; automation does not deploy them again.
    Quarantined {
        /// The release that was rejected.
        release: ReleaseId,
    },
    /// It uses data and none is registered.
    NoData,
    /// The files of the model that an operator promoted are gone or damaged.
    ModelLost {
        /// Which.
        model: ModelVersion,
    },
    /// Its approval was wanted, and a person did not give it.
    Declined {
        /// Who.
        by: String,
        /// Why; empty when nothing was said.
        message: String,
    },
    /// It was a way back that a lock held, and the alert that asked for it ended meanwhile (since schema 6).
    AlertEnded {
        /// Which.
        alert: String,
    },
    /// It was a way back that a lock held, and somebody silenced the alert that asked for it meanwhile (since schema 6).
    AlertSilenced {
        /// Which.
        alert: String,
        /// Who.
        by: String,
    },
}

/// Why a stage failed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Failure {
    /// It ended with this exit code.
    Exit {
        /// Not zero.
        code: i32,
        /// The last line that it printed.
        #[serde(default)]
        said: String,
    },
    /// It was killed by this signal, and not by us.
    Signal {
        /// Its number.
        signal: i32,
    },
    /// It was stopped because its time was over.
    TimedOut,
    /// It could not be started.
    NotStarted {
        /// What the system said.
        error: String,
    },
    /// Tests failed.
    TestsFailed {
        /// How many.
        failed: u64,
    },
    /// A report was required and none was written.
    NoReport,
    /// A report was required and holds no test.
    NoTests,
    /// The report cannot be read.
    BadReport {
        /// What is wrong with it.
        error: String,
    },
    /// A data file was changed while it worked, so what it made is of nobody's data.
    DataChanged {
        /// Which.
        file: String,
    },
    /// It ended, but what it should have made is not there.
    NoOutput {
        /// What is missing.
        what: String,
    },
    /// Its model is whole, and its gate held it back.
    Gate {
        /// Why.
        reason: String,
    },
}

/// How an attempt of a stage ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It did what it should.
    Passed,
    /// It did not.
    Failed(Failure),
    /// It was stopped on request.
    Cancelled,
    /// Nobody saw how it ended; never taken for success.
    Interrupted,
}

/// Why a run is stopped.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopReason {
    /// An operator said so.
    Cancelled {
        /// Who.
        by: String,
    },
    /// A newer run takes its place.
    Superseded {
        /// Which.
        by: RunId,
    },
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RunResult {
    /// Every stage passed or was skipped.
    Passed,
    /// A stage failed.
    Failed,
    /// Nothing failed, but something that should have run did not (quarantine, no data, no approval, a way
    /// back that its alert wants no more).
    Held,
    /// An operator stopped it.
    Cancelled,
    /// A newer run took its place.
    Superseded,
}
