//! A release in the place of a service of a Compose project. The project is made with the labels and names that Compose gives,
//! for these are all that it is known by, and Compose itself need not be installed.

use super::support::{Finished, POINTS, PythonApp, docker, get, has_docker, own_name, replaced};

/// A network and one container of the service `app` in it. They go away with this.
struct Composed {
    project: String,
}

impl Composed {
    fn up() -> Self {
        super::support::python_image();
        let composed = Self { project: own_name("shop") };
        let network = composed.network();
        docker(&["network", "create", "--label", &composed.label(), &network]).ok();
        let serve = ["python3", "-m", "http.server", "8080"];
        let named = format!("{}-app-1", composed.project);
        let label = composed.label();
        let mut arguments = vec!["run", "--detach", "--name", &named, "--network", &network, "--network-alias", "app"];
        arguments.extend(["--label", &label, "--label", "com.docker.compose.service=app"]);
        arguments.push(super::support::PYTHON_IMAGE);
        arguments.extend(serve);
        docker(&arguments).ok();
        composed
    }

    fn network(&self) -> String {
        format!("{}_default", self.project)
    }

    fn label(&self) -> String {
        format!("com.docker.compose.project={}", self.project)
    }

    /// What another service of the project gets from `http://app:8080/PATH`: the status.
    fn asked(&self, path: &str) -> Finished {
        let ask = format!(
            "import urllib.request, urllib.error\ntry: print(urllib.request.urlopen('http://app:8080/{path}', timeout=10).status)\n\
             except urllib.error.HTTPError as error: print(error.code)"
        );
        let network = self.network();
        docker(&["run", "--rm", "--network", &network, super::support::PYTHON_IMAGE, "python3", "-c", &ask]).ok()
    }

    fn state(&self) -> String {
        let named = format!("{}-app-1", self.project);
        docker(&["inspect", "--format", "{{.State.Status}}", &named]).ok().stdout.trim().to_owned()
    }
}

impl Drop for Composed {
    fn drop(&mut self) {
        let _ =
            std::process::Command::new("docker").args(["rm", "--force", &format!("{}-app-1", self.project)]).output();
        let _ = std::process::Command::new("docker").args(["network", "rm", &self.network()]).output();
    }
}

#[test]
fn a_release_takes_the_place_of_a_compose_service_and_leaves_it_to_be_started_again() {
    if !has_docker("a_release_takes_the_place_of_a_compose_service_and_leaves_it_to_be_started_again") {
        return;
    }
    // Before the app, whose containers are in the network and are to be gone first.
    let composed = Composed::up();
    let key = format!("compose = {{ project = \"{}\", service = \"app\" }}", composed.project);
    let app = PythonApp::with(|text| replaced(text, "container_port = 8080", &format!("container_port = 8080\n{key}")));
    assert_eq!(composed.asked("healthz").stdout.trim(), "404", "the service of before has no such page");
    app.up();
    app.register("points.csv", POINTS);
    app.expect_run(1, "passed");
    assert_eq!(composed.asked("healthz").stdout.trim(), "200", "other services do not reach the release by the name");
    assert_eq!(composed.state(), "exited", "the container of before is stopped, and kept");
    assert_eq!(get(app.port(), "/healthz").unwrap().status, 200);

    // The next release has the name, and the one before it has not any more.
    app.write("app.py", std::fs::read_to_string(app.folder().join("app.py")).unwrap() + "\n# again\n");
    app.expect_run(2, "passed");
    assert_eq!(composed.asked("healthz").stdout.trim(), "200");

    let down = app.command(&["down", "--all"]).ok();
    let back = format!("docker compose -p {} start app", composed.project);
    let log = std::fs::read_to_string(app.state("releases/host.log")).unwrap_or_default();
    assert!(down.said().contains(&back) || log.contains(&back), "the way back is not told: {}\n{log}", down.said());
    docker(&["start", &format!("{}-app-1", composed.project)]).ok();
    assert_eq!(composed.asked("healthz").stdout.trim(), "404", "the service of before is back");
}

#[test]
fn a_compose_service_that_is_not_up_is_told_with_the_command_that_brings_it_up() {
    if !has_docker("a_compose_service_that_is_not_up_is_told_with_the_command_that_brings_it_up") {
        return;
    }
    let key = "compose = { project = \"nobody-has-this\", service = \"app\" }";
    let app = PythonApp::with(|text| replaced(text, "container_port = 8080", &format!("container_port = 8080\n{key}")));
    app.up();
    app.register("points.csv", POINTS);
    let run = app.expect_run(1, "failed");
    let said = run["stages"]["deploy"].to_string();
    assert!(said.contains("docker compose -p nobody-has-this up -d"), "{said}");
}
