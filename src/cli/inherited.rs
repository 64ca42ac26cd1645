//! What an environment tells of whoever starts a daemon, or of what started it.
//!
//! A daemon serves many people and outlives the login, the hook or the stage that started it. Its stages must not act in that
//! person's name or with that person's keys, nor end with what started it.

use std::env;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::Command;

use crate::engine::supervisor::{MARK, SERVICE_VARIABLES};
use crate::watch::GIT_VARIABLES;

/// Who gives commands and from where, and of which stage a process is.
const OF_A_PERSON: &[&str] =
    &["TRAINYARD_OPERATOR", "TRAINYARD_FROM", "SSH_CLIENT", "SSH_CONNECTION", "SSH_TTY", "SSH_ORIGINAL_COMMAND", MARK];
/// Through SSH these are the agent and the screen of whoever came in, and gone when they leave.
const OF_A_VISIT: &[&str] = &["SSH_AUTH_SOCK", "DISPLAY"];
/// By any of these it is known that somebody came through SSH.
const OF_SSH: &[&str] = &["SSH_CONNECTION", "SSH_CLIENT", "SSH_TTY"];

/// Of a command that becomes a daemon, takes away all that is not the daemon's.
pub fn leave_out(command: &mut Command) {
    // A hook of git may have started us; the daemon and its stages must not take its repository for theirs.
    for name in SERVICE_VARIABLES.iter().chain(GIT_VARIABLES).copied().chain(personal()) {
        command.env_remove(name);
    }
}

/// Starts this very process anew without what tells of a person, if anything does. Whoever becomes a daemon in the foreground may
/// be the child of a service manager: its word stays, and what its unit says of git. Returns unless the process was started anew.
pub fn forget() -> io::Result<()> {
    let personal = personal();
    if !personal.iter().any(|name| env::var_os(name).is_some()) {
        return Ok(());
    }
    let mut command = Command::new(env::current_exe()?);
    command.args(env::args_os().skip(1));
    for name in personal {
        command.env_remove(name);
    }
    Err(command.exec())
}

/// All that may tell of a person here.
fn personal() -> Vec<&'static str> {
    let is_visit = OF_SSH.iter().any(|name| env::var_os(name).is_some());
    let of_visit = OF_A_VISIT.iter().filter(|_| is_visit);
    OF_A_PERSON.iter().chain(of_visit).copied().collect()
}
