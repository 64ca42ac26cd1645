//! The commands that show: status, runs, plan. Each also as JSON.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::failure::{Failure, failed};
use super::harmless::note;
use super::holds;
use super::past;
use super::project::{block_on, client, layout, resting, state, unheard};
use super::up;
use crate::api::types::{Snapshot, WatchMode};
use crate::disk::{Layout, now};
use crate::pipeline::quantity::counted;
use crate::pipeline::{AlertState, Moment, Release, Run, RunId, Selection, State, explain};
use crate::stage::gate;
use crate::tui::standing;

/// Prints a value as JSON, laid out for people too.
pub fn json(value: &impl Serialize, out: &mut impl Write) -> Result<(), Failure> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(failed)?;
    writeln!(out)?;
    Ok(())
}

/// `42ms`, `12.3s`, `4m05s`, `3h10m`.
pub fn duration(milliseconds: u64) -> String {
    let seconds = milliseconds / 1_000;
    match seconds {
        0 => format!("{milliseconds}ms"),
        1..60 => format!("{seconds}.{}s", milliseconds % 1_000 / 100),
        60..3_600 => format!("{}m{:02}s", seconds / 60, seconds % 60),
        _ => format!("{}h{:02}m", seconds / 3_600, seconds % 3_600 / 60),
    }
}

/// A moment as the clock on the wall here shows it.
pub fn clock(at: Moment) -> String {
    jiff::Timestamp::from_millisecond(at.0)
        .map(|at| at.to_zoned_datetime(jiff::tz::TimeZone::system()).strftime("%Y-%m-%d %H:%M:%S").to_string())
        .unwrap_or_default()
}

/// `trainyard status`
pub fn status(folder: &Path, at: Option<&str>, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    if let Some(when) = at {
        return status_then(&layout, when, as_json, out);
    }
    let (state, snapshot) = state(&layout)?;
    let is_running = snapshot.is_some();
    let snapshot = snapshot.unwrap_or_else(|| resting(&layout, state));
    let unheard = if is_running { None } else { unheard(&layout) };
    if as_json {
        // Beside it, for what reads this takes a document.
        if let Some(unheard) = &unheard {
            note(&unheard.to_string());
        }
        return json(&snapshot, out);
    }
    if is_running {
        writeln!(
            out,
            "{}  daemon {} since {}",
            snapshot.daemon.project,
            snapshot.daemon.pid,
            clock(snapshot.daemon.started)
        )?;
    } else if let Some(unheard) = unheard {
        writeln!(out, "{}  {unheard}", snapshot.daemon.project)?;
    } else {
        writeln!(out, "{}  no daemon runs; `trainyard up` starts one", snapshot.daemon.project)?;
    }
    facts(&snapshot, now(), out)
}

/// The same as it was at a moment, read from the journal, whether a daemon runs or not.
fn status_then(layout: &Layout, when: &str, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let past = past::then(layout, when)?;
    if as_json {
        return json(&past, out);
    }
    let snapshot = Snapshot { live: past.live, ..resting(layout, past.state) };
    writeln!(out, "{}  as it was {}: {}", snapshot.daemon.project, clock(past.place.at), past.place.told)?;
    facts(&snapshot, past.place.at, out)
}

/// What is the case at a moment.
fn facts(snapshot: &Snapshot, at: Moment, out: &mut impl Write) -> Result<(), Failure> {
    holds::show(snapshot, at, out)?;
    inputs(snapshot, out)?;
    match snapshot.state.latest_run() {
        Some(run) => board(&snapshot.state, run, at, out)?,
        None => writeln!(out, "no run yet: put a data file into the data folder, or `trainyard run`")?,
    }
    match snapshot.state.live_release() {
        Some(release) => writeln!(out, "release    {}", release_line(&snapshot.state, release))?,
        None => writeln!(out, "release    none is live")?,
    }
    Ok(())
}

fn inputs(snapshot: &Snapshot, out: &mut impl Write) -> Result<(), Failure> {
    if let Some(inputs) = &snapshot.state.inputs {
        let branch = inputs.source.branch.as_deref().map(|branch| format!("{branch} ")).unwrap_or_default();
        writeln!(out, "source     {branch}{}", inputs.source.label())?;
        writeln!(out, "data       {}, {}", counted(inputs.data.count, "file"), counted(inputs.data.rows, "row"))?;
    }
    for (file, reason) in &snapshot.state.refused {
        writeln!(out, "held back  {file}: {reason}")?;
    }
    if let Some(watch) = &snapshot.live.watch {
        let mode = match &watch.mode {
            WatchMode::Notified => "told by the kernel".to_owned(),
            WatchMode::Polling { reason } => format!("polling: {reason}"),
            WatchMode::Blind { reason } => format!("not watching: {reason}"),
        };
        writeln!(out, "watch      {mode}")?;
        for (file, stage) in &watch.pending {
            writeln!(out, "           {file} {stage}")?;
        }
    }
    let firing = snapshot.live.alerts.iter().filter(|alert| alert.state == AlertState::Firing);
    for alert in firing {
        let silenced = if alert.silence.is_some() { ", silenced" } else { "" };
        writeln!(out, "alert      {} fires{silenced}; `trainyard alerts` tells more", alert.name)?;
    }
    for (subject, problem) in &snapshot.live.problems {
        writeln!(out, "problem    {subject}: {problem}")?;
    }
    Ok(())
}

fn board(state: &State, run: &Run, at: Moment, out: &mut impl Write) -> Result<(), Failure> {
    let word = run.result.map_or(if run.started.is_some() { "active" } else { "queued" }, explain::result);
    writeln!(out, "run {:<6} {word}: {}", run.id, explain::cause(state, run))?;
    let words = run.stages.values().map(|stage| stage.state.word().len());
    let width = words.max().unwrap_or(0).max(11);
    for spec in state.graph.stages() {
        let Some(stage) = run.stages.get(&spec.name) else { continue };
        let took = stage.took(at).map(duration).unwrap_or_default();
        let reason = explain::stage(state, run, &spec.name);
        writeln!(out, "  {:<10} {:<width$} {took:>8}  {reason}", spec.name, stage.state.word())?;
    }
    Ok(())
}

/// `trainyard runs`
pub fn runs(folder: &Path, limit: usize, at: Option<&str>, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let (state, at) = past::state_at(&layout(folder)?, at)?;
    let runs: Vec<&Run> = state.runs.values().rev().take(limit).map(AsRef::as_ref).collect();
    if as_json {
        return json(&runs, out);
    }
    if runs.is_empty() {
        writeln!(out, "no run yet: put a data file into the data folder, or `trainyard run`")?;
    }
    for run in runs {
        let word = run.result.map_or("active", explain::result);
        let took = run.started.map(|started| duration(run.ended.unwrap_or(at).since(started))).unwrap_or_default();
        let trigger = explain::cause(&state, run);
        writeln!(out, "{:>5}  {}  {word:<10} {took:>8}  {trigger}", run.id.0, clock(run.created))?;
    }
    Ok(())
}

/// `trainyard runs RUN`
pub fn run(folder: &Path, number: u64, at: Option<&str>, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let (state, at) = past::state_at(&layout, at)?;
    let Some(run) = state.runs.get(&RunId(number)) else {
        return Err(Failure::Failed(format!("there is no run {number}; `trainyard runs` lists them")));
    };
    if as_json {
        return json(run.as_ref(), out);
    }
    board(&state, run, at, out)?;
    let made = run.stages.values().filter_map(|stage| stage.writes_model);
    for ledger in made.filter_map(|version| gate::ledger(&layout.model(version))) {
        for line in ledger.lines() {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

fn release_line(state: &State, release: &Release) -> String {
    let mut line = format!("{:<4} {:<10} {}", release.id.0, standing(state, release).0, clock(release.started));
    if let Some(model) = release.model {
        line.push_str(&format!("  model {model}"));
    }
    line.push_str(&format!("  source {}  run {}", release.commit, release.run));
    if let Some(image) = &release.image {
        line.push_str(&format!("  image {}", image.short()));
    }
    if let Some(repeats) = release.repeats {
        line.push_str(&format!("  again release {repeats}"));
    }
    if let Some(address) = &release.address {
        line.push_str(&format!("  {address}"));
    }
    line
}

/// `trainyard plan`; an observer starts no daemon for it.
pub fn plan(
    folder: &Path,
    selection: &Selection,
    is_observer: bool,
    as_json: bool,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let layout = layout(folder)?;
    if !is_observer {
        up::start(&layout)?;
    }
    let client = client(&layout)?;
    let planned = block_on(async { Ok(client.plan(selection).await?) })?;
    if as_json {
        return json(&planned, out);
    }
    if planned.is_empty() {
        writeln!(out, "the source and the data have not been read yet; try again in a moment")?;
    }
    for stage in planned {
        let took = stage.took.map(|took| format!("took {}", duration(took))).unwrap_or_default();
        writeln!(out, "{:<10} {:<6} {:<60} {took}", stage.stage, stage.action.word(), stage.reason)?;
    }
    Ok(())
}
