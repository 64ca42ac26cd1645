//! What is watched, charted and judged.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::config::scrape_settings::ScrapeTargetSettings;
use crate::pipeline::{PanelKind, Reaction};

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
    /// What it means; see [`crate::config::summary_parts`].
    pub summary: Option<String>,
}

/// `[[monitor.panels]]`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
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
