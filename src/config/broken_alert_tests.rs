//! Broken alerts, each with exactly what its user reads.

use super::broken_tests::{error, told};
use super::parse;

/// A stage that trains and none that deploys.
const STAGES: &str = "\n[stages.train]\ncommand = [\"sh\", \"train.sh\"]\n";

fn told_of(lines: &str) -> String {
    told(&format!("[[monitor.alerts]]\n{lines}{STAGES}"))
}

#[test]
fn an_alert_has_a_name_and_an_expression() {
    assert_eq!(
        told_of("expr = \"up == 0\""),
        error(
            "1:1",
            "missing `name` in [[monitor.alerts]]",
            "[[monitor.alerts]]",
            "^^^^^^^^^^^^^^^^^^ add `name = \"ErrorRate\"`: its name, which no other alert has"
        )
    );
    let told = told_of("name = \"A\"\nexpr = \"sum(rate(\"");
    assert!(told.starts_with("trainyard.toml:3:8: not a PromQL expression: "), "{told}");
    assert_eq!(
        told_of("name = \"error rate\"\nexpr = \"up == 0\""),
        error(
            "2:8",
            "`error rate` cannot be the name of an alert",
            "name = \"error rate\"",
            "       ^^^^^^^^^^^^ letters, digits, `-` and `_`, at most 64"
        )
    );
}

#[test]
fn no_two_alerts_have_one_name() {
    assert_eq!(
        told_of("name = \"A\"\nexpr = \"up == 0\"\n[[monitor.alerts]]\nname = \"A\"\nexpr = \"up == 1\""),
        error("5:8", "two alerts are called `A`", "name = \"A\"", "       ^^^ give each a `name` of its own")
    );
}

#[test]
fn what_is_to_follow_must_be_possible() {
    assert_eq!(
        told_of("name = \"A\"\nexpr = \"up == 0\"\nthen = \"rollback\""),
        error(
            "4:8",
            "alert `A` goes back to an earlier release, but no stage deploys",
            "then = \"rollback\"",
            "       ^^^^^^^^^^ add a stage with `uses = \"deploy\"`, or write `then = \"notify\"`"
        )
    );
    let lone = "[[monitor.alerts]]\nname = \"A\"\nexpr = \"up == 0\"\nthen = \"retrain\"\n\n[stages.test]\ncommand = [\"true\"]\n";
    assert_eq!(
        told(lone),
        error(
            "4:8",
            "alert `A` trains again, but no stage makes a model",
            "then = \"retrain\"",
            "       ^^^^^^^^^ add a stage with `uses = \"train\"`, or write `then = \"notify\"`"
        )
    );
    assert_eq!(
        told_of("name = \"A\"\nexpr = \"up == 0\"\nthen = \"rolback\""),
        error(
            "4:8",
            "unknown value `rolback` for `then`",
            "then = \"rolback\"",
            "       ^^^^^^^^^ did you mean `rollback`?"
        )
    );
}

#[test]
fn a_summary_holds_nothing_that_means_nothing() {
    assert_eq!(
        told_of("name = \"A\"\nexpr = \"up == 0\"\nsummary = \"{{ $vlaue }} down\""),
        error(
            "4:11",
            "`{{ $vlaue }}` means nothing in a summary",
            "summary = \"{{ $vlaue }} down\"",
            "          ^^^^^^^^^^^^^^^^^^^ write `{{ $value }}` or `{{ $labels.NAME }}`; anything else stands as it is"
        )
    );
}

#[test]
fn all_errors_of_alerts_are_told_at_once() {
    let text = format!("[[monitor.alerts]]\nname = 5\nexpr = \"\"\nfor = 30\nthan = \"notify\"{STAGES}");
    let errors = parse(&text, "trainyard.toml").unwrap_err();
    let places: Vec<_> = errors.errors().iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(2, 8), (3, 8), (4, 7), (5, 1)], "{errors}");
}

#[test]
fn nothing_follows_from_what_another_server_says() {
    let alert =
        "[monitor]\nprometheus = \"http://127.0.0.1:9090\"\n[[monitor.alerts]]\nname = \"A\"\nexpr = \"up == 0\"\n";
    let told_of = |then: &str| told(&format!("{alert}then = \"{then}\"{STAGES}"));
    let told = told_of("retrain");
    assert!(told.contains("nothing can follow from alert `A`") && told.contains("write `then = \"notify\"`"), "{told}");
}
