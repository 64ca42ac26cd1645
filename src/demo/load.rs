//! A gentle load on the deployed app, so that its charts have something to show.
//!
//! Between 5 and 20 predictions a second, in waves of a minute; the wines look random and are the same every time. The
//! app may be absent, redeployed or wrong: the load goes on, for saying so is the business of the monitor.

use std::convert::Infallible;
use std::f64::consts::TAU;
use std::future::pending;
use std::time::Duration;

use reqwest::Client;
use serde_json::{Map, Value};
use tokio::time::{Instant, interval};

use super::batches::wines;

/// Requests a second, on the average.
const MIDDLE: f64 = 12.5;
/// How far the rate goes up and down from there.
const SWING: f64 = 7.5;
/// Seconds of one wave.
const WAVE: f64 = 60.0;
/// What the clients of the app do not send, for it is costly to measure; the model of the demo does without it.
const NOT_SENT: &str = "chlorides";
/// One request in so many is wrong, so that errors are seen on a chart too.
const WRONG: u64 = 60;
/// How long an answer may take.
const PATIENCE: Duration = Duration::from_secs(2);
/// Time to the next try when nobody answers.
const ABSENT: Duration = Duration::from_millis(500);

/// Asks for predictions at 127.0.0.1:`port` until it is dropped.
pub async fn run(port: u16) -> Infallible {
    let Ok(client) = crate::disk::plain_http().timeout(PATIENCE).build() else { return pending().await };
    let url = format!("http://127.0.0.1:{port}/predict");
    let mut requests = Requests::new();
    let started = Instant::now();
    let mut turns = interval(ABSENT);
    loop {
        turns.tick().await;
        let has_answered = ask(&client, &url, &requests.record()).await.is_ok();
        turns.reset_after(if has_answered { pause(started.elapsed()) } else { ABSENT });
    }
}

async fn ask(client: &Client, url: &str, record: &Map<String, Value>) -> reqwest::Result<()> {
    let response = client.post(url).json(record).send().await?;
    // Read to its end, so that the connection serves again.
    response.bytes().await.map(drop)
}

/// The time between two requests, when the load has gone on for so long.
fn pause(gone: Duration) -> Duration {
    let rate = MIDDLE + SWING * (TAU * gone.as_secs_f64() / WAVE).sin();
    Duration::from_secs_f64(1.0 / rate)
}

/// Records without end.
struct Requests {
    records: Vec<Map<String, Value>>,
    count: u64,
    random: u64,
}

impl Requests {
    fn new() -> Self {
        let sent = |mut record: Map<String, Value>| {
            record.remove(NOT_SENT);
            record
        };
        Self { records: wines().into_iter().map(|wine| sent(wine.record)).collect(), count: 0, random: 1 }
    }

    fn record(&mut self) -> Map<String, Value> {
        self.count += 1;
        // The multiplier and increment of Knuth's MMIX generator; its high bits are good enough to pick wines.
        self.random = self.random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let place = usize::try_from(self.random >> 33).unwrap_or(0).checked_rem(self.records.len()).unwrap_or(0);
        let mut record = self.records.get(place).cloned().unwrap_or_default();
        if self.count.is_multiple_of(WRONG) {
            record.insert("alcohol".to_owned(), Value::from("strong"));
        }
        record
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rate_stays_between_5_and_20_a_second() {
        let pauses: Vec<f64> = (0..120).map(|second| pause(Duration::from_secs(second)).as_secs_f64()).collect();
        assert!(pauses.iter().all(|pause| (0.049..=0.201).contains(pause)), "{pauses:?}");
        assert!(pauses.iter().any(|pause| *pause < 0.051) && pauses.iter().any(|pause| *pause > 0.19));
    }

    #[test]
    fn one_record_in_sixty_is_wrong_and_the_others_are_spread_over_the_data() {
        let mut requests = Requests::new();
        let records: Vec<_> = (0..600).map(|_| requests.record()).collect();
        assert_eq!(records.iter().filter(|record| record["alcohol"].is_string()).count(), 10);
        let first_wines = records.iter().filter(|record| requests.records[..800].contains(record)).count();
        assert!((150..450).contains(&first_wines), "{first_wines}");
        let mut again = Requests::new();
        assert!(records.iter().all(|record| *record == again.record()));
    }
}
