//! The same series and the same rules, here and in Prometheus' own `promtool test rules`: the same alerts at the same moments.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on fails")]

use std::fmt::Write;
use std::fs;
use std::process::Command;
use std::time::Duration;

use trainyard::config::AlertSettings;
use trainyard::monitor::alert::{ALERT_NAME, AlertRule, AlertStates};
use trainyard::monitor::{Labels, METRIC_NAME, SeriesStore, StoreLimits};
use trainyard::pipeline::{AlertState, Moment, Reaction};

/// Seconds between two evaluations, and between two samples.
const STEP: i64 = 15;

/// A series: its labels, and a letter a sample: a digit is a value, `_` no sample, `s` the end of the series.
struct Series {
    labels: &'static [(&'static str, &'static str)],
    samples: &'static str,
}

const SERIES: &[Series] = &[
    Series { labels: &[(METRIC_NAME, "errors"), ("path", "/a")], samples: "0979990009ss099999" },
    Series { labels: &[(METRIC_NAME, "errors"), ("path", "/b")], samples: "999__99s0000990909" },
    Series { labels: &[(METRIC_NAME, "requests")], samples: "123456789999999999" },
];

/// A rule: its name, its expression, `for` and `keep_firing_for` in seconds.
const RULES: &[(&str, &str, u64, u64)] = &[
    ("AtOnce", "errors > 5", 0, 0),
    ("Patient", "errors > 5", 30, 0),
    ("Uneven", "errors > 5", 31, 0),
    ("Kept", "errors > 5", 15, 45),
    ("Sum", "sum(errors) > 8", 15, 0),
    ("Rate", "sum(rate(requests[45s])) * 60 > 3", 15, 30),
    ("Missing", "absent(errors{path=\"/b\"})", 15, 0),
    ("Never", "errors > 100", 0, 0),
];

fn rule(name: &str, expr: &str, pending: u64, keep: u64) -> AlertRule {
    AlertRule::from_settings(&AlertSettings {
        name: name.to_owned(),
        expr: expr.to_owned(),
        pending_for: Duration::from_secs(pending),
        keep_firing_for: Duration::from_secs(keep),
        then: Reaction::Notify,
        cooldown: Duration::ZERO,
        severity: Some("page".to_owned()),
        summary: None,
    })
}

/// The alerts that are active at each evaluation, as the series `ALERTS` of Prometheus would have them.
fn ours() -> Vec<Vec<String>> {
    let limits = StoreLimits { retention: Duration::from_hours(24), bytes_on_disk: 1 << 20, max_series: 100 };
    let mut store = SeriesStore::in_memory(limits);
    let rules: Vec<AlertRule> =
        RULES.iter().map(|(name, expr, pending, keep)| rule(name, expr, *pending, *keep)).collect();
    let mut states = AlertStates::default();
    let mut evaluations = Vec::new();
    for step in 0..SERIES[0].samples.len() {
        let at = i64::try_from(step).unwrap() * STEP * 1_000;
        for series in SERIES {
            let labels = Labels::new(series.labels.iter().copied());
            let id = store.resolve(&labels, false).unwrap();
            match series.samples.as_bytes()[step] {
                b'_' => {}
                b's' => store.mark_stale(id, at),
                digit => store.append(id, at, f64::from(digit - b'0')).unwrap(),
            }
        }
        store.commit(Moment(at)).unwrap();
        let mut active = Vec::new();
        for rule in &rules {
            let given = rule.look(&store, Moment(at));
            states.evaluate(&rule.rule, Moment(at), given);
            assert_eq!(states.error(&rule.rule.name), None, "{}", rule.rule.name);
            let alerts = states.alerts(&rule.rule.name).filter(|alert| alert.state != AlertState::Inactive);
            let labels =
                alerts.map(|alert| alert.labels.with("alertstate", alert.state.word()).with(METRIC_NAME, "ALERTS"));
            active.extend(labels.map(|labels| labels.to_string()));
        }
        active.sort();
        evaluations.push(active);
    }
    evaluations
}

/// Rules and series as promtool reads them.
fn rules_file() -> String {
    let mut text = String::from("groups:\n- name: test\n  rules:\n");
    for (name, expr, pending, keep) in RULES {
        let quoted = serde_json::to_string(expr).unwrap();
        writeln!(text, "  - alert: {name}\n    expr: {quoted}\n    for: {pending}s\n    keep_firing_for: {keep}s")
            .unwrap();
        writeln!(text, "    labels:\n      severity: page").unwrap();
    }
    text
}

fn tests_file(expected: &[Vec<String>]) -> String {
    let mut text = format!("rule_files: [rules.yml]\nevaluation_interval: {STEP}s\ntests:\n- interval: {STEP}s\n");
    text.push_str("  input_series:\n");
    for series in SERIES {
        let name = Labels::new(series.labels.iter().copied()).to_string();
        let values: Vec<String> = series
            .samples
            .chars()
            .map(|letter| if letter == 's' { "stale".to_owned() } else { letter.to_string() })
            .collect();
        writeln!(text, "  - series: {}\n    values: {}", serde_json::to_string(&name).unwrap(), values.join(" "))
            .unwrap();
    }
    text.push_str("  promql_expr_test:\n");
    for (active, step) in expected.iter().zip(0_i64..) {
        writeln!(text, "  - expr: ALERTS\n    eval_time: {}s\n    exp_samples:", step * STEP).unwrap();
        if active.is_empty() {
            text.push_str("      []\n");
        }
        for alert in active {
            writeln!(text, "    - labels: {}\n      value: 1", serde_json::to_string(alert).unwrap()).unwrap();
        }
    }
    text
}

#[test]
fn alerts_are_pending_and_fire_when_those_of_prometheus_do() {
    let expected = ours();
    let states = |word: &str| expected.iter().flatten().filter(|alert| alert.contains(word)).count();
    assert!(states("\"pending\"") > 10 && states("\"firing\"") > 20, "the table has something to tell: {expected:#?}");
    assert!(expected.iter().flatten().all(|alert| alert.contains(ALERT_NAME)));
    if Command::new("promtool").arg("--version").output().is_err() {
        eprintln!(
            "skipped: alerts_are_pending_and_fire_when_those_of_prometheus_do: there is no `promtool`; it is in Debian's package prometheus"
        );
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("rules.yml"), rules_file()).unwrap();
    fs::write(folder.path().join("tests.yml"), tests_file(&expected)).unwrap();
    let judged =
        Command::new("promtool").args(["test", "rules", "tests.yml"]).current_dir(folder.path()).output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&judged.stdout), String::from_utf8_lossy(&judged.stderr));
    assert!(judged.status.success(), "promtool sees other alerts:\n{said}\n{}", tests_file(&expected));
}
