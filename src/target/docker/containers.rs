//! What all parts ask the engine about containers: which there are, how one is, and that it goes away.

use std::collections::HashMap;
use std::time::Duration;

use bollard::errors::Error;
use bollard::models::{ContainerInspectResponse, ContainerSummary};
use bollard::query_parameters::{
    ListContainersOptionsBuilder, RemoveContainerOptionsBuilder, StopContainerOptionsBuilder,
    WaitContainerOptionsBuilder,
};
use futures_util::StreamExt;

use super::engine::{Engine, EngineError};
use super::refusal::{is_conflict, is_missing};

/// Seconds between the stop signal and KILL.
pub const GRACE: i32 = 5;
/// How long a question may take. The client's own limit of two minutes is for work such as stopping.
const ANSWER: Duration = Duration::from_secs(10);
/// How long a removal that somebody else began may take.
const REMOVAL: Duration = Duration::from_secs(20);

/// The condition "carries this label with this value" of a list.
pub fn labelled(label: &str, value: &str) -> String {
    format!("{label}={value}")
}

/// All containers, running or not, that meet every one of these conditions.
pub async fn list(engine: &Engine, labels: &[String]) -> Result<Vec<ContainerSummary>, EngineError> {
    let filters = HashMap::from([("label", labels.to_vec())]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    within(engine.client().list_containers(Some(options))).await
}

/// All containers of the engine, whosever they are.
pub async fn list_all(engine: &Engine) -> Result<Vec<ContainerSummary>, EngineError> {
    let options = ListContainersOptionsBuilder::new().all(true).build();
    within(engine.client().list_containers(Some(options))).await
}

/// How a container is; `None` if there is none of that name or id.
pub async fn look(engine: &Engine, id: &str) -> Result<Option<ContainerInspectResponse>, EngineError> {
    let asked = engine.client().inspect_container(id, None);
    match tokio::time::timeout(ANSWER, asked).await.unwrap_or(Err(Error::RequestTimeoutError)) {
        Ok(seen) => Ok(Some(seen)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Stops a container with grace and removes it with its anonymous volumes. One that is not there is well ended.
pub async fn end(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let options = StopContainerOptionsBuilder::new().t(GRACE).build();
    match engine.client().stop_container(id, Some(options)).await {
        Ok(()) => {}
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => {
            // What cannot be stopped is removed by force all the same.
            let error = EngineError::from(error);
            if error.is_unreachable() {
                return Err(error);
            }
        }
    }
    remove(engine, id).await
}

/// Removes a container by force, with its anonymous volumes.
pub async fn remove(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match engine.client().remove_container(id, Some(options)).await {
        Ok(()) => Ok(()),
        Err(error) if is_missing(&error) => Ok(()),
        // Somebody is at it already; its name is free only once that is done.
        Err(error) if is_conflict(&error) => removed(engine, id).await,
        Err(error) => Err(error.into()),
    }
}

async fn removed(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let options = WaitContainerOptionsBuilder::new().condition("removed").build();
    let mut ends = engine.client().wait_container(id, Some(options)).boxed();
    let ended = tokio::time::timeout(REMOVAL, ends.next()).await.map_err(|_| Error::RequestTimeoutError)?;
    match ended {
        Some(Err(error)) if !is_missing(&error) && !matches!(error, Error::DockerContainerWaitError { .. }) => {
            Err(error.into())
        }
        _ => Ok(()),
    }
}

async fn within<T>(asked: impl Future<Output = Result<T, Error>>) -> Result<T, EngineError> {
    let answer = tokio::time::timeout(ANSWER, asked).await.unwrap_or(Err(Error::RequestTimeoutError));
    answer.map_err(EngineError::from)
}
