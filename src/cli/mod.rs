//! The command line: one thin file a command or a small family of them.
//!
//! A command parses its words, asks the daemon (or reads the journal when none runs), prints, and gives an exit code. Only
//! [`daemon`], [`supervise`](crate::engine::supervisor) and the stages do work of their own, each as a process.

pub mod alerts;
pub mod approve;
pub mod arguments;
pub mod attach;
pub mod check;
pub mod config;
pub mod confirm;
pub mod daemon;
pub mod data;
pub mod demo;
pub mod doctor;
pub mod events;
pub mod export;
pub mod failure;
pub mod first_run;
pub mod harmless;
pub mod holds;
pub mod host;
pub mod inherited;
pub mod init;
pub mod link;
pub mod lock;
pub mod logs;
pub mod man;
pub mod models;
pub mod moments;
pub mod notify;
pub mod past;
pub mod plain;
pub mod predict;
pub mod project;
pub mod projects;
pub mod query;
pub mod readiness;
pub mod releases;
pub mod remote;
pub mod run;
pub mod scrape;
pub mod screen;
pub mod serve;
pub mod show;
pub mod table;
pub mod up;

mod dispatch;

pub use dispatch::main;
