//! The harness of the integration tests: a project in a temporary folder, the real program, deadlines, and no rest.
//!
//! Nothing here sleeps: whoever waits, waits for an event, for the end of a process, or on a channel with a limit. Whatever
//! a test started is ended with its [`Project`], also when the test fails.

#![allow(dead_code, unused_imports, reason = "every test file uses its own part of the harness")]

mod commands;
mod disk;
mod http;
mod processes;
mod project;
mod samples;

pub use commands::{Finished, PATIENCE, finish, lines_of, pause, wait_for};
pub use disk::{fill, is_root};
pub use http::{Answer, Load, Loaded, get, post};
pub use processes::{carrying, command_line, is_alive, send};
pub use project::{PROGRAM, Project, stage_word};
pub use samples::{RECORD, customers};
