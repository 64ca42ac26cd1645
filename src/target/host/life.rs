//! The life of a host process: take the lock, clear what a former host left, bring its release up again, serve, end.

use std::fs;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::sleep;

use super::apply::Host;
use super::health::{probe, raised};
use super::log::HostLog;
use super::state::HostState;
use super::{address, control, proxy};
use crate::disk::{FileLock, LastingListener, Layout};
use crate::target::process::release_log;

/// How often, and with which pause, a lock that is held is tried again. Who only looks whether a host runs holds it for an
/// instant, and a host that was just stopped a little longer.
const LOCK_TRIES: u32 = 40;
const LOCK_PAUSE: Duration = Duration::from_millis(50);
/// How often the log of the live release is looked at, from which length on it is cut, and what is kept of it.
const LOG_LOOK: Duration = Duration::from_secs(30);
const LOG_LIMIT: u64 = 64 << 20;
const LOG_KEPT: u64 = 1 << 20;
/// How long the last answers on the socket may take.
const LAST_ANSWERS: Duration = Duration::from_secs(2);

/// Why a host does not run.
#[derive(Debug, thiserror::Error)]
pub enum HostError {
    /// Another host of the same project runs.
    #[error("another host runs for this project (it holds {0}); use it, or stop it with `trainyard down --all`")]
    AlreadyRuns(PathBuf),
    /// Something else listens on the port.
    #[error(
        "port {port} on 127.0.0.1 is taken by another program; set another `port` in [stages.deploy] of trainyard.toml, or stop what listens there (`ss -ltnp 'sport = :{port}'` names it)"
    )]
    PortTaken {
        /// The port.
        port: u16,
    },
    /// The port cannot be used.
    #[error(
        "cannot listen on port {port} of 127.0.0.1: {source}; set another `port` in [stages.deploy] of trainyard.toml"
    )]
    Port {
        /// The port.
        port: u16,
        /// What the system said.
        source: io::Error,
    },
    /// A file or folder cannot be used.
    #[error("cannot use {path}: {source}")]
    File {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The runtime cannot be made.
    #[error("cannot start the host: {0}")]
    Runtime(String),
}

/// The file that a host holds locked for its life.
pub fn host_lock(layout: &Layout) -> PathBuf {
    layout.releases().join("host.lock")
}

/// What a host has to say, its errors included.
pub fn host_log(layout: &Layout) -> PathBuf {
    layout.releases().join("host.log")
}

/// Runs the host of a project until it is told to stop. The stable address is that port on loopback. An error is also in
/// the host's log, because nobody reads what a detached process prints.
pub async fn run(layout: &Layout, port: u16) -> Result<(), HostError> {
    layout.create().map_err(using(&layout.state()))?;
    let path = host_log(layout);
    let log = HostLog::new(path.clone()).map_err(using(&path))?;
    let result = run_logged(layout, port, &log).await;
    if let Err(error) = &result {
        log.say(&error.to_string());
    }
    result
}

async fn run_logged(layout: &Layout, port: u16, log: &HostLog) -> Result<(), HostError> {
    let _lock = lock(&host_lock(layout)).await?;
    layout.settle_runtime(&layout.daemon_lock()).map_err(using(&layout.host_socket()))?;
    let path = HostState::path(&layout.releases());
    let state = HostState::read(&path).map_err(using(&path))?;
    for killed in state.kill_left_over() {
        log.say(&format!("killed process {} of release {}, left by a former host", killed.pid, killed.release));
    }
    let data = listen(port).await?;
    let told = log.clone();
    let control = LastingListener::bind(layout, Layout::host_socket, move |opened| match opened {
        Ok(()) => told.say("the control socket was taken away, and is there again"),
        Err(error) => told.say(&format!("the control socket was taken away and cannot be opened anew: {error}")),
    });
    let control = control.map_err(using(&layout.host_socket()))?;
    let client = probe().map_err(|error| HostError::Runtime(error.to_string()))?;
    let host = Arc::new(Host::new(layout, port, log.clone(), client));
    let mut stop = host.stop_flag();
    let mut terminate = signal(SignalKind::terminate()).map_err(|error| HostError::Runtime(error.to_string()))?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(|error| HostError::Runtime(error.to_string()))?;

    log.say(&format!("serving at {}", address(port)));
    let serving = tokio::spawn(proxy::serve(data, host.switch()));
    let watching = tokio::spawn(keep_log_short(Arc::clone(&host), layout.releases()));
    if let Some(canary) = state.canary {
        let within = canary.canary_within();
        host.keep_canary(canary, within);
    }
    if let Some(record) = state.live {
        host.revive(record).await;
    }
    let (stopped, was_stopped) = watch::channel(false);
    let mut end = was_stopped.clone();
    let answering = axum::serve(control, control::router(Arc::clone(&host), was_stopped))
        .with_graceful_shutdown(async move { raised(&mut end).await });
    let mut answering = tokio::spawn(answering.into_future());

    tokio::select! {
        _ = terminate.recv() => log.say("got TERM"),
        _ = interrupt.recv() => log.say("got INT"),
        () = raised(&mut stop) => log.say("asked to stop"),
        _ = &mut answering => log.say("the control socket ended"),
    }
    // No further connection is taken; the requests on those that are open are still answered.
    serving.abort();
    watching.abort();
    host.shut_down().await;
    stopped.send_replace(true);
    if !answering.is_finished() {
        let _ = tokio::time::timeout(LAST_ANSWERS, answering).await;
    }
    // The socket goes before the lock does: the next host must not lose its own.
    let _ = fs::remove_file(layout.host_socket());
    log.say("stopped");
    Ok(())
}

/// An app that writes a line a request would fill the disk. It appends, so cutting its log leaves no hole.
async fn keep_log_short(host: Arc<Host>, releases: PathBuf) {
    let mut ticks = tokio::time::interval(LOG_LOOK);
    loop {
        ticks.tick().await;
        if let Some(release) = host.live_release() {
            let path = release_log(&releases, release);
            // One that cannot be cut now is looked at again.
            let _ = spawn_blocking(move || shorten(&path, LOG_LIMIT, LOG_KEPT)).await;
        }
    }
}

/// Keeps the last `kept` bytes of a file that is longer than `limit`.
fn shorten(path: &Path, limit: u64, kept: u64) -> io::Result<()> {
    let mut file = fs::OpenOptions::new().read(true).append(true).open(path)?;
    let length = file.metadata()?.len();
    if length <= limit {
        return Ok(());
    }
    file.seek(SeekFrom::Start(length.saturating_sub(kept)))?;
    let mut tail = Vec::new();
    (&mut file).take(kept).read_to_end(&mut tail)?;
    file.set_len(0)?;
    file.write_all(&tail)
}

async fn lock(path: &Path) -> Result<FileLock, HostError> {
    for _ in 0..LOCK_TRIES {
        if let Some(lock) = FileLock::try_acquire(path).map_err(using(path))? {
            return Ok(lock);
        }
        sleep(LOCK_PAUSE).await;
    }
    Err(HostError::AlreadyRuns(path.to_owned()))
}

async fn listen(port: u16) -> Result<TcpListener, HostError> {
    TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => HostError::PortTaken { port },
        _ => HostError::Port { port, source },
    })
}

fn using(path: &Path) -> impl Fn(io::Error) -> HostError {
    let path = path.to_owned();
    move |source| HostError::File { path: path.clone(), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_log_keeps_its_end_and_goes_on_growing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("1.log");
        let mut app = fs::OpenOptions::new().create(true).append(true).open(&path).unwrap();
        app.write_all(b"0123456789").unwrap();
        shorten(&path, 10, 4).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"0123456789", "not before it is too long");
        shorten(&path, 9, 4).unwrap();
        app.write_all(b"ab").unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"6789ab");
    }
}
