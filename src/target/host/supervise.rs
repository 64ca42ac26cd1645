//! Keeps the live release alive: what ends is started again, later each time, until the release is retired.
//!
//! A process is started again from here. A container is started again by the engine's own restart policy, also while no host
//! runs; here it is only taken out of the way of requests until it is healthy again, and made anew if it was removed.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::apply::Host;
use super::back_end::BackEnd;
use super::health::{gate, raised};
use super::instance::{End, Instance, Material, adopt};
use crate::target::{ApplyRequest, Failure};

/// The first pause before an instance is started again; each further one is twice as long.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// An instance that lived this long makes the next pause the shortest again.
const STEADY: Duration = Duration::from_mins(1);

/// A release to be kept alive.
#[derive(Debug)]
pub struct Supervised {
    /// Which of the host's releases it is; an older one may not touch what belongs to a newer.
    pub generation: u64,
    /// How it was applied.
    pub request: ApplyRequest,
    /// What it is started from.
    pub material: Material,
    /// Raised when it is to end.
    pub retired: watch::Receiver<bool>,
}

/// Keeps a release alive until it is retired, and then ends it. Without a running instance the first is started at once.
pub async fn supervise(host: Arc<Host>, mut supervised: Supervised, first: Option<Instance>) {
    let release = supervised.request.release;
    let mut running = match first {
        Some(running) => Some(running),
        None => bring_up(&host, &mut supervised).await,
    };
    let mut pause = SHORTEST;
    while !*supervised.retired.borrow() {
        if let Some(instance) = running.take() {
            let since = Instant::now();
            let end = tokio::select! {
                () = raised(&mut supervised.retired) => return host.end(&instance).await,
                end = instance.ended() => end,
            };
            if since.elapsed() >= STEADY {
                pause = SHORTEST;
            }
            match end {
                End::Gone(how) => {
                    host.forget(&instance);
                    host.note_end(supervised.generation, &how);
                    host.log.say(&format!("release {release} ended by itself ({how})"));
                }
                End::Restarted(how) => {
                    host.note_end(supervised.generation, &how);
                    host.note_restart(supervised.generation);
                    host.log.say(&format!("release {release} ended by itself ({how}) and was started again"));
                    running = serve_when_healthy(&host, &mut supervised, instance).await;
                    continue;
                }
            }
        }
        tokio::select! {
            () = raised(&mut supervised.retired) => return,
            () = sleep(pause) => {}
        }
        pause = (pause * 2).min(LONGEST);
        host.note_restart(supervised.generation);
        running = bring_up(&host, &mut supervised).await;
    }
    if let Some(instance) = running {
        host.end(&instance).await;
    }
}

/// Starts an instance and lets it serve once it is healthy; `None` if it did not come so far.
async fn bring_up(host: &Host, supervised: &mut Supervised) -> Option<Instance> {
    // A container that the engine brought up when it came back itself: to start another beside it would end this one.
    if let Ok(Some(instance)) = adopt(&supervised.request).await {
        return serve_when_healthy(host, supervised, instance).await;
    }
    match host.start(&supervised.request, &supervised.material).await {
        Ok(instance) => serve_when_healthy(host, supervised, instance).await,
        Err(Failure::Unfit { reason, .. } | Failure::NotTried { reason, .. }) => {
            host.note_end(supervised.generation, &reason);
            host.log.say(&format!("release {} {reason}", supervised.request.release));
            None
        }
    }
}

async fn serve_when_healthy(host: &Host, supervised: &mut Supervised, instance: Instance) -> Option<Instance> {
    let request = &supervised.request;
    let within = request.healthy_within();
    match gate(&host.probe, &instance, &request.health_path, within, &mut supervised.retired).await {
        Ok(_) => {
            host.settle(&instance).await;
            host.serve_again(supervised.generation, &instance);
            host.log.say(&format!("release {} serves again", request.release));
            Some(instance)
        }
        Err(reason) => {
            host.end(&instance).await;
            host.note_end(supervised.generation, &reason);
            host.log.say(&format!("release {} {reason}", request.release));
            None
        }
    }
}

impl Host {
    /// Takes a release that ended out of the way of requests.
    fn note_end(&self, generation: u64, exit: &str) {
        let mut desk = self.desk();
        if let Some(live) = desk.live.as_mut().filter(|live| live.generation == generation) {
            live.last_exit = Some(exit.to_owned());
            live.instance = None;
            self.switch.replace(None);
        }
    }

    fn note_restart(&self, generation: u64) {
        let mut desk = self.desk();
        if let Some(live) = desk.live.as_mut().filter(|live| live.generation == generation) {
            live.restarts += 1;
        }
    }

    /// Sends requests to the new instance, unless another release has taken over meanwhile.
    fn serve_again(&self, generation: u64, instance: &Instance) {
        let mut desk = self.desk();
        if let Some(live) = desk.live.as_mut().filter(|live| live.generation == generation) {
            live.instance = Some(instance.clone());
            self.switch.replace(Some(BackEnd::new(instance.address())));
        }
    }
}
