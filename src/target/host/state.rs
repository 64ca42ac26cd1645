//! What a host leaves for the next one: which release is live and which processes it started.
//!
//! With the live release go its variables, as it was started with them: a host that is started anew brings the same release up,
//! whatever the configuration says by then, and whether or not it can be read. So the file is for its owner alone.
//!
//! A process is named by its number, its start time and the boot, because the number alone may belong to another by now.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use rustix::process::{Pid, Signal, kill_process_group};
use serde::{Deserialize, Serialize};

use crate::disk::{boot_id, write_private};
use crate::pipeline::Moment;
use crate::target::ApplyRequest;
use crate::target::process::{RecordedProcess, start_time};

/// `releases/host.json`
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct HostState {
    /// The boot during which it was written.
    pub boot: String,
    /// The release in service.
    pub live: Option<RecordedRelease>,
    /// Processes that ran when it was written.
    pub children: Vec<RecordedProcess>,
    /// A canary that waits for its judgement.
    #[serde(default)]
    pub canary: Option<ApplyRequest>,
}

/// The release in service, with all that is needed to bring it up again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RecordedRelease {
    /// How it was applied.
    pub request: ApplyRequest,
    /// Since when it is live.
    pub since: Moment,
}

impl HostState {
    /// The file in the folder of releases.
    pub fn path(releases: &Path) -> PathBuf {
        releases.join("host.json")
    }

    /// Reads the state; an absent file is the state of a first host, and one that cannot be understood an error.
    pub fn read(path: &Path) -> io::Result<Self> {
        match fs::read(path) {
            Ok(bytes) => Ok(serde_json::from_slice(&bytes)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Writes the state whole.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        write_private(path, &serde_json::to_vec_pretty(self)?)
    }

    /// Kills what a former host left running, and returns what it killed.
    pub fn kill_left_over(&self) -> Vec<RecordedProcess> {
        if self.boot != boot_id() {
            return Vec::new();
        }
        let mut killed = Vec::new();
        for child in &self.children {
            if start_time(child.pid) == Some(child.started)
                && let Some(group) = Pid::from_raw(child.pid)
                && kill_process_group(group, Signal::KILL).is_ok()
            {
                killed.push(*child);
            }
        }
        killed
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;
    use crate::pipeline::ReleaseId;

    fn sleeper() -> std::process::Child {
        Command::new("/bin/sh").args(["-c", "sleep 600"]).process_group(0).spawn().unwrap()
    }

    fn recorded(child: &std::process::Child) -> RecordedProcess {
        let pid = i32::try_from(child.id()).unwrap();
        RecordedProcess { release: ReleaseId(1), pid, started: start_time(pid).unwrap() }
    }

    #[test]
    fn a_left_over_process_is_killed_and_a_stranger_with_its_number_is_not() {
        let mut left_over = sleeper();
        let mut stranger = sleeper();
        let mut mistaken = recorded(&stranger);
        mistaken.started += 1;
        let state = HostState {
            boot: boot_id(),
            live: None,
            children: vec![recorded(&left_over), mistaken],
            ..HostState::default()
        };
        let killed = state.kill_left_over();
        assert_eq!(killed, [recorded(&left_over)]);
        assert!(!left_over.wait().unwrap().success());
        assert!(stranger.try_wait().unwrap().is_none());
        kill_process_group(Pid::from_child(&stranger), Signal::KILL).unwrap();
        stranger.wait().unwrap();
    }

    #[test]
    fn after_another_boot_nothing_is_killed() {
        let mut child = sleeper();
        let state = HostState { boot: "another".into(), children: vec![recorded(&child)], ..HostState::default() };
        assert!(state.kill_left_over().is_empty());
        kill_process_group(Pid::from_child(&child), Signal::KILL).unwrap();
        child.wait().unwrap();
    }

    #[test]
    fn the_state_survives_the_disk_and_its_absence_is_a_first_start() {
        let folder = tempfile::tempdir().unwrap();
        let path = HostState::path(folder.path());
        assert_eq!(HostState::read(&path).unwrap(), HostState::default());
        let state = HostState { boot: "b".into(), ..HostState::default() };
        state.write(&path).unwrap();
        assert_eq!(HostState::read(&path).unwrap(), state);
        assert_eq!(
            fs::metadata(&path).unwrap().permissions().mode() & 0o777,
            0o600,
            "it holds what a release was told"
        );
        fs::write(&path, "{").unwrap();
        assert!(HostState::read(&path).is_err());
    }
}
