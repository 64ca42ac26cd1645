//! Each event as one sentence, for logs of what happened.

use super::alert::{Answer, Evidence, Reaction};
use super::event::{Command, Event};
use super::explain;
use super::ids::{ReleaseId, RunId, StageName};
use super::quantity::counted;
use super::reason::{Outcome, Selection};
use super::registry::{Fate, Promoter};
use super::run::Outputs;

/// What happened, in one sentence without a full stop.
pub fn narrate(event: &Event) -> String {
    match event {
        Event::Configured { graph } => {
            let names: Vec<_> = graph.stages().iter().map(|stage| stage.name.as_str()).collect();
            format!("configuration read: {}", names.join(" → "))
        }
        Event::InputsObserved { inputs } => {
            let data = &inputs.data;
            let (files, rows) = (counted(data.count, "data file"), counted(data.rows, "row"));
            format!("inputs seen: {files}, {rows}, source {}", inputs.source.label())
        }
        Event::DataRefused { file, reason } => format!("data file {file} held back: {reason}"),
        Event::DataRefusalEnded { file } => format!("data file {file} is held back no longer"),
        Event::RunCreated { run, trigger, .. } => format!("run {run} asked for: {}", explain::trigger(trigger)),
        Event::RunStarted { run } => format!("run {run} started"),
        Event::RunStopping { run, reason } => format!("run {run} is stopped: {}", explain::stop(reason)),
        Event::RunFinished { run, result } => format!("run {run} {}", explain::result(*result)),
        Event::StageChecking { run, stage, earlier, .. } => {
            format!("run {run}: {stage} verifies what run {earlier} made")
        }
        Event::StageSkipped { run, stage, reason } => format!("run {run}: {stage} skipped: {}", explain::skip(reason)),
        Event::StageNotRun { run, stage, obstacle } => {
            format!("run {run}: {stage} not run: {}", explain::obstacle(obstacle))
        }
        Event::StageStarted { run, stage, attempt, why, .. } => {
            let attempt = if attempt.0 > 1 { format!(", attempt {attempt}") } else { String::new() };
            format!("run {run}: {stage} started{attempt}: {}", explain::why(why))
        }
        Event::StageStopping { run, stage, .. } => format!("run {run}: {stage} is told to stop"),
        Event::StageFinished { run, stage, outcome, outputs, .. } => {
            format!("run {run}: {stage} {}", outcome_of(outcome, outputs))
        }
        Event::StageRetrying { run, stage, .. } => format!("run {run}: {stage} will be tried again"),
        Event::StageDropped { run, stage } => format!("run {run}: {stage} dropped"),
        Event::ReleaseRejected { release } => {
            format!("release {release} rejected; the same will not be deployed by itself")
        }
        Event::QuarantineLifted { release, by } => {
            format!("{by} lets {} be deployed", explain::rejected(*release))
        }
        Event::Noted { by: Some(by), text } => format!("{by}: {text}"),
        Event::Noted { by: None, text } => text.clone(),
        Event::AlertFired { name, labels, value, summary, release, then, answer, .. } => {
            let summary = if summary.is_empty() { String::new() } else { format!(": {summary}") };
            format!(
                "alert {name}{} fires: {value}{}{summary}{}",
                spaced(labels),
                of_release(*release),
                followed(*then, answer)
            )
        }
        Event::AlertResolved { name, labels, release, evidence } => {
            let doubt = match evidence {
                Evidence::Clear => "",
                Evidence::Against | Evidence::None => {
                    "; whether all is well is not known, for there is no data to judge by"
                }
            };
            format!("alert {name}{} no longer fires{}{doubt}", spaced(labels), of_release(*release))
        }
        Event::AlertSilenced { alert, by, message, .. } => {
            let why = if message.is_empty() { String::new() } else { format!(": {message}") };
            format!("{by} silences alert {alert}{why}")
        }
        Event::SilenceLifted { alert, by } => format!("{by} ends the silence of alert {alert}"),
        Event::ModelPromoted { model, stage, former, by, message, .. } => {
            let former = former.map(|former| format!(" in place of model {former}")).unwrap_or_default();
            match by {
                Promoter::Gate => format!("model {model} is the champion of {stage} now{former}"),
                Promoter::Operator { name } => {
                    format!("{name} makes model {model} the champion of {stage}{former}: {message}")
                }
            }
        }
        Event::ModelNoted { model, by, text } => format!("{by} notes on model {model}: {text}"),
        Event::Commanded { .. } => asked(event),
        Event::Locked { by, message, until, .. } => {
            format!("{by} locked deploys: {message}{}", explain::until(*until))
        }
        Event::Unlocked { by: Some(by), why } => format!("{by} unlocked deploys{}", explain::said(why)),
        Event::Unlocked { by: None, why } => format!("the lock on deploys has ended: {why}"),
        Event::ApprovalWanted { run, stage, of } => {
            format!("run {run}: {stage} waits for {}", explain::approval_of(of))
        }
        Event::Approved { run, stage, by, message } => {
            format!("run {run}: {by} approved {stage}{}", explain::said(message))
        }
        Event::DaemonEnded { by, from, with_app } => {
            let (what, rest) = if *with_app {
                ("the daemon and the app with it", "stages go on")
            } else {
                ("the daemon", "stages and releases go on")
            };
            format!("{by}{} ended {what}; {rest}", from_machine(from.as_deref()))
        }
    }
}

/// Who asked for what, why, and what became of it. What follows from it has sentences of its own.
fn asked(event: &Event) -> String {
    let Event::Commanded { by, from, command, message, run, refused } = event else { return String::new() };
    let from = from_machine(from.as_deref());
    let reason = match command {
        Command::Promote { message: why, .. } if message.trim().is_empty() => why,
        _ => message,
    };
    let end = match (refused, command, run) {
        (Some(refusal), _, _) => format!(": refused, {refusal}"),
        (None, Command::Run(_) | Command::Rollback { .. } | Command::Promote { .. }, Some(run)) => {
            format!(" → run {run}")
        }
        (None, _, _) => String::new(),
    };
    format!("{by}{from} asked {}{}{end}", wish(command), explain::said(reason))
}

/// The machine from which somebody acts, with a space before it.
fn from_machine(from: Option<&str>) -> String {
    from.map(|from| format!(" from {from}")).unwrap_or_default()
}

fn wish(command: &Command) -> String {
    match command {
        Command::Run(Selection { from, only, force }) => {
            let force = if *force { " forced" } else { "" };
            let of = from.as_ref().map(|from| format!(" of {from}")).unwrap_or_default();
            let only = if *only { " only" } else { "" };
            format!("for a{force} run{of}{only}")
        }
        Command::Cancel { run: Some(run) } => format!("to cancel run {run}"),
        Command::Cancel { run: None } => "to cancel what is under way".to_owned(),
        Command::Rollback { to: Some(to) } => format!("to go back to release {to}"),
        Command::Rollback { to: None } => "to go back to the release before".to_owned(),
        Command::Promote { model, .. } => format!("to promote model {model}"),
        Command::Lock { .. } => "to lock deploys".to_owned(),
        Command::Unlock => "to unlock deploys".to_owned(),
        Command::Approve { run, stage } => format!("to approve {}", meant(*run, stage.as_ref())),
        Command::Decline { run, stage } => format!("to decline {}", meant(*run, stage.as_ref())),
    }
}

/// The stage that somebody approves or declines.
fn meant(run: Option<RunId>, stage: Option<&StageName>) -> String {
    match (run, stage) {
        (Some(run), Some(stage)) => format!("{stage} of run {run}"),
        (None, Some(stage)) => stage.to_string(),
        (Some(run), None) => format!("what waits in run {run}"),
        (None, None) => "what waits".to_owned(),
    }
}

fn spaced(labels: &str) -> String {
    if labels.is_empty() { String::new() } else { format!(" {labels}") }
}

fn of_release(release: Option<ReleaseId>) -> String {
    release.map(|release| format!(" (release {release})")).unwrap_or_default()
}

/// What follows from an alert, with a separator before it.
fn followed(then: Reaction, answer: &Answer) -> String {
    match (answer, then) {
        (Answer::Told, _) => String::new(),
        (Answer::RollsBack { to }, _) => format!("; going back to release {to}"),
        (Answer::Retrains { stage }, _) => format!("; {stage} runs again"),
        (Answer::Held { why }, Reaction::Notify) => format!("; {}", explain::restraint(why)),
        (Answer::Held { why }, Reaction::Rollback) => format!("; no rollback: {}", explain::restraint(why)),
        (Answer::Held { why }, Reaction::Retrain) => format!("; no new training: {}", explain::restraint(why)),
    }
}

fn outcome_of(outcome: &Outcome, outputs: &Outputs) -> String {
    let mut text = match outcome {
        Outcome::Passed => "passed".to_owned(),
        Outcome::Failed(failure) => format!("failed: {}", explain::failure(failure)),
        Outcome::Cancelled => "cancelled".to_owned(),
        Outcome::Interrupted => "interrupted: nobody saw how it ended".to_owned(),
    };
    if let Some(model) = outputs.model.filter(|_| Fate::of(outcome).is_some()) {
        text.push_str(&format!(", model {model}"));
    }
    if let Some(tests) = &outputs.tests {
        text.push_str(&format!(", {} passed", counted(tests.passed, "test")));
    }
    if let (Some(_), Some(digest)) = (&outputs.image, &outputs.digest) {
        text.push_str(&format!(", image {}", digest.short()));
    }
    if let (Some(live), Outcome::Passed) = (outputs.live, outcome) {
        text.push_str(&format!(", release {live} is live"));
    }
    text
}
