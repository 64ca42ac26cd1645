//! Why a request is not answered: a status, a word for metrics, and for people what is wrong where and what to do.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::model::data::record::{FieldProblem, PredictError};
use crate::model::onnx::RunError;

/// Why, in one word; the label `reason` of `predict_errors_total`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Reason {
    Busy,
    Internal,
    InvalidCsv,
    InvalidJson,
    MissingField,
    NoRecords,
    TimedOut,
    TooLarge,
    Unavailable,
    UnknownField,
    WrongType,
}

impl Reason {
    /// All of them, in the order of their numbers.
    pub(in crate::model) const ALL: [Self; 11] = [
        Self::Busy,
        Self::Internal,
        Self::InvalidCsv,
        Self::InvalidJson,
        Self::MissingField,
        Self::NoRecords,
        Self::TimedOut,
        Self::TooLarge,
        Self::Unavailable,
        Self::UnknownField,
        Self::WrongType,
    ];

    pub(in crate::model) fn word(self) -> &'static str {
        match self {
            Self::Busy => "busy",
            Self::Internal => "internal",
            Self::InvalidCsv => "invalid_csv",
            Self::InvalidJson => "invalid_json",
            Self::MissingField => "missing_field",
            Self::NoRecords => "no_records",
            Self::TimedOut => "timed_out",
            Self::TooLarge => "too_large",
            Self::Unavailable => "unavailable",
            Self::UnknownField => "unknown_field",
            Self::WrongType => "wrong_type",
        }
    }
}

/// A request that is refused.
#[derive(Debug)]
pub(in crate::model) struct Refusal {
    pub(in crate::model) status: StatusCode,
    pub(in crate::model) code: Reason,
    /// The field that is wrong.
    pub(in crate::model) field: Option<String>,
    /// The record that is wrong, from 0.
    pub(in crate::model) record: Option<usize>,
    /// What is wrong.
    pub(in crate::model) reason: String,
    /// What to do.
    pub(in crate::model) hint: String,
}

impl Refusal {
    pub(in crate::model) fn new(status: StatusCode, code: Reason, reason: &str, hint: &str) -> Self {
        Self { status, code, field: None, record: None, reason: reason.to_owned(), hint: hint.to_owned() }
    }

    /// The request was understood, and cannot be predicted.
    pub(in crate::model) fn unprocessable(code: Reason, reason: &str, hint: &str) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, reason, hint)
    }

    pub(in crate::model) fn in_record(self, record: usize) -> Self {
        Self { record: Some(record), ..self }
    }

    pub(in crate::model) fn of_field(self, field: &str) -> Self {
        Self { field: Some(field.to_owned()), ..self }
    }

    pub(in crate::model) fn malformed(error: &serde_json::Error) -> Self {
        let hint = "send a JSON record, or CSV with the header content-type: text/csv";
        Self::new(StatusCode::BAD_REQUEST, Reason::InvalidJson, &format!("the body is not valid JSON: {error}"), hint)
    }

    pub(in crate::model) fn too_large(limit: usize) -> Self {
        let reason = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Reason::TooLarge, &reason, "send the records in parts")
    }

    pub(in crate::model) fn too_many(found: usize, limit: usize) -> Self {
        let reason = format!("{found} records are more than the {limit} of one request");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Reason::TooLarge, &reason, "send the records in parts")
    }

    pub(in crate::model) fn too_many_objects(limit: usize) -> Self {
        let reason = format!("there are more than {limit} objects in the body");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, Reason::TooLarge, &reason, "send the records in parts")
    }

    pub(in crate::model) fn no_records() -> Self {
        Self::unprocessable(Reason::NoRecords, "there is no record in the request", "send one at least")
    }

    pub(in crate::model) fn timed_out(limit: std::time::Duration) -> Self {
        let reason = format!("the body did not arrive within {} s", limit.as_secs());
        Self::new(StatusCode::REQUEST_TIMEOUT, Reason::TimedOut, &reason, "send it faster, or in parts")
    }

    pub(in crate::model) fn busy() -> Self {
        let reason = "too many large requests are waiting";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, Reason::Busy, reason, "try again shortly, or send smaller ones")
    }

    pub(in crate::model) fn internal(error: &impl ToString) -> Self {
        let hint = "this is a fault of the server; its log may say more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, Reason::Internal, &error.to_string(), hint)
    }
}

impl From<PredictError> for Refusal {
    fn from(error: PredictError) -> Self {
        Self::from(error.problem).in_record(error.record)
    }
}

impl From<RunError> for Refusal {
    fn from(error: RunError) -> Self {
        match error {
            RunError::Record(error) => error.into(),
            RunError::Runtime(_) => Self::internal(&error),
        }
    }
}

impl From<FieldProblem> for Refusal {
    fn from(problem: FieldProblem) -> Self {
        let (code, hint) = match &problem {
            FieldProblem::Missing { .. } => {
                (Reason::MissingField, "send the field, or null if its value is not known".to_owned())
            }
            FieldProblem::Unknown { hint, .. } => (Reason::UnknownField, hint.clone()),
            FieldProblem::WrongType { expected, .. } => (Reason::WrongType, format!("send {expected}")),
        };
        Self::unprocessable(code, &problem.to_string(), &hint).of_field(problem.field())
    }
}

/// `{"error": {"field": …, "record": …, "reason": …, "hint": …}}`
#[derive(Serialize)]
struct ErrorBody<'a> {
    error: Described<'a>,
}

#[derive(Serialize)]
struct Described<'a> {
    field: Option<&'a str>,
    record: Option<usize>,
    reason: &'a str,
    hint: &'a str,
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let described =
            Described { field: self.field.as_deref(), record: self.record, reason: &self.reason, hint: &self.hint };
        let mut response = (self.status, Json(ErrorBody { error: described })).into_response();
        let headers = response.headers_mut();
        if self.status == StatusCode::SERVICE_UNAVAILABLE {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        // What is left of the body is not read, so nothing can follow on this connection.
        if matches!(self.code, Reason::TimedOut | Reason::TooLarge) {
            headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::Reason;

    #[test]
    fn reasons_are_numbered_in_their_order_and_named_once() {
        for (number, reason) in Reason::ALL.into_iter().enumerate() {
            assert_eq!(reason as usize, number);
        }
        let mut words: Vec<&str> = Reason::ALL.map(Reason::word).to_vec();
        words.dedup();
        assert!(words.is_sorted() && words.len() == Reason::ALL.len());
    }
}
