//! Images that are pushed: to a registry that asks nobody, and to one that wants to know who it is.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::support::{PATIENCE, POINTS, PythonApp, docker, get, has_docker, own_name, registry, replaced, wait_for};

/// The user `ann` with the password `p:w`, by bcrypt.
const HTPASSWD: &str = "ann:$2y$05$abcdefghijklmnopqrstuuM7E59t/pBLB8x4aZysvBLD.kgRitkEK\n";
/// `ann:p:w` and `ann:wrong`, as `docker login` writes them.
const RIGHT: &str = "YW5uOnA6dw==";
const WRONG: &str = "YW5uOndyb25n";

#[test]
fn an_image_is_pushed_and_known_by_its_digest() {
    let test = "an_image_is_pushed_and_known_by_its_digest";
    let Some(registry) = registry(test).filter(|_| has_docker(test)) else { return };
    let repository = format!("{registry}/{}", own_name("pushed"));
    let app = PythonApp::with(|text| {
        replaced(text, "dockerfile = \"Dockerfile\"", &format!("dockerfile = \"Dockerfile\"\npush = \"{repository}\""))
    });
    app.up();
    app.register("points.csv", POINTS);
    app.expect_run(1, "passed");
    let image = app.snapshot()["state"]["releases"]["1"]["archive"].as_str().unwrap().to_owned();
    let described: serde_json::Value = serde_json::from_slice(&std::fs::read(app.state(&image)).unwrap()).unwrap();
    let pushed = described["pushed"].as_str().unwrap();
    assert!(pushed.starts_with(&format!("{repository}@sha256:")), "{described}");
    docker(&["pull", pushed]).ok();

    app.reconfigure(&repository, "127.0.0.1:9/nobody");
    let run = app.expect_run(2, "failed");
    assert!(run["stages"]["build"].to_string().contains("127.0.0.1:9"), "{run}");
}

/// A registry on loopback that wants a user and a password.
struct Guarded {
    address: String,
    process: Child,
}

impl Guarded {
    /// `None`, and a named skip, where the program of the registry is not installed.
    fn start(test: &str, folder: &Path) -> Option<Self> {
        let port = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let users = folder.join("htpasswd");
        fs::write(&users, HTPASSWD).unwrap();
        let settings = folder.join("registry.yml");
        let text = format!(
            "version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: \"{address}\"}}\n\
             auth: {{htpasswd: {{realm: test, path: {}}}}}\n",
            folder.join("blobs").display(),
            users.display()
        );
        fs::write(&settings, text).unwrap();
        let mut command = Command::new("docker-registry");
        command.arg("serve").arg(&settings).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let Ok(process) = command.spawn() else {
            eprintln!("skipped: {test}: `docker-registry` is not installed");
            return None;
        };
        wait_for("the registry", PATIENCE, || get(port, "/v2/").is_ok_and(|answer| answer.status == 401).then_some(()));
        Some(Self { address, process })
    }
}

impl Drop for Guarded {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_registry_that_wants_credentials_gets_those_of_docker_login_and_says_so_when_they_are_wrong() {
    let test = "a_registry_that_wants_credentials_gets_those_of_docker_login_and_says_so_when_they_are_wrong";
    if !has_docker(test) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let Some(guarded) = Guarded::start(test, folder.path()) else { return };
    let repository = format!("{}/{}", guarded.address, own_name("guarded"));
    let app = PythonApp::with(|text| {
        replaced(text, "dockerfile = \"Dockerfile\"", &format!("dockerfile = \"Dockerfile\"\npush = \"{repository}\""))
    });
    let login = |auth: &str| {
        fs::create_dir_all(app.outside().join("docker")).unwrap();
        let text = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"{auth}\"}}}}}}", guarded.address);
        fs::write(app.outside().join("docker/config.json"), text).unwrap();
    };
    app.set("DOCKER_CONFIG", app.outside().join("docker").display().to_string());
    app.up();
    app.register("points.csv", POINTS);
    for auth in [None, Some(WRONG)] {
        if let Some(auth) = auth {
            login(auth);
            app.command(&["run", "--wait"]).expect_code(1);
        }
        let run = app.finished_run(app.runs().max(1));
        let said = run["stages"]["build"].to_string();
        assert!(said.contains(&format!("docker login {}", guarded.address)), "{said}");
        assert!(!said.contains("wrong"), "the password is told: {said}");
        assert!(app.snapshot()["state"]["live"].is_null(), "an image that could not be pushed was deployed");
    }
    login(RIGHT);
    app.command(&["run", "--wait"]).ok();
    let image = app.snapshot()["state"]["releases"]["1"]["archive"].as_str().unwrap().to_owned();
    let described: serde_json::Value = serde_json::from_slice(&fs::read(app.state(&image)).unwrap()).unwrap();
    let pushed = described["pushed"].as_str().unwrap();
    assert!(pushed.starts_with(&format!("{repository}@sha256:")), "{described}");
}
