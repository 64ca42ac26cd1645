//! `[[monitor.alerts]]`: what is judged, for how long, and what follows.

use std::time::Duration;

use toml::Spanned;

use crate::pipeline::Reaction;

use super::errors::Span;
use super::keys::Section;
use super::reader::TableReader;
use super::settings::AlertSettings;
use super::summary::summary_parts;

/// The longest name of an alert, in characters: it stands in tables, on the edge of charts and on the command line.
const NAME_LIMIT: usize = 64;

/// What an alert wants of the stages, and where that is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Consequence {
    /// The name of the alert.
    pub(super) alert: String,
    /// What is to follow.
    pub(super) then: Reaction,
    /// Where that stands.
    pub(super) span: Span,
}

/// All alerts, in the order in which they are written, and what they want of the stages.
pub(super) fn alerts(monitor: &mut TableReader<'_>) -> (Vec<AlertSettings>, Vec<Consequence>) {
    let (mut alerts, mut consequences): (Vec<AlertSettings>, Vec<Consequence>) = (Vec::new(), Vec::new());
    for reader in monitor.sections("alerts", Section::Alert) {
        let problems = reader.problems;
        let (settings, name, then) = alert(reader);
        if let Some(name) = &name
            && alerts.iter().any(|other| other.name == *name.get_ref())
        {
            let message = format!("two alerts are called `{}`", name.get_ref());
            problems.add(name.span(), message, "give each a `name` of its own");
        }
        if let Some(span) = then {
            consequences.push(Consequence { alert: settings.name.clone(), then: settings.then, span });
        }
        alerts.push(settings);
    }
    (alerts, consequences)
}

/// The alert, its name with its place, and where is written what follows.
fn alert(mut reader: TableReader<'_>) -> (AlertSettings, Option<Spanned<String>>, Option<Span>) {
    let name = reader.filled("name");
    reader.require("name");
    if let Some(name) = &name {
        check_name(name, &reader);
    }
    let expr = reader.expression("expr");
    reader.require("expr");
    let then_span = reader.entry("then").map(|entry| entry.span);
    let then = match reader.choice("then") {
        Some("rollback") => Reaction::Rollback,
        Some("retrain") => Reaction::Retrain,
        _ => Reaction::Notify,
    };
    let summary = reader.filled("summary");
    if let Some(summary) = &summary
        && let Err(unknown) = summary_parts(summary.get_ref())
    {
        let hint = "write `{{ $value }}` or `{{ $labels.NAME }}`; anything else stands as it is";
        reader.problems.add(summary.span(), format!("`{unknown}` means nothing in a summary"), hint);
    }
    let settings = AlertSettings {
        name: name.as_ref().map(|name| name.get_ref().clone()).unwrap_or_default(),
        expr: expr.unwrap_or_default(),
        pending_for: reader.duration("for").unwrap_or_default(),
        keep_firing_for: reader.duration("keep_firing_for").unwrap_or_default(),
        then,
        cooldown: reader.duration("cooldown").unwrap_or(Duration::from_mins(10)),
        severity: reader.filled("severity").map(Spanned::into_inner),
        summary: summary.map(Spanned::into_inner),
    };
    reader.finish();
    (settings, name, then_span)
}

/// A name is given on the command line and exported to Prometheus.
fn check_name(name: &Spanned<String>, reader: &TableReader<'_>) {
    let text = name.get_ref();
    let is_valid = |letter: char| letter.is_alphanumeric() || letter == '-' || letter == '_';
    if text.chars().count() > NAME_LIMIT || !text.chars().all(is_valid) {
        let message = format!("`{text}` cannot be the name of an alert");
        reader.problems.add(name.span(), message, "letters, digits, `-` and `_`, at most 64");
    }
}
