//! What follows when an alert fires: nothing, a rollback, a new training; or nothing though something should, and why.
//!
//! Automation goes back more carefully than a person. It needs evidence of the live release alone, of an alert that began with
//! that release; it leaves a release at most once, never during a deploy, never for one on which the same alert fired, and
//! never from one that was gone back to: it takes one step and leaves the second to people.
//! While an alert goes on firing it is decided upon anew when what held its consequence back is over (a deploy, a lock, a
//! silence, a cooldown, a run, a lack of evidence, a beginning before the release), and told of again when another release shows it by its own evidence.
//! A way back that a lock held is taken behind it only if its alert fires still. A new training needs no such look: what a lock
//! holds of it is the deploy of a model that has passed its gate, which is right whatever has become of the alert.

use std::sync::Arc;

use super::alert::{Answer, Evidence, FiringAlert, MOST_TOLD, Reaction, Restraint};
use super::decide::Draft;
use super::event::Event;
use super::ids::{Moment, ReleaseId, RunId};
use super::reason::{Obstacle, Selection, Trigger};
use super::release::Release;
use super::run::{Run, StageState};
use super::state::{ApplyError, State};

impl Draft {
    /// Takes note of all that fires now, and does what follows from what is new.
    pub(super) fn alerts(&mut self, firing: Vec<FiringAlert>, clear: &[String]) -> Result<(), ApplyError> {
        let known: Vec<(String, String)> =
            self.state.alerts.keys().map(|(name, labels)| (name.to_owned(), labels.to_owned())).collect();
        for (name, labels) in known {
            if firing.iter().any(|alert| alert.name == name && alert.labels == labels) {
                continue;
            }
            let evidence = if clear.contains(&name) { Evidence::Clear } else { Evidence::None };
            self.note(Event::AlertResolved { name, labels, release: self.state.live, evidence })?;
        }
        for alert in firing {
            if self.state.has_news_of(&alert, self.at) {
                self.fires(alert)?;
            }
        }
        Ok(())
    }

    fn fires(&mut self, alert: FiringAlert) -> Result<(), ApplyError> {
        let answer = self.state.answer(&alert, self.at).unwrap_or_else(|why| Answer::Held { why });
        let name = alert.name.clone();
        self.note(alert.into_event(answer.clone()))?;
        let (trigger, selection) = match answer {
            Answer::RollsBack { to } => (Trigger::AlertRollback { alert: name, to }, Selection::default()),
            Answer::Retrains { stage } => {
                (Trigger::AlertRetrain { alert: name }, Selection { from: Some(stage), only: false, force: false })
            }
            Answer::Told | Answer::Held { .. } => return self.says_that_it_flaps(&name),
        };
        match self.state.inputs.clone() {
            Some(inputs) => self.create(trigger, selection, inputs).map(drop),
            None => Ok(()),
        }
    }

    /// Drops each way back that a lock has held and that its alert does not want any more.
    pub(super) fn ways_back_may_end(&mut self) -> Result<(), ApplyError> {
        let waits = |run: &&Arc<Run>| !run.is_finished() && run.stopping.is_none();
        let runs: Vec<Arc<Run>> = self.state.runs.values().filter(waits).cloned().collect();
        for run in runs {
            let Trigger::AlertRollback { alert, to } = &run.trigger else { continue };
            let Some(stage) = self.state.releases.get(to).map(|release| release.stage.clone()) else { continue };
            let is_waiting = run.stages.get(&stage).is_some_and(|stage| stage.state == StageState::Waiting);
            if let Some(obstacle) = self.state.no_longer_wanted(alert, self.at).filter(|_| is_waiting) {
                self.note(Event::StageNotRun { run: run.id, stage, obstacle })?;
            }
        }
        Ok(())
    }

    /// With the last time that an alert is told of for now.
    fn says_that_it_flaps(&mut self, name: &str) -> Result<(), ApplyError> {
        if self.state.alerts.told_of(name, self.at) != MOST_TOLD {
            return Ok(());
        }
        let text = format!(
            "alert {name} was told of {MOST_TOLD} times within the hour and is not told of again before that is over; a \
             longer `for` or `keep_firing_for` calms it"
        );
        self.note(Event::Noted { by: None, text })
    }
}

impl State {
    /// Whether there is something to tell of an alert that fires, or to do about it: it was not told of, it is seen on the
    /// live release for the first time, or nothing followed from it for a reason that is over.
    pub fn has_news_of(&self, alert: &FiringAlert, at: Moment) -> bool {
        let answer = || self.answer(alert, at);
        let known = self.alerts.firing.get(&alert.name).and_then(|alerts| alerts.get(&alert.labels));
        let Some(known) = known else {
            let acts = || matches!(answer(), Ok(Answer::RollsBack { .. } | Answer::Retrains { .. }));
            return self.alerts.told_of(&alert.name, at) < MOST_TOLD || acts();
        };
        // Whether it is to blame or not: nobody goes back to a release on which it fired.
        let is_seen_first = |release: ReleaseId| !self.alerts.has_fired_on(release, &alert.name);
        if alert.evidence == Evidence::Against && alert.release == self.live && self.live.is_some_and(is_seen_first) {
            return true;
        }
        // That there is no way back is told once.
        let is_over = || matches!(answer(), Ok(_) | Err(Restraint::NoWay { .. }));
        known.held.as_ref().is_some_and(Restraint::may_pass) && is_over()
    }

    /// Why nothing is to follow any more from an alert that fired.
    fn no_longer_wanted(&self, alert: &str, at: Moment) -> Option<Obstacle> {
        if !self.alerts.firing.contains_key(alert) {
            return Some(Obstacle::AlertEnded { alert: alert.to_owned() });
        }
        let silence = self.alerts.silence(alert, at)?;
        Some(Obstacle::AlertSilenced { alert: alert.to_owned(), by: silence.by.clone() })
    }

    fn answer(&self, alert: &FiringAlert, at: Moment) -> Result<Answer, Restraint> {
        if let Some(silence) = self.alerts.silence(&alert.name, at) {
            return Err(Restraint::Silenced { by: silence.by.clone() });
        }
        match alert.then {
            Reaction::Notify => Ok(Answer::Told),
            Reaction::Rollback => {
                let live = self.to_blame(alert, at)?;
                self.way_back(alert, live)
            }
            Reaction::Retrain => {
                self.to_blame(alert, at)?;
                self.new_training()
            }
        }
    }

    /// The live release, if the alert speaks of it and of no other, and if enough time has passed since the last answer.
    fn to_blame(&self, alert: &FiringAlert, at: Moment) -> Result<&Release, Restraint> {
        let Some(live) = self.live_release() else { return Err(Restraint::NothingLive) };
        if alert.release != Some(live.id) {
            return Err(Restraint::OtherRelease { release: live.id });
        }
        if alert.evidence != Evidence::Against {
            return Err(Restraint::NoEvidence);
        }
        // Not when it went live: it may have answered its first requests before its deploy was over. An alert that a window
        // keeps going begins anew once a live release was seen without it, which was the one before while this was deployed.
        if alert.since < live.started {
            return Err(Restraint::BeganBefore { release: live.id });
        }
        let answered = self.alerts.answered.get(&alert.name);
        if answered.is_some_and(|before| at < before.plus(alert.cooldown)) {
            return Err(Restraint::CoolingDown);
        }
        if self.inputs.is_none() {
            return Err(Restraint::NotReady);
        }
        Ok(live)
    }

    fn way_back(&self, alert: &FiringAlert, live: &Release) -> Result<Answer, Restraint> {
        if let Some(run) = self.unfinished(|run| run.is_deploying(&self.graph)) {
            return Err(Restraint::Deploying { run });
        }
        if let Some(lock) = &self.lock {
            return Err(Restraint::Locked { by: lock.by.clone() });
        }
        if let Some(run) = self.unfinished(|run| run.trigger.is_rollback() && run.stopping.is_none()) {
            return Err(Restraint::GoingBack { run });
        }
        if self.alerts.left.contains(&live.id) {
            return Err(Restraint::LeftBefore { release: live.id });
        }
        if live.repeats.is_some() {
            return Err(Restraint::GoneBackTo { release: live.id });
        }
        // The same to which an operator's rollback would go.
        let Some(target) = self.rollback_target() else { return Err(Restraint::NoEarlierRelease) };
        let is_the_same = |release: &Release| release.id == target.id || release.image == target.image;
        let mut same = self.releases.values().filter(|release| is_the_same(release));
        if let Some(fired) = same.find(|release| self.alerts.has_fired_on(release.id, &alert.name)) {
            return Err(Restraint::FiredThereToo { release: fired.id });
        }
        if let Some(release) = target.fingerprint.as_ref().and_then(|print| self.quarantine(print)) {
            return Err(Restraint::Quarantined { release });
        }
        match &alert.obstacle {
            Some(reason) => Err(Restraint::NoWay { reason: reason.clone() }),
            None => Ok(Answer::RollsBack { to: target.id }),
        }
    }

    fn new_training(&self) -> Result<Answer, Restraint> {
        if let Some(run) = self.unfinished(|_| true) {
            return Err(Restraint::Busy { run });
        }
        let mut stages = self.graph.stages().iter();
        let Some(stage) = stages.find(|stage| stage.produces_model) else { return Err(Restraint::NothingTrains) };
        Ok(Answer::Retrains { stage: stage.name.clone() })
    }

    fn unfinished(&self, wanted: impl Fn(&Run) -> bool) -> Option<RunId> {
        self.runs.values().find(|run| !run.is_finished() && wanted(run)).map(|run| run.id)
    }
}
