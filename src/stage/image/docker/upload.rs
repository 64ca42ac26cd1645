//! The body of a request that is written while it is sent.
//!
//! What writes it reads files, which blocks, so it has a thread of its own; a short queue between the two lets it run
//! ahead by a few pieces and not further. The last piece is held back until the writer says that all of it is right: a
//! body that ends before is one that failed, and the engine does not take it for whole.

use std::io::{self, Write};
use std::thread;
use std::time::Duration;

use futures_util::{Stream, stream};
use hyper::body::Bytes;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::target::docker::engine::Activity;

/// Bytes of a piece.
const PIECE: usize = 1 << 18;
/// Pieces that may wait.
const QUEUE: usize = 4;
/// How long the writer may take to notice that nobody takes its pieces any more.
const END: Duration = Duration::from_secs(5);

type Piece = io::Result<Bytes>;

/// Where the body is written to. What is not finished in so many words was not whole.
#[derive(Debug)]
pub struct Sender {
    pieces: mpsc::Sender<Piece>,
    activity: Activity,
    open: Vec<u8>,
    held: Option<Bytes>,
}

/// How the writing went.
#[derive(Debug)]
pub struct Outcome(oneshot::Receiver<io::Result<()>>);

/// Starts to write a body; each piece that is taken is noted as activity.
pub fn start<F>(activity: Activity, write: F) -> io::Result<(impl Stream<Item = Piece> + Send + 'static, Outcome)>
where
    F: FnOnce(Sender) -> io::Result<()> + Send + 'static,
{
    let (pieces, waiting) = mpsc::channel(QUEUE);
    let (tell, outcome) = oneshot::channel();
    let sender = Sender { pieces: pieces.clone(), activity, open: Vec::with_capacity(PIECE), held: None };
    thread::Builder::new().name("context".to_owned()).spawn(move || {
        let written = write(sender);
        if let Err(error) = &written {
            // Breaks the request off. If nobody listens any more, it is broken off already.
            let _ = pieces.blocking_send(Err(io::Error::new(error.kind(), error.to_string())));
        }
        let _ = tell.send(written);
    })?;
    let body = stream::unfold(waiting, |mut waiting| async move { waiting.recv().await.map(|piece| (piece, waiting)) });
    Ok((body, Outcome(outcome)))
}

impl Sender {
    /// Sends what was held back: all of it was right.
    pub fn finish(mut self) -> io::Result<()> {
        self.turn_over()?;
        match self.held.take() {
            Some(last) => self.send(last),
            None => Ok(()),
        }
    }

    /// Holds back the open piece, and sends the one that was held back before.
    fn turn_over(&mut self) -> io::Result<()> {
        if self.open.is_empty() {
            return Ok(());
        }
        let full = Bytes::from(std::mem::replace(&mut self.open, Vec::with_capacity(PIECE)));
        match self.held.replace(full) {
            Some(before) => self.send(before),
            None => Ok(()),
        }
    }

    fn send(&self, piece: Bytes) -> io::Result<()> {
        let sent = self.pieces.blocking_send(Ok(piece));
        self.activity.note();
        sent.map_err(|_| io::Error::new(io::ErrorKind::BrokenPipe, "the engine takes no more"))
    }
}

impl Write for Sender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.open.len() >= PIECE {
            self.turn_over()?;
        }
        let room = bytes.len().min(PIECE - self.open.len());
        self.open.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        Ok(room)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Outcome {
    /// What went wrong with the writing itself. To be asked when the request is over.
    pub async fn trouble(self) -> Option<String> {
        match timeout(END, self.0).await {
            Ok(Ok(Err(error))) if error.kind() != io::ErrorKind::BrokenPipe => Some(error.to_string()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use futures_util::StreamExt;

    use super::*;

    async fn sent<F>(write: F) -> (Vec<u8>, Option<io::ErrorKind>, Option<String>)
    where
        F: FnOnce(Sender) -> io::Result<()> + Send + 'static,
    {
        let (body, outcome) = start(Activity::default(), write).unwrap();
        let mut body = body.boxed();
        let (mut bytes, mut failure) = (Vec::new(), None);
        while let Some(piece) = body.next().await {
            match piece {
                Ok(piece) => bytes.extend_from_slice(&piece),
                Err(error) => failure = Some(error.kind()),
            }
        }
        (bytes, failure, outcome.trouble().await)
    }

    #[tokio::test]
    async fn what_is_finished_arrives_whole_whatever_its_length() {
        for length in [0, 1, PIECE - 1, PIECE, PIECE + 1, 9 * PIECE + 7] {
            let content: Vec<u8> = (0..length).map(|index| u8::try_from(index % 251).unwrap()).collect();
            let written = content.clone();
            let (bytes, failure, trouble) = sent(move |mut sender| {
                sender.write_all(&written)?;
                sender.finish()
            })
            .await;
            assert!(bytes == content, "{length}");
            assert_eq!((failure, trouble), (None, None));
        }
    }

    #[tokio::test]
    async fn what_failed_ends_with_an_error_and_without_its_last_piece() {
        let (bytes, failure, trouble) = sent(|mut sender| {
            sender.write_all(&vec![1; 2 * PIECE])?;
            Err(io::Error::other("a.csv became shorter"))
        })
        .await;
        assert!(bytes.len() < 2 * PIECE, "{}", bytes.len());
        assert_eq!(failure, Some(io::ErrorKind::Other));
        assert_eq!(trouble.as_deref(), Some("a.csv became shorter"));
    }

    #[tokio::test]
    async fn an_engine_that_takes_no_more_ends_the_writing_and_is_no_trouble_of_it() {
        let (body, outcome) = start(Activity::default(), |mut sender| {
            loop {
                sender.write_all(&[0; 4096])?;
            }
        })
        .unwrap();
        let mut body = body.boxed();
        assert!(body.next().await.is_some_and(|piece| piece.is_ok()));
        drop(body);
        assert_eq!(outcome.trouble().await, None);
    }
}
