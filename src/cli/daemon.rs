//! Becoming the daemon, in the foreground; `trainyard up` starts this in the background.

use std::path::Path;
use std::sync::Arc;

use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;

use super::failure::{Failure, failed};
use crate::api::server;
use crate::engine::Daemon;

/// Runs the daemon until TERM, INT or `trainyard down`.
pub fn run(folder: &Path) -> Result<(), Failure> {
    // Leaves the terminal and its hang-ups; fails for the leader of a group, which has left already.
    let _ = rustix::process::setsid();
    let program = std::env::current_exe().map_err(failed)?;
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
        println!("daemon {} serves {}", daemon.information.pid, daemon.information.folder);
        tokio::select! {
            served = server::serve(listener, daemon.clone(), end) => {
                return served.map_err(failed);
            }
            _ = ending.recv() => {}
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        daemon.end();
        Ok(())
    })
    // Threads that wait for stages end with the process; the stages go on.
}
