//! A server that takes notices and answers as a test wants: well, badly, late or not at all.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::Value;

use super::commands::{PATIENCE, pause, wait_for};

/// How it answers.
#[derive(Debug, Clone)]
pub enum Reply {
    /// With this status, and nothing more.
    Status(u16),
    /// With this status, these further lines of its head, each ended, and this body.
    Page(u16, String, String),
    /// Never; the connection stays open.
    Hang,
}

/// A request that came.
#[derive(Debug, Clone)]
pub struct Told {
    /// What was asked for.
    pub path: String,
    /// The lines of its head in small letters.
    pub head: Vec<String>,
    /// What was sent.
    pub body: String,
}

impl Told {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }
}

/// The server. It goes away with the test program.
pub struct Webhook {
    port: u16,
    told: Arc<Mutex<Vec<Told>>>,
}

impl Webhook {
    /// One that answers the n-th request, counted from 0, as `reply` says.
    pub fn answering(reply: impl Fn(usize) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let told: Arc<Mutex<Vec<Told>>> = Arc::default();
        let (noted, reply) = (Arc::clone(&told), Arc::new(reply));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (noted, reply) = (Arc::clone(&noted), Arc::clone(&reply));
                thread::spawn(move || {
                    let Ok(request) = read(&stream) else { return };
                    let count = {
                        let mut noted = noted.lock().unwrap();
                        noted.push(request);
                        noted.len() - 1
                    };
                    // The client may hang up early, which is its right.
                    let _ = answer(&stream, &reply(count));
                });
            }
        });
        Self { port, told }
    }

    /// One that takes everything.
    pub fn new() -> Self {
        Self::answering(|_| Reply::Status(200))
    }

    /// An address there, with a path that is a secret.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}/hooks/s3cret-path", self.port)
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// All requests so far.
    pub fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }

    /// Waits for so many requests.
    #[track_caller]
    pub fn wait_for(&self, count: usize) -> Vec<Told> {
        wait_for(&format!("{count} requests"), PATIENCE, || Some(self.told()).filter(|told| told.len() >= count))
    }
}

fn read(stream: &TcpStream) -> io::Result<Told> {
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    let mut reader = BufReader::new(stream);
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let path = first.split(' ').nth(1).unwrap_or_default().to_owned();
    let mut head = Vec::new();
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 || line.trim().is_empty() {
            break;
        }
        head.push(line.trim().to_lowercase());
    }
    let length = head.iter().find_map(|line| line.strip_prefix("content-length:")?.trim().parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body)?;
    Ok(Told { path, head, body: String::from_utf8_lossy(&body).into_owned() })
}

fn answer(mut stream: &TcpStream, reply: &Reply) -> io::Result<()> {
    let (status, head, body) = match reply {
        Reply::Status(status) => (*status, "", ""),
        Reply::Page(status, head, body) => (*status, head.as_str(), body.as_str()),
        Reply::Hang => {
            pause(PATIENCE);
            return Ok(());
        }
    };
    let length = body.len();
    write!(stream, "HTTP/1.1 {status} Answer\r\n{head}content-length: {length}\r\nconnection: close\r\n\r\n{body}")
}
