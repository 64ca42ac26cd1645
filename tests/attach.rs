//! A project on another machine, through a real `sshd` on loopback: the screen here and the daemon there, commands with
//! `--host`, a line that breaks and comes back, and every way in which there is none.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;
mod terminal;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::Value;
use support::{
    Finished, PATIENCE, PROGRAM, Project, Sshd, children, command_line, finish, has_sshd, is_alive, is_stopped, send,
    wait_for,
};
use terminal::Terminal;
use trainyard::api::client::{Client, Identity};
use trainyard::api::types::LogAddress;
use trainyard::engine::journal::Journal;
use trainyard::pipeline::{Attempt, Recorded, RunId, StageName};

/// The lines that the second run prints.
const LINES: u64 = 400;
/// The first run is over in a moment; each later one takes eight seconds and more, and tells how far it is.
const TRAIN: &str = r#"
line=1
last=3
[ "$TRAINYARD_RUN" -eq 1 ] || last=400
while [ $line -le $last ]; do
  echo "line $line"
  sleep 0.02
  line=$((line + 1))
done
echo made > "$TRAINYARD_MODEL/made"
"#;
const CONFIGURATION: &str = r#"
[project]
name = "faraway"
[data]
settle = "100ms"
[stages.train]
command = ["sh", "train.sh"]
environment = { MARKER = "@MARK@" }
"#;
/// How long a process may take to end.
const GONE: Duration = Duration::from_secs(20);
/// Wide enough that no message is cut in two.
const WIDE: u16 = 500;

/// A machine with a project, and another one with nothing but a client.
struct Machines {
    sshd: Sshd,
    near: Project,
    far: Project,
}

impl Machines {
    /// With these lines in the configuration of the server. No daemon runs yet.
    fn new(more: &str) -> Self {
        let far = Project::with(CONFIGURATION, &[("train.sh", TRAIN)]);
        let near = Project::bare();
        let sshd = Sshd::start(&far, more);
        near.set("TRAINYARD_SSH", sshd.client());
        near.set("TRAINYARD_REMOTE_PROGRAM", PROGRAM);
        Self { sshd, near, far }
    }

    /// The project, as the machine without it names it.
    fn place(&self) -> String {
        format!("box:{}", self.far.folder().display())
    }

    fn attach(&self) -> Terminal {
        let mut terminal = Terminal::start(&self.near, &["attach", &self.place()], 120, 40);
        terminal
            .wait_for("the Board of the other machine", |text| text.contains("faraway") && text.contains("q detach"));
        terminal
    }

    /// Runs a command on the machine without the project.
    #[track_caller]
    fn command(&self, arguments: &[&str]) -> Finished {
        let mut command = Command::new(PROGRAM);
        command.args(arguments).env_remove("NO_COLOR").envs(self.near.environment());
        finish(command.current_dir(self.near.folder()), PATIENCE)
    }

    /// Where the daemon over there is heard here, while that screen is attached.
    fn socket(&self, terminal: &Terminal) -> PathBuf {
        self.near.runtime().join(format!("trainyard/line-{}-0/s", terminal.pid))
    }

    /// Why there is no line to a place.
    #[track_caller]
    fn refused(&self, place: &str, code: u32) -> String {
        let mut terminal = Terminal::start(&self.near, &["attach", place], WIDE, 40);
        assert_eq!(terminal.ended().exit_code(), code, "{}", terminal.text());
        terminal.text()
    }
}

/// Whether the screen says that the line is lost: in its first line, and in its last unless an answer stands there.
fn says_lost(text: &str) -> bool {
    text.contains("line lost ") || (text.contains("line to ") && text.contains(" lost "))
}

/// Whether it says that the line does not come back by itself.
fn says_ended(text: &str) -> bool {
    text.contains("line ended") || (text.contains("line to ") && text.contains(" ended: "))
}

/// The `ssh` that is the line of a screen.
#[track_caller]
fn line_of(terminal: &Terminal) -> u32 {
    let is_line = |pid: &u32| command_line(*pid).iter().any(|word| word == "-M");
    wait_for("the ssh of the line", GONE, || children(terminal.pid).into_iter().find(is_line))
}

/// All events as a program gets them, one JSON document a line.
fn events(printed: &str) -> Vec<Recorded> {
    printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_line_that_is_cut_in_the_middle_of_train_comes_back_by_itself_and_nothing_is_lost() {
    if !has_sshd("a_line_that_is_cut_in_the_middle_of_train_comes_back_by_itself_and_nothing_is_lost") {
        return;
    }
    let mut machines = Machines::new("");
    machines.far.register("first.csv", "x\n1\n");
    // The daemon over there is started by the line.
    let mut terminal = machines.attach();
    machines.far.expect_run(1, "passed");
    terminal.wait_for("the first run", |text| text.contains("run 1") && text.contains("passed"));
    let daemon = machines.far.daemon();

    terminal.press("t");
    machines.far.wait_for_stage(2, "train", "running");
    terminal.wait_for_text("line 40");
    let ssh = line_of(&terminal);
    // Nobody is let in for a while, so that what is shown meanwhile can be seen.
    machines.sshd.stop();
    send(ssh, Signal::KILL);
    terminal.wait_for("the loss of the line", says_lost);
    assert!(terminal.text().contains("run 2"), "the last known board stays:\n{}", terminal.text());
    let log = || fs::read(machines.far.state("runs/2/train.1/log")).map_or(0, |bytes| bytes.len());
    let before = log();
    wait_for("output of a stage that nobody watches", PATIENCE, || (log() > before).then_some(()));
    assert_eq!(machines.far.daemon(), daemon, "the daemon goes on");

    machines.sshd.start_again();
    terminal.wait_for("the line to come back", |text| !says_lost(text));
    assert_ne!(line_of(&terminal), ssh);
    machines.far.expect_run(2, "passed");
    terminal.wait_for_text(&format!("line {LINES}"));

    assert_nothing_is_missing_or_doubled(&machines, &terminal);
    let ssh = line_of(&terminal);
    terminal.press("q");
    assert!(terminal.ended().success());
    wait_for("the end of ssh", GONE, || (!is_alive(ssh)).then_some(()));
    assert!(!machines.socket(&terminal).exists(), "the sockets of the line are gone");
    assert_eq!(machines.far.daemon(), daemon, "whoever detaches leaves the daemon as it is");

    machines.far.command(&["down"]).ok();
    let (journal, state) = Journal::open(&machines.far.state("journal.db")).unwrap();
    assert_eq!(journal.verify().unwrap(), state);
}

/// Compares what comes through the line with the journal and the log over there.
#[track_caller]
fn assert_nothing_is_missing_or_doubled(machines: &Machines, terminal: &Terminal) {
    let client = Client::at_socket(machines.socket(terminal), Identity::default()).unwrap();
    let address = LogAddress { run: RunId(2), stage: StageName::from("train"), attempt: Attempt(1) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let (through_line, first, second) = runtime.block_on(async {
        let events = client.history(None, 500).await.unwrap();
        let half = LINES / 2;
        let first = client.log_lines(&address, 0, half).await.unwrap();
        (events, first, client.log_lines(&address, half, half).await.unwrap())
    });
    let journal = events(&machines.far.command(&["events", "--json", "--limit", "500"]).ok().stdout);
    assert_eq!(through_line, journal);
    let numbers: Vec<u64> = journal.iter().map(|recorded| recorded.sequence).collect();
    assert!(numbers.iter().copied().eq(1..=numbers.len() as u64), "every event once: {numbers:?}");

    let expected: Vec<String> = (1..=LINES).map(|line| format!("line {line}")).collect();
    let shown: Vec<&str> = first.lines.iter().chain(&second.lines).map(|line| line.text.as_str()).collect();
    assert_eq!(shown, expected, "every line once");
    assert_eq!(second.total, LINES);
    assert_eq!(machines.far.log(2, "train").lines().collect::<Vec<_>>(), expected);
}

#[test]
fn who_is_attached_and_from_where_is_known_over_there() {
    if !has_sshd("who_is_attached_and_from_where_is_known_over_there") {
        return;
    }
    let machines = Machines::new("");
    machines.near.set("TRAINYARD_OPERATOR", "지민");
    machines.near.set("USER", "jimin");
    let mut terminal = machines.attach();
    let operator = machines.far.wait_until("an operator", |snapshot| snapshot["live"]["operators"].get(0).cloned());
    assert_eq!(operator["name"], "지민");
    let from = operator["from"].as_str().unwrap_or_default();
    assert!(from.starts_with("jimin@"), "{operator}");
    terminal.press("q");
    assert!(terminal.ended().success());
    machines.far.wait_until("nobody", |snapshot| snapshot["live"]["operators"].as_array()?.is_empty().then_some(()));
}

#[test]
fn a_line_that_may_not_come_back_says_what_to_do() {
    if !has_sshd("a_line_that_may_not_come_back_says_what_to_do") {
        return;
    }
    let machines = Machines::new("");
    let mut terminal = machines.attach();
    machines.sshd.revoke();
    send(line_of(&terminal), Signal::KILL);
    terminal.wait_for("the end of the line", says_ended);
    assert!(terminal.text().contains("faraway"), "the last known board stays:\n{}", terminal.text());
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn a_line_goes_on_while_its_screen_is_stopped() {
    if !has_sshd("a_line_goes_on_while_its_screen_is_stopped") {
        return;
    }
    let machines = Machines::new("");
    let mut terminal = machines.attach();
    let (pid, ssh) = (terminal.pid, line_of(&terminal));
    terminal.press("\u{1a}");
    wait_for("the stop", PATIENCE, || is_stopped(pid).then_some(()));
    assert!(is_alive(ssh) && !is_stopped(ssh), "the line is stopped with its screen");
    // Whoever asks through it is answered.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::at_socket(machines.socket(&terminal), Identity::default()).unwrap();
        client.hello().await.unwrap();
    });
    send(pid, Signal::CONT);
    machines.far.register("first.csv", "x\n1\n");
    terminal.wait_for("the run that began behind the stop", |text| text.contains("run 1"));
    assert_eq!(line_of(&terminal), ssh, "it is another line");
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn a_screen_that_is_killed_takes_its_line_with_it() {
    if !has_sshd("a_screen_that_is_killed_takes_its_line_with_it") {
        return;
    }
    let machines = Machines::new("");
    let terminal = machines.attach();
    let (daemon, ssh) = (machines.far.daemon(), line_of(&terminal));
    send(terminal.pid, Signal::KILL);
    wait_for("the end of ssh", GONE, || (!is_alive(ssh)).then_some(()));
    assert_eq!(machines.far.daemon(), daemon);
}

#[test]
fn every_command_is_done_over_there_with_host() {
    if !has_sshd("every_command_is_done_over_there_with_host") {
        return;
    }
    let machines = Machines::new("");
    let place = machines.place();
    let host = |arguments: &[&str]| machines.command(&[&["--host", place.as_str()][..], arguments].concat());
    host(&["up"]).ok();
    machines.far.register("first.csv", "x\n1\n");
    machines.far.expect_run(1, "passed");

    let status = host(&["status", "--json"]).ok().json();
    assert_eq!(status["daemon"]["project"], "faraway");
    assert_eq!(status["daemon"]["pid"], machines.far.daemon());
    assert_eq!(host(&["logs", "train", "--run", "1"]).ok().stdout, machines.far.log(1, "train"), "byte for byte");

    // What a shell would make something else of comes as it was typed, and exit codes come back.
    let odd = "it's $HOME `id`; \"so\" \\n *";
    let refused = host(&["logs", odd]).expect_code(2).stderr;
    assert!(refused.contains(&format!("there is no stage `{odd}`")), "{refused}");
    let refused = host(&["cancel"]).expect_code(1).stderr;
    assert!(refused.contains("there is nothing to cancel"), "{refused}");
    let refused = host(&["-C", ".", "status"]).expect_code(2).stderr;
    assert!(refused.contains("--host HOST:DIR"), "{refused}");

    machines.near.set("TRAINYARD_OPERATOR", "al's");
    host(&["run", "train"]).ok();
    let asked = machines.far.command(&["events", "--json", "--limit", "500"]).ok().stdout;
    let asked = asked.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let of_al = asked.filter(|event| event["event"]["commanded"]["by"] == "al's").count();
    assert_eq!(of_al, 1, "the operator's name travels with the command");
}

#[test]
fn why_ssh_does_not_come_in_is_told_with_what_to_do() {
    if !has_sshd("why_ssh_does_not_come_in_is_told_with_what_to_do") {
        return;
    }
    let machines = Machines::new("");
    let table = [
        ("nowhere", "the host name nowhere.invalid does not resolve"),
        ("closed", "closed refuses the connection"),
        ("unknown", "the host key of unknown is not known here; `ssh unknown` shows it and asks"),
        ("stranger", "stranger lets nobody in with what `ssh` has to show (it takes publickey)"),
    ];
    for (host, said) in table {
        let attached = machines.refused(host, 3);
        assert!(attached.contains(said), "{host}:\n{attached}");
        let refused = machines.command(&["--host", host, "status"]).expect_code(3).stderr;
        assert!(refused.contains(said), "{host}:\n{refused}");
    }
    let refused = machines.command(&["--host", "-oProxyCommand=false", "status"]).expect_code(2).stderr;
    assert!(!refused.is_empty());
    let refused = machines.command(&["--host=-oProxyCommand=false", "status"]).expect_code(2).stderr;
    assert!(refused.contains("which ssh would take for an option"), "{refused}");
}

#[test]
fn what_is_wrong_with_the_trainyard_over_there_is_told_with_what_to_do() {
    if !has_sshd("what_is_wrong_with_the_trainyard_over_there_is_told_with_what_to_do") {
        return;
    }
    let machines = Machines::new("");
    let said = machines.refused(&format!("box:{}", machines.far.outside().display()), 2);
    assert!(said.contains("no trainyard.toml in") && said.contains("attach box:DIR"), "{said}");
    let said = machines.refused("box:/no/such/folder", 2);
    assert!(said.contains("cannot enter /no/such/folder"), "{said}");

    machines.near.set("TRAINYARD_REMOTE_PROGRAM", "/no/such/trainyard");
    let said = machines.refused(&machines.place(), 3);
    assert!(said.contains("there is no trainyard on box") && said.contains("scp"), "{said}");
    let said = machines.command(&["--host", &machines.place(), "status"]).expect_code(3).stderr;
    assert!(said.contains("there is no trainyard on box"), "{said}");

    let other = machines.far.outside().join("trainyard");
    fs::write(&other, "#!/bin/sh\necho Welcome\necho '{\"version\":\"9.9.9\",\"api\":999}'\nexec cat\n").unwrap();
    fs::set_permissions(&other, fs::Permissions::from_mode(0o755)).unwrap();
    machines.near.set("TRAINYARD_REMOTE_PROGRAM", other.display().to_string());
    let said = machines.refused(&machines.place(), 3);
    assert!(said.contains("trainyard on box is 9.9.9 (API 999)") && said.contains("the older is here"), "{said}");
}

#[test]
fn a_server_that_forwards_no_sockets_is_told_from_other_failures() {
    if !has_sshd("a_server_that_forwards_no_sockets_is_told_from_other_failures") {
        return;
    }
    let machines = Machines::new("AllowStreamLocalForwarding no");
    let said = machines.refused(&machines.place(), 3);
    assert!(said.contains("box forwards no sockets") && said.contains("AllowStreamLocalForwarding no"), "{said}");
    // What needs no line goes on.
    machines.command(&["--host", &machines.place(), "status"]).ok();
}
