//! Landmarks: the few events of a journal that are seen from afar, and by which one steps along the line of time.
//!
//! They are read once and then followed: a look costs what is new. Only events of the kinds that can be one are read at all.

use std::collections::BTreeMap;

use crate::api::types::{DeploySeen, Happening, Stride};
use crate::engine::journal::{Journal, JournalError};
use crate::pipeline::{Event, Moment, Recorded, RunId};

/// The kinds of events that can be a landmark, as they are written.
const KINDS: [&str; 8] = [
    "run_started",
    "run_finished",
    "stage_finished",
    "release_rejected",
    "alert_fired",
    "alert_resolved",
    "commanded",
    "daemon_ended",
];

/// Where a run began and where it ended, by numbers of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RunEnds {
    /// When its turn came; of one that never had it, when it was over.
    pub(super) start: u64,
    /// When it was over.
    pub(super) end: Option<u64>,
}

#[derive(Debug)]
struct Landmark {
    sequence: u64,
    at: Moment,
    what: Happening,
}

/// All of a journal.
#[derive(Debug, Default)]
pub(super) struct Landmarks {
    read_to: u64,
    found: Vec<Landmark>,
    runs: BTreeMap<RunId, RunEnds>,
}

impl Landmarks {
    /// Reads what is new in the journal.
    pub(super) fn follow(&mut self, journal: &Journal) -> Result<(), JournalError> {
        // What was read before an error is not read twice.
        self.read_to = journal.pick(self.read_to, |kind| KINDS.contains(&kind), |recorded| self.take(recorded))?;
        Ok(())
    }

    /// Whether this is the release that a rollback left: noted right behind the one that went live in its place, it is no deploy.
    fn is_left(&self, sequence: u64, what: Happening) -> bool {
        let is_live = |last: &Landmark| {
            last.what == Happening::Deploy(DeploySeen::Live) && last.sequence.saturating_add(1) == sequence
        };
        what == Happening::Deploy(DeploySeen::Rejected) && self.found.last().is_some_and(is_live)
    }

    fn take(&mut self, recorded: &Recorded) {
        let Recorded { sequence, at, event } = recorded;
        if self.found.last().is_some_and(|last| last.sequence >= *sequence) {
            return;
        }
        if let Some(what) = Happening::of(event).filter(|what| !self.is_left(*sequence, *what)) {
            self.found.push(Landmark { sequence: *sequence, at: *at, what });
        }
        if let Event::RunStarted { run } = event {
            self.runs.insert(*run, RunEnds { start: *sequence, end: None });
        }
        if let Event::RunFinished { run, .. } = event {
            self.runs.entry(*run).or_insert(RunEnds { start: *sequence, end: None }).end = Some(*sequence);
        }
    }

    /// The ends of a run.
    pub(super) fn run(&self, run: RunId) -> Option<RunEnds> {
        self.runs.get(&run).copied()
    }

    /// The landmark so many of its kind behind event `sequence`, or before it; the furthest if there are fewer.
    pub(super) fn beside(&self, sequence: u64, stride: Stride, steps: i64) -> Option<u64> {
        let is_meant = |landmark: &&Landmark| landmark.what.stride() == Some(stride);
        let count = usize::try_from(steps.unsigned_abs()).unwrap_or(usize::MAX);
        let (before, behind) = self.found.split_at(self.found.partition_point(|landmark| landmark.sequence < sequence));
        let found = if steps < 0 {
            before.iter().rev().filter(is_meant).take(count).last()
        } else {
            behind.iter().filter(|landmark| landmark.sequence > sequence).filter(is_meant).take(count).last()
        };
        found.map(|landmark| landmark.sequence)
    }

    /// What happened from one moment to another, both included.
    pub(super) fn between(&self, from: Moment, to: Moment) -> impl Iterator<Item = (Moment, Happening)> {
        let is_meant = move |landmark: &&Landmark| landmark.at >= from && landmark.at <= to;
        self.found.iter().filter(is_meant).map(|landmark| (landmark.at, landmark.what))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{Attempt, Outcome, Outputs, ReleaseId};

    #[test]
    fn the_release_that_a_rollback_left_is_no_deploy_that_was_rejected() {
        let live = Event::StageFinished {
            run: RunId(3),
            stage: "deploy".into(),
            attempt: Attempt(1),
            outcome: Outcome::Passed,
            outputs: Outputs { live: Some(ReleaseId(3)), ..Outputs::default() },
            output_held: false,
        };
        let rejected = |release| Event::ReleaseRejected { release: ReleaseId(release) };
        let mut landmarks = Landmarks::default();
        for (sequence, event) in (1..).zip([live, rejected(2), rejected(4)]) {
            landmarks.take(&Recorded { sequence, at: Moment(i64::try_from(sequence).unwrap()), event });
        }
        let found: Vec<Happening> = landmarks.found.iter().map(|landmark| landmark.what).collect();
        assert_eq!(found, [Happening::Deploy(DeploySeen::Live), Happening::Deploy(DeploySeen::Rejected)]);
    }
}
