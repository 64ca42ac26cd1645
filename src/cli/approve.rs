//! `trainyard approve` and `trainyard decline`: the word of a person that a stage waits for.

use std::io::Write;
use std::path::Path;

use super::confirm;
use super::failure::Failure;
use super::project::{block_on, client, layout};
use super::run::{Reason, request};
use crate::pipeline::{Command, RunId, StageName, State, explain};

/// What is approved.
#[derive(Debug, Clone, clap::Args)]
pub struct ApproveArguments {
    /// Which, and why
    #[command(flatten)]
    pub answer: AnswerArguments,
    /// The project's name, which production wants where nobody can be asked
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
}

/// Which stage is answered for, and why.
#[derive(Debug, Clone, clap::Args)]
pub struct AnswerArguments {
    /// The run; without it, the one that waits
    #[arg(value_name = "RUN")]
    pub run: Option<u64>,
    /// The stage; without it, the one that waits
    #[arg(long, value_name = "STAGE")]
    pub stage: Option<String>,
    /// Why
    #[command(flatten)]
    pub reason: Reason,
}

impl AnswerArguments {
    fn which(&self) -> (Option<RunId>, Option<StageName>) {
        (self.run.map(RunId), self.stage.as_deref().map(StageName::from))
    }
}

/// A stage that waits for a person.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Awaited {
    run: RunId,
    stage: StageName,
}

/// Lets a stage go on, after saying which.
pub fn approve(folder: &Path, arguments: &ApproveArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let client = client(&layout)?;
    let snapshot = block_on(async { Ok(client.snapshot().await?) })?;
    let (run, stage) = arguments.answer.which();
    let meant = meant(&snapshot.state, run, stage.as_ref())?;
    if let Some(meant) = &meant {
        writeln!(out, "{}", account(&snapshot.state, meant))?;
        out.flush()?;
        confirm::approval(&layout, &snapshot, &meant.stage, arguments.confirm.as_deref())?;
    }
    // What was shown is what is approved, and where there was nothing the daemon says why.
    let (run, stage) = meant.map_or((run, stage), |meant| (Some(meant.run), Some(meant.stage)));
    let run = block_on(request(&client, Command::Approve { run, stage }, arguments.answer.reason.text()))?;
    match run {
        Some(run) => writeln!(out, "approved; run {run} goes on")?,
        None => writeln!(out, "approved")?,
    }
    Ok(())
}

/// Lets a stage not go on.
pub fn decline(folder: &Path, arguments: &AnswerArguments, out: &mut impl Write) -> Result<(), Failure> {
    let client = client(&layout(folder)?)?;
    let (run, stage) = arguments.which();
    let run = block_on(request(&client, Command::Decline { run, stage }, arguments.reason.text()))?;
    match run {
        Some(run) => writeln!(out, "declined; in run {run} neither it nor what needs it runs")?,
        None => writeln!(out, "declined")?,
    }
    Ok(())
}

/// The one that is meant. Of several, one has to be named, for whoever approves should know what.
fn meant(state: &State, run: Option<RunId>, stage: Option<&StageName>) -> Result<Option<Awaited>, Failure> {
    let is_meant = |awaited: &Awaited| {
        run.is_none_or(|run| run == awaited.run) && stage.is_none_or(|stage| *stage == awaited.stage)
    };
    let awaiting = state.awaiting_approval().map(|(run, stage, _)| Awaited { run, stage: stage.clone() });
    let mut found: Vec<Awaited> = awaiting.filter(is_meant).collect();
    if found.len() > 1 {
        let each: Vec<String> = found.iter().map(|found| format!("{} of run {}", found.stage, found.run)).collect();
        let text = format!("several stages wait: {}; say which with RUN and --stage", each.join(", "));
        return Err(Failure::Usage(text));
    }
    Ok(found.pop())
}

/// What will happen, in one line.
fn account(state: &State, meant: &Awaited) -> String {
    let mut text = format!("to approve: {} of run {}", meant.stage, meant.run);
    if let Some(run) = state.runs.get(&meant.run) {
        text.push_str(&format!(" ({}; source {}", explain::trigger(&run.trigger), run.inputs.source.label()));
        if let Some(model) = run.model_for(&state.graph, &meant.stage) {
            text.push_str(&format!("; model {model}"));
        }
        text.push(')');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_nothing_waits_it_is_left_to_the_daemon_to_say_so() {
        assert_eq!(meant(&State::default(), None, None).unwrap(), None);
    }
}
