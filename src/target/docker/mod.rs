//! The Docker target: a release as a container of Docker Engine.
//!
//! ```text
//!  start ─── image there? ── networks ── create, join, start ──▶ Container
//!                                                                   │
//!  plan (what is asked for)      life (what an end is) ◀── follow ──┤
//!  refusal (what a no means)     logs, usage, health, drift ◀───────┤
//!  containers (list, look, end)  compose (a service's place) ◀──────┘
//! ```
//!
//! `engine` is the connection, `engine_error` what its errors mean, `command` what the `docker` command beside it is set to, `images` what is asked
//! about images, `retention` what becomes of old ones.
//!
//! **How a host uses a container.** [`Container::start`] gives one that was started; the host judges it, calls
//! [`Container::join_service`] (which makes it known to the other services of a Compose project and cuts its connections to
//! them once, so before the switch), sends requests to [`Container::address`], and calls [`Container::take_over`]. From then
//! on it awaits [`Container::follow`], again after each [`ContainerEnd::Restarted`]: the engine's restart policy brings a
//! container up again at the same address, and only its health is to be judged anew. After [`ContainerEnd::Gone`] a new one
//! is to be started; `start` removes what is left of the former. A host that was killed leaves its container running; the
//! next finds it by [`Container::adopt`] and removes what else is there by [`remove_left_over`].
//!
//! **Invariants.** What does not carry this project's folder *and* a release among its labels is never stopped or removed
//! here, with one exception that is asked for in so many words: the containers of the Compose service that a release
//! replaces are stopped, never removed. (The label of the folder alone is not enough: it is on our images too, and a
//! container that a user runs of such an image inherits it.) A start that fails leaves nothing over.
//!
//! Known gaps: the address is on this machine's loopback, so an engine on another machine cannot be used; requests that
//! other Compose services send to a release directly are not counted when it is drained, and have the five seconds of its
//! stop.

mod adopt;
pub mod command;
pub mod compose;
mod container;
mod containers;
mod drift;
pub mod engine;
mod engine_error;
mod follow;
mod footprint;
mod health;
pub mod images;
mod life;
mod logs;
mod plan;
mod refusal;
pub mod retention;
mod start;
mod usage;

pub use adopt::remove_left_over;
pub use container::Container;
pub use follow::ContainerEnd;
pub use health::{HealthState, ImageHealth};
pub use retention::{disk_owned, prune_images};
