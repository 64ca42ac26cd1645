//! How fast a page of metrics is read: our strict reader beside `prometheus-parse` and `prometheus-exposition-format-rs`,
//! over the same page in the same run.
//!
//! `cargo run --release --example exposition_bench -- [PAGE]`, where PAGE is a page of the text format such as one of
//! `node_exporter`; without one a page like it is made up. It is repeated to 32 MB, and of five rounds the best counts.

use std::error::Error;
use std::hint::black_box;
use std::time::Instant;
use std::{env, fs};

use prometheus_exposition_format_rs::parse_complete;
use prometheus_parse::Scrape;
use trainyard::monitor::exposition::{Entry, Format, Reader, read};

/// How long the page is made.
const BYTES: usize = 32 * 1000 * 1000;
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let piece = match env::args().nth(1) {
        Some(path) => fs::read_to_string(path)?,
        None => made_up(),
    };
    let page = piece.repeat((BYTES / piece.len().max(1)).max(1));
    println!("a page of {:.1} MB, best of {ROUNDS}", megabytes(&page)?);
    let ours = measure("trainyard: Reader", &page, entries)?;
    measure("trainyard: Reader, every label resolved", &page, labels)?;
    measure("trainyard: read, owned samples", &page, owned)?;
    let theirs = measure("prometheus-parse: Scrape::parse", &page, peer)?;
    println!("trainyard: Reader is {:.1} times as fast as prometheus-parse", ours / theirs);
    // It wants an end of line behind each line and no metric twice, so it gets the page once, not repeated.
    match measure("prometheus-exposition-format-rs", &piece, other_peer) {
        Ok(theirs) => println!("trainyard: Reader is {:.1} times as fast as that", ours / theirs),
        Err(error) => println!("prometheus-exposition-format-rs refuses the page: {error}"),
    }
    Ok(())
}

/// Prints one line and gives the megabytes a second.
fn measure(
    name: &str,
    page: &str,
    work: impl Fn(&str) -> Result<usize, Box<dyn Error>>,
) -> Result<f64, Box<dyn Error>> {
    let mut best = f64::INFINITY;
    let mut found = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        found = black_box(work(black_box(page))?);
        best = best.min(begun.elapsed().as_secs_f64());
    }
    let speed = megabytes(page)? / best;
    println!("{name:<42} {speed:>8.1} MB/s  {found:>8} samples");
    Ok(speed)
}

fn megabytes(page: &str) -> Result<f64, Box<dyn Error>> {
    Ok(f64::from(u32::try_from(page.len())?) / 1e6)
}

fn entries(page: &str) -> Result<usize, Box<dyn Error>> {
    let mut samples = 0;
    for entry in Reader::new(page, Format::Text) {
        samples += usize::from(matches!(entry?, Entry::Sample(_)));
    }
    Ok(samples)
}

fn labels(page: &str) -> Result<usize, Box<dyn Error>> {
    let mut samples = 0;
    for entry in Reader::new(page, Format::Text) {
        if let Entry::Sample(line) = entry? {
            samples += 1;
            black_box(line.name());
            line.labels().for_each(|pair| {
                black_box(pair);
            });
        }
    }
    Ok(samples)
}

fn owned(page: &str) -> Result<usize, Box<dyn Error>> {
    Ok(read(page, Format::Text, usize::MAX)?.samples.len())
}

fn peer(page: &str) -> Result<usize, Box<dyn Error>> {
    let scrape = Scrape::parse(page.lines().map(|line| Ok(line.to_owned())))?;
    Ok(scrape.samples.len())
}

fn other_peer(page: &str) -> Result<usize, Box<dyn Error>> {
    let metrics = parse_complete(page).map_err(|error| format!("{error:?}"))?;
    Ok(metrics.iter().map(|metric| metric.samples.len()).sum())
}

/// A page with what `node_exporter` has: help and type of each metric, few labels or none, short numbers.
fn made_up() -> String {
    let mut page = String::new();
    for metric in 0..200 {
        let name = format!("node_made_up_{metric}_bytes_total");
        page += &format!("# HELP {name} Bytes that the device of this number has sent.\n# TYPE {name} counter\n");
        for device in 0..4 {
            let value = metric * 12_345 + device;
            page += &format!("{name}{{cpu=\"{device}\",device=\"eth{device}\",mode=\"idle\"}} {value}\n");
        }
        page += &format!("# HELP node_made_up_{metric}_ratio A number of its own.\n");
        page += &format!("# TYPE node_made_up_{metric}_ratio gauge\nnode_made_up_{metric}_ratio 1.{metric}e+09\n");
    }
    page
}
