//! Keeps the live release alive: a process that ends is started again, later each time, until the release is retired.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::apply::Host;
use super::health::{gate, raised};
use super::proxy::BackEnd;
use super::release::Running;
use super::unpack::Unpacked;
use crate::target::ApplyRequest;

/// The first pause before a process is started again; each further one is twice as long.
const SHORTEST: Duration = Duration::from_secs(1);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(30);
/// A process that lived this long makes the next pause the shortest again.
const STEADY: Duration = Duration::from_mins(1);

/// A release to be kept alive.
#[derive(Debug)]
pub struct Supervised {
    /// Which of the host's releases it is; an older one may not touch what belongs to a newer.
    pub generation: u64,
    /// How it was applied.
    pub request: ApplyRequest,
    /// Its files.
    pub unpacked: Unpacked,
    /// Raised when it is to end.
    pub retired: watch::Receiver<bool>,
}

/// Keeps a release alive until it is retired, and then ends it. Without a running process the first is started at once.
pub async fn supervise(host: Arc<Host>, mut supervised: Supervised, first: Option<Running>) {
    let release = supervised.request.release;
    let mut running = match first {
        Some(running) => Some(running),
        None => bring_up(&host, &mut supervised).await,
    };
    let mut pause = SHORTEST;
    while !*supervised.retired.borrow() {
        if let Some(process) = running.take() {
            let since = Instant::now();
            tokio::select! {
                () = raised(&mut supervised.retired) => {
                    process.stop().await;
                    host.forget(&process);
                    return;
                }
                exit = process.exited() => {
                    host.forget(&process);
                    host.note_end(supervised.generation, &exit);
                    host.log.say(&format!("release {release} ended by itself ({exit})"));
                }
            }
            if since.elapsed() >= STEADY {
                pause = SHORTEST;
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
    if let Some(process) = running {
        process.stop().await;
        host.forget(&process);
    }
}

/// Starts a process and lets it serve once it is healthy; `None` if it did not come so far.
async fn bring_up(host: &Host, supervised: &mut Supervised) -> Option<Running> {
    let request = &supervised.request;
    let running = match host.start(request, &supervised.unpacked) {
        Ok(running) => running,
        Err(reason) => {
            host.note_end(supervised.generation, &reason);
            host.log.say(&format!("release {} {reason}", request.release));
            return None;
        }
    };
    let within = request.healthy_within();
    match gate(&host.probe, &running, &request.health_path, within, &mut supervised.retired).await {
        Ok(_) => {
            host.serve_again(supervised.generation, &running);
            host.log.say(&format!("release {} serves again", request.release));
            Some(running)
        }
        Err(reason) => {
            running.stop().await;
            host.forget(&running);
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
            self.switch.replace(None);
        }
    }

    fn note_restart(&self, generation: u64) {
        let mut desk = self.desk();
        if let Some(live) = desk.live.as_mut().filter(|live| live.generation == generation) {
            live.restarts += 1;
        }
    }

    /// Sends requests to the new process, unless another release has taken over meanwhile.
    fn serve_again(&self, generation: u64, running: &Running) {
        let desk = self.desk();
        if desk.live.as_ref().is_some_and(|live| live.generation == generation) {
            self.switch.replace(Some(BackEnd::new(running.address)));
        }
    }
}
