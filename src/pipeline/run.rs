//! One run and the state of each of its stages.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::graph::{Graph, StageKind};
use super::hold::Approval;
use super::ids::{Attempt, Digest, ModelVersion, Moment, ReleaseId, RunId, StageName};
use super::inputs::{Fingerprint, Inputs};
use super::reason::{Failure, Obstacle, RunResult, Selection, SkipReason, StopReason, Trigger, Why};
use super::report::TestReport;

/// What a stage gave.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Outputs {
    /// The model version it wrote.
    pub model: Option<ModelVersion>,
    /// Of the model folder or the image it made.
    pub digest: Option<Digest>,
    /// The image, relative to `.trainyard/`.
    pub image: Option<String>,
    /// What it measured.
    pub metrics: BTreeMap<String, f64>,
    /// Its tests.
    pub tests: Option<TestReport>,
    /// The address at which its release answers.
    pub address: Option<String>,
    /// The release that the target itself says is live, after a deploy.
    pub live: Option<ReleaseId>,
}

/// The state of one stage in one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageState {
    /// For the stages it needs, or for its run to start.
    Waiting,
    /// Its last pass is on equal inputs; whether the outputs are still there is being verified.
    Checking {
        /// The pass.
        earlier: RunId,
    },
    /// A failed attempt will be repeated.
    Retrying {
        /// The failed attempt.
        failed: Attempt,
        /// Not before.
        at: Moment,
    },
    /// It could start, and waits for a person to let it.
    AwaitingApproval {
        /// Since when.
        since: Moment,
        /// Who may; anybody if nobody is named.
        of: Vec<String>,
    },
    /// A process works on it.
    Running {
        /// Since when.
        since: Moment,
        /// When it is stopped.
        deadline: Option<Moment>,
        /// Whether it has been told to stop, and whether because of its deadline.
        stopping: Option<Stopping>,
    },
    /// Done.
    Passed,
    /// Failed for good.
    Failed {
        /// Why.
        failure: Failure,
    },
    /// Not needed.
    Skipped {
        /// Why.
        reason: SkipReason,
    },
    /// Could not run.
    NotRun {
        /// Why.
        obstacle: Obstacle,
    },
    /// Stopped with its run.
    Cancelled,
    /// Nobody saw how it ended.
    Interrupted,
}

/// Why a running stage has been told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stopping {
    /// Its run is stopped.
    WithRun,
    /// Its time is over.
    TimedOut,
}

impl StageState {
    /// Whether nothing more will happen to it.
    pub fn is_final(&self) -> bool {
        match self {
            Self::Waiting
            | Self::Checking { .. }
            | Self::Retrying { .. }
            | Self::AwaitingApproval { .. }
            | Self::Running { .. } => false,
            Self::Passed
            | Self::Failed { .. }
            | Self::Skipped { .. }
            | Self::NotRun { .. }
            | Self::Cancelled
            | Self::Interrupted => true,
        }
    }

    /// Whether stages that need it may go on.
    pub fn is_satisfied(&self) -> bool {
        matches!(self, Self::Passed | Self::Skipped { .. })
    }

    /// Whether a process works on it.
    pub fn is_running(&self) -> bool {
        matches!(self, Self::Running { .. })
    }

    /// One word for it, the same everywhere.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Checking { .. } => "checking",
            Self::Retrying { .. } => "retrying",
            Self::AwaitingApproval { .. } => "awaiting approval",
            Self::Running { stopping: None, .. } => "running",
            Self::Running { stopping: Some(_), .. } => "stopping",
            Self::Passed => "passed",
            Self::Failed { .. } => "failed",
            Self::Skipped { .. } => "skipped",
            Self::NotRun { .. } => "not run",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }
}

/// One stage of one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StageRun {
    /// Where it stands.
    pub state: StageState,
    /// The last attempt that was started; zero when none was.
    pub attempt: Attempt,
    /// Why it was started.
    pub why: Option<Why>,
    /// On what it worked.
    pub fingerprint: Option<Fingerprint>,
    /// The model version it writes.
    pub writes_model: Option<ModelVersion>,
    /// The champion of the stage when it started, with which what it makes is compared.
    #[serde(default)]
    pub champion: Option<ModelVersion>,
    /// The release it makes.
    pub release: Option<ReleaseId>,
    /// What it gave, or what its earlier pass gave.
    pub outputs: Option<Outputs>,
    /// When its first attempt started.
    pub started: Option<Moment>,
    /// When its last attempt ended.
    pub ended: Option<Moment>,
    /// The exit left something behind that held the log open.
    pub output_held: bool,
    /// Who let it start, where that is wanted.
    #[serde(default)]
    pub approved: Option<Approval>,
}

impl StageRun {
    /// A stage that nothing has happened to.
    pub fn waiting() -> Self {
        Self {
            state: StageState::Waiting,
            attempt: Attempt(0),
            why: None,
            fingerprint: None,
            writes_model: None,
            champion: None,
            release: None,
            outputs: None,
            started: None,
            ended: None,
            output_held: false,
            approved: None,
        }
    }

    /// The model version that it made, or that the pass it stands for made. A training that was stopped or that broke off wrote
    /// into the folder of a version, but made none.
    pub fn model(&self) -> Option<ModelVersion> {
        let is_whole = match &self.state {
            StageState::Passed
            | StageState::Skipped { .. }
            | StageState::Checking { .. }
            | StageState::Failed { failure: Failure::Gate { .. } } => true,
            StageState::Waiting
            | StageState::Retrying { .. }
            | StageState::AwaitingApproval { .. }
            | StageState::Running { .. }
            | StageState::Failed { .. }
            | StageState::NotRun { .. }
            | StageState::Cancelled
            | StageState::Interrupted => false,
        };
        self.outputs.as_ref().and_then(|outputs| outputs.model).filter(|_| is_whole)
    }

    /// Milliseconds it has worked, up to `now` when it still does.
    pub fn took(&self, now: Moment) -> Option<u64> {
        self.started.map(|started| self.ended.unwrap_or(now).since(started))
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Run {
    /// Its number.
    pub id: RunId,
    /// What started it.
    pub trigger: Trigger,
    /// Which stages it is about.
    pub selection: Selection,
    /// What it works on.
    pub inputs: Inputs,
    /// Its stages, by name.
    pub stages: BTreeMap<StageName, StageRun>,
    /// When it was asked for.
    pub created: Moment,
    /// When its turn came.
    pub started: Option<Moment>,
    /// When it ended.
    pub ended: Option<Moment>,
    /// It has been told to stop.
    pub stopping: Option<StopReason>,
    /// How it ended.
    pub result: Option<RunResult>,
}

impl Run {
    /// Whether it is over.
    pub fn is_finished(&self) -> bool {
        self.result.is_some()
    }

    /// Whether its turn has come and it is not over.
    pub fn is_active(&self) -> bool {
        self.started.is_some() && self.result.is_none()
    }

    /// Whether a deploy is under way, which is never interrupted.
    pub fn is_deploying(&self, graph: &Graph) -> bool {
        self.stages.iter().any(|(name, stage)| {
            stage.state.is_running() && graph.get(name).is_some_and(|spec| spec.kind == StageKind::Deploy)
        })
    }

    /// The model version that `stage` sees: the one that the nearest stage before it wrote.
    pub fn model_for(&self, graph: &Graph, stage: &StageName) -> Option<ModelVersion> {
        let ancestors = graph.ancestors(stage);
        graph.stages().iter().rev().filter(|spec| spec.name == *stage || ancestors.contains(&spec.name)).find_map(
            |spec| {
                let run = self.stages.get(&spec.name)?;
                run.outputs.as_ref().and_then(|outputs| outputs.model).or(run.writes_model)
            },
        )
    }

    /// The image that `stage` sees: the one that the nearest stage before it made.
    pub fn image_for(&self, graph: &Graph, stage: &StageName) -> Option<&Outputs> {
        let ancestors = graph.ancestors(stage);
        graph
            .stages()
            .iter()
            .rev()
            .filter(|spec| ancestors.contains(&spec.name))
            .find_map(|spec| self.stages.get(&spec.name)?.outputs.as_ref().filter(|outputs| outputs.image.is_some()))
    }
}
