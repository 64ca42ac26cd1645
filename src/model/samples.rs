//! Small data sets and a small model for the tests of this room.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::config::{SearchSettings, SplitSettings, TrainSettings};
use crate::model::data::dataset::read;
use crate::model::data::record::Record;
use crate::model::envelope::SavedModel;
use crate::model::training::train;

/// A temporary folder.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        self.write_bytes(name, text.as_bytes())
    }

    pub(crate) fn write_bytes(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }
}

/// Flowers that are short and wide or tall and narrow, with a colour that says little.
pub(crate) fn flowers() -> String {
    let mut text = "height,width,colour,kind\n".to_owned();
    for row in 0..300_u32 {
        let spread = f64::from(row * 7919 % 101) / 101.0;
        let other = f64::from(row * 104_729 % 89) / 89.0;
        let colour = ["red", "white", "blue"][(row % 3) as usize];
        let line = if row % 2 == 0 {
            format!("{:.3},{:.3},{colour},short\n", 2.0 + spread, 5.0 + other)
        } else {
            format!("{:.3},{:.3},{colour},tall\n", 6.0 + spread, 3.0 + other)
        };
        text.push_str(&line);
    }
    text
}

pub(crate) fn settings(target: &str) -> TrainSettings {
    TrainSettings {
        target: target.to_owned(),
        algorithms: Vec::new(),
        task: None,
        exclude: Vec::new(),
        holdout: 0.2,
        seed: 42,
        split: SplitSettings::Hash,
        gate: None,
        // One of each algorithm: a search of every test would take minutes.
        search: SearchSettings { trials: 4, ..SearchSettings::default() },
        slices: Vec::new(),
        feedback: false,
    }
}

/// A model of [`flowers`].
pub(crate) fn model() -> SavedModel {
    let folder = Folder::new();
    let data = read(&[folder.write("flowers.csv", &flowers())]).unwrap();
    train(&data, &settings("kind"), &mut |_| {}).unwrap()
}

/// A short flower for even numbers, a tall one for odd ones.
pub(crate) fn record(number: u32) -> Record {
    let value = if number.is_multiple_of(2) {
        json!({"height": 2.5, "width": 5.5, "colour": "red"})
    } else {
        json!({"height": 6.5, "width": 3.5, "colour": "blue"})
    };
    value.as_object().unwrap().clone()
}

/// A model of [`flowers`] that predicts a number.
pub(crate) fn regression() -> SavedModel {
    let folder = Folder::new();
    let data = read(&[folder.write("flowers.csv", &flowers())]).unwrap();
    train(&data, &settings("height"), &mut |_| {}).unwrap()
}

/// A model of [`flowers`] that has not seen one of the columns.
pub(crate) fn model_without(column: &str) -> SavedModel {
    let folder = Folder::new();
    let data = read(&[folder.write("flowers.csv", &flowers())]).unwrap();
    let settings = TrainSettings { exclude: vec![column.to_owned()], ..settings("kind") };
    train(&data, &settings, &mut |_| {}).unwrap()
}
