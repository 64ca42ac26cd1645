//! A small HTTP client over a plain socket, and a load of predictions that counts every failure.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::mem::take;
use std::net::{Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::commands::pause;

/// How long an answer may take.
const ANSWER: Duration = Duration::from_secs(30);
/// The pause behind a failure, lest an app that is gone be asked a million times.
const AFTER_FAILURE: Duration = Duration::from_millis(50);

/// An answer.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// The body.
    pub body: String,
    /// Whether the server closes the connection behind it.
    closes: bool,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("no JSON ({error}): {}", self.body))
    }
}

/// Asks on a connection of its own.
pub fn get(port: u16, path: &str) -> io::Result<Answer> {
    Connection::open(port)?.ask("GET", path, "", false)
}

/// Sends JSON on a connection of its own.
pub fn post(port: u16, path: &str, body: &str) -> io::Result<Answer> {
    Connection::open(port)?.ask("POST", path, body, false)
}

struct Connection {
    stream: BufReader<TcpStream>,
    port: u16,
}

impl Connection {
    fn open(port: u16) -> io::Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port))?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        Ok(Self { stream: BufReader::new(stream), port })
    }

    fn ask(&mut self, method: &str, path: &str, body: &str, keep: bool) -> io::Result<Answer> {
        let connection = if keep { "keep-alive" } else { "close" };
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nContent-Type: application/json\r\nContent-Length: {}\r\nConnection: {connection}\r\n\r\n{body}",
            self.port,
            body.len(),
        );
        self.stream.get_mut().write_all(request.as_bytes())?;
        self.answer()
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the server closed the connection"));
        }
        Ok(line.trim_end().to_owned())
    }

    fn answer(&mut self) -> io::Result<Answer> {
        let invalid = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let first = self.line()?;
        let status = first.split(' ').nth(1).and_then(|status| status.parse().ok()).ok_or_else(|| invalid(&first))?;
        let (mut length, mut chunked, mut closes) = (None, false, false);
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            let value = value.trim().to_ascii_lowercase();
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = Some(value.parse().map_err(|_| invalid("the length is no number"))?),
                "transfer-encoding" => chunked = value.contains("chunked"),
                "connection" => closes = value.contains("close"),
                _ => {}
            }
        }
        let mut body = Vec::new();
        if chunked {
            loop {
                let size = self.line()?;
                let size = usize::from_str_radix(&size, 16).map_err(|_| invalid("the size of a chunk is no number"))?;
                let mut chunk = vec![0; size + 2];
                self.stream.read_exact(&mut chunk)?;
                if size == 0 {
                    break;
                }
                body.extend_from_slice(&chunk[..size]);
            }
        } else if let Some(length) = length {
            body.resize(length, 0);
            self.stream.read_exact(&mut body)?;
        } else {
            self.stream.read_to_end(&mut body)?;
            closes = true;
        }
        let body = String::from_utf8(body).map_err(|_| invalid("the body is not UTF-8"))?;
        Ok(Answer { status, body, closes })
    }
}

/// Predictions asked for as fast as they are answered, by several threads, until it is finished.
pub struct Load {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicU64>,
    keeping: Vec<JoinHandle<Tally>>,
    fresh: Vec<JoinHandle<Tally>>,
    started: Instant,
}

/// What came of a load.
#[derive(Debug)]
pub struct Loaded {
    /// Answered on connections that were kept.
    pub keeping: u64,
    /// Answered on connections made for one request each.
    pub fresh: u64,
    /// Every request that was not answered with 200 and a prediction.
    pub failures: Vec<String>,
    /// How long it took.
    pub took: Duration,
}

#[derive(Default)]
struct Tally {
    answered: u64,
    failures: Vec<String>,
}

impl Load {
    /// Starts so many threads of each kind.
    pub fn start(port: u16, keeping: usize, fresh: usize, record: &'static str) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let answered = Arc::new(AtomicU64::new(0));
        let start = |keep: bool| {
            let (stop, answered) = (Arc::clone(&stop), Arc::clone(&answered));
            thread::spawn(move || ask_on(port, keep, record, &stop, &answered))
        };
        let keeping = (0..keeping).map(|_| start(true)).collect();
        let fresh = (0..fresh).map(|_| start(false)).collect();
        Self { stop, answered, keeping, fresh, started: Instant::now() }
    }

    /// How many were answered until now.
    pub fn answered(&self) -> u64 {
        self.answered.load(Ordering::Relaxed)
    }

    /// Ends it and counts.
    pub fn finish(mut self) -> Loaded {
        self.stop.store(true, Ordering::Relaxed);
        let mut failures = Vec::new();
        let mut count = |threads: Vec<JoinHandle<Tally>>| {
            let mut answered = 0;
            for thread in threads {
                let tally = thread.join().unwrap();
                answered += tally.answered;
                failures.extend(tally.failures);
            }
            answered
        };
        let (keeping, fresh) = (count(take(&mut self.keeping)), count(take(&mut self.fresh)));
        Loaded { keeping, fresh, failures, took: self.started.elapsed() }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// Nothing is asked twice: what is not answered counts as a failure.
fn ask_on(port: u16, keep: bool, record: &str, stop: &AtomicBool, answered: &AtomicU64) -> Tally {
    let mut tally = Tally::default();
    let mut kept: Option<Connection> = None;
    while !stop.load(Ordering::Relaxed) {
        let asked = match kept.take() {
            Some(connection) => Ok(connection),
            None => Connection::open(port),
        };
        let asked = asked.and_then(|mut connection| {
            let answer = connection.ask("POST", "/predict", record, keep)?;
            Ok((connection, answer))
        });
        let failure = match asked {
            Ok((connection, answer)) if answer.status == 200 && answer.body.contains("prediction") => {
                tally.answered += 1;
                answered.fetch_add(1, Ordering::Relaxed);
                kept = Some(connection).filter(|_| keep && !answer.closes);
                continue;
            }
            Ok((_, answer)) => format!("{} {}", answer.status, answer.body),
            Err(error) => error.to_string(),
        };
        tally.failures.push(failure);
        pause(AFTER_FAILURE);
    }
    tally
}
