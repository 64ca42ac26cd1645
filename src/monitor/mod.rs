//! Watches the deployed app: scrapes its metrics, keeps them for a while, answers questions in `PromQL`, lays out
//! panels.
//!
//! The arrangement, in the order of the data: [`fetch`] gets one page of metrics and [`Ingest`] takes what is on it
//! ([`exposition`]) into the [`SeriesStore`], which keeps the samples of all targets in memory and below the folder it is
//! given; [`promql`] evaluates expressions over the store; [`Panel`] turns an expression into the columns of a chart,
//! [`alert`] turns one into states over time. A [`PrometheusClient`] asks an existing Prometheus in the place of a store.
//! Nothing here reads a clock on its own account (moments are handed in), touches a file outside of that folder or knows of
//! runs and releases: a release is just a label of a target.
//!
//! Known gaps: native histograms are not read, and exemplars are not kept.

pub mod alert;
pub mod export;
pub mod exposition;
mod expression;
#[cfg(test)]
mod fixture;
mod ingest;
mod labels;
mod number;
mod panel;
mod prometheus_source;
pub mod promql;
pub mod promqltest;
mod scrape;
mod selectors;
pub mod storage;

pub use exposition::{Entry, ExpositionError, Format, Metadata, MetricKind, Reader, Sample, read_lenient, text_of};
pub use expression::{ExpressionFault, expression_fault, expression_refusal, expression_words};
pub use ingest::{Ingest, ReadPage, Recorded};
pub use labels::{Labels, METRIC_NAME};
pub use number::value_text;
pub use panel::{
    ColumnExtremes, CurveStatistics, HeatBucket, HeatColumns, KnownMetric, Panel, PanelColumns, PanelSeries, Scrapes,
    default_panels, expression_of, model_server_panels,
};
pub use prometheus_source::{PrometheusClient, PrometheusError};
pub use scrape::{
    BODY_LIMIT, Credentials, Fetched, SAMPLE_LIMIT, ScrapeError, ScrapeFailure, ScrapeOptions, client, fetch,
};
pub use storage::{
    AppendError, Extremes, ReadStore, STALE_BITS, Selected, SeriesId, SeriesStore, Statistics, StorageError,
    StoreLimits, is_stale,
};
