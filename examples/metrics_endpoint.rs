//! A page of many metrics on a loopback port, for `benches/metrics.sh`.
//!
//! `cargo run --release --example metrics_endpoint -- [SERIES]` prints its address and answers until it is ended. Of
//! the series 60 % are counters that advance irregularly, from once in a hundred seconds to 600 times a second, 10 %
//! belong to histograms, and the rest are gauges: limits that stay, numbers of things, bytes, shares with all their
//! digits. Every value is a function of the time since the start. The text between the values is made once.

use std::error::Error;
use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::time::Instant;
use std::{env, thread};

const SERIES: u32 = 10_000;
/// Series of one name.
const OF_A_NAME: u32 = 50;
/// The counters have counted for a day, in seconds.
const AGE: f64 = 86_400.0;
/// Upper bounds, and the share of all observations up to each.
const BUCKETS: [(&str, f64); 8] = [
    ("0.005", 0.05),
    ("0.01", 0.15),
    ("0.025", 0.4),
    ("0.05", 0.6),
    ("0.1", 0.8),
    ("0.25", 0.95),
    ("1", 0.99),
    ("+Inf", 1.0),
];
/// Series of one histogram: its buckets, sum and count.
const OF_A_HISTOGRAM: u32 = 10;

fn main() -> Result<(), Box<dyn Error>> {
    let series = match env::args().nth(1) {
        Some(text) => text.parse()?,
        None => SERIES,
    };
    let page = Arc::new(Page::new(series));
    let listener = TcpListener::bind(("127.0.0.1", 0))?;
    println!("http://{}/metrics", listener.local_addr()?);
    let born = Instant::now();
    for stream in listener.incoming() {
        let (stream, page) = (stream?, Arc::clone(&page));
        // Whoever goes away in the middle of an answer disturbs nobody else.
        thread::spawn(move || answer(stream, &page, born));
    }
    Ok(())
}

/// Answers every request of a connection with the page.
fn answer(mut stream: TcpStream, page: &Page, born: Instant) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut requests = BufReader::new(stream.try_clone()?);
    let mut line = String::new();
    loop {
        line.clear();
        if requests.read_line(&mut line)? == 0 {
            return Ok(());
        }
        // An empty line ends a request, for none has a body.
        if line.trim_end().is_empty() {
            let body = page.at(AGE + born.elapsed().as_secs_f64());
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            let length = body.len();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\ncontent-length: {length}\r\n\r\n");
            stream.write_all(head.as_bytes())?;
            stream.write_all(body.as_bytes())?;
        }
    }
}

/// What a series shows.
#[derive(Debug, Clone, Copy)]
enum Value {
    /// Advances by `pace` a second on the average, and never goes back.
    Rising { pace: f64, place: f64, grain: Option<f64> },
    /// Swings around a middle.
    Swinging { middle: f64, swing: f64, place: f64, grain: Option<f64> },
}

impl Value {
    fn at(self, age: f64) -> f64 {
        let (value, grain) = match self {
            // Faster and slower: the slopes of both waves together stay below one.
            Self::Rising { pace, place, grain } => {
                let waves = 0.6 * (1.9 * age + place).sin() / 1.9 + 0.38 * (0.31 * age + place).sin() / 0.31;
                (pace * (age + waves), grain)
            }
            Self::Swinging { middle, swing, place, grain } => {
                let waves = 0.7 * (0.011 * age + place).sin() + 0.3 * (2.3 * age + place).sin();
                (middle + swing * waves, grain)
            }
        };
        grain.map_or(value, |grain| (value / grain).floor() * grain)
    }
}

/// All series, each with the text up to its value.
#[derive(Debug, Default)]
struct Page {
    series: Vec<(String, Value)>,
    bytes: usize,
}

impl Page {
    fn new(series: u32) -> Self {
        let counters = series / 10 * 6;
        let histograms = series / 10 / OF_A_HISTOGRAM;
        let gauges = series - counters - histograms * OF_A_HISTOGRAM;
        let mut page = Self::default();
        for number in 0..counters {
            page.counter(number);
        }
        for number in 0..gauges {
            page.gauge(number);
        }
        for route in 0..histograms {
            page.histogram(route);
        }
        page
    }

    /// The page at a moment of its life.
    fn at(&self, age: f64) -> String {
        let mut text = String::with_capacity(self.bytes);
        for (before, value) in &self.series {
            text.push_str(before);
            text.push_str(&value.at(age).to_string());
            text.push('\n');
        }
        text
    }

    fn counter(&mut self, number: u32) {
        let (metric, shard) = (number / OF_A_NAME, number % OF_A_NAME);
        let pace = match number % 5 {
            0 => 0.01,
            1 => 0.2,
            2 => 3.0,
            3 => 40.0,
            _ => 600.0,
        };
        let name = format!("load_events_{metric}_total");
        let introduction = introduction(shard, &name, "Events of this kind since the start.", "counter");
        let labels = format!("host=\"node-{}.example\",kind=\"write\",shard=\"{shard}\"", shard % 7);
        let value = Value::Rising { pace, place: f64::from(number), grain: Some(1.0) };
        self.add(format!("{introduction}{name}{{{labels}}} "), value);
    }

    fn gauge(&mut self, number: u32) {
        let (metric, shard) = (number / OF_A_NAME, number % OF_A_NAME);
        let (middle, swing, grain) = match number % 4 {
            0 => (1_024.0, 0.0, None),
            1 => (50.0, 40.0, Some(1.0)),
            2 => (80e6, 12e6, Some(4_096.0)),
            _ => (0.5, 0.4, None),
        };
        let name = format!("load_level_{metric}");
        let introduction = introduction(shard, &name, "How much there is of it now.", "gauge");
        let labels = format!("device=\"disk{}\",host=\"node-{}.example\",shard=\"{shard}\"", shard % 3, shard % 7);
        let value = Value::Swinging { middle, swing, place: f64::from(number), grain };
        self.add(format!("{introduction}{name}{{{labels}}} "), value);
    }

    fn histogram(&mut self, route: u32) {
        let name = "load_latency_seconds";
        let mut introduction = introduction(route, name, "Time from a request to its answer.", "histogram");
        let place = f64::from(route);
        let pace = 1.0 + 3.0 * f64::from(route % 20);
        for (bound, share) in BUCKETS {
            let value = Value::Rising { pace: pace * share, place, grain: Some(1.0) };
            self.add(format!("{introduction}{name}_bucket{{route=\"{route}\",le=\"{bound}\"}} "), value);
            introduction.clear();
        }
        let sum = Value::Rising { pace: pace * 0.07, place, grain: None };
        self.add(format!("{name}_sum{{route=\"{route}\"}} "), sum);
        let count = Value::Rising { pace, place, grain: Some(1.0) };
        self.add(format!("{name}_count{{route=\"{route}\"}} "), count);
    }

    fn add(&mut self, before: String, value: Value) {
        // With room for a value and its line break.
        self.bytes += before.len() + 24;
        self.series.push((before, value));
    }
}

/// The lines before the first series of a name.
fn introduction(index: u32, name: &str, help: &str, kind: &str) -> String {
    if index == 0 { format!("# HELP {name} {help}\n# TYPE {name} {kind}\n") } else { String::new() }
}
