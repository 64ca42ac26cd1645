//! `trainyard logs`: what stages printed, byte for byte.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::Path;

use super::failure::{Failure, failed};
use super::project::{block_on, client, layout, state};
use crate::api::types::{LogAddress, StreamItem};
use crate::engine::spool::LogReader;
use crate::engine::supervisor::AttemptFolder;
use crate::pipeline::{Attempt, Event, Run, RunId, StageName, State};

/// Bytes copied at once.
const PIECE: usize = 1 << 16;

/// Which log is wanted, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct LogsArguments {
    /// The stage
    #[arg(value_name = "STAGE")]
    pub stage: String,
    /// Go on as the log grows, until the stage ends
    #[arg(short, long)]
    pub follow: bool,
    /// Of this run; without it, of the last one in which the stage was started
    #[arg(long, value_name = "N")]
    pub run: Option<u64>,
    /// Only the last lines
    #[arg(long, value_name = "LINES")]
    pub tail: Option<u64>,
}

/// Writes a log byte for byte.
pub fn logs(folder: &Path, arguments: &LogsArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let (state, snapshot) = state(&layout)?;
    let stage = StageName::from(arguments.stage.as_str());
    let address = find(&state, &stage, arguments.run.map(RunId))?;
    let attempt = AttemptFolder::new(layout.attempt(address.run, &address.stage, address.attempt));
    let mut from = match arguments.tail {
        Some(lines) => start_of_tail(&attempt, lines)?,
        None => 0,
    };
    copy(&attempt, &mut from, out)?;
    if !arguments.follow || attempt.exit().is_some() || snapshot.is_none() {
        return Ok(());
    }
    let client = client(&layout)?;
    block_on(async {
        let mut stream = client.events(state.sequence).await?;
        while let Some(item) = stream.next().await {
            let item = item?;
            // One whose supervisor was killed has no exit file, but it has an end.
            let is_over = attempt.exit().is_some() || is_end_of(&item, &address);
            copy(&attempt, &mut from, out)?;
            if is_over {
                return Ok(());
            }
            if item == StreamItem::Behind {
                stream = client.events(client.snapshot().await?.state.sequence).await?;
            }
        }
        Ok(())
    })
}

fn is_end_of(item: &StreamItem, log: &LogAddress) -> bool {
    let StreamItem::Event(recorded) = item else { return false };
    matches!(&recorded.event, Event::StageFinished { run, stage, attempt, .. }
        if *run == log.run && *stage == log.stage && *attempt == log.attempt)
}

fn find(state: &State, stage: &StageName, run: Option<RunId>) -> Result<LogAddress, Failure> {
    let started = |run: &Run| {
        let attempt = run.stages.get(stage)?.attempt;
        (attempt > Attempt(0)).then(|| LogAddress { run: run.id, stage: stage.clone(), attempt })
    };
    let found = match run {
        Some(id) => state.runs.get(&id).and_then(|run| started(run)),
        None => state.runs.values().rev().find_map(|run| started(run)),
    };
    found.ok_or_else(|| {
        let names: Vec<_> = state.graph.stages().iter().map(|spec| spec.name.as_str()).collect();
        let known = names.join(", ");
        match (state.graph.get(stage), run) {
            (None, _) => Failure::Usage(format!("there is no stage `{stage}`; the stages are {known}")),
            (Some(_), Some(run)) => Failure::Failed(format!("`{stage}` was not started in run {run}")),
            (Some(_), None) => Failure::Failed(format!("`{stage}` has never been started")),
        }
    })
}

/// The byte at which the last `lines` lines begin, found from the end.
fn start_of_tail(attempt: &AttemptFolder, lines: u64) -> Result<u64, Failure> {
    let log = LogReader::open(&attempt.log(), &attempt.index()).map_err(failed)?;
    log.offset_of_tail(lines).map_err(failed)
}

fn copy(attempt: &AttemptFolder, from: &mut u64, out: &mut impl Write) -> Result<(), Failure> {
    let mut file = match File::open(attempt.log()) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    file.seek(SeekFrom::Start(*from))?;
    let mut piece = vec![0; PIECE];
    loop {
        let length = file.read(&mut piece)?;
        if length == 0 {
            out.flush()?;
            return Ok(());
        }
        out.write_all(&piece[..length])?;
        *from += length as u64;
    }
}
