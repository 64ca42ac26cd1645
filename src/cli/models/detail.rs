//! One model version with all that is known of it: facts, ledger, lineage, what its columns are worth.

use std::io::Write;

use super::{UNKNOWN, marks, metric};
use crate::api::types::{GateLedger, ModelCard, ModelDetail, ModelLineage};
use crate::cli::failure::Failure;
use crate::cli::show::{clock, duration};
use crate::cli::table::{print, print_line};
use crate::pipeline::Promoter;
use crate::pipeline::quantity::counted;

/// Columns that are shown of what columns are worth.
const MOST_IMPORTANT: usize = 10;

/// Prints it, a paragraph for each part.
pub(super) fn show(model: &ModelDetail, width: Option<usize>, out: &mut impl Write) -> Result<(), Failure> {
    facts(model, width, out)?;
    if let Some(ledger) = &model.ledger {
        writeln!(out)?;
        gate(ledger, out)?;
    }
    if let Some(lineage) = &model.lineage {
        writeln!(out)?;
        origin(lineage, width, out)?;
    }
    importance(&model.card, width, out)?;
    trials(&model.card, width, out)?;
    for note in &model.notes {
        writeln!(out, "note        {}  {}: {}", clock(note.at), note.by, note.text)?;
    }
    Ok(())
}

fn facts(model: &ModelDetail, width: Option<usize>, out: &mut impl Write) -> Result<(), Failure> {
    let summary = &model.summary;
    let card = &model.card;
    let marks = marks(summary);
    let separator = if marks.is_empty() { "" } else { ": " };
    print_line(&format!("model {}{separator}{marks}", summary.version), width, out)?;
    let mut line = |name: &str, text: String| print_line(&format!("{name:<11} {text}"), width, out);
    line(
        "made",
        format!("{} by {} in run {}, {}", clock(summary.made), summary.stage, summary.run, duration(summary.took)),
    )?;
    if let (Some(task), Some(target)) = (&card.task, &card.target) {
        line("task", format!("{task} of \"{target}\" from {}", counted(card.features.len(), "column")))?;
    }
    line("learner", summary.learner.clone().unwrap_or_else(|| UNKNOWN.to_owned()))?;
    if let Some(value) = &summary.metric {
        line("metric", metric(value))?;
    }
    let metrics: Vec<String> = summary
        .metrics
        .iter()
        .map(|(name, value)| {
            let interval = card.intervals.get(name).map(|(low, high)| format!(" ({low:.3}–{high:.3})"));
            format!("{name} {value:.4}{}", interval.unwrap_or_default())
        })
        .collect();
    line("metrics", metrics.join(", "))?;
    if let Some(rows) = &card.rows {
        line("rows", format!("{} learned from, {} held out", rows.train, rows.held_out))?;
    }
    let why = match &summary.reason {
        Some(reason) => format!(": {reason}"),
        None if summary.ungated => ": nothing was compared; `gate` of the stage in trainyard.toml sets one".to_owned(),
        None => String::new(),
    };
    line("verdict", format!("{}{why}", summary.gate_word()))?;
    for promotion in &model.promotions {
        let by = match &promotion.by {
            Promoter::Gate if summary.ungated => "by itself: no gate is configured".to_owned(),
            Promoter::Gate => "by its gate".to_owned(),
            Promoter::Operator { name } => format!("by {name}: {}", promotion.message),
        };
        let from = if model.lasts(promotion) { "since" } else { "once, from" };
        line("champion", format!("{from} {} {by}", clock(promotion.at)))?;
    }
    if let Some(digest) = &summary.digest {
        line("digest", digest.to_string())?;
    }
    Ok(())
}

/// What is held is read whole, however narrow the terminal is.
fn gate(ledger: &GateLedger, out: &mut impl Write) -> Result<(), Failure> {
    writeln!(out, "gate        {}", ledger.verdict.word())?;
    for check in &ledger.checks {
        writeln!(out, "{}", check.line())?;
        if let Some(p_value) = check.p_value {
            writeln!(out, "  {:<9} {:<11}  McNemar's exact test: p = {p_value:.4}", "", "")?;
        }
    }
    if !ledger.next.is_empty() {
        writeln!(out, "  {}", ledger.next)?;
    }
    Ok(())
}

fn origin(lineage: &ModelLineage, width: Option<usize>, out: &mut impl Write) -> Result<(), Failure> {
    let mut line = |name: &str, text: String| print_line(&format!("{name:<11} {text}"), width, out);
    line("commit", lineage.source.clone())?;
    line("settings", lineage.configuration.short().to_owned())?;
    let (rows, files) = (counted(lineage.rows, "row"), counted(lineage.files.len(), "file"));
    line("data", format!("{}, {rows} in {files}", lineage.data.short()))?;
    for file in &lineage.files {
        line("", format!("{} {} {}", file.path, counted(file.rows, "row"), file.digest.short()))?;
    }
    let crates: Vec<String> = lineage.crates.iter().map(|(name, version)| format!("{name} {version}")).collect();
    let crates = if crates.is_empty() { String::new() } else { format!(" with {}", crates.join(", ")) };
    line("trainyard", format!("{}{crates}", lineage.trainyard))?;
    if let Some(champion) = lineage.champion {
        line("beside", format!("model {champion}, the champion then"))?;
    }
    Ok(())
}

fn importance(card: &ModelCard, width: Option<usize>, out: &mut impl Write) -> Result<(), Failure> {
    if card.importance.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let rows: Vec<[String; 3]> = card
        .importance
        .iter()
        .take(MOST_IMPORTANT)
        .map(|row| [row.feature.clone(), format!("{:.4}", row.loss), format!("{:.4}", row.deviation)])
        .collect();
    Ok(print(["column", "worth", "deviation"], &rows, width, out)?)
}

fn trials(card: &ModelCard, width: Option<usize>, out: &mut impl Write) -> Result<(), Failure> {
    if card.trials.is_empty() {
        return Ok(());
    }
    writeln!(out)?;
    let number = |value: Option<f64>| value.map_or_else(|| UNKNOWN.to_owned(), |value| format!("{value:.4}"));
    let rows: Vec<[String; 5]> = card
        .trials
        .iter()
        .map(|row| {
            let state = row.state.word().to_owned();
            [row.trial.to_string(), state, row.metric.clone(), number(row.mean), row.learner.clone()]
        })
        .collect();
    Ok(print(["trial", "state", "metric", "mean", "learner"], &rows, width, out)?)
}
