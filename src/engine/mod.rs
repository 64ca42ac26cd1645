//! The engine: the one place that decides, and what it needs to make decisions true.
//!
//! Input → `decide` → journal (SQLite, fsync) → `apply` → effects → broadcast, in [`core`]. Effects are carried out by
//! [`effects`] and report back as inputs. Stages run under [`supervisor`] processes that outlive the daemon and leave their
//! results on disk, where [`outcome`] reads them; [`spool`] holds their logs.
//!
//! **Invariant:** nothing outside [`core`] changes the state, and no effect leaves before its event is on disk.

pub mod alerting;
pub mod core;
pub mod daemon;
mod data_verify;
pub mod disk_watch;
pub mod door;
pub mod effects;
mod event_search;
pub mod feedback;
pub mod holder;
pub mod journal;
pub mod launch;
pub mod lineage;
pub mod monitoring;
pub mod notify;
pub mod operators;
pub mod outcome;
pub mod own_metrics;
pub mod past;
pub mod prune;
pub mod redact;
pub mod registry;
pub mod release_host;
pub mod releases;
mod remote_poll;
pub mod schedule;
pub mod spool;
mod stamps;
pub mod status;
pub mod supervisor;
pub mod training;

pub use daemon::{Daemon, DaemonError};
pub use event_search::events_matching;
