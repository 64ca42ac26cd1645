//! How a command fails: a sentence for a person and an exit code for a script.

use std::fmt;
use std::process::ExitCode;

use super::harmless::harmless;
use super::readiness::error_prefix;
use crate::api::client::ClientError;
use crate::engine::DaemonError;

/// What the exit codes mean, for the help and the documentation.
pub const EXIT_CODES: &str = "\
Exit codes:
  0  done
  1  the run, test or gate failed, or the request was refused
  2  wrong usage or configuration
  3  the engine needed (the daemon, the host of releases, Docker, a cluster) cannot be reached";

/// A command that did not do what it should.
#[derive(Debug)]
pub enum Failure {
    /// The run, test or gate failed, or something was refused.
    Failed(String),
    /// Wrong usage or configuration.
    Usage(String),
    /// The engine that is needed cannot be reached.
    Unreachable(String),
    /// Everything has been said already.
    Said(u8),
}

impl Failure {
    /// The exit code.
    pub fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Unreachable(_) => 3,
            Self::Said(code) => *code,
        }
    }

    /// Prints the sentence, if there is one, and gives the exit code.
    pub fn report(&self) -> ExitCode {
        if !matches!(self, Self::Said(_)) {
            eprintln!("{}trainyard: {}", error_prefix(), harmless(&self.to_string()));
        }
        ExitCode::from(self.code())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(text) | Self::Usage(text) | Self::Unreachable(text) => f.write_str(text),
            Self::Said(_) => Ok(()),
        }
    }
}

impl From<ClientError> for Failure {
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::NotRunning(_) | ClientError::Unheard(_) | ClientError::Broken(_) | ClientError::Answer(_) => {
                Self::Unreachable(error.to_string())
            }
            ClientError::Refused(_) => Self::Failed(error.to_string()),
        }
    }
}

impl From<DaemonError> for Failure {
    fn from(error: DaemonError) -> Self {
        match error {
            DaemonError::Configuration(_) => Self::Usage(error.to_string()),
            _ => Self::Unreachable(error.to_string()),
        }
    }
}

impl From<std::io::Error> for Failure {
    /// A reader that went away (`| head`) wanted no more, and that is no failure of ours.
    fn from(error: std::io::Error) -> Self {
        if error.kind() == std::io::ErrorKind::BrokenPipe { Self::Said(0) } else { Self::Failed(error.to_string()) }
    }
}

/// Turns any other error into a failure of the run.
pub fn failed(error: impl fmt::Display) -> Failure {
    Failure::Failed(error.to_string())
}
