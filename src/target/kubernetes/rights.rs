//! What the user may do, asked for before anything is touched, so that nothing is left half done for want of a right.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;
use k8s_openapi::api::authentication::v1::SelfSubjectReview;
use k8s_openapi::api::authorization::v1::{ResourceAttributes, SelfSubjectAccessReview, SelfSubjectAccessReviewSpec};
use kube::Api;
use kube::api::PostParams;

use super::connection::{Cluster, ClusterError};
use super::error::qualified;
use super::object::Object;
use crate::target::Failure;

/// How many lacking rights are named one by one; all that is needed is told anyway.
const NAMED: usize = 3;
/// What is needed whatever a release consists of.
const ALWAYS: &[(&str, &str, &[&str])] = &[
    ("apps", "deployments", &["get", "list", "create", "patch", "delete"]),
    ("apps", "replicasets", &["list"]),
    ("", "services", &["list"]),
    ("", "pods", &["get", "list", "watch"]),
    ("", "pods/log", &["get"]),
    ("", "pods/portforward", &["get"]),
    ("", "events", &["list"]),
];
/// From here on a port-forward through a WebSocket, which is a `get`, needs `create` as well.
const CREATE_TO_FORWARD: (u32, u32) = (1, 35);

/// One thing that a user may or may not do.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Right {
    is_wide: bool,
    group: String,
    /// With the subresource, if there is one: `pods/log`.
    resource: String,
    verb: String,
}

impl Right {
    fn new(is_wide: bool, group: &str, resource: &str, verb: &str) -> Self {
        Self { is_wide, group: group.to_owned(), resource: resource.to_owned(), verb: verb.to_owned() }
    }

    fn question(&self, namespace: &str) -> SelfSubjectAccessReview {
        let (resource, part) = match self.resource.split_once('/') {
            Some((resource, part)) => (resource, Some(part.to_owned())),
            None => (self.resource.as_str(), None),
        };
        let attributes = ResourceAttributes {
            group: Some(self.group.clone()),
            namespace: (!self.is_wide).then(|| namespace.to_owned()),
            resource: Some(resource.to_owned()),
            subresource: part,
            verb: Some(self.verb.clone()),
            ..ResourceAttributes::default()
        };
        let spec = SelfSubjectAccessReviewSpec {
            resource_attributes: Some(attributes),
            ..SelfSubjectAccessReviewSpec::default()
        };
        SelfSubjectAccessReview { spec, ..SelfSubjectAccessReview::default() }
    }
}

/// Refuses unless the user may do all that a release of these objects needs.
pub async fn check(cluster: &Cluster, objects: &[Object]) -> Result<(), Failure> {
    let needed = needed(objects, cluster.version.is_at_least(CREATE_TO_FORWARD.0, CREATE_TO_FORWARD.1));
    let answers = join_all(needed.iter().map(|right| may(cluster, right))).await;
    let mut lacking = Vec::new();
    for (right, answer) in needed.iter().zip(answers) {
        match answer {
            Ok(false) => lacking.push(right),
            Err(error) if error.is_unreachable() => {
                return Err(Failure::not_tried(format!("was not deployed: {error}")));
            }
            // Who may not even ask will see at the trial of the objects, which touches nothing either.
            Ok(true) | Err(_) => {}
        }
    }
    if lacking.is_empty() {
        return Ok(());
    }
    // What matters most is named first.
    lacking.sort_by_key(|right| (right.verb != "patch", right.verb != "create"));
    let user = name(cluster).await;
    Err(Failure::not_tried(refusal(user.as_deref(), &cluster.namespace, &lacking, &needed)))
}

fn needed(objects: &[Object], is_new: bool) -> BTreeSet<Right> {
    let mut needed = BTreeSet::new();
    for (group, resource, verbs) in ALWAYS {
        needed.extend(verbs.iter().map(|verb| Right::new(false, group, resource, verb)));
    }
    if is_new {
        needed.insert(Right::new(false, "", "pods/portforward", "create"));
    }
    for object in objects {
        let verbs: &[&str] =
            if object.is_kept() { &["get", "create", "patch"] } else { &["get", "create", "patch", "delete"] };
        let (group, resource) = (&object.resource.group, &object.resource.plural);
        needed.extend(verbs.iter().map(|verb| Right::new(!object.namespaced, group, resource, verb)));
    }
    needed
}

async fn may(cluster: &Cluster, right: &Right) -> Result<bool, ClusterError> {
    let api: Api<SelfSubjectAccessReview> = Api::all(cluster.client.clone());
    let question = right.question(&cluster.namespace);
    let answer = cluster.ask(api.create(&PostParams::default(), &question)).await?;
    Ok(answer.status.is_some_and(|status| status.allowed))
}

/// The user as the cluster knows it; older ones cannot tell, then as the kubeconfig does.
async fn name(cluster: &Cluster) -> Option<String> {
    let api: Api<SelfSubjectReview> = Api::all(cluster.client.clone());
    let found = cluster.ask(api.create(&PostParams::default(), &SelfSubjectReview::default())).await.ok();
    let told = found.and_then(|found| found.status?.user_info?.username);
    told.or_else(|| cluster.user.clone())
}

fn refusal(user: Option<&str>, namespace: &str, lacking: &[&Right], needed: &BTreeSet<Right>) -> String {
    let who = user.map_or_else(|| "this user".to_owned(), |user| format!("the user {user}"));
    let mut named: Vec<String> = lacking
        .iter()
        .take(NAMED)
        .map(|right| format!("`{}` `{}`", right.verb, qualified(&right.resource, &right.group)))
        .collect();
    if lacking.len() > NAMED {
        named.push(format!("{} more", lacking.len() - NAMED));
    }
    let mut text = format!("was not deployed: {who} may not {} in namespace {namespace}", named.join(", "));
    text.push_str(&format!("; ask for a Role with these: {}", listed(needed, false)));
    let wide = listed(needed, true);
    if !wide.is_empty() {
        text.push_str(&format!("; and for a ClusterRole with these: {wide}"));
    }
    text
}

/// `deployments.apps (create, get, patch), pods/log (get)`.
fn listed(needed: &BTreeSet<Right>, is_wide: bool) -> String {
    let mut verbs: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for right in needed.iter().filter(|right| right.is_wide == is_wide) {
        verbs.entry(qualified(&right.resource, &right.group)).or_default().push(&right.verb);
    }
    verbs.iter().map(|(resource, verbs)| format!("{resource} ({})", verbs.join(", "))).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::object::tests::object;
    use super::*;

    fn objects() -> Vec<Object> {
        let named = |version: &str, kind: &str| {
            object(json!({ "apiVersion": version, "kind": kind, "metadata": { "name": "x" } }))
        };
        let role = Object { namespaced: false, ..named("rbac.authorization.k8s.io/v1", "ClusterRole") };
        vec![named("v1", "ConfigMap"), named("apps/v1", "Deployment"), role]
    }

    #[test]
    fn each_kind_of_a_release_needs_its_verbs_and_what_is_never_removed_needs_no_delete() {
        let needed = needed(&objects(), false);
        assert!(needed.contains(&Right::new(false, "", "configmaps", "delete")));
        assert!(needed.contains(&Right::new(true, "rbac.authorization.k8s.io", "clusterroles", "patch")));
        assert!(!needed.contains(&Right::new(true, "rbac.authorization.k8s.io", "clusterroles", "delete")));
        assert!(!needed.contains(&Right::new(false, "", "pods/portforward", "create")));
        assert!(super::needed(&[], true).contains(&Right::new(false, "", "pods/portforward", "create")));
    }

    #[test]
    fn a_refusal_names_the_user_what_is_lacking_and_all_that_is_needed() {
        let needed = needed(&objects(), false);
        let patch = Right::new(false, "apps", "deployments", "patch");
        let said = refusal(Some("jane"), "ml", &[&patch], &needed);
        assert!(
            said.contains("the user jane may not `patch` `deployments.apps` in namespace ml; ask for a Role"),
            "{said}"
        );
        assert!(said.contains("deployments.apps (create, delete, get, list, patch)"), "{said}");
        assert!(
            said.contains("ClusterRole with these: clusterroles.rbac.authorization.k8s.io (create, get, patch)"),
            "{said}"
        );
        let all: Vec<&Right> = needed.iter().collect();
        assert!(refusal(None, "ml", &all, &needed).contains(" more in namespace ml"));
    }

    #[test]
    fn a_question_has_the_subresource_apart_and_no_namespace_for_the_whole_cluster() {
        let asked = |right: &Right| right.question("ml").spec.resource_attributes.unwrap();
        let log = asked(&Right::new(false, "", "pods/log", "get"));
        assert_eq!((log.resource.as_deref(), log.subresource.as_deref()), (Some("pods"), Some("log")));
        assert_eq!(log.namespace.as_deref(), Some("ml"));
        assert_eq!(asked(&Right::new(true, "", "namespaces", "get")).namespace, None);
    }
}
