//! What all requests share. Nothing of it is held while a prediction is made.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{Semaphore, watch};

use crate::model::drift::{Drift, Window};
use crate::model::learn::predictor::Output;
use crate::model::served_model::ServedModel;
use crate::model::server::body;
use crate::model::server::feedback::Feedback;
use crate::model::server::limits::{Limits, ServeOptions};
use crate::model::server::metrics::ServerMetrics;
use crate::model::server::served::Served;
use crate::model::server::shadow::Shadow;
use crate::model::server::table::Table;

/// Large requests that are worked off at once; the others wait.
const LARGE_AT_ONCE: usize = 2;

/// The state of a server.
#[derive(Debug)]
pub(in crate::model) struct Shared {
    pub(in crate::model) served: Served,
    pub(in crate::model) metrics: ServerMetrics,
    window: Mutex<Window>,
    pub(in crate::model) shadow: Option<Shadow>,
    pub(in crate::model) feedback: Option<Feedback>,
    pub(in crate::model) site: Option<PathBuf>,
    stopping: watch::Receiver<bool>,
    /// Turns for requests that take a lot of memory while they are worked off.
    pub(in crate::model) large: Arc<Semaphore>,
    /// Room for large bodies.
    pub(in crate::model) room: Arc<Semaphore>,
    pub(in crate::model) limits: Limits,
    pub(in crate::model) release: Option<String>,
    pub(in crate::model) version: Option<String>,
}

impl Shared {
    /// `stopping` turns true when the server is to stop.
    pub(in crate::model) fn new(model: ServedModel, options: ServeOptions, stopping: watch::Receiver<bool>) -> Self {
        let served = Served::new(model);
        let task = served.task();
        Self {
            metrics: ServerMetrics::new(&served),
            window: Mutex::new(Window::new(served.reference(), options.window)),
            served,
            shadow: options.shadow.map(Shadow::start),
            feedback: options.feedback.map(|file| Feedback::new(file, task)),
            site: options.site,
            stopping,
            large: Arc::new(Semaphore::new(LARGE_AT_ONCE)),
            room: body::room(),
            limits: options.limits,
            release: std::env::var("TRAINYARD_RELEASE").ok(),
            version: std::env::var("TRAINYARD_MODEL_VERSION").ok().filter(|version| !version.is_empty()),
        }
    }

    /// Notes answered records for metrics and drift.
    pub(in crate::model) fn observe(&self, table: &Table<'_>, outputs: &[Output]) {
        let reference = self.served.reference();
        let mut places = Vec::with_capacity(outputs.len() * reference.width());
        for (cells, output) in table.rows().zip(outputs) {
            reference.place(cells, output, &mut places);
        }
        self.metrics.answered(reference, outputs, &places);
        self.window.lock().unwrap_or_else(PoisonError::into_inner).record(&places);
    }

    /// How far the last records are from the training rows.
    pub(in crate::model) fn drift(&self) -> Drift {
        self.window.lock().unwrap_or_else(PoisonError::into_inner).drift(self.served.reference())
    }

    pub(in crate::model) fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}
