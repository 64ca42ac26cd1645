//! A stage that runs elsewhere: in a container of Docker Engine, or as a Job on Kubernetes.
//!
//! The daemon starts this process as it starts any stage, in the same environment, with a [`RemoteJob`] beside it. It makes
//! the container or the Job, passes its log on as it comes, brings back what it wrote, takes it away again, and ends as it
//! ended. So supervision, cancel, time limits and the return after a crash of the daemon are those of a local stage: they
//! act on this process. What a crash of this very process leaves behind carries labels, by which [`remove_left_over`] finds
//! it.
//!
//! `docker` mounts what the contract names at the paths that it has outside. `kubernetes` carries it there and back by
//! `transfer`; what waits there for the files is a few lines of shell, or `agent` in an image that has no shell.

pub mod agent;
mod docker;
#[cfg(test)]
mod fixtures;
mod kubernetes;
mod site;
mod source;
mod transfer;

use std::collections::BTreeMap;
use std::env;
use std::fmt;
use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::site::Site;
pub use self::transfer::TransferError;
use super::contract::ContractError;
use super::image::{ImageError, program_image};
use crate::config::{ContainerSettings, Runner};
use crate::disk::Layout;
use crate::pipeline::{Attempt, RunId, StageName};
use crate::target::docker::engine::EngineError;
use crate::target::kubernetes::job::{ClusterError, JobError};
use crate::target::labels;

/// What a cancelled stage may take beyond its own grace to be taken away. Whoever ends this process must wait as long.
pub const FAREWELL: Duration = Duration::from_secs(30);
/// The variable that names the file with the [`RemoteJob`].
pub const VARIABLE: &str = "TRAINYARD_RUNNER";
/// Where the program lies in images of its own.
pub const PROGRAM: &str = "/usr/local/bin/trainyard";
/// The exit code of a stage that was told to stop.
const CANCELLED: i32 = 143;

/// What is to run elsewhere; the rest is in the environment, as for any stage. Variables of a stage may be secrets, so this
/// is never printed, and the file with it only names them: their values are in the environment, too.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct RemoteJob {
    /// Where.
    pub runner: Runner,
    /// The command as it is configured, with its `$NAME`s; empty for a built-in stage.
    pub command: Vec<String>,
    /// The stage's own variables, beside those of the contract.
    pub environment: BTreeMap<String, String>,
    /// The built-in stage, such as `train`.
    pub built_in: Option<String>,
    /// Whether it writes the model, rather than reads it.
    pub produces_model: bool,
    /// When the cluster is to end it, should nobody else; otherwise time limits are kept by who started this.
    pub timeout: Option<Duration>,
    /// The labels of all that is made: [`labels::FOLDER`], [`labels::RUN`], [`labels::STAGE`] and [`labels::ATTEMPT`] among
    /// them, see [`labels_of`].
    pub labels: BTreeMap<String, String>,
    /// Time between TERM and KILL.
    pub grace: Duration,
}

impl fmt::Debug for RemoteJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RemoteJob")
            .field("command", &self.command)
            .field("labels", &self.labels)
            .finish_non_exhaustive()
    }
}

impl RemoteJob {
    /// A name for its container or Job, which says what it is and is no other attempt's.
    fn name(&self, longest: usize) -> String {
        let parts = [labels::PROJECT, labels::STAGE, labels::RUN, labels::ATTEMPT, labels::FOLDER];
        let parts: Vec<&str> = parts.iter().filter_map(|label| self.labels.get(*label)).map(String::as_str).collect();
        labels::name(&parts.join("-"), longest)
    }

    /// The labels by which exactly this attempt is found.
    fn own_labels(&self) -> Result<BTreeMap<String, String>, RunnerError> {
        let mut own = BTreeMap::new();
        for name in [labels::FOLDER, labels::RUN, labels::STAGE, labels::ATTEMPT] {
            let value = self.labels.get(name).ok_or(RunnerError::Unlabelled(name))?;
            own.insert(name.to_owned(), value.clone());
        }
        Ok(own)
    }
}

/// Why a stage cannot run elsewhere.
#[derive(Debug, thiserror::Error)]
pub enum RunnerError {
    /// This process is no stage, or its files cannot be used.
    #[error(transparent)]
    Contract(#[from] ContractError),
    /// The stage is to run here.
    #[error("this stage runs on this machine; it is started without a runner")]
    Local,
    /// What is to be made could not be told from what others made.
    #[error("the label {0} is missing, so that nothing is made; this command is started by the daemon, not by hand")]
    Unlabelled(&'static str),
    /// There is no image to run the stage in.
    #[error("there is no image to run this stage in; set `container = {{ image = \"…\" }}` of the stage")]
    NoImage,
    /// The image of the program cannot be made.
    #[error(transparent)]
    OwnImage(#[from] Box<ImageError>),
    /// The process cannot be set up.
    #[error("cannot start the runner: {0}")]
    Runtime(io::Error),
    /// Docker Engine refuses, or does not answer.
    #[error(transparent)]
    Engine(#[from] EngineError),
    /// Docker Engine went away while the stage ran.
    #[error(
        "Docker Engine went away while the stage ran, and how it ended is not known; start the engine and run the stage again"
    )]
    EngineGone,
    /// Docker Engine is on another machine.
    #[error(
        "the docker runner mounts folders of this machine, but DOCKER_HOST is {0}, an engine elsewhere; unset DOCKER_HOST, or use `runner = \"kubernetes\"`"
    )]
    EngineElsewhere(String),
    /// The image is not there.
    #[error("image {0} is not in Docker Engine; build it or `docker pull {0}`, and run the stage again")]
    MissingImage(String),
    /// The container cannot be made or started.
    #[error("the container of image {image} cannot be started: {reason}")]
    NotStarted {
        /// The image.
        image: String,
        /// What the engine said, with the mend.
        reason: String,
    },
    /// The cluster refuses, or does not answer.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// The Job cannot be used.
    #[error(transparent)]
    Job(#[from] JobError),
    /// The cluster did not come back.
    #[error(
        "the API server did not answer for {span}: {reason}; see whether the cluster is up, and run the stage again"
    )]
    NotBack {
        /// How long: `10 minutes`.
        span: String,
        /// What was tried last.
        reason: String,
    },
    /// Files cannot be carried there or back.
    #[error(transparent)]
    Transfer(#[from] TransferError),
}

impl RunnerError {
    /// Whether it says that an engine or a cluster does not answer, and nothing of the stage.
    pub fn is_unreachable(&self) -> bool {
        match self {
            Self::Engine(error) => error.is_unreachable(),
            Self::Cluster(error) => error.is_unreachable(),
            Self::Job(error) => error.is_unreachable(),
            Self::OwnImage(error) => error.is_unreachable(),
            Self::EngineGone | Self::NotBack { .. } => true,
            _ => false,
        }
    }
}

/// Runs the stage where it is to run; its exit code.
pub fn run() -> Result<i32, RunnerError> {
    let job = job()?;
    let site = Site::from_environment()?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(RunnerError::Runtime)?;
    let ended = runtime.block_on(async {
        let mut cancel = Cancel::listen().map_err(RunnerError::Runtime)?;
        match &job.runner {
            Runner::Local => Err(RunnerError::Local),
            Runner::Docker(settings) => docker::run(&job, settings, &site, &mut cancel).await,
            Runner::Kubernetes(settings) => Box::pin(kubernetes::run(&job, settings, &site, &mut cancel)).await,
        }
    });
    // A transfer that was given up may still be in a system call; nobody waits for it.
    runtime.shutdown_background();
    ended
}

/// Removes what an attempt left in an engine or on a cluster because its process was killed; how many containers or Jobs.
/// `folder` is the label [`labels::folder`] of the project.
pub async fn remove_left_over(
    runner: &Runner,
    folder: &str,
    run: RunId,
    stage: &StageName,
    attempt: Attempt,
) -> Result<usize, RunnerError> {
    let labels = labels_of(folder, run, stage, attempt);
    match runner {
        Runner::Local => Ok(0),
        Runner::Docker(_) => docker::remove(&labels).await,
        Runner::Kubernetes(settings) => kubernetes::remove(settings, &labels).await,
    }
}

/// The labels by which exactly one attempt of a stage is found; [`RemoteJob::labels`] must have them, and may have more.
pub fn labels_of(folder: &str, run: RunId, stage: &StageName, attempt: Attempt) -> BTreeMap<String, String> {
    BTreeMap::from([
        (labels::FOLDER.to_owned(), folder.to_owned()),
        (labels::RUN.to_owned(), run.to_string()),
        (labels::STAGE.to_owned(), labels::value(stage.as_str())),
        (labels::ATTEMPT.to_owned(), attempt.to_string()),
    ])
}

/// The image of the program itself, for a built-in stage that names none: to be in the engine, or where the nodes of a
/// cluster find it.
async fn own_image(settings: &ContainerSettings) -> Result<String, RunnerError> {
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(ContractError::Missing(name));
    let (project, program) = (variable("TRAINYARD_PROJECT")?, variable("TRAINYARD_BIN")?);
    let layout = Layout::new(&project).map_err(|source| ContractError::File { path: project.clone(), source })?;
    let name = env::var("TRAINYARD_PROJECT_NAME").unwrap_or_default();
    // Boxed, for it holds the whole way of an upload.
    let image = Box::pin(program_image(&layout, &name, &program, settings.push.as_deref())).await.map_err(Box::new)?;
    Ok(image.reference().to_owned())
}

/// The image of the stage.
async fn image_of(job: &RemoteJob, settings: &ContainerSettings) -> Result<String, RunnerError> {
    match &settings.image {
        Some(image) => Ok(image.clone()),
        None if job.built_in.is_some() => own_image(settings).await,
        None => Err(RunnerError::NoImage),
    }
}

fn job() -> Result<RemoteJob, RunnerError> {
    let path = env::var_os(VARIABLE).map(PathBuf::from).ok_or(ContractError::Missing(VARIABLE))?;
    let text = fs::read(&path).map_err(|source| ContractError::File { path: path.clone(), source })?;
    let mut job: RemoteJob =
        serde_json::from_slice(&text).map_err(|source| ContractError::Settings { path, source })?;
    for (name, value) in &mut job.environment {
        *value = env::var(name).unwrap_or_default();
    }
    Ok(job)
}

/// The wish that the stage stop.
struct Cancel {
    terminate: Signal,
    interrupt: Signal,
}

impl Cancel {
    fn listen() -> io::Result<Self> {
        Ok(Self { terminate: signal(SignalKind::terminate())?, interrupt: signal(SignalKind::interrupt())? })
    }

    async fn raised(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Passes on what the stage wrote, at once: lines that wait in a buffer are lines that nobody sees. Who reads it has gone
/// when this fails, and then there is nobody to tell.
fn pass_on(bytes: &[u8]) {
    let mut out = io::stdout().lock();
    let _ = out.write_all(bytes).and_then(|()| out.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn remote(labels: BTreeMap<String, String>) -> RemoteJob {
        RemoteJob {
            runner: Runner::Docker(ContainerSettings::default()),
            command: vec!["pytest".to_owned()],
            environment: BTreeMap::from([("TOKEN".to_owned(), "secret-7".to_owned())]),
            built_in: None,
            produces_model: false,
            timeout: Some(Duration::from_mins(1)),
            labels,
            grace: Duration::from_secs(10),
        }
    }

    fn labels() -> BTreeMap<String, String> {
        labels_of("3f2a91c0d1e2", RunId(12), &StageName::from("unit_tests"), Attempt(2))
    }

    #[test]
    fn a_job_comes_through_its_file_and_tells_no_secret() {
        let job = remote(labels());
        let text = serde_json::to_vec(&job).unwrap();
        assert_eq!(serde_json::from_slice::<RemoteJob>(&text).unwrap(), job);
        assert!(!format!("{job:?}").contains("secret-7"));
    }

    #[test]
    fn names_are_those_of_one_attempt_and_fit_an_engine() {
        let name = remote(labels()).name(57);
        assert_eq!(name, "unit-tests-12-2-3f2a91c0d1e2");
        let mut other = labels();
        other.insert(labels::ATTEMPT.to_owned(), "3".to_owned());
        assert_ne!(remote(other).name(57), name);
    }

    #[test]
    fn without_its_labels_nothing_is_looked_for() {
        let mut few = labels();
        few.remove(labels::RUN);
        assert!(matches!(remote(few).own_labels(), Err(RunnerError::Unlabelled(labels::RUN))));
        assert_eq!(remote(labels()).own_labels().unwrap(), labels());
    }
}
