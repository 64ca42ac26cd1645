//! The host of the `process` target, as the daemon sees it: started when it is needed, asked what is live.

use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::process::Command;
use tokio::sync::Mutex;

use crate::disk::{FileLock, Layout};
use crate::pipeline::ReleaseId;
use crate::target::process::{HostClient, host_lock};

/// How long a host may take to answer after its start, and to end.
const PATIENCE: Duration = Duration::from_secs(10);

/// The process target's host. It outlives the daemon.
#[derive(Clone)]
pub struct ReleaseHost {
    layout: Layout,
    program: PathBuf,
    /// One start at a time.
    starting: Arc<Mutex<()>>,
}

impl ReleaseHost {
    /// The host of this project.
    pub fn new(layout: Layout, program: PathBuf) -> Self {
        Self { layout, program, starting: Arc::default() }
    }

    fn client(&self) -> Option<HostClient> {
        HostClient::new(&self.layout).ok()
    }

    /// Whether one runs.
    pub fn is_running(&self) -> bool {
        FileLock::is_held(&host_lock(&self.layout)).unwrap_or(false)
    }

    /// Starts it on `port` unless it runs there; one on another port is replaced. Why it would not start is in its log,
    /// which the deploy stage shows.
    pub async fn ensure(&self, port: u16) {
        let _one_at_a_time = self.starting.lock().await;
        let Some(client) = self.client() else { return };
        if self.is_running() {
            match client.status().await {
                Ok(status) if !status.address.ends_with(&format!(":{port}")) => {
                    let _ = client.stop().await;
                }
                _ => return,
            }
        }
        let started = Command::new(&self.program)
            .arg("-C")
            .arg(self.layout.project())
            .args(["host", "--port", &port.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = started else { return };
        tokio::select! {
            _ = client.wait_ready(PATIENCE) => {}
            // One that ends at once (a taken port) has said why in its log.
            _ = child.wait() => return,
        }
        // Reaps it, should it end before the daemon does.
        tokio::spawn(async move { child.wait().await });
    }

    /// The release that the host itself says is live.
    pub async fn live(&self) -> Option<ReleaseId> {
        let client = self.client()?;
        let status = client.status().await.ok()?;
        status.live.map(|live| live.release)
    }

    /// The address at which the live release answers.
    pub async fn address(&self) -> Option<String> {
        let status = self.client()?.status().await.ok()?;
        status.live.is_some().then_some(status.address)
    }

    /// Stops it and what it serves.
    pub async fn stop(&self) {
        if let Some(client) = self.client().filter(|_| self.is_running()) {
            let _ = client.stop().await;
        }
    }
}
