//! What is told of one pod.

use k8s_openapi::api::core::v1::{ContainerState, ContainerStatus, Pod};

use crate::pipeline::{Moment, ReleaseId};
use crate::target::labels;

/// The track of a pod that carries none.
const STABLE: &str = "stable";

/// One pod of an app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PodEntry {
    /// Its name.
    pub name: String,
    /// Whether it is ready and not about to go: only then it gets requests.
    pub ready: bool,
    /// Whether it is about to go.
    pub terminating: bool,
    /// The release it runs, by its label.
    pub release: Option<ReleaseId>,
    /// `stable` or `canary`, by its label.
    pub track: String,
    /// Its address in the cluster.
    pub ip: Option<String>,
    /// The node it is on.
    pub node: Option<String>,
    /// How many times its containers were started again.
    pub restarts: u64,
    /// Since when it is on its node.
    pub started: Option<Moment>,
    /// In a word: `Running`, `Terminating`, `CrashLoopBackOff`.
    pub state: String,
}

impl PodEntry {
    /// What is told of `pod`.
    pub fn of(pod: &Pod) -> Self {
        let label = |name: &str| pod.metadata.labels.as_ref().and_then(|labels| labels.get(name));
        let status = pod.status.as_ref();
        let terminating = pod.metadata.deletion_timestamp.is_some();
        let restarts =
            containers(pod).iter().map(|container| u64::try_from(container.restart_count).unwrap_or(0)).sum();
        Self {
            name: pod.metadata.name.clone().unwrap_or_default(),
            ready: !terminating && has_condition(pod, "Ready"),
            terminating,
            release: label(labels::RELEASE).and_then(|release| release.parse().ok()).map(ReleaseId),
            track: label(labels::TRACK).cloned().unwrap_or_else(|| STABLE.to_owned()),
            ip: status.and_then(|status| status.pod_ip.clone()),
            node: pod.spec.as_ref().and_then(|spec| spec.node_name.clone()),
            restarts,
            started: status
                .and_then(|status| status.start_time.as_ref())
                .map(|started| Moment(started.0.as_millisecond())),
            state: state(pod, terminating),
        }
    }
}

fn containers(pod: &Pod) -> &[ContainerStatus] {
    pod.status.as_ref().and_then(|status| status.container_statuses.as_deref()).unwrap_or_default()
}

fn has_condition(pod: &Pod, kind: &str) -> bool {
    let conditions = pod.status.as_ref().and_then(|status| status.conditions.as_deref()).unwrap_or_default();
    conditions.iter().any(|condition| condition.type_ == kind && condition.status == "True")
}

fn state(pod: &Pod, terminating: bool) -> String {
    if terminating {
        return "Terminating".to_owned();
    }
    let of_container = containers(pod).iter().filter_map(|container| container.state.as_ref()).find_map(trouble);
    let of_pod = || {
        let status = pod.status.as_ref()?;
        status.reason.clone().or_else(|| status.phase.clone())
    };
    of_container.or_else(of_pod).unwrap_or_else(|| "Unknown".to_owned())
}

/// Why a container does not run.
fn trouble(state: &ContainerState) -> Option<String> {
    if let Some(waiting) = &state.waiting {
        return waiting.reason.clone();
    }
    let ended = state.terminated.as_ref()?;
    Some(ended.reason.clone().unwrap_or_else(|| format!("exited with code {}", ended.exit_code)))
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::{Value, json};

    use super::*;

    pub(crate) fn pod(name: &str, change: impl FnOnce(&mut Value)) -> Pod {
        let mut pod = json!({
            "metadata": {
                "name": name,
                "labels": { "com.trainyard.release": "17", "com.trainyard.track": "canary" },
            },
            "spec": { "containers": [{ "name": "app" }], "nodeName": "node-1" },
            "status": {
                "phase": "Running",
                "podIP": "10.0.0.7",
                "startTime": "2026-01-02T03:04:05Z",
                "conditions": [{ "type": "Ready", "status": "True" }],
                "containerStatuses": [{
                    "name": "app", "image": "wine", "imageID": "", "ready": true, "restartCount": 2,
                    "state": { "running": {} },
                }],
            },
        });
        change(&mut pod);
        serde_json::from_value(pod).unwrap()
    }

    #[test]
    fn a_ready_pod_tells_its_release_track_node_and_restarts() {
        let entry = PodEntry::of(&pod("wine-1", |_| {}));
        let expected = PodEntry {
            name: "wine-1".to_owned(),
            ready: true,
            terminating: false,
            release: Some(ReleaseId(17)),
            track: "canary".to_owned(),
            ip: Some("10.0.0.7".to_owned()),
            node: Some("node-1".to_owned()),
            restarts: 2,
            started: Some(Moment(1_767_323_045_000)),
            state: "Running".to_owned(),
        };
        assert_eq!(entry, expected);
    }

    #[test]
    fn a_pod_that_is_about_to_go_is_not_ready_whatever_its_condition_says() {
        let entry = PodEntry::of(&pod("wine-1", |pod| {
            pod["metadata"]["deletionTimestamp"] = json!("2026-01-02T03:05:00Z");
        }));
        assert!(!entry.ready && entry.terminating);
        assert_eq!(entry.state, "Terminating");
    }

    #[test]
    fn a_pod_without_labels_is_stable_and_says_why_it_waits() {
        let entry = PodEntry::of(&pod("wine-1", |pod| {
            pod["metadata"]["labels"] = json!({});
            pod["status"]["conditions"] = json!([{ "type": "Ready", "status": "False" }]);
            pod["status"]["containerStatuses"][0]["state"] = json!({ "waiting": { "reason": "CrashLoopBackOff" } });
        }));
        assert_eq!((entry.ready, entry.release, entry.track.as_str()), (false, None, "stable"));
        assert_eq!(entry.state, "CrashLoopBackOff");
    }
}
