//! Where a model comes from, written by the daemon beside every model, whoever trained it; and what a command tried, which
//! built-in training says in the model's card.
//!
//! It is no part of the model: equal inputs give the equal model, but not of the same commit, in the same run. So none of
//! these files nor the ledger of the gate counts when models are told from each other ([`digest`]).

use std::io;
use std::path::Path;

use super::launch::Launch;
use crate::api::types::{LeaderboardRow, LineageFile, ModelLineage};
use crate::config::StageSettings;
use crate::disk::{Layout, digest_folder_without, write_whole};
use crate::model::{RECORDS, count_rows};
use crate::pipeline::{Digest, ModelVersion};

/// The file, in the folder of the model.
pub const LINEAGE_FILE: &str = "lineage.json";
/// The last board that a command told, in the folder of its model.
pub const LEADERBOARD_FILE: &str = "leaderboard.json";

/// The crates of which what is learned depends, with their versions. A test compares them with `Cargo.lock`.
const CRATES: [(&str, &str); 10] = [
    ("linfa", "0.8.1"),
    ("linfa-bayes", "0.8.1"),
    ("linfa-elasticnet", "0.8.1"),
    ("linfa-kernel", "0.8.1"),
    ("linfa-linalg", "0.2.1"),
    ("linfa-linear", "0.8.1"),
    ("linfa-logistic", "0.8.1"),
    ("linfa-nn", "0.8.1"),
    ("linfa-svm", "0.8.1"),
    ("ndarray", "0.16.1"),
];

/// The digest by which models are told from each other: of all files but those that only tell of it.
pub fn digest(folder: &Path) -> io::Result<Digest> {
    digest_folder_without(folder, &RECORDS)
}

/// What is known of the origin of a model that an attempt made.
pub fn of(launch: &Launch, stage: &StageSettings, version: ModelVersion) -> ModelLineage {
    let run = &launch.run;
    let data = &run.inputs.data;
    let files = data.files.iter().map(|file| LineageFile {
        path: file.path.clone(),
        digest: file.digest.clone(),
        rows: file.rows,
    });
    let crates = CRATES.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned()));
    ModelLineage {
        model: version,
        stage: launch.stage.clone(),
        run: run.id,
        trainyard: env!("CARGO_PKG_VERSION").to_owned(),
        crates: if stage.is_built_in_training() { crates.collect() } else { std::collections::BTreeMap::new() },
        commit: run.inputs.source.commit.clone(),
        dirty: run.inputs.source.dirty,
        source: run.inputs.source.label(),
        configuration: stage.spec.definition.clone(),
        data: data.digest.clone(),
        rows: data.rows,
        files: files.collect(),
        champion: launch.champion,
    }
}

/// The copies of labelled rows among the data files that `list` names: what a model learned from beside the registered data.
/// Blocking: it reads them.
pub fn feedback(layout: &Layout, list: &Path) -> Vec<LineageFile> {
    let Ok(list) = std::fs::read_to_string(list) else { return Vec::new() };
    let copy = |path: &Path| {
        let below = path.strip_prefix(layout.project()).unwrap_or(path);
        let digest = Digest(path.file_stem()?.to_string_lossy().into_owned());
        Some(LineageFile { path: below.display().to_string(), digest, rows: count_rows(path).unwrap_or(0) })
    };
    list.lines().map(Path::new).filter(|path| path.starts_with(layout.feedback())).filter_map(copy).collect()
}

/// Writes it beside the model.
pub fn write(folder: &Path, lineage: &ModelLineage) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(lineage)?;
    text.push(b'\n');
    write_whole(&folder.join(LINEAGE_FILE), &text)
}

/// Writes what was tried beside the model.
pub fn write_leaderboard(folder: &Path, board: &[LeaderboardRow]) -> io::Result<()> {
    let mut text = serde_json::to_vec_pretty(board)?;
    text.push(b'\n');
    write_whole(&folder.join(LEADERBOARD_FILE), &text)
}

/// Reads the lineage; `None` when it is not there or cannot be read.
pub fn read(folder: &Path) -> Option<ModelLineage> {
    serde_json::from_slice(&std::fs::read(folder.join(LINEAGE_FILE)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::stage::gate::LEDGER_FILE;

    #[test]
    fn what_only_tells_of_a_model_does_not_make_it_another() {
        assert!(RECORDS.contains(&LINEAGE_FILE) && RECORDS.contains(&LEDGER_FILE));
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("model.bin"), "weights").unwrap();
        let before = digest(folder.path()).unwrap();
        for name in RECORDS {
            fs::write(folder.path().join(name), "{}").unwrap();
        }
        assert_eq!(digest(folder.path()).unwrap(), before);
        fs::write(folder.path().join("model.bin"), "others").unwrap();
        assert_ne!(digest(folder.path()).unwrap(), before);
    }

    #[test]
    fn labelled_rows_that_were_learned_from_are_named_beside_the_data() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        let digest = Digest("a".repeat(64));
        let copy = layout.feedback().join(format!("{digest}.csv"));
        fs::write(&copy, "x,y\n1,a\n2,b\n").unwrap();
        let list = folder.path().join("data.txt");
        fs::write(&list, format!("{}\n{}\n", layout.project().join("data/a.csv").display(), copy.display())).unwrap();
        let found = feedback(&layout, &list);
        let path = copy.strip_prefix(layout.project()).unwrap().display().to_string();
        assert_eq!(found, [LineageFile { path, digest, rows: 2 }]);
        assert!(feedback(&layout, &folder.path().join("not there")).is_empty());
    }

    #[test]
    fn the_versions_of_the_learning_crates_are_those_of_the_lock_file() {
        let lock = include_str!("../../Cargo.lock");
        let packages = lock.split("[[package]]").filter_map(|package| {
            let value = |key: &str| {
                let line = package.lines().find_map(|line| line.strip_prefix(key));
                line.map(|value| value.trim_matches('"').to_owned())
            };
            Some((value("name = ")?, value("version = ")?))
        });
        let mut learning: Vec<(String, String)> =
            packages.filter(|(name, _)| name.starts_with("linfa") || name == "ndarray").collect();
        // The runtime of graphs brings a later ndarray of its own, which learns nothing.
        learning.dedup_by(|later, first| later.0 == first.0);
        let told: Vec<(String, String)> =
            CRATES.iter().map(|(name, version)| ((*name).to_owned(), (*version).to_owned())).collect();
        assert_eq!(told, learning);
    }
}
