//! The session of a build: a connection on which the engine asks back, for secrets and for credentials.
//!
//! `BuildKit` wants one with each build. The connection is ours, but the engine sends the requests (`gRPC` over HTTP/2):
//! it asks for a secret when a step mounts it, for credentials when it pulls from a registry, and every few seconds
//! whether we still live. bollard has a session too, which it opens itself with each build and which has no secrets;
//! its way to build with secrets (`grpc::driver`) wants the whole context in memory and tells nothing of the steps. So
//! this one stands in for both.

use std::collections::HashMap;
use std::convert::Infallible;
use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bollard::auth::DockerCredentials;
use http_body_util::{BodyExt, Empty, Limited};
use hyper::body::Incoming;
use hyper::header::{CONNECTION, UPGRADE};
use hyper::rt::{Read, Write};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinHandle;

use super::credentials;
use super::grpc::{Answer, Refusal, first_text, message, refuse, reply};
use super::secrets::Secrets;
use super::wire::{Wire, within};

const ID: &str = "x-docker-expose-session-uuid";
const METHOD: &str = "x-docker-expose-session-grpc-method";
const HEALTH: &str = "/grpc.health.v1.Health/Check";
const SECRET: &str = "/moby.buildkit.secrets.v1.Secrets/GetSecret";
const CREDENTIALS: &str = "/moby.filesync.v1.Auth/Credentials";
/// How `BuildKit` names the Docker Hub.
const DOCKER_HUB: &str = "registry-1.docker.io";
/// "Serving", in the answer to a question for health.
const SERVING: [u8; 2] = [0x08, 0x01];
/// The most bytes of a request; those that are known here hold a name.
const LONGEST: usize = 1 << 16;

/// What the engine may ask for.
#[derive(Default)]
pub struct Answers {
    /// The secrets of the build.
    pub secrets: Secrets,
    /// Credentials, as [`credentials::of_images`] finds them.
    pub credentials: HashMap<String, DockerCredentials>,
}

/// An open session; it ends when this is dropped.
#[derive(Debug)]
pub struct Session(JoinHandle<()>);

impl Session {
    /// Opens a session of that name within `limit`. `None` if the engine is reached in a way in which none can be had.
    pub async fn open(address: &str, id: &str, answers: Answers, limit: Duration) -> io::Result<Option<Self>> {
        within(limit, Self::ask_for(address, id, answers)).await
    }

    async fn ask_for(address: &str, id: &str, answers: Answers) -> io::Result<Option<Self>> {
        let Some(mut wire) = Wire::open(address).await? else { return Ok(None) };
        let mut request = Request::post("/session").header(CONNECTION, "Upgrade").header(UPGRADE, "h2c").header(ID, id);
        for method in [HEALTH, SECRET, CREDENTIALS] {
            request = request.header(METHOD, method);
        }
        let answer = wire.ask(request.body(Empty::new()).map_err(io::Error::other)?).await?;
        if answer.status() != StatusCode::SWITCHING_PROTOCOLS {
            return Err(io::Error::other(format!("the engine opened no session for the build: {}", answer.status())));
        }
        let connection = hyper::upgrade::on(answer).await.map_err(io::Error::other)?;
        Ok(Some(Self(tokio::spawn(serve(connection, answers)))))
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl fmt::Debug for Answers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Of credentials only for which registries they are.
        let registries: Vec<&String> = self.credentials.keys().collect();
        f.debug_struct("Answers").field("secrets", &self.secrets).field("registries", &registries).finish()
    }
}

/// Answers what is asked on a connection, until it ends.
async fn serve<C>(connection: C, answers: Answers)
where
    C: Read + Write + Unpin + Send + 'static,
{
    let answers = Arc::new(answers);
    let service = service_fn(move |request| respond(Arc::clone(&answers), request));
    // An engine that hangs up is done with it; that a build failed is told by the build.
    let _ = http2::Builder::new(TokioExecutor::new()).serve_connection(connection, service).await;
}

async fn respond(answers: Arc<Answers>, request: Request<Incoming>) -> Result<Answer, Infallible> {
    let path = request.uri().path().to_owned();
    let body = Limited::new(request.into_body(), LONGEST).collect().await.map(http_body_util::Collected::to_bytes);
    let asked = body.ok().and_then(|body| first_text(&body));
    Ok(match asked {
        Some(asked) => answers.message_for(&path, &asked).map_or_else(refuse, |message| reply(&message)),
        None => refuse(Refusal::Unimplemented),
    })
}

impl Answers {
    /// The message that answers a request for what is named so.
    fn message_for(&self, path: &str, name: &str) -> Result<Vec<u8>, Refusal> {
        match path {
            HEALTH => Ok(SERVING.to_vec()),
            SECRET => self.secrets.get(name).map(|value| message(&[value])).ok_or(Refusal::NotFound),
            // Nobody logged in: the registry is asked without a name.
            CREDENTIALS => Ok(self.credentials_of(name).unwrap_or_default()),
            // How else a token could be had: the engine then gets one itself, with the credentials.
            _ => Err(Refusal::Unimplemented),
        }
    }

    fn credentials_of(&self, host: &str) -> Option<Vec<u8>> {
        let key = credentials::key(if host == DOCKER_HUB { "docker.io" } else { host });
        let found = self.credentials.get(key)?;
        let (user, secret) = match (&found.identitytoken, &found.username, &found.password) {
            (Some(token), _, _) => ("", token.as_str()),
            (None, Some(user), Some(password)) => (user.as_str(), password.as_str()),
            (None, _, _) => return None,
        };
        Some(message(&[user.as_bytes(), secret.as_bytes()]))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use http_body_util::Full;
    use hyper::body::Bytes;
    use hyper::client::conn::http2::handshake;
    use hyper_util::rt::TokioIo;

    use super::*;
    use crate::config::SecretSource;

    fn answers() -> Answers {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("token"), "s3cret").unwrap();
        let source = SecretSource::File("token".into());
        let secrets = Secrets::read(&BTreeMap::from([("token".to_owned(), source)]), folder.path()).unwrap();
        let login = |user: &str| DockerCredentials {
            username: Some(user.to_owned()),
            password: Some("pw".to_owned()),
            ..DockerCredentials::default()
        };
        let token = DockerCredentials { identitytoken: Some("t".to_owned()), ..login("ann") };
        let hub = "https://index.docker.io/v1/";
        let logins = [("registry.example.com", login("ann")), (hub, login("bob")), ("t", token)];
        Answers { secrets, credentials: logins.map(|(key, login)| (key.to_owned(), login)).into() }
    }

    #[test]
    fn secrets_and_credentials_are_given_for_their_names_and_nothing_else_is() {
        let answers = answers();
        assert_eq!(answers.message_for(HEALTH, ""), Ok(vec![8, 1]));
        assert_eq!(answers.message_for(SECRET, "token"), Ok(message(&[b"s3cret".as_slice()])));
        assert_eq!(answers.message_for(SECRET, "other"), Err(Refusal::NotFound));
        let user = |user: &[u8], secret: &[u8]| Ok(message(&[user, secret]));
        assert_eq!(answers.message_for(CREDENTIALS, "registry.example.com"), user(b"ann", b"pw"));
        assert_eq!(answers.message_for(CREDENTIALS, "registry-1.docker.io"), user(b"bob", b"pw"));
        assert_eq!(answers.message_for(CREDENTIALS, "t"), user(b"", b"t"));
        assert_eq!(answers.message_for(CREDENTIALS, "quay.io"), Ok(Vec::new()));
        assert_eq!(answers.message_for("/moby.filesync.v1.Auth/FetchToken", ""), Err(Refusal::Unimplemented));
        let shown = format!("{answers:?}");
        assert!(!shown.contains("pw") && !shown.contains("s3cret"), "{shown}");
    }

    #[tokio::test]
    async fn an_engine_that_asks_on_the_connection_is_answered() {
        let (ours, engines) = tokio::io::duplex(1 << 16);
        let served = tokio::spawn(serve(TokioIo::new(ours), answers()));
        let (mut engine, connection) = handshake(TokioExecutor::new(), TokioIo::new(engines)).await.unwrap();
        tokio::spawn(connection);
        // Field 1 with `token`, framed.
        let asked = Bytes::from_static(b"\0\0\0\0\x07\x0a\x05token");
        let request = Request::post(format!("http://localhost{SECRET}")).body(Full::new(asked)).unwrap();
        let answer = engine.send_request(request).await.unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let body = answer.into_body().collect().await.unwrap();
        assert_eq!(body.trailers().unwrap().get("grpc-status").unwrap(), "0");
        assert_eq!(body.to_bytes(), b"\0\0\0\0\x08\x0a\x06s3cret".as_slice());
        drop(engine);
        served.await.unwrap();
    }

    #[tokio::test]
    async fn an_address_at_which_no_session_can_be_had_is_no_error() {
        let limit = Duration::from_secs(20);
        let opened = Session::open("https://127.0.0.1:1", "id", Answers::default(), limit).await;
        assert!(opened.unwrap().is_none());
        assert!(Session::open("unix:///nowhere/docker.sock", "id", Answers::default(), limit).await.is_err());
    }

    #[tokio::test]
    async fn a_session_that_the_engine_does_not_answer_is_given_up() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("tcp://{}", listener.local_addr().unwrap());
        let error = Session::open(&address, "id", Answers::default(), Duration::from_millis(20)).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
    }
}
