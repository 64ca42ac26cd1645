//! A connection to Docker Engine below its client: for what that does not give, the headers of an answer and a
//! connection that is handed over.
//!
//! Nothing here has a limit of time but [`within`], in which all that goes on before the hand-over belongs.

use std::env;
use std::io;
use std::time::Duration;

use http_body_util::Empty;
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper::header::HOST;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout;

/// The header in which the engine says which builder it wants to be used: `2` is `BuildKit`.
const BUILDER: &str = "builder-version";

/// A connection for one request, or for what it is handed over to.
#[derive(Debug)]
pub struct Wire(SendRequest<Empty<Bytes>>);

impl Wire {
    /// Connects; `None` if the engine is reached in a way that is not known here, such as TLS.
    pub async fn open(address: &str) -> io::Result<Option<Self>> {
        match Place::of(address, env::var_os("DOCKER_TLS_VERIFY").is_some()) {
            Some(Place::Socket(path)) => begin(UnixStream::connect(path).await?).await.map(Some),
            Some(Place::Host(host)) => begin(TcpStream::connect(host).await?).await.map(Some),
            None => Ok(None),
        }
    }

    /// Asks; the answer may hand the connection over.
    pub async fn ask(&mut self, mut request: Request<Empty<Bytes>>) -> io::Result<Response<Incoming>> {
        // Nobody looks at it, but an HTTP server must refuse a request without it.
        request.headers_mut().insert(HOST, hyper::header::HeaderValue::from_static("docker"));
        self.0.send_request(request).await.map_err(io::Error::other)
    }
}

/// Awaits what is asked on a connection; [`io::ErrorKind::TimedOut`] says that no answer came within the limit.
pub async fn within<T>(limit: Duration, asked: impl Future<Output = io::Result<T>>) -> io::Result<T> {
    timeout(limit, asked).await.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into()))
}

/// The builder that the engine wants to be used; `None` if it does not say.
pub async fn builder_version(address: &str, limit: Duration) -> io::Result<Option<String>> {
    within(limit, ask_for_builder(address)).await
}

async fn ask_for_builder(address: &str) -> io::Result<Option<String>> {
    let Some(mut wire) = Wire::open(address).await? else { return Ok(None) };
    let request = Request::get("/_ping").body(Empty::new()).map_err(io::Error::other)?;
    let answer = wire.ask(request).await?;
    Ok(answer.headers().get(BUILDER).and_then(|version| version.to_str().ok()).map(str::to_owned))
}

async fn begin<S>(stream: S) -> io::Result<Wire>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    tokio::spawn(async move {
        // What goes wrong here is told by the request.
        let _ = connection.with_upgrades().await;
    });
    Ok(Wire(sender))
}

#[derive(Debug, PartialEq, Eq)]
enum Place<'a> {
    Socket(&'a str),
    Host(&'a str),
}

impl<'a> Place<'a> {
    fn of(address: &'a str, wants_tls: bool) -> Option<Self> {
        if let Some(path) = address.strip_prefix("unix://") {
            return Some(Self::Socket(path));
        }
        let host = address.strip_prefix("tcp://").or_else(|| address.strip_prefix("http://"))?;
        let host = host.split('/').next().unwrap_or(host);
        (!wants_tls && !host.is_empty()).then_some(Self::Host(host))
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;

    #[test]
    fn an_address_names_a_socket_or_a_host_or_nothing_that_is_known_here() {
        assert_eq!(Place::of("unix:///run/docker.sock", false), Some(Place::Socket("/run/docker.sock")));
        assert_eq!(Place::of("tcp://127.0.0.1:2375/", false), Some(Place::Host("127.0.0.1:2375")));
        assert_eq!(Place::of("tcp://127.0.0.1:2376", true), None);
        assert_eq!(Place::of("https://127.0.0.1:2376", false), None);
        assert_eq!(Place::of("ssh://host", false), None);
    }

    #[tokio::test]
    async fn the_builder_is_read_from_the_head_of_an_answer() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let engine = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut asked = vec![0; 1024];
            let read = stream.read(&mut asked).await.unwrap();
            stream.write_all(b"HTTP/1.1 200 OK\r\nBuilder-Version: 2\r\nContent-Length: 2\r\n\r\nOK").await.unwrap();
            String::from_utf8_lossy(&asked[..read]).to_lowercase()
        };
        let (asked, version) = tokio::join!(engine, builder_version(&address, Duration::from_secs(20)));
        assert_eq!(version.unwrap().as_deref(), Some("2"));
        assert!(asked.starts_with("get /_ping ") && asked.contains("host: docker"), "{asked}");
    }

    #[tokio::test]
    async fn an_engine_that_takes_a_connection_and_says_nothing_is_not_waited_for_without_end() {
        // The system itself takes connections to it; nobody answers.
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let error = builder_version(&address, Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
