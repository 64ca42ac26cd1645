//! A rollout as it is at a moment: the Deployment, the pods of its present revision (those of the `ReplicaSet` that has it),
//! and what the cluster warns of. Pods of the last rollout are not among them, so nobody is blamed for those.
//!
//! Known gap: in a namespace with more than 500 warnings some of ours may go unnoticed; what is judged does not
//! depend on them, only what is told.

use std::collections::BTreeSet;
use std::time::Duration;

use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{Event, Pod};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;

use super::connection::{Cluster, ClusterError};
use crate::pipeline::ReleaseId;
use crate::target::labels;

/// How long one look may take. What is asked for every few moments should not wait long on a connection that died.
const LOOK: Duration = Duration::from_secs(5);
/// The annotation that numbers the revisions of a Deployment.
const REVISION: &str = "deployment.kubernetes.io/revision";
/// How many warnings of a namespace are looked through.
const WARNINGS: u32 = 500;

/// What was seen. It is not to be printed: the variables of the app are in it.
#[derive(Clone, Default)]
pub struct Observed {
    /// The Deployment.
    pub deployment: Deployment,
    /// The pods of its present revision.
    pub pods: Vec<Pod>,
    /// Warnings about any of these.
    pub warnings: Vec<Event>,
}

/// Looks at the Deployment of that name, whose pods carry `selector`; `None` if it is not there.
pub async fn observe(cluster: &Cluster, name: &str, selector: &str) -> Result<Option<Observed>, ClusterError> {
    let (sets, pods, events) = (cluster.api::<ReplicaSet>(), cluster.api::<Pod>(), cluster.api::<Event>());
    let ours = ListParams::default().labels(selector);
    let warning = ListParams::default().fields("type=Warning").limit(WARNINGS);
    let Some(deployment) = deployment(cluster, name).await? else { return Ok(None) };
    // Behind the Deployment, so that what it says of a revision is there already.
    let (sets, pods, events) = tokio::try_join!(
        cluster.ask_within(LOOK, sets.list(&ours)),
        cluster.ask_within(LOOK, pods.list(&ours)),
        cluster.ask_within(LOOK, events.list(&warning)),
    )?;
    let present = sets.items.into_iter().find(|set| is_present(&deployment, set));
    let uid = present.and_then(|set| set.metadata.uid);
    let is_of_set = |pod: &Pod| uid.as_deref().is_some_and(|uid| is_owned(&pod.metadata, uid));
    let pods: Vec<Pod> = pods.items.into_iter().filter(is_of_set).collect();
    let mut subjects: BTreeSet<String> = pods.iter().filter_map(|pod| pod.metadata.uid.clone()).collect();
    subjects.extend(deployment.metadata.uid.clone());
    subjects.extend(uid);
    let is_about = |event: &Event| event.involved_object.uid.as_ref().is_some_and(|uid| subjects.contains(uid));
    let warnings = events.items.into_iter().filter(is_about).collect();
    Ok(Some(Observed { deployment, pods, warnings }))
}

/// The Deployment of that name, if it is there.
pub async fn deployment(cluster: &Cluster, name: &str) -> Result<Option<Deployment>, ClusterError> {
    let api = cluster.api::<Deployment>();
    cluster.ask_within(LOOK, api.get_opt(name)).await
}

/// How many pods of a release are left, beside those of a canary, which has an end of its own.
pub async fn pods_of(cluster: &Cluster, selector: &str, release: ReleaseId) -> Result<usize, ClusterError> {
    let chosen = format!("{selector},{}={release},{}!=canary", labels::RELEASE, labels::TRACK);
    let parameters = ListParams::default().labels(&chosen);
    let pods = cluster.ask_within(LOOK, cluster.api::<Pod>().list(&parameters)).await?;
    // One that is told to end is on its way, however long that takes.
    Ok(pods.items.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).count())
}

fn is_present(deployment: &Deployment, set: &ReplicaSet) -> bool {
    let revision = |metadata: &ObjectMeta| metadata.annotations.as_ref()?.get(REVISION).cloned();
    let uid = deployment.metadata.uid.as_deref().unwrap_or_default();
    let wanted = revision(&deployment.metadata);
    wanted.is_some() && revision(&set.metadata) == wanted && is_owned(&set.metadata, uid)
}

fn is_owned(metadata: &ObjectMeta, by: &str) -> bool {
    metadata.owner_references.as_ref().is_some_and(|owners| owners.iter().any(|owner| owner.uid == by))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn set(revision: &str, owner: &str) -> ReplicaSet {
        let owner = json!([{ "apiVersion": "apps/v1", "kind": "Deployment", "name": "wine", "uid": owner }]);
        let metadata = json!({ "name": "wine-1", "annotations": { REVISION: revision }, "ownerReferences": owner });
        serde_json::from_value(json!({ "metadata": metadata })).unwrap()
    }

    #[test]
    fn the_present_set_has_the_revision_of_its_own_deployment() {
        let metadata = json!({ "name": "wine", "uid": "d", "annotations": { REVISION: "4" } });
        let deployment: Deployment = serde_json::from_value(json!({ "metadata": metadata })).unwrap();
        assert!(is_present(&deployment, &set("4", "d")));
        assert!(!is_present(&deployment, &set("3", "d")));
        assert!(!is_present(&deployment, &set("4", "canary")));
        assert!(!is_present(&Deployment::default(), &set("", "")));
    }
}
