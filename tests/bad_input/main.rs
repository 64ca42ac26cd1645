//! Bad input of every kind, through the real program: each is told clearly, and none does harm.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod columns;
mod configuration;
mod contract;
mod data;
mod repository;
mod serving;
mod surroundings;

#[path = "../support/mod.rs"]
mod support;

/// A built-in training of numbers.
const REGRESSION: &str = r#"
[data]
settle = "100ms"
[stages.train]
uses = "train"
target = "y"
task = "regression"
"#;
