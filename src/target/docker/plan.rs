//! What is asked of the engine for a release: name, variables, command, limits, port. Pure; nothing is asked here.

use std::collections::{BTreeMap, HashMap};
use std::net::SocketAddr;
use std::path::Path;

use bollard::models::{ContainerCreateBody, HostConfig, PortBinding, RestartPolicy, RestartPolicyNameEnum};

use super::containers::GRACE;
use crate::config::{DockerSettings, Limits};
use crate::target::expand::expand;
use crate::target::{ApplyRequest, labels};

/// The name of a release's container.
pub fn name(request: &ApplyRequest) -> String {
    labels::name(&format!("trainyard-{}-{}", request.project, request.release), labels::LONGEST)
}

/// The port of the container, as the engine writes it.
pub fn container_port(settings: &DockerSettings) -> String {
    format!("{}/tcp", settings.container_port)
}

/// A container that listens on its own port and is reached at `address` on this machine.
pub fn body(
    request: &ApplyRequest,
    settings: &DockerSettings,
    image: &str,
    address: SocketAddr,
) -> ContainerCreateBody {
    let variables = variables(request, settings);
    let command: Vec<String> = request.command.iter().map(|word| expand(word, &variables)).collect();
    ContainerCreateBody {
        image: Some(image.to_owned()),
        env: Some(variables.iter().map(|(name, value)| format!("{name}={value}")).collect()),
        // In place of the image's entry point, as for a process: arguments to an entry point would start something else there.
        entrypoint: (!command.is_empty()).then_some(command),
        exposed_ports: Some(vec![container_port(settings)]),
        labels: Some(request.labels().into_iter().collect()),
        stop_timeout: Some(i64::from(GRACE)),
        host_config: Some(host_config(request, settings, address)),
        ..ContainerCreateBody::default()
    }
}

fn host_config(request: &ApplyRequest, settings: &DockerSettings, address: SocketAddr) -> HostConfig {
    let memory = memory(&settings.limits);
    // A port that the engine chooses would be another one after each restart of the container.
    let binding = PortBinding { host_ip: Some(address.ip().to_string()), host_port: Some(address.port().to_string()) };
    let binds = settings.volumes.iter().map(|volume| bind(&request.folder, volume)).collect();
    HostConfig {
        memory,
        // Without it, as much again would be had as swap.
        memory_swap: memory,
        nano_cpus: nano_cpus(&settings.limits),
        // An app as process 1 would get no default action for TERM and would have to reap what it starts.
        init: Some(true),
        binds: Some(binds),
        port_bindings: Some(HashMap::from([(container_port(settings), Some(vec![binding]))])),
        restart_policy: Some(RestartPolicy {
            name: Some(RestartPolicyNameEnum::UNLESS_STOPPED),
            maximum_retry_count: None,
        }),
        ..HostConfig::default()
    }
}

/// The limit of memory, as the engine takes it.
pub fn memory(limits: &Limits) -> Option<i64> {
    limits.memory.map(|bytes| i64::try_from(bytes).unwrap_or(i64::MAX))
}

/// The limit of processors, as the engine takes it.
#[expect(clippy::cast_possible_truncation, reason = "a number of processors, times 10⁹, is far below 2⁶³")]
pub fn nano_cpus(limits: &Limits) -> Option<i64> {
    limits.cpus.map(|cpus| (cpus * 1e9).round() as i64)
}

/// A mount whose source is below the project folder is written with `./` in the configuration; the engine wants all of it.
fn bind(folder: &Path, volume: &str) -> String {
    if volume.starts_with("./") || volume.starts_with("../") {
        return format!("{}/{volume}", folder.display());
    }
    volume.to_owned()
}

/// The variables of the app. Ours win: an app that listens elsewhere than it was told is never healthy.
fn variables(request: &ApplyRequest, settings: &DockerSettings) -> BTreeMap<String, String> {
    let port = settings.container_port;
    let model = request.model_version.map(|model| model.to_string()).unwrap_or_default();
    let ours = [
        ("PORT", port.to_string()),
        // In a container, loopback is reached by nobody.
        ("TRAINYARD_LISTEN", format!("0.0.0.0:{port}")),
        ("TRAINYARD_RELEASE", request.release.to_string()),
        ("TRAINYARD_MODEL_VERSION", model),
    ];
    let mut variables = request.variables.clone();
    variables.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    variables
}

#[cfg(test)]
pub mod tests {
    use super::*;
    use crate::config::DeployTarget;
    use crate::pipeline::ReleaseId;

    pub fn settings() -> DockerSettings {
        DockerSettings {
            container_port: 9000,
            limits: Limits { memory: Some(256 << 20), cpus: Some(0.5) },
            volumes: vec!["./cache:/cache".to_owned(), "/srv/data:/data:ro".to_owned(), "named:/n".to_owned()],
            network: None,
            compose: None,
        }
    }

    pub fn request() -> ApplyRequest {
        ApplyRequest {
            command: ["uvicorn", "app:app", "--port=$PORT", "${TRAINYARD_RELEASE}$X$"].map(str::to_owned).to_vec(),
            variables: [("PORT", "1"), ("MODE", "fast")].map(|(n, v)| (n.to_owned(), v.to_owned())).into(),
            ..ApplyRequest::sample(DeployTarget::Docker(settings()))
        }
    }

    fn body() -> ContainerCreateBody {
        super::body(&request(), &settings(), "trainyard/wine:1", "127.0.0.1:40001".parse().unwrap())
    }

    #[test]
    fn the_name_is_of_project_and_release_and_fit_for_the_engine() {
        assert_eq!(name(&request()), "trainyard-wine-quality-17");
        let long = ApplyRequest { project: "x".repeat(200), ..request() };
        assert!(name(&long).len() <= labels::LONGEST);
        assert_ne!(name(&long), name(&ApplyRequest { release: ReleaseId(18), ..long.clone() }));
    }

    #[test]
    fn an_app_is_told_its_port_whatever_its_own_variables_say() {
        let env = body().env.unwrap();
        for line in ["PORT=9000", "TRAINYARD_LISTEN=0.0.0.0:9000", "TRAINYARD_RELEASE=17", "MODE=fast"] {
            assert!(env.contains(&line.to_owned()), "{line} is not in {env:?}");
        }
        assert!(!env.contains(&"PORT=1".to_owned()));
        assert_eq!(body().entrypoint.unwrap(), ["uvicorn", "app:app", "--port=9000", "17$X$"]);
    }

    #[test]
    fn without_a_command_the_image_says_what_is_run() {
        let request = ApplyRequest { command: Vec::new(), ..request() };
        let body = super::body(&request, &settings(), "i", "127.0.0.1:40001".parse().unwrap());
        assert_eq!((body.entrypoint, body.cmd), (None, None));
    }

    #[test]
    fn it_is_published_on_one_port_of_loopback_and_comes_up_again_by_itself() {
        let host = body().host_config.unwrap();
        let published = host.port_bindings.unwrap().remove("9000/tcp").unwrap().unwrap();
        let expected = PortBinding { host_ip: Some("127.0.0.1".into()), host_port: Some("40001".into()) };
        assert_eq!(published, [expected]);
        assert_eq!(host.restart_policy.unwrap().name, Some(RestartPolicyNameEnum::UNLESS_STOPPED));
    }

    #[test]
    fn limits_and_mounts_are_those_of_the_settings() {
        let host = body().host_config.unwrap();
        assert_eq!((host.memory, host.memory_swap), (Some(268_435_456), Some(268_435_456)));
        assert_eq!(host.nano_cpus, Some(500_000_000));
        assert_eq!(host.binds.unwrap(), ["/srv/wine/./cache:/cache", "/srv/data:/data:ro", "named:/n"]);
    }

    #[test]
    fn it_carries_the_labels_of_its_release() {
        let labels = body().labels.unwrap();
        assert_eq!(labels.get(labels::RELEASE).map(String::as_str), Some("17"));
        assert_eq!(labels.get(labels::FOLDER), Some(&labels::folder(Path::new("/srv/wine"))));
    }
}
