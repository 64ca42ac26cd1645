//! What is deployed where.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// `uses = "deploy"`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HealthSettings {
    /// The path that must answer with a 2xx status.
    pub path: String,
    /// Within this time.
    pub within: Duration,
}

/// Where a release runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub struct Limits {
    /// Memory in bytes.
    pub memory: Option<u64>,
    /// Processors, such as 0.5.
    pub cpus: Option<f64>,
}

/// `target = "docker"`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ComposeSettings {
    /// The Compose project.
    pub project: String,
    /// The service in it.
    pub service: String,
}

/// `target = "kubernetes"`
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
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
