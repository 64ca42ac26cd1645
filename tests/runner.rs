//! Stages in containers and as Jobs, on real engines, through the real program.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on says so by a panic"
)]

mod support;

use rustix::process::Signal;
use support::{
    Namespace, PATIENCE, Project, Swept, customers, docker, has_docker, has_kubernetes, own_name, python_image, send,
    wait_for,
};

/// Trains on the lines of the data, slowly where `@SECONDS@` says so, and tells of it.
const TRAIN: &str = r#"import json, os, time
lines = sum(sum(1 for _ in open(path.strip())) for path in open(os.environ["TRAINYARD_DATA"]))
print("training on", lines, "lines", flush=True)
for step in range(@SECONDS@):
    time.sleep(1)
    print("step", step, flush=True)
    with open(os.environ["TRAINYARD_OUTPUT"], "a") as output:
        output.write(json.dumps({"progress": step / @SECONDS@, "message": f"step {step}"}) + "\n")
with open(os.path.join(os.environ["TRAINYARD_MODEL"], "lines"), "w") as model:
    model.write(str(lines))
with open(os.environ["TRAINYARD_OUTPUT"], "a") as output:
    output.write(json.dumps({"metric": {"lines": lines}}) + "\n")
"#;

fn project(name: &str, runner: &str, seconds: u32) -> Project {
    python_image();
    let configuration = format!(
        "[project]\nname = \"{name}\"\n[data]\nsettle = \"200ms\"\n[stages.train]\ncommand = [\"python3\", \"train.py\"]\n\
         {runner}\n[stages.test]\nneeds = [\"train\"]\ncommand = [\"sh\", \"-c\", \"cat $TRAINYARD_MODEL/lines\"]\n"
    );
    Project::with(&configuration, &[("train.py", &TRAIN.replace("@SECONDS@", &seconds.to_string()))])
}

const IN_DOCKER: &str = "runner = \"docker\"\ncontainer = { image = \"trainyard-test-python:1\" }";

fn as_job(namespace: &Namespace) -> String {
    let name = &namespace.name;
    format!("runner = \"kubernetes\"\ncontainer = {{ image = \"trainyard-test-python:1\", namespace = \"{name}\" }}")
}

fn containers(name: &str) -> String {
    let filter = format!("label=com.trainyard.project={name}");
    docker(&["ps", "--all", "--quiet", "--filter", &filter]).ok().said().trim().to_owned()
}

#[track_caller]
fn expect_trained(project: &Project) {
    let run = project.expect_run(1, "passed");
    assert_eq!(run["stages"]["train"]["outputs"]["metrics"]["lines"], 3.0, "{run}");
    let log = project.command(&["logs", "train"]).ok();
    assert_eq!(log.said().matches("training on 3 lines").count(), 1, "{}", log.said());
    assert!(project.command(&["logs", "test"]).ok().said().contains('3'));
}

#[test]
fn a_stage_in_a_container_lives_by_the_same_contract() {
    if !has_docker("a_stage_in_a_container_lives_by_the_same_contract") {
        return;
    }
    let name = own_name("contained");
    let project = project(&name, IN_DOCKER, 1);
    project.up();
    project.register("a.csv", "x,y\n1,2\n3,4\n");
    expect_trained(&project);
    assert_eq!(containers(&name), "", "nothing is left");
}

#[test]
fn a_stage_in_a_container_is_cancelled_with_all_that_it_started() {
    if !has_docker("a_stage_in_a_container_is_cancelled_with_all_that_it_started") {
        return;
    }
    let name = own_name("contained");
    let project = project(&name, IN_DOCKER, 300);
    project.up();
    project.register("a.csv", "x,y\n1,2\n3,4\n");
    wait_for("the container", PATIENCE, || (!containers(&name).is_empty()).then_some(()));
    project.command(&["cancel"]).ok();
    project.expect_run(1, "cancelled");
    assert_eq!(containers(&name), "", "nothing is left");
}

#[test]
fn a_job_lives_by_the_same_contract_and_survives_the_daemon() {
    if !has_kubernetes("a_job_lives_by_the_same_contract_and_survives_the_daemon") {
        return;
    }
    let namespace = Namespace::make("job");
    let name = own_name("job");
    let project = project(&name, &as_job(&namespace), 12);
    project.up();
    project.register("a.csv", "x,y\n1,2\n3,4\n");
    project.wait_until("a step of the Job", |snapshot| {
        snapshot["live"]["progress"].to_string().contains("step 1").then_some(())
    });
    send(project.daemon(), Signal::KILL);
    project.up();
    expect_trained(&project);
    let log = project.command(&["logs", "train"]).ok();
    for step in 0..12 {
        let line = format!("step {step}\n");
        assert_eq!(log.said().matches(&line).count(), 1, "{line}\n{}", log.said());
    }
    wait_for("the end of the Job", PATIENCE, || {
        let left = namespace.kubectl(&["get", "jobs,pods", "--no-headers"]);
        left.said().contains("No resources found").then_some(())
    });
}

#[test]
fn a_job_is_cancelled_and_nothing_of_it_is_left() {
    if !has_kubernetes("a_job_is_cancelled_and_nothing_of_it_is_left") {
        return;
    }
    let namespace = Namespace::make("job");
    let project = project(&own_name("job"), &as_job(&namespace), 300);
    project.up();
    project.register("a.csv", "x,y\n1,2\n3,4\n");
    project.wait_until("a step of the Job", |snapshot| {
        snapshot["live"]["progress"].to_string().contains("step 1").then_some(())
    });
    project.command(&["cancel"]).ok();
    project.expect_run(1, "cancelled");
    wait_for("the end of the Job", PATIENCE, || {
        let left = namespace.kubectl(&["get", "jobs", "--no-headers"]);
        left.said().contains("No resources found").then_some(())
    });
}

/// Built-in training in an image of the program itself.
#[track_caller]
fn trains_elsewhere(name: &str, runner: &str) {
    let swept = Swept::behind(name);
    let configuration = format!(
        "[project]\nname = \"{name}\"\n[data]\nsettle = \"200ms\"\n[stages.train]\nuses = \"train\"\ntarget = \"kind\"\n\
         algorithms = [\"naive-bayes\"]\nsearch = {{ trials = 1 }}\n{runner}\n"
    );
    let project = Project::with(&configuration, &[]);
    project.up();
    project.register("first.csv", customers(0, 300));
    let run = project.expect_run(1, "passed");
    assert!(run["stages"]["train"]["outputs"]["metrics"]["accuracy"].as_f64().is_some(), "{run}");
    let (model, data) = (project.state("models/1"), project.folder().join("data/first.csv"));
    let (model, data) = (model.display().to_string(), data.display().to_string());
    project.command(&["predict", "--json", "--model", &model, &data]).ok();
    drop((project, swept));
}

#[test]
fn built_in_training_runs_in_a_container_of_the_program_itself() {
    if has_docker("built_in_training_runs_in_a_container_of_the_program_itself") {
        trains_elsewhere(&own_name("built-in"), "runner = \"docker\"");
    }
}

#[test]
fn built_in_training_runs_as_a_job_of_the_program_itself() {
    if has_kubernetes("built_in_training_runs_as_a_job_of_the_program_itself") {
        let namespace = Namespace::make("job");
        let container = format!("runner = \"kubernetes\"\ncontainer = {{ namespace = \"{}\" }}", namespace.name);
        trains_elsewhere(&own_name("built-in"), &container);
    }
}

#[test]
fn a_job_whose_image_is_missing_says_so_in_one_line() {
    if !has_kubernetes("a_job_whose_image_is_missing_says_so_in_one_line") {
        return;
    }
    let namespace = Namespace::make("job");
    let runner = as_job(&namespace).replace("trainyard-test-python:1", "trainyard-not-there:9");
    let project = project(&own_name("job"), &runner, 1);
    project.up();
    project.register("a.csv", "x,y\n1,2\n3,4\n");
    let run = project.expect_run(1, "failed");
    let said = run["stages"]["train"]["state"].to_string();
    assert!(said.contains("trainyard-not-there:9"), "{said}");
}
