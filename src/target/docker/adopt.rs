//! What a former host left running: the container of the live release is taken over as it is, all others are removed.

use std::net::{IpAddr, SocketAddr};
use std::path::Path;

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, ContainerSummary, PortMap};

use super::container::Container;
use super::engine::{Engine, EngineError};
use super::life::{self, Life};
use super::{containers, plan, start};
use crate::config::DockerSettings;
use crate::pipeline::ReleaseId;
use crate::target::{ApplyRequest, labels};

impl Container {
    /// The container of exactly that release, if it runs or is being started again by the engine. In the latter case
    /// [`Container::follow`] tells of its end at once.
    pub async fn adopt(request: &ApplyRequest, settings: &DockerSettings) -> Result<Option<Self>, EngineError> {
        let engine = Engine::connect().await?;
        for found in containers::list(&engine, &start::of_release(request)).await? {
            let Some(id) = found.id else { continue };
            let Some(seen) = containers::look(&engine, &id).await? else { continue };
            if serves(&seen)
                && let Some(address) = published(&seen, &plan::container_port(settings))
            {
                let life = Life::found(&seen);
                return Ok(Some(Self::new(engine, request, settings, &seen, address, life)));
            }
        }
        Ok(None)
    }
}

/// Removes every container of a release of this project, running or not, but those of the releases in `keep`; with none to
/// keep nothing of the project's releases is left. Returns the names of what was removed. Containers of stages stay, for
/// they belong to no release.
pub async fn remove_left_over(folder: &Path, keep: &[ReleaseId]) -> Result<Vec<String>, EngineError> {
    let engine = Engine::connect().await?;
    // The label of the folder alone is inherited from our images by whatever a user runs of them.
    let ours = [containers::labelled(labels::FOLDER, &labels::folder(folder)), labels::RELEASE.to_owned()];
    let mut removed = Vec::new();
    for found in containers::list(&engine, &ours).await? {
        if is_kept(&found, keep) {
            continue;
        }
        if let Some(id) = found.id {
            containers::end(&engine, &id).await?;
            let name = found.names.and_then(|names| names.into_iter().next()).unwrap_or(id);
            removed.push(name.trim_start_matches('/').to_owned());
        }
    }
    Ok(removed)
}

fn is_kept(found: &ContainerSummary, keep: &[ReleaseId]) -> bool {
    let release = found.labels.as_ref().and_then(|labels| labels.get(labels::RELEASE));
    // One that cannot be read is none of ours.
    let Some(release) = release.and_then(|text| text.parse::<u64>().ok()).map(ReleaseId) else { return true };
    keep.contains(&release)
}

fn serves(seen: &ContainerInspectResponse) -> bool {
    use ContainerStateStatusEnum::{PAUSED, RESTARTING, RUNNING};
    matches!(life::status(seen), Some(RUNNING | PAUSED | RESTARTING))
}

/// Where its port is published. What it was made with counts first: while it is started again, nothing is published.
fn published(seen: &ContainerInspectResponse, port: &str) -> Option<SocketAddr> {
    let made = seen.host_config.as_ref().and_then(|host| host.port_bindings.as_ref());
    let live = seen.network_settings.as_ref().and_then(|settings| settings.ports.as_ref());
    made.and_then(|ports| address(ports, port)).or_else(|| live.and_then(|ports| address(ports, port)))
}

fn address(ports: &PortMap, port: &str) -> Option<SocketAddr> {
    let binding = ports.get(port)?.as_ref()?.first()?;
    let number = binding.host_port.as_ref()?.parse::<u16>().ok().filter(|number| *number > 0)?;
    let ip: IpAddr = binding.host_ip.as_ref()?.parse().ok()?;
    Some(SocketAddr::new(ip, number))
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use bollard::models::{HostConfig, NetworkSettings, PortBinding};

    use super::*;

    #[expect(clippy::unnecessary_wraps, reason = "the engine tells it so")]
    fn ports(number: &str) -> Option<PortMap> {
        let binding = PortBinding { host_ip: Some("127.0.0.1".to_owned()), host_port: Some(number.to_owned()) };
        Some(HashMap::from([("8080/tcp".to_owned(), Some(vec![binding]))]))
    }

    #[test]
    fn the_port_is_read_back_also_while_the_container_is_started_again() {
        let host = HostConfig { port_bindings: ports("45998"), ..HostConfig::default() };
        let between = ContainerInspectResponse { host_config: Some(host), ..ContainerInspectResponse::default() };
        assert_eq!(published(&between, "8080/tcp"), Some("127.0.0.1:45998".parse().unwrap()));
        assert_eq!(published(&between, "9090/tcp"), None);
        let settings = NetworkSettings { ports: ports("45997"), ..NetworkSettings::default() };
        let chosen = HostConfig { port_bindings: ports(""), ..HostConfig::default() };
        let live = ContainerInspectResponse {
            host_config: Some(chosen),
            network_settings: Some(settings),
            ..ContainerInspectResponse::default()
        };
        assert_eq!(published(&live, "8080/tcp"), Some("127.0.0.1:45997".parse().unwrap()));
    }

    #[test]
    fn only_other_releases_of_ours_are_left_over() {
        let of = |release: &str| ContainerSummary {
            labels: Some(HashMap::from([(labels::RELEASE.to_owned(), release.to_owned())])),
            ..ContainerSummary::default()
        };
        assert!(is_kept(&of("17"), &[ReleaseId(16), ReleaseId(17)]));
        assert!(!is_kept(&of("15"), &[ReleaseId(16), ReleaseId(17)]));
        assert!(is_kept(&of("fifteen"), &[]));
        assert!(is_kept(&ContainerSummary::default(), &[]));
    }
}
