//! The daemon's HTTP server on a Unix socket.

use std::fs;
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream::unfold;
use serde::{Deserialize, Serialize};
use tokio::net::{TcpListener, UnixListener};
use tokio::sync::{broadcast, mpsc, watch};
use tokio::task::spawn_blocking;
use tokio::time::{MissedTickBehavior, interval};

use super::types::{
    ChartsRequest, CommandRequest, ComparisonRequest, CompletionRequest, Live, LogWindow, NoteRequest, PlanRequest,
    Problem, PromoteRequest, RollbackPlan, SilenceRequest, Snapshot, StreamItem, UnsilenceRequest,
};
use crate::engine::core::CommandError;
use crate::engine::spool::LogReader;
use crate::engine::supervisor::AttemptFolder;
use crate::engine::{Daemon, events_of_alert, own_metrics, registry, releases};
use crate::pipeline::{Attempt, Command, Input, ModelVersion, Recorded, Refusal, ReleaseId, RunId, StageName, plan};

/// Events that a client may have missed and still be told one by one; beyond that a new snapshot is cheaper.
const CATCH_UP: u64 = 2_000;
/// How often it is looked whether the configuration names another address for the metrics of trainyard itself.
const LISTEN_LOOK: Duration = Duration::from_secs(2);
/// The subject under which it is told that they cannot be served there.
const LISTEN: &str = "own metrics";

struct Shared {
    daemon: Arc<Daemon>,
    end: mpsc::UnboundedSender<()>,
}

type Shares = State<Arc<Shared>>;

/// Binds the socket. A file left by a dead daemon is removed: whoever calls this holds the daemon's lock.
pub fn bind(daemon: &Daemon) -> io::Result<UnixListener> {
    let socket = daemon.layout.socket();
    match fs::remove_file(&socket) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let listener = UnixListener::bind(&socket)?;
    fs::set_permissions(&socket, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// Serves until the future that owns it is dropped.
pub async fn serve(listener: UnixListener, daemon: Arc<Daemon>, end: mpsc::UnboundedSender<()>) -> io::Result<()> {
    let routes: Router = Router::new()
        .route("/v1/snapshot", get(snapshot))
        .route("/v1/events", get(events))
        .route("/v1/history", get(history))
        .route("/v1/commands", post(command))
        .route("/v1/plan", post(make_plan))
        .route("/v1/logs/{run}/{stage}/{attempt}", get(log_lines))
        .route("/v1/logs/{run}/{stage}/{attempt}/search", get(log_search))
        .route("/v1/rollback", get(rollback))
        .route("/v1/models", get(models))
        .route("/v1/models/{version}", get(model))
        .route("/v1/models/{version}/profile", get(model_profile))
        .route("/v1/models/{version}/note", post(note_model))
        .route("/v1/promote", post(promote))
        .route("/v1/release-log", get(release_log))
        .route("/v1/charts", get(charts))
        .route("/v1/comparison", get(comparison))
        .route("/v1/metrics", get(catalog))
        .route("/v1/completions", get(completions))
        .route("/v1/expression", get(expression_fault))
        .route("/v1/query", get(query))
        .route("/v1/alerts", get(alerts))
        .route("/v1/alerts/silence", post(silence))
        .route("/v1/alerts/unsilence", post(unsilence))
        .route("/v1/query-range", get(query_range))
        .route("/v1/end", post(end_daemon))
        .with_state(Arc::new(Shared { daemon: daemon.clone(), end }))
        .merge(metrics_routes(daemon.clone()));
    tokio::select! {
        served = axum::serve(listener, routes).into_future() => served,
        () = serve_metrics(&daemon) => Ok(()),
    }
}

/// What a Prometheus server may ask for, and nothing else: on the socket, and on a loopback port where one is configured.
fn metrics_routes(daemon: Arc<Daemon>) -> Router {
    Router::new().route("/metrics", get(metrics)).with_state(daemon)
}

async fn metrics(State(daemon): State<Arc<Daemon>>) -> Response {
    match own_metrics::page(&daemon).await {
        Some(page) => ([(CONTENT_TYPE, own_metrics::CONTENT_TYPE)], page).into_response(),
        None => ending(),
    }
}

/// Serves trainyard's own metrics on the loopback address that the configuration names, whenever it names one. Never ends
/// by itself.
async fn serve_metrics(daemon: &Arc<Daemon>) {
    loop {
        let address = daemon.monitoring.listen();
        tokio::select! {
            () = listen(daemon, address) => {}
            () = until_another(daemon, address) => {}
        }
    }
}

/// Serves as long as it can; without an address it does nothing, for ever.
async fn listen(daemon: &Arc<Daemon>, address: Option<SocketAddr>) {
    let Some(address) = address else {
        daemon.status.problem(LISTEN, None);
        return std::future::pending().await;
    };
    let failed = match TcpListener::bind(address).await {
        Ok(listener) => {
            daemon.status.problem(LISTEN, None);
            axum::serve(listener, metrics_routes(daemon.clone())).await.err()
        }
        Err(error) => Some(error),
    };
    if let Some(error) = failed {
        let text = format!("cannot be served on {address}: {error}; give `listen` under [monitor] another port");
        daemon.status.problem(LISTEN, Some(text));
    }
    // Whoever holds the port may give it back.
    tokio::time::sleep(LISTEN_LOOK).await;
}

/// Waits until the configuration names another address.
async fn until_another(daemon: &Arc<Daemon>, address: Option<SocketAddr>) {
    let mut looks = interval(LISTEN_LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    while daemon.monitoring.listen() == address {
        looks.tick().await;
    }
}

fn problem(status: StatusCode, error: impl std::fmt::Display) -> Response {
    (status, Json(Problem { error: error.to_string() })).into_response()
}

fn ending() -> Response {
    problem(StatusCode::SERVICE_UNAVAILABLE, "the daemon is ending")
}

async fn snapshot(State(shared): Shares) -> Response {
    let Some(state) = shared.daemon.core.look(|state, _| state.clone()).await else { return ending() };
    let live = shared.daemon.status.now();
    Json(Snapshot { daemon: shared.daemon.information.clone(), state, live }).into_response()
}

#[derive(Deserialize)]
struct After {
    after: u64,
}

/// One JSON document a line: first what happened since `after`, then everything as it happens.
async fn events(State(shared): Shares, Query(After { after }): Query<After>) -> Response {
    // Listening begins before the journal is read, so nothing falls between the two.
    let listening = shared.daemon.core.subscribe();
    let live = shared.daemon.status.subscribe();
    let past = shared.daemon.core.look(move |state, journal| {
        (state.sequence.saturating_sub(after) <= CATCH_UP && after <= state.sequence)
            .then(|| journal.after(after, CATCH_UP).ok())
            .flatten()
    });
    let Some(past) = past.await else { return ending() };
    let must_start_anew = past.is_none();
    let feed = Feed {
        must_start_anew,
        past: past.into_iter().flatten().collect(),
        is_behind: false,
        last: after,
        listening,
        live,
        first: true,
    };
    let stream = unfold(feed, |mut feed| async move {
        let item = feed.next().await?;
        let mut line = serde_json::to_vec(&item).ok()?;
        line.push(b'\n');
        Some((Ok::<_, io::Error>(Bytes::from(line)), feed))
    });
    Response::builder()
        .header("content-type", "application/x-ndjson")
        .body(Body::from_stream(stream))
        .unwrap_or_else(|error| problem(StatusCode::INTERNAL_SERVER_ERROR, error))
}

/// One client's place in the stream.
struct Feed {
    past: std::collections::VecDeque<Recorded>,
    /// It asked for events that are too old to be told one by one.
    must_start_anew: bool,
    /// It has been told to take a new snapshot; there is nothing more to say.
    is_behind: bool,
    last: u64,
    listening: broadcast::Receiver<Recorded>,
    live: watch::Receiver<Live>,
    first: bool,
}

impl Feed {
    async fn next(&mut self) -> Option<StreamItem> {
        if self.is_behind {
            return None;
        }
        if self.must_start_anew {
            self.is_behind = true;
            return Some(StreamItem::Behind);
        }
        if let Some(event) = self.past.pop_front() {
            self.last = event.sequence;
            return Some(StreamItem::Event(event));
        }
        if std::mem::take(&mut self.first) {
            return Some(StreamItem::Live(self.live.borrow_and_update().clone()));
        }
        loop {
            tokio::select! {
                biased;
                event = self.listening.recv() => match event {
                    Ok(event) if event.sequence <= self.last => {}
                    Ok(event) if event.sequence == self.last + 1 => {
                        self.last = event.sequence;
                        return Some(StreamItem::Event(event));
                    }
                    Ok(_) | Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.is_behind = true;
                        return Some(StreamItem::Behind);
                    }
                    Err(broadcast::error::RecvError::Closed) => return None,
                },
                changed = self.live.changed() => {
                    changed.ok()?;
                    return Some(StreamItem::Live(self.live.borrow_and_update().clone()));
                }
            }
        }
    }
}

#[derive(Deserialize)]
struct HistoryQuery {
    before: Option<u64>,
    limit: u64,
    alert: Option<String>,
}

async fn history(State(shared): Shares, Query(HistoryQuery { before, limit, alert }): Query<HistoryQuery>) -> Response {
    let limit = limit.min(10_000);
    if let Some(alert) = alert {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        return answer(events_of_alert(&shared.daemon.core, &alert, before, limit).await);
    }
    let found = shared.daemon.core.look(move |state, journal| {
        journal.before(before.unwrap_or(state.sequence + 1), limit).map_err(|error| error.to_string())
    });
    answer(found.await)
}

fn answer<T: Serialize>(found: Option<Result<T, String>>) -> Response {
    match found {
        Some(Ok(found)) => Json(found).into_response(),
        Some(Err(error)) => problem(StatusCode::INTERNAL_SERVER_ERROR, error),
        None => ending(),
    }
}

async fn command(State(shared): Shares, Json(CommandRequest { by, command }): Json<CommandRequest>) -> Response {
    if let Command::Rollback { to } = &command
        && let Some(Ok(RollbackPlan { obstacle: Some(obstacle), .. })) = rollback_plan(&shared, *to).await
    {
        // Before anything is touched: a way back that is not there is not entered.
        return problem(StatusCode::CONFLICT, obstacle);
    }
    if let Command::Promote { model, .. } = command {
        let found = registry::ask(&shared.daemon, move |layout, state| registry::obstacle(layout, state, model)).await;
        if let Some(Some(obstacle)) = found {
            return problem(StatusCode::CONFLICT, obstacle);
        }
    }
    match shared.daemon.core.command(by, command).await {
        Ok(run) => Json(Ok::<_, crate::pipeline::Refusal>(run)).into_response(),
        Err(CommandError::Refused(refusal)) => Json(Err::<RunId, _>(refusal)).into_response(),
        Err(error @ CommandError::Journal(_)) => problem(StatusCode::INSUFFICIENT_STORAGE, error),
        Err(CommandError::Ending) => ending(),
    }
}

async fn models(State(shared): Shares) -> Response {
    answer(registry::ask(&shared.daemon, registry::summaries).await.map(Ok))
}

async fn model(State(shared): Shares, Path(version): Path<u64>) -> Response {
    let version = ModelVersion(version);
    match registry::ask(&shared.daemon, move |layout, state| registry::detail(layout, state, version)).await {
        Some(Some(detail)) => Json(detail).into_response(),
        Some(None) => no_such_model(version),
        None => ending(),
    }
}

async fn model_profile(State(shared): Shares, Path(version): Path<u64>) -> Response {
    let version = ModelVersion(version);
    match registry::ask(&shared.daemon, move |layout, _| registry::profile(layout, version)).await {
        Some(Some(profile)) => Json(profile).into_response(),
        Some(None) => problem(StatusCode::NOT_FOUND, format!("model {version} has no profile of its data")),
        None => ending(),
    }
}

fn no_such_model(version: ModelVersion) -> Response {
    problem(StatusCode::NOT_FOUND, Refusal::UnknownModel(version))
}

async fn note_model(
    State(shared): Shares,
    Path(version): Path<u64>,
    Json(NoteRequest { by, text }): Json<NoteRequest>,
) -> Response {
    let model = ModelVersion(version);
    let known = shared.daemon.core.look(move |state, _| state.registry.models.contains_key(&model)).await;
    match known {
        Some(true) => {}
        Some(false) => return no_such_model(model),
        None => return ending(),
    }
    match shared.daemon.core.ask(Input::NoteModel { model, by, text }).await {
        Ok(()) => Json(()).into_response(),
        Err(CommandError::Ending) => ending(),
        Err(error) => problem(StatusCode::INSUFFICIENT_STORAGE, error),
    }
}

async fn promote(shared: Shares, Json(PromoteRequest { by, model, message }): Json<PromoteRequest>) -> Response {
    command(shared, Json(CommandRequest { by, command: Command::Promote { model, message } })).await
}

async fn rollback_plan(shared: &Shared, to: Option<ReleaseId>) -> Option<Result<RollbackPlan, Refusal>> {
    let way = shared.daemon.core.look(move |state, _| releases::way_back(state, to)).await?;
    let place = shared.daemon.status.now().target.and_then(|target| target.place);
    Some(match way {
        Ok(way) => Ok(releases::plan_rollback(&shared.daemon.layout, way, place.as_ref()).await),
        Err(refusal) => Err(refusal),
    })
}

#[derive(Deserialize)]
struct RollbackWanted {
    to: Option<u64>,
}

async fn rollback(State(shared): Shares, Query(wanted): Query<RollbackWanted>) -> Response {
    match rollback_plan(&shared, wanted.to.map(ReleaseId)).await {
        Some(Ok(plan)) => Json(plan).into_response(),
        Some(Err(refusal)) => problem(StatusCode::CONFLICT, refusal),
        None => ending(),
    }
}

#[derive(Deserialize)]
struct ReleaseLogWanted {
    lines: usize,
}

async fn release_log(State(shared): Shares, Query(wanted): Query<ReleaseLogWanted>) -> Response {
    Json(shared.daemon.host.release_log(wanted.lines).await).into_response()
}

async fn make_plan(State(shared): Shares, Json(PlanRequest { selection }): Json<PlanRequest>) -> Response {
    answer(shared.daemon.core.look(move |state, _| Ok(plan(state, &selection))).await)
}

fn attempt_folder(shared: &Shared, run: u64, stage: &str, attempt: u64) -> Option<AttemptFolder> {
    // The name becomes part of a path.
    let is_plain = stage.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    is_plain.then(|| {
        AttemptFolder::new(shared.daemon.layout.attempt(RunId(run), &StageName::from(stage), Attempt(attempt)))
    })
}

#[derive(Deserialize)]
struct LinesWanted {
    first: Option<u64>,
    count: u64,
}

async fn log_lines(
    State(shared): Shares,
    Path((run, stage, attempt)): Path<(u64, String, u64)>,
    Query(wanted): Query<LinesWanted>,
) -> Response {
    let Some(folder) = attempt_folder(&shared, run, &stage, attempt) else {
        return problem(StatusCode::NOT_FOUND, "there is no such log");
    };
    let read = spawn_blocking(move || -> io::Result<LogWindow> {
        let log = LogReader::open(&folder.log(), &folder.index())?;
        match wanted.first {
            Some(first) => log.window(first, wanted.count),
            None => log.tail(wanted.count),
        }
    });
    answer(read.await.ok().map(|window| window.map_err(|error| error.to_string())))
}

#[derive(Deserialize)]
struct SearchWanted {
    pattern: String,
    from: u64,
    backward: bool,
}

async fn log_search(
    State(shared): Shares,
    Path((run, stage, attempt)): Path<(u64, String, u64)>,
    Query(wanted): Query<SearchWanted>,
) -> Response {
    let Some(folder) = attempt_folder(&shared, run, &stage, attempt) else {
        return problem(StatusCode::NOT_FOUND, "there is no such log");
    };
    let search = spawn_blocking(move || {
        let log = LogReader::open(&folder.log(), &folder.index()).map_err(|error| error.to_string())?;
        log.search(&wanted.pattern, wanted.from, wanted.backward).map_err(|error| error.to_string())
    });
    answer(search.await.ok())
}

async fn charts(State(shared): Shares, Query(wanted): Query<ChartsRequest>) -> Response {
    Json(shared.daemon.monitoring.charts(&wanted).await).into_response()
}

async fn comparison(State(shared): Shares, Query(wanted): Query<ComparisonRequest>) -> Response {
    match shared.daemon.monitoring.comparison(&wanted).await {
        Ok(comparison) => Json(comparison).into_response(),
        Err(error) => problem(StatusCode::CONFLICT, error),
    }
}

async fn catalog(State(shared): Shares) -> Response {
    Json(shared.daemon.monitoring.catalog().await).into_response()
}

async fn completions(State(shared): Shares, Query(wanted): Query<CompletionRequest>) -> Response {
    match shared.daemon.monitoring.completions(&wanted).await {
        Ok(completions) => Json(completions).into_response(),
        Err(error) => problem(StatusCode::CONFLICT, error),
    }
}

async fn expression_fault(State(shared): Shares, Query(wanted): Query<QueryWanted>) -> Response {
    Json(shared.daemon.monitoring.expression_fault(&wanted.expression)).into_response()
}

#[derive(Deserialize)]
struct QueryWanted {
    expression: String,
}

async fn query(State(shared): Shares, Query(wanted): Query<QueryWanted>) -> Response {
    match shared.daemon.monitoring.query(&wanted.expression).await {
        Ok(rows) => Json(rows).into_response(),
        Err(error) => problem(StatusCode::BAD_REQUEST, error),
    }
}

#[derive(Deserialize)]
struct RangeWanted {
    expression: String,
    range: u64,
    step: u64,
}

async fn query_range(State(shared): Shares, Query(wanted): Query<RangeWanted>) -> Response {
    match shared.daemon.monitoring.query_range(&wanted.expression, wanted.range, wanted.step).await {
        Ok(answer) => Json(answer).into_response(),
        Err(error) => problem(StatusCode::BAD_REQUEST, error),
    }
}

async fn alerts(State(shared): Shares) -> Response {
    answer(shared.daemon.alerting.report().await.map(Ok))
}

async fn silence(State(shared): Shares, Json(request): Json<SilenceRequest>) -> Response {
    match shared.daemon.alerting.silence(request).await {
        Ok(silence) => Json(silence).into_response(),
        Err(error) => problem(StatusCode::CONFLICT, error),
    }
}

async fn unsilence(State(shared): Shares, Json(request): Json<UnsilenceRequest>) -> Response {
    match shared.daemon.alerting.unsilence(request.by, request.alert).await {
        Ok(()) => Json(()).into_response(),
        Err(error) => problem(StatusCode::CONFLICT, error),
    }
}

async fn end_daemon(State(shared): Shares) -> Response {
    let _ = shared.end.send(());
    StatusCode::ACCEPTED.into_response()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::types::CompletionKind;

    /// What the server reads of a question that the client puts into an address.
    fn through_an_address<T: Serialize + serde::de::DeserializeOwned>(asked: &T) -> T {
        let http = crate::disk::plain_http().build().unwrap();
        let request = http.get("http://daemon/v1/completions").query(asked).build().unwrap();
        let uri: axum::http::Uri = request.url().as_str().parse().unwrap();
        let Query(read) = Query::<T>::try_from_uri(&uri).unwrap();
        read
    }

    #[test]
    fn what_is_asked_for_survives_the_way_through_an_address() {
        let values = CompletionRequest {
            kind: CompletionKind::LabelValue,
            label: Some("a&b=서울".to_owned()),
            metric: None,
            word: "50% \"x\"+y".to_owned(),
            first: 40,
            count: 20,
        };
        assert_eq!(through_an_address(&values), values);
        let pair = ComparisonRequest {
            expression: "sum by (le) (rate(x{a=\"b\"}[1m]))".to_owned(),
            former: Some(ReleaseId(1)),
            later: None,
            range: 0,
            columns: 200,
        };
        assert_eq!(through_an_address(&pair), pair);
        // The longest line of the explorer, three bytes for each of its own.
        let longest = ChartsRequest { expression: Some("\"".repeat(16 * 1024)), ..ChartsRequest::default() };
        assert_eq!(through_an_address(&longest), longest);
    }
}
