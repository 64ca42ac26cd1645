//! Broken configurations of what starts runs: the source and schedules, each with exactly what its user reads.

use std::time::Duration;

use super::broken_tests::told_before_a_stage;
use super::meaning_tests::{LEAST, settings};
use super::{Missed, RemoteSettings, SourceTrigger};
use crate::pipeline::{Moment, Selection, StageName};

/// A schedule with this line.
fn scheduled(line: &str) -> String {
    told_before_a_stage(&format!("[[schedules]]\nname = \"nightly\"\n{line}"))
}

#[test]
fn a_cron_that_cannot_be_read_is_told_with_the_field() {
    let told = scheduled("cron = \"0 25 * * *\"");
    assert!(
        told.starts_with(
            "trainyard.toml:3:8: `0 25 * * *` is no time of cron: the hour, `25`: `25` is no number from 0 to 23"
        ),
        "{told}"
    );
    assert!(told.ends_with("for example `cron = \"0 3 * * *\"`"), "{told}");
}

#[test]
fn an_unknown_zone_is_told_with_the_nearest() {
    let told = scheduled("cron = \"@daily\"\nzone = \"Europe/Berln\"");
    assert!(told.starts_with("trainyard.toml:4:8: this machine knows no time zone `Europe/Berln`"), "{told}");
    assert!(told.ends_with("did you mean `Europe/Berlin`?"), "{told}");
}

#[test]
fn a_schedule_of_a_stage_that_is_not_there_is_told_with_the_nearest() {
    let told = scheduled("cron = \"@daily\"\nstage = \"tset\"");
    assert!(told.starts_with("trainyard.toml:4:9: a schedule is of stage `tset`, which is not defined"), "{told}");
    assert!(told.ends_with("did you mean `test`?"), "{told}");
}

#[test]
fn what_a_schedule_needs_and_names_that_are_taken_are_told() {
    let told = told_before_a_stage(
        "[[schedules]]\n[[schedules]]\nname = \"a\"\ncron = \"@daily\"\n[[schedules]]\nname = \"a\"\ncron = \"@daily\"",
    );
    assert!(
        told.contains("missing `name` in [[schedules]]") && told.contains("missing `cron` in [[schedules]]"),
        "{told}"
    );
    assert!(told.contains("trainyard.toml:6:8: two schedules are called `a`"), "{told}");
}

#[test]
fn a_schedule_says_when_and_what() {
    let lines = "[[schedules]]\nname = \"nightly\"\ncron = \"0 3 * * *\"\nzone = \"UTC\"\nstage = \"train\"\nforce = true\nmissed = \"run\"\n\
                 [[schedules]]\nname = \"all\"\ncron = \"@hourly\"\nforce = true\n[[schedules]]\nname = \"what is new\"\ncron = \"@daily\"\nstage = \"train\"\n";
    let schedules = settings(&format!("{lines}{LEAST}")).schedules;
    let [nightly, all, new] = schedules.as_slice() else { panic!("{schedules:?}") };
    assert_eq!((nightly.missed, all.missed), (Missed::Run, Missed::Skip));
    assert_eq!(nightly.next_after(Moment(0)), Some(Moment(3 * 3_600_000)));
    assert_eq!(nightly.times(), "0 3 * * * in UTC");
    let train = Some(StageName::from("train"));
    assert_eq!(nightly.selection(), Selection { from: train, only: false, force: false });
    assert_eq!(all.selection(), Selection { from: None, only: false, force: true });
    assert_eq!(new.selection(), Selection::default());
}

#[test]
fn a_remote_is_looked_at_every_minute_unless_it_is_said() {
    let source = |lines: &str| settings(&format!("[source]\n{lines}\n{LEAST}")).source;
    let remote = |poll| Some(RemoteSettings { name: "origin".to_owned(), poll });
    assert_eq!(source("remote = \"origin\"").remote, remote(Duration::from_mins(1)));
    assert_eq!(source("remote = \"origin\"\npoll = \"10s\"").remote, remote(Duration::from_secs(10)));
    let pushed = source("path = \"/srv/wine.git\"\ntrigger = \"push\"\nbranch = \"release/1.x\"");
    assert_eq!((pushed.trigger, pushed.branch.as_deref()), (SourceTrigger::Push, Some("release/1.x")));
    assert!(pushed.trigger.is_by_commit() && !SourceTrigger::Manual.is_by_commit());
}

#[test]
fn a_poll_without_a_remote_and_one_too_short_are_told() {
    let told = told_before_a_stage("[source]\npoll = \"1m\"");
    assert!(
        told.starts_with("trainyard.toml:2:1: `poll` says how often `remote` is looked at, and there is none"),
        "{told}"
    );
    let told = told_before_a_stage("[source]\nremote = \"origin\"\npoll = \"1s\"");
    assert!(told.contains("`poll` must be at least 5s, found 1s"), "{told}");
}

#[test]
fn what_git_would_take_for_an_option_is_refused() {
    for (line, message) in [
        ("remote = \"--upload-pack=evil\"", "`--upload-pack=evil` is neither the name of a remote nor a URL"),
        ("branch = \"-d\"", "`-d` cannot be the name of a branch"),
        ("branch = \"a..b\"", "`a..b` cannot be the name of a branch"),
        ("branch = \"refs//x\"", "`refs//x` cannot be the name of a branch"),
        ("branch = \"x.lock\"", "`x.lock` cannot be the name of a branch"),
        ("branch = \"main branch\"", "`main branch` cannot be the name of a branch"),
    ] {
        let told = told_before_a_stage(&format!("[source]\n{line}"));
        assert!(told.contains(message), "{line}: {told}");
    }
}
