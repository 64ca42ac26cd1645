//! What holds a stage back though its turn has come: a lock on deploys, and an approval that is wanted.
//!
//! Here is said what a hold is and whom it holds; what ends one is asked for in [`super::command`], or comes with time.

use serde::{Deserialize, Serialize};

use super::event::Event;
use super::graph::{StageKind, StageSpec};
use super::ids::{Moment, RunId, StageName};
use super::reason::Trigger;
use super::run::{Run, StageState};
use super::state::{ApplyError, State};

/// Automation is held off deploys.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Lock {
    /// Who locked them.
    pub by: String,
    /// Why.
    pub message: String,
    /// Since when.
    pub since: Moment,
    /// It ends by itself at this moment.
    pub until: Option<Moment>,
    /// It ends by itself with this process.
    pub holder: Option<Holder>,
}

impl Lock {
    /// Whether its time is over.
    pub fn is_over(&self, at: Moment) -> bool {
        self.until.is_some_and(|until| until <= at)
    }
}

/// The process that holds a lock for as long as it lives. A number alone is given to another process sooner or later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holder {
    /// The name of its machine.
    pub host: String,
    /// The boot of that machine, which no other boot shares.
    pub boot: String,
    /// Its number.
    pub pid: u32,
    /// When it started: clock ticks since boot, as `/proc/PID/stat` has it.
    pub started: u64,
}

/// A person let a stage start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Approval {
    /// Who.
    pub by: String,
    /// Why; empty when nothing was said.
    pub message: String,
    /// When.
    pub at: Moment,
}

/// Whether a stage may start now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Permit {
    /// It may.
    Granted,
    /// It waits for the end of the lock.
    Locked,
    /// One of these must be asked; anybody if there are none.
    Ask(Vec<String>),
}

impl State {
    /// Whether a lock is in force that lets no stage deploy in a run with this trigger.
    pub fn deploys_are_held(&self, trigger: &Trigger) -> bool {
        self.lock.is_some() && !trigger.is_by_hand()
    }

    /// The stages that wait for a person, and for whom; for anybody if nobody is named.
    pub fn awaiting_approval(&self) -> impl Iterator<Item = (RunId, &StageName, &[String])> {
        self.runs.values().filter(|run| !run.is_finished()).flat_map(|run| {
            run.stages.iter().filter_map(move |(name, stage)| match &stage.state {
                StageState::AwaitingApproval { of, .. } => Some((run.id, name, of.as_slice())),
                _ => None,
            })
        })
    }

    /// Whether the lock keeps this stage of the run from starting.
    pub(super) fn is_held(&self, run: &Run, spec: &StageSpec) -> bool {
        spec.kind == StageKind::Deploy && self.deploys_are_held(&run.trigger)
    }

    /// Whether this stage of the run may start. A rollback is in haste and asks nobody, and who has approved a stage has
    /// approved all its attempts.
    pub(super) fn permit(&self, run: &Run, spec: &StageSpec) -> Permit {
        if self.is_held(run, spec) {
            return Permit::Locked;
        }
        let is_approved = run.stages.get(&spec.name).is_some_and(|stage| stage.approved.is_some());
        match &spec.approval {
            Some(of) if !is_approved && !run.trigger.is_rollback() => Permit::Ask(of.clone()),
            Some(_) | None => Permit::Granted,
        }
    }

    /// What an event says of locks and approvals; others say nothing.
    pub(super) fn hold_changes(&mut self, at: Moment, event: &Event) -> Result<(), ApplyError> {
        match event {
            Event::Locked { by, message, until, holder } => {
                let (by, message, holder) = (by.clone(), message.clone(), holder.clone());
                self.lock = Some(Lock { by, message, since: at, until: *until, holder });
            }
            Event::Unlocked { .. } => self.lock = None,
            Event::ApprovalWanted { run, stage, of } => {
                self.stage_mut(*run, stage)?.state = StageState::AwaitingApproval { since: at, of: of.clone() };
            }
            Event::Approved { run, stage, by, message } => {
                let stage = self.stage_mut(*run, stage)?;
                stage.state = StageState::Waiting;
                stage.approved = Some(Approval { by: by.clone(), message: message.clone(), at });
            }
            _ => {}
        }
        Ok(())
    }
}
