//! Why a scrape brought nothing: what happened, where, and what to do next.

use std::time::Duration;

use super::super::exposition::ExpositionError;
use super::client::REDIRECTS;

/// A scrape that failed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{url} {reason}")]
pub struct ScrapeError {
    /// What was scraped.
    pub url: String,
    /// How long it took to fail.
    pub took: Duration,
    /// Why.
    pub reason: ScrapeFailure,
}

impl ScrapeError {
    /// Whether no whole answer came, rather than one that is refused.
    pub fn is_unreachable(&self) -> bool {
        match &self.reason {
            ScrapeFailure::Address { .. }
            | ScrapeFailure::Unreachable { .. }
            | ScrapeFailure::Untrusted { .. }
            | ScrapeFailure::TimedOut { .. }
            | ScrapeFailure::Broken { .. }
            | ScrapeFailure::Redirected
            | ScrapeFailure::Secret { .. } => true,
            ScrapeFailure::Status { .. }
            | ScrapeFailure::TooLarge { .. }
            | ScrapeFailure::ContentType { .. }
            | ScrapeFailure::Encoding { .. }
            | ScrapeFailure::Packed { .. }
            | ScrapeFailure::Refused(_)
            | ScrapeFailure::TooManySamples { .. } => false,
        }
    }
}

/// Why a scrape failed; read behind the address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScrapeFailure {
    /// No request can be sent to it.
    #[error("is no address that can be asked: {reason}; write it with http:// or https:// and a host")]
    Address {
        /// What is wrong with it.
        reason: String,
    },
    /// No connection.
    #[error("cannot be reached: {reason}; check that the app runs and listens there")]
    Unreachable {
        /// The innermost cause.
        reason: String,
    },
    /// The certificate does not convince.
    #[error("is not trusted: {reason}; {}", mend_of_trust(.reason))]
    Untrusted {
        /// The innermost cause.
        reason: String,
    },
    /// The answer was not complete in time.
    #[error(
        "did not answer in full within {} ms; check whether the app hangs, or allow it more time (`timeout`)",
        .timeout.as_millis()
    )]
    TimedOut {
        /// The time it had.
        timeout: Duration,
    },
    /// The connection broke in the middle of the answer.
    #[error("broke off its answer: {reason}; the log of the app may say why")]
    Broken {
        /// The innermost cause.
        reason: String,
    },
    /// One address leads to the next without end.
    #[error(
        "redirects more than {REDIRECTS} times; check the path, or name the address that serves the metrics itself"
    )]
    Redirected,
    /// The status was not 200.
    #[error("answered with status {status}; {}", advice(*.status))]
    Status {
        /// The HTTP status.
        status: u16,
    },
    /// The page is too large.
    #[error("sent more than {}; make the app expose fewer series, or raise `body_limit`", size(*.limit))]
    TooLarge {
        /// What was allowed, in bytes.
        limit: usize,
    },
    /// The page is of a kind that is not read.
    #[error(
        "{}, which is no format of metrics; check that this path serves them, or set `fallback` of the target to the \
         format it has",
        kind(.found)
    )]
    ContentType {
        /// What it says it is; empty if it says nothing.
        found: String,
    },
    /// The page is packed in a way that was not asked for.
    #[error("sent a page packed as `{encoding}`, though only gzip was asked for; let the app send it plain")]
    Encoding {
        /// How it is packed.
        encoding: String,
    },
    /// The page cannot be unpacked.
    #[error("sent gzip that cannot be unpacked: {reason}; let the app send its page plain")]
    Packed {
        /// What is wrong with it.
        reason: String,
    },
    /// The page does not follow its format, so nothing of it counts.
    #[error("is refused, {0}; `trainyard scrape` with this address shows the place")]
    Refused(ExpositionError),
    /// The page holds too many samples.
    #[error("exposes more than {limit} samples; make the app expose fewer series, or raise `sample_limit`")]
    TooManySamples {
        /// What was allowed.
        limit: usize,
    },
    /// The password or the token cannot be had.
    #[error("is not asked: {reason}")]
    Secret {
        /// Why, and what to do.
        reason: String,
    },
}

/// By the words of the TLS library: another authority mends neither a certificate that is out of date nor one for another name.
fn mend_of_trust(reason: &str) -> &'static str {
    if reason.contains("not valid for name") {
        "ask it by a name that stands in its certificate, or let that name this address"
    } else if reason.contains("expired") || reason.contains("not valid yet") {
        "give the app a certificate that is valid now"
    } else {
        "name the authority of its certificate in `ca` of the target"
    }
}

fn advice(status: u16) -> &'static str {
    match status {
        401 | 403 => "set `basic` or `bearer` of the target, or mend them",
        404 => "check the path: `metrics` of the deploy stage, or `url` of the target",
        300..=399 => "name the address that serves the metrics itself",
        _ => "the log of the app may say why",
    }
}

fn kind(found: &str) -> String {
    match found {
        "" => "does not say of what content type its page is".to_owned(),
        found => format!("sent a page of the content type `{found}`"),
    }
}

fn size(bytes: usize) -> String {
    match bytes {
        0..1_048_576 => format!("{bytes} bytes"),
        _ => format!("{} MiB", bytes / 1_048_576),
    }
}
