//! `trainyard models` and `trainyard promote`: the registry of models, one of them, two beside each other, a note, and the
//! choice of a champion by hand.
//!
//! Reading needs no daemon; a note and a promotion are written down by it, so it is started if none runs.

mod detail;
mod difference;

use std::io::Write;
use std::path::Path;

use super::confirm;
use super::failure::Failure;
use super::project::{block_on, client, layout, state};
use super::run::ask;
use super::show::{clock, json};
use super::table::{print, terminal_width};
use super::up;
use crate::api::types::{MetricValue, ModelDetail, ModelSummary, NoteRequest};
use crate::engine::registry;
use crate::pipeline::{Command, ModelVersion, Refusal, Selection};

/// Stands where nothing is known.
const UNKNOWN: &str = "–";

/// What is asked of models.
#[derive(Debug, Clone, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct ModelsArguments {
    /// Something else than to show them
    #[command(subcommand)]
    pub action: Option<ModelsAction>,
    /// Show this version with all that is known of it
    #[arg(value_name = "VERSION")]
    pub version: Option<u64>,
    /// As JSON
    #[arg(long)]
    pub json: bool,
}

/// What can be done with models.
#[derive(Debug, Clone, clap::Subcommand)]
pub enum ModelsAction {
    /// Show in what two versions differ
    #[command(after_help = "Example: trainyard models diff 11 12")]
    Diff {
        /// The one
        #[arg(value_name = "VERSION")]
        one: u64,
        /// The other
        #[arg(value_name = "OTHER")]
        other: u64,
        /// As JSON
        #[arg(long)]
        json: bool,
    },
    /// Write something about a version, for whoever reads the registry
    #[command(after_help = "Example: trainyard models note 12 'trained on the corrected labels'")]
    Note {
        /// The version
        #[arg(value_name = "VERSION")]
        version: u64,
        /// What
        #[arg(value_name = "TEXT")]
        text: String,
    },
}

/// Which model becomes the champion, and why.
#[derive(Debug, Clone, clap::Args)]
pub struct PromoteArguments {
    /// The version
    #[arg(value_name = "VERSION")]
    pub version: u64,
    /// Why, for whoever asks later
    #[arg(short, long, value_name = "WHY")]
    pub message: String,
    /// The project's name, which production wants where nobody can be asked
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Stay until it serves
    #[arg(long)]
    pub wait: bool,
}

impl ModelsArguments {
    /// Whether it prints what programs read.
    pub fn is_for_machines(&self) -> bool {
        match &self.action {
            Some(ModelsAction::Diff { json, .. }) => *json,
            Some(ModelsAction::Note { .. }) => false,
            None => self.json,
        }
    }

    /// Whether it changes something.
    pub fn acts(&self) -> bool {
        matches!(self.action, Some(ModelsAction::Note { .. }))
    }
}

/// Shows the registry, one version, or the difference of two; or notes something.
pub fn run(folder: &Path, arguments: &ModelsArguments, out: &mut impl Write) -> Result<(), Failure> {
    match (&arguments.action, arguments.version) {
        (None, None) => list(folder, arguments.json, out),
        (None, Some(version)) => {
            let found = found(folder, version)?;
            if arguments.json { json(&found, out) } else { detail::show(&found, terminal_width(), out) }
        }
        (Some(ModelsAction::Diff { one, other, json: as_json }), _) => {
            let difference = difference::Difference::of(found(folder, *one)?, found(folder, *other)?);
            if *as_json { json(&difference, out) } else { difference.show(terminal_width(), out) }
        }
        (Some(ModelsAction::Note { version, text }), _) => note(folder, *version, text, out),
    }
}

/// `trainyard promote`
pub fn promote(folder: &Path, arguments: &PromoteArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    up::start(&layout)?;
    let client = client(&layout)?;
    let snapshot = block_on(async { Ok(client.snapshot().await?) })?;
    confirm::run(&layout, &snapshot, &Selection::default(), arguments.confirm.as_deref())?;
    let (model, message) = (ModelVersion(arguments.version), arguments.message.clone());
    let why = message.clone();
    ask(&client, Command::Promote { model, message }, why, arguments.wait, out)
}

fn note(folder: &Path, version: u64, text: &str, out: &mut impl Write) -> Result<(), Failure> {
    if text.trim().is_empty() {
        return Err(Failure::Usage("a note without a word says nothing".to_owned()));
    }
    let layout = layout(folder)?;
    up::start(&layout)?;
    let client = client(&layout)?;
    let request = NoteRequest { text: text.to_owned() };
    block_on(async { Ok(client.note_model(ModelVersion(version), &request).await?) })?;
    writeln!(out, "noted on model {version}")?;
    Ok(())
}

fn found(folder: &Path, version: u64) -> Result<ModelDetail, Failure> {
    let layout = layout(folder)?;
    let (state, _) = state(&layout)?;
    let version = ModelVersion(version);
    registry::detail(&layout, &state, version)
        .ok_or_else(|| Failure::Failed(Refusal::UnknownModel(version).to_string()))
}

fn list(folder: &Path, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let (state, _) = state(&layout)?;
    let models = registry::summaries(&layout, &state);
    if as_json {
        return json(&models, out);
    }
    if models.is_empty() {
        writeln!(out, "no model yet: a stage that trains makes one")?;
        return Ok(());
    }
    let rows: Vec<[String; 10]> = models.iter().map(cells).collect();
    let headings = ["model", "mark", "made", "learner", "metric", "gate", "rows", "commit", "beside", "note"];
    Ok(print(headings, &rows, terminal_width(), out)?)
}

fn cells(model: &ModelSummary) -> [String; 10] {
    let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    [
        model.version.to_string(),
        marks(model),
        clock(model.made),
        known(model.learner.clone()),
        known(model.metric.as_ref().map(metric)),
        model.gate_word().to_owned(),
        known(model.rows.map(|rows| rows.to_string())),
        known(model.commit.clone()),
        known(model.parent.map(|parent| parent.to_string())),
        model.note.clone().unwrap_or_default(),
    ]
}

/// `champion`, `live`, and whether its files were cleared away.
fn marks(model: &ModelSummary) -> String {
    let marks = [(model.champion, "champion"), (model.live, "live"), (!model.has_files, "files gone")];
    marks.into_iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| mark).collect::<Vec<_>>().join(", ")
}

/// A metric with its interval.
fn metric(metric: &MetricValue) -> String {
    let interval = metric.interval.map(|(low, high)| format!(" ({low:.3}–{high:.3})")).unwrap_or_default();
    format!("{} {:.3}{interval}", metric.name, metric.value)
}

#[cfg(test)]
mod tests;
