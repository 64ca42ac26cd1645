//! What there is to say of a release beyond its own record, in words that the screen and `trainyard releases` share: who
//! started it and why, how long its deploy took, how it is now, where it runs, and what a run by hand may deploy.
//!
//! Pure, and nothing is made harmless here: whoever shows a text does that.

use crate::api::types::{Place, TargetReport};
use crate::pipeline::quantity::counted;
use crate::pipeline::{
    Failure, ModelVersion, Moment, PlannedAction, Release, ReleaseId, ReleaseStatus, Selection, StageKind, StageName,
    StageState, State, Trigger, brings_back, explain, plan,
};

/// Who starts what nobody asked for.
const AUTOMATION: &str = "automation";

/// What the history knows of a release.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseFacts {
    /// Who started it; `None` when its run is forgotten.
    pub by: Option<String>,
    /// Why, in a few words; `None` when that is forgotten too.
    pub why: Option<String>,
    /// Milliseconds its deploy took, up to now while it works.
    pub took: Option<u64>,
}

/// Who, why, how long. Runs are forgotten before releases are, so not all of it can always be told.
pub fn release_facts(state: &State, release: &Release, now: Moment) -> ReleaseFacts {
    let run = state.runs.get(&release.run);
    let by = run.map(|run| started_by(&run.trigger));
    let repeated = || release.repeats.map(|earlier| format!("back to release {earlier}"));
    let why = run.map(|run| explain::cause(state, run)).or_else(repeated);
    let end = match release.status {
        ReleaseStatus::Starting => Some(now),
        // A retired release has ended too, but its deploy was over when it went live.
        ReleaseStatus::Live | ReleaseStatus::Retired | ReleaseStatus::Rejected | ReleaseStatus::Abandoned => {
            release.live_since.or(release.ended)
        }
    };
    ReleaseFacts { by, why, took: end.map(|end| end.since(release.started)) }
}

/// How a release stands, in a word, and the status by which its sign and colour are chosen. One that a person left for another
/// is no failure, and one that was live and may be deployed again is retired.
pub fn standing(state: &State, release: &Release) -> (&'static str, ReleaseStatus) {
    match (release.status, left_by(state, release)) {
        (ReleaseStatus::Rejected, Some(Trigger::Rollback { .. })) => ("left", ReleaseStatus::Retired),
        (ReleaseStatus::Abandoned, _) if release.live_since.is_some() => {
            (ReleaseStatus::Retired.word(), ReleaseStatus::Retired)
        }
        (status, _) => (status.word(), status),
    }
}

/// What that means, in one sentence: what became of it, and whether automation may deploy the same again. `None` of one that
/// serves or is about to.
pub fn meaning(state: &State, release: &Release) -> Option<String> {
    let was_live = release.live_since.is_some();
    let next = successor(state, release).map(|next| next.id);
    let story = match release.status {
        ReleaseStatus::Starting | ReleaseStatus::Live => return None,
        ReleaseStatus::Retired | ReleaseStatus::Abandoned if was_live => match next {
            Some(next) => format!("release {next} took its place"),
            None => "a later release took its place".to_owned(),
        },
        ReleaseStatus::Retired | ReleaseStatus::Abandoned => {
            "its deploy ended without a verdict on it, or somebody let the same be deployed again".to_owned()
        }
        ReleaseStatus::Rejected => rejection(state, release),
    };
    // An equal one that was rejected holds automation off this one too.
    let is_held = release
        .fingerprint
        .as_ref()
        .map_or(release.status == ReleaseStatus::Rejected, |fingerprint| state.quarantine(fingerprint).is_some());
    let again = if is_held {
        "automation does not deploy the same again until an input changes or somebody deploys it by hand"
    } else {
        "automation may deploy the same again"
    };
    Some(format!("its app is gone: {story}; {again}"))
}

/// What took the newest release with a model out of service for being unfit, if anything did.
pub fn setback(state: &State, version: ModelVersion) -> Option<String> {
    let release = state.releases.values().rev().find(|release| release.model == Some(version))?;
    if release.status != ReleaseStatus::Rejected {
        return None;
    }
    let (word, story) = (standing(state, release).0, rejection(state, release));
    Some(format!("release {} is {word}: {story}", release.id))
}

/// Why a release was rejected: it never served, or somebody or something went back from it.
fn rejection(state: &State, release: &Release) -> String {
    if release.live_since.is_none() {
        return "it did not become healthy and never served".to_owned();
    }
    let to = successor(state, release).and_then(|next| Some(format!(" to release {}", next.repeats?)));
    let to = to.unwrap_or_default();
    match left_by(state, release) {
        Some(Trigger::AlertRollback { alert, .. }) => format!("alert {alert} fired on it and went back{to}"),
        Some(trigger) => format!("{} went back{to}", started_by(trigger)),
        None => format!("it was gone back from{to}"),
    }
}

/// The release that took the place of one that was live.
fn successor<'a>(state: &'a State, release: &Release) -> Option<&'a Release> {
    let ended = release.ended.filter(|_| release.live_since.is_some())?;
    let mut later = state.releases.values().filter(|later| later.id > release.id);
    later.find(|later| later.live_since == Some(ended)).map(|later| &**later)
}

/// What made somebody or something go back from a release that was live, as long as that run is remembered.
fn left_by<'a>(state: &'a State, release: &Release) -> Option<&'a Trigger> {
    let next = successor(state, release)?;
    state.runs.get(&next.run).map(|run| &run.trigger).filter(|trigger| trigger.is_rollback())
}

/// Who stands behind a trigger: a person, an alert, a schedule, or automation.
pub(super) fn started_by(trigger: &Trigger) -> String {
    match trigger {
        Trigger::Manual { by } | Trigger::Rollback { by, .. } | Trigger::Promotion { by, .. } => by.clone(),
        Trigger::AlertRollback { alert, .. } | Trigger::AlertRetrain { alert } => format!("alert {alert}"),
        Trigger::Schedule { name } => format!("schedule {name}"),
        Trigger::FirstStart
        | Trigger::ChangedWhileAway
        | Trigger::Data { .. }
        | Trigger::Source { .. }
        | Trigger::Commit { .. }
        | Trigger::Settings => AUTOMATION.to_owned(),
    }
}

/// Whether the live release serves, how often it was started again and how it ended the last time; `None` for any other.
pub fn health(report: &TargetReport, release: ReleaseId) -> Option<String> {
    if report.live != Some(release) {
        return None;
    }
    let word = match (&report.unreachable, report.serving) {
        (Some(_), _) => "not reachable",
        (None, true) => "serving",
        (None, false) => "not serving",
    };
    let mut parts = vec![word.to_owned()];
    let restarts: u64 =
        report.instances.iter().filter(|instance| instance.release == release).map(|instance| instance.restarts).sum();
    if restarts > 0 {
        parts.push(counted(restarts, "restart"));
    }
    if let Some(exit) = &report.last_exit {
        parts.push(format!("last exit: {exit}"));
    }
    Some(parts.join(", "))
}

/// How many instances get requests, and how many there are.
pub fn ready(report: &TargetReport) -> (usize, usize) {
    (report.instances.iter().filter(|instance| instance.ready).count(), report.instances.len())
}

/// Where releases run, in one word: `process`, `docker`, `kubernetes:context/namespace`.
pub fn place_text(place: &Place) -> String {
    if place.context.is_none() && place.namespace.is_none() {
        return place.kind.clone();
    }
    let or_default = |name: &Option<String>, default: &str| name.clone().unwrap_or_else(|| default.to_owned());
    let context = or_default(&place.context, "current");
    let namespace = or_default(&place.namespace, "default");
    format!("{}:{context}/{namespace}", place.kind)
}

/// Why a release was rejected, as far as its history is still known: what its deploy said, else who or what went back from it.
pub fn why_rejected(state: &State, release: &Release) -> Option<String> {
    let work = state.runs.get(&release.run).and_then(|run| run.stages.get(&release.stage));
    match work.map(|work| &work.state) {
        Some(StageState::Failed { failure: Failure::Exit { said, .. } }) if !said.is_empty() => {
            return Some(said.clone());
        }
        Some(StageState::Failed { failure }) => return Some(explain::failure(failure)),
        _ => {}
    }
    left_by(state, release).map(explain::trigger)
}

/// What a run by hand of `selection` would do that automation does not, and why it does not: `deploys again what was rejected as
/// release 3 (exit code 1)`.
pub fn comes_back(state: &State, selection: &Selection) -> Option<String> {
    let release = state.releases.get(&brings_back(state, selection)?)?;
    let why = why_rejected(state, release).map(|why| format!(" ({why})")).unwrap_or_default();
    Some(format!("deploys again {}{why}", explain::rejected(release.id)))
}

/// Whether a run by hand of `selection` may put something into service. Where the plan cannot tell yet, it may.
pub fn may_deploy(state: &State, selection: &Selection) -> bool {
    let is_deploy = |name: &StageName| state.graph.get(name).is_some_and(|spec| spec.kind == StageKind::Deploy);
    let planned = plan(state, selection);
    if planned.is_empty() {
        return state.graph.stages().iter().any(|spec| is_deploy(&spec.name));
    }
    planned
        .iter()
        .any(|stage| is_deploy(&stage.stage) && matches!(stage.action, PlannedAction::Run | PlannedAction::Maybe))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Command, Input, RunId};
    use crate::tui::fixtures;

    fn from(stage: &str, only: bool) -> Selection {
        Selection { from: Some(stage.into()), only, force: false }
    }

    #[test]
    fn a_release_is_by_automation_unless_an_operator_asked_for_it() {
        let mut world = fixtures::two_runs();
        fixtures::command(&mut world, Command::Rollback { to: None });
        let facts: Vec<_> = world
            .state
            .releases
            .values()
            .map(|release| release_facts(&world.state, release, world.at.plus(500)))
            .collect();
        assert_eq!(facts[1].by.as_deref(), Some("automation"));
        assert_eq!(facts[1].why.as_deref(), Some("data registered: winter.csv"));
        assert_eq!(facts[1].took, Some(4_200));
        assert_eq!(facts[2].by.as_deref(), Some("mina"));
        assert_eq!(facts[2].why.as_deref(), Some("back to release 1 (mina)"));
        assert_eq!(facts[2].took, Some(500), "it is being deployed");
    }

    #[test]
    fn of_a_forgotten_run_only_what_the_release_itself_knows_is_told() {
        let mut world = fixtures::two_runs();
        fixtures::command(&mut world, Command::Rollback { to: None });
        world.deploy();
        world.state.runs.retain(|run, _| *run == RunId(1));
        let facts = |id| release_facts(&world.state, &world.state.releases[&ReleaseId(id)], world.at);
        assert_eq!((facts(2).by, facts(2).why), (None, None));
        assert_eq!((facts(3).by, facts(3).why), (None, Some("back to release 1".to_owned())));
    }

    #[test]
    fn a_release_that_a_person_left_is_no_failure_and_is_told_with_what_lifts_its_hold() {
        let mut world = fixtures::two_runs();
        let back = Command::Rollback { to: None };
        let (by, message) = ("mina".to_owned(), "too slow".to_owned());
        world.feed(Input::Command { by, from: None, message, command: back });
        world.deploy();
        let release = |world: &fixtures::World, id| world.state.releases[&ReleaseId(id)].clone();
        let (left, live) = (release(&world, 2), release(&world, 3));
        assert_eq!(left.status, ReleaseStatus::Rejected, "automation is held off it");
        assert_eq!(standing(&world.state, &left), ("left", ReleaseStatus::Retired));
        assert_eq!(
            meaning(&world.state, &left).unwrap(),
            "its app is gone: mina went back to release 1; automation does not deploy the same again until an input \
             changes or somebody deploys it by hand"
        );
        assert_eq!(meaning(&world.state, &live), None);
        let why = release_facts(&world.state, &live, world.at).why;
        assert_eq!(why.as_deref(), Some("back to release 1 (mina): too slow"));
        assert_eq!(setback(&world.state, ModelVersion(1)), None, "it serves again");
        let told = setback(&world.state, ModelVersion(2)).unwrap();
        assert_eq!(told, "release 2 is left: mina went back to release 1");
        // Whoever goes back to it lifts the hold, and it is what every release is that another took the place of.
        fixtures::command(&mut world, Command::Rollback { to: Some(ReleaseId(2)) });
        world.deploy();
        let lifted = release(&world, 2);
        assert_eq!(standing(&world.state, &lifted).0, "retired", "{:?}", lifted.status);
        assert!(meaning(&world.state, &lifted).unwrap().ends_with("automation may deploy the same again"));
        assert_eq!(standing(&world.state, &release(&world, 3)).0, "left");
    }

    #[test]
    fn what_was_gone_back_from_says_by_whom_and_a_deploy_by_hand_brings_it_back() {
        let world = fixtures::rolled_back();
        let left = &world.state.releases[&ReleaseId(3)];
        assert_eq!(left.status, ReleaseStatus::Rejected);
        assert_eq!(why_rejected(&world.state, left).as_deref(), Some("back to release 2 (mina)"));
        assert_eq!(brings_back(&world.state, &from("deploy", false)), Some(ReleaseId(3)));
        assert_eq!(
            comes_back(&world.state, &from("deploy", false)).as_deref(),
            Some("deploys again what was rejected as release 3 (back to release 2 (mina))")
        );
        assert_eq!(brings_back(&world.state, &from("train", false)), None, "only by its own name");
        assert_eq!(brings_back(&world.state, &Selection::default()), None);
        assert_eq!(brings_back(&fixtures::two_runs().state, &from("deploy", false)), None, "nothing was rejected");
    }

    #[test]
    fn only_the_live_release_has_a_health() {
        let mut report = fixtures::on_kubernetes(ReleaseId(2), Moment(0));
        assert_eq!(health(&report, ReleaseId(1)), None);
        assert_eq!(health(&report, ReleaseId(2)).unwrap(), "serving, 4 restarts, last exit: exit code 137");
        assert_eq!(ready(&report), (2, 3));
        report.unreachable = Some((Moment(0), "refused".to_owned()));
        assert!(health(&report, ReleaseId(2)).unwrap().starts_with("not reachable"));
    }

    #[test]
    fn a_cluster_is_named_by_context_and_namespace() {
        let mut place = fixtures::on_kubernetes(ReleaseId(1), Moment(0)).place.unwrap();
        assert_eq!(place_text(&place), "kubernetes:ml-europe/wine");
        place.context = None;
        assert_eq!(place_text(&place), "kubernetes:current/wine");
        let place = Place { kind: "docker".to_owned(), context: None, namespace: None, production: false };
        assert_eq!(place_text(&place), "docker");
    }

    #[test]
    fn what_may_deploy_is_told_by_the_plan() {
        let state = fixtures::two_runs().state;
        assert!(!may_deploy(&state, &Selection::default()), "everything is up to date");
        assert!(may_deploy(&state, &from("deploy", false)));
        assert!(may_deploy(&state, &from("train", false)), "deploy may follow");
        assert!(!may_deploy(&state, &from("test", true)), "--only");
        assert!(may_deploy(&state, &Selection { force: true, ..Selection::default() }));
        let unseen = fixtures::World::new().state;
        assert!(may_deploy(&unseen, &Selection::default()), "nothing is known yet");
    }
}
