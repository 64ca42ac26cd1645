//! `trainyard host`: the process that owns the stable address and runs releases. The daemon starts it; it outlives the daemon.

use std::path::Path;

use crate::disk::Layout;
use crate::target::host::{self, HostError};

/// What the daemon tells the host.
#[derive(Debug, Clone, clap::Args)]
pub struct HostArguments {
    /// The port of the stable address, on 127.0.0.1.
    #[arg(long, value_name = "N")]
    pub port: u16,
}

/// Runs until told to stop. What goes wrong is also in `.trainyard/releases/host.log`.
pub fn run(project: &Path, arguments: &HostArguments) -> Result<(), HostError> {
    // Fails only for the leader of a group, which a shell has detached already.
    let _ = rustix::process::setsid();
    let layout = Layout::new(project).map_err(|source| HostError::File { path: project.to_owned(), source })?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| HostError::Runtime(error.to_string()))?;
    runtime.block_on(host::run(&layout, arguments.port))
}
