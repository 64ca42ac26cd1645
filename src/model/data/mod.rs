//! From CSV files to typed columns, what is to be known of them, their split into parts, and the values of one row.
//!
//! `contract` says what a file must hold before it gets here, `findings` what is odd about what it holds. Nothing here
//! learns or predicts.

pub(in crate::model) mod cell;
pub(in crate::model) mod column;
mod column_builder;
#[cfg(test)]
mod column_tests;
pub(in crate::model) mod contract;
pub(in crate::model) mod csv_source;
pub(in crate::model) mod dataset;
pub(in crate::model) mod dataset_error;
pub(in crate::model) mod date;
mod date_column;
pub(in crate::model) mod findings;
mod leak;
mod limited_text;
pub(in crate::model) mod record;
pub(in crate::model) mod split;
pub(in crate::model) mod target;
mod unpacked_file;
