//! Locks, approvals and the trail of who asked for what, through the real program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::process::{Child, Stdio};

use rustix::process::Signal;
use serde_json::Value;
use support::{Finished, PATIENCE, Project, finish, send, stage_word, wait_for};

/// Its second stage waits for a person.
const APPROVED: &str = r#"
[project]
name = "approved"
[data]
settle = "100ms"
[stages.train]
command = ["sh", "train.sh"]
[stages.test]
needs = ["train"]
approve = ["alice", "bob"]
command = ["sh", "test.sh"]
"#;

fn approved() -> Project {
    let scripts = [("train.sh", "echo made > \"$TRAINYARD_MODEL/made\"\n"), ("test.sh", "true\n")];
    let project = Project::with(APPROVED, &scripts);
    project.up();
    project.register("first.csv", "x\n1\n");
    project.wait_for_stage(1, "test", "awaiting_approval");
    project
}

fn command_of(project: &Project, operator: &str, arguments: &[&str]) -> Finished {
    finish(project.trainyard(arguments).env("TRAINYARD_OPERATOR", operator), PATIENCE)
}

/// The events that match, one JSON document each.
fn events(project: &Project, filter: &[&str]) -> Vec<Value> {
    let arguments: Vec<&str> = ["events", "--json", "--limit", "0"].iter().chain(filter).copied().collect();
    let printed = project.command(&arguments).ok().stdout;
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// A lock that is held while a command reads what never comes.
fn holding(project: &Project) -> Child {
    let script = "cat > /dev/null; exit 7";
    let child = project
        .trainyard(&["lock", "backup", "--", "sh", "-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let pid = u64::from(child.id());
    project.wait_until("the lock", |snapshot| {
        (snapshot["state"]["lock"]["holder"]["pid"].as_u64() == Some(pid)).then_some(())
    });
    child
}

fn wait_until_unlocked(project: &Project) {
    project.wait_until("the end of the lock", |snapshot| snapshot["state"]["lock"].is_null().then_some(()));
}

#[test]
fn a_lock_is_told_to_everybody_and_is_one_persons() {
    let project = Project::light();
    project.up();
    project.command(&["lock", "  "]).expect_code(1);
    let said = project.command(&["lock", "data migration", "--for", "2h"]).ok().stdout;
    assert!(said.starts_with("deploys are held until ") && said.ends_with(": data migration\n"), "{said}");
    let told = project.command(&["status"]).ok().stdout;
    assert!(told.contains("lock       tester has held deploys for "), "{told}");
    assert!(told.contains(": data migration; until "), "{told}");
    let refused = command_of(&project, "mina", &["lock", "mine"]).expect_code(1).stderr;
    assert!(refused.contains("tester") && refused.contains("data migration"), "{refused}");
    command_of(&project, "mina", &["unlock", "-m", "it is over"]).ok();
    wait_until_unlocked(&project);
    project.command(&["unlock"]).expect_code(1);
}

#[test]
fn a_lock_is_held_while_a_command_runs_and_its_exit_code_is_handed_on() {
    let project = Project::light();
    project.up();
    let mut child = holding(&project);
    let told = project.command(&["status"]).ok().stdout;
    assert!(told.contains(&format!("as long as process {} on ", child.id())), "{told}");
    drop(child.stdin.take());
    let ended = wait_for("the command to end", PATIENCE, || child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(7));
    assert!(project.snapshot()["state"]["lock"].is_null(), "it was given back before we ended");
}

#[test]
fn a_lock_whose_command_is_told_to_end_is_given_back() {
    let project = Project::light();
    project.up();
    let mut child = holding(&project);
    send(child.id(), Signal::TERM);
    let ended = wait_for("the command to end", PATIENCE, || child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(143), "as a shell tells it");
    assert!(project.snapshot()["state"]["lock"].is_null());
}

#[test]
fn a_lock_whose_holder_was_killed_ends_by_itself() {
    let project = Project::light();
    project.up();
    let mut child = holding(&project);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_until_unlocked(&project);
    let mut unlocked = events(&project, &[]).into_iter().map(|event| event["event"]["unlocked"].clone());
    let unlocked = unlocked.find(|event| !event.is_null()).expect("the end of the lock in the trail");
    assert!(unlocked["by"].is_null(), "nobody unlocked: {unlocked}");
    assert!(unlocked["why"].as_str().is_some_and(|why| why.contains(&child.id().to_string())), "{unlocked}");
}

#[test]
fn a_lock_without_a_command_that_can_be_started_is_no_lock() {
    let project = Project::light();
    project.up();
    let refused = project.command(&["lock", "backup", "--", "/no/such/program"]).expect_code(2).stderr;
    assert!(refused.contains("cannot start `/no/such/program`"), "{refused}");
    assert!(project.snapshot()["state"]["lock"].is_null());
}

#[test]
fn a_stage_waits_for_the_word_of_one_who_is_asked_also_over_a_restart() {
    let project = approved();
    let told = project.command(&["status"]).ok().stdout;
    assert!(told.contains("approval   test of run 1 waits for alice or bob; `trainyard approve`"), "{told}");
    let refused = project.command(&["approve"]).expect_code(1).stderr;
    assert!(refused.contains("alice") && refused.contains("bob"), "{refused}");
    project.command(&["down"]).ok();
    project.up();
    project.wait_for_stage(1, "test", "awaiting_approval");
    let said = command_of(&project, "bob", &["approve", "1", "-m", "looked at it"]).ok().stdout;
    assert!(said.starts_with("to approve: test of run 1 (") && said.ends_with("approved; run 1 goes on\n"), "{said}");
    let run = project.expect_run(1, "passed");
    assert_eq!(run["stages"]["test"]["approved"]["by"], "bob");
    assert_eq!(run["stages"]["test"]["approved"]["message"], "looked at it");
    project.command(&["approve"]).expect_code(1);
}

#[test]
fn a_stage_that_is_declined_does_not_run() {
    let project = approved();
    command_of(&project, "alice", &["decline", "--stage", "test", "-m", "not on a Friday"]).ok();
    let run = project.finished_run(1);
    assert_eq!((stage_word(&run, "train"), stage_word(&run, "test")), ("passed".to_owned(), "not_run".to_owned()));
    let declined = &run["stages"]["test"]["state"]["not_run"]["obstacle"]["declined"];
    assert_eq!((&declined["by"], &declined["message"]), (&Value::from("alice"), &Value::from("not on a Friday")));
}

#[test]
fn the_trail_says_who_asked_for_what_and_why_and_is_found_by_each_of_them() {
    let project = Project::light();
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "passed");
    command_of(&project, "mina", &["run", "test", "--wait", "-m", "hotfix of the loader"]).ok();
    command_of(&project, "mina", &["cancel", "-m", "too late"]).expect_code(1);
    let all = events(&project, &[]);
    let numbers: Vec<u64> = all.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "the whole trail, in order: {numbers:?}");
    let commanded = |filter: &[&str]| -> Vec<Value> {
        let found = events(&project, filter);
        found.iter().map(|event| event["event"]["commanded"].clone()).filter(|event| !event.is_null()).collect()
    };
    let of_mina = commanded(&["--by", "mina"]);
    assert_eq!(of_mina.len(), 2, "{of_mina:?}");
    assert_eq!((&of_mina[0]["message"], &of_mina[0]["run"]), (&Value::from("hotfix of the loader"), &Value::from(2)));
    assert!(!of_mina[1]["refused"].is_null(), "what was refused is in the trail too: {}", of_mina[1]);
    assert_eq!(commanded(&["--grep", "HOTFIX"]).len(), 1);
    assert!(events(&project, &["--by", "nobody"]).is_empty());
    assert!(events(&project, &["--until", "1h"]).is_empty());
    assert_eq!(events(&project, &["--since", "1h"]).len(), all.len());
    let of_run = events(&project, &["--run", "1", "--stage", "test"]);
    assert!(!of_run.is_empty() && of_run.len() < all.len(), "{} events", of_run.len());
    command_of(&project, "mina", &["down"]).ok();
    assert_eq!(commanded(&["--by", "mina"]), of_mina, "the journal alone says the same");
    let ended = events(&project, &["--by", "mina"]).pop().unwrap();
    assert_eq!(ended["event"]["daemon_ended"]["with_app"], false, "whoever ended the daemon is found by it: {ended}");
    project.up();
    command_of(&project, "mina", &["down", "--all", "--yes"]).ok();
    let ended = events(&project, &["--by", "mina"]).pop().unwrap();
    assert_eq!(ended["event"]["daemon_ended"]["with_app"], true, "she stopped the app too: {ended}");
}
