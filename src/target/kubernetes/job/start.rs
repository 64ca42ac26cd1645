//! Whether a pod runs, will run, or never will; and how one has ended. In one line each.

use std::time::Duration;

use k8s_openapi::api::core::v1::{ContainerState, ContainerStateTerminated, Pod};

/// Reasons of a waiting container that no waiting mends.
const HOPELESS: &[&str] = &[
    "ImagePullBackOff",
    "ErrImageNeverPull",
    "InvalidImageName",
    "ImageInspectError",
    "CreateContainerConfigError",
    "CreateContainerError",
    "RunContainerError",
];
/// How long a pod may find no node: somebody may be making room, or a node may be coming up.
const UNSCHEDULABLE: Duration = Duration::from_mins(2);
/// How long the cluster may refuse to make the pod: a quota may become free.
const NOT_MADE: Duration = Duration::from_secs(20);

/// How far the start of a pod is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Its container runs; the name of the pod.
    Running(String),
    /// Not yet; what it waits for.
    Wait(String),
    /// It never will; why, with the mend.
    Stuck(String),
}

/// What was seen of a start so far.
#[derive(Debug, Default)]
pub struct Start {
    /// What the first failed pull said; later ones only say that they wait.
    pull: Option<String>,
    /// Since when no node is found, on the clock of the start.
    unschedulable: Option<Duration>,
}

impl Start {
    /// What the pod's state means, `elapsed` after the Job was made.
    pub fn judge(&mut self, pod: Option<&Pod>, elapsed: Duration) -> Step {
        let Some(pod) = pod else { return Step::Wait("waiting for the pod".to_owned()) };
        if let Some(reason) = end_of(pod) {
            return Step::Stuck(reason);
        }
        if let Some(message) = unschedulable(pod) {
            let since = *self.unschedulable.get_or_insert(elapsed);
            let text = format!("no node takes the pod: {message}");
            return if elapsed.saturating_sub(since) > UNSCHEDULABLE {
                Step::Stuck(format!("{text}; make room, or lower `limits` of the stage's `container`"))
            } else {
                Step::Wait(text)
            };
        }
        self.unschedulable = None;
        match state(pod) {
            Some(state) if state.running.is_some() => Step::Running(pod.metadata.name.clone().unwrap_or_default()),
            Some(state) => self.waiting(state, image(pod)),
            None => Step::Wait("waiting for a node".to_owned()),
        }
    }

    /// What it means that there is no pod, where `refused` is what the cluster says about making it.
    pub fn without_pod(elapsed: Duration, refused: Option<String>) -> Step {
        match refused {
            Some(message) if elapsed > NOT_MADE => Step::Stuck(format!("the cluster does not make the pod: {message}")),
            Some(message) => Step::Wait(format!("the cluster does not make the pod: {message}")),
            None => Step::Wait("waiting for the pod".to_owned()),
        }
    }

    fn waiting(&mut self, state: &ContainerState, image: &str) -> Step {
        let waiting = state.waiting.clone().unwrap_or_default();
        let reason = waiting.reason.unwrap_or_else(|| "ContainerCreating".to_owned());
        let message = waiting.message.unwrap_or_default();
        if reason == "ErrImagePull" {
            self.pull = Some(message);
            return Step::Wait(format!("image {image} cannot be pulled; the node tries again"));
        }
        if !HOPELESS.contains(&reason.as_str()) {
            return Step::Wait(match reason.as_str() {
                "ContainerCreating" => "the node pulls the image and makes the container".to_owned(),
                _ => with_message(&reason, &message),
            });
        }
        let said = self.pull.clone().filter(|_| reason == "ImagePullBackOff").unwrap_or(message);
        Step::Stuck(format!("image {image}: {}{}", with_message(&reason, &said), mend(&reason)))
    }
}

/// How the pod's container has ended, if it has.
pub fn end_of(pod: &Pod) -> Option<String> {
    if let Some(ended) = state(pod).and_then(|state| state.terminated.as_ref()) {
        return Some(of_container(ended, pod));
    }
    let status = pod.status.as_ref()?;
    let is_over = matches!(status.phase.as_deref(), Some("Failed" | "Succeeded"));
    is_over.then(|| {
        let reason = status.reason.as_deref().unwrap_or("it ended");
        with_message(reason, status.message.as_deref().unwrap_or_default())
    })
}

fn of_container(ended: &ContainerStateTerminated, pod: &Pod) -> String {
    // Of the pod, such as `Evicted` and `DeadlineExceeded`, says more than of the container.
    let status = pod.status.as_ref();
    if let Some(reason) = status.and_then(|status| status.reason.as_deref()) {
        return with_message(reason, status.and_then(|status| status.message.as_deref()).unwrap_or_default());
    }
    let message = ended.message.as_deref().unwrap_or_default();
    match ended.reason.as_deref() {
        Some("OOMKilled") => {
            "the container ran out of memory (OOMKilled); raise `limits.memory` of the stage's `container`".to_owned()
        }
        Some(reason @ ("ContainerCannotRun" | "StartError")) => {
            format!("{}{}", with_message(reason, message), mend(reason))
        }
        _ => with_message(&format!("its container exited with code {}", ended.exit_code), message),
    }
}

fn mend(reason: &str) -> &'static str {
    match reason {
        "ImagePullBackOff" | "InvalidImageName" => {
            "; check `image` of the stage's `container`, and that the nodes may pull it"
        }
        "ErrImageNeverPull" => "; the image is not on the node and may not be pulled",
        "CreateContainerError" | "RunContainerError" | "ContainerCannotRun" | "StartError" => {
            "; the image must have `sh`, `tar`, `head`, `tail` and `sleep`, or be one of trainyard itself"
        }
        _ => "",
    }
}

fn unschedulable(pod: &Pod) -> Option<&str> {
    let conditions = pod.status.as_ref()?.conditions.as_deref()?;
    let condition = conditions.iter().find(|condition| {
        condition.type_ == "PodScheduled"
            && condition.status == "False"
            && condition.reason.as_deref() == Some("Unschedulable")
    })?;
    Some(condition.message.as_deref().unwrap_or("Unschedulable"))
}

/// The state of its one container.
fn state(pod: &Pod) -> Option<&ContainerState> {
    pod.status.as_ref()?.container_statuses.as_deref()?.first()?.state.as_ref()
}

/// The image of its one container.
fn image(pod: &Pod) -> &str {
    let container = pod.spec.as_ref().and_then(|spec| spec.containers.first());
    container.and_then(|container| container.image.as_deref()).unwrap_or_default()
}

fn with_message(reason: &str, message: &str) -> String {
    // Messages of container engines have many lines; the first says what it is.
    match message.lines().map(str::trim).find(|line| !line.is_empty()) {
        Some(line) => format!("{reason}: {line}"),
        None => reason.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn pod(status: &Value) -> Pod {
        let containers = json!([{ "name": "stage", "image": "gone:1" }]);
        let pod = json!({ "metadata": { "name": "test-x1" }, "spec": { "containers": containers }, "status": status });
        serde_json::from_value(pod).unwrap()
    }

    fn container(state: &Value) -> Value {
        json!([{ "name": "stage", "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": state }])
    }

    fn judge(start: &mut Start, seconds: u64, status: &Value) -> Step {
        start.judge(Some(&pod(status)), Duration::from_secs(seconds))
    }

    fn stuck(step: Step) -> String {
        match step {
            Step::Stuck(reason) => reason,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_running_container_is_a_start() {
        let status = json!({ "phase": "Running", "containerStatuses": container(&json!({ "running": {} })) });
        assert_eq!(judge(&mut Start::default(), 1, &status), Step::Running("test-x1".to_owned()));
    }

    #[test]
    fn an_image_that_cannot_be_pulled_is_told_with_what_the_first_pull_said() {
        let mut start = Start::default();
        let first = json!({ "waiting": { "reason": "ErrImagePull", "message": "manifest unknown\nmore" } });
        let step = judge(&mut start, 1, &json!({ "containerStatuses": container(&first) }));
        assert!(matches!(step, Step::Wait(_)), "{step:?}");
        let later = json!({ "waiting": { "reason": "ImagePullBackOff", "message": "Back-off pulling image" } });
        let reason = stuck(judge(&mut start, 9, &json!({ "containerStatuses": container(&later) })));
        assert!(reason.starts_with("image gone:1: ImagePullBackOff: manifest unknown; check `image`"), "{reason}");
    }

    #[test]
    fn a_pod_without_a_node_waits_a_while_and_then_says_what_the_scheduler_said() {
        let mut start = Start::default();
        let status = json!({ "phase": "Pending", "conditions": [{
            "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient memory.",
        }] });
        assert!(matches!(judge(&mut start, 10, &status), Step::Wait(_)));
        let reason = stuck(judge(&mut start, 131, &status));
        assert!(reason.contains("Insufficient memory") && reason.contains("make room"), "{reason}");
    }

    #[test]
    fn an_image_without_a_shell_is_told_with_the_mend() {
        let ended = json!({ "terminated": {
            "exitCode": 127, "reason": "ContainerCannotRun", "message": "exec: \"sh\": executable file not found in $PATH",
        } });
        let status = json!({ "phase": "Failed", "containerStatuses": container(&ended) });
        let reason = stuck(judge(&mut Start::default(), 1, &status));
        assert!(reason.contains("executable file not found") && reason.contains("must have `sh`"), "{reason}");
    }

    #[test]
    fn the_end_of_a_pod_names_memory_eviction_and_the_exit_code() {
        let of = |status: &Value| end_of(&pod(status));
        let memory = container(&json!({ "terminated": { "exitCode": 137, "reason": "OOMKilled" } }));
        assert!(of(&json!({ "containerStatuses": memory })).unwrap().contains("out of memory"));
        let evicted = json!({ "phase": "Failed", "reason": "Evicted", "message": "The node was low on resource" });
        assert_eq!(of(&evicted).unwrap(), "Evicted: The node was low on resource");
        let plain = container(&json!({ "terminated": { "exitCode": 3, "reason": "Error" } }));
        assert_eq!(of(&json!({ "containerStatuses": plain })).unwrap(), "its container exited with code 3");
        assert_eq!(of(&json!({ "phase": "Running" })), None);
    }

    #[test]
    fn a_pod_that_the_cluster_refuses_to_make_is_told_after_a_while() {
        let refused = || Some("exceeded quota: team".to_owned());
        assert!(matches!(Start::without_pod(Duration::from_secs(6), refused()), Step::Wait(_)));
        assert!(stuck(Start::without_pod(Duration::from_secs(21), refused())).contains("exceeded quota"));
    }
}
