//! What errors of Docker Engine mean, and what to do about each.

use std::error::Error as StdError;
use std::io;

use bollard::errors::Error;

use super::command;
use super::engine::address;
use crate::target::causes::{chain, innermost};

/// Why the engine did not do what it was asked to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// Nobody listens there.
    #[error("Docker Engine does not answer at {address}: {reason}; {mend}")]
    Unreachable {
        /// `unix:///var/run/docker.sock`.
        address: String,
        /// What the system said.
        reason: String,
        /// What to do.
        mend: String,
    },
    /// It runs, and is not for this user.
    #[error(
        "this user may not use Docker Engine at {address}: {reason}; add the user to the group `docker` (`sudo usermod -aG docker NAME`) and log in again"
    )]
    NotAllowed {
        /// `unix:///var/run/docker.sock`.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// `DOCKER_HOST` is of a kind that cannot be used.
    #[error("DOCKER_HOST is `{address}`, which cannot be used: {reason}; give unix:///PATH or tcp://HOST:PORT")]
    Address {
        /// What it holds.
        address: String,
        /// Why not.
        reason: String,
    },
    /// The engine is too old.
    #[error(
        "Docker Engine {version} is too old: it speaks API {api} at most, and API {oldest} is the least that is needed; update it to 20.10 or newer"
    )]
    TooOld {
        /// Of the engine.
        version: String,
        /// The newest API that it speaks.
        api: String,
        /// The oldest that will do.
        oldest: String,
    },
    /// The engine does not speak the API of this program any more.
    #[error(
        "Docker Engine {version} is too new: it speaks API {min_api} at least, and this program speaks API {newest} at most; update trainyard"
    )]
    TooNew {
        /// Of the engine.
        version: String,
        /// The oldest API that it speaks.
        min_api: String,
        /// The newest of this program.
        newest: String,
    },
    /// The connection broke in the middle.
    #[error(
        "the connection to Docker Engine at {address} broke: {reason}; see whether it runs (`systemctl status docker`)"
    )]
    Gone {
        /// `unix:///var/run/docker.sock`.
        address: String,
        /// What the system said.
        reason: String,
    },
    /// It took a question and gave no answer.
    #[error(
        "Docker Engine at {address} took a request and did not answer in time; see whether it is stuck (`docker info`) and restart it if so"
    )]
    Late {
        /// `unix:///var/run/docker.sock`.
        address: String,
    },
    /// It began to answer and then said nothing more.
    #[error("Docker Engine said nothing for {seconds} s, so it was not waited for any longer")]
    Silent {
        /// How long it was waited.
        seconds: u64,
    },
    /// What was asked for is not there.
    #[error("Docker Engine does not have it: {message}")]
    Missing {
        /// What the engine said.
        message: String,
    },
    /// Something stands against it.
    #[error("Docker Engine refused, for something stands against it: {message}")]
    Conflict {
        /// What the engine said.
        message: String,
    },
    /// It said no.
    #[error("Docker Engine refused ({status}): {message}")]
    Refused {
        /// The status of the answer.
        status: u16,
        /// What the engine said.
        message: String,
    },
    /// It began, and then something failed.
    #[error("Docker Engine failed: {message}")]
    Failed {
        /// What the engine said.
        message: String,
    },
    /// A registry said no.
    #[error("the registry {host} did not take {what}: {reason}; {mend}")]
    Registry {
        /// `registry.example.com`.
        host: String,
        /// What it was to take.
        what: String,
        /// What it said.
        reason: String,
        /// What to do.
        mend: String,
    },
    /// A file of ours that it was to get cannot be read.
    #[error("cannot read {path} for Docker Engine: {reason}")]
    File {
        /// The file.
        path: String,
        /// What the system said.
        reason: String,
    },
    /// The answer cannot be understood.
    #[error(
        "Docker Engine gave an answer that cannot be understood: {reason}; is it one that is supported (20.10 or newer)?"
    )]
    Unexpected {
        /// What is wrong with it.
        reason: String,
    },
}

impl EngineError {
    /// Whether the engine itself could not be had, which says nothing about what it was asked for.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Unreachable { .. }
            | Self::NotAllowed { .. }
            | Self::Address { .. }
            | Self::Gone { .. }
            | Self::Late { .. } => true,
            Self::TooOld { .. }
            | Self::TooNew { .. }
            | Self::Silent { .. }
            | Self::Missing { .. }
            | Self::Conflict { .. }
            | Self::Refused { .. }
            | Self::Failed { .. }
            | Self::Registry { .. }
            | Self::File { .. }
            | Self::Unexpected { .. } => false,
        }
    }

    /// What the engine itself said, without what stands around it; `None` if it said nothing.
    pub fn said(&self) -> Option<&str> {
        match self {
            Self::Missing { message }
            | Self::Conflict { message }
            | Self::Refused { message, .. }
            | Self::Failed { message } => Some(message),
            _ => None,
        }
    }

    fn gone(error: &(dyn StdError + 'static)) -> Self {
        Self::Gone { address: address(), reason: innermost(error) }
    }

    fn not_reached(error: &(dyn StdError + 'static)) -> Self {
        let (address, reason) = (address(), innermost(error));
        let kind = chain(error).find_map(|cause| cause.downcast_ref::<io::Error>()).map(io::Error::kind);
        match kind {
            Some(io::ErrorKind::PermissionDenied) => Self::NotAllowed { address, reason },
            _ => Self::unreachable(address, reason),
        }
    }

    /// Nobody answers at this address.
    pub(super) fn unreachable(address: String, reason: String) -> Self {
        Self::Unreachable { address, reason, mend: command::mend() }
    }
}

impl From<Error> for EngineError {
    fn from(error: Error) -> Self {
        match error {
            Error::DockerResponseServerError { status_code: 404, message } => Self::Missing { message },
            Error::DockerResponseServerError { status_code: 409, message } => Self::Conflict { message },
            Error::DockerResponseServerError { status_code, message } => Self::Refused { status: status_code, message },
            Error::DockerStreamError { error } | Error::DockerContainerWaitError { error, .. } => {
                Self::Failed { message: error }
            }
            Error::RequestTimeoutError => Self::Late { address: address() },
            Error::SocketNotFoundError(_) => Self::unreachable(address(), "there is no such socket".to_owned()),
            Error::UnsupportedURISchemeError { uri } => {
                Self::Address { address: uri, reason: "its kind is not supported".to_owned() }
            }
            Error::URLParseError { err } => Self::Address { address: address(), reason: err.to_string() },
            Error::HyperLegacyError { err } if err.is_connect() => Self::not_reached(&err),
            Error::HyperLegacyError { err } => Self::gone(&err),
            Error::HyperResponseError { err } => Self::gone(&err),
            Error::IOError { err } => Self::gone(&err),
            other => Self::Unexpected { reason: other.to_string() },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_told_from_an_engine_that_is_away() {
        let refused =
            |status_code| EngineError::from(Error::DockerResponseServerError { status_code, message: "no".to_owned() });
        assert_eq!(refused(404), EngineError::Missing { message: "no".to_owned() });
        assert_eq!(refused(409), EngineError::Conflict { message: "no".to_owned() });
        assert_eq!(refused(500).said(), Some("no"));
        assert!(!refused(500).is_unreachable());
        let broken = io::Error::new(io::ErrorKind::ConnectionReset, "reset");
        assert!(EngineError::from(Error::IOError { err: broken }).is_unreachable());
        assert!(EngineError::from(Error::SocketNotFoundError("/x".to_owned())).is_unreachable());
        assert!(EngineError::from(Error::RequestTimeoutError).is_unreachable());
    }

    #[test]
    fn a_socket_that_is_not_for_this_user_is_told_from_one_that_nobody_serves() {
        let denied = io::Error::from(io::ErrorKind::PermissionDenied);
        let text = EngineError::not_reached(&denied).to_string();
        assert!(text.contains("group `docker`"), "{text}");
        let refused = io::Error::from(io::ErrorKind::ConnectionRefused);
        let told = EngineError::not_reached(&refused);
        assert!(matches!(told, EngineError::Unreachable { .. }), "{told}");
    }
}
