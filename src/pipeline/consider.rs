//! What is to be done with one stage whose needs are settled: the rule that both decisions and plans follow.

use std::collections::BTreeMap;

use super::graph::{StageKind, StageSpec};
use super::ids::{Digest, ReleaseId, RunId, StageName};
use super::inputs::{Fingerprint, Inputs};
use super::reason::{Obstacle, Selection, SkipReason, Trigger, Why};
use super::registry::Model;
use super::run::{Outputs, StageRun};
use super::state::State;

/// What comes next for a stage.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Next {
    /// It starts.
    Start(Why, Fingerprint),
    /// An earlier pass on equal inputs will do, if its outputs verify.
    Check {
        /// The pass.
        earlier: RunId,
        /// On what.
        fingerprint: Fingerprint,
        /// What it gave.
        outputs: Outputs,
    },
    /// It is not needed.
    Skip(SkipReason),
    /// It cannot run.
    NotRun(Obstacle),
}

/// The circumstances of a run, real or planned.
#[derive(Debug, Clone, Copy)]
pub(super) struct Circumstances<'a> {
    pub(super) state: &'a State,
    pub(super) inputs: &'a Inputs,
    pub(super) selection: &'a Selection,
    pub(super) trigger: &'a Trigger,
}

/// What a satisfied stage hands to those that need it: the digest of what it made, else of what it worked on.
pub(super) fn identity(stage: &StageRun) -> Option<Digest> {
    let made = stage.outputs.as_ref().and_then(|outputs| outputs.digest.clone());
    made.or_else(|| stage.fingerprint.as_ref().map(Fingerprint::digest))
}

impl Circumstances<'_> {
    /// Decides for `spec`, when the stages it needs gave `needs`.
    pub(super) fn consider(&self, spec: &StageSpec, needs: BTreeMap<StageName, Digest>) -> Next {
        if let Some(to) = self.trigger.rollback_to() {
            return self.consider_rollback(spec, needs, to);
        }
        let is_other = self.selection.only && self.selection.from.as_ref() != Some(&spec.name);
        if is_other && !self.is_before_selected(&spec.name) {
            return Next::Skip(SkipReason::NotSelected);
        }
        if let Some(model) = self.promoted(spec) {
            let fingerprint = Fingerprint::of(spec, self.inputs, needs);
            return Next::Check { earlier: model.run, fingerprint, outputs: model.outputs.clone() };
        }
        if spec.uses_data && self.inputs.data.count == 0 {
            return Next::NotRun(Obstacle::NoData);
        }
        let fingerprint = Fingerprint::of(spec, self.inputs, needs);
        if spec.kind == StageKind::Deploy
            && !self.is_deploy_asked_for(&spec.name)
            && let Some(release) = self.state.quarantine(&fingerprint)
        {
            return Next::NotRun(Obstacle::Quarantined { release });
        }
        if self.is_forced(&spec.name) {
            return Next::Start(self.why_forced(), fingerprint);
        }
        match self.earlier_pass(spec, &fingerprint) {
            Some((earlier, outputs)) => Next::Check { earlier, fingerprint, outputs },
            None if is_other => Next::NotRun(Obstacle::NotSelected),
            None => Next::Start(self.why(spec, &fingerprint), fingerprint),
        }
    }

    /// The model of this stage that an operator promoted: it stands for what the stage would make.
    fn promoted(&self, spec: &StageSpec) -> Option<&Model> {
        let version = self.trigger.promoted()?;
        let model = self.state.registry.models.get(&version)?;
        (spec.produces_model && model.stage == spec.name).then(|| model.as_ref())
    }

    fn consider_rollback(&self, spec: &StageSpec, needs: BTreeMap<StageName, Digest>, to: ReleaseId) -> Next {
        let Some(release) = self.state.releases.get(&to).filter(|release| release.stage == spec.name) else {
            return Next::Skip(SkipReason::NotSelected);
        };
        let fingerprint = release.fingerprint.clone();
        let fingerprint = fingerprint.unwrap_or_else(|| Fingerprint::of(spec, self.inputs, needs));
        if !self.trigger.is_by_hand()
            && let Some(release) = self.state.quarantine(&fingerprint)
        {
            return Next::NotRun(Obstacle::Quarantined { release });
        }
        Next::Start(Why::Rollback { to }, fingerprint)
    }

    fn why_forced(&self) -> Why {
        match self.trigger {
            Trigger::AlertRetrain { alert } => Why::Alert { name: alert.clone() },
            _ => Why::Asked,
        }
    }

    fn is_before_selected(&self, name: &StageName) -> bool {
        self.selection.from.as_ref().is_some_and(|from| self.state.graph.depends(from, name))
    }

    /// Only by its own name, by force, or by the name of the model does an operator lift a quarantine.
    fn is_deploy_asked_for(&self, name: &StageName) -> bool {
        let is_named = self.selection.from.as_ref() == Some(name) || self.trigger.promoted().is_some();
        self.trigger.is_by_hand() && (is_named || self.selection.force)
    }

    fn is_forced(&self, name: &StageName) -> bool {
        match &self.selection.from {
            Some(from) if from == name => true,
            Some(from) => self.selection.force && self.state.graph.depends(name, from),
            None => self.selection.force,
        }
    }

    /// A deploy is up to date only while its release is the live one; any other stage when it has passed on equal inputs.
    /// What another model has taken the place of since is no pass any more: it would come into service without having been
    /// compared with that one.
    fn earlier_pass(&self, spec: &StageSpec, fingerprint: &Fingerprint) -> Option<(RunId, Outputs)> {
        if spec.kind == StageKind::Deploy {
            let live = self.state.live_release()?;
            (live.stage == spec.name && live.fingerprint.as_ref() == Some(fingerprint)).then(|| {
                let outputs = Outputs {
                    live: Some(live.id),
                    address: live.address.clone(),
                    model: live.model,
                    ..Outputs::default()
                };
                (live.run, outputs)
            })
        } else {
            let pass = self.state.pass_on(&spec.name, fingerprint)?;
            let stands = !spec.produces_model || self.state.registry.is_as_good_as_champion(&spec.name, &pass.outputs);
            stands.then(|| (pass.run, pass.outputs.clone()))
        }
    }

    fn why(&self, spec: &StageSpec, fingerprint: &Fingerprint) -> Why {
        let Some(last) = self.state.last_pass(&spec.name) else { return Why::FirstTime };
        let before = &last.fingerprint;
        let needs: Vec<StageName> = fingerprint
            .needs
            .iter()
            .filter(|(need, digest)| before.needs.get(*need) != Some(*digest))
            .map(|(need, _)| need.clone())
            .collect();
        let settings = before.definition != fingerprint.definition || before.needs.len() > fingerprint.needs.len();
        let data = before.data != fingerprint.data;
        let source = before.source != fingerprint.source;
        if spec.kind == StageKind::Deploy && needs.is_empty() && !settings && !data && !source {
            return Why::OtherRelease { live: self.state.live };
        }
        Why::Changed { since: last.run, data, source, settings, needs }
    }
}
