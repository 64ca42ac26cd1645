//! A stage in a container of the engine on this machine.
//!
//! What the contract names is mounted at the paths that it has outside, so that every path in the environment, in the list
//! of data files and in the command is true inside. The container runs as this user, so that what it writes is this user's.
//! Its output is read from the process itself and not through a log of the engine: it comes at once, and takes no space
//! twice.

mod plan;

use std::collections::{BTreeMap, HashMap};
use std::pin::pin;
use std::time::Duration;

use bollard::Docker;
use bollard::container::{AttachContainerResults, LogOutput};
use bollard::errors::Error;
use bollard::models::ContainerState;
use bollard::query_parameters::{
    AttachContainerOptionsBuilder, CreateContainerOptionsBuilder, ListContainersOptionsBuilder,
    RemoveContainerOptionsBuilder, StartContainerOptions, StopContainerOptionsBuilder, WaitContainerOptionsBuilder,
};
use futures_util::{Stream, StreamExt};
use tokio::time::{Instant, sleep_until, timeout};

use self::plan::Plan;
use super::site::Site;
use super::{CANCELLED, Cancel, FAREWELL, RemoteJob, RunnerError, image_of, pass_on};
use crate::config::{ContainerSettings, Limits};
use crate::target::docker::engine::{Engine, EngineError, answer};

/// The longest name of a container.
const LONGEST_NAME: usize = 63;
/// How long output may take to come after the end of the container.
const LAST_WORDS: Duration = Duration::from_secs(10);

/// Runs the stage in a container; its exit code.
pub async fn run(
    job: &RemoteJob,
    settings: &ContainerSettings,
    site: &Site,
    cancel: &mut Cancel,
) -> Result<i32, RunnerError> {
    let own = job.own_labels()?;
    let engine = Engine::connect().await?;
    if !engine.is_on_this_machine() {
        return Err(RunnerError::EngineElsewhere(engine.address().to_owned()));
    }
    remove_from(&engine, &own).await?;
    let image = image_of(job, settings).await?;
    let user = user(&engine).await;
    let name = job.name(LONGEST_NAME);
    let plan = Plan { job, settings, site, image: &image, user: &user };
    let id = create(&engine, &name, &plan).await?;
    println!("container {name} of image {image}");
    let container = Container { engine: &engine, id: &id, image: &image, grace: job.grace };
    let ended = container.run(&settings.limits, cancel).await;
    if let Err(error) = remove_container(&engine, &id).await {
        eprintln!("container {name} cannot be removed: {error}; `docker rm -f {name}` does it");
    }
    ended
}

/// Removes the containers that have all these labels; how many.
pub async fn remove(labels: &BTreeMap<String, String>) -> Result<usize, RunnerError> {
    let engine = Engine::connect().await?;
    Ok(remove_from(&engine, labels).await?)
}

async fn remove_from(engine: &Engine, labels: &BTreeMap<String, String>) -> Result<usize, EngineError> {
    if labels.is_empty() {
        return Ok(0);
    }
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let filters = HashMap::from([("label".to_owned(), labels)]);
    let options = ListContainersOptionsBuilder::new().all(true).filters(&filters).build();
    let found = answer(engine.client().list_containers(Some(options))).await?;
    let ids: Vec<String> = found.into_iter().filter_map(|container| container.id).collect();
    for id in &ids {
        remove_container(engine, id).await?;
    }
    Ok(ids.len())
}

async fn remove_container(engine: &Engine, id: &str) -> Result<(), EngineError> {
    let options = RemoveContainerOptionsBuilder::new().force(true).v(true).build();
    match engine.client().remove_container(id, Some(options)).await {
        // It is gone, or about to go.
        Err(Error::DockerResponseServerError { status_code: 404 | 409, .. }) => Ok(()),
        removed => removed.map_err(EngineError::from),
    }
}

/// Who the stage is inside of the container: this user, which an engine without root calls root.
async fn user(engine: &Engine) -> String {
    let options = answer(engine.client().info()).await.ok().and_then(|info| info.security_options);
    if options.unwrap_or_default().iter().any(|option| option.contains("name=rootless")) {
        return "0:0".to_owned();
    }
    let (user, group) = (rustix::process::getuid(), rustix::process::getgid());
    format!("{}:{}", user.as_raw(), group.as_raw())
}

async fn create(engine: &Engine, name: &str, plan: &Plan<'_>) -> Result<String, RunnerError> {
    let options = CreateContainerOptionsBuilder::new().name(name).build();
    let created = engine.client().create_container(Some(options), plan.container()).await;
    Ok(created.map_err(|error| not_started(plan.image, error))?.id)
}

/// A container that was created.
struct Container<'a> {
    engine: &'a Engine,
    id: &'a str,
    image: &'a str,
    grace: Duration,
}

impl Container<'_> {
    /// Starts it and passes its output on until it has ended, by itself or because it is told to stop.
    async fn run(&self, limits: &Limits, cancel: &mut Cancel) -> Result<i32, RunnerError> {
        let client = self.engine.client();
        let options = AttachContainerOptionsBuilder::new().stream(true).stdout(true).stderr(true).build();
        let attached = client.attach_container(self.id, Some(options)).await.map_err(EngineError::from)?;
        // The input is held to the end: to drop it might end the output too.
        let AttachContainerResults { output, input: _input } = attached;
        let started = client.start_container(self.id, None::<StartContainerOptions>).await;
        started.map_err(|error| not_started(self.image, error))?;
        let mut printing = pin!(print(output));
        let mut ending = pin!(wait(client, self.id));
        let (mut is_printed, mut give_up) = (false, None);
        let ended = loop {
            tokio::select! {
                ended = &mut ending => break ended,
                () = &mut printing, if !is_printed => is_printed = true,
                () = cancel.raised(), if give_up.is_none() => {
                    println!("cancelled: stopping the container");
                    self.stop();
                    give_up = Some(Instant::now() + self.grace + FAREWELL / 2);
                }
                // What does not stop is ended by its removal.
                () = until(give_up) => return Ok(CANCELLED),
            }
        };
        if !is_printed {
            let _ = timeout(LAST_WORDS, &mut printing).await;
        }
        if give_up.is_some() {
            return Ok(CANCELLED);
        }
        self.conclude(ended?, limits).await
    }

    /// Lets the engine stop it, beside the waiting for its end.
    fn stop(&self) {
        let client = self.engine.patient();
        let seconds = self.grace.as_secs() + u64::from(self.grace.subsec_nanos() > 0);
        let options = StopContainerOptionsBuilder::new().t(i32::try_from(seconds).unwrap_or(i32::MAX)).build();
        let id = self.id.to_owned();
        tokio::spawn(async move {
            // If the engine cannot, waiting for the end finds that out.
            let _ = client.stop_container(&id, Some(options)).await;
        });
    }

    /// The exit code. An engine that shuts down ends its containers first: their end is then no word of the stage.
    async fn conclude(&self, code: i64, limits: &Limits) -> Result<i32, RunnerError> {
        let state = match answer(self.engine.client().inspect_container(self.id, None)).await {
            Ok(container) => container.state.unwrap_or_default(),
            Err(EngineError::Missing { .. }) => {
                println!("the container was removed by hand");
                ContainerState::default()
            }
            Err(error) if error.is_unreachable() => return Err(RunnerError::EngineGone),
            Err(error) => return Err(error.into()),
        };
        if state.oom_killed == Some(true) {
            println!("{}", out_of_memory(limits));
        }
        Ok(i32::try_from(code).unwrap_or(1))
    }
}

/// What is said of a stage that ran out of memory.
pub(super) fn out_of_memory(limits: &Limits) -> String {
    match limits.memory {
        Some(bytes) => format!(
            "the stage ran out of memory and was killed: its limit is {} MiB; raise `limits.memory` of its `container`",
            bytes >> 20
        ),
        None => "the stage ran out of memory and was killed: the machine has no more".to_owned(),
    }
}

async fn print(mut output: impl Stream<Item = Result<LogOutput, Error>> + Unpin) {
    // Both streams go into one log, in the order in which they were written.
    while let Some(Ok(piece)) = output.next().await {
        pass_on(piece.as_ref());
    }
}

async fn wait(client: &Docker, id: &str) -> Result<i64, RunnerError> {
    let options = WaitContainerOptionsBuilder::new().condition("not-running").build();
    let mut ends = pin!(client.wait_container(id, Some(options)));
    match ends.next().await {
        Some(Ok(end)) => Ok(end.status_code),
        Some(Err(Error::DockerContainerWaitError { code, .. })) => Ok(code),
        Some(Err(Error::DockerResponseServerError { status_code, message })) => {
            Err(EngineError::from(Error::DockerResponseServerError { status_code, message }).into())
        }
        // The connection has ended without an answer.
        Some(Err(_)) | None => Err(RunnerError::EngineGone),
    }
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// What it means that the engine does not make or start a container.
fn not_started(image: &str, error: Error) -> RunnerError {
    let Error::DockerResponseServerError { message, .. } = &error else { return EngineError::from(error).into() };
    let small = message.to_lowercase();
    let is_of = |texts: &[&str]| texts.iter().any(|text| small.contains(text));
    if is_of(&["no such image"]) {
        return RunnerError::MissingImage(image.to_owned());
    }
    let mend = if is_of(&["bind source path", "mount source path", "error mounting", "mounts denied"]) {
        "; the engine must see the folders of this machine (one in a virtual machine or for another user does not)"
    } else if is_of(&["docker-init"]) {
        "; the engine lacks its `docker-init`, which is part of its package"
    } else if is_of(&["executable file not found", "no such file or directory", "exec format error"]) {
        "; check that the image has the command of the stage"
    } else if is_of(&["memory limit", "range of cpus"]) {
        "; mend `limits` of the stage's `container`"
    } else if is_of(&["network"]) {
        "; check `network` of the stage's `container`"
    } else {
        ""
    };
    let line = message.lines().find(|line| !line.trim().is_empty()).unwrap_or(message).trim();
    RunnerError::NotStarted { image: image.to_owned(), reason: format!("{line}{mend}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(message: &str) -> String {
        let error = Error::DockerResponseServerError { status_code: 500, message: message.to_owned() };
        not_started("python:3.12", error).to_string()
    }

    #[test]
    fn a_container_that_does_not_start_says_why_and_what_to_do() {
        assert!(said("No such image: python:3.12").contains("`docker pull python:3.12`"));
        let command = said("OCI runtime create failed: exec: \"pytest\": executable file not found in $PATH: unknown");
        assert!(command.contains("\"pytest\"") && command.ends_with("has the command of the stage"), "{command}");
        let mount = said("invalid mount config for type \"bind\": bind source path does not exist: /home/me/wine");
        assert!(mount.contains("/home/me/wine") && mount.contains("must see the folders"), "{mount}");
        assert!(said("network backend not found").contains("check `network`"));
    }

    #[test]
    fn memory_that_ran_out_names_the_limit() {
        let limits = Limits { memory: Some(512 << 20), cpus: None };
        assert!(out_of_memory(&limits).contains("512 MiB"));
    }
}
