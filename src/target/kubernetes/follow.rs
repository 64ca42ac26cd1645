//! A rollout followed to its end: complete, or why it will not be.
//!
//! The state is asked for every few moments instead of watched. A rollout lasts seconds, in which a watch that ends, falls
//! behind (410) or is dead for five minutes unnoticed would cost more than the questions; each of these has a limit, so a
//! network that is cut shows at once.
//!
//! The time that a release has to become healthy is counted anew with each pod that becomes available: many pods take
//! longer than one. Time in which the cluster did not answer does not count.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval};

use super::account::Account;
use super::connection::{Cluster, ClusterError};
use super::diagnosis::{Before, Diagnosis, Finding};
use super::observe::{Observed, observe};
use super::patience::{Patience, raised};
use super::progress::{Progress, release_asked_for};
use crate::pipeline::ReleaseId;

/// How often the state is asked for.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Why a rollout is not complete.
#[derive(Debug)]
pub enum Stop {
    /// The release, or what is around it, will not let it.
    Found(Box<Finding>),
    /// It is no longer wanted.
    GivenUp,
    /// Somebody removed or changed it in the middle; how.
    Meddled(String),
    /// The cluster was silent for too long, or refused to tell.
    Cluster(ClusterError),
}

/// A rollout that goes on.
pub struct Rollout<'a> {
    /// Where.
    pub cluster: &'a Cluster,
    /// The name of the Deployment.
    pub deployment: &'a str,
    /// The labels of its pods, as they are asked for.
    pub selector: &'a str,
    /// The release that it is to run.
    pub release: ReleaseId,
    /// Where it is told.
    pub step: &'a (dyn Fn(String) + Send + Sync),
}

impl Rollout<'_> {
    /// The state before something is applied.
    pub async fn before(&self, patience: &mut Patience<'_>) -> Result<Option<Observed>, ClusterError> {
        patience.reach(|| observe(self.cluster, self.deployment, self.selector)).await
    }

    /// Waits until it is complete. `within` is the time to become healthy.
    pub async fn complete(
        &self,
        before: Option<&Observed>,
        within: Duration,
        patience: &mut Patience<'_>,
        give_up: &mut watch::Receiver<bool>,
    ) -> Result<(), Stop> {
        let mut account = Account::new(self.step, before);
        let mut diagnosis = Diagnosis::new(before.map(Before::of).unwrap_or_default());
        let mut clock = Clock::start(patience.lost());
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let seen = tokio::select! {
                biased;
                () = raised(give_up) => return Err(Stop::GivenUp),
                seen = async {
                    ticks.tick().await;
                    patience.reach(|| observe(self.cluster, self.deployment, self.selector)).await
                } => seen.map_err(Stop::Cluster)?,
            };
            let Some(seen) = seen else {
                return Err(Stop::Meddled(format!("deployments/{} was removed by somebody", self.deployment)));
            };
            account.tell(&seen);
            let progress = Progress::of(&seen.deployment);
            let asked_for = release_asked_for(&seen.deployment);
            if asked_for != Some(self.release) {
                return Err(Stop::Meddled(self.other(asked_for)));
            }
            if progress.is_complete() {
                return Ok(());
            }
            let elapsed = clock.elapsed(patience.lost());
            if let Some(finding) = diagnosis.judge(&seen, elapsed).filter(|_| progress.is_seen) {
                return Err(Stop::Found(Box::new(finding)));
            }
            if clock.is_late(progress, elapsed, within) {
                return Err(Stop::Found(Box::new(Diagnosis::late(&seen, within))));
            }
        }
    }

    fn other(&self, asked_for: Option<ReleaseId>) -> String {
        let name = self.deployment;
        match asked_for {
            Some(other) => format!("deployments/{name} was changed by somebody and asks for release {other} now"),
            None => format!("deployments/{name} was changed by somebody and asks for no release of ours now"),
        }
    }
}

/// The time since a rollout began and since it last went on, without the time in which nobody answered.
struct Clock {
    started: Instant,
    /// Silences of before the start.
    lost: Duration,
    best: i32,
    progressed: Duration,
}

impl Clock {
    fn start(lost: Duration) -> Self {
        Self { started: Instant::now(), lost, best: i32::MIN, progressed: Duration::ZERO }
    }

    fn elapsed(&self, lost: Duration) -> Duration {
        self.started.elapsed().saturating_sub(lost.saturating_sub(self.lost))
    }

    /// Whether nothing has become better for too long. Only what was not reached before is better, or a pod that comes and
    /// goes would keep a rollout alive for ever.
    fn is_late(&mut self, progress: Progress, elapsed: Duration, within: Duration) -> bool {
        let reached = if progress.is_seen { goodness(progress) } else { i32::MIN };
        if reached > self.best {
            self.best = reached;
            self.progressed = elapsed;
        }
        elapsed.saturating_sub(self.progressed) > within
    }
}

/// Grows with each pod that is updated, each that becomes available, and each former one that is gone, although that one
/// was available too.
fn goodness(progress: Progress) -> i32 {
    let former = progress.total - progress.updated;
    progress.updated + progress.available - 2 * former
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(updated: i32, total: i32, available: i32) -> Progress {
        Progress { is_seen: true, wanted: 3, updated, total, available }
    }

    const WITHIN: Duration = Duration::from_secs(20);

    #[test]
    fn each_pod_that_becomes_available_has_its_own_time() {
        let mut clock = Clock::start(Duration::ZERO);
        let seconds = Duration::from_secs;
        assert!(!clock.is_late(progress(1, 4, 3), seconds(1), WITHIN));
        assert!(!clock.is_late(progress(1, 3, 3), seconds(15), WITHIN), "a former pod is gone");
        assert!(!clock.is_late(progress(2, 3, 3), seconds(34), WITHIN));
        assert!(!clock.is_late(progress(2, 3, 3), seconds(54), WITHIN));
        assert!(clock.is_late(progress(2, 3, 3), seconds(55), WITHIN));
    }

    #[test]
    fn a_pod_that_comes_and_goes_does_not_keep_a_rollout_alive() {
        let mut clock = Clock::start(Duration::ZERO);
        let mut late = false;
        for second in 1..=60 {
            late |=
                clock.is_late(progress(1, 1, second % 2), Duration::from_secs(second.unsigned_abs().into()), WITHIN);
        }
        assert!(late);
    }

    #[test]
    fn what_was_never_seen_by_the_controller_is_late_too() {
        let mut clock = Clock::start(Duration::ZERO);
        let unseen = Progress { is_seen: false, ..progress(3, 3, 3) };
        assert!(!clock.is_late(unseen, Duration::from_secs(20), WITHIN));
        assert!(clock.is_late(unseen, Duration::from_secs(21), WITHIN));
    }
}
