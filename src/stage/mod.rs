//! What each kind of stage does inside its own process.
//!
//! Built-in stages live by the same [`contract`] as a user's script: environment in, log, output lines and exit code out.
//! Nothing here knows the daemon.

mod canary;
pub mod contract;
mod data_record;
pub mod deploy;
pub mod gate;
mod ignored;
pub mod image;
pub mod report;
pub mod runner;
mod shadow;
pub mod train;
mod unchanged;
