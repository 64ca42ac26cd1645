//! Why a folder with a graph cannot be served, or a row cannot be predicted, in words that say what to do.

use std::io;
use std::path::PathBuf;

use crate::model::data::dataset_error::DatasetError;
use crate::model::data::record::PredictError;

/// Why a graph is not served.
#[derive(Debug, thiserror::Error)]
pub enum OnnxError {
    /// The system refused.
    #[error("cannot use {file}: {source}; has the model been trained?")]
    File {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// More than is read.
    #[error("{file} has {bytes} bytes, more than the {limit} that are read; serve it with a program of your own")]
    TooLarge {
        /// The file.
        file: PathBuf,
        /// Its size.
        bytes: u64,
        /// The most.
        limit: u64,
    },
    /// Not a graph, or cut in half.
    #[error("{file} cannot be read as an ONNX model: {reason}; export it again")]
    NotAGraph {
        /// The file.
        file: PathBuf,
        /// How it is seen.
        reason: String,
    },
    /// The runtime lacks an operator.
    #[error(
        "the graph uses the operator {operator}, which the model server does not have; export the model without it, or serve it with a program of your own"
    )]
    Operator {
        /// Its name, with its domain where that is not the usual one.
        operator: String,
    },
    /// An operator that computes with text.
    #[error(
        "the operator {operator} computes with text, which the model server only looks up in lists of categories; do it before the model, or serve it with a program of your own"
    )]
    Text {
        /// Its name.
        operator: String,
    },
    /// An input of a form that no record has.
    #[error("the input \"{input}\" of the graph {reason}; a model that is served takes tables, a row a record")]
    Input {
        /// Its name.
        input: String,
        /// What is wrong with it.
        reason: String,
    },
    /// No output that says something about a row.
    #[error("the outputs of the graph are of no use: {reason}")]
    Output {
        /// What is wrong with them.
        reason: String,
    },
    /// Something that is not in the graph.
    #[error("the graph does not say {what}; write `{key}` in model.toml beside it")]
    Lacking {
        /// What is not known.
        what: String,
        /// A line that says it.
        key: String,
    },
    /// `model.toml` is no TOML, or has other keys.
    #[error("{file} cannot be read: {source}")]
    Settings {
        /// The file.
        file: PathBuf,
        /// Where, and what.
        source: Box<toml::de::Error>,
    },
    /// `model.toml` says what cannot be.
    #[error("`{key}` in model.toml {reason}")]
    Setting {
        /// The key.
        key: String,
        /// What is wrong with it, and what to do.
        reason: String,
    },
    /// The reference cannot be read.
    #[error("the reference of model.toml cannot be read: {0}")]
    Reference(#[from] DatasetError),
    /// The runtime cannot make a plan of the graph, or not run it.
    #[error(
        "the model server cannot run the graph: {reason}; export it again with other options, or serve it with a program of your own"
    )]
    Unusable {
        /// What the runtime said.
        reason: String,
    },
}

/// Why rows are not predicted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RunError {
    /// A record that the graph cannot take.
    #[error(transparent)]
    Record(#[from] PredictError),
    /// The runtime failed.
    #[error("the graph could not be run: {0}")]
    Runtime(String),
}
