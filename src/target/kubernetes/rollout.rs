//! A release as a rollout: applied, followed to its end, and taken back if it fails.
//!
//! **Invariants.** A rollout ends in one of three ways: complete; taken back, so that the former release runs as before; or,
//! only if the cluster stays silent, as it was when it was last seen, which is said. A rollout that fails leaves nothing of
//! its release but pods that end.

use std::time::Duration;

use kube::api::DeleteParams;
use tokio::sync::watch;

use super::apply::not_accepted;
use super::connection::{Cluster, ClusterError};
use super::diagnosis::{Fault, Finding, LogPlace};
use super::follow::{Rollout, Stop};
use super::patience::Patience;
use super::replicas::fitted;
use super::status;
use super::stored::{Manifests, Prepared};
use super::text::one_line;
use super::undo::undo;
use crate::pipeline::quantity::counted;
use crate::target::Failure;

/// How long a silence of the cluster is borne beyond the time that the release has.
const SILENCE: Duration = Duration::from_mins(1);
/// Lines of the log of a pod that failed.
const LAST_LINES: usize = 20;

/// Rolls a release out and waits until it is complete; `within` is the time in which its pods must become healthy. Each
/// change is told to `step`. When `give_up` is raised it is taken back.
pub async fn roll_out(
    cluster: &Cluster,
    prepared: &Prepared,
    within: Duration,
    step: &(dyn Fn(String) + Send + Sync),
    give_up: &mut watch::Receiver<bool>,
) -> Result<(), Failure> {
    for note in &prepared.notes {
        step(format!("note: {note}"));
    }
    let manifests = &prepared.manifests;
    let rollout = Rollout {
        cluster,
        deployment: &manifests.app,
        selector: &manifests.selector,
        release: manifests.release,
        step,
    };
    let mut patience = Patience::new(within + SILENCE, step);
    let outcome = Box::pin(attempt(&rollout, manifests, within, &mut patience, give_up)).await;
    match outcome {
        Ok(()) => {
            prove(prepared, step);
            remove_former(cluster, prepared, step).await;
            Ok(())
        }
        Err(failed) => Err(fail(&rollout, prepared, failed).await),
    }
}

/// What a release failed of, and whether anything of it was applied.
enum Failed {
    /// An object was not accepted.
    Apply(Failure),
    /// The rollout will not be complete.
    Stop(Stop),
}

async fn attempt(
    rollout: &Rollout<'_>,
    manifests: &Manifests,
    within: Duration,
    patience: &mut Patience<'_>,
    give_up: &mut watch::Receiver<bool>,
) -> Result<(), Failed> {
    let cluster = rollout.cluster;
    let lost = |error| Failed::Stop(Stop::Cluster(error));
    let before = rollout.before(patience).await.map_err(lost)?;
    let live = before.as_ref().map(|seen| &seen.deployment);
    for object in &manifests.objects {
        let is_app = object.is_deployment(&manifests.app);
        let object = if is_app && manifests.autoscaled { fitted(object, live) } else { object.clone() };
        match patience.reach(|| object.apply(cluster, false)).await {
            Ok(_) => {}
            Err(error) if error.is_unreachable() => return Err(lost(error)),
            Err(error) => return Err(Failed::Apply(not_accepted(&object, &error, cluster))),
        }
    }
    (rollout.step)(format!("applied {}", counted(manifests.objects.len(), "object")));
    rollout.complete(before.as_ref(), within, patience, give_up).await.map_err(Failed::Stop)
}

/// Goes back, and says what the matter was.
async fn fail(rollout: &Rollout<'_>, prepared: &Prepared, failed: Failed) -> Failure {
    let failure = match failed {
        Failed::Apply(failure) => failure,
        Failed::Stop(Stop::Cluster(error)) if error.is_unreachable() => return silent(rollout, prepared, &error),
        Failed::Stop(stop) => failure_of(rollout.cluster, stop).await,
    };
    (rollout.step)(format!("release {} {}", prepared.release(), failure.reason()));
    match undo(rollout.cluster, prepared, rollout.step).await {
        Ok(()) => failure,
        Err(left) => with_left_over(failure, &left),
    }
}

/// What it means that a rollout is not complete.
pub(super) async fn failure_of(cluster: &Cluster, stop: Stop) -> Failure {
    match stop {
        Stop::Found(finding) => explained(cluster, *finding).await,
        Stop::GivenUp => Failure::not_tried("was given up before it was complete, because it is no longer wanted"),
        Stop::Meddled(how) => Failure::not_tried(format!("was disturbed: {how}; deploy it again")),
        Stop::Cluster(error) => Failure::not_tried(format!("cannot be followed: {error}")),
    }
}

/// A failure after which not all could be taken back.
pub(super) fn with_left_over(failure: Failure, left: &str) -> Failure {
    match failure {
        Failure::Unfit { reason, log_tail } => Failure::unfit(format!("{reason}; {left}"), log_tail),
        Failure::NotTried { reason, unreachable } => {
            Failure::NotTried { reason: format!("{reason}; {left}"), unreachable }
        }
    }
}

/// Nobody can be asked to go back either.
fn silent(rollout: &Rollout<'_>, prepared: &Prepared, error: &ClusterError) -> Failure {
    let beside = match &prepared.former {
        Some(former) => format!("pods of it may run beside those of release {}", former.release),
        None => "pods of it may run".to_owned(),
    };
    Failure::unreachable(format!(
        "was lost sight of in the middle of its rollout: {error}; {beside} (`kubectl -n {} rollout status deployment/{}`): \
         deploy again once the cluster answers",
        rollout.cluster.namespace, rollout.deployment
    ))
}

/// A finding with the last lines of the log that it refers to.
async fn explained(cluster: &Cluster, finding: Finding) -> Failure {
    let Finding { fault, reason, log } = finding;
    let log_tail = match &log {
        Some(place) => last_lines(cluster, place).await,
        None => Vec::new(),
    };
    let reason = match log_tail.iter().rev().find(|line| !line.trim().is_empty()) {
        Some(last) => format!("{reason}; its last line is: {}", one_line(last)),
        None => reason,
    };
    match fault {
        Fault::Release => Failure::unfit(reason, log_tail),
        Fault::Surroundings => Failure::not_tried(reason),
    }
}

async fn last_lines(cluster: &Cluster, place: &LogPlace) -> Vec<String> {
    for is_former in [place.is_former, !place.is_former] {
        let said = status::log_of(cluster, &place.pod, Some(&place.container), is_former, LAST_LINES).await;
        if let Ok(lines) = said
            && !lines.is_empty()
        {
            return lines;
        }
    }
    Vec::new()
}

/// Notes that the release was complete, so that it may be gone back to.
fn prove(prepared: &Prepared, step: &(dyn Fn(String) + Send + Sync)) {
    if let Err(error) = prepared.manifests.seen_complete().write(&prepared.keep_in) {
        let release = prepared.release();
        step(format!("that release {release} is complete cannot be noted in {}: {error}", prepared.keep_in.display()));
    }
}

/// Removes what only the former release had, such as a Deployment that has another name now.
async fn remove_former(cluster: &Cluster, prepared: &Prepared, step: &(dyn Fn(String) + Send + Sync)) {
    let Some(former) = &prepared.former else { return };
    for object in former.objects.iter().rev().filter(|object| !prepared.manifests.holds(object)) {
        match object.remove(cluster, &prepared.ours, None, &DeleteParams::background()).await {
            Ok(true) => step(format!("removed {object}, which only release {} had", former.release)),
            Ok(false) => {}
            Err(error) => step(format!("{object} of release {} cannot be removed: {error}", former.release)),
        }
    }
}
