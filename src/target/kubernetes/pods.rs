//! Pods as back ends: which there are, and a connection to a port of one of them.
//!
//! [`PodWatch`] keeps the list of an app's pods current; [`PodConnector`] opens connections through the API server's
//! port-forward, so that nothing of the cluster needs to be reachable from here but the API server. Which pod a request goes
//! to is decided elsewhere.
//!
//! Known gap: a port-forward never says that the port was reached, only that it was not, and that a moment later. A
//! connection is handed out once that moment is over; one that is refused even later fails on its first read with
//! [`std::io::ErrorKind::ConnectionRefused`], and then nothing of what was sent has reached the app.

mod connector;
mod entry;
mod watch;

use std::time::Duration;

pub use self::connector::{PodConnector, PodStream};
pub use self::entry::PodEntry;
pub use self::watch::{PodList, PodWatch};
use super::connection::ClusterError;

/// Why a pod cannot be connected to.
#[derive(Debug, thiserror::Error)]
pub enum PodError {
    /// The API server refused, or cannot be asked.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The API server opens no connection.
    #[error(
        "no port-forward to pod {pod} came about within {} s; see whether its node is ready (`kubectl get nodes`)",
        .limit.as_secs()
    )]
    Silent {
        /// The pod.
        pod: String,
        /// How long was waited.
        limit: Duration,
    },
    /// Nothing listens there.
    #[error("port {port} of pod {pod} cannot be reached: {reason}")]
    Refused {
        /// The pod.
        pod: String,
        /// The port.
        port: u16,
        /// What the node said.
        reason: String,
    },
}
