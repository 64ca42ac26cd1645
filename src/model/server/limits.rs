//! How much one client, and all of them together, may ask of a server. Each limit has an answer that says so.

use std::path::PathBuf;
use std::time::Duration;

use crate::model::drift::WindowSettings;
use crate::model::server::feedback_file::FeedbackFile;
use crate::model::server::shadow::ShadowModel;

/// The most of everything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of a body.
    pub body_bytes: usize,
    /// Records of a request.
    pub records: usize,
    /// Open connections; newcomers wait until one of them ends.
    pub connections: usize,
    /// From the first byte of a request to the end of its head.
    pub head: Duration,
    /// From the end of the head to the end of the body.
    pub body: Duration,
    /// From the whole request to its answer, for what has to wait for its turn.
    pub answer: Duration,
    /// How long a connection may say nothing between two requests.
    pub idle: Duration,
    /// How long a client may take nothing of its answer.
    pub stalled: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 8 * 1024 * 1024,
            records: 10_000,
            connections: 1024,
            head: Duration::from_secs(10),
            body: Duration::from_secs(30),
            answer: Duration::from_secs(30),
            // Longer than clients with a pool of connections usually keep theirs, so that it is they who close.
            idle: Duration::from_mins(5),
            stalled: Duration::from_secs(30),
        }
    }
}

/// What a server does beside predicting.
#[derive(Debug, Default)]
pub struct ServeOptions {
    /// A folder of static files for `/`.
    pub site: Option<PathBuf>,
    /// A second model that predicts the same records, whose answers are only compared.
    pub shadow: Option<ShadowModel>,
    /// Where labelled records are kept that clients send back; without it none are taken.
    pub feedback: Option<FeedbackFile>,
    /// The most of everything.
    pub limits: Limits,
    /// How many records the drift looks at.
    pub window: WindowSettings,
}
