//! One running process of a release: started in its own process group, watched, stopped with all that it started.

use std::fs::OpenOptions;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::{Child, Command};
use tokio::sync::watch;

use super::launch::Launch;
use super::recorded::{Meter, RecordedProcess, start_time};
use crate::disk::now;
use crate::pipeline::{Moment, ReleaseId};
use crate::target::InstanceStatus;
use crate::target::tail::tail;

/// Time between TERM and KILL.
const GRACE: Duration = Duration::from_secs(5);
/// Lines of the log that are shown when a release is refused.
const TAIL: usize = 20;

/// A process of a release, from its start until all of its group is gone.
#[derive(Debug, Clone)]
pub struct Running {
    /// Where it was told to listen.
    pub address: SocketAddr,
    /// What the next host needs to know of it.
    pub process: RecordedProcess,
    group: Pid,
    log: PathBuf,
    /// Where in the log this start begins; the log is of all starts of a release.
    log_start: u64,
    exit: watch::Receiver<Option<String>>,
    since: Moment,
    meter: Meter,
}

impl Running {
    /// Starts it. Must be called inside of a tokio runtime.
    pub fn start(release: ReleaseId, launch: &Launch, address: SocketAddr, log: &Path) -> io::Result<Self> {
        let file = OpenOptions::new().create(true).append(true).open(log)?;
        let log_start = file.metadata()?.len();
        let child = Command::new(&launch.program)
            .args(&launch.arguments)
            .current_dir(&launch.folder)
            .envs(launch.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stderr(file.try_clone()?)
            .stdout(file)
            .process_group(0)
            .spawn()
            .map_err(|error| explain(&error, launch))?;
        let pid = child.id().and_then(|id| i32::try_from(id).ok());
        let group = pid.and_then(Pid::from_raw).ok_or_else(|| io::Error::other("the process has no number"))?;
        // It cannot have been reaped yet, so the number is still its own.
        let started = start_time(group.as_raw_pid()).unwrap_or_default();
        let process = RecordedProcess { release, pid: group.as_raw_pid(), started };
        let (sender, exit) = watch::channel(None);
        tokio::spawn(watch_over(child, group, sender));
        Ok(Self {
            address,
            process,
            group,
            log: log.to_owned(),
            log_start,
            exit,
            since: now(),
            meter: Meter::default(),
        })
    }

    /// Waits for its end and says how it ended.
    pub async fn exited(&self) -> String {
        let mut exit = self.exit.clone();
        let outcome = exit.wait_for(Option::is_some).await.map(|seen| seen.clone().unwrap_or_default());
        outcome.unwrap_or_else(|_| "its end was not seen".to_owned())
    }

    /// Ends it: TERM to its group, and KILL after five seconds. Returns once it is gone.
    pub async fn stop(&self) {
        if self.exit.borrow().is_some() {
            return;
        }
        // It may end in this very moment; then there is nobody to be told, and that is what is wanted.
        let _ = kill_process_group(self.group, Signal::TERM);
        if tokio::time::timeout(GRACE, self.exited()).await.is_err() {
            let _ = kill_process_group(self.group, Signal::KILL);
            self.exited().await;
        }
    }

    /// How it is.
    pub fn status(&self, release: ReleaseId) -> InstanceStatus {
        let exit = self.exit.borrow().clone();
        InstanceStatus {
            name: self.process.pid.to_string(),
            release,
            track: "stable".to_owned(),
            ready: exit.is_none(),
            state: exit.unwrap_or_else(|| "running".to_owned()),
            restarts: 0,
            since: Some(self.since),
            node: None,
            usage: self.meter.read(self.process.pid),
        }
    }

    /// The last lines it wrote.
    pub fn log_tail(&self) -> Vec<String> {
        tail(&self.log, self.log_start, TAIL)
    }
}

/// Reaps the process and then ends what it left behind in its group.
async fn watch_over(mut child: Child, group: Pid, sender: watch::Sender<Option<String>>) {
    let outcome = match child.wait().await {
        Ok(status) => status.to_string(),
        Err(error) => format!("its end was not seen: {error}"),
    };
    // Fails when nothing is left, which is the rule.
    let _ = kill_process_group(group, Signal::KILL);
    sender.send_replace(Some(outcome));
}

fn explain(error: &io::Error, launch: &Launch) -> io::Error {
    let program = launch.program.display();
    let text = if error.kind() == io::ErrorKind::NotFound && !launch.folder.is_dir() {
        format!("the folder {} is not there", launch.folder.display())
    } else if error.kind() == io::ErrorKind::NotFound {
        format!("the program {program} is not there, or the interpreter that it names in its first line")
    } else {
        format!("{program}: {error}")
    };
    io::Error::new(error.kind(), text)
}

/// The log of a release, below the folder of releases.
pub fn release_log(releases: &Path, release: ReleaseId) -> PathBuf {
    releases.join(format!("{release}.log"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::target::loopback::free_address;

    fn start(folder: &Path, script: &str) -> Running {
        let launch = Launch {
            program: "/bin/sh".into(),
            arguments: vec!["-c".to_owned(), script.to_owned()],
            folder: folder.to_owned(),
            variables: vec![("PORT".to_owned(), "1".to_owned())],
        };
        Running::start(ReleaseId(1), &launch, free_address().unwrap(), &folder.join("1.log")).unwrap()
    }

    #[tokio::test]
    async fn its_end_is_seen_with_what_it_wrote() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("1.log"), "of an earlier start\n").unwrap();
        let running = start(folder.path(), "echo port $PORT; echo bad >&2; exit 3");
        assert!(running.exited().await.contains('3'));
        assert_eq!(running.log_tail(), ["port 1", "bad"]);
    }

    #[tokio::test]
    async fn stopping_ends_all_that_it_started() {
        let folder = tempfile::tempdir().unwrap();
        let running = start(folder.path(), "sleep 600 & sleep 600");
        running.stop().await;
        assert!(running.exited().await.contains("signal"));
    }

    #[tokio::test]
    async fn a_program_that_is_not_there_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let launch =
            Launch { program: "/nope".into(), arguments: vec![], folder: folder.path().into(), variables: vec![] };
        let error =
            Running::start(ReleaseId(1), &launch, free_address().unwrap(), &folder.path().join("l")).unwrap_err();
        assert!(error.to_string().contains("/nope is not there"), "{error}");
    }
}
