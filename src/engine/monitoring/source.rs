//! Where charts, queries and alerts look: into the store of what was scraped here, or at an existing Prometheus.

use std::sync::{Arc, Mutex, PoisonError};

use crate::engine::effects::{CurrentSettings, current};
use crate::monitor::PrometheusClient;

/// Where to look.
#[derive(Debug, Clone)]
pub enum Source {
    /// What was scraped here.
    Own,
    /// What an existing Prometheus scraped.
    Prometheus(PrometheusClient),
}

/// Finds the source by the present settings; the client of a Prometheus is made once.
#[derive(Clone)]
pub(super) struct Sources {
    settings: CurrentSettings,
    made: Arc<Mutex<Option<PrometheusClient>>>,
}

impl Sources {
    pub(super) fn new(settings: CurrentSettings) -> Self {
        Self { settings, made: Arc::default() }
    }

    /// The source now.
    pub(super) fn now(&self) -> Result<Source, String> {
        let settings = current(&self.settings);
        let Some(address) = settings.monitor.prometheus.as_deref() else { return Ok(Source::Own) };
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = made.as_ref().filter(|known| known.address() == address) {
            return Ok(Source::Prometheus(known.clone()));
        }
        let new = PrometheusClient::new(address).map_err(|error| error.to_string())?;
        *made = Some(new.clone());
        Ok(Source::Prometheus(new))
    }
}
