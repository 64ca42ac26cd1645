//! The process target: releases as processes on this machine, behind one stable address.
//!
//! A long-lived *host* process owns the listening socket, so that neither a redeploy nor a restart of the daemon closes it.
//!
//! ```text
//!  deploy stage ── client ──(Unix socket)──▶ control ──▶ apply ──▶ release 17 (process group)
//!                                                          │
//!  a user's request ──▶ proxy ── switch ────────────────────┴────▶ the live one
//! ```
//!
//! `unpack` and `launch` make a command line of an image, `release` runs it, `health` judges it, `apply` lets it take over,
//! `supervise` keeps it alive, `state` lets a host that was killed be followed by another. `proxy` knows none of that: it
//! asks the switch where each request goes.
//!
//! **Invariants.** A release serves only after it was healthy. A request is counted in the same instant in which its back
//! end is chosen, so a drain never misses one. Nothing that a host started outlives the next host. Known gaps: upgraded
//! connections (WebSocket) are not passed on; a release started in the instant in which its host is killed, before its
//! number is on the disk, stays until it is found by hand.

mod apply;
mod client;
mod control;
mod health;
mod host;
mod launch;
mod log;
mod proxy;
mod release;
mod state;
mod supervise;
mod unpack;

use serde::{Deserialize, Serialize};

pub use self::client::{ClientError, HostClient};
pub use self::host::{HostError, host_lock, host_log, run};
pub use self::unpack::{UnpackError, Unpacked, unpack};
pub use super::request::{ApplyRequest, ApplyResponse, LiveRelease, TargetStatus};

/// One line of the answer to an apply, so that each step is seen as it is done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ApplyEvent {
    /// A step was done.
    Step(String),
    /// All is done.
    Done(ApplyResponse),
}

/// The stable address on this machine.
fn address(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// A time as a person reads it: `30 s`, `0.3 s`.
fn seconds(duration: std::time::Duration) -> String {
    if duration.subsec_millis() == 0 {
        return format!("{} s", duration.as_secs());
    }
    format!("{:.1} s", duration.as_secs_f64())
}

#[cfg(test)]
mod tests;
