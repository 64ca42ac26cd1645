//! When schedules fire, by moments that a test gives: clocks that jump, daemons that were away.

use super::*;
use crate::api::types::WatchHealth;
use crate::config::parse;

const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
const MINUTE: i64 = 60_000;

/// One schedule at three in the morning, by UTC, with these lines.
fn nightly(lines: &str) -> Vec<ScheduleSettings> {
    at("0 3 * * *", lines)
}

fn at(cron: &str, lines: &str) -> Vec<ScheduleSettings> {
    let text = format!(
        "[[schedules]]\nname = \"nightly\"\ncron = \"{cron}\"\nzone = \"UTC\"\n{lines}\n[stages.test]\ncommand = [\"true\"]\n"
    );
    parse(&text, "trainyard.toml").unwrap().schedules
}

/// A calendar that has known the schedules since midnight of the first day.
fn since_midnight(schedules: &[ScheduleSettings]) -> Calendar {
    let mut calendar = Calendar::default();
    assert!(calendar.due(schedules, Moment(0)).firing.is_empty());
    calendar
}

fn fires(calendar: &mut Calendar, schedules: &[ScheduleSettings], now: i64) -> bool {
    !calendar.due(schedules, Moment(now)).firing.is_empty()
}

#[test]
fn a_time_fires_once_when_it_has_come() {
    let schedules = nightly("");
    let mut calendar = since_midnight(&schedules);
    let fired: Vec<bool> = [3 * HOUR - 1, 3 * HOUR, 3 * HOUR + 1, 4 * HOUR, DAY + 3 * HOUR + 29_000]
        .into_iter()
        .map(|now| fires(&mut calendar, &schedules, now))
        .collect();
    assert_eq!(fired, [false, true, false, false, true]);
}

#[test]
fn several_times_within_one_look_are_one_run() {
    let schedules = at("* * * * *", "");
    let mut calendar = since_midnight(&schedules);
    assert!(fires(&mut calendar, &schedules, 5 * MINUTE));
    assert!(!fires(&mut calendar, &schedules, 5 * MINUTE + 30_000));
    assert!(fires(&mut calendar, &schedules, 6 * MINUTE));
}

#[test]
fn a_clock_that_is_set_back_does_not_fire_the_same_time_again_and_goes_on() {
    let schedules = nightly("");
    let mut calendar = since_midnight(&schedules);
    assert!(fires(&mut calendar, &schedules, 3 * HOUR));
    for now in [2 * HOUR, 3 * HOUR, 3 * HOUR + MINUTE] {
        assert!(!fires(&mut calendar, &schedules, now), "{now}");
    }
    assert!(fires(&mut calendar, &schedules, DAY + 3 * HOUR));
}

#[test]
fn a_clock_that_was_years_ahead_is_not_waited_for() {
    let schedules = nightly("");
    let mut calendar = since_midnight(&schedules);
    assert!(fires(&mut calendar, &schedules, 10_000 * DAY + 3 * HOUR));
    assert!(!fires(&mut calendar, &schedules, HOUR));
    assert!(fires(&mut calendar, &schedules, 3 * HOUR));
}

#[test]
fn a_jump_of_more_than_ten_minutes_over_a_time_has_missed_it() {
    let over = |lines: &str, minutes: i64| {
        let schedules = nightly(lines);
        let mut calendar = since_midnight(&schedules);
        assert!(!fires(&mut calendar, &schedules, 3 * HOUR - 1));
        let now = fires(&mut calendar, &schedules, 3 * HOUR + minutes * MINUTE);
        (now, fires(&mut calendar, &schedules, 3 * HOUR + (minutes + 1) * MINUTE))
    };
    assert_eq!(over("", 9), (true, false));
    assert_eq!(over("", 11), (false, false));
    assert_eq!(over("missed = \"run\"", 11), (true, false));
}

#[test]
fn what_passed_while_no_daemon_ran_is_one_run_or_none() {
    let after = |lines: &str, minutes: i64| {
        let schedules = nightly(lines);
        let kept = serde_json::to_vec(&since_midnight(&schedules)).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("schedules.json");
        write_whole(&path, &kept).unwrap();
        let mut calendar = Calendar::read(&path);
        let at_start = calendar.due(&schedules, Moment(5 * DAY + 3 * HOUR + minutes * MINUTE));
        let told: Vec<String> = at_start.missed.iter().map(|(schedule, at)| missed(&schedule.name, *at)).collect();
        (at_start.firing.len(), told, fires(&mut calendar, &schedules, 5 * DAY + 4 * HOUR))
    };
    let first = "schedule nightly missed its time, 1970-01-01 03:00 UTC: nothing could run then, nor within the 10 \
                 minutes behind it; `missed = \"run\"` would make up for it, and so does `trainyard run`";
    assert_eq!(after("", 11), (0, vec![first.to_owned()], false));
    assert_eq!(after("missed = \"run\"", 11), (1, Vec::new(), false));
    // The last of the times is so short a while ago that a machine may have been started anew meanwhile.
    assert_eq!(after("", 9), (1, Vec::new(), false));
}

#[test]
fn a_daemon_that_is_started_anew_within_minutes_of_a_time_fires_it_once_whoever_did() {
    let schedules = nightly("");
    let anew =
        |calendar: &Calendar| -> Calendar { serde_json::from_slice(&serde_json::to_vec(calendar).unwrap()).unwrap() };
    // Away from before the time until half a minute behind it.
    let mut calendar = since_midnight(&schedules);
    assert!(!fires(&mut calendar, &schedules, 3 * HOUR - 1));
    let mut calendar = anew(&calendar);
    assert!(fires(&mut calendar, &schedules, 3 * HOUR + MINUTE / 2));
    // And again right behind it: it has fired.
    let mut calendar = anew(&calendar);
    let due = calendar.due(&schedules, Moment(3 * HOUR + MINUTE));
    assert!(due.firing.is_empty() && due.missed.is_empty());
    // Also where the clock was set back across the time meanwhile.
    let mut calendar = anew(&calendar);
    assert!(!fires(&mut calendar, &schedules, 3 * HOUR - MINUTE));
    assert!(!fires(&mut calendar, &schedules, 3 * HOUR));
    assert!(fires(&mut calendar, &schedules, DAY + 3 * HOUR));
}

#[test]
fn a_schedule_that_is_new_or_has_other_times_has_missed_nothing() {
    let schedules = nightly("missed = \"run\"");
    let mut calendar = Calendar::default();
    assert!(calendar.due(&schedules, Moment(5 * HOUR)).firing.is_empty());
    let other = at("0 4 * * *", "missed = \"run\"");
    assert!(!fires(&mut calendar, &other, 6 * HOUR));
    assert!(fires(&mut calendar, &other, DAY + 4 * HOUR));
    assert!(calendar.due(&[], Moment(DAY + 5 * HOUR)).firing.is_empty());
    assert_eq!(calendar, Calendar::default());
}

#[test]
fn what_cannot_be_read_begins_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("schedules.json");
    assert_eq!(Calendar::read(&path), Calendar::default());
    fs::write(&path, "{\"nightly\": 5}").unwrap();
    assert_eq!(Calendar::read(&path), Calendar::default());
}

#[test]
fn the_clock_is_looked_at_when_something_is_due_and_at_least_every_half_minute() {
    let schedules = nightly("");
    assert_eq!(until_next(&schedules, Moment(0)), LOOK);
    assert_eq!(until_next(&schedules, Moment(3 * HOUR - 2000)), Duration::from_secs(2));
    assert_eq!(until_next(&[], Moment(0)), LOOK);
}

#[test]
fn nothing_fires_while_the_source_cannot_be_seen() {
    let status = Status::default();
    let sees = |mode| {
        status.watch(WatchHealth { mode, last_seen: None, pending: BTreeMap::new(), beside: None });
        sees_source(&status)
    };
    let reason = || "source.git has no branch `main`".to_owned();
    assert!(sees(WatchMode::Notified) && sees(WatchMode::Polling { reason: reason() }));
    assert!(!sees(WatchMode::Blind { reason: reason() }));
}
