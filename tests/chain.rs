//! The chain runs by itself: what a user does to data and source, and exactly what follows from it.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs::{self, File};
use std::io::Write;
use std::time::Duration;

use serde_json::{Value, json};
use support::{PATIENCE, Project, RECORD, customers, get, pause, post, stage_word, wait_for};

/// The release that answers on the stable address.
fn serving(project: &Project) -> String {
    let version = get(project.port(), "/version").expect("the app answers").json();
    version["release"].as_str().unwrap_or_default().to_owned()
}

/// What would be done with a stage, and why.
fn planned(project: &Project, stage: &str) -> (String, String) {
    let plan = project.command(&["plan", "--json"]).ok().json();
    let entry = plan.as_array().unwrap().iter().find(|entry| entry["stage"] == stage).cloned().unwrap_or_default();
    let text = |key: &str| entry[key].as_str().unwrap_or_default().to_owned();
    (text("action"), text("reason"))
}

fn words(run: &Value, stages: &[&str]) -> Vec<String> {
    stages.iter().map(|stage| stage_word(run, stage)).collect()
}

const CHAIN: [&str; 4] = ["train", "test", "build", "deploy"];

#[test]
fn a_dropped_csv_is_trained_tested_built_deployed_and_watched_with_no_key_pressed() {
    let project = Project::with_app();
    project.up();
    project.wait_until("the first look at the source", |snapshot| snapshot["state"]["inputs"].as_object().map(|_| ()));
    assert_eq!(planned(&project, "train"), ("hold".to_owned(), "no data file is registered".to_owned()));
    assert_eq!(planned(&project, "test"), ("hold".to_owned(), "train did not run".to_owned()));
    assert_eq!(project.runs(), 0, "without data there is nothing to run");

    project.register("first.csv", customers(0, 300));
    let run = project.expect_run(1, "passed");
    assert_eq!(words(&run, &CHAIN), ["passed"; 4]);
    assert_eq!(run["inputs"]["data"]["rows"], 300);
    assert!(project.log(1, "test").contains("tested"));
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("it had never passed"), "the board says why a stage ran:\n{board}");

    let answer = post(project.port(), "/predict", RECORD).unwrap();
    assert_eq!((answer.status, &answer.json()["prediction"]), (200, &json!("gold")), "{}", answer.body);
    assert_eq!(serving(&project), "1");
    let releases = project.command(&["releases", "--json"]).ok().json();
    assert_eq!(releases[0]["status"], "live");
    let models = project.command(&["models", "--json"]).ok().json();
    assert_eq!(models[0]["live"], true);
    assert!(models[0]["metrics"]["accuracy"].as_f64().unwrap() > 0.9, "{models}");
    wait_for("a scrape of the app", PATIENCE, || {
        let rows = project.command(&["query", "up", "--json"]).ok().json();
        (rows[0]["value"] == "1").then_some(())
    });

    for stage in ["train", "test", "build"] {
        let reason = "nothing it depends on changed since run 1".to_owned();
        assert_eq!(planned(&project, stage), ("skip".to_owned(), reason), "{stage}");
    }
    assert_eq!(planned(&project, "deploy"), ("skip".to_owned(), "release 1 is the same and live".to_owned()));
    assert_eq!(project.runs(), 1);
}

#[test]
fn saved_source_is_tested_built_and_deployed_but_not_trained_and_a_rollback_goes_back() {
    let project = Project::with_app();
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");

    project.write("app/greeting.txt", "hello again\n");
    let run = project.expect_run(2, "passed");
    assert_eq!(words(&run, &CHAIN), ["skipped", "passed", "passed", "passed"]);
    assert_eq!(run["trigger"], json!({ "source": { "files": ["app/greeting.txt"] } }));
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("nothing it depends on changed since run 1"), "{board}");
    assert!(board.contains("the source changed"), "{board}");
    assert_eq!(serving(&project), "2");

    project.command(&["rollback", "--wait"]).ok();
    let state = project.snapshot()["state"].clone();
    assert_eq!((&state["live"], &state["releases"]["3"]["repeats"]), (&json!(3), &json!(1)));
    assert_eq!(state["releases"]["2"]["status"], "rejected");
    assert_eq!(serving(&project), "3");
    // What was gone back from is not deployed again by itself.
    let reason = "the same was rejected as release 2; change an input, or run this stage by hand".to_owned();
    assert_eq!(planned(&project, "deploy"), ("hold".to_owned(), reason));
}

#[test]
fn a_failing_test_stops_before_the_build_and_the_old_release_goes_on_serving() {
    let project = Project::with_app();
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");

    project.write("app/greeting.txt", "good bye\n");
    let run = project.expect_run(2, "failed");
    assert_eq!(words(&run, &CHAIN), ["skipped", "failed", "not_run", "not_run"]);
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("exit code 1") && board.contains("test did not pass"), "{board}");
    assert_eq!(serving(&project), "1");
    assert_eq!(post(project.port(), "/predict", RECORD).unwrap().status, 200);

    project.write("app/greeting.txt", "hello\n");
    let run = project.expect_run(3, "passed");
    assert_eq!(words(&run, &CHAIN), ["skipped"; 4], "all of it has been done before, and its outputs are there");
    assert_eq!(serving(&project), "1");
}

#[test]
fn a_csv_written_in_ten_pieces_gives_one_run_on_the_whole_file() {
    let project = Project::light();
    project.up();
    let text = customers(0, 500);
    let mut file = File::create(project.folder().join("data/slow.csv")).unwrap();
    for piece in text.as_bytes().chunks(text.len().div_ceil(10)) {
        file.write_all(piece).unwrap();
        file.flush().unwrap();
        pause(Duration::from_millis(300));
        assert_eq!(project.runs(), 0, "nothing runs on half a file");
    }
    drop(file);
    let run = project.expect_run(1, "passed");
    assert_eq!(run["inputs"]["data"]["rows"], 500);
    assert_only_one_run_follows(&project);
}

#[test]
fn a_bulk_copy_of_twenty_files_gives_one_run() {
    let project = Project::light();
    let outside = project.outside().join("one.csv");
    fs::write(&outside, customers(0, 200)).unwrap();
    project.up();
    for number in 0..20 {
        fs::copy(&outside, project.folder().join(format!("data/{number}.csv"))).unwrap();
    }
    let run = project.expect_run(1, "passed");
    assert_eq!((&run["inputs"]["data"]["count"], &run["inputs"]["data"]["rows"]), (&json!(20), &json!(4_000)));
    assert_only_one_run_follows(&project);
}

#[test]
fn a_file_renamed_into_place_gives_one_run() {
    let project = Project::light();
    project.up();
    let hidden = project.folder().join("data/.first.csv.part");
    fs::write(&hidden, customers(0, 50)).unwrap();
    fs::rename(&hidden, project.folder().join("data/first.csv")).unwrap();
    let run = project.expect_run(1, "passed");
    assert_eq!(run["inputs"]["data"]["rows"], 50);
    assert_only_one_run_follows(&project);
}

/// That nothing more comes of what was done is shown by what comes next: one more file, and the run after this is of it.
fn assert_only_one_run_follows(project: &Project) {
    project.register("next.csv", customers(1_000, 10));
    let run = project.expect_run(2, "passed");
    assert_eq!(run["trigger"], json!({ "data": { "files": ["next.csv"] } }));
    assert_eq!(project.runs(), 2);
}

#[test]
fn what_git_or_the_configuration_ignores_starts_nothing() {
    let project = Project::light_with("ignore = [\"docs/**\"]", "true\n");
    project.write("docs/index.md", "there before\n");
    project.commit("documents");
    project.up();
    project.register("first.csv", customers(0, 10));
    project.expect_run(1, "passed");

    project.write("debug.log", "ignored by git\n");
    project.write("docs/notes.md", "ignored by the configuration\n");
    project.write("notes.txt", "part of the source\n");
    let run = project.expect_run(2, "passed");
    assert_eq!(run["trigger"], json!({ "source": { "files": ["notes.txt"] } }));
    assert_eq!(words(&run, &["train", "test"]), ["skipped", "passed"]);
    assert_eq!(project.runs(), 2);
}

#[test]
fn a_commit_runs_on_a_clean_checkout_whatever_the_work_tree_holds() {
    let project = Project::light_with("trigger = \"commit\"", "echo here: $PWD; cat version.txt\n");
    project.write("version.txt", "version one\n");
    project.commit("one");
    project.up();
    project.register("first.csv", customers(0, 10));
    project.expect_run(1, "passed");
    assert!(project.log(1, "test").contains("version one"));

    // The work tree is broken, and that is nobody's affair until it is committed.
    project.write("test.sh", "exit 1\n");
    project.write("version.txt", "version broken\n");
    project.register("second.csv", customers(100, 10));
    let run = project.expect_run(2, "passed");
    assert_eq!(run["trigger"], json!({ "data": { "files": ["second.csv"] } }));
    assert!(project.log(2, "test").contains("version one"));

    project.write("test.sh", "echo here: $PWD; cat version.txt\n");
    project.write("version.txt", "version two\n");
    let commit = project.commit("two is better");
    project.write("version.txt", "version three, not committed\n");
    let run = project.expect_run(3, "passed");
    assert_eq!(run["trigger"], json!({ "commit": { "commit": commit, "summary": "two is better" } }));
    assert_eq!(words(&run, &["train", "test"]), ["skipped", "passed"]);
    let log = project.log(3, "test");
    assert!(log.contains("version two"), "{log}");
    assert!(log.contains(&format!("here: {}", project.state("runs/3/source").display())), "{log}");
    assert_eq!(project.runs(), 3);
}

#[test]
fn one_stage_alone_needs_what_is_before_it_and_force_repeats_what_is_up_to_date() {
    let project = Project::light();
    project.up();
    project.register("first.csv", customers(0, 10));
    project.expect_run(1, "passed");

    project.command(&["run", "--wait"]).ok();
    assert_eq!(words(&project.finished_run(2), &["train", "test"]), ["skipped", "skipped"]);
    project.command(&["run", "test", "--only", "--wait"]).ok();
    assert_eq!(words(&project.finished_run(3), &["train", "test"]), ["skipped", "passed"]);
    let forced = project.command(&["run", "--force", "--wait"]).ok();
    assert_eq!(words(&project.finished_run(4), &["train", "test"]), ["passed", "passed"]);
    assert!(forced.stdout.starts_with("run 4\n"), "{}", forced.stdout);
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("asked for"), "{board}");
}
