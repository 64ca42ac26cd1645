//! Runs at set times: when each schedule fires, and what becomes of times that passed unseen.
//!
//! A timer alone would be wrong: machines are suspended, and clocks are set. So the clock is read anew after at most
//! [`LOOK`], and a time counts by itself: it fires once, whatever the clock does afterwards. What was done with is kept on
//! disk: a time that passed a few minutes ago, while a daemon was started anew, still fires, and fires once; one that passed
//! longer ago was missed.
//!
//! Nothing fires on what an earlier daemon saw, nor while the source cannot be seen (its branch is gone, a rebase is not
//! finished): what passes meanwhile fires when there is something to run on, or was missed.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::sync::watch::Receiver;

use super::core::CoreHandle;
use super::effects::{CurrentSettings, current};
use super::status::Status;
use crate::api::types::WatchMode;
use crate::config::{Missed, ScheduleSettings};
use crate::disk::{Layout, now, write_whole};
use crate::pipeline::{Input, Moment};

/// The longest time between two looks at the clock, which may be set at any moment.
const LOOK: Duration = Duration::from_secs(30);
/// The time between two looks at whether data and source are seen, without which there is nothing to run on.
const NOT_YET: Duration = Duration::from_secs(1);
/// A time that passed longer ago than this, in milliseconds, was missed: a machine may start anew within it.
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

/// What the clock says of schedules.
#[derive(Debug, Default)]
pub struct Due<'s> {
    /// Those that fire now.
    pub firing: Vec<&'s ScheduleSettings>,
    /// Those that do not, though a time of theirs has passed; the first such time.
    pub missed: Vec<(&'s ScheduleSettings, Moment)>,
}

/// What becomes of a schedule now.
enum Turn {
    Nothing,
    Fires,
    Missed(Moment),
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

    /// What fires now and what was missed. Schedules that are not there any more are forgotten.
    pub fn due<'s>(&mut self, schedules: &'s [ScheduleSettings], now: Moment) -> Due<'s> {
        self.0.retain(|name, _| schedules.iter().any(|schedule| schedule.name == *name));
        let mut due = Due::default();
        for schedule in schedules {
            match self.turn(schedule, now) {
                Turn::Nothing => {}
                Turn::Fires => due.firing.push(schedule),
                Turn::Missed(at) => due.missed.push((schedule, at)),
            }
        }
        due
    }

    fn turn(&mut self, schedule: &ScheduleSettings, now: Moment) -> Turn {
        let times = schedule.times();
        if self.0.get(&schedule.name).is_none_or(|kept| kept.times != times) {
            // What passed before it was written was nobody's intention.
            self.0.insert(schedule.name.clone(), Kept { times, until: now, fired: None });
        }
        let Some(kept) = self.0.get_mut(&schedule.name) else { return Turn::Nothing };
        // The clock was set back. To wait until it is where it was may be to wait for ever.
        kept.until = kept.until.min(now);
        let first_behind = |after: Moment| schedule.next_after(after).filter(|at| *at <= now);
        let late = Moment(now.0.saturating_sub(LATE));
        let (mut at, is_missed) = match (first_behind(kept.until.max(late)), first_behind(kept.until)) {
            (Some(at), _) => (at, false),
            (None, Some(at)) => (at, true),
            (None, None) => return Turn::Nothing,
        };
        if !is_missed {
            // Several may have passed since the last look; they are one run.
            while let Some(later) = first_behind(at) {
                at = later;
            }
        }
        kept.until = now;
        if kept.fired == Some(at) {
            return Turn::Nothing;
        }
        if is_missed && schedule.missed == Missed::Skip {
            return Turn::Missed(at);
        }
        kept.fired = Some(at);
        Turn::Fires
    }
}

/// How long nothing can be due.
fn until_next(schedules: &[ScheduleSettings], now: Moment) -> Duration {
    let next = schedules.iter().filter_map(|schedule| schedule.next_after(now)).min();
    let wait = next.and_then(|next| u64::try_from(next.0 - now.0).ok()).map_or(LOOK, Duration::from_millis);
    wait.clamp(Duration::from_millis(1), LOOK)
}

/// Lets schedules fire, as the settings of that moment say, until the daemon ends. `has_looked` is set once data and source
/// were seen by this daemon.
pub(super) async fn keep(
    layout: Layout,
    settings: CurrentSettings,
    core: CoreHandle,
    status: Status,
    mut reloaded: Receiver<()>,
    has_looked: Arc<AtomicBool>,
) {
    let path = layout.state().join("schedules.json");
    let mut calendar = Calendar::read(&path);
    loop {
        let present = current(&settings);
        let may_fire = || has_looked.load(Ordering::Acquire) && sees_source(&status);
        let wait = if present.schedules.is_empty() || may_fire() {
            let moment = now();
            let before = calendar.clone();
            let due = calendar.due(&present.schedules, moment);
            if calendar != before {
                // Before the run, so that a crash between the two does not start it twice.
                let written = write_whole(&path, &serde_json::to_vec_pretty(&calendar).unwrap_or_default());
                status.problem(SUBJECT, written.err().map(|error| format!("cannot write {}: {error}", path.display())));
            }
            tell(&due, &core);
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

/// Whether what is there now is what a run would work on.
fn sees_source(status: &Status) -> bool {
    let mode = status.now().watch.map(|health| health.mode);
    !matches!(mode, Some(WatchMode::Blind { .. }))
}

fn tell(due: &Due<'_>, core: &CoreHandle) {
    for schedule in &due.firing {
        let (name, selection) = (schedule.name.clone(), schedule.selection());
        core.input(Input::Scheduled { name, selection });
    }
    for (schedule, at) in &due.missed {
        core.input(Input::Note(missed(&schedule.name, *at)));
    }
}

/// That nobody was there at that time, and what would make up for it.
fn missed(name: &str, at: Moment) -> String {
    format!(
        "schedule {name} missed its time, {}: nothing could run then, nor within the 10 minutes behind it; `missed = \
         \"run\"` would make up for it, and so does `trainyard run`",
        at.utc()
    )
}

#[cfg(test)]
#[path = "schedule_tests.rs"]
mod tests;
