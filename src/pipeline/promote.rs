//! Promotion: how a model becomes the champion, by its gate or by hand.
//!
//! By hand, the model stands for what its stage would make on the present inputs, until these change: the run that follows
//! tests, builds and deploys it without a training, and so does every later run on the same data.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::decide::Draft;
use super::event::Event;
use super::graph::StageSpec;
use super::ids::{Digest, ModelVersion, RunId, StageName};
use super::inputs::{Fingerprint, Inputs};
use super::reason::{Selection, Trigger};
use super::refusal::Refusal;
use super::registry::{Model, Promoter};
use super::run::Run;
use super::state::{ApplyError, Pass, State};

impl Draft {
    /// Makes a model the champion because an operator says so, and starts the run that deploys it.
    pub(super) fn promote(
        &mut self,
        by: String,
        version: ModelVersion,
        message: String,
    ) -> Result<Result<RunId, Refusal>, ApplyError> {
        let (model, inputs, stands_for) = match self.state.may_promote(version, &message) {
            Ok(found) => found,
            Err(refusal) => return Ok(Err(refusal)),
        };
        let promoter = Promoter::Operator { name: by.clone() };
        self.promoted(version, &model.stage, promoter, message, Some(stands_for))?;
        self.create(Trigger::Promotion { by, model: version }, Selection::default(), inputs).map(Ok)
    }

    /// Notes that a model is the champion of its stage.
    pub(super) fn promoted(
        &mut self,
        model: ModelVersion,
        stage: &StageName,
        by: Promoter,
        message: String,
        stands_for: Option<Fingerprint>,
    ) -> Result<(), ApplyError> {
        let former = self.state.registry.champions.get(stage).copied().filter(|former| *former != model);
        self.note(Event::ModelPromoted { model, stage: stage.clone(), former, by, message, stands_for })
    }
}

impl State {
    /// The model, the inputs on which it is to stand, and what its stage sees of them; or why it cannot be promoted by hand.
    fn may_promote(&self, version: ModelVersion, message: &str) -> Result<(Arc<Model>, Inputs, Fingerprint), Refusal> {
        let model = self.registry.models.get(&version).cloned().ok_or(Refusal::UnknownModel(version))?;
        let Some(spec) = self.graph.get(&model.stage).filter(|spec| spec.produces_model) else {
            return Err(Refusal::StageGone { model: version, stage: model.stage.clone() });
        };
        if message.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        let Some(inputs) = self.inputs.clone() else { return Err(Refusal::NotReady) };
        // It would take the place of that training, and what that gives would never be looked at.
        if let Some(run) = self.runs.values().find(|run| is_training(run, &model.stage)) {
            return Err(Refusal::Training(run.id));
        }
        let fingerprint = Fingerprint::of(spec, &inputs, self.last_identities(spec));
        let stands = self.pass_on(&model.stage, &fingerprint).is_some_and(|pass| pass.outputs.model == Some(version));
        let serves = self.live_release().is_some_and(|live| live.model == Some(version));
        if stands && serves && self.registry.is_champion(version) {
            return Err(Refusal::ServesAlready(version));
        }
        Ok((model, inputs, fingerprint))
    }

    /// What the stages before `spec` last gave.
    fn last_identities(&self, spec: &StageSpec) -> BTreeMap<StageName, Digest> {
        let identity = |pass: &Pass| pass.outputs.digest.clone().unwrap_or_else(|| pass.fingerprint.digest());
        spec.needs.iter().filter_map(|need| Some((need.clone(), identity(self.last_pass(need)?)))).collect()
    }
}

/// Whether a run trains, or is about to.
fn is_training(run: &Run, stage: &StageName) -> bool {
    let is_open = run.stages.get(stage).is_some_and(|stage| !stage.state.is_final());
    !run.is_finished() && run.stopping.is_none() && !run.trigger.is_rollback() && is_open
}
