//! The daemon as a service manager sees it: told when it answers, told that it lives, ended without ending anybody's work.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::Signal;
use support::{Finished, PATIENCE, PROGRAM, Project, carrying, customers, finish, get, is_alive, send, wait_for};
use trainyard::disk::FileLock;

/// A stage that waits for a file before it makes something.
const WAITING: &str = "echo waiting\nuntil test -e \"$TRAINYARD_PROJECT/data/go\"; do sleep 0.05; done\n\
                       echo made > \"$TRAINYARD_MODEL/made\"\n";
/// A stage that tells what a service manager would say to it.
const TELLING: &str = "env | grep -E '^(NOTIFY_SOCKET|WATCHDOG_|LISTEN_)' || echo told of nothing\n\
                       echo made > \"$TRAINYARD_MODEL/made\"\n";
const CONFIGURATION: &str = r#"
[project]
name = "served"
[data]
include = ["*.csv"]
settle = "100ms"
[stages.train]
command = ["sh", "train.sh"]
environment = { MARKER = "@MARK@" }
"#;

/// A daemon in the foreground, and what its service manager hears.
struct Service {
    child: Child,
    manager: UnixDatagram,
}

impl Service {
    fn start(project: &Project, more: &[(&str, &str)]) -> Self {
        let path = project.runtime().join("notify");
        let _ = fs::remove_file(&path);
        let manager = UnixDatagram::bind(&path).unwrap();
        manager.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut command = project.trainyard(&["up", "--foreground"]);
        command.env("NOTIFY_SOCKET", &path).envs(more.iter().copied());
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        Self { child, manager }
    }

    /// The next thing that is told.
    fn heard(&self) -> String {
        let mut bytes = [0; 1_024];
        let length = self.manager.recv(&mut bytes).expect("a service manager that is told something in time");
        String::from_utf8_lossy(&bytes[..length]).into_owned()
    }

    /// Waits until this is told.
    fn until(&self, wanted: &str) -> String {
        loop {
            let heard = self.heard();
            if heard.lines().any(|line| line == wanted) {
                return heard;
            }
        }
    }

    /// Ends it by TERM, and gives its exit code.
    fn terminate(&mut self) -> Option<i32> {
        send(self.child.id(), Signal::TERM);
        wait_for("the daemon to end", PATIENCE, || self.child.try_wait().unwrap()).code()
    }
}

fn project() -> Project {
    let project = Project::with(CONFIGURATION, &[("train.sh", WAITING)]);
    fs::create_dir_all(project.runtime()).unwrap();
    project
}

#[test]
fn readiness_is_told_once_the_daemon_answers_and_not_before() {
    let project = project();
    let mut service = Service::start(&project, &[]);
    let told = service.heard();
    let pid = service.child.id();
    assert!(told.starts_with("READY=1\nSTATUS=serves served in "), "the first word is that it is ready: {told}");
    assert!(told.ends_with(&format!("\nMAINPID={pid}")), "{told}");
    // At once, and without trying again.
    assert_eq!(project.daemon(), pid);
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn a_daemon_that_cannot_start_is_never_ready() {
    let project = project();
    project.write("trainyard.toml", "[project]\nname = 7\n");
    let mut service = Service::start(&project, &[]);
    let ended = wait_for("the daemon to give up", PATIENCE, || service.child.try_wait().unwrap());
    assert_eq!(ended.code(), Some(2));
    service.manager.set_nonblocking(true).unwrap();
    assert!(service.manager.recv(&mut [0; 16]).is_err(), "nothing was told");
}

#[test]
fn a_daemon_that_is_watched_says_again_and_again_that_it_lives() {
    let project = project();
    let mut service = Service::start(&project, &[("WATCHDOG_USEC", "100000")]);
    service.until("READY=1");
    for _ in 0..3 {
        service.until("WATCHDOG=1");
    }
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn a_stop_is_told_and_clean_and_the_stage_that_runs_goes_on() {
    let project = project();
    let mut service = Service::start(&project, &[]);
    service.until("READY=1");
    project.register("first.csv", "x\n1\n");
    project.wait_for_stage(1, "train", "running");
    let log = project.state("runs/1/train.1/log");
    wait_for("the stage to print", PATIENCE, || fs::read_to_string(&log).ok().filter(|log| log.contains("waiting")));
    assert_eq!(service.terminate(), Some(0));
    service.until("STOPPING=1");
    assert!(!carrying(&project.mark()).is_empty(), "the stage goes on without the daemon");
    let mut service = Service::start(&project, &[]);
    service.until("READY=1");
    project.write("data/go", "");
    project.expect_run(1, "passed");
    assert_eq!(project.runs(), 1, "it was found again, and not run again");
    assert_eq!(service.terminate(), Some(0));
}

/// What only tells of whoever starts a daemon.
const PERSONAL: [(&str, &str); 10] = [
    ("TRAINYARD_OPERATOR", "mallory"),
    ("TRAINYARD_FROM", "10.0.0.9"),
    ("TRAINYARD_MARK", "of-a-stage"),
    ("SSH_CONNECTION", "10.0.0.9 50122 10.0.0.1 22"),
    ("SSH_CLIENT", "10.0.0.9 50122 22"),
    ("SSH_TTY", "/dev/pts/9"),
    ("SSH_AUTH_SOCK", "/nowhere/agent"),
    ("DISPLAY", "localhost:10.0"),
    ("GIT_DIR", "/nowhere/repository"),
    ("KEPT", "for-the-stages"),
];

/// The names of those of them that a process was given.
fn given(pid: u32) -> Vec<&'static str> {
    let environment = fs::read(format!("/proc/{pid}/environ")).unwrap();
    let environment = String::from_utf8_lossy(&environment).into_owned();
    let is_given = |(name, _): &&(&'static str, &str)| {
        environment.split('\0').any(|variable| variable.split_once('=').is_some_and(|(given, _)| given == *name))
    };
    PERSONAL.iter().filter(is_given).map(|(name, _)| *name).collect()
}

#[test]
fn a_daemon_takes_over_nothing_of_whoever_started_it() {
    let project = project();
    // It is there, and nobody is told.
    let manager = UnixDatagram::bind(project.runtime().join("of-another")).unwrap();
    manager.set_nonblocking(true).unwrap();
    let mut up = project.trainyard(&["up"]);
    up.envs(PERSONAL).env("NOTIFY_SOCKET", project.runtime().join("of-another"));
    finish(&mut up, PATIENCE).ok();
    assert_eq!(given(project.daemon()), ["KEPT"]);
    assert!(manager.recv(&mut [0; 16]).is_err(), "the service manager of another was told");
    project.command(&["down"]).ok();
    let mut service = Service::start(&project, &PERSONAL);
    service.until("READY=1");
    // A unit may well say something of git.
    assert_eq!(given(service.child.id()), ["GIT_DIR", "KEPT"]);
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn a_daemon_is_found_again_after_the_last_logout_took_its_run_time_folder_away() {
    let project = project();
    project.up();
    let pid = project.daemon();
    fs::remove_dir_all(project.runtime().join("trainyard")).unwrap();
    let is_found = || (project.snapshot()["daemon"]["pid"] == pid).then_some(());
    wait_for("the daemon to be heard again", PATIENCE, is_found);
    let listed = project.command(&["projects", "--json"]).ok().json();
    assert_eq!(listed[0]["pid"], pid, "{listed}");
}

/// The program as cron, a service manager or another login starts it: with this run-time folder in its environment, or none.
fn told_of(runtime: Option<&Path>, project: &Project, arguments: &[&str]) -> Finished {
    let mut command = project.trainyard(arguments);
    match runtime {
        Some(folder) => command.env("XDG_RUNTIME_DIR", folder),
        None => command.env_remove("XDG_RUNTIME_DIR"),
    };
    // Where sockets are without a variable and without a login.
    command.env("TMPDIR", project.outside());
    finish(&mut command, PATIENCE)
}

const WHICH_NEED_A_DAEMON: [&[&str]; 4] = [&["up"], &["down"], &["cancel"], &["run"]];

/// A run-time folder that is not the one of the project.
fn another_runtime(project: &Project) -> PathBuf {
    let folder = project.outside().join("run");
    fs::create_dir(&folder).unwrap();
    folder
}

#[test]
fn a_daemon_is_found_by_whoever_is_told_of_another_run_time_folder_or_of_none() {
    let project = Project::rested();
    project.command(&["down"]).ok();
    let (one, other) = (project.runtime(), another_runtime(&project));
    for (started, asked) in [(Some(&*one), Some(&*other)), (Some(&*one), None), (None, Some(&*other))] {
        told_of(started, &project, &["up"]).ok();
        let board = told_of(asked, &project, &["status"]).ok().stdout;
        assert!(board.starts_with("light  daemon "), "{started:?} {asked:?}: {board}");
        let again = told_of(asked, &project, &["up"]).ok().stdout;
        assert!(again.starts_with("daemon runs already"), "{started:?} {asked:?}: {again}");
        told_of(asked, &project, &["run", "--force", "--wait"]).ok();
        let ended = told_of(asked, &project, &["down"]).ok().stdout;
        assert!(ended.starts_with("daemon stopped"), "{started:?} {asked:?}: {ended}");
    }
    assert_eq!(project.runs(), 4, "each of them was asked of the one daemon");
}

#[test]
fn a_daemon_with_another_run_time_folder_takes_over_the_host_of_the_one_before() {
    let project = Project::with_app();
    let (one, other) = (project.runtime(), another_runtime(&project));
    project.up();
    project.register("first.csv", customers(0, 300));
    project.expect_run(1, "passed");
    project.register("second.csv", customers(300, 600));
    project.expect_run(2, "passed");
    let host = project.host();
    project.command(&["down"]).ok();

    project.set("XDG_RUNTIME_DIR", other.display().to_string());
    project.up();
    assert_eq!(project.host(), host, "it went on and is not replaced");
    project.command(&["rollback", "--wait"]).ok();
    assert_eq!(get(project.port(), "/version").unwrap().json()["release"], "3");
    // Asked with the first folder again, as from the login that started the host.
    told_of(Some(&one), &project, &["down", "--all", "--yes"]).ok();
    wait_for("the end of the host", PATIENCE, || (!is_alive(host)).then_some(()));
    assert!(get(project.port(), "/version").is_err(), "nothing serves any more");
}

#[test]
fn a_daemon_that_runs_and_is_not_heard_is_told_and_not_taken_for_none() {
    let project = Project::light();
    project.command(&["status"]).ok();
    fs::create_dir_all(project.state("")).unwrap();
    let held = FileLock::try_acquire(&project.state("daemon.lock")).unwrap().unwrap();
    let is_told = |said: &str| said.contains("a daemon runs for ") && said.contains("but is not heard at ");
    let board = project.command(&["status"]).ok().stdout;
    assert!(is_told(&board) && !board.contains("no daemon runs"), "{board}");
    let document = project.command(&["status", "--json"]).ok();
    assert!(is_told(&document.stderr) && document.json()["daemon"]["pid"] == 0, "{document:?}");
    std::thread::scope(|scope| {
        for arguments in WHICH_NEED_A_DAEMON {
            let project = &project;
            scope.spawn(move || {
                let refused = project.command(arguments).expect_code(3).stderr;
                assert!(is_told(&refused), "{arguments:?}: {refused}");
            });
        }
    });
    drop(held);
    let ended = project.command(&["down"]).ok().stdout;
    assert!(ended.starts_with("no daemon runs for "), "{ended}");
}

#[test]
fn what_the_service_manager_says_to_the_daemon_reaches_no_stage() {
    let project = Project::with(CONFIGURATION, &[("train.sh", TELLING)]);
    fs::create_dir_all(project.runtime()).unwrap();
    let more = [("WATCHDOG_USEC", "60000000"), ("LISTEN_FDS", "1"), ("LISTEN_FDNAMES", "web")];
    let mut service = Service::start(&project, &more);
    service.until("READY=1");
    project.register("first.csv", "x\n1\n");
    project.expect_run(1, "passed");
    assert_eq!(project.log(1, "train").trim(), "told of nothing");
    assert_eq!(service.terminate(), Some(0));
}

#[test]
fn the_units_are_what_systemd_takes() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("skipped: the_units_are_what_systemd_takes: there is no `systemd-analyze`");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let units = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/systemd");
    for (unit, program, scope) in [
        ("trainyard@.service", "/usr/local/bin/trainyard", "--system"),
        ("user/trainyard@.service", "%h/.cargo/bin/trainyard", "--user"),
    ] {
        let text = fs::read_to_string(units.join(unit)).unwrap();
        assert!(text.contains(program), "{unit} does not start {program}");
        let copy = folder.path().join(scope.trim_start_matches('-')).join("trainyard@.service");
        fs::create_dir_all(copy.parent().unwrap()).unwrap();
        // The program must be there.
        fs::write(&copy, text.replace(program, PROGRAM)).unwrap();
        let mut verify = Command::new("systemd-analyze");
        verify.args([scope, "verify", "--man=no"]).arg(&copy).env("XDG_RUNTIME_DIR", folder.path());
        let verified = finish(&mut verify, PATIENCE).ok();
        assert_eq!(verified.said(), "", "{unit}");
    }
}
