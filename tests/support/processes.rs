//! Processes as `/proc` shows them: which ones belong to a project, and ending them.

use std::fs;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};

use super::commands::pause;

/// All processes but this one that carry `text` in their environment or command line. One that has ended carries nothing,
/// even while nobody has reaped it.
pub fn carrying(text: &str) -> Vec<u32> {
    let carries = |pid: &u32, file: &str| {
        fs::read(format!("/proc/{pid}/{file}")).is_ok_and(|bytes| String::from_utf8_lossy(&bytes).contains(text))
    };
    let others = all().into_iter().filter(|pid| *pid != std::process::id());
    others.filter(|pid| carries(pid, "environ") || carries(pid, "cmdline")).collect()
}

fn all() -> Vec<u32> {
    let entries = fs::read_dir("/proc").unwrap();
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// The words of a process's command line; none once it has ended.
pub fn command_line(pid: u32) -> Vec<String> {
    let bytes = fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
    let words = bytes.split(|byte| *byte == 0).filter(|word| !word.is_empty());
    words.map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

/// Whether a process is there and not a zombie.
pub fn is_alive(pid: u32) -> bool {
    // The name, in parentheses, may hold anything; the state stands behind the last of them.
    fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|text| text.rsplit_once(')').is_some_and(|(_, rest)| !rest.trim_start().starts_with('Z')))
}

/// Clock ticks, of 10 ms on most machines, that a process has worked: fields 14 and 15 of `/proc/PID/stat`.
pub fn ticks(pid: u32) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    let (_, behind_name) = text.rsplit_once(')').unwrap();
    behind_name.split_whitespace().skip(11).take(2).map(|field| field.parse::<u64>().unwrap()).sum()
}

/// Whether a process was stopped and not continued: the state in `/proc/PID/stat` is `T`.
pub fn is_stopped(pid: u32) -> bool {
    let text = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    text.rsplit_once(") ").is_some_and(|(_, behind)| behind.starts_with('T'))
}

/// The processes that a process has started and that are there.
pub fn children(parent: u32) -> Vec<u32> {
    let parent_of = |pid: u32| -> Option<u32> {
        let text = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        text.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
    };
    all().into_iter().filter(|pid| parent_of(*pid) == Some(parent)).collect()
}

/// Sends a signal; a process that is gone already is fine.
#[track_caller]
pub fn send(pid: u32, signal: Signal) {
    let pid = i32::try_from(pid).ok().filter(|pid| *pid > 1).and_then(Pid::from_raw).expect("the number of a process");
    let _ = kill_process(pid, signal);
}

/// Ends every process that carries `mark`, until none is left. The mark is a path that only one project has.
pub fn sweep(mark: &str) {
    // A process may fork while the list is read, so it is read again; 500 times 10 ms is a deadline, not a wait.
    for _ in 0..500 {
        let left = carrying(mark);
        if left.is_empty() {
            return;
        }
        for pid in left {
            send(pid, Signal::KILL);
        }
        pause(Duration::from_millis(10));
    }
}
