//! What is, in sentences: a line each, with words for what the screen says by place, colour and sign.

mod metrics;

use std::sync::Arc;

use ratatui::style::Style;

use crate::api::types::{AlertStatus, LogRow, LogWindow, ModelDetail, ModelSummary, OperatorSession};
use crate::pipeline::quantity::counted;
use crate::pipeline::{Recorded, Release, Run, explain, narrate};
use crate::tui::alerts;
use crate::tui::app::Model;
use crate::tui::holds;
use crate::tui::quantity;
use crate::tui::release_facts::standing;
use crate::tui::widgets::alert_line::silence_words;
use crate::tui::widgets::text::styled;

pub(super) use metrics::metrics;

/// Entries of a history that are told at once.
const ENTRIES: usize = 10;
/// Events that are told at once.
const EVENTS: usize = 20;

/// The board.
pub(super) fn board(model: &Model) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(daemon) = &model.daemon {
        said.push(format!("Project {} on {}.", daemon.project, daemon.host));
    }
    if let Some(inputs) = &model.state.inputs {
        let (files, rows) = (counted(inputs.data.count, "file"), counted(inputs.data.rows, "row"));
        said.push(format!("Source {}. Data: {files}, {rows}.", inputs.source.label()));
    }
    for (file, reason) in &model.state.refused {
        said.push(format!("{file} is held back: {reason}."));
    }
    if let Some(lock) = &model.state.lock {
        said.push(format!("{}.", holds::lock_sentence(lock, model.now)));
    }
    match model.board_run() {
        Some(run) => {
            said.push(run_line(model, run));
            for spec in model.state.graph.stages() {
                let Some(entry) = run.stages.get(&spec.name) else { continue };
                let took = entry.took(model.now).map(|took| format!(", {}", quantity::duration(took)));
                let reason = explain::stage(&model.state, run, &spec.name);
                let reason = if reason.is_empty() { reason } else { format!(": {reason}") };
                let word = entry.state.word();
                said.push(format!("Stage {} is {word}{}{reason}.", spec.name, took.unwrap_or_default()));
            }
        }
        None => said.push("No run yet: put a data file into the data folder, or type `run all`.".to_owned()),
    }
    match model.state.live {
        Some(live) => said.push(format!("Release {live} is live.")),
        None => said.push("No release is live.".to_owned()),
    }
    if let Some(awaiting) = holds::awaiting(model) {
        said.push(format!("{}; `approve` or `decline` answers.", awaiting.sentence(model.now)));
    }
    said.extend(alerts(model));
    for (subject, problem) in &model.live.problems {
        said.push(format!("Problem with {subject}: {problem}."));
    }
    said
}

/// The alerts of which there is something to say, the most urgent first.
pub(super) fn alerts(model: &Model) -> Vec<String> {
    let told = alerts::ordered(model).into_iter().filter(|alert| !alerts::is_quiet(alert));
    told.map(|status| alert(model, status)).collect()
}

fn alert(model: &Model, alert: &AlertStatus) -> String {
    let name = &alert.name;
    if let Some(error) = &alert.error {
        return format!("Alert {name} is not known: {error}.");
    }
    let since = alert.since.map(|since| format!(" since {}", model.clock.when(since, model.now))).unwrap_or_default();
    let silence = silence_words(model, alert).map(|words| format!(", {words}")).unwrap_or_default();
    format!("Alert {name} is {}{since}{silence}.", alert.state.word())
}

/// The last runs, the newest first.
pub(super) fn runs(model: &Model) -> Vec<String> {
    let said: Vec<String> = model.state.runs.values().rev().take(ENTRIES).map(|run| run_line(model, run)).collect();
    or(said, "No run yet: put a data file into the data folder, or type `run all`.")
}

fn run_line(model: &Model, run: &Run) -> String {
    let word = match run.result {
        Some(result) => explain::result(result),
        None if run.started.is_some() => "runs",
        None => "waits",
    };
    let when = model.clock.when(run.created, model.now);
    format!("Run {} {word}, made {when}: {}.", run.id, explain::cause(&model.state, run))
}

/// The last releases, the newest first.
pub(super) fn releases(model: &Model) -> Vec<String> {
    let line = |release: &Arc<Release>| {
        let when = model.clock.when(release.started, model.now);
        let made_of = release.model.map(|version| format!(", model {version}")).unwrap_or_default();
        let (id, run, commit) = (release.id, release.run, &release.commit);
        format!(
            "Release {id} is {}, of {when}{made_of}, run {run}, source {commit}.",
            standing(&model.state, release).0
        )
    };
    or(
        model.state.releases.values().rev().take(ENTRIES).map(line).collect(),
        "No release yet: a run that deploys makes one; `run all` starts it.",
    )
}

/// The last events that were heard, the newest last.
pub(super) fn events(model: &Model) -> Vec<String> {
    let first = model.events.len().saturating_sub(EVENTS);
    let said = model.events.iter().skip(first).map(|recorded| event(model, recorded)).collect();
    or(said, "Nothing happened since this began; `trainyard events` tells what was before.")
}

/// The last of some events that the daemon told, the newest last.
pub(super) fn history(model: &Model, events: &[Recorded]) -> Vec<String> {
    let mut sorted: Vec<&Recorded> = events.iter().collect();
    sorted.sort_by_key(|recorded| recorded.sequence);
    let first = sorted.len().saturating_sub(EVENTS);
    or(sorted.into_iter().skip(first).map(|recorded| event(model, recorded)).collect(), "No such event.")
}

/// Who is attached to the daemon.
pub(super) fn operators(model: &Model) -> Vec<String> {
    let line = |operator: &OperatorSession| {
        let OperatorSession { name, account, view, .. } = operator;
        let from = operator.from.as_deref().unwrap_or("this machine");
        let since = model.clock.when(operator.since, model.now);
        let role = if operator.is_observer { "only watches" } else { "may act" };
        format!("{name}, account {account}, from {from}, is attached since {since}, looks at {view} and {role}.")
    };
    or(model.live.operators.iter().map(line).collect(), "Nobody is attached yet.")
}

/// One event.
pub(super) fn event(model: &Model, recorded: &Recorded) -> String {
    format!("{} {}", model.clock.time(recorded.at), narrate(&recorded.event))
}

/// Lines of a log, as they are but for what would command a terminal.
pub(super) fn log(window: &LogWindow) -> Vec<String> {
    let mut said = vec![format!("Lines {} to {} of {}:", window.first + 1, last_line(window), window.total)];
    said.extend(window.lines.iter().map(|entry| readable(&entry.text)));
    if window.lines.is_empty() { vec!["The log is empty.".to_owned()] } else { said }
}

/// Lines of a log that match what was searched for: all of them, or the last.
pub(super) fn matches(rows: &[LogRow], is_all: bool) -> Vec<String> {
    let count = quantity::counted(rows.len(), "line");
    let verb = if rows.len() == 1 { "matches" } else { "match" };
    let mut said = vec![if is_all { format!("{count} {verb}.") } else { format!("The last {count} that {verb}:") }];
    said.extend(rows.iter().map(|row| format!("Line {}: {}", row.number + 1, readable(&row.line.text))));
    said
}

fn readable(text: &str) -> String {
    styled(text, Style::default()).iter().map(|(letter, _)| letter).collect()
}

fn last_line(window: &LogWindow) -> u64 {
    window.first.saturating_add(u64::try_from(window.lines.len()).unwrap_or(u64::MAX))
}

/// All models, the newest first.
pub(super) fn models(models: &[ModelSummary]) -> Vec<String> {
    let mut newest: Vec<&ModelSummary> = models.iter().collect();
    newest.sort_by_key(|made| std::cmp::Reverse(made.version));
    let none = "No model yet: the first run that trains makes one; `run all` starts it.";
    or(newest.into_iter().take(ENTRIES).map(model_line).collect(), none)
}

fn model_line(made: &ModelSummary) -> String {
    let learner = made.learner.as_deref().map(|learner| format!(", {learner}")).unwrap_or_default();
    let champion = if made.champion { ", the champion" } else { "" };
    let serves = if made.live { ", serves" } else { "" };
    let judged = if made.ungated { "(no gate)" } else { made.verdict.as_str() };
    format!("Model {} {judged} by run {}{learner}{champion}{serves}.", made.version, made.run)
}

/// What there is to say of one model.
pub(super) fn model(detail: &ModelDetail) -> Vec<String> {
    let made = &detail.summary;
    let mut said = vec![model_line(made)];
    said.extend(made.reason.iter().map(|reason| format!("It was held: {reason}.")));
    let metrics: Vec<String> =
        made.metrics.iter().map(|(name, value)| format!("{name} {}", quantity::value(*value))).collect();
    if !metrics.is_empty() {
        said.push(format!("Its metrics: {}.", metrics.join(", ")));
    }
    let took = quantity::duration(made.took);
    let rows = made.rows.map(|rows| format!(" from {}", quantity::counted(rows, "row"))).unwrap_or_default();
    let commit = made.commit.as_deref().map(|commit| format!(", source {commit}")).unwrap_or_default();
    said.push(format!("It learned for {took}{rows}{commit}."));
    said.extend(made.note.iter().map(|note| format!("Its last note: {note}.")));
    said
}

fn or(said: Vec<String>, none: &str) -> Vec<String> {
    if said.is_empty() { vec![none.to_owned()] } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::widgets::text::sanitize;
    use crate::tui::{fixtures, hold_fixtures, model_fixtures};

    #[test]
    fn the_board_is_told_in_sentences() {
        let told = |model: &Model| board(model).join("\n");
        insta::assert_snapshot!("plain_board_running", told(&fixtures::running()));
        insta::assert_snapshot!("plain_board_failed", told(&fixtures::failed()));
        insta::assert_snapshot!("plain_board_empty", told(&fixtures::empty()));
        insta::assert_snapshot!("plain_board_alerted", told(&fixtures::alerted()));
    }

    #[test]
    fn a_model_and_the_operators_are_told_in_sentences() {
        let world = fixtures::two_runs();
        let detail = model_fixtures::detail(&world.state, crate::pipeline::ModelVersion(2)).unwrap();
        insta::assert_snapshot!("plain_model", model(&detail).join("\n"));
        // Names come from outside; whatever is written is made harmless on its way out.
        let attached: Vec<String> = operators(&hold_fixtures::shared()).iter().map(|line| sanitize(line)).collect();
        insta::assert_snapshot!("plain_operators", attached.join("\n"));
        assert_eq!(operators(&fixtures::idle()), ["Nobody is attached yet."]);
    }

    #[test]
    fn every_sentence_ends_and_none_has_two_lines() {
        for model in [fixtures::running, fixtures::failed, fixtures::deployed, fixtures::in_production] {
            let model: Model = model();
            for line in [board(&model), runs(&model), releases(&model), operators(&model)].concat() {
                assert!(line.ends_with('.') && !line.contains('\n'), "{line:?}");
            }
        }
    }
}
