//! What a journal adds up to: runs and stages by result with the time they took, releases, rollbacks.
//!
//! The state forgets old runs and releases, so nothing that only grows can be read from it. A [`Tally`] is a fold of its own
//! over all events: made anew from the journal by each daemon, it gives the same numbers as the one before, and later ones
//! are never smaller. Nothing is decided by it.

use std::collections::BTreeMap;

use super::delivery::{self, Delivered, Delivery};
use super::event::{Event, Recorded};
use super::explain;
use super::ids::{Moment, ReleaseId, RunId, StageName};
use super::reason::{Outcome, RunResult, Trigger};
use super::run::Outputs;

/// Upper bounds of the histogram of runs, in milliseconds: from a pipeline that does nothing to one that trains for a day.
pub const RUN_BOUNDS: [u64; 12] =
    [1_000, 5_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000, 3_600_000, 14_400_000, 86_400_000];
/// Releases beyond this many are forgotten, the oldest first; a month holds fewer.
const RELEASES_KEPT: usize = 10_000;
/// Who may want a rollback.
const CAUSES: [&str; 2] = ["operator", "alert"];

/// How often something took how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// How many.
    pub count: u64,
    /// Milliseconds of all together.
    pub milliseconds: u64,
}

impl Spent {
    fn add(&mut self, milliseconds: u64) {
        self.count += 1;
        self.milliseconds = self.milliseconds.saturating_add(milliseconds);
    }
}

/// The numbers that a journal adds up to.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tally {
    sequence: u64,
    began: Option<Moment>,
    runs: BTreeMap<&'static str, u64>,
    run_time: Spent,
    /// For each bound the runs up to it that are above the bound before.
    run_buckets: [u64; RUN_BOUNDS.len()],
    attempts: BTreeMap<(StageName, &'static str), Spent>,
    releases: BTreeMap<&'static str, u64>,
    rollbacks: BTreeMap<&'static str, u64>,
    /// When the newest inputs were seen.
    observed: Option<Moment>,
    /// When those inputs were seen that were last put into service.
    delivered: Option<Moment>,
    open: BTreeMap<RunId, OpenRun>,
    live: Option<ReleaseId>,
    /// A deploy that ended without its release serving; the next event says whether the release was found unfit.
    undecided: Option<ReleaseId>,
    history: BTreeMap<ReleaseId, Delivered>,
}

/// A run that is not over.
#[derive(Debug, Clone, PartialEq)]
struct OpenRun {
    /// When its inputs were seen.
    observed: Moment,
    started: Option<Moment>,
    /// Who wanted it to go back to an earlier release, if it does.
    rollback: Option<&'static str>,
    running: BTreeMap<StageName, (Moment, Option<ReleaseId>)>,
}

impl Tally {
    /// The number of the last event that is counted.
    pub fn sequence(&self) -> u64 {
        self.sequence
    }

    /// Counts one event. One that has been counted before, as when a journal is read again, changes nothing.
    pub fn apply(&mut self, recorded: &Recorded) {
        if recorded.sequence <= self.sequence {
            return;
        }
        self.sequence = recorded.sequence;
        let at = recorded.at;
        self.began.get_or_insert(at);
        self.settle(at, &recorded.event);
        match &recorded.event {
            Event::InputsObserved { .. } => self.observed = Some(at),
            Event::RunCreated { run, trigger, .. } => {
                let observed = self.observed.unwrap_or(at);
                let open = OpenRun { observed, started: None, rollback: cause_of(trigger), running: BTreeMap::new() };
                self.open.insert(*run, open);
            }
            Event::RunStarted { run } => {
                if let Some(open) = self.open.get_mut(run) {
                    open.started = Some(at);
                }
            }
            Event::RunFinished { run, result } => self.run_finished(at, *run, *result),
            Event::StageStarted { run, stage, release, .. } => {
                if let Some(open) = self.open.get_mut(run) {
                    open.running.insert(stage.clone(), (at, *release));
                }
            }
            Event::StageFinished { run, stage, outcome, outputs, .. } => {
                self.stage_finished(at, *run, stage, outcome, outputs);
            }
            // Whatever else happens is not counted.
            _ => {}
        }
    }

    /// Runs that are over, by result.
    pub fn runs(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let results =
            [RunResult::Passed, RunResult::Failed, RunResult::Held, RunResult::Cancelled, RunResult::Superseded];
        results
            .map(explain::result)
            .into_iter()
            .map(move |result| (result, self.runs.get(result).copied().unwrap_or(0)))
    }

    /// The time that runs took from their turn to their end.
    pub fn run_time(&self) -> Spent {
        self.run_time
    }

    /// For each of [`RUN_BOUNDS`] how many runs took no longer.
    pub fn run_buckets(&self) -> impl Iterator<Item = (u64, u64)> {
        let mut total = 0;
        RUN_BOUNDS.into_iter().zip(self.run_buckets).map(move |(bound, count)| {
            total += count;
            (bound, total)
        })
    }

    /// The time that attempts of stages took, by stage and result.
    pub fn attempts(&self) -> impl Iterator<Item = (&StageName, &'static str, Spent)> {
        self.attempts.iter().map(|((stage, result), spent)| (stage, *result, *spent))
    }

    /// Deploys that are over, by what became of the release then.
    pub fn releases(&self) -> impl Iterator<Item = (&'static str, u64)> {
        let results = [LIVE, REJECTED, ABANDONED].into_iter();
        results.map(move |result| (result, self.releases.get(result).copied().unwrap_or(0)))
    }

    /// Rollbacks that were carried out, by cause.
    pub fn rollbacks(&self) -> impl Iterator<Item = (&'static str, u64)> {
        CAUSES.into_iter().map(move |cause| (cause, self.rollbacks.get(cause).copied().unwrap_or(0)))
    }

    /// The figures of delivery over the last days before `now`.
    pub fn delivery(&self, now: Moment) -> Delivery {
        delivery::figures(self.history.values(), self.began, now)
    }

    fn run_finished(&mut self, at: Moment, run: RunId, result: RunResult) {
        *self.runs.entry(explain::result(result)).or_default() += 1;
        // One that gave way before its turn came took no time.
        let Some(started) = self.open.remove(&run).and_then(|open| open.started) else { return };
        let took = at.since(started);
        self.run_time.add(took);
        let bucket = RUN_BOUNDS.partition_point(|bound| *bound < took);
        if let Some(count) = self.run_buckets.get_mut(bucket) {
            *count += 1;
        }
    }

    fn stage_finished(&mut self, at: Moment, run: RunId, stage: &StageName, outcome: &Outcome, outputs: &Outputs) {
        let Some(open) = self.open.get_mut(&run) else { return };
        let Some((started, release)) = open.running.remove(stage) else { return };
        let result = match outcome {
            Outcome::Passed => "passed",
            Outcome::Failed(_) => "failed",
            Outcome::Cancelled => "cancelled",
            Outcome::Interrupted => "interrupted",
        };
        self.attempts.entry((stage.clone(), result)).or_default().add(at.since(started));
        let (observed, rollback) = (open.observed, open.rollback);
        let Some(release) = release else { return };
        // As in the state: what the target says is live decides.
        let live = outputs.live.or_else(|| (*outcome == Outcome::Passed).then_some(release));
        if live == Some(release) {
            self.went_live(at, release, observed, rollback);
        } else {
            self.undecided = Some(release);
            let unserved = Delivered { decided: at, is_rollback: rollback.is_some(), ..Delivered::default() };
            self.remember(release, unserved);
        }
    }

    fn went_live(&mut self, at: Moment, release: ReleaseId, observed: Moment, rollback: Option<&'static str>) {
        *self.releases.entry(LIVE).or_default() += 1;
        if let Some(cause) = rollback {
            *self.rollbacks.entry(cause).or_default() += 1;
        }
        // What is deployed again brings nothing new, however old it is.
        let is_news = rollback.is_none() && self.delivered.is_none_or(|before| before < observed);
        if is_news {
            self.delivered = Some(observed);
        }
        if let Some(left) = self.live.filter(|left| *left != release).and_then(|left| self.history.get_mut(&left)) {
            left.left = Some(at);
        }
        self.live = Some(release);
        let delivered = Delivered {
            decided: at,
            is_rollback: rollback.is_some(),
            lead: is_news.then(|| at.since(observed)),
            live_since: Some(at),
            left: None,
            rejected: false,
        };
        self.remember(release, delivered);
    }

    /// Says of a deploy that ended without its release serving what became of it: the verdict, if there is one, is the very
    /// next event.
    fn settle(&mut self, at: Moment, event: &Event) {
        let undecided = self.undecided.take();
        if let Event::ReleaseRejected { release } = event {
            if let Some(known) = self.history.get_mut(release) {
                known.rejected = true;
                // It may have been left by way of a release that is not there any more.
                known.left = known.left.or_else(|| known.live_since.map(|_| at));
            }
            if undecided == Some(*release) {
                *self.releases.entry(REJECTED).or_default() += 1;
                return;
            }
        }
        if undecided.is_some() {
            *self.releases.entry(ABANDONED).or_default() += 1;
        }
    }

    fn remember(&mut self, release: ReleaseId, delivered: Delivered) {
        self.history.insert(release, delivered);
        while self.history.len() > RELEASES_KEPT {
            self.history.pop_first();
        }
    }
}

/// The release serves.
const LIVE: &str = "live";
/// It was found unfit, and the former one went on.
const REJECTED: &str = "rejected";
/// Its deploy ended for a reason that says nothing about it.
const ABANDONED: &str = "abandoned";

/// Who wanted a run that goes back to an earlier release; `None` if it does not.
fn cause_of(trigger: &Trigger) -> Option<&'static str> {
    match trigger {
        Trigger::Rollback { .. } => Some("operator"),
        Trigger::AlertRollback { .. } => Some("alert"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::histories::World;
    use super::super::{Command, Failure, Selection};
    use super::*;

    fn tally(world: &World) -> Tally {
        let mut tally = Tally::default();
        for recorded in &world.history {
            tally.apply(recorded);
        }
        tally
    }

    fn count(mut counts: impl Iterator<Item = (&'static str, u64)>, of: &str) -> u64 {
        counts.find(|(name, _)| *name == of).map_or(0, |(_, count)| count)
    }

    /// Source 1 is live, source 2 too, and an operator went back.
    fn rolled_back() -> World {
        let mut world = World::new();
        world.observe(1, 1);
        world.drain(&Outcome::Passed);
        world.observe(1, 2);
        world.drain(&Outcome::Passed);
        world.command(Command::Rollback { to: None });
        world.drain(&Outcome::Passed);
        world
    }

    #[test]
    fn what_happened_is_counted_by_result() {
        let world = rolled_back();
        let tally = tally(&world);
        assert_eq!(count(tally.runs(), "passed"), 3);
        assert_eq!(count(tally.runs(), "failed"), 0, "what has not happened is there with 0");
        assert_eq!(count(tally.releases(), "live"), 3);
        assert_eq!(count(tally.rollbacks(), "operator"), 1);
        assert_eq!(count(tally.rollbacks(), "alert"), 0);
        let train: Vec<_> = tally.attempts().filter(|(stage, _, _)| stage.as_str() == "train").collect();
        assert_eq!(train.iter().map(|(_, result, spent)| (*result, spent.count)).collect::<Vec<_>>(), [("passed", 1)]);
        assert_eq!(tally.run_time().count, 3);
        assert_eq!(tally.run_buckets().last().map(|(_, count)| count), Some(3), "the last bucket holds them all");
    }

    #[test]
    fn a_release_that_was_found_unfit_is_told_from_one_that_says_nothing() {
        let mut world = World::new();
        world.observe(1, 1);
        world.drain(&Outcome::Passed);
        for outcome in [Outcome::Failed(Failure::Exit { code: 1, said: String::new() }), Outcome::Interrupted] {
            // What stands before the deploy is up to date, so that the deploy alone ends like this.
            world.command(Command::Run(Selection { from: Some("deploy".into()), only: false, force: false }));
            world.drain(&outcome);
        }
        let tally = tally(&world);
        assert_eq!((count(tally.releases(), "rejected"), count(tally.releases(), "abandoned")), (1, 1));
        assert_eq!(count(tally.releases(), "live"), 1);
    }

    #[test]
    fn an_event_that_is_told_twice_counts_once_and_so_does_a_journal_read_in_two_parts() {
        let world = rolled_back();
        let whole = tally(&world);
        for cut in 0..world.history.len() {
            let mut parts = Tally::default();
            for recorded in world.history.iter().take(cut + 1).chain(world.history.iter().skip(cut)) {
                parts.apply(recorded);
            }
            assert_eq!(parts, whole);
        }
    }

    #[test]
    fn no_number_ever_becomes_smaller() {
        let world = rolled_back();
        let mut tally = Tally::default();
        let numbers = |tally: &Tally| {
            let counts = tally.runs().chain(tally.releases()).chain(tally.rollbacks()).map(|(_, count)| count);
            counts.chain([tally.run_time().count, tally.run_time().milliseconds]).collect::<Vec<u64>>()
        };
        let mut before = numbers(&tally);
        for recorded in &world.history {
            tally.apply(recorded);
            let now = numbers(&tally);
            assert!(before.iter().zip(&now).all(|(before, now)| before <= now), "{:?}", recorded.event);
            before = now;
        }
    }
}
