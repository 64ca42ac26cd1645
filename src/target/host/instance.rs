//! One running copy of a release, whatever it runs as: what the host starts, asks, follows and ends.

use std::net::SocketAddr;

use crate::api::types::InstanceStatus;
use crate::config::DeployTarget;
use crate::pipeline::ReleaseId;
use crate::target::docker::{Container, ContainerEnd, ImageHealth};
use crate::target::process::{RecordedProcess, Running, Unpacked};
use crate::target::{ApplyRequest, Failure};

/// A process or a container.
#[derive(Debug, Clone)]
pub enum Instance {
    /// A process on this machine.
    Process(Running),
    /// A container of Docker Engine.
    Container(Container),
}

/// How an instance came to an end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// It is gone and must be started anew.
    Gone(String),
    /// It was started again by the engine, as its restart policy says, and may be served again once it is healthy.
    Restarted(String),
}

/// What an instance is made of, kept so that it can be started again.
#[derive(Debug, Clone)]
pub enum Material {
    /// An image that lies unpacked on this machine.
    Unpacked(Box<Unpacked>),
    /// An image that an engine has.
    InEngine,
}

impl Instance {
    /// Where it was told to listen.
    pub fn address(&self) -> SocketAddr {
        match self {
            Self::Process(running) => running.address,
            Self::Container(container) => container.address(),
        }
    }

    /// A process number, or the name of a container.
    pub fn name(&self) -> String {
        match self {
            Self::Process(running) => running.process.pid.to_string(),
            Self::Container(container) => container.name().to_owned(),
        }
    }

    /// What the next host needs to know of a process; a container is found by its labels.
    pub fn process(&self) -> Option<RecordedProcess> {
        match self {
            Self::Process(running) => Some(running.process),
            Self::Container(_) => None,
        }
    }

    /// Waits for its end.
    pub async fn ended(&self) -> End {
        match self {
            Self::Process(running) => End::Gone(running.exited().await),
            Self::Container(container) => match container.follow().await {
                ContainerEnd::Gone { how } => End::Gone(how),
                ContainerEnd::Restarted { how } => End::Restarted(how),
            },
        }
    }

    /// What the image's own health check says; `None` where there is none.
    pub async fn own_health(&self) -> Option<ImageHealth> {
        match self {
            Self::Process(_) => None,
            Self::Container(container) => container.health().await,
        }
    }

    /// Ends it. `Err` says why it may still be there: an engine that does not answer.
    pub async fn stop(&self) -> Result<(), String> {
        match self {
            Self::Process(running) => {
                running.stop().await;
                Ok(())
            }
            Self::Container(container) => container.stop().await.map_err(|error| error.to_string()),
        }
    }

    /// The last lines it wrote.
    pub async fn log_tail(&self) -> Vec<String> {
        match self {
            Self::Process(running) => running.log_tail(),
            Self::Container(container) => container.log_tail().await,
        }
    }

    /// How it is.
    pub async fn status(&self, release: ReleaseId) -> InstanceStatus {
        match self {
            Self::Process(running) => running.status(release),
            Self::Container(container) => container.status().await,
        }
    }

    /// Does what is to be done before requests go to it: the other services of a Compose project learn of it.
    pub async fn join(&self) -> Result<Option<String>, String> {
        match self {
            Self::Process(_) => Ok(None),
            Self::Container(container) => container.join_service().await.map_err(|error| error.to_string()),
        }
    }

    /// Does what is to be done once requests go to it: a service of Compose that it replaces is stopped.
    pub async fn took_over(&self) -> Option<String> {
        match self {
            Self::Process(_) => None,
            Self::Container(container) => container.take_over().await.unwrap_or_else(|error| Some(error.to_string())),
        }
    }
}

/// The container of that release, if it still runs.
pub async fn adopt(request: &ApplyRequest) -> Result<Option<Instance>, String> {
    match &request.target {
        DeployTarget::Docker(settings) => {
            let found = Container::adopt(request, settings).await.map_err(|error| error.to_string())?;
            Ok(found.map(Instance::Container))
        }
        DeployTarget::Process | DeployTarget::Kubernetes(_) => Ok(None),
    }
}

/// Starts a container for the request.
pub async fn start_container(request: &ApplyRequest) -> Result<Instance, Failure> {
    match &request.target {
        DeployTarget::Docker(settings) => Container::start(request, settings).await.map(Instance::Container),
        DeployTarget::Process | DeployTarget::Kubernetes(_) => {
            Err(Failure::not_tried("is not meant for Docker Engine"))
        }
    }
}
