//! Model versions: what was trained, what became of it, and which one the next has to be compared with.
//!
//! The champion of a stage is the model of it that was promoted last: by its gate, at the moment the stage passed, or by an
//! operator who said so. A model that its gate held back, for a bad result or for want of evidence, is kept and listed, and
//! nobody but a person makes it champion. A rollback of a release changes no champion: it says that a release is unfit, which
//! may have many reasons beside its model.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::ids::{ModelVersion, Moment, RunId, StageName};
use super::inputs::Fingerprint;
use super::reason::{Failure, Outcome};
use super::run::Outputs;

/// Model versions beyond this many are forgotten, the oldest first; champions never.
pub const MODELS_KEPT: usize = 200;
/// Promotions beyond this many are forgotten, the oldest first.
const PROMOTIONS_KEPT: usize = 200;
/// Notes on one model beyond this many are forgotten, the oldest first.
const NOTES_KEPT: usize = 20;

/// Who made a model the champion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Promoter {
    /// The stage passed, and with it its gate.
    Gate,
    /// An operator.
    Operator {
        /// Who.
        name: String,
    },
}

/// What the gate made of a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fate {
    /// It passed.
    Passed,
    /// It was held back.
    Held {
        /// Why.
        reason: String,
    },
}

/// What somebody wrote about a model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// When.
    pub at: Moment,
    /// Who.
    pub by: String,
    /// What.
    pub text: String,
}

/// One model version.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Model {
    /// Its number.
    pub version: ModelVersion,
    /// The stage that made it.
    pub stage: StageName,
    /// In this run.
    pub run: RunId,
    /// When its training ended.
    pub made: Moment,
    /// Milliseconds its training took.
    pub took: u64,
    /// What the gate made of it.
    pub fate: Fate,
    /// What the stage gave: its digest and the metrics that were reported.
    pub outputs: Outputs,
    /// On what the stage worked.
    pub fingerprint: Option<Fingerprint>,
    /// The champion with which it was compared.
    pub parent: Option<ModelVersion>,
    /// What was written about it, the oldest first.
    pub notes: Vec<Note>,
}

/// One change of champion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Promotion {
    /// When.
    pub at: Moment,
    /// Of which stage.
    pub stage: StageName,
    /// The new champion.
    pub model: ModelVersion,
    /// The one before it.
    pub former: Option<ModelVersion>,
    /// By whom.
    pub by: Promoter,
    /// Why; empty where the gate did it.
    pub message: String,
}

/// All model versions that are remembered, and the champions among them.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Registry {
    /// The versions, up to [`MODELS_KEPT`].
    pub models: BTreeMap<ModelVersion, Arc<Model>>,
    /// The champion of each stage that has one.
    pub champions: BTreeMap<StageName, ModelVersion>,
    /// How they became it, the oldest first.
    pub promotions: Vec<Promotion>,
}

impl Fate {
    /// What the end of a training says of its model; `None` when it made none that is whole.
    pub(super) fn of(outcome: &Outcome) -> Option<Self> {
        match outcome {
            Outcome::Passed => Some(Self::Passed),
            Outcome::Failed(Failure::Gate { reason }) => Some(Self::Held { reason: reason.clone() }),
            Outcome::Failed(_) | Outcome::Cancelled | Outcome::Interrupted => None,
        }
    }

    /// One word for it, the same everywhere.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Held { .. } => "held",
        }
    }
}

impl Registry {
    /// The champion of a stage.
    pub fn champion(&self, stage: &StageName) -> Option<&Arc<Model>> {
        self.champions.get(stage).and_then(|version| self.models.get(version))
    }

    /// Whether a version is the champion of its stage.
    pub fn is_champion(&self, version: ModelVersion) -> bool {
        self.champions.values().any(|champion| *champion == version)
    }

    /// Whether what a stage gave is its champion, or equal to it byte for byte. Where there is no champion, nothing is below
    /// it.
    pub(super) fn is_as_good_as_champion(&self, stage: &StageName, outputs: &Outputs) -> bool {
        let Some(champion) = self.champion(stage) else { return true };
        let is_equal = outputs.digest.is_some() && outputs.digest == champion.outputs.digest;
        outputs.model == Some(champion.version) || is_equal
    }

    /// Adds what a training made.
    pub(super) fn add(&mut self, model: Model) {
        self.models.insert(model.version, Arc::new(model));
        while self.models.len() > MODELS_KEPT {
            let oldest = self.models.keys().copied().find(|version| !self.is_champion(*version));
            match oldest {
                Some(oldest) => self.models.remove(&oldest),
                None => break,
            };
        }
    }

    /// Makes a model the champion of its stage.
    pub(super) fn promote(&mut self, promotion: Promotion) {
        self.champions.insert(promotion.stage.clone(), promotion.model);
        self.promotions.push(promotion);
        let surplus = self.promotions.len().saturating_sub(PROMOTIONS_KEPT);
        self.promotions.drain(..surplus);
    }

    /// Writes something about a model; false when there is no such version.
    pub(super) fn note(&mut self, version: ModelVersion, note: Note) -> bool {
        let Some(model) = self.models.get_mut(&version) else { return false };
        let notes = &mut Arc::make_mut(model).notes;
        notes.push(note);
        let surplus = notes.len().saturating_sub(NOTES_KEPT);
        notes.drain(..surplus);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::samples::model;

    fn promote(registry: &mut Registry, version: u64) {
        let (at, former) = (Moment(0), None);
        let (stage, model, by) = ("train".into(), ModelVersion(version), Promoter::Gate);
        registry.promote(Promotion { at, stage, model, former, by, message: String::new() });
    }

    #[test]
    fn of_many_models_the_oldest_are_forgotten_and_never_a_champion() {
        let mut registry = Registry::default();
        registry.add(model(1));
        promote(&mut registry, 1);
        for version in 2..=300 {
            registry.add(model(version));
        }
        assert_eq!(registry.models.len(), MODELS_KEPT);
        assert!(registry.models.contains_key(&ModelVersion(1)) && !registry.models.contains_key(&ModelVersion(2)));
    }

    #[test]
    fn notes_are_added_and_the_oldest_forgotten() {
        let mut registry = Registry::default();
        registry.add(model(1));
        let note = |number: usize| Note { at: Moment(0), by: "ada".to_owned(), text: number.to_string() };
        for number in 0..30 {
            assert!(registry.note(ModelVersion(1), note(number)));
        }
        let texts: Vec<&str> = registry.models[&ModelVersion(1)].notes.iter().map(|note| note.text.as_str()).collect();
        assert_eq!((texts.len(), texts[0]), (NOTES_KEPT, "10"));
        assert!(!registry.note(ModelVersion(9), note(0)));
    }
}
