//! The connection to Docker Engine, and the versions that fit.
//!
//! Nothing of a version goes over the wire: the client asks without one, and the engine answers by its newest API. So
//! what must fit is the range of the engine and what this program was written and tried against. That is looked at
//! once, when it connects. Each request opens a connection of its own; an [`Engine`] may find at any of them that the
//! engine is gone.
//!
//! Known gaps: contexts of the `docker` command (`docker context use`) are not followed, only `DOCKER_HOST`; who uses one is
//! told so when no engine answers. An engine over ssh cannot be used.

use std::env;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bollard::errors::Error;
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::{Stream, StreamExt};
use hyper::header::{HeaderMap, HeaderValue};
use tokio::time::timeout;

pub use super::engine_error::EngineError;

/// Where the engine listens when `DOCKER_HOST` does not say otherwise.
const DEFAULT_ADDRESS: &str = "unix:///var/run/docker.sock";
/// The oldest API that all requests of ours were tried against (Docker Engine 20.10).
const OLDEST: (u64, u64) = (1, 41);
/// How long an engine may take to say who it is.
const GREETING: Duration = Duration::from_secs(5);
/// How long a plain question may take, also on a machine that is busy.
pub const ANSWER: Duration = Duration::from_secs(30);
/// The limit of the client itself for work that takes as long as it takes; silence is watched apart.
const WORK: Duration = Duration::from_hours(168);

/// A Docker Engine that answered.
#[derive(Debug, Clone)]
pub struct Engine {
    client: Docker,
    address: String,
    version: EngineVersion,
}

/// Which engine it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EngineVersion {
    /// Of the program: `20.10.24`.
    pub version: String,
    /// The newest API that it speaks: `1.41`.
    pub api: String,
    /// The oldest API that it speaks.
    pub min_api: String,
}

impl Engine {
    /// Connects to the engine that `DOCKER_HOST` names, or to the one of this machine, and looks whether its version
    /// fits.
    pub async fn connect() -> Result<Self, EngineError> {
        let address = address();
        let client = Docker::connect_with_host(&address)?;
        let answer = match timeout(GREETING, client.version()).await {
            Ok(answer) => answer?,
            Err(_) => {
                let reason = format!("no answer within {} s", GREETING.as_secs());
                return Err(EngineError::unreachable(address, reason));
            }
        };
        let version = EngineVersion {
            version: answer.version.unwrap_or_default(),
            api: answer.api_version.unwrap_or_default(),
            min_api: answer.min_api_version.unwrap_or_default(),
        };
        version.check()?;
        Ok(Self { client, address, version })
    }

    /// What requests are sent by. It gives up on an answer after two minutes; see [`Engine::patient`].
    pub fn client(&self) -> &Docker {
        &self.client
    }

    /// A client that waits for the first word of an answer as long as it takes: an engine that is sent gigabytes, or
    /// pulls them, says nothing before. Silence is to be watched by [`next_within`].
    pub fn patient(&self) -> Docker {
        self.client.clone().with_timeout(WORK)
    }

    /// Where it is: `unix:///var/run/docker.sock`.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether it is on this machine, whose folders it can mount and on whose loopback it can publish.
    pub fn is_on_this_machine(&self) -> bool {
        let at = |scheme: &str| self.address.strip_prefix(scheme);
        let host = || at("tcp://").or_else(|| at("http://"));
        let is_loopback = |host: &str| ["127.", "localhost:", "[::1]"].iter().any(|name| host.starts_with(name));
        at("unix://").is_some() || host().is_some_and(is_loopback)
    }

    /// Which one it is.
    pub fn version(&self) -> &EngineVersion {
        &self.version
    }
}

impl EngineVersion {
    /// The engine's newest must be ours at least, and its oldest must not be beyond what this program was written for.
    fn check(&self) -> Result<(), EngineError> {
        let (api, min_api) = (number(&self.api)?, number(&self.min_api).unwrap_or_default());
        let newest = API_DEFAULT_VERSION.to_string();
        if api < OLDEST {
            let (version, api) = (self.version.clone(), self.api.clone());
            return Err(EngineError::TooOld { version, api, oldest: format!("{}.{}", OLDEST.0, OLDEST.1) });
        }
        if min_api > number(&newest)? {
            return Err(EngineError::TooNew { version: self.version.clone(), min_api: self.min_api.clone(), newest });
        }
        Ok(())
    }
}

/// `1.41` as two numbers, for `1.9` is older.
fn number(api: &str) -> Result<(u64, u64), EngineError> {
    let parts = api.split_once('.').and_then(|(major, minor)| Some((major.parse().ok()?, minor.parse().ok()?)));
    parts.ok_or_else(|| EngineError::Unexpected { reason: format!("`{api}` is no version of its API") })
}

/// Where the engine is looked for.
pub fn address() -> String {
    env::var("DOCKER_HOST").ok().filter(|address| !address.is_empty()).unwrap_or_else(|| DEFAULT_ADDRESS.to_owned())
}

/// The answer to a plain question, within a limit that suits one.
pub async fn answer<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, EngineError> {
    match timeout(ANSWER, asked).await {
        Ok(answer) => answer.map_err(EngineError::from),
        Err(_) => Err(EngineError::Late { address: address() }),
    }
}

/// Something that goes on beside an answer: what is sent while the engine has nothing to say yet. Clones count
/// together.
#[derive(Debug, Clone, Default)]
pub struct Activity(Arc<AtomicU64>);

impl Activity {
    /// Something went on.
    pub fn note(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn count(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// The next item of a stream, `None` at its end. It fails with [`EngineError::Silent`] when neither an item came nor
/// anything went on `beside` it for that long.
pub async fn next_within<S, T>(stream: &mut S, silence: Duration, beside: &Activity) -> Result<Option<T>, EngineError>
where
    S: Stream<Item = Result<T, Error>> + Unpin,
{
    loop {
        let before = beside.count();
        match timeout(silence, stream.next()).await {
            Ok(item) => return item.transpose().map_err(EngineError::from),
            Err(_) if beside.count() != before => {}
            Err(_) => return Err(EngineError::Silent { seconds: silence.as_secs() }),
        }
    }
}

/// Makes the credentials in a request such as the engine reads them.
///
/// bollard 0.21.1 writes them in the standard alphabet of base64 (`auth.rs`), the engine reads that of URLs, and takes
/// what it cannot read for none: a password with `?`, `>` or `~` in certain places would get "unauthorized".
pub fn mend_credentials(headers: &mut HeaderMap) {
    for name in ["x-registry-auth", "x-registry-config"] {
        let Some(value) = headers.get(name).and_then(|value| value.to_str().ok()) else { continue };
        if let Ok(mut value) = HeaderValue::from_str(&value.replace('+', "-").replace('/', "_")) {
            value.set_sensitive(true);
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::task::Poll;

    use futures_util::stream;
    use tokio::net::TcpListener;

    use super::*;

    /// An engine whose answers are those of a router in this process.
    pub(crate) async fn engine_of(router: axum::Router) -> Engine {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        let text = |text: &str| text.to_owned();
        let version = EngineVersion { version: text("X"), api: text("1.41"), min_api: text("1.12") };
        Engine { client: Docker::connect_with_host(&address).unwrap(), address, version }
    }

    fn version(api: &str, min_api: &str) -> Result<(), EngineError> {
        let (version, api, min_api) = ("X".to_owned(), api.to_owned(), min_api.to_owned());
        EngineVersion { version, api, min_api }.check()
    }

    #[test]
    fn an_engine_fits_whose_range_meets_ours() {
        assert_eq!(version("1.41", "1.12"), Ok(()));
        assert_eq!(version("1.52", "1.44"), Ok(()));
        assert_eq!(version("1.60", "1.44"), Ok(()));
        assert_eq!(version("1.41", ""), Ok(()));
    }

    #[test]
    fn one_that_is_too_old_or_too_new_is_refused_with_both_versions() {
        let old = version("1.9", "1.0").unwrap_err().to_string();
        assert!(old.contains("Docker Engine X") && old.contains("1.9") && old.contains("1.41"), "{old}");
        let new = version("1.99", "1.98").unwrap_err().to_string();
        assert!(new.contains("1.98") && new.contains(&API_DEFAULT_VERSION.to_string()), "{new}");
        assert!(matches!(version("new", "1.2"), Err(EngineError::Unexpected { .. })));
    }

    #[test]
    fn credentials_are_written_in_the_alphabet_that_the_engine_reads() {
        let mut headers = HeaderMap::new();
        headers.insert("x-registry-auth", HeaderValue::from_static("ab+/=="));
        mend_credentials(&mut headers);
        assert_eq!(headers.get("x-registry-auth").unwrap(), "ab-_==");
        assert!(!format!("{headers:?}").contains("ab-_"));
    }

    #[tokio::test]
    async fn a_stream_that_fell_silent_fails_unless_something_goes_on_beside_it() {
        let silence = Duration::from_millis(20);
        let mut silent = stream::pending::<Result<u8, Error>>();
        let failed = next_within(&mut silent, silence, &Activity::default()).await;
        assert_eq!(failed, Err(EngineError::Silent { seconds: 0 }));

        // Looked at twice within each wait: at its beginning and at its end.
        let activity = Activity::default();
        let beside = activity.clone();
        let mut looks = 0;
        let mut slow = stream::poll_fn(move |_| {
            looks += 1;
            beside.note();
            match looks {
                1..=4 => Poll::Pending,
                5 => Poll::Ready(Some(Ok::<u8, Error>(7))),
                _ => Poll::Ready(None),
            }
        });
        assert_eq!(next_within(&mut slow, silence, &activity).await, Ok(Some(7)));
        assert_eq!(next_within(&mut slow, silence, &activity).await, Ok(None));
    }
}
