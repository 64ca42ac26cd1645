//! `POST /predict`: records as JSON or CSV, answered in the shape they came, or as CSV for who accepts that.
//!
//! A prediction takes microseconds, so a small request is worked off where it arrived. A large one (by its bytes, which
//! are known before it is parsed: about 500 records), and any for a graph that takes long, goes to a thread that may block,
//! and waits for its turn.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::header::{self, HeaderMap, HeaderName};
use axum::response::{IntoResponse, Response};
use tokio::time::timeout;

use crate::model::data::cell::Cell;
use crate::model::server::body::{Received, SMALL, receive};
use crate::model::server::refusal::Refusal;
use crate::model::server::served::Served;
use crate::model::server::shared::Shared;
use crate::model::server::table::Records;
use crate::model::server::{answer, csv_request, exact, quick};

/// How records come or predictions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Format {
    Json,
    Csv,
}

impl Format {
    /// Whatever does not say that it is CSV is taken for JSON, as clients send JSON under many names.
    fn of_body(headers: &HeaderMap) -> Self {
        if named(headers, &header::CONTENT_TYPE).starts_with("text/csv") { Self::Csv } else { Self::Json }
    }

    /// CSV only for who names it, and not behind JSON.
    fn of_answer(headers: &HeaderMap) -> Self {
        let accepted = named(headers, &header::ACCEPT);
        match (accepted.find("text/csv"), accepted.find("application/json")) {
            (Some(csv), Some(json)) if json < csv => Self::Json,
            (Some(_), _) => Self::Csv,
            (None, _) => Self::Json,
        }
    }

    fn content_type(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }
}

fn named(headers: &HeaderMap, name: &HeaderName) -> String {
    headers.get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().trim().to_ascii_lowercase()
}

/// Answers a request and counts it.
pub(in crate::model) async fn predict(shared: Arc<Shared>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let (from, to) = (Format::of_body(&parts.headers), Format::of_answer(&parts.headers));
    let received = receive(&parts.headers, body, &shared.limits, &shared.room).await;
    let started = Instant::now();
    let answer = match received {
        Err(refusal) => Err(refusal),
        Ok(body) if body.bytes.len() <= SMALL && !shared.served.is_slow() => score(&shared, &body.bytes, from, to),
        Ok(body) => score_aside(&shared, body, from, to).await,
    };
    let response = match answer {
        Ok(text) => ([(header::CONTENT_TYPE, to.content_type())], text).into_response(),
        Err(refusal) => {
            shared.metrics.error(refusal.code);
            refusal.into_response()
        }
    };
    shared.metrics.request(response.status().as_u16(), started.elapsed());
    response
}

/// Parsed, a body takes many times its size: more than a few at once would be more than a small machine has.
async fn score_aside(shared: &Arc<Shared>, body: Received, from: Format, to: Format) -> Result<Vec<u8>, Refusal> {
    let limit: Duration = shared.limits.answer;
    let scored = async {
        let turn = Arc::clone(&shared.large).acquire_owned().await.map_err(|error| Refusal::internal(&error))?;
        let shared = Arc::clone(shared);
        // The turn goes with the work: who gave up waiting for the answer has not ended it.
        let work = move || {
            let scored = score(&shared, &body.bytes, from, to);
            drop(turn);
            scored
        };
        tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Refusal::internal(&error)))
    };
    timeout(limit, scored).await.unwrap_or_else(|_| Err(Refusal::busy()))
}

/// Parses, predicts, writes the answer, and only then counts it.
fn score(shared: &Shared, body: &[u8], from: Format, to: Format) -> Result<Vec<u8>, Refusal> {
    let served = &shared.served;
    let records = read(served, body, from, shared.limits.records)?;
    let rows: Vec<&[Cell<'_>]> = records.table.rows().collect();
    let outputs = served.outputs(&rows)?;
    let text = match to {
        Format::Json => answer::json(served, records.shape, &outputs).map_err(|error| Refusal::internal(&error))?,
        Format::Csv => answer::csv(served, &outputs).map_err(|error| Refusal::internal(&error))?,
    };
    shared.observe(&records.table, &outputs);
    if let Some(shadow) = &shared.shadow {
        shadow.offer(records.table, outputs);
    }
    Ok(text)
}

fn read<'s>(served: &'s Served, body: &[u8], from: Format, most: usize) -> Result<Records<'s>, Refusal> {
    match from {
        Format::Csv => csv_request::read(served, body, most),
        Format::Json => match quick::read(served, body, most) {
            Some(records) => Ok(records),
            None => exact::read(served, body, most),
        },
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderMap;
    use axum::http::header::{self, HeaderValue};

    use super::Format;

    fn headers(name: header::HeaderName, value: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(name, HeaderValue::from_static(value))])
    }

    #[test]
    fn only_what_says_that_it_is_csv_is_read_as_csv() {
        assert_eq!(Format::of_body(&HeaderMap::new()), Format::Json);
        assert_eq!(Format::of_body(&headers(header::CONTENT_TYPE, "application/x-www-form-urlencoded")), Format::Json);
        assert_eq!(Format::of_body(&headers(header::CONTENT_TYPE, "Text/CSV; charset=utf-8")), Format::Csv);
    }

    #[test]
    fn csv_is_answered_to_who_asks_for_it_first() {
        for (accept, format) in [
            ("*/*", Format::Json),
            ("text/csv", Format::Csv),
            ("text/csv, application/json;q=0.5", Format::Csv),
            ("application/json, text/csv", Format::Json),
        ] {
            assert_eq!(Format::of_answer(&headers(header::ACCEPT, accept)), format, "{accept}");
        }
    }
}
