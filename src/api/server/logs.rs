//! Windows of logs, never a whole one: those of stages and of whole runs, and the last lines of the live release.
//!
//! Every answer has a bound. What is looked for in a whole log is looked for in steps, each on a thread of its own, and
//! nothing is kept from one step to the next: whoever asks no more has stopped it.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::answers::{answer, ending, problem};
use super::{Shared, Shares};
use crate::api::types::{LogAddress, LogFilter, LogRowsRequest};
use crate::engine::spool::{LogReader, Timeline};
use crate::engine::supervisor::AttemptFolder;
use crate::pipeline::{Attempt, Moment, RunId, StageName};

#[derive(Deserialize)]
pub(super) struct ReleaseLogWanted {
    lines: usize,
}

pub(super) async fn release(State(shared): Shares, Query(wanted): Query<ReleaseLogWanted>) -> Response {
    Json(shared.daemon.host.release_log(wanted.lines).await).into_response()
}

pub(super) fn attempt_folder(shared: &Shared, run: u64, stage: &str, attempt: u64) -> Option<AttemptFolder> {
    // The name becomes part of a path.
    let is_plain = stage.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
    is_plain.then(|| {
        AttemptFolder::new(shared.daemon.layout.attempt(RunId(run), &StageName::from(stage), Attempt(attempt)))
    })
}

/// Where a log is asked for: run, stage, attempt.
type Asked = Path<(u64, String, u64)>;

/// Opens a log, asks it something and answers.
async fn ask<T, E>(
    shared: &Shared,
    Path((run, stage, attempt)): Asked,
    question: impl FnOnce(&Timeline) -> Result<T, E> + Send + 'static,
) -> Response
where
    T: Serialize + Send + 'static,
    E: std::fmt::Display + 'static,
{
    let address = LogAddress { run: RunId(run), stage: StageName(stage), attempt: Attempt(attempt) };
    let folder = if address.is_whole_run() {
        None
    } else {
        match attempt_folder(shared, run, address.stage.as_str(), attempt) {
            Some(folder) => Some(folder),
            None => return problem(StatusCode::NOT_FOUND, "there is no such log"),
        }
    };
    let run = shared.daemon.layout.run(address.run);
    let asked = spawn_blocking(move || {
        let opened = match &folder {
            Some(folder) => Timeline::of_attempt(folder),
            None => Timeline::of_run(&run),
        };
        let log = opened.map_err(|error| format!("the log cannot be read: {error}"))?;
        question(&log).map_err(|error| error.to_string())
    });
    answer(asked.await.ok())
}

#[derive(Deserialize)]
pub(super) struct LinesWanted {
    first: Option<u64>,
    count: u64,
}

pub(super) async fn lines(State(shared): Shares, asked: Asked, Query(wanted): Query<LinesWanted>) -> Response {
    ask(&shared, asked, move |log| match wanted.first {
        Some(first) => log.window(first, wanted.count),
        None => log.tail(wanted.count),
    })
    .await
}

#[derive(Deserialize)]
pub(super) struct SearchWanted {
    from: u64,
    backward: bool,
}

pub(super) async fn search(
    State(shared): Shares,
    asked: Asked,
    Query(filter): Query<LogFilter>,
    Query(SearchWanted { from, backward }): Query<SearchWanted>,
) -> Response {
    ask(&shared, asked, move |log| log.find(&filter, from, backward)).await
}

#[derive(Deserialize)]
pub(super) struct ScanWanted {
    from: u64,
    until: Option<u64>,
}

pub(super) async fn scan(
    State(shared): Shares,
    asked: Asked,
    Query(filter): Query<LogFilter>,
    Query(ScanWanted { from, until }): Query<ScanWanted>,
) -> Response {
    ask(&shared, asked, move |log| log.scan(&filter, from, until)).await
}

pub(super) async fn rows(State(shared): Shares, asked: Asked, Json(request): Json<LogRowsRequest>) -> Response {
    ask(&shared, asked, move |log| log.rows(&request)).await
}

#[derive(Deserialize)]
pub(super) struct MomentWanted {
    at: i64,
}

pub(super) async fn line_at(
    State(shared): Shares,
    asked: Asked,
    Query(MomentWanted { at }): Query<MomentWanted>,
) -> Response {
    ask(&shared, asked, move |log| log.line_at(Moment(at))).await
}

#[derive(Deserialize)]
pub(super) struct BytesWanted {
    offset: u64,
}

/// Bytes told at once.
const BYTES_AT_ONCE: usize = 1 << 20;

/// Some bytes of the log of one stage, as they were written.
pub(super) async fn bytes(
    State(shared): Shares,
    Path((run, stage, attempt)): Asked,
    Query(BytesWanted { offset }): Query<BytesWanted>,
) -> Response {
    let Some(folder) = attempt_folder(&shared, run, &stage, attempt) else {
        return problem(StatusCode::NOT_FOUND, "there is no such log");
    };
    let read = spawn_blocking(move || {
        LogReader::open(&folder.log(), &folder.index()).and_then(|log| log.bytes(offset, BYTES_AT_ONCE))
    });
    match read.await {
        Ok(Ok(bytes)) => bytes.into_response(),
        Ok(Err(error)) => problem(StatusCode::INTERNAL_SERVER_ERROR, format!("the log cannot be read: {error}")),
        Err(_) => ending(),
    }
}
