//! The demo: a sample project with real data, written into a folder, driven and watched.
//!
//! `project` writes the folder and changes it as a person would (registers data, breaks the source); `load` asks the
//! deployed app for predictions; `headless` follows a run by the daemon's event stream until the app has answered and
//! was scraped, `bad_release` a release that its alert takes back. Whoever starts the daemon and opens the screen is
//! [`crate::cli::demo`].
//!
//! **Invariant:** the demo is a user like any other. It sees the daemon only through its API and the app only through
//! its address, and it has no way of its own to start a stage, so what it shows is what everybody gets.

mod bad_release;
mod batches;
mod error;
mod follow;
mod handles;
mod headless;
pub mod load;
mod probe;
mod progress;
mod project;
mod repository;
mod summary;
mod temporary;

pub use bad_release::{Recovered, bad_release};
pub use batches::{BATCHES, Batch, Wine, wines};
pub use error::DemoError;
pub use handles::{DemoAction, DemoHandles};
pub use headless::{OPERATOR, cancel_runs, headless};
pub use project::DemoProject;
pub use summary::Summary;
pub use temporary::TemporaryFolder;
