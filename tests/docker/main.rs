//! Releases as containers of a real Docker Engine, through the real program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod build;
mod compose;
mod registry;

#[path = "../support/mod.rs"]
mod support;

use std::path::Path;

use rustix::process::Signal;

use support::{
    Forwarder, LoadPlan, POINT, POINTS, Project, PythonApp, RECORD, Swept, customers, docker, get, has_docker,
    own_name, post, replaced, send,
};

const SOCKET: &str = "/var/run/docker.sock";

/// The app that `init` writes, as containers.
struct InDocker {
    project: Project,
    name: String,
    _swept: Swept,
}

impl InDocker {
    fn new() -> Self {
        let project = Project::with_app();
        let name = own_name("customers");
        let text = std::fs::read_to_string(project.folder().join("trainyard.toml")).unwrap();
        let text = replaced(&text, "name = \"customers\"", &format!("name = \"{name}\""));
        project.write("trainyard.toml", replaced(&text, "target = \"process\"", "target = \"docker\""));
        project.commit("in docker");
        let swept = Swept::behind(name.as_str());
        Self { project, name, _swept: swept }
    }

    /// With its first release live.
    fn live() -> Self {
        let app = Self::new();
        app.project.up();
        app.project.register("first.csv", customers(0, 300));
        app.project.expect_run(1, "passed");
        app
    }

    /// Changes what must answer before the switch.
    fn health(&self, path: &str, within: &str) {
        let text = std::fs::read_to_string(self.project.folder().join("trainyard.toml")).unwrap();
        let line = text.lines().find(|line| line.starts_with("health = ")).expect("a line with `health`");
        let other = format!("health = {{ path = \"{path}\", within = \"{within}\" }}");
        self.project.write("trainyard.toml", replaced(&text, line, &other));
    }

    /// Adds keys to the deploy stage.
    fn reconfigure(&self, keys: &str) {
        let text = std::fs::read_to_string(self.project.folder().join("trainyard.toml")).unwrap();
        let line = text.lines().find(|line| line.starts_with("target = \"docker\"")).expect("a line with `target`");
        self.project.write("trainyard.toml", replaced(&text, line, &format!("{line}\n{keys}")));
    }

    /// The containers that are there, running or not: id and number of the release.
    fn containers(&self) -> Vec<(String, String)> {
        let filter = format!("label=com.trainyard.project={}", self.name);
        let format = "{{.ID}} {{.Label \"com.trainyard.release\"}}";
        let listed = docker(&["ps", "--all", "--filter", &filter, "--format", format]).ok();
        let mut found: Vec<(String, String)> = listed
            .said()
            .lines()
            .filter_map(|line| line.split_once(' '))
            .map(|(id, release)| (id.to_owned(), release.trim().to_owned()))
            .collect();
        found.sort_by(|one, other| one.1.cmp(&other.1));
        found
    }

    fn releases(&self) -> Vec<String> {
        self.containers().into_iter().map(|(_, release)| release).collect()
    }
}

#[test]
fn a_python_app_with_its_own_dockerfile_goes_through_the_whole_chain() {
    if !has_docker("a_python_app_with_its_own_dockerfile_goes_through_the_whole_chain") {
        return;
    }
    let app = PythonApp::new();
    app.up();
    app.register("points.csv", POINTS);
    let run = app.expect_run(1, "passed");
    assert!(run["stages"]["test"]["outputs"]["tests"]["passed"].as_u64().unwrap() > 0, "{run}");
    let answer = post(app.port(), "/predict", POINT).unwrap();
    assert!(answer.body.contains("prediction"), "{}", answer.body);
    let filter = format!("label=com.trainyard.project={}", app.name);
    let listed =
        docker(&["ps", "--filter", &filter, "--format", "{{.Label \"com.trainyard.release\"}} {{.Status}}"]).ok();
    assert!(listed.said().starts_with("1 Up"), "{}", listed.said());
    // The metrics on the screen are those of the container.
    app.wait_until("a scrape of the container", |_| {
        let rows = app.command(&["query", "--json", "sum(predict_requests_total)"]).json();
        rows[0]["value"].as_str().is_some_and(|value| value != "0").then_some(())
    });
    app.wait_until("the container in the report", |snapshot| {
        let instance = &snapshot["live"]["target"]["instances"][0];
        (instance["ready"] == true && !instance["usage"].is_null()).then_some(())
    });
    // A saved source file is built again; equal sources are not.
    let before = app.snapshot()["state"]["last_run"].clone();
    app.command(&["run", "--wait"]).ok();
    let again = app.snapshot();
    assert_ne!(again["state"]["last_run"], before);
    assert_eq!(again["state"]["live"], 1, "equal inputs made another release");
}

#[test]
fn ten_swaps_of_containers_under_load_lose_no_request() {
    if !has_docker("ten_swaps_of_containers_under_load_lose_no_request") {
        return;
    }
    let app = InDocker::live();
    let load = LoadPlan::of(app.project.port(), RECORD).rate(200).start();
    for _ in 0..10 {
        app.project.command(&["run", "deploy", "--wait"]).ok();
    }
    let loaded = load.finish();
    eprintln!("ten swaps on docker: {loaded}");
    loaded.assert_none_lost(1_000);
    assert_eq!(app.releases(), ["11"], "only the live container is left");
}

#[test]
fn a_container_that_never_becomes_healthy_changes_nothing_and_is_not_tried_again() {
    if !has_docker("a_container_that_never_becomes_healthy_changes_nothing_and_is_not_tried_again") {
        return;
    }
    let app = InDocker::live();
    app.health("/nowhere", "3s");
    let run = app.project.expect_run(2, "failed");
    let said = run["stages"]["deploy"].to_string();
    assert!(said.contains("did not become healthy within 3 s") && said.contains("404"), "{said}");
    assert_eq!(app.releases(), ["1"], "nothing of the rejected release is left");
    assert_eq!(app.project.snapshot()["state"]["releases"]["2"]["status"], "rejected");
    assert_eq!(get(app.project.port(), "/version").unwrap().json()["release"], "1");
    // Automation does not deploy the same inputs again.
    app.project.command(&["run", "--wait"]);
    assert_eq!(app.project.snapshot()["state"]["last_release"], 2);
}

#[test]
fn a_container_that_ends_at_once_is_rejected_with_its_last_words() {
    if !has_docker("a_container_that_ends_at_once_is_rejected_with_its_last_words") {
        return;
    }
    let app = PythonApp::new();
    app.up();
    app.register("points.csv", POINTS);
    app.expect_run(1, "passed");
    let crash = "command = [\"python3\", \"-c\", \"import sys; print('no disk of mine'); sys.exit(7)\"]";
    app.reconfigure("container_port = 8080", &format!("container_port = 8080\n{crash}"));
    let run = app.expect_run(2, "failed");
    let said = run["stages"]["deploy"].to_string();
    assert!(said.contains("ended before it was healthy") && said.contains('7'), "{said}");
    let log = app.command(&["logs", "deploy"]).ok();
    assert!(log.said().contains("no disk of mine"), "{}", log.said());
    assert!(post(app.port(), "/predict", POINT).is_ok());
}

#[test]
fn a_rollback_brings_the_former_container_back_and_is_refused_when_its_image_is_gone() {
    if !has_docker("a_rollback_brings_the_former_container_back_and_is_refused_when_its_image_is_gone") {
        return;
    }
    let app = InDocker::live();
    let project = &app.project;
    project.write("app/greeting.txt", "hello again\n");
    project.expect_run(2, "passed");
    let state = project.snapshot()["state"].clone();
    let image = |release: &str| state["releases"][release]["image"].as_str().unwrap().to_owned();
    assert_ne!(image("1"), image("2"));
    let plan = project.command(&["rollback", "--plan"]).ok();
    assert!(plan.said().contains(&image("1")[..12]), "{}", plan.said());
    project.command(&["rollback", "--wait"]).ok();
    let now = project.snapshot()["state"].clone();
    assert_eq!(now["releases"][now["live"].to_string()]["image"], image("1").as_str());
    assert_eq!(get(project.port(), "/version").unwrap().json()["release"], now["live"].to_string().as_str());

    let tags = docker(&["image", "inspect", "--format", "{{join .RepoTags \" \"}}", &image("2")]).ok();
    for tag in tags.said().split_whitespace() {
        docker(&["rmi", "--force", tag]).ok();
    }
    let refused = project.command(&["rollback", "2", "--wait"]).expect_code(1);
    assert!(refused.said().contains("cannot come back"), "{}", refused.said());
    assert_eq!(project.snapshot()["state"]["live"], now["live"], "nothing was touched");
}

#[test]
fn a_container_goes_on_without_daemon_and_host_and_is_adopted_by_the_next() {
    if !has_docker("a_container_goes_on_without_daemon_and_host_and_is_adopted_by_the_next") {
        return;
    }
    let app = InDocker::live();
    let before = app.containers();
    let (daemon, host) = (app.project.daemon(), app.project.host());
    send(daemon, Signal::KILL);
    send(host, Signal::KILL);
    support::wait_for("the end of the host", support::PATIENCE, || (!support::is_alive(host)).then_some(()));
    app.project.up();
    support::wait_for("the app behind the next host", support::PATIENCE, || {
        get(app.project.port(), "/version").ok().filter(|answer| answer.status == 200).map(|_| ())
    });
    assert_eq!(app.containers(), before, "the same container serves");
    app.project.command(&["down", "--all"]).ok();
    assert_eq!(app.containers(), [], "down --all leaves no container");
}

#[test]
fn a_container_that_is_killed_is_served_again() {
    if !has_docker("a_container_that_is_killed_is_served_again") {
        return;
    }
    let app = InDocker::live();
    let id = app.containers()[0].0.clone();
    docker(&["rm", "--force", &id]).ok();
    support::wait_for("another container", support::PATIENCE, || {
        let other = app.containers().iter().any(|(found, _)| *found != id);
        (other && get(app.project.port(), "/healthz").is_ok_and(|answer| answer.status == 200)).then_some(())
    });
    // The report is a few seconds old at most; it is waited for until it tells of the end and of the new container.
    app.project.wait_until("the report of its end", |snapshot| {
        let target = &snapshot["live"]["target"];
        let tells = target["last_exit"].is_string() && target["instances"][0]["ready"] == true;
        (target["serving"] == true && tells).then_some(())
    });
}

#[test]
fn without_an_engine_the_run_says_so_and_a_waiting_command_ends_with_3() {
    let app = InDocker::new();
    let nowhere = app.project.outside().join("no.sock");
    app.project.set("DOCKER_HOST", format!("unix://{}", nowhere.display()));
    app.project.up();
    app.project.register("first.csv", customers(0, 300));
    app.project.expect_run(1, "failed");
    let refused = app.project.command(&["run", "build", "--wait"]).expect_code(3);
    assert!(refused.said().contains("Docker Engine does not answer"), "{}", refused.said());
    let doctor = app.project.command(&["doctor"]);
    assert!(doctor.said().contains("Docker Engine does not answer"), "{}", doctor.said());
}

#[test]
fn an_engine_that_goes_away_in_the_middle_of_a_deploy_leaves_a_true_board() {
    if !has_docker("an_engine_that_goes_away_in_the_middle_of_a_deploy_leaves_a_true_board") {
        return;
    }
    let app = InDocker::new();
    let line = app.project.outside().join("engine.sock");
    let forwarder = Forwarder::between_sockets(&line, Path::new(SOCKET));
    app.project.set("DOCKER_HOST", format!("unix://{}", line.display()));
    app.project.up();
    app.project.register("first.csv", customers(0, 300));
    app.project.expect_run(1, "passed");
    app.health("/nowhere", "60s");
    app.project.wait_for_stage(2, "deploy", "running");
    support::wait_for("the second container", support::PATIENCE, || (app.releases().len() == 2).then_some(()));
    forwarder.cut();
    app.project.wait_until("a report that says so", |snapshot| {
        let problem = snapshot["live"]["target"]["unreachable"].clone();
        let failed = snapshot["state"]["runs"]["2"]["result"].is_string();
        (!problem.is_null() || failed).then_some(())
    });
    forwarder.mend();
    app.project.expect_run(2, "failed");
    assert_eq!(app.project.snapshot()["state"]["live"], 1);
    assert_eq!(get(app.project.port(), "/version").unwrap().json()["release"], "1");
    // The next deploy clears what could not be removed while nobody answered.
    app.health("/healthz", "30s");
    app.reconfigure("variables = { NEXT = \"1\" }");
    app.project.wait_until("a later release", |snapshot| (snapshot["state"]["live"].as_u64() > Some(1)).then_some(()));
    assert_eq!(app.releases().len(), 1, "{:?}", app.containers());
}

#[test]
fn pruning_leaves_the_images_of_others_and_those_that_a_rollback_needs() {
    if !has_docker("pruning_leaves_the_images_of_others_and_those_that_a_rollback_needs") {
        return;
    }
    let app = PythonApp::new();
    app.up();
    app.register("points.csv", POINTS);
    app.expect_run(1, "passed");
    let dockerfile = std::fs::read_to_string(app.folder().join("Dockerfile")).unwrap();
    let filter = format!("label=com.trainyard.project={}", app.name);
    let images = || {
        let listed = docker(&["images", "--quiet", "--no-trunc", "--filter", &filter]).ok();
        let mut ids: Vec<String> = listed.said().lines().map(str::to_owned).collect();
        ids.sort();
        ids.dedup();
        ids
    };
    // Until more were made than passes are remembered, and the first of them have lost their minute of grace.
    let mut run = 1;
    let begun = std::time::Instant::now();
    while images().len() == run || begun.elapsed() < std::time::Duration::from_secs(1) {
        assert!(run < 60, "nothing was pruned after {run} images");
        app.write("Dockerfile", format!("{dockerfile}\nLABEL number={run}\n"));
        run += 1;
        app.expect_run(u64::try_from(run).unwrap(), "passed");
    }
    let left = images();
    let state = app.snapshot()["state"].clone();
    let live = state["live"].as_u64().unwrap();
    for release in live - 5..=live {
        let image = state["releases"][release.to_string()]["image"].as_str().unwrap();
        assert!(left.iter().any(|id| id.ends_with(image)), "the image of release {release} is gone");
    }
    docker(&["image", "inspect", support::PYTHON_IMAGE]).ok();
    app.command(&["rollback", "--wait"]).ok();
}
