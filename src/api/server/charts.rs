//! Charts and expressions, each as wide as the client's own columns.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Shares;
use super::answers::problem;
use crate::api::types::{ChartsRequest, ComparisonRequest, CompletionRequest};

pub(super) async fn charts(State(shared): Shares, Query(wanted): Query<ChartsRequest>) -> Response {
    Json(shared.daemon.monitoring.charts(&wanted).await).into_response()
}

pub(super) async fn comparison(State(shared): Shares, Query(wanted): Query<ComparisonRequest>) -> Response {
    match shared.daemon.monitoring.comparison(&wanted).await {
        Ok(comparison) => Json(comparison).into_response(),
        Err(error) => problem(StatusCode::CONFLICT, error),
    }
}

pub(super) async fn catalog(State(shared): Shares) -> Response {
    Json(shared.daemon.monitoring.catalog().await).into_response()
}

pub(super) async fn completions(State(shared): Shares, Query(wanted): Query<CompletionRequest>) -> Response {
    match shared.daemon.monitoring.completions(&wanted).await {
        Ok(completions) => Json(completions).into_response(),
        Err(error) => problem(StatusCode::CONFLICT, error),
    }
}

#[derive(Deserialize)]
pub(super) struct QueryWanted {
    expression: String,
}

pub(super) async fn expression_fault(State(shared): Shares, Query(wanted): Query<QueryWanted>) -> Response {
    Json(shared.daemon.monitoring.expression_fault(&wanted.expression)).into_response()
}

pub(super) async fn query(State(shared): Shares, Query(wanted): Query<QueryWanted>) -> Response {
    match shared.daemon.monitoring.query(&wanted.expression).await {
        Ok(rows) => Json(rows).into_response(),
        Err(error) => problem(StatusCode::BAD_REQUEST, error),
    }
}

#[derive(Deserialize)]
pub(super) struct RangeWanted {
    expression: String,
    range: u64,
    step: u64,
}

pub(super) async fn query_range(State(shared): Shares, Query(wanted): Query<RangeWanted>) -> Response {
    match shared.daemon.monitoring.query_range(&wanted.expression, wanted.range, wanted.step).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => problem(StatusCode::BAD_REQUEST, error),
    }
}
