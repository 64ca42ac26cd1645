//! `POST /predict`: one record, a list of records, or `{"records": […]}`; answered in the same shape.
//!
//! A prediction takes microseconds, so a small request is worked off where it arrived. A large one (by its bytes, which
//! are known before it is parsed: about 500 records) goes to a thread that may block.

use std::sync::Arc;
use std::time::Instant;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::prediction::Prediction;
use super::record::{PredictError, Record};
use super::server::Shared;

/// The most bytes of a request.
pub(super) const MOST_BYTES: usize = 8 * 1024 * 1024;
/// The most records of a request.
const MOST_RECORDS: usize = 10_000;
/// Requests up to this size are worked off at once.
const SMALL: usize = 64 * 1024;

/// Answers a request and counts it.
pub(super) async fn predict(shared: Arc<Shared>, body: Result<Bytes, BytesRejection>) -> Response {
    let started = Instant::now();
    let answer = match body {
        Err(rejection) => Err(Refusal::unread(&rejection)),
        Ok(body) if body.len() <= SMALL => score(&shared, &body),
        Ok(body) => {
            // Parsed, a body takes many times its size: more than a few at once would be more than a small machine has.
            let _turn = shared.large.acquire().await;
            let shared = Arc::clone(&shared);
            let scored = tokio::task::spawn_blocking(move || score(&shared, &body)).await;
            scored.unwrap_or_else(|error| Err(Refusal::internal(&error)))
        }
    };
    let response = match answer {
        Ok((json, rows)) => {
            shared.metrics.rows(rows);
            ([(header::CONTENT_TYPE, "application/json")], json).into_response()
        }
        Err(refusal) => {
            shared.metrics.error(refusal.code);
            refusal.into_response()
        }
    };
    shared.metrics.request(response.status().as_u16(), started.elapsed());
    response
}

/// Parses, predicts and serialises; also how many records there were.
fn score(shared: &Shared, body: &[u8]) -> Result<(Vec<u8>, usize), Refusal> {
    let (shape, records) = parse(body)?;
    let rows = shared.model.cells(&records).map_err(Refusal::from)?;
    let mut predictions: Vec<Prediction> =
        rows.iter().map(|cells| shared.model.answer(&shared.model.output(cells))).collect();
    let json = match shape {
        Shape::One => serde_json::to_vec(&predictions.pop()),
        Shape::List => serde_json::to_vec(&predictions),
        Shape::Records => serde_json::to_vec(&json!({ "predictions": predictions })),
    };
    let json = json.map_err(|error| Refusal::internal(&error))?;
    // Only what was answered counts as seen.
    shared.observe(&rows);
    Ok((json, records.len()))
}

/// How the records came, and how the predictions go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    One,
    List,
    Records,
}

fn parse(body: &[u8]) -> Result<(Shape, Vec<Record>), Refusal> {
    let value: Value = serde_json::from_slice(body).map_err(|error| Refusal::malformed(&error))?;
    match value {
        Value::Array(items) => Ok((Shape::List, objects(items)?)),
        Value::Object(mut object) => match object.remove("records") {
            Some(Value::Array(items)) if object.is_empty() => Ok((Shape::Records, objects(items)?)),
            // A model may have a feature of that name.
            Some(other) => {
                object.insert("records".to_owned(), other);
                Ok((Shape::One, vec![object]))
            }
            None => Ok((Shape::One, vec![object])),
        },
        _ => Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "wrong_type",
            "send an object, a list of objects, or {\"records\": [...]}",
        )),
    }
}

fn objects(items: Vec<Value>) -> Result<Vec<Record>, Refusal> {
    if items.is_empty() {
        return Err(Refusal::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "no_records",
            "the list of records is empty; send one at least",
        ));
    }
    if items.len() > MOST_RECORDS {
        let reason =
            format!("{} records are more than the {MOST_RECORDS} of one request; send them in parts", items.len());
        return Err(Refusal::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &reason));
    }
    items
        .into_iter()
        .enumerate()
        .map(|(index, item)| match item {
            Value::Object(record) => Ok(record),
            _ => Err(Refusal {
                record: Some(index),
                ..Refusal::new(
                    StatusCode::UNPROCESSABLE_ENTITY,
                    "wrong_type",
                    "a record must be an object of column and value",
                )
            }),
        })
        .collect()
}

/// Why a request is not answered.
#[derive(Debug)]
struct Refusal {
    status: StatusCode,
    /// One word, for metrics.
    code: &'static str,
    field: Option<String>,
    record: Option<usize>,
    reason: String,
}

impl Refusal {
    fn new(status: StatusCode, code: &'static str, reason: &str) -> Self {
        Self { status, code, field: None, record: None, reason: reason.to_owned() }
    }

    fn malformed(error: &serde_json::Error) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_json", &format!("the body is not valid JSON: {error}"))
    }

    fn unread(rejection: &BytesRejection) -> Self {
        if rejection.status() == StatusCode::PAYLOAD_TOO_LARGE {
            let reason = format!("the body is larger than {MOST_BYTES} bytes; send the records in parts");
            Self::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", &reason)
        } else {
            Self::new(StatusCode::BAD_REQUEST, "invalid_json", &format!("the body could not be read: {rejection}"))
        }
    }

    fn internal(error: &impl ToString) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", &error.to_string())
    }
}

impl From<PredictError> for Refusal {
    fn from(error: PredictError) -> Self {
        Self {
            status: StatusCode::UNPROCESSABLE_ENTITY,
            code: error.problem.reason(),
            field: Some(error.problem.field().to_owned()),
            record: Some(error.record),
            reason: error.problem.to_string(),
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": { "field": self.field, "record": self.record, "reason": self.reason } });
        (self.status, axum::Json(body)).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::{Shape, parse};

    #[test]
    fn records_come_in_three_shapes() {
        assert_eq!(parse(b"{\"a\": 1}").unwrap().0, Shape::One);
        assert_eq!(parse(b"[{\"a\": 1}, {\"a\": 2}]").unwrap().1.len(), 2);
        assert_eq!(parse(b"{\"records\": [{\"a\": 1}]}").unwrap().0, Shape::Records);
        assert_eq!(parse(b"{\"records\": 4}").unwrap().0, Shape::One);
    }

    #[test]
    fn what_is_no_record_is_refused_with_its_place() {
        assert_eq!(parse(b"{\"a\": ").unwrap_err().status.as_u16(), 400);
        assert_eq!(parse(b"[]").unwrap_err().code, "no_records");
        assert_eq!(parse(b"[{}, 3]").unwrap_err().record, Some(1));
        let many = format!("[{}{{}}]", "{},".repeat(10_000));
        assert_eq!(parse(many.as_bytes()).unwrap_err().status.as_u16(), 413);
    }
}
