//! What an apply told, for any number of listeners, also for those who ask again.

use tokio::sync::watch;

use crate::pipeline::ReleaseId;
use crate::target::ApplyResponse;

/// What an apply told so far.
#[derive(Debug, Clone, Default)]
pub struct Told {
    /// The steps, in words.
    pub steps: Vec<String>,
    /// What became of it, once it is over.
    pub outcome: Option<ApplyResponse>,
}

/// The record of one apply, which any number of listeners may follow.
#[derive(Debug)]
pub struct Record {
    /// What is applied.
    pub release: ReleaseId,
    told: watch::Sender<Told>,
}

impl Record {
    /// A record without a step.
    pub fn new(release: ReleaseId) -> Self {
        Self { release, told: watch::Sender::new(Told::default()) }
    }

    /// Tells a step.
    pub fn step(&self, text: String) {
        self.told.send_modify(|told| told.steps.push(text));
    }

    /// Tells what became of it.
    pub fn finish(&self, outcome: ApplyResponse) {
        self.told.send_modify(|told| told.outcome = Some(outcome));
    }

    /// What was told and what will be.
    pub fn follow(&self) -> watch::Receiver<Told> {
        self.told.subscribe()
    }
}
