//! Watches the deployed app: scrapes its metrics, keeps them for a while, answers questions in `PromQL`, lays out
//! panels.
//!
//! The arrangement, in the order of the data: [`scrape()`] fetches one page of metrics and reads it (`exposition`);
//! [`SeriesStore`] keeps the samples of all targets in memory; [`promql`] evaluates expressions over the store;
//! [`Panel`] turns an expression into the columns of a chart. Nothing here reads a clock on its own account (moments
//! are handed in), touches a file or knows of runs and releases: a release is just a label of a target.
//!
//! Known gaps: samples are kept raw, sixteen bytes each; native histograms and exemplars are not read; a sample's own
//! timestamp is ignored in favour of the moment of the scrape.

mod exposition;
#[cfg(test)]
mod fixture;
mod labels;
mod panel;
pub mod promql;
mod scrape;
mod series;

pub use exposition::Sample;
pub use labels::{Labels, METRIC_NAME};
pub use panel::{Panel, PanelColumns, PanelSeries, default_panels};
pub use scrape::{BODY_LIMIT, SAMPLE_LIMIT, Scrape, ScrapeError, scrape};
pub use series::SeriesStore;
