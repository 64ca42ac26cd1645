//! The digest of all that decides what a stage makes: a stage whose definition changed runs again.
//!
//! It is made once the whole configuration is known, for where an image is kept follows from the stages that deploy it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;

use crate::disk::digest_bytes;
use crate::pipeline::Digest;

use super::settings::{Action, DeployTarget, Runner, StageSettings};

/// The definition of a stage. `needs`, `retries`, `timeout`, `grace`, `approve`, `silence` and `production` are not in it:
/// changing them must not make a stage run again.
pub(super) fn definition(stage: &StageSettings) -> Digest {
    let spec = &stage.spec;
    // These types have neither maps with keys that are no strings nor serialisers of their own, so nothing can fail
    // here.
    let mut facts: BTreeMap<&str, Value> = BTreeMap::from([
        ("action", serde_json::to_value(decisive(&stage.action)).unwrap_or_default()),
        ("environment", serde_json::to_value(&stage.environment).unwrap_or_default()),
        ("inputs", Value::from(stage.inputs.clone())),
        ("uses_data", Value::Bool(spec.uses_data)),
        ("uses_source", Value::Bool(spec.uses_source)),
        ("produces_model", Value::Bool(spec.produces_model)),
        ("requires_report", Value::Bool(spec.requires_report)),
    ]);
    if let Some(gate) = &stage.gate {
        facts.insert("gate", serde_json::to_value(gate).unwrap_or_default());
    }
    if stage.runner != Runner::Local {
        facts.insert("runner", serde_json::to_value(&stage.runner).unwrap_or_default());
    }
    digest_bytes(&serde_json::to_vec(&facts).unwrap_or_default())
}

/// The action with what decides nothing always the same.
fn decisive(action: &Action) -> Action {
    let mut action = action.clone();
    match &mut action {
        Action::Image(image) => {
            if let Some(dockerfile) = &mut image.dockerfile {
                dockerfile.silence = Duration::ZERO;
            }
        }
        Action::Deploy(deploy) => {
            if let DeployTarget::Kubernetes(kubernetes) = &mut deploy.target {
                kubernetes.production = false;
            }
        }
        Action::Command(_) | Action::Train(_) => {}
    }
    action
}
