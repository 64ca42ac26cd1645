//! The configuration as the rest of the program sees it: typed, complete, every default filled in.
//!
//! Only [`super::load`] and [`super::parse`] make these; what is held here has been validated.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::notify_settings::NotifySettings;
use super::schedules::ScheduleSettings;
use super::scrape_settings::ScrapeTargetSettings;
use super::source_settings::SourceSettings;
use crate::pipeline::{Graph, PanelKind, Reaction, StageKind, StageName, StageSpec};

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
    /// Least squares with penalties on the weights.
    ElasticNet,
    /// Support vector machines with a gaussian kernel, for small sets.
    Svm,
    /// A random forest.
    Forest,
    /// Gradient boosting.
    Boosting,
    /// The mean of what the best of several others say.
    Blend,
}

impl Algorithm {
    /// The only task that it can do; `None` for one that can do both.
    pub fn task(self) -> Option<Task> {
        match self {
            Self::Logistic | Self::NaiveBayes => Some(Task::Classification),
            Self::Linear | Self::ElasticNet => Some(Task::Regression),
            Self::Svm | Self::Forest | Self::Boosting | Self::Blend => None,
        }
    }
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
    /// What is tried; empty means `auto`: all that suit the task. The best in cross-validation on the training rows wins.
    pub algorithms: Vec<Algorithm>,
    /// `None` means: found from the target column.
    pub task: Option<Task>,
    /// Columns that are left out.
    pub exclude: Vec<String>,
    /// Share of rows held out for evaluation, between 0 and 1.
    pub holdout: f64,
    /// Seed of everything random.
    pub seed: u64,
    /// How rows are held out.
    pub split: SplitSettings,
    /// What the new model must reach.
    pub gate: Option<GateSettings>,
    /// How far hyper-parameters are looked for.
    pub search: SearchSettings,
    /// Columns by whose values the evaluation is cut into parts.
    pub slices: Vec<String>,
    /// Whether it learns from the labelled rows that releases have collected, too.
    pub feedback: bool,
}

/// `search = { trials, time, folds }`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct SearchSettings {
    /// The most learners that are tried; with one, nothing is searched.
    pub trials: u32,
    /// How long is searched at the most; `None` means until every trial is done, and equal inputs then give equal models.
    pub time: Option<Duration>,
    /// Parts of the training rows, each of which judges what was learned from the others.
    pub folds: u32,
}

impl Default for SearchSettings {
    fn default() -> Self {
        Self { trials: 24, time: None, folds: 3 }
    }
}

/// `split`: which rows are held out.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SplitSettings {
    /// Those that a hash of the row itself names, so that they stay the same as data grows.
    #[default]
    Hash,
    /// The latest ones.
    Time {
        /// The column that says when.
        column: String,
    },
}

/// `gate = { metric, min, champion, tolerance }`
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct GateSettings {
    /// The name of a metric that training reports.
    pub metric: String,
    /// The least value that passes (the greatest, for errors such as `rmse`).
    pub min: Option<f64>,
    /// How it must stand beside the champion. One of this and `min` is always there.
    pub champion: Option<ChampionRule>,
    /// By how much it may be worse and still be no worse, in the unit of the metric.
    pub tolerance: f64,
}

/// How a new model must stand beside the champion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChampionRule {
    /// Not worse by more than the tolerance.
    NoWorse,
    /// Better, and not by chance: the whole interval of the difference lies above zero.
    Better,
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
    /// Where the image is to be: an archive of ours, or Docker Engine. An image goes to the engine when it has a Dockerfile,
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
    /// An OCI archive under `.trainyard/images/`; needs no engine.
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

/// Where a release runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TargetKind {
    /// Processes on this machine.
    Process,
    /// Containers of Docker Engine.
    Docker,
    /// A Deployment on Kubernetes.
    Kubernetes,
}

impl TargetKind {
    /// The word in the configuration.
    pub fn word(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Docker => "docker",
            Self::Kubernetes => "kubernetes",
        }
    }
}

/// Where a release runs, with what only that target is told.
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum DeployTarget {
    /// Processes on this machine.
    Process,
    /// Containers of Docker Engine.
    Docker(DockerSettings),
    /// A Deployment on Kubernetes.
    Kubernetes(KubernetesSettings),
}

impl DeployTarget {
    /// Which kind it is.
    pub fn kind(&self) -> TargetKind {
        match self {
            Self::Process => TargetKind::Process,
            Self::Docker(_) => TargetKind::Docker,
            Self::Kubernetes(_) => TargetKind::Kubernetes,
        }
    }
}

/// What a container may use; `None` means as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, serde::Deserialize)]
pub struct Limits {
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Processors, such as 0.5.
    pub cpus: Option<f64>,
}

/// `target = "docker"`
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct DockerSettings {
    /// The port on which the app listens inside of its container.
    pub container_port: u16,
    /// What it may use.
    pub limits: Limits,
    /// Mounts, as Docker writes them: `/srv/cache:/cache:ro`.
    pub volumes: Vec<String>,
    /// A network that the container joins beside the one of the engine.
    pub network: Option<String>,
    /// The service of an existing Compose project that the release replaces.
    pub compose: Option<ComposeSettings>,
}

/// `compose = { project, service }`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, serde::Deserialize)]
pub struct ComposeSettings {
    /// The Compose project.
    pub project: String,
    /// The service in it.
    pub service: String,
}

/// `target = "kubernetes"`
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct KubernetesSettings {
    /// The context of the kubeconfig; `None` means its present one.
    pub context: Option<String>,
    /// The namespace; `None` means that of the context, else `default`.
    pub namespace: Option<String>,
    /// A folder or file of manifests, relative to the source; `None` means generated ones.
    pub manifests: Option<PathBuf>,
    /// The number of pods; `None` leaves it to the manifests (generated ones have 1).
    pub replicas: Option<u16>,
    /// The port on which the app listens inside of its pod.
    pub container_port: u16,
    /// What a pod may use.
    pub limits: Limits,
    /// Whether an operator must type the project's name before anything here is changed by hand.
    pub production: bool,
    /// A share of the pods first, judged before the rest follows.
    pub canary: Option<CanarySettings>,
}

/// `canary = { share, within, expr, max, min }`
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct CanarySettings {
    /// The share of the pods, between 0 and 1; at least one pod.
    pub share: f64,
    /// How long evidence is gathered.
    pub within: Duration,
    /// The `PromQL` expression that is judged at the end. Series carry the labels `track` (`canary` or `stable`), `release`
    /// and `pod`.
    pub expr: String,
    /// The value must not be above this.
    pub max: Option<f64>,
    /// The value must not be below this.
    pub min: Option<f64>,
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

/// `uses = "deploy"`
#[derive(Debug, Clone, PartialEq, Serialize, serde::Deserialize)]
pub struct DeploySettings {
    /// Where.
    pub target: DeployTarget,
    /// The port of the stable address, on loopback.
    pub port: u16,
    /// What must answer before the switch.
    pub health: HealthSettings,
    /// The command of the app, run in `/app` of the image with `PORT` set; empty means the command of the image.
    pub command: Vec<String>,
    /// Variables of the app's environment.
    pub variables: BTreeMap<String, String>,
    /// How long requests of the old release may take to finish after the switch.
    pub drain: Duration,
    /// Where metrics are scraped.
    pub metrics: String,
    /// Whether the newest model that its gate held back predicts in the shadow of the served one; processes only.
    pub shadow: bool,
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
    /// Time for a whole scrape.
    pub timeout: Duration,
    /// How long samples are kept.
    pub retention: Duration,
    /// Bytes of samples on disk, beyond which the oldest go.
    pub retention_size: u64,
    /// The most series of all targets together.
    pub max_series: usize,
    /// The largest page that is read, in bytes, counted unpacked.
    pub body_limit: usize,
    /// The most samples of one page.
    pub sample_limit: usize,
    /// Whether what can be read of a refused page is kept, marked as unverified.
    pub lenient: bool,
    /// An existing Prometheus that is asked in place of a store of ours.
    pub prometheus: Option<String>,
    /// What is scraped beside the live release.
    pub targets: Vec<ScrapeTargetSettings>,
    /// Charts; empty means the default ones.
    pub panels: Vec<PanelSettings>,
    /// Alerts.
    pub alerts: Vec<AlertSettings>,
    /// The loopback address on which trainyard's own metrics are served, beside the daemon's socket.
    pub listen: Option<SocketAddr>,
}

/// `[[monitor.alerts]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AlertSettings {
    /// Its name, which no other alert has.
    pub name: String,
    /// `PromQL`; each series that it gives is an alert.
    pub expr: String,
    /// `for`: how long the expression must give a series before its alert fires.
    pub pending_for: Duration,
    /// How long it goes on firing after the expression gives that series no more.
    pub keep_firing_for: Duration,
    /// What follows when it fires.
    pub then: Reaction,
    /// Time in which nothing follows from it a second time.
    pub cooldown: Duration,
    /// A label, for people.
    pub severity: Option<String>,
    /// What it means; see [`super::summary_parts`].
    pub summary: Option<String>,
}

/// `[[monitor.panels]]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, serde::Deserialize)]
pub struct PanelSettings {
    /// The heading.
    pub title: String,
    /// `PromQL`.
    pub expr: String,
    /// Behind the value: `s`, `ms`, `B`, `%` and some others are known and scaled, any other text is shown as it is.
    pub unit: Option<String>,
    /// How it is drawn.
    #[serde(default)]
    pub kind: PanelKind,
    /// Where the vertical axis begins; `None` follows the values.
    #[serde(default)]
    pub min: Option<f64>,
    /// Where it ends.
    #[serde(default)]
    pub max: Option<f64>,
    /// From where on a value is worth a look, and from where on it is bad. The second below the first means that small values
    /// are the bad ones.
    #[serde(default)]
    pub thresholds: Option<(f64, f64)>,
    /// Whether the vertical axis is logarithmic.
    #[serde(default)]
    pub log: bool,
    /// Whether zero is always on the vertical axis.
    #[serde(default)]
    pub zero: bool,
}
