//! From CSV files to a model that answers: reading, preprocessing, learning, evaluation, the saved model, drift and the
//! server.
//!
//! The way of the data: `data` (files → typed columns → parts; `profile` describes them) → `learn` (preprocessing, learners, plain arrays that predict)
//! → `search` (which learner) → `evaluate` → `envelope` (folder on disk) → `server`. `training` leads it through; `gate` compares two
//! saved models. A model that was trained elsewhere comes in by `onnx`; `served_model` is either of the two, and `interface`
//! what both have in common.
//!
//! **Invariants.** Equal files, settings and program give the same model file, byte for byte: training asks no clock, no
//! random source and no hash map for its order, and the number of threads changes only the time. linfa is used in
//! `learn/linfa/` alone; a saved model predicts without it.
//! Training and serving encode a row by the same function, so they cannot differ.
//!
//! This room knows nothing of stages, runs or targets.

mod card;
mod data;
mod drift;
mod envelope;
mod evaluate;
mod gate;
mod interface;
mod learn;
mod nearest;
mod number;
mod onnx;
mod prediction;
mod profile;
mod random;
mod records;
#[cfg(test)]
mod samples;
mod search;
mod served_model;
mod server;
mod training;

pub use card::{Card, DataFile, Lineage, SearchCard};
pub use data::cell::{Cell, is_missing};
pub use data::column::{Column, ColumnKind, DateTrouble, Distinct, Place, Values};
pub use data::contract::{
    Checked, ColumnRule, ContractError, ContractErrors, ContractFileError, DataContract, Violation,
    check as check_contract, load as load_contract, parse as parse_contract, render as infer_contract,
    write_new as write_new_contract,
};
pub use data::csv_source::CsvSource;
pub use data::dataset::{DataSet, check_header, count_rows, read, read_with};
pub use data::dataset_error::DatasetError;
pub use data::date::{DateFormat, date_text};
pub use data::record::{FieldProblem, PredictError, Record};
pub use data::split::{Split, split};
pub use data::target::{Target, resolve};
pub use drift::{
    Bins, Drift, FeatureReference, MINIMUM_RECORDS, PredictionReference, Reference, WINDOW_RECORDS, Window,
    WindowSettings, stability_index,
};
pub use envelope::{CARD_FILE, Contents, EnvelopeError, MODEL_FILE, SavedModel};
pub use evaluate::{
    CLASSIFICATION_METRICS, Evaluation, Metrics, REGRESSION_METRICS, classification, lower_is_better, regression,
};
pub use gate::{Champion, FEWEST_ROWS, judge, judge_reported};
pub use learn::fit::{Fitted, Stop, fit};
pub use learn::learn_error::LearnError;
pub use learn::learner::{FULL_DEPTH, Learner, algorithm_name, automatic, suitable};
pub use learn::predictor::{Machine, Output, Predictor};
pub use learn::preprocess::{Encoding, Feature, Preprocessing};
pub use learn::problem::{Labels, Problem};
pub use learn::tree::ensemble::Ensemble;
pub use nearest::hint;
pub use onnx::{ONNX_FILE, OnnxError, OnnxModel, RunError, SETTINGS_FILE};
pub use prediction::{Predicted, Prediction};
pub use profile::{ColumnProfile, NumberProfile, PROFILE_FILE, Profile, QUANTILES, ValueCount};
pub use records::RECORDS;
pub use search::{Board, Control, Standing};
pub use served_model::{LoadError, ServedModel};
pub use server::{FeedbackError, FeedbackFile, FeedbackLimits, Limits, ServeOptions, ShadowError, ShadowModel, serve};
pub use training::{Step, TrainingError, task_name, train, train_under};
