//! The end of an app on a cluster: all that carries the labels of its project goes, and is waited for.
//!
//! What holds data (`PersistentVolumeClaim`) and what belongs to the whole cluster stays; see [`super::object`].

use std::fmt::Debug;
use std::time::Duration;

use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::api::core::v1::{Pod, Service};
use kube::Resource;
use kube::api::{DeleteParams, ListParams};
use kube::core::NamespaceResourceScope;
use serde::de::DeserializeOwned;
use tokio::time::{Instant, sleep};

use super::connection::{Cluster, ClusterError};
use super::object::selector_of;
use super::stored::Prepared;
use crate::pipeline::quantity::counted;
use crate::target::labels;

/// How long pods may take to end: their grace, and what a node takes beyond it.
const GONE: Duration = Duration::from_mins(2);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Removes the app of the project, with whatever canary, and waits until its pods have ended.
pub async fn remove(cluster: &Cluster, prepared: &Prepared) -> Result<(), ClusterError> {
    let how = DeleteParams::foreground();
    for object in prepared.manifests.objects.iter().rev() {
        object.remove(cluster, &prepared.ours, None, &how).await?;
    }
    // What another release had, or a canary.
    let ours = format!("{},{}", selector_of(&prepared.ours), labels::RELEASE);
    remove_all::<Deployment>(cluster, &ours, &how).await?;
    remove_all::<Service>(cluster, &ours, &how).await?;
    let started = Instant::now();
    loop {
        let (deployments, left) = tokio::try_join!(names::<Deployment>(cluster, &ours), names::<Pod>(cluster, &ours))?;
        if deployments.is_empty() && left.is_empty() {
            return Ok(());
        }
        if started.elapsed() > GONE {
            let what = format!("{} of {}", counted(left.len(), "pod"), prepared.deployment());
            return Err(ClusterError::StillThere { what, seconds: GONE.as_secs() });
        }
        // The cluster tells of the end of pods no other way but a watch, which may be dead for longer than this lasts.
        sleep(LOOK_EVERY).await;
    }
}

async fn remove_all<K>(cluster: &Cluster, selector: &str, how: &DeleteParams) -> Result<(), ClusterError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    K::DynamicType: Default,
{
    for name in names::<K>(cluster, selector).await? {
        match cluster.ask(cluster.api::<K>().delete(&name, how)).await {
            Err(error) if !error.is_missing() => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

async fn names<K>(cluster: &Cluster, selector: &str) -> Result<Vec<String>, ClusterError>
where
    K: Resource<Scope = NamespaceResourceScope> + Clone + DeserializeOwned + Debug,
    K::DynamicType: Default,
{
    let found = cluster.ask(cluster.api::<K>().list(&ListParams::default().labels(selector))).await?;
    Ok(found.items.iter().filter_map(|object| object.meta().name.clone()).collect())
}
