//! Repositories in a state that is nobody's intention.

use std::fs;
use std::os::unix::fs::chown;

use git2::Repository;
use serde_json::{Value, json};

use crate::support::{Project, is_root};

/// A user that nobody is.
const STRANGER: u32 = 12_345;

#[test]
fn a_repository_without_a_commit_runs_and_says_so() {
    let project = Project::light();
    fs::remove_dir_all(project.folder().join(".git")).unwrap();
    Repository::init(project.folder()).unwrap();
    project.up();
    project.register("first.csv", "x\n1\n");
    let run = project.expect_run(1, "passed");
    assert_eq!(run["inputs"]["source"]["commit"], Value::Null);
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("no commit"), "{board}");
}

#[test]
fn a_folder_without_a_repository_runs_too() {
    let project = Project::light();
    fs::remove_dir_all(project.folder().join(".git")).unwrap();
    let checked = project.command(&["check"]).ok().stdout;
    assert!(checked.contains("is not a git work tree"), "{checked}");
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "passed");
}

#[test]
fn in_the_middle_of_a_rebase_nothing_runs_and_the_reason_is_told() {
    let project = Project::light();
    project.up();
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "passed");

    let rebase = project.folder().join(".git/rebase-merge");
    fs::create_dir(&rebase).unwrap();
    let reason = project.wait_until("the watcher to be blind", |snapshot| {
        snapshot["live"]["watch"]["mode"]["blind"]["reason"].as_str().map(str::to_owned)
    });
    assert_eq!(reason, "the repository is in the middle of a rebase; finish or abort it");
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("in the middle of a rebase"), "{board}");

    project.write("notes.txt", "half of a change\n");
    project.write("notes.txt", "the whole change\n");
    fs::remove_dir(&rebase).unwrap();
    let run = project.expect_run(2, "passed");
    assert_eq!(run["trigger"], json!({ "source": { "files": ["notes.txt"] } }));
    project
        .wait_until("the watcher to see", |snapshot| (snapshot["live"]["watch"]["mode"] == "notified").then_some(()));
    assert_eq!(project.runs(), 2, "half of the change was not run");
}

#[test]
fn a_repository_of_somebody_else_is_told_with_the_exact_mend() {
    if !is_root() {
        eprintln!("skipped: a_repository_of_somebody_else_is_told_with_the_exact_mend: only root may give files away");
        return;
    }
    let project = Project::light();
    for path in [project.folder().to_owned(), project.folder().join(".git")] {
        chown(path, Some(STRANGER), Some(STRANGER)).unwrap();
    }
    project.up();
    let problem = project.wait_until("the problem to be told", |snapshot| {
        snapshot["live"]["problems"]["watch"].as_str().map(str::to_owned)
    });
    assert!(problem.contains("belongs to another user"), "{problem}");
    let mend = format!("git config --global --add safe.directory {}", project.folder().display());
    assert!(problem.contains(&mend), "{problem}");
    let refused = project.command(&["run"]).expect_code(1).stderr;
    assert!(refused.contains("have not been read yet"), "{refused}");
}
