//! The model server: predictions, feedback, health, schema, metrics and a static site, over plain HTTP/1.1.
//!
//! The way of a request: `drain` accepts its connection, with `patience`; `body` reads it within `limits`; `predict` has
//! it read into a `table` (`quick`, or `exact` by way of a `tree`, and `csv_request`, which say what is wrong in a `refusal`), asks the
//! `served` model and lets `answer` write. Then it is counted (`metrics`, written down by `page`) and handed to the
//! `shadow`.
//!
//! It keeps nothing but the labelled records of `feedback`: all other state is the loaded model and counters. When it is
//! told to stop it drains (see `drain`): no more connections, `Connection: close` on every answer, `/readyz` says 503, and
//! it ends when no connection remains.

mod answer;
mod body;
mod csv_request;
mod drain;
mod exact;
mod feedback;
mod feedback_file;
mod histogram;
mod limits;
mod metrics;
mod openapi;
mod page;
mod patience;
mod predict;
mod quick;
mod refusal;
mod schema;
mod served;
mod shadow;
mod shared;
mod site;
mod table;
#[cfg(test)]
mod tests;
mod tree;

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::json;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::timeout;

use self::drain::{DrainingListener, stopped};
pub use self::feedback_file::{FeedbackError, FeedbackFile, FeedbackLimits};
pub use self::limits::{Limits, ServeOptions};
use self::patience::{Phase, Progress};
pub use self::shadow::{ShadowError, ShadowModel};
use self::shared::Shared;
use crate::model::served_model::ServedModel;

/// Idle connections get this long for one more request, whose answer then closes them.
const IDLE_LIMIT: Duration = Duration::from_secs(5);
/// Requests under way get this long in all.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// Serves `model` until `stop` is done and all connections are drained. The environment variables `TRAINYARD_RELEASE` and
/// `TRAINYARD_MODEL_VERSION` say what is told under `/version`.
pub async fn serve(
    listener: TcpListener,
    model: ServedModel,
    options: ServeOptions,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stop_sender, mut stopping) = watch::channel(false);
    let open = Arc::new(watch::Sender::new(0));
    let mut still_open = open.subscribe();
    let listener = DrainingListener::new(listener, stopping.clone(), open, options.limits)?;
    let shared = Arc::new(Shared::new(model, options, stopping.clone()));
    let drained = async move {
        stop.await;
        stop_sender.send_replace(true);
        // Running out of time is no error: what is idle then is closed.
        let _ = timeout(IDLE_LIMIT, still_open.wait_for(|open| *open == 0)).await;
    };
    let service = router(shared).into_make_service_with_connect_info::<Progress>();
    let mut served = pin!(axum::serve(listener, service).with_graceful_shutdown(drained).into_future());
    tokio::select! {
        result = &mut served => return result,
        () = stopped(&mut stopping) => {}
    }
    // A client that never ends its request does not keep the server alive.
    timeout(DRAIN_LIMIT, served).await.unwrap_or(Ok(()))
}

type SharedState = State<Arc<Shared>>;

fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/predict", post(|State(shared): SharedState, request: Request| predict::predict(shared, request)))
        .route("/feedback", post(|State(shared): SharedState, request: Request| feedback::feedback(shared, request)))
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|State(shared): SharedState| async move { ready(&shared) }))
        .route("/version", get(|State(shared): SharedState| async move { version(&shared) }))
        .route("/schema", get(|State(shared): SharedState| async move { Json(schema::schema(&shared.served)) }))
        .route("/openapi.json", get(|State(shared): SharedState| async move { Json(openapi::document(&shared)) }))
        .route("/metrics", get(|State(shared): SharedState| async move { metrics(&shared) }))
        .fallback(|State(shared): SharedState, method: Method, uri: Uri| async move {
            site::answer(shared.site.as_deref(), &method, uri.path()).await
        })
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), attend))
        .with_state(shared)
}

/// Tells the connection when a request begins and ends, and closes it behind the answer when the server stops.
async fn attend(State(shared): SharedState, request: Request, next: Next) -> Response {
    let progress = request.extensions().get::<ConnectInfo<Progress>>().map(|ConnectInfo(progress)| progress.clone());
    if let Some(progress) = &progress {
        progress.set(Phase::Busy);
    }
    let mut response = next.run(request).await;
    if let Some(progress) = &progress {
        progress.set(Phase::Waiting);
    }
    // Asked after the answer is made: a stop that came meanwhile counts.
    if shared.is_stopping() {
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

fn ready(shared: &Shared) -> Response {
    if shared.is_stopping() {
        (StatusCode::SERVICE_UNAVAILABLE, "stopping\n").into_response()
    } else {
        "ready\n".into_response()
    }
}

fn version(shared: &Shared) -> Response {
    let served = &shared.served;
    let body = json!({
        "model": served.digest(),
        "model_version": shared.version,
        "release": shared.release,
        "algorithm": served.algorithm(),
        "data": served.data(),
        "shadow": shared.shadow.as_ref().map(shadow::Shadow::digest),
        "feedback": shared.feedback.is_some(),
        "trainyard": env!("CARGO_PKG_VERSION"),
    });
    Json(body).into_response()
}

fn metrics(shared: &Shared) -> Response {
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], page::page(shared)).into_response()
}
