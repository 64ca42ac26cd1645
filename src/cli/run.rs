//! `trainyard run` and `cancel`: asking for something and, where wanted, staying to the end.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;

use super::confirm;
use super::failure::Failure;
use super::project::{block_on, client, layout, state};
use super::up;
use crate::api::client::Client;
use crate::api::types::{CommandRequest, Live, LogAddress, StreamItem};
use crate::pipeline::{
    Command, Event, Failure as StageFailure, RunId, RunResult, Selection, StageKind, StageState, State, explain,
    narrate,
};

/// The arguments of `trainyard run` and `trainyard plan` that choose stages.
#[derive(Debug, Clone, clap::Args)]
pub struct SelectionArguments {
    /// The stage to run, even if it is up to date; what needs it follows
    #[arg(value_name = "STAGE")]
    pub stage: Option<String>,
    /// Only this stage: what it needs must be up to date, and nothing follows
    #[arg(long, requires = "stage")]
    pub only: bool,
    /// Run what follows (without STAGE: everything) even if it is up to date
    #[arg(long)]
    pub force: bool,
}

impl SelectionArguments {
    /// As the core names it.
    pub fn selection(&self) -> Selection {
        Selection { from: self.stage.as_deref().map(Into::into), only: self.only, force: self.force }
    }
}

/// Why something is asked for.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Reason {
    /// Why, for whoever reads the events
    #[arg(short, long, value_name = "WHY")]
    pub message: Option<String>,
}

impl Reason {
    /// Its words; none when nothing was said.
    pub fn text(&self) -> String {
        self.message.clone().unwrap_or_default()
    }
}

/// How a run is asked for.
#[derive(Debug, Clone, clap::Args)]
pub struct RunArguments {
    /// Which stages
    #[command(flatten)]
    pub selection: SelectionArguments,
    /// Why
    #[command(flatten)]
    pub reason: Reason,
    /// The project's name, which production wants where nobody can be asked
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Print what its stages print, and end with its result
    #[arg(long)]
    pub wait: bool,
}

/// What is cancelled.
#[derive(Debug, Clone, clap::Args)]
pub struct CancelArguments {
    /// Its number; without it, the active and the queued ones
    #[arg(value_name = "RUN")]
    pub run: Option<u64>,
    /// Why
    #[command(flatten)]
    pub reason: Reason,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
}

/// Starts a run; the daemon too, if none runs.
pub fn run(folder: &Path, arguments: &RunArguments, out: &mut impl Write) -> Result<(), Failure> {
    let selection = arguments.selection.selection();
    let layout = layout(folder)?;
    up::start(&layout)?;
    let client = client(&layout)?;
    let snapshot = block_on(async { Ok(client.snapshot().await?) })?;
    confirm::run(&layout, &snapshot, &selection, arguments.confirm.as_deref())?;
    ask(&client, Command::Run(selection), arguments.reason.text(), arguments.wait, out)
}

/// Cancels a run, or all that are active or queued.
pub fn cancel(folder: &Path, arguments: &CancelArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let run = arguments.run.map(RunId);
    if !arguments.yes {
        confirm::cancel(&state(&layout)?.0, run)?;
    }
    let client = client(&layout)?;
    let run = block_on(request(&client, Command::Cancel { run }, arguments.reason.text()))?;
    match run {
        Some(run) => writeln!(out, "cancelling run {run}")?,
        None => writeln!(out, "cancelling")?,
    }
    Ok(())
}

/// Asks for something, and says which run it is about, where there is one.
pub async fn request(client: &Client, command: Command, message: String) -> Result<Option<RunId>, Failure> {
    let reply = client.command(&CommandRequest { message, command }).await?;
    reply.map_err(|refusal| Failure::Failed(refusal.to_string()))
}

/// Asks the daemon for a run and, with `wait`, stays until its end.
pub fn ask(
    client: &Client,
    command: Command,
    message: String,
    wait: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    block_on(async {
        // The snapshot comes first, so that no event of the new run is missed.
        let mut state = if wait { Some(client.snapshot().await?.state) } else { None };
        let Some(run) = request(client, command, message).await? else { return Ok(()) };
        writeln!(out, "run {run}")?;
        out.flush()?;
        match &mut state {
            Some(state) => follow(client, run, state, out).await,
            None => Ok(()),
        }
    })
}

/// Prints what happens in a run and what its stages print, and gives its result.
async fn follow(client: &Client, run: RunId, state: &mut State, out: &mut impl Write) -> Result<(), Failure> {
    let mut stream = client.events(state.sequence).await?;
    let mut printed: BTreeMap<LogAddress, u64> = BTreeMap::new();
    let mut live = Live::default();
    while let Some(item) = stream.next().await {
        match item? {
            StreamItem::Event(recorded) => {
                if let Event::StageFinished { run: of, stage, attempt, .. } = &recorded.event
                    && *of == run
                {
                    let log = LogAddress { run, stage: stage.clone(), attempt: *attempt };
                    print_lines(client, &log, &mut printed, out).await?;
                }
                state.apply(&recorded).map_err(|error| Failure::Failed(error.to_string()))?;
                if let Some(line) = line_of(&recorded.event, run) {
                    writeln!(out, "{line}")?;
                    out.flush()?;
                }
                if let Event::RunFinished { run: of, result } = &recorded.event
                    && *of == run
                {
                    return conclude(state, run, *result);
                }
            }
            StreamItem::Live(new) => {
                live = new;
                print_growing(client, &live, run, &mut printed, out).await?;
            }
            StreamItem::Changes(changes) => {
                for change in changes {
                    live.change(change);
                }
                print_growing(client, &live, run, &mut printed, out).await?;
            }
            StreamItem::Behind => {
                *state = client.snapshot().await?.state;
                if let Some(result) = state.runs.get(&run).and_then(|run| run.result) {
                    return conclude(state, run, result);
                }
                stream = client.events(state.sequence).await?;
            }
        }
    }
    Err(Failure::Unreachable(format!("the daemon ended; run {run} may go on, `trainyard up` finds it again")))
}

fn line_of(event: &Event, run: RunId) -> Option<String> {
    let of = match event {
        Event::StageStarted { run, .. }
        | Event::StageSkipped { run, .. }
        | Event::StageNotRun { run, .. }
        | Event::StageFinished { run, .. }
        | Event::StageRetrying { run, .. }
        | Event::ApprovalWanted { run, .. }
        | Event::Approved { run, .. }
        | Event::RunFinished { run, .. } => *run,
        _ => return None,
    };
    (of == run).then(|| narrate(event))
}

/// Prints what is new in the log that grew last, if it is one of the run.
async fn print_growing(
    client: &Client,
    live: &Live,
    run: RunId,
    printed: &mut BTreeMap<LogAddress, u64>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    match &live.log {
        Some((log, _)) if log.run == run => print_lines(client, log, printed, out).await,
        Some(_) | None => Ok(()),
    }
}

/// Prints the lines of a log that have not been printed, each behind the name of its stage.
async fn print_lines(
    client: &Client,
    log: &LogAddress,
    printed: &mut BTreeMap<LogAddress, u64>,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let mut from = printed.get(log).copied().unwrap_or(0);
    loop {
        let window = client.log_lines(log, from, 1_000).await?;
        for line in &window.lines {
            writeln!(out, "{} | {}", log.stage, line.text)?;
        }
        from += window.lines.len() as u64;
        if window.lines.is_empty() || from >= window.total {
            break;
        }
    }
    out.flush()?;
    printed.insert(log.clone(), from);
    Ok(())
}

fn conclude(state: &State, run: RunId, result: RunResult) -> Result<(), Failure> {
    let reasons: Vec<String> = state
        .runs
        .get(&run)
        .map(|run| {
            let stages = run.stages.iter().filter(|(_, stage)| {
                matches!(
                    stage.state,
                    StageState::Failed { .. }
                        | StageState::NotRun { .. }
                        | StageState::Interrupted
                        | StageState::Cancelled
                )
            });
            stages
                .map(|(name, stage)| format!("{name} {}: {}", stage.state.word(), explain::stage(state, run, name)))
                .collect()
        })
        .unwrap_or_default();
    let told = || format!("run {run} {}; {}", explain::result(result), reasons.join("; "));
    match result {
        RunResult::Passed => Ok(()),
        _ if lacked_an_engine(state, run) => Err(Failure::Unreachable(told())),
        _ => Err(Failure::Failed(told())),
    }
}

/// Whether a stage failed because what it needs could not be reached. Only stages of ours say so by their exit code; what a
/// user's command means by it is its own affair.
fn lacked_an_engine(state: &State, run: RunId) -> bool {
    let Some(run) = state.runs.get(&run) else { return false };
    run.stages.iter().any(|(name, stage)| {
        let kind = state.graph.get(name).map(|spec| spec.kind);
        matches!(kind, Some(StageKind::Image | StageKind::Deploy))
            && matches!(&stage.state, StageState::Failed { failure: StageFailure::Exit { code: 3, .. } })
    })
}
