//! From a request to a container that was started, or to nothing at all.

use std::net::SocketAddr;

use bollard::models::NetworkConnectRequest;
use bollard::query_parameters::CreateContainerOptionsBuilder;

use super::container::Container;
use super::engine::{Engine, EngineError};
use super::life::Life;
use super::refusal::{NotStarted, is_missing};
use super::{compose, containers, images, plan};
use crate::config::DockerSettings;
use crate::target::engine_image::EngineImage;
use crate::target::loopback::free_address;
use crate::target::{ApplyRequest, Failure, labels};

/// How many ports are tried. Another program may take one between its choice and its use, but hardly three in a row.
const TRIES: u32 = 3;

impl Container {
    /// Starts the container of a release beside all others. What is left of an earlier container of the same release is
    /// removed first. Whatever goes wrong, nothing is left over.
    pub async fn start(request: &ApplyRequest, settings: &DockerSettings) -> Result<Self, Failure> {
        let engine = Engine::connect().await.map_err(not_started)?;
        if !engine.is_on_this_machine() {
            return Err(Failure::not_tried(format!(
                "was not started: Docker Engine at {} is on another machine, and a release is published on loopback of its \
                 engine's; unset DOCKER_HOST where the daemon is started, or deploy to kubernetes",
                engine.address()
            )));
        }
        let image = image(&engine, request).await?;
        let networks = networks(&engine, settings).await?;
        clear(&engine, request).await?;
        let start = Start { engine: &engine, request, settings, image: &image, networks: &networks };
        let mut taken = String::new();
        for _ in 0..TRIES {
            match start.attempt().await {
                Ok(container) => return Ok(container),
                Err(NotStarted::PortTaken(reason)) => taken = reason,
                Err(NotStarted::Failed(failure)) => return Err(failure),
            }
        }
        Err(Failure::not_tried(format!("got no port of 127.0.0.1 in {TRIES} tries: {taken}")))
    }
}

/// A start with all that is found out before it.
struct Start<'a> {
    engine: &'a Engine,
    request: &'a ApplyRequest,
    settings: &'a DockerSettings,
    image: &'a str,
    networks: &'a [String],
}

impl Start<'_> {
    async fn attempt(&self) -> Result<Container, NotStarted> {
        let address =
            free_address().map_err(|error| Failure::not_tried(format!("got no free port of 127.0.0.1: {error}")))?;
        let options = CreateContainerOptionsBuilder::new().name(&plan::name(self.request)).build();
        let body = plan::body(self.request, self.settings, self.image, address);
        let made = self.engine.client().create_container(Some(options), body).await?;
        match self.run(&made.id, address).await {
            Ok(container) => Ok(container),
            Err(reason) => match containers::remove(self.engine, &made.id).await {
                Ok(()) => Err(reason),
                // The next start of the release removes it; until then the reason must not be lost.
                Err(left) => Err(with_left_over(reason, &made.id, &left)),
            },
        }
    }

    async fn run(&self, id: &str, address: SocketAddr) -> Result<Container, NotStarted> {
        for network in self.networks {
            // Before it runs: a container that is joined to a network later may find its published port moved there.
            let join = NetworkConnectRequest { container: id.to_owned(), endpoint_config: None };
            match self.engine.client().connect_network(network, join).await {
                Err(error) if is_missing(&error) => return Err(no_network(network).into()),
                joined => joined?,
            }
        }
        self.engine.client().start_container(id, None).await?;
        let seen = containers::look(self.engine, id).await?;
        let seen = seen.ok_or_else(|| Failure::not_tried("was removed by somebody as soon as it was started"))?;
        let life = Life::first(&seen);
        Ok(Container::new(self.engine.clone(), self.request, self.settings, &seen, address, life))
    }
}

/// The name under which the engine has the image of the release. An archive is of a release that runs as a process: the deploy
/// stage has refused it.
async fn image(engine: &Engine, request: &ApplyRequest) -> Result<String, Failure> {
    let image = EngineImage::read(&request.image).map_err(|error| {
        let (path, mend) = (request.image.display(), request.image_mend());
        Failure::not_tried(format!("has no image: {path}: {error}; {mend}"))
    })?;
    // By its tag, for whoever lists containers; by its id if the tag went to another image.
    for reference in [image.tag.clone(), format!("sha256:{}", image.id)] {
        let found = images::find(engine, &reference).await.map_err(not_started)?;
        if found.is_some_and(|found| found.id == image.id) {
            return Ok(reference);
        }
    }
    let (tag, mend) = (&image.tag, request.image_mend());
    Err(Failure::not_tried(format!("could not be started: the image {tag} is not in Docker Engine any more; {mend}")))
}

/// The networks that the container joins beside that of the engine, each once.
async fn networks(engine: &Engine, settings: &DockerSettings) -> Result<Vec<String>, Failure> {
    let mut networks: Vec<String> = settings.network.iter().filter(|name| *name != "bridge").cloned().collect();
    if let Some(compose) = &settings.compose {
        let more = compose::networks(engine, compose).await?;
        networks.extend(more.into_iter().filter(|name| settings.network.as_ref() != Some(name)));
    }
    Ok(networks)
}

/// Removes what is left of the release, and makes sure that nobody else has the name.
async fn clear(engine: &Engine, request: &ApplyRequest) -> Result<(), Failure> {
    for left in containers::list(engine, &of_release(request)).await.map_err(not_started)? {
        if let Some(id) = left.id {
            containers::end(engine, &id).await.map_err(not_started)?;
        }
    }
    let name = plan::name(request);
    match containers::look(engine, &name).await.map_err(not_started)? {
        None => Ok(()),
        Some(_) => Err(Failure::not_tried(format!(
            "could not be started: another container has the name {name}, and it is not of this project folder; remove or \
             rename it (`docker rename {name} NEW`), or give the project another `name` in trainyard.toml"
        ))),
    }
}

/// What tells the containers of a release from all others.
pub fn of_release(request: &ApplyRequest) -> [String; 2] {
    [
        containers::labelled(labels::FOLDER, &labels::folder(&request.folder)),
        containers::labelled(labels::RELEASE, &request.release.to_string()),
    ]
}

#[expect(clippy::needless_pass_by_value, reason = "it is what an error is mapped by")]
fn not_started(error: EngineError) -> Failure {
    let reason = format!("could not be started: {error}");
    if error.is_unreachable() { Failure::unreachable(reason) } else { Failure::not_tried(reason) }
}

fn no_network(network: &str) -> Failure {
    Failure::not_tried(format!(
        "is to join the network `{network}`, which Docker Engine does not have; make it (`docker network create \
         {network}`), or change `network` of the deploy stage"
    ))
}

fn with_left_over(reason: NotStarted, id: &str, left: &EngineError) -> NotStarted {
    let note = format!("; the container {} is left over, for it could not be removed: {left}", short(id));
    match reason {
        NotStarted::PortTaken(reason) => Failure::not_tried(format!("could not be started: {reason}{note}")).into(),
        NotStarted::Failed(Failure::NotTried { reason, unreachable }) => {
            NotStarted::Failed(Failure::NotTried { reason: reason + &note, unreachable })
        }
        NotStarted::Failed(Failure::Unfit { reason, log_tail }) => Failure::unfit(reason + &note, log_tail).into(),
    }
}

fn short(id: &str) -> &str {
    id.get(..12).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::super::plan::tests::request;
    use super::*;

    #[test]
    fn only_a_deploy_can_have_its_image_built_again() {
        assert_eq!(request().image_mend(), "build it again with `trainyard run`");
        let rollback = ApplyRequest { repeats: Some(crate::pipeline::ReleaseId(3)), ..request() };
        assert!(rollback.image_mend().starts_with("choose another release (`trainyard releases`)"));
    }

    #[test]
    fn containers_of_a_release_are_known_by_folder_and_release() {
        let [folder, release] = of_release(&request());
        assert_eq!(folder, format!("com.trainyard.folder={}", labels::folder(&request().folder)));
        assert_eq!(release, "com.trainyard.release=17");
    }

    #[test]
    fn what_is_left_over_is_told_behind_the_reason() {
        let reason = NotStarted::Failed(no_network("shop"));
        let gone = EngineError::from(bollard::errors::Error::RequestTimeoutError);
        let told = with_left_over(reason, "0123456789abcdef", &gone);
        let NotStarted::Failed(Failure::NotTried { reason, .. }) = told else { panic!("{told:?}") };
        assert!(reason.contains("network `shop`") && reason.contains("0123456789ab is left over"), "{reason}");
    }
}
