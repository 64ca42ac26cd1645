//! The body of a request, read within its limits: a declared length that is too large is refused before a byte of it is
//! kept, one that grows too large when it does, and one that drips when its time is over.
//!
//! Small bodies are read at once. Larger ones first get room: together they never take more memory than
//! [`ROOM_BYTES`], however many clients send at the same time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode, header};
use http_body_util::BodyExt as _;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::model::server::limits::Limits;
use crate::model::server::refusal::{Reason, Refusal};

/// Bodies up to this size need no room.
pub(in crate::model) const SMALL: usize = 64 * 1024;
/// What all larger bodies may take together; one that is larger by itself has it alone.
const ROOM_BYTES: usize = 128 * 1024 * 1024;
/// Room is given in pieces of so many bytes.
const PIECE: usize = 64 * 1024;
/// How long the rest of a refused body is read and thrown away.
const DISCARD: Duration = Duration::from_secs(5);

/// The room for larger bodies.
pub(in crate::model) fn room() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(ROOM_BYTES / PIECE))
}

/// A whole body, and the room that it takes as long as it lives.
#[derive(Debug)]
pub(in crate::model) struct Received {
    pub(in crate::model) bytes: Bytes,
    _room: Option<OwnedSemaphorePermit>,
}

/// Reads a body.
pub(in crate::model) async fn receive(
    headers: &HeaderMap,
    mut body: Body,
    limits: &Limits,
    room: &Arc<Semaphore>,
) -> Result<Received, Refusal> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    let limit = u64::try_from(limits.body_bytes).unwrap_or(u64::MAX);
    let gathered = match declared {
        Some(length) if length > limit => Err(Refusal::too_large(limits.body_bytes)),
        declared => {
            let expected = declared.and_then(|length| usize::try_from(length).ok());
            let gathering = gather(&mut body, expected, limits, room);
            timeout(limits.body, gathering).await.unwrap_or_else(|_| Err(Refusal::timed_out(limits.body)))
        }
    };
    // Closed with bytes unread, a connection is reset, and the answer may be lost with it. A client that asked whether it
    // may send the body has not sent it yet.
    if gathered.as_ref().is_err_and(|refusal| refusal.code == Reason::TooLarge) && !headers.contains_key(header::EXPECT)
    {
        let _ = timeout(DISCARD, async { while let Some(Ok(_)) = body.frame().await {} }).await;
    }
    gathered
}

async fn gather(
    body: &mut Body,
    expected: Option<usize>,
    limits: &Limits,
    room: &Arc<Semaphore>,
) -> Result<Received, Refusal> {
    let mut taken = match expected {
        Some(length) if length > SMALL => Some(take_room(length, limits, room).await?),
        _ => None,
    };
    // Most bodies come in one piece, which is then passed on as it is.
    let (mut first, mut all) = (Bytes::new(), Vec::new());
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| unread(&error))?;
        let Ok(piece) = frame.into_data() else { continue };
        let size = first.len() + all.len() + piece.len();
        if size > limits.body_bytes {
            return Err(Refusal::too_large(limits.body_bytes));
        }
        if size > SMALL && taken.is_none() {
            taken = Some(take_room(limits.body_bytes, limits, room).await?);
        }
        if first.is_empty() && all.is_empty() {
            first = piece;
            continue;
        }
        if all.is_empty() {
            all.reserve(expected.unwrap_or(size));
            all.extend_from_slice(&std::mem::take(&mut first));
        }
        all.extend_from_slice(&piece);
    }
    let bytes = if all.is_empty() { first } else { Bytes::from(all) };
    Ok(Received { bytes, _room: taken })
}

async fn take_room(size: usize, limits: &Limits, room: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
    let pieces = u32::try_from(size.min(ROOM_BYTES).div_ceil(PIECE)).unwrap_or(u32::MAX);
    match timeout(limits.answer, Arc::clone(room).acquire_many_owned(pieces)).await {
        Ok(Ok(taken)) => Ok(taken),
        Ok(Err(_)) | Err(_) => Err(Refusal::busy()),
    }
}

fn unread(error: &axum::Error) -> Refusal {
    let reason = format!("the body could not be read: {error}");
    Refusal::new(StatusCode::BAD_REQUEST, Reason::InvalidJson, &reason, "send the whole body")
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::http::{HeaderMap, HeaderValue, header};

    use super::{SMALL, receive, room};
    use crate::model::server::limits::Limits;
    use crate::model::server::refusal::Reason;

    fn declared(length: usize) -> HeaderMap {
        HeaderMap::from_iter([(header::CONTENT_LENGTH, HeaderValue::from(length))])
    }

    #[tokio::test]
    async fn a_declared_length_beyond_the_limit_is_refused_whatever_comes() {
        let limits = Limits { body_bytes: 10, ..Limits::default() };
        let refusal = receive(&declared(11), Body::from("short"), &limits, &room()).await.unwrap_err();
        assert_eq!((refusal.status.as_u16(), refusal.code), (413, Reason::TooLarge));
        assert!(refusal.reason.contains("10 bytes"), "{}", refusal.reason);
    }

    #[tokio::test]
    async fn a_body_that_grows_beyond_the_limit_is_refused_without_a_declared_length() {
        let limits = Limits { body_bytes: 10, ..Limits::default() };
        let refusal = receive(&HeaderMap::new(), Body::from("longer than ten"), &limits, &room()).await.unwrap_err();
        assert_eq!(refusal.code, Reason::TooLarge);
    }

    #[tokio::test]
    async fn room_is_given_back_with_the_body() {
        let (limits, room) = (Limits::default(), room());
        let all = room.available_permits();
        let large = vec![b' '; SMALL + 1];
        let received = receive(&declared(large.len()), Body::from(large.clone()), &limits, &room).await.unwrap();
        assert_eq!(received.bytes, large);
        assert!(room.available_permits() < all);
        drop(received);
        assert_eq!(room.available_permits(), all);
        assert!(receive(&declared(2), Body::from("{}"), &limits, &room).await.is_ok());
    }

    #[tokio::test]
    async fn a_body_that_never_ends_runs_out_of_time() {
        let limits = Limits { body: std::time::Duration::from_millis(5), ..Limits::default() };
        let endless = Body::from_stream(futures_util::stream::pending::<Result<Vec<u8>, std::io::Error>>());
        let refusal = receive(&HeaderMap::new(), endless, &limits, &room()).await.unwrap_err();
        assert_eq!((refusal.status.as_u16(), refusal.code), (408, Reason::TimedOut));
    }
}
