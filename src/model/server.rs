//! The model server: predictions, health, schema, metrics and a static site, over plain HTTP/1.1.
//!
//! It keeps nothing: all state is the loaded model and counters. When it is told to stop it drains (see `drain`): no
//! more connections, `Connection: close` on every answer, `/readyz` says 503, and it ends when no connection remains.

use std::io;
use std::path::PathBuf;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::extract::{DefaultBodyLimit, Request, State};
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde_json::{Map, Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use super::cell::Cell;
use super::drain::{DrainingListener, stopped};
use super::drift::Window;
use super::envelope::SavedModel;
use super::learn::algorithm_name;
use super::server_metrics::{ServerMetrics, Shown};
use super::{server_predict, server_site};

/// Large requests that are worked off at once; the others wait.
const LARGE_AT_ONCE: usize = 2;
/// Idle connections get this long for one more request, whose answer then closes them.
const IDLE_LIMIT: Duration = Duration::from_secs(5);
/// Requests under way get this long in all.
const DRAIN_LIMIT: Duration = Duration::from_secs(30);

/// What all requests share.
pub(super) struct Shared {
    pub(super) model: SavedModel,
    pub(super) metrics: ServerMetrics,
    window: Mutex<Window>,
    site: Option<PathBuf>,
    stopping: watch::Receiver<bool>,
    /// Turns for requests that take a lot of memory while they are worked off.
    pub(super) large: Semaphore,
    release: Option<String>,
    version: Option<String>,
}

impl Shared {
    /// Notes answered records for the drift.
    pub(super) fn observe(&self, rows: &[Vec<Cell<'_>>]) {
        let mut window = self.window.lock().unwrap_or_else(PoisonError::into_inner);
        for cells in rows {
            window.observe(cells);
        }
    }

    fn is_stopping(&self) -> bool {
        *self.stopping.borrow()
    }
}

/// Serves `model` until `stop` is done and all connections are drained. `site` is a folder of static files for `/`. The
/// environment variables `TRAINYARD_RELEASE` and `TRAINYARD_MODEL_VERSION` say what is told under `/version`.
pub async fn serve(
    listener: TcpListener,
    model: SavedModel,
    site: Option<PathBuf>,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let (stop_sender, mut stopping) = watch::channel(false);
    let open = Arc::new(watch::Sender::new(0));
    let mut still_open = open.subscribe();
    let shared = Arc::new(Shared {
        metrics: ServerMetrics::new(),
        window: Mutex::new(Window::new(model.reference().clone())),
        model,
        site,
        stopping: stopping.clone(),
        large: Semaphore::new(LARGE_AT_ONCE),
        release: std::env::var("TRAINYARD_RELEASE").ok(),
        version: std::env::var("TRAINYARD_MODEL_VERSION").ok(),
    });
    let listener = DrainingListener::new(listener, stopping.clone(), open)?;
    let drained = async move {
        stop.await;
        stop_sender.send_replace(true);
        // Running out of time is no error: what is idle then is closed.
        let _ = timeout(IDLE_LIMIT, still_open.wait_for(|open| *open == 0)).await;
    };
    let mut served = pin!(axum::serve(listener, router(shared)).with_graceful_shutdown(drained).into_future());
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
        .route(
            "/predict",
            post(|State(shared): SharedState, body: Result<Bytes, BytesRejection>| {
                server_predict::predict(shared, body)
            }),
        )
        .route("/healthz", get(|| async { "ok\n" }))
        .route("/readyz", get(|State(shared): SharedState| async move { ready(&shared) }))
        .route("/version", get(|State(shared): SharedState| async move { version(&shared) }))
        .route("/schema", get(|State(shared): SharedState| async move { schema(&shared) }))
        .route("/metrics", get(|State(shared): SharedState| async move { metrics(&shared) }))
        .fallback(|State(shared): SharedState, method: Method, uri: Uri| async move {
            server_site::answer(shared.site.as_deref(), &method, uri.path()).await
        })
        .layer(DefaultBodyLimit::max(server_predict::MOST_BYTES))
        .layer(middleware::from_fn_with_state(Arc::clone(&shared), close_when_stopping))
        .with_state(shared)
}

async fn close_when_stopping(State(shared): SharedState, request: Request, next: Next) -> Response {
    let mut response = next.run(request).await;
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
    let card = shared.model.card();
    let body = json!({
        "model": shared.model.digest(),
        "model_version": shared.version,
        "release": shared.release,
        "algorithm": algorithm_name(card.algorithm),
        "data": card.lineage.data,
        "trainyard": env!("CARGO_PKG_VERSION"),
    });
    Json(body).into_response()
}

/// What a client needs to make a request, with an example that works.
fn schema(shared: &Shared) -> Response {
    let card = shared.model.card();
    let example: Map<String, Value> = card
        .features
        .iter()
        .map(|feature| {
            let number = if feature.minimum.is_some() { feature.typical.parse::<f64>().ok() } else { None };
            (feature.name.clone(), number.map_or_else(|| json!(feature.typical), |number| json!(number)))
        })
        .collect();
    let body = json!({
        "task": card.task,
        "target": card.target,
        "features": card.features,
        "ignored": card.ignored,
        "classes": card.classes,
        "metrics": card.metrics,
        "example": example,
    });
    Json(body).into_response()
}

fn metrics(shared: &Shared) -> Response {
    let window = shared.window.lock().unwrap_or_else(PoisonError::into_inner);
    let digest = shared.model.digest();
    let text = shared.metrics.render(&Shown {
        version: shared.version.as_deref().unwrap_or(digest.short()),
        algorithm: algorithm_name(shared.model.card().algorithm),
        drift: window.indices(),
    });
    drop(window);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::time::Duration;

    use serde_json::{Value, json};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::sync::oneshot;
    use tokio::task::JoinHandle;
    use tokio::time::timeout;

    use super::serve;
    use crate::model::{samples, server_predict};

    const DEADLINE: Duration = Duration::from_secs(20);

    struct Running {
        address: SocketAddr,
        stop: oneshot::Sender<()>,
        server: JoinHandle<std::io::Result<()>>,
    }

    async fn start() -> Running {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel::<()>();
        let stop_signal = async move {
            let _ = stopped.await;
        };
        let server = tokio::spawn(serve(listener, samples::model(), None, stop_signal));
        Running { address, stop, server }
    }

    async fn ask(address: SocketAddr, method: &str, path: &str, body: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(address).await.unwrap();
        let length = body.len();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        );
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        timeout(DEADLINE, stream.read_to_string(&mut answer)).await.unwrap().unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head[9..12].parse().unwrap(), body.to_owned())
    }

    /// Reads one answer of a connection that stays open: up to the end of the body `ok\n`.
    async fn read_ok(stream: &mut TcpStream) -> String {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"ok\n") {
            let read = timeout(DEADLINE, stream.read_buf(&mut bytes)).await.unwrap().unwrap();
            assert!(read > 0, "closed early");
        }
        String::from_utf8(bytes).unwrap()
    }

    #[tokio::test]
    async fn records_are_predicted_in_the_shape_they_came() {
        let running = start().await;
        let tall = json!(samples::record(1)).to_string();
        let (status, body) = ask(running.address, "POST", "/predict", &tall).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((status, &answer["prediction"]), (200, &json!("tall")));
        assert!(answer["probabilities"]["tall"].as_f64().unwrap() > 0.5);
        let (_, body) = ask(running.address, "POST", "/predict", &format!("{{\"records\": [{tall}]}}")).await;
        let answer: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(answer["predictions"][0]["prediction"], "tall");
    }

    #[tokio::test]
    async fn a_wrong_record_is_422_with_field_record_and_reason_and_is_counted() {
        let running = start().await;
        let mut wrong = samples::record(0);
        wrong.insert("hight".to_owned(), json!(1));
        let body = json!([samples::record(1), wrong]).to_string();
        let (status, body) = ask(running.address, "POST", "/predict", &body).await;
        let error = serde_json::from_str::<Value>(&body).unwrap()["error"].take();
        assert_eq!(status, 422);
        assert_eq!((&error["field"], &error["record"]), (&json!("hight"), &json!(1)));
        assert!(error["reason"].as_str().unwrap().contains("did you mean \"height\""));
        let (_, metrics) = ask(running.address, "GET", "/metrics", "").await;
        assert!(metrics.contains("predict_requests_total{status=\"422\"} 1"), "{metrics}");
        assert!(metrics.contains("predict_errors_total{reason=\"unknown_field\"} 1"), "{metrics}");
    }

    #[tokio::test]
    async fn the_example_of_the_schema_can_be_predicted() {
        let running = start().await;
        let (_, schema) = ask(running.address, "GET", "/schema", "").await;
        let schema: Value = serde_json::from_str(&schema).unwrap();
        let (status, body) = ask(running.address, "POST", "/predict", &schema["example"].to_string()).await;
        assert_eq!(status, 200, "{body}");
    }

    #[tokio::test]
    async fn drift_is_exported_after_a_hundred_records_only() {
        let running = start().await;
        let ninety_nine = json!(vec![samples::record(0); 99]).to_string();
        ask(running.address, "POST", "/predict", &ninety_nine).await;
        assert!(!ask(running.address, "GET", "/metrics", "").await.1.contains("psi_max"));
        ask(running.address, "POST", "/predict", &json!(samples::record(0)).to_string()).await;
        let (_, metrics) = ask(running.address, "GET", "/metrics", "").await;
        assert!(metrics.contains("predict_input_drift_psi{feature=\"height\"}"), "{metrics}");
        assert!(metrics.contains("predict_rows_total 100"), "{metrics}");
    }

    #[tokio::test]
    async fn a_body_beyond_the_limit_is_413() {
        let running = start().await;
        let (status, _) = ask(running.address, "POST", "/predict", &" ".repeat(server_predict::MOST_BYTES + 1)).await;
        assert_eq!(status, 413);
    }

    #[tokio::test]
    async fn an_idle_connection_gets_one_more_answer_after_the_stop_and_then_the_server_ends() {
        let running = start().await;
        let mut stream = TcpStream::connect(running.address).await.unwrap();
        let request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
        stream.write_all(request).await.unwrap();
        assert!(!read_ok(&mut stream).await.to_lowercase().contains("connection: close"));
        running.stop.send(()).unwrap();
        // The stop is in force once the listener is closed.
        timeout(DEADLINE, async { while TcpStream::connect(running.address).await.is_ok() {} }).await.unwrap();
        stream.write_all(request).await.unwrap();
        assert!(read_ok(&mut stream).await.to_lowercase().contains("connection: close"));
        timeout(DEADLINE, running.server).await.unwrap().unwrap().unwrap();
    }
}
