//! Fetches one page of metrics, within limits of time, size and number.
//!
//! The page is foreign: it may hang, flood or be something else altogether. Each of these ends in its own error, and
//! none of them costs more than the limits say. This file keeps nothing between two scrapes.

use std::error::Error;
use std::time::{Duration, Instant};

use super::exposition::{self, ExpositionError, Sample};

/// The largest page that is read, in bytes.
pub const BODY_LIMIT: usize = 16 * 1024 * 1024;
/// The most samples that are taken from one page.
pub const SAMPLE_LIMIT: usize = 50_000;

/// What one scrape found.
#[derive(Debug, Clone, PartialEq)]
pub struct Scrape {
    /// Every sample of the page, in its order.
    pub samples: Vec<Sample>,
    /// How long it took from the request to the last sample read.
    pub duration: Duration,
}

/// Why a scrape brought nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScrapeError {
    /// No connection, or it broke.
    #[error("{url} cannot be reached: {reason}; check that the app runs and listens there")]
    Unreachable {
        /// What was scraped.
        url: String,
        /// The innermost cause.
        reason: String,
    },
    /// The answer was not complete in time.
    #[error("{url} did not answer within {} ms; check whether the app hangs, or allow it more time", .timeout.as_millis())]
    TimedOut {
        /// What was scraped.
        url: String,
        /// The time it had.
        timeout: Duration,
    },
    /// The status was not 2xx.
    #[error("{url} answered with status {status}; check the metrics path in the deploy stage")]
    Status {
        /// What was scraped.
        url: String,
        /// The HTTP status.
        status: u16,
    },
    /// The page is larger than [`BODY_LIMIT`].
    #[error("{url} sent more than {} MiB; make the app expose fewer series", BODY_LIMIT / (1024 * 1024))]
    TooLarge {
        /// What was scraped.
        url: String,
    },
    /// The page holds more samples than [`SAMPLE_LIMIT`].
    #[error("{url} exposes more than {SAMPLE_LIMIT} samples; make the app expose fewer series")]
    TooManySamples {
        /// What was scraped.
        url: String,
    },
    /// The page is not text.
    #[error("{url} sent bytes that are not UTF-8; check that this path serves metrics as text")]
    NotUtf8 {
        /// What was scraped.
        url: String,
    },
    /// The page is not in the Prometheus text format.
    #[error("{url} line {line} is not a metric: {reason}; check that this path serves the Prometheus text format")]
    Malformed {
        /// What was scraped.
        url: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// Scrapes `url` once. `timeout` covers everything from the connection to the last byte; a page without samples is a
/// success.
pub async fn scrape(client: &reqwest::Client, url: &str, timeout: Duration) -> Result<Scrape, ScrapeError> {
    let started = Instant::now();
    let Ok(fetched) = tokio::time::timeout(timeout, fetch(client, url, timeout)).await else {
        return Err(ScrapeError::TimedOut { url: url.to_owned(), timeout });
    };
    let text = String::from_utf8(fetched?).map_err(|_| ScrapeError::NotUtf8 { url: url.to_owned() })?;
    let samples = exposition::read(&text, SAMPLE_LIMIT).map_err(|error| refused(url, error))?;
    Ok(Scrape { samples, duration: started.elapsed() })
}

async fn fetch(client: &reqwest::Client, url: &str, timeout: Duration) -> Result<Vec<u8>, ScrapeError> {
    let broken = |error: reqwest::Error| {
        if error.is_timeout() {
            ScrapeError::TimedOut { url: url.to_owned(), timeout }
        } else {
            ScrapeError::Unreachable { url: url.to_owned(), reason: innermost(&error) }
        }
    };
    let request = client.get(url).header(reqwest::header::ACCEPT, "text/plain;version=0.0.4");
    let mut response = request.send().await.map_err(broken)?;
    if !response.status().is_success() {
        return Err(ScrapeError::Status { url: url.to_owned(), status: response.status().as_u16() });
    }
    let mut body = Vec::new();
    while let Some(piece) = response.chunk().await.map_err(broken)? {
        if body.len() + piece.len() > BODY_LIMIT {
            return Err(ScrapeError::TooLarge { url: url.to_owned() });
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn refused(url: &str, error: ExpositionError) -> ScrapeError {
    let url = url.to_owned();
    match error {
        ExpositionError::Malformed { line, reason } => ScrapeError::Malformed { url, line, reason },
        ExpositionError::TooManySamples => ScrapeError::TooManySamples { url },
    }
}

/// The last cause of the chain: the outer ones only repeat the address, "connection refused" stands innermost.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause: &dyn Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const PATIENT: Duration = Duration::from_secs(20);

    fn client() -> reqwest::Client {
        reqwest::Client::builder().no_proxy().build().unwrap()
    }

    /// Answers one connection with `answer` after the request has been read; returns the address to scrape.
    async fn serve<Answering>(answer: impl FnOnce(TcpStream) -> Answering + Send + 'static) -> String
    where
        Answering: Future<Output = ()> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if stream.read(&mut byte).await.unwrap() == 0 {
                    return;
                }
                request.extend_from_slice(&byte);
            }
            answer(stream).await;
        });
        format!("http://{address}/metrics")
    }

    async fn serve_bytes(status: &'static str, body: Vec<u8>) -> String {
        serve(move |mut stream| async move {
            let head = format!("HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n", body.len());
            // The client may hang up early, which is its right.
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        })
        .await
    }

    #[tokio::test]
    async fn a_good_page_gives_its_samples() {
        let url = serve_bytes("200 OK", b"# TYPE a counter\na{b=\"c\"} 1\nd 2\n".to_vec()).await;
        let scrape = scrape(&client(), &url, PATIENT).await.unwrap();
        assert_eq!(scrape.samples.len(), 2);
        assert_eq!(scrape.samples[0].labels.get("b"), Some("c"));
    }

    #[tokio::test]
    async fn an_empty_page_is_a_success() {
        let url = serve_bytes("200 OK", Vec::new()).await;
        assert!(scrape(&client(), &url, PATIENT).await.unwrap().samples.is_empty());
    }

    #[tokio::test]
    async fn a_server_that_hangs_runs_out_of_time() {
        let url = serve(|stream| async move {
            std::future::pending::<()>().await;
            drop(stream);
        })
        .await;
        let timeout = Duration::from_millis(100);
        let error = scrape(&client(), &url, timeout).await.unwrap_err();
        assert_eq!(error, ScrapeError::TimedOut { url, timeout });
    }

    #[tokio::test]
    async fn a_flood_is_cut_off_at_the_limit() {
        let url = serve(|mut stream| async move {
            let piece = vec![b'#'; 1 << 20];
            let mut sent = stream.write_all(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n").await;
            while sent.is_ok() {
                sent = stream.write_all(&piece).await;
            }
        })
        .await;
        assert_eq!(scrape(&client(), &url, PATIENT).await.unwrap_err(), ScrapeError::TooLarge { url });
    }

    #[tokio::test]
    async fn an_error_status_is_named() {
        let url = serve_bytes("500 Internal Server Error", b"a 1\n".to_vec()).await;
        let error = scrape(&client(), &url, PATIENT).await.unwrap_err();
        assert!(error.to_string().starts_with(&format!("{url} answered with status 500")));
    }

    #[tokio::test]
    async fn a_page_that_is_no_metrics_is_refused_with_its_line() {
        let url = serve_bytes("200 OK", b"a 1\n<html>\n".to_vec()).await;
        let error = scrape(&client(), &url, PATIENT).await.unwrap_err();
        assert!(matches!(error, ScrapeError::Malformed { line: 2, .. }), "{error}");
        let url = serve_bytes("200 OK", vec![0xff, 0xfe]).await;
        assert_eq!(scrape(&client(), &url, PATIENT).await.unwrap_err(), ScrapeError::NotUtf8 { url });
    }

    #[tokio::test]
    async fn too_many_samples_are_refused() {
        let url = serve_bytes("200 OK", "a 1\n".repeat(SAMPLE_LIMIT + 1).into_bytes()).await;
        assert_eq!(scrape(&client(), &url, PATIENT).await.unwrap_err(), ScrapeError::TooManySamples { url });
    }

    #[tokio::test]
    async fn a_closed_port_is_unreachable() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/metrics", listener.local_addr().unwrap());
        drop(listener);
        let error = scrape(&client(), &url, PATIENT).await.unwrap_err();
        assert!(matches!(error, ScrapeError::Unreachable { .. }), "{error}");
    }
}
