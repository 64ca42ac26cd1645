//! Reasons in one sentence, and the plan: what would run, and why.
//!
//! Every sentence that the board, the command line and the log show of a decision is made here, so that they all say the same.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::alert::Restraint;
use super::consider::{Circumstances, Next};
use super::graph::{StageKind, StageSpec};
use super::hold::Lock;
use super::ids::{Digest, Moment, ReleaseId, StageName};
use super::inputs::Fingerprint;
use super::quantity::counted;
use super::reason::{Failure, Obstacle, RunResult, Selection, SkipReason, StopReason, Trigger, Why};
use super::run::{Run, StageState};
use super::state::State;

/// What a plan says of one stage.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Planned {
    /// Which.
    pub stage: StageName,
    /// What would be done.
    pub action: PlannedAction,
    /// Why, in one sentence.
    pub reason: String,
    /// Milliseconds its last pass took.
    pub took: Option<u64>,
}

/// What a plan would do with a stage.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PlannedAction {
    /// It runs.
    Run,
    /// It runs if a stage before it gives something else than last time.
    Maybe,
    /// It is skipped.
    Skip,
    /// It cannot run.
    Hold,
}

impl PlannedAction {
    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Run => "run",
            Self::Maybe => "maybe",
            Self::Skip => "skip",
            Self::Hold => "hold",
        }
    }
}

/// What a run of `selection` by hand would do now. Empty until data and source have been seen.
pub fn plan(state: &State, selection: &Selection) -> Vec<Planned> {
    considered(state, selection).into_iter().map(|(planned, _)| planned).collect()
}

/// The rejected release that a run of `selection` by hand would put into service again, which automation would not.
pub fn brings_back(state: &State, selection: &Selection) -> Option<ReleaseId> {
    let deploys = |planned: &Planned| {
        let is_deploy = state.graph.get(&planned.stage).is_some_and(|spec| spec.kind == StageKind::Deploy);
        is_deploy && planned.action == PlannedAction::Run
    };
    considered(state, selection)
        .iter()
        .filter(|(planned, _)| deploys(planned))
        .find_map(|(_, fingerprint)| state.quarantine(fingerprint.as_ref()?))
}

/// The plan, and of each stage that would run on what it would work.
fn considered(state: &State, selection: &Selection) -> Vec<(Planned, Option<Fingerprint>)> {
    let Some(inputs) = &state.inputs else { return Vec::new() };
    let trigger = Trigger::Manual { by: String::new() };
    let circumstances = Circumstances { state, inputs, selection, trigger: &trigger };
    let mut actions: BTreeMap<StageName, PlannedAction> = BTreeMap::new();
    let mut identities: BTreeMap<StageName, Digest> = BTreeMap::new();
    let mut planned = Vec::new();
    for spec in state.graph.stages() {
        let needs_before: BTreeMap<StageName, Digest> =
            spec.needs.iter().filter_map(|need| Some((need.clone(), identities.get(need)?.clone()))).collect();
        let held = spec.needs.iter().find(|need| actions.get(*need) == Some(&PlannedAction::Hold));
        let open: Vec<&str> = spec
            .needs
            .iter()
            .filter(|need| matches!(actions.get(*need), Some(PlannedAction::Run | PlannedAction::Maybe)))
            .map(StageName::as_str)
            .collect();
        let mut works_on = None;
        let (action, reason) = if let Some(need) = held {
            (PlannedAction::Hold, obstacle(&Obstacle::NeedNotRun { stage: need.clone() }))
        } else {
            match circumstances.consider(spec, needs_before) {
                Next::Start(why, fingerprint) => {
                    identities.insert(spec.name.clone(), fingerprint.digest());
                    works_on = Some(fingerprint);
                    (PlannedAction::Run, self::why(&why))
                }
                Next::Check { earlier, fingerprint, outputs } => {
                    identities.insert(spec.name.clone(), outputs.digest.unwrap_or_else(|| fingerprint.digest()));
                    if open.is_empty() {
                        let reason = match outputs.live {
                            Some(release) => SkipReason::AlreadyLive { release },
                            None => SkipReason::UpToDate { since: earlier },
                        };
                        (PlannedAction::Skip, skip(&reason))
                    } else {
                        (
                            PlannedAction::Maybe,
                            format!("runs if {} gives something else than before", open.join(" or ")),
                        )
                    }
                }
                Next::Skip(reason) => (PlannedAction::Skip, skip(&reason)),
                Next::NotRun(obstacle) => (PlannedAction::Hold, self::obstacle(&obstacle)),
            }
        };
        let reason = match action {
            PlannedAction::Run | PlannedAction::Maybe => reason + &holds(state, spec),
            PlannedAction::Skip | PlannedAction::Hold => reason,
        };
        // A stage that will run may give what it gave before: those behind it are judged by its last pass.
        if let Some(last) = state.last_pass(&spec.name)
            && let Some(digest) = &last.outputs.digest
            && action == PlannedAction::Run
        {
            identities.insert(spec.name.clone(), digest.clone());
        }
        actions.insert(spec.name.clone(), action);
        let took = state.last_pass(&spec.name).map(|pass| pass.took);
        planned.push((Planned { stage: spec.name.clone(), action, reason, took }, works_on));
    }
    planned
}

/// What will hold back a stage that is to run, with a separator before it. A run by hand goes through a lock.
fn holds(state: &State, spec: &StageSpec) -> String {
    let mut text = String::new();
    if let Some(lock) = state.lock.as_ref().filter(|_| spec.kind == StageKind::Deploy) {
        text.push_str(&format!("; by itself it would wait: {}", self::lock(lock)));
    }
    match spec.approval.as_deref() {
        Some([]) => text.push_str("; asks for approval first"),
        Some(of) => text.push_str(&format!("; asks {} first", any_of(of))),
        None => {}
    }
    text
}

/// Why a stage stands where it stands in `run`, in one sentence; empty when there is nothing to add to the state's word.
pub fn stage(state: &State, run: &Run, name: &StageName) -> String {
    let Some(entry) = run.stages.get(name) else { return String::new() };
    match &entry.state {
        StageState::Waiting => waiting(state, run, name),
        StageState::Checking { earlier } => {
            format!("verifying the outputs of run {earlier}{}", if_lost(state, run, name))
        }
        StageState::Retrying { failed, .. } => format!("attempt {failed} failed; it will be tried again"),
        StageState::AwaitingApproval { of, .. } => format!("waits for {}", approval_of(of)),
        StageState::Running { .. } => entry.why.as_ref().map(why).unwrap_or_default(),
        StageState::Passed => entry.why.as_ref().map(why_it_ran).unwrap_or_default(),
        StageState::Failed { failure } => self::failure(failure),
        StageState::Skipped { reason } => skip(reason),
        StageState::NotRun { obstacle } => self::obstacle(obstacle),
        StageState::Cancelled => run.stopping.as_ref().map(stop).unwrap_or_default(),
        StageState::Interrupted => "its supervisor died, and nobody saw how it ended".to_owned(),
    }
}

/// What waits behind a verification that finds nothing, with a separator before it. That is not told apart from one that is
/// still under way, for it is made anew when the lock ends.
fn if_lost(state: &State, run: &Run, name: &StageName) -> String {
    let is_held = state.graph.get(name).is_some_and(|spec| state.is_held(run, spec));
    let lock = state.lock.as_ref().filter(|_| is_held);
    lock.map(|lock| format!("; if they are gone, it waits: {}", self::lock(lock))).unwrap_or_default()
}

fn waiting(state: &State, run: &Run, name: &StageName) -> String {
    if run.started.is_none() {
        return match state.active_run() {
            Some(active) => format!("waits for run {}", active.id),
            None => "waits for its turn".to_owned(),
        };
    }
    let open: Vec<&str> = state
        .graph
        .get(name)
        .map(|spec| {
            let is_open = |need: &&StageName| run.stages.get(*need).is_some_and(|stage| !stage.state.is_final());
            spec.needs.iter().filter(is_open).map(StageName::as_str).collect()
        })
        .unwrap_or_default();
    if !open.is_empty() {
        return format!("waits for {}", open.join(" and "));
    }
    let is_held = state.graph.get(name).is_some_and(|spec| state.is_held(run, spec));
    match state.lock.as_ref().filter(|_| is_held) {
        Some(lock) => format!("waits: {}", self::lock(lock)),
        None => "waits for its turn".to_owned(),
    }
}

/// Who holds automation off deploys, and why.
pub fn lock(lock: &Lock) -> String {
    format!("{} locked deploys: {}{}", lock.by, lock.message, until(lock.until))
}

/// Until when something lasts, with a separator before it.
pub(super) fn until(until: Option<Moment>) -> String {
    until.map(|until| format!(", until {}", until.utc())).unwrap_or_default()
}

/// Whose approval is wanted.
pub fn approval_of(of: &[String]) -> String {
    if of.is_empty() { "approval".to_owned() } else { format!("approval of {}", any_of(of)) }
}

/// Any one of these: `mina, alice or bob`.
pub fn any_of(names: &[String]) -> String {
    match names {
        [] => "anybody".to_owned(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

/// Why a stage was started.
pub fn why(why: &Why) -> String {
    match why {
        Why::FirstTime => "it has never passed".to_owned(),
        Why::Asked => "asked for".to_owned(),
        Why::Changed { since, data, source, settings, needs } => {
            let mut parts = Vec::new();
            if *data {
                parts.push("the data changed".to_owned());
            }
            if *source {
                parts.push("the source changed".to_owned());
            }
            if *settings {
                parts.push("its settings changed".to_owned());
            }
            if !needs.is_empty() {
                let names: Vec<_> = needs.iter().map(StageName::as_str).collect();
                parts.push(format!("{} gave something else", names.join(" and ")));
            }
            format!("{} since run {since}", parts.join(", "))
        }
        Why::OutputsLost { since } => format!("what it made in run {since} is gone or damaged"),
        Why::Retry => "tried again after a failure".to_owned(),
        Why::OtherRelease { live: Some(live) } => format!("release {live} is live instead"),
        Why::OtherRelease { live: None } => "no release is live".to_owned(),
        Why::Rollback { to } => format!("back to release {to}"),
        Why::Alert { name } => format!("alert {name} fired"),
    }
}

/// Why a stage that has passed was started: what was so then need not be so now.
fn why_it_ran(why: &Why) -> String {
    match why {
        Why::FirstTime => "it had never passed".to_owned(),
        Why::OutputsLost { since } => format!("what it made in run {since} was gone or damaged"),
        Why::OtherRelease { live: Some(live) } => format!("release {live} was live instead"),
        Why::OtherRelease { live: None } => "no release was live".to_owned(),
        Why::Rollback { to } => format!("went back to release {to}"),
        Why::Asked | Why::Changed { .. } | Why::Alert { .. } | Why::Retry => self::why(why),
    }
}

/// Why nothing followed from an alert that fires.
pub fn restraint(restraint: &Restraint) -> String {
    match restraint {
        Restraint::Silenced { by } => format!("it is silenced by {by}"),
        Restraint::NothingLive => "no release is live".to_owned(),
        Restraint::NoEvidence => "there is no evidence that the live release is to blame".to_owned(),
        Restraint::BeganBefore { release } => format!("it began before release {release} was deployed"),
        Restraint::OtherRelease { release } => format!("release {release} went live meanwhile"),
        Restraint::CoolingDown => {
            "something followed from it a short while ago, and its cooldown is not over".to_owned()
        }
        Restraint::NotReady => "the source and the data have not been read yet".to_owned(),
        Restraint::Deploying { run } => format!("run {run} is deploying"),
        Restraint::GoingBack { run } => format!("run {run} goes back already"),
        Restraint::LeftBefore { release } => {
            format!("release {release} was to be left once before because of an alert")
        }
        Restraint::NoEarlierRelease => "there is no earlier release to go back to".to_owned(),
        Restraint::FiredThereToo { release } => format!("it fired on release {release} too"),
        Restraint::GoneBackTo { release } => {
            format!("release {release} was gone back to itself, and going further is left to people")
        }
        Restraint::Quarantined { release } => format!("the same was rejected as release {release}"),
        Restraint::NoWay { reason } => reason.clone(),
        Restraint::Busy { run } => format!("run {run} is under way"),
        Restraint::NothingTrains => "no stage trains".to_owned(),
        Restraint::Locked { by } => format!("{by} locked deploys"),
    }
}

/// Why a stage was skipped.
pub fn skip(reason: &SkipReason) -> String {
    match reason {
        SkipReason::UpToDate { since } => format!("nothing it depends on changed since run {since}"),
        SkipReason::AlreadyLive { release } => format!("release {release} is the same and live"),
        SkipReason::NotSelected => "another stage was asked for".to_owned(),
        SkipReason::Promoted { model } => format!("model {model} was promoted by hand"),
    }
}

/// Why a stage did not run.
pub fn obstacle(obstacle: &Obstacle) -> String {
    match obstacle {
        Obstacle::NeedFailed { stage } => format!("{stage} did not pass"),
        Obstacle::NeedNotRun { stage } => format!("{stage} did not run"),
        Obstacle::NeedStale { stage } => {
            format!("it needs {stage}, which is not up to date; run it without --only")
        }
        Obstacle::NotSelected => "it is not up to date, and another stage was asked for".to_owned(),
        Obstacle::Quarantined { release } => {
            format!("the same was rejected as release {release}; change an input, or run this stage by hand")
        }
        Obstacle::NoData => "no data file is registered".to_owned(),
        Obstacle::ModelLost { model } => {
            format!("the files of model {model} are gone or damaged; promote another (`trainyard models`)")
        }
        Obstacle::Declined { by, message } => format!("{by} declined it{}", said(message)),
        Obstacle::AlertEnded { alert } => format!("alert {alert} ended while deploys were locked"),
        Obstacle::AlertSilenced { alert, by } => {
            format!("{by} silenced alert {alert} while deploys were locked")
        }
    }
}

/// What a rejected release had put into service, in words: the same may come back as another release.
pub fn rejected(release: ReleaseId) -> String {
    format!("what was rejected as release {release}")
}

/// Why a stage failed.
pub fn failure(failure: &Failure) -> String {
    match failure {
        Failure::Exit { code, said } if said.is_empty() => format!("exit code {code}"),
        Failure::Exit { code, said } => format!("exit code {code}: {said}"),
        Failure::Signal { signal } => format!("killed from outside by signal {signal}{}", signal_name(*signal)),
        Failure::TimedOut => "stopped because its time was over".to_owned(),
        Failure::NotStarted { error } => format!("could not be started: {error}"),
        Failure::TestsFailed { failed } => format!("{} failed", counted(*failed, "test")),
        Failure::NoReport => "it wrote no test report to $TRAINYARD_REPORTS".to_owned(),
        Failure::NoTests => "its test report holds no passed test".to_owned(),
        Failure::BadReport { error } => format!("its test report cannot be read: {error}"),
        Failure::DataChanged { file } => format!("{file} was changed while it worked, so its result does not count"),
        Failure::NoOutput { what } => format!("it ended well but did not make {what}"),
        Failure::Gate { reason } => format!("the gate holds its model back: {reason}"),
    }
}

fn signal_name(signal: i32) -> &'static str {
    match signal {
        2 => " (INT)",
        6 => " (ABRT)",
        9 => " (KILL)",
        11 => " (SEGV)",
        15 => " (TERM)",
        _ => "",
    }
}

/// Why a run is stopped.
pub fn stop(reason: &StopReason) -> String {
    match reason {
        StopReason::Cancelled { by } => format!("cancelled by {by}"),
        StopReason::Superseded { by } => format!("superseded by run {by}"),
    }
}

/// What started a run.
pub fn trigger(trigger: &Trigger) -> String {
    match trigger {
        Trigger::FirstStart => "first start".to_owned(),
        Trigger::ChangedWhileAway => "changed while no daemon was watching".to_owned(),
        Trigger::Data { files } if files.is_empty() => "data files removed".to_owned(),
        Trigger::Data { files } => format!("data registered: {}", some_of(files)),
        Trigger::Source { files } if files.is_empty() => "source saved".to_owned(),
        Trigger::Source { files } => format!("source saved: {}", some_of(files)),
        Trigger::Commit { commit, summary } => format!("commit {} {summary}", commit.get(..7).unwrap_or(commit)),
        Trigger::Settings => "settings changed".to_owned(),
        Trigger::Manual { by } => format!("by hand ({by})"),
        Trigger::Rollback { by, to } => format!("back to release {to} ({by})"),
        Trigger::AlertRollback { alert, to } => format!("alert {alert} fired: back to release {to}"),
        Trigger::AlertRetrain { alert } => format!("alert {alert} fired: train again"),
        Trigger::Promotion { by, model } => format!("model {model} promoted ({by})"),
        Trigger::Schedule { name } => format!("schedule {name}"),
    }
}

/// What started a run, and what whoever asked for it said.
pub fn cause(state: &State, run: &Run) -> String {
    let said = state.messages.get(&run.id).map(|message| self::said(message)).unwrap_or_default();
    format!("{}{said}", self::trigger(&run.trigger))
}

/// What somebody said of it, with a separator before it.
pub(super) fn said(message: &str) -> String {
    if message.trim().is_empty() { String::new() } else { format!(": {}", message.trim()) }
}

fn some_of(files: &[String]) -> String {
    match files {
        [] => String::new(),
        [one] => one.clone(),
        [one, two] => format!("{one}, {two}"),
        [one, two, rest @ ..] => format!("{one}, {two} and {} more", rest.len()),
    }
}

/// One word for how a run ended.
pub fn result(result: RunResult) -> &'static str {
    match result {
        RunResult::Passed => "passed",
        RunResult::Failed => "failed",
        RunResult::Held => "held",
        RunResult::Cancelled => "cancelled",
        RunResult::Superseded => "superseded",
    }
}
