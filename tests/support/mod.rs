//! The harness of the integration tests: a project in a temporary folder, the real program, deadlines, and no rest.
//!
//! Nothing here sleeps: whoever waits, waits for an event, for the end of a process, or on a channel with a limit. Whatever
//! a test started is ended with its [`Project`], also when the test fails.

#![allow(dead_code, unused_imports, reason = "every test file uses its own part of the harness")]

mod commands;
mod disk;
mod engines;
mod forwarder;
mod http;
mod load;
mod processes;
mod project;
mod python_app;
mod samples;
mod sshd;
mod webhook;

pub use commands::{Finished, PATIENCE, finish, lines_of, pause, wait_for};
pub use disk::{fill, is_root};
pub use engines::{
    Namespace, PYTHON_IMAGE, Swept, docker, has_docker, has_kubernetes, has_promtool, kubectl, own_name, python_image,
    registry,
};
pub use forwarder::Forwarder;
pub use http::{Answer, get, post};
pub use load::{Load, LoadPlan, Loaded};
pub use processes::{carrying, children, command_line, is_alive, is_stopped, send, ticks};
pub use project::{PROGRAM, Project, free_port, stage_word};
pub use python_app::{POINT, POINTS, PythonApp, replaced};
pub use samples::{RECORD, customers};
pub use sshd::{Sshd, has_sshd};
pub use webhook::{Reply, Told, Webhook};
