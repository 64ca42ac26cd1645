//! Which model predicts in the shadow of a release: the newest one that its gate held back.
//!
//! It is found by the ledger that its gate left in its folder. A model without a ledger was never judged, and is none that
//! somebody wants to hear more of. The folder may be pruned while the release serves; the next start of the release then
//! says that it has no shadow, and serves.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::gate::LEDGER_FILE;
use crate::disk::Layout;
use crate::pipeline::ModelVersion;

/// The variable by which the model server hears of it.
pub(super) const VARIABLE: &str = "TRAINYARD_SHADOW_MODEL";

/// The folder of the newest model that was held back and is newer than the one that is deployed.
pub(super) fn newest_held(layout: &Layout, deployed: Option<ModelVersion>) -> Option<PathBuf> {
    let folders = fs::read_dir(layout.state().join("models")).ok()?;
    let versions = folders.filter_map(|folder| folder.ok()?.file_name().to_str()?.parse::<u64>().ok());
    let newer = versions.filter(|version| deployed.is_none_or(|deployed| *version > deployed.0));
    newer
        .filter(|version| is_held(layout, ModelVersion(*version)))
        .max()
        .map(|version| layout.model(ModelVersion(version)))
}

fn is_held(layout: &Layout, version: ModelVersion) -> bool {
    let verdict = || {
        let ledger: Value = serde_json::from_slice(&fs::read(layout.model(version).join(LEDGER_FILE)).ok()?).ok()?;
        Some(ledger.get("verdict")?.as_str()?.to_lowercase())
    };
    verdict().is_some_and(|verdict| verdict != "pass")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::newest_held;
    use crate::disk::Layout;
    use crate::pipeline::ModelVersion;

    #[test]
    fn the_newest_model_that_was_held_and_is_newer_than_the_deployed_one_is_taken() {
        let project = tempfile::tempdir().unwrap();
        let layout = Layout::new(project.path()).unwrap();
        let verdicts = [(1, "fail"), (3, "fail"), (4, "no-evidence"), (5, "pass")];
        for (version, verdict) in verdicts {
            let folder = layout.model(ModelVersion(version));
            fs::create_dir_all(&folder).unwrap();
            fs::write(folder.join("gate.json"), format!("{{\"verdict\": \"{verdict}\"}}")).unwrap();
        }
        fs::create_dir_all(layout.model(ModelVersion(6))).unwrap();
        assert_eq!(newest_held(&layout, Some(ModelVersion(2))), Some(layout.model(ModelVersion(4))));
        assert_eq!(newest_held(&layout, Some(ModelVersion(5))), None);
        assert_eq!(newest_held(&layout, None), Some(layout.model(ModelVersion(4))));
    }
}
