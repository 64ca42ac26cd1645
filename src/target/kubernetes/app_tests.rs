//! Where the image goes in manifests, and what is added to them.

use std::time::Duration;

use super::super::manifest::Place;
use super::*;
use crate::config::{CanarySettings, DeployTarget, Limits};
use crate::pipeline::ReleaseId;

/// Settings with a canary.
pub(crate) fn settings() -> KubernetesSettings {
    KubernetesSettings {
        context: None,
        namespace: Some("ml".to_owned()),
        manifests: None,
        replicas: None,
        container_port: 9000,
        limits: Limits { memory: Some(256 << 20), cpus: Some(0.25) },
        production: false,
        canary: Some(CanarySettings {
            share: 0.25,
            within: Duration::from_mins(1),
            expr: "vector(1)".to_owned(),
            max: Some(1.0),
            min: None,
        }),
    }
}

/// Release 17, with values that Kubernetes would read otherwise.
pub(crate) fn request() -> ApplyRequest {
    ApplyRequest {
        variables: [("MODE", "fast"), ("PRICE", "5$(X)")]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
        healthy_within: 20_500,
        drain: 5_000,
        ..ApplyRequest::sample(DeployTarget::Kubernetes(settings()))
    }
}

fn document(kind: &str, name: &str, containers: &Value) -> Document {
    let version = if kind == "Deployment" || kind == "StatefulSet" { "apps/v1" } else { "v1" };
    let body = json!({
        "apiVersion": version,
        "kind": kind,
        "metadata": { "name": name },
        "spec": {
            "selector": { "matchLabels": { "app": name } },
            "template": { "metadata": { "labels": { "app": name } }, "spec": { "containers": containers } },
        },
    });
    Document { body, place: Place { file: "a.yaml".to_owned(), number: 1, line: 1 } }
}

fn containers(images: &[(&str, &str)]) -> Value {
    images.iter().map(|(name, image)| json!({ "name": name, "image": image })).collect()
}

fn image_of(document: &Document, index: usize) -> &str {
    document.body["spec"]["template"]["spec"]["containers"][index]["image"].as_str().unwrap()
}

fn app() -> App {
    App { name: "wine".to_owned(), container: "server".to_owned(), selector: "app=wine".to_owned() }
}

#[test]
fn the_image_goes_where_its_word_stands_and_that_deployment_is_the_app() {
    let mut documents = [
        document("Deployment", "cache", &containers(&[("redis", "redis:7")])),
        document("Deployment", "wine", &containers(&[("proxy", "envoy:1"), ("server", "trainyard")])),
    ];
    let found = put_image(&mut documents, "registry.example.com/wine@sha256:ab").unwrap();
    assert_eq!(found, app());
    assert_eq!(image_of(&documents[1], 1), "registry.example.com/wine@sha256:ab");
    assert_eq!(documents[1].body["spec"]["template"]["spec"]["containers"][1]["imagePullPolicy"], "IfNotPresent");
    assert_eq!((image_of(&documents[0], 0), image_of(&documents[1], 0)), ("redis:7", "envoy:1"));
}

#[test]
fn a_mark_within_other_text_is_replaced_too() {
    let images = containers(&[("server", "mirror.example.com/${TRAINYARD_IMAGE}")]);
    let mut documents = [document("Deployment", "wine", &images)];
    put_image(&mut documents, "wine:1").unwrap();
    assert_eq!(image_of(&documents[0], 0), "mirror.example.com/wine:1");
}

#[test]
fn without_the_word_the_only_container_of_the_only_deployment_gets_the_image() {
    let mut documents = [document("Deployment", "wine", &containers(&[("server", "old:1")]))];
    assert_eq!(put_image(&mut documents, "new:1").unwrap(), app());
    assert_eq!(image_of(&documents[0], 0), "new:1");
    let two = containers(&[("server", "old:1"), ("proxy", "envoy:1")]);
    let said = put_image(&mut [document("Deployment", "wine", &two)], "new:1").unwrap_err().to_string();
    assert!(said.contains("`image: trainyard`"), "{said}");
}

#[test]
fn the_app_must_be_one_deployment() {
    let with = || containers(&[("server", "trainyard")]);
    let said = put_image(&mut [document("StatefulSet", "wine", &with())], "new:1").unwrap_err().to_string();
    assert!(said.contains("StatefulSet wine") && said.contains("must be a Deployment"), "{said}");
    let mut two = [document("Deployment", "a", &with()), document("Deployment", "b", &with())];
    let said = put_image(&mut two, "new:1").unwrap_err().to_string();
    assert!(said.contains("Deployment a, Deployment b"), "{said}");
}

#[test]
fn a_selector_that_means_all_pods_is_refused() {
    let mut all = document("Deployment", "wine", &containers(&[("server", "trainyard")]));
    all.body["spec"]["selector"] = json!({});
    let said = put_image(&mut [all.clone()], "new:1").unwrap_err().to_string();
    assert!(said.contains("all pods of the namespace"), "{said}");
    all.body["spec"]["selector"] = json!({
        "matchLabels": { "app": "wine" },
        "matchExpressions": [{ "key": "tier", "operator": "In", "values": ["a", "b"] }],
    });
    all.body["spec"]["template"]["spec"]["containers"][0]["image"] = json!("trainyard");
    let selector = put_image(&mut [all], "new:1").unwrap().selector;
    assert!(selector.contains("app=wine") && selector.contains("tier in (a,b)"), "{selector}");
}

#[test]
fn what_a_manifest_says_stays_and_what_it_leaves_out_is_added() {
    let mut body = document("Deployment", "wine", &containers(&[("server", "i")])).body;
    let container = &mut body["spec"]["template"]["spec"]["containers"][0];
    container["env"] = json!([{ "name": "PORT", "value": "1" }, { "name": "TRAINYARD_RELEASE", "value": "x" }]);
    container["ports"] = json!([{ "containerPort": 7000 }]);
    let notes = complete(&mut body, &app(), &request(), &settings());
    let container = &body["spec"]["template"]["spec"]["containers"][0];
    let env: BTreeMap<&str, &str> = container["env"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| (entry["name"].as_str().unwrap(), entry["value"].as_str().unwrap()))
        .collect();
    assert_eq!((env["PORT"], env["TRAINYARD_RELEASE"], env["MODE"]), ("1", "17", "fast"));
    assert_eq!(env["PRICE"], "5$$(X)", "what looks like a variable of Kubernetes is none");
    assert_eq!(container["readinessProbe"]["httpGet"], json!({ "path": "/healthz", "port": 9000, "scheme": "HTTP" }));
    assert_eq!(notes.len(), 2, "{notes:?}");
    assert!(notes[0].contains("`container_port`") && notes[1].contains("no readinessProbe"), "{notes:?}");
    assert_eq!(body["spec"].get("replicas"), None);
    assert_eq!(body["spec"]["template"]["metadata"]["annotations"][DEFAULT_CONTAINER], "server");
    let three = KubernetesSettings { replicas: Some(3), ..settings() };
    complete(&mut body, &app(), &request(), &three);
    assert_eq!(body["spec"]["replicas"], 3);
}

#[test]
fn the_command_of_the_stage_is_expanded_and_does_not_replace_that_of_a_manifest() {
    let request = ApplyRequest { command: ["app", "--port=$PORT", "$NONE"].map(str::to_owned).to_vec(), ..request() };
    assert_eq!(command(&request, 9000), ["app", "--port=9000", "$$NONE"]);
    let mut body = document("Deployment", "wine", &containers(&[("server", "i")])).body;
    body["spec"]["template"]["spec"]["containers"][0]["args"] = json!(["own"]);
    complete(&mut body, &app(), &request, &settings());
    assert_eq!(body["spec"]["template"]["spec"]["containers"][0].get("command"), None);
}

#[test]
fn the_pods_are_marked_anew_for_each_release_and_the_selector_stays() {
    let mut body = document("Deployment", "wine", &containers(&[("server", "i")])).body;
    mark(&mut body, "server", &request());
    let next = ApplyRequest { release: ReleaseId(18), model_version: None, ..request() };
    mark(&mut body, "server", &next);
    let labels = &body["spec"]["template"]["metadata"]["labels"];
    assert_eq!((&labels[labels::RELEASE], &labels[labels::TRACK]), (&json!("18"), &json!("stable")));
    assert_eq!(labels.get(labels::MODEL), None);
    assert_eq!(body["spec"]["selector"], json!({ "matchLabels": { "app": "wine" } }));
    let env = body["spec"]["template"]["spec"]["containers"][0]["env"].to_string();
    assert!(env.contains("\"18\"") && !env.contains("\"17\""), "{env}");
    assert!(body["metadata"]["annotations"]["kubernetes.io/change-cause"].as_str().unwrap().contains("release 18"));
}
