//! Releases as rollouts on a real cluster, through the real program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::env;
use std::fs;

use rustix::process::Signal;
use support::{
    Forwarder, LoadPlan, Namespace, PATIENCE, Project, RECORD, Swept, customers, get, has_kubernetes, own_name,
    replaced, send, wait_for,
};

/// The app that `init` writes, as pods in a namespace of its own.
struct OnCluster {
    project: Project,
    _swept: Swept,
    // Behind the project, whose end takes its app off the cluster.
    namespace: Namespace,
}

impl OnCluster {
    fn new(keys: &str) -> Self {
        let namespace = Namespace::make("release");
        let project = Project::with_app();
        let name = own_name("customers");
        let text = fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
        let text = replaced(&text, "name = \"customers\"", &format!("name = \"{name}\""));
        let target = format!("target = \"kubernetes\"\nnamespace = \"{}\"\n{keys}", namespace.name);
        project.write("trainyard.toml", replaced(&text, "target = \"process\"", &target));
        project.commit("on the cluster");
        Self { project, _swept: Swept::behind(name.as_str()), namespace }
    }

    /// With its first release live.
    fn live(keys: &str) -> Self {
        let app = Self::new(keys);
        app.project.up();
        app.project.register("first.csv", customers(0, 300));
        app.project.expect_run(1, "passed");
        app
    }

    fn reconfigure(&self, old: &str, new: &str) {
        let text = fs::read_to_string(self.project.folder().join("trainyard.toml")).unwrap();
        self.project.write("trainyard.toml", replaced(&text, old, new));
    }

    /// The numbers of the releases whose pods are there and do not end.
    fn pods(&self) -> Vec<String> {
        let listed = self.namespace.kubectl(&["get", "pods", "-o", "json"]).ok().json();
        let stays = |pod: &&serde_json::Value| pod["metadata"]["deletionTimestamp"].is_null();
        let release = |pod: &serde_json::Value| {
            pod["metadata"]["labels"]["com.trainyard.release"].as_str().unwrap_or_default().to_owned()
        };
        listed["items"].as_array().unwrap().iter().filter(stays).map(release).collect()
    }

    fn version(&self) -> String {
        get(self.project.port(), "/version").unwrap().json()["release"].to_string()
    }
}

#[test]
fn a_release_is_rolled_out_with_our_labels_and_its_pods_are_scraped() {
    if !has_kubernetes("a_release_is_rolled_out_with_our_labels_and_its_pods_are_scraped") {
        return;
    }
    let app = OnCluster::live("replicas = 2");
    assert_eq!(app.pods(), ["1", "1"]);
    let listed = app.namespace.kubectl(&["get", "deployments", "--show-labels", "--no-headers"]).ok();
    assert!(listed.said().contains("com.trainyard.release=1"), "{}", listed.said());
    assert_eq!(app.version(), "\"1\"");
    app.project.wait_until("a scrape of both pods", |_| {
        let rows = app.project.command(&["query", "--json", "count(up == 1)"]).json();
        rows[0]["value"].as_str().is_some_and(|value| value == "2").then_some(())
    });
    let target = app.project.wait_until("the pods in the report", |snapshot| {
        let target = &snapshot["live"]["target"];
        (target["instances"].as_array().is_some_and(|found| found.len() == 2)).then(|| target.clone())
    });
    assert_eq!(target["place"]["context"], "trainyard-test");
    assert_eq!(target["place"]["namespace"], app.namespace.name.as_str());
    // What somebody changes by hand is seen.
    app.namespace.kubectl(&["scale", "deployment", "--all", "--replicas=1"]).ok();
    app.project.wait_until("the drift", |snapshot| {
        let drift = snapshot["live"]["target"]["drift"].to_string();
        drift.contains("replicas").then_some(())
    });
    app.project.command(&["down", "--all"]).ok();
    let left = app.namespace.kubectl(&["get", "deployments,services,pods", "--no-headers"]);
    assert!(!left.said().contains("customers"), "down --all leaves nothing: {}", left.said());
}

#[test]
fn ten_rollouts_under_load_lose_no_request() {
    if !has_kubernetes("ten_rollouts_under_load_lose_no_request") {
        return;
    }
    let app = OnCluster::live("replicas = 2");
    let load = LoadPlan::of(app.project.port(), RECORD).rate(200).start();
    for _ in 0..10 {
        app.project.command(&["run", "deploy", "--wait"]).ok();
    }
    let loaded = load.finish();
    eprintln!("ten rollouts on kubernetes: {loaded}");
    loaded.assert_none_lost(1_000);
    assert_eq!(app.project.snapshot()["state"]["live"], 11);
}

#[test]
fn a_release_that_crashes_or_never_becomes_ready_is_rolled_back_with_the_reason_in_one_line() {
    if !has_kubernetes("a_release_that_crashes_or_never_becomes_ready_is_rolled_back_with_the_reason_in_one_line") {
        return;
    }
    let app = OnCluster::live("replicas = 1");
    let fails = |run: u64, words: &[&str]| {
        let found = app.project.expect_run(run, "failed");
        let said = found["stages"]["deploy"]["state"].to_string();
        assert!(words.iter().all(|word| said.contains(word)), "{said}");
        assert_eq!(app.version(), "\"1\"", "the old release serves");
        wait_for("the pods of the rejected release to go", PATIENCE, || (app.pods() == ["1"]).then_some(()));
    };
    app.reconfigure(
        "replicas = 1",
        "replicas = 1\ncommand = [\"/usr/local/bin/trainyard\", \"serve\", \"--model\", \"/gone\"]",
    );
    fails(2, &["/gone"]);
    let text = fs::read_to_string(app.project.folder().join("trainyard.toml")).unwrap();
    let without: String = text.lines().filter(|line| !line.contains("/gone")).map(|line| format!("{line}\n")).collect();
    let line = without.lines().find(|line| line.starts_with("health = ")).unwrap().to_owned();
    let nowhere = replaced(&without, &line, "health = { path = \"/nowhere\", within = \"15s\" }");
    app.project.write("trainyard.toml", nowhere);
    fails(3, &["404"]);
    assert_eq!(app.project.snapshot()["state"]["releases"]["3"]["status"], "rejected");
}

#[test]
fn own_manifests_are_applied_and_what_is_wrong_with_them_is_said_before_anything_is_touched() {
    if !has_kubernetes("own_manifests_are_applied_and_what_is_wrong_with_them_is_said_before_anything_is_touched") {
        return;
    }
    let app = OnCluster::new("manifests = \"manifests\"");
    let deployment = |namespace: &str| {
        format!(
            "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: own\n{namespace}spec:\n  replicas: 1\n  selector:\n    \
             matchLabels: {{app: own}}\n  template:\n    metadata:\n      labels: {{app: own}}\n    spec:\n      containers:\n        \
             - name: server\n          image: trainyard\n          ports: [{{containerPort: 8080}}]\n          env: [{{name: \
             TRAINYARD_LISTEN, value: \"0.0.0.0:8080\"}}]\n          readinessProbe:\n            httpGet: {{path: /healthz, port: \
             8080}}\n            periodSeconds: 1\n"
        )
    };
    app.project.write("manifests/deployment.yaml", deployment(""));
    app.project.up();
    app.project.register("first.csv", customers(0, 300));
    app.project.expect_run(1, "passed");
    let listed = app.namespace.kubectl(&["get", "deployment", "own", "--no-headers"]).ok();
    assert!(listed.said().contains("1/1"), "{}", listed.said());

    app.project.write("manifests/deployment.yaml", deployment("  namespace: kube-system\n"));
    let refused = app.project.command(&["run", "deploy", "--force", "--wait"]);
    assert!(refused.said().contains("kube-system"), "{}", refused.said());
    app.project.write("manifests/deployment.yaml", "apiVersion: apps/v1\nkind: [Deployment\n");
    let refused = app.project.command(&["run", "deploy", "--force", "--wait"]);
    assert!(refused.said().contains("deployment.yaml"), "{}", refused.said());
    assert_eq!(app.project.snapshot()["state"]["live"], 1);
    assert_eq!(app.pods(), ["1"]);
}

#[test]
fn a_rollback_restores_the_former_release_on_the_cluster() {
    if !has_kubernetes("a_rollback_restores_the_former_release_on_the_cluster") {
        return;
    }
    let app = OnCluster::live("replicas = 1");
    app.project.write("app/greeting.txt", "hello again\n");
    app.project.expect_run(2, "passed");
    assert_eq!(app.version(), "\"2\"");
    app.project.command(&["rollback", "--wait"]).ok();
    assert_eq!(app.version(), "\"3\"");
    let state = app.project.snapshot()["state"].clone();
    assert_eq!(state["releases"]["3"]["repeats"], 1);
    assert_eq!(state["releases"]["3"]["image"], state["releases"]["1"]["image"]);
}

#[test]
fn a_canary_is_judged_by_its_evidence_and_no_evidence_never_promotes() {
    if !has_kubernetes("a_canary_is_judged_by_its_evidence_and_no_evidence_never_promotes") {
        return;
    }
    let app = OnCluster::live("replicas = 1");
    let canary =
        |expr: &str| format!("replicas = 1\ncanary = {{ share = 0.5, within = \"6s\", expr = '{expr}', max = 0.5 }}");
    let nothing = canary("sum(rate(nothing_total{track=\"canary\"}[1m]))");
    app.reconfigure("replicas = 1", &nothing);
    let run = app.project.expect_run(2, "failed");
    assert!(run["stages"]["deploy"]["state"].to_string().contains("no evidence"), "{run}");
    assert_eq!(app.version(), "\"1\"");
    let failing = canary("vector(1)");
    app.reconfigure(&nothing, &failing);
    let run = app.project.expect_run(3, "failed");
    assert!(run["stages"]["deploy"]["state"].to_string().contains("above 0.5"), "{run}");
    assert_eq!(app.project.snapshot()["state"]["releases"]["3"]["status"], "rejected");
    let passing = canary("max(up{track=\"canary\"}) - 1");
    app.reconfigure(&failing, &passing);
    app.project.expect_run(4, "passed");
    assert_eq!(app.version(), "\"4\"");
    wait_for("the canary's pods to go", PATIENCE, || (app.pods() == ["4"]).then_some(()));
}

#[test]
fn a_cluster_that_goes_away_in_the_middle_of_a_rollout_is_waited_for() {
    if !has_kubernetes("a_cluster_that_goes_away_in_the_middle_of_a_rollout_is_waited_for") {
        return;
    }
    let app = OnCluster::new("replicas = 2");
    let forwarder = Forwarder::to_port(6443);
    let kubeconfig = fs::read_to_string(env::var("KUBECONFIG").unwrap()).unwrap();
    let through = kubeconfig.replace("127.0.0.1:6443", &format!("127.0.0.1:{}", forwarder.port.unwrap()));
    let path = app.project.outside().join("kubeconfig");
    fs::write(&path, through).unwrap();
    app.project.set("KUBECONFIG", path.display().to_string());
    app.project.up();
    app.project.register("first.csv", customers(0, 300));
    app.project.expect_run(1, "passed");
    app.project.write("app/greeting.txt", "hello again\n");
    app.project.wait_for_stage(2, "deploy", "running");
    forwarder.cut();
    app.project.wait_until("a report that says so", |snapshot| {
        let target = &snapshot["live"]["target"];
        (!target["unreachable"].is_null()).then_some(())
    });
    forwarder.mend();
    app.project.expect_run(2, "passed");
    wait_for("the pods of the second release", PATIENCE, || (app.pods() == ["2", "2"]).then_some(()));
    assert_eq!(app.version(), "\"2\"");
    // A host that is killed finds the app again, and what serves goes on.
    let host = app.project.host();
    send(host, Signal::KILL);
    app.project.command(&["down"]).ok();
    app.project.up();
    wait_for("the app behind the next host", PATIENCE, || {
        get(app.project.port(), "/version").ok().filter(|answer| answer.status == 200).map(|_| ())
    });
    assert_eq!(app.pods(), ["2", "2"]);
}

#[test]
fn a_right_that_is_lacking_is_named() {
    if !has_kubernetes("a_right_that_is_lacking_is_named") {
        return;
    }
    let app = OnCluster::new("replicas = 1");
    app.namespace.kubectl(&["create", "serviceaccount", "reader"]).ok();
    app.namespace.kubectl(&["create", "role", "reader", "--verb=get,list", "--resource=pods"]).ok();
    let account = format!("--serviceaccount={}:reader", app.namespace.name);
    app.namespace.kubectl(&["create", "rolebinding", "reader", "--role=reader", &account]).ok();
    let secret = "{.items[?(@.metadata.annotations.kubernetes\\.io/service-account\\.name=='reader')].data.token}";
    let token = wait_for("the token of the account", PATIENCE, || {
        let found = app.namespace.kubectl(&["get", "secrets", "-o", &format!("jsonpath={secret}")]).ok();
        Some(found.said().trim().to_owned()).filter(|token| !token.is_empty())
    });
    let token = String::from_utf8(base64(&token)).unwrap();
    let kubeconfig = fs::read_to_string(env::var("KUBECONFIG").unwrap()).unwrap();
    let before = kubeconfig.split("token: \"").nth(1).and_then(|rest| rest.split('"').next()).unwrap();
    let path = app.project.outside().join("kubeconfig");
    fs::write(&path, kubeconfig.replace(before, &token)).unwrap();
    app.project.set("KUBECONFIG", path.display().to_string());
    app.project.up();
    app.project.register("first.csv", customers(0, 300));
    let run = app.project.expect_run(1, "failed");
    let said = run["stages"]["deploy"]["state"].to_string();
    assert!(said.contains("patch") && said.contains("deployments"), "{said}");
}

/// Decodes base64 as secrets are told; the alphabet of RFC 4648.
fn base64(text: &str) -> Vec<u8> {
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    for letter in text.bytes().filter(|byte| *byte != b'=') {
        let value = alphabet.iter().position(|known| *known == letter).unwrap();
        bits = (bits << 6) | u32::try_from(value).unwrap();
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from((bits >> count) & 0xff).unwrap());
        }
    }
    bytes
}
