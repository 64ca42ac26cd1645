//! How a process is named so that it cannot be taken for a later one of the same number, and what it uses.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::disk::ProcessStat;
use crate::pipeline::ReleaseId;
use crate::target::Usage;

/// A process that leads a group.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedProcess {
    /// What it runs.
    pub release: ReleaseId,
    /// Its number, which is also that of its group.
    pub pid: i32,
    /// Its start in clock ticks since the boot; field 22 of `/proc/<pid>/stat`, see `proc_pid_stat(5)`.
    pub started: u64,
}

/// When the process with that number started, in clock ticks since the boot; `None` if there is none.
pub fn start_time(pid: i32) -> Option<u64> {
    ProcessStat::read(pid).map(|stat| stat.start)
}

/// What a process uses; its processor time is that since it was last asked for.
#[derive(Debug, Clone, Default)]
pub struct Meter {
    last: Arc<Mutex<Option<(Instant, u64)>>>,
}

impl Meter {
    /// Of the process itself, without its children; `None` if it is gone.
    pub fn read(&self, pid: i32) -> Option<Usage> {
        let stat = ProcessStat::read(pid)?;
        let now = Instant::now();
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let before = last.replace((now, stat.ticks));
        let ticks_a_second = rustix::param::clock_ticks_per_second().max(1);
        let cpus = before.map_or(0.0, |(then, ticks)| {
            let seconds = (now - then).as_secs_f64().max(0.001);
            #[expect(clippy::cast_precision_loss, reason = "ticks between two looks are few")]
            let used = stat.ticks.saturating_sub(ticks) as f64 / ticks_a_second as f64;
            used / seconds
        });
        let page = u64::try_from(rustix::param::page_size()).unwrap_or(4096);
        Some(Usage { cpus, memory: stat.resident_pages.saturating_mul(page) })
    }
}
