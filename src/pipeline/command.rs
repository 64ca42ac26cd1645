//! What operators ask for: runs and their end, ways back, promotions, locks and approvals.
//!
//! Each command is noted, one that is refused too, and before all that follows from it: who looks back finds who asked for
//! what, why, and what became of it.

use std::sync::Arc;

use super::decide::Draft;
use super::event::{Command, Event};
use super::graph::StageKind;
use super::hold::{Holder, Lock};
use super::ids::{ReleaseId, RunId, StageName};
use super::inputs::Inputs;
use super::reason::{Obstacle, Selection, StopReason, Trigger};
use super::refusal::Refusal;
use super::run::{Run, StageState};
use super::state::{ApplyError, State};

/// The run that a command made, stopped or let go on, if it speaks of one; or why it was not carried out.
type Reply = Result<Option<RunId>, Refusal>;

impl Draft {
    /// Does what an operator asks for, and notes that he did.
    pub(super) fn command(
        &mut self,
        by: String,
        from: Option<String>,
        message: String,
        command: Command,
    ) -> Result<Reply, ApplyError> {
        self.lock_may_end()?;
        let place = self.place();
        let reply = self.carry_out(&by, &message, command.clone())?;
        let (run, refused) = match &reply {
            Ok(run) => (*run, None),
            Err(refusal) => (None, Some(refusal.clone())),
        };
        // What becomes of it is known only now; where it stands says that the rest follows from it.
        self.note_at(place, Event::Commanded { by, from, command, message, run, refused })?;
        Ok(reply)
    }

    fn carry_out(&mut self, by: &str, message: &str, command: Command) -> Result<Reply, ApplyError> {
        match command {
            Command::Run(selection) => self.run(by, selection),
            Command::Cancel { run } => self.cancel(by, run),
            Command::Rollback { to } => self.rollback(by, to),
            Command::Promote { model, message: why } => {
                let why = if why.trim().is_empty() { message.to_owned() } else { why };
                Ok(self.promote(by.to_owned(), model, why)?.map(Some))
            }
            Command::Lock { milliseconds, holder } => self.lock(by, message, milliseconds, holder),
            Command::Unlock => self.unlock(by, message),
            Command::Approve { run, stage } => self.approve(by, message, run, stage.as_ref()),
            Command::Decline { run, stage } => self.decline(by, message, run, stage.as_ref()),
        }
    }

    fn run(&mut self, by: &str, selection: Selection) -> Result<Reply, ApplyError> {
        if let Some(from) = &selection.from
            && self.state.graph.get(from).is_none()
        {
            let known: Vec<_> = self.state.graph.stages().iter().map(|stage| stage.name.as_str()).collect();
            let known = known.join(", ");
            return Ok(Err(Refusal::UnknownStage { name: from.0.clone(), known }));
        }
        let Some(inputs) = self.state.inputs.clone() else { return Ok(Err(Refusal::NotReady)) };
        if let Some((run, by)) = self.state.same_by_hand(&selection, &inputs) {
            return Ok(Err(Refusal::SameRun { run, by }));
        }
        let run = self.create(Trigger::Manual { by: by.to_owned() }, selection, inputs)?;
        Ok(Ok(Some(run)))
    }

    fn cancel(&mut self, by: &str, run: Option<RunId>) -> Result<Reply, ApplyError> {
        let chosen: Vec<Arc<Run>> = match run {
            Some(id) => match self.state.runs.get(&id).filter(|run| !run.is_finished()) {
                Some(run) => vec![run.clone()],
                None => return Ok(Err(Refusal::NotActive(id))),
            },
            None => self.state.runs.values().filter(|run| !run.is_finished()).cloned().collect(),
        };
        let Some(first) = chosen.first().map(|run| run.id) else { return Ok(Err(Refusal::NothingToCancel)) };
        if let Some(deploying) = chosen.iter().find(|run| run.is_deploying(&self.state.graph)) {
            return Ok(Err(Refusal::Deploying(deploying.id)));
        }
        for run in chosen {
            if run.stopping.is_none() {
                self.stop(run.id, StopReason::Cancelled { by: by.to_owned() })?;
            }
        }
        Ok(Ok(Some(first)))
    }

    fn rollback(&mut self, by: &str, to: Option<ReleaseId>) -> Result<Reply, ApplyError> {
        let to = match self.state.may_go_back(to) {
            Ok(to) => to,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let Some(inputs) = self.state.inputs.clone() else { return Ok(Err(Refusal::NotReady)) };
        let run = self.create(Trigger::Rollback { by: by.to_owned(), to }, Selection::default(), inputs)?;
        Ok(Ok(Some(run)))
    }

    /// A lock of the same operator takes the place of his last, unless it would end with a process and with it what he wanted
    /// before; that of another stands until somebody ends it.
    fn lock(
        &mut self,
        by: &str,
        message: &str,
        milliseconds: Option<u64>,
        holder: Option<Holder>,
    ) -> Result<Reply, ApplyError> {
        if message.trim().is_empty() {
            return Ok(Err(Refusal::NoLockReason));
        }
        let stands = |lock: &&Lock| lock.by != by || (holder.is_some() && lock.holder != holder);
        if let Some(lock) = self.state.lock.as_ref().filter(stands) {
            return Ok(Err(Refusal::AlreadyLocked { by: lock.by.clone(), message: lock.message.clone() }));
        }
        let until = milliseconds.map(|milliseconds| self.at.plus(milliseconds));
        self.note(Event::Locked { by: by.to_owned(), message: message.to_owned(), until, holder })?;
        Ok(Ok(None))
    }

    /// Anybody may: whoever locked may be asleep.
    fn unlock(&mut self, by: &str, message: &str) -> Result<Reply, ApplyError> {
        if self.state.lock.is_none() {
            return Ok(Err(Refusal::NotLocked));
        }
        self.unlocked(Some(by.to_owned()), message.to_owned())?;
        Ok(Ok(None))
    }

    /// Ends the lock if its time is over.
    pub(super) fn lock_may_end(&mut self) -> Result<(), ApplyError> {
        let at = self.at;
        match &self.state.lock {
            Some(lock) if lock.is_over(at) => self.unlocked(None, "its time is over".to_owned()),
            Some(_) | None => Ok(()),
        }
    }

    /// Ends the lock if this process held it.
    pub(super) fn holder_gone(&mut self, holder: &Holder) -> Result<(), ApplyError> {
        match &self.state.lock {
            Some(lock) if lock.holder.as_ref() == Some(holder) => {
                self.unlocked(None, format!("its holder, process {}, is gone", holder.pid))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// Ends the lock. What was known when it held something back is old by now: whether an alert still wants to go back is
    /// looked at anew, and a release that was found lost, and could not be deployed anew, is verified once more.
    fn unlocked(&mut self, by: Option<String>, why: String) -> Result<(), ApplyError> {
        self.note(Event::Unlocked { by, why })?;
        self.ways_back_may_end()?;
        let Some(run) = self.state.active_run().filter(|run| !run.trigger.is_by_hand()).cloned() else {
            return Ok(());
        };
        for (name, stage) in &run.stages {
            let is_deploy = self.state.graph.get(name).is_some_and(|spec| spec.kind == StageKind::Deploy);
            if let (StageState::Checking { earlier }, Some(fingerprint), Some(outputs), true) =
                (&stage.state, &stage.fingerprint, &stage.outputs, is_deploy)
            {
                self.note(Event::StageChecking {
                    run: run.id,
                    stage: name.clone(),
                    earlier: *earlier,
                    fingerprint: fingerprint.clone(),
                    outputs: outputs.clone(),
                })?;
            }
        }
        Ok(())
    }

    fn approve(
        &mut self,
        by: &str,
        message: &str,
        run: Option<RunId>,
        stage: Option<&StageName>,
    ) -> Result<Reply, ApplyError> {
        let (run, stage) = match self.state.asked(by, run, stage) {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        self.note(Event::Approved { run, stage, by: by.to_owned(), message: message.to_owned() })?;
        Ok(Ok(Some(run)))
    }

    fn decline(
        &mut self,
        by: &str,
        message: &str,
        run: Option<RunId>,
        stage: Option<&StageName>,
    ) -> Result<Reply, ApplyError> {
        let (run, stage) = match self.state.asked(by, run, stage) {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let obstacle = Obstacle::Declined { by: by.to_owned(), message: message.to_owned() };
        self.note(Event::StageNotRun { run, stage, obstacle })?;
        Ok(Ok(Some(run)))
    }
}

impl State {
    /// The run by hand that does just this already, and whose it is.
    fn same_by_hand(&self, selection: &Selection, inputs: &Inputs) -> Option<(RunId, String)> {
        self.runs_alike(selection, inputs).find_map(|run| match &run.trigger {
            Trigger::Manual { by } => Some((run.id, by.clone())),
            _ => None,
        })
    }

    /// The runs that are not over, nor about to be, and are asked for the same on the same.
    pub(super) fn runs_alike(&self, selection: &Selection, inputs: &Inputs) -> impl Iterator<Item = &Arc<Run>> {
        self.runs.values().filter(move |run| {
            !run.is_finished() && run.stopping.is_none() && run.selection == *selection && run.inputs == *inputs
        })
    }

    /// The release to which an operator goes back; without a number, the last one before the live one.
    fn may_go_back(&self, to: Option<ReleaseId>) -> Result<ReleaseId, Refusal> {
        let release = match to {
            Some(id) => self.releases.get(&id).ok_or(Refusal::UnknownRelease(id))?,
            None => self.rollback_target().ok_or(Refusal::NoEarlierRelease)?,
        };
        if Some(release.id) == self.live {
            return Err(Refusal::AlreadyLive(release.id));
        }
        if release.archive.is_none() || release.live_since.is_none() {
            return Err(Refusal::UnknownRelease(release.id));
        }
        Ok(release.id)
    }

    /// The stage that `by` approves or declines; without a run and a name, the one that waits for him.
    fn asked(&self, by: &str, run: Option<RunId>, stage: Option<&StageName>) -> Result<(RunId, StageName), Refusal> {
        let is_meant =
            |id: RunId, name: &StageName| run.is_none_or(|run| run == id) && stage.is_none_or(|stage| stage == name);
        let waiting: Vec<_> = self.awaiting_approval().filter(|(id, name, _)| is_meant(*id, name)).collect();
        let Some((_, _, of)) = waiting.first() else { return Err(Refusal::NothingToApprove) };
        let may = |of: &[String]| of.is_empty() || of.iter().any(|name| name == by);
        let his: Vec<_> = waiting.iter().filter(|(_, _, of)| may(of)).collect();
        match his.as_slice() {
            [] => Err(Refusal::NotAsked { of: of.to_vec() }),
            [(run, stage, _)] => Ok((*run, (*stage).clone())),
            several => {
                let stages: Vec<&str> = several.iter().map(|(_, stage, _)| stage.as_str()).collect();
                Err(Refusal::SeveralWait { stages: stages.join(", ") })
            }
        }
    }
}
