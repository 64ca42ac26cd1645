//! Model versions as clients see them: the registry, one version with all that is known of it, and promotion.
//!
//! What a model says of itself comes from the files in its folder, which a stage of any language may have written; so every
//! part may be absent, and a view shows what is there.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::card::ModelCard;
use super::gate::GateLedger;
use crate::pipeline::{Digest, ModelVersion, Moment, Note, Promotion, RunId, StageName};

/// One line of the registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[expect(clippy::struct_excessive_bools, reason = "facts that are independent of each other")]
pub struct ModelSummary {
    /// The version.
    pub version: ModelVersion,
    /// The stage that made it.
    pub stage: StageName,
    /// In this run.
    pub run: RunId,
    /// When its training ended.
    pub made: Moment,
    /// Milliseconds its training took.
    pub took: u64,
    /// What learned it, in a few words; absent for a model of a command.
    pub learner: Option<String>,
    /// The metric that counts: that of the gate, else the usual one of its task.
    pub metric: Option<MetricValue>,
    /// All metrics that were reported.
    pub metrics: BTreeMap<String, f64>,
    /// What the gate made of it: `passed` or `held`.
    pub verdict: String,
    /// Why it was held.
    pub reason: Option<String>,
    /// Whether it passed because no gate is configured. A daemon that says nothing of it leaves it at what the verdict says.
    #[serde(default)]
    pub ungated: bool,
    /// Whether it is the champion of its stage.
    pub champion: bool,
    /// Whether it serves.
    pub live: bool,
    /// Of its files, without those that only tell of it.
    pub digest: Option<Digest>,
    /// Of the data that it learned from.
    pub data: Option<Digest>,
    /// Rows of that data.
    pub rows: Option<u64>,
    /// The commit at which it was trained.
    pub commit: Option<String>,
    /// The champion with which it was compared.
    pub parent: Option<ModelVersion>,
    /// The last note.
    pub note: Option<String>,
    /// Whether its files are there.
    pub has_files: bool,
}

impl ModelSummary {
    /// What the gate made of it, as people read it. The verdict alone says `passed` of what nothing was asked of.
    pub fn gate_word(&self) -> &str {
        if self.ungated { "no gate" } else { &self.verdict }
    }
}

/// Whether a smaller value of a metric is a better one.
pub fn lower_is_better(metric: &str) -> bool {
    matches!(metric, "rmse" | "mae" | "median_absolute_error" | "log_loss" | "calibration_error")
}

/// A metric with its interval, where there is one.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MetricValue {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: f64,
    /// Its 95 % interval.
    pub interval: Option<(f64, f64)>,
}

/// One version with all that is known of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ModelDetail {
    /// Its line in the registry.
    pub summary: ModelSummary,
    /// What was written about it, the oldest first.
    pub notes: Vec<Note>,
    /// When it became the champion, the oldest first.
    pub promotions: Vec<Promotion>,
    /// All that the gate looked at.
    pub ledger: Option<GateLedger>,
    /// Where it comes from.
    pub lineage: Option<ModelLineage>,
    /// Whether there is a profile of its data.
    pub has_profile: bool,
    /// What it says of itself.
    pub card: ModelCard,
}

impl ModelDetail {
    /// Whether a promotion of this version lasts, so that it is the champion since then; another has taken the place of an
    /// earlier one.
    pub fn lasts(&self, promotion: &Promotion) -> bool {
        self.summary.champion && self.promotions.last() == Some(promotion)
    }
}

/// Where a model comes from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelLineage {
    /// Its version.
    pub model: ModelVersion,
    /// The stage that made it.
    pub stage: StageName,
    /// In this run.
    pub run: RunId,
    /// The version of trainyard.
    pub trainyard: String,
    /// The versions of the crates that built-in training learns with.
    pub crates: BTreeMap<String, String>,
    /// The commit.
    pub commit: Option<String>,
    /// Whether files differed from it.
    pub dirty: bool,
    /// The source, as a person reads it.
    pub source: String,
    /// Of the configuration of the stage.
    pub configuration: Digest,
    /// Of the data.
    pub data: Digest,
    /// Rows of all files.
    pub rows: u64,
    /// Its files, and the copy of labelled rows from releases that was learned from too.
    pub files: Vec<LineageFile>,
    /// The champion with which it was compared.
    pub champion: Option<ModelVersion>,
}

/// One file of the data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LineageFile {
    /// Its path below the data folder; of a copy of labelled rows below the project.
    pub path: String,
    /// Of its content.
    pub digest: Digest,
    /// Its rows.
    pub rows: u64,
}

/// An operator wants a model to be the champion, and to serve.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PromoteRequest {
    /// Which.
    pub model: ModelVersion,
    /// Why.
    pub message: String,
}

/// An operator writes something about a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NoteRequest {
    /// What.
    pub text: String,
}
