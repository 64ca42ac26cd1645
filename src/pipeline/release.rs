//! Releases: what was put into service, when, and what became of it.

use serde::{Deserialize, Serialize};

use super::ids::{Digest, ModelVersion, Moment, ReleaseId, RunId, StageName};
use super::inputs::Fingerprint;

/// What has become of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseStatus {
    /// A deploy works on it.
    Starting,
    /// It serves.
    Live,
    /// A later one took its place.
    Retired,
    /// It did not become healthy, or an operator went back from it.
    Rejected,
    /// Its deploy ended for a reason that says nothing about it.
    Abandoned,
}

impl ReleaseStatus {
    /// One word for it, the same everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Live => "live",
            Self::Retired => "retired",
            Self::Rejected => "rejected",
            Self::Abandoned => "abandoned",
        }
    }

    /// Whether it still counts on a process of its own.
    pub fn is_current(self) -> bool {
        matches!(self, Self::Starting | Self::Live)
    }
}

/// One release.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Release {
    /// Its number.
    pub id: ReleaseId,
    /// The run that made it.
    pub run: RunId,
    /// The stage that made it.
    pub stage: StageName,
    /// The earlier release that it repeats.
    pub repeats: Option<ReleaseId>,
    /// Of the image.
    pub image: Option<Digest>,
    /// The image, relative to `.trainyard/`.
    pub archive: Option<String>,
    /// The model in it.
    pub model: Option<ModelVersion>,
    /// The commit, as a person reads it.
    pub commit: String,
    /// On what it rests; automation does not deploy the same again once it was rejected.
    pub fingerprint: Option<Fingerprint>,
    /// When its deploy started.
    pub started: Moment,
    /// When it went live.
    pub live_since: Option<Moment>,
    /// When it stopped being live.
    pub ended: Option<Moment>,
    /// Where it answers.
    pub address: Option<String>,
    /// What has become of it.
    pub status: ReleaseStatus,
}
