//! `trainyard attach`: the screen here, the daemon on another machine.
//!
//! `ssh` opens the line while the terminal is still its own, so that it can ask for what it always asks for; then the screen is
//! drawn over the socket that the line brings here. Leaving the screen ends the line, and nothing over there.

use std::io::{self, IsTerminal};

use super::failure::{Failure, failed};
use super::harmless::harmless;
use super::plain::{self, Look};
use super::project::identity;
use super::screen::failure_of;
use crate::api::client::{Client, Identity};
use crate::api::ssh::{Line, LineError, Place, Ssh};
use crate::tui::{self, Options, TuiError};

/// Opens the screen for the project at a place.
pub fn run(place: &Place, is_observer: bool, look: Look) -> Result<(), Failure> {
    let is_in_lines = look.is_in_lines();
    if !is_in_lines && (!io::stdin().is_terminal() || !io::stdout().is_terminal()) {
        // Said before anybody is asked for a password.
        return Err(failure_of(&TuiError::NotATerminal));
    }
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().map_err(failed)?;
    let shown = runtime.block_on(async {
        let line = Line::open(ssh().for_observer(is_observer), place.clone(), tell).await?;
        let client = Client::at_socket(line.socket(), Identity { from: Some(origin()), ..identity(is_observer) })?;
        let options = Options { line: Some(line.state()), is_remote: true, is_ascii: look.ascii, ..Options::default() };
        let shown =
            if is_in_lines { plain::show(client, options).await } else { tui::run(client, options).await.map(drop) };
        line.close().await;
        Ok::<_, Failure>(shown)
    });
    // A task that still waits for an answer must not hold the terminal's owner up.
    runtime.shutdown_background();
    shown?.map_err(|error| failure_of(&error))
}

/// The user's `ssh`, by the environment of this program.
pub fn ssh() -> Ssh {
    Ssh::from_variables(|name| std::env::var(name).ok())
}

/// From where this operator comes, as the other machine is told: who sent us here, or this account on this machine.
pub fn origin() -> String {
    let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
    variable("TRAINYARD_FROM").unwrap_or_else(|| {
        let account = variable("USER").or_else(|| variable("LOGNAME"));
        let account = account.unwrap_or_else(|| format!("uid {}", rustix::process::getuid().as_raw()));
        format!("{account}@{}", rustix::system::uname().nodename().to_string_lossy())
    })
}

/// What `ssh` says while it comes in.
fn tell(line: &str) {
    eprintln!("{}", harmless(line));
}

impl From<LineError> for Failure {
    fn from(error: LineError) -> Self {
        match error {
            LineError::NoProject { .. } => Self::Usage(error.to_string()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}
