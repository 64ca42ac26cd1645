//! Whether Docker Engine and a cluster can be had. Neither is needed unless the configuration says so.

use std::thread;

use tokio::runtime;

use super::{Check, Word};
use crate::config::{Action, DeployTarget, Runner, Settings};
use crate::target::docker::engine::Engine;
use crate::target::kubernetes::Cluster;

/// What the engines answered.
pub(super) struct Engines {
    docker: Result<String, String>,
    kubernetes: Result<String, String>,
}

impl Engines {
    /// Asks both, the cluster in the context that the configuration names.
    pub(super) fn ask(settings: Option<&Settings>) -> Self {
        let (context, namespace) = settings.map(place).unwrap_or_default();
        // In a thread of its own, for the caller may be inside of a runtime, and those do not nest.
        let asked = thread::scope(|scope| scope.spawn(|| ask_here(context.as_deref(), namespace.as_deref())).join());
        asked.unwrap_or_else(|_| Self::unknown("the question failed"))
    }

    fn unknown(reason: &str) -> Self {
        Self { docker: Err(reason.to_owned()), kubernetes: Err(reason.to_owned()) }
    }

    pub(super) fn docker(&self, settings: Option<&Settings>) -> Check {
        let needed = settings.is_some_and(Settings::uses_docker);
        check("docker", &self.docker, needed, "images are built and releases run without it")
    }

    pub(super) fn kubernetes(&self, settings: Option<&Settings>) -> Check {
        let needed = settings.is_some_and(uses_kubernetes);
        check("kubernetes", &self.kubernetes, needed, "releases run without it")
    }
}

fn check(name: &'static str, answer: &Result<String, String>, needed: bool, without: &str) -> Check {
    match (answer, needed) {
        (Ok(found), true) => Check::ok(name, found.clone()),
        (Ok(found), false) => Check::ok(name, format!("{found}; not needed here")),
        (Err(reason), true) => Check::of_error(name, Word::Missing, reason),
        (Err(_), false) => Check::ok(name, format!("none answers; not needed, {without}")),
    }
}

fn uses_kubernetes(settings: &Settings) -> bool {
    settings.stages.iter().any(|stage| match (&stage.action, &stage.runner) {
        (_, Runner::Kubernetes(_)) => true,
        (Action::Deploy(deploy), _) => matches!(deploy.target, DeployTarget::Kubernetes(_)),
        (Action::Command(_) | Action::Train(_) | Action::Image(_), _) => false,
    })
}

/// The context and the namespace that the configuration names.
fn place(settings: &Settings) -> (Option<String>, Option<String>) {
    match settings.deploy().map(|deploy| &deploy.target) {
        Some(DeployTarget::Kubernetes(kubernetes)) => (kubernetes.context.clone(), kubernetes.namespace.clone()),
        Some(DeployTarget::Process | DeployTarget::Docker(_)) | None => (None, None),
    }
}

fn ask_here(context: Option<&str>, namespace: Option<&str>) -> Engines {
    let runtime = match runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return Engines::unknown(&error.to_string()),
    };
    runtime.block_on(async {
        let docker = Engine::connect().await.map(|engine| {
            let version = engine.version();
            format!("Docker Engine {} (API {})", version.version, version.api)
        });
        let cluster = Cluster::connect(context, namespace).await.map(|cluster| {
            format!("context {} ({}), namespace {}", cluster.context, cluster.server, cluster.namespace)
        });
        Engines {
            docker: docker.map_err(|error| error.to_string()),
            kubernetes: cluster.map_err(|error| error.to_string()),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_engine_that_is_needed_and_does_not_answer_is_missing_and_one_that_is_not_needed_is_no_fault() {
        let silent = Err("Docker Engine does not answer; start it".to_owned());
        assert_eq!(check("docker", &silent, true, "").word, Word::Missing);
        assert_eq!(check("docker", &silent, false, "").word, Word::Ok);
    }
}
