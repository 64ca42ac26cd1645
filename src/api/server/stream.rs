//! What a screen lives on: the whole state once, then everything as it happens, and what happened before.

use std::collections::VecDeque;
use std::io;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use futures_util::stream::unfold;
use serde::Deserialize;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;

use super::answers::{answer, ending, problem};
use super::caller::{Caller, plain};
use super::push::Pushes;
use super::{Shared, Shares};
use crate::api::types::{Hello, OperatorSession, Snapshot, StreamItem, ViewRequest};
use crate::disk::now;
use crate::engine::events_matching;
use crate::engine::operators::Presence;
use crate::pipeline::{EventFilter, Recorded};

/// Events that a client may have missed and still be told one by one; beyond that a new snapshot is cheaper.
const CATCH_UP: u64 = 2_000;
/// Events of one answer about the past.
const LONGEST_HISTORY: u64 = 10_000;

pub(super) async fn hello(State(shared): Shares) -> Response {
    let Some(sequence) = shared.daemon.core.look(|state, _| state.sequence).await else { return ending() };
    Json(Hello { daemon: shared.daemon.information.clone(), sequence }).into_response()
}

pub(super) async fn snapshot(State(shared): Shares) -> Response {
    let Some(state) = shared.daemon.core.look(|state, _| state.clone()).await else { return ending() };
    let live = shared.daemon.status.now();
    Json(Snapshot { daemon: shared.daemon.information.clone(), state, live }).into_response()
}

#[derive(Deserialize)]
pub(super) struct EventsWanted {
    after: u64,
    /// A screen says which it is; a command that only waits for something is nobody's session.
    session: Option<u64>,
    #[serde(default)]
    view: String,
    pace: Option<u64>,
}

/// One JSON document a line: first what happened since `after`, then everything as it happens.
pub(super) async fn events(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Query(wanted): Query<EventsWanted>,
) -> Response {
    // Listening begins before the journal is read, so nothing falls between the two.
    let listening = shared.daemon.core.subscribe();
    let after = wanted.after;
    let past = shared.daemon.core.look(move |state, journal| {
        (state.sequence.saturating_sub(after) <= CATCH_UP && after <= state.sequence)
            .then(|| journal.after(after, CATCH_UP).ok())
            .flatten()
    });
    let Some(past) = past.await else { return ending() };
    // A client that must start anew comes again at once, and is there from then on.
    let presence = past.as_ref().and(wanted.session).map(|session| came(&shared, session, &wanted.view, caller));
    let feed = Feed {
        must_start_anew: past.is_none(),
        past: past.into_iter().flatten().collect(),
        is_over: false,
        last: after,
        listening,
        pushes: Pushes::new(shared.daemon.status.subscribe(), wanted.pace),
        presence,
    };
    let stream = unfold(feed, |mut feed| async move {
        let item = feed.next().await?;
        let mut line = serde_json::to_vec(&item).ok()?;
        line.push(b'\n');
        Some((Ok::<_, io::Error>(Bytes::from(line)), feed))
    });
    Response::builder()
        .header(CONTENT_TYPE, "application/x-ndjson")
        .body(Body::from_stream(stream))
        .unwrap_or_else(|error| problem(StatusCode::INTERNAL_SERVER_ERROR, error))
}

/// A screen is there from now on, for as long as its stream is.
fn came(shared: &Arc<Shared>, session: u64, view: &str, caller: Caller) -> Presence {
    shared.daemon.status.operator_came(screen_of(caller, session, view))
}

/// The screen of a caller that has this number and looks at that.
fn screen_of(caller: Caller, session: u64, view: &str) -> OperatorSession {
    let Caller { name, account, from, is_observer } = caller;
    OperatorSession { session, name, account, from, since: now(), view: plain(view), is_observer }
}

/// One client's place in the stream.
struct Feed {
    past: VecDeque<Recorded>,
    /// It asked for events that are too old to be told one by one.
    must_start_anew: bool,
    /// It has been told to take a new snapshot; there is nothing more to say.
    is_over: bool,
    last: u64,
    listening: Receiver<Recorded>,
    pushes: Pushes,
    presence: Option<Presence>,
}

impl Feed {
    async fn next(&mut self) -> Option<StreamItem> {
        if self.is_over {
            return None;
        }
        if self.must_start_anew {
            return Some(self.behind());
        }
        if let Some(event) = self.past.pop_front() {
            self.last = event.sequence;
            return Some(StreamItem::Event(event));
        }
        loop {
            tokio::select! {
                biased;
                () = replaced(self.presence.as_mut()) => return None,
                // Before events, for it comes seldom: a flood of them must not keep it back.
                push = self.pushes.next() => return push,
                event = self.listening.recv() => match event {
                    Ok(event) if event.sequence <= self.last => {}
                    Ok(event) if event.sequence == self.last + 1 => {
                        self.last = event.sequence;
                        return Some(StreamItem::Event(event));
                    }
                    Ok(_) | Err(RecvError::Lagged(_)) => return Some(self.behind()),
                    Err(RecvError::Closed) => return None,
                },
            }
        }
    }

    /// The last that is said: the client is too far behind to be told one by one.
    fn behind(&mut self) -> StreamItem {
        self.is_over = true;
        StreamItem::Behind
    }
}

/// Waits until the same screen comes a second time; for ever where there is no screen.
async fn replaced(presence: Option<&mut Presence>) {
    match presence {
        Some(presence) => presence.replaced().await,
        None => std::future::pending().await,
    }
}

pub(super) async fn show_view(
    State(shared): Shares,
    Extension(caller): Extension<Caller>,
    Json(request): Json<ViewRequest>,
) -> Response {
    shared.daemon.status.operator_views(screen_of(caller, request.session, &request.view));
    Json(()).into_response()
}

#[derive(Deserialize)]
pub(super) struct HistoryWanted {
    before: Option<u64>,
    limit: u64,
}

/// What is asked for and what it must match stand side by side in the address.
pub(super) async fn history(
    State(shared): Shares,
    Query(HistoryWanted { before, limit }): Query<HistoryWanted>,
    Query(filter): Query<EventFilter>,
) -> Response {
    let limit = limit.min(LONGEST_HISTORY);
    if !filter.is_empty() {
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        return answer(events_matching(&shared.daemon.core, &filter, before, limit).await);
    }
    let found = shared.daemon.core.look(move |state, journal| {
        journal.before(before.unwrap_or(state.sequence + 1), limit).map_err(|error| error.to_string())
    });
    answer(found.await)
}
