//! The configuration as the rest of the program sees it: typed, complete, every default filled in.
//!
//! Only [`super::load`] and [`super::parse`] make these; what is held here has been validated.

mod deploy;
mod monitor;
mod train;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::notify_settings::NotifySettings;
use super::schedules::ScheduleSettings;
use super::source_settings::SourceSettings;
use crate::pipeline::{Graph, StageKind, StageName, StageSpec};

pub use deploy::{
    CanarySettings, ComposeSettings, DeploySettings, DeployTarget, DockerSettings, HealthSettings, KubernetesSettings,
    Limits, TargetKind,
};
pub use monitor::{AlertSettings, MonitorSettings, PanelSettings};
pub use train::{Algorithm, ChampionRule, GateSettings, SearchSettings, SplitSettings, Task, TrainSettings};

/// One project's `trainyard.toml`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Settings {
    /// The project's name.
    pub name: String,
    /// Where the secrets come from that every stage gets, by the names of their variables.
    pub secrets: BTreeMap<String, SecretSource>,
    /// The source repository.
    pub source: SourceSettings,
    /// The data folder.
    pub data: DataSettings,
    /// What is kept of models.
    pub models: ModelsSettings,
    /// What each stage does, in the order of the graph.
    pub stages: Vec<StageSettings>,
    /// The stages reduced to what decisions depend on.
    #[serde(skip)]
    pub graph: Graph,
    /// Scraping, panels.
    pub monitor: MonitorSettings,
    /// Runs at set times.
    pub schedules: Vec<ScheduleSettings>,
    /// Who is told of what happens.
    pub notify: Vec<NotifySettings>,
}

impl Settings {
    /// The stage of that name.
    pub fn stage(&self, name: &StageName) -> Option<&StageSettings> {
        self.stages.iter().find(|stage| stage.spec.name == *name)
    }

    /// Whether an image lies in Docker Engine, that of the program for a built-in stage elsewhere too, or a stage runs there.
    pub fn uses_docker(&self) -> bool {
        self.stages.iter().any(|stage| match (&stage.action, &stage.runner) {
            (_, Runner::Docker(_)) => true,
            (Action::Image(image), _) => image.store == ImageStore::Docker,
            (Action::Train(_), Runner::Kubernetes(container)) => container.image.is_none(),
            (Action::Command(_) | Action::Train(_) | Action::Deploy(_), _) => false,
        })
    }

    /// Whether releases are to collect labelled rows: something learns from them, and they can be handed over.
    pub fn collects_feedback(&self) -> bool {
        self.stages.iter().any(|stage| matches!(&stage.action, Action::Train(train) if train.feedback))
    }

    /// The first deploy stage, which says what is served where.
    pub fn deploy(&self) -> Option<&DeploySettings> {
        self.stages.iter().find_map(|stage| match &stage.action {
            Action::Deploy(deploy) => Some(deploy),
            _ => None,
        })
    }
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
    /// The data contract, relative to the project folder. It need not be there.
    pub contract: PathBuf,
}

/// `[models]`
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct ModelsSettings {
    /// How many of the newest versions keep their files, beside champions and what releases need.
    pub keep: usize,
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
    /// Where its process runs.
    pub runner: Runner,
    /// The gate of a command that makes a model; built-in training has its own among its settings.
    pub gate: Option<GateSettings>,
}

impl StageSettings {
    /// Whether it trains by itself, rather than by a command.
    pub fn is_built_in_training(&self) -> bool {
        matches!(self.action, Action::Train(_))
    }

    /// What a model of this stage must reach, whoever judges it.
    pub fn gate(&self) -> Option<&GateSettings> {
        match &self.action {
            Action::Train(train) => train.gate.as_ref(),
            Action::Command(_) | Action::Image(_) | Action::Deploy(_) => self.gate.as_ref(),
        }
    }

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
    /// Builds an image.
    Image(ImageSettings),
    /// Deploys an image.
    Deploy(DeploySettings),
}

/// `uses = "image"`
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
pub struct ImageSettings {
    /// Globs of source files that go into `/app` (without a Dockerfile).
    pub include: Vec<String>,
    /// Folder of static files, relative to the source, that the model server shows under `/` (without a Dockerfile).
    pub site: Option<PathBuf>,
    /// What no glob brings in, relative to the source: the data folder and the configuration, which are no source.
    pub leave_out: Vec<PathBuf>,
    /// Where the image is to be: a folder of ours, or Docker Engine. An image goes to the engine when it has a Dockerfile,
    /// when it is pushed, or when a stage deploys it to docker or kubernetes.
    pub store: ImageStore,
    /// How the user's own Dockerfile is built; `None` packs the model server.
    pub dockerfile: Option<DockerfileSettings>,
    /// The repository to which it is pushed, such as `registry.example.com/team/wine`, without a tag.
    pub push: Option<String>,
}

/// Where an image is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ImageStore {
    /// An OCI image layout under `.trainyard/images/`; needs no engine. Its name is from when that was one archive.
    #[default]
    Archive,
    /// Docker Engine, with a small file under `.trainyard/images/` that says which image it is.
    Docker,
}

/// A Dockerfile and how it is built.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct DockerfileSettings {
    /// The Dockerfile, relative to the source.
    pub path: PathBuf,
    /// The context, relative to the source.
    pub context: PathBuf,
    /// The stage of the Dockerfile that is built; `None` means the last.
    pub target: Option<String>,
    /// Build arguments.
    pub arguments: BTreeMap<String, String>,
    /// Build secrets (`RUN --mount=type=secret,id=NAME`).
    pub secrets: BTreeMap<String, SecretSource>,
    /// How long the engine may say nothing.
    pub silence: Duration,
}

/// Where the value of a secret comes from. The value itself is never written down.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SecretSource {
    /// A variable of the daemon's environment.
    Environment(String),
    /// A file, relative to the project folder.
    File(PathBuf),
}

/// Where the process of a stage runs.
#[derive(Debug, Clone, PartialEq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Runner {
    /// On this machine.
    #[default]
    Local,
    /// In a container of Docker Engine.
    Docker(ContainerSettings),
    /// As a Job on Kubernetes.
    Kubernetes(ContainerSettings),
}

/// `container = { … }` of a stage.
#[derive(Debug, Clone, PartialEq, Default, Serialize, serde::Deserialize)]
pub struct ContainerSettings {
    /// The image; `None` means one of the trainyard program itself, for built-in stages.
    pub image: Option<String>,
    /// What it may use; on Kubernetes also what it asks for.
    pub limits: Limits,
    /// A network of Docker Engine that the container joins; `None` means that of the engine.
    pub network: Option<String>,
    /// Kubernetes: the context of the kubeconfig; `None` means its present one.
    pub context: Option<String>,
    /// Kubernetes: the namespace; `None` means that of the context, else `default`.
    pub namespace: Option<String>,
    /// The repository to which the image of the program is pushed, where the nodes do not share this machine's engine.
    pub push: Option<String>,
}
