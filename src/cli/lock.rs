//! `trainyard lock` and `trainyard unlock`: holding automation off deploys, for a while or as long as a command runs.

use std::io::{self, IsTerminal, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::ExitStatus;

use rustix::process::{Pid, Signal as SystemSignal, kill_process};
use tokio::process::{Child, Command as Program};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::failure::{Failure, failed};
use super::harmless::note;
use super::project::{block_on, client, layout};
use super::run::{Reason, request};
use super::show::clock;
use crate::api::client::Client;
use crate::config::HumanDuration;
use crate::disk::now;
use crate::engine::holder;
use crate::pipeline::{Command, Holder};

/// Why deploys are held, and how long.
#[derive(Debug, Clone, clap::Args)]
pub struct LockArguments {
    /// Why, for everybody who wonders
    #[arg(value_name = "WHY")]
    pub why: String,
    /// For how long at most; without it, until somebody unlocks
    #[arg(long = "for", value_name = "DURATION")]
    pub length: Option<HumanDuration>,
    /// As long as this command runs; its exit code is ours
    #[arg(last = true, value_name = "COMMAND")]
    pub command: Vec<String>,
}

/// Holds deploys, or holds them while a command runs.
pub fn lock(folder: &Path, arguments: &LockArguments, out: &mut impl Write) -> Result<(), Failure> {
    let client = client(&layout(folder)?)?;
    block_on(async {
        let Some((program, words)) = arguments.command.split_first() else {
            hold(&client, arguments, None).await?;
            writeln!(out, "deploys are held {}: {}", until(arguments), arguments.why)?;
            return Ok(());
        };
        // Listening begins before there is a lock that would be left behind.
        let mut signals = Signals::listen().map_err(failed)?;
        let own = holder::own().ok_or_else(|| failed("the system does not tell who this process is"))?;
        hold(&client, arguments, Some(own.clone())).await?;
        let mut program_to_run = Program::new(program);
        let started = program_to_run.args(words).spawn();
        let ended = match started {
            Ok(child) => signals.wait_for(child).await.map_err(failed).and_then(ended_with),
            Err(error) => {
                Err(Failure::Usage(format!("cannot start `{program}`: {error}; deploys are not held any more")))
            }
        };
        if let Err(failure) = release(&client, &own).await {
            // The command has ended as it has ended; the daemon finds out by itself that nobody holds the lock any more.
            note(&format!("the lock could not be given back: {failure}"));
        }
        ended
    })
}

async fn hold(client: &Client, arguments: &LockArguments, holder: Option<Holder>) -> Result<(), Failure> {
    let milliseconds = arguments.length.map(|length| u64::try_from(length.0.as_millis()).unwrap_or(u64::MAX));
    request(client, Command::Lock { milliseconds, holder }, arguments.why.trim().to_owned()).await.map(drop)
}

fn until(arguments: &LockArguments) -> String {
    match arguments.length {
        Some(length) => {
            let milliseconds = u64::try_from(length.0.as_millis()).unwrap_or(u64::MAX);
            format!("until {}", clock(now().plus(milliseconds)))
        }
        None => "until `trainyard unlock`".to_owned(),
    }
}

/// Gives back the lock that we hold. One that somebody else has put in its place meanwhile is theirs.
async fn release(client: &Client, own: &Holder) -> Result<(), Failure> {
    let snapshot = client.snapshot().await?;
    match snapshot.state.lock {
        Some(lock) if lock.holder.as_ref() == Some(own) => {
            request(client, Command::Unlock, "the command has ended".to_owned()).await.map(drop)
        }
        Some(_) | None => Ok(()),
    }
}

fn ended_with(status: ExitStatus) -> Result<(), Failure> {
    match (status.code(), status.signal()) {
        (Some(0), _) => Ok(()),
        (Some(code), _) => Err(Failure::Said(u8::try_from(code).unwrap_or(1))),
        // As a shell tells it.
        (None, Some(signal)) => Err(Failure::Said(u8::try_from(128 + signal).unwrap_or(1))),
        (None, None) => Err(Failure::Said(1)),
    }
}

/// What tells us to end while the command runs: it ends first, and then the lock.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// The end of the command, which is told whatever we are told. An interrupt of a terminal has reached it already, for it
    /// is in the same group.
    async fn wait_for(&mut self, mut child: Child) -> io::Result<ExitStatus> {
        let pid = child.id().and_then(|pid| i32::try_from(pid).ok()).and_then(Pid::from_raw);
        loop {
            let told = tokio::select! {
                status = child.wait() => return status,
                _ = self.interrupt.recv() => (!io::stdin().is_terminal()).then_some(SystemSignal::INT),
                _ = self.terminate.recv() => Some(SystemSignal::TERM),
                _ = self.hangup.recv() => Some(SystemSignal::HUP),
            };
            // It has not been waited for, so its number is still its own.
            if let (Some(pid), Some(told)) = (pid, told) {
                let _ = kill_process(pid, told);
            }
        }
    }
}

/// `trainyard unlock`
pub fn unlock(folder: &Path, reason: &Reason, out: &mut impl Write) -> Result<(), Failure> {
    let client = client(&layout(folder)?)?;
    block_on(request(&client, Command::Unlock, reason.text()))?;
    writeln!(out, "deploys are not held any more")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_ends_for_us_as_it_ended_for_itself() {
        let code = |raw: i32| ended_with(ExitStatus::from_raw(raw)).map_err(|failure| failure.code());
        assert_eq!(code(0), Ok(()));
        assert_eq!(code(7 << 8), Err(7));
        assert_eq!(code(15), Err(143));
    }
}
