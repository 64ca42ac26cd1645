//! What leaves the house: files that the tools of Prometheus accept, tables and pictures of what was measured, and what
//! trainyard says of itself.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use support::{PATIENCE, Project, customers, finish, free_port, get, has_promtool, wait_for};

/// A project with names that want quotes everywhere.
const AWKWARD: &str = r#"
[project]
name = "it's: \"wine\" #1"
[stages.build]
uses = "image"
[stages.deploy]
uses = "deploy"
needs = ["build"]
port = 8123
metrics = "/metrics?format=text&x=%20y"
[monitor]
scrape = "100ms"
listen = "[::1]:9190"
[[monitor.panels]]
title = "requests/s"
expr = "sum by (status) (rate(predict_requests_total{status=~\"2..\"}[1m]))"
unit = "req/s"
[[monitor.panels]]
title = "지연: {{ p95 }}"
expr = '''
  histogram_quantile(0.95,
    sum by (le) (rate(predict_duration_seconds_bucket[1m])))
'''
[[monitor.panels]]
title = "requests/s"
expr = "up"
"#;

fn awkward() -> Project {
    let project = Project::bare();
    fs::write(project.folder().join("trainyard.toml"), AWKWARD).unwrap();
    project
}

fn promtool(arguments: &[&str], folder: &Path) -> String {
    finish(Command::new("promtool").args(arguments).current_dir(folder), PATIENCE).ok().said()
}

#[test]
fn promtool_accepts_the_configuration_and_the_rules() {
    if !has_promtool("promtool_accepts_the_configuration_and_the_rules") {
        return;
    }
    let project = awkward();
    let folder = project.folder().join("exported");
    project.command(&["export", "prometheus", "--dir", folder.to_str().unwrap()]).ok();
    let said = promtool(&["check", "config", "prometheus.yml"], &folder);
    assert!(said.contains("1 rule files found") && said.contains("3 rules found"), "{said}");
    assert!(promtool(&["check", "rules", "rules.yml"], &folder).contains("SUCCESS: 3 rules found"));

    // Each alone as it is printed, and a project that deploys nothing.
    let light = Project::light();
    for (project, name) in [(&project, "alone.yml"), (&light, "light.yml")] {
        for (what, check) in [("scrape", "config"), ("rules", "rules")] {
            let text = project.command(&["export", "prometheus", "--what", what]).ok().stdout;
            fs::write(folder.join(name), text).unwrap();
            promtool(&["check", check, name], &folder);
        }
    }
}

#[test]
fn what_is_there_already_is_not_overwritten() {
    let project = awkward();
    let folder = project.folder().join("exported");
    let export = ["export", "prometheus", "--dir", folder.to_str().unwrap()];
    project.command(&export).ok();
    let refused = project.command(&export).expect_code(2).stderr;
    assert!(refused.contains("prometheus.yml is there already; `--force` overwrites it"), "{refused}");
    let forced: Vec<&str> = export.into_iter().chain(["--force"]).collect();
    project.command(&forced).ok();
}

#[test]
fn a_dashboard_has_the_panels_in_their_order_and_is_the_same_each_time() {
    let project = awkward();
    let printed = project.command(&["export", "grafana"]).ok();
    let dashboard = printed.json();
    let titles: Vec<&str> =
        dashboard["panels"].as_array().unwrap().iter().map(|panel| panel["title"].as_str().unwrap()).collect();
    assert_eq!(titles, ["requests/s", "지연: {{ p95 }}", "requests/s"]);
    let file = project.folder().join("dashboard.json");
    project.command(&["export", "grafana", "--out", file.to_str().unwrap()]).ok();
    assert_eq!(fs::read_to_string(file).unwrap(), printed.stdout);
}

#[test]
fn the_panels_of_a_guess_are_told_and_only_for_what_is_served() {
    let served = Project::with_app().command(&["export", "grafana"]).ok();
    assert!(served.stderr.contains("these are those of the built-in model server"), "{}", served.stderr);
    assert_ne!(served.json()["panels"], serde_json::json!([]));
    let other = Project::light().command(&["export", "grafana"]).ok();
    assert!(other.stderr.contains("so there are none"), "{}", other.stderr);
    assert_eq!(other.json()["panels"], serde_json::json!([]));
    assert_eq!(awkward().command(&["export", "grafana"]).ok().stderr, "", "what is configured is no news");
}

/// One sample of the page, whatever its labels.
fn sample(page: &str, name: &str) -> Option<f64> {
    let line = page.lines().find(|line| line.strip_prefix(name).is_some_and(|rest| rest.starts_with([' ', '{'])))?;
    line.rsplit_once(' ')?.1.parse().ok()
}

#[test]
fn what_was_measured_is_exported_and_trainyard_tells_of_itself_over_a_restart() {
    let project = Project::with_app();
    let port = free_port();
    let configuration = fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
    let listening = match configuration.split_once("[monitor]\n") {
        Some((before, behind)) => format!("{before}[monitor]\nlisten = \"127.0.0.1:{port}\"\n{behind}"),
        None => format!("{configuration}\n[monitor]\nlisten = \"127.0.0.1:{port}\"\n"),
    };
    project.write("trainyard.toml", listening);
    project.commit("listen");
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");
    // The moments of a range are multiples of its step, so the newest scrape is in it only after up to a second.
    let scraped = || {
        let answer = project.command(&["query", "up", "--range", "1m", "--step", "1s", "--json"]).ok().json();
        (!answer["series"].as_array()?.is_empty()).then_some(answer)
    };
    let answer = wait_for("a scrape", PATIENCE, scraped);
    assert_eq!(answer["step"], 1_000);
    assert_eq!(answer["series"].as_array().map(Vec::len), Some(1), "{answer}");
    let table = project.command(&["export", "csv", "up", "--range", "10s", "--milliseconds"]).ok().stdout;
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 12, "a heading and a row for each moment, measured or not: {table}");
    assert!(lines[0].starts_with("time,") && lines[0].contains("job="), "{table}");
    let refused = project.command(&["query", "up", "--range", "30d", "--step", "1ms"]).expect_code(1).stderr;
    assert!(!refused.is_empty());

    let dashboard = project.command(&["export", "grafana"]).ok();
    assert!(dashboard.stderr.contains("found from the metrics that are scraped"), "{}", dashboard.stderr);
    let title = dashboard.json()["panels"][0]["title"].clone();
    let Value::String(title) = title else { panic!("a panel has a title") };
    let svg = project.command(&["export", "svg", &title, "--range", "1m"]).ok().stdout;
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"), "{svg}");
    let table = project.command(&["export", "csv", "--panel", &title, "--range", "10s"]).ok().stdout;
    assert_eq!(table.lines().count(), 12, "a heading and a row for each moment: {table}");
    let refused = project.command(&["export", "svg", &format!("{title}x")]).expect_code(2).stderr;
    assert!(refused.contains("did you mean"), "{refused}");

    let page = || get(port, "/metrics").ok().map(|answer| answer.body);
    let before = wait_for("our own metrics", PATIENCE, page);
    assert_eq!(sample(&before, "trainyard_release_live_number"), Some(1.0));
    assert_eq!(sample(&before, "trainyard_release_live_timestamp_seconds").map(f64::is_sign_positive), Some(true));
    assert!(before.contains("trainyard_runs_total{result=\"passed\"} 1\n"), "{before}");
    if has_promtool("our own metrics are valid") {
        let mut command = Command::new("promtool");
        command.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(before.as_bytes()).unwrap();
        let checked = child.wait_with_output().unwrap();
        assert!(checked.status.success(), "{}\n{before}", String::from_utf8_lossy(&checked.stderr));
    }

    project.command(&["down"]).ok();
    project.up();
    let after = wait_for("our own metrics of the next daemon", PATIENCE, page);
    for name in ["trainyard_journal_events_total", "trainyard_run_duration_seconds_count", "trainyard_releases_total"] {
        assert!(sample(&after, name) >= sample(&before, name), "{name} went back:\n{before}\n{after}");
    }
    assert!(after.contains("trainyard_runs_total{result=\"passed\"} 1\n"), "{after}");
}
