//! `runner` and `container` of a stage: whether its process runs on this machine, in a container or as a Job.
//!
//! Images are built and releases are deployed from this machine always: what they need of an engine is asked of it from
//! here.

use super::keys::Section;
use super::reader::TableReader;
use super::settings::{Action, ContainerSettings, Runner};

/// Where a stage runs, as far as it could be read.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Local,
    Docker,
    Kubernetes,
    /// A word is written that is none; it was told already.
    Unknown,
}

/// The keys of containers that only one place has, each with its place and how that is written.
const OF_PLACES: &[(&str, Place, &str)] = &[
    ("network", Place::Docker, "docker"),
    ("context", Place::Kubernetes, "kubernetes"),
    ("namespace", Place::Kubernetes, "kubernetes"),
    ("push", Place::Kubernetes, "kubernetes"),
];

/// Where a stage that does `action` runs; the action is `None` if it could not be told.
pub(super) fn runner(reader: &mut TableReader<'_>, action: Option<&Action>) -> Runner {
    match action {
        Some(Action::Image(_)) => {
            refuse(reader, "an image is built from this machine", "with a `dockerfile`, Docker Engine builds it");
            Runner::Local
        }
        Some(Action::Deploy(_)) => {
            refuse(reader, "a release is deployed from this machine", "`target` says where it runs");
            Runner::Local
        }
        Some(Action::Command(_) | Action::Train(_)) | None => {
            let place = place(reader);
            let container = container(reader, place, matches!(action, Some(Action::Command(_))));
            match place {
                Place::Local | Place::Unknown => Runner::Local,
                Place::Docker => Runner::Docker(container),
                Place::Kubernetes => Runner::Kubernetes(container),
            }
        }
    }
}

fn place(reader: &mut TableReader<'_>) -> Place {
    match reader.choice("runner") {
        Some("docker") => Place::Docker,
        Some("kubernetes") => Place::Kubernetes,
        Some(_) => Place::Local,
        None if reader.has("runner") => Place::Unknown,
        None => Place::Local,
    }
}

/// Notes keys of a stage that runs on this machine always.
fn refuse(reader: &mut TableReader<'_>, why: &str, instead: &str) {
    let written = reader.entry("runner");
    let place = place(reader);
    let container = reader.entry("container");
    let title = reader.title();
    if let Some(entry) = written.filter(|_| matches!(place, Place::Docker | Place::Kubernetes)) {
        let message = format!("{title} cannot have a `runner`: {why}");
        reader.problems.add(entry.span, message, format!("remove `runner`; {instead}"));
    }
    if let Some(entry) = container {
        let message = format!("{title} cannot have a `container`: {why}");
        reader.problems.add(entry.key_span, message, format!("remove `container`; {instead}"));
    }
}

fn container(reader: &mut TableReader<'_>, place: Place, is_command: bool) -> ContainerSettings {
    let is_contained = matches!(place, Place::Docker | Place::Kubernetes);
    if is_contained && is_command && !reader.has("container") {
        let span = reader.entry("runner").map_or_else(|| reader.span(), |entry| entry.span);
        let message = format!("{} runs in a container, but no image is named", reader.title());
        reader.problems.add_absence(span, message, "add `container = { image = \"python:3.13-slim\" }`");
    }
    let title = format!("`container` of {}", reader.title());
    let Some(mut container) = reader.optional_section("container", Section::Container, title) else {
        return ContainerSettings::default();
    };
    if place == Place::Local {
        let message = format!("{} does nothing without a `runner`", container.title());
        let hint = "add `runner = \"docker\"` or `runner = \"kubernetes\"`, or remove `container`";
        container.problems.add(container.span(), message, hint);
    }
    if is_contained && is_command {
        container.require("image");
    }
    for &(key, only, word) in OF_PLACES {
        let entry = container.entry(key);
        if let Some(entry) = entry.filter(|_| is_contained && place != only) {
            let message = format!("`{key}` in {} belongs to `runner = \"{word}\"`", container.title());
            container.problems.add(entry.key_span, message, format!("remove `{key}`, or write `runner = \"{word}\"`"));
        }
    }
    let settings = ContainerSettings {
        image: container.image("image"),
        limits: container.limits(),
        network: container.engine_name("network"),
        context: container.filled("context").map(toml::Spanned::into_inner),
        namespace: container.namespace("namespace"),
        push: container.repository("push"),
    };
    container.finish();
    settings
}
