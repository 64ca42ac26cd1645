//! `trainyard releases` and `trainyard rollback`: what was put into service, how it is, and the way back.

use std::io::Write;
use std::path::Path;

use serde::Serialize;

use super::confirm;
use super::failure::Failure;
use super::project::{block_on, client, layout, state};
use super::run::{Reason, ask};
use super::show::{clock, duration, json};
use super::table::{print, print_line, terminal_width};
use crate::api::client::Client;
use crate::api::types::{InstanceStatus, RollbackPlan, TargetReport};
use crate::disk::now;
use crate::pipeline::{Command, Moment, Release, ReleaseId, State};
use crate::tui::{bytes, health, place_text, ready, release_facts, standing};

/// Stands where nothing is known any more.
const UNKNOWN: &str = "–";

/// Which release comes back, and how.
#[derive(Debug, Clone, clap::Args)]
pub struct RollbackArguments {
    /// Its number; without it, the last before the live one
    #[arg(value_name = "RELEASE")]
    pub release: Option<u64>,
    /// Only say what would change
    #[arg(long)]
    pub plan: bool,
    /// Do not ask
    #[arg(long)]
    pub yes: bool,
    /// The project's name, which production wants where nobody can be asked
    #[arg(long, value_name = "NAME")]
    pub confirm: Option<String>,
    /// Why
    #[command(flatten)]
    pub reason: Reason,
    /// Stay until it is done
    #[arg(long)]
    pub wait: bool,
}

/// A release with all that is known of it, as JSON shows it.
#[derive(Debug, Serialize)]
struct Row<'a> {
    #[serde(flatten)]
    release: &'a Release,
    /// Its status as people are told it: of one that a person went back from, `left`.
    #[serde(skip)]
    standing: &'static str,
    /// Who started it; null when its run is forgotten.
    by: Option<String>,
    /// Why, in a few words.
    why: Option<String>,
    /// Milliseconds its deploy took.
    took: Option<u64>,
    /// Of the live one, in a few words.
    health: Option<String>,
    /// What the target says, with the release that it serves, or should; else with the newest.
    target: Option<&'a TargetReport>,
}

/// `trainyard releases`
pub fn releases(folder: &Path, as_json: bool, out: &mut impl Write) -> Result<(), Failure> {
    let (state, snapshot) = state(&layout(folder)?)?;
    let report = snapshot.and_then(|snapshot| snapshot.live.target);
    let rows = rows(&state, report.as_ref(), now());
    if as_json {
        return json(&rows, out);
    }
    let width = terminal_width();
    if rows.is_empty() {
        writeln!(out, "no release yet: the deploy stage makes one; `trainyard run` starts a run")?;
    } else {
        history(&rows, width, out)?;
    }
    if let Some(report) = &report {
        writeln!(out)?;
        target(report, now(), width, out)?;
    }
    Ok(())
}

/// The newest first.
fn rows<'a>(state: &'a State, report: Option<&'a TargetReport>, now: Moment) -> Vec<Row<'a>> {
    let newest = state.releases.keys().next_back().copied();
    let reported = report.and_then(|report| report.live).filter(|live| state.releases.contains_key(live)).or(newest);
    let row = |release: &'a Release| {
        let facts = release_facts(state, release, now);
        Row {
            release,
            standing: standing(state, release).0,
            by: facts.by,
            why: facts.why,
            took: facts.took,
            health: report.and_then(|report| health(report, release.id)),
            target: report.filter(|_| Some(release.id) == reported),
        }
    };
    state.releases.values().rev().map(|release| row(release)).collect()
}

fn history(rows: &[Row<'_>], width: Option<usize>, out: &mut impl Write) -> Result<(), Failure> {
    let known = |text: Option<String>| text.unwrap_or_else(|| UNKNOWN.to_owned());
    let cells: Vec<[String; 10]> = rows
        .iter()
        .map(|row| {
            let release = row.release;
            [
                release.id.to_string(),
                row.standing.to_owned(),
                known(release.image.as_ref().map(|image| image.short().to_owned())),
                known(release.model.map(|version| version.to_string())),
                release.commit.clone(),
                known(row.by.clone()),
                clock(release.started),
                known(row.took.map(duration)),
                row.health.clone().unwrap_or_default(),
                known(row.why.clone()),
            ]
        })
        .collect();
    let headings = ["release", "status", "image", "model", "commit", "by", "when", "took", "health", "why"];
    Ok(print(headings, &cells, width, out)?)
}

/// Where releases run, what the live one runs as, what is wrong, and what is ours on the disks.
fn target(report: &TargetReport, now: Moment, width: Option<usize>, out: &mut impl Write) -> Result<(), Failure> {
    if let Some(place) = &report.place {
        let production = if place.production { ", PRODUCTION" } else { "" };
        print_line(&format!("target       {}{production}", place_text(place)), width, out)?;
    }
    if let Some(live) = report.live {
        let health = health(report, live).unwrap_or_default();
        let (ready, all) = ready(report);
        print_line(&format!("live         release {live}: {health}; {ready} of {all} ready"), width, out)?;
    }
    // What is wrong is read whole, however narrow the terminal is.
    if let Some((since, reason)) = &report.unreachable {
        writeln!(out, "unreachable  since {}: {reason}", clock(*since))?;
    }
    for line in &report.drift {
        writeln!(out, "drift        {line}")?;
    }
    let owned =
        report.disk.iter().filter(|(_, size)| **size > 0).map(|(what, size)| format!("{what} {}", bytes(*size)));
    let owned: Vec<String> = owned.collect();
    if !owned.is_empty() {
        print_line(&format!("disk         {}", owned.join(", ")), width, out)?;
    }
    if !report.instances.is_empty() {
        writeln!(out)?;
        let cells: Vec<[String; 9]> = report.instances.iter().map(|instance| cells(instance, now)).collect();
        let headings = ["instance", "track", "state", "ready", "restarts", "cpu", "memory", "age", "node"];
        print(headings, &cells, width, out)?;
    }
    Ok(())
}

/// What is not known leaves its cell empty: nodes and usage are unknown of all instances or of none.
fn cells(instance: &InstanceStatus, now: Moment) -> [String; 9] {
    [
        instance.name.clone(),
        instance.track.clone(),
        instance.state.clone(),
        if instance.ready { "yes" } else { "no" }.to_owned(),
        instance.restarts.to_string(),
        instance.usage.map(|usage| format!("{:.2}", usage.cpus)).unwrap_or_default(),
        instance.usage.map(|usage| bytes(usage.memory)).unwrap_or_default(),
        instance.since.map(|since| duration(now.since(since))).unwrap_or_default(),
        instance.node.clone().unwrap_or_default(),
    ]
}

/// `trainyard rollback`: says what would change, asks where that is due, and goes back to exactly that release.
pub fn rollback(folder: &Path, arguments: &RollbackArguments, out: &mut impl Write) -> Result<(), Failure> {
    let layout = layout(folder)?;
    let client = client(&layout)?;
    let plan = planned(&client, arguments.release.map(ReleaseId))?;
    write_plan(&plan, out)?;
    out.flush()?;
    if let Some(obstacle) = &plan.obstacle {
        return Err(Failure::Failed(format!("{obstacle}; nothing was touched")));
    }
    if arguments.plan {
        return Ok(());
    }
    let snapshot = block_on(async { Ok(client.snapshot().await?) })?;
    let was_asked = confirm::rollback(&layout, &snapshot, arguments.confirm.as_deref(), arguments.yes)?;
    // While a person thought it over, something may have been deployed.
    if was_asked && planned(&client, Some(plan.to))? != plan {
        let text = format!("what going back to release {} would change is not what it was; ask again", plan.to);
        return Err(Failure::Failed(text));
    }
    ask(&client, Command::Rollback { to: Some(plan.to) }, arguments.reason.text(), arguments.wait, out)
}

fn planned(client: &Client, to: Option<ReleaseId>) -> Result<RollbackPlan, Failure> {
    block_on(async { Ok(client.rollback_plan(to).await?) })
}

fn write_plan(plan: &RollbackPlan, out: &mut impl Write) -> Result<(), Failure> {
    match plan.from {
        Some(from) => writeln!(out, "rollback from release {from} to release {}", plan.to)?,
        None => writeln!(out, "rollback to release {}; none is live", plan.to)?,
    }
    for change in &plan.changes {
        writeln!(out, "  {change}")?;
    }
    if plan.changes.is_empty() {
        writeln!(out, "  image, model and commit are the same")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
