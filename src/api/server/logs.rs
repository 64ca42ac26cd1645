//! Windows of logs, never a whole one: those of stages, and the last lines of the live release.

use std::io;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use tokio::task::spawn_blocking;

use super::answers::{answer, problem};
use super::{Shared, Shares};
use crate::api::types::LogWindow;
use crate::engine::spool::LogReader;
use crate::engine::supervisor::AttemptFolder;
use crate::pipeline::{Attempt, RunId, StageName};

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

#[derive(Deserialize)]
pub(super) struct LinesWanted {
    first: Option<u64>,
    count: u64,
}

pub(super) async fn lines(
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
pub(super) struct SearchWanted {
    pattern: String,
    from: u64,
    backward: bool,
}

pub(super) async fn search(
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
