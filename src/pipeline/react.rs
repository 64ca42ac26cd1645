//! What follows when an alert fires: nothing, a rollback, a new training; or nothing though something should, and why.
//!
//! Automation goes back more carefully than a person. It needs evidence of the live release alone, of an alert that began with
//! that release; it leaves a release at most once, never during a deploy, and never for one on which the same alert fired.
//! An alert that began while the release was being deployed fires again, so to say, once that is live.

use super::alert::{Answer, Evidence, FiringAlert, Reaction, Restraint};
use super::decide::Draft;
use super::event::Event;
use super::ids::{ReleaseId, RunId};
use super::reason::{Selection, Trigger};
use super::release::Release;
use super::run::Run;
use super::state::ApplyError;

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
            if self.is_new(&alert) {
                self.fires(alert)?;
            }
        }
        Ok(())
    }

    /// Whether it has not been told, or was told of the release before and is now seen on the live one.
    fn is_new(&self, alert: &FiringAlert) -> bool {
        let known = self.state.alerts.firing.get(&alert.name).and_then(|alerts| alerts.get(&alert.labels));
        known.is_none_or(|known| {
            let began_with = self.state.live_release().is_some_and(|live| alert.since >= live.started);
            known.release != alert.release && alert.evidence == Evidence::Against && began_with
        })
    }

    fn fires(&mut self, alert: FiringAlert) -> Result<(), ApplyError> {
        let answer = self.answer(&alert).unwrap_or_else(|why| Answer::Held { why });
        let name = alert.name.clone();
        self.note(alert.into_event(answer.clone()))?;
        let Some(inputs) = self.state.inputs.clone() else { return Ok(()) };
        match answer {
            Answer::RollsBack { to } => {
                self.create(Trigger::AlertRollback { alert: name, to }, Selection::default(), inputs).map(drop)
            }
            Answer::Retrains { stage } => {
                let selection = Selection { from: Some(stage), only: false, force: false };
                self.create(Trigger::AlertRetrain { alert: name }, selection, inputs).map(drop)
            }
            Answer::Told | Answer::Held { .. } => Ok(()),
        }
    }

    fn answer(&self, alert: &FiringAlert) -> Result<Answer, Restraint> {
        if let Some(silence) = self.state.alerts.silence(&alert.name, self.at) {
            return Err(Restraint::Silenced { by: silence.by.clone() });
        }
        match alert.then {
            Reaction::Notify => Ok(Answer::Told),
            Reaction::Rollback => {
                let live = self.to_blame(alert)?;
                self.way_back(alert, live)
            }
            Reaction::Retrain => {
                self.to_blame(alert)?;
                self.new_training()
            }
        }
    }

    /// The live release, if the alert speaks of it and of no other, and if enough time has passed since the last answer.
    fn to_blame(&self, alert: &FiringAlert) -> Result<ReleaseId, Restraint> {
        let Some(live) = self.state.live_release() else { return Err(Restraint::NothingLive) };
        if alert.release != Some(live.id) {
            return Err(Restraint::OtherRelease { release: live.id });
        }
        if alert.evidence != Evidence::Against {
            return Err(Restraint::NoEvidence);
        }
        // Not when it went live: it may have answered its first requests before its deploy was over.
        if alert.since < live.started {
            return Err(Restraint::BeganBefore { release: live.id });
        }
        let answered = self.state.alerts.answered.get(&alert.name);
        if answered.is_some_and(|before| self.at < before.plus(alert.cooldown)) {
            return Err(Restraint::CoolingDown);
        }
        if self.state.inputs.is_none() {
            return Err(Restraint::NotReady);
        }
        Ok(live.id)
    }

    fn way_back(&self, alert: &FiringAlert, live: ReleaseId) -> Result<Answer, Restraint> {
        if let Some(run) = self.unfinished(|run| run.is_deploying(&self.state.graph)) {
            return Err(Restraint::Deploying { run });
        }
        if let Some(run) = self.unfinished(|run| run.trigger.is_rollback() && run.stopping.is_none()) {
            return Err(Restraint::GoingBack { run });
        }
        if self.state.alerts.left.contains(&live) {
            return Err(Restraint::LeftBefore { release: live });
        }
        // The same to which an operator's rollback would go.
        let Some(target) = self.state.rollback_target() else { return Err(Restraint::NoEarlierRelease) };
        let is_the_same = |release: &Release| release.id == target.id || release.image == target.image;
        let mut same = self.state.releases.values().filter(|release| is_the_same(release));
        if let Some(fired) = same.find(|release| self.state.alerts.has_fired_on(release.id, &alert.name)) {
            return Err(Restraint::FiredThereToo { release: fired.id });
        }
        if let Some(release) = target.fingerprint.as_ref().and_then(|print| self.state.quarantine(print)) {
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
        let mut stages = self.state.graph.stages().iter();
        let Some(stage) = stages.find(|stage| stage.produces_model) else { return Err(Restraint::NothingTrains) };
        Ok(Answer::Retrains { stage: stage.name.clone() })
    }

    fn unfinished(&self, wanted: impl Fn(&Run) -> bool) -> Option<RunId> {
        self.state.runs.values().find(|run| !run.is_finished() && wanted(run)).map(|run| run.id)
    }
}
