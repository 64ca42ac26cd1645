//! What is asked of a target and what it answers: types that also travel as JSON.

use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::pipeline::{Digest, ModelVersion, Moment, ReleaseId};

/// Everything that is needed to put one release into service, now and again after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ApplyRequest {
    /// The release.
    pub release: ReleaseId,
    /// The image archive.
    pub image: PathBuf,
    /// The digest of the image's manifest, which the archive must have.
    pub digest: Digest,
    /// The model in the image.
    pub model_version: Option<ModelVersion>,
    /// The command of the app; empty means the entry point of the image.
    pub command: Vec<String>,
    /// The path that must answer with a 2xx status before the switch.
    pub health_path: String,
    /// Milliseconds within which it must.
    pub healthy_within: u64,
    /// Milliseconds that requests in flight may take after the switch.
    pub drain: u64,
}

impl ApplyRequest {
    /// The time within which the release must be healthy.
    pub fn healthy_within(&self) -> Duration {
        Duration::from_millis(self.healthy_within)
    }

    /// How long requests of the replaced release may take after the switch.
    pub fn drain(&self) -> Duration {
        Duration::from_millis(self.drain)
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
    },
}

/// What a target does at a moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TargetStatus {
    /// The stable address.
    pub address: String,
    /// The release that serves, or should.
    pub live: Option<LiveRelease>,
    /// The release that is being put into service.
    pub applying: Option<ReleaseId>,
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
