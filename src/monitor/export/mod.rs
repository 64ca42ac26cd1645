//! What is watched here, in the forms of others: a configuration of Prometheus, a dashboard of Grafana, a table, a picture.
//!
//! Everything here is pure: settings or numbers go in, text comes out. The same in gives the same text, so that what was
//! written can be kept in a repository. Nobody is asked and nothing is written to disk.

pub mod csv;
pub mod grafana;
pub mod prometheus;
pub mod svg;
mod yaml;
