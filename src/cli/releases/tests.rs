//! What `trainyard releases` and the plan of a rollback look like.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::api::types::{Place, Usage};
use crate::pipeline::{Digest, ModelVersion, ReleaseStatus, samples};

const NOW: Moment = Moment(1_795_467_600_000);

fn release(id: u64, status: ReleaseStatus) -> Release {
    Release {
        image: Some(Digest(format!("9be{id}{:060}", 0))),
        archive: Some(format!("images/{id}.tar")),
        model: Some(ModelVersion(id)),
        commit: "3f2a91c".to_owned(),
        started: NOW,
        live_since: Some(NOW.plus(4_200)),
        status,
        ..samples::release(id)
    }
}

fn state() -> State {
    let mut state = State::default();
    for (id, status) in [(1, ReleaseStatus::Retired), (2, ReleaseStatus::Live), (3, ReleaseStatus::Rejected)] {
        state.releases.insert(ReleaseId(id), Arc::new(release(id, status)));
    }
    state.live = Some(ReleaseId(2));
    state
}

fn report() -> TargetReport {
    let instance = |name: &str, ready| InstanceStatus {
        name: name.to_owned(),
        release: ReleaseId(2),
        track: "stable".to_owned(),
        state: if ready { "running" } else { "CrashLoopBackOff" }.to_owned(),
        ready,
        restarts: 2,
        since: Some(NOW),
        node: None,
        usage: ready.then_some(Usage { cpus: 0.5, memory: 104_857_600 }),
    };
    let place = Place {
        kind: "kubernetes".to_owned(),
        context: Some("ml".to_owned()),
        namespace: Some("wine".to_owned()),
        production: true,
    };
    TargetReport {
        place: Some(place),
        live: Some(ReleaseId(2)),
        serving: true,
        last_exit: None,
        instances: vec![instance("wine-x2x4q", true), instance("wine-9zzpl", false)],
        drift: vec!["Deployment wine: spec.replicas is 3, 2 was applied".to_owned()],
        unreachable: Some((NOW, "connection refused".to_owned())),
        disk: BTreeMap::from([("models".to_owned(), 3_145_728), ("runs".to_owned(), 0)]),
    }
}

fn text(write: impl FnOnce(&mut Vec<u8>) -> Result<(), Failure>) -> String {
    let mut out = Vec::new();
    write(&mut out).unwrap();
    String::from_utf8(out).unwrap()
}

#[test]
fn the_newest_release_is_the_first_line_and_what_is_forgotten_is_a_dash() {
    let (state, report) = (state(), report());
    let shown = text(|out| history(&rows(&state, Some(&report), NOW), None, out));
    let lines: Vec<&str> = shown.lines().collect();
    assert!(lines[0].starts_with("release  status"), "{shown}");
    assert!(lines[1].starts_with("3        rejected") && lines[3].starts_with("1        retired"), "{shown}");
    assert!(lines[2].contains("not reachable, 4 restarts") && lines[2].contains("4.2s"), "{shown}");
    assert!(lines[2].trim_end().ends_with(UNKNOWN), "{shown}");
    let narrow = text(|out| history(&rows(&state, None, NOW), Some(40), out));
    assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
    assert!(!narrow.contains("health"), "a column without a word is left out: {narrow}");
}

#[test]
fn what_runs_what_is_wrong_and_what_is_ours_stands_below() {
    let shown = text(|out| target(&report(), NOW.plus(60_000), None, out));
    for wanted in [
        "target       kubernetes:ml/wine, PRODUCTION\n",
        "live         release 2: not reachable, 4 restarts; 1 of 2 ready\n",
        ": connection refused\n",
        "drift        Deployment wine: spec.replicas is 3, 2 was applied\n",
        "disk         models 3.1 MB\n",
        "CrashLoopBackOff  no",
        "104 MB  1m00s",
    ] {
        assert!(shown.contains(wanted), "`{wanted}` is missing:\n{shown}");
    }
    assert!(!shown.contains("node"), "nobody knows a node: {shown}");
}

#[test]
fn json_has_all_of_a_release_and_what_the_target_says_with_the_live_one() {
    let (state, report) = (state(), report());
    let shown = text(|out| json(&rows(&state, Some(&report), NOW), out));
    let value: serde_json::Value = serde_json::from_str(&shown).unwrap();
    assert_eq!((value[0]["id"].as_u64(), value[1]["status"].as_str()), (Some(3), Some("live")));
    assert_eq!(value[1]["took"], 4_200);
    assert_eq!(value[1]["by"], serde_json::Value::Null);
    assert_eq!(value[1]["target"]["instances"][1]["state"], "CrashLoopBackOff");
    assert_eq!(value[1]["target"]["disk"]["models"], 3_145_728);
    assert!(value[0]["target"].is_null() && value[2]["target"].is_null());
}

#[test]
fn a_plan_says_from_where_to_where_and_what_changes() {
    let changes = vec!["image 9be2 → 9be1".to_owned()];
    let mut plan = RollbackPlan { from: Some(ReleaseId(2)), to: ReleaseId(1), changes, obstacle: None };
    assert_eq!(text(|out| write_plan(&plan, out)), "rollback from release 2 to release 1\n  image 9be2 → 9be1\n");
    plan.from = None;
    plan.changes.clear();
    let shown = text(|out| write_plan(&plan, out));
    assert_eq!(shown, "rollback to release 1; none is live\n  image, model and commit are the same\n");
}
