//! A listener that can be told to stop, and that knows how many of its connections are open.
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

use axum::serve::Listener;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// A TCP listener until it is told to stop; then nothing arrives any more.
pub(super) struct DrainingListener {
    listener: Option<TcpListener>,
    address: SocketAddr,
    stopping: watch::Receiver<bool>,
    open: Arc<watch::Sender<usize>>,
}

impl DrainingListener {
    /// `stopping` turns true when no more connections are to be accepted; `open` is kept at the number of open ones.
    pub(super) fn new(
        listener: TcpListener,
        stopping: watch::Receiver<bool>,
        open: Arc<watch::Sender<usize>>,
    ) -> io::Result<Self> {
        let address = listener.local_addr()?;
        Ok(Self { listener: Some(listener), address, stopping, open })
    }
}

impl Listener for DrainingListener {
    type Io = Connection;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Connection, SocketAddr) {
        if let Some(listener) = &mut self.listener {
            tokio::select! {
                (stream, address) = Listener::accept(listener) => {
                    // Answers are small and written at once. A connection without this works too.
                    let _ = stream.set_nodelay(true);
                    return (Connection::new(stream, Arc::clone(&self.open)), address);
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
pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, which is a stop as well.
    let _ = stopping.wait_for(|stopping| *stopping).await;
}

/// A TCP stream that is counted as long as it lives.
pub(super) struct Connection {
    stream: TcpStream,
    open: Arc<watch::Sender<usize>>,
}

impl Connection {
    fn new(stream: TcpStream, open: Arc<watch::Sender<usize>>) -> Self {
        open.send_modify(|open| *open += 1);
        Self { stream, open }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.open.send_modify(|open| *open = open.saturating_sub(1));
    }
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.stream).poll_write_vectored(context, slices)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
