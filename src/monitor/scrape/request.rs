//! One request and its answer.

use std::error::Error;
use std::time::Instant;

use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE, HeaderName};
use reqwest::{Client, Response, StatusCode};

use super::super::exposition::{Format, text_of};
use super::body::Body;
use super::error::{ScrapeError, ScrapeFailure};
use super::{Fetched, ScrapeOptions};

/// What is read, the liked best first. Every app speaks the text format well; not every one the other.
const ACCEPTED: &str = "text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain;version=0.0.4;q=0.5,\
                        application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.4,*/*;q=0.1";
/// Tells an app how long it has, as Prometheus does.
const TIME_ALLOWED: &str = "x-prometheus-scrape-timeout-seconds";

/// Fetches the page at `url` once. The time that the options allow covers everything from the connection to the last byte,
/// so that one who drips has no more of it than one who hangs. An empty page is a success.
pub async fn fetch(client: &Client, url: &str, options: &ScrapeOptions) -> Result<Fetched, ScrapeError> {
    let started = Instant::now();
    let answered = tokio::time::timeout(options.timeout, answer(client, url, options)).await;
    let took = started.elapsed();
    let page = match answered {
        Ok(Ok((bytes, format))) => text(bytes).map(|body| (body, format)),
        Ok(Err(reason)) => Err(reason),
        Err(_) => Err(ScrapeFailure::TimedOut { timeout: options.timeout }),
    };
    let url = url.to_owned();
    match page {
        Ok((body, format)) => {
            let ScrapeOptions { sample_limit, lenient, .. } = *options;
            Ok(Fetched { url, body, format, duration: took, sample_limit, lenient })
        }
        Err(reason) => Err(ScrapeError { url, took, reason }),
    }
}

/// The page as text, without a copy where it is text.
fn text(bytes: Vec<u8>) -> Result<String, ScrapeFailure> {
    String::from_utf8(bytes).or_else(|error| {
        // Which says where the first bad byte is.
        text_of(error.as_bytes()).map(str::to_owned).map_err(ScrapeFailure::Refused)
    })
}

async fn answer(client: &Client, url: &str, options: &ScrapeOptions) -> Result<(Vec<u8>, Format), ScrapeFailure> {
    let request = client
        .get(url)
        .header(ACCEPT, ACCEPTED)
        .header(ACCEPT_ENCODING, "gzip")
        .header(TIME_ALLOWED, options.timeout.as_secs_f64().to_string());
    let sent = options.authentication.put_on(request).send().await;
    let mut response = sent.map_err(|error| unsent(&error, options))?;
    if response.status() != StatusCode::OK {
        return Err(ScrapeFailure::Status { status: response.status().as_u16() });
    }
    let format = format_of(&header(&response, CONTENT_TYPE), options.fallback)?;
    let is_packed = is_packed(&header(&response, CONTENT_ENCODING))?;
    let limit = options.body_limit;
    let announced = response.content_length().and_then(|length| usize::try_from(length).ok());
    if announced.is_some_and(|length| length > limit) {
        return Err(ScrapeFailure::TooLarge { limit });
    }
    let mut body = Body::new(is_packed, limit);
    while let Some(piece) = response.chunk().await.map_err(|error| broken(&error, options))? {
        body.take(&piece)?;
    }
    Ok((body.finish()?, format))
}

fn header(response: &Response, name: HeaderName) -> String {
    let value = response.headers().get(name).and_then(|value| value.to_str().ok());
    value.unwrap_or_default().trim().to_owned()
}

/// As Prometheus 3 does: a page that does not say what it is, or says something else, is not guessed at.
fn format_of(content_type: &str, fallback: Option<Format>) -> Result<Format, ScrapeFailure> {
    let known = if content_type.is_empty() { None } else { Format::of_content_type(content_type) };
    known.or(fallback).ok_or_else(|| ScrapeFailure::ContentType { found: excerpt(content_type) })
}

fn is_packed(encoding: &str) -> Result<bool, ScrapeFailure> {
    match encoding.to_ascii_lowercase().as_str() {
        "" | "identity" => Ok(false),
        "gzip" | "x-gzip" => Ok(true),
        other => Err(ScrapeFailure::Encoding { encoding: excerpt(other) }),
    }
}

/// The beginning of a text that a foreign server chose.
fn excerpt(text: &str) -> String {
    text.chars().take(60).collect()
}

/// Why there is no answer at all.
fn unsent(error: &reqwest::Error, options: &ScrapeOptions) -> ScrapeFailure {
    let reason = innermost(error);
    if error.is_redirect() {
        ScrapeFailure::Redirected
    } else if error.is_timeout() {
        ScrapeFailure::TimedOut { timeout: options.timeout }
    } else if error.is_builder() {
        ScrapeFailure::Address { reason }
    } else if reason.contains("certificate") {
        ScrapeFailure::Untrusted { reason }
    } else {
        ScrapeFailure::Unreachable { reason }
    }
}

/// Why an answer that began has no end.
fn broken(error: &reqwest::Error, options: &ScrapeOptions) -> ScrapeFailure {
    if error.is_timeout() {
        return ScrapeFailure::TimedOut { timeout: options.timeout };
    }
    ScrapeFailure::Broken { reason: innermost(error) }
}

/// The last cause of the chain: the outer ones only repeat the address, "connection refused" stands innermost.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}
