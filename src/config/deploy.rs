//! A stage with `uses = "deploy"`: where its releases run, and what only that target is told.

use std::time::Duration;

use toml::Spanned;

use super::errors::Span;
use super::keys::Section;
use super::reader::TableReader;
use super::settings::{
    CanarySettings, ComposeSettings, DeploySettings, DeployTarget, DockerSettings, HealthSettings, KubernetesSettings,
};

/// The sections of keys that only some targets have.
const OF_TARGETS: &[Section] = &[Section::Contained, Section::Docker, Section::Kubernetes];

/// What the keys of such a stage say, and where.
#[derive(Debug)]
pub(super) struct DeployKeys {
    /// What they say.
    pub(super) settings: DeploySettings,
    /// Where the port is written, if it is.
    pub(super) port_span: Option<Span>,
    /// Where the target is written, if it is.
    pub(super) target_span: Option<Span>,
    /// Whether it could not be told which target is meant.
    pub(super) uncertain: bool,
}

/// A stage with `uses = "deploy"`.
pub(super) fn deploy(reader: &mut TableReader<'_>) -> DeployKeys {
    let target_span = reader.entry("target").map(|entry| entry.span);
    let word = reader.choice("target");
    let uncertain = target_span.is_some() && word.is_none();
    if uncertain {
        reader.allow_unread(OF_TARGETS);
    }
    let target = match word {
        Some("docker") => DeployTarget::Docker(docker(reader)),
        Some("kubernetes") => DeployTarget::Kubernetes(kubernetes(reader)),
        _ => DeployTarget::Process,
    };
    let port_span = reader.entry("port").map(|entry| entry.span);
    let shadow = shadow(reader, &target);
    let settings = DeploySettings {
        target,
        shadow,
        port: port(reader, "port"),
        health: health(reader),
        command: reader.words("command").unwrap_or_default(),
        variables: reader.variables("variables"),
        drain: reader.duration("drain").unwrap_or(Duration::from_secs(10)),
        metrics: address_path(reader, "metrics").unwrap_or_else(|| "/metrics".to_owned()),
    };
    DeployKeys { settings, port_span, target_span, uncertain }
}

fn port(reader: &mut TableReader<'_>, key: &'static str) -> u16 {
    reader.integer(key).and_then(|port| u16::try_from(port).ok()).unwrap_or(8080)
}

/// The held model lies in a folder of this machine, which a container or a pod does not see.
fn shadow(reader: &mut TableReader<'_>, target: &DeployTarget) -> bool {
    let wanted = reader.boolean("shadow").unwrap_or(false);
    if wanted
        && *target != DeployTarget::Process
        && let Some(entry) = reader.entry("shadow")
    {
        let message = format!("`shadow` is only there for processes, not for {}", target.kind().word());
        let hint =
            "remove `shadow`, or pack a second model into an image of your own and name it in TRAINYARD_SHADOW_MODEL";
        reader.problems.add(entry.span, message, hint);
    }
    wanted
}

fn health(reader: &mut TableReader<'_>) -> HealthSettings {
    let title = format!("`health` of {}", reader.title());
    let mut health = reader.section("health", Section::Health, title);
    let settings = HealthSettings {
        path: address_path(&mut health, "path").unwrap_or_else(|| "/healthz".to_owned()),
        within: health.duration("within").unwrap_or(Duration::from_secs(30)),
    };
    health.finish();
    settings
}

/// A path on the address of the release.
fn address_path(reader: &mut TableReader<'_>, key: &'static str) -> Option<String> {
    let path = reader.filled(key)?;
    let text = path.get_ref();
    if !text.starts_with('/') {
        let message = format!("`{key}` must begin with `/`, found `{text}`");
        reader.problems.add(path.span(), message, format!("write `{key} = \"/{text}\"`"));
    } else if text.contains(char::is_whitespace) {
        reader.problems.add(path.span(), format!("`{key}` contains a blank"), reader.example(key));
    }
    Some(path.into_inner())
}

fn docker(reader: &mut TableReader<'_>) -> DockerSettings {
    reader.allow(Section::Contained);
    reader.allow(Section::Docker);
    DockerSettings {
        container_port: port(reader, "container_port"),
        limits: reader.limits(),
        volumes: reader.mounts("volumes"),
        network: reader.further_network("network"),
        compose: compose(reader),
    }
}

fn compose(reader: &mut TableReader<'_>) -> Option<ComposeSettings> {
    let title = format!("`compose` of {}", reader.title());
    let mut compose = reader.optional_section("compose", Section::Compose, title)?;
    let project = compose.engine_name("project");
    compose.require("project");
    let service = compose.engine_name("service");
    compose.require("service");
    compose.finish();
    Some(ComposeSettings { project: project?, service: service? })
}

fn kubernetes(reader: &mut TableReader<'_>) -> KubernetesSettings {
    reader.allow(Section::Contained);
    reader.allow(Section::Kubernetes);
    KubernetesSettings {
        context: reader.filled("context").map(Spanned::into_inner),
        namespace: reader.namespace("namespace"),
        manifests: reader.inside("manifests"),
        replicas: reader.integer("replicas").and_then(|replicas| u16::try_from(replicas).ok()),
        container_port: port(reader, "container_port"),
        limits: reader.limits(),
        production: reader.boolean("production").unwrap_or(false),
        canary: canary(reader),
    }
}

fn canary(reader: &mut TableReader<'_>) -> Option<CanarySettings> {
    let title = format!("`canary` of {}", reader.title());
    let mut canary = reader.optional_section("canary", Section::Canary, title)?;
    let share = canary.number("share");
    canary.require("share");
    let within = canary.duration("within").unwrap_or(Duration::from_mins(1));
    let expr = canary.expression("expr");
    canary.require("expr");
    let (max, min) = (canary.number("max"), canary.number("min"));
    check_bounds(&mut canary, max, min);
    canary.finish();
    Some(CanarySettings { share: share?, within, expr: expr?, max, min })
}

/// A gate without a bound would pass whatever the value is, one with crossed bounds never.
fn check_bounds(canary: &mut TableReader<'_>, max: Option<f64>, min: Option<f64>) {
    if !canary.has("max") && !canary.has("min") {
        let message = format!("{} has neither `max` nor `min`, so nothing is judged", canary.title());
        let hint = "add `max = 0.1`, the greatest value that passes, or `min`, the least";
        canary.problems.add_absence(canary.span(), message, hint);
    }
    if let (Some(max), Some(min)) = (max, min)
        && min > max
        && let Some(entry) = canary.entry("min")
    {
        let message = format!("no value passes: `min` is {min}, above `max`, which is {max}");
        canary.problems.add(entry.span, message, "exchange the two, or remove one of them");
    }
}
