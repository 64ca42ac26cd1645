//! The health gate: a release is asked until it answers well, dies, or runs out of time.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::release::Running;
use super::seconds;

/// Time between two questions; it bounds how much later than possible a release goes live.
const EVERY: Duration = Duration::from_millis(50);
/// How long one answer may take.
const ANSWER: Duration = Duration::from_secs(2);

/// Waits until a flag is raised, or until nobody is left who could raise it.
pub async fn raised(flag: &mut watch::Receiver<bool>) {
    // Bound and dropped here, because what `wait_for` returns holds a lock.
    let _ = flag.wait_for(|raised| *raised).await;
}

/// The client that asks. Redirects are not followed: what a release answers at its health path is its own answer.
pub fn probe() -> reqwest::Result<reqwest::Client> {
    reqwest::Client::builder()
        .no_proxy()
        // A connection kept for a next probe would hold up the end of the release.
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER)
        .build()
}

/// How long the release took to become healthy, or what it did instead, to be read behind "release 17".
pub async fn gate(
    probe: &reqwest::Client,
    running: &Running,
    path: &str,
    within: Duration,
    give_up: &mut watch::Receiver<bool>,
) -> Result<Duration, String> {
    let url = format!("http://{}/{}", running.address, path.trim_start_matches('/'));
    let started = Instant::now();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = format!("GET {path} has not been answered yet");
    loop {
        tokio::select! {
            // In this order: a release that is dead is not asked, and its death is the reason even at the last moment.
            biased;
            exit = running.exited() => return Err(format!("ended before it was healthy ({exit}); {last}")),
            () = raised(give_up) => {
                return Err("was given up before it was healthy, because it is no longer wanted".to_owned());
            }
            () = sleep_until(started + within) => {
                return Err(format!("did not become healthy within {}: {last}", seconds(within)));
            }
            answer = async { ticks.tick().await; probe.get(&url).send().await } => match answer {
                Ok(response) if response.status().is_success() => return Ok(started.elapsed()),
                Ok(response) => last = format!("GET {path} answered {}", response.status()),
                Err(error) => last = explain(&error, path, running),
            }
        }
    }
}

fn explain(error: &reqwest::Error, path: &str, running: &Running) -> String {
    if error.is_connect() {
        let address = running.address;
        return format!("nothing listens on {address} (the app must listen on the port in the variable PORT)");
    }
    if error.is_timeout() {
        return format!("GET {path} was not answered within {}", seconds(ANSWER));
    }
    format!("GET {path} failed: {error}")
}
