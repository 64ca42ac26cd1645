//! From CSV files to a model that answers: reading, preprocessing, learning, evaluation, the saved model, drift and the
//! server.
//!
//! The way of the data: `dataset` (files → typed columns) → `split` → `preprocess` → `learn` (linfa) → `predictor`
//! (plain arrays) → `evaluate` → `envelope` (folder on disk) → `server`.
//!
//! **Invariants.** Equal files, settings and program give the same model file, byte for byte: training asks no clock, no
//! random source and no hash map for its order. linfa is used in `learn` alone; a saved model predicts without it.
//! Training and serving encode a row by the same function, so they cannot differ.
//!
//! This room knows nothing of stages, runs or targets.

mod card;
mod cell;
mod column;
mod csv_source;
mod dataset;
mod dataset_error;
mod drain;
mod drift;
mod envelope;
mod evaluate;
mod learn;
mod limited_text;
mod nearest;
mod number;
mod prediction;
mod predictor;
mod preprocess;
mod record;
#[cfg(test)]
mod samples;
mod server;
mod server_metrics;
mod server_predict;
mod server_site;
mod split;
mod target;
mod training;

pub use card::{Card, DataFile, FeatureCard, Lineage, RowCounts};
pub use cell::{Cell, is_missing};
pub use column::{Column, Place, Values};
pub use csv_source::CsvSource;
pub use dataset::{DataSet, check_header, count_rows, read};
pub use dataset_error::DatasetError;
pub use drift::{Bins, FeatureReference, MINIMUM_RECORDS, Reference, WINDOW_RECORDS, Window, stability_index};
pub use envelope::{CARD_FILE, Contents, EnvelopeError, MODEL_FILE, SavedModel};
pub use evaluate::{CLASSIFICATION_METRICS, Metrics, REGRESSION_METRICS, classification, lower_is_better, regression};
pub use learn::{LearnError, algorithm_name};
pub use nearest::hint;
pub use prediction::{Predicted, Prediction};
pub use predictor::{Output, Predictor};
pub use preprocess::{Encoding, Feature, Preprocessing};
pub use record::{FieldProblem, PredictError, Record};
pub use server::serve;
pub use split::{Split, split};
pub use target::{Target, resolve};
pub use training::{Step, TrainingError, task_name, train};
