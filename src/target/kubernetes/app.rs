//! The app among the objects of a release: which Deployment it is, where the image goes, and what its container is told.
//!
//! A user's manifests are completed, never contradicted: what they say stays, and what an app of ours needs and they leave
//! out is added. Only the image, our labels and the two variables that name the release and its model are ours alone.

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::core::Selector;
use serde_json::{Map, Value, json};

use super::literal::literal;
use super::manifest::{Document, ManifestError};
use crate::config::KubernetesSettings;
use crate::target::expand::expand;
use crate::target::{ApplyRequest, labels};

/// Stands for the image in manifests, as a word of its own.
const WORD: &str = "trainyard";
/// Stands for the image in manifests, within other text.
const MARKS: [&str; 2] = ["${TRAINYARD_IMAGE}", "$TRAINYARD_IMAGE"];
/// Seconds that the model server goes on accepting after TERM, until no Service sends it requests any more.
const LINGER: &str = "3";
/// The annotation that says which container is meant when none is named.
pub const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
/// The variables that no manifest may say otherwise.
const OURS: [&str; 2] = ["TRAINYARD_RELEASE", "TRAINYARD_MODEL_VERSION"];

/// Which of the documents is the app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct App {
    /// The name of the Deployment.
    pub name: String,
    /// The container in it that got the image.
    pub container: String,
    /// The labels of its pods, as they are asked for.
    pub selector: String,
}

/// Puts the image where manifests want it, and tells which Deployment that makes the app.
pub fn put_image(documents: &mut [Document], image: &str) -> Result<App, ManifestError> {
    let mut apps = Vec::new();
    let mut others = Vec::new();
    for (index, document) in documents.iter_mut().enumerate() {
        let put = put_into(document, image);
        match put {
            Some(container) if is_deployment(document) => apps.push((index, container)),
            Some(_) => others.push(shown(document)),
            None => {}
        }
    }
    if apps.is_empty() && others.is_empty() {
        apps.extend(put_into_only(documents, image));
    }
    let found = |index: usize| documents.get(index);
    match apps.as_slice() {
        [(index, container)] => match found(*index) {
            Some(document) => Ok(App {
                name: document.name().to_owned(),
                container: container.clone(),
                selector: selector(document)?,
            }),
            None => Err(no_place()),
        },
        [] if others.is_empty() => Err(no_place()),
        [] => Err(ManifestError::Image(format!(
            "the image is in {} only, but the app must be a Deployment, for that is what can be rolled out and back",
            others.join(", ")
        ))),
        several => {
            let names: Vec<String> = several.iter().filter_map(|(index, _)| found(*index)).map(shown).collect();
            Err(ManifestError::Image(format!(
                "the image is in several Deployments ({}), but one of them is the app; give the others an image of their own",
                names.join(", ")
            )))
        }
    }
}

/// Adds what the app needs and its manifest leaves out; tells what was added and a user may not expect.
pub fn complete(body: &mut Value, app: &App, request: &ApplyRequest, settings: &KubernetesSettings) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(replicas) = settings.replicas
        && let Some(spec) = table(body, &["spec"])
    {
        spec.insert("replicas".to_owned(), json!(replicas));
    }
    // With a container beside it, the app's log would have to be asked for by name.
    if let Some(annotations) = table(body, &["spec", "template", "metadata", "annotations"]) {
        annotations.entry(DEFAULT_CONTAINER).or_insert(json!(app.container));
    }
    let port = settings.container_port;
    let Some(container) = container_mut(body, &app.container) else { return notes };
    if !listens_on(container, port) {
        notes.push(format!(
            "container {} declares other ports; requests go to {port}, the `container_port` of the deploy stage",
            app.container
        ));
    }
    for (name, value) in variables(request, port) {
        set_variable(container, &name, &value, OURS.contains(&name.as_str()));
    }
    if !container.contains_key("readinessProbe") {
        notes.push(format!(
            "container {} has no readinessProbe, so GET {} is asked",
            app.container, request.health_path
        ));
        container.insert("readinessProbe".to_owned(), readiness(&request.health_path, port));
    }
    if !request.command.is_empty() && !container.contains_key("command") && !container.contains_key("args") {
        container.insert("command".to_owned(), json!(command(request, port)));
    }
    notes
}

/// Marks the app's pods as those of a release.
pub fn mark(body: &mut Value, container: &str, request: &ApplyRequest) {
    let mut ours = request.labels();
    ours.insert(labels::TRACK.to_owned(), "stable".to_owned());
    if let Some(labels) = table(body, &["spec", "template", "metadata", "labels"]) {
        relabel(labels, &ours);
        if labels.get("app.kubernetes.io/managed-by").is_some_and(|by| by == "trainyard") {
            labels.insert("app.kubernetes.io/version".to_owned(), json!(request.release.to_string()));
        }
    }
    if let Some(annotations) = table(body, &["metadata", "annotations"]) {
        let (release, run, commit) = (request.release, request.run, &request.commit);
        let cause = format!("trainyard: release {release} (run {run}, commit {commit})");
        annotations.insert("kubernetes.io/change-cause".to_owned(), json!(cause));
    }
    if let Some(container) = container_mut(body, container) {
        for (name, value) in naming(request) {
            set_variable(container, name, &value, true);
        }
    }
}

/// Puts our labels in place of those of another release.
pub fn relabel(carried: &mut Map<String, Value>, ours: &BTreeMap<String, String>) {
    for name in [labels::RELEASE, labels::RUN, labels::MODEL] {
        carried.remove(name);
    }
    carried.extend(ours.iter().map(|(name, value)| (name.clone(), json!(value))));
}

/// The variables of an app. Ours win: an app that listens elsewhere than it was told is never healthy.
pub fn variables(request: &ApplyRequest, port: u16) -> BTreeMap<String, String> {
    let mut variables = request.variables.clone();
    let ours = [
        ("PORT", port.to_string()),
        // In a pod, loopback is reached by nobody.
        ("TRAINYARD_LISTEN", format!("0.0.0.0:{port}")),
        ("TRAINYARD_LINGER", LINGER.to_owned()),
    ];
    variables.extend(ours.map(|(name, value)| (name.to_owned(), value)));
    variables.extend(naming(request).map(|(name, value)| (name.to_owned(), value)));
    variables
}

/// The command of the deploy stage, with `$NAME` replaced; it takes the place of the image's entry point, as everywhere.
pub fn command(request: &ApplyRequest, port: u16) -> Vec<String> {
    let variables = variables(request, port);
    request.command.iter().map(|word| literal(&expand(word, &variables))).collect()
}

/// Asks the app for its health.
pub fn readiness(path: &str, port: u16) -> Value {
    json!({
        "httpGet": { "path": path, "port": port, "scheme": "HTTP" },
        "periodSeconds": 1,
        "timeoutSeconds": 2,
        "failureThreshold": 3,
    })
}

/// The container of that name in a Deployment.
pub fn container_mut<'a>(body: &'a mut Value, name: &str) -> Option<&'a mut Map<String, Value>> {
    let containers = body.pointer_mut("/spec/template/spec/containers")?.as_array_mut()?;
    let found = containers.iter_mut().find(|container| container.get("name").is_some_and(|known| known == name));
    found?.as_object_mut()
}

/// The table at a path, made where it is missing; `None` where something else is.
pub fn table<'a>(body: &'a mut Value, path: &[&str]) -> Option<&'a mut Map<String, Value>> {
    let mut found = body;
    for name in path {
        found = found.as_object_mut()?.entry(*name).or_insert(Value::Null);
        if found.is_null() {
            *found = Value::Object(Map::new());
        }
    }
    found.as_object_mut()
}

fn naming(request: &ApplyRequest) -> [(&'static str, String); 2] {
    let model = request.model_version.map(|model| model.to_string()).unwrap_or_default();
    [("TRAINYARD_RELEASE", request.release.to_string()), ("TRAINYARD_MODEL_VERSION", model)]
}

fn set_variable(container: &mut Map<String, Value>, name: &str, value: &str, wins: bool) {
    let entry = json!({ "name": name, "value": literal(value) });
    let list = container.entry("env").or_insert(Value::Null);
    if list.is_null() {
        *list = Value::Array(Vec::new());
    }
    let Some(list) = list.as_array_mut() else { return };
    match list.iter_mut().find(|known| known.get("name").is_some_and(|known| known == name)) {
        Some(known) if wins => *known = entry,
        Some(_) => {}
        None => list.push(entry),
    }
}

/// Whether the ports of a container, if it names any, hold `port`.
fn listens_on(container: &Map<String, Value>, port: u16) -> bool {
    let ports = container.get("ports").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    ports.is_empty()
        || ports.iter().any(|known| known.get("containerPort").and_then(Value::as_u64) == Some(u64::from(port)))
}

fn is_deployment(document: &Document) -> bool {
    document.text("kind") == "Deployment" && document.text("apiVersion").starts_with("apps/")
}

fn shown(document: &Document) -> String {
    format!("{} {}", document.text("kind"), document.name())
}

fn no_place() -> ManifestError {
    ManifestError::Image(
        "no container of the manifests takes the image; write `image: trainyard` where it is to be (without that, it goes \
         to the only container of the only Deployment)"
            .to_owned(),
    )
}

/// Puts the image where it is asked for; returns the first container (not one of the start) that got it.
fn put_into(document: &mut Document, image: &str) -> Option<String> {
    let spec = match document.text("kind") {
        "Pod" => "/spec",
        "CronJob" => "/spec/jobTemplate/spec/template/spec",
        _ => "/spec/template/spec",
    };
    let mut first = None;
    for list in ["initContainers", "containers"] {
        let containers = document.body.pointer_mut(&format!("{spec}/{list}")).and_then(Value::as_array_mut);
        for container in containers.into_iter().flatten().filter_map(Value::as_object_mut) {
            let Some(wanted) = container.get("image").and_then(Value::as_str).and_then(|now| replaced(now, image))
            else {
                continue;
            };
            put(container, &wanted);
            if list == "containers" && first.is_none() {
                first = container.get("name").and_then(Value::as_str).map(str::to_owned);
            }
        }
    }
    first
}

/// Puts the image into the only container of the only Deployment.
fn put_into_only(documents: &mut [Document], image: &str) -> Option<(usize, String)> {
    let mut deployments = documents.iter_mut().enumerate().filter(|(_, document)| is_deployment(document));
    let (Some((index, document)), None) = (deployments.next(), deployments.next()) else { return None };
    let containers = document.body.pointer_mut("/spec/template/spec/containers")?.as_array_mut()?;
    let [container] = containers.as_mut_slice() else { return None };
    let container = container.as_object_mut()?;
    let name = container.get("name")?.as_str()?.to_owned();
    put(container, image);
    Some((index, name))
}

fn put(container: &mut Map<String, Value>, image: &str) {
    container.insert("image".to_owned(), json!(image));
    // Nodes may share the engine in which the image was built; a tag of ours never has two meanings.
    container.entry("imagePullPolicy").or_insert(json!("IfNotPresent"));
}

fn replaced(now: &str, image: &str) -> Option<String> {
    if now == WORD {
        return Some(image.to_owned());
    }
    let text = MARKS.iter().fold(now.to_owned(), |text, mark| text.replace(mark, image));
    (text != now).then_some(text)
}

fn selector(document: &Document) -> Result<String, ManifestError> {
    let refuse = |reason: String| ManifestError::Selector { place: document.place.to_string(), reason };
    let wanted = document.body.pointer("/spec/selector").cloned().unwrap_or_default();
    let wanted: LabelSelector = serde_json::from_value(wanted).map_err(|error| refuse(error.to_string()))?;
    let wanted = Selector::try_from(wanted).map_err(|error| refuse(error.to_string()))?;
    if wanted.selects_all() {
        return Err(refuse("it is empty, which would mean all pods of the namespace".to_owned()));
    }
    Ok(wanted.to_string())
}

#[cfg(test)]
#[path = "app_tests.rs"]
pub(super) mod tests;
