//! Predictions during redeploys: not one request is lost, on connections that are kept and on fresh ones.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use support::{LoadPlan, PATIENCE, Project, RECORD, customers, get, wait_for};

/// The least number of requests from which something may be concluded.
const REQUESTS: u64 = 1_000;

#[test]
fn no_prediction_is_lost_during_three_redeploys() {
    let project = Project::with_app();
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");

    let load = LoadPlan::of(project.port(), RECORD).start();
    for _ in 0..3 {
        let before = load.answered();
        project.command(&["run", "deploy", "--wait"]).ok();
        assert!(load.answered() > before, "no request was answered during a redeploy");
    }
    let enough = (load.answered() + REQUESTS / 4).max(REQUESTS);
    wait_for("requests behind the last redeploy", PATIENCE, || (load.answered() >= enough).then_some(()));
    let loaded = load.finish();
    eprintln!("{loaded}");
    loaded.assert_none_lost(REQUESTS);
    let version = get(project.port(), "/version").unwrap().json();
    assert_eq!(version["release"], "4");
    assert_eq!(project.snapshot()["state"]["live"], 4);
}

#[test]
fn ten_swaps_of_processes_at_a_steady_rate_lose_no_request() {
    let project = Project::with_app();
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");
    let load = LoadPlan::of(project.port(), RECORD).rate(200).start();
    for _ in 0..10 {
        project.command(&["run", "deploy", "--wait"]).ok();
    }
    let loaded = load.finish();
    eprintln!("ten swaps of processes: {loaded}");
    loaded.assert_none_lost(500);
    assert_eq!(project.snapshot()["state"]["live"], 11);
}
