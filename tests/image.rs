//! The image: the same bytes for the same inputs, on the disk once with others, and taken and run by a real Docker Engine.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
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

/// The folder of the image that a run made.
fn image(project: &Project, run: &Value) -> PathBuf {
    project.state(run["stages"]["build"]["outputs"]["image"].as_str().unwrap())
}

/// What is in an image, by the name of each file.
fn files(image: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let folders = [image.to_owned(), image.join("blobs/sha256")];
    let entries = folders.iter().flat_map(|folder| fs::read_dir(folder).unwrap().flatten());
    let files = entries.map(|entry| entry.path()).filter(|path| path.is_file());
    files.map(|path| (path.strip_prefix(image).unwrap().to_owned(), fs::read(&path).unwrap())).collect()
}

#[test]
fn equal_inputs_give_the_same_image_byte_for_byte() {
    let (one, other) = (project(), project());
    let images = [&one, &other].map(|project| image(project, &project.expect_run(1, "passed")));
    let [first, second] = images;
    assert_eq!(first.file_name(), second.file_name(), "the name is the digest of the manifest");
    let whole = files(&first);
    assert!(whole == files(&second), "{} and {} differ", first.display(), second.display());

    // An image that is gone is noticed, made again, and is the same again.
    fs::remove_dir_all(&first).unwrap();
    one.command(&["run", "--wait"]).ok();
    let run = one.finished_run(2);
    assert_eq!((stage_word(&run, "train"), stage_word(&run, "build")), ("skipped".to_owned(), "passed".to_owned()));
    assert_eq!(run["stages"]["build"]["why"], json!({ "outputs_lost": { "since": 1 } }));
    assert!(whole == files(&first), "{} was not made again as it was", first.display());
}

#[test]
fn two_images_have_the_server_once_on_the_disk() {
    let project = project();
    let first = image(&project, &project.expect_run(1, "passed"));
    project.write("app/greeting.txt", "good morning\n");
    let second = image(&project, &project.expect_run(2, "passed"));
    assert_ne!(first, second);
    let largest = |image: &Path| {
        let blobs = fs::read_dir(image.join("blobs/sha256")).unwrap().flatten();
        let found = blobs.map(|entry| entry.metadata().unwrap()).max_by_key(fs::Metadata::len).unwrap();
        (found.ino(), found.len())
    };
    assert_eq!(largest(&first), largest(&second));
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
fn docker_loads_the_image_and_runs_the_model_server() {
    if !has_docker("docker_loads_the_image_and_runs_the_model_server") {
        return;
    }
    let project = project();
    let made = image(&project, &project.expect_run(1, "passed"));
    // As the documents say it.
    let path = project.outside().join("image.tar").display().to_string();
    let packed = Command::new("tar").arg("-C").arg(&made).args(["-cf", &path, "."]).status().unwrap();
    assert!(packed.success(), "{packed}");
    let loaded = docker(&["load", "--input", &path]).ok().stdout;
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
