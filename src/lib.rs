//! trainyard: a terminal control center for machine-learning apps.
//!
//! The rooms of the house, from the ground up; each may use those above it in this list, and `ARCHITECTURE.md` says which.
//!
//! - [`pipeline`]: what happens next. Pure.
//! - [`disk`]: where things lie, and how a file is written whole.
//! - [`config`]: `trainyard.toml`, typed and validated.
//! - [`watch`]: seeing what changes.
//! - [`model`]: data sets, learning, saved models, the model server.
//! - [`target`]: where releases run.
//! - [`monitor`]: scraping, series, PromQL, panels.
//! - [`stage`]: what a built-in stage does in its process.
//! - [`engine`]: the one writer, the journal, supervisors, logs.
//! - [`api`]: the daemon's socket, and the client of it.
//! - [`tui`]: the screen.
//! - [`demo`]: the sample project and its load.
//! - [`cli`]: the commands.

pub mod api;
pub mod cli;
pub mod config;
pub mod demo;
pub mod disk;
pub mod engine;
pub mod model;
pub mod monitor;
pub mod pipeline;
pub mod stage;
pub mod target;
pub mod tui;
pub mod watch;
