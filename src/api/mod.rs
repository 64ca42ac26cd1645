//! The seam between the daemon and everything that looks at it.
//!
//! [`types`] is the vocabulary and stands just above `pipeline`; [`client`] uses nothing else. Only [`server`] knows the engine.
//! [`ssh`] brings the socket of another machine here, for the same client.
//!
//! **Invariant:** nothing listens on a network port; the socket lies in a folder that only its owner may enter.

pub mod client;
pub mod server;
pub mod ssh;
pub mod types;
