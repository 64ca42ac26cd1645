//! What a `[[monitor.targets]]` says, typed and with every default filled in.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;

use super::settings::SecretSource;

/// `[[monitor.targets]]`
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ScrapeTargetSettings {
    /// Its label `job`.
    pub name: String,
    /// The whole address.
    pub url: String,
    /// Its other labels; `instance` is among them, as written or else host and port of the address.
    pub labels: BTreeMap<String, String>,
    /// Time between its scrapes.
    pub interval: Duration,
    /// Time for a whole scrape of it.
    pub timeout: Duration,
    /// The most samples of its page.
    pub sample_limit: usize,
    /// The format of a page that does not say which it has; `None` refuses it.
    pub fallback: Option<FallbackFormat>,
    /// Who asks.
    pub authentication: Authentication,
    /// Certificates that are trusted in place of those of the system, relative to the project folder.
    pub ca: Option<PathBuf>,
}

/// The format of a page that does not say which it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FallbackFormat {
    /// The text format of Prometheus.
    Text,
    /// `OpenMetrics`.
    OpenMetrics,
}

/// Who asks for a page, and where the proof of it comes from.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Authentication {
    /// Nobody in particular.
    #[default]
    None,
    /// A user with a password.
    Basic {
        /// The user.
        user: String,
        /// Where the password comes from.
        password: SecretSource,
    },
    /// Whoever has the token.
    Bearer {
        /// Where it comes from.
        token: SecretSource,
    },
}
