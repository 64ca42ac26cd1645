//! The command line as its reader sees it: every help text, every exit code, and what is printed for machines.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::process::Command;

use rustix::process::Signal;
use serde_json::Value;
use support::{PATIENCE, PROGRAM, Project, finish, send, wait_for};

/// What a command says of itself, as wide as a terminal of 100 columns shows it.
fn help(words: &[&str]) -> String {
    let mut command = Command::new(PROGRAM);
    command.args(words).arg("--help").env("COLUMNS", "100").env_remove("NO_COLOR");
    finish(&mut command, PATIENCE).ok().stdout
}

/// One test a command, so that a change of one is seen as one.
macro_rules! help {
    ($($test:ident: $($word:literal)*;)*) => {
        $(
            #[test]
            fn $test() {
                insta::assert_snapshot!(stringify!($test), help(&[$($word),*]));
            }
        )*
    };
}

help! {
    help_of_trainyard: ;
    help_of_attach: "attach";
    help_of_demo: "demo";
    help_of_init: "init";
    help_of_check: "check";
    help_of_doctor: "doctor";
    help_of_up: "up";
    help_of_down: "down";
    help_of_run: "run";
    help_of_plan: "plan";
    help_of_cancel: "cancel";
    help_of_lock: "lock";
    help_of_unlock: "unlock";
    help_of_approve: "approve";
    help_of_decline: "decline";
    help_of_status: "status";
    help_of_runs: "runs";
    help_of_logs: "logs";
    help_of_events: "events";
    help_of_projects: "projects";
    help_of_data: "data";
    help_of_data_check: "data" "check";
    help_of_data_infer: "data" "infer";
    help_of_data_profile: "data" "profile";
    help_of_models: "models";
    help_of_models_diff: "models" "diff";
    help_of_models_note: "models" "note";
    help_of_promote: "promote";
    help_of_predict: "predict";
    help_of_releases: "releases";
    help_of_rollback: "rollback";
    help_of_query: "query";
    help_of_scrape: "scrape";
    help_of_alerts: "alerts";
    help_of_alerts_silence: "alerts" "silence";
    help_of_alerts_unsilence: "alerts" "unsilence";
    help_of_notify: "notify";
    help_of_notify_test: "notify" "test";
    help_of_export: "export";
    help_of_export_prometheus: "export" "prometheus";
    help_of_export_grafana: "export" "grafana";
    help_of_export_csv: "export" "csv";
    help_of_export_svg: "export" "svg";
    help_of_serve: "serve";
    help_of_config: "config";
    help_of_config_schema: "config" "schema";
    help_of_config_reference: "config" "reference";
    help_of_config_preferences: "config" "preferences";
    help_of_config_theme: "config" "theme";
    help_of_completions: "completions";
    help_of_man: "man";
}

#[test]
fn every_command_that_is_named_has_its_help_tested() {
    let named: Vec<String> = help(&[])
        .lines()
        .skip_while(|line| *line != "Commands:")
        .skip(1)
        .take_while(|line| !line.is_empty())
        // A description that goes on in the next line is indented further.
        .filter(|line| line.starts_with("  ") && !line.starts_with("   "))
        .filter_map(|line| line.split_whitespace().next().map(str::to_owned))
        .filter(|name| name != "help")
        .collect();
    assert!(named.len() > 15, "{named:?}");
    let tested = include_str!("cli.rs");
    for name in named {
        assert!(tested.contains(&format!("help_of_{name}: \"{name}\";")), "the help of `{name}` is not tested");
    }
}

#[test]
fn the_version_is_that_of_the_package() {
    let said = finish(Command::new(PROGRAM).arg("--version"), PATIENCE).ok().stdout;
    assert_eq!(said, format!("trainyard {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn wrong_usage_is_exit_code_2() {
    let project = Project::light();
    let wrong = [
        &["no-such-command"][..],
        &["run", "--no-such-option"],
        &["run", "--only"],
        &["runs", "--limit", "x"],
        &["query", "up", "--step", "1s"],
        &["query", "up", "--range", "15"],
        &["export", "prometheus", "--force"],
        &["export", "svg", "x", "--width", "9"],
        &["export", "csv"],
        &["export", "csv", "up", "--panel", "requests/s"],
        &["lock"],
        &["events", "--since", "yesterday"],
    ];
    for arguments in wrong {
        let refused = project.command(arguments).expect_code(2).stderr;
        assert!(refused.starts_with("error: ") && refused.contains("--help"), "{refused}");
    }
    project.command(&["init"]).expect_code(2);
    project.up();
    let refused = project.command(&["logs", "trian"]).expect_code(2).stderr;
    assert!(refused.contains("there is no stage `trian`; the stages are train, test"), "{refused}");
}

#[test]
fn what_needs_a_daemon_and_finds_none_is_exit_code_3() {
    let project = Project::light();
    let measured = [
        &["query", "up"][..],
        &["export", "csv", "up"],
        &["export", "svg", "requests/s"],
        &["alerts", "unsilence", "A"],
    ];
    // Nobody holds what does not run; and whoever only watches starts nothing.
    let held = [&["lock", "why"][..], &["unlock"], &["approve"], &["decline"], &["--read-only", "plan"]];
    for arguments in [&["cancel"][..], &["rollback"], &["events", "-f"]].into_iter().chain(measured).chain(held) {
        let refused = project.command(arguments).expect_code(3).stderr;
        assert!(refused.contains("`trainyard up` starts one"), "{refused}");
    }
    // What can be answered without one is.
    let configured = [&["check"][..], &["export", "prometheus"], &["export", "grafana"], &["down"]];
    let journaled = [&["status"][..], &["runs"], &["models"], &["releases"], &["events"], &["alerts"], &["projects"]];
    for arguments in journaled.into_iter().chain(configured) {
        project.command(arguments).ok();
    }
}

#[test]
fn a_run_that_fails_or_is_refused_is_exit_code_1_and_says_why() {
    let project = Project::light_with("", "echo not good enough; exit 4\n");
    project.up();
    project.register("first.csv", "x\n1\n");
    let run = project.expect_run(1, "failed");
    assert_eq!(run["stages"]["test"]["state"]["failed"]["failure"]["exit"]["code"], 4);

    let failed = project.command(&["run", "--wait"]).expect_code(1);
    assert!(failed.stdout.starts_with("run 2\n"), "{}", failed.stdout);
    assert!(failed.stdout.contains("test | not good enough\n"), "the log is streamed: {}", failed.stdout);
    assert!(failed.stderr.contains("run 2 failed; test failed: exit code 4"), "{}", failed.stderr);
    let refused = project.command(&["run", "trian"]).expect_code(1).stderr;
    assert!(refused.contains("there is no stage `trian`; the stages are train, test"), "{refused}");
    let refused = project.command(&["cancel"]).expect_code(1).stderr;
    assert!(refused.contains("there is nothing to cancel"), "{refused}");
    let refused = project.command(&["rollback"]).expect_code(1).stderr;
    assert!(refused.contains("there is no earlier release to go back to"), "{refused}");
    let refused = project.command(&["query", "sum(("]).expect_code(1).stderr;
    assert!(!refused.is_empty());
}

#[test]
fn what_is_printed_for_machines_is_json_with_a_daemon_and_without() {
    let project = Project::light();
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "passed");
    let shown = || {
        let commands = [&["status", "--json"][..], &["runs", "--json"], &["models", "--json"], &["releases", "--json"]];
        commands.map(|arguments| project.command(arguments).ok().json())
    };
    let ([with, runs_with, ..], events) = (shown(), event_lines(&project));
    project.command(&["down"]).ok();
    let [without, runs, models, releases] = shown();
    // Who ended the daemon is written down, too.
    let state = |of: &Value| {
        let mut state = of["state"].clone();
        state.as_object_mut().unwrap().remove("sequence");
        state
    };
    assert_eq!(state(&with), state(&without), "the journal alone gives the same state");
    assert_eq!(with["state"]["sequence"].as_u64().map(|last| last + 1), without["state"]["sequence"].as_u64());
    assert_eq!(runs_with, runs);
    assert_eq!((runs[0]["id"].as_u64(), runs.as_array().unwrap().len()), (Some(1), 1));
    assert_eq!(models[0]["version"], 1);
    assert_eq!(releases, serde_json::json!([]));
    assert_eq!(events, event_lines(&project)[..events.len()]);
    let numbers: Vec<u64> = events.iter().map(|event| event["sequence"].as_u64().unwrap()).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "events have no holes: {numbers:?}");
    assert_eq!(without["daemon"]["pid"], 0);
}

/// All events, one JSON document a line.
fn event_lines(project: &Project) -> Vec<Value> {
    let printed = project.command(&["events", "--json", "--limit", "1000"]).ok().stdout;
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn with_read_only_nothing_that_acts_is_even_tried() {
    let project = Project::light();
    let acting = [
        &["up"][..],
        &["down"],
        &["run"],
        &["cancel"],
        &["lock", "why"],
        &["unlock"],
        &["approve"],
        &["decline"],
        &["rollback"],
        &["promote", "1", "--message", "why"],
        &["models", "note", "1", "text"],
        &["alerts", "silence", "A"],
        &["alerts", "unsilence", "A"],
        &["data", "infer", "--write"],
        &["init", "--force"],
    ];
    for arguments in acting {
        let refused = project.command(&[&["--read-only"][..], arguments].concat()).expect_code(2).stderr;
        assert!(refused.contains("with --read-only nothing is changed"), "{arguments:?}: {refused}");
    }
    assert!(!project.state("daemon.json").exists(), "no daemon was started");
    for arguments in [&["status"][..], &["events"], &["check"]] {
        project.command(&[&["--read-only"][..], arguments].concat()).ok();
    }
}

#[test]
fn a_project_is_listed_while_it_has_a_daemon_and_one_that_was_killed_as_not_running() {
    let project = Project::light();
    let listed = || project.command(&["projects", "--json"]).ok().json();
    assert_eq!(listed(), serde_json::json!([]));
    project.up();
    let found = listed();
    assert_eq!((&found[0]["name"], &found[0]["is_running"]), (&Value::from("light"), &Value::from(true)));
    assert_eq!(found[0]["folder"], project.folder().display().to_string());
    assert_eq!(found[0]["pid"], project.daemon());
    send(project.daemon(), Signal::KILL);
    let is_told = || (listed()[0]["is_running"] == false).then_some(());
    wait_for("the list to say that no daemon runs", PATIENCE, is_told);
    project.up();
    project.command(&["down"]).ok();
    assert_eq!(listed(), serde_json::json!([]));
}

#[test]
fn a_run_time_folder_with_too_long_a_path_is_told_with_its_mend() {
    let project = Project::light();
    let long = project.outside().join("x".repeat(120));
    std::fs::create_dir_all(&long).unwrap();
    project.set("XDG_RUNTIME_DIR", long.display().to_string());
    for arguments in [&["up"][..], &["status"], &["up", "--foreground"]] {
        let refused = project.command(arguments).expect_code(3).stderr;
        assert!(refused.contains("and the system allows 107; set XDG_RUNTIME_DIR"), "{arguments:?}: {refused}");
    }
    project.set("XDG_RUNTIME_DIR", project.runtime().display().to_string());
}

#[test]
fn the_schema_of_the_configuration_is_a_json_schema() {
    let schema = finish(Command::new(PROGRAM).args(["config", "schema"]), PATIENCE).ok().json();
    assert_eq!(schema["$schema"], "https://json-schema.org/draft/2020-12/schema");
    for section in ["project", "source", "data", "stages", "monitor"] {
        assert!(schema["properties"][section].is_object(), "{section} is missing");
    }
}

#[test]
fn completions_are_made_for_every_shell() {
    for (shell, sign) in [
        ("bash", "_trainyard()"),
        ("zsh", "#compdef trainyard"),
        ("fish", "complete -c trainyard"),
        ("elvish", "edit:completion:arg-completer[trainyard]"),
        ("powershell", "Register-ArgumentCompleter"),
    ] {
        let script = finish(Command::new(PROGRAM).args(["completions", shell]), PATIENCE).ok().stdout;
        assert!(script.contains(sign) && script.contains("rollback"), "{shell}:\n{script}");
    }
}

#[test]
fn preferences_that_are_wrong_are_told_with_their_places_and_none_are_fine() {
    let home = tempfile::tempdir().unwrap();
    let check = || {
        let mut command = Command::new(PROGRAM);
        command.args(["config", "preferences", "--check"]).env("XDG_CONFIG_HOME", home.path());
        finish(&mut command, PATIENCE)
    };
    assert!(check().ok().stdout.contains("what is usual holds"));
    let folder = home.path().join("trainyard");
    std::fs::create_dir(&folder).unwrap();
    let mut print = Command::new(PROGRAM);
    print.args(["config", "preferences"]).env("XDG_CONFIG_HOME", home.path());
    std::fs::write(folder.join("config.toml"), finish(&mut print, PATIENCE).ok().stdout).unwrap();
    assert!(check().ok().stdout.contains("is in order"));
    std::fs::write(folder.join("config.toml"), "mouse = true\n[keys]\nrollback = \"d\"\n").unwrap();
    let told = check().expect_code(2).stdout;
    assert!(told.contains("config.toml:3:1: `d` would be the key of `rollback` and of `deploy`"), "{told}");
}

#[test]
fn the_manual_page_is_roff() {
    let page = finish(Command::new(PROGRAM).arg("man"), PATIENCE).ok().stdout;
    let signs = [
        ".TH trainyard 1",
        ".SH NAME",
        ".SH SYNOPSIS",
        ".SH COMMANDS",
        ".SH FILES",
        "trainyard rollback",
        "Exit codes",
    ];
    for sign in signs {
        assert!(page.contains(sign), "`{sign}` is missing:\n{page}");
    }
}
