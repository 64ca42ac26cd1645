//! The strict reader of pages of metrics: against its authorities, in what it tells of faults, and on anything at all.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod authorities;
mod faults;
mod properties;
mod text;
