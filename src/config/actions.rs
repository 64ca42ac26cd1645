//! What a stage does by itself: the keys of commands and of built-in training. Images and releases have files of their
//! own, `image.rs` and `deploy.rs`.

use toml::Spanned;

use super::keys::Section;
use super::reader::TableReader;
use super::settings::{Algorithm, GateSettings, Task, TrainSettings};

/// The keys of a stage that runs a command.
#[derive(Debug)]
pub(super) struct CommandKeys {
    /// The program and its arguments.
    pub(super) words: Vec<String>,
    /// Globs of the source files on which it depends; `None` if nothing is said.
    pub(super) inputs: Option<Vec<String>>,
    /// Whether it says that it writes a model.
    pub(super) produces_model: bool,
    /// Whether a report is required; `None` if nothing is said.
    pub(super) report: Option<bool>,
}

/// A stage with a `command`.
pub(super) fn command(reader: &mut TableReader<'_>) -> CommandKeys {
    let words = reader.words("command");
    if words.as_ref().is_some_and(Vec::is_empty) {
        let message = format!("`command` of {} is empty", reader.title());
        reader.problems.add(reader.span(), message, reader.example("command"));
    }
    CommandKeys {
        words: words.unwrap_or_default(),
        inputs: reader.globs("inputs"),
        produces_model: reader.choice("produces").is_some(),
        report: reader.choice("report").map(|report| report == "required"),
    }
}

/// A stage with `uses = "train"`.
pub(super) fn train(reader: &mut TableReader<'_>) -> TrainSettings {
    let target = reader.filled("target").map(Spanned::into_inner);
    reader.require("target");
    let task = reader.choice("task").map(|task| match task {
        "regression" => Task::Regression,
        _ => Task::Classification,
    });
    let algorithms = algorithms(reader, task);
    let exclude = reader.strings("exclude").unwrap_or_default();
    if let Some(same) = exclude.iter().find(|column| target.as_ref() == Some(column.get_ref())) {
        let message = format!("the target column `{}` is excluded", same.get_ref());
        reader.problems.add(same.span(), message, "remove it from `exclude`, or choose another `target`");
    }
    // It says nothing new, but it may be written.
    reader.choice("produces");
    TrainSettings {
        target: target.unwrap_or_default(),
        algorithms,
        task,
        exclude: exclude.into_iter().map(Spanned::into_inner).collect(),
        holdout: reader.number("holdout").unwrap_or(0.2),
        seed: reader.integer("seed").and_then(|seed| u64::try_from(seed).ok()).unwrap_or(42),
        gate: gate(reader),
    }
}

fn algorithms(reader: &mut TableReader<'_>, task: Option<Task>) -> Vec<Algorithm> {
    let names = reader.choices("algorithms");
    if names.len() > 1
        && let Some(auto) = names.iter().find(|name| *name.get_ref() == "auto")
    {
        reader.problems.add(
            auto.span(),
            "`auto` stands alone",
            "write `algorithms = [\"auto\"]`, or name the algorithms",
        );
    }
    let mut algorithms = Vec::new();
    for name in names {
        let algorithm = match *name.get_ref() {
            "logistic" => Algorithm::Logistic,
            "naive-bayes" => Algorithm::NaiveBayes,
            "linear" => Algorithm::Linear,
            _ => continue,
        };
        let (suits, said) = match algorithm {
            Algorithm::Logistic | Algorithm::NaiveBayes => (Task::Classification, "classification"),
            Algorithm::Linear => (Task::Regression, "regression"),
        };
        if task.is_some_and(|task| task != suits) {
            let message = format!("`{}` is for {said}, which is not the `task`", name.get_ref());
            reader.problems.add(name.span(), message, format!("remove it, or write `task = \"{said}\"`"));
        }
        if !algorithms.contains(&algorithm) {
            algorithms.push(algorithm);
        }
    }
    algorithms
}

fn gate(reader: &mut TableReader<'_>) -> Option<GateSettings> {
    let title = format!("`gate` of {}", reader.title());
    let mut gate = reader.optional_section("gate", Section::Gate, title)?;
    let metric = gate.filled("metric").map(Spanned::into_inner);
    gate.require("metric");
    let min = gate.number("min");
    gate.require("min");
    gate.finish();
    Some(GateSettings { metric: metric?, min: min? })
}
