//! The image archive: the same bytes for the same inputs, and taken and run by a real Docker Engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use support::{PATIENCE, Project, RECORD, customers, docker, get, has_docker, post, stage_word, wait_for};

/// Train and build, and nothing else: a deploy would only take time.
const IMAGE: &str = r#"
[project]
name = "customers"
[data]
settle = "100ms"
[stages.train]
uses = "train"
target = "kind"
algorithms = ["naive-bayes"]
search = { trials = 1 }
[stages.build]
uses = "image"
needs = ["train"]
include = ["app/**"]
"#;

fn project() -> Project {
    let project = Project::with(IMAGE, &[("app/greeting.txt", "hello\n")]);
    project.up();
    project.register("first.csv", customers(0, 300));
    project
}

/// The archive that a run made.
fn archive(project: &Project, run: &Value) -> PathBuf {
    project.state(run["stages"]["build"]["outputs"]["image"].as_str().unwrap())
}

#[test]
fn equal_inputs_give_the_same_archive_byte_for_byte() {
    let (one, other) = (project(), project());
    let archives = [&one, &other].map(|project| archive(project, &project.expect_run(1, "passed")));
    let [first, second] = archives;
    assert_eq!(first.file_name(), second.file_name(), "the name is the digest of the manifest");
    let bytes = fs::read(&first).unwrap();
    assert!(bytes == fs::read(&second).unwrap(), "{} and {} differ", first.display(), second.display());

    // An archive that is gone is noticed, made again, and is the same again.
    fs::remove_file(&first).unwrap();
    one.command(&["run", "--wait"]).ok();
    let run = one.finished_run(2);
    assert_eq!((stage_word(&run, "train"), stage_word(&run, "build")), ("skipped".to_owned(), "passed".to_owned()));
    assert_eq!(run["stages"]["build"]["why"], json!({ "outputs_lost": { "since": 1 } }));
    assert!(bytes == fs::read(&first).unwrap(), "{} was not made again as it was", first.display());
}

/// A container and its image, which go away with the test.
struct Container {
    id: Option<String>,
    image: String,
}

impl Drop for Container {
    fn drop(&mut self) {
        let remove = |arguments: &[&str]| {
            let _ = Command::new("docker").args(arguments).output();
        };
        if let Some(id) = &self.id {
            remove(&["rm", "--force", id]);
        }
        remove(&["rmi", "--force", &self.image]);
    }
}

#[test]
fn docker_loads_the_archive_and_runs_the_model_server() {
    if !has_docker("docker_loads_the_archive_and_runs_the_model_server") {
        return;
    }
    let project = project();
    let path = archive(&project, &project.expect_run(1, "passed"));
    let loaded = docker(&["load", "--input", &path.display().to_string()]).ok().stdout;
    let image = loaded.lines().find_map(|line| line.strip_prefix("Loaded image: ")).expect(&loaded).trim().to_owned();
    assert!(image.starts_with("customers:"), "{image}");
    let mut container = Container { id: None, image };

    let started = docker(&["run", "--detach", "--publish", "127.0.0.1:0:8080", &container.image]).ok();
    let id = started.stdout.trim().to_owned();
    container.id = Some(id.clone());
    let published = docker(&["port", &id, "8080/tcp"]).ok().stdout;
    let port: u16 = published.lines().find_map(|line| line.rsplit(':').next()?.trim().parse().ok()).expect(&published);
    wait_for("the container to answer /healthz", PATIENCE, || {
        let is_running = docker(&["inspect", "--format", "{{.State.Running}}", &id]).ok().stdout;
        assert_eq!(is_running.trim(), "true", "{}", docker(&["logs", &id]).said());
        get(port, "/healthz").is_ok_and(|answer| answer.status == 200).then_some(())
    });
    let answer = post(port, "/predict", RECORD).unwrap();
    assert_eq!((answer.status, &answer.json()["prediction"]), (200, &json!("gold")), "{}", answer.body);
}
