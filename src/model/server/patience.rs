//! How long a connection is waited for: a client that sends its head byte by byte, says nothing for minutes, or takes
//! nothing of its answer would otherwise hold a connection for ever.
//!
//! hyper has a limit for heads, but counts the silence between two requests into it, and closes without an answer. Here
//! the two are told apart: the phase of a connection is kept beside it, moved on by the bytes that arrive and by the
//! requests that begin and end. A request that arrives whole, as nearly all do, moves no timer.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep, sleep_until};

/// What a connection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::model) enum Phase {
    /// Between two requests, or before the first.
    Waiting,
    /// A head has begun.
    Head,
    /// A request is being read or answered, under limits of its own.
    Busy,
}

/// The phase of a connection, shared between its bytes and its requests.
#[derive(Debug, Clone)]
pub(in crate::model) struct Progress(Arc<AtomicU8>);

impl Progress {
    pub(in crate::model) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(0)))
    }

    /// Both sides are polled by the same task, so no order beyond that of each is needed.
    pub(in crate::model) fn set(&self, phase: Phase) {
        let number = match phase {
            Phase::Waiting => 0,
            Phase::Head => 1,
            Phase::Busy => 2,
        };
        self.0.store(number, Ordering::Relaxed);
    }

    pub(in crate::model) fn phase(&self) -> Phase {
        match self.0.load(Ordering::Relaxed) {
            0 => Phase::Waiting,
            1 => Phase::Head,
            _ => Phase::Busy,
        }
    }
}

/// The patience with the client that sends.
#[derive(Debug)]
pub(in crate::model) struct Patience {
    progress: Progress,
    /// The phase when it was last looked at, and since when it is that.
    seen: Phase,
    since: Instant,
    idle: Duration,
    head: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Patience {
    pub(in crate::model) fn new(idle: Duration, head: Duration) -> Self {
        let (progress, since) = (Progress::new(), Instant::now());
        Self { progress, seen: Phase::Waiting, since, idle, head, timer: None }
    }

    pub(in crate::model) fn progress(&self) -> &Progress {
        &self.progress
    }

    /// Bytes arrived.
    pub(in crate::model) fn heard(&mut self) {
        if self.progress.phase() == Phase::Waiting {
            self.progress.set(Phase::Head);
        }
    }

    /// Nothing has arrived: ready, with what is missed, once that was waited for too long.
    pub(in crate::model) fn poll_silence(&mut self, context: &mut Context<'_>) -> Poll<Phase> {
        let phase = self.progress.phase();
        if phase != self.seen {
            (self.seen, self.since) = (phase, Instant::now());
        }
        let limit = match phase {
            Phase::Waiting => self.idle,
            Phase::Head => self.head,
            Phase::Busy => return Poll::Pending,
        };
        let due = self.since + limit;
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep_until(due)));
        // A timer that rings too early is left alone: to be woken for nothing once in a while costs less than to move it
        // at every request.
        if timer.deadline() > due {
            timer.as_mut().reset(due);
        }
        loop {
            ready!(timer.as_mut().poll(context));
            if Instant::now() >= due {
                return Poll::Ready(phase);
            }
            timer.as_mut().reset(due);
        }
    }
}

/// The patience with the client that reads.
#[derive(Debug)]
pub(in crate::model) struct Stall {
    limit: Duration,
    timer: Option<Pin<Box<Sleep>>>,
}

impl Stall {
    pub(in crate::model) fn new(limit: Duration) -> Self {
        Self { limit, timer: None }
    }

    /// Passes on how a write went, or an error when nothing could be written for too long.
    pub(in crate::model) fn judge<T>(
        &mut self,
        written: Poll<io::Result<T>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.timer = None;
            return written;
        }
        let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(self.limit)));
        if timer.as_mut().poll(context).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        written
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;
    use std::time::Duration;

    use super::{Patience, Phase, Stall};

    const SHORT: Duration = Duration::from_millis(5);
    const LONG: Duration = Duration::from_hours(1);

    async fn looked_at_once(patience: &mut Patience) -> Poll<Phase> {
        poll_fn(|context| Poll::Ready(patience.poll_silence(context))).await
    }

    #[tokio::test]
    async fn a_head_that_begins_has_a_limit_of_its_own_though_silence_is_borne() {
        let mut patience = Patience::new(LONG, SHORT);
        assert!(looked_at_once(&mut patience).await.is_pending());
        patience.heard();
        assert_eq!(poll_fn(|context| patience.poll_silence(context)).await, Phase::Head);
    }

    #[tokio::test]
    async fn more_bytes_of_a_head_do_not_begin_its_time_anew() {
        let mut patience = Patience::new(LONG, LONG);
        patience.heard();
        assert!(looked_at_once(&mut patience).await.is_pending());
        let since = patience.since;
        patience.heard();
        assert!(looked_at_once(&mut patience).await.is_pending());
        assert_eq!(patience.since, since);
    }

    #[tokio::test]
    async fn a_request_that_is_worked_off_is_waited_for_and_the_silence_after_it_is_not() {
        let mut patience = Patience::new(SHORT, LONG);
        patience.heard();
        patience.progress().set(Phase::Busy);
        assert!(looked_at_once(&mut patience).await.is_pending());
        patience.progress().set(Phase::Waiting);
        assert_eq!(poll_fn(|context| patience.poll_silence(context)).await, Phase::Waiting);
    }

    #[tokio::test]
    async fn a_write_that_goes_on_stalling_is_an_error() {
        let mut stall = Stall::new(SHORT);
        let written = poll_fn(|context| stall.judge(Poll::<std::io::Result<usize>>::Pending, context)).await;
        assert_eq!(written.unwrap_err().kind(), std::io::ErrorKind::TimedOut);
    }
}
