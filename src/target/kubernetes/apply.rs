//! From a request to objects that the cluster would accept, all of them, before any is applied.
//!
//! ```text
//!  manifests, or generated, or those of the release that is repeated
//!    └─▶ kinds ─▶ rights ─▶ whose are they? ─▶ marked for this release ─▶ trial ─▶ kept
//! ```
//!
//! **Invariants.** Nothing is touched here; what is refused here has no effect. An object that carries no label of this
//! project is never taken over.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::path::Path;

use futures_util::future::join_all;
use k8s_openapi::api::apps::v1::Deployment;
use kube::api::ListParams;
use serde_json::Value;

use super::app::{self, App, relabel, table};
use super::connection::{Claim, Cluster, ClusterError};
use super::kinds;
use super::manifest::{self, Document};
use super::object::{Object, is_ours, release_of, selector_of};
use super::replicas::{fitted, is_autoscaled};
use super::rights;
use super::stored::{Manifests, Prepared, StoredError, ours};
use super::{generate, text};
use crate::config::KubernetesSettings;
use crate::target::{ApplyRequest, Failure, labels};

/// Makes a release ready to be rolled out, and keeps what is to be applied in the folder `keep_in`.
pub async fn prepare(
    cluster: &Cluster,
    request: &ApplyRequest,
    settings: &KubernetesSettings,
    image_reference: &str,
    keep_in: &Path,
) -> Result<Prepared, Failure> {
    let mut notes = Vec::new();
    let mut manifests = match request.repeats {
        Some(_) => repeated(cluster, request, settings, image_reference, keep_in, &mut notes).await?,
        None => rendered(cluster, request, settings, image_reference, &mut notes).await?,
    };
    rights::check(cluster, &manifests.objects).await?;
    let ours = ours(request);
    refuse_others(cluster, &manifests.objects, &ours).await?;
    let live = live(cluster, &manifests.app, &selector_of(&ours)).await.map_err(|error| refused(&error))?;
    let former = live.as_ref().and_then(|live| Manifests::last_proven(keep_in, live, &manifests));
    manifests.former = match &former {
        // The same release again: what was before it still is.
        Some(former) if former.release == manifests.release => former.former,
        former => former.as_ref().map(|former| former.release),
    };
    manifests.autoscaled = is_autoscaled(cluster, &manifests.objects, &manifests.app).await;
    if manifests.autoscaled && settings.replicas.is_some() {
        notes.push("an autoscaler owns the number of pods, so `replicas` of the deploy stage is left out".to_owned());
    }
    for object in &mut manifests.objects {
        mark(object, request);
        if object.is_deployment(&manifests.app) {
            app::mark(&mut object.body, &manifests.container, request);
        }
    }
    let same = live.as_ref().filter(|live| live.metadata.name.as_deref() == Some(manifests.app.as_str()));
    try_all(cluster, &manifests, same).await?;
    manifests.write(keep_in).map_err(|error| {
        Failure::not_tried(format!(
            "was not deployed: its manifests cannot be kept in {}: {error}; make room",
            keep_in.display()
        ))
    })?;
    Ok(Prepared { manifests, former, ours, keep_in: keep_in.to_owned(), notes })
}

async fn rendered(
    cluster: &Cluster,
    request: &ApplyRequest,
    settings: &KubernetesSettings,
    image: &str,
    notes: &mut Vec<String>,
) -> Result<Manifests, Failure> {
    let (documents, app) = match &settings.manifests {
        Some(path) => own(request, settings, path, image, notes)?,
        None => generate::documents(request, settings, image),
    };
    let objects = kinds::resolve(cluster, documents).await.map_err(|error| refused(&error))?;
    Ok(Manifests::new(request.release, app, settings.container_port, objects))
}

fn own(
    request: &ApplyRequest,
    settings: &KubernetesSettings,
    path: &Path,
    image: &str,
    notes: &mut Vec<String>,
) -> Result<(Vec<Document>, App), Failure> {
    let mut documents = manifest::read(&request.source, path).map_err(|error| refused(&error))?;
    let app = app::put_image(&mut documents, image).map_err(|error| refused(&error))?;
    let is_app = |document: &&mut Document| document.text("kind") == "Deployment" && document.name() == app.name;
    if let Some(document) = documents.iter_mut().find(is_app) {
        notes.extend(app::complete(&mut document.body, &app, request, settings));
    }
    Ok((documents, app))
}

/// What was applied for the release that is repeated, for this one.
async fn repeated(
    cluster: &Cluster,
    request: &ApplyRequest,
    settings: &KubernetesSettings,
    image: &str,
    keep_in: &Path,
    notes: &mut Vec<String>,
) -> Result<Manifests, Failure> {
    let Some(repeats) = request.repeats else { return rendered(cluster, request, settings, image, notes).await };
    match Manifests::read(keep_in, repeats) {
        Ok(mut found) => {
            for object in found.objects.iter_mut().filter(|object| object.namespaced) {
                if let Some(metadata) = table(&mut object.body, &["metadata"]) {
                    metadata.insert("namespace".to_owned(), Value::from(cluster.namespace.as_str()));
                }
            }
            Ok(found.again_as(request.release))
        }
        // It ran elsewhere, or long ago. Generated ones depend on nothing but the request.
        Err(StoredError::Missing(_)) if settings.manifests.is_none() => {
            notes.push(format!("the manifests of release {repeats} are not kept here; they are generated again"));
            rendered(cluster, request, settings, image, notes).await
        }
        Err(error) => Err(Failure::not_tried(format!(
            "was not deployed: {error}; deploy the commit of release {repeats} again instead of going back to it"
        ))),
    }
}

/// The Deployment of ours that is live: of that name, or, where the name has changed, the one of the latest release.
async fn live(cluster: &Cluster, app: &str, ours: &str) -> Result<Option<Deployment>, ClusterError> {
    let stable = format!("{ours},{}!=canary", labels::TRACK);
    let found = cluster.ask(cluster.api::<Deployment>().list(&ListParams::default().labels(&stable))).await?;
    let is_same = |live: &Deployment| live.metadata.name.as_deref() == Some(app);
    Ok(found.items.into_iter().max_by_key(|live| (is_same(live), release_of(&live.metadata))))
}

/// Labels and annotations of a release on one of its objects.
fn mark(object: &mut Object, request: &ApplyRequest) {
    if let Some(labels) = table(&mut object.body, &["metadata", "labels"]) {
        relabel(labels, &request.labels());
        if labels.get("app.kubernetes.io/managed-by").is_some_and(|by| by == "trainyard") {
            labels.insert("app.kubernetes.io/version".to_owned(), Value::from(request.release.to_string()));
        }
    }
    if let Some(annotations) = table(&mut object.body, &["metadata", "annotations"]) {
        annotations.insert(labels::RELEASE.to_owned(), Value::from(request.release.to_string()));
    }
}

/// Objects of these names that are not ours stay what they are.
async fn refuse_others(cluster: &Cluster, objects: &[Object], ours: &BTreeMap<String, String>) -> Result<(), Failure> {
    let looked = join_all(objects.iter().map(|object| object.look(cluster))).await;
    let mut others = Vec::new();
    for (object, found) in objects.iter().zip(looked) {
        match found {
            Ok(Some(found)) if !is_ours(&found, ours) => others.push(object.to_string()),
            Ok(_) => {}
            Err(error) => return Err(Failure::not_tried(format!("was not deployed: {object}: {error}"))),
        }
    }
    if others.is_empty() {
        return Ok(());
    }
    let labels: Vec<String> = ours.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let (others, labels, namespace) = (others.join(" "), labels.join(" "), &cluster.namespace);
    Err(Failure::not_tried(format!(
        "was not deployed: {others} in namespace {namespace} is there already and not of this project folder; rename yours, \
         or hand it over (`kubectl -n {namespace} label --overwrite {others} {labels}`)"
    )))
}

/// Lets the server try all objects, so that none is applied when one cannot be.
async fn try_all(cluster: &Cluster, manifests: &Manifests, live: Option<&Deployment>) -> Result<(), Failure> {
    let mut claims = Vec::new();
    for object in &manifests.objects {
        let is_app = object.is_deployment(&manifests.app);
        let object = if is_app && manifests.autoscaled { fitted(object, live) } else { object.clone() };
        match object.apply(cluster, true).await {
            Ok(applied) if is_app && is_paused(&applied.data) => {
                return Err(Failure::not_tried(format!(
                    "was not deployed: {object} is paused; let it go on (`kubectl -n {} rollout resume {object}`), or take \
                     `paused` out of the manifest",
                    cluster.namespace
                )));
            }
            Ok(_) => {}
            Err(ClusterError::Conflict { claims: found }) => {
                claims.extend(
                    found.into_iter().map(|claim| Claim { field: format!("{object} {}", claim.field), ..claim }),
                );
            }
            Err(error) => return Err(not_accepted(&object, &error, cluster)),
        }
    }
    if claims.is_empty() { Ok(()) } else { Err(refused(&ClusterError::Conflict { claims })) }
}

/// What the server says against an object, with what helps.
pub(super) fn not_accepted(object: &Object, error: &ClusterError, cluster: &Cluster) -> Failure {
    let namespace = &cluster.namespace;
    match error {
        ClusterError::NotFound { what } if what.starts_with("namespaces ") => Failure::not_tried(format!(
            "was not deployed: there is no namespace {namespace} on {}; make it (`kubectl create namespace {namespace}`), or \
             change `namespace` of the deploy stage",
            cluster.context
        )),
        ClusterError::Invalid { message } if message.contains("field is immutable") => Failure::not_tried(format!(
            "was not deployed: {object} cannot be changed so: {}; change it back, or delete the object first (`kubectl -n \
             {namespace} delete {object}`)",
            text::one_line(message)
        )),
        error => Failure::not_tried(format!("was not deployed: {object}: {error}")),
    }
}

fn is_paused(applied: &Value) -> bool {
    applied.pointer("/spec/paused").and_then(Value::as_bool).unwrap_or_default()
}

fn refused(error: &dyn Display) -> Failure {
    Failure::not_tried(format!("was not deployed: {error}"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::app::tests::request;
    use super::super::object::tests::object;
    use super::*;
    use crate::pipeline::ReleaseId;

    #[test]
    fn every_object_carries_the_labels_of_its_release() {
        let mut config =
            object(json!({ "apiVersion": "v1", "kind": "ConfigMap", "metadata": { "name": "c", "labels": null } }));
        mark(&mut config, &request());
        mark(&mut config, &ApplyRequest { release: ReleaseId(18), ..request() });
        let metadata = &config.body["metadata"];
        assert_eq!(metadata["labels"][labels::RELEASE], "18");
        assert_eq!(metadata["labels"][labels::FOLDER], labels::folder(&request().folder));
        assert_eq!(metadata["annotations"][labels::RELEASE], "18");
        assert_eq!(metadata["labels"].get("app.kubernetes.io/version"), None, "it is not one that we made up");
    }

    #[test]
    fn the_app_of_own_manifests_is_completed_and_the_rest_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let text = "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: wine}\nspec:\n  selector: {matchLabels: {app: w}}\n  \
                    template:\n    metadata: {labels: {app: w}}\n    spec: {containers: [{name: s, image: trainyard}]}\n---\n\
                    apiVersion: v1\nkind: Service\nmetadata: {name: wine}\n";
        std::fs::write(folder.path().join("all.yaml"), text).unwrap();
        let request = ApplyRequest { source: folder.path().to_owned(), ..request() };
        let settings = super::super::app::tests::settings();
        let mut notes = Vec::new();
        let (documents, app) = own(&request, &settings, Path::new("all.yaml"), "wine:1", &mut notes).unwrap();
        assert_eq!((app.name.as_str(), app.container.as_str(), app.selector.as_str()), ("wine", "s", "app=w"));
        let container = &documents[0].body["spec"]["template"]["spec"]["containers"][0];
        assert_eq!(container["image"], "wine:1");
        assert!(container["env"].to_string().contains("TRAINYARD_RELEASE"));
        assert_eq!(documents[1].body, json!({ "apiVersion": "v1", "kind": "Service", "metadata": { "name": "wine" } }));
        let said = own(&request, &settings, Path::new("gone"), "wine:1", &mut notes).unwrap_err();
        assert!(said.reason().starts_with("was not deployed: the manifests at"), "{}", said.reason());
    }
}
