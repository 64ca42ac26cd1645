//! What runs in the pod of a built-in stage: the program itself does there what a shell does in other images.
//!
//! `hold COMMAND…` waits for the files, runs the command and waits until its files were collected; the others are asked for
//! through `exec` meanwhile: `put` (a tar stream comes in), `get FOLDER…` (one goes out), `state FROM` and `mark NAME`. What
//! each does exactly is written in `kubernetes/hand.rs`, in shell.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tar::{Archive, Builder};
use tokio::process::{Child, Command};
use tokio::signal::unix::{self, SignalKind, signal};
use tokio::time::{Instant, sleep};

use super::kubernetes::hand::{COLLECTED, EXIT, PIECE, ROOT, START};
use crate::disk::write_whole;

/// How long files may take to come.
const START_LIMIT: Duration = Duration::from_hours(1);
/// How long they may take to be collected.
const COLLECT_LIMIT: Duration = Duration::from_mins(10);
/// How often it is looked for a file that is waited for: those who come through `exec` announce themselves in no other way.
const LOOK: Duration = Duration::from_millis(100);
/// The exit code where the stage was never started.
const NOT_STARTED: i32 = 125;
/// The exit code of a command that is not there.
const NO_COMMAND: i32 = 127;
/// Where the kernel counts what it killed for want of memory: cgroups of version 2, and of version 1.
const OUT_OF_MEMORY: &[&str] = &["/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"];

/// Why the agent did not do what it was asked for.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// It was not asked by a runner.
    #[error("an agent runs in the pod of a stage and is started by the daemon, not by hand (use `trainyard run`)")]
    Usage,
    /// The process cannot be set up.
    #[error("cannot start the agent: {0}")]
    Runtime(io::Error),
    /// A file of the stage cannot be used.
    #[error("cannot use {path}: {source}")]
    File {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A stream was cut off, or cannot be unpacked.
    #[error("cannot carry the files of the stage: {0}")]
    Stream(io::Error),
}

/// Does what the words say; the exit code.
pub fn run(words: &[String]) -> Result<i32, AgentError> {
    let root = Path::new(ROOT);
    let (word, rest) = words.split_first().ok_or(AgentError::Usage)?;
    match (word.as_str(), rest) {
        ("hold", command) => {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(AgentError::Runtime)?;
            runtime.block_on(hold(root, command))
        }
        ("put", []) => put(root, io::stdin().lock()).map(|()| 0),
        ("get", folders) => get(root, folders, io::stdout().lock()).map(|()| 0),
        ("state", [from]) => {
            let from = from.parse().map_err(|_| AgentError::Usage)?;
            state(root, from, io::stdout().lock()).map(|()| 0)
        }
        ("mark", [name]) => mark(root, name).map(|()| 0),
        _ => Err(AgentError::Usage),
    }
}

async fn hold(root: &Path, command: &[String]) -> Result<i32, AgentError> {
    let mut terminate = signal(SignalKind::terminate()).map_err(AgentError::Runtime)?;
    let (start, collected) = (root.join(START), root.join(COLLECTED));
    tokio::select! {
        has_come = appears(&start, START_LIMIT) => if !has_come {
            eprintln!("trainyard: nobody started this stage within an hour");
            return Ok(NOT_STARTED);
        },
        _ = terminate.recv() => return Ok(NOT_STARTED),
    }
    let (code, was_stopped) = carry_out(root, command, &mut terminate).await;
    let note = if code == 137 && ran_out_of_memory() { " oom" } else { "" };
    let path = root.join(EXIT);
    write_whole(&path, format!("{code}{note}\n").as_bytes()).map_err(|source| AgentError::File { path, source })?;
    if !was_stopped {
        tokio::select! {
            _ = appears(&collected, COLLECT_LIMIT) => {}
            _ = terminate.recv() => {}
        }
    }
    Ok(code)
}

async fn appears(path: &Path, within: Duration) -> bool {
    let began = Instant::now();
    while !path.exists() {
        if began.elapsed() > within {
            return false;
        }
        sleep(LOOK).await;
    }
    true
}

/// The exit code of the command, and whether it was told to stop.
async fn carry_out(root: &Path, command: &[String], terminate: &mut unix::Signal) -> (i32, bool) {
    let (program, arguments) = command.split_first().map_or(("", command), |(first, rest)| (first.as_str(), rest));
    let spawned = Command::new(program).args(arguments).current_dir(root.join("source")).spawn();
    let mut child = match spawned {
        Ok(child) => child,
        Err(error) => {
            eprintln!("trainyard: cannot start {program}: {error}");
            return (NO_COMMAND, false);
        }
    };
    let mut was_stopped = false;
    loop {
        tokio::select! {
            ended = child.wait() => return (ended.map_or(NOT_STARTED, exit_code), was_stopped),
            _ = terminate.recv(), if !was_stopped => {
                was_stopped = true;
                stop(&child);
            }
        }
    }
}

/// Passes TERM on: it reaches the first process of a container only.
fn stop(child: &Child) {
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It fails only for a process that has ended.
        let _ = kill_process(pid, Signal::TERM);
    }
}

fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(NOT_STARTED)
}

fn ran_out_of_memory() -> bool {
    OUT_OF_MEMORY.iter().filter_map(|path| fs::read_to_string(path).ok()).any(|text| counts_a_kill(&text))
}

fn counts_a_kill(text: &str) -> bool {
    let counted = text.lines().filter_map(|line| line.strip_prefix("oom_kill "));
    counted.filter_map(|count| count.trim().parse::<u64>().ok()).any(|count| count > 0)
}

fn put(root: &Path, from: impl Read) -> Result<(), AgentError> {
    Archive::new(from).unpack(root).map_err(AgentError::Stream)
}

fn get(root: &Path, folders: &[String], to: impl Write) -> Result<(), AgentError> {
    let mut tar = Builder::new(io::BufWriter::with_capacity(1 << 16, to));
    tar.follow_symlinks(false);
    for folder in folders {
        let path = root.join(folder);
        if path.is_dir() {
            tar.append_dir_all(folder, &path).map_err(AgentError::Stream)?;
        }
    }
    tar.append_path_with_name(root.join(EXIT), EXIT).map_err(AgentError::Stream)?;
    tar.into_inner().and_then(|mut to| to.flush()).map_err(AgentError::Stream)
}

fn state(root: &Path, from: u64, mut to: impl Write) -> Result<(), AgentError> {
    let exit = fs::read_to_string(root.join(EXIT)).ok().filter(|exit| exit.ends_with('\n'));
    let first = exit.map_or_else(|| "running\n".to_owned(), |exit| format!("exit {exit}"));
    to.write_all(first.as_bytes()).map_err(AgentError::Stream)?;
    // A stage that has written nothing yet has no such file.
    if let Ok(mut output) = File::open(root.join("output.jsonl")) {
        let limit = u64::try_from(PIECE).unwrap_or(u64::MAX);
        output
            .seek(SeekFrom::Start(from))
            .and_then(|_| io::copy(&mut output.take(limit), &mut to))
            .map_err(AgentError::Stream)?;
    }
    to.flush().map_err(AgentError::Stream)
}

fn mark(root: &Path, name: &str) -> Result<(), AgentError> {
    if ![START, COLLECTED].contains(&name) {
        return Err(AgentError::Usage);
    }
    let path = root.join(name);
    File::create(&path).map(drop).map_err(|source| AgentError::File { path, source })
}

#[cfg(test)]
mod tests {
    use super::super::fixtures::{pod_root, words};
    use super::super::kubernetes::hand::{Ended, parse};
    use super::super::transfer::unpack;
    use super::*;

    fn state_of(root: &Path, from: u64) -> super::super::kubernetes::hand::State {
        let mut said = Vec::new();
        state(root, from, &mut said).unwrap();
        parse(&said).unwrap()
    }

    #[tokio::test]
    async fn a_command_runs_in_the_source_once_its_files_are_there_and_its_exit_is_kept() {
        let root = pod_root();
        mark(root.path(), START).unwrap();
        mark(root.path(), COLLECTED).unwrap();
        let line = words(&["sh", "-c", "pwd >../reports/here; exit 7"]);
        assert_eq!(hold(root.path(), &line).await.unwrap(), 7);
        let here = fs::read_to_string(root.path().join("reports/here")).unwrap();
        assert_eq!(Path::new(here.trim()), root.path().join("source").canonicalize().unwrap());
        assert_eq!(state_of(root.path(), 0).ended, Some(Ended { code: 7, out_of_memory: false }));
    }

    #[tokio::test]
    async fn a_command_that_is_not_there_ends_as_it_does_in_a_shell() {
        let root = pod_root();
        mark(root.path(), START).unwrap();
        mark(root.path(), COLLECTED).unwrap();
        assert_eq!(hold(root.path(), &words(&["/no/such/program"])).await.unwrap(), 127);
    }

    #[test]
    fn files_go_in_and_come_out() {
        let root = pod_root();
        let mut tar = Builder::new(Vec::new());
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o644);
        tar.append_data(&mut header, "source/a.py", b"hello".as_slice()).unwrap();
        let mut stream = tar.into_inner().unwrap();
        stream.extend_from_slice(b"the input does not end here");
        put(root.path(), stream.as_slice()).unwrap();
        assert_eq!(fs::read_to_string(root.path().join("source/a.py")).unwrap(), "hello");

        fs::write(root.path().join("model/model.bin"), "weights").unwrap();
        fs::write(root.path().join(EXIT), "0\n").unwrap();
        let mut stream = Vec::new();
        get(root.path(), &words(&["model", "gone"]), &mut stream).unwrap();
        let staging = root.path().join("staging");
        unpack(stream.as_slice(), &staging, &["model", "gone"]).unwrap();
        assert_eq!(fs::read_to_string(staging.join("model/model.bin")).unwrap(), "weights");
    }

    #[test]
    fn the_state_has_the_output_from_a_byte_on() {
        let root = pod_root();
        assert_eq!(state_of(root.path(), 5).output, b"");
        fs::write(root.path().join("output.jsonl"), "{\"progress\": 1}\n").unwrap();
        let state = state_of(root.path(), 2);
        assert_eq!((state.ended, state.output.as_slice()), (None, b"progress\": 1}\n".as_slice()));
    }

    #[test]
    fn kills_for_want_of_memory_are_counted_in_both_versions_of_cgroups() {
        assert!(counts_a_kill("low 0\noom 1\noom_kill 1\n"));
        assert!(counts_a_kill("oom_kill_disable 0\nunder_oom 0\noom_kill 2\n"));
        assert!(!counts_a_kill("oom 3\noom_kill 0\noom_group_kill 0\n"));
    }

    #[test]
    fn only_what_is_waited_for_is_marked_and_only_known_words_are_understood() {
        let root = pod_root();
        assert!(matches!(mark(root.path(), "../evil"), Err(AgentError::Usage)));
        assert!(matches!(run(&words(&["dance"])), Err(AgentError::Usage)));
        assert!(matches!(run(&[]), Err(AgentError::Usage)));
    }
}
