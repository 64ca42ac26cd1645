//! One container of a release, from its start until it is removed.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum};

use super::containers;
use super::engine::{Engine, EngineError};
use super::health::{self, HealthState, ImageHealth};
use super::life::{self, Life};
use super::usage::Meter;
use crate::config::{ComposeSettings, DockerSettings, Limits};
use crate::pipeline::{Moment, ReleaseId};
use crate::target::{ApplyRequest, InstanceStatus};

/// How long the engine may take to say how a container is, when a person or a gate waits for it.
const ANSWER: Duration = Duration::from_secs(3);

/// A container of a release. Clones stand for the same container.
#[derive(Clone)]
pub struct Container {
    inner: Arc<Inner>,
}

struct Inner {
    engine: Engine,
    id: String,
    name: String,
    address: SocketAddr,
    release: ReleaseId,
    limits: Limits,
    compose: Option<ComposeSettings>,
    life: Mutex<Life>,
    meter: Meter,
}

impl fmt::Debug for Container {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = f.debug_struct("Container");
        text.field("name", &self.inner.name).field("id", &self.inner.id).field("address", &self.inner.address);
        text.finish_non_exhaustive()
    }
}

impl Container {
    /// The container of that release with that id, reached at that address, in the life that is known of it.
    pub(super) fn new(
        engine: Engine,
        request: &ApplyRequest,
        settings: &DockerSettings,
        seen: &ContainerInspectResponse,
        address: SocketAddr,
        life: Life,
    ) -> Self {
        let name = seen.name.as_deref().unwrap_or_default().trim_start_matches('/').to_owned();
        let inner = Inner {
            engine,
            id: seen.id.clone().unwrap_or_else(|| name.clone()),
            name,
            address,
            release: request.release,
            limits: settings.limits,
            compose: settings.compose.clone(),
            life: Mutex::new(life),
            meter: Meter::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Where it is reached on this machine. It stays the same when the engine starts the container again.
    pub fn address(&self) -> SocketAddr {
        self.inner.address
    }

    /// Its name in the engine.
    pub fn name(&self) -> &str {
        &self.inner.name
    }

    /// What the health check of its image says; `None` if the image has none. One that cannot be asked now is starting,
    /// with the reason as its output: without evidence nothing is healthy.
    pub async fn health(&self) -> Option<ImageHealth> {
        let asked = tokio::time::timeout(ANSWER, containers::look(self.engine(), self.id())).await;
        let output = match asked {
            // The engine calls the check of a container that ended unhealthy, with nothing to say; its end is the reason then.
            Ok(Ok(Some(seen))) if life::status(&seen) != Some(ContainerStateStatusEnum::RUNNING) => {
                "the container does not run".to_owned()
            }
            Ok(Ok(seen)) => return health::of(&seen?),
            Ok(Err(error)) => error.to_string(),
            Err(_) => format!("Docker Engine did not answer within {} s", ANSWER.as_secs()),
        };
        Some(ImageHealth { state: HealthState::Starting, output })
    }

    /// How it is and what it uses. When the engine does not answer, the state says so.
    pub async fn status(&self) -> InstanceStatus {
        let asked = tokio::time::timeout(ANSWER, containers::look(self.engine(), self.id())).await;
        let seen = match asked {
            Ok(Ok(Some(seen))) => seen,
            Ok(Ok(None)) => return self.told("removed", false),
            Ok(Err(_)) | Err(_) => return self.told("unknown: Docker Engine does not answer", false),
        };
        let (state, ready) = state(&seen);
        let usage = if life::status(&seen) == Some(ContainerStateStatusEnum::RUNNING) {
            tokio::time::timeout(ANSWER, self.inner.meter.read(self.engine(), self.id())).await.ok().flatten()
        } else {
            None
        };
        InstanceStatus {
            restarts: seen.restart_count.and_then(|count| u64::try_from(count).ok()).unwrap_or_default(),
            since: seen.state.as_ref().and_then(|state| moment(state.started_at.as_deref()?)),
            usage,
            ..self.told(&state, ready)
        }
    }

    fn told(&self, state: &str, ready: bool) -> InstanceStatus {
        InstanceStatus {
            name: self.inner.name.clone(),
            release: self.inner.release,
            track: "stable".to_owned(),
            state: state.to_owned(),
            ready,
            restarts: 0,
            since: None,
            node: None,
            usage: None,
        }
    }

    /// Stops it with five seconds of grace and removes it with its anonymous volumes. What is gone is well stopped; an error
    /// says that the engine could not be told, and stopping is to be tried again.
    pub async fn stop(&self) -> Result<(), EngineError> {
        containers::end(self.engine(), self.id()).await
    }

    pub(super) fn engine(&self) -> &Engine {
        &self.inner.engine
    }

    pub(super) fn id(&self) -> &str {
        &self.inner.id
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.inner.limits
    }

    pub(super) fn compose(&self) -> Option<&ComposeSettings> {
        self.inner.compose.as_ref()
    }

    /// The lock is held for moments only and never across an await.
    pub(super) fn life(&self) -> MutexGuard<'_, Life> {
        self.inner.life.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state in a word or a few, and whether requests are well sent to it.
fn state(seen: &ContainerInspectResponse) -> (String, bool) {
    use ContainerStateStatusEnum::{CREATED, PAUSED, RESTARTING, RUNNING};
    match life::status(seen) {
        Some(RUNNING) => match health::of(seen).map(|health| health.state) {
            None => ("running".to_owned(), true),
            Some(HealthState::Starting) => ("starting".to_owned(), true),
            Some(HealthState::Healthy) => ("healthy".to_owned(), true),
            Some(HealthState::Unhealthy) => ("unhealthy".to_owned(), false),
        },
        Some(RESTARTING) => (format!("{}; starting again", life::end(seen.state.as_ref())), false),
        Some(status @ (PAUSED | CREATED)) => (status.to_string(), false),
        _ => (life::end(seen.state.as_ref()), false),
    }
}

/// A moment as the engine writes it; what never happened is written as the first day of the year 1.
fn moment(text: &str) -> Option<Moment> {
    let milliseconds = text.parse::<jiff::Timestamp>().ok()?.as_millisecond();
    (milliseconds > 0).then_some(Moment(milliseconds))
}

#[cfg(test)]
mod tests {
    use bollard::models::{ContainerState, Health, HealthStatusEnum};

    use super::*;

    fn seen(status: ContainerStateStatusEnum, health: Option<HealthStatusEnum>) -> ContainerInspectResponse {
        let health = health.map(|status| Health { status: Some(status), ..Health::default() });
        let state = ContainerState { status: Some(status), exit_code: Some(3), health, ..ContainerState::default() };
        ContainerInspectResponse { state: Some(state), ..ContainerInspectResponse::default() }
    }

    #[test]
    fn a_state_is_told_in_words_and_only_what_can_answer_is_ready() {
        let told = |status, health| state(&seen(status, health));
        assert_eq!(told(ContainerStateStatusEnum::RUNNING, None), ("running".to_owned(), true));
        let unhealthy = told(ContainerStateStatusEnum::RUNNING, Some(HealthStatusEnum::UNHEALTHY));
        assert_eq!(unhealthy, ("unhealthy".to_owned(), false));
        let again = told(ContainerStateStatusEnum::RESTARTING, None);
        assert_eq!(again, ("exited with code 3; starting again".to_owned(), false));
        assert_eq!(told(ContainerStateStatusEnum::PAUSED, None), ("paused".to_owned(), false));
        assert_eq!(told(ContainerStateStatusEnum::EXITED, None), ("exited with code 3".to_owned(), false));
    }

    #[test]
    fn a_moment_is_read_as_the_engine_writes_it() {
        assert_eq!(moment("1970-01-01T00:00:01.5Z"), Some(Moment(1500)));
        assert_eq!(moment("2026-11-24T14:46:20.01989049Z"), Some(Moment(1_795_531_580_019)));
        assert_eq!(moment("0001-01-01T00:00:00Z"), None);
        assert_eq!(moment(""), None);
    }
}
