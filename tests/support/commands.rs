//! Running a program to its end, never longer than a deadline, and waiting without sleeping.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::Value;

use super::processes::send;

/// The longest that one step may take. A whole chain in a debug build on a busy machine takes a fraction of it.
pub const PATIENCE: Duration = Duration::from_mins(2);
/// The time between two looks where nothing tells of a change.
const LOOK: Duration = Duration::from_millis(20);

/// How a program ended and what it printed.
#[derive(Debug)]
pub struct Finished {
    /// The exit code; `None` when it was killed.
    pub code: Option<i32>,
    /// What it printed.
    pub stdout: String,
    /// What it complained of.
    pub stderr: String,
    /// The command line, for messages.
    shown: String,
}

impl Finished {
    /// Insists on an exit code.
    #[track_caller]
    pub fn expect_code(self, code: i32) -> Self {
        let Self { stdout, stderr, shown, .. } = &self;
        assert_eq!(self.code, Some(code), "{shown}\n--- stdout\n{stdout}\n--- stderr\n{stderr}");
        self
    }

    /// Insists on exit code 0.
    #[track_caller]
    pub fn ok(self) -> Self {
        self.expect_code(0)
    }

    /// What it printed, as one JSON document.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("{} printed no JSON ({error}):\n{}", self.shown, self.stdout))
    }

    /// Both streams, one behind the other.
    pub fn said(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }
}

/// Runs a program to its end; one that takes longer than `limit` is killed and fails the test.
#[track_caller]
pub fn finish(command: &mut Command, limit: Duration) -> Finished {
    let shown = format!("{command:?}");
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let child = child.unwrap_or_else(|error| panic!("{shown} cannot be started: {error}"));
    let pid = child.id();
    let (sender, receiver) = mpsc::channel();
    // Reads both streams to their ends: a program that leaves them open to a child of its own is found out too.
    thread::spawn(move || sender.send(child.wait_with_output()));
    let Ok(output) = receiver.recv_timeout(limit) else {
        send(pid, Signal::KILL);
        panic!("{shown} did not end, or left its output open, within {} s", limit.as_secs());
    };
    let output = output.unwrap();
    Finished {
        code: output.status.code(),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        shown,
    }
}

/// Starts a program and hands over each line that it prints. It ends when nobody listens any more or with the project.
pub fn lines_of(command: &mut Command) -> Receiver<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let output = child.stdout.take().unwrap();
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(output).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
        let _ = child.kill();
        let _ = child.wait();
    });
    receiver
}

/// The only pause there is: a wait on a channel on which nothing comes.
pub fn pause(length: Duration) {
    let (_kept, nothing) = mpsc::channel::<()>();
    let _ = nothing.recv_timeout(length);
}

/// Looks again and again until something is found.
#[track_caller]
pub fn wait_for<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(Instant::now() < deadline, "waited {} s in vain for {what}", limit.as_secs());
        pause(LOOK);
    }
}
