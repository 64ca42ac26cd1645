//! Why a rollout will not succeed, found out before the time is up, and told in one line each.
//!
//! Only pods of the present revision are judged, and none that is told to end. What a cluster mends by itself now and then
//! (a failed pull, a quota that dying pods still fill) has to last for a moment before it counts.
//!
//! A release is found unfit by what it does itself: it crashes, runs out of memory, cannot be executed, never becomes ready.
//! What the cluster lacks (an image that cannot be pulled, a Secret, room on a node) says nothing about it.
//!
//! Known gap: a cluster that makes nodes on demand takes longer than is waited here for one; keep a node ahead, or deploy
//! again once it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, ContainerStatus, Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::observe::Observed;
use super::pods::PodEntry;
use super::progress::{Progress, condition};
use super::text::one_line;
use crate::target::runtime_words::essence;

/// How long what a node tries again by itself has to last: a second failure comes within it.
const AGAIN: Duration = Duration::from_secs(1);
/// How long a pod may be without a node.
const NO_NODE: Duration = Duration::from_secs(10);
/// How long the cluster may refuse to make pods. A quota counts pods that are ending.
const NOT_MADE: Duration = Duration::from_secs(10);
/// From how many new restarts on a container counts as crashing, though it runs at the moment.
const RESTARTS: i32 = 2;

/// Whose fault it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Of the release: it is unfit.
    Release,
    /// Of what is around it, which says nothing about the release.
    Surroundings,
}

/// The log that tells more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogPlace {
    /// The pod.
    pub pod: String,
    /// The container.
    pub container: String,
    /// Whether it is that of the run before the present one.
    pub is_former: bool,
}

/// Why a rollout will not succeed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Whose fault it is.
    pub fault: Fault,
    /// To be read behind "release 17".
    pub reason: String,
    /// Where more is to be read.
    pub log: Option<LogPlace>,
}

/// What counts only once it has lasted.
struct Suspicion {
    key: String,
    patience: Duration,
    finding: Finding,
}

/// What was there before the rollout began and is nothing of it.
#[derive(Debug, Clone, Default)]
pub struct Before {
    /// Restarts of containers, by pod and container.
    restarts: BTreeMap<String, i32>,
    /// When the Deployment last ran out of time.
    deadline: Option<Time>,
}

impl Before {
    /// Of a Deployment as it is now.
    pub fn of(seen: &Observed) -> Self {
        let restarts = seen.pods.iter().flat_map(|pod| {
            statuses(pod).map(|status| (key_of(pod, status), status.restart_count)).collect::<Vec<_>>()
        });
        Self { restarts: restarts.collect(), deadline: deadline(seen) }
    }
}

/// The judge of one rollout.
#[derive(Debug, Default)]
pub struct Diagnosis {
    before: Before,
    since: BTreeMap<String, Duration>,
    /// What failed pulls said; later the node only says that it waits.
    pulls: BTreeMap<String, String>,
}

impl Diagnosis {
    /// A judge who knows what was there before.
    pub fn new(before: Before) -> Self {
        Self { before, ..Self::default() }
    }

    /// Why the rollout will not succeed, if that shows; `elapsed` since it began.
    pub fn judge(&mut self, seen: &Observed, elapsed: Duration) -> Option<Finding> {
        let suspicions = self.suspicions(seen);
        let present: BTreeSet<&str> = suspicions.iter().map(|suspicion| suspicion.key.as_str()).collect();
        self.since.retain(|key, _| present.contains(key.as_str()));
        for suspicion in suspicions {
            let since = *self.since.entry(suspicion.key).or_insert(elapsed);
            if elapsed.saturating_sub(since) >= suspicion.patience {
                return Some(suspicion.finding);
            }
        }
        let deadline = deadline(seen);
        (deadline.is_some() && deadline != self.before.deadline)
            .then(|| unready(seen, "did not become healthy in time (ProgressDeadlineExceeded)"))
    }

    /// Why it is not complete, now that the time is up.
    pub fn late(seen: &Observed, within: Duration) -> Finding {
        unready(seen, &format!("did not become healthy within {} s", within.as_secs_f64()))
    }

    fn suspicions(&mut self, seen: &Observed) -> Vec<Suspicion> {
        let mut found = Vec::new();
        for pod in seen.pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()) {
            for status in statuses(pod) {
                self.remember_pull(pod, status);
                found.extend(self.of_container(pod, status));
            }
            found.extend(without_node(pod));
        }
        found.extend(not_made(seen));
        found
    }

    fn remember_pull(&mut self, pod: &Pod, status: &ContainerStatus) {
        if let Some((reason, message)) = waiting(status)
            && reason == "ErrImagePull"
        {
            self.pulls.insert(key_of(pod, status), message.to_owned());
        }
    }

    fn of_container(&self, pod: &Pod, status: &ContainerStatus) -> Option<Suspicion> {
        let key = key_of(pod, status);
        let restarts = status.restart_count - self.before.restarts.get(&key).copied().unwrap_or_default();
        let place = place(pod, status);
        let unfit = |reason: String| Suspicion {
            key: key.clone(),
            patience: Duration::ZERO,
            finding: Finding { fault: Fault::Release, reason, log: Some(log_of(pod, status)) },
        };
        if let Some((reason, message)) = waiting(status)
            && reason != "CrashLoopBackOff"
        {
            let pull = self.pulls.get(&key).filter(|_| reason == "ImagePullBackOff");
            let said = pull.map_or(message, String::as_str);
            return waits(&key, &place, status, reason, said);
        }
        let ended = last_end(status).filter(|_| restarts > 0 || is_over(status))?;
        let code = ended.exit_code;
        match ended.reason.as_deref() {
            Some("OOMKilled") => Some(unfit(format!(
                "ran out of memory: {place} was killed (OOMKilled); raise `limits` of the deploy stage, or those of the manifest"
            ))),
            Some("ContainerCannotRun" | "StartError") => {
                let message = one_line(essence(ended.message.as_deref().unwrap_or("the command cannot be executed")));
                Some(unfit(format!("cannot be started from its image: {place}: {message}")))
            }
            _ if waiting(status).is_some() || restarts >= RESTARTS => {
                Some(unfit(format!("crashes: {place} exited with code {code}{}", times(restarts))))
            }
            _ => None,
        }
    }
}

/// What a container means that waits for its start.
fn waits(key: &str, place: &str, status: &ContainerStatus, reason: &str, said: &str) -> Option<Suspicion> {
    let image = &status.image;
    let said = one_line(said);
    let (fault, patience, text) = match reason {
        "ErrImagePull" | "ImagePullBackOff" => {
            let patience = if reason == "ErrImagePull" { AGAIN } else { Duration::ZERO };
            let mend =
                "push it to where the nodes can pull it (`push` of the image stage), and check `imagePullSecrets`";
            (
                Fault::Surroundings,
                patience,
                format!("cannot start: {place} cannot pull image {image} ({reason}: {said}); {mend}"),
            )
        }
        "ErrImageNeverPull" => (
            Fault::Surroundings,
            Duration::ZERO,
            format!("cannot start: image {image} of {place} is not on the node and may not be pulled ({reason})"),
        ),
        "InvalidImageName" | "ImageInspectError" => (
            Fault::Surroundings,
            Duration::ZERO,
            format!("cannot start: image {image} of {place} cannot be used ({reason}: {said})"),
        ),
        "CreateContainerConfigError" => (
            Fault::Surroundings,
            AGAIN,
            format!("cannot start: {place} lacks something that its manifest refers to ({reason}: {said})"),
        ),
        "CreateContainerError" | "RunContainerError" => {
            let essence = one_line(essence(&said));
            (Fault::Release, AGAIN, format!("cannot be started from its image: {place}: {essence} ({reason})"))
        }
        _ => return None,
    };
    Some(Suspicion { key: key.to_owned(), patience, finding: Finding { fault, reason: text, log: None } })
}

fn without_node(pod: &Pod) -> Option<Suspicion> {
    let conditions = pod.status.as_ref()?.conditions.as_deref()?;
    let found = conditions.iter().find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    })?;
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let said = one_line(found.message.as_deref().unwrap_or("Unschedulable"));
    let reason = format!(
        "found no node: pod {name}: {said}; make room, or lower what it asks for (`limits` of the deploy stage)"
    );
    Some(surroundings(format!("{name} has no node"), NO_NODE, reason))
}

fn not_made(seen: &Observed) -> Option<Suspicion> {
    let found = condition(&seen.deployment, "ReplicaFailure", "True")?;
    let said = one_line(found.message.as_deref().unwrap_or("the cluster does not say why"));
    Some(surroundings("not made".to_owned(), NOT_MADE, format!("gets no pods: {said}")))
}

fn surroundings(key: String, patience: Duration, reason: String) -> Suspicion {
    Suspicion { key, patience, finding: Finding { fault: Fault::Surroundings, reason, log: None } }
}

/// What stands in the way of a rollout whose time is up.
fn unready(seen: &Observed, what: &str) -> Finding {
    let waiting: Vec<&Pod> =
        seen.pods.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none() && !PodEntry::of(pod).ready).collect();
    let told = waiting.iter().find_map(|&pod| Some((pod, last_warning(seen, pod, "Unhealthy")?)));
    let (pod, why) = match (told, waiting.first()) {
        (Some((pod, said)), _) => (Some(pod), said),
        (None, Some(&pod)) => (Some(pod), PodEntry::of(pod).state),
        (None, None) => (None, Progress::of(&seen.deployment).to_string()),
    };
    let Some(pod) = pod else {
        return Finding { fault: Fault::Surroundings, reason: format!("{what}: {why}"), log: None };
    };
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    // What never ran, as behind a slow pull, was never tried.
    let ran = statuses(pod).find(|status| has_run(status));
    Finding {
        fault: if ran.is_some() { Fault::Release } else { Fault::Surroundings },
        reason: format!("{what}: pod {name}: {}", one_line(&why)),
        log: ran.map(|status| log_of(pod, status)),
    }
}

/// The last thing that the cluster said about a pod for that reason.
fn last_warning(seen: &Observed, pod: &Pod, reason: &str) -> Option<String> {
    let is_about =
        |event: &&Event| event.involved_object.uid == pod.metadata.uid && event.reason.as_deref() == Some(reason);
    seen.warnings.iter().filter(is_about).max_by_key(|event| moment(event))?.message.clone()
}

/// An event has one time or the other.
fn moment(event: &Event) -> i64 {
    let last = event.last_timestamp.as_ref().map(|time| time.0.as_millisecond());
    last.or_else(|| event.event_time.as_ref().map(|time| time.0.as_millisecond())).unwrap_or_default()
}

fn statuses(pod: &Pod) -> impl Iterator<Item = &ContainerStatus> {
    let status = pod.status.as_ref();
    let of_start = status.and_then(|status| status.init_container_statuses.as_deref()).unwrap_or_default();
    let others = status.and_then(|status| status.container_statuses.as_deref()).unwrap_or_default();
    // Those that run first: their log is the app's.
    others.iter().chain(of_start)
}

fn key_of(pod: &Pod, status: &ContainerStatus) -> String {
    format!("{}/{}", pod.metadata.uid.as_deref().unwrap_or_default(), status.name)
}

/// The pod, and its container where there are several.
fn place(pod: &Pod, status: &ContainerStatus) -> String {
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    if statuses(pod).count() > 1 { format!("container {} of pod {name}", status.name) } else { format!("pod {name}") }
}

fn log_of(pod: &Pod, status: &ContainerStatus) -> LogPlace {
    let is_running = status.state.as_ref().is_some_and(|state| state.running.is_some());
    LogPlace {
        pod: pod.metadata.name.clone().unwrap_or_default(),
        container: status.name.clone(),
        is_former: is_running && status.restart_count > 0,
    }
}

fn waiting(status: &ContainerStatus) -> Option<(&str, &str)> {
    let waiting = status.state.as_ref()?.waiting.as_ref()?;
    Some((waiting.reason.as_deref()?, waiting.message.as_deref().unwrap_or_default()))
}

fn ended(state: &ContainerState) -> Option<&ContainerStateTerminated> {
    state.terminated.as_ref()
}

/// How its present or its last run ended.
fn last_end(status: &ContainerStatus) -> Option<&ContainerStateTerminated> {
    status.state.as_ref().and_then(ended).or_else(|| status.last_state.as_ref().and_then(ended))
}

/// Whether it is over with a failure; a container of the start is over when it succeeded.
fn is_over(status: &ContainerStatus) -> bool {
    status.state.as_ref().and_then(ended).is_some_and(|ended| ended.exit_code != 0)
}

fn has_run(status: &ContainerStatus) -> bool {
    let runs = |state: &ContainerState| state.running.is_some() || state.terminated.is_some();
    status.restart_count > 0 || status.state.as_ref().is_some_and(runs)
}

fn times(restarts: i32) -> String {
    if restarts > 1 { format!(" ({restarts} restarts)") } else { String::new() }
}

fn deadline(seen: &Observed) -> Option<Time> {
    let found = condition(&seen.deployment, "Progressing", "False")?;
    let is_deadline = found.reason.as_deref() == Some("ProgressDeadlineExceeded");
    found.last_update_time.clone().filter(|_| is_deadline)
}

#[cfg(test)]
#[path = "diagnosis_tests.rs"]
mod tests;
