//! What is asked of a target and what it answers: types that also travel as JSON.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::api::types::Place;
pub use crate::api::types::{InstanceStatus, Usage};
use crate::config::DeployTarget;
use crate::pipeline::{Digest, ModelVersion, Moment, ReleaseId, RunId};

/// What to do when the image of a deploy is gone. Its stage may have any name, and a run finds by itself that it is missing.
const BUILD_AGAIN: &str = "build it again with `trainyard run`";
/// What to do when the image of a rollback is gone: a run, forced or not, builds the present source.
pub const CHOOSE_ANOTHER: &str =
    "choose another release (`trainyard releases`), or check out its commit and build it with `trainyard run`";

/// Everything that is needed to put one release into service, now and again after a restart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ApplyRequest {
    /// The release.
    pub release: ReleaseId,
    /// The project's name.
    pub project: String,
    /// The run that deploys it.
    pub run: RunId,
    /// The commit, as a person reads it.
    pub commit: String,
    /// Where it is to run.
    pub target: DeployTarget,
    /// The project folder; with the name it tells what is ours (see [`super::labels`]).
    pub folder: PathBuf,
    /// The release that it repeats, when it is a rollback.
    pub repeats: Option<ReleaseId>,
    /// The source tree, below which manifests lie.
    pub source: PathBuf,
    /// The image: a folder or an archive (`.tar`), or the file that stands for an image in Docker Engine (`.json`).
    pub image: PathBuf,
    /// The digest in its name: of the image's manifest, or of the configuration of the engine's image.
    pub digest: Digest,
    /// The model in the image.
    pub model_version: Option<ModelVersion>,
    /// The command of the app; empty means the entry point of the image.
    pub command: Vec<String>,
    /// Variables of the app's environment.
    pub variables: BTreeMap<String, String>,
    /// The path that is scraped.
    pub metrics_path: String,
    /// The path that must answer with a 2xx status before the switch.
    pub health_path: String,
    /// Milliseconds within which it must.
    pub healthy_within: u64,
    /// Milliseconds that requests in flight may take after the switch.
    pub drain: u64,
}

impl ApplyRequest {
    /// The labels of all that the release consists of.
    pub fn labels(&self) -> BTreeMap<String, String> {
        let mut labels = super::labels::of_project(&self.project, &super::labels::folder(&self.folder));
        labels.insert(super::labels::RELEASE.to_owned(), self.release.to_string());
        labels.insert(super::labels::RUN.to_owned(), self.run.to_string());
        labels.extend(self.model_version.map(|model| (super::labels::MODEL.to_owned(), model.to_string())));
        labels
    }

    /// The time within which the release must be healthy.
    pub fn healthy_within(&self) -> Duration {
        Duration::from_millis(self.healthy_within)
    }

    /// How long evidence is gathered of a canary of it.
    pub fn canary_within(&self) -> Duration {
        match &self.target {
            DeployTarget::Kubernetes(settings) => {
                settings.canary.as_ref().map(|canary| canary.within).unwrap_or_default()
            }
            DeployTarget::Process | DeployTarget::Docker(_) => Duration::ZERO,
        }
    }

    /// What to do when its image is gone.
    pub fn image_mend(&self) -> &'static str {
        if self.repeats.is_some() { CHOOSE_ANOTHER } else { BUILD_AGAIN }
    }

    /// How long requests of the replaced release may take after the switch.
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain)
    }
}

#[cfg(test)]
impl ApplyRequest {
    /// Release 17 of a project whose name is no name for an engine.
    pub(crate) fn sample(target: DeployTarget) -> Self {
        Self {
            release: ReleaseId(17),
            project: "Wine Quality".to_owned(),
            run: RunId(40),
            commit: "3f2a91c".to_owned(),
            target,
            folder: "/srv/wine".into(),
            repeats: None,
            source: "/srv/wine".into(),
            image: "/srv/wine/.trainyard/images/ab.json".into(),
            digest: Digest("ab".repeat(32)),
            model_version: Some(ModelVersion(12)),
            command: Vec::new(),
            variables: BTreeMap::new(),
            metrics_path: "/metrics".to_owned(),
            health_path: "/healthz".to_owned(),
            healthy_within: 1_000,
            drain: 1_000,
        }
    }
}

/// What became of an [`ApplyRequest`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplyResponse {
    /// The release serves.
    Live {
        /// The stable address, such as `http://127.0.0.1:8080`.
        address: String,
    },
    /// A share of it serves beside the former release, until [`super::host::HostClient::promote`] or `withdraw` is asked for.
    Canary {
        /// The stable address.
        address: String,
        /// The pods of the canary.
        instances: Vec<String>,
    },
    /// The release was refused and nothing of it runs.
    Rejected {
        /// What it did, to be read behind "release 17": "did not become healthy within 30 s: …".
        reason: String,
        /// The last lines it wrote.
        log_tail: Vec<String>,
        /// The release that goes on serving.
        kept: Option<ReleaseId>,
    },
    /// Something stood in the way that says nothing about the release: a full disk, a host that is being stopped.
    NotTried {
        /// What, to be read behind "release 17": "could not be unpacked: …".
        reason: String,
        /// The release that goes on serving.
        kept: Option<ReleaseId>,
        /// Whether nobody answered who could have put it into service.
        #[serde(default)]
        unreachable: bool,
    },
}

/// The newest form of images that the host of this program reads: they are folders.
pub const IMAGE_FORM: u32 = 1;

/// What a target does at a moment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetStatus {
    /// The stable address.
    pub address: String,
    /// The release that serves, or should.
    pub live: Option<LiveRelease>,
    /// The release that is being put into service.
    pub applying: Option<ReleaseId>,
    /// The newest form of images that it reads. A host outlives the program that started it, and one from before this was said
    /// reads archives alone.
    #[serde(default)]
    pub image_form: u32,
}

/// Where that is, as far as the configuration says.
pub fn place(target: &DeployTarget) -> Place {
    let kind = target.kind().word().to_owned();
    match target {
        DeployTarget::Process | DeployTarget::Docker(_) => {
            Place { kind, context: None, namespace: None, production: false }
        }
        DeployTarget::Kubernetes(settings) => Place {
            kind,
            context: settings.context.clone(),
            namespace: settings.namespace.clone(),
            production: settings.production,
        },
    }
}

/// Why a release is not put into service, to be read behind "release 17".
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// The release itself was found unfit.
    Unfit {
        /// "did not become healthy within 30 s: …".
        reason: String,
        /// The last lines it wrote.
        log_tail: Vec<String>,
    },
    /// Something else stood in the way, which says nothing about the release: an engine that does not answer, an image that
    /// is gone, a right that is lacking.
    NotTried {
        /// "could not be started: …", with the mend.
        reason: String,
        /// Whether nobody answered who could have put it into service: an engine, a cluster.
        unreachable: bool,
    },
}

impl Failure {
    /// Something that says nothing about the release.
    pub fn not_tried(reason: impl Into<String>) -> Self {
        Self::NotTried { reason: reason.into(), unreachable: false }
    }

    /// An engine or a cluster that does not answer.
    pub fn unreachable(reason: impl Into<String>) -> Self {
        Self::NotTried { reason: reason.into(), unreachable: true }
    }

    /// What stood in the way.
    pub fn reason(&self) -> &str {
        match self {
            Self::Unfit { reason, .. } | Self::NotTried { reason, .. } => reason,
        }
    }

    /// A release that was judged and found unfit.
    pub fn unfit(reason: impl Into<String>, log_tail: Vec<String>) -> Self {
        Self::Unfit { reason: reason.into(), log_tail }
    }
}

/// The release in service.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LiveRelease {
    /// Its number.
    pub release: ReleaseId,
    /// The image it runs.
    pub digest: Digest,
    /// The model in it.
    pub model_version: Option<ModelVersion>,
    /// Since when it is the live one.
    pub since: Moment,
    /// Whether it answers now; a release that died is started again.
    pub serving: bool,
    /// How many times it was started again.
    pub restarts: u64,
    /// How it ended the last time, if it did.
    pub last_exit: Option<String>,
    /// Requests that it has not answered yet.
    pub in_flight: usize,
}
