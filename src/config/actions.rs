//! What a stage does: the keys that only one kind of stage has.

use std::path::PathBuf;
use std::time::Duration;

use toml::Spanned;

use super::errors::Span;
use super::keys::Section;
use super::reader::TableReader;
use super::settings::{
    Algorithm, DeploySettings, GateSettings, HealthSettings, ImageSettings, TargetKind, Task, TrainSettings,
};

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

/// A stage with `uses = "image"`.
pub(super) fn image(reader: &mut TableReader<'_>) -> ImageSettings {
    let include = reader.globs("include").unwrap_or_default();
    let site = reader.filled("site");
    if let Some(site) = &site {
        let text = site.get_ref();
        if text.starts_with('/') || text.split('/').any(|part| part == "..") {
            let message = format!("`site` is `{text}`, which is not inside the source");
            reader.problems.add(site.span(), message, reader.example("site"));
        }
    }
    // What is left out is known once the whole configuration is.
    ImageSettings { include, site: site.map(|site| PathBuf::from(site.into_inner())), leave_out: Vec::new() }
}

/// A stage with `uses = "deploy"`, and where its port is written.
pub(super) fn deploy(reader: &mut TableReader<'_>) -> (DeploySettings, Option<Span>) {
    // Only one target is built; the reader refuses the others by name.
    reader.choice("target");
    let port_span = reader.entry("port").map(|entry| entry.span);
    let settings = DeploySettings {
        target: TargetKind::Process,
        port: reader.integer("port").and_then(|port| u16::try_from(port).ok()).unwrap_or(8080),
        health: health(reader),
        command: reader.words("command").unwrap_or_default(),
        drain: reader.duration("drain").unwrap_or(Duration::from_secs(10)),
        metrics: address_path(reader, "metrics").unwrap_or_else(|| "/metrics".to_owned()),
    };
    (settings, port_span)
}

fn health(reader: &mut TableReader<'_>) -> HealthSettings {
    let title = format!("`health` of {}", reader.title());
    let mut health = reader.section("health", Section::Health, title);
    let settings = HealthSettings {
        path: address_path(&mut health, "path").unwrap_or_else(|| "/healthz".to_owned()),
        within: health.duration("within").unwrap_or(Duration::from_secs(30)),
    };
    health.finish();
    settings
}

/// A path on the address of the release.
fn address_path(reader: &mut TableReader<'_>, key: &'static str) -> Option<String> {
    let path = reader.filled(key)?;
    let text = path.get_ref();
    if !text.starts_with('/') {
        let message = format!("`{key}` must begin with `/`, found `{text}`");
        reader.problems.add(path.span(), message, format!("write `{key} = \"/{text}\"`"));
    } else if text.contains(char::is_whitespace) {
        reader.problems.add(path.span(), format!("`{key}` contains a blank"), reader.example(key));
    }
    Some(path.into_inner())
}
