//! Good and bad servers, each with what its reader sees.

use std::io::Write;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::super::exposition::Format;
use super::{Credentials, Fetched, ScrapeError, ScrapeFailure, ScrapeOptions, client, fetch};

const PATIENT: Duration = Duration::from_secs(20);
const TEXT: &str = "content-type: text/plain; version=0.0.4\r\n";

fn patient() -> ScrapeOptions {
    ScrapeOptions { timeout: PATIENT, body_limit: 1 << 20, ..ScrapeOptions::default() }
}

async fn scrape(url: &str, options: &ScrapeOptions) -> Result<Fetched, ScrapeError> {
    fetch(&client(None).unwrap(), url, options).await
}

async fn refusal(url: &str) -> ScrapeFailure {
    scrape(url, &patient()).await.unwrap_err().reason
}

/// Answers every connection with `answer` after its request has been read; returns the address to scrape.
async fn serve<Answering>(answer: impl Fn(TcpStream, String) -> Answering + Send + 'static) -> String
where
    Answering: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                let mut byte = [0];
                if !matches!(stream.read(&mut byte).await, Ok(1)) {
                    break;
                }
                request.extend_from_slice(&byte);
            }
            tokio::spawn(answer(stream, String::from_utf8_lossy(&request).into_owned()));
        }
    });
    format!("http://{address}/metrics")
}

/// Answers every request with these head lines and this body.
async fn serve_bytes(status: &'static str, head: &'static str, body: Vec<u8>) -> String {
    serve(move |mut stream, _| {
        let body = body.clone();
        async move {
            let length = body.len();
            let head = format!("HTTP/1.1 {status}\r\n{head}content-length: {length}\r\nconnection: close\r\n\r\n");
            // The client may hang up early, which is its right.
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(&body).await;
        }
    })
    .await
}

async fn serve_text(body: &str) -> String {
    serve_bytes("200 OK", TEXT, body.as_bytes().to_vec()).await
}

/// Answers with a head and then with one piece after another, for ever.
async fn serve_endlessly(head: &'static str, piece: Vec<u8>, pause: Duration) -> String {
    serve(move |mut stream, _| {
        let piece = piece.clone();
        async move {
            let mut sent =
                stream.write_all(format!("HTTP/1.1 200 OK\r\n{head}connection: close\r\n\r\n").as_bytes()).await;
            while sent.is_ok() {
                sent = stream.write_all(&piece).await;
                tokio::time::sleep(pause).await;
            }
        }
    })
    .await
}

fn packed(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test]
async fn a_good_page_comes_with_its_format() {
    let url = serve_text("a{b=\"c\"} 1\n").await;
    let fetched = scrape(&url, &patient()).await.unwrap();
    assert_eq!((fetched.body.as_str(), fetched.format), ("a{b=\"c\"} 1\n", Format::Text));
    let head = "content-type: application/openmetrics-text; version=1.0.0; charset=utf-8\r\n";
    let url = serve_bytes("200 OK", head, b"# EOF\n".to_vec()).await;
    assert_eq!(scrape(&url, &patient()).await.unwrap().format, Format::OpenMetrics);
}

#[tokio::test]
async fn an_empty_page_is_a_success() {
    let url = serve_text("").await;
    assert!(scrape(&url, &patient()).await.unwrap().body.is_empty());
}

#[tokio::test]
async fn what_is_asked_for_is_told() {
    let url = serve(|mut stream, request| async move {
        let body = request.to_lowercase().replace('\r', "").replace('\n', "|");
        let head = format!("HTTP/1.1 200 OK\r\n{TEXT}content-length: {}\r\nconnection: close\r\n\r\n", body.len());
        let _ = stream.write_all(format!("{head}{body}").as_bytes()).await;
    })
    .await;
    let asked = scrape(&url, &patient()).await.unwrap().body;
    assert!(asked.contains("|accept: text/plain;version=1.0.0;escaping=allow-utf-8;q=0.6,text/plain"), "{asked}");
    assert!(asked.contains("|accept-encoding: gzip|"), "{asked}");
    assert!(asked.contains("|x-prometheus-scrape-timeout-seconds: 20|"), "{asked}");
    assert!(!asked.contains("|authorization:"), "{asked}");
    let basic = Credentials::Basic { user: "me".to_owned(), password: "secret".to_owned() };
    let asked = scrape(&url, &ScrapeOptions { authentication: basic, ..patient() }).await.unwrap().body;
    assert!(asked.contains("|authorization: basic bwu6c2vjcmv0|"), "{asked}");
    let bearer = Credentials::Bearer { token: "abc".to_owned() };
    let asked = scrape(&url, &ScrapeOptions { authentication: bearer, ..patient() }).await.unwrap().body;
    assert!(asked.contains("|authorization: bearer abc|"), "{asked}");
}

#[tokio::test]
async fn a_packed_page_is_unpacked() {
    let body = packed(b"a 1\n");
    let head = "content-type: text/plain\r\ncontent-encoding: gzip\r\n";
    let url = serve_bytes("200 OK", head, body).await;
    assert_eq!(scrape(&url, &patient()).await.unwrap().body, "a 1\n");
    let url = serve_bytes("200 OK", head, b"a 1\n".repeat(10)).await;
    assert!(matches!(refusal(&url).await, ScrapeFailure::Packed { .. }));
    let head = "content-type: text/plain\r\ncontent-encoding: br\r\n";
    let url = serve_bytes("200 OK", head, b"x".to_vec()).await;
    assert_eq!(refusal(&url).await, ScrapeFailure::Encoding { encoding: "br".to_owned() });
}

#[tokio::test]
async fn a_page_that_would_unpack_into_gigabytes_is_given_up() {
    let head = "content-type: text/plain\r\ncontent-encoding: gzip\r\n";
    let url = serve_bytes("200 OK", head, packed(&vec![b'#'; 8 << 20])).await;
    assert_eq!(refusal(&url).await, ScrapeFailure::TooLarge { limit: 1 << 20 });
}

#[tokio::test]
async fn one_who_hangs_or_drips_runs_out_of_time() {
    let timeout = Duration::from_millis(100);
    let options = ScrapeOptions { timeout, ..patient() };
    let url = serve(|stream, _| async move {
        std::future::pending::<()>().await;
        drop(stream);
    })
    .await;
    assert_eq!(scrape(&url, &options).await.unwrap_err().reason, ScrapeFailure::TimedOut { timeout });
    let url = serve_endlessly(TEXT, b"a".to_vec(), Duration::from_millis(10)).await;
    let error = scrape(&url, &options).await.unwrap_err();
    assert_eq!(error.reason, ScrapeFailure::TimedOut { timeout });
    assert!(error.is_unreachable());
}

#[tokio::test]
async fn a_flood_is_cut_off_at_the_limit() {
    let url = serve_endlessly(TEXT, vec![b'#'; 1 << 16], Duration::ZERO).await;
    assert_eq!(refusal(&url).await, ScrapeFailure::TooLarge { limit: 1 << 20 });
    // What is announced need not be waited for.
    let url = serve(|mut stream, _| async move {
        let head = format!("HTTP/1.1 200 OK\r\n{TEXT}content-length: 10000000000\r\n\r\n");
        let _ = stream.write_all(head.as_bytes()).await;
        std::future::pending::<()>().await;
    })
    .await;
    assert_eq!(refusal(&url).await, ScrapeFailure::TooLarge { limit: 1 << 20 });
}

#[tokio::test]
async fn redirects_are_followed_up_to_a_bound() {
    let good = serve_text("a 1\n").await;
    let url = serve(move |mut stream, _| {
        let head = format!("HTTP/1.1 302 Found\r\nlocation: {good}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
        async move {
            let _ = stream.write_all(head.as_bytes()).await;
        }
    })
    .await;
    assert_eq!(scrape(&url, &patient()).await.unwrap().body, "a 1\n");
    let head = "location: /metrics\r\n";
    let url = serve_bytes("302 Found", head, Vec::new()).await;
    let error = scrape(&url, &patient()).await.unwrap_err();
    assert_eq!(error.reason, ScrapeFailure::Redirected);
    assert!(error.to_string().starts_with(&format!("{url} redirects more than 10 times; ")), "{error}");
}

#[tokio::test]
async fn a_page_of_another_kind_is_refused_unless_its_format_is_known_otherwise() {
    let page = || b"a 1\n".to_vec();
    for (head, found) in [("", ""), ("content-type: text/html\r\n", "text/html"), ("content-type: x\r\n", "x")] {
        let url = serve_bytes("200 OK", head, page()).await;
        assert_eq!(refusal(&url).await, ScrapeFailure::ContentType { found: found.to_owned() });
        let options = ScrapeOptions { fallback: Some(Format::Text), ..patient() };
        assert_eq!(scrape(&url, &options).await.unwrap().format, Format::Text);
    }
}

#[tokio::test]
async fn an_error_status_is_named() {
    let url = serve_bytes("500 Internal Server Error", TEXT, b"a 1\n".to_vec()).await;
    let error = scrape(&url, &patient()).await.unwrap_err();
    assert_eq!(error.to_string(), format!("{url} answered with status 500; the log of the app may say why"));
    assert!(!error.is_unreachable());
    let url = serve_bytes("401 Unauthorized", TEXT, Vec::new()).await;
    assert!(scrape(&url, &patient()).await.unwrap_err().to_string().contains("`basic` or `bearer`"));
}

#[tokio::test]
async fn what_is_not_utf_8_is_refused_with_its_place() {
    let url = serve_bytes("200 OK", TEXT, b"a 1\nb{c=\"\xff\"} 1\n".to_vec()).await;
    let ScrapeFailure::Refused(error) = refusal(&url).await else { unreachable!("it is no text") };
    assert_eq!((error.line, error.column), (2, 6));
}

#[tokio::test]
async fn a_closed_port_is_unreachable_and_no_address_is_no_address() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    drop(listener);
    assert!(matches!(refusal(&url).await, ScrapeFailure::Unreachable { .. }));
    assert!(matches!(refusal("nowhere").await, ScrapeFailure::Address { .. }));
}

#[tokio::test]
async fn an_answer_that_breaks_off_says_so() {
    let url = serve(|mut stream, _| async move {
        let head = format!("HTTP/1.1 200 OK\r\n{TEXT}content-length: 100\r\n\r\na 1\n");
        let _ = stream.write_all(head.as_bytes()).await;
    })
    .await;
    assert!(matches!(refusal(&url).await, ScrapeFailure::Broken { .. }));
}
