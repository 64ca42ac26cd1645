//! The control plane: what the client asks over the Unix socket.
//!
//! `GET /status`; `POST /apply`, answered with one JSON line a step and the outcome as the last; `GET /applied/{release}`,
//! the same of an apply that was begun before; `POST /promote/{release}` and `POST /withdraw/{release}`, which judge a canary
//! and answer alike; `GET /report`, `GET /release-log`, `GET /instances` and `GET /scrape/{instance}` say how all is;
//! `POST /stop`, answered once the host has let go of all, with `all=true` once nothing runs any more.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, stream};
use serde::Deserialize;
use tokio::sync::watch;

use super::ApplyEvent;
use super::apply::Host;
use super::ending::Farewell;
use super::health::raised;
use super::records::{Record, Told};
use super::report::Scraped;
use crate::api::types::TargetReport;
use crate::pipeline::ReleaseId;
use crate::target::{ApplyRequest, TargetStatus};

/// Lines of a log that are told at once.
const MOST_LINES: usize = 10_000;

#[derive(Debug, Clone)]
struct Plane {
    host: Arc<Host>,
    stopped: watch::Receiver<bool>,
}

/// The routes. `stopped` is raised once all that the host started is gone.
pub fn router(host: Arc<Host>, stopped: watch::Receiver<bool>) -> Router {
    Router::new()
        .route("/status", get(status))
        .route("/apply", post(apply))
        .route("/applied/{release}", get(applied))
        .route("/promote/{release}", post(promote))
        .route("/withdraw/{release}", post(withdraw))
        .route("/report", get(report))
        .route("/release-log", get(release_log))
        .route("/instances", get(instances))
        .route("/scrape/{instance}", get(scrape))
        .route("/stop", post(stop))
        .with_state(Plane { host, stopped })
}

async fn status(State(plane): State<Plane>) -> Json<TargetStatus> {
    Json(plane.host.status())
}

async fn apply(State(plane): State<Plane>, Json(request): Json<ApplyRequest>) -> Response {
    match plane.host.begin(request) {
        Ok(record) => lines(&record),
        Err(other) => (StatusCode::CONFLICT, Json(other)).into_response(),
    }
}

async fn applied(State(plane): State<Plane>, Path(release): Path<u64>) -> Response {
    match plane.host.record(ReleaseId(release)) {
        Some(record) => lines(&record),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn promote(State(plane): State<Plane>, Path(release): Path<u64>) -> Response {
    judged(plane.host.judge(ReleaseId(release), true))
}

async fn withdraw(State(plane): State<Plane>, Path(release): Path<u64>) -> Response {
    judged(plane.host.judge(ReleaseId(release), false))
}

fn judged(record: Option<Arc<Record>>) -> Response {
    match record {
        Some(record) => lines(&record),
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

async fn report(State(plane): State<Plane>) -> Json<TargetReport> {
    Json(plane.host.report().await)
}

#[derive(Debug, Deserialize)]
struct Lines {
    lines: usize,
}

async fn release_log(State(plane): State<Plane>, Query(query): Query<Lines>) -> Json<Vec<String>> {
    Json(plane.host.release_log(query.lines.min(MOST_LINES)).await)
}

async fn instances(State(plane): State<Plane>) -> Json<Vec<Scraped>> {
    Json(plane.host.scraped())
}

async fn scrape(State(plane): State<Plane>, Path(instance): Path<String>) -> Response {
    match plane.host.scrape(&instance).await {
        Ok(answer) => {
            let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
            (status, [(header::CONTENT_TYPE, answer.content_type)], answer.body).into_response()
        }
        Err(reason) => (StatusCode::BAD_GATEWAY, reason).into_response(),
    }
}

#[derive(Debug, Deserialize)]
struct Stop {
    #[serde(default)]
    all: bool,
}

async fn stop(State(mut plane): State<Plane>, Query(stop): Query<Stop>) -> Json<Farewell> {
    plane.host.request_stop(stop.all);
    raised(&mut plane.stopped).await;
    Json(plane.host.farewell())
}

fn lines(record: &Record) -> Response {
    let body = Body::from_stream(events(record.follow()));
    ([(header::CONTENT_TYPE, "application/x-ndjson")], body).into_response()
}

/// Where a listener is in a record.
struct Listener {
    told: watch::Receiver<Told>,
    steps: usize,
    over: bool,
}

fn events(told: watch::Receiver<Told>) -> impl Stream<Item = Result<Bytes, Infallible>> {
    stream::unfold(Listener { told, steps: 0, over: false }, |mut listener| async move {
        if listener.over {
            return None;
        }
        let event = listener.next().await?;
        let mut line = serde_json::to_vec(&event).ok()?;
        line.push(b'\n');
        Some((Ok(Bytes::from(line)), listener))
    })
}

impl Listener {
    async fn next(&mut self) -> Option<ApplyEvent> {
        let heard = self.steps;
        let waiting = self.told.wait_for(|told| told.steps.len() > heard || told.outcome.is_some());
        // Cloned at once, because what `wait_for` returns holds a lock.
        let told = waiting.await.ok().map(|told| told.clone())?;
        if let Some(step) = told.steps.get(self.steps) {
            self.steps += 1;
            return Some(ApplyEvent::Step(step.clone()));
        }
        self.over = true;
        told.outcome.map(ApplyEvent::Done)
    }
}
