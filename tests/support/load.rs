//! A load of predictions that counts every request which is not answered as it should be, with what went wrong.
//!
//! Some threads keep their connection, the others make one for each request: a switch can lose either kind. With a rate the
//! requests have their times whether or not the app keeps up, and a latency counts from the time at which the request was
//! due, so an app that hangs for a second shows that second in all requests which had to wait. Without one, each thread asks
//! as fast as it is answered. Nothing is ever asked twice.

use std::fmt;
use std::mem::take;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::commands::pause;
use super::http::{Answer, Connection};

/// The pause behind a failure where there is no rate, lest an app that is gone be asked a million times.
const AFTER_FAILURE: Duration = Duration::from_millis(50);
/// How many failures are shown; after these they repeat.
const SHOWN: usize = 20;

/// What is asked, and by whom.
#[derive(Debug, Clone)]
pub struct LoadPlan {
    port: u16,
    path: &'static str,
    body: String,
    expected: &'static str,
    keeping: usize,
    fresh: usize,
    rate: Option<u32>,
}

impl LoadPlan {
    /// Predictions of one record, asked on the stable address by three threads on kept connections and two on fresh ones.
    pub fn of(port: u16, record: impl Into<String>) -> Self {
        let (path, expected) = ("/predict", "\"prediction\"");
        Self { port, path, body: record.into(), expected, keeping: 3, fresh: 2, rate: None }
    }

    /// So many threads of each kind.
    pub fn threads(self, keeping: usize, fresh: usize) -> Self {
        Self { keeping, fresh, ..self }
    }

    /// So many requests a second, over all threads. There must be threads enough for those that are in flight at a time.
    pub fn rate(self, a_second: u32) -> Self {
        Self { rate: Some(a_second.max(1)), ..self }
    }

    /// Starts it.
    pub fn start(self) -> Load {
        let shared = Arc::new(Shared {
            plan: self,
            started: Instant::now(),
            taken: AtomicU64::new(0),
            answered: AtomicU64::new(0),
            is_over: Mutex::new(false),
            over: Condvar::new(),
        });
        let start = |keep: bool| {
            let shared = Arc::clone(&shared);
            thread::spawn(move || shared.ask_on(keep))
        };
        let keeping = (0..shared.plan.keeping).map(|_| start(true)).collect();
        let fresh = (0..shared.plan.fresh).map(|_| start(false)).collect();
        Load { shared, keeping, fresh }
    }

    /// Asks for so long.
    pub fn run_for(self, length: Duration) -> Loaded {
        let load = self.start();
        pause(length);
        load.finish()
    }
}

/// A load that goes on until it is finished.
pub struct Load {
    shared: Arc<Shared>,
    keeping: Vec<JoinHandle<Tally>>,
    fresh: Vec<JoinHandle<Tally>>,
}

impl Load {
    /// How many were answered until now.
    pub fn answered(&self) -> u64 {
        self.shared.answered.load(Ordering::Relaxed)
    }

    /// Ends it and counts; what is in flight is waited for.
    pub fn finish(mut self) -> Loaded {
        self.shared.end();
        let (mut failures, mut latencies) = (Vec::new(), Vec::new());
        let mut count = |threads: Vec<JoinHandle<Tally>>| {
            let mut answered = 0;
            for thread in threads {
                let tally = thread.join().unwrap();
                answered += u64::try_from(tally.latencies.len()).unwrap();
                failures.extend(tally.failures);
                latencies.extend(tally.latencies);
            }
            answered
        };
        let (keeping, fresh) = (count(take(&mut self.keeping)), count(take(&mut self.fresh)));
        failures.sort_by_key(|(at, _)| *at);
        latencies.sort_unstable();
        let failures = failures.into_iter().map(|(at, text)| format!("{:.3} s: {text}", at.as_secs_f64())).collect();
        Loaded { keeping, fresh, failures, took: self.shared.started.elapsed(), latencies }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.end();
    }
}

/// What came of a load.
#[derive(Debug)]
pub struct Loaded {
    /// Answered on connections that were kept.
    pub keeping: u64,
    /// Answered on connections made for one request each.
    pub fresh: u64,
    /// Every request that was not answered with a 2xx status and a whole prediction: when, on which kind of connection, and
    /// what came instead.
    pub failures: Vec<String>,
    /// How long it took.
    pub took: Duration,
    /// Of all that were answered, the shortest first.
    latencies: Vec<Duration>,
}

impl Loaded {
    /// How many were answered.
    pub fn total(&self) -> u64 {
        self.keeping + self.fresh
    }

    /// Half of the answers were as fast as this.
    pub fn p50(&self) -> Duration {
        self.quantile(500)
    }

    /// Ninety-nine of a hundred answers were as fast as this.
    pub fn p99(&self) -> Duration {
        self.quantile(990)
    }

    /// The slowest answer.
    pub fn max(&self) -> Duration {
        self.quantile(1_000)
    }

    fn quantile(&self, of_a_thousand: usize) -> Duration {
        let last = self.latencies.len().saturating_sub(1);
        self.latencies.get((last * of_a_thousand).div_ceil(1_000)).copied().unwrap_or_default()
    }

    /// Insists that requests of both kinds were asked for, at least so many in all, and that every one was answered.
    #[track_caller]
    pub fn assert_none_lost(&self, at_least: u64) {
        let shown = self.failures.get(..SHOWN.min(self.failures.len())).unwrap_or_default().join("\n");
        assert!(self.failures.is_empty(), "{self}\n{shown}");
        assert!(self.total() >= at_least && self.keeping > 0 && self.fresh > 0, "too few requests: {self}");
    }
}

impl fmt::Display for Loaded {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = u128::from(self.total()) * 1_000 / self.took.as_millis().max(1);
        write!(
            formatter,
            "{} predictions in {:.1} s ({rate} a second): {} on kept connections, {} on fresh ones, {} failed; p50 {:.1?}, p99 {:.1?}, max {:.1?}",
            self.total(),
            self.took.as_secs_f64(),
            self.keeping,
            self.fresh,
            self.failures.len(),
            self.p50(),
            self.p99(),
            self.max(),
        )
    }
}

struct Shared {
    plan: LoadPlan,
    started: Instant,
    /// How many requests have been given to a thread.
    taken: AtomicU64,
    answered: AtomicU64,
    is_over: Mutex<bool>,
    over: Condvar,
}

#[derive(Default)]
struct Tally {
    latencies: Vec<Duration>,
    failures: Vec<(Duration, String)>,
}

impl Shared {
    fn end(&self) {
        *self.is_over.lock().unwrap() = true;
        self.over.notify_all();
    }

    /// Waits until `moment`; false once the load is over.
    fn wait_until(&self, moment: Instant) -> bool {
        let mut is_over = self.is_over.lock().unwrap();
        loop {
            let left = moment.saturating_duration_since(Instant::now());
            if *is_over || left.is_zero() {
                return !*is_over;
            }
            is_over = self.over.wait_timeout(is_over, left).unwrap().0;
        }
    }

    /// When the next request is due.
    fn next(&self) -> Instant {
        match self.plan.rate {
            None => Instant::now(),
            Some(rate) => {
                let number = self.taken.fetch_add(1, Ordering::Relaxed);
                self.started + Duration::from_nanos(number.saturating_mul(1_000_000_000) / u64::from(rate))
            }
        }
    }

    fn ask_on(&self, keep: bool) -> Tally {
        let kind = if keep { "kept connection" } else { "fresh connection" };
        let mut tally = Tally::default();
        let mut kept: Option<Connection> = None;
        let mut due = self.next();
        while self.wait_until(due) {
            match self.ask(kept.take(), keep) {
                Ok(connection) => {
                    tally.latencies.push(due.elapsed());
                    self.answered.fetch_add(1, Ordering::Relaxed);
                    kept = connection;
                    due = self.next();
                }
                Err(reason) => {
                    tally.failures.push((self.started.elapsed(), format!("{kind}: {reason}")));
                    due = self.next();
                    if self.plan.rate.is_none() {
                        due += AFTER_FAILURE;
                    }
                }
            }
        }
        tally
    }

    /// One request. Gives back the connection if it can be used again.
    fn ask(&self, kept: Option<Connection>, keep: bool) -> Result<Option<Connection>, String> {
        let LoadPlan { port, path, body, expected, .. } = &self.plan;
        let is_new = kept.is_none();
        let opened = kept.map_or_else(|| Connection::open(*port), Ok);
        let mut connection = opened.map_err(|error| format!("cannot connect: {error}"))?;
        let answer: Answer = connection.ask("POST", path, body, keep).map_err(|error| {
            let used = if is_new { "" } else { " (used before)" };
            format!("no whole answer{used}: {error}")
        })?;
        if !(200..300).contains(&answer.status) || !answer.body.contains(expected) {
            return Err(format!("{} {}", answer.status, answer.body.trim()));
        }
        Ok(Some(connection).filter(|_| keep && !answer.closes))
    }
}
