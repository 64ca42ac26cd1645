//! Finding and ending every process that a stage started.
//!
//! A process is named by boot, number and start time, never by a bare number, and signalled through a pidfd, so that a number
//! that was given to somebody else meanwhile is never hit.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;

use rustix::process::{Pid, PidfdFlags, Signal, pidfd_open, pidfd_send_signal};
use serde::{Deserialize, Serialize};

use crate::disk::{ProcessStat, boot_id};

/// A process that can be told from every other, before and after it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ProcessIdentity {
    /// The boot of the machine.
    pub boot: String,
    /// Its number.
    pub pid: i32,
    /// When it started, in clock ticks since boot (field 22 of `/proc/PID/stat`).
    pub start: u64,
}

impl ProcessIdentity {
    /// The process of that number, if there is one.
    pub fn of(pid: i32) -> Option<Self> {
        let stat = ProcessStat::read(pid)?;
        Some(Self { boot: boot_id(), pid, start: stat.start })
    }

    /// This process.
    pub fn own() -> Option<Self> {
        Self::of(i32::try_from(std::process::id()).ok()?)
    }

    /// Whether it is still there and not a zombie.
    pub fn is_alive(&self) -> bool {
        self.boot == boot_id()
            && ProcessStat::read(self.pid).is_some_and(|stat| stat.start == self.start && stat.state != 'Z')
    }

    /// Sends a signal; gone already is fine.
    pub fn signal(&self, signal: Signal) -> io::Result<()> {
        let Some(pid) = Pid::from_raw(self.pid) else { return Ok(()) };
        // The handle first, the identity second: from here on the number cannot change hands.
        let handle = match pidfd_open(pid, PidfdFlags::empty()) {
            Ok(handle) => handle,
            Err(rustix::io::Errno::SRCH) => return Ok(()),
            Err(error) => return Err(error.into()),
        };
        if !self.is_alive() {
            return Ok(());
        }
        match pidfd_send_signal(handle, signal) {
            Ok(()) | Err(rustix::io::Errno::SRCH) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

fn all() -> Vec<i32> {
    let Ok(entries) = fs::read_dir("/proc") else { return Vec::new() };
    entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// All living processes below `ancestor`, which is a sub-reaper, so none of them can have left it.
pub(super) fn descendants(ancestor: i32) -> Vec<ProcessIdentity> {
    let boot = boot_id();
    let mut children: BTreeMap<i32, Vec<ProcessIdentity>> = BTreeMap::new();
    for pid in all() {
        if let Some(stat) = ProcessStat::read(pid)
            && stat.state != 'Z'
        {
            let identity = ProcessIdentity { boot: boot.clone(), pid, start: stat.start };
            children.entry(stat.parent).or_default().push(identity);
        }
    }
    let mut found = Vec::new();
    let mut seen = BTreeSet::new();
    let mut open = vec![ancestor];
    while let Some(parent) = open.pop() {
        for child in children.remove(&parent).unwrap_or_default() {
            if seen.insert(child.pid) {
                open.push(child.pid);
                found.push(child);
            }
        }
    }
    found
}

/// Ends, at once, every process of this user that carries `mark` in its environment, and says how many there were. This is
/// for stages whose supervisor was killed; while one lives it does this better itself.
pub fn kill_marked(mark: &str) -> usize {
    let wanted = format!("{}={mark}", super::files::MARK);
    let mut ended = BTreeSet::new();
    // A process may fork while the list is read, so it is read again until nothing new is found.
    for _ in 0..50 {
        let found: Vec<ProcessIdentity> = all()
            .into_iter()
            .filter(|pid| {
                fs::read(format!("/proc/{pid}/environ"))
                    .is_ok_and(|bytes| bytes.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()))
            })
            .filter_map(ProcessIdentity::of)
            .filter(ProcessIdentity::is_alive)
            .collect();
        if found.is_empty() {
            break;
        }
        for process in found {
            if process.signal(Signal::KILL).is_ok() {
                ended.insert(process);
            }
        }
    }
    ended.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_told_from_a_later_one_of_the_same_number() {
        let own = ProcessIdentity::own().unwrap();
        assert!(own.is_alive());
        let other = ProcessIdentity { start: own.start + 1, ..own };
        assert!(!other.is_alive());
    }

    #[test]
    fn marked_processes_are_found_and_ended_without_their_supervisor() {
        let mark = format!("test-{}", std::process::id());
        let mut child = std::process::Command::new("sleep")
            .arg("1000")
            .env(super::super::files::MARK, &mark)
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap();
        // The environment of a new process can be read only a moment after its exec.
        let deadline = std::time::Instant::now() + std::time::Duration::from_secs(10);
        while kill_marked(&mark) == 0 {
            assert!(std::time::Instant::now() < deadline, "the marked process was not found");
            std::thread::yield_now();
        }
        assert!(!child.wait().unwrap().success());
    }
}
