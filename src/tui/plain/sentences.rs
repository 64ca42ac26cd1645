//! What is, in sentences: a line each, with words for what the screen says by place, colour and sign.

use std::sync::Arc;

use ratatui::style::Style;

use crate::api::types::{LogWindow, ModelSummary};
use crate::pipeline::{Recorded, Release, Run, explain, narrate};
use crate::tui::app::Model;
use crate::tui::holds;
use crate::tui::quantity;
use crate::tui::widgets::text::styled;

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
        let (count, rows) = (inputs.data.count, inputs.data.rows);
        said.push(format!("Source {}. Data: {count} files, {rows} rows.", inputs.source.label()));
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
    for (subject, problem) in &model.live.problems {
        said.push(format!("Problem with {subject}: {problem}."));
    }
    said
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
    format!("Run {} {word}, made {when}: {}.", run.id, explain::trigger(&run.trigger))
}

/// The last releases, the newest first.
pub(super) fn releases(model: &Model) -> Vec<String> {
    let line = |release: &Arc<Release>| {
        let when = model.clock.when(release.started, model.now);
        let made_of = release.model.map(|version| format!(", model {version}")).unwrap_or_default();
        let (id, run, commit) = (release.id, release.run, &release.commit);
        format!("Release {id} is {}, of {when}{made_of}, run {run}, source {commit}.", release.status.word())
    };
    or(model.state.releases.values().rev().take(ENTRIES).map(line).collect(), "No release yet.")
}

/// The last events, the newest last.
pub(super) fn events(model: &Model) -> Vec<String> {
    let first = model.events.len().saturating_sub(EVENTS);
    let said = model.events.iter().skip(first).map(|recorded| event(model, recorded)).collect();
    or(said, "Nothing happened since this began; `trainyard events` tells what was before.")
}

/// One event.
pub(super) fn event(model: &Model, recorded: &Recorded) -> String {
    format!("{} {}", model.clock.time(recorded.at), narrate(&recorded.event))
}

/// Lines of a log, as they are but for what would command a terminal.
pub(super) fn log(window: &LogWindow) -> Vec<String> {
    let line = |text: &str| -> String { styled(text, Style::default()).iter().map(|(letter, _)| letter).collect() };
    let mut said = vec![format!("Lines {} to {} of {}:", window.first + 1, last_line(window), window.total)];
    said.extend(window.lines.iter().map(|entry| line(&entry.text)));
    if window.lines.is_empty() { vec!["The log is empty.".to_owned()] } else { said }
}

fn last_line(window: &LogWindow) -> u64 {
    window.first.saturating_add(u64::try_from(window.lines.len()).unwrap_or(u64::MAX))
}

/// All models, the newest first.
pub(super) fn models(models: &[ModelSummary]) -> Vec<String> {
    let line = |made: &ModelSummary| {
        let learner = made.learner.as_deref().map(|learner| format!(", {learner}")).unwrap_or_default();
        let champion = if made.champion { ", the champion" } else { "" };
        let serves = if made.live { ", serves" } else { "" };
        format!("Model {} {} by run {}{learner}{champion}{serves}.", made.version, made.verdict, made.run)
    };
    let mut newest: Vec<&ModelSummary> = models.iter().collect();
    newest.sort_by_key(|made| std::cmp::Reverse(made.version));
    or(newest.into_iter().take(ENTRIES).map(line).collect(), "No model yet.")
}

fn or(said: Vec<String>, none: &str) -> Vec<String> {
    if said.is_empty() { vec![none.to_owned()] } else { said }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixtures;

    #[test]
    fn the_board_is_told_in_sentences() {
        let told = |model: &Model| board(model).join("\n");
        insta::assert_snapshot!("plain_board_running", told(&fixtures::running()));
        insta::assert_snapshot!("plain_board_failed", told(&fixtures::failed()));
        insta::assert_snapshot!("plain_board_empty", told(&fixtures::empty()));
    }

    #[test]
    fn every_sentence_ends_and_none_has_two_lines() {
        for model in [fixtures::running, fixtures::failed, fixtures::deployed, fixtures::in_production] {
            let model: Model = model();
            for line in [board(&model), runs(&model), releases(&model)].concat() {
                assert!(line.ends_with('.') && !line.contains('\n'), "{line:?}");
            }
        }
    }
}
