//! Following a container: told promptly when it ends, and truly even if the telling was missed.
//!
//! The engine tells of an end only to who is listening at that moment, and its list of past events is short and shared by
//! all containers. So its telling (`wait`) only wakes up; what happened is seen by looking, which is also done every few
//! seconds without being woken.

use std::time::Duration;

use bollard::errors::Error;
use bollard::models::ContainerWaitResponse;
use bollard::query_parameters::WaitContainerOptionsBuilder;
use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use tokio::time::sleep;

use super::container::Container;
use super::containers;
use super::life::{self, Verdict};

/// The longest time in which an end is noticed whose telling was missed.
const LOOK: Duration = Duration::from_secs(5);
/// A container that does not run is looked at again after this time: an engine on its way down stops what it will start
/// again, and does not say so.
const CONFIRM: Duration = Duration::from_secs(1);
/// The first pause before an engine that does not answer is asked again; each further one is twice as long.
const SHORTEST: Duration = Duration::from_millis(200);
/// The longest pause.
const LONGEST: Duration = Duration::from_secs(5);

/// How a life of a container came to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContainerEnd {
    /// It ended, and the engine starts it again by its restart policy, or did so already. It is to be judged anew at the same
    /// address, and followed again.
    Restarted {
        /// "exited with code 137 (killed, out of memory)".
        how: String,
    },
    /// It does not run any more and will not by itself. A new one is to be started.
    Gone {
        /// "was removed by hand".
        how: String,
    },
}

type Waits = BoxStream<'static, Result<ContainerWaitResponse, Error>>;

impl Container {
    /// Waits until the container ends, however long that takes. While the engine does not answer, nothing is known and
    /// nothing is told: its containers may live on without it.
    ///
    /// Each end is told once, also one that came about while nobody followed; so it is for one follower at a time. The future
    /// may be dropped at any point and asked for anew.
    pub async fn follow(&self) -> ContainerEnd {
        let mut waits: Option<Waits> = None;
        let mut code = None;
        let mut was_stopped = false;
        let mut was_away = false;
        let mut pause = SHORTEST;
        loop {
            let Ok(seen) = containers::look(self.engine(), self.id()).await else {
                // A poll: an engine that is not there cannot tell when it is.
                was_away = true;
                waits = None;
                sleep(pause).await;
                pause = (pause * 2).min(LONGEST);
                continue;
            };
            pause = SHORTEST;
            let Some(seen) = seen else { return ContainerEnd::Gone { how: "was removed by hand".to_owned() } };
            // Bound first, so that the lock is not held in the arms.
            let verdict = self.life().judge(&seen);
            match verdict {
                Verdict::Lives => was_stopped = false,
                Verdict::Ended(how) => {
                    let ran_out = seen.state.as_ref().is_some_and(|state| state.oom_killed == Some(true));
                    let waited = code.map(|code| life::exit(code, ran_out));
                    return ContainerEnd::Restarted { how: how.or(waited).unwrap_or_else(|| unseen(was_away)) };
                }
                Verdict::Stopped(how) if was_stopped => return ContainerEnd::Gone { how },
                Verdict::Stopped(_) => {
                    was_stopped = true;
                    sleep(CONFIRM).await;
                    continue;
                }
            }
            let next = waits.get_or_insert_with(|| self.waits());
            let woken = tokio::select! {
                end = next.next() => Some(end),
                () = sleep(LOOK) => None,
            };
            if let Some(end) = woken {
                waits = None;
                code = exit_code(end.as_ref());
                if code.is_none() {
                    // The connection ended and not the container; without a pause a broken engine would be asked without end.
                    sleep(SHORTEST).await;
                }
            }
        }
    }

    /// The next end of the container, as far as the engine tells of it.
    fn waits(&self) -> Waits {
        // Also fulfilled when it is started again at once: each end closes what waits for it.
        let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
        self.engine().client().wait_container(self.id(), Some(options)).boxed()
    }
}

fn exit_code(end: Option<&Result<ContainerWaitResponse, Error>>) -> Option<i64> {
    match end {
        Some(Ok(response)) => Some(response.status_code),
        Some(Err(Error::DockerContainerWaitError { code, .. })) => Some(*code),
        Some(Err(_)) | None => None,
    }
}

fn unseen(was_away: bool) -> String {
    let how = if was_away { "ended while Docker Engine was away" } else { "ended, and how was not seen" };
    how.to_owned()
}
