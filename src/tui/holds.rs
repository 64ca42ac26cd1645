//! What holds deploys back, as the screen tells of it and asks about it: the lock, the stage that waits for a person, and
//! the reason that whoever acts may give.

use crate::pipeline::{Approval, Lock, Moment, Run, RunId, StageKind, StageName, StageState, explain};

use super::app::Model;
use super::quantity;

/// A stage that waits for a person.
#[derive(Debug, Clone, Copy)]
pub(super) struct Awaiting<'a> {
    /// In which run.
    pub(super) run: &'a Run,
    /// Which.
    pub(super) stage: &'a StageName,
    /// Since when.
    pub(super) since: Moment,
    /// For whom; nobody named means anybody.
    pub(super) of: &'a [String],
}

impl Awaiting<'_> {
    /// Where it stands, in a sentence without a full stop.
    pub(super) fn sentence(&self, now: Moment) -> String {
        let age = quantity::age(now.since(self.since));
        format!("{} of run {} waits for {} ({age})", self.stage, self.run.id, explain::approval_of(self.of))
    }
}

/// The stage that waits for a person: the chosen one if it does, else the first of the active run.
pub(super) fn awaiting(model: &Model) -> Option<Awaiting<'_>> {
    let run = model.state.active_run()?;
    let waits = |stage: &StageName| matches!(state(run, stage), Some(StageState::AwaitingApproval { .. }));
    let names = || model.state.graph.stages().iter().map(|spec| &spec.name);
    let chosen = model.stage.as_ref().and_then(|chosen| names().find(|name| *name == chosen && waits(name)));
    let stage = chosen.or_else(|| names().find(|name| waits(name)))?;
    let StageState::AwaitingApproval { since, of } = state(run, stage)? else { return None };
    Some(Awaiting { run, stage, since: *since, of })
}

fn state<'a>(run: &'a Run, stage: &StageName) -> Option<&'a StageState> {
    run.stages.get(stage).map(|work| &work.state)
}

/// What was typed for a lock: for how many milliseconds, if it begins with a length of time, and why.
pub(super) fn lock_wish(typed: &str) -> (Option<u64>, &str) {
    let typed = typed.trim();
    let (first, why) = typed.split_once(char::is_whitespace).unwrap_or((typed, ""));
    match milliseconds(first) {
        Some(length) => (Some(length), why.trim_start()),
        None => (None, typed),
    }
}

/// `2h`, `90m` or `1h30m`, as the command line has it.
fn milliseconds(word: &str) -> Option<u64> {
    let (mut total, mut rest) = (0_u64, word);
    while !rest.is_empty() {
        let behind = rest.trim_start_matches(|letter: char| letter.is_ascii_digit());
        let number: u64 = rest.strip_suffix(behind)?.parse().ok()?;
        let unit = behind.chars().next()?;
        let length = match unit {
            'd' => 86_400_000,
            'h' => 3_600_000,
            'm' => 60_000,
            's' => 1_000,
            _ => return None,
        };
        total = total.checked_add(number.checked_mul(length)?)?;
        rest = behind.strip_prefix(unit)?;
    }
    (total > 0).then_some(total)
}

/// The lock for the first line: who, for how long, why.
pub(super) fn lock_text(lock: &Lock, now: Moment) -> String {
    format!("locked by {} {}: {}", lock.by, quantity::age(now.since(lock.since)), lock.message)
}

/// What a question says of the lock that a run by hand passes.
pub(super) fn lock_sentence(lock: &Lock, now: Moment) -> String {
    let age = quantity::age(now.since(lock.since));
    format!("{} locked deploys {age} ago: {}", lock.by, lock.message)
}

/// Why a deploy whose turn has come stays where it is: the lock, in a run that nobody asked for by hand.
pub(super) fn held(model: &Model, run: &Run, name: &StageName) -> Option<String> {
    let lock = model.state.lock.as_ref().filter(|_| run.is_active() && !run.trigger.is_by_hand())?;
    let spec = model.state.graph.get(name).filter(|spec| spec.kind == StageKind::Deploy)?;
    let is_due = spec.needs.iter().all(|need| state(run, need).is_some_and(StageState::is_satisfied));
    let waits = matches!(state(run, name)?, StageState::Waiting);
    let age = quantity::age(model.now.since(lock.since));
    (is_due && waits).then(|| format!("held: locked by {} {age} ago: {}", lock.by, lock.message))
}

/// Who let a stage start, and what he said.
pub(super) fn approval_text(approval: &Approval) -> String {
    if approval.message.is_empty() {
        return format!("approved by {}", approval.by);
    }
    format!("approved by {}: {}", approval.by, approval.message)
}

/// Why something is done, where a reason may be given and none is wanted: a line that is closed until somebody opens it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Remark {
    /// What was typed.
    pub(super) text: String,
    /// Whether keys are typed into it.
    pub(super) is_open: bool,
}

impl Remark {
    /// Whether somebody is writing one and has written something.
    pub(super) fn is_given(&self) -> bool {
        self.is_open && !self.text.trim().is_empty()
    }
}

/// What is asked before a stage that waits is let start, or not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ApprovalPrompt {
    /// In which run.
    pub(super) run: RunId,
    /// Which stage.
    pub(super) stage: StageName,
    /// Whether it may start; else it is declined.
    pub(super) is_approval: bool,
    /// What was typed of the message.
    pub(super) message: String,
    /// In production, once the message is there: what was typed of the project's name.
    pub(super) name: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_that_begins_with_a_length_of_time_ends_by_itself() {
        assert_eq!(lock_wish(" 2h  data migration "), (Some(7_200_000), "data migration"));
        assert_eq!(lock_wish("1h30m x"), (Some(5_400_000), "x"));
        assert_eq!(lock_wish("data migration for 2h"), (None, "data migration for 2h"));
        for odd in ["2 hours of work", "2ms x", "h x", "0s x", "99999999999999999999d x", "2h5 x"] {
            assert_eq!(lock_wish(odd), (None, odd));
        }
        assert_eq!(lock_wish("2h"), (Some(7_200_000), ""), "for how long, and not why");
        assert_eq!(lock_wish(""), (None, ""));
    }
}
