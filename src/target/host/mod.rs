//! The host: a long-lived process that owns the stable address of an app and puts its releases into service.
//!
//! It owns the listening socket, so that neither a redeploy nor a restart of the daemon closes it, whatever a release runs
//! as: processes and containers are started beside each other and switched, pods come and go behind the same address.
//!
//! ```text
//!  deploy stage ── client ──(Unix socket)──▶ control ──▶ apply ──▶ swap ───▶ process or container of release 17
//!                                                          │  └──▶ cluster ─▶ rollout, pods
//!  a user's request ──▶ proxy ── switch ── back end ────────┴────▶ the live one
//! ```
//!
//! `swap` starts, judges, switches and drains; `health` judges; `supervise` keeps alive; `cluster` lets Kubernetes do that;
//! `state` lets a host that was killed be followed by another; `report` says how all is. `proxy` knows none of that: it asks
//! the switch where each request goes.
//!
//! **Invariants.** A release serves only after it was healthy. A request is counted in the same instant in which its back
//! end is chosen, so a drain never misses one. No process that a host started outlives the next host; containers and pods go
//! on without one and are found again by their labels. Known gaps: upgraded connections (WebSocket) are not passed on; a
//! process started in the instant in which its host is killed, before its number is on the disk, stays until it is found by
//! hand.

mod apply;
mod back_end;
mod client;
mod cluster;
mod comparison;
mod control;
mod ending;
mod health;
mod instance;
mod life;
mod log;
mod patience;
mod pod_routes;
mod proxy;
mod records;
mod report;
mod state;
mod supervise;
mod swap;

use serde::{Deserialize, Serialize};

pub use self::client::{ClientError, HostClient};
pub use self::ending::{Farewell, end_without_host};
pub use self::life::{HostError, host_lock, host_log, run};
pub use self::report::Scraped;
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
