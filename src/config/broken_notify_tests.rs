//! Broken `[[notify]]`, each with exactly what its user reads.

use super::broken_tests::{error, told_before_a_stage};
use super::meaning_tests::settings;
use super::{NoticeFormat, NotifyWay, SecretSource, SecretText, parse};
use crate::pipeline::NoticeKind;

const STAGE: &str = "[stages.test]\ncommand = [\"true\"]\n";

fn told_of(lines: &str) -> String {
    told_before_a_stage(&format!("[[notify]]\n{lines}"))
}

#[test]
fn one_needs_a_name_and_a_way() {
    assert_eq!(
        told_of("webhook = { env = \"HOOK\" }"),
        error(
            "1:1",
            "missing `name` in [[notify]]",
            "[[notify]]",
            "^^^^^^^^^^ add `name = \"team\"`: its name, which no other `[[notify]]` has"
        )
    );
    assert_eq!(
        told_of("name = \"team\""),
        error(
            "1:1",
            "missing `webhook` or `command` in [[notify]]",
            "[[notify]]",
            "^^^^^^^^^^ add `webhook = { env = \"TEAM_WEBHOOK\" }` or `command = [\"./notify.sh\", \"{title}\"]`"
        )
    );
    assert_eq!(
        told_of("name = \"team\"\nwebhook = { env = \"HOOK\" }\ncommand = [\"true\"]"),
        error(
            "4:1",
            "a [[notify]] has either a `webhook` or a `command`",
            "command = [\"true\"]",
            "^^^^^^^ remove one of them, or write a second [[notify]]"
        )
    );
}

#[test]
fn no_two_have_one_name() {
    let one = "name = \"team\"\ncommand = [\"true\"]";
    assert_eq!(
        told_of(&format!("{one}\n[[notify]]\n{one}")),
        error(
            "5:8",
            "two [[notify]] are called `team`",
            "name = \"team\"",
            "       ^^^^^^ give each a `name` of its own"
        )
    );
}

#[test]
fn what_is_told_is_one_of_the_kinds() {
    assert_eq!(
        told_of("name = \"team\"\non = [\"failures\"]\ncommand = [\"true\"]"),
        error(
            "3:7",
            "unknown value `failures` for `on`",
            "on = [\"failures\"]",
            "      ^^^^^^^^^^ did you mean `failure`?"
        )
    );
    assert_eq!(
        told_of("name = \"team\"\non = []\ncommand = [\"true\"]"),
        error(
            "3:6",
            "`on` is empty, so nothing would be told",
            "on = []",
            "     ^^ for example `on = [\"failure\", \"recovery\", \"alert\", \"approval\"]`"
        )
    );
}

#[test]
fn an_address_that_is_none_is_told_without_it_and_without_its_line() {
    for address in ["hooks.test/T0/s3cret", "ftp://hooks.test/s3cret", "https://:80/s3cret"] {
        let told = told_of(&format!("name = \"team\"\nwebhook = \"{address}\""));
        assert!(told.starts_with("trainyard.toml:1:1: `webhook` "), "{told}");
        assert!(!told.contains("s3cret"), "{told}");
    }
}

#[test]
fn a_secret_says_where_it_comes_from() {
    for table in ["{}", "{ env = \"A\", file = \"b\" }", "{ url = \"x\" }", "{ env = \"A B\" }", "{ file = \"~/x\" }"] {
        let told = told_of(&format!("name = \"team\"\nwebhook = {table}"));
        assert!(told.starts_with("trainyard.toml:3:11: "), "{table}: {told}");
    }
    let told = told_of("name = \"team\"\nwebhook = { env = \"A\" }\nheaders = { Authorization = \"Bearer x\" }");
    assert!(told.contains("the value of `Authorization` is a secret"), "{told}");
    let told = told_of("name = \"team\"\nwebhook = { env = \"A\" }\nheaders = { Host = \"x\" }");
    assert!(told.contains("the header `Host` is set by trainyard itself"), "{told}");
}

#[test]
fn a_template_holds_nothing_that_means_nothing() {
    let hook = "name = \"team\"\nwebhook = { env = \"A\" }";
    assert_eq!(
        told_of(&format!("{hook}\nformat = \"slack\"\ntemplate = \"{{titel}}\"")),
        error(
            "5:12",
            "`{titel}` means nothing in a notice",
            "template = \"{titel}\"",
            "           ^^^^^^^^^ did you mean `title`?"
        )
    );
    assert_eq!(
        told_of("name = \"team\"\ncommand = [\"true\", \"{titel}\"]"),
        error(
            "3:20",
            "`{titel}` means nothing in a notice",
            "command = [\"true\", \"{titel}\"]",
            "                   ^^^^^^^^^ did you mean `title`?"
        )
    );
}

#[test]
fn a_template_of_the_generic_form_is_json_however_it_is_filled() {
    let told =
        |template: &str| told_of(&format!("name = \"team\"\nwebhook = {{ env = \"A\" }}\ntemplate = '{template}'"));
    assert!(told("{title}").starts_with("trainyard.toml:4:12: `template` is all that is sent, and it is no JSON: "));
    assert!(told("{\"run\": {run}}").contains("where a notice has no run, stage, release or alert"));
}

#[test]
fn what_belongs_to_a_webhook_is_not_said_of_a_command() {
    assert_eq!(
        told_of("name = \"team\"\ncommand = [\"true\"]\nformat = \"slack\""),
        error(
            "4:1",
            "`format` belongs to a `webhook`, and this [[notify]] has a `command`",
            "format = \"slack\"",
            "^^^^^^ remove `format`"
        )
    );
    assert_eq!(
        told_of("name = \"team\"\ncommand = []"),
        error(
            "3:11",
            "`command` names no program",
            "command = []",
            "          ^^ for example `command = [\"./notify.sh\", \"{title}\"]`"
        )
    );
}

#[test]
fn all_errors_are_told_at_once() {
    let text = format!("[[notify]]\nname = 5\nwebhook = 6\ntimeout = 30\nat_most = 0\nmore = 1\n{STAGE}");
    let errors = parse(&text, "trainyard.toml").unwrap_err();
    let places: Vec<_> = errors.errors().iter().map(|error| (error.line, error.column)).collect();
    assert_eq!(places, [(2, 8), (3, 11), (4, 11), (5, 11), (6, 1)], "{errors}");
}

#[test]
fn what_is_not_said_has_its_default() {
    let text = "[[notify]]\nname = \"a\"\nwebhook = \"https://hooks.test/x\"\n[[notify]]\nname = \"b\"\n\
                webhook = { file = \"secrets/hook\" }\nformat = \"slack\"\non = [\"lock\", \"lock\"]\n";
    let all = settings(&format!("{text}{STAGE}")).notify;
    let usual = [NoticeKind::Failure, NoticeKind::Recovery, NoticeKind::Alert, NoticeKind::Approval];
    assert_eq!((all[0].on.as_slice(), all[0].at_most, all[0].timeout.as_secs()), (usual.as_slice(), 20, 10));
    let NotifyWay::Webhook(webhook) = &all[0].way else { panic!("{:?}", all[0]) };
    assert_eq!(webhook.address, SecretText::Written("https://hooks.test/x".to_owned()));
    assert_eq!(webhook.format, NoticeFormat::Generic);
    let NotifyWay::Webhook(webhook) = &all[1].way else { panic!("{:?}", all[1]) };
    assert_eq!(webhook.address, SecretText::From(SecretSource::File("secrets/hook".into())));
    assert_eq!((webhook.format, all[1].on.as_slice()), (NoticeFormat::Slack, [NoticeKind::Lock].as_slice()));
}
