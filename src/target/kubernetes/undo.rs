//! The way back from a rollout that failed: what was live before is applied again, and what only the new release had goes.
//!
//! It is over when the former release is complete and no pod of the new one is left but those that end. Without a former
//! release nothing of the new one stays.

use std::time::Duration;

use kube::api::DeleteParams;
use tokio::time::{Instant, sleep};

use super::connection::{Cluster, ClusterError};
use super::observe::{Observed, deployment, observe, pods_of};
use super::patience::Patience;
use super::progress::{Progress, release_asked_for};
use super::replicas::fitted;
use super::stored::{Manifests, Prepared};
use crate::pipeline::quantity::counted;

/// How long a silence of the cluster is borne on the way back.
const SILENCE: Duration = Duration::from_mins(1);
/// How long the former release may take to be complete again, and pods to go.
const SETTLED: Duration = Duration::from_mins(2);
/// How often that is looked at.
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Goes back. An error says what is left, to be read behind a reason.
pub async fn undo(cluster: &Cluster, prepared: &Prepared, step: &(dyn Fn(String) + Send + Sync)) -> Result<(), String> {
    let started = Instant::now();
    let back = Back { cluster, prepared, step };
    let done = match &prepared.former {
        Some(former) => Box::pin(back.to(former)).await,
        None => Box::pin(back.to_nothing()).await,
    };
    let seconds = started.elapsed().as_secs_f64();
    match (done, &prepared.former) {
        (Ok(()), Some(former)) => {
            step(format!("rolled back to release {} in {seconds:.1} s", former.release));
            Ok(())
        }
        (Ok(()), None) => {
            step(format!("removed what was made for release {} in {seconds:.1} s", prepared.release()));
            Ok(())
        }
        (Err(error), Some(former)) => {
            Err(format!("the rollback to release {} is not complete: {error}", former.release))
        }
        (Err(error), None) => Err(format!("what was made for it is not all removed: {error}")),
    }
}

/// Removes what only the release has; `former` has the rest.
pub async fn remove_new(
    cluster: &Cluster,
    prepared: &Prepared,
    former: Option<&Manifests>,
    patience: &mut Patience<'_>,
) -> Result<(), ClusterError> {
    let release = Some(prepared.release());
    // In the background, so that the name is free at once for the next release.
    let how = DeleteParams::background();
    // In the other direction, so that nothing refers to what is gone.
    for object in prepared.manifests.objects.iter().rev() {
        if former.is_none_or(|former| !former.holds(object)) {
            patience.reach(|| object.remove(cluster, &prepared.ours, release, &how)).await?;
        }
    }
    Ok(())
}

struct Back<'a> {
    cluster: &'a Cluster,
    prepared: &'a Prepared,
    step: &'a (dyn Fn(String) + Send + Sync),
}

impl Back<'_> {
    async fn to(&self, former: &Manifests) -> Result<(), ClusterError> {
        (self.step)(format!("rolling back to release {}", former.release));
        let cluster = self.cluster;
        let mut patience = Patience::new(SILENCE, self.step);
        let live = patience.reach(|| deployment(cluster, &former.app)).await?;
        for object in &former.objects {
            let is_app = object.is_deployment(&former.app);
            let object = if is_app && former.autoscaled { fitted(object, live.as_ref()) } else { object.clone() };
            patience.reach(|| object.apply(cluster, false)).await?;
        }
        remove_new(cluster, self.prepared, Some(former), &mut patience).await?;
        self.settle(&mut patience, former).await
    }

    async fn to_nothing(&self) -> Result<(), ClusterError> {
        let mut patience = Patience::new(SILENCE, self.step);
        remove_new(self.cluster, self.prepared, None, &mut patience).await?;
        self.none_left(&mut patience).await
    }

    async fn settle(&self, patience: &mut Patience<'_>, former: &Manifests) -> Result<(), ClusterError> {
        let started = Instant::now();
        loop {
            let seen = patience.reach(|| observe(self.cluster, &former.app, &former.selector)).await?;
            let is_back = seen.as_ref().is_some_and(|seen| is_settled(seen, former));
            if is_back {
                // A release that is applied over itself has no other pods.
                let is_other = former.release != self.prepared.release();
                return if is_other { self.none_left(patience).await } else { Ok(()) };
            }
            if started.elapsed() > SETTLED + patience.lost() {
                let state = seen.map(|seen| Progress::of(&seen.deployment).to_string()).unwrap_or_default();
                let what = format!("release {} ({state})", self.prepared.release());
                return Err(ClusterError::StillThere { what, seconds: SETTLED.as_secs() });
            }
            // Asked for again like a rollout itself, and for the same reasons.
            sleep(LOOK_EVERY).await;
        }
    }

    async fn none_left(&self, patience: &mut Patience<'_>) -> Result<(), ClusterError> {
        let (selector, release) = (self.prepared.selector(), self.prepared.release());
        let started = Instant::now();
        loop {
            let left = patience.reach(|| pods_of(self.cluster, selector, release)).await?;
            if left == 0 {
                return Ok(());
            }
            if started.elapsed() > SETTLED + patience.lost() {
                let what = format!("{} of release {release}", counted(left, "pod"));
                return Err(ClusterError::StillThere { what, seconds: SETTLED.as_secs() });
            }
            // As above.
            sleep(LOOK_EVERY).await;
        }
    }
}

fn is_settled(seen: &Observed, former: &Manifests) -> bool {
    release_asked_for(&seen.deployment) == Some(former.release) && Progress::of(&seen.deployment).is_complete()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::stored::tests::manifests;
    use super::*;

    #[test]
    fn it_is_settled_when_the_former_release_is_complete_again() {
        let seen = |release: &str, available: i32| {
            let template = json!({ "metadata": { "labels": { "com.trainyard.release": release } } });
            let status = json!({ "updatedReplicas": 2, "replicas": 2, "availableReplicas": available });
            let spec = json!({ "replicas": 2, "selector": {}, "template": template });
            let deployment = json!({ "metadata": {}, "spec": spec, "status": status });
            Observed { deployment: serde_json::from_value(deployment).unwrap(), ..Observed::default() }
        };
        assert!(is_settled(&seen("16", 2), &manifests(16)));
        assert!(!is_settled(&seen("16", 1), &manifests(16)));
        assert!(!is_settled(&seen("17", 2), &manifests(16)));
    }
}
