//! The objects of a project without manifests of its own: a Deployment and a Service in front of it.
//!
//! A pod goes only once another is ready in its place. A pod that is told to end goes on accepting for a moment (the model
//! server does, when it is told by `TRAINYARD_LINGER`), for a Service needs that moment to stop sending to it.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::app::{self, App};
use super::manifest::{Document, Place};
use crate::config::{KubernetesSettings, Limits};
use crate::target::{ApplyRequest, labels};

/// The longest name; what is derived from it (pods, the canary) must fit too.
const LONGEST: usize = 50;
/// The container of the app.
const CONTAINER: &str = "app";
/// The least that Kubernetes waits for progress, in seconds.
const LEAST_DEADLINE: u64 = 10;
/// Seconds that a pod has beyond the drain before it is killed.
const GRACE: u64 = 10;

/// What the project is called on a cluster.
pub fn name(project: &str) -> String {
    labels::name(project, LONGEST)
}

/// The objects for a release, and which of them is the app.
pub fn documents(request: &ApplyRequest, settings: &KubernetesSettings, image: &str) -> (Vec<Document>, App) {
    let name = name(&request.project);
    let selector = selector(&name, &request.folder);
    let app = App {
        name: name.clone(),
        container: CONTAINER.to_owned(),
        selector: selector
            .iter()
            .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or_default()))
            .collect::<Vec<_>>()
            .join(","),
    };
    let mut deployment = deployment(&name, &selector, request, settings, image);
    // What it adds to an own manifest is all that is missing here; nothing of it needs to be told.
    app::complete(&mut deployment, &app, request, settings);
    let bodies = [service(&name, &selector), deployment];
    let documents = bodies.into_iter().enumerate().map(|(index, body)| Document { body, place: place(index) });
    (documents.collect(), app)
}

fn place(index: usize) -> Place {
    Place { file: "the generated manifests".to_owned(), number: index + 1, line: 1 }
}

/// What tells the app's pods from all others; it must never change, so no release and no version is in it.
fn selector(name: &str, folder: &Path) -> Map<String, Value> {
    let instance = labels::folder(folder);
    [("app.kubernetes.io/name", name), ("app.kubernetes.io/instance", instance.as_str())]
        .map(|(key, value)| (key.to_owned(), json!(value)))
        .into_iter()
        .collect()
}

/// The labels of an object or of its pods.
fn known_by(selector: &Map<String, Value>) -> Map<String, Value> {
    let mut labels = selector.clone();
    labels.insert("app.kubernetes.io/managed-by".to_owned(), json!("trainyard"));
    labels
}

fn service(name: &str, selector: &Map<String, Value>) -> Value {
    json!({
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": { "name": name, "labels": known_by(selector) },
        "spec": {
            "selector": selector,
            // Without the protocol written out, older servers cannot apply it.
            "ports": [{ "name": "http", "port": 80, "targetPort": "http", "protocol": "TCP" }],
        },
    })
}

fn deployment(
    name: &str,
    selector: &Map<String, Value>,
    request: &ApplyRequest,
    settings: &KubernetesSettings,
    image: &str,
) -> Value {
    let deadline = request.healthy_within.div_ceil(1000).max(LEAST_DEADLINE);
    let port = settings.container_port;
    let mut container = json!({
        "name": CONTAINER,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "ports": [{ "name": "http", "containerPort": port, "protocol": "TCP" }],
    });
    if let Some(resources) = resources(&settings.limits)
        && let Some(container) = container.as_object_mut()
    {
        container.insert("resources".to_owned(), json!({ "requests": resources, "limits": resources }));
    }
    let scraped = json!({
        "prometheus.io/scrape": "true",
        "prometheus.io/port": port.to_string(),
        "prometheus.io/path": request.metrics_path,
    });
    json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": name, "labels": known_by(selector) },
        "spec": {
            "replicas": settings.replicas.unwrap_or(1),
            "minReadySeconds": 1,
            "progressDeadlineSeconds": deadline,
            "revisionHistoryLimit": 5,
            "selector": { "matchLabels": selector },
            "strategy": { "type": "RollingUpdate", "rollingUpdate": { "maxUnavailable": 0, "maxSurge": 1 } },
            "template": {
                "metadata": { "labels": known_by(selector), "annotations": scraped },
                "spec": {
                    // The app asks nothing of the cluster.
                    "automountServiceAccountToken": false,
                    // Else a Service that is named like a variable of the app would set it.
                    "enableServiceLinks": false,
                    "terminationGracePeriodSeconds": request.drain.div_ceil(1000) + GRACE,
                    "containers": [container],
                },
            },
        },
    })
}

/// Asked for and limited alike, so that a pod is never the first to go when its node is short.
fn resources(limits: &Limits) -> Option<Map<String, Value>> {
    let mut resources = Map::new();
    resources.extend(limits.memory.map(|bytes| ("memory".to_owned(), json!(bytes.to_string()))));
    resources.extend(limits.cpus.map(|cpus| ("cpu".to_owned(), json!(format!("{:.0}m", cpus * 1000.0)))));
    (!resources.is_empty()).then_some(resources)
}

#[cfg(test)]
mod tests {
    use super::super::app::tests::{request, settings};
    use super::*;

    fn generated() -> (Value, Value, App) {
        let (documents, app) = documents(&request(), &settings(), "trainyard/wine:1");
        let [service, deployment] = documents.try_into().unwrap();
        (service.body, deployment.body, app)
    }

    #[test]
    fn the_service_sends_to_the_pods_of_the_deployment() {
        let (service, deployment, app) = generated();
        let labels = &deployment["spec"]["template"]["metadata"]["labels"];
        for (key, value) in service["spec"]["selector"].as_object().unwrap() {
            assert_eq!(labels[key], *value);
            assert!(app.selector.contains(&format!("{key}={}", value.as_str().unwrap())), "{}", app.selector);
        }
        assert_eq!(deployment["spec"]["selector"]["matchLabels"], service["spec"]["selector"]);
        assert_eq!(service["spec"]["ports"][0]["protocol"], "TCP");
        assert_eq!((app.name.as_str(), app.container.as_str()), ("wine-quality", "app"));
    }

    #[test]
    fn a_pod_goes_only_once_another_is_ready_and_has_time_to_drain() {
        let (_, deployment, _) = generated();
        let spec = &deployment["spec"];
        assert_eq!(spec["strategy"]["rollingUpdate"], json!({ "maxUnavailable": 0, "maxSurge": 1 }));
        assert_eq!(spec["progressDeadlineSeconds"], 21, "rounded up");
        assert_eq!(spec["template"]["spec"]["terminationGracePeriodSeconds"], 15);
        assert_eq!(spec["replicas"], 1);
        let hurried = ApplyRequest { healthy_within: 300, ..request() };
        let (documents, _) = documents(&hurried, &settings(), "i");
        assert_eq!(documents[1].body["spec"]["progressDeadlineSeconds"], 10, "as little as makes sense");
    }

    #[test]
    fn the_container_is_told_where_to_listen_and_what_it_may_use() {
        let (_, deployment, _) = generated();
        let container = &deployment["spec"]["template"]["spec"]["containers"][0];
        let env = container["env"].to_string();
        for name in
            ["PORT", "TRAINYARD_LISTEN", "TRAINYARD_LINGER", "TRAINYARD_RELEASE", "TRAINYARD_MODEL_VERSION", "MODE"]
        {
            assert!(env.contains(&format!("\"{name}\"")), "{name} is not in {env}");
        }
        assert_eq!(container["resources"]["limits"], json!({ "memory": "268435456", "cpu": "250m" }));
        assert_eq!(container["resources"]["requests"], container["resources"]["limits"]);
        assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/healthz");
        assert_eq!(container.get("command"), None);
    }

    #[test]
    fn without_limits_nothing_is_asked_for() {
        assert_eq!(resources(&Limits::default()), None);
    }
}
