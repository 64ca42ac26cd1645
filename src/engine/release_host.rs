//! The host of releases, as the daemon sees it: started when it is needed, asked what is live.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::process::Command;
use tokio::sync::Mutex;
use tokio::task::spawn_blocking;

use super::effects::{CurrentSettings, current};
use super::redact::Redactor;
use super::supervisor::SERVICE_VARIABLES;
use crate::api::types::TargetReport;
use crate::disk::{FileLock, Layout};
use crate::pipeline::ReleaseId;
use crate::target::IMAGE_FORM;
use crate::target::host::{Farewell, HostClient, Scraped, end_without_host, host_lock};

/// How long a host may take to answer after its start, and to end.
const PATIENCE: Duration = Duration::from_secs(10);
/// How long an apply is waited for that nobody follows any more, and how often it is asked for.
const LONGEST_APPLY: Duration = Duration::from_mins(5);
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// The host. It outlives the daemon.
#[derive(Clone)]
pub struct ReleaseHost {
    layout: Layout,
    program: PathBuf,
    /// One start at a time.
    starting: Arc<Mutex<()>>,
    /// By which secrets are taken out of what is shown of a release.
    settings: Option<CurrentSettings>,
}

impl ReleaseHost {
    /// The host of this project.
    pub fn new(layout: Layout, program: PathBuf) -> Self {
        Self { layout, program, starting: Arc::default(), settings: None }
    }

    /// The same, which shows no secret of this configuration.
    #[must_use]
    pub fn redacting(self, settings: CurrentSettings) -> Self {
        Self { settings: Some(settings), ..self }
    }

    fn client(&self) -> Option<HostClient> {
        HostClient::new(&self.layout).ok()
    }

    /// Whether one runs.
    pub fn is_running(&self) -> bool {
        FileLock::is_held(&host_lock(&self.layout)).unwrap_or(false)
    }

    /// Starts it on `port` unless it runs there; one on another port, or of a former program that cannot read the images of
    /// this one, is replaced. Why it would not start is in its log,
    /// which the deploy stage shows.
    pub async fn ensure(&self, port: u16) -> Result<(), String> {
        let _one_at_a_time = self.starting.lock().await;
        let client = HostClient::new(&self.layout).map_err(|error| error.to_string())?;
        let deadline = Instant::now() + PATIENCE;
        while self.is_running() {
            match client.status().await {
                Ok(status) if status.address.ends_with(&format!(":{port}")) => {
                    if status.image_form >= IMAGE_FORM {
                        return Ok(());
                    }
                    // What is live is down until the new one has brought it back.
                    client.stop(false).await.map_err(|error| error.to_string())?;
                }
                Ok(status) => make_way(&client, &status.address, port).await?,
                // It begins and will answer soon; or it ends, and another takes its place once it has.
                Err(_) if Instant::now() < deadline => tokio::time::sleep(LOOK_AGAIN).await,
                Err(_) => return Ok(()),
            }
        }
        let mut command = Command::new(&self.program);
        for name in SERVICE_VARIABLES {
            command.env_remove(name);
        }
        let started = command
            .arg("-C")
            .arg(self.layout.project())
            .args(["host", "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let mut child = started.map_err(|error| format!("the host of releases cannot be started: {error}"))?;
        tokio::select! {
            _ = client.wait_ready(PATIENCE) => {}
            // One that ends at once (a taken port) has said why in its log.
            _ = child.wait() => return Ok(()),
        }
        // Reaps it, should it end before the daemon does.
        tokio::spawn(async move { child.wait().await });
        Ok(())
    }

    /// Sees that there is a host for a deploy that has begun. The one that works on it is not replaced under it, whatever the
    /// port is by now, and how it ended is not found out here.
    pub async fn ensure_for_begun(&self, port: u16) {
        if !self.is_running() {
            // If none can be started the deploy hears that there is none, and says so.
            let _ = self.ensure(port).await;
        }
    }

    /// The release that the host itself says is live.
    pub async fn live(&self) -> Option<ReleaseId> {
        let client = self.client()?;
        let status = client.status().await.ok()?;
        status.live.map(|live| live.release)
    }

    /// The release that is live once `applied` is not being applied any more: a deploy stage may be stopped while the host
    /// goes on with what it asked for.
    pub async fn live_behind(&self, applied: Option<ReleaseId>) -> Option<ReleaseId> {
        let client = self.client()?;
        let deadline = Instant::now() + LONGEST_APPLY;
        loop {
            let status = client.status().await.ok()?;
            if status.applying.is_none() || status.applying != applied || Instant::now() >= deadline {
                return status.live.map(|live| live.release);
            }
            tokio::time::sleep(LOOK_AGAIN).await;
        }
    }

    /// What can be scraped now.
    pub async fn instances(&self) -> Result<Vec<Scraped>, String> {
        let client = self.client().ok_or("no client of the host can be made")?;
        client.instances().await.map_err(|error| error.to_string())
    }

    /// The client whose requests go to the host's socket.
    pub fn http(&self) -> Option<reqwest::Client> {
        self.client().map(|client| client.http().clone())
    }

    /// How all is that the host knows of; `None` while it does not run.
    pub async fn report(&self) -> Option<TargetReport> {
        let client = self.client().filter(|_| self.is_running())?;
        client.report().await.ok()
    }

    /// The last lines that the live release wrote, without secrets. The log itself is the app's.
    pub async fn release_log(&self, lines: usize) -> Vec<String> {
        let Some(client) = self.client().filter(|_| self.is_running()) else { return Vec::new() };
        let mut lines = client.release_log(lines).await.unwrap_or_default();
        let Some(settings) = self.settings.as_ref().map(current) else { return lines };
        let project = self.layout.project().to_owned();
        let redacted = spawn_blocking(move || {
            let redactor = Redactor::of(&settings, &project);
            for line in &mut lines {
                redactor.redact_in(line);
            }
            lines
        });
        redacted.await.unwrap_or_default()
    }

    /// Stops it and what it serves, wherever that runs, and also if no host does. What it says is to be told.
    pub async fn stop(&self) -> Result<Farewell, String> {
        if !self.is_running() {
            return Ok(end_without_host(&self.layout).await);
        }
        let client = HostClient::new(&self.layout).map_err(|error| error.to_string())?;
        client.stop(true).await.map_err(|error| error.to_string())
    }
}

/// Ends a host that serves at another address: only for a port that can be had.
async fn make_way(client: &HostClient, address: &str, port: u16) -> Result<(), String> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
        format!(
            "port {port} cannot be had: {error}; the release on {address} goes on serving; set another `port` in the deploy \
             stage, or stop what listens there"
        )
    })?;
    client.stop(false).await.map(drop).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::http::header::CONTENT_TYPE;
    use axum::routing::{get, post};

    use super::*;

    /// The host of an empty project, of which no program can be started.
    fn host() -> (tempfile::TempDir, ReleaseHost) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        layout.create().unwrap();
        (folder, ReleaseHost::new(layout, PathBuf::from("/no/such/program")))
    }

    #[tokio::test]
    async fn where_a_host_is_ending_another_is_started_behind_it() {
        let (_folder, host) = host();
        let ending = FileLock::try_acquire(&host_lock(&host.layout)).unwrap().unwrap();
        let ends = async move { drop(ending) };
        let (ensured, ()) = tokio::join!(host.ensure(8080), ends);
        let told = ensured.unwrap_err();
        assert!(told.contains("cannot be started"), "{told}");
        assert!(!host.is_running());
    }

    /// A host on port 8080 that says `status`, and whether it was stopped by the end of `ensure`.
    async fn is_replaced(status: &'static str) -> (Result<(), String>, bool) {
        let (_folder, host) = host();
        host.layout.create_runtime().unwrap();
        let lock = FileLock::try_acquire(&host_lock(&host.layout)).unwrap().unwrap();
        let lock = Arc::new(std::sync::Mutex::new(Some(lock)));
        let held = Arc::clone(&lock);
        let told = Router::new()
            .route("/status", get(move || async move { ([(CONTENT_TYPE, "application/json")], status) }))
            .route("/stop", post(move || async move { drop(held.lock().unwrap().take()) }));
        let listener = tokio::net::UnixListener::bind(host.layout.host_socket()).unwrap();
        let server = tokio::spawn(async move { axum::serve(listener, told).await });
        let ensured = host.ensure(8080).await;
        server.abort();
        std::fs::remove_dir_all(host.layout.host_socket().parent().unwrap()).unwrap();
        let is_stopped = lock.lock().unwrap().is_none();
        (ensured, is_stopped)
    }

    #[tokio::test]
    async fn a_host_of_a_former_program_makes_way_and_one_that_reads_our_images_stays() {
        let former = r#"{"address": "127.0.0.1:8080", "live": null, "applying": null}"#;
        let (ensured, is_stopped) = is_replaced(former).await;
        assert!(is_stopped && ensured.unwrap_err().contains("cannot be started"));
        let present = r#"{"address": "127.0.0.1:8080", "live": null, "applying": null, "image_form": 1}"#;
        assert_eq!(is_replaced(present).await, (Ok(()), false));
    }
}
