//! The gate at the end of a training: loads the champion, lets `model::judge` compare, writes the ledger beside the model and
//! prints it.
//!
//! A model that does not pass stays in its folder with the ledger; only the stage fails, and so nothing later runs. The
//! champion comes by the contract: its version, and its folder where this stage can read it.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::api::types::{GateLedger, GateVerdict};
use crate::config::{GateSettings, TrainSettings};
use crate::disk::write_whole;
use crate::model::{self, Champion, DataSet, Metrics, SavedModel};

/// The ledger, in the folder of the model.
pub const LEDGER_FILE: &str = "gate.json";

/// Why a model goes no further.
#[derive(Debug, thiserror::Error)]
pub enum GateError {
    /// It was held back.
    #[error("gate: {0}; the model was kept for inspection, and later stages do not run")]
    Held(String),
    /// The ledger cannot be written, and what is not written down has not been shown.
    #[error("gate: cannot write the ledger {path}: {source}")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// The champion as the contract names it: its version, and its folder if it is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChampionPlace {
    /// Its version.
    pub version: u64,
    /// Its folder.
    pub folder: Option<PathBuf>,
}

impl ChampionPlace {
    /// As it stands in the environment of this process; `None` when there is no champion.
    pub fn from_environment() -> Option<Self> {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let folder = text("TRAINYARD_CHAMPION").map(PathBuf::from);
        let version = text("TRAINYARD_CHAMPION_VERSION").and_then(|version| version.parse().ok());
        // A folder without a number is a champion too.
        version.or(folder.as_ref().map(|_| 0)).map(|version| Self { version, folder })
    }

    fn load(&self) -> Result<SavedModel, String> {
        match &self.folder {
            Some(folder) => SavedModel::load(folder).map_err(|error| error.to_string()),
            None => Err("its folder is not there where this stage runs".to_owned()),
        }
    }
}

/// Judges a model that was trained on `data`, and writes and prints why.
pub fn judge(
    gate: &GateSettings,
    settings: &TrainSettings,
    model: &SavedModel,
    data: &DataSet,
    folder: &Path,
    champion: Option<&ChampionPlace>,
    log: &mut dyn Write,
) -> Result<(), GateError> {
    let loaded = champion.filter(|_| gate.champion.is_some()).map(|place| (place.version, place.load()));
    let champion = loaded
        .as_ref()
        .map(|(version, model)| Champion { version: *version, model: model.as_ref().map_err(Clone::clone) });
    let ledger = model::judge(gate, model, champion.as_ref(), data, &held_out(data, settings));
    write(folder, &ledger)?;
    conclude(&ledger, log)
}

/// Judges what a stage has reported, for the daemon, which knows what was reported; the ledger is written beside the model.
pub fn judge_reported(
    gate: &GateSettings,
    metrics: &Metrics,
    champion: Option<(u64, &Metrics)>,
    folder: &Path,
) -> Result<GateLedger, GateError> {
    let ledger = model::judge_reported(gate, metrics, champion);
    write(folder, &ledger)?;
    Ok(ledger)
}

/// The ledger of a model; `None` when there is none, or none that can be read.
pub fn ledger(folder: &Path) -> Option<GateLedger> {
    serde_json::from_slice(&std::fs::read(folder.join(LEDGER_FILE)).ok()?).ok()
}

/// The rows that the model was judged by: the split says it again, for it depends on nothing but rows and settings.
fn held_out(data: &DataSet, settings: &TrainSettings) -> Vec<usize> {
    model::split(data, settings).map(|parts| parts.held_out).unwrap_or_default()
}

fn write(folder: &Path, ledger: &GateLedger) -> Result<(), GateError> {
    let path = folder.join(LEDGER_FILE);
    let failed = |source: io::Error| GateError::Write { path: path.clone(), source };
    let mut text = serde_json::to_vec_pretty(ledger).map_err(|error| failed(error.into()))?;
    text.push(b'\n');
    write_whole(&path, &text).map_err(failed)
}

fn conclude(ledger: &GateLedger, log: &mut dyn Write) -> Result<(), GateError> {
    for line in ledger.lines() {
        // A log that nobody reads any more is no reason to lose a training.
        let _ = writeln!(log, "{line}");
    }
    if ledger.verdict == GateVerdict::Pass {
        return Ok(());
    }
    let _ = writeln!(log, "  {}", ledger.next);
    Err(GateError::Held(ledger.sentence()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::ChampionRule;

    fn metrics(value: f64) -> Metrics {
        Metrics::from([("accuracy".to_owned(), value)])
    }

    #[test]
    fn the_ledger_lies_beside_the_model_and_is_found_again() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(ledger(folder.path()), None);
        let champion = Some(ChampionRule::NoWorse);
        let gate = GateSettings { metric: "accuracy".to_owned(), min: None, champion, tolerance: 0.0 };
        let written = judge_reported(&gate, &metrics(0.7), Some((4, &metrics(0.8))), folder.path()).unwrap();
        assert_eq!((written.verdict, written.champion), (GateVerdict::Fail, Some(4)));
        assert_eq!(ledger(folder.path()), Some(written));
    }

    #[test]
    fn a_held_model_is_told_with_what_can_be_done() {
        let gate = GateSettings { metric: "accuracy".to_owned(), min: Some(0.9), champion: None, tolerance: 0.0 };
        let ledger = model::judge_reported(&gate, &metrics(0.7), None);
        let mut log = Vec::new();
        let error = conclude(&ledger, &mut log).unwrap_err().to_string();
        assert!(error.starts_with("gate: accuracy 0.700 is below 0.9; the model was kept"), "{error}");
        let log = String::from_utf8(log).unwrap();
        assert!(log.starts_with("gate: fail\n  minimum ") && log.contains("trainyard promote"), "{log}");
    }
}
