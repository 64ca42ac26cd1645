//! Becoming the daemon, in the foreground; `trainyard up` starts this in the background, and a service manager as it is.

use std::future;
use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval};

use super::failure::{Failure, failed};
use super::harmless::note;
use super::inherited;
use super::readiness::{Readiness, heartbeat};
use crate::api::server;
use crate::disk::Layout;
use crate::engine::Daemon;
use crate::engine::core::CoreHandle;

/// Runs the daemon until TERM, INT or `trainyard down`.
pub fn run(folder: &Path) -> Result<(), Failure> {
    inherited::forget().map_err(failed)?;
    // Leaves the terminal and its hang-ups; fails for the leader of a group, which has left already.
    let _ = rustix::process::setsid();
    let program = std::env::current_exe().map_err(failed)?;
    if let Ok(layout) = Layout::new(folder) {
        // In its own words, before anything is made.
        layout.check_runtime().map_err(|error| Failure::Unreachable(error.to_string()))?;
    }
    let readiness = Readiness::from_environment().unwrap_or_else(|error| {
        note(&format!("the service manager cannot be told, for NOTIFY_SOCKET cannot be used: {error}"));
        None
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    runtime.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(failed)?;
        let mut interrupt = signal(SignalKind::interrupt()).map_err(failed)?;
        let _hangup = signal(SignalKind::hangup()).map_err(failed)?;
        let daemon = Arc::new(Daemon::start(folder, program).await?);
        let listener = server::bind(&daemon).map_err(|error| {
            Failure::Unreachable(format!("cannot listen on {}: {error}", daemon.layout.socket().display()))
        })?;
        let (end, mut ending) = mpsc::unbounded_channel();
        let information = &daemon.information;
        println!("daemon {} serves {}", information.pid, information.folder);
        // Whoever connects from now on is answered.
        let status = format!("serves {} in {}", information.project, information.folder);
        tell(readiness.as_ref(), |readiness| readiness.ready(&status));
        tokio::select! {
            served = server::serve(listener, daemon.clone(), end) => {
                return served.map_err(failed);
            }
            () = beat(readiness.as_ref(), &daemon.core) => {}
            _ = ending.recv() => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tell(readiness.as_ref(), Readiness::stopping);
        daemon.end();
        Ok(())
    })
    // Threads that wait for stages end with the process; the stages go on.
}

/// A service manager that cannot be told is no reason not to serve.
fn tell(readiness: Option<&Readiness>, what: impl FnOnce(&Readiness) -> std::io::Result<()>) {
    if let Some(Err(error)) = readiness.map(what) {
        note(&format!("the service manager cannot be told: {error}"));
    }
}

/// Says again and again that we are alive, where that is asked for: for as long as the core answers, and no longer. Ends when
/// the core has ended.
async fn beat(readiness: Option<&Readiness>, core: &CoreHandle) {
    let (Some(readiness), Some(every)) = (readiness, heartbeat()) else { return future::pending().await };
    let mut beats = interval(every);
    beats.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        beats.tick().await;
        if core.look(|_, _| ()).await.is_none() {
            return;
        }
        tell(Some(readiness), Readiness::alive);
    }
}
