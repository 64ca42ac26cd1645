//! The data plane: an HTTP/1.1 reverse proxy whose back end is changed without losing a request.
//!
//! Each request goes to the back end that is live when the request comes, also on a connection that a client keeps open, so
//! after a switch the old back end gets nothing new. Each back end has its own pool of connections. Bodies are streamed
//! both ways. Upgrades (WebSocket) are not passed on.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http_body_util::Full;
use hyper::body::{Body, Bytes, Frame, Incoming, SizeHint};
use hyper::header::{self, HeaderMap, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, Version};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};

use super::back_end::{Passage, Switch};
use super::pod_routes::Lease;

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
/// How long accepting pauses when the process has no file descriptor left.
const EXHAUSTED: Duration = Duration::from_millis(100);

/// The body of an answer: the back end's, which keeps its request counted until the last byte, or a line of our own.
#[derive(Debug)]
enum Answer {
    Passed { body: Incoming, _passage: Passage, _lease: Option<Lease> },
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
    let Some(request) = rewrite(request, peer) else {
        return own(StatusCode::BAD_REQUEST, "this kind of request is not passed on to the app");
    };
    match passage.back_end.send(request).await {
        Ok((response, lease)) => {
            let (mut parts, body) = response.into_parts();
            remove_connection_headers(&mut parts.headers);
            parts.version = Version::HTTP_11;
            Response::from_parts(parts, Answer::Passed { body, _passage: passage, _lease: lease })
        }
        Err(reason) => own(StatusCode::BAD_GATEWAY, &format!("the release does not answer: {reason}")),
    }
}

fn rewrite(mut request: Request<Incoming>, peer: SocketAddr) -> Option<Request<Incoming>> {
    if request.method() == Method::CONNECT || request.uri().path_and_query().is_none() {
        return None;
    }
    *request.version_mut() = Version::HTTP_11;
    let headers = request.headers_mut();
    remove_connection_headers(headers);
    // The server side has answered this itself by reading the body.
    headers.remove(header::EXPECT);
    let chain = forwarded_for(headers, peer)?;
    headers.insert(FORWARDED_FOR, chain);
    Some(request)
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
#[cfg(test)]
mod tests;
