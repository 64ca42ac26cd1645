//! Every way in which a screen ends: the terminal is as it was, the daemon goes on, and nothing is left that works.
//!
//! A client that is killed outright cannot give the terminal back. Then the next one must work all the same.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;
mod terminal;

use std::env;
use std::fs;
use std::sync::Arc;

use rustix::process::Signal;
use support::{PATIENCE, PROGRAM, Project, children, customers, is_alive, send, wait_for};
use terminal::{Bare, Terminal};
use tokio::sync::Notify;
use trainyard::api::client::{Client, Identity};
use trainyard::disk::Layout;
use trainyard::tui::{self, DemoHook, DemoHooks, Left, Options, TuiError};

/// Says to this program, when it is started by its own test, where the client breaks down: in a worker, or in its loop.
const BREAKS: &str = "TRAINYARD_TEST_BREAKS";
/// What the panic says.
const SAID: &str = "this client was told to break down";
/// More ticks of the processor, of 10 ms on most machines, are no way out but a loop that finds no end.
const WAY_OUT: u64 = 50;

/// A pager that takes the terminal as those do that draw, and never ends.
const PAGER: &str = r"printf '\033[?1049h\033[?25l'
stty raw -echo
printf 'the pager is here'
exec sleep 1000
";

/// The arguments that open the screen.
fn arguments(project: &Project) -> [String; 2] {
    ["-C".to_owned(), project.folder().display().to_string()]
}

#[track_caller]
fn leave(mut terminal: Terminal) {
    terminal.press("q");
    assert!(terminal.ended().success());
}

#[test]
fn whatever_ends_the_screen_the_terminal_is_as_it_was() {
    let project = Project::rested();
    let signals = [
        (Signal::TERM, 143),
        (Signal::HUP, 129),
        (Signal::INT, 130),
        (Signal::QUIT, 131),
        (Signal::ALARM, 142),
        (Signal::USR1, 138),
        (Signal::USR2, 140),
    ];
    for (signal, code) in signals {
        let mut terminal = Terminal::open(&project, 80, 24);
        terminal.wait_for_text("q detach");
        send(terminal.pid, signal);
        assert_eq!(terminal.ended().exit_code(), code, "{signal:?}");
        assert!(terminal.sent().ends_with("\u{1b}[23;2t"), "{signal:?}: the former title is not back");
    }
}

#[test]
fn a_client_that_panics_gives_the_terminal_back_and_says_what_broke() {
    if let Ok(place) = env::var(BREAKS) {
        break_down(&place);
        return;
    }
    let project = Project::rested();
    let own = env::current_exe().unwrap().display().to_string();
    let this = "a_client_that_panics_gives_the_terminal_back_and_says_what_broke";
    for place in ["worker", "loop"] {
        project.set(BREAKS, place);
        let mut terminal = Terminal::run(&project, &own, &["--exact", this, "--nocapture"], 80, 24);
        terminal.wait_for_text("q stop the demo");
        assert!(terminal.is_raw());
        terminal.press("B");
        // Where a worker broke, the client says so itself; where its loop did, there is nobody left to.
        assert_eq!(terminal.ended().success(), place == "worker", "{}", terminal.text());
        let sent = terminal.sent();
        let (left, said) = (sent.rfind("\u{1b}[?1049l").unwrap(), sent.rfind(SAID));
        assert!(said.is_some_and(|said| said > left), "nothing can be read of the panic:\n{}", terminal.text());
    }
    project.daemon();
}

/// The client of the project in this folder, whose demo key breaks it.
fn break_down(place: &str) {
    let layout = Layout::new(&env::current_dir().unwrap()).unwrap();
    let client = Client::connect(&layout, Identity::default()).unwrap();
    let told = Arc::new(Notify::new());
    let hook: DemoHook = match place {
        "worker" => Arc::new(|| -> Result<String, String> { panic!("{SAID}") }),
        _ => {
            let tell = Arc::clone(&told);
            Arc::new(move || -> Result<String, String> {
                tell.notify_one();
                Ok("the loop is told".to_owned())
            })
        }
    };
    let demo = DemoHooks { next_batch: Arc::clone(&hook), break_source: Arc::clone(&hook), bad_release: hook };
    let options = Options { demo: Some(demo), ..Options::default() };
    // On one thread, so that the screen is given up as by a panic of its own.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let left = runtime.block_on(async {
        tokio::select! {
            left = tui::run(client, options) => left,
            never = broken(&told) => never,
        }
    });
    assert!(matches!(left, Err(TuiError::Broken)), "{left:?}");
}

/// Panics while the screen is polled beside it, so that the screen is there when the stack is unwound.
async fn broken(told: &Notify) -> Result<Left, TuiError> {
    told.notified().await;
    panic!("{SAID}")
}

#[test]
fn the_death_of_the_shell_ends_the_screen_in_good_order() {
    let project = Project::rested();
    let daemon = project.daemon();
    let [option, folder] = arguments(&project);
    // With something behind it, the shell does not make way for the program.
    let script = format!("'{PROGRAM}' {option} '{folder}'; true");
    let mut terminal = Terminal::run(&project, "/bin/sh", &["-c", &script], 80, 24);
    terminal.wait_for_text("q detach");
    let [client] = children(terminal.pid)[..] else { panic!("the shell has started something else") };
    assert!(terminal.is_raw());
    send(terminal.pid, Signal::KILL);
    wait_for("the end of the client", PATIENCE, || (!is_alive(client)).then_some(()));
    assert!(!terminal.ended().success());
    assert_eq!(project.daemon(), daemon);
}

#[test]
fn a_daemon_that_is_killed_leaves_a_screen_that_says_so_and_can_be_left() {
    let project = Project::rested();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    send(project.daemon(), Signal::KILL);
    terminal.wait_for_text("reconnecting since");
    project.up();
    terminal.wait_for("the daemon to be heard again", |text| !text.contains("reconnecting since"));
    send(project.daemon(), Signal::KILL);
    terminal.wait_for_text("reconnecting since");
    leave(terminal);
}

#[test]
fn after_a_client_that_was_killed_the_next_one_works_in_the_same_terminal() {
    let project = Project::rested();
    let daemon = project.daemon();
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    send(terminal.pid, Signal::KILL);
    assert!(!terminal.killed().success());
    assert!(terminal.is_raw(), "nobody can give the terminal back after this");
    terminal.open_again(&project);
    terminal.wait_for_another("\u{1b}[?1049h", 1);
    terminal.wait_for_text("q detach");
    terminal.press("2");
    terminal.wait_for("Runs", |text| text.lines().next().is_some_and(|header| header.contains("Runs")));
    leave(terminal);
    assert_eq!(project.daemon(), daemon);
}

#[test]
fn a_signal_while_a_pager_has_the_terminal_leaves_nothing_of_the_pager() {
    let project = Project::light_with("", "echo something to show\n");
    project.up();
    project.register("first.csv", customers(0, 20));
    project.expect_run(1, "passed");
    let pager = project.outside().join("pager.sh");
    fs::write(&pager, PAGER).unwrap();
    project.set("PAGER", format!("sh {}", pager.display()));
    let mut terminal = Terminal::open(&project, 80, 24);
    terminal.wait_for_text("q detach");
    terminal.press("3");
    terminal.wait_for("Logs", |text| text.lines().next().is_some_and(|header| header.contains("Logs")));
    terminal.press("p");
    terminal.wait_for_text("the pager is here");
    send(terminal.pid, Signal::TERM);
    assert_eq!(terminal.ended().exit_code(), 143);
}

#[test]
fn a_terminal_that_vanishes_ends_the_screen_and_not_the_daemon() {
    let project = Project::rested();
    let daemon = project.daemon();
    let [option, folder] = arguments(&project);
    let bare = Bare::run(&project, PROGRAM, &[&option, &folder]);
    wait_for("the screen", PATIENCE, || bare.is_raw().then_some(()));
    // Nobody reads what it writes, and then nobody is there at all.
    let used = bare.vanish();
    assert!(used <= WAY_OUT, "{used} ticks");
    assert_eq!(project.daemon(), daemon);
}

#[test]
fn a_terminal_that_vanishes_during_a_flood_of_lines_ends_the_screen_and_not_the_run() {
    let project = Project::light_with("", "i=0\nwhile true; do echo \"line $i of very many\"; i=$((i+1)); done\n");
    project.up();
    project.register("first.csv", customers(0, 20));
    project.wait_for_stage(1, "test", "running");
    let [option, folder] = arguments(&project);
    let bare = Bare::run(&project, PROGRAM, &[&option, &folder]);
    wait_for("the screen", PATIENCE, || bare.is_raw().then_some(()));
    wait_for_a_client(&project);
    let used = bare.vanish();
    assert!(used <= WAY_OUT, "{used} ticks");
    project.wait_for_stage(1, "test", "running");
    project.command(&["cancel"]).ok();
    project.expect_run(1, "cancelled");
}

#[test]
fn a_terminal_that_vanishes_ends_the_screen_in_lines_also_where_nobody_hears_of_it() {
    let project = Project::rested();
    let daemon = project.daemon();
    let [option, folder] = arguments(&project);
    // As behind `nohup`: only what is read and written tells that nobody is there any more.
    let deaf = format!("trap '' HUP; exec '{PROGRAM}' --plain {option} '{folder}'");
    let plain = vec!["--plain", option.as_str(), folder.as_str()];
    for (program, arguments) in [(PROGRAM, plain), ("/bin/sh", vec!["-c", deaf.as_str()])] {
        let bare = Bare::run(&project, program, &arguments);
        wait_for_a_client(&project);
        let used = bare.vanish();
        assert!(used <= WAY_OUT, "{used} ticks");
        project.wait_until("the client to be gone", |snapshot| (clients(snapshot) == 0).then_some(()));
    }
    assert_eq!(project.daemon(), daemon);
}

/// Waits until the daemon has a client that follows it.
#[track_caller]
fn wait_for_a_client(project: &Project) {
    project.wait_until("a client", |snapshot| (clients(snapshot) == 1).then_some(()));
}

fn clients(snapshot: &serde_json::Value) -> usize {
    snapshot["live"]["operators"].as_array().map_or(0, Vec::len)
}
