//! The past: everything as it was, where moments lie on the line of time, and logs as far as they had come.

use std::io;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use tokio::task::spawn_blocking;

use super::answers::{answer, ending, problem};
use super::logs::attempt_folder;
use super::{Shared, Shares};
use crate::api::types::{LogWindow, PastRequest, TimeLineRequest};
use crate::engine::past::{Archive, PastError};
use crate::engine::spool::LogReader;
use crate::pipeline::Moment;

pub(super) async fn past(State(shared): Shares, Query(wanted): Query<PastRequest>) -> Response {
    told(&shared, move |archive| archive.past(&wanted)).await
}

pub(super) async fn place(State(shared): Shares, Query(wanted): Query<PastRequest>) -> Response {
    told(&shared, move |archive| archive.place(&wanted)).await
}

pub(super) async fn time_line(State(shared): Shares, Query(wanted): Query<TimeLineRequest>) -> Response {
    told(&shared, move |archive| archive.time_line(wanted)).await
}

/// What the archive says; it reads files, which is nothing for the threads of the server.
async fn told<T: Serialize + Send + 'static>(
    shared: &Arc<Shared>,
    look: impl FnOnce(&Archive) -> Result<T, PastError> + Send + 'static,
) -> Response {
    let daemon = Arc::clone(&shared.daemon);
    match spawn_blocking(move || look(&daemon.archive)).await {
        Ok(Ok(found)) => Json(found).into_response(),
        Ok(Err(error)) => problem(status(&error), error),
        Err(_) => ending(),
    }
}

fn status(error: &PastError) -> StatusCode {
    match error {
        PastError::Journal(_) => StatusCode::INTERNAL_SERVER_ERROR,
        PastError::Unsaid => StatusCode::BAD_REQUEST,
        PastError::Empty
        | PastError::UnknownEvent { .. }
        | PastError::UnknownRun(_)
        | PastError::NotOver(_)
        | PastError::NoStep { .. } => StatusCode::NOT_FOUND,
    }
}

#[derive(Deserialize)]
pub(super) struct LogWanted {
    at: Moment,
    first: Option<u64>,
    count: u64,
}

/// A window of a log as it was: what was written later is not there, nor counted.
pub(super) async fn log(
    State(shared): Shares,
    Path((run, stage, attempt)): Path<(u64, String, u64)>,
    Query(wanted): Query<LogWanted>,
) -> Response {
    let Some(folder) = attempt_folder(&shared, run, &stage, attempt) else {
        return problem(StatusCode::NOT_FOUND, "there is no such log");
    };
    let read = spawn_blocking(move || -> io::Result<LogWindow> {
        let log = LogReader::open(&folder.log(), &folder.index())?;
        let lines = log.lines_until(wanted.at)?;
        let first = wanted.first.unwrap_or_else(|| lines.saturating_sub(wanted.count)).min(lines);
        let mut window = log.window(first, wanted.count.min(lines - first))?;
        window.total = lines;
        Ok(window)
    });
    answer(read.await.ok().map(|window| window.map_err(|error| error.to_string())))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    /// A log of three lines, one a second, with the records that its writer makes.
    fn three_lines(folder: &tempfile::TempDir) -> LogReader {
        let (log, index) = (folder.path().join("log"), folder.path().join("index"));
        fs::write(&log, "one\ntwo\nthree\n").unwrap();
        let records = [(0_u64, 0_u64, 1_000_i64), (1, 4, 2_000), (2, 8, 3_000)];
        let bytes = records
            .iter()
            .flat_map(|(line, offset, at)| [line.to_le_bytes(), offset.to_le_bytes(), at.to_le_bytes()].concat());
        fs::write(&index, bytes.collect::<Vec<u8>>()).unwrap();
        LogReader::open(&log, &index).unwrap()
    }

    #[test]
    fn of_a_log_there_are_the_lines_that_had_been_written_then() {
        let folder = tempfile::tempdir().unwrap();
        let log = three_lines(&folder);
        let counted = [999, 1_000, 2_500, 3_000, 9_000].map(|at| log.lines_until(Moment(at)).unwrap());
        assert_eq!(counted, [0, 1, 2, 3, 3]);
        let empty = LogReader::open(&folder.path().join("none"), &folder.path().join("no index")).unwrap();
        assert_eq!(empty.lines_until(Moment(9_000)).unwrap(), 0);
    }
}
