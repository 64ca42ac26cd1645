//! What a version is: what the gate says of it, its metrics, what learned it, where it comes from, what was written about it.

use ratatui::style::Style;
use ratatui::text::Line;

use super::rows::{labelled, number, sentence};
use super::{UNKNOWN, interval};
use crate::api::types::{GateLedger, ModelDetail, ModelLineage, ModelSummary, lower_is_better};
use crate::pipeline::Promoter;
use crate::tui::app::Model;
use crate::tui::quantity;
use crate::tui::release_facts::setback;
use crate::tui::widgets::table::{Column, Fill, Table};
use crate::tui::widgets::text::sanitize;

/// What is told of a metric.
const COLUMNS: [Column; 5] = [
    Column { heading: "metric", width: 18, fill: Fill::Left, rank: 0 },
    Column { heading: "value", width: 9, fill: Fill::Right, rank: 0 },
    Column { heading: "95 % interval", width: 13, fill: Fill::Left, rank: 1 },
    Column { heading: "baseline", width: 13, fill: Fill::Left, rank: 2 },
    Column { heading: "champion then", width: 13, fill: Fill::Left, rank: 3 },
];
/// Files beyond this many are counted.
const FILES: usize = 6;

/// The rows.
pub(super) fn rows(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let mut rows = gate(model, detail, width);
    rows.extend(metrics(model, detail, width));
    rows.extend(about(model, detail, width));
    for remark in &detail.card.remarks {
        rows.extend(labelled(model, "remark", remark, model.theme.dim, width));
    }
    rows.extend(story(model, detail, width));
    if let Some(lineage) = &detail.lineage {
        rows.extend(origin(model, lineage, width));
    }
    rows
}

fn gate(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let made = &detail.summary;
    let mut rows = Vec::new();
    if !made.has_files {
        let text = "its files were cleared away; what stands here is what is remembered";
        rows.extend(labelled(model, "files", text, model.theme.warn, width));
    }
    match &detail.ledger {
        Some(ledger) => rows.extend(checks(model, ledger, width)),
        None if made.ungated => {
            let text = "no gate is configured: nothing was compared; `gate` of the stage in trainyard.toml sets one";
            rows.extend(labelled(model, "gate", text, model.theme.dim, width));
        }
        None => {
            let (_, style) = super::gate(model, made);
            let reason = made.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
            rows.extend(labelled(model, "gate", &format!("{}{reason}", made.verdict), style, width));
        }
    }
    rows
}

/// What is held is read whole.
fn checks(model: &Model, ledger: &GateLedger, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let sign = model.glyphs.verdict(ledger.verdict);
    let beside = ledger.champion.map(|champion| format!(", beside model {champion}")).unwrap_or_default();
    let text = format!("{sign} {} by {}{beside}", ledger.verdict.word(), ledger.metric);
    let mut rows = labelled(model, "gate", &text, theme.verdict(ledger.verdict), width);
    for check in &ledger.checks {
        let sign = model.glyphs.verdict(check.verdict);
        let chance = check.p_value.map(|p| format!(" (McNemar's exact test: p = {p:.4})")).unwrap_or_default();
        let text = format!("{sign} {}: {}{chance}", check.verdict.word(), check.sentence);
        rows.extend(labelled(model, &format!("  {}", sanitize(&check.name)), &text, theme.text, width));
    }
    rows.extend(labelled(model, "  next", &ledger.next, theme.accent, width));
    rows
}

fn metrics(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let made = &detail.summary;
    if made.metrics.is_empty() {
        return labelled(model, "metrics", "the stage reported none", theme.dim, width);
    }
    let table = Table::fit(&COLUMNS, width);
    let mut rows = vec![table.heading(theme.dim, model.glyphs.cut)];
    let first = made.metric.as_ref().map(|metric| metric.name.as_str());
    let is_first = |name: &String| Some(name.as_str()) == first;
    let mut metrics: Vec<(&String, &f64)> = made.metrics.iter().collect();
    metrics.sort_by_key(|(name, _)| !is_first(name));
    let before = champion_then(model, made);
    for (name, value) in metrics {
        let style = if is_first(name) { theme.title } else { theme.text };
        let interval = detail.card.intervals.get(name).copied().map(interval).unwrap_or_default();
        let cells = [
            (sanitize(name), style),
            (number(*value), style),
            (interval, theme.dim),
            beside(model, name, *value, detail.card.baseline.get(name).copied()),
            beside(model, name, *value, before.and_then(|before| before.metrics.get(name).copied())),
        ];
        rows.push(table.row(&cells, model.glyphs.cut));
    }
    let constant = if detail.card.task.as_deref() == Some("regression") { "the mean" } else { "the commonest class" };
    if !detail.card.baseline.is_empty() {
        let text = format!("baseline: always to answer {constant} of the held-out rows");
        rows.extend(sentence(model, &text, theme.dim, width));
    }
    if let Some(before) = before {
        let text = format!("champion then: model {}, on held-out rows of its own", before.version);
        rows.extend(sentence(model, &text, theme.dim, width));
    }
    rows
}

/// The champion beside which the version was trained, if its metrics are known.
fn champion_then<'a>(model: &'a Model, made: &ModelSummary) -> Option<&'a ModelSummary> {
    let parent = made.parent.filter(|parent| *parent != made.version)?;
    model.models.made().iter().find(|other| other.version == parent).filter(|other| !other.metrics.is_empty())
}

/// Whether a metric is better than another value of it, in a word and as the screen shows both.
fn beside(model: &Model, name: &str, value: f64, other: Option<f64>) -> (String, Style) {
    let Some(other) = other else { return (String::new(), model.theme.dim) };
    let (own, shown) = (number(value), number(other));
    if own == shown {
        return (format!("equals {shown}"), model.theme.dim);
    }
    if (value < other) == lower_is_better(name) {
        (format!("beats {shown}"), model.theme.good)
    } else {
        (format!("behind {shown}"), model.theme.warn)
    }
}

fn about(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let (theme, made, card) = (&model.theme, &detail.summary, &detail.card);
    let mut rows = Vec::new();
    let learner = made.learner.as_deref().unwrap_or(UNKNOWN);
    rows.extend(labelled(model, "learner", learner, theme.text, width));
    if let (Some(task), Some(target)) = (&card.task, &card.target) {
        let columns = u64::try_from(card.features.len()).unwrap_or(0);
        let rows_used = card.rows.map(|rows| {
            let (train, held_out) = (quantity::count(rows.train), quantity::count(rows.held_out));
            format!("; {train} rows learned from, {held_out} held out")
        });
        let others: Vec<&str> = card.ignored.iter().map(String::as_str).filter(|name| name != target).collect();
        let columns = if others.is_empty() {
            quantity::counted(columns, "column")
        } else {
            let all = columns + u64::try_from(others.len()).unwrap_or(0);
            format!("{} of {} other columns", quantity::count(columns), quantity::count(all))
        };
        let text = format!("{task} of {target} from {columns}{}", rows_used.unwrap_or_default());
        rows.extend(labelled(model, "task", &text, theme.text, width));
        if !others.is_empty() {
            rows.extend(labelled(model, "left out", &others.join(", "), theme.text, width));
        }
    }
    let when = model.clock.when(made.made, model.now);
    let text = format!("at {when} by {} in run {}, {}", made.stage, made.run, quantity::duration(made.took));
    rows.extend(labelled(model, "made", &text, theme.text, width));
    rows
}

/// When it became champion, and what was written about it.
fn story(model: &Model, detail: &ModelDetail, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut rows = Vec::new();
    if let Some(setback) = setback(&model.state, detail.summary.version).filter(|_| !detail.summary.live) {
        rows.extend(labelled(model, "release", &setback, theme.warn, width));
    }
    for promotion in &detail.promotions {
        let by = match &promotion.by {
            Promoter::Gate if detail.summary.ungated => "by itself: no gate is configured".to_owned(),
            Promoter::Gate => "by its gate".to_owned(),
            Promoter::Operator { name } => format!("by {name}: {}", promotion.message),
        };
        let from = if detail.lasts(promotion) { "since" } else { "once, from" };
        let text = format!("{from} {} {by}", model.clock.when(promotion.at, model.now));
        rows.extend(labelled(model, "champion", &text, theme.text, width));
    }
    for note in &detail.notes {
        let text = format!("{} {}: {}", model.clock.when(note.at, model.now), note.by, note.text);
        rows.extend(labelled(model, "note", &text, theme.text, width));
    }
    rows
}

fn origin(model: &Model, lineage: &ModelLineage, width: usize) -> Vec<Line<'static>> {
    let theme = &model.theme;
    let mut rows = labelled(model, "commit", &lineage.source, theme.text, width);
    let files = u64::try_from(lineage.files.len()).unwrap_or(0);
    let (of_rows, of_files) = (quantity::counted(lineage.rows, "row"), quantity::counted(files, "file"));
    let data = format!("{}, {of_rows} in {of_files}", lineage.data.short());
    rows.extend(labelled(model, "data", &data, theme.text, width));
    for file in lineage.files.iter().take(FILES) {
        let text = format!("{} {} {}", file.path, quantity::counted(file.rows, "row"), file.digest.short());
        rows.extend(labelled(model, "", &text, theme.dim, width));
    }
    let more = lineage.files.len().saturating_sub(FILES);
    if more > 0 {
        rows.extend(labelled(model, "", &format!("and {more} more"), theme.dim, width));
    }
    rows.extend(labelled(model, "settings", lineage.configuration.short(), theme.text, width));
    // The versions of the crates are told by `trainyard models VERSION`; here they would be two lines of every summary.
    rows.extend(labelled(model, "trainyard", &lineage.trainyard, theme.dim, width));
    rows
}
