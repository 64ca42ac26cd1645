//! One object of a release: what is applied, asked for and removed, whatever its kind.
//!
//! Objects are applied by the server (server-side apply) under one name, and never by force: what another has set since is
//! a conflict that is told, not a change that is lost.
//!
//! **Invariants.** Only what carries the labels of this project is removed. What holds data or belongs to the whole cluster
//! is never removed, not even when the app is.

use std::collections::BTreeMap;
use std::fmt;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::{ApiResource, DeleteParams, DynamicObject, Patch, PatchParams};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::connection::{Cluster, ClusterError};
use crate::pipeline::ReleaseId;
use crate::target::labels;

/// Who we are among those who set fields.
pub const MANAGER: &str = "trainyard";

/// The order in which kinds are applied: what others refer to comes first. Kinds that are not named come behind all.
const ORDER: &[&str] = &[
    "Namespace",
    "CustomResourceDefinition",
    "PriorityClass",
    "StorageClass",
    "ResourceQuota",
    "LimitRange",
    "ServiceAccount",
    "Role",
    "ClusterRole",
    "RoleBinding",
    "ClusterRoleBinding",
    "Secret",
    "ConfigMap",
    "PersistentVolume",
    "PersistentVolumeClaim",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Service",
    "StatefulSet",
    "DaemonSet",
    "Deployment",
];

/// An object as it is to be.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct Object {
    /// How the API server calls its kind.
    pub resource: ApiResource,
    /// Whether it lies in a namespace.
    pub namespaced: bool,
    /// What is applied.
    pub body: Value,
}

// A body may be a Secret.
impl fmt::Debug for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Object").field(&self.to_string()).finish()
    }
}

impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.resource.plural, self.name())
    }
}

impl Object {
    /// Its name.
    pub fn name(&self) -> &str {
        self.body.pointer("/metadata/name").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it stands for the same object of the cluster as `other`.
    pub fn is_same(&self, other: &Self) -> bool {
        self.resource.group == other.resource.group
            && self.resource.kind == other.resource.kind
            && self.name() == other.name()
    }

    /// Whether it is the Deployment of that name.
    pub fn is_deployment(&self, name: &str) -> bool {
        self.resource.kind == "Deployment" && self.resource.group == "apps" && self.name() == name
    }

    /// Whether it outlives the app: what holds data, and what belongs to the whole cluster.
    pub fn is_kept(&self) -> bool {
        !self.namespaced || self.resource.kind == "PersistentVolumeClaim"
    }

    /// Its place in the order of applying.
    pub fn rank(&self) -> usize {
        ORDER.iter().position(|kind| *kind == self.resource.kind).unwrap_or(ORDER.len())
    }

    /// Applies it, or only tries whether it could be applied. Returns it as it is then.
    pub async fn apply(&self, cluster: &Cluster, is_trial: bool) -> Result<DynamicObject, ClusterError> {
        let ours = PatchParams::apply(MANAGER);
        let parameters = if is_trial { ours.dry_run() } else { ours };
        let api = cluster.api_of(&self.resource, self.namespaced);
        let patch = Patch::Apply(&self.body);
        cluster.ask(api.patch(self.name(), &parameters, &patch)).await.map_err(|error| self.discreet(error))
    }

    /// As it is on the cluster; `None` if it is not there.
    pub async fn live(&self, cluster: &Cluster) -> Result<Option<DynamicObject>, ClusterError> {
        cluster.ask(cluster.api_of(&self.resource, self.namespaced).get_opt(self.name())).await
    }

    /// What is known about it on the cluster beside its content; `None` if it is not there.
    pub async fn look(&self, cluster: &Cluster) -> Result<Option<ObjectMeta>, ClusterError> {
        let api = cluster.api_of(&self.resource, self.namespaced);
        let found = cluster.ask(api.get_metadata_opt(self.name())).await?;
        Ok(found.map(|found| found.metadata))
    }

    /// Removes it if it is ours and of `release`, when one is given. What is kept, and what is gone already, is no error.
    /// Tells whether it was removed.
    pub async fn remove(
        &self,
        cluster: &Cluster,
        ours: &BTreeMap<String, String>,
        release: Option<ReleaseId>,
        how: &DeleteParams,
    ) -> Result<bool, ClusterError> {
        if self.is_kept() {
            return Ok(false);
        }
        let Some(found) = self.look(cluster).await? else { return Ok(false) };
        if !is_ours(&found, ours) || release.is_some_and(|release| release_of(&found) != Some(release)) {
            return Ok(false);
        }
        let api = cluster.api_of(&self.resource, self.namespaced);
        match cluster.ask(api.delete(self.name(), how)).await {
            Ok(_) => Ok(true),
            Err(error) if error.is_missing() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// What a server says against a Secret may quote it.
    fn discreet(&self, error: ClusterError) -> ClusterError {
        match error {
            ClusterError::Invalid { .. } | ClusterError::Refused { .. } if self.resource.kind == "Secret" => {
                let message = format!("{self} (why is not shown, for it may quote the Secret)");
                ClusterError::Invalid { message }
            }
            error => error,
        }
    }
}

/// Whether an object of the cluster carries the labels of this project.
pub fn is_ours(found: &ObjectMeta, ours: &BTreeMap<String, String>) -> bool {
    let Some(carried) = &found.labels else { return false };
    ours.iter().all(|(name, value)| carried.get(name) == Some(value))
}

/// The release to which an object of the cluster belongs.
pub fn release_of(found: &ObjectMeta) -> Option<ReleaseId> {
    found.labels.as_ref()?.get(labels::RELEASE)?.parse().ok().map(ReleaseId)
}

/// Labels as they are asked for.
pub fn selector_of(labels: &BTreeMap<String, String>) -> String {
    labels.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(",")
}

#[cfg(test)]
pub(super) mod tests {
    use kube::core::GroupVersionKind;
    use serde_json::json;

    use super::*;

    /// An object that was described as one of a namespace.
    pub(crate) fn object(body: Value) -> Object {
        let text = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let (version, kind) = (text("apiVersion"), text("kind"));
        let (group, version) = version.split_once('/').unwrap_or(("", &version));
        let resource = ApiResource::from_gvk(&GroupVersionKind::gvk(group, version, &kind));
        Object { resource, namespaced: true, body }
    }

    fn named(kind: &str, name: &str) -> Object {
        object(json!({ "apiVersion": "v1", "kind": kind, "metadata": { "name": name } }))
    }

    #[test]
    fn what_others_refer_to_is_applied_first() {
        let mut kinds =
            ["HorizontalPodAutoscaler", "Deployment", "Service", "ConfigMap", "Namespace"].map(|kind| named(kind, "x"));
        kinds.sort_by_key(Object::rank);
        let order = kinds.map(|object| object.resource.kind);
        assert_eq!(order, ["Namespace", "ConfigMap", "Service", "Deployment", "HorizontalPodAutoscaler"]);
    }

    #[test]
    fn what_holds_data_or_is_of_the_whole_cluster_is_kept() {
        assert!(named("PersistentVolumeClaim", "data").is_kept());
        assert!(Object { namespaced: false, ..named("ClusterRole", "x") }.is_kept());
        assert!(!named("ConfigMap", "x").is_kept());
    }

    #[test]
    fn only_what_carries_all_labels_of_the_project_is_ours() {
        let ours = labels::of_project("wine", "abc");
        let mut found = ObjectMeta { labels: Some(ours.clone()), ..ObjectMeta::default() };
        assert!(is_ours(&found, &ours));
        found.labels.get_or_insert_default().insert(labels::FOLDER.to_owned(), "other".to_owned());
        assert!(!is_ours(&found, &ours));
        assert!(!is_ours(&ObjectMeta::default(), &ours));
    }

    #[test]
    fn a_secret_is_neither_shown_nor_quoted() {
        let secret = object(
            json!({ "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" }, "data": { "p": "hush" } }),
        );
        assert_eq!(format!("{secret:?}"), "Object(\"secrets/s\")");
        let said = secret.discreet(ClusterError::Invalid { message: "Invalid value: \"hush\"".to_owned() });
        assert!(!said.to_string().contains("hush"), "{said}");
    }

    #[test]
    fn the_release_is_read_from_the_label() {
        let labels = BTreeMap::from([(labels::RELEASE.to_owned(), "17".to_owned())]);
        let found = ObjectMeta { labels: Some(labels), ..ObjectMeta::default() };
        assert_eq!(release_of(&found), Some(ReleaseId(17)));
        assert_eq!(release_of(&ObjectMeta::default()), None);
    }
}
