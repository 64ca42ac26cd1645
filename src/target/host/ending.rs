//! The end of all that a project runs: what containers and pods are left, also where no host knows of them, and what a user
//! has to do about what cannot be ended.
//!
//! It goes by what is on record and by labels, so that it does not matter whether a host found its release again.

use std::path::Path;

use serde::{Deserialize, Serialize};

use super::state::{HostState, RecordedRelease};
use crate::config::{DeployTarget, KubernetesSettings};
use crate::disk::Layout;
use crate::target::docker;
use crate::target::docker::compose;
use crate::target::kubernetes::{self, Cluster};

/// What is to be told when all has ended.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Farewell {
    /// What is left running, and why.
    pub left: Vec<String>,
    /// What may be wanted next.
    pub notes: Vec<String>,
}

/// Ends what a project runs while no host of it does.
pub async fn end_without_host(layout: &Layout) -> Farewell {
    let recorded = HostState::read(&HostState::path(&layout.releases()));
    if let Ok(state) = &recorded {
        state.kill_left_over();
    }
    let mut farewell = end_recorded(&layout.releases(), layout.project()).await;
    if let Err(error) = recorded {
        let path = HostState::path(&layout.releases());
        farewell.left.push(format!("{} cannot be read, so nothing is known of the app: {error}", path.display()));
    }
    farewell
}

/// Ends the containers or pods of the release that is recorded as the live one.
pub(super) async fn end_recorded(releases: &Path, project: &Path) -> Farewell {
    let state = HostState::read(&HostState::path(releases)).unwrap_or_default();
    let mut farewell = Farewell::default();
    let Some(RecordedRelease { request, .. }) = &state.live else {
        // The container of a first deploy whose host was killed. Where there is no engine there is none.
        let _ = docker::remove_left_over(project, &[]).await;
        return farewell;
    };
    let ended = match &request.target {
        DeployTarget::Process => Ok(()),
        DeployTarget::Docker(settings) => {
            farewell.notes.extend(compose::way_back(settings).await);
            docker::remove_left_over(project, &[]).await.map(drop).map_err(|error| error.to_string())
        }
        DeployTarget::Kubernetes(settings) => leave(settings, kubernetes::stored(request, releases)).await,
    };
    if let Err(error) = ended {
        let (release, kind) = (request.release, request.target.kind().word());
        farewell.left.push(format!("release {release} may go on running on {kind}: {error}"));
    }
    farewell
}

async fn leave(
    settings: &KubernetesSettings,
    stored: Result<kubernetes::Prepared, kubernetes::StoredError>,
) -> Result<(), String> {
    let prepared = stored.map_err(|error| error.to_string())?;
    let cluster = Cluster::connect(settings.context.as_deref(), settings.namespace.as_deref())
        .await
        .map_err(|error| error.to_string())?;
    kubernetes::remove(&cluster, &prepared).await.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_record_that_cannot_be_read_is_told_and_not_taken_for_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout::new(folder.path()).unwrap();
        std::fs::create_dir_all(layout.releases()).unwrap();
        std::fs::write(HostState::path(&layout.releases()), "{").unwrap();
        let farewell = end_without_host(&layout).await;
        assert!(farewell.left[0].contains("host.json cannot be read"), "{farewell:?}");
    }
}
