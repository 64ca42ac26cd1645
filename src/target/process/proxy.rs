//! The data plane: an HTTP/1.1 reverse proxy whose back end is changed without losing a request.
//!
//! Each request goes to the back end that is live when the request comes, also on a connection that a client keeps open, so
//! after a switch the old back end gets nothing new. Each back end has its own pool of connections. Bodies are streamed
//! both ways. Upgrades (WebSocket) are not passed on.

use std::convert::Infallible;
use std::error::Error;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Uri, Version};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

/// Headers that are of one connection and not of the request; RFC 9110, section 7.6.1.
const OF_THE_CONNECTION: &[&str] = &[
    "connection",
    "keep-alive",
    "proxy-connection",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
const FORWARDED_FOR: &str = "x-forwarded-for";
/// Shorter than the five seconds after which common servers (Node, uvicorn) close an idle connection: a request that
/// meets such a close cannot be told from one that was lost.
const IDLE: Duration = Duration::from_secs(4);
/// How long accepting pauses when the process has no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// Where requests go, with its connections and the requests it has not answered.
#[derive(Debug)]
pub struct BackEnd {
    address: SocketAddr,
    client: Client<HttpConnector, Incoming>,
    in_flight: watch::Sender<usize>,
}

impl BackEnd {
    /// A back end on `address`.
    pub fn new(address: SocketAddr) -> Arc<Self> {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(Duration::from_secs(5)));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE)
            .build(connector);
        Arc::new(Self { address, client, in_flight: watch::Sender::new(0) })
    }

    /// Requests that are not answered to the last byte.
    pub fn in_flight(&self) -> usize {
        *self.in_flight.borrow()
    }

    /// Waits until there are none.
    pub async fn drained(&self) {
        let mut count = self.in_flight.subscribe();
        // The sender lives as long as `self`, so this ends only at zero.
        let _ = count.wait_for(|count| *count == 0).await;
    }
}

/// The back end that is live.
#[derive(Debug, Default)]
pub struct Switch {
    live: Mutex<Option<Arc<BackEnd>>>,
}

impl Switch {
    /// Sends all further requests to `next` and returns where they went until now. Once this returns, the requests in
    /// flight of the former can only become fewer.
    pub fn replace(&self, next: Option<Arc<BackEnd>>) -> Option<Arc<BackEnd>> {
        std::mem::replace(&mut *self.live.lock().unwrap_or_else(PoisonError::into_inner), next)
    }

    /// The back end that is live.
    pub fn live(&self) -> Option<Arc<BackEnd>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Chooses the back end of one request and counts the request, under one lock: between the two a drain could end.
    fn enter(&self) -> Option<Passage> {
        let live = self.live.lock().unwrap_or_else(PoisonError::into_inner);
        let back_end = Arc::clone(live.as_ref()?);
        back_end.in_flight.send_modify(|count| *count += 1);
        Some(Passage { back_end })
    }
}

/// One request in flight; it is over when this is dropped.
#[derive(Debug)]
struct Passage {
    back_end: Arc<BackEnd>,
}

impl Drop for Passage {
    fn drop(&mut self) {
        self.back_end.in_flight.send_modify(|count| *count = count.saturating_sub(1));
    }
}

/// The body of an answer: the back end's, which keeps its request counted until the last byte, or a line of our own.
#[derive(Debug)]
enum Answer {
    Passed { body: Incoming, _passage: Passage },
    Own(Full<Bytes>),
}

impl Body for Answer {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, hyper::Error>>> {
        match self.get_mut() {
            Self::Passed { body, .. } => Pin::new(body).poll_frame(context),
            Self::Own(body) => Pin::new(body).poll_frame(context).map_err(|never: Infallible| match never {}),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Passed { body, .. } => body.is_end_stream(),
            Self::Own(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Passed { body, .. } => body.size_hint(),
            Self::Own(body) => body.size_hint(),
        }
    }
}

/// Accepts connections for ever.
pub async fn serve(listener: TcpListener, switch: Arc<Switch>) {
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                tokio::spawn(connection(stream, peer, Arc::clone(&switch)));
            }
            // Out of file descriptors, or the client went away again: to try at once would only spin.
            Err(_) => tokio::time::sleep(EXHAUSTED).await,
        }
    }
}

async fn connection(stream: TcpStream, peer: SocketAddr, switch: Arc<Switch>) {
    // Without it, small answers wait for the client's delayed acknowledgement. It fails only on a dead connection.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let switch = Arc::clone(&switch);
        async move { Ok::<_, Infallible>(forward(&switch, peer, request).await) }
    });
    // No timer is set, so an idle connection is never closed from here: a client could be sending just then. An error is
    // the client's going away, which it knows itself.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
}

async fn forward(switch: &Switch, peer: SocketAddr, request: Request<Incoming>) -> Response<Answer> {
    let Some(passage) = switch.enter() else {
        return own(StatusCode::SERVICE_UNAVAILABLE, "no release is serving at this moment; see `trainyard status`");
    };
    let Some(request) = rewrite(request, peer, passage.back_end.address) else {
        return own(StatusCode::BAD_REQUEST, "this kind of request is not passed on to the app");
    };
    match passage.back_end.client.request(request).await {
        Ok(response) => {
            let (mut parts, body) = response.into_parts();
            remove_connection_headers(&mut parts.headers);
            parts.version = Version::HTTP_11;
            Response::from_parts(parts, Answer::Passed { body, _passage: passage })
        }
        Err(error) => own(StatusCode::BAD_GATEWAY, &format!("the release does not answer: {}", causes(&error))),
    }
}

/// The request as the back end gets it; `None` for `CONNECT` and others without a path.
fn rewrite(mut request: Request<Incoming>, peer: SocketAddr, address: SocketAddr) -> Option<Request<Incoming>> {
    if request.method() == Method::CONNECT {
        return None;
    }
    *request.uri_mut() = target(request.uri().path_and_query()?.clone(), address)?;
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    remove_connection_headers(headers);
    // The server side has answered this itself by reading the body.
    headers.remove(header::EXPECT);
    let chain = forwarded_for(headers, peer)?;
    headers.insert(FORWARDED_FOR, chain);
    Some(request)
}

fn target(path: PathAndQuery, address: SocketAddr) -> Option<Uri> {
    let authority: Authority = address.to_string().parse().ok()?;
    Uri::builder().scheme(Scheme::HTTP).authority(authority).path_and_query(path).build().ok()
}

fn forwarded_for(headers: &HeaderMap, peer: SocketAddr) -> Option<HeaderValue> {
    let before = headers.get_all(FORWARDED_FOR).iter().filter_map(|value| value.to_str().ok());
    let chain: Vec<String> = before.map(str::to_owned).chain([peer.ip().to_string()]).collect();
    HeaderValue::from_str(&chain.join(", ")).ok()
}

fn remove_connection_headers(headers: &mut HeaderMap) {
    let named: Vec<HeaderName> = headers
        .get_all(header::CONNECTION)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|name| HeaderName::from_bytes(name.trim().as_bytes()).ok())
        .collect();
    for name in named {
        headers.remove(name);
    }
    for name in OF_THE_CONNECTION {
        headers.remove(*name);
    }
}

fn own(status: StatusCode, text: &str) -> Response<Answer> {
    let mut response = Response::new(Answer::Own(Full::new(Bytes::from(format!("{text}\n")))));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response
}

/// An error and what caused it, in one line; the outermost alone says next to nothing.
fn causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests;
