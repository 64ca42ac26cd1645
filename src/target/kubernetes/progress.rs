//! How far a rollout is, by the numbers of its Deployment.
//!
//! The condition `Available` is not enough: right after an apply it is still that of the former release. So nothing is
//! believed before the controller has seen the present generation.

use std::fmt;

use k8s_openapi::api::apps::v1::{Deployment, DeploymentCondition};

use crate::pipeline::ReleaseId;
use crate::target::labels;

/// The numbers of a rollout.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Whether the controller has seen what was applied; else all that follows is of before.
    pub is_seen: bool,
    /// Pods that there are to be.
    pub wanted: i32,
    /// Pods of the present revision.
    pub updated: i32,
    /// Pods of all revisions.
    pub total: i32,
    /// Pods that are ready for long enough.
    pub available: i32,
}

impl Progress {
    /// Of a Deployment.
    pub fn of(deployment: &Deployment) -> Self {
        let status = deployment.status.clone().unwrap_or_default();
        let generation = deployment.metadata.generation.unwrap_or_default();
        Self {
            is_seen: status.observed_generation.unwrap_or_default() >= generation,
            // The server fills it in; where it is absent, it means one.
            wanted: deployment.spec.as_ref().and_then(|spec| spec.replicas).unwrap_or(1),
            updated: status.updated_replicas.unwrap_or_default(),
            total: status.replicas.unwrap_or_default(),
            available: status.available_replicas.unwrap_or_default(),
        }
    }

    /// Whether all pods are of the present revision and available, and none of another is left.
    pub fn is_complete(self) -> bool {
        self.is_seen && self.updated >= self.wanted && self.total <= self.updated && self.available >= self.updated
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} pods updated, {} available", self.updated, self.wanted, self.available)?;
        let former = self.total - self.updated;
        if former > 0 { write!(f, ", {former} of the former release") } else { Ok(()) }
    }
}

/// The release whose pods a Deployment asks for.
pub fn release_asked_for(deployment: &Deployment) -> Option<ReleaseId> {
    let template = deployment.spec.as_ref()?.template.metadata.as_ref()?;
    template.labels.as_ref()?.get(labels::RELEASE)?.parse().ok().map(ReleaseId)
}

/// A condition of a Deployment, if it has that status.
pub fn condition<'a>(deployment: &'a Deployment, kind: &str, status: &str) -> Option<&'a DeploymentCondition> {
    let conditions = deployment.status.as_ref()?.conditions.as_deref()?;
    conditions.iter().find(|condition| condition.type_ == kind && condition.status == status)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn progress(generation: i64, observed: i64, numbers: [i32; 4]) -> Progress {
        let [wanted, updated, total, available] = numbers;
        let deployment = json!({
            "metadata": { "name": "wine", "generation": generation },
            "spec": {
                "replicas": wanted,
                "selector": {},
                "template": { "metadata": { "labels": { labels::RELEASE: "17" } } },
            },
            "status": {
                "observedGeneration": observed,
                "updatedReplicas": updated,
                "replicas": total,
                "availableReplicas": available,
            },
        });
        let deployment: Deployment = serde_json::from_value(deployment).unwrap();
        assert_eq!(release_asked_for(&deployment), Some(ReleaseId(17)));
        Progress::of(&deployment)
    }

    #[test]
    fn a_rollout_is_complete_when_all_pods_are_new_and_available_and_no_old_one_is_left() {
        assert!(progress(2, 2, [3, 3, 3, 3]).is_complete());
        assert!(progress(2, 3, [0, 0, 0, 0]).is_complete());
        assert!(!progress(2, 2, [3, 2, 3, 3]).is_complete(), "one is still to be updated");
        assert!(!progress(2, 2, [3, 3, 4, 4]).is_complete(), "an old one is left");
        assert!(!progress(2, 2, [3, 3, 3, 2]).is_complete(), "one is not available");
    }

    #[test]
    fn the_numbers_of_before_mean_nothing() {
        assert!(!progress(3, 2, [3, 3, 3, 3]).is_complete());
    }

    #[test]
    fn it_is_told_in_words() {
        assert_eq!(
            progress(2, 2, [3, 2, 4, 3]).to_string(),
            "2 of 3 pods updated, 3 available, 2 of the former release"
        );
        assert_eq!(progress(2, 2, [3, 3, 3, 1]).to_string(), "3 of 3 pods updated, 1 available");
    }
}
