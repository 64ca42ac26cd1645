//! The control plane: what the client asks over the Unix socket.
//!
//! `GET /status`; `POST /apply`, answered with one JSON line a step and the outcome as the last; `GET /applied/{release}`,
//! the same of an apply that was begun before; `POST /stop`, answered once nothing runs any more.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::{Stream, stream};
use tokio::sync::watch;

use super::ApplyEvent;
use super::apply::{Host, Record, Told};
use super::health::raised;
use crate::pipeline::ReleaseId;
use crate::target::{ApplyRequest, TargetStatus};

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

async fn stop(State(mut plane): State<Plane>) -> StatusCode {
    plane.host.request_stop();
    raised(&mut plane.stopped).await;
    StatusCode::NO_CONTENT
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
