//! The data sets of `sample-data/` are byte for byte what their README says, and can be learned from.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::{Path, PathBuf};

use trainyard::config::{self, Action, TrainSettings};
use trainyard::disk::digest_bytes;
use trainyard::model;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-data")
}

/// Logistic regression as a train stage would do it, without a search.
fn settings(target: &str) -> TrainSettings {
    let text = format!(
        "[stages.train]\nuses = \"train\"\ntarget = \"{target}\"\nalgorithms = [\"logistic\"]\nsearch = {{ trials = 1 }}\n"
    );
    let stages = config::parse(&text, "trainyard.toml").unwrap().stages;
    let train = stages.into_iter().find_map(|stage| match stage.action {
        Action::Train(settings) => Some(settings),
        _ => None,
    });
    train.unwrap()
}

#[test]
fn files_that_were_taken_whole_have_the_digest_that_the_readme_tells() {
    let told = fs::read_to_string(folder().join("README.md")).unwrap();
    for name in ["penguins/penguins.csv", "breast-cancer/breast-cancer.csv"] {
        let digest = digest_bytes(&fs::read(folder().join(name)).unwrap()).to_string();
        assert!(told.contains(&digest), "{name} has the digest {digest}, which the README does not tell");
    }
}

#[test]
fn wine_has_the_digest_that_the_readme_tells_of_its_rows() {
    let told = fs::read_to_string(folder().join("README.md")).unwrap();
    let mut rows = String::new();
    for name in ["2023-spring", "2023-autumn", "2024-spring", "2024-autumn"] {
        let text = fs::read_to_string(folder().join("wine-quality").join(name).with_extension("csv")).unwrap();
        rows.extend(text.split_inclusive('\n').skip(1));
    }
    assert!(told.contains(&digest_bytes(rows.as_bytes()).to_string()));
}

#[test]
fn species_and_diagnoses_are_learned() {
    for (name, target, classes) in
        [("penguins/penguins.csv", "species", 3), ("breast-cancer/breast-cancer.csv", "diagnosis", 2)]
    {
        let data = model::read(&[folder().join(name)]).unwrap();
        let learned = model::train(&data, &settings(target), &mut |_| {}).unwrap();
        assert_eq!(learned.card().classes.len(), classes, "{name}");
        let accuracy = learned.card().metrics["accuracy"];
        assert!(accuracy > 0.9, "{name}: {accuracy}");
    }
}
