//! Real engines: whether they answer, asking them past the program under test, and leaving nothing in them.

use std::collections::hash_map::RandomState;
use std::env;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use super::commands::{Finished, finish};

/// Loading or building an image of a debug build may take long.
const ENGINE: Duration = Duration::from_mins(5);
/// The image that tests build and run on; see [`python_image`].
pub const PYTHON_IMAGE: &str = "trainyard-test-python:1";

/// Whether a Docker Engine answers; where one must, its absence is a failure.
#[track_caller]
pub fn has_docker(test: &str) -> bool {
    answers(test, "TRAINYARD_TEST_DOCKER", "no Docker Engine answers", Command::new("docker").arg("version"))
}

/// Whether a cluster answers; where one must, its absence is a failure.
#[track_caller]
pub fn has_kubernetes(test: &str) -> bool {
    let mut command = Command::new("kubectl");
    command.args(["get", "--raw", "/readyz", "--request-timeout", "10s"]);
    answers(test, "TRAINYARD_TEST_KUBERNETES", "no Kubernetes cluster answers", &mut command)
}

/// Whether `promtool` of Prometheus is installed; where it must be, its absence is a failure.
#[track_caller]
pub fn has_promtool(test: &str) -> bool {
    answers(test, "TRAINYARD_TEST_PROMETHEUS", "no promtool is installed", Command::new("promtool").arg("--version"))
}

/// The registry that tests may push to, as a host and port.
pub fn registry(test: &str) -> Option<String> {
    let registry = env::var("TRAINYARD_TEST_REGISTRY").ok().filter(|registry| !registry.is_empty());
    if registry.is_none() {
        eprintln!("skipped: {test}: TRAINYARD_TEST_REGISTRY names no registry");
    }
    registry
}

#[track_caller]
fn answers(test: &str, variable: &str, lack: &str, question: &mut Command) -> bool {
    let answers = question.output().is_ok_and(|output| output.status.success());
    let must = env::var(variable).is_ok_and(|value| value == "1");
    assert!(answers || !must, "{variable} is 1, but `{question:?}` does not succeed");
    if !answers {
        eprintln!("skipped: {test}: {lack} (`{question:?}`)");
    }
    answers
}

/// Asks Docker Engine, past the program under test.
#[track_caller]
pub fn docker(arguments: &[&str]) -> Finished {
    finish(Command::new("docker").args(arguments), ENGINE)
}

/// Asks the cluster, past the program under test.
#[track_caller]
pub fn kubectl(arguments: &[&str]) -> Finished {
    finish(Command::new("kubectl").args(arguments), ENGINE)
}

/// Makes [`PYTHON_IMAGE`] if it is not there; the same answer for all tests of a program.
#[track_caller]
pub fn python_image() {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/support/python_image.sh");
        finish(&mut Command::new(script), ENGINE).ok();
    });
}

/// A name that nothing else in an engine has, fit for containers, images and namespaces.
pub fn own_name(what: &str) -> String {
    format!("{what}-{:08x}", RandomState::new().build_hasher().finish() >> 32)
}

/// What the program made in Docker Engine for the project of this name goes away with it: containers, then images.
pub struct Swept {
    project: String,
}

impl Swept {
    /// Sweeps behind the project of that name. Declare it before the project, or hold it behind it in a struct: the program
    /// itself is to be ended first.
    pub fn behind(project: impl Into<String>) -> Self {
        Self { project: project.into() }
    }
}

impl Drop for Swept {
    fn drop(&mut self) {
        let filter = format!("label=com.trainyard.project={}", self.project);
        remove_all(&["ps", "--all", "--quiet", "--filter", &filter], &["rm", "--force", "--volumes"]);
        remove_all(&["images", "--quiet", "--filter", &filter], &["rmi", "--force"]);
    }
}

/// Nothing may panic here: the test may have failed already.
fn remove_all(list: &[&str], remove: &[&str]) {
    let Ok(listed) = Command::new("docker").args(list).output() else { return };
    let text = String::from_utf8_lossy(&listed.stdout).into_owned();
    let mut ids: Vec<&str> = text.split_whitespace().collect();
    // An image is listed once a tag.
    ids.sort_unstable();
    ids.dedup();
    if !ids.is_empty() {
        let _ = Command::new("docker").args(remove).args(ids).output();
    }
}

/// A namespace of the cluster that goes away with the test, and everything in it.
pub struct Namespace {
    /// Its name.
    pub name: String,
}

impl Namespace {
    /// Makes one. A deleted pod ends for up to a minute, so no two tests share one.
    #[track_caller]
    pub fn make(what: &str) -> Self {
        let name = own_name(&format!("trainyard-{what}"));
        kubectl(&["create", "namespace", &name]).ok();
        Self { name }
    }

    /// Asks the cluster about this namespace.
    #[track_caller]
    pub fn kubectl(&self, arguments: &[&str]) -> Finished {
        finish(Command::new("kubectl").args(["--namespace", &self.name]).args(arguments), ENGINE)
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = Command::new("kubectl").args(["delete", "namespace", &self.name, "--wait=false"]).output();
    }
}
