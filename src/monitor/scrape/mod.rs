//! Fetches one page of metrics over HTTP, within limits of time and size.
//!
//! The page is foreign: it may hang, drip, flood, unpack into gigabytes, redirect for ever or be something else
//! altogether. Each of these ends in an error of its own, and none of them costs more than the limits say. What is on the
//! page is read by the strict reader of `exposition` when it is recorded; here only its format and its characters are
//! judged. Nothing is kept between two scrapes.

mod body;
mod client;
mod credentials;
mod error;
mod request;

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tls_tests;

pub use client::client;
pub use credentials::Credentials;
pub use error::{ScrapeError, ScrapeFailure};
pub use request::fetch;

use std::time::Duration;

use super::exposition::Format;

/// The largest page that is read, in bytes, where nothing else is said.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// The most samples that are taken from one page, where nothing else is said.
pub const SAMPLE_LIMIT: usize = 50_000;

/// How a target is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScrapeOptions {
    /// From the connection to the last byte.
    pub timeout: Duration,
    /// Bytes of the page, counted unpacked.
    pub body_limit: usize,
    /// Samples of the page.
    pub sample_limit: usize,
    /// Whether what can be read of a refused page is kept, marked as unverified.
    pub lenient: bool,
    /// The format of a page whose content type is missing or unknown; `None` refuses it.
    pub fallback: Option<Format>,
    /// Who asks.
    pub authentication: Credentials,
}

impl Default for ScrapeOptions {
    fn default() -> Self {
        Self {
            timeout: Duration::from_secs(10),
            body_limit: BODY_LIMIT,
            sample_limit: SAMPLE_LIMIT,
            lenient: false,
            fallback: None,
            authentication: Credentials::None,
        }
    }
}

/// A page, not read yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// Where it is from.
    pub url: String,
    /// The page.
    pub body: String,
    /// Its format.
    pub format: Format,
    /// How long it took from the request to the last byte.
    pub duration: Duration,
    /// The most samples that it may hold.
    pub sample_limit: usize,
    /// Whether what can be read of it is kept if it is refused.
    pub lenient: bool,
}

impl Fetched {
    /// A page that came from `url`, a file or a test, with the usual limits.
    pub fn new(url: impl Into<String>, body: impl Into<String>, format: Format) -> Self {
        Self {
            url: url.into(),
            body: body.into(),
            format,
            duration: Duration::ZERO,
            sample_limit: SAMPLE_LIMIT,
            lenient: false,
        }
    }

    /// Why this page counts for nothing.
    pub(super) fn refused(&self, reason: ScrapeFailure) -> ScrapeError {
        ScrapeError { url: self.url.clone(), took: self.duration, reason }
    }
}
