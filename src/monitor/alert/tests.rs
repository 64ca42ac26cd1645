//! States over time, each history a row of what an expression gave at each evaluation.

use std::time::Duration;

use super::*;
use crate::config::AlertSettings;
use crate::monitor::fixture::{fail, record, store};
use crate::monitor::promql::InstantSample;
use crate::monitor::{Labels, METRIC_NAME, SeriesStore};
use crate::pipeline::{AlertState, Evidence, Moment, Reaction, ReleaseId};

const STEP: i64 = 15_000;

fn rule(pending_for: u64, keep_firing_for: u64) -> Rule {
    Rule { name: "Errors".to_owned(), expr: "errors > 5".to_owned(), pending_for, keep_firing_for, severity: None }
}

fn given(value: f64) -> Vec<InstantSample> {
    vec![InstantSample { labels: Labels::new([(METRIC_NAME, "errors"), ("path", "/a")]), value }]
}

/// One letter an evaluation: `i`nactive, `p`ending, `f`iring.
fn told(rule: &Rule, row: &str) -> String {
    let mut states = AlertStates::default();
    let letter = |state: AlertState| state.word().chars().next().unwrap();
    row.chars()
        .zip(0_i64..)
        .map(|(letter_given, index)| {
            let result = match letter_given {
                '1' => Ok(given(9.0)),
                '0' => Ok(Vec::new()),
                _ => Err("the disk is on fire".to_owned()),
            };
            states.evaluate(rule, Moment(index * STEP), result);
            letter(states.state("Errors"))
        })
        .collect()
}

#[test]
fn an_alert_fires_once_its_time_has_passed_and_not_before() {
    assert_eq!(told(&rule(30_000, 0), "0111110"), "ippfffi");
    assert_eq!(told(&rule(0, 0), "0110"), "iffi");
    // 30 s are reached with the third evaluation behind the first, 31 s with the next.
    assert_eq!(told(&rule(31_000, 0), "011111"), "ipppff");
}

#[test]
fn a_break_begins_the_waiting_anew() {
    assert_eq!(told(&rule(30_000, 0), "1101111"), "ppippff");
}

#[test]
fn what_fires_may_be_kept_for_a_while() {
    assert_eq!(told(&rule(0, 30_000), "1000"), "fffi");
    assert_eq!(told(&rule(0, 30_000), "100100000"), "ffffffiii", "being given again begins that time anew");
    // What was not firing is not kept.
    assert_eq!(told(&rule(30_000, 60_000), "110"), "ppi");
}

#[test]
fn an_evaluation_that_fails_changes_nothing() {
    assert_eq!(told(&rule(30_000, 0), "11!10"), "pppfi");
    let mut states = AlertStates::default();
    states.evaluate(&rule(0, 0), Moment(0), Err("no".to_owned()));
    assert_eq!(states.error("Errors"), Some("no"));
    states.evaluate(&rule(0, 0), Moment(1), Ok(Vec::new()));
    assert_eq!(states.error("Errors"), None);
}

#[test]
fn changes_are_told_once() {
    let rule = rule(15_000, 30_000);
    let mut states = AlertStates::default();
    let mut changes = Vec::new();
    for (at, value) in [(0, true), (1, true), (2, true), (3, false), (4, false), (5, false), (6, true), (7, false)] {
        let result = if value { given(9.0) } else { Vec::new() };
        let transitions = states.evaluate(&rule, Moment(at * STEP), Ok(result));
        changes.extend(transitions.into_iter().map(|transition| (at, transition.change)));
    }
    let expected = [
        (0, Change::Pending),
        (1, Change::Fired),
        (3, Change::Kept),
        (5, Change::Resolved),
        (6, Change::Pending),
        (7, Change::Dropped),
    ];
    assert_eq!(changes, expected);
}

#[test]
fn a_resolved_alert_is_remembered_for_a_quarter_of_an_hour() {
    let rule = rule(0, 0);
    let mut states = AlertStates::default();
    states.evaluate(&rule, Moment(0), Ok(given(9.0)));
    states.evaluate(&rule, Moment(1_000), Ok(Vec::new()));
    let quarter = i64::try_from(RESOLVED_KEPT_MS).unwrap();
    states.evaluate(&rule, Moment(1_000 + quarter), Ok(Vec::new()));
    let alert = states.alerts("Errors").next().unwrap();
    assert_eq!((alert.state, alert.resolved_at), (AlertState::Inactive, Some(Moment(1_000))));
    states.evaluate(&rule, Moment(1_001 + quarter), Ok(Vec::new()));
    assert_eq!(states.alerts("Errors").count(), 0);
}

#[test]
fn each_set_of_labels_is_an_alert_of_its_own() {
    let severe = Rule { severity: Some("critical".to_owned()), ..rule(0, 0) };
    let of =
        |path: &str, value| InstantSample { labels: Labels::new([(METRIC_NAME, "errors"), ("path", path)]), value };
    let mut states = AlertStates::default();
    states.evaluate(&severe, Moment(0), Ok(vec![of("/a", 1.0), of("/b", 2.0)]));
    states.evaluate(&severe, Moment(1), Ok(vec![of("/b", 3.0)]));
    let alerts: Vec<_> = states.alerts("Errors").map(|alert| (alert.labels.to_string(), alert.state)).collect();
    let labels = |path: &str| format!("{{alertname=\"Errors\",path=\"{path}\",severity=\"critical\"}}");
    assert_eq!(alerts, [(labels("/a"), AlertState::Inactive), (labels("/b"), AlertState::Firing)]);
    let two = vec![of("/a", 1.0), InstantSample { labels: Labels::new([("path", "/a")]), value: 2.0 }];
    states.evaluate(&severe, Moment(2), Ok(two));
    assert!(states.error("Errors").unwrap().contains("two series that are the same alert"));
}

#[test]
fn states_survive_being_written_down_and_a_restart() {
    let waiting = rule(60_000, 0);
    let firing = Rule { name: "Down".to_owned(), ..rule(0, 0) };
    let mut states = AlertStates::default();
    for at in [0, 40_000] {
        states.evaluate(&waiting, Moment(at), Ok(given(f64::NAN)));
        states.evaluate(&firing, Moment(at), Ok(given(f64::INFINITY)));
    }
    let text = serde_json::to_string(&states).unwrap();
    let read: AlertStates = serde_json::from_str(&text).unwrap();
    assert!(read.alerts("Errors").next().unwrap().value.is_nan());
    // Half an hour later: 40 s were waited, 20 s are left.
    let later = 40_000 + 1_800_000;
    let mut states = read.restored(Moment(later));
    assert_eq!((states.state("Errors"), states.state("Down")), (AlertState::Pending, AlertState::Firing));
    states.evaluate(&waiting, Moment(later + 19_999), Ok(given(9.0)));
    assert_eq!(states.state("Errors"), AlertState::Pending);
    states.evaluate(&waiting, Moment(later + 20_000), Ok(given(9.0)));
    assert_eq!(states.state("Errors"), AlertState::Firing);
    // A day later nobody remembers what was pending.
    let read: AlertStates = serde_json::from_str(&text).unwrap();
    assert_eq!(read.restored(Moment(86_400_000)).state("Errors"), AlertState::Inactive);
}

#[test]
fn another_expression_begins_anew() {
    let mut states = AlertStates::default();
    states.evaluate(&rule(0, 0), Moment(0), Ok(given(9.0)));
    let other = Rule { expr: "errors > 6".to_owned(), ..rule(30_000, 0) };
    states.evaluate(&other, Moment(1), Ok(given(9.0)));
    assert_eq!(states.state("Errors"), AlertState::Pending);
}

#[test]
fn the_history_keeps_when_what_was_pending_and_when_it_fired() {
    let mut history = AlertHistory::default();
    let states =
        [AlertState::Inactive, AlertState::Pending, AlertState::Pending, AlertState::Firing, AlertState::Inactive];
    for (state, at) in states.into_iter().zip(0..) {
        history.note("Errors", state, Moment(at));
    }
    history.note("Errors", AlertState::Firing, Moment(9));
    let span = |state, from, until: Option<i64>| Span { state, from: Moment(from), until: until.map(Moment) };
    let all: Vec<Span> = history.spans("Errors", Moment(0), Moment(10)).copied().collect();
    let (pending, firing) = (span(AlertState::Pending, 1, Some(3)), span(AlertState::Firing, 3, Some(4)));
    assert_eq!(all, [pending, firing, span(AlertState::Firing, 9, None)]);
    assert_eq!(history.spans("Errors", Moment(5), Moment(8)).count(), 0);
    let restored = history.clone().restored(Moment(12));
    assert_eq!(
        restored.spans("Errors", Moment(9), Moment(20)).copied().collect::<Vec<_>>(),
        [span(AlertState::Firing, 9, Some(12))]
    );
    history.retain(Moment(5), |_| true);
    assert_eq!(history.spans("Errors", Moment(0), Moment(10)).count(), 1);
}

fn alert_rule(expr: &str) -> AlertRule {
    AlertRule::from_settings(&AlertSettings {
        name: "ErrorRate".to_owned(),
        expr: expr.to_owned(),
        pending_for: Duration::ZERO,
        keep_firing_for: Duration::ZERO,
        then: Reaction::Rollback,
        cooldown: Duration::from_mins(10),
        severity: Some("critical".to_owned()),
        summary: Some("{{ $value }} on {{ $labels.path }}".to_owned()),
    })
}

/// The release was scraped, with success or without.
fn scraped(store: &mut SeriesStore, release: &str, at: i64, up: f64) {
    let id = store.resolve(&Labels::new([(METRIC_NAME, "up"), ("release", release)]), true).unwrap();
    store.append(id, at, up).unwrap();
}

#[test]
fn evidence_is_of_the_live_release_alone() {
    let counted = |release: &str, name: &str| format!("{name}{{release=\"{release}\"}}");
    let names = [counted("1", "errors"), counted("2", "errors")];
    // Release 1 answered errors all the time, release 2 none at all.
    let values: [&[f64]; 2] = [&[0.0, 60.0, 120.0], &[0.0, 0.0, 0.0]];
    let series: Vec<(&str, &[f64])> = names.iter().map(String::as_str).zip(values).collect();
    let mut store = store(1_000, &series);
    let at = Moment(2_000);
    let mut rule = alert_rule("sum(rate(errors[10s])) > 1");
    assert_eq!(rule.look(&store, at).unwrap().len(), 1);
    assert_eq!(rule.evidence(&store, at, Some(ReleaseId(1))), Evidence::None, "it is not scraped");
    scraped(&mut store, "1", 2_000, 1.0);
    scraped(&mut store, "2", 2_000, 1.0);
    assert_eq!(rule.evidence(&store, at, Some(ReleaseId(1))), Evidence::Against);
    assert_eq!(rule.evidence(&store, at, Some(ReleaseId(2))), Evidence::Clear);
    assert_eq!(rule.evidence(&store, at, None), Evidence::None);
    assert_eq!(rule.metrics(), ["errors"]);
}

#[test]
fn an_expression_without_data_is_no_evidence_and_never_a_good_sign() {
    let mut store = store(1_000, &[("errors", &[0.0, 0.0])]);
    scraped(&mut store, "1", 1_000, 1.0);
    let at = Moment(1_000);
    let live = Some(ReleaseId(1));
    assert_eq!(alert_rule("errors > 5").evidence(&store, at, live), Evidence::Clear);
    assert_eq!(alert_rule("unknown > 5").evidence(&store, at, live), Evidence::None);
    assert_eq!(alert_rule("vector(1) > 0").evidence(&store, at, live), Evidence::None);
    scraped(&mut store, "1", 2_000, 0.0);
    fail(&mut store, 2_000);
    let at = Moment(2_000);
    assert_eq!(alert_rule("errors > 5").evidence(&store, at, live), Evidence::None, "the app is down");
    assert_eq!(alert_rule("up == 0").evidence(&store, at, live), Evidence::Against);
    scraped(&mut store, "1", 3_000, 1.0);
    record(&mut store, 3_000, [("errors", 9.0)].into_iter());
    assert_eq!(alert_rule("errors > 5").evidence(&store, Moment(3_000), live), Evidence::Against);
}

#[test]
fn a_target_that_is_of_no_release_is_not_held_against_one_that_speaks_for_itself() {
    let mut store = store(1_000, &[("probe", &[0.0])]);
    let (at, live) = (Moment(1_000), Some(ReleaseId(1)));
    scraped(&mut store, "1", 1_000, 1.0);
    fail(&mut store, 1_000);
    let mut rule = alert_rule("up == 0");
    assert_eq!(rule.look(&store, at).unwrap().len(), 1, "something is down");
    assert_eq!(rule.evidence(&store, at, live), Evidence::Clear);
    scraped(&mut store, "1", 2_000, 1.0);
    record(&mut store, 2_000, [("probe", 0.0)].into_iter());
    assert_eq!(alert_rule("probe == 0").evidence(&store, Moment(2_000), live), Evidence::Against, "it is probed");
}

#[test]
fn a_release_has_evidence_against_it_only_after_as_long_as_the_alert_waits() {
    let mut store = store(1_000, &[("errors", &[9.0; 6])]);
    scraped(&mut store, "1", 500, 1.0);
    let live = Some(ReleaseId(1));
    let mut rule = alert_rule("errors > 5");
    rule.rule.pending_for = 2_000;
    let told = [1_000, 2_000, 3_000].map(|at| rule.evidence(&store, Moment(at), live));
    assert_eq!(told, [Evidence::None, Evidence::None, Evidence::Against]);
    assert_eq!(rule.evidence(&store, Moment(4_000), None), Evidence::None);
    assert_eq!(rule.evidence(&store, Moment(5_000), live), Evidence::None, "nobody looked meanwhile");
}

#[test]
fn an_alert_says_what_it_means_in_its_own_words() {
    let mut states = AlertStates::default();
    let rule = alert_rule("errors > 5");
    states.evaluate(&rule.rule, Moment(0), Ok(given(0.412_345)));
    let alert = states.alerts("ErrorRate").next().unwrap();
    assert_eq!(rule.summary(alert), "0.4123 on /a");
    assert_eq!(rule.telling_labels(alert), "{path=\"/a\"}");
}

#[test]
fn values_are_short_for_people() {
    let values = [0.0, 0.412_345, 12.0, 1_234.56, 123_456.0, -0.5, 0.000_012_3, f64::NAN, f64::INFINITY];
    let told = values.map(short);
    assert_eq!(told, ["0", "0.4123", "12", "1235", "123456", "-0.5", "1.230e-5", "NaN", "inf"]);
}
