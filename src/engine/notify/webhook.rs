//! One request to a webhook, and what its answer means: told, to be tried again, or never.
//!
//! The server is foreign: it may hang, refuse, redirect or send a book. All of it has one limit of time; of the answer, only
//! the beginning of an error is read. A redirect counts only as the same request to the same server (307, 308): elsewhere,
//! nobody knows who listens. What people read of it names the host and never the path, which is a secret.

use std::error::Error;
use std::path::Path;
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION, RETRY_AFTER};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response, StatusCode, Url};

use super::message::Message;
use super::secret;
use crate::config::WebhookSettings;

/// The most bytes of an answer that are read, for what it says of an error.
const ANSWER_LIMIT: usize = 4 * 1024;
/// The most characters of it that are shown.
const SHOWN: usize = 160;
/// How often one may redirect to itself.
const REDIRECTS: usize = 3;

/// Why somebody was not told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Undelivered {
    /// It may go well later, not before `after` if that is said.
    Later {
        /// Why.
        reason: String,
        /// As the server asks.
        after: Option<Duration>,
    },
    /// It will not.
    Never {
        /// Why, and what to do.
        reason: String,
    },
}

impl Undelivered {
    /// It may go well later.
    pub(super) fn later(reason: impl Into<String>) -> Self {
        Self::Later { reason: reason.into(), after: None }
    }

    /// It will not go well.
    pub(super) fn never(reason: impl Into<String>) -> Self {
        Self::Never { reason: reason.into() }
    }

    /// Why.
    pub(super) fn reason(&self) -> &str {
        match self {
            Self::Later { reason, .. } | Self::Never { reason } => reason,
        }
    }
}

/// Sends a message once, within `timeout`; says what the server answered. Files are relative to the project `folder`.
pub(super) async fn send(
    webhook: &WebhookSettings,
    message: &Message,
    timeout: Duration,
    folder: &Path,
) -> Result<String, Undelivered> {
    let address = secret::read("the address", &webhook.address, folder).await.map_err(Undelivered::later)?;
    let url = Url::parse(&address).ok().filter(|url| matches!(url.scheme(), "http" | "https"));
    let Some(url) = url.filter(|url| url.host_str().is_some_and(|host| !host.is_empty())) else {
        return Err(Undelivered::never("what is to be its address does not begin with http:// or https:// and a host"));
    };
    let headers = headers(webhook, folder).await?;
    let client = client().map_err(|error| Undelivered::later(format!("no request can be made: {error}")))?;
    let request = Request { client, headers, body: message.body(webhook) };
    let place = place(&url);
    match tokio::time::timeout(timeout, request.send(url)).await {
        Ok(sent) => sent,
        Err(_) => Err(Undelivered::later(format!(
            "{place} did not answer within {} ms; check whether it hangs, or raise `timeout`",
            timeout.as_millis()
        ))),
    }
}

async fn headers(webhook: &WebhookSettings, folder: &Path) -> Result<HeaderMap, Undelivered> {
    let mut headers = HeaderMap::from_iter([(CONTENT_TYPE, HeaderValue::from_static("application/json"))]);
    for (name, value) in &webhook.headers {
        let what = format!("the header `{name}`");
        let text = secret::read(&what, value, folder).await.map_err(Undelivered::later)?;
        let parts = HeaderName::from_bytes(name.as_bytes()).ok().zip(HeaderValue::from_str(&text).ok());
        let Some((name, mut value)) = parts else {
            return Err(Undelivered::never(format!("{what} holds what no header may; mend its value")));
        };
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// As the scraper makes its own: TLS by rustls, the authorities of the system, no proxy. It follows no redirect by itself.
fn client() -> reqwest::Result<Client> {
    let builder = || -> ClientBuilder {
        // The one provider of ciphers. The program installs it when it starts; in a test nobody has, and the second time is
        // none.
        let _ = rustls::crypto::ring::default_provider().install_default();
        Client::builder()
            .no_proxy()
            .redirect(Policy::none())
            .user_agent(concat!("trainyard/", env!("CARGO_PKG_VERSION")))
    };
    // A machine that trusts nobody still reaches plain HTTP; https then says that the certificate is unknown.
    builder().build().or_else(|_| builder().tls_certs_only([]).build())
}

/// A request that may be sent to more than one address of a server.
struct Request {
    client: Client,
    headers: HeaderMap,
    body: String,
}

impl Request {
    async fn send(self, begin: Url) -> Result<String, Undelivered> {
        let mut url = begin;
        for _ in 0..=REDIRECTS {
            let request = self.client.post(url.clone()).headers(self.headers.clone()).body(self.body.clone());
            let response = request.send().await.map_err(|error| unsent(&url, &error))?;
            let status = response.status();
            if !status.is_redirection() {
                return judge(&url, response).await;
            }
            let location = response.headers().get(LOCATION).and_then(|location| location.to_str().ok());
            let Some(next) = location.and_then(|location| url.join(location).ok()) else {
                let (place, status) = (place(&url), status.as_u16());
                return Err(Undelivered::never(format!("{place} answered {status} and does not say where to go")));
            };
            let repeats = matches!(status, StatusCode::TEMPORARY_REDIRECT | StatusCode::PERMANENT_REDIRECT);
            if !repeats || !is_same_server(&url, &next) {
                return Err(Undelivered::never(format!(
                    "{} answered {} and points to {}, where nothing is sent; name the final address in `webhook`",
                    place(&url),
                    status.as_u16(),
                    place(&next)
                )));
            }
            url = next;
        }
        Err(Undelivered::never(format!(
            "{} redirects again and again; name the final address in `webhook`",
            place(&url)
        )))
    }
}

/// The same host, as well protected as before.
fn is_same_server(from: &Url, to: &Url) -> bool {
    let is_upgrade = from.scheme() == "http" && to.scheme() == "https" && from.port().is_none() && to.port().is_none();
    let is_equal = from.scheme() == to.scheme() && from.port_or_known_default() == to.port_or_known_default();
    from.host_str() == to.host_str() && (is_equal || is_upgrade)
}

/// What people read of an address: host and port.
fn place(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// What an answer means that is no redirect.
async fn judge(url: &Url, mut response: Response) -> Result<String, Undelivered> {
    let (place, status) = (place(url), response.status());
    if status.is_success() {
        return Ok(format!("{place} answered {}", status.as_u16()));
    }
    let after = response.headers().get(RETRY_AFTER).and_then(|value| value.to_str().ok()).and_then(wait_of);
    let mut answer = Vec::new();
    while let Ok(Some(piece)) = response.chunk().await {
        answer.extend_from_slice(&piece);
        if answer.len() >= ANSWER_LIMIT {
            break;
        }
    }
    answer.truncate(ANSWER_LIMIT);
    let reason = format!("{place} answered {}{}", status.as_u16(), excerpt(&answer, url));
    if status == StatusCode::TOO_MANY_REQUESTS || status.is_server_error() {
        return Err(Undelivered::Later { reason, after });
    }
    let advice = match status.as_u16() {
        401 | 403 => "; check its `headers`",
        404 | 410 => "; check the address in `webhook`",
        _ => "",
    };
    Err(Undelivered::never(format!("{reason}{advice}")))
}

/// The beginning of what an answer says, in one line and without what was asked.
fn excerpt(answer: &[u8], url: &Url) -> String {
    let text = String::from_utf8_lossy(answer);
    let mut line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in [url.path(), url.query().unwrap_or_default()].into_iter().filter(|part| part.len() > 1) {
        line = line.replace(secret, "/…");
    }
    let line: String = line.chars().filter(|letter| !letter.is_control()).take(SHOWN).collect();
    if line.is_empty() { String::new() } else { format!(": {line}") }
}

/// `Retry-After`: seconds, or a moment.
fn wait_of(text: &str) -> Option<Duration> {
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let moment = jiff::fmt::rfc2822::parse(text.trim()).ok()?.timestamp();
    let milliseconds = moment.as_millisecond().saturating_sub(jiff::Timestamp::now().as_millisecond());
    Some(Duration::from_millis(u64::try_from(milliseconds).unwrap_or(0)))
}

/// Why there is no answer at all.
fn unsent(url: &Url, error: &reqwest::Error) -> Undelivered {
    // The outer errors hold the address; what happened stands innermost.
    let mut cause: &dyn Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    let place = place(url);
    if error.is_builder() {
        return Undelivered::never(format!("no request can be sent to {place}; check the address in `webhook`"));
    }
    let reason = cause.to_string();
    if reason.contains("certificate") {
        return Undelivered::later(format!("{place} is not trusted: {reason}"));
    }
    Undelivered::later(format!("{place} cannot be reached: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn only_the_same_server_as_well_protected_is_followed() {
        let same = |from: &str, to: &str| is_same_server(&url(from), &url(to));
        assert!(same("http://a.test/x", "http://a.test/y"));
        assert!(same("http://a.test/x", "https://a.test/x"));
        assert!(same("https://a.test/x", "https://a.test:443/y"));
        assert!(!same("https://a.test/x", "http://a.test/x"));
        assert!(!same("http://a.test/x", "http://b.test/x"));
        assert!(!same("http://a.test/x", "http://a.test:8080/x"));
        assert!(!same("http://a.test:8080/x", "https://a.test/x"));
    }

    #[test]
    fn the_path_of_an_address_is_never_shown() {
        let hook = url("https://hooks.test:8443/services/T0/s3cret");
        assert_eq!(place(&hook), "hooks.test:8443");
        assert_eq!(excerpt(b"no such hook:\n /services/T0/s3cret\x1b", &hook), ": no such hook: /…");
        assert_eq!(excerpt(b"", &hook), "");
        assert_eq!(excerpt(&[b'x'; 9_000], &hook).chars().count(), SHOWN + 2);
    }

    #[test]
    fn a_server_may_say_how_long_to_wait() {
        assert_eq!(wait_of(" 120 "), Some(Duration::from_mins(2)));
        assert_eq!(wait_of("Thu, 01 Jan 1970 00:00:01 GMT"), Some(Duration::ZERO));
        assert!(wait_of("Fri, 01 Jan 2100 00:00:00 GMT").unwrap() > Duration::from_hours(24));
        assert_eq!(wait_of("soon"), None);
    }
}
