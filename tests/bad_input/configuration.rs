//! Broken TOML, unknown keys, and programs that are not there.

use serde_json::json;

use crate::support::{Project, stage_word};

/// One error a line, of every kind.
const BROKEN: &str = r#"[sorce]
path = "."
[data]
settle = 500
include = ["*.csv"
[stages.train]
comand = ["sh", "train.sh"]
timeout = "10 minutes"
[stages.test]
command = "sh test.sh"
"#;
/// Well-formed, and yet it cannot be meant.
const MISTAKEN: &str = r#"[stages.train]
uses = "train"
target = "kind"
[stages.test]
needs = ["trian"]
command = ["true"]
[stages.deploy]
uses = "deploy"
needs = ["deploy"]
prot = 8080
"#;

#[test]
fn every_error_of_a_configuration_is_told_at_once_with_line_column_and_mend() {
    let project = Project::bare();
    project.write("trainyard.toml", BROKEN);
    let checked = project.command(&["check"]).expect_code(2).stdout;
    for place in ["trainyard.toml:1:2: unknown table `sorce`", "trainyard.toml:4:10: expected a duration"] {
        assert!(checked.contains(place), "`{place}` is not told:\n{checked}");
    }
    for mend in ["did you mean `source`?", "did you mean `command`?", "say the unit: `settle = \"500s\"`"] {
        assert!(checked.contains(mend), "`{mend}` is not told:\n{checked}");
    }

    let report = project.command(&["check", "--json"]).expect_code(2).json();
    assert_eq!(report["valid"], false);
    let lines: Vec<u64> =
        report["errors"].as_array().unwrap().iter().map(|error| error["line"].as_u64().unwrap()).collect();
    assert!(lines.is_sorted(), "{lines:?}");
    for line in [1, 4, 7, 8, 10] {
        assert!(lines.contains(&line), "the error in line {line} is not told:\n{checked}");
    }
    assert!(lines.iter().any(|line| (5..=6).contains(line)), "the open array is not told:\n{checked}");
    for error in report["errors"].as_array().unwrap() {
        assert!(error["column"].as_u64().unwrap() > 0 && !error["hint"].as_str().unwrap().is_empty(), "{error}");
    }

    for arguments in [&["up"][..], &["run"], &["plan"]] {
        let refused = project.command(arguments).expect_code(2).stderr;
        assert!(refused.contains("trainyard.toml:1:2: unknown table `sorce`"), "{refused}");
    }
    assert!(!project.state("journal.db").exists(), "nothing was begun");
}

#[test]
fn what_is_well_formed_and_cannot_be_meant_is_told_with_the_nearest_name() {
    let project = Project::bare();
    project.write("trainyard.toml", MISTAKEN);
    let checked = project.command(&["check"]).expect_code(2).stdout;
    for sentence in [
        "trainyard.toml:5:10: stage `test` needs `trian`, which is not defined",
        "did you mean `train`?",
        "trainyard.toml:9:10: stage `deploy` needs itself",
        "trainyard.toml:10:1: unknown key `prot` in [stages.deploy]",
        "did you mean `port`?",
        "3 errors",
    ] {
        assert!(checked.contains(sentence), "`{sentence}` is not told:\n{checked}");
    }
}

#[test]
fn a_folder_without_a_configuration_is_told_what_makes_one() {
    let project = Project::bare();
    for arguments in [&["check"][..], &["up"], &["status"], &["run"], &["logs", "train"]] {
        let refused = project.command(arguments).expect_code(2).stderr;
        assert!(
            refused.contains("no trainyard.toml in") && refused.contains("`trainyard init` writes one"),
            "{refused}"
        );
    }
}

#[test]
fn a_configuration_that_breaks_while_the_daemon_runs_leaves_the_former_in_force() {
    let project = Project::light();
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "passed");
    project.write("trainyard.toml", BROKEN);
    let problem = project.wait_until("the problem to be told", |snapshot| {
        snapshot["live"]["problems"]["configuration"].as_str().map(str::to_owned)
    });
    assert!(problem.contains("trainyard.toml:1:2: unknown table `sorce`"), "{problem}");
    assert!(problem.contains("the former configuration stays in force"), "{problem}");
    project.register("second.csv", "x\n2\n");
    project.expect_run(2, "passed");
}

#[test]
fn a_stage_command_that_does_not_exist_fails_with_its_name() {
    let configuration = "[data]\nsettle = \"100ms\"\n[stages.train]\ncommand = [\"no-such-program\", \"--fast\"]\n";
    let project = Project::with(configuration, &[]);
    let checked = project.command(&["check"]).ok().stdout;
    assert!(checked.contains("stage `train` runs `no-such-program`, which is not in PATH"), "{checked}");
    project.up();
    project.register("first.csv", "x\n1\n");
    let run = project.expect_run(1, "failed");
    assert_eq!(stage_word(&run, "train"), "failed");
    let error = &run["stages"]["train"]["state"]["failed"]["failure"]["not_started"]["error"];
    assert!(error.as_str().is_some_and(|error| error.starts_with("no-such-program: ")), "{error}");
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("could not be started: no-such-program"), "{board}");
    assert_eq!(run["stages"]["train"]["attempt"], json!(1));
}
