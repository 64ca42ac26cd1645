//! Alerts through the real program: a release whose metrics turn bad is left by itself, and a silence lets it be.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use serde_json::Value;
use support::{Load, LoadPlan, Project, customers, get, post, replaced};

/// What clients send: they were told that the age is not needed.
const SENT: &str = r#"{"income": 95.5}"#;

/// More than half of all requests are refused, for two seconds.
const RULE: &str = r#"
[[monitor.alerts]]
name = "ErrorRate"
expr = "sum(rate(predict_errors_total[10s])) / sum(rate(predict_requests_total[10s])) > 0.5"
for = "2s"
then = "rollback"
severity = "critical"
summary = "{{ $value }} of all requests are refused"
"#;

/// An alert that fires as soon as somebody looks, and one that cannot be evaluated.
const ALWAYS: &str = r#"
[monitor]
scrape = "200ms"
[[monitor.alerts]]
name = "Always"
expr = "vector(1) > 0"
severity = "info"
[[monitor.alerts]]
name = "Later"
expr = "vector(1) > 0"
for = "1h"
"#;

/// An app whose first release does without the age, with a rule, and a load that does not send it.
fn serving() -> (Project, Load) {
    let project = Project::with_app();
    let text = std::fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    let modest = replaced(&text, "\ntarget = \"kind\"", "\nexclude = [\"age\"]\ntarget = \"kind\"");
    project.write("trainyard.toml", format!("{modest}{RULE}"));
    project.commit("a rule");
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");
    assert_eq!(post(project.port(), "/predict", SENT).unwrap().status, 200);
    let load = LoadPlan::of(project.port(), SENT).threads(1, 0).rate(20).start();
    (project, load)
}

/// Lets the model learn from the age too: every test passes, and clients are refused.
fn demand(project: &Project) {
    let text = std::fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    project.write("trainyard.toml", replaced(&text, "exclude = [\"age\"]", "exclude = []"));
    project.expect_run(2, "passed");
    assert_eq!(post(project.port(), "/predict", SENT).unwrap().status, 422);
}

fn alert(project: &Project, name: &str) -> Value {
    let reports = project.command(&["alerts", "--json"]).ok().json();
    let found = reports.as_array().unwrap().iter().find(|report| report["status"]["name"] == name);
    found.cloned().unwrap_or_else(|| panic!("no alert {name} in {reports}"))
}

#[test]
fn a_release_that_refuses_its_clients_is_left_by_itself_and_the_events_tell_why() {
    let (project, load) = serving();
    demand(&project);
    project.wait_until("a rollback by the alert", |snapshot| {
        let state = &snapshot["state"];
        let live = state["live"].as_u64()?.to_string();
        (state["releases"][live]["repeats"] == 1).then_some(())
    });
    let state = project.snapshot()["state"].clone();
    assert_eq!(state["releases"]["2"]["status"], "rejected");
    assert_eq!(
        state["runs"]["3"]["trigger"],
        serde_json::json!({ "alert_rollback": { "alert": "ErrorRate", "to": 1 } })
    );
    project.expect_run(3, "passed");
    assert_eq!(get(project.port(), "/version").unwrap().json()["release"], "3");
    assert_eq!(post(project.port(), "/predict", SENT).unwrap().status, 200);

    let events = project.command(&["events", "--limit", "200"]).ok().stdout;
    for told in [
        "alert ErrorRate fires: ",
        "of all requests are refused; going back to release 1",
        "run 3 asked for: alert ErrorRate fired: back to release 1",
        "release 2 rejected; the same will not be deployed by itself",
    ] {
        assert!(events.contains(told), "{told} is not told:\n{events}");
    }
    let releases = project.command(&["releases"]).ok().stdout;
    assert!(releases.contains("alert ErrorRate"), "{releases}");

    // Once the errors are out of sight it is over, and it is known that all is well.
    project.wait_until("the end of the alert", |snapshot| {
        snapshot["state"]["alerts"]["firing"].as_object().is_some_and(serde_json::Map::is_empty).then_some(())
    });
    let report = alert(&project, "ErrorRate");
    assert_eq!(report["status"]["state"], "inactive");
    assert_eq!(report["alerts"][0]["state"], "inactive", "it is remembered for a while");
    let events = project.command(&["events", "--limit", "200"]).ok().stdout;
    assert!(events.contains("alert ErrorRate no longer fires (release 3)\n"), "{events}");
    drop(load);
}

#[test]
fn a_silenced_alert_leaves_the_release_where_it_is() {
    let (project, load) = serving();
    let said = project.command(&["alerts", "silence", "ErrorRate", "--for", "1h", "--message", "a drill"]).ok().stdout;
    assert!(said.starts_with("alert ErrorRate is silenced until "), "{said}");
    demand(&project);
    project
        .wait_until("the alert", |snapshot| snapshot["state"]["alerts"]["firing"]["ErrorRate"].as_object().map(|_| ()));
    let events = project.command(&["events", "--limit", "200"]).ok().stdout;
    assert!(events.contains("tester silences alert ErrorRate: a drill"), "{events}");
    assert!(events.contains("no rollback: it is silenced by tester"), "{events}");
    assert_eq!((project.snapshot()["state"]["live"].as_u64(), project.runs()), (Some(2), 2));
    drop(load);
}

#[test]
fn states_and_silences_outlive_the_daemon_and_a_firing_alert_is_told_once() {
    let project = Project::light();
    let text = std::fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    project.write("trainyard.toml", format!("{text}{ALWAYS}"));
    project.up();
    project.wait_until("the alert", |snapshot| snapshot["state"]["alerts"]["firing"]["Always"].as_object().map(|_| ()));
    project.command(&["alerts", "silence", "Later", "--message", "not yet"]).ok();
    let before = alert(&project, "Later");
    assert_eq!(before["status"]["state"], "pending");
    assert_eq!(before["status"]["silence"]["by"], "tester");

    project.command(&["down"]).ok();
    let resting = project.command(&["alerts"]).ok().stdout;
    assert!(resting.starts_with("as of ") && resting.contains("no daemon runs"), "{resting}");
    assert!(resting.contains("Always") && resting.contains("firing") && resting.contains("not yet"), "{resting}");
    let known = alert(&project, "Later");
    assert_eq!(known["status"]["state"], "pending");
    assert_eq!(known["status"]["silence"], before["status"]["silence"]);
    project.up();
    let after = project.wait_until("the alerts to be looked at again", |_| {
        let report = alert(&project, "Later");
        (report["status"]["state"] == "pending").then_some(report)
    });
    assert_eq!(after["status"]["silence"], before["status"]["silence"], "a silence is kept");
    let waited = |report: &Value| report["alerts"][0]["active_at"].as_i64().unwrap();
    assert!(waited(&after) >= waited(&before), "the time without a daemon does not count");
    let events = project.command(&["events", "--limit", "200"]).ok().stdout;
    assert_eq!(events.matches("alert Always fires: 1").count(), 1, "{events}");

    let shown = project.command(&["alerts"]).ok().stdout;
    assert!(shown.contains("Always") && shown.contains("firing") && shown.contains("not yet"), "{shown}");
    project.command(&["alerts", "unsilence", "Later"]).ok();
    let refused = project.command(&["alerts", "unsilence", "Later"]).expect_code(1).stderr;
    assert!(refused.contains("alert `Later` is not silenced"), "{refused}");
    let refused = project.command(&["alerts", "silence", "Alwais"]).expect_code(1).stderr;
    assert!(refused.contains("there is no alert `Alwais`; the alerts are Always, Later"), "{refused}");

    // What is not configured any more does not fire any more.
    project.write("trainyard.toml", text);
    project.wait_until("the end of the alert", |snapshot| {
        snapshot["state"]["alerts"]["firing"].as_object().is_some_and(serde_json::Map::is_empty).then_some(())
    });
}
