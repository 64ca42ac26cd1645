//! `model.toml`, in which a training says of its graph what the graph does not say itself. All of it may be left out.

use std::collections::BTreeSet;
use std::fs;
use std::io::ErrorKind;
use std::path::{Component, Path};

use serde::Deserialize;

use super::onnx_error::OnnxError;
use crate::config::Task;

/// The file, in the folder of the model.
pub const SETTINGS_FILE: &str = "model.toml";

/// What it may say.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Settings {
    /// What is predicted.
    pub(super) target: Option<String>,
    /// Classes or numbers.
    pub(super) task: Option<Task>,
    /// The classes, in the order of the probabilities.
    pub(super) classes: Option<Vec<ClassName>>,
    /// The columns, in the order of the graph's inputs.
    pub(super) features: Option<Vec<FeatureSettings>>,
    /// A CSV file in the folder: rows by which drift is measured.
    pub(super) reference: Option<String>,
    /// Which output is served, where the graph has several.
    pub(super) output: Option<String>,
}

/// A class: text, or an integer, which is then answered as one.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(super) enum ClassName {
    Integer(i64),
    Text(String),
}

/// A column.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FeatureSettings {
    pub(super) name: String,
    /// Without it, what the graph takes.
    pub(super) kind: Option<FeatureKind>,
    /// Of a column of categories: all of them. Where the graph takes numbers, a category goes in as its place here.
    pub(super) categories: Option<Vec<String>>,
}

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum FeatureKind {
    Numeric,
    Categorical,
}

impl Settings {
    /// Reads the file; nothing is said where there is none.
    pub(super) fn read(folder: &Path) -> Result<Self, OnnxError> {
        let file = folder.join(SETTINGS_FILE);
        let text = match fs::read_to_string(&file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(source) => return Err(OnnxError::File { file, source }),
        };
        let settings: Self =
            toml::from_str(&text).map_err(|source| OnnxError::Settings { file, source: Box::new(source) })?;
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), OnnxError> {
        if let Some(name) = &self.reference
            && !is_beside(name)
        {
            let reason = format!("is \"{name}\"; give a file in the folder of the model, as only that is deployed");
            return Err(wrong("reference", &reason));
        }
        if self.classes.as_ref().is_some_and(|classes| classes.len() < 2) {
            return Err(wrong("classes", "needs two classes at least"));
        }
        for feature in self.features.iter().flatten() {
            let categories = feature.categories.as_deref().unwrap_or_default();
            if feature.kind == Some(FeatureKind::Numeric) && !categories.is_empty() {
                let reason =
                    format!("gives categories for \"{}\", which is numeric; take one of the two out", feature.name);
                return Err(wrong("features", &reason));
            }
            if let Some(twice) = repeated(categories.iter()) {
                let reason = format!("gives the category \"{twice}\" of \"{}\" twice", feature.name);
                return Err(wrong("features", &reason));
            }
        }
        match repeated(self.features.iter().flatten().map(|feature| &feature.name)) {
            Some(name) => Err(wrong("features", &format!("has two features \"{name}\""))),
            None => Ok(()),
        }
    }
}

pub(super) fn wrong(key: &str, reason: &str) -> OnnxError {
    OnnxError::Setting { key: key.to_owned(), reason: reason.to_owned() }
}

/// A relative path that does not leave the folder.
fn is_beside(name: &str) -> bool {
    !name.is_empty()
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
}

/// The first name that was there before.
pub(super) fn repeated<'a>(mut names: impl Iterator<Item = &'a String>) -> Option<&'a String> {
    let mut seen = BTreeSet::new();
    names.find(|name| !seen.insert(*name))
}

#[cfg(test)]
mod tests {
    use super::{ClassName, FeatureKind, Settings};
    use crate::model::samples::Folder;

    fn read(text: &str) -> Result<Settings, String> {
        let folder = Folder::new();
        folder.write("model.toml", text);
        Settings::read(folder.path()).map_err(|error| error.to_string())
    }

    #[test]
    fn without_the_file_nothing_is_said() {
        assert_eq!(Settings::read(Folder::new().path()).unwrap(), Settings::default());
    }

    #[test]
    fn all_that_may_be_said_is_read() {
        let settings = read(
            "target = \"kind\"\ntask = \"classification\"\nclasses = [3, \"b\"]\nreference = \"train.csv\"\n\
             features = [{ name = \"a\" }, { name = \"b\", kind = \"categorical\", categories = [\"x\", \"y\"] }]\n",
        )
        .unwrap();
        assert_eq!(settings.classes.unwrap(), [ClassName::Integer(3), ClassName::Text("b".to_owned())]);
        assert_eq!(settings.features.unwrap()[1].kind, Some(FeatureKind::Categorical));
    }

    #[test]
    fn what_cannot_be_is_refused_with_its_key_or_line() {
        for (text, part) in [
            ("targt = \"kind\"", "targt"),
            ("reference = \"../train.csv\"", "in the folder of the model"),
            ("reference = \"/train.csv\"", "in the folder of the model"),
            ("classes = [1]", "two classes at least"),
            ("features = [{ name = \"a\" }, { name = \"a\" }]", "two features \"a\""),
            ("features = [{ name = \"a\", kind = \"numeric\", categories = [\"x\"] }]", "which is numeric"),
            ("features = [{ name = \"a\", categories = [\"x\", \"x\"] }]", "twice"),
        ] {
            let message = read(text).unwrap_err();
            assert!(message.contains(part), "{text}: {message}");
        }
    }
}
