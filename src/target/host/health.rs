//! The health gate: a release is asked until it answers well, dies, or runs out of time.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use super::instance::{End, Instance};
use super::seconds;
use crate::disk::plain_http;
use crate::target::docker::HealthState;

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
    plain_http()
        // A connection kept for a next probe would hold up the end of the release.
        .pool_max_idle_per_host(0)
        .redirect(reqwest::redirect::Policy::none())
        .timeout(ANSWER)
        .build()
}

/// How long the release took to become healthy, or what it did instead, to be read behind "release 17".
///
/// Healthy is what answers well at `path`, for that is where requests will come from: the image's own health check asks from
/// inside. What that check calls unhealthy is not healthy, whatever it answers.
pub async fn gate(
    probe: &reqwest::Client,
    instance: &Instance,
    path: &str,
    within: Duration,
    give_up: &mut watch::Receiver<bool>,
) -> Result<Duration, String> {
    let url = format!("http://{}/{}", instance.address(), path.trim_start_matches('/'));
    let started = Instant::now();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut last = format!("GET {path} has not been answered yet");
    let ended = instance.ended();
    tokio::pin!(ended);
    loop {
        tokio::select! {
            // In this order: a release that is dead is not asked, and its death is the reason even at the last moment.
            biased;
            end = &mut ended => {
                let (End::Gone(how) | End::Restarted(how)) = end;
                return Err(format!("ended before it was healthy ({how}); {last}"));
            }
            () = raised(give_up) => {
                return Err("was given up before it was healthy, because it is no longer wanted".to_owned());
            }
            () = sleep_until(started + within) => {
                return Err(format!("did not become healthy within {}: {last}", seconds(within)));
            }
            judged = async { ticks.tick().await; judge(probe, instance, &url, path).await } => match judged {
                Judged::Healthy => return Ok(started.elapsed()),
                Judged::NotYet(reason) => last = reason,
                Judged::Unhealthy(reason) => return Err(reason),
            }
        }
    }
}

enum Judged {
    Healthy,
    NotYet(String),
    Unhealthy(String),
}

async fn judge(probe: &reqwest::Client, instance: &Instance, url: &str, path: &str) -> Judged {
    let answer = match probe.get(url).send().await {
        Ok(response) if response.status().is_success() => Ok(()),
        Ok(response) => Err(format!("GET {path} answered {}", response.status())),
        Err(error) => Err(explain(&error, path, instance)),
    };
    match (instance.own_health().await, answer) {
        (Some(own), _) if own.state == HealthState::Unhealthy => {
            Judged::Unhealthy(format!("is unhealthy, says the health check of its image: {}", own.output.trim()))
        }
        (_, Ok(())) => Judged::Healthy,
        (_, Err(reason)) => Judged::NotYet(reason),
    }
}

fn explain(error: &reqwest::Error, path: &str, instance: &Instance) -> String {
    if error.is_connect() || matches!(instance, Instance::Container(_)) && !error.is_timeout() {
        return match instance {
            Instance::Process(running) => {
                let address = running.address;
                format!("nothing listens on {address} (the app must listen on the port in the variable PORT)")
            }
            Instance::Container(_) => {
                "nothing answers on its port (the app must listen on 0.0.0.0 and the port in the variable PORT, which is \
                 `container_port` of the deploy stage)"
                    .to_owned()
            }
        };
    }
    if error.is_timeout() {
        return format!("GET {path} was not answered within {}", seconds(ANSWER));
    }
    format!("GET {path} failed: {error}")
}
