//! The forms of an answer that all handlers share.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::api::types::Problem;

/// Why it was not done, in one sentence.
pub(super) fn problem(status: StatusCode, error: impl std::fmt::Display) -> Response {
    (status, Json(Problem { error: error.to_string() })).into_response()
}

/// The core does not answer any more.
pub(super) fn ending() -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, "the daemon is ending")
}

/// What was found; nothing at all while the daemon is ending.
pub(super) fn answer<T: Serialize>(found: Option<Result<T, String>>) -> Response {
    match found {
        Some(Ok(found)) => Json(found).into_response(),
        Some(Err(error)) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
        None => ending(),
    }
}
