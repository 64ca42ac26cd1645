//! Dying and coming back: the daemon, a stage and its supervisor killed at a bad moment, and stages that do not want to end.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};
use support::{PATIENCE, Project, carrying, is_alive, send, stage_word, wait_for};
use trainyard::engine::journal::Journal;

/// Prints numbered lines for more than two seconds.
const COUNTING: &str = r#"
line=1
while [ $line -le 120 ]; do
  echo "line $line"
  sleep 0.02
  line=$((line + 1))
done
echo made > "$TRAINYARD_MODEL/made"
"#;
/// Says who it is and then goes on for ever.
const ENDLESS: &str = "echo made > \"$TRAINYARD_MODEL/made\"\necho \"pid $$\"\nsleep 1000\n";
/// The first line of the log of an endless stage.
const PID: &str = "pid ";
/// How long ended processes may take to vanish.
const GONE: Duration = Duration::from_secs(10);

/// A project of two stages, `train` with these settings and this script, `test` with these.
fn project(train: (&str, &str), test: (&str, &str)) -> Project {
    let configuration = format!(
        r#"
[project]
name = "recovery"
[data]
settle = "100ms"
[stages.train]
command = ["sh", "train.sh"]
environment = {{ MARKER = "@MARK@" }}
grace = "500ms"
{}
[stages.test]
needs = ["train"]
command = ["sh", "test.sh"]
environment = {{ MARKER = "@MARK@" }}
grace = "500ms"
{}
"#,
        train.0, test.0
    );
    let project = Project::with(&configuration, &[("train.sh", train.1), ("test.sh", test.1)]);
    project.up();
    project.register("first.csv", "x\n1\n");
    project
}

fn train_alone(script: &str) -> Project {
    project(("", script), ("", "true\n"))
}

/// What the first attempt of train has printed, read from the disk, with or without a daemon.
fn printed(project: &Project) -> String {
    fs::read_to_string(project.state("runs/1/train.1/log")).unwrap_or_default()
}

#[track_caller]
fn wait_for_output(project: &Project, text: &str) {
    wait_for("the output of train", PATIENCE, || printed(project).contains(text).then_some(()));
}

/// Kills the daemon and waits until it is gone.
fn kill_daemon(project: &Project) {
    let daemon = project.daemon();
    send(daemon, Signal::KILL);
    wait_for("the end of the daemon", GONE, || (!is_alive(daemon)).then_some(()));
}

#[track_caller]
fn assert_nothing_is_left(project: &Project) {
    wait_for("the end of all that the stages started", GONE, || carrying(&project.mark()).is_empty().then_some(()));
}

/// Folds and checks the whole journal, without a daemon.
fn verify_journal(project: &Project) {
    project.command(&["down"]).ok();
    let (journal, state) = Journal::open(&project.state("journal.db")).unwrap();
    assert_eq!(journal.verify().unwrap(), state);
}

fn failure(run: &Value, stage: &str) -> Value {
    run["stages"][stage]["state"]["failed"]["failure"].clone()
}

#[test]
fn a_daemon_killed_in_the_middle_of_train_comes_back_to_a_true_board_and_a_whole_log() {
    let project = train_alone(COUNTING);
    wait_for_output(&project, "line 20\n");
    kill_daemon(&project);
    let before = printed(&project).len();
    wait_for("output while no daemon runs", PATIENCE, || (printed(&project).len() > before).then_some(()));
    project.up();
    let run = project.expect_run(1, "passed");
    assert_eq!(run["stages"]["train"]["attempt"], 1, "nothing was run twice");
    let log = project.log(1, "train");
    let lines: Vec<String> = (1..=120).map(|line| format!("line {line}")).collect();
    assert_eq!(log.lines().collect::<Vec<_>>(), lines, "every line once");
    assert_eq!(project.runs(), 1);
    verify_journal(&project);
}

#[test]
fn a_stage_that_ends_while_no_daemon_runs_is_not_lost() {
    let project = train_alone(COUNTING);
    wait_for_output(&project, "line 1\n");
    kill_daemon(&project);
    wait_for("the end of train", PATIENCE, || project.state("runs/1/train.1/exit.json").exists().then_some(()));
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("no daemon runs"), "{board}");
    project.up();
    let run = project.expect_run(1, "passed");
    assert_eq!((stage_word(&run, "train"), stage_word(&run, "test")), ("passed".to_owned(), "passed".to_owned()));
    assert_eq!(run["stages"]["train"]["attempt"], 1);
    verify_journal(&project);
}

#[test]
fn a_killed_stage_fails_with_the_signal_as_its_reason() {
    let project = train_alone(ENDLESS);
    wait_for_output(&project, "pid ");
    let pid = printed(&project).lines().find_map(|line| line.strip_prefix(PID)?.parse().ok()).unwrap();
    send(pid, Signal::KILL);
    let run = project.expect_run(1, "failed");
    assert_eq!(failure(&run, "train"), json!({ "signal": { "signal": 9 } }));
    assert_eq!(stage_word(&run, "test"), "not_run");
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("killed from outside by signal 9 (KILL)"), "{board}");
    assert_nothing_is_left(&project);
}

#[test]
fn a_killed_supervisor_is_no_success_and_leaves_no_process() {
    let project = train_alone(ENDLESS);
    wait_for_output(&project, "pid ");
    let supervision = fs::read(project.state("runs/1/train.1/supervisor.json")).unwrap();
    let supervision: Value = serde_json::from_slice(&supervision).unwrap();
    let pid = supervision["supervisor"]["pid"].as_u64().and_then(|pid| u32::try_from(pid).ok()).unwrap();
    send(pid, Signal::KILL);
    let run = project.expect_run(1, "failed");
    assert_eq!(stage_word(&run, "train"), "interrupted");
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("nobody saw how it ended"), "{board}");
    assert_nothing_is_left(&project);
}

#[test]
fn a_cancelled_stage_that_forks_ignores_term_and_holds_the_pipe_leaves_no_process() {
    // One child in a session of its own, one orphaned, and all of them deaf.
    let project = train_alone(
        r#"
trap '' TERM
setsid sh -c 'trap "" TERM; echo away; while :; do sleep 1; done' &
( ( trap '' TERM; echo orphan; while :; do sleep 1; done ) & )
echo ready
while :; do sleep 1; done
"#,
    );
    for line in ["away\n", "orphan\n", "ready\n"] {
        wait_for_output(&project, line);
    }
    assert!(carrying(&project.mark()).len() >= 3, "the stage and two that it started");
    project.command(&["cancel"]).ok();
    let run = project.expect_run(1, "cancelled");
    assert_eq!((stage_word(&run, "train"), stage_word(&run, "test")), ("cancelled".to_owned(), "cancelled".to_owned()));
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("cancelled by tester"), "{board}");
    assert_nothing_is_left(&project);
}

#[test]
fn a_cancel_is_carried_out_by_the_daemon_that_comes_after_a_killed_one() {
    let project = train_alone("trap '' TERM\necho ready\nwhile :; do sleep 1; done\n");
    wait_for_output(&project, "ready\n");
    kill_daemon(&project);
    project.command(&["cancel"]).expect_code(3);
    project.up();
    project.command(&["cancel"]).ok();
    project.expect_run(1, "cancelled");
    assert_nothing_is_left(&project);
}

#[test]
fn a_grandchild_that_keeps_the_pipe_open_does_not_hang_a_stage_that_passed() {
    let project = train_alone("echo made > \"$TRAINYARD_MODEL/made\"\nsleep 1000 &\necho done\n");
    let run = project.expect_run(1, "passed");
    assert_eq!(run["stages"]["train"]["output_held"], true);
    let events = project.command(&["events"]).ok().stdout;
    assert!(events.contains("held its log open"), "{events}");
    assert_nothing_is_left(&project);
}

#[test]
fn a_stage_beyond_its_time_is_stopped_and_says_so() {
    let project = project(("timeout = \"700ms\"", ENDLESS), ("", "true\n"));
    let run = project.expect_run(1, "failed");
    assert_eq!(failure(&run, "train"), json!("timed_out"));
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("stopped because its time was over"), "{board}");
    assert_nothing_is_left(&project);
}

#[test]
fn a_failed_stage_is_tried_again_as_often_as_it_may_be() {
    let second_time = "echo made > \"$TRAINYARD_MODEL/made\"\n[ \"$TRAINYARD_ATTEMPT\" -ge 2 ]\n";
    let project = project(("retries = 1", second_time), ("retries = 1", "exit 7\n"));
    let run = project.expect_run(1, "failed");
    assert_eq!((stage_word(&run, "train"), &run["stages"]["train"]["attempt"]), ("passed".to_owned(), &json!(2)));
    assert_eq!(failure(&run, "test"), json!({ "exit": { "code": 7, "said": "" } }));
    assert_eq!(run["stages"]["test"]["attempt"], 2);
}

#[test]
fn a_newer_run_takes_the_place_of_an_older_one_and_ends_its_stages() {
    let project = train_alone(ENDLESS);
    wait_for_output(&project, "pid ");
    project.write("train.sh", "echo made > \"$TRAINYARD_MODEL/made\"\n");
    let run = project.expect_run(1, "superseded");
    assert_eq!(run["stopping"], json!({ "superseded": { "by": 2 } }));
    project.expect_run(2, "passed");
    assert_nothing_is_left(&project);
}
