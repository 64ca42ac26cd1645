//! Real handshakes: a server of the test with a certificate of an authority of its own, and what its reader sees.
//!
//! The certificates in `tests/fixtures/tls` are for these tests alone and hold until 2120, but for the one that has expired;
//! how they were made stands in the README beside them.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use super::{Fetched, ScrapeError, ScrapeFailure, ScrapeOptions, client, fetch};

const AUTHORITY: &[u8] = include_bytes!("../../../tests/fixtures/tls/ca.pem");
const OTHER_AUTHORITY: &[u8] = include_bytes!("../../../tests/fixtures/tls/other-ca.pem");
/// For 127.0.0.1 and localhost.
const HERE: &[u8] = include_bytes!("../../../tests/fixtures/tls/server.pem");
/// For another machine.
const ELSEWHERE: &[u8] = include_bytes!("../../../tests/fixtures/tls/elsewhere.pem");
/// As `HERE`, until 2021.
const EXPIRED: &[u8] = include_bytes!("../../../tests/fixtures/tls/expired.pem");
/// The key of all three.
const KEY: &[u8] = include_bytes!("../../../tests/fixtures/tls/server.key");

/// Serves a page with this certificate; returns the address to scrape.
fn serve(certificate: &[u8]) -> String {
    let chain: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(certificate).collect::<Result<_, _>>().unwrap();
    let key = PrivateKeyDer::from_pem_slice(KEY).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        while let Ok((socket, _)) = listener.accept() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut reader = BufReader::new(StreamOwned::new(connection, socket));
            let mut line = String::new();
            // Whoever does not trust the certificate says so in the middle of the handshake, which ends it.
            while matches!(reader.read_line(&mut line), Ok(1..)) && !line.ends_with("\r\n\r\n") {}
            let head = "HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 4\r\nconnection: close\r\n\r\n";
            let stream = reader.get_mut();
            let _ = stream.write_all(format!("{head}a 1\n").as_bytes());
            stream.conn.send_close_notify();
            let _ = stream.flush();
        }
    });
    format!("https://{address}/metrics")
}

async fn scrape(url: &str, authorities: Option<&[u8]>) -> Result<Fetched, ScrapeError> {
    let options = ScrapeOptions { timeout: Duration::from_secs(20), ..ScrapeOptions::default() };
    fetch(&client(authorities).unwrap(), url, &options).await
}

/// Why it is not trusted, as people read it.
async fn distrust(url: &str, authorities: Option<&[u8]>) -> String {
    let error = scrape(url, authorities).await.unwrap_err();
    assert!(matches!(error.reason, ScrapeFailure::Untrusted { .. }), "{error}");
    assert!(error.is_unreachable());
    error.to_string()
}

#[tokio::test]
async fn a_certificate_of_the_named_authority_is_trusted() {
    let url = serve(HERE);
    assert_eq!(scrape(&url, Some(AUTHORITY)).await.unwrap().body, "a 1\n");
    let by_name = url.replace("127.0.0.1", "localhost");
    assert_eq!(scrape(&by_name, Some(AUTHORITY)).await.unwrap().body, "a 1\n");
    let several = [OTHER_AUTHORITY, AUTHORITY].concat();
    assert_eq!(scrape(&url, Some(&several)).await.unwrap().body, "a 1\n");
}

#[tokio::test]
async fn without_its_authority_it_is_refused_and_the_mend_is_named() {
    let url = serve(HERE);
    for authorities in [None, Some(OTHER_AUTHORITY)] {
        let told = distrust(&url, authorities).await;
        assert!(told.starts_with(&format!("{url} is not trusted: ")), "{told}");
        assert!(told.ends_with("; name the authority of its certificate in `ca` of the target"), "{told}");
    }
}

#[tokio::test]
async fn a_certificate_that_has_expired_is_refused_whoever_made_it() {
    let told = distrust(&serve(EXPIRED), Some(AUTHORITY)).await;
    assert!(told.contains("expired") && told.ends_with("; give the app a certificate that is valid now"), "{told}");
}

#[tokio::test]
async fn a_certificate_for_another_name_is_refused_whoever_made_it() {
    let told = distrust(&serve(ELSEWHERE), Some(AUTHORITY)).await;
    assert!(told.contains("elsewhere.example"), "{told}");
    assert!(
        told.ends_with("; ask it by a name that stands in its certificate, or let that name this address"),
        "{told}"
    );
}
