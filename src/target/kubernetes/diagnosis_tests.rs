//! What each state of a pod means, with the texts of a real cluster.

use serde_json::{Value, json};

use super::*;

const LONG: Duration = Duration::from_secs(30);

#[expect(clippy::needless_pass_by_value, reason = "a `json!` reads better without a borrow")]
fn pod(status: Value) -> Pod {
    let metadata = json!({ "name": "wine-1", "uid": "u1" });
    serde_json::from_value(json!({ "metadata": metadata, "status": status })).unwrap()
}

#[expect(clippy::needless_pass_by_value, reason = "a `json!` reads better without a borrow")]
fn container(restarts: i32, state: Value, last: Value) -> Pod {
    let status = json!({
        "name": "app", "image": "wine:1", "imageID": "", "ready": false, "restartCount": restarts,
        "state": state, "lastState": last,
    });
    pod(json!({ "phase": "Running", "containerStatuses": [status] }))
}

fn with(pod: Pod) -> Observed {
    Observed { pods: vec![pod], ..Observed::default() }
}

fn waiting(reason: &str, message: &str) -> Value {
    json!({ "waiting": { "reason": reason, "message": message } })
}

fn ended(code: i32, reason: &str, message: &str) -> Value {
    json!({ "terminated": { "exitCode": code, "reason": reason, "message": message } })
}

/// What is found at once, and what after a while.
fn judged(seen: &Observed) -> (Option<Finding>, Option<Finding>) {
    let mut diagnosis = Diagnosis::default();
    let at_once = diagnosis.judge(seen, Duration::ZERO);
    (at_once, diagnosis.judge(seen, LONG))
}

fn at_once(seen: &Observed) -> Finding {
    judged(seen).0.unwrap()
}

#[test]
fn an_image_that_cannot_be_pulled_is_told_with_what_the_registry_said_and_says_nothing_about_the_release() {
    let mut diagnosis = Diagnosis::default();
    let first = with(container(0, waiting("ErrImagePull", "dial tcp: lookup nosuch: no such host"), json!({})));
    assert_eq!(diagnosis.judge(&first, Duration::ZERO), None, "the node tries again by itself");
    let then = with(container(0, waiting("ImagePullBackOff", "Back-off pulling image"), json!({})));
    let found = diagnosis.judge(&then, Duration::from_millis(300)).unwrap();
    assert_eq!(found.fault, Fault::Surroundings);
    assert!(found.reason.contains("pod wine-1 cannot pull image wine:1"), "{}", found.reason);
    assert!(found.reason.contains("no such host") && found.reason.contains("`push`"), "{}", found.reason);
    assert!(judged(&first).1.is_some(), "a second failure counts");
    let never = at_once(&with(container(0, waiting("ErrImageNeverPull", ""), json!({}))));
    assert!(never.reason.contains("not on the node"), "{}", never.reason);
}

#[test]
fn what_the_manifest_refers_to_and_is_not_there_is_no_fault_of_the_release() {
    let seen = with(container(0, waiting("CreateContainerConfigError", "secret \"nope\" not found"), json!({})));
    let (first, then) = judged(&seen);
    assert_eq!(first, None, "a node may know of a Secret a moment late");
    let then = then.unwrap();
    assert_eq!(then.fault, Fault::Surroundings);
    assert!(then.reason.contains("secret \"nope\" not found"), "{}", then.reason);
}

#[test]
fn a_crash_is_told_with_its_code_and_its_log() {
    let seen = with(container(1, waiting("CrashLoopBackOff", "back-off 10s"), ended(3, "Error", "")));
    let found = at_once(&seen);
    assert_eq!((found.fault, found.reason.as_str()), (Fault::Release, "crashes: pod wine-1 exited with code 3"));
    let log = found.log.unwrap();
    assert_eq!((log.pod.as_str(), log.container.as_str(), log.is_former), ("wine-1", "app", false));
    let again = at_once(&with(container(2, json!({ "running": {} }), ended(3, "Error", ""))));
    assert_eq!(again.reason, "crashes: pod wine-1 exited with code 3 (2 restarts)");
    assert!(again.log.unwrap().is_former, "the one that runs has not crashed yet");
    let once = with(container(1, json!({ "running": {} }), ended(3, "Error", "")));
    assert_eq!(judged(&once), (None, None), "one restart may have been bad luck");
}

#[test]
fn restarts_of_before_the_rollout_are_not_held_against_it() {
    let seen = with(container(7, json!({ "running": {} }), ended(3, "Error", "")));
    let mut diagnosis = Diagnosis::new(Before::of(&seen));
    assert_eq!(diagnosis.judge(&seen, LONG), None);
    let again = with(container(9, json!({ "running": {} }), ended(3, "Error", "")));
    assert!(diagnosis.judge(&again, LONG).is_some());
}

#[test]
fn running_out_of_memory_is_told_as_such() {
    let found = at_once(&with(container(0, ended(137, "OOMKilled", ""), json!({}))));
    assert_eq!(found.fault, Fault::Release);
    assert!(found.reason.starts_with("ran out of memory: pod wine-1"), "{}", found.reason);
}

#[test]
fn a_command_that_cannot_be_executed_is_told_without_the_layers_of_the_runtime() {
    let message = "failed to create shim task: OCI runtime create failed: runc create failed: unable to start container \
                   process: exec: \"nosuch\": executable file not found in $PATH: unknown";
    let last = ended(127, "ContainerCannotRun", message);
    let found = at_once(&with(container(1, waiting("CrashLoopBackOff", ""), last)));
    let expected = "cannot be started from its image: pod wine-1: exec: \"nosuch\": executable file not found in $PATH";
    assert_eq!((found.fault, found.reason.as_str()), (Fault::Release, expected));
}

#[test]
fn a_pod_without_a_node_counts_after_ten_seconds() {
    let condition = json!({
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable",
        "message": "0/1 nodes are available: 1 Insufficient memory.",
    });
    let seen = with(pod(json!({ "phase": "Pending", "conditions": [condition] })));
    let mut diagnosis = Diagnosis::default();
    assert_eq!(diagnosis.judge(&seen, Duration::from_secs(1)), None);
    assert_eq!(diagnosis.judge(&seen, Duration::from_secs(10)), None);
    let found = diagnosis.judge(&seen, Duration::from_secs(11)).unwrap();
    assert_eq!(found.fault, Fault::Surroundings);
    assert!(found.reason.contains("1 Insufficient memory"), "{}", found.reason);
}

#[test]
fn what_went_away_in_between_has_to_last_anew() {
    let doubtful = with(container(0, waiting("CreateContainerConfigError", "x"), json!({})));
    let well = with(container(0, json!({ "running": {} }), json!({})));
    let mut diagnosis = Diagnosis::default();
    assert_eq!(diagnosis.judge(&doubtful, Duration::ZERO), None);
    assert_eq!(diagnosis.judge(&well, Duration::from_secs(1)), None);
    assert_eq!(diagnosis.judge(&doubtful, Duration::from_secs(2)), None);
}

#[test]
fn a_quota_counts_once_it_has_lasted() {
    let message = "pods \"wine-2\" is forbidden: exceeded quota: q, requested: pods=1, used: pods=4, limited: pods=2";
    let conditions =
        json!([{ "type": "ReplicaFailure", "status": "True", "reason": "FailedCreate", "message": message }]);
    let deployment = serde_json::from_value(json!({ "metadata": {}, "status": { "conditions": conditions } })).unwrap();
    let seen = Observed { deployment, ..Observed::default() };
    let (first, then) = judged(&seen);
    assert_eq!(first, None);
    assert!(then.unwrap().reason.contains("exceeded quota"));
}

#[test]
fn a_pod_that_is_told_to_end_is_blamed_for_nothing() {
    let mut dying = container(3, waiting("CrashLoopBackOff", ""), ended(3, "Error", ""));
    dying.metadata.deletion_timestamp = serde_json::from_value(json!("2026-01-02T03:04:05Z")).unwrap();
    assert_eq!(judged(&with(dying)), (None, None));
}

#[test]
fn when_the_time_is_up_the_last_answer_of_the_probe_is_the_reason() {
    let event = |message: &str, at: &str| -> Event {
        serde_json::from_value(json!({
            "metadata": {}, "involvedObject": { "kind": "Pod", "uid": "u1" }, "reason": "Unhealthy", "type": "Warning",
            "message": message, "lastTimestamp": at,
        }))
        .unwrap()
    };
    let mut seen = with(container(0, json!({ "running": {} }), json!({})));
    seen.warnings = vec![
        event("Readiness probe failed: HTTP probe failed with statuscode: 404", "2026-01-02T03:04:09Z"),
        event("Readiness probe failed: connection refused", "2026-01-02T03:04:05Z"),
    ];
    let found = Diagnosis::late(&seen, Duration::from_secs(20));
    let expected = "did not become healthy within 20 s: pod wine-1: Readiness probe failed: HTTP probe failed with statuscode: 404";
    assert_eq!((found.fault, found.reason.as_str()), (Fault::Release, expected));
    assert!(found.log.is_some());
}

#[test]
fn what_never_ran_was_never_tried() {
    let seen = with(container(0, waiting("ContainerCreating", ""), json!({})));
    let found = Diagnosis::late(&seen, Duration::from_millis(1500));
    assert_eq!(found.fault, Fault::Surroundings);
    assert_eq!(found.reason, "did not become healthy within 1.5 s: pod wine-1: ContainerCreating");
    let none = Diagnosis::late(&Observed::default(), LONG);
    assert_eq!((none.fault, none.log), (Fault::Surroundings, None));
}

#[test]
fn a_deadline_of_the_rollout_before_is_not_of_this_one() {
    let at = |time: &str| {
        let condition = json!({
            "type": "Progressing", "status": "False", "reason": "ProgressDeadlineExceeded", "lastUpdateTime": time,
        });
        let deployment = json!({ "metadata": {}, "status": { "conditions": [condition] } });
        Observed { deployment: serde_json::from_value(deployment).unwrap(), ..Observed::default() }
    };
    let before = at("2026-01-02T03:04:05Z");
    let mut diagnosis = Diagnosis::new(Before::of(&before));
    assert_eq!(diagnosis.judge(&before, LONG), None);
    let found = diagnosis.judge(&at("2026-01-02T03:09:05Z"), LONG).unwrap();
    assert!(found.reason.contains("ProgressDeadlineExceeded"), "{}", found.reason);
}
