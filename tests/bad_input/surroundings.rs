//! A machine that does not play along: taken ports, sockets of the dead, two daemons, full and read-only disks.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::process::Signal;

use crate::support::{
    PATIENCE, Project, RECORD, carrying, command_line, customers, fill, finish, is_alive, is_root, post, send,
    stage_word, wait_for,
};

/// The sockets below a folder.
fn sockets(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        match entry.file_type() {
            Ok(kind) if kind.is_dir() => found.extend(sockets(&entry.path())),
            Ok(kind) if kind.is_socket() => found.push(entry.path()),
            _ => {}
        }
    }
    found
}

/// The daemons of a project.
fn daemons(project: &Project) -> Vec<u32> {
    let mut found = carrying(&project.runtime().display().to_string());
    found.retain(|pid| command_line(*pid).iter().any(|word| word == "daemon"));
    found
}

#[test]
fn a_taken_port_fails_the_deploy_by_name_and_the_same_release_may_be_tried_again() {
    let project = Project::with_app();
    let other = TcpListener::bind((Ipv4Addr::LOCALHOST, project.port())).unwrap();
    project.up();
    project.register("first.csv", customers(0, 300));
    let run = project.expect_run(1, "failed");
    assert_eq!((stage_word(&run, "build"), stage_word(&run, "deploy")), ("passed".to_owned(), "failed".to_owned()));
    let log = project.log(1, "deploy");
    assert!(log.contains(&format!("port {} on 127.0.0.1 is taken by another program", project.port())), "{log}");
    let release = project.snapshot()["state"]["releases"]["1"].clone();
    assert_eq!(release["status"], "abandoned", "the port says nothing about the release");

    drop(other);
    project.command(&["run", "deploy", "--wait"]).ok();
    assert_eq!(post(project.port(), "/predict", RECORD).unwrap().status, 200);
}

#[test]
fn a_socket_left_by_a_dead_daemon_is_told_from_a_living_one_and_replaced() {
    let project = Project::light();
    project.up();
    let daemon = project.daemon();
    send(daemon, Signal::KILL);
    wait_for("the end of the daemon", PATIENCE, || (!is_alive(daemon)).then_some(()));
    assert_eq!(sockets(&project.runtime()).len(), 1, "the dead daemon left its socket");

    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("no daemon runs; `trainyard up` starts one"), "{board}");
    let refused = project.command(&["cancel"]).expect_code(3).stderr;
    assert!(refused.contains("`trainyard up` starts one"), "{refused}");
    let started = project.command(&["up"]).ok().stdout;
    assert!(started.contains("daemon started"), "{started}");
    assert_ne!(project.daemon(), daemon);
}

#[test]
fn a_second_daemon_is_refused_and_the_first_goes_on() {
    let project = Project::light();
    project.up();
    let daemon = project.daemon();
    let refused = project.command(&["up", "--foreground"]).expect_code(3).stderr;
    assert!(refused.contains("a daemon already runs for"), "{refused}");
    let again = project.command(&["up"]).ok().stdout;
    assert!(again.contains("daemon runs already"), "{again}");
    assert_eq!(project.daemon(), daemon);
    assert_eq!(daemons(&project), [daemon]);
}

#[test]
fn of_daemons_started_at_the_same_time_one_stays() {
    let project = Project::light();
    let ups: Vec<_> = std::thread::scope(|scope| {
        let start = || finish(&mut project.trainyard(&["up"]), PATIENCE);
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    for up in ups {
        up.ok();
    }
    wait_for("all daemons but one to end", Duration::from_secs(20), || (daemons(&project).len() == 1).then_some(()));
    assert_eq!(daemons(&project), [project.daemon()]);
}

#[test]
fn on_a_full_disk_nothing_is_guessed_and_nothing_is_lost() {
    let project = Project::bare();
    if !project.mount("size=4m") {
        eprintln!(
            "skipped: on_a_full_disk_nothing_is_guessed_and_nothing_is_lost: a small disk cannot be mounted here"
        );
        return;
    }
    project.furnish_light();
    project.up();
    let (hidden, ballast) = (project.folder().join("data/.first.csv"), project.folder().join("data/.ballast"));
    fs::write(&hidden, customers(0, 20)).unwrap();
    fill(&ballast);
    fs::rename(&hidden, project.folder().join("data/first.csv")).unwrap();

    let problem = project.wait_until("the full disk to be told", |snapshot| {
        snapshot["live"]["problems"]["journal"].as_str().map(str::to_owned)
    });
    assert!(problem.contains("check the disk space"), "{problem}");
    let board = project.command(&["status"]).ok().stdout;
    assert!(board.contains("problem    journal: "), "{board}");
    let refused = project.command(&["run"]).expect_code(1).stderr;
    assert!(refused.contains("check the disk space") || refused.contains("have not been read yet"), "{refused}");

    fs::remove_file(&ballast).unwrap();
    let run = project.expect_run(1, "passed");
    assert_eq!(run["inputs"]["data"]["rows"], 20);
    assert!(project.snapshot()["live"]["problems"]["journal"].is_null());
}

#[test]
fn a_disk_that_is_nearly_full_is_told_before_it_is_full_and_when_there_is_room_again() {
    let project = Project::bare();
    if !project.mount("size=64m") {
        eprintln!(
            "skipped: a_disk_that_is_nearly_full_is_told_before_it_is_full_and_when_there_is_room_again: a small disk cannot be mounted here"
        );
        return;
    }
    project.furnish_light();
    project.up();
    let ballast = project.folder().join("data/.ballast");
    fill(&ballast);
    // Two mebibytes are left, enough to go on for now, and less than the twentieth part.
    let file = fs::OpenOptions::new().write(true).open(&ballast).unwrap();
    file.set_len(file.metadata().unwrap().len() - (2 << 20)).unwrap();
    // Open, it would keep its room when it is removed.
    drop(file);
    let problem = project.wait_until("the disk to be told of", |snapshot| {
        snapshot["live"]["problems"]["storage"].as_str().map(str::to_owned)
    });
    assert!(problem.contains("free on the disk of .trainyard; make room"), "{problem}");
    assert!(project.command(&["status"]).ok().stdout.contains("problem    storage: about "));
    let checks = project.command(&["doctor"]).stdout;
    assert!(checks.contains("warning  disk  "), "{checks}");
    let has_event = |text: &str| project.command(&["events"]).ok().stdout.contains(text);
    wait_for("the event of the warning", PATIENCE, || has_event("room becomes scarce: about ").then_some(()));

    fs::remove_file(&ballast).unwrap();
    project
        .wait_until("the warning to end", |snapshot| snapshot["live"]["problems"]["storage"].is_null().then_some(()));
    wait_for("the event of its end", PATIENCE, || has_event("there is room again: ").then_some(()));
    project.register("first.csv", customers(0, 20));
    project.expect_run(1, "passed");
}

#[test]
fn a_read_only_project_folder_is_told_at_once() {
    let project = Project::bare();
    if is_root() && !project.mount("size=4m") {
        eprintln!("skipped: a_read_only_project_folder_is_told_at_once: no disk can be mounted here");
        return;
    }
    project.furnish_light();
    let mode = |mode| fs::set_permissions(project.folder(), fs::Permissions::from_mode(mode)).unwrap();
    // Rights do not bind root, a read-only disk does.
    if is_root() {
        project.remount("ro");
    } else {
        mode(0o555);
    }
    project.command(&["check"]).ok();
    for arguments in [&["up"][..], &["up", "--foreground"], &["run"]] {
        let refused = project.command(arguments).expect_code(3).stderr;
        assert!(refused.contains("the project folder must be writable"), "{refused}");
    }
    let refused = project.command(&["init", "--force"]).expect_code(2).stderr;
    assert!(refused.contains("is the folder writable?"), "{refused}");
    if is_root() {
        project.remount("rw");
    } else {
        mode(0o755);
    }
    project.up();
}
