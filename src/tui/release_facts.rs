//! What there is to say of a release beyond its own record, in words that the screen and `trainyard releases` share: who
//! started it and why, how long its deploy took, how it is now, where it runs, and whether a run by hand may deploy.
//!
//! Pure, and nothing is made harmless here: whoever shows a text does that.

use crate::api::types::{Place, TargetReport};
use crate::pipeline::{
    Failure, Moment, PlannedAction, Release, ReleaseId, ReleaseStatus, Selection, StageKind, StageName, StageState,
    State, Trigger, explain, plan,
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
    let trigger = state.runs.get(&release.run).map(|run| &run.trigger);
    let by = trigger.map(started_by);
    let repeated = || release.repeats.map(|earlier| format!("back to release {earlier}"));
    let why = trigger.map(explain::trigger).or_else(repeated);
    let end = match release.status {
        ReleaseStatus::Starting => Some(now),
        // A retired release has ended too, but its deploy was over when it went live.
        ReleaseStatus::Live | ReleaseStatus::Retired | ReleaseStatus::Rejected | ReleaseStatus::Abandoned => {
            release.live_since.or(release.ended)
        }
    };
    ReleaseFacts { by, why, took: end.map(|end| end.since(release.started)) }
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
    match restarts {
        0 => {}
        1 => parts.push("1 restart".to_owned()),
        restarts => parts.push(format!("{restarts} restarts")),
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
    // Whatever came back took its place in the same moment.
    let is_successor = |other: &&std::sync::Arc<Release>| {
        other.repeats.is_some() && other.live_since.is_some() && other.live_since == release.ended
    };
    let successor = state.releases.values().find(is_successor)?;
    state.runs.get(&successor.run).map(|run| explain::trigger(&run.trigger))
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
    use crate::pipeline::{Command, RunId, brings_back};
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
    fn what_was_gone_back_from_says_by_whom_and_a_deploy_by_hand_brings_it_back() {
        let world = fixtures::rolled_back();
        let left = &world.state.releases[&ReleaseId(3)];
        assert_eq!(left.status, ReleaseStatus::Rejected);
        assert_eq!(why_rejected(&world.state, left).as_deref(), Some("back to release 2 (mina)"));
        assert_eq!(brings_back(&world.state, &from("deploy", false)), Some(ReleaseId(3)));
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
