//! What becomes of a model once its training is over: its lineage is written, and its gate is heard.
//!
//! Built-in training judges its own gate and leaves the ledger; a command of the user's reports metrics, which are judged
//! here. Either way a model that is held back is told from a training that failed.

use super::launch::Launch;
use super::lineage;
use super::outcome::Gathered;
use crate::api::types::{GateLedger, GateVerdict};
use crate::config::{Action, Settings, StageSettings};
use crate::disk::Layout;
use crate::pipeline::{Failure, ModelVersion, Outcome};
use crate::stage::gate;

/// The exit code of built-in training that its gate ended.
const HELD: i32 = 1;

/// Completes what was gathered of an attempt that made a model. Blocking: it writes files.
pub fn conclude(layout: &Layout, settings: &Settings, launch: &Launch, gathered: &mut Gathered) {
    let (Some(version), Some(stage)) = (gathered.outputs.model, settings.stage(&launch.stage)) else { return };
    let folder = layout.model(version);
    let mut lineage = lineage::of(launch, stage, version);
    if stage.is_built_in_training() {
        let learned_too = lineage::feedback(layout, &launch.folder(layout).data_list());
        lineage.rows += learned_too.iter().map(|file| file.rows).sum::<u64>();
        lineage.files.extend(learned_too);
    }
    if let Err(error) = lineage::write(&folder, &lineage) {
        gathered.notes.push(format!("the lineage of model {version} cannot be written: {error}"));
    }
    // The card of built-in training knows no clock: how long trials took is told here alone.
    if !gathered.leaderboard.is_empty()
        && let Err(error) = lineage::write_leaderboard(&folder, &gathered.leaderboard)
    {
        gathered.notes.push(format!("what was tried for model {version} cannot be written: {error}"));
    }
    if let Some(reason) = held(layout, stage, launch, version, gathered) {
        gathered.outcome = Outcome::Failed(Failure::Gate { reason });
    }
}

/// Why the gate holds the model back, if it does.
fn held(
    layout: &Layout,
    stage: &StageSettings,
    launch: &Launch,
    version: ModelVersion,
    gathered: &Gathered,
) -> Option<String> {
    let folder = layout.model(version);
    let reason = |ledger: GateLedger| (ledger.verdict != GateVerdict::Pass).then(|| ledger.sentence());
    match (&stage.action, &gathered.outcome) {
        (Action::Train(_), Outcome::Failed(Failure::Exit { code: HELD, .. })) => gate::ledger(&folder).and_then(reason),
        (Action::Command(_), Outcome::Passed) => {
            let settings = stage.gate()?;
            let champion = launch.champion.map(|champion| (champion.0, &launch.champion_metrics));
            match gate::judge_reported(settings, &gathered.outputs.metrics, champion, &folder) {
                Ok(ledger) => reason(ledger),
                // What is not written down has not been shown.
                Err(error) => Some(error.to_string()),
            }
        }
        _ => None,
    }
}
