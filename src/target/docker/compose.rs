//! A release in the place of a service of an existing Compose project.
//!
//! The release is in the networks of the service from its start, so that it reaches the other services while it is judged,
//! but gets the service's name only once it is healthy: two containers of one name get requests in turn. A name can be given
//! only when a network is joined, so it leaves and joins once more, which cuts its own connections to the other services (and
//! for some milliseconds also its published port, where the name of that network sorts before `bridge`). Therefore
//! [`Container::join_service`] comes before the switch.
//!
//! It does not carry the labels of Compose. They would make it a container of the service in the eyes of `docker compose`,
//! which then replaces or removes it at the next `up`, for want of the service's configuration digest. The name in the
//! network is all that other services need.
//!
//! The containers of the service are stopped and stay, so that `docker compose start` brings them back. Known gaps: a service
//! whose restart policy is `always` comes up beside the release when the engine is restarted (told as drift, and stopped
//! again by [`Container::take_over`]); `docker compose down` cannot remove a network that the release is in.

use std::collections::{BTreeSet, HashMap};

use bollard::models::{
    ContainerInspectResponse, ContainerSummary, ContainerSummaryStateEnum, EndpointSettings, NetworkConnectRequest,
    NetworkDisconnectRequest,
};

use super::container::Container;
use super::containers;
use super::engine::{Engine, EngineError};
use super::refusal::is_missing;
use crate::config::{ComposeSettings, DockerSettings};
use crate::target::Failure;

const PROJECT: &str = "com.docker.compose.project";
const SERVICE: &str = "com.docker.compose.service";
/// `True` on what `docker compose run` started, which does not serve.
const ONE_OFF: &str = "com.docker.compose.oneoff";
/// Networks in which there are no names, or which cannot be joined beside others.
const WITHOUT_NAMES: [&str; 3] = ["bridge", "host", "none"];

/// The networks of the service, which a release joins at its start.
pub async fn networks(engine: &Engine, settings: &ComposeSettings) -> Result<Vec<String>, Failure> {
    let project = of_project(engine, settings)
        .await
        .map_err(|error| Failure::not_tried(format!("could not be started: {error}")))?;
    networks_of(&project, settings).map_err(Failure::not_tried)
}

/// The names of the service's own containers that run.
pub async fn running(engine: &Engine, settings: &ComposeSettings) -> Result<Vec<String>, EngineError> {
    let project = of_project(engine, settings).await?;
    Ok(of_service(&project, settings).filter(|container| is_running(container)).filter_map(name).collect())
}

impl Container {
    /// Gives it the name of the Compose service that it replaces, in the networks of the service. To be called once it is
    /// healthy and before requests are sent to it; asked again it changes nothing. The text is a step to be told.
    pub async fn join_service(&self) -> Result<Option<String>, EngineError> {
        let Some(compose) = self.compose() else { return Ok(None) };
        let project = of_project(self.engine(), compose).await?;
        // A service that went away meanwhile has no place that could be taken.
        let Ok(networks) = networks_of(&project, compose) else { return Ok(None) };
        let Some(seen) = containers::look(self.engine(), self.id()).await? else { return Ok(None) };
        let mut joined = Vec::new();
        for network in networks {
            match membership(&seen, &network, &compose.service) {
                Membership::Named => continue,
                Membership::Unnamed => {
                    let leave = NetworkDisconnectRequest { container: self.id().to_owned(), force: Some(false) };
                    self.engine().client().disconnect_network(&network, leave).await.map_err(EngineError::from)?;
                }
                Membership::Outside => {}
            }
            let place =
                EndpointSettings { aliases: Some(vec![compose.service.clone()]), ..EndpointSettings::default() };
            let join = NetworkConnectRequest { container: self.id().to_owned(), endpoint_config: Some(place) };
            self.engine().client().connect_network(&network, join).await.map_err(EngineError::from)?;
            joined.push(network);
        }
        let text = format!("known as `{}` in {}", compose.service, joined.join(", "));
        Ok((!joined.is_empty()).then_some(text))
    }

    /// Ends what it replaces: the containers of the Compose service are stopped, not removed. To be called once requests are
    /// sent to it; asked again it stops what was started meanwhile. The text is a step to be told.
    pub async fn take_over(&self) -> Result<Option<String>, EngineError> {
        let Some(compose) = self.compose() else { return Ok(None) };
        // Never without the name: the other services would reach nobody.
        self.join_service().await?;
        let stopped = running(self.engine(), compose).await?;
        for name in &stopped {
            match self.engine().client().stop_container(name, None).await {
                Err(error) if !is_missing(&error) => return Err(error.into()),
                Ok(()) | Err(_) => {}
            }
        }
        let text = format!(
            "stopped {} of the Compose service `{}`; `{}` brings it back",
            stopped.join(", "),
            compose.service,
            command(compose)
        );
        Ok((!stopped.is_empty()).then_some(text))
    }
}

/// How the Compose service that a release replaces is got back, if that is stopped: to be told when the release is taken out
/// of service and no other takes its place. `None` also where that cannot be found out.
pub async fn way_back(settings: &DockerSettings) -> Option<String> {
    let compose = settings.compose.as_ref()?;
    let engine = Engine::connect().await.ok()?;
    let project = of_project(&engine, compose).await.ok()?;
    let is_stopped = of_service(&project, compose).any(|container| !is_running(container));
    let text = format!("the Compose service `{}` is stopped; `{}` brings it back", compose.service, command(compose));
    is_stopped.then_some(text)
}

fn command(compose: &ComposeSettings) -> String {
    format!("docker compose -p {} start {}", compose.project, compose.service)
}

async fn of_project(engine: &Engine, settings: &ComposeSettings) -> Result<Vec<ContainerSummary>, EngineError> {
    let all = containers::list(engine, &[containers::labelled(PROJECT, &settings.project)]).await?;
    Ok(all.into_iter().filter(|container| label(container, ONE_OFF) != Some("True")).collect())
}

fn of_service<'a>(
    project: &'a [ContainerSummary],
    settings: &'a ComposeSettings,
) -> impl Iterator<Item = &'a ContainerSummary> {
    project.iter().filter(|container| label(container, SERVICE) == Some(settings.service.as_str()))
}

/// The networks that have names, of all containers of the service.
fn networks_of(project: &[ContainerSummary], settings: &ComposeSettings) -> Result<Vec<String>, String> {
    let ComposeSettings { project: name, service } = settings;
    if project.is_empty() {
        return Err(format!(
            "is to replace the service `{service}` of the Compose project `{name}`, which has no containers; bring it up \
             first (`docker compose -p {name} up -d`), or change `compose` of the deploy stage"
        ));
    }
    if of_service(project, settings).next().is_none() {
        let services: BTreeSet<&str> = project.iter().filter_map(|container| label(container, SERVICE)).collect();
        let services: Vec<&str> = services.into_iter().collect();
        return Err(format!(
            "is to replace the service `{service}` of the Compose project `{name}`, which has only: {}; bring it up first \
             (`docker compose -p {name} up -d {service}`), or change `compose` of the deploy stage",
            services.join(", ")
        ));
    }
    let networks: BTreeSet<&String> = of_service(project, settings)
        .filter_map(|container| container.network_settings.as_ref()?.networks.as_ref())
        .flat_map(HashMap::keys)
        .filter(|network| !WITHOUT_NAMES.contains(&network.as_str()))
        .collect();
    if networks.is_empty() {
        return Err(format!(
            "is to replace the service `{service}` of the Compose project `{name}`, which is in no network in which it is \
             known by name; take `network_mode` out of the Compose file, or `compose` out of the deploy stage"
        ));
    }
    Ok(networks.into_iter().cloned().collect())
}

#[derive(Debug, PartialEq, Eq)]
enum Membership {
    Named,
    Unnamed,
    Outside,
}

/// Whether a container is in a network, and under that name.
fn membership(seen: &ContainerInspectResponse, network: &str, name: &str) -> Membership {
    let networks = seen.network_settings.as_ref().and_then(|settings| settings.networks.as_ref());
    let Some(place) = networks.and_then(|networks| networks.get(network)) else { return Membership::Outside };
    let is_named = place.aliases.as_ref().is_some_and(|aliases| aliases.iter().any(|alias| alias == name));
    if is_named { Membership::Named } else { Membership::Unnamed }
}

fn label<'a>(container: &'a ContainerSummary, name: &str) -> Option<&'a str> {
    container.labels.as_ref()?.get(name).map(String::as_str)
}

fn is_running(container: &ContainerSummary) -> bool {
    use ContainerSummaryStateEnum::{PAUSED, RESTARTING, RUNNING};
    matches!(container.state, Some(RUNNING | RESTARTING | PAUSED))
}

fn name(container: &ContainerSummary) -> Option<String> {
    Some(container.names.as_ref()?.first()?.trim_start_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use bollard::models::{ContainerSummaryNetworkSettings, NetworkSettings};

    use super::*;

    fn settings() -> ComposeSettings {
        ComposeSettings { project: "shop".to_owned(), service: "web".to_owned() }
    }

    fn container(service: &str, networks: &[&str]) -> ContainerSummary {
        let networks = networks.iter().map(|name| ((*name).to_owned(), EndpointSettings::default())).collect();
        ContainerSummary {
            names: Some(vec![format!("/shop-{service}-1")]),
            labels: Some(HashMap::from([(SERVICE.to_owned(), service.to_owned())])),
            network_settings: Some(ContainerSummaryNetworkSettings { networks: Some(networks) }),
            ..ContainerSummary::default()
        }
    }

    #[test]
    fn the_networks_are_those_of_the_service_that_know_names() {
        let project = [
            container("web", &["shop_front", "shop_default"]),
            container("web", &["shop_default", "bridge"]),
            container("db", &["shop_back"]),
        ];
        assert_eq!(networks_of(&project, &settings()).unwrap(), ["shop_default", "shop_front"]);
    }

    #[test]
    fn a_project_or_service_that_is_not_there_is_told_with_the_mend() {
        let none = networks_of(&[], &settings()).unwrap_err();
        assert!(none.contains("`docker compose -p shop up -d`"), "{none}");
        let other = networks_of(&[container("db", &["n"]), container("api", &["n"])], &settings()).unwrap_err();
        assert!(other.contains("which has only: api, db"), "{other}");
        let host = networks_of(&[container("web", &["host"])], &settings()).unwrap_err();
        assert!(host.contains("network_mode"), "{host}");
    }

    #[test]
    fn a_name_in_a_network_is_seen() {
        let named = EndpointSettings { aliases: Some(vec!["web".to_owned()]), ..EndpointSettings::default() };
        let networks = [("a".to_owned(), named), ("b".to_owned(), EndpointSettings::default())];
        let settings = NetworkSettings { networks: Some(HashMap::from(networks)), ..NetworkSettings::default() };
        let seen = ContainerInspectResponse { network_settings: Some(settings), ..ContainerInspectResponse::default() };
        assert_eq!(membership(&seen, "a", "web"), Membership::Named);
        assert_eq!(membership(&seen, "b", "web"), Membership::Unnamed);
        assert_eq!(membership(&seen, "c", "web"), Membership::Outside);
    }
}
