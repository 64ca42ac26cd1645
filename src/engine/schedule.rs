//! Runs at set times: when each schedule fires, and what becomes of times that passed unseen.
//!
//! A timer alone would be wrong: machines are suspended, and clocks are set. So the clock is read anew after at most
//! [`LOOK`], and a time counts by itself: it fires once, whatever the clock does afterwards. What was done with is kept on
//! disk, so that a time that passed while no daemon ran is known to have been missed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch::Receiver;

use super::core::CoreHandle;
use super::effects::{CurrentSettings, current};
use super::status::Status;
use crate::config::{Missed, ScheduleSettings};
use crate::disk::{Layout, now, write_whole};
use crate::pipeline::{Input, Moment};

/// The longest time between two looks at the clock, which may be set at any moment.
const LOOK: Duration = Duration::from_secs(30);
/// The time between two looks at whether data and source have been seen, without which there is nothing to run on.
const NOT_YET: Duration = Duration::from_millis(500);
/// A time that passed longer ago than this, in milliseconds, was missed.
const LATE: i64 = 10 * 60 * 1000;
/// The subject under which the board tells that what was done cannot be kept.
const SUBJECT: &str = "schedules";

/// What is known of one schedule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Kept {
    /// Its times as they were written; others begin anew.
    times: String,
    /// Every time up to this moment is done with.
    until: Moment,
    /// The time for which it fired last.
    fired: Option<Moment>,
}

/// What has been done with of each schedule, by its name.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Calendar(BTreeMap<String, Kept>);

impl Calendar {
    /// What was kept; nothing if it cannot be read, for then every schedule begins anew.
    pub fn read(path: &Path) -> Self {
        fs::read(path).ok().and_then(|text| serde_json::from_slice(&text).ok()).unwrap_or_default()
    }

    /// The schedules that fire now. At the start of a daemon all that has passed was missed. Schedules that are not there any
    /// more are forgotten.
    pub fn due<'s>(
        &mut self,
        schedules: &'s [ScheduleSettings],
        now: Moment,
        is_start: bool,
    ) -> Vec<&'s ScheduleSettings> {
        self.0.retain(|name, _| schedules.iter().any(|schedule| schedule.name == *name));
        schedules.iter().filter(|schedule| self.fires(schedule, now, is_start)).collect()
    }

    fn fires(&mut self, schedule: &ScheduleSettings, now: Moment, is_start: bool) -> bool {
        let times = schedule.times();
        if self.0.get(&schedule.name).is_none_or(|kept| kept.times != times) {
            // What passed before it was written was nobody's intention.
            self.0.insert(schedule.name.clone(), Kept { times, until: now, fired: None });
        }
        let Some(kept) = self.0.get_mut(&schedule.name) else { return false };
        // The clock was set back. To wait until it is where it was may be to wait for ever.
        kept.until = kept.until.min(now);
        let first_behind = |after: Moment| schedule.next_after(after).filter(|at| *at <= now);
        let late = if is_start { now } else { Moment(now.0.saturating_sub(LATE)) };
        let (mut at, is_missed) = match (first_behind(kept.until.max(late)), first_behind(kept.until)) {
            (Some(at), _) => (at, false),
            (None, Some(at)) => (at, true),
            (None, None) => return false,
        };
        if !is_missed {
            // Several may have passed since the last look; they are one run.
            while let Some(later) = first_behind(at) {
                at = later;
            }
        }
        kept.until = now;
        if kept.fired == Some(at) || (is_missed && schedule.missed == Missed::Skip) {
            return false;
        }
        kept.fired = Some(at);
        true
    }
}

/// How long nothing can be due.
fn until_next(schedules: &[ScheduleSettings], now: Moment) -> Duration {
    let next = schedules.iter().filter_map(|schedule| schedule.next_after(now)).min();
    let wait = next.and_then(|next| u64::try_from(next.0 - now.0).ok()).map_or(LOOK, Duration::from_millis);
    wait.clamp(Duration::from_millis(1), LOOK)
}

/// Lets schedules fire, as the settings of that moment say, until the daemon ends.
pub(super) async fn keep(
    layout: Layout,
    settings: CurrentSettings,
    core: CoreHandle,
    status: Status,
    mut reloaded: Receiver<()>,
) {
    let path = layout.state().join("schedules.json");
    let mut calendar = Calendar::read(&path);
    let mut is_start = true;
    loop {
        let Some(has_seen) = core.look(|state, _| state.inputs.is_some()).await else { return };
        let wait = if has_seen {
            let present = current(&settings);
            let moment = now();
            let before = calendar.clone();
            let due = calendar.due(&present.schedules, moment, is_start);
            is_start = false;
            if calendar != before {
                // Before the run, so that a crash between the two does not start it twice.
                let written = write_whole(&path, &serde_json::to_vec_pretty(&calendar).unwrap_or_default());
                status.problem(SUBJECT, written.err().map(|error| format!("cannot write {}: {error}", path.display())));
            }
            for schedule in due {
                let (name, selection) = (schedule.name.clone(), schedule.selection());
                core.input(Input::Scheduled { name, selection });
            }
            until_next(&present.schedules, moment)
        } else {
            NOT_YET
        };
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            changed = reloaded.changed() => {
                if changed.is_err() {
                    // The daemon ends.
                    return;
                }
            }
        }
    }
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
