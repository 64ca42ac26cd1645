//! `trainyard scrape` through the real program, against good and bad servers: what is accepted, what is refused, and where.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};
use support::{Finished, PATIENCE, PROGRAM, finish, pause};

const TEXT: &str = "content-type: text/plain; version=0.0.4\r\n";

fn scrape(words: &[&str]) -> Finished {
    finish(Command::new(PROGRAM).arg("scrape").args(words), PATIENCE)
}

/// Answers every request in a thread of its own; returns the address.
fn serve(answer: impl Fn(&mut TcpStream) -> io::Result<()> + Send + Sync + 'static) -> String {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    let answer = Arc::new(answer);
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let answer = Arc::clone(&answer);
            thread::spawn(move || {
                let mut request = Vec::new();
                let mut byte = [0];
                while !request.ends_with(b"\r\n\r\n") && stream.read(&mut byte).is_ok_and(|length| length == 1) {
                    request.extend_from_slice(&byte);
                }
                // The client may hang up early, which is its right.
                let _ = answer(&mut stream);
            });
        }
    });
    format!("http://{address}/metrics")
}

/// Answers every request with this head and this body.
fn serve_page(head: &'static str, body: impl Into<Vec<u8>>) -> String {
    let body = body.into();
    serve(move |stream| {
        let length = body.len();
        write!(stream, "HTTP/1.1 200 OK\r\n{head}content-length: {length}\r\nconnection: close\r\n\r\n")?;
        stream.write_all(&body)
    })
}

/// Answers with one piece after another, for ever.
fn serve_endlessly(piece: Vec<u8>, wait: Duration) -> String {
    serve(move |stream| {
        write!(stream, "HTTP/1.1 200 OK\r\n{TEXT}transfer-encoding: chunked\r\nconnection: close\r\n\r\n")?;
        loop {
            write!(stream, "{:x}\r\n", piece.len())?;
            stream.write_all(&piece)?;
            stream.write_all(b"\r\n")?;
            pause(wait);
        }
    })
}

fn file(folder: &Path, name: &str, page: &[u8]) -> String {
    let path = folder.join(name);
    fs::write(&path, page).unwrap();
    path.display().to_string()
}

#[test]
fn an_accepted_page_is_shown_and_told_to_programs() {
    let url = serve_page(TEXT, "# TYPE a counter\na{x=\"1\"} 1\nb NaN\nc +Inf 1000\n");
    let said = scrape(&[&url]).ok().stdout;
    assert!(said.starts_with("accepted: 3 samples of 3 metrics\n"), "{said}");
    let told = scrape(&[&url, "--json"]).ok().json();
    let expected = json!({
        "accepted": true,
        "error": null,
        "samples": [
            { "name": "a", "labels": { "x": "1" }, "value": "1", "timestamp": null },
            { "name": "b", "labels": {}, "value": "NaN", "timestamp": null },
            { "name": "c", "labels": {}, "value": "+Inf", "timestamp": 1000 },
        ],
        "duplicates": 0,
    });
    assert_eq!(told, expected);
}

#[test]
fn a_refused_page_shows_the_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "page.prom", b"a 1\nb{c=\"d\"} one\n");
    let said = scrape(&[&path]).expect_code(1).stdout;
    let mut lines = said.lines();
    assert!(lines.next().unwrap().starts_with("refused, line 2, column 10: "), "{said}");
    assert_eq!(lines.next(), Some("    2 | b{c=\"d\"} one"));
    assert_eq!(lines.next(), Some("      |          ^"));
    let told = scrape(&[&path, "--json"]).expect_code(1).json();
    assert_eq!((&told["accepted"], &told["samples"]), (&json!(false), &json!([])));
    assert_eq!((&told["error"]["line"], &told["error"]["column"]), (&json!(2), &json!(10)));
    let lenient = scrape(&[&path, "--lenient"]).expect_code(1).stdout;
    assert!(lenient.contains("\n? a 1\n"), "{lenient}");
    let lenient = scrape(&[&path, "--lenient", "--json"]).expect_code(1).json();
    assert_eq!(lenient["unverified"][0]["name"], "a");
    assert_eq!(lenient["samples"], json!([]));
}

#[test]
fn the_format_of_a_file_is_found_or_given() {
    let folder = tempfile::tempdir().unwrap();
    // Without its last line this is no OpenMetrics, and with it no other.
    let whole = file(folder.path(), "whole", b"# TYPE a gauge\na 1 2.5\n# EOF\n");
    let told = scrape(&[&whole, "--json"]).ok().json();
    assert_eq!(told["samples"][0]["timestamp"], 2_500);
    let torn = file(folder.path(), "torn.om", b"a 1\n");
    scrape(&[&torn]).expect_code(1);
    scrape(&[&torn, "--format", "text"]).ok();
    scrape(&[&torn, "--format", "yaml"]).expect_code(2);
    scrape(&["/no/such/file"]).expect_code(2);
    scrape(&["ftp://h/metrics"]).expect_code(2);
}

#[test]
fn a_page_is_read_from_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let path = file(folder.path(), "page", b"a 1\n");
    let mut shell = Command::new("sh");
    shell.args(["-c", "exec \"$0\" scrape - < \"$1\"", PROGRAM, &path]);
    let said = finish(&mut shell, PATIENCE).ok().stdout;
    assert!(said.starts_with("accepted: 1 sample of 1 metric\n"), "{said}");
}

#[test]
fn of_a_series_that_stands_twice_the_first_counts() {
    let url = serve_page(TEXT, "a{p=\"1\"} 1\na{p=\"1\"} 2\n");
    let told = scrape(&[&url, "--json"]).ok().json();
    assert_eq!((&told["samples"][0]["value"], &told["duplicates"]), (&json!("1"), &json!(1)));
    assert_eq!(told["samples"].as_array().map(Vec::len), Some(1));
}

#[test]
fn one_who_hangs_or_drips_is_unreachable() {
    let hanging = serve(|_| {
        loop {
            pause(PATIENCE);
        }
    });
    let dripping = serve_endlessly(b"a".to_vec(), Duration::from_millis(20));
    for url in [hanging, dripping] {
        let said = scrape(&[&url, "--timeout", "300ms"]).expect_code(3).stderr;
        assert!(said.contains("did not answer in full within 300 ms"), "{said}");
        let told = scrape(&[&url, "--timeout", "300ms", "--json"]).expect_code(3).json();
        assert_eq!((&told["accepted"], &told["error"]["line"]), (&json!(false), &Value::Null));
    }
}

#[test]
fn nobody_there_and_no_end_of_redirects_are_unreachable() {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let url = format!("http://{}/metrics", listener.local_addr().unwrap());
    drop(listener);
    let said = scrape(&[&url]).expect_code(3).stderr;
    assert!(said.contains("cannot be reached: "), "{said}");
    let url = serve(|stream| {
        stream.write_all(b"HTTP/1.1 302 Found\r\nlocation: /on\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
    });
    let said = scrape(&[&url]).expect_code(3).stderr;
    assert!(said.contains("redirects more than 10 times"), "{said}");
}

#[test]
fn more_than_the_limit_is_refused_however_it_comes() {
    let flood = serve_endlessly(vec![b'#'; 1 << 20], Duration::ZERO);
    let said = scrape(&[&flood]).expect_code(1).stdout;
    assert!(said.contains("sent more than 16 MiB"), "{said}");
    let announced = serve(|stream| {
        write!(stream, "HTTP/1.1 200 OK\r\n{TEXT}content-length: 10000000000\r\n\r\n")?;
        loop {
            pause(PATIENCE);
        }
    });
    let said = scrape(&[&announced]).expect_code(1).stdout;
    assert!(said.contains("sent more than 16 MiB"), "{said}");
    // A thousand members of a megabyte each, in a megabyte altogether.
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&vec![b'#'; 1 << 20]).unwrap();
    let bomb = encoder.finish().unwrap().repeat(1_000);
    let url = serve_page("content-type: text/plain\r\ncontent-encoding: gzip\r\n", bomb);
    let said = scrape(&[&url]).expect_code(1).stdout;
    assert!(said.contains("sent more than 16 MiB"), "{said}");
}

#[test]
fn a_page_of_another_kind_is_refused_with_what_it_is() {
    let page = "<html><body>502 Bad Gateway</body></html>\n";
    let cases = [
        ("content-type: text/html\r\n", "sent a page of the content type `text/html`"),
        ("content-type: application/json\r\n", "sent a page of the content type `application/json`"),
        ("", "does not say of what content type its page is"),
        (TEXT, "refused, line 1, column 1: "),
    ];
    for (head, expected) in cases {
        let said = scrape(&[&serve_page(head, page)]).expect_code(1).stdout;
        assert!(said.contains(expected), "{said}");
    }
    // Whoever says the format knows it.
    scrape(&[&serve_page("", "a 1\n"), "--format", "text"]).ok();
}

#[test]
fn what_is_no_text_is_refused_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let page = b"a 1\nb{c=\"\xff\"} 1\n";
    let url = serve_page(TEXT, page.to_vec());
    for source in [url, file(folder.path(), "page", page)] {
        let told = scrape(&[&source, "--json"]).expect_code(1).json();
        assert_eq!((&told["error"]["line"], &told["error"]["column"]), (&json!(2), &json!(6)), "{told}");
    }
}

#[test]
fn a_packed_page_is_unpacked() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(b"a 1\n").unwrap();
    let url = serve_page("content-type: text/plain\r\ncontent-encoding: gzip\r\n", encoder.finish().unwrap());
    scrape(&[&url]).ok();
}
