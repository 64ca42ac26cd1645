//! What a stage does by itself: the keys of commands and of built-in training. Images and releases have files of their
//! own, `image.rs` and `deploy.rs`.

use toml::Spanned;

use super::keys::Section;
use super::reader::TableReader;
use super::settings::{Algorithm, ChampionRule, GateSettings, SearchSettings, SplitSettings, Task, TrainSettings};

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
    /// What its model must reach.
    pub(super) gate: Option<GateSettings>,
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
        gate: gate(reader),
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
    let slices = slices(reader, target.as_deref());
    // It says nothing new, but it may be written.
    reader.choice("produces");
    TrainSettings {
        target: target.unwrap_or_default(),
        algorithms,
        task,
        exclude: exclude.into_iter().map(Spanned::into_inner).collect(),
        holdout: reader.number("holdout").unwrap_or(0.2),
        seed: reader.integer("seed").and_then(|seed| u64::try_from(seed).ok()).unwrap_or(42),
        split: split(reader),
        gate: gate(reader),
        search: search(reader),
        slices,
        feedback: reader.boolean("feedback").unwrap_or(false),
    }
}

/// The columns by which the evaluation is cut. Parts by the target itself would say what recall says already.
fn slices(reader: &mut TableReader<'_>, target: Option<&str>) -> Vec<String> {
    let slices = reader.strings("slices").unwrap_or_default();
    if let Some(same) = slices.iter().find(|column| target == Some(column.get_ref().as_str())) {
        let message = format!("the target column `{}` is among the `slices`", same.get_ref());
        reader.problems.add(same.span(), message, "remove it; how good a model is on each class is told anyway");
    }
    let mut names: Vec<String> = Vec::new();
    for name in slices.into_iter().map(Spanned::into_inner) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn search(reader: &mut TableReader<'_>) -> SearchSettings {
    let title = format!("`search` of {}", reader.title());
    let mut search = reader.section("search", Section::Search, title);
    let usual = SearchSettings::default();
    let number =
        |number: Option<i64>, usual: u32| number.and_then(|number| u32::try_from(number).ok()).unwrap_or(usual);
    let settings = SearchSettings {
        trials: number(search.integer("trials"), usual.trials),
        time: search.duration("time"),
        folds: number(search.integer("folds"), usual.folds),
    };
    search.finish();
    settings
}

/// Which rows are held out; a word or a table.
fn split(reader: &mut TableReader<'_>) -> SplitSettings {
    let title = format!("`split` of {}", reader.title());
    let Some(mut split) = reader.section_or_word("split", Section::Split, title) else { return SplitSettings::Hash };
    split.choice("by");
    split.require("by");
    let column = split.filled("column").map(Spanned::into_inner);
    split.require("column");
    split.finish();
    column.map_or(SplitSettings::Hash, |column| SplitSettings::Time { column })
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
            "elastic-net" => Algorithm::ElasticNet,
            "svm" => Algorithm::Svm,
            "forest" => Algorithm::Forest,
            "boosting" => Algorithm::Boosting,
            "blend" => Algorithm::Blend,
            _ => continue,
        };
        let said = match algorithm.task() {
            Some(Task::Regression) => "regression",
            _ => "classification",
        };
        if let (Some(task), Some(suits)) = (task, algorithm.task())
            && task != suits
        {
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
    let champion = gate.choice("champion").map(|rule| match rule {
        "better" => ChampionRule::Better,
        _ => ChampionRule::NoWorse,
    });
    if !gate.has("min") && !gate.has("champion") {
        // A gate without a bound would pass whatever the value is.
        let message = format!("{} has neither `min` nor `champion`", gate.title());
        let hint = "add `min = 0.55`, the least value that passes, or `champion = \"no-worse\"`";
        gate.problems.add_absence(gate.span(), message, hint);
    }
    let tolerance = gate.number("tolerance");
    if let Some(entry) = gate.entry("tolerance") {
        if tolerance.is_some_and(|tolerance| tolerance < 0.0) {
            gate.problems.add(
                entry.span,
                "`tolerance` is below zero",
                "write how much worse a model may be, such as 0.005",
            );
        } else if !gate.has("champion") {
            let hint = "add `champion = \"no-worse\"`, or remove it";
            gate.problems.add(entry.key_span, "`tolerance` is of a comparison, and there is none", hint);
        } else if champion == Some(ChampionRule::Better) {
            let hint = "write `champion = \"no-worse\"`, or remove it";
            gate.problems.add(entry.key_span, "what must be better has no `tolerance`", hint);
        }
    }
    gate.finish();
    if min.is_none() && champion.is_none() {
        return None;
    }
    Some(GateSettings { metric: metric?, min, champion, tolerance: tolerance.unwrap_or(0.0) })
}
