//! The configuration as the rest of the program sees it: typed, complete, every default filled in.
//!
//! Only [`super::load`] and [`super::parse`] make these; what is held here has been validated.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use crate::pipeline::{Graph, StageKind, StageName, StageSpec};

/// One project's `trainyard.toml`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// The project's name.
    pub name: String,
    /// The source repository.
    pub source: SourceSettings,
    /// The data folder.
    pub data: DataSettings,
    /// What each stage does, in the order of the graph.
    pub stages: Vec<StageSettings>,
    /// The stages reduced to what decisions depend on.
    #[serde(skip)]
    pub graph: Graph,
    /// Scraping, panels.
    pub monitor: MonitorSettings,
}

impl Settings {
    /// The stage of that name.
    pub fn stage(&self, name: &StageName) -> Option<&StageSettings> {
        self.stages.iter().find(|stage| stage.spec.name == *name)
    }

    /// The first deploy stage, which says what is served where.
    pub fn deploy(&self) -> Option<&DeploySettings> {
        self.stages.iter().find_map(|stage| match &stage.action {
            Action::Deploy(deploy) => Some(deploy),
            _ => None,
        })
    }
}

/// When a change of the source starts a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SourceTrigger {
    /// Whenever a file that git does not ignore is saved.
    Save,
    /// Whenever HEAD points to another commit; stages then run on a clean checkout of that commit.
    Commit,
    /// Never by itself.
    Manual,
}

/// `[source]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SourceSettings {
    /// The work tree, relative to the project folder.
    pub path: PathBuf,
    /// When a change starts a run.
    pub trigger: SourceTrigger,
    /// Globs that are ignored beyond `.gitignore`.
    pub ignore: Vec<String>,
}

/// `[data]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DataSettings {
    /// The data folder, relative to the project folder.
    pub path: PathBuf,
    /// Globs of the files that count.
    pub include: Vec<String>,
    /// Quiet time before a closed file counts as registered.
    pub settle: Duration,
}

/// `[stages.NAME]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StageSettings {
    /// What decisions depend on.
    pub spec: StageSpec,
    /// What is done.
    pub action: Action,
    /// Variables added to the environment of the stage.
    pub environment: BTreeMap<String, String>,
    /// Globs of the source files that are this stage's inputs; empty means all of the source (when `spec.uses_source`).
    pub inputs: Vec<String>,
    /// Time between TERM and KILL.
    pub grace: Duration,
}

impl StageSettings {
    /// What kind of stage this is.
    pub fn kind(&self) -> StageKind {
        self.spec.kind
    }
}

/// What a stage does.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// Runs the user's command. `$NAME` and `${NAME}` in an argument stand for the stage's variables; no shell is involved.
    Command(Vec<String>),
    /// Built-in training.
    Train(TrainSettings),
    /// Builds an image archive.
    Image(ImageSettings),
    /// Deploys an image.
    Deploy(DeploySettings),
}

/// A family of learners.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Algorithm {
    /// Logistic regression (two classes) or its multinomial form.
    Logistic,
    /// Gaussian naive Bayes.
    NaiveBayes,
    /// Ordinary least squares.
    Linear,
}

/// What is to be predicted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of a few classes.
    Classification,
    /// A number.
    Regression,
}

/// `uses = "train"`
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct TrainSettings {
    /// The column to predict.
    pub target: String,
    /// What is tried; empty means `auto`: all that suit the task. The best on the held-out rows wins.
    pub algorithms: Vec<Algorithm>,
    /// `None` means: found from the target column.
    pub task: Option<Task>,
    /// Columns that are left out.
    pub exclude: Vec<String>,
    /// Share of rows held out for evaluation, between 0 and 1.
    pub holdout: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// What the new model must reach.
    pub gate: Option<GateSettings>,
}

/// `gate = { metric, min }`
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct GateSettings {
    /// The name of a metric that training reports.
    pub metric: String,
    /// The least value that passes (the greatest, for errors such as `rmse`).
    pub min: f64,
}

/// `uses = "image"`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ImageSettings {
    /// Globs of source files that go into `/app`.
    pub include: Vec<String>,
    /// Folder of static files, relative to the source, that the model server shows under `/`.
    pub site: Option<PathBuf>,
    /// What no glob brings in, relative to the source: the data folder and the configuration, which are no source.
    pub leave_out: Vec<PathBuf>,
}

/// Where a release runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// Processes on this machine.
    Process,
}

/// `uses = "deploy"`
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct DeploySettings {
    /// Where.
    pub target: TargetKind,
    /// The port of the stable address, on loopback.
    pub port: u16,
    /// What must answer before the switch.
    pub health: HealthSettings,
    /// The command of the app, run in `/app` of the image with `PORT` set; empty means the built-in model server.
    pub command: Vec<String>,
    /// How long requests of the old release may take to finish after the switch.
    pub drain: Duration,
    /// Where metrics are scraped.
    pub metrics: String,
}

/// `health = { path, within }`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct HealthSettings {
    /// The path that must answer with a 2xx status.
    pub path: String,
    /// Within this time.
    pub within: Duration,
}

/// `[monitor]`
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MonitorSettings {
    /// Time between scrapes.
    pub scrape: Duration,
    /// How long samples are kept.
    pub retention: Duration,
    /// Charts; empty means the default ones.
    pub panels: Vec<PanelSettings>,
}

/// `[[monitor.panels]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct PanelSettings {
    /// The heading.
    pub title: String,
    /// `PromQL`.
    pub expr: String,
    /// Shown behind the value.
    pub unit: Option<String>,
}
