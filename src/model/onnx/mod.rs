//! Models that somebody else trained, exported as ONNX (<https://onnx.ai>), with the runtime tract, which is Rust through and
//! through.
//!
//! The way of a graph: `graph` reads the file and cuts it to the output that is served, and has `steady` write one operator
//! otherwise; `text` makes codes of all text; `features` names what goes in, with `settings` from `model.toml`; `plan` has the
//! runtime make a plan and runs it, with the `operators` that it lacks; `reference` measures rows that lie beside it.
//! `onnx_model` holds all of that together.
//!
//! **Invariants.** The runtime is used in `plan` and `operators` alone, its types of a file in what reads the file. A file comes
//! from outside: whatever it says ends in an error and never in a panic that anybody else sees. A text is never computed with.

mod classes;
mod features;
#[cfg(test)]
mod fixture_tests;
mod graph;
mod onnx_error;
mod onnx_model;
mod operators;
mod plan;
mod reference;
mod scores;
mod settings;
mod steady;
mod text;
mod value_types;

pub use self::onnx_error::{OnnxError, RunError};
pub(in crate::model) use self::onnx_model::ALGORITHM;
pub use self::onnx_model::{ONNX_FILE, OnnxModel};
pub use self::settings::SETTINGS_FILE;
