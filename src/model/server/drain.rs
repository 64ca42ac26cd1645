//! A listener that can be told to stop, that knows how many of its connections are open, and that has only so many.
//!
//! A client that sends too slowly, or reads too slowly, loses its connection (see `patience`); one that began to send a
//! head is told so with 408.
//!
//! axum's own graceful shutdown closes idle keep-alive connections at once, and a request that is on its way then
//! fails. Here the order is: accept no more, answer what still comes with `Connection: close`, and only then (or after
//! a bounded time) shut down.

use std::future::pending;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use crate::model::server::limits::Limits;
use crate::model::server::patience::{Patience, Phase, Progress, Stall};

/// What a client is told whose head took too long, before the connection is closed.
const TOO_SLOW: &[u8] = b"HTTP/1.1 408 Request Timeout\r\nContent-Type: text/plain; charset=utf-8\r\n\
Content-Length: 53\r\nConnection: close\r\n\r\nthe head of the request took too long; send it again\n";

/// A TCP listener until it is told to stop; then nothing arrives any more.
pub(in crate::model) struct DrainingListener {
    listener: Option<TcpListener>,
    address: SocketAddr,
    stopping: watch::Receiver<bool>,
    open: Arc<watch::Sender<usize>>,
    places: Arc<Semaphore>,
    limits: Limits,
}

impl DrainingListener {
    /// `stopping` turns true when no more connections are to be accepted; `open` is kept at the number of open ones.
    pub(in crate::model) fn new(
        listener: TcpListener,
        stopping: watch::Receiver<bool>,
        open: Arc<watch::Sender<usize>>,
        limits: Limits,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let places = Arc::new(Semaphore::new(limits.connections));
        Ok(Self { listener: Some(listener), address, stopping, open, places, limits })
    }
}

/// The next connection, once there is a place for it: until then newcomers wait in the queue of the kernel.
async fn accept(listener: &mut TcpListener, places: &Arc<Semaphore>) -> (TcpStream, SocketAddr, OwnedSemaphorePermit) {
    // The semaphore is never closed; if it were, nobody would be let in any more.
    let Ok(place) = Arc::clone(places).acquire_owned().await else { return pending().await };
    let (stream, address) = Listener::accept(listener).await;
    (stream, address, place)
}

impl Listener for DrainingListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        if let Some(listener) = &mut self.listener {
            tokio::select! {
                (stream, address, place) = accept(listener, &self.places) => {
                    // Answers are small and written at once. A connection without this works too.
                    let _ = stream.set_nodelay(true);
                    return (Connection::new(stream, Arc::clone(&self.open), place, &self.limits), address);
                }
                () = stopped(&mut self.stopping) => {}
            }
        }
        // Closed at once, so that newcomers are refused and do not wait in a queue that nobody reads.
        self.listener = None;
        pending().await
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        Ok(self.address)
    }
}

/// Waits until the flag is true, or nobody is left who could set it.
pub(in crate::model) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A TCP stream that is counted as long as it lives, and that bears with its client only so long.
pub(in crate::model) struct Connection {
    stream: TcpStream,
    open: Arc<watch::Sender<usize>>,
    _place: OwnedSemaphorePermit,
    patience: Patience,
    stall: Stall,
}

impl Connection {
    fn new(stream: TcpStream, open: Arc<watch::Sender<usize>>, place: OwnedSemaphorePermit, limits: &Limits) -> Self {
        open.send_modify(|open| *open += 1);
        let (patience, stall) = (Patience::new(limits.idle, limits.head), Stall::new(limits.stalled));
        Self { stream, open, _place: place, patience, stall }
    }
}

/// The requests of a connection tell it when they begin and end.
impl Connected<IncomingStream<'_, DrainingListener>> for Progress {
    fn connect_info(stream: IncomingStream<'_, DrainingListener>) -> Self {
        stream.io().patience.progress().clone()
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

impl AsyncRead for Connection {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        let before = buffer.filled().len();
        let read = Pin::new(&mut this.stream).poll_read(context, buffer);
        if read.is_ready() {
            if buffer.filled().len() > before {
                this.patience.heard();
            }
            return read;
        }
        match this.patience.poll_silence(context) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(phase) => {
                if phase == Phase::Head {
                    // Nothing is under way on this connection; a client that takes no byte goes without.
                    let _ = this.stream.try_write(TOO_SLOW);
                }
                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
        }
    }
}

impl AsyncWrite for Connection {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write(context, bytes);
        this.stall.judge(written, context)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = Pin::new(&mut this.stream).poll_write_vectored(context, slices);
        this.stall.judge(written, context)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
