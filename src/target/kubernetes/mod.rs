//! The Kubernetes target: a release as a rollout of a Deployment.
//!
//! ```text
//!  manifest ─┐                                       ┌─ follow ── observe, progress, account
//!  generate ─┼─▶ app ─▶ apply (prepare) ─▶ rollout ──┼─ diagnosis (why it will not succeed)
//!  stored ───┘            │                          └─ undo (the way back)
//!                      kinds, rights, replicas        canary ─ the same for some pods beside the former release
//! ```
//!
//! `connection` and `error` are the cluster and what it means when it refuses, `object` is one object of whatever kind,
//! `patience` bears silences, `literal` keeps text as it is. `status`, `drift` and `remove` are what is asked of a release that
//! runs. `pods` connects to them, and `job` runs a stage as a pod; neither knows of rollouts.
//!
//! **How a host uses it.** [`prepare`] touches nothing: it renders the objects, asks for the rights, lets the server try all
//! of them, and keeps them in a file. [`roll_out`] applies them, and ends with all pods healthy or with the former release
//! as it was. [`canary::start`] puts some pods beside the former ones; then either [`roll_out`] follows, or not, and
//! [`canary::withdraw`] in any case. A host that was killed finds what it applied by [`stored`].
//!
//! **Invariants.** What does not carry the labels of this project is never changed or removed. Nothing is forced: a field
//! that another has set since is told, not overwritten. Nothing is applied unless all would be accepted. The app's pods get
//! requests only when they are ready, and a release that fails leaves none of them.
//!
//! Known gaps: an app is one Deployment (a `StatefulSet` cannot be rolled back by applying it again); cluster-wide objects
//! and volumes are applied but never removed; two clusters under one context name are taken for one.

mod account;
mod app;
mod apply;
pub mod canary;
pub mod connection;
mod diagnosis;
pub mod drift;
mod error;
mod follow;
mod generate;
pub mod job;
mod kinds;
mod literal;
mod manifest;
mod object;
mod observe;
mod patience;
pub mod pods;
mod progress;
mod remove;
mod replicas;
mod rights;
mod rollout;
pub mod status;
mod stored;
mod text;
mod undo;

pub use self::apply::prepare;
pub use self::connection::{Cluster, ClusterError};
pub use self::remove::remove;
pub use self::rollout::roll_out;
pub use self::stored::{Prepared, StoredError, stored};
