//! What the daemon and the host of releases themselves say, if they run.

use std::thread;
use std::time::Duration;

use tokio::runtime;
use tokio::time::timeout;

use super::{Check, Word};
use crate::api::client::{Client, ClientError};
use crate::api::types::{DaemonInformation, Live, WatchMode};
use crate::cli::project::identity;
use crate::disk::{FileLock, Layout};
use crate::target::host::HostClient;

/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The answers.
pub(super) struct Services {
    daemon: Result<(DaemonInformation, Live), ClientError>,
    host: Option<String>,
}

impl Services {
    /// Asks both.
    pub(super) fn ask(layout: &Layout) -> Self {
        // In a thread of its own, for the caller may be inside of a runtime, and those do not nest.
        let asked = thread::scope(|scope| scope.spawn(|| ask_here(layout)).join());
        asked.unwrap_or_else(|_| Self::unknown("the question failed"))
    }

    fn unknown(reason: &str) -> Self {
        Self { daemon: Err(ClientError::Broken(reason.to_owned())), host: None }
    }

    /// How the daemon sees changes, if it runs and has looked already.
    pub(super) fn watch_mode(&self) -> Option<&WatchMode> {
        let (_, live) = self.daemon.as_ref().ok()?;
        live.watch.as_ref().map(|health| &health.mode)
    }

    /// The address that the host serves, if it runs.
    pub(super) fn host_address(&self) -> Option<&str> {
        self.host.as_deref()
    }

    /// Whether a daemon runs, and whether it is well.
    pub(super) fn daemon(&self, layout: &Layout) -> Check {
        match &self.daemon {
            Ok((information, live)) => running(information, live),
            Err(ClientError::NotRunning(_) | ClientError::Unheard(_)) => not_running(layout),
            Err(error) => Check::of_error("daemon", Word::Warning, &error.to_string()),
        }
    }
}

fn ask_here(layout: &Layout) -> Services {
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Services::unknown(&error.to_string()),
    };
    runtime.block_on(async { Services { daemon: ask_daemon(layout).await, host: ask_host(layout).await } })
}

async fn ask_daemon(layout: &Layout) -> Result<(DaemonInformation, Live), ClientError> {
    let client = Client::connect(layout, identity(false))?;
    match timeout(PATIENCE, client.snapshot()).await {
        Ok(answer) => answer.map(|snapshot| (snapshot.daemon, snapshot.live)),
        Err(_) => Err(ClientError::Broken(format!("no answer within {} s", PATIENCE.as_secs()))),
    }
}

async fn ask_host(layout: &Layout) -> Option<String> {
    let client = HostClient::new(layout).ok().filter(HostClient::is_running)?;
    let status = timeout(PATIENCE, client.status()).await.ok()?.ok()?;
    Some(status.address)
}

fn running(information: &DaemonInformation, live: &Live) -> Check {
    let own = env!("CARGO_PKG_VERSION");
    let DaemonInformation { version, pid, .. } = information;
    if version != own {
        let sentence = format!("the daemon (process {pid}) is version {version}, this program is {own}");
        return Check::warning("daemon", sentence, "restart it with `trainyard down` and `trainyard up`");
    }
    if let Some((subject, problem)) = live.problems.first_key_value() {
        return Check::of_error("daemon", Word::Warning, &format!("it has a problem with the {subject}: {problem}"));
    }
    Check::ok("daemon", format!("version {version} runs (process {pid})"))
}

fn not_running(layout: &Layout) -> Check {
    if FileLock::is_held(&layout.daemon_lock()).unwrap_or(false) {
        let log = layout.daemon_log();
        let mend = format!("wait a moment if it was just started; what it says is in {}", log.display());
        return Check::warning("daemon", "a daemon runs but does not answer", mend);
    }
    Check::ok("daemon", "none runs; `trainyard` and `trainyard up` start one")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::API_VERSION;
    use crate::pipeline::Moment;

    fn information(version: &str) -> DaemonInformation {
        DaemonInformation {
            version: version.to_owned(),
            pid: 42,
            project: "wine".to_owned(),
            folder: "/p".to_owned(),
            host: "box".to_owned(),
            target: None,
            started: Moment(0),
            api: API_VERSION,
            journal: String::new(),
        }
    }

    #[test]
    fn a_daemon_of_another_version_is_to_be_restarted() {
        let check = running(&information("0.0.1"), &Live::default());
        assert_eq!(check.mend.as_deref(), Some("restart it with `trainyard down` and `trainyard up`"));
        assert_eq!(running(&information(env!("CARGO_PKG_VERSION")), &Live::default()).word, Word::Ok);
    }

    #[test]
    fn a_daemon_that_cannot_do_its_work_is_a_warning() {
        let mut live = Live::default();
        live.problems.insert("journal".to_owned(), "the disk is full; make room".to_owned());
        let check = running(&information(env!("CARGO_PKG_VERSION")), &live);
        assert_eq!(check, Check::warning("daemon", "it has a problem with the journal: the disk is full", "make room"));
    }

    #[test]
    fn a_lock_without_an_answer_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        assert_eq!(Services::ask(&layout).daemon(&layout).word, Word::Ok);
        let _daemon = FileLock::try_acquire(&layout.daemon_lock()).unwrap().unwrap();
        assert_eq!(Services::ask(&layout).daemon(&layout).word, Word::Warning);
    }
}
