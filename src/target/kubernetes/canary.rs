//! A canary: some pods of a release beside those of the former, behind the same Service, until it is judged.
//!
//! It is a Deployment of its own, so that the number of its pods is its own and withdrawing it is removing it. Its pods carry
//! the labels of the app's, by which the Service and this machine find them, and the track by which they are told apart.
//!
//! Known gap: objects beside the Deployment that the new release changes, such as a `ConfigMap`, are those of the former
//! release until the canary is promoted; those that only the new one has are there for it.

use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, ListParams};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::{Instant, sleep};

use super::app::table;
use super::apply::not_accepted;
use super::connection::{Cluster, ClusterError};
use super::follow::Rollout;
use super::object::{Object, is_ours};
use super::observe::{deployment, observe};
use super::patience::Patience;
use super::pods::PodEntry;
use super::progress::release_asked_for;
use super::rollout::{failure_of, with_left_over};
use super::stored::Prepared;
use super::undo::remove_new;
use crate::config::CanarySettings;
use crate::pipeline::quantity::counted;
use crate::target::{Failure, labels};

/// How long a silence of the cluster is borne.
const SILENCE: Duration = Duration::from_mins(1);
/// How long the pods of a canary that is withdrawn may take to be told to end.
const WITHDRAWN: Duration = Duration::from_mins(1);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);
/// The track of a canary.
const TRACK: &str = "canary";

/// Starts the canary of a release and waits until its pods are ready; returns their names. Whatever goes wrong, nothing of
/// it stays.
pub async fn start(
    cluster: &Cluster,
    prepared: &Prepared,
    settings: &CanarySettings,
    within: Duration,
    step: &(dyn Fn(String) + Send + Sync),
    give_up: &mut watch::Receiver<bool>,
) -> Result<Vec<String>, Failure> {
    let mut patience = Patience::new(SILENCE, step);
    let refused = |error: &ClusterError| Failure::not_tried(format!("was not tried as a canary: {error}"));
    let stable =
        patience.reach(|| deployment(cluster, prepared.deployment())).await.map_err(|error| refused(&error))?;
    let present = stable.as_ref().and_then(|stable| stable.spec.as_ref()?.replicas).unwrap_or(1);
    let Some(canary) = canary(prepared, settings.share, present) else {
        return Err(Failure::not_tried("was not tried as a canary: its manifests hold no Deployment of the app"));
    };
    let found = patience.reach(|| canary.look(cluster)).await.map_err(|error| refused(&error))?;
    if found.is_some_and(|found| !is_ours(&found, &prepared.ours)) {
        let namespace = &cluster.namespace;
        return Err(Failure::not_tried(format!(
            "was not tried as a canary: {canary} in namespace {namespace} is there already and not of this project folder; \
             rename or remove it"
        )));
    }
    step(format!("starting {canary} with {}", counted(count(settings.share, present), "pod")));
    let selector = selector(prepared);
    let rollout =
        Rollout { cluster, deployment: canary.name(), selector: &selector, release: prepared.release(), step };
    let outcome = Box::pin(attempt(&rollout, prepared, &canary, within, &mut patience, give_up)).await;
    match outcome {
        Ok(names) => Ok(names),
        Err(failure) => match Box::pin(withdraw(cluster, prepared)).await {
            Ok(()) => Err(failure),
            Err(error) => Err(with_left_over(failure, &format!("its canary is not removed: {error}"))),
        },
    }
}

/// Takes the canary away, and what only its release has unless that has become the live one.
pub async fn withdraw(cluster: &Cluster, prepared: &Prepared) -> Result<(), ClusterError> {
    let untold = |_: String| {};
    let mut patience = Patience::new(SILENCE, &untold);
    if let Some(canary) = canary(prepared, 1.0, 1) {
        let how = DeleteParams::background();
        patience.reach(|| canary.remove(cluster, &prepared.ours, None, &how)).await?;
    }
    let live = patience.reach(|| deployment(cluster, prepared.deployment())).await?;
    // Without a record of the former release it is not known what is only the new one's.
    if live.as_ref().and_then(release_asked_for) != Some(prepared.release()) && prepared.former.is_some() {
        remove_new(cluster, prepared, prepared.former.as_ref(), &mut patience).await?;
    }
    gone(cluster, prepared, &mut patience).await
}

async fn attempt(
    rollout: &Rollout<'_>,
    prepared: &Prepared,
    canary: &Object,
    within: Duration,
    patience: &mut Patience<'_>,
    give_up: &mut watch::Receiver<bool>,
) -> Result<Vec<String>, Failure> {
    let cluster = rollout.cluster;
    for object in prepared.manifests.objects.iter().filter(|object| !object.is_deployment(prepared.deployment())) {
        let found = patience.reach(|| object.look(cluster)).await;
        if found.map_err(|error| not_accepted(object, &error, cluster))?.is_none() {
            apply(cluster, object, patience).await?;
        }
    }
    let before = rollout.before(patience).await.map_err(|error| not_accepted(canary, &error, cluster))?;
    apply(cluster, canary, patience).await?;
    if let Err(stop) = rollout.complete(before.as_ref(), within, patience, give_up).await {
        return Err(failure_of(cluster, stop).await);
    }
    let seen = patience.reach(|| observe(cluster, rollout.deployment, rollout.selector)).await;
    let seen = seen.map_err(|error| not_accepted(canary, &error, cluster))?.unwrap_or_default();
    Ok(seen.pods.iter().map(PodEntry::of).filter(|pod| pod.ready).map(|pod| pod.name).collect())
}

async fn apply(cluster: &Cluster, object: &Object, patience: &mut Patience<'_>) -> Result<(), Failure> {
    let applied = patience.reach(|| object.apply(cluster, false)).await;
    applied.map(|_| ()).map_err(|error| not_accepted(object, &error, cluster))
}

/// Waits until the canary gets no requests any more.
async fn gone(cluster: &Cluster, prepared: &Prepared, patience: &mut Patience<'_>) -> Result<(), ClusterError> {
    let parameters = ListParams::default().labels(&selector(prepared));
    let api = cluster.api::<Pod>();
    let started = Instant::now();
    loop {
        let found = patience.reach(|| cluster.ask(api.list(&parameters))).await?;
        let left = found.items.iter().filter(|pod| pod.metadata.deletion_timestamp.is_none()).count();
        if left == 0 {
            return Ok(());
        }
        if started.elapsed() > WITHDRAWN + patience.lost() {
            let what = format!("a canary with {}", counted(left, "pod"));
            return Err(ClusterError::StillThere { what, seconds: WITHDRAWN.as_secs() });
        }
        // The cluster tells of the end of pods no other way but a watch, which may be dead for longer than this lasts.
        sleep(LOOK_EVERY).await;
    }
}

/// The labels of the canary's pods, as they are asked for.
fn selector(prepared: &Prepared) -> String {
    format!("{},{}={TRACK}", prepared.selector(), labels::TRACK)
}

/// The Deployment of the canary, beside `present` pods of the app.
fn canary(prepared: &Prepared, share: f64, present: i32) -> Option<Object> {
    let mut canary = prepared.manifests.deployment()?.clone();
    let name = labels::name(&format!("{}-{TRACK}", prepared.deployment()), labels::LONGEST);
    table(&mut canary.body, &["metadata"])?.insert("name".to_owned(), json!(name));
    table(&mut canary.body, &["spec"])?.insert("replicas".to_owned(), json!(count(share, present)));
    let marked: [&[&str]; 3] =
        [&["metadata", "labels"], &["spec", "selector", "matchLabels"], &["spec", "template", "metadata", "labels"]];
    for path in marked {
        table(&mut canary.body, path)?.insert(labels::TRACK.to_owned(), Value::from(TRACK));
    }
    Some(canary)
}

/// The share of `present` pods, rounded up; at least one.
fn count(share: f64, present: i32) -> i32 {
    // What the arithmetic adds behind the point must not make a pod more of it.
    let wanted = share * f64::from(present) - 1e-9;
    (1..=present).find(|count| f64::from(*count) >= wanted).unwrap_or(1)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::super::stored::tests::manifests;
    use super::*;

    fn prepared() -> Prepared {
        let mut manifests = manifests(17);
        let body = &mut manifests.objects[0].body;
        body["spec"] = json!({
            "replicas": 8,
            "selector": { "matchLabels": { "app": "wine" } },
            "template": { "metadata": { "labels": { "app": "wine", labels::TRACK: "stable" } } },
        });
        Prepared { manifests, former: None, ours: BTreeMap::new(), keep_in: "/nowhere".into(), notes: Vec::new() }
    }

    #[test]
    fn a_canary_has_its_share_of_the_pods_rounded_up_and_at_least_one() {
        assert_eq!([count(0.25, 8), count(0.25, 9), count(0.1, 30), count(0.05, 1), count(0.5, 0)], [2, 3, 3, 1, 1]);
    }

    #[test]
    fn its_pods_are_found_like_those_of_the_app_and_are_its_own() {
        let canary = canary(&prepared(), 0.25, 8).unwrap();
        assert_eq!(canary.name(), "wine-canary");
        let spec = &canary.body["spec"];
        assert_eq!(spec["replicas"], 2);
        assert_eq!(spec["selector"]["matchLabels"], json!({ "app": "wine", labels::TRACK: "canary" }));
        assert_eq!(spec["template"]["metadata"]["labels"], json!({ "app": "wine", labels::TRACK: "canary" }));
        assert_eq!(canary.body["metadata"]["labels"][labels::TRACK], "canary");
        assert_eq!(selector(&prepared()), "app=wine,com.trainyard.track=canary");
    }
}
