//! Who holds a lock on deploys, and whether that process still lives.
//!
//! A lock may be held by a process, for as long as it lives. It gives the lock back itself; one that was killed cannot, so the
//! daemon looks. A process is told by boot, number and start, never by its number alone, which may be another's by now.

use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::time::sleep;

use super::core::CoreHandle;
use super::supervisor::ProcessIdentity;
use crate::pipeline::{Event, Holder, Input};

/// How often it is looked whether the holder lives. A dead one keeps deploys waiting for no longer than that.
const LOOK: Duration = Duration::from_secs(2);

/// This process, as the holder of a lock; `None` where the system does not tell.
pub fn own() -> Option<Holder> {
    let own = ProcessIdentity::own()?;
    Some(Holder { host: host(), boot: own.boot, pid: u32::try_from(own.pid).ok()?, started: own.start })
}

fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// Whether the holder is known not to live any more. Of one on another machine nothing is known.
pub fn is_gone(holder: &Holder) -> bool {
    let Ok(pid) = i32::try_from(holder.pid) else { return true };
    let identity = ProcessIdentity { boot: holder.boot.clone(), pid, start: holder.started };
    holder.host == host() && !identity.is_alive()
}

/// Tells the core when the process that holds the lock is gone. Ends with the core.
pub async fn watch(core: CoreHandle) {
    let mut events = core.subscribe();
    loop {
        let Some(holder) = core.look(|state, _| state.lock.as_ref().and_then(|lock| lock.holder.clone())).await else {
            return;
        };
        if let Some(holder) = holder {
            if is_gone(&holder) {
                core.input(Input::HolderGone(holder));
            }
            sleep(LOOK).await;
            continue;
        }
        // Nobody holds anything: there is nothing to look at before the next lock.
        loop {
            match events.recv().await {
                Ok(recorded) if !matches!(recorded.event, Event::Locked { .. }) => {}
                Ok(_) | Err(RecvError::Lagged(_)) => break,
                Err(RecvError::Closed) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::process::{Child, Command, Stdio};

    use super::*;

    fn held_by(child: &Child) -> Holder {
        let pid = child.id();
        let identity = ProcessIdentity::of(i32::try_from(pid).unwrap()).unwrap();
        Holder { host: host(), boot: identity.boot, pid, started: identity.start }
    }

    fn sleeper() -> Child {
        Command::new("sleep").arg("1000").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    #[test]
    fn a_holder_is_gone_once_it_was_killed_before_anybody_reaped_it_and_after() {
        let mut child = sleeper();
        let holder = held_by(&child);
        assert!(!is_gone(&holder));
        child.kill().unwrap();
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while !is_gone(&holder) {
            assert!(std::time::Instant::now() < deadline, "a zombie holds the lock");
            std::thread::yield_now();
        }
        child.wait().unwrap();
        assert!(is_gone(&holder));
    }

    #[test]
    fn a_later_process_of_the_same_number_and_one_of_another_boot_hold_nothing() {
        let own = own().unwrap();
        assert!(!is_gone(&own));
        assert!(is_gone(&Holder { started: own.started + 1, ..own.clone() }));
        assert!(is_gone(&Holder { boot: "another".to_owned(), ..own }));
    }

    #[test]
    fn of_a_process_on_another_machine_nothing_is_known() {
        let own = own().unwrap();
        assert!(!is_gone(&Holder { host: format!("not-{}", own.host), boot: "another".to_owned(), ..own }));
    }
}
