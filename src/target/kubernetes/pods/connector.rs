//! One port-forward, one connection: a connector for an HTTP client, and the stream that it gives.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use hyper::Uri;
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_util::client::legacy::connect::{Connected, Connection};
use hyper_util::rt::TokioIo;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{Api, Portforwarder};
use tokio::io::DuplexStream;
use tokio::runtime::Handle;
use tokio::time::{sleep, timeout};
use tower_service::Service;

use super::PodError;
use crate::target::kubernetes::connection::{Cluster, ClusterError};

/// How long the API server may take to open a port-forward.
const OPEN: Duration = Duration::from_secs(10);
/// How long a new connection is held back for the word that its port is closed, which comes on a channel of its own behind
/// the opening. Connections are kept, so few requests pay for it.
const REFUSAL: Duration = Duration::from_millis(40);
/// How long a connection may take to close in order.
const FAREWELL: Duration = Duration::from_secs(5);

/// Comes true with a reason when the port cannot be used any more.
type Refusal = Pin<Box<dyn Future<Output = Option<String>> + Send>>;

/// Opens connections to one port of one pod.
#[derive(Debug, Clone)]
pub struct PodConnector {
    cluster: Cluster,
    pod: Arc<str>,
    port: u16,
}

impl PodConnector {
    /// For port `port` of the pod named `pod` in the cluster's namespace.
    pub fn new(cluster: Cluster, pod: &str, port: u16) -> Self {
        Self { cluster, pod: pod.into(), port }
    }

    async fn connect(self) -> Result<PodStream, PodError> {
        let api: Api<Pod> = self.cluster.api();
        let opened = timeout(OPEN, api.portforward(&self.pod, &[self.port])).await;
        let mut forwarder = opened
            .map_err(|_| PodError::Silent { pod: self.pod.to_string(), limit: OPEN })?
            .map_err(ClusterError::from)?;
        let (Some(stream), Some(error)) = (forwarder.take_stream(self.port), forwarder.take_error(self.port)) else {
            return Err(refused(&self.pod, self.port, "the port-forward has no such port"));
        };
        let mut refusal: Refusal = Box::pin(error);
        if let Ok(reason) = timeout(REFUSAL, &mut refusal).await {
            let reason = reason.unwrap_or_else(|| "the API server closed the port-forward at once".to_owned());
            return Err(refused(&self.pod, self.port, &reason));
        }
        Ok(PodStream {
            stream: TokioIo::new(stream),
            refusal: Some(refusal),
            forwarder: Some(forwarder),
            pod: self.pod,
            port: self.port,
        })
    }
}

impl Service<Uri> for PodConnector {
    type Response = PodStream;
    type Error = PodError;
    type Future = Pin<Box<dyn Future<Output = Result<PodStream, PodError>> + Send>>;

    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<Result<(), PodError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _address: Uri) -> Self::Future {
        Box::pin(self.clone().connect())
    }
}

/// A connection to a port of a pod.
pub struct PodStream {
    stream: TokioIo<DuplexStream>,
    refusal: Option<Refusal>,
    /// Kept beside the stream, for its task carries the bytes.
    forwarder: Option<Portforwarder>,
    pod: Arc<str>,
    port: u16,
}

impl PodStream {
    /// A refusal that came late is the only sign of a closed port: the stream itself stays silent.
    fn poll_refusal(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let Some(refusal) = &mut self.refusal else { return Poll::Pending };
        let Poll::Ready(reason) = refusal.as_mut().poll(context) else { return Poll::Pending };
        self.refusal = None;
        match reason {
            Some(reason) => {
                let error = refused(&self.pod, self.port, &reason);
                Poll::Ready(Err(io::Error::new(io::ErrorKind::ConnectionRefused, error)))
            }
            // The port-forward has ended, and so does the stream.
            None => Poll::Pending,
        }
    }
}

impl fmt::Debug for PodStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PodStream").field("pod", &self.pod).field("port", &self.port).finish_non_exhaustive()
    }
}

impl Drop for PodStream {
    fn drop(&mut self) {
        let Some(forwarder) = self.forwarder.take() else { return };
        match Handle::try_current() {
            // It says goodbye by itself once the stream is gone. That the other end may close first is no matter.
            Ok(runtime) => {
                runtime.spawn(async move {
                    sleep(FAREWELL).await;
                    forwarder.abort();
                });
            }
            Err(_) => forwarder.abort(),
        }
    }
}

impl Connection for PodStream {
    fn connected(&self) -> Connected {
        Connected::new()
    }
}

impl Read for PodStream {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match Pin::new(&mut this.stream).poll_read(context, buffer) {
            // What the app has answered comes first.
            Poll::Pending => this.poll_refusal(context),
            read @ Poll::Ready(_) => read,
        }
    }
}

impl Write for PodStream {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().stream).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().stream).poll_shutdown(context)
    }
}

fn refused(pod: &str, port: u16, reason: &str) -> PodError {
    PodError::Refused { pod: pod.to_owned(), port, reason: reason.trim().to_owned() }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use hyper::rt::ReadBuf;
    use tokio::io::AsyncWriteExt;
    use tokio::sync::oneshot;

    use super::*;

    fn stream(stream: DuplexStream, refusal: oneshot::Receiver<String>) -> PodStream {
        let refusal: Refusal = Box::pin(async move { refusal.await.ok() });
        PodStream {
            stream: TokioIo::new(stream),
            refusal: Some(refusal),
            forwarder: None,
            pod: "wine-1".into(),
            port: 80,
        }
    }

    async fn read(stream: &mut PodStream) -> io::Result<Vec<u8>> {
        let mut bytes = [0_u8; 16];
        let mut buffer = ReadBuf::new(&mut bytes);
        poll_fn(|context| Pin::new(&mut *stream).poll_read(context, buffer.unfilled())).await?;
        Ok(buffer.filled().to_vec())
    }

    #[tokio::test]
    async fn an_answer_comes_before_a_late_refusal_and_the_refusal_names_the_pod() {
        let (near, mut far) = tokio::io::duplex(64);
        let (refuse, refusal) = oneshot::channel();
        let mut stream = stream(near, refusal);
        far.write_all(b"answer").await.unwrap();
        refuse.send("connection refused\n".to_owned()).unwrap();
        assert_eq!(read(&mut stream).await.unwrap(), b"answer");
        let error = read(&mut stream).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(error.to_string(), "port 80 of pod wine-1 cannot be reached: connection refused");
    }

    #[tokio::test]
    async fn a_port_forward_that_ends_ends_the_stream() {
        let (near, far) = tokio::io::duplex(64);
        let (refuse, refusal) = oneshot::channel();
        let mut stream = stream(near, refusal);
        drop(refuse);
        drop(far);
        assert_eq!(read(&mut stream).await.unwrap(), b"");
    }
}
